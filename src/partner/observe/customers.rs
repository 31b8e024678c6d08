//! Customers: all of them from the list, details only of those whose details somebody declared.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;

use super::super::center::customers;
use super::super::center::wire::CustomerWire;
use super::super::error::Error;
use super::super::line::ReadingLine;
use super::super::snapshot::{Customer, CustomerRef, Details, Scope};
use super::AT_ONCE;
use crate::model::id::TenantId;

#[derive(Debug, Default)]
pub(super) struct Customers {
    pub(super) date: Option<Timestamp>,
    pub(super) customers: BTreeMap<TenantId, Customer>,
}

pub(super) async fn read(line: &ReadingLine, scope: &Scope) -> Result<Customers, Error> {
    if !scope.customers {
        return Ok(Customers::default());
    }
    let whole = customers::all(line).await?;
    let mut found = Customers {
        date: whole.date,
        // A list that moves while it is read may show somebody twice.
        customers: whole.items.into_iter().map(CustomerWire::observed).collect(),
    };
    read_details(line, scope, &mut found.customers, None).await?;
    Ok(found)
}

/// Reads what the scope asks of single customers: of all that it names, or of those in `among`.
pub(super) async fn read_details(
    line: &ReadingLine,
    scope: &Scope,
    customers: &mut BTreeMap<TenantId, Customer>,
    among: Option<&BTreeSet<TenantId>>,
) -> Result<(), Error> {
    let wanted: Vec<(TenantId, Details)> = wanted(scope, customers)
        .into_iter()
        .filter(|(id, _)| among.is_none_or(|among| among.contains(id)))
        .collect();
    let answers: Vec<(TenantId, Customer)> = stream::iter(wanted)
        .map(|(id, details)| {
            let customer = customers.get(&id).cloned();
            async move {
                match customer {
                    Some(customer) => Ok(Some((id, detailed(line, id, customer, details).await?))),
                    None => Ok(None),
                }
            }
        })
        .buffered(AT_ONCE)
        .try_filter_map(|found: Option<(TenantId, Customer)>| async move { Ok::<_, Error>(found) })
        .try_collect()
        .await?;
    customers.extend(answers);
    Ok(())
}

/// Whose details are wanted, by tenant.
fn wanted(scope: &Scope, customers: &BTreeMap<TenantId, Customer>) -> BTreeMap<TenantId, Details> {
    if scope.details.is_empty() {
        return BTreeMap::new();
    }
    let domains: BTreeMap<&str, TenantId> =
        customers.iter().map(|(id, customer)| (customer.domain.as_str(), *id)).collect();
    scope
        .details
        .iter()
        .filter_map(|(customer, details)| {
            let id = match customer {
                CustomerRef::Tenant(id) => customers.contains_key(id).then_some(*id),
                CustomerRef::Domain(domain) => domains.get(domain.as_str()).copied(),
            };
            id.map(|id| (id, *details))
        })
        .collect()
}

async fn detailed(
    line: &ReadingLine,
    id: TenantId,
    mut customer: Customer,
    wanted: Details,
) -> Result<Customer, Error> {
    let Details {
        legacy_administration,
        billing,
        qualifications,
        subscriptions,
        agreements,
        resellers,
    } = wanted;
    if legacy_administration && let Some(found) = customers::one(line, id).await? {
        customer.details.legacy_administration =
            found.details.legacy_administration.or(Some(false));
    }
    let details = &mut customer.details;
    if billing {
        details.billing = Some(customers::billing(line, id).await?);
    }
    if qualifications {
        details.qualifications = Some(customers::qualifications(line, id).await?);
    }
    if subscriptions {
        details.subscriptions = Some(customers::subscriptions(line, id).await?);
    }
    if agreements {
        details.agreements = Some(customers::agreements(line, id).await?);
    }
    if resellers {
        details.resellers = Some(customers::resellers(line, id).await?);
    }
    Ok(customer)
}

/// Reads these customers one by one; those that are not ours any more are left out.
pub(super) async fn again(
    line: &ReadingLine,
    ids: &BTreeSet<TenantId>,
) -> Result<BTreeMap<TenantId, Customer>, Error> {
    stream::iter(ids.iter().copied())
        .map(|id| async move { Ok((id, customers::one(line, id).await?)) })
        .buffered(AT_ONCE)
        .try_filter_map(|(id, found): (TenantId, Option<Customer>)| async move {
            Ok::<_, Error>(found.map(|found| (id, found)))
        })
        .try_collect()
        .await
}

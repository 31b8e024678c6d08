//! What happened in the account since some time, as far as it is audited.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::super::error::{Error, Reason};
use super::super::line::ReadingLine;
use super::super::request::Class;
use super::page;
use super::wire::AuditWire;
use crate::model::id::TenantId;

/// Records older than this cannot be asked for.
const WINDOW: SignedDuration = SignedDuration::from_hours(89 * 24);
/// How late a record may come: what is older was seen by an earlier look.
const LATE: SignedDuration = SignedDuration::from_hours(1);
const PAGE: u32 = 500;

/// What the records since the last look tell.
#[derive(Debug, PartialEq, Eq, Default)]
pub(in crate::partner) struct Audited {
    /// Customers that something happened to, and whether the last of it ended our relationship.
    pub(in crate::partner) customers: BTreeMap<TenantId, Fate>,
    /// Something happened to partner users, who hold account roles.
    pub(in crate::partner) touches_account_roles: bool,
    /// Something happened to delegated access.
    pub(in crate::partner) touches_delegation: bool,
    /// With whom, where the records say so.
    pub(in crate::partner) delegation_customers: BTreeSet<TenantId>,
    /// Records that a later look will meet again.
    pub(in crate::partner) seen: BTreeSet<String>,
}

/// What became of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::partner) enum Fate {
    Changed,
    Gone,
}

/// Reads the records since a mark; nothing if it lies too far back.
pub(in crate::partner) async fn since(
    line: &ReadingLine,
    mark: Timestamp,
    known: &BTreeSet<String>,
    now: Timestamp,
) -> Result<Option<Audited>, Error> {
    let from = mark.checked_sub(LATE).unwrap_or(mark);
    if now.checked_sub(WINDOW).is_ok_and(|oldest| from < oldest) {
        return Ok(None);
    }
    let day = from.to_zoned(jiff::tz::TimeZone::UTC).date();
    let path = format!("/v1/auditrecords?startDate={day}&size={PAGE}");
    match page::all::<AuditWire>(line, Class::Audit, &path).await {
        Ok(whole) => Ok(Some(told(whole.items, known, from, now))),
        // The window is counted by the service: what it calls too old is too old.
        Err(error) if error.is(Reason::Invalid) => Ok(None),
        Err(error) => Err(error),
    }
}

fn told(
    mut records: Vec<AuditWire>,
    known: &BTreeSet<String>,
    from: Timestamp,
    now: Timestamp,
) -> Audited {
    records.sort_by_key(|record| record.operation_date);
    let mut audited = Audited::default();
    let late = now.checked_sub(LATE).unwrap_or(now);
    for record in records {
        // A record without a date may be of any time.
        if record.operation_date.is_some_and(|date| date < from) {
            continue;
        }
        let is_new = !known.contains(&record.id.0);
        let status = record.operation_status.as_deref().unwrap_or("succeeded").to_ascii_lowercase();
        // What is still going on will be looked at again; what failed changed nothing.
        if status != "progress" && record.operation_date.is_none_or(|date| date >= late) {
            audited.seen.insert(record.id.0.clone());
        }
        if is_new && status != "failed" {
            count(&record, &mut audited);
        }
    }
    audited
}

fn count(record: &AuditWire, audited: &mut Audited) {
    let resource = record.resource_type.as_deref().unwrap_or_default().to_ascii_lowercase();
    let operation = record.operation_type.as_deref().unwrap_or_default().to_ascii_lowercase();
    audited.touches_account_roles |= resource == "partner_user"
        || matches!(operation.as_str(), "add_user_member" | "remove_user_member");
    audited.touches_delegation |= resource.starts_with("granular_admin");
    let Some(customer) = record.customer() else { return };
    if resource.starts_with("granular_admin") {
        audited.delegation_customers.insert(customer);
        return;
    }
    let fate = match operation.as_str() {
        "remove_partner_customer_relationship" | "delete_customer" | "delete_tip_customer" => {
            Fate::Gone
        }
        _ => Fate::Changed,
    };
    audited.customers.insert(customer, fate);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: u32, customer: u128, resource: &str, operation: &str, status: &str) -> AuditWire {
        let customer = uuid::Uuid::from_u128(customer);
        serde_json::from_value(serde_json::json!({
            "id": id,
            "customerId": customer.to_string(),
            "resourceType": resource,
            "operationType": operation,
            "operationDate": format!("2026-01-15T22:56:{:02}Z", id),
            "operationStatus": status,
        }))
        .unwrap()
    }

    #[test]
    fn the_last_word_about_a_customer_counts() {
        let now: Timestamp = "2026-01-15T23:00:00Z".parse().unwrap();
        let from: Timestamp = "2026-01-15T22:56:02Z".parse().unwrap();
        let told = |records| told(records, &BTreeSet::from(["9".to_owned()]), from, now);
        let audited = told(vec![
            record(3, 1, "customer", "update_customer_billing_profile", "succeeded"),
            record(
                2,
                1,
                "partner_customer_relationship",
                "remove_partner_customer_relationship",
                "succeeded",
            ),
            record(4, 2, "partner_customer_relationship", "extend_relationship", "succeeded"),
            record(
                5,
                2,
                "partner_customer_relationship",
                "remove_partner_customer_relationship",
                "succeeded",
            ),
            record(6, 3, "customer", "add_customer", "failed"),
            record(
                7,
                4,
                "granular_admin_relationship",
                "granular_admin_relationship_approved",
                "succeeded",
            ),
            record(8, 0, "partner_user", "update_partner_user", "progress"),
            record(9, 5, "customer", "add_customer", "succeeded"),
            record(1, 6, "customer", "add_customer", "succeeded"),
        ]);
        let tenant = |n| TenantId(uuid::Uuid::from_u128(n));
        assert_eq!(
            audited.customers,
            BTreeMap::from([(tenant(1), Fate::Changed), (tenant(2), Fate::Gone)])
        );
        assert!(audited.touches_delegation && audited.touches_account_roles);
        assert!(!audited.seen.contains("8"), "what is going on is looked at again");
    }
}

//! What customers do about delegated access: the relationships themselves are Graph's.

use super::act::{Act, ActCustomer, ActError, known_or_new};
use super::graph::gdap::{
    self, Draft, Refusal,
    relationship::{Customer, Relationship, Status},
};
use super::graph::roles::catalogue;
use super::store::{Found, Read, Scan, StoreError, Write};

/// A request that waits for a customer, as a person reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Approval {
    pub id: String,
    pub name: String,
    /// Who is asked; nobody where whoever opens the link may approve.
    pub customer: Option<Asked>,
    pub days: i32,
    pub extends_itself: bool,
    pub roles: Vec<String>,
}

/// A customer as a person knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub name: String,
    pub tenant: String,
}

impl Asked {
    /// It knows its own name, whatever the request calls it.
    fn of(tx: &Read<'_>, customer: Customer) -> Result<Self, StoreError> {
        let Customer { tenant_id: tenant, display_name } = customer;
        let known = tx.get::<super::center::documents::Customer>(&tenant)?;
        let name = known.map(|known| known.document.company_name).or(display_name);
        Ok(Self { name: name.unwrap_or_else(|| tenant.clone()), tenant })
    }
}

impl Approval {
    fn of(tx: &Read<'_>, relationship: Relationship) -> Result<Self, StoreError> {
        let customer = relationship.customer.map(|customer| Asked::of(tx, customer)).transpose()?;
        let named = |id: &String| {
            catalogue::by_id(id).map_or_else(|| id.clone(), |role| role.name.to_owned())
        };
        Ok(Self {
            id: relationship.id,
            name: relationship.display_name,
            customer,
            days: relationship.duration_days,
            extends_itself: relationship.auto_extends,
            roles: relationship.roles.iter().map(named).collect(),
        })
    }
}

impl From<Refusal> for ActError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Store(error) => Self::Store(error),
            other => Self::Refused(other.to_string()),
        }
    }
}

/// What waits, as much as is shown.
pub(crate) fn waiting(tx: &Read<'_>, limit: usize) -> Result<Vec<Approval>, StoreError> {
    let all = gdap::awaiting(tx, limit)?;
    all.into_iter().map(|found| Approval::of(tx, found.document)).collect()
}

/// What a link asks for, while it waits.
pub(crate) fn asked(tx: &Write<'_>, id: &str) -> Result<Option<Approval>, StoreError> {
    gdap::settle_in(tx)?;
    let found = tx.get::<Relationship>(&id.to_lowercase())?;
    let waits = found.filter(|found| found.status == Status::ApprovalPending);
    waits.map(|found| Approval::of(tx, found.document)).transpose()
}

/// A customer answers one request, by its link.
pub(crate) fn answer(
    tx: &Write<'_>,
    act: &Act,
    yes: bool,
    id: &str,
) -> Result<Vec<String>, ActError> {
    gdap::settle_in(tx)?;
    let Some(asked) = tx.get::<Relationship>(&id.to_lowercase())? else {
        return Err(ActError::Refused("there is no such request".to_owned()));
    };
    Ok(vec![answer_one(tx, act, yes, &asked)?])
}

/// Customers answer all that waits of one template.
pub(crate) fn answer_all(
    tx: &Write<'_>,
    act: &Act,
    yes: bool,
    template: &str,
) -> Result<Vec<String>, ActError> {
    gdap::settle_in(tx)?;
    let mut done = Vec::new();
    for asked in of_template(tx, template, Status::ApprovalPending)? {
        if is_meant(tx, act, &asked)? {
            done.push(answer_one(tx, act, yes, &asked)?);
        }
    }
    Ok(done)
}

/// Customers end what they had approved.
pub(crate) fn terminate(tx: &Write<'_>, act: &Act) -> Result<Vec<String>, ActError> {
    gdap::settle_in(tx)?;
    let mut done = Vec::new();
    for template in &act.templates {
        for active in of_template(tx, template, Status::Active)? {
            if is_meant(tx, act, &active)? {
                gdap::terminate_by_customer(tx, &active.id)?;
                done.push(format!("{} was ended", active.display_name));
            }
        }
    }
    for named in &act.customers {
        let customer = known_or_new(tx, named)?;
        for active in tx.with::<Relationship>("customer", &customer.id)? {
            if active.status == Status::Active {
                gdap::terminate_by_customer(tx, &active.id)?;
                done.push(format!("{} was ended", active.display_name));
            }
        }
    }
    if done.is_empty() {
        done.push("no access is active there".to_owned());
    }
    Ok(done)
}

/// The roles that a new customer gives its partner unless it is told not to.
const BY_DEFAULT: [&str; 9] = [
    "Directory Readers",
    "Directory Writers",
    "License Administrator",
    "Service Support Administrator",
    "User Administrator",
    "Privileged Role Administrator",
    "Helpdesk Administrator",
    "Privileged Authentication Administrator",
    "Global Reader",
];
/// What a direct-bill partner or a provider gets besides.
const BY_DEFAULT_TOO: [&str; 2] = ["Cloud Application Administrator", "Application Administrator"];
const DEFAULT_DAYS: i32 = 730;

/// The access that comes with a new customer: active, with no assignments.
pub(crate) fn begin_by_default(
    tx: &Write<'_>,
    customer: &super::center::documents::Customer,
) -> Result<(), StoreError> {
    let names = BY_DEFAULT.iter().chain(&BY_DEFAULT_TOO);
    let all = catalogue::all();
    let roles = names
        .filter_map(|name| all.iter().find(|role| role.name == *name))
        .map(|role| role.id.clone())
        .collect();
    let by = Customer {
        tenant_id: customer.id.clone(),
        display_name: Some(customer.company_name.clone()),
    };
    let draft = Draft {
        display_name: format!("Default_{}", tx.new_secret(16)?),
        duration_days: DEFAULT_DAYS,
        customer: Some(by.clone()),
        roles,
        auto_extends: false,
    };
    match gdap::establish(tx, draft, &by, &[]) {
        Ok(_) => Ok(()),
        Err(Refusal::Store(error)) => Err(error),
        Err(refusal) => {
            tracing::error!(%refusal, "the default relationship");
            Ok(())
        }
    }
}

/// Relationships that were made from a template: `{template}-{hash}-{generation}`.
fn of_template(
    tx: &Read<'_>,
    template: &str,
    status: Status,
) -> Result<Vec<Found<Relationship>>, StoreError> {
    let cut: String = template.chars().take(20).collect::<String>().to_lowercase();
    let mut found = tx.scan::<Relationship>(&Scan::prefix("display-name", &cut))?.items;
    found.retain(|one| {
        let name = one.display_name.to_lowercase();
        let made_from = name.rsplitn(3, '-').nth(2).unwrap_or(&name);
        one.status == status && (name == cut || made_from == cut)
    });
    Ok(found)
}

/// Whether a relationship is with the customer who acts, if one is named.
fn is_meant(tx: &Write<'_>, act: &Act, asked: &Relationship) -> Result<bool, StoreError> {
    let Some(domain) = &act.r#as else { return Ok(true) };
    let who = known_or_new(tx, &acting(act, domain))?;
    Ok(asked
        .customer
        .as_ref()
        .is_none_or(|customer| customer.tenant_id.eq_ignore_ascii_case(&who.id)))
}

fn acting(act: &Act, domain: &str) -> ActCustomer {
    let declared = act.customers.iter().find(|one| one.domain.eq_ignore_ascii_case(domain));
    declared.cloned().unwrap_or_else(|| ActCustomer {
        domain: domain.to_owned(),
        tenant_id: None,
        company_name: None,
        providers: Vec::new(),
    })
}

fn answer_one(
    tx: &Write<'_>,
    act: &Act,
    yes: bool,
    asked: &Relationship,
) -> Result<String, ActError> {
    let by = match (&act.r#as, &asked.customer) {
        (Some(domain), _) => {
            let who = known_or_new(tx, &acting(act, domain))?;
            Customer { tenant_id: who.id, display_name: Some(who.company_name) }
        }
        (None, Some(customer)) => {
            let known = Asked::of(tx, customer.clone())?;
            Customer { tenant_id: known.tenant, display_name: Some(known.name) }
        }
        (None, None) => {
            let why = "the link is not bound to a tenant: say with --as who opens it";
            return Err(ActError::Refused(why.to_owned()));
        }
    };
    if yes {
        gdap::approve(tx, &asked.id, &by)?;
        Ok(format!("{} was approved", asked.display_name))
    } else {
        gdap::decline(tx, &asked.id, &by)?;
        Ok(format!("{} was declined", asked.display_name))
    }
}

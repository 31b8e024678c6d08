//! What other people do: customers, other partners, other administrators.
//!
//! By command over `/_emulator/act`, and from the pages. A link serves whoever opens it; its host is
//! not compared.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::audit::{By, Deed, record};
use super::center::customers::end;
use super::center::documents::{Customer, Partner, Profile, Relationship, Side};
use super::directory::{RoleEligibility, User, group_by_name, user_by_sign_in_name};
use super::store::{StoreError, Write};
use super::tenant::{Tenant, role_assignment_id};

/// What somebody does, and to what.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Act {
    pub r#do: Doing,
    /// An invitation or an approval, as it was sent.
    #[serde(default)]
    pub link: Option<String>,
    /// Who opens the link: a domain.
    #[serde(default)]
    pub r#as: Option<String>,
    /// What may be meant: what a project declares, or one thing of it.
    #[serde(default)]
    pub customers: Vec<ActCustomer>,
    #[serde(default)]
    pub partnerships: Vec<ActPartnership>,
    /// Names of templates of delegated access.
    #[serde(default)]
    pub templates: Vec<String>,
    /// Sign-in names.
    #[serde(default)]
    pub users: Vec<String>,
    /// For whom an administrator or a guest does what no API does.
    #[serde(default)]
    pub people: Vec<ActPerson>,
    /// Names of groups.
    #[serde(default)]
    pub groups: Vec<String>,
    /// The account itself is meant.
    #[serde(default)]
    pub account: bool,
    /// Of an edit.
    #[serde(default)]
    pub path: Option<String>,
    #[serde(default)]
    pub value: Option<String>,
}

impl Act {
    /// A deed that is not about anything yet.
    pub fn doing(doing: Doing) -> Self {
        Self {
            r#do: doing,
            link: None,
            r#as: None,
            customers: Vec::new(),
            partnerships: Vec::new(),
            templates: Vec::new(),
            users: Vec::new(),
            people: Vec::new(),
            groups: Vec::new(),
            account: false,
            path: None,
            value: None,
        }
    }
}

/// The deeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doing {
    Accept,
    Decline,
    EndRelationship,
    TerminateAccess,
    DeleteUser,
    Edit,
}

/// A customer that acts, or is acted on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActCustomer {
    pub domain: String,
    #[serde(default)]
    pub tenant_id: Option<String>,
    #[serde(default)]
    pub company_name: Option<String>,
    /// Tenants of the providers that it should accept together with us.
    #[serde(default)]
    pub providers: Vec<String>,
}

/// A partnership that is accepted or ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActPartnership {
    pub tenant_id: String,
    pub display_name: String,
    #[serde(default)]
    pub partner_id: Option<String>,
    /// They provide, we resell.
    pub is_provider: bool,
    #[serde(default)]
    pub invitation_url: Option<String>,
}

/// A user as declared, as far as only people can make it so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActPerson {
    pub sign_in_name: String,
    pub display_name: String,
    pub email: String,
    /// Somebody of another organization, who is invited and accepts.
    #[serde(default)]
    pub is_guest: bool,
    /// Ids of the roles that they may activate.
    #[serde(default)]
    pub eligible: Vec<String>,
}

/// Why nothing was done.
#[derive(Debug)]
pub(crate) enum ActError {
    /// What was asked for cannot be done: why.
    Refused(String),
    Store(StoreError),
}

impl From<StoreError> for ActError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn refused<T>(why: impl Into<String>) -> Result<T, ActError> {
    Err(ActError::Refused(why.into()))
}

/// What a link asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Link {
    /// A customer to become ours; with the tenants of providers that it accepts with us.
    Reseller { partner: String, providers: Vec<String> },
    /// A customer to let us into its tenant.
    Access { relationship: String },
    /// Whatever else: a partnership's, if anybody's.
    Other,
}

impl Link {
    /// Reads a link; neither host nor case of the members' names matters.
    pub(crate) fn parse(link: &str) -> Self {
        let (before, fragment) = link.split_once('#').unwrap_or((link, ""));
        if let Some((_, id)) = fragment.split_once("granularAdminRelationships/") {
            let id: String =
                id.chars().take_while(|c| c.is_ascii_hexdigit() || *c == '-').collect();
            return Self::Access { relationship: id.to_lowercase() };
        }
        let query = before.split_once('?').map_or("", |(_, query)| query);
        let member = |name: &str| {
            query.split('&').find_map(|pair| {
                let (key, value) = pair.split_once('=')?;
                key.eq_ignore_ascii_case(name).then(|| value.to_lowercase())
            })
        };
        let kind = member("invType").or_else(|| member("type")).unwrap_or_default();
        let partner = member("partnerId").or_else(|| member("id"));
        let providers = member("indirectCSPId").or_else(|| member("indirectCSP"));
        match (kind.as_str(), partner) {
            ("resellerrelationship" | "indirectresellerrelationship", Some(partner)) => {
                Self::Reseller { partner, providers: providers.into_iter().collect() }
            }
            _ => Self::Other,
        }
    }
}

/// Does it, and says what was done, a line for each.
pub(crate) fn act(tx: &Write<'_>, act: &Act) -> Result<Vec<String>, ActError> {
    match act.r#do {
        Doing::Accept | Doing::Decline => answer(tx, act, act.r#do == Doing::Accept),
        Doing::EndRelationship => end_relationship(tx, act),
        Doing::TerminateAccess => super::delegated::terminate(tx, act),
        Doing::DeleteUser => delete_user(tx, act),
        Doing::Edit => edit(tx, act),
    }
}

fn answer(tx: &Write<'_>, act: &Act, yes: bool) -> Result<Vec<String>, ActError> {
    let mut done = match act.link.as_deref().map(Link::parse) {
        Some(Link::Reseller { partner, providers }) => {
            by_invitation(tx, act, yes, &partner, &providers)?
        }
        Some(Link::Access { relationship }) => {
            super::delegated::answer(tx, act, yes, &relationship)?
        }
        Some(Link::Other) => by_offer(tx, act, yes)?,
        None => by_name(tx, act, yes)?,
    };
    if done.is_empty() {
        done.push("nothing waits for that".to_owned());
    }
    Ok(done)
}

/// Customers answer an invitation: those that a project has waiting, or the one that is named.
fn by_invitation(
    tx: &Write<'_>,
    act: &Act,
    yes: bool,
    partner: &str,
    providers: &[String],
) -> Result<Vec<String>, ActError> {
    if Tenant::of(tx)?.id != partner {
        return refused(format!("the invitation is from another partner, {partner}"));
    }
    let waiting = if let Some(domain) = &act.r#as {
        vec![acting(act, domain)]
    } else {
        let mut fitting = act.customers.clone();
        fitting.retain(|customer| is_waiting_for(customer, providers));
        fitting
    };
    if act.r#as.is_none() && act.customers.is_empty() {
        return refused("the link is not bound to a tenant: say with --as who opens it");
    }
    let mut done = Vec::new();
    for customer in waiting {
        done.extend(invited(tx, &customer, yes, providers)?);
    }
    Ok(done)
}

/// Whether an invitation with these providers is the one that a customer waits for.
fn is_waiting_for(customer: &ActCustomer, providers: &[String]) -> bool {
    if providers.is_empty() {
        return customer.providers.is_empty();
    }
    customer
        .providers
        .iter()
        .any(|one| providers.iter().any(|other| other.eq_ignore_ascii_case(one)))
}

/// The customer with a domain, as declared or as far as a domain tells.
fn acting(act: &Act, domain: &str) -> ActCustomer {
    let declared = act.customers.iter().find(|one| one.domain.eq_ignore_ascii_case(domain));
    declared.cloned().unwrap_or_else(|| ActCustomer {
        domain: domain.to_owned(),
        tenant_id: None,
        company_name: None,
        providers: Vec::new(),
    })
}

fn invited(
    tx: &Write<'_>,
    who: &ActCustomer,
    yes: bool,
    providers: &[String],
) -> Result<Option<String>, ActError> {
    let mut customer = known_or_new(tx, who)?;
    let missing: Vec<&String> =
        providers.iter().filter(|provider| !customer.providers.contains(provider)).collect();
    let is_ours = customer.relationship == Relationship::Reseller;
    if is_ours && missing.is_empty() {
        return Ok(None);
    }
    if !yes {
        return Ok(Some(format!("{} declined", who.domain)));
    }
    for provider in providers {
        let partner = tx.get::<Partner>(provider)?;
        if !partner.is_some_and(|partner| partner.is_active && partner.side == Side::Provider) {
            return refused(format!("there is no partnership with the provider {provider}"));
        }
        if !customer.providers.contains(provider) {
            customer.providers.push(provider.clone());
        }
    }
    customer.relationship = Relationship::Reseller;
    tx.put(&customer)?;
    record(
        tx,
        By::Elsewhere,
        &Deed {
            operation: "extend_relationship",
            resource: "partner_customer_relationship",
            customer: Some((&customer.id, &customer.company_name)),
            before: None,
            after: Some(json!({"id": customer.id, "relationshipToPartner": "reseller"})),
        },
    )?;
    Ok(Some(format!("{} accepted the relationship", who.domain)))
}

/// A customer by its tenant or domain; one that nobody knew comes into being, and is nobody's yet.
pub(crate) fn known_or_new(tx: &Write<'_>, who: &ActCustomer) -> Result<Customer, StoreError> {
    let domain = who.domain.to_lowercase();
    let by_id = match &who.tenant_id {
        Some(id) => tx.get::<Customer>(&id.to_lowercase())?,
        None => None,
    };
    if let Some(known) = by_id {
        return Ok(known.document);
    }
    if let Some(known) = tx.find::<Customer>("domain", &domain)? {
        return Ok(known.document);
    }
    let id = match &who.tenant_id {
        Some(id) => id.to_lowercase(),
        None => tx.new_id()?.to_string(),
    };
    let commerce_id = tx.new_id()?.to_string();
    let label = domain.split('.').next().unwrap_or(&domain);
    let name = who.company_name.as_deref().unwrap_or(label);
    let mut customer = Customer::new(&id, &commerce_id, name, &domain);
    customer.relationship = Relationship::None;
    tx.put(&customer)?;
    Ok(customer)
}

/// A partner answers the offer of a partnership, whose link the provider made.
fn by_offer(tx: &Write<'_>, act: &Act, yes: bool) -> Result<Vec<String>, ActError> {
    let wanted = act.link.as_deref().map(without_host);
    let fits = |url: &Option<String>| url.as_deref().map(without_host) == wanted;
    let declared = act.partnerships.iter().filter(|one| fits(&one.invitation_url));
    let mut done = Vec::new();
    for partnership in declared {
        done.extend(partner_with(tx, partnership, yes)?);
    }
    let offered = tx.scan::<Partner>(&super::store::Scan::all("inactive"))?.items;
    for partner in offered.into_iter().filter(|partner| fits(&partner.invitation)) {
        done.extend(partner_with(tx, &offer_of(&partner), yes)?);
    }
    if done.is_empty() && act.partnerships.is_empty() {
        return refused("the link is of no kind that is known here: name what it is for");
    }
    Ok(done)
}

fn offer_of(partner: &Partner) -> ActPartnership {
    ActPartnership {
        tenant_id: partner.id.clone(),
        display_name: partner.name.clone(),
        partner_id: partner.mpn_id.clone(),
        is_provider: partner.side == Side::Provider,
        invitation_url: partner.invitation.clone(),
    }
}

fn without_host(link: &str) -> String {
    let rest = link.split_once("://").map_or(link, |(_, rest)| rest);
    rest.split_once('/').map_or(rest, |(_, path)| path).to_owned()
}

fn partner_with(
    tx: &Write<'_>,
    with: &ActPartnership,
    yes: bool,
) -> Result<Option<String>, StoreError> {
    let id = with.tenant_id.to_lowercase();
    let known = tx.get::<Partner>(&id)?.map(|found| found.document);
    if known.as_ref().is_some_and(|known| known.is_active) {
        return Ok(None);
    }
    if !yes {
        return Ok(Some(format!("the partnership with {} was declined", with.display_name)));
    }
    tx.put(&Partner {
        id: id.clone(),
        name: with.display_name.clone(),
        mpn_id: with.partner_id.clone(),
        location: known.map_or(Tenant::of(tx)?.country, |known| known.location),
        side: if with.is_provider { Side::Provider } else { Side::Reseller },
        is_active: true,
        has_signed: true,
        invitation: with.invitation_url.clone(),
    })?;
    audit_partnership(tx, "create_partner_relationship", &id, &with.display_name)?;
    Ok(Some(format!("the partnership with {} is active", with.display_name)))
}

fn audit_partnership(
    tx: &Write<'_>,
    operation: &str,
    id: &str,
    name: &str,
) -> Result<(), StoreError> {
    record(
        tx,
        By::Elsewhere,
        &Deed {
            operation,
            resource: "partner_relationship",
            customer: None,
            before: None,
            after: Some(json!({"id": id, "name": name})),
        },
    )
}

/// Without a link: everything that is named answers what waits for it.
fn by_name(tx: &Write<'_>, act: &Act, yes: bool) -> Result<Vec<String>, ActError> {
    let mut done = Vec::new();
    for customer in &act.customers {
        done.extend(invited(tx, customer, yes, &customer.providers)?);
    }
    for partnership in &act.partnerships {
        done.extend(partner_with(tx, partnership, yes)?);
    }
    for template in &act.templates {
        done.extend(super::delegated::answer_all(tx, act, yes, template)?);
    }
    for person in &act.people {
        done.extend(helped(tx, person, yes)?);
    }
    Ok(done)
}

/// A guest comes in; an administrator of ours lets somebody activate roles.
fn helped(tx: &Write<'_>, person: &ActPerson, yes: bool) -> Result<Vec<String>, ActError> {
    let name = &person.sign_in_name;
    let mut done = Vec::new();
    let known = user_by_sign_in_name(tx, name)?;
    if known.is_none() && person.is_guest {
        if !yes {
            return Ok(vec![format!("{} declined", person.email)]);
        }
        let mut other = serde_json::Map::new();
        other.insert("mail".to_owned(), person.email.as_str().into());
        other.insert("externalUserState".to_owned(), "Accepted".into());
        tx.put(&User {
            id: tx.new_id()?.to_string(),
            user_principal_name: name.clone(),
            display_name: person.display_name.clone(),
            account_enabled: true,
            user_type: "Guest".to_owned(),
            other,
        })?;
        done.push(format!("{} was invited as a guest, and accepted", person.email));
    }
    let Some(user) = user_by_sign_in_name(tx, name)? else {
        return refused(format!("there is no user {name}"));
    };
    let held = tx.with::<RoleEligibility>("principal", &user.id)?;
    for role in &person.eligible {
        if held.iter().any(|held| held.role_definition_id.eq_ignore_ascii_case(role)) {
            continue;
        }
        if !yes {
            return Ok(vec![format!("{name} was not made eligible")]);
        }
        tx.put(&RoleEligibility {
            id: role_assignment_id(tx)?,
            role_definition_id: role.clone(),
            principal_id: user.id.clone(),
            directory_scope_id: "/".to_owned(),
            other: serde_json::Map::new(),
        })?;
        done.push(format!("{name} may activate the role {role}"));
    }
    Ok(done)
}

fn end_relationship(tx: &Write<'_>, act: &Act) -> Result<Vec<String>, ActError> {
    let mut done = Vec::new();
    for named in &act.customers {
        let mut customer = known_or_new(tx, named)?;
        if customer.relationship == Relationship::None {
            return refused(format!("{} has no relationship", named.domain));
        }
        end(tx, By::Elsewhere, &mut customer)?;
        done.push(format!("{} ended the relationship", named.domain));
    }
    for named in &act.partnerships {
        let partner = tx.get::<Partner>(&named.tenant_id.to_lowercase())?;
        let Some(mut partner) = partner.map(|found| found.document).filter(|one| one.is_active)
        else {
            return refused(format!("there is no partnership with {}", named.display_name));
        };
        partner.is_active = false;
        tx.put(&partner)?;
        audit_partnership(tx, "remove_partner_relationship", &partner.id, &partner.name)?;
        done.push(format!("the partnership with {} is over", partner.name));
    }
    Ok(done)
}

fn delete_user(tx: &Write<'_>, act: &Act) -> Result<Vec<String>, ActError> {
    let mut done = Vec::new();
    for name in &act.users {
        let Some(user) = user_by_sign_in_name(tx, name)? else {
            return refused(format!("there is no user {name}"));
        };
        tx.delete::<User>(&user.id)?;
        done.push(format!("{name} was deleted"));
    }
    Ok(done)
}

/// Somebody edits something elsewhere. Paths are those of manifests.
fn edit(tx: &Write<'_>, act: &Act) -> Result<Vec<String>, ActError> {
    let (Some(path), Some(value)) = (act.path.as_deref(), act.value.as_deref()) else {
        return refused("an edit needs PATH=VALUE");
    };
    let field = path.strip_prefix("spec.").unwrap_or(path);
    let unknown = || ActError::Refused(format!("{path} cannot be edited there"));
    let mut done = Vec::new();
    for name in &act.users {
        let Some(mut user) = user_by_sign_in_name(tx, name)?.map(|found| found.document) else {
            return refused(format!("there is no user {name}"));
        };
        match field {
            "displayName" => value.clone_into(&mut user.display_name),
            "enabled" => user.account_enabled = value == "true",
            "signInName" => value.clone_into(&mut user.user_principal_name),
            "email" => drop(user.other.insert("mail".to_owned(), value.into())),
            "givenName" | "surname" | "jobTitle" | "department" | "mobilePhone"
            | "preferredLanguage" | "usageLocation" => {
                user.other.insert(field.to_owned(), value.into());
            }
            _ => return Err(unknown()),
        }
        tx.put(&user)?;
        done.push(format!("user {name}: {field} is {value}"));
    }
    for name in &act.groups {
        let Some(mut group) = group_by_name(tx, name)?.map(|found| found.document) else {
            return refused(format!("there is no group {name}"));
        };
        match field {
            "group.name" => value.clone_into(&mut group.display_name),
            "group.mailNickname" => value.clone_into(&mut group.mail_nickname),
            "description" => drop(group.other.insert("description".to_owned(), value.into())),
            _ => return Err(unknown()),
        }
        tx.put(&group)?;
        done.push(format!("group {name}: {field} is {value}"));
    }
    for named in &act.customers {
        let mut customer = known_or_new(tx, named)?;
        match field {
            "companyName" => value.clone_into(&mut customer.company_name),
            "domain" => value.clone_into(&mut customer.domain),
            "contact.email" => customer.email = Some(value.to_owned()),
            _ => return Err(unknown()),
        }
        tx.put(&customer)?;
        done.push(format!("customer {}: {field} is {value}", named.domain));
    }
    if act.account {
        edit_account(tx, field, value)?.then_some(()).ok_or_else(unknown)?;
        done.push(format!("account: {field} is {value}"));
    }
    Ok(done)
}

/// Changes a field of one of our profiles; tells whether there is such a field.
fn edit_account(tx: &Write<'_>, field: &str, value: &str) -> Result<bool, StoreError> {
    const FIELDS: [(&str, &str, &str); 15] = [
        ("legal.companyName", "legalbusiness", "/companyName"),
        ("legal.address.line1", "legalbusiness", "/address/addressLine1"),
        ("legal.address.city", "legalbusiness", "/address/city"),
        ("legal.address.postalCode", "legalbusiness", "/address/postalCode"),
        ("legal.address.country", "legalbusiness", "/address/country"),
        ("legal.primaryContact.firstName", "legalbusiness", "/primaryContact/firstName"),
        ("legal.primaryContact.lastName", "legalbusiness", "/primaryContact/lastName"),
        ("legal.primaryContact.email", "legalbusiness", "/primaryContact/email"),
        ("legal.primaryContact.phone", "legalbusiness", "/primaryContact/phoneNumber"),
        ("support.email", "support", "/email"),
        ("support.phone", "support", "/telephone"),
        ("support.website", "support", "/website"),
        ("billing.currency", "billing", "/billingCurrency"),
        ("billing.taxId", "billing", "/taxId"),
        ("billing.purchaseOrderNumber", "billing", "/purchaseOrderNumber"),
    ];
    let Some((_, id, pointer)) = FIELDS.iter().find(|(name, _, _)| *name == field) else {
        return Ok(false);
    };
    let mut profile = tx.get::<Profile>(id)?.ok_or(StoreError::Missing("profile"))?.document;
    let mut body = Value::Object(profile.body);
    let Some(place) = body.pointer_mut(pointer) else { return Ok(false) };
    *place = value.into();
    let Value::Object(body) = body else { return Ok(false) };
    profile.body = body;
    tx.put(&profile)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_whatever_their_age_and_host() {
        let ours = "3b33e682-00c3-41ee-9dd2-a548adf56438";
        let provider = "0e195b37-4574-4539-bc42-0e539b9684c0";
        let reseller = |providers: &[&str]| Link::Reseller {
            partner: ours.to_owned(),
            providers: providers.iter().map(|id| (*id).to_owned()).collect(),
        };
        for (link, expected) in [
            (format!("https://admin.microsoft.com/Adminportal/Home?invType=ResellerRelationship&partnerId={ours}&msppId=0&DAP=false#/BillingAccounts/partner-invitation"), reseller(&[])),
            (format!("http://127.0.0.1:8080/AdminPortal/Home?INVTYPE=ResellerRelationship&PartnerId={ours}&DAP=true#/partners/invitation"), reseller(&[])),
            (format!("https://portal.office.com/partner/partnersignup.aspx?type=ResellerRelationship&id={ours}&csp=1&msppid=0"), reseller(&[])),
            (format!("https://admin.microsoft.com/Adminportal/Home?invType=IndirectResellerRelationship&partnerId={ours}&msppId=4847383&indirectCSPId={provider}&DAP=false#/x"), reseller(&[provider])),
            ("https://admin.microsoft.com/AdminPortal/Home#/partners/invitation/granularAdminRelationships/5d027261-d21f-4aa9-b7db-7fa1f56fb163-8777b240-c6f0-4469-9e98-a3205431b836".to_owned(), Link::Access { relationship: "5d027261-d21f-4aa9-b7db-7fa1f56fb163-8777b240-c6f0-4469-9e98-a3205431b836".to_owned() }),
            ("https://partner.microsoft.com/offer/7".to_owned(), Link::Other),
        ] {
            assert_eq!(Link::parse(&link), expected, "{link}");
        }
    }
}

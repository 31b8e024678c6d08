//! An estate becomes the live tenant, as if it had been applied long ago.
//!
//! The one place where the emulator sees the model: everything else knows the wire alone.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::center::documents::{
    Customer, Partner, Qualification, Relationship, Role, RoleMember, Side,
};
use super::directory::{
    ADMIN_AGENTS, BILLING_ADMINISTRATOR, GLOBAL_ADMINISTRATOR, Group, HELPDESK_AGENTS, Member,
    RoleAssignment, RoleEligibility, SALES_AGENTS, Sort, USER_ADMINISTRATOR, User, group_by_name,
};
use super::graph::gdap::{self, Draft, Refusal, relationship};
use super::store::{Scan, StoreError, Write};
use super::tenant::{self, Program, Tenant};
use super::{Emulator, center};
use crate::model::account::{self, Account};
use crate::model::contact::{Address, Person, Phone};
use crate::model::country::{CountryCode, Language};
use crate::model::customer;
use crate::model::delegated_access::AutoExtend;
use crate::model::estate::{CustomerIndex, Declared, Estate};
use crate::model::partnership::{self, PartnershipState, With};
use crate::model::role;
use crate::model::text::Title;
use crate::model::user::{self, AdminLevel, AgentLevel, Holding, RoleGrant};

impl Emulator {
    /// The tenant of an account with nothing in it but what every tenant has. Whatever was there is
    /// gone; credentials from before hold.
    pub fn begin(&self, account: &Account) -> Result<(), StoreError> {
        self.world.store().write(|tx| begin(tx, account))
    }

    /// An estate as the live tenant. Whatever was there is gone; credentials from before hold.
    pub fn seed(&self, estate: &Estate) -> Result<(), StoreError> {
        self.world.store().write(|tx| {
            match &estate.account {
                Some(account) => begin(tx, &account.spec)?,
                None => tenant::begin_again(tx, &Tenant::of(tx)?)?,
            }
            Seeding { tx, estate, groups: BTreeMap::new(), customers: BTreeMap::new() }.all()
        })
    }
}

fn begin(tx: &Write<'_>, account: &Account) -> Result<(), StoreError> {
    let former = Tenant::of(tx)?;
    let domains: Vec<String> =
        account.domains.iter().map(|domain| domain.as_str().to_lowercase()).collect();
    let initial = domains.iter().position(|domain| domain.ends_with(".onmicrosoft.com"));
    let initial = match initial {
        Some(at) => domains.get(at).cloned(),
        // Every tenant has one, and few list it.
        None => domains.first().map(|domain| {
            let label: String = domain
                .chars()
                .take_while(|c| *c != '.')
                .filter(char::is_ascii_alphanumeric)
                .collect();
            format!("{label}.onmicrosoft.com")
        }),
    };
    let mut all: Vec<String> = initial.into_iter().collect();
    for domain in domains {
        if !all.contains(&domain) {
            all.push(domain);
        }
    }
    let tenant = Tenant {
        id: former.id,
        company_name: account.legal.company_name.as_str().to_owned(),
        domains: all,
        program: match account.program {
            account::Program::DirectBill => Program::DirectBill,
            account::Program::IndirectProvider => Program::IndirectProvider,
            account::Program::IndirectReseller => Program::IndirectReseller,
        },
        country: account.country.as_str().to_owned(),
        mpn_id: account.partner_id.as_str().to_owned(),
    };
    tenant::begin_again(tx, &tenant)?;
    profiles(tx, &tenant, account)
}

fn profiles(tx: &Write<'_>, tenant: &Tenant, account: &Account) -> Result<(), StoreError> {
    let legal = &account.legal;
    let contact = &legal.primary_contact;
    let place = address(&legal.address);
    let with_contact = |mut place: Map<String, Value>| {
        place.insert("firstName".to_owned(), contact.first_name.as_str().into());
        place.insert("lastName".to_owned(), contact.last_name.as_str().into());
        if let Some(phone) = &contact.phone {
            place.insert("phoneNumber".to_owned(), phone.as_str().into());
        }
        place
    };
    let keep = |id: &str, body: Value| match body {
        Value::Object(body) => center::put_profile(tx, id, body),
        _ => Ok(()),
    };
    keep(
        "organization",
        json!({
            "id": tenant.id,
            "companyName": legal.company_name.as_str(),
            "defaultAddress": with_contact(place.clone()),
            "tenantId": tenant.id,
            "domain": tenant.domain(),
            "email": contact.email.as_str(),
            "language": "en",
            "culture": "en-US",
        }),
    )?;
    keep(
        "legalbusiness",
        json!({
            "companyName": legal.company_name.as_str(),
            "address": with_contact(place.clone()),
            "primaryContact": person(contact),
            "companyApproverAddress": place,
            "companyApproverEmail": contact.email.as_str(),
            "vettingStatus": "authorized",
            "vettingSubStatus": "none",
        }),
    )?;
    let billing = account.billing.as_ref();
    let billing_place = billing.and_then(|billing| billing.address.as_ref()).map(address);
    let billing_contact = billing.and_then(|billing| billing.primary_contact.as_ref());
    let name = billing.and_then(|billing| billing.company_name.as_ref());
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    keep(
        "billing",
        json!({
            "companyName": name.unwrap_or(&legal.company_name).as_str(),
            "address": billing_place.unwrap_or(place),
            "primaryContact": person(billing_contact.unwrap_or(contact)),
            "purchaseOrderNumber":
                text(billing.and_then(|billing| Some(billing.purchase_order_number.as_ref()?.as_str()))),
            "taxId": text(billing.and_then(|billing| Some(billing.tax_id.as_ref()?.as_str()))),
            "billingCurrency":
                billing.and_then(|billing| Some(billing.currency.as_ref()?.as_str())).unwrap_or("USD"),
        }),
    )?;
    let support = account.support.as_ref();
    keep(
        "support",
        json!({
            "email": text(support.and_then(|support| Some(support.email.as_ref()?.as_str()))),
            "telephone": text(support.and_then(|support| Some(support.phone.as_ref()?.as_str()))),
            "website": text(support.and_then(|support| Some(support.website.as_ref()?.as_str()))),
        }),
    )
}

fn address(address: &Address) -> Map<String, Value> {
    let Address { line1, line2, line3, city, state, postal_code, country } = address;
    let mut written = Map::new();
    written.insert("country".to_owned(), country.as_str().into());
    written.insert("city".to_owned(), city.as_str().into());
    written.insert("addressLine1".to_owned(), line1.as_str().into());
    let optional = [
        ("state", state),
        ("addressLine2", line2),
        ("addressLine3", line3),
        ("postalCode", postal_code),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            written.insert(name.to_owned(), value.as_str().into());
        }
    }
    written
}

fn person(person: &Person) -> Value {
    let mut written = json!({
        "firstName": person.first_name.as_str(),
        "lastName": person.last_name.as_str(),
        "email": person.email.as_str(),
    });
    if let (Some(phone), Some(written)) = (&person.phone, written.as_object_mut()) {
        written.insert("phoneNumber".to_owned(), phone.as_str().into());
    }
    written
}

/// What an estate is made into, part by part.
struct Seeding<'a, 'tx> {
    tx: &'a Write<'tx>,
    estate: &'a Estate,
    /// The group of each role, by the role's name.
    groups: BTreeMap<String, String>,
    /// The tenant of each customer, by the customer's name.
    customers: BTreeMap<String, relationship::Customer>,
}

/// Tells a template's relationships apart.
fn mark(template: &str, tenant: &str) -> String {
    let digest = Sha256::digest(format!("{template} {tenant}"));
    let number = digest.iter().take(6).fold(0u64, |number, byte| (number << 8) | u64::from(*byte));
    format!("{number:012x}")
}

impl Seeding<'_, '_> {
    fn all(mut self) -> Result<(), StoreError> {
        for (name, role) in &self.estate.roles {
            self.role(name.as_str(), &role.spec)?;
        }
        for user in self.estate.users.values() {
            self.user(&user.spec)?;
        }
        for partnership in self.estate.partnerships.values() {
            self.partnership(partnership)?;
        }
        for (name, customer) in &self.estate.customers {
            let made = self.customer(customer)?;
            self.customers.insert(name.as_str().to_owned(), made);
        }
        self.access()
    }

    /// One relationship for each customer that a template selects, active, under the name that the
    /// template gives it.
    fn access(&self) -> Result<(), StoreError> {
        let index = CustomerIndex::of(self.estate, |_| true);
        for (template, declared) in &self.estate.delegated_access {
            let access = &declared.spec;
            let assignments: Vec<(String, Vec<String>)> = access
                .grants
                .iter()
                .filter_map(|grant| {
                    let group = self.groups.get(grant.to.as_str())?.clone();
                    let roles = grant.directory_roles.iter();
                    Some((group, roles.map(|role| role.0.0.to_string()).collect()))
                })
                .collect();
            let mut roles: Vec<String> =
                assignments.iter().flat_map(|(_, roles)| roles.clone()).collect();
            roles.sort();
            roles.dedup();
            let cut: String = template.as_str().chars().take(20).collect();
            for (name, _) in index.selected(&access.customers) {
                let Some(customer) = self.customers.get(name.as_str()) else { continue };
                let draft = Draft {
                    display_name: format!(
                        "{cut}-{}-1",
                        mark(template.as_str(), &customer.tenant_id)
                    ),
                    duration_days: i32::try_from(access.duration.0).unwrap_or(i32::MAX),
                    customer: Some(customer.clone()),
                    roles: roles.clone(),
                    auto_extends: access.auto_extend == AutoExtend::HalfYear,
                };
                match gdap::establish(self.tx, draft, customer, &assignments) {
                    Ok(_) => {}
                    Err(Refusal::Store(error)) => return Err(error),
                    // An estate without findings has nothing that is refused, but roles that carry
                    // no group: what cannot be live is left out, as if somebody had yet to do it.
                    Err(refusal) => {
                        tracing::warn!(%refusal, template = template.as_str(), "not seeded");
                    }
                }
            }
        }
        Ok(())
    }

    fn role(&mut self, name: &str, role: &role::Role) -> Result<(), StoreError> {
        let (id, title, nickname) = match &role.group {
            None => return Ok(()),
            Some(role::Group::Existing(id)) => (id.0.to_string(), name.to_owned(), name.to_owned()),
            Some(role::Group::Named { name: title, mail_nickname }) => (
                self.tx.new_id()?.to_string(),
                title.as_str().to_owned(),
                mail_nickname.as_ref().map_or(name, |nickname| nickname.as_str()).to_owned(),
            ),
        };
        let mut other = Map::new();
        if let Some(description) = &role.description {
            other.insert("description".to_owned(), description.as_str().into());
        }
        self.tx.put(&Group {
            id: id.clone(),
            display_name: title,
            mail_nickname: nickname,
            mail_enabled: false,
            security_enabled: true,
            group_types: Vec::new(),
            other,
        })?;
        self.groups.insert(name.to_owned(), id);
        Ok(())
    }

    fn user(&self, user: &user::User) -> Result<(), StoreError> {
        let sign_in_name =
            user.sign_in_name.as_ref().map_or(user.email.as_str(), |name| name.as_str());
        let alias = sign_in_name.split('@').next().unwrap_or_default();
        let mut other = Map::new();
        let nickname: String =
            alias.chars().filter(|c| c.is_ascii_alphanumeric() || ".-_".contains(*c)).collect();
        other.insert("mailNickname".to_owned(), nickname.into());
        other.insert("mail".to_owned(), user.email.as_str().into());
        let mut set = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                other.insert(name.to_owned(), value.into());
            }
        };
        set("givenName", user.given_name.as_ref().map(Title::as_str));
        set("surname", user.surname.as_ref().map(Title::as_str));
        set("jobTitle", user.job_title.as_ref().map(Title::as_str));
        set("department", user.department.as_ref().map(Title::as_str));
        set("mobilePhone", user.mobile_phone.as_ref().map(Phone::as_str));
        set("preferredLanguage", user.preferred_language.as_ref().map(Language::as_str));
        set("usageLocation", user.usage_location.as_ref().map(CountryCode::as_str));
        let made = User {
            id: self.tx.new_id()?.to_string(),
            user_principal_name: sign_in_name.to_owned(),
            display_name: user.display_name.as_str().to_owned(),
            account_enabled: user.enabled,
            user_type: if user.is_guest() { "Guest" } else { "Member" }.to_owned(),
            other,
        };
        self.tx.put(&made)?;
        for level in &user.agent {
            let name = match level {
                AgentLevel::Admin => ADMIN_AGENTS,
                AgentLevel::Helpdesk => HELPDESK_AGENTS,
                AgentLevel::Sales => SALES_AGENTS,
            };
            if let Some(group) = group_by_name(self.tx, name)? {
                self.tx.put(&Member::new(&group.id, &made.id, Sort::User))?;
            }
        }
        for (level, holding) in &user.admin {
            self.admin(&made, *level, *holding)?;
        }
        for grant in user.roles.iter().flatten() {
            self.grant(&made, grant)?;
        }
        Ok(())
    }

    fn admin(&self, user: &User, level: AdminLevel, holding: Holding) -> Result<(), StoreError> {
        let role_definition_id = role_of(level).to_owned();
        let id = tenant::role_assignment_id(self.tx)?;
        let principal_id = user.id.clone();
        let directory_scope_id = "/".to_owned();
        match holding {
            Holding::Active => self.tx.put(&RoleAssignment {
                id,
                role_definition_id,
                principal_id,
                directory_scope_id,
            })?,
            Holding::Eligible => self.tx.put(&RoleEligibility {
                id,
                role_definition_id,
                principal_id,
                directory_scope_id,
                other: Map::new(),
            })?,
        };
        Ok(())
    }

    fn grant(&self, user: &User, grant: &RoleGrant) -> Result<(), StoreError> {
        let (word, locations) = match grant {
            RoleGrant::Custom(role) => {
                if let Some(group) = self.groups.get(role.as_str()) {
                    self.tx.put(&Member::new(group, &user.id, Sort::User))?;
                }
                return Ok(());
            }
            RoleGrant::Account { role, locations } => (role.word(), locations),
            RoleGrant::Unrecognised { role, locations } => (role.as_str(), locations),
        };
        let folded = |name: &str| name.to_lowercase().replace([' ', '-'], "");
        let roles = self.tx.scan::<Role>(&Scan::all("name"))?.items;
        let Some(role) = roles.iter().find(|role| folded(&role.name) == folded(word)) else {
            return Ok(());
        };
        let mut accounts: Vec<String> =
            locations.iter().map(|location| location.as_str().to_owned()).collect();
        if accounts.is_empty() {
            accounts.push(Tenant::of(self.tx)?.id);
        }
        for account in accounts {
            self.tx.put(&RoleMember {
                id: RoleMember::id_of(&role.id, &user.id, &account),
                role: role.id.clone(),
                user: user.id.clone(),
                account,
                display_name: user.display_name.clone(),
                user_principal_name: user.user_principal_name.clone(),
            })?;
        }
        Ok(())
    }

    fn partnership(&self, declared: &Declared<partnership::Partnership>) -> Result<(), StoreError> {
        let partnership = &declared.spec;
        self.tx.put(&Partner {
            id: partnership.tenant_id.0.to_string(),
            name: partnership.display_name.as_str().to_owned(),
            mpn_id: partnership.partner_id.as_ref().map(|id| id.as_str().to_owned()),
            location: Tenant::of(self.tx)?.country,
            side: match partnership.with {
                With::IndirectProvider => Side::Provider,
                With::IndirectReseller => Side::Reseller,
            },
            is_active: partnership.state == PartnershipState::Active,
            has_signed: true,
            invitation: partnership.invitation_url.as_ref().map(|url| url.as_str().to_owned()),
        })?;
        Ok(())
    }

    fn customer(
        &self,
        declared: &Declared<customer::Customer>,
    ) -> Result<relationship::Customer, StoreError> {
        let customer = &declared.spec;
        let id = match &customer.tenant_id {
            Some(id) => id.0.to_string(),
            None => self.tx.new_id()?.to_string(),
        };
        let commerce_id = self.tx.new_id()?.to_string();
        let name = customer.company_name.as_str();
        let mut made = Customer::new(&id, &commerce_id, name, customer.domain.as_str());
        made.relationship = match customer.relationship {
            customer::Relationship::Reseller => Relationship::Reseller,
            customer::Relationship::None => Relationship::None,
        };
        let tenant_of = |key: &crate::model::name::PartnershipKey| {
            let partnership = self.estate.partnerships.get(key)?;
            Some(partnership.spec.tenant_id.0.to_string())
        };
        made.reseller = customer.reseller.as_ref().and_then(tenant_of);
        made.providers = customer.partnerships.iter().flatten().filter_map(tenant_of).collect();
        made.email = customer.contact.as_ref().map(|contact| contact.email.as_str().to_owned());
        made.organization_registration_number = customer
            .organization_registration_number
            .as_ref()
            .map(|number| number.as_str().to_owned());
        let place = customer.billing.as_ref().and_then(|billing| billing.address.as_ref());
        made.address = place.map(address).unwrap_or_default();
        made.billing = self.billing(customer, &made)?;
        if let Some(qualification) = customer.qualification {
            let word = match qualification {
                customer::Qualification::None => None,
                customer::Qualification::Education => Some("Education"),
                customer::Qualification::GovernmentCommunityCloud => {
                    Some("GovernmentCommunityCloud")
                }
                customer::Qualification::StateOwnedEntity => Some("StateOwnedEntity"),
            };
            made.qualifications.extend(word.map(|word| Qualification {
                qualification: word.to_owned(),
                asked_at: jiff::Timestamp::UNIX_EPOCH,
                details: Map::new(),
            }));
        }
        self.tx.put(&made)?;
        Ok(relationship::Customer { tenant_id: made.id, display_name: Some(made.company_name) })
    }

    fn billing(
        &self,
        customer: &customer::Customer,
        made: &Customer,
    ) -> Result<Map<String, Value>, StoreError> {
        let language = customer.contact.as_ref().and_then(|contact| contact.language.as_ref());
        let mut billing = Map::new();
        billing.insert("id".to_owned(), self.tx.new_id()?.to_string().into());
        if let Some(email) = &made.email {
            billing.insert("email".to_owned(), email.as_str().into());
        }
        billing.insert("culture".to_owned(), "en-US".into());
        billing.insert("language".to_owned(), language.map_or("en", |one| one.as_str()).into());
        billing.insert("companyName".to_owned(), made.company_name.as_str().into());
        billing.insert("defaultAddress".to_owned(), Value::Object(made.address.clone()));
        Ok(billing)
    }
}

/// The directory's role of an admin level.
pub fn role_of(level: AdminLevel) -> &'static str {
    match level {
        AdminLevel::Global => GLOBAL_ADMINISTRATOR,
        AdminLevel::UserManagement => USER_ADMINISTRATOR,
        AdminLevel::Billing => BILLING_ADMINISTRATOR,
    }
}

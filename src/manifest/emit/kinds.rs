//! The `spec` of each kind. Structures are taken apart whole: a new field must be written, or left
//! out on purpose.

use serde_json::{Value, json};

use super::Written;
use crate::model::account::{Account, Billing, BusinessProfile, Catalog, Legal, Support};
use crate::model::cloud::Cloud;
use crate::model::contact::{Address, Email, Person, Phone, SignInName, Url};
use crate::model::country::{CountryCode, CurrencyCode, Language};
use crate::model::customer::{
    Channel, Contact, Customer, CustomerBilling, EducationSegment, Origin, Qualification,
    QualificationDetails, Relationship,
};
use crate::model::delegated_access::{AutoExtend, DelegatedAccess, Grant, RENEW_BEFORE, Replace};
use crate::model::id::PartnerId;
use crate::model::label::Selector;
use crate::model::name::PartnershipKey;
use crate::model::partnership::{Partnership, PartnershipState};
use crate::model::role::{Group, MailNickname, Membership, Permission, Role};
use crate::model::text::{Remark, Title};
use crate::model::user::{Holding, RoleGrant, User, UserType};

pub fn account(account: &Account) -> Value {
    let Account {
        program,
        cloud,
        country,
        domains,
        partner_id,
        legal,
        support,
        billing,
        tax_exemptions,
        business_profile,
        catalog,
        agent_membership,
    } = account;
    let Legal { company_name, address, primary_contact } = legal;
    let mut written = Written::default();
    written.put("program", program.word());
    if *cloud != Cloud::Global {
        written.put("cloud", cloud.word());
    }
    written.put("country", country.as_str());
    written.list("domains", domains.iter().map(|domain| domain.as_str().into()));
    written.put("partnerId", partner_id.as_str());
    written.put(
        "legal",
        json!({
            "companyName": company_name.as_str(),
            "address": place(address),
            "primaryContact": person(primary_contact),
        }),
    );
    if let Some(Support { email, phone, website }) = support {
        let mut support = Written::default();
        support.text("email", email.as_ref().map(Email::as_str));
        support.text("phone", phone.as_ref().map(Phone::as_str));
        support.text("website", website.as_ref().map(Url::as_str));
        written.some("support", support.into());
    }
    if let Some(billing) = billing {
        written.some("billing", account_billing(billing));
    }
    // An empty list says that there are none.
    if let Some(exemptions) = tax_exemptions {
        written.put("taxExemptions", titles(exemptions));
    }
    if let Some(BusinessProfile { summary, industries, languages }) = business_profile {
        let mut profile = Written::default();
        profile.text("summary", summary.as_ref().map(Remark::as_str));
        if let Some(industries) = industries {
            profile.put("industries", titles(industries));
        }
        if let Some(languages) = languages {
            let languages: Vec<Value> = languages.iter().map(|one| one.as_str().into()).collect();
            profile.put("languages", languages);
        }
        written.some("businessProfile", profile.into());
    }
    if let Some(Catalog { featured }) = catalog {
        written.put("catalog", json!({"featured": titles(featured)}));
    }
    if *agent_membership != Membership::Additive {
        written.put("agentMembership", agent_membership.word());
    }
    written.into()
}

fn titles(titles: &[Title]) -> Value {
    titles.iter().map(Title::as_str).collect()
}

fn account_billing(billing: &Billing) -> Value {
    let Billing { currency, tax_id, purchase_order_number, company_name, address, primary_contact } =
        billing;
    let mut written = Written::default();
    written.text("currency", currency.as_ref().map(CurrencyCode::as_str));
    written.text("taxId", tax_id.as_ref().map(Title::as_str));
    written.text("purchaseOrderNumber", purchase_order_number.as_ref().map(Title::as_str));
    written.text("companyName", company_name.as_ref().map(Title::as_str));
    if let Some(address) = address {
        written.put("address", place(address));
    }
    if let Some(contact) = primary_contact {
        written.put("primaryContact", person(contact));
    }
    written.into()
}

fn place(address: &Address) -> Value {
    let Address { line1, line2, line3, city, state, postal_code, country } = address;
    let mut written = Written::default();
    written.put("line1", line1.as_str());
    written.text("line2", line2.as_ref().map(Title::as_str));
    written.text("line3", line3.as_ref().map(Title::as_str));
    written.put("city", city.as_str());
    written.text("state", state.as_ref().map(Title::as_str));
    written.text("postalCode", postal_code.as_ref().map(Title::as_str));
    written.put("country", country.as_str());
    written.into()
}

fn person(person: &Person) -> Value {
    let Person { first_name, last_name, email, phone } = person;
    let mut written = Written::default();
    written.put("firstName", first_name.as_str());
    written.put("lastName", last_name.as_str());
    written.put("email", email.as_str());
    written.text("phone", phone.as_ref().map(Phone::as_str));
    written.into()
}

pub fn user(user: &User) -> Value {
    let User {
        display_name,
        email,
        sign_in_name,
        agent,
        admin,
        roles,
        enabled,
        usage_location,
        user_type,
        given_name,
        surname,
        job_title,
        department,
        mobile_phone,
        preferred_language,
    } = user;
    let mut written = Written::default();
    written.put("displayName", display_name.as_str());
    written.put("email", email.as_str());
    written.text("signInName", sign_in_name.as_ref().map(SignInName::as_str));
    written.put("agent", levels(agent.iter().map(|level| level.word().into())));
    let admin = admin.iter().map(|(level, holding)| match holding {
        Holding::Active => level.word().into(),
        Holding::Eligible => json!({level.word(): holding.word()}),
    });
    written.put("admin", levels(admin));
    if let Some(roles) = roles {
        written.put("roles", roles.iter().map(grant).collect::<Vec<_>>());
    }
    if !enabled {
        written.put("enabled", false);
    }
    written.text("usageLocation", usage_location.as_ref().map(CountryCode::as_str));
    written.text("userType", user_type.map(UserType::word));
    written.text("givenName", given_name.as_ref().map(Title::as_str));
    written.text("surname", surname.as_ref().map(Title::as_str));
    written.text("jobTitle", job_title.as_ref().map(Title::as_str));
    written.text("department", department.as_ref().map(Title::as_str));
    written.text("mobilePhone", mobile_phone.as_ref().map(Phone::as_str));
    written.text("preferredLanguage", preferred_language.as_ref().map(Language::as_str));
    written.into()
}

/// `none`, one, or a list.
fn levels(levels: impl Iterator<Item = Value>) -> Value {
    let mut levels: Vec<Value> = levels.collect();
    match (levels.pop(), levels.is_empty()) {
        (None, _) => "none".into(),
        (Some(only), true) => only,
        (Some(last), false) => {
            levels.push(last);
            levels.into()
        }
    }
}

fn grant(grant: &RoleGrant) -> Value {
    let located = |role: &str, locations: &[Title]| {
        let mut written = Written::default();
        written.put("role", role);
        written.list("locations", locations.iter().map(|one| one.as_str().into()));
        Value::from(written)
    };
    match grant {
        RoleGrant::Custom(key) => key.as_str().into(),
        RoleGrant::Account { role, locations } if locations.is_empty() => role.word().into(),
        RoleGrant::Account { role, locations } => located(role.word(), locations),
        // Alone, it would be a custom role's name.
        RoleGrant::Unrecognised { role, locations } => located(role, locations),
    }
}

pub fn role(role: &Role) -> Value {
    let Role { description, group, membership, includes, permissions } = role;
    let mut written = Written::default();
    written.text("description", description.as_ref().map(Remark::as_str));
    match group {
        Some(Group::Named { name, mail_nickname: None }) => written.put("group", name.as_str()),
        Some(Group::Named { name, mail_nickname }) => {
            let mut group = Written::default();
            group.put("name", name.as_str());
            group.text("mailNickname", mail_nickname.as_ref().map(MailNickname::as_str));
            written.put("group", group);
        }
        Some(Group::Existing(id)) => written.put("group", json!({"id": id.to_string()})),
        None => {}
    }
    if *membership != Membership::Additive {
        written.put("membership", membership.word());
    }
    written.list("includes", includes.iter().map(|key| key.as_str().into()));
    written.list("permissions", permissions.iter().map(permission));
    written.into()
}

fn permission(permission: &Permission) -> Value {
    let Permission { allow, customers } = permission;
    let mut written = Written::default();
    written.list("allow", allow.iter().map(|action| action.word().into()));
    if let Some(customers) = customers {
        written.put("customers", selector(customers));
    }
    written.into()
}

fn selector(selector: &Selector) -> Value {
    let Selector { labels, any_of, none_of, exists, names, except, all } = selector;
    let mut written = Written::default();
    let labels = labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    written.texts("labels", labels);
    for (key, choices) in [("in", any_of), ("notIn", none_of)] {
        let mut lists = Written::default();
        for (key, values) in choices {
            lists.list(key.as_str(), values.iter().map(|value| value.as_str().into()));
        }
        written.some(key, lists.into());
    }
    written.list("exists", exists.iter().map(|key| key.as_str().into()));
    written.list("names", names.iter().map(|name| name.as_str().into()));
    written.list("except", except.iter().map(|name| name.as_str().into()));
    if *all {
        written.put("all", true);
    }
    written.into()
}

pub fn delegated_access(access: &DelegatedAccess) -> Value {
    let DelegatedAccess { customers, duration, auto_extend, renew_before, replace, grants } =
        access;
    let mut written = Written::default();
    written.put("customers", selector(customers));
    written.put("duration", duration.to_string());
    if *auto_extend != AutoExtend::None {
        written.put("autoExtend", auto_extend.word());
    }
    if *renew_before != RENEW_BEFORE {
        written.put("renewBefore", renew_before.to_string());
    }
    if *replace != Replace::AtRenewal {
        written.put("replace", replace.word());
    }
    written.list(
        "grants",
        grants.iter().map(|Grant { to, directory_roles }| {
            let mut grant = Written::default();
            grant.put("to", to.as_str());
            let roles = directory_roles.iter().map(|role| role.to_string().into());
            grant.list("directoryRoles", roles);
            grant.into()
        }),
    );
    written.into()
}

pub fn partnership(partnership: &Partnership) -> Value {
    let Partnership {
        with,
        display_name,
        tenant_id,
        partner_id,
        state,
        invitation_url,
        acknowledge,
    } = partnership;
    let mut written = Written::default();
    written.put("with", with.word());
    written.put("displayName", display_name.as_str());
    written.put("tenantId", tenant_id.to_string());
    written.text("partnerId", partner_id.as_ref().map(PartnerId::as_str));
    if *state != PartnershipState::Active {
        written.put("state", state.word());
    }
    written.text("invitationUrl", invitation_url.as_ref().map(Url::as_str));
    written.list("acknowledge", acknowledge.iter().map(|one| one.word().into()));
    written.into()
}

pub fn customer(customer: &Customer) -> Value {
    let Customer {
        company_name,
        domain,
        tenant_id,
        relationship,
        origin,
        partnerships,
        reseller,
        channel,
        contact,
        billing,
        qualification,
        qualification_details,
        organization_registration_number,
    } = customer;
    let mut written = Written::default();
    written.put("companyName", company_name.as_str());
    written.put("domain", domain.as_str());
    written.text("tenantId", tenant_id.map(|id| id.to_string()).as_deref());
    if *relationship != Relationship::Reseller {
        written.put("relationship", relationship.word());
    }
    if *origin != Origin::Existing {
        written.put("origin", origin.word());
    }
    if let Some(partnerships) = partnerships {
        let names: Vec<Value> = partnerships.iter().map(|key| key.as_str().into()).collect();
        written.put("partnerships", names);
    }
    written.text("reseller", reseller.as_ref().map(PartnershipKey::as_str));
    written.text("channel", channel.map(Channel::word));
    if let Some(Contact { name, email, phone, language }) = contact {
        let mut contact = Written::default();
        contact.text("name", name.as_ref().map(Title::as_str));
        contact.put("email", email.as_str());
        contact.text("phone", phone.as_ref().map(Phone::as_str));
        contact.text("language", language.as_ref().map(Language::as_str));
        written.put("contact", contact);
    }
    if let Some(CustomerBilling { address: Some(address) }) = billing {
        written.put("billing", json!({"address": place(address)}));
    }
    written.text("qualification", qualification.map(Qualification::word));
    if let Some(QualificationDetails { education_segment, website, validation_code }) =
        qualification_details
    {
        let mut details = Written::default();
        details.text("educationSegment", education_segment.map(EducationSegment::word));
        details.text("website", website.as_ref().map(Title::as_str));
        details.text("validationCode", validation_code.as_ref().map(Title::as_str));
        written.some("qualificationDetails", details.into());
    }
    let number = organization_registration_number.as_ref();
    written.text("organizationRegistrationNumber", number.map(Title::as_str));
    written.into()
}

//! The account: its profiles, and what only a person can set.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::change::Change;
use super::compare::Same;
use super::draft::{Errand, Subject, report};
use super::effect::Effect;
use super::file::Why;
use super::gather::{Gather, seen};
use super::step::{Guard, State, Verb};
use crate::model::account::Account;
use crate::model::contact::{Address, Domain, Email, Person, Phone, Url};
use crate::model::country::{CurrencyCode, Language};
use crate::model::name::Kind;
use crate::model::tenant::{Profile, ProfileKind};
use crate::model::text::{Remark, Title};

/// A field of a profile: as the manifest has it, as the service has it.
struct Field {
    path: String,
    wire: String,
    value: Value,
    same: Same,
}

fn field(path: &str, wire: &str, value: Option<&str>, same: Same) -> Option<Field> {
    let value = Value::from(value?);
    Some(Field { path: path.to_owned(), wire: wire.to_owned(), value, same })
}

/// The fields of an address, below a path.
pub(super) fn address(path: &str, wire: &str, address: &Address) -> Vec<(String, String, Value)> {
    let Address { line1, line2, line3, city, state, postal_code, country } = address;
    let optional = |value: &Option<Title>| value.as_ref().map(|value| value.as_str().to_owned());
    [
        ("line1", "addressLine1", Some(line1.as_str().to_owned())),
        ("line2", "addressLine2", optional(line2)),
        ("line3", "addressLine3", optional(line3)),
        ("city", "city", Some(city.as_str().to_owned())),
        ("state", "state", optional(state)),
        ("postalCode", "postalCode", optional(postal_code)),
        ("country", "country", Some(country.as_str().to_owned())),
    ]
    .into_iter()
    .filter_map(|(key, member, value)| {
        Some((format!("{path}.{key}"), format!("{wire}.{member}"), Value::from(value?)))
    })
    .collect()
}

fn place(path: &str, wire: &str, place: &Address) -> Vec<Field> {
    address(path, wire, place)
        .into_iter()
        .map(|(path, wire, value)| Field { path, wire, value, same: Same::Text })
        .collect()
}

fn person(path: &str, wire: &str, person: &Person) -> Vec<Field> {
    let Person { first_name, last_name, email, phone } = person;
    let at = |key: &str, member: &str, value: Option<&str>, same| {
        field(&format!("{path}.{key}"), &format!("{wire}.{member}"), value, same)
    };
    [
        at("firstName", "firstName", Some(first_name.as_str()), Same::Text),
        at("lastName", "lastName", Some(last_name.as_str()), Same::Text),
        at("email", "email", Some(email.as_str()), Same::Folded),
        at("phone", "phoneNumber", phone.as_ref().map(Phone::as_str), Same::Phone),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn fields(account: &Account) -> Vec<(ProfileKind, Vec<Field>)> {
    let legal = &account.legal;
    let mut of_legal: Vec<Field> = Vec::new();
    of_legal.extend(field(
        "spec.legal.companyName",
        "companyName",
        Some(legal.company_name.as_str()),
        Same::Text,
    ));
    of_legal.extend(place("spec.legal.address", "address", &legal.address));
    of_legal.extend(person("spec.legal.primaryContact", "primaryContact", &legal.primary_contact));
    let mut of_support: Vec<Field> = Vec::new();
    if let Some(support) = &account.support {
        let email = support.email.as_ref().map(Email::as_str);
        let phone = support.phone.as_ref().map(Phone::as_str);
        let website = support.website.as_ref().map(Url::as_str);
        of_support.extend(field("spec.support.email", "email", email, Same::Folded));
        of_support.extend(field("spec.support.phone", "telephone", phone, Same::Phone));
        of_support.extend(field("spec.support.website", "website", website, Same::Text));
    }
    let mut of_billing: Vec<Field> = Vec::new();
    if let Some(billing) = &account.billing {
        let text = |value: &'_ Option<Title>| value.as_ref().map(|value| value.as_str().to_owned());
        let currency = billing.currency.as_ref().map(CurrencyCode::as_str);
        of_billing.extend(field(
            "spec.billing.currency",
            "billingCurrency",
            currency,
            Same::Folded,
        ));
        of_billing.extend(field(
            "spec.billing.taxId",
            "taxId",
            text(&billing.tax_id).as_deref(),
            Same::Text,
        ));
        of_billing.extend(field(
            "spec.billing.purchaseOrderNumber",
            "purchaseOrderNumber",
            text(&billing.purchase_order_number).as_deref(),
            Same::Text,
        ));
        of_billing.extend(field(
            "spec.billing.companyName",
            "companyName",
            text(&billing.company_name).as_deref(),
            Same::Text,
        ));
        if let Some(found) = &billing.address {
            of_billing.extend(place("spec.billing.address", "address", found));
        }
        if let Some(contact) = &billing.primary_contact {
            of_billing.extend(person("spec.billing.primaryContact", "primaryContact", contact));
        }
    }
    vec![
        (ProfileKind::Legal, of_legal),
        (ProfileKind::Support, of_support),
        (ProfileKind::Billing, of_billing),
    ]
}

/// What the document says, as the ledger keeps it.
pub(super) fn declared(account: &Account) -> BTreeMap<String, Value> {
    fields(account)
        .into_iter()
        .flat_map(|(_, fields)| fields)
        .map(|field| (field.path, field.value))
        .collect()
}

pub(super) fn plan(gather: &mut Gather<'_>) {
    let Some(account) = &gather.input.estate.account else { return };
    let subject = Subject::declared(gather.input, Kind::Account, account);
    identity(gather, &subject, &account.spec);
    for (kind, fields) in fields(&account.spec) {
        if !fields.is_empty() {
            profile(gather, &subject, kind, fields);
        }
    }
    by_hand(gather, &subject, &account.spec);
}

const fn word(kind: ProfileKind) -> &'static str {
    match kind {
        ProfileKind::Organization => "organization",
        ProfileKind::Legal => "legal",
        ProfileKind::Billing => "billing",
        ProfileKind::Support => "support",
        ProfileKind::PartnerNetwork => "partner-network",
    }
}

fn profile(gather: &mut Gather<'_>, subject: &Subject<'_>, kind: ProfileKind, fields: Vec<Field>) {
    let Some(profile) = gather.input.snapshot.profiles.get(&kind) else {
        let message = format!("the {} profile cannot be seen", word(kind));
        return gather.drafts.say(&subject.key, State::Unrecognised, message);
    };
    let mut changes = Vec::new();
    let mut members = BTreeMap::new();
    for field in fields {
        let live = profile.at(&field.wire).cloned().unwrap_or(Value::Null);
        let verdict = subject.memory.field(&field.path, &field.value, &live, field.same);
        if let Some(change) = gather.drafts.heed(&subject.key, &field.path, verdict) {
            members.insert(field.wire, field.value);
            changes.push(change);
        }
    }
    if kind == ProfileKind::Legal {
        vetting(gather, subject, profile);
    }
    if changes.is_empty() {
        return;
    }
    let mut summary = format!("update the {} profile of {}", word(kind), subject.key);
    if kind == ProfileKind::Legal {
        summary.push_str(", which Microsoft then vets again");
    }
    let guard = Guard { seen: seen(&changes), ..Guard::default() };
    let change = Change::PutProfile { profile: kind, members };
    let what = format!("update/{}", word(kind));
    let mut step = subject.step(&what, Verb::Update, summary, changes, change);
    step.guard = guard;
    gather.push(step, Effect::Nothing);
}

/// Whether Microsoft is still looking at the legal profile, or has put the account on hold. The words
/// for the latter are not documented: whatever says so is understood.
fn vetting(gather: &mut Gather<'_>, subject: &Subject<'_>, profile: &Profile) {
    let status = profile.text("vettingStatus").unwrap_or_default().to_lowercase();
    let (message, awaiting) = match status.as_str() {
        "pending" => ("Microsoft is vetting the legal profile, which takes days", "Microsoft"),
        "rejected" => {
            ("Microsoft rejected the legal profile", "an administrator of ours, then Microsoft")
        }
        "suspended" | "blocked" | "disabled" => (
            "the account is suspended, and changes may be refused until that is over",
            "an administrator of ours, then Microsoft",
        ),
        _ => return,
    };
    let detail = profile.text("vettingSubStatus").filter(|detail| *detail != "none");
    let mut told = report(&subject.key, State::Waiting, message);
    told.awaiting = Some(awaiting.to_owned());
    let place = "See Account settings, Legal info, in Partner Center.";
    told.instructions = Some(match detail {
        Some(detail) => format!("It is at: {detail}. {place}"),
        None => place.to_owned(),
    });
    gather.drafts.report.push(told);
}

/// Whether this is the tenant that the manifests mean at all.
fn identity(gather: &mut Gather<'_>, subject: &Subject<'_>, account: &Account) {
    let snapshot = gather.input.snapshot;
    let live = &snapshot.domains;
    if live.is_empty() {
        return;
    }
    let missing: Vec<&str> = account
        .domains
        .iter()
        .map(Domain::as_str)
        .filter(|domain| !live.contains(*domain))
        .collect();
    if missing.len() == account.domains.len() {
        let found = live.iter().cloned().collect::<Vec<_>>().join(", ");
        gather.drafts.refuse(
            Why::Guard,
            format!("this is not the tenant of {}: it has the domains {found}", subject.key),
            "choose the context of the right tenant, or correct `spec.domains`",
        );
        return;
    }
    for domain in missing {
        let errand = Errand {
            confirms: None,
            object: &subject.key,
            step: format!("{}/domain/{domain}", subject.key),
            message: format!("the domain {domain} is not verified in the tenant"),
            awaiting: "a global admin of ours".to_owned(),
            link: None,
            instructions: format!(
                "In the Microsoft 365 admin center, under Settings, Domains: add {domain} and prove that it is ours."
            ),
        };
        let mut told = errand.report(gather.input);
        // Whether it is done is seen, not said.
        told.step = None;
        gather.drafts.report.push(told);
    }
    let network = snapshot.profiles.get(&ProfileKind::PartnerNetwork);
    let id =
        network.and_then(|profile| profile.text("mpnId").or_else(|| profile.text("partnerId")));
    if let Some(id) = id
        && id != account.partner_id.as_str()
    {
        let message = format!(
            "partnerId: the service knows the account by {id}, declared is {}",
            account.partner_id.as_str()
        );
        gather.drafts.say(&subject.key, State::Foreign, message);
    }
}

/// What is kept in the portal alone, until somebody says that it is as declared.
fn by_hand(gather: &mut Gather<'_>, subject: &Subject<'_>, account: &Account) {
    let list =
        |values: &[Title]| -> Value { values.iter().map(Title::as_str).collect::<Vec<_>>().into() };
    let mut settings: Vec<(&str, &str, Value, &str)> = Vec::new();
    if let Some(exemptions) = account.tax_exemptions.as_ref().filter(|all| !all.is_empty()) {
        settings.push((
            "taxExemptions",
            "the tax exemptions",
            list(exemptions),
            "In Partner Center, under Account settings, Billing profile, Tax exemptions",
        ));
    }
    if let Some(profile) = &account.business_profile {
        let value = json!({
            "summary": profile.summary.as_ref().map(Remark::as_str),
            "industries": profile.industries.as_ref().map(|all| list(all)),
            "languages": profile.languages.as_ref().map(|all| all.iter().map(Language::as_str).collect::<Vec<_>>()),
        });
        settings.push((
            "businessProfile",
            "the business profile",
            value,
            "In Partner Center, under Referrals, Business profiles",
        ));
    }
    if let Some(catalog) = &account.catalog {
        settings.push((
            "catalog",
            "what stands on top of the catalog",
            list(&catalog.featured),
            "In Partner Center, under Customers, Add products: pin these products, and unpin others",
        ));
    }
    for (key, what, value, place) in settings {
        let step = format!("{}/{key}", subject.key);
        let digest = digest(&value);
        if gather.input.record.is_confirmed(&subject.key, &step, &digest) {
            continue;
        }
        let errand = Errand {
            confirms: Some(digest),
            object: &subject.key,
            instructions: format!("{place}: set {value}. Then run `partnerctl confirm {step}`."),
            step,
            message: format!("{what}: a person sets it in the portal and says so"),
            awaiting: "an administrator of ours".to_owned(),
            link: Some("https://partner.microsoft.com/dashboard/home".to_owned()),
        };
        let told = errand.report(gather.input);
        gather.drafts.report.push(told);
    }
}

/// What a confirmation is about: another value is another question.
pub fn digest(value: &Value) -> String {
    use sha2::{Digest, Sha256};
    let text = serde_json_canonicalizer::to_vec(value).unwrap_or_default();
    format!("{:x}", Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::super::guard::wire_of;
    use super::super::tests::account;
    use super::*;

    /// What is written is told from what is shown by the same names everywhere.
    #[test]
    fn every_field_is_found_by_its_path() {
        let all = fields(&account());
        assert!(all.iter().all(|(_, fields)| !fields.is_empty()));
        for field in all.into_iter().flat_map(|(_, fields)| fields) {
            assert_eq!(wire_of(&field.path), Some(field.wire), "{}", field.path);
        }
    }
}

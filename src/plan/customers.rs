//! Customers: the tie with each, what is kept of it, and whom to invite.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::account::address;
use super::bind::Binding;
use super::change::Change;
use super::compare::Same;
use super::draft::{Errand, Subject, whole};
use super::effect::Effect;
use super::gather::{Gather, seen};
use super::step::{Cause, Guard, State, Verb};
use crate::model::account::Program;
use crate::model::customer::{Customer, Origin, Qualification, Relationship};
use crate::model::estate::Declared;
use crate::model::id::TenantId;
use crate::model::name::{CustomerKey, Kind, PartnershipKey};
use crate::model::tenant;
use crate::model::text::{Title, nfc};

const NAME: &str = "spec.companyName";
const RELATIONSHIP: &str = "spec.relationship";
const ADDRESS: &str = "spec.billing.address";
const QUALIFICATION: &str = "spec.qualification";
const PARTNERSHIPS: &str = "spec.partnerships";

pub(super) fn plan(gather: &mut Gather<'_>) {
    let estate = gather.input.estate;
    for (key, declared) in &estate.customers {
        let Some(binding) = gather.bound.customers.get(key).cloned() else { continue };
        match (declared.spec.relationship, binding) {
            (Relationship::Reseller, Binding::Live(id)) => live(gather, declared, id),
            (Relationship::Reseller, Binding::Absent(_)) => absent(gather, key, declared),
            (Relationship::Reseller, Binding::Gone(_)) => gone(gather, key, declared),
            (Relationship::None, Binding::Live(id)) => end(gather, key, declared, id),
            (_, Binding::Held) | (Relationship::None, Binding::Gone(_) | Binding::Absent(_)) => {}
        }
    }
    others(gather);
}

fn subject<'a>(gather: &Gather<'a>, declared: &'a Declared<Customer>) -> Subject<'a> {
    Subject::declared(gather.input, Kind::Customer, declared)
}

/// Customers that no manifest declares.
fn others(gather: &mut Gather<'_>) {
    let bound: std::collections::HashSet<TenantId> =
        gather.bound.customers.values().filter_map(Binding::live).collect();
    let names: Vec<String> = gather
        .input
        .snapshot
        .customers
        .iter()
        .filter(|(id, found)| found.is_ours() && !bound.contains(id))
        .map(|(_, found)| found.domain.clone())
        .collect();
    gather.unmanaged(
        ["customer that no manifest declares", "customers that no manifest declares"],
        &names,
    );
}

fn gone(gather: &mut Gather<'_>, key: &CustomerKey, declared: &Declared<Customer>) {
    let subject = subject(gather, declared);
    if gather.input.revive.contains(&subject.key) {
        return absent(gather, key, declared);
    }
    let message = format!(
        "the relationship is no longer there; the customer is invited anew with `--revive {}`",
        subject.key
    );
    gather.drafts.say(&subject.key, State::Gone, message);
}

fn absent(gather: &mut Gather<'_>, key: &CustomerKey, declared: &Declared<Customer>) {
    match declared.spec.origin {
        Origin::New => create(gather, key, declared),
        Origin::Existing => invite(gather, declared),
    }
}

/// The tenant of the partner that a document names.
fn tenant_of(gather: &Gather<'_>, key: &PartnershipKey) -> Option<TenantId> {
    gather.input.estate.partnerships.get(key).map(|partnership| partnership.spec.tenant_id)
}

fn create(gather: &mut Gather<'_>, key: &CustomerKey, declared: &Declared<Customer>) {
    let subject = subject(gather, declared);
    let customer = &declared.spec;
    let domain = customer.domain.as_str().to_owned();
    let mut billing = BTreeMap::new();
    let mut fields = vec![
        whole(NAME, Value::Null, customer.company_name.as_str().into(), Cause::Create),
        whole("spec.domain", Value::Null, domain.as_str().into(), Cause::Create),
        whole(RELATIONSHIP, Value::Null, Relationship::Reseller.word().into(), Cause::Create),
    ];
    let contact = customer.contact.as_ref();
    if let Some(contact) = contact {
        billing.insert("email".to_owned(), contact.email.as_str().into());
        let name = contact.name.as_ref().map(Title::as_str).unwrap_or_default();
        let (first, last) = name.rsplit_once([' ', '\u{3000}']).unwrap_or((name, name));
        billing.insert("address.firstName".to_owned(), first.into());
        billing.insert("address.lastName".to_owned(), last.into());
        if let Some(phone) = &contact.phone {
            billing.insert("address.phoneNumber".to_owned(), phone.as_str().into());
        }
    }
    let language = contact.and_then(|contact| contact.language.as_ref());
    billing.insert("language".to_owned(), language.map_or("en", |one| one.as_str()).into());
    billing.insert("companyName".to_owned(), customer.company_name.as_str().into());
    let place = customer.billing.as_ref().and_then(|billing| billing.address.as_ref());
    let Some(place) = place else {
        let message = "a tenant is created with a billing address: declare `billing.address`";
        return gather.drafts.say(&subject.key, State::Held, message);
    };
    for (path, wire, value) in address(ADDRESS, "address", place) {
        fields.push(whole(&path, Value::Null, value.clone(), Cause::Create));
        billing.insert(wire, value);
    }
    if super::passwords::is_held(gather, &subject, "its tenant is to be made") {
        return;
    }
    let reseller = customer.reseller.as_ref().and_then(|key| tenant_of(gather, key));
    let estate = gather.input.estate.account.as_ref().map(|account| account.metadata.name.as_str());
    let marker = format!("{}/{}/{domain}", estate.unwrap_or_default(), subject.key);
    let change = Change::CreateCustomer {
        key: request_key(&marker, &billing),
        domain: domain.clone(),
        company_name: customer.company_name.as_str().to_owned(),
        reseller,
        registration_number: customer
            .organization_registration_number
            .as_ref()
            .map(|number| number.as_str().to_owned()),
        billing,
    };
    let summary = format!("create the tenant {domain} for {}", subject.key);
    let mut step = subject.step("create", Verb::Create, summary, fields, change);
    step.guard.absent = Some(domain.clone());
    step.cost.customer = Some(domain);
    gather.push(step, Effect::Begins { customer: key.clone() });
}

/// What the service knows the request by: the same one for the same request of the same estate.
fn request_key(marker: &str, billing: &BTreeMap<String, Value>) -> Uuid {
    let digest = Sha256::new()
        .chain_update(marker)
        .chain_update(serde_json_canonicalizer::to_vec(billing).unwrap_or_default())
        .finalize();
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

fn invite(gather: &mut Gather<'_>, declared: &Declared<Customer>) {
    let subject = subject(gather, declared);
    let company = &declared.spec.company_name;
    if declared.metadata.has_expired(gather.input.today) {
        let message = "its last day has passed, so it is not invited";
        return gather.drafts.say(&subject.key, State::Held, message);
    }
    let mut links: Vec<(String, Option<String>)> = Vec::new();
    let providers: Vec<&PartnershipKey> = declared.spec.partnerships.iter().flatten().collect();
    if providers.is_empty() {
        links.push(("invite".to_owned(), gather.input.invitation.map(str::to_owned)));
    }
    for provider in providers {
        if !is_active(gather, provider) {
            let message = format!("it is invited once partnership/{provider} is active");
            gather.drafts.say(&subject.key, State::Held, message);
            continue;
        }
        links.push((format!("invite/{provider}"), combined(gather, provider)));
    }
    for (step, link) in links {
        let through =
            step.strip_prefix("invite/").map(|provider| format!(", together with {provider}"));
        let errand = Errand {
            confirms: None,
            object: &subject.key,
            step: format!("{}/{step}", subject.key),
            message: format!(
                "{company} waits to be invited, or to accept{}",
                through.unwrap_or_default()
            ),
            awaiting: format!("a global admin of {}", declared.spec.domain),
            instructions: match link {
                Some(_) => format!(
                    "Send the link, unaltered (`partnerctl invite {}` writes the mail); a global admin of {} opens it and accepts.",
                    subject.key, declared.spec.domain
                ),
                None => "The service did not say by which link customers accept us.".to_owned(),
            },
            link,
        };
        let told = errand.report(gather.input);
        gather.drafts.report.push(told);
    }
}

fn is_active(gather: &Gather<'_>, provider: &PartnershipKey) -> bool {
    gather.input.estate.partnerships.get(provider).is_some_and(|declared| {
        super::partnerships::found(gather.input.snapshot, &declared.spec).is_some()
    })
}

/// The reseller's own link, with the provider put into it: one acceptance makes both relationships.
fn combined(gather: &Gather<'_>, provider: &PartnershipKey) -> Option<String> {
    let link = gather.input.invitation?;
    let provider = tenant_of(gather, provider)?;
    let account = &gather.input.estate.account.as_ref()?.spec;
    let (address, fragment) = match link.split_once('#') {
        Some((address, fragment)) => (address, format!("#{fragment}")),
        None => (link, String::new()),
    };
    let (base, query) = address.split_once('?')?;
    let mut members: Vec<String> = Vec::new();
    for member in query.split('&') {
        let (name, _) = member.split_once('=').unwrap_or((member, ""));
        members.push(if name.eq_ignore_ascii_case("invType") {
            format!("{name}=IndirectResellerRelationship")
        } else if name.eq_ignore_ascii_case("msppId") {
            format!("{name}={}", account.partner_id.as_str())
        } else {
            member.to_owned()
        });
    }
    members.push(format!("indirectCSPId={provider}"));
    Some(format!("{base}?{}{fragment}", members.join("&")))
}

fn live(gather: &mut Gather<'_>, declared: &Declared<Customer>, id: TenantId) {
    let customer = &declared.spec;
    let Some(found) = gather.input.snapshot.customers.get(&id) else { return };
    super::passwords::first_administrator(gather, declared, id);
    // Most customers are as declared, and nothing more is looked at.
    let is_named = customer.company_name.as_str() == found.company_name
        || nfc(customer.company_name.as_str()) == nfc(&found.company_name);
    let has_more = customer.billing.is_some()
        || customer.qualification.is_some()
        || customer.reseller.is_some()
        || customer.partnerships.is_some();
    if is_named && !has_more {
        return;
    }
    let subject = subject(gather, declared);
    if !is_named && !subject.memory.ignores(NAME) {
        let message = format!(
            "{NAME}: the customer calls itself {:?}, which is its own to say; correct the manifest",
            found.company_name
        );
        gather.drafts.say(&subject.key, State::Foreign, message);
    }
    billing(gather, &subject, customer, id, found);
    qualification(gather, &subject, customer, id, found);
    reseller(gather, &subject, customer, found);
    providers(gather, &subject, declared);
}

fn billing(
    gather: &mut Gather<'_>,
    subject: &Subject<'_>,
    customer: &Customer,
    id: TenantId,
    found: &tenant::Customer,
) {
    let place = customer.billing.as_ref().and_then(|billing| billing.address.as_ref());
    let Some(place) = place else { return };
    let Some(profile) = &found.details.billing else {
        let message = "its billing profile cannot be seen";
        return gather.drafts.say(&subject.key, State::Unrecognised, message);
    };
    let mut changes = Vec::new();
    let mut members = BTreeMap::new();
    for (path, wire, value) in address(ADDRESS, "defaultAddress", place) {
        let live = profile.at(&wire).cloned().unwrap_or(Value::Null);
        let verdict = subject.memory.field(&path, &value, &live, Same::Text);
        if let Some(change) = gather.drafts.heed(&subject.key, &path, verdict) {
            members.insert(wire, value);
            changes.push(change);
        }
    }
    if changes.is_empty() {
        return;
    }
    let guard = Guard { remote_id: Some(id.to_string()), seen: seen(&changes), ..Guard::default() };
    let change = Change::PutCustomerBilling { customer: id, members };
    let summary = format!("update the billing address of {}", subject.key);
    let mut step = subject.step("update/billing", Verb::Update, summary, changes, change);
    step.guard = guard;
    step.cost.customer = Some(id.to_string());
    gather.push(step, Effect::Nothing);
}

/// As the service names it.
pub(super) const fn wire_of(qualification: Qualification) -> &'static str {
    match qualification {
        Qualification::None => "None",
        Qualification::Education => "Education",
        Qualification::GovernmentCommunityCloud => "GovernmentCommunityCloud",
        Qualification::StateOwnedEntity => "StateOwnedEntity",
    }
}

fn qualification(
    gather: &mut Gather<'_>,
    subject: &Subject<'_>,
    customer: &Customer,
    id: TenantId,
    found: &tenant::Customer,
) {
    let Some(wanted) = customer.qualification else { return };
    let Some(known) = &found.details.qualifications else {
        let message = "its qualifications cannot be seen";
        return gather.drafts.say(&subject.key, State::Unrecognised, message);
    };
    let has = |name: &str| known.iter().find(|one| one.name.eq_ignore_ascii_case(name));
    if wanted == Qualification::None {
        let others: Vec<String> = known
            .iter()
            .filter(|one| !one.name.eq_ignore_ascii_case("None"))
            .map(|one| one.name.clone())
            .collect();
        if !others.is_empty() && !subject.memory.ignores(QUALIFICATION) {
            let message = format!(
                "it is qualified as {}, which only Microsoft can take back",
                others.join(", ")
            );
            gather.drafts.say(&subject.key, State::Foreign, message);
        }
        return;
    }
    let name = wire_of(wanted);
    if let Some(one) = has(name) {
        let vetting = one.vetting.as_deref().unwrap_or_default();
        if vetting.eq_ignore_ascii_case("InReview") {
            let mut told = super::draft::report(
                &subject.key,
                State::Waiting,
                format!("Microsoft is examining whether it is qualified as {wanted}"),
            );
            told.awaiting = Some("Microsoft".to_owned());
            gather.drafts.report.push(told);
        } else if vetting.eq_ignore_ascii_case("Denied") {
            let why = one.reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
            let message = format!("Microsoft does not qualify it as {wanted}{why}");
            gather.drafts.say(&subject.key, State::Held, message);
        }
        return;
    }
    let live = known
        .iter()
        .find(|one| !one.name.eq_ignore_ascii_case("None"))
        .map_or(Value::Null, |one| one.name.as_str().into());
    let verdict = subject.memory.field(QUALIFICATION, &wanted.word().into(), &live, Same::Exactly);
    let Some(change) = gather.drafts.heed(&subject.key, QUALIFICATION, verdict) else { return };
    let mut details = BTreeMap::new();
    if let Some(given) = &customer.qualification_details {
        if let Some(segment) = given.education_segment {
            use crate::model::customer::EducationSegment::{HigherEducation, K12};
            let word = match segment {
                K12 => "K12",
                HigherEducation => "HigherEducation",
            };
            details.insert("educationSegment".to_owned(), word.into());
        }
        if let Some(website) = &given.website {
            details.insert("website".to_owned(), website.as_str().into());
        }
        if let Some(code) = &given.validation_code {
            details.insert("validationCode".to_owned(), code.as_str().into());
        }
    }
    let guard = Guard {
        remote_id: Some(id.to_string()),
        seen: BTreeMap::from([(QUALIFICATION.to_owned(), live)]),
        ..Guard::default()
    };
    let sent = Change::AskQualification { customer: id, qualification: name.to_owned(), details };
    let summary = format!("ask that {} be qualified as {wanted}", subject.key);
    let mut step =
        subject.step("request/qualification", Verb::Request, summary, vec![change], sent);
    step.guard = guard;
    step.cost.customer = Some(id.to_string());
    gather.push(step, Effect::Nothing);
}

/// Whom a customer belongs to is settled when it is made.
fn reseller(
    gather: &mut Gather<'_>,
    subject: &Subject<'_>,
    customer: &Customer,
    found: &tenant::Customer,
) {
    let Some(wanted) = customer.reseller.as_ref().and_then(|key| tenant_of(gather, key)) else {
        return;
    };
    let Some(resellers) = &found.details.resellers else { return };
    if resellers.contains(&wanted) || subject.memory.ignores("spec.reseller") {
        return;
    }
    let ids: Vec<String> = resellers.iter().map(ToString::to_string).collect();
    let message = format!(
        "spec.reseller: it belongs to {}; that is settled when its tenant is made",
        if ids.is_empty() { "no reseller".to_owned() } else { ids.join(", ") }
    );
    gather.drafts.say(&subject.key, State::Ignored, message);
}

/// Providers that were added after the customer accepted: the link is sent again. What a customer has
/// with a provider is not shown to us, so a person says when it is done.
fn providers(gather: &mut Gather<'_>, subject: &Subject<'_>, declared: &Declared<Customer>) {
    let is_reseller = gather
        .input
        .estate
        .account
        .as_ref()
        .is_some_and(|account| account.spec.program == Program::IndirectReseller);
    let Some(applied) = subject.memory.applied().filter(|_| is_reseller) else { return };
    let mut due = Vec::new();
    for provider in declared.spec.partnerships.iter().flatten() {
        if applied.fields.contains_key(PARTNERSHIPS)
            && !applied.has(PARTNERSHIPS, &provider.as_str().into())
        {
            due.push(provider);
        }
    }
    for provider in due {
        let step = format!("{}/invite/{provider}", subject.key);
        if gather.input.record.is_confirmed(&subject.key, &step, provider.as_str()) {
            continue;
        }
        let link = combined(gather, provider);
        let errand = Errand {
            confirms: Some(provider.as_str().to_owned()),
            object: &subject.key,
            message: format!("{} is to let {provider} order for it", declared.spec.company_name),
            awaiting: format!("a global admin of {}", declared.spec.domain),
            instructions: format!(
                "Send the link again (`partnerctl invite {step}` writes the mail): accepting it adds the relationship with {provider}. It is not shown to us: run `partnerctl confirm {step}` once it is done."
            ),
            step,
            link,
        };
        let told = errand.report(gather.input);
        gather.drafts.report.push(told);
    }
}

fn end(gather: &mut Gather<'_>, key: &CustomerKey, declared: &Declared<Customer>, id: TenantId) {
    let subject = subject(gather, declared);
    let Some(found) = gather.input.snapshot.customers.get(&id) else { return };
    match &found.details.subscriptions {
        None => {
            let message = "whether it has active subscriptions cannot be seen, so the relationship is not ended";
            return gather.drafts.say(&subject.key, State::Held, message);
        }
        Some(subscriptions) => {
            let active: Vec<String> = subscriptions
                .iter()
                .filter(|one| one.status == "active")
                .map(|one| one.name.clone())
                .collect();
            if !active.is_empty() {
                let message = format!(
                    "the relationship cannot end while subscriptions are active: {}",
                    super::roles::few(&active)
                );
                return gather.drafts.say(&subject.key, State::Held, message);
            }
        }
    }
    let verdict = subject.memory.field(
        RELATIONSHIP,
        &Relationship::None.word().into(),
        &Relationship::Reseller.word().into(),
        Same::Exactly,
    );
    let Some(change) = gather.drafts.heed(&subject.key, RELATIONSHIP, verdict) else { return };
    let guard = Guard {
        remote_id: Some(id.to_string()),
        seen: seen(std::slice::from_ref(&change)),
        ..Guard::default()
    };
    let summary = format!("end the relationship with {}", declared.spec.company_name);
    let sent = Change::EndRelationship { customer: id };
    let mut step = subject.step("end", Verb::End, summary, vec![change], sent);
    step.guard = guard;
    step.irreversible =
        Some("only the customer can bring the relationship back, by accepting us anew".to_owned());
    step.cost.removals = 1;
    step.cost.irreversible = 1;
    step.cost.customer = Some(id.to_string());
    gather.push(step, Effect::Ends { customer: key.clone() });
}

/// What a document says, as the ledger keeps it.
pub(super) fn declared(customer: &Customer) -> BTreeMap<String, Value> {
    let mut fields = BTreeMap::from([
        (NAME.to_owned(), Value::from(customer.company_name.as_str())),
        (RELATIONSHIP.to_owned(), customer.relationship.word().into()),
    ]);
    if let Some(place) = customer.billing.as_ref().and_then(|billing| billing.address.as_ref()) {
        fields
            .extend(address(ADDRESS, "", place).into_iter().map(|(path, _, value)| (path, value)));
    }
    if let Some(qualification) = customer.qualification {
        fields.insert(QUALIFICATION.to_owned(), qualification.word().into());
    }
    if let Some(partnerships) = &customer.partnerships {
        let mut names: Vec<Value> = partnerships.iter().map(|key| key.as_str().into()).collect();
        names.sort_by_key(Value::to_string);
        fields.insert(PARTNERSHIPS.to_owned(), names.into());
    }
    fields
}

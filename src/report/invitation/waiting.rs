//! Who is written to, and about what: from what a plan waits for and what the manifests say.

use super::Language;
use super::letter::{Letter, Occasion, Person, Recipient, Sender};
use crate::model::account::Account;
use crate::model::country;
use crate::model::customer::Customer;
use crate::model::estate::Estate;
use crate::model::name::Kind;
use crate::model::partnership::With;
use crate::model::text::Title;
use crate::model::user::{AdminLevel, User};
use crate::plan::{Report, State};

/// A message that can be written, with what its recipient reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub letter: Letter,
    /// As declared; nothing, if nothing is.
    pub declared: Option<country::Language>,
}

impl Waiting {
    /// The language that there are texts in, if the declared one is one.
    pub fn language(&self) -> Option<Language> {
        self.declared.as_ref().and_then(Language::of)
    }
}

/// Whether somebody has to be sent something for it.
pub fn is_invitation(report: &Report) -> bool {
    report.state == State::Waiting && addressed(report).is_some()
}

/// Whether something asked for stands for many: a template of delegated access, or a kind.
pub fn is_many(what: &str) -> bool {
    match what.split_once('/') {
        None => true,
        Some((kind, name)) => kind == Kind::DelegatedAccess.kebab() && !name.contains('/'),
    }
}

/// Whether a report is about what was asked for: an object, a step, any customer of a template, or
/// anything of a kind.
pub fn is_asked(report: &Report, what: &str) -> bool {
    let object = report.object.to_string();
    let is_below = object.strip_prefix(what).is_some_and(|rest| rest.starts_with('/'));
    object == what || report.step.as_deref() == Some(what) || (is_many(what) && is_below)
}

/// What is waited for, by the name of its step.
enum About<'a> {
    /// The customer, and the provider that is to be accepted with us.
    Customer(&'a str, Option<&'a str>),
    Partnership(&'a str),
    /// The template, and the customer that is to approve it.
    DelegatedAccess(&'a str, &'a str),
}

fn addressed(report: &Report) -> Option<About<'_>> {
    let parts: Vec<&str> = report.step.as_deref()?.split('/').collect();
    match (report.object.kind, parts.as_slice()) {
        (Kind::Customer, ["customer", name, "invite"]) => Some(About::Customer(name, None)),
        (Kind::Customer, ["customer", name, "invite", provider]) => {
            Some(About::Customer(name, Some(provider)))
        }
        (Kind::Partnership, ["partnership", name, "accept"]) => Some(About::Partnership(name)),
        (Kind::DelegatedAccess, ["delegated-access", template, customer, "approve"]) => {
            Some(About::DelegatedAccess(template, customer))
        }
        _ => None,
    }
}

/// The message for what is waited for. There is none without a link.
pub fn of(report: &Report, estate: &Estate) -> Option<Waiting> {
    let about = addressed(report)?;
    let account = estate.account.as_ref()?;
    let link = report.link.clone()?;
    let (occasion, to, declared) = match about {
        About::Customer(name, provider) => {
            let customer = &estate.customers.get(name)?.spec;
            let occasion = match provider {
                None => Occasion::Reseller,
                Some(provider) => Occasion::Together {
                    provider: estate.partnerships.get(provider)?.spec.display_name.to_string(),
                    is_addition: report.confirms.is_some(),
                },
            };
            to_customer(occasion, customer)
        }
        About::Partnership(name) => {
            let partnership = &estate.partnerships.get(name)?.spec;
            let other = partnership.display_name.to_string();
            match partnership.with {
                With::IndirectProvider => to_ourselves(estate, &account.spec, other),
                With::IndirectReseller => {
                    let to = Recipient { company: other, domain: None, people: Vec::new() };
                    (Occasion::AsProvider, to, None)
                }
            }
        }
        About::DelegatedAccess(template, name) => {
            // What the customer approves is what stands behind the link, whatever is declared by now.
            let asks = report.asks.as_ref()?;
            let declared = || Some(estate.delegated_access.get(template)?.spec.duration.0);
            let mut roles = asks.roles.clone();
            roles.sort();
            let days = asks.days.or_else(declared)?;
            let occasion = Occasion::DelegatedAccess { roles, days, extends: asks.extends };
            to_customer(occasion, &estate.customers.get(name)?.spec)
        }
    };
    let letter = Letter {
        object: report.object.to_string(),
        step: report.step.clone().unwrap_or_default(),
        estate: account.metadata.name.as_str().to_owned(),
        occasion,
        from: sender(&account.spec),
        to,
        link,
        until: report.until.map(|until| until.to_zoned(jiff::tz::TimeZone::UTC).date()),
    };
    Some(Waiting { letter, declared })
}

type Addressed = (Occasion, Recipient, Option<country::Language>);

fn to_customer(occasion: Occasion, customer: &Customer) -> Addressed {
    let contact = customer.contact.as_ref();
    let person = contact.map(|contact| Person {
        name: contact.name.as_ref().map(Title::to_string),
        email: contact.email.to_string(),
    });
    let to = Recipient {
        company: customer.company_name.to_string(),
        domain: Some(customer.domain.to_string()),
        people: person.into_iter().collect(),
    };
    (occasion, to, contact.and_then(|contact| contact.language.clone()))
}

/// To those of ours who can accept for us, or to whom the account names, if none is declared.
fn to_ourselves(estate: &Estate, account: &Account, provider: String) -> Addressed {
    let is_global = |user: &User| {
        user.enabled && user.admin.iter().any(|(level, _)| *level == AdminLevel::Global)
    };
    let admins: Vec<&User> =
        estate.users.values().map(|one| &*one.spec).filter(|user| is_global(user)).collect();
    let mut people: Vec<Person> = admins
        .iter()
        .map(|user| Person {
            name: Some(user.display_name.to_string()),
            email: user.email.to_string(),
        })
        .collect();
    if people.is_empty() {
        let contact = &account.legal.primary_contact;
        let name = Some(format!("{} {}", contact.first_name, contact.last_name));
        people.push(Person { name, email: contact.email.to_string() });
    }
    let of_them = || admins.iter().find_map(|user| user.preferred_language.clone());
    let of_ours = || {
        let profile = account.business_profile.as_ref()?;
        profile.languages.as_ref()?.first().cloned()
    };
    let to = Recipient {
        company: account.legal.company_name.to_string(),
        domain: account.domains.first().map(ToString::to_string),
        people,
    };
    (Occasion::OurProvider { provider }, to, of_them().or_else(of_ours))
}

fn sender(account: &Account) -> Sender {
    let contact = &account.legal.primary_contact;
    let support = account.support.as_ref();
    let email = support.and_then(|support| support.email.as_ref()).unwrap_or(&contact.email);
    let phone = support.and_then(|support| support.phone.as_ref()).or(contact.phone.as_ref());
    Sender {
        company: account.legal.company_name.to_string(),
        first_name: contact.first_name.to_string(),
        last_name: contact.last_name.to_string(),
        email: email.to_string(),
        phone: phone.map(|phone| phone.as_str().to_owned()),
        website: support
            .and_then(|support| support.website.as_ref())
            .map(|website| website.as_str().to_owned()),
    }
}

//! Natural keys: what the tenant knows things by, once each, by the rules of equality.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

use foldhash::{HashMap, HashMapExt};

use super::{World, at_field, object};
use crate::manifest::code::Code;
use crate::manifest::draft::{Draft, Step, Where, way};
use crate::model::estate::Declared;
use crate::model::name::Kind;
use crate::model::role::Group;
use crate::model::text::nfc;

pub(super) fn check(world: &World<'_>, drafts: &mut Vec<Draft>) {
    let estate = world.estate;

    let mut sign_in = Seen::with_capacity(estate.users.len());
    for (key, user) in in_order(&estate.users) {
        let (name, field) = match &user.spec.sign_in_name {
            Some(name) => (Cow::Borrowed(name.as_str()), "signInName"),
            None => (lower(user.spec.email.as_str()), "email"),
        };
        let shown = name.clone();
        sign_in.see(
            name,
            move || at_field(user, way!["spec", field]),
            drafts,
            |at| {
                Draft::new(Code::P0307, at, format!("another user signs in as `{shown}`"))
                    .help("a sign-in name belongs to one person, and case makes no difference: change or remove one")
                    .object(object(Kind::User, key))
            },
        );
    }

    let mut domains = Seen::with_capacity(estate.customers.len());
    let mut tenants = Seen::with_capacity(estate.customers.len());
    for (key, customer) in in_order(&estate.customers) {
        let spec = &customer.spec;
        domains.see(
            spec.domain.as_str(),
            move || at_field(customer, way!["spec", "domain"]),
            drafts,
            |at| {
                Draft::new(
                    Code::P0308,
                    at,
                    format!("another customer has the domain `{}`", spec.domain),
                )
                .help("a domain belongs to one tenant: remove one of the two documents")
                .object(object(Kind::Customer, key))
            },
        );
        if let Some(tenant) = spec.tenant_id {
            tenants.see(
                tenant,
                move || at_field(customer, way!["spec", "tenantId"]),
                drafts,
                |at| {
                    Draft::new(
                        Code::P0309,
                        at,
                        format!("another customer is the tenant `{tenant}`"),
                    )
                    .help("a tenant is one customer: remove one of the two documents")
                    .object(object(Kind::Customer, key))
                },
            );
        }
    }

    let mut partners = Seen::default();
    for (key, partnership) in in_order(&estate.partnerships) {
        let tenant = partnership.spec.tenant_id;
        partners.see(
            tenant,
            move || at_field(partnership, way!["spec", "tenantId"]),
            drafts,
            |at| {
                Draft::new(
                    Code::P0309,
                    at,
                    format!("another partnership is with the tenant `{tenant}`"),
                )
                .help("a tenant is one partner: remove one of the two documents")
                .object(object(Kind::Partnership, key))
            },
        );
    }

    let mut groups = Seen::default();
    let mut nicknames = Seen::default();
    for (key, role) in in_order(&estate.roles) {
        let shared = |at: Where, what: String| {
            Draft::new(Code::P0310, at, format!("another role has the group {what}"))
                .help("give each role a group of its own: who is in a shared one would hold both")
                .object(object(Kind::Role, key))
        };
        let at = |path: fn() -> Vec<Step>| move || at_field(role, path());
        match &role.spec.group {
            Some(Group::Named { name, mail_nickname }) => {
                let folded = nfc(name.as_str()).to_lowercase();
                groups.see(folded, at(|| way!["spec", "group"]), drafts, |at| {
                    shared(at, format!("`{name}`"))
                });
                if let Some(nickname) = mail_nickname {
                    let folded = nickname.as_str().to_ascii_lowercase();
                    let path = || way!["spec", "group", "mailNickname"];
                    nicknames.see(folded, at(path), drafts, |at| {
                        shared(at, format!("nickname `{}`", nickname.as_str()))
                    });
                }
            }
            Some(Group::Existing(id)) => {
                groups.see(id.to_string(), at(|| way!["spec", "group", "id"]), drafts, |at| {
                    shared(at, id.to_string())
                });
            }
            None => {}
        }
    }
}

fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// As the documents stand, so that what came later is what is reported.
fn in_order<K, T>(all: &BTreeMap<K, Declared<T>>) -> Vec<(&K, &Declared<T>)> {
    let mut all: Vec<_> = all.iter().collect();
    all.sort_unstable_by_key(|(_, declared)| declared.origin);
    all
}

/// Keys that were seen, and where first.
struct Seen<K, F> {
    first: HashMap<K, F>,
}

impl<K, F> Default for Seen<K, F> {
    fn default() -> Self {
        Self { first: HashMap::new() }
    }
}

impl<K: Eq + Hash, F: Fn() -> Where> Seen<K, F> {
    fn with_capacity(capacity: usize) -> Self {
        Self { first: HashMap::with_capacity(capacity) }
    }

    fn see(&mut self, key: K, at: F, drafts: &mut Vec<Draft>, report: impl FnOnce(Where) -> Draft) {
        match self.first.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(at);
            }
            Entry::Occupied(entry) => {
                drafts.push(report(at()).related("the other one", entry.get()()));
            }
        }
    }
}

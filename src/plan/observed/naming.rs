//! Names for what the tenant knows by ids: those that are known, and readable ones for the rest.
//!
//! A name is made from what people call the thing. Where two would have the same, the first by id
//! keeps it and the others get the beginning of their id behind it, so that the same tenant gives
//! the same names.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use uuid::Uuid;

use crate::model::estate::Estate;
use crate::model::id::TenantId;
use crate::model::name::{CustomerKey, Name, PartnershipKey, RoleKey, UserKey};
use crate::model::role::Group;
use crate::model::scalar::Scalar;
use crate::model::tenant::{GroupKind, ObjectId, Snapshot};
use crate::model::text::nfc;

/// How long a readable part of a name may be; behind it there is room for the beginning of an id.
const READABLE_MAX: usize = 50;
/// How many digits of an id tell two things of one name apart, to begin with.
const DIGITS: usize = 4;

/// The names of what is known already.
#[derive(Debug, Clone, Default)]
pub struct Names {
    pub account: Option<Name>,
    pub users: BTreeMap<ObjectId, UserKey>,
    pub roles: BTreeMap<ObjectId, RoleKey>,
    pub customers: BTreeMap<TenantId, CustomerKey>,
    pub partnerships: BTreeMap<TenantId, PartnershipKey>,
    /// Names of what is known and not in the tenant: nothing that is there may be taken for it.
    pub absent: Absent,
}

/// Names that nothing observed may have.
#[derive(Debug, Clone, Default)]
pub struct Absent {
    pub users: BTreeSet<UserKey>,
    pub roles: BTreeSet<RoleKey>,
    pub customers: BTreeSet<CustomerKey>,
    pub partnerships: BTreeSet<PartnershipKey>,
}

impl Names {
    /// The names that an estate gives to what is in the tenant: users by sign-in name, groups by id
    /// or by being the only one of their name, customers by tenant, then domain, partnerships by
    /// tenant. What is ambiguous has no name.
    pub fn declared(estate: &Estate, snapshot: &Snapshot) -> Self {
        let account = estate.account.as_ref().map(|account| account.metadata.name.clone());
        let mut names = Self { account, ..Self::default() };
        let by_sign_in: BTreeMap<String, ObjectId> = snapshot
            .users
            .iter()
            .map(|(id, user)| (user.sign_in_name.to_lowercase(), *id))
            .collect();
        for (key, user) in &estate.users {
            match by_sign_in.get(&user.spec.signs_in_as().to_lowercase()) {
                Some(id) => drop(names.users.insert(*id, key.clone())),
                None => drop(names.absent.users.insert(key.clone())),
            }
        }
        let by_title = groups_by_title(snapshot);
        for (key, role) in &estate.roles {
            let id = match &role.spec.group {
                Some(Group::Existing(id)) => Some(ObjectId(id.0)),
                Some(Group::Named { name, .. }) => {
                    by_title.get(&folded(name.as_str())).copied().flatten()
                }
                None => None,
            };
            match id.filter(|id| snapshot.groups.contains_key(id)) {
                Some(id) => drop(names.roles.insert(id, key.clone())),
                None => drop(names.absent.roles.insert(key.clone())),
            }
        }
        let by_domain: BTreeMap<&str, TenantId> = snapshot
            .customers
            .iter()
            .map(|(id, customer)| (customer.domain.as_str(), *id))
            .collect();
        for (key, customer) in &estate.customers {
            let spec = &customer.spec;
            let id = spec.tenant_id.or_else(|| by_domain.get(spec.domain.as_str()).copied());
            match id.filter(|id| snapshot.customers.contains_key(id)) {
                Some(id) => drop(names.customers.insert(id, key.clone())),
                None => drop(names.absent.customers.insert(key.clone())),
            }
        }
        let partners: BTreeSet<TenantId> =
            snapshot.partnerships.iter().map(|partnership| partnership.tenant).collect();
        for (key, partnership) in &estate.partnerships {
            let id = partnership.spec.tenant_id;
            if partners.contains(&id) {
                names.partnerships.insert(id, key.clone());
            } else {
                names.absent.partnerships.insert(key.clone());
            }
        }
        names
    }
}

/// Static groups of our own by their names; none where two have one name.
pub(super) fn groups_by_title(snapshot: &Snapshot) -> BTreeMap<String, Option<ObjectId>> {
    let mut titles = BTreeMap::new();
    for (id, group) in &snapshot.groups {
        if group.kind == GroupKind::Security && !group.is_synced {
            titles.entry(folded(&group.name)).and_modify(|only| *only = None).or_insert(Some(*id));
        }
    }
    titles
}

pub(super) fn folded(title: &str) -> String {
    nfc(title).to_lowercase()
}

/// Gives names within one kind.
pub(super) struct Namer {
    taken: HashSet<String>,
    refuses: fn(&str) -> bool,
}

impl Namer {
    /// With the names that are taken; `refuses` says which ones nothing may have.
    pub(super) fn new<'a>(taken: impl Iterator<Item = &'a str>, refuses: fn(&str) -> bool) -> Self {
        Self { taken: taken.map(str::to_owned).collect(), refuses }
    }

    /// A name from the first of these texts that gives a readable one.
    pub(super) fn name<'a>(
        &mut self,
        texts: impl IntoIterator<Item = &'a str>,
        otherwise: &str,
        id: Uuid,
    ) -> Option<Name> {
        let readable = texts.into_iter().map(slug).find(|slug| is_readable(slug));
        let stem = readable.unwrap_or_else(|| otherwise.to_owned());
        let digits = id.simple().to_string();
        let longer = (DIGITS..=digits.len())
            .filter_map(|end| Some(format!("{stem}-{}", digits.get(..end)?)));
        let name = std::iter::once(stem.clone())
            .chain(longer)
            .filter(|name| !self.taken.contains(name) && !(self.refuses)(name))
            .find_map(|name| Name::parse(&name).ok())?;
        self.taken.insert(name.as_str().to_owned());
        Some(name)
    }
}

/// A digit or two say nothing.
fn is_readable(slug: &str) -> bool {
    slug.len() > 1 && slug.bytes().any(|b| b.is_ascii_lowercase())
}

/// A text in lower-case letters, digits and hyphens; letters of other scripts are left out.
pub(super) fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    let mut is_between = false;
    // Compatible forms first: full-width letters are letters.
    for c in text.nfkd().filter(|c| !is_combining_mark(*c) && !is_silent(*c)) {
        let plain = plain(c);
        for c in plain.as_str().chars().flat_map(char::to_lowercase) {
            if !c.is_ascii_alphanumeric() {
                is_between = true;
                continue;
            }
            if slug.len() >= READABLE_MAX {
                return slug;
            }
            if is_between && !slug.is_empty() {
                slug.push('-');
            }
            is_between = false;
            slug.push(c);
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

/// O'Brien is one word.
fn is_silent(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}')
}

/// A letter that decomposes into nothing, as people write it where it is missing.
fn plain(c: char) -> crate::model::Str {
    let known = match c {
        'ß' => "ss",
        'æ' | 'Æ' => "ae",
        'œ' | 'Œ' => "oe",
        'ø' | 'Ø' => "o",
        'ð' | 'Ð' | 'đ' | 'Đ' => "d",
        'þ' | 'Þ' => "th",
        'ł' | 'Ł' => "l",
        'ı' => "i",
        '&' => "-and-",
        _ => {
            let mut own = crate::model::Str::default();
            own.push(c);
            return own;
        }
    };
    known.into()
}

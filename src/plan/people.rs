//! Who may do what as things stand, and as each step leaves them: what guards count and policies ask.

use std::collections::{BTreeMap, BTreeSet};

use super::bind::Binding;
use super::change::Target;
use super::effect::Effect;
use super::gather::Gather;
use super::holdings;
use super::input::Actor;
use crate::model::Str;
use crate::model::contact::Email;
use crate::model::label::Labels;
use crate::model::name::{Kind, UserKey};
use crate::model::record::ObjectKey;
use crate::model::scalar::Scalar;
use crate::model::tenant::{self, ObjectId};
use crate::policy::world::declared::{Someone, admin_role, agent_role};
use crate::policy::world::{Shape, Type, Uid};

/// Somebody, as the tenant has them.
#[derive(Debug, Clone)]
pub(super) struct Person<'a> {
    /// By which policies and reports know them.
    name: Str,
    enabled: bool,
    guest: bool,
    email: String,
    labels: Option<&'a Labels>,
    /// Held directly and for good.
    roles: BTreeSet<Str>,
    /// Held for now, or through something else.
    otherwise: BTreeSet<Str>,
    eligible: BTreeSet<Str>,
    is_deleted: bool,
}

impl Person<'_> {
    /// Whether guards count them as holding a role.
    fn counts(&self, role: &str) -> bool {
        self.enabled && !self.guest && !self.is_deleted && self.roles.contains(role)
    }

    pub(super) fn uid(&self) -> Uid {
        Uid::new(Type::User, self.name.clone())
    }

    pub(super) fn is_enabled(&self) -> bool {
        self.enabled
    }

    pub(super) fn is_guest(&self) -> bool {
        self.guest
    }

    pub(super) fn is_gone(&self) -> bool {
        self.is_deleted
    }

    pub(super) fn roles(&self) -> impl Iterator<Item = &Str> {
        self.roles.iter().chain(&self.otherwise)
    }

    /// Whether they can come to hold a role for a while by themselves.
    pub(super) fn may_activate(&self, role: &str) -> bool {
        self.eligible.contains(role)
    }

    /// What policies can read of them.
    pub(super) fn shape(&self) -> Shape {
        let email = Email::parse(&self.email).ok();
        let domain = self.email.rsplit_once('@').map_or("", |(_, domain)| domain).to_lowercase();
        Someone {
            enabled: self.enabled,
            expired: false,
            guest: self.guest,
            email_domain: &domain,
            webmail: email.is_some_and(|email| email.is_webmail()),
            labels: self.labels,
        }
        .shape(self.eligible.iter().map(Str::as_str), self.roles().map(Str::as_str))
    }
}

/// Everybody who matters.
#[derive(Debug, Clone)]
pub(super) struct People<'a> {
    all: BTreeMap<Target, Person<'a>>,
    pub(super) actor: Option<Target>,
}

impl<'a> People<'a> {
    pub(super) fn new(gather: &Gather<'a>) -> Self {
        let snapshot = gather.input.snapshot;
        let mut all = BTreeMap::new();
        for (id, user) in &snapshot.users {
            all.insert(Target::Id(*id), person(gather, *id, user));
        }
        for (id, user) in &snapshot.deleted_users {
            let person = Person {
                name: user.sign_in_name.to_lowercase().into(),
                enabled: false,
                guest: false,
                email: user.sign_in_name.clone(),
                labels: None,
                roles: BTreeSet::new(),
                otherwise: BTreeSet::new(),
                eligible: BTreeSet::new(),
                is_deleted: true,
            };
            all.insert(Target::Id(*id), person);
        }
        for (key, binding) in &gather.bound.users {
            let object = ObjectKey::new(Kind::User, key.as_str());
            if matches!(binding, Binding::Absent(None) | Binding::Gone(None))
                && let Some(declared) = gather.input.estate.users.get(key)
            {
                let person = Person {
                    name: key.as_str().into(),
                    enabled: declared.spec.enabled,
                    guest: declared.spec.is_guest(),
                    email: declared.spec.email.as_str().to_owned(),
                    labels: Some(&declared.metadata.labels),
                    roles: BTreeSet::new(),
                    otherwise: BTreeSet::new(),
                    eligible: BTreeSet::new(),
                    // Nobody yet.
                    is_deleted: true,
                };
                all.insert(Target::MadeFor(object), person);
            }
        }
        let actor = match &gather.input.actor {
            Some(Actor::User(id)) => Some(Target::Id(*id)),
            _ => None,
        };
        Self { all, actor }
    }

    pub(super) fn get(&self, target: &Target) -> Option<&Person<'a>> {
        self.all.get(target)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Person<'a>> {
        self.all.values()
    }

    /// How many hold a role as guards count it.
    pub(super) fn count(&self, role: &str) -> usize {
        self.all.values().filter(|person| person.counts(role)).count()
    }

    /// The one whom a step is about, alone.
    pub(super) fn clone_for(&self, effect: &Effect) -> Option<Self> {
        let user = effect.user()?;
        let person = self.all.get(user)?.clone();
        Some(Self { all: BTreeMap::from([(user.clone(), person)]), actor: None })
    }

    /// How many hold a role if some are as `changed` has them.
    pub(super) fn count_with(&self, role: &str, changed: &Self) -> usize {
        let others = self.all.iter().filter(|(user, _)| !changed.all.contains_key(*user));
        others.filter(|(_, person)| person.counts(role)).count() + changed.count(role)
    }

    /// Whether somebody is the only one who holds a role.
    pub(super) fn is_last(&self, target: &Target, role: &str) -> bool {
        let mut holders = self.all.iter().filter(|(_, person)| person.counts(role));
        holders.next().is_some_and(|(holder, _)| holder == target) && holders.next().is_none()
    }

    /// As a step leaves them.
    pub(super) fn apply(&mut self, effect: &Effect) {
        let Some(person) = effect.user().and_then(|user| self.all.get_mut(user)) else { return };
        match effect {
            Effect::Makes { enabled, .. } => {
                person.is_deleted = false;
                person.enabled = *enabled;
            }
            Effect::Restores { .. } => {
                person.is_deleted = false;
                person.enabled = false;
            }
            Effect::Enables { .. } => person.enabled = true,
            Effect::Disables { .. } => person.enabled = false,
            Effect::Deletes { .. } => person.is_deleted = true,
            Effect::Gives { role, .. } => {
                person.roles.insert(role.clone());
            }
            Effect::Takes { role, .. } => {
                person.roles.remove(role);
            }
            Effect::Nothing | Effect::Begins { .. } | Effect::Ends { .. } => {}
        }
    }
}

fn person<'a>(gather: &Gather<'a>, id: ObjectId, user: &tenant::User) -> Person<'a> {
    let key: Option<UserKey> = gather.user_of(id);
    let declared = key.as_ref().and_then(|key| gather.input.estate.users.get(key));
    let live = holdings::live(gather, id);
    let roles: BTreeSet<Str> = live.held.iter().map(|held| held.role.clone()).collect();
    let eligible = live.eligible.iter().map(|level| Str::from(admin_role(*level))).collect();
    Person {
        name: key
            .map_or_else(|| user.sign_in_name.to_lowercase().into(), |key| key.as_str().into()),
        enabled: user.enabled.unwrap_or(false),
        guest: user.is_guest,
        email: user.email.clone().unwrap_or_else(|| user.sign_in_name.clone()),
        labels: declared.map(|declared| &declared.metadata.labels),
        otherwise: otherwise(gather, id, &roles),
        roles,
        eligible,
        is_deleted: false,
    }
}

/// What somebody holds through groups within groups, through groups that hold directory roles, or
/// because they activated it for now.
fn otherwise(gather: &Gather<'_>, id: ObjectId, direct: &BTreeSet<Str>) -> BTreeSet<Str> {
    let mut groups: Vec<ObjectId> = gather.index.groups_of(id).to_vec();
    let mut seen: BTreeSet<ObjectId> = groups.iter().copied().collect();
    while let Some(group) = groups.pop() {
        for outer in gather.index.groups_of(group) {
            if seen.insert(*outer) {
                groups.push(*outer);
            }
        }
    }
    let mut held = BTreeSet::new();
    for (level, (group, _)) in &gather.agent_groups {
        if seen.contains(group) {
            held.insert(Str::from(agent_role(*level)));
        }
    }
    for (key, binding) in &gather.bound.roles {
        if binding.live().is_some_and(|group| seen.contains(&group)) {
            held.insert(key.as_str().into());
        }
    }
    for level in crate::model::user::AdminLevel::ALL {
        let Some(role) = holdings::template_of(*level) else { continue };
        let principals = seen.iter().chain([&id]);
        let holds = principals
            .into_iter()
            .any(|principal| gather.index.holds(*principal, role, tenant::Holding::Active));
        if holds {
            held.insert(admin_role(*level).into());
        }
    }
    held.retain(|role| !direct.contains(role));
    held
}

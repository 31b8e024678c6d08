//! The environments of the vocabulary, and which policies could apply in each.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::LazyLock;

use cedar_policy::{
    EntityTypeName, Policy, PolicySet, PrincipalConstraint, RequestEnv, ResourceConstraint,
};

use crate::model::Str;
use crate::model::action::Action;
use crate::model::scalar::Scalar;
use crate::policy::level::Level;
use crate::policy::rules::{self, Rule, Rules};
use crate::policy::vocabulary;
use crate::policy::world::Type;

/// A type of principals, an action, and a type of resources that the vocabulary lets meet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Environment {
    /// As the vocabulary has it: questions about the estate itself are actions too.
    pub action: Str,
    pub principal: Type,
    pub resource: Type,
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, principal, resource } = self;
        write!(f, "{} {action} {}", principal.word(), resource.word())
    }
}

impl Environment {
    /// All of them, by action and types.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        static ALL: LazyLock<Vec<Environment>> = LazyLock::new(|| {
            let named = vocabulary::schema().request_envs().filter_map(|env| {
                let [principal, resource] = [env.principal(), env.resource()]
                    .map(|name| Type::from_word(&name.to_string()));
                Some(Environment {
                    action: env.action().id().unescaped().into(),
                    principal: principal?,
                    resource: resource?,
                })
            });
            // Cedar gives them in whatever order its maps have.
            let all: BTreeSet<Environment> = named.collect();
            all.into_iter().collect()
        });
        ALL.iter()
    }

    /// What people do; nothing for a question about the estate itself.
    pub fn deed(&self) -> Option<Action> {
        Action::parse(&self.action).ok()
    }

    pub(super) fn cedar(&self) -> RequestEnv {
        RequestEnv::new(
            self.principal.cedar(),
            vocabulary::action_uid(&self.action),
            self.resource.cedar(),
        )
    }

    /// Whether the scope of a policy leaves room for it here.
    pub(crate) fn admits(&self, policy: &Policy) -> bool {
        let is = |ty: Type, name: &EntityTypeName| ty.cedar() == *name;
        let principal = match policy.principal_constraint() {
            PrincipalConstraint::Any | PrincipalConstraint::In(_) => true,
            PrincipalConstraint::Eq(uid) => is(self.principal, uid.type_name()),
            PrincipalConstraint::Is(ty) | PrincipalConstraint::IsIn(ty, _) => {
                is(self.principal, &ty)
            }
        };
        let resource = || match policy.resource_constraint() {
            ResourceConstraint::Any | ResourceConstraint::In(_) => true,
            ResourceConstraint::Eq(uid) => is(self.resource, uid.type_name()),
            ResourceConstraint::Is(ty) | ResourceConstraint::IsIn(ty, _) => is(self.resource, &ty),
        };
        principal && vocabulary::admits(policy, &vocabulary::action_uid(&self.action)) && resource()
    }
}

/// The policies of one side that count.
#[derive(Debug)]
pub(super) struct Book<'a> {
    all: Vec<Entry<'a>>,
}

#[derive(Debug, Clone)]
pub(super) struct Entry<'a> {
    pub rule: &'a Rule,
    /// What it says, without its name and its annotations.
    body: String,
}

impl<'a> Book<'a> {
    /// All permits, and those forbids that are at least so strict.
    pub(super) fn of(rules: &'a Rules, strictness: Level) -> Self {
        let counted =
            rules.iter().filter(|rule| rule.permits() || Level::binds(rule.level, strictness));
        Self { all: counted.map(|rule| Entry { rule, body: body(&rule.policy) }).collect() }
    }

    /// All but those with these ids.
    pub(super) fn without(mut self, ids: &BTreeSet<String>) -> Self {
        self.all.retain(|entry| !ids.contains(entry.rule.id()));
        self
    }

    /// Those that could apply in an environment.
    pub(super) fn page(&self, environment: &Environment) -> Page<'a> {
        let those = self.all.iter().filter(|entry| environment.admits(&entry.rule.policy));
        Page { entries: those.cloned().collect() }
    }

    /// All of them, as Cedar's authorizer takes them.
    pub(super) fn set(&self) -> PolicySet {
        rules::set(self.all.iter().map(|entry| &entry.rule.policy))
    }
}

/// The policies that could apply in one environment.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub entries: Vec<Entry<'a>>,
}

impl<'a> Page<'a> {
    /// Those forbids alone that have this level.
    pub(super) fn at(&self, level: Level) -> Page<'a> {
        let those = |entry: &&Entry<'a>| {
            !entry.rule.permits() && entry.rule.level.unwrap_or(Level::Hard) == level
        };
        Page { entries: self.entries.iter().filter(those).cloned().collect() }
    }

    /// Whether both say the same, in whatever order and however often.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let bodies =
            |page: &Self| page.entries.iter().map(|e| e.body.clone()).collect::<BTreeSet<_>>();
        bodies(self) == bodies(other)
    }

    pub(super) fn set(&self) -> PolicySet {
        rules::set(self.entries.iter().map(|entry| &entry.rule.policy))
    }
}

/// What a policy says, without its name and its annotations.
fn body(policy: &Policy) -> String {
    match policy.to_json() {
        Ok(mut json) => {
            if let Some(object) = json.as_object_mut() {
                object.remove("annotations");
            }
            json.to_string()
        }
        // What cannot be written down equals nothing but itself.
        Err(_) => policy.to_string(),
    }
}

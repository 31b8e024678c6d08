//! A request that shows something, in words.

use std::fmt;

use crate::model::Str;
use crate::policy::expect::object;
use crate::policy::world::{Type, Uid};

/// A request that shows something: who does what to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    pub principal: Party,
    pub action: Str,
    pub resource: Party,
    /// What the context says, in words; nothing where it does not matter.
    pub context: Vec<String>,
    /// Others of whom it matters what they are like.
    pub others: Vec<Party>,
    /// The authorizer says the same. Otherwise it is the solver's word alone.
    pub confirmed: bool,
    /// Principal and resource are of the world that was handed in.
    pub real: bool,
    /// The ids of the policies that permit it, on the side that does.
    pub by: Vec<String>,
    /// The ids of those that forbid it, on the side that does not permit it; none if no policy
    /// there permits it.
    pub against: Vec<String>,
}

/// Somebody or something in an example.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Party {
    pub ty: Type,
    /// If it is somebody whom a policy names, or a real one.
    pub name: Option<Str>,
    /// What is out of the ordinary and matters, in words.
    pub facts: Vec<String>,
    /// The principal itself.
    pub is_self: bool,
}

pub(super) const fn kind(ty: Type) -> &'static str {
    match ty {
        Type::User => "user",
        Type::Application => "application",
        Type::Role => "role",
        Type::Customer => "customer",
        Type::Provider => "indirect provider",
        Type::Reseller => "indirect reseller",
        Type::Account => "account",
    }
}

impl Party {
    /// Somebody of the world.
    pub(super) fn real(uid: &Uid) -> Self {
        Self { ty: uid.ty, name: Some(uid.name.clone()), facts: Vec::new(), is_self: false }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ty, name, facts, is_self } = self;
        if *is_self {
            return f.write_str("itself");
        }
        if let Some(name) = name {
            f.write_str(&object(&Uid::new(*ty, name.clone())))?;
        } else {
            let kind = kind(*ty);
            let article = if kind.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
            write!(f, "{article} {kind}")?;
        }
        if facts.is_empty() { Ok(()) } else { write!(f, " ({})", facts.join(", ")) }
    }
}

impl Witness {
    /// What it shows: `a user (in role/admin-agent) may view-customer on a customer`.
    pub fn sentence(&self) -> String {
        let Self { principal, action, resource, context, others, .. } = self;
        let mut text = format!("{principal} may {action} on {resource}");
        if !context.is_empty() {
            text.push_str(", with ");
            text.push_str(&context.join(", "));
        }
        for party in others {
            text.push_str(", where there is ");
            text.push_str(&party.to_string());
        }
        text
    }
}

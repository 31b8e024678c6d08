//! Somebody who is not there: whoever holds one role, and nothing else.

use std::collections::BTreeSet;

use super::declared::{EVERYONE, GUEST};
use super::{Shape, Type, Uid, Value, World};
use crate::model::Str;
use crate::model::estate::Estate;
use crate::model::time::Day;

/// No document can have such a name.
const SUPPOSED: &str = "(supposed)";

impl World {
    /// A world in which nobody holds anything: the built-in roles, and one of each type to do
    /// something to.
    pub fn empty_handed() -> Self {
        let mut world = Self::declared(&Estate::default(), Day(jiff::civil::Date::ZERO));
        for ty in Type::ALL {
            let attributes = match ty {
                Type::User => person(),
                Type::Customer => vec![
                    ("relationship", Value::Text("reseller".into())),
                    ("origin", Value::Text("existing".into())),
                    ("qualification", Value::Text("none".into())),
                    ("known", Value::Bool(true)),
                    ("providers", Value::Set(BTreeSet::from([Self::supposed(Type::Provider)]))),
                ],
                Type::Provider | Type::Reseller => vec![("active", Value::Bool(true))],
                Type::Account => vec![
                    ("program", Value::Text("indirect-provider".into())),
                    ("cloud", Value::Text("global".into())),
                    ("country", Value::Text("JP".into())),
                ],
                Type::Application => Vec::new(),
                Type::Role => continue,
            };
            world.suppose(Self::supposed(ty), Shape { attributes, ..Shape::default() });
        }
        world
    }

    /// The one of a type that an empty-handed world has.
    pub fn supposed(ty: Type) -> Uid {
        Uid::new(ty, SUPPOSED)
    }

    /// Adds somebody who holds a role and nothing else: one of ours, enabled, reached at work.
    pub fn suppose_holder(&mut self, role: &str) -> Uid {
        let roles = [role, EVERYONE].map(|role| Uid::new(Type::Role, role));
        let held = Value::Set(BTreeSet::from([Uid::new(Type::Role, role)]));
        let mut attributes = person();
        for (name, value) in &mut attributes {
            match *name {
                "guest" => *value = Value::Bool(role == GUEST),
                "holds" => *value = held.clone(),
                _ => {}
            }
        }
        let uid = Uid::new(Type::User, Str::from(format!("(holder of {role})")));
        let shape = Shape { attributes, tags: Vec::new(), parents: BTreeSet::from(roles) };
        self.suppose(uid.clone(), shape);
        uid
    }
}

fn person() -> Vec<(&'static str, Value)> {
    vec![
        ("enabled", Value::Bool(true)),
        ("expired", Value::Bool(false)),
        ("guest", Value::Bool(false)),
        ("emailDomain", Value::Text("partner.example".into())),
        ("webmail", Value::Bool(false)),
        ("eligible", Value::Set(BTreeSet::new())),
        ("holds", Value::Set(BTreeSet::new())),
    ]
}

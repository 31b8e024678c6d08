//! Access tests that go, or say something else: what they held nobody holds any more.

use super::{Effect, Found, Subject};
use crate::model::access_test::{Check, Target};
use crate::model::name::{CustomerKey, Kind, Name, Reference, UserKey};
use crate::model::scalar::Scalar;
use crate::model::text::Title;
use crate::review::Input;
use crate::review::place::{Side, field};
use crate::review::renamed::Renames;

pub(super) fn compare(input: &Input<'_>, renames: &Renames, found: &mut Vec<Found>) {
    let (base, head) =
        (&input.base.loaded.estate.access_tests, &input.head.loaded.estate.access_tests);
    for (name, before) in base {
        let word = name.as_str();
        let told = |effect, message| Found::new(effect, Subject::AccessTest, word, message);
        match head.get(name) {
            None => {
                let message = format!("the access test `{word}` is deleted");
                let at = field(before.origin, "metadata.name");
                found.push(told(Effect::Weakens, message).at(Side::Base, at));
            }
            Some(after) if before.spec != after.spec => {
                let asked = before.spec.checks.iter().map(|check| renamed(check, renames));
                let lost = asked.filter(|one| !after.spec.checks.contains(one)).count();
                let at = field(after.origin, "spec");
                let one = match lost {
                    0 if after.spec.checks.len() == before.spec.checks.len() => continue,
                    0 => told(Effect::Tightens, format!("the access test `{word}` asks more")),
                    count => {
                        let lines = if count == 1 { "line is" } else { "lines are" };
                        let message = format!(
                            "the access test `{word}` asks something else: {count} {lines} not as before"
                        );
                        told(Effect::MayWeaken, message)
                    }
                };
                found.push(one.at(Side::Head, at));
            }
            Some(_) => {}
        }
    }
}

/// A line of the base, by the head's names.
fn renamed(check: &Check, renames: &Renames) -> Check {
    let name = |kind: Kind, name: &Name| {
        Name::parse(renames.name(kind, name.as_str())).unwrap_or_else(|_| name.clone())
    };
    let reference = |reference: &Reference| match reference {
        Reference::Document(kind, old) => Reference::Document(*kind, name(*kind, old)),
        Reference::Application(id) => Reference::Application(*id),
    };
    let on = |target: &Target| match target {
        Target::One(one) => Target::One(reference(one)),
        Target::Customers(selector) => {
            let mut selector = selector.clone();
            for key in selector.names.iter_mut().chain(&mut selector.except) {
                *key = CustomerKey(name(Kind::Customer, &key.0));
            }
            Target::Customers(selector)
        }
    };
    match check {
        Check::Who { who, may, may_not, on: target, by } => Check::Who {
            who: reference(who),
            may: may.clone(),
            may_not: may_not.clone(),
            on: target.as_ref().map(on),
            by: by
                .as_ref()
                .map(|by| Title::parse(&renames.id(by.as_str())).unwrap_or_else(|_| by.clone())),
        },
        Check::Exactly { action, users, on: target } => Check::Exactly {
            action: *action,
            users: users.iter().map(|key| UserKey(name(Kind::User, &key.0))).collect(),
            on: target.as_ref().map(on),
        },
    }
}

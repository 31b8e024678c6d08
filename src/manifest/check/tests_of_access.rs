//! Access tests and waivers' subjects: whether what they speak of is there.

use super::customers::selector;
use super::references::{find, resolve};
use super::{World, at_field, object};
use crate::manifest::code::Code;
use crate::manifest::draft::{Draft, way};
use crate::model::access_test::{AccessTest, Check, Target};
use crate::model::estate::Declared;
use crate::model::name::{Kind, Reference};

pub(super) fn check(world: &World<'_>, drafts: &mut Vec<Draft>) {
    for (key, test) in &world.estate.access_tests {
        let object = object(Kind::AccessTest, key);
        for (index, check) in test.spec.checks.iter().enumerate() {
            one(world, test, index, check, &object, drafts);
        }
    }
}

fn one(
    world: &World<'_>,
    test: &Declared<AccessTest>,
    index: usize,
    check: &Check,
    object: &str,
    drafts: &mut Vec<Draft>,
) {
    let on = match check {
        Check::Who { who, on, .. } => {
            let at = || at_field(test, way!["spec", index, "who"]);
            match who {
                Reference::Document(Kind::User | Kind::Role | Kind::Partnership, _)
                | Reference::Application(_) => {
                    resolve(world, who, at, || object.to_owned(), drafts);
                }
                Reference::Document(kind, _) => drafts.push(
                    Draft::new(
                        Code::P0304,
                        at(),
                        format!("a {} does nothing that could be tested", kind.word()),
                    )
                    .help("let `who` name a user, a role, a partnership or an application")
                    .object(object),
                ),
            }
            on
        }
        Check::Exactly { users, on, .. } => {
            for (at, user) in users.iter().enumerate() {
                let at = || at_field(test, way!["spec", index, "exactly", at]);
                find(
                    world,
                    Kind::User,
                    &world.estate.users,
                    user.as_str(),
                    at,
                    || object.to_owned(),
                    drafts,
                );
            }
            on
        }
    };
    match on {
        Some(Target::One(reference)) => {
            resolve(
                world,
                reference,
                || at_field(test, way!["spec", index, "on"]),
                || object.to_owned(),
                drafts,
            );
        }
        Some(Target::Customers(customers)) => {
            selector(world, test, customers, way!["spec", index, "on"], object, drafts);
        }
        None => {}
    }
}

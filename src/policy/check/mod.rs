//! What policies find wrong with an estate, and with themselves.
//!
//! Small functions in a list, as with the checks of manifests. Most estates have no policies of
//! their own, and a validation of ten thousand documents takes fifty milliseconds: nothing is
//! evaluated whose answer nobody could want.

mod carriers;
mod guards;
mod invariants;
mod least;
mod lint;
mod own;
pub(crate) mod proved;
mod selections;
#[cfg(test)]
mod tests;

use crate::manifest::code::{Code, Severity};
use crate::manifest::draft::{Draft, way};
use crate::manifest::source::Format;
use crate::manifest::{Examined, Examiner};
use crate::model::name::Kind;

use super::rules::Rules;
use crate::manifest::check::{World as Checked, at_field, object};
use selections::Selections;

/// Examines an estate with the policies that hold for it.
#[derive(Debug, Clone, Copy)]
pub struct Policies;

impl Examiner for Policies {
    fn examine(&self, examined: &mut Examined<'_, '_>) {
        let _: Invariants = examine(examined);
    }
}

/// Whether invariants were held against an estate: that nothing is found wrong with one means
/// that it holds only if they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Invariants {
    /// All of them.
    Checked,
    /// Only what is never so: this is a part of an estate.
    OfPart,
    /// None of them, as something else is wrong.
    Unchecked,
}

/// Examines an estate with the policies that hold for it.
pub(crate) fn examine(examined: &mut Examined<'_, '_>) -> Invariants {
    let Examined { world, sources, drafts } = examined;
    customers_of_the_account(world, drafts);
    // What warns and notes is about an estate that is right: a mistake is told once.
    let is_right = !drafts.iter().any(is_wrong);
    let is_whole = world.sees_everything();
    if is_right && is_whole {
        let mut selections = Selections::new(world);
        carriers::check(world, &mut selections, drafts);
        least::check(world, &mut selections, drafts);
    }
    let mark = drafts.len();
    let mut rules = None;
    if sources.iter().any(|(_, source)| source.format == Format::Cedar) {
        let (found, problems) = Rules::of(world.estate, sources, world.today);
        own::problems(problems, drafts);
        own::check(world, sources, &found, drafts);
        invariants::form(&found, sources, drafts);
        rules = Some(found);
    }
    // What is only warned of leaves the policies as they are: they are asked all the same.
    let policies_are_right = !drafts.iter().skip(mark).any(is_wrong);
    guards::check(world, rules.as_ref(), drafts);
    if !is_right || !policies_are_right {
        return Invariants::Unchecked;
    }
    if is_whole {
        lint::check(world, rules.as_ref(), drafts);
    }
    // What is never permitted is wrong in a part of an estate, too.
    if let Some(rules) = &rules {
        invariants::check(world, sources, rules, drafts);
    }
    if is_whole { Invariants::Checked } else { Invariants::OfPart }
}

/// Whether what is found stands in the way: somebody has to correct it.
pub(crate) fn is_wrong(draft: &Draft) -> bool {
    draft.severity == Severity::Error && !draft.code.waivable()
}

/// A permission limited to customers, for an action that is done to none.
fn customers_of_the_account(world: &Checked<'_>, drafts: &mut Vec<Draft>) {
    for (key, role) in &world.estate.roles {
        for (index, permission) in role.spec.permissions.iter().enumerate() {
            if permission.customers.is_none() {
                continue;
            }
            for (at, action) in permission.allow.iter().enumerate() {
                if action.is_done_to_customers() {
                    continue;
                }
                let path = way!["spec", "permissions", index, "allow", at];
                drafts.push(
                    Draft::new(
                        Code::P1103,
                        at_field(role, path),
                        format!("`{action}` is not done to customers"),
                    )
                    .help("give it a permission of its own, without `customers`")
                    .object(object(Kind::Role, key)),
                );
            }
        }
    }
}

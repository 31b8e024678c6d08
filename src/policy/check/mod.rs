//! What policies find wrong with an estate, and with themselves.
//!
//! Small functions in a list, as with the checks of manifests. Most estates have no policies of
//! their own, and a validation of ten thousand documents takes fifty milliseconds: nothing is
//! evaluated whose answer nobody could want.

mod carriers;
mod guards;
mod lint;
mod own;

use crate::manifest::code::Code;
use crate::manifest::draft::{Draft, way};
use crate::manifest::source::Format;
use crate::manifest::{Examined, Examiner};
use crate::model::name::Kind;

use super::rules::Rules;
use crate::manifest::check::{World as Checked, at_field, object};

/// Examines an estate with the policies that hold for it.
#[derive(Debug, Clone, Copy)]
pub struct Policies;

impl Examiner for Policies {
    fn examine(&self, examined: &mut Examined<'_, '_>) {
        let Examined { world, sources, drafts } = examined;
        customers_of_the_account(world, drafts);
        carriers::check(world, drafts);
        let is_own = |format| format == Format::Cedar;
        if !sources.iter().any(|(_, source)| is_own(source.format)) {
            guards::check(world, None, drafts);
            lint::check(world, None, drafts);
            return;
        }
        let (rules, problems) = Rules::of(world.estate, sources, world.today);
        let are_right = problems.is_empty();
        own::problems(problems, drafts);
        let mark = drafts.len();
        own::check(world, sources, &rules, drafts);
        guards::check(world, Some(&rules), drafts);
        // What nobody may do is not known while a policy is not right.
        if are_right && drafts.len() == mark {
            lint::check(world, Some(&rules), drafts);
        }
    }
}

/// A permission limited to customers, for an action that is done to none.
fn customers_of_the_account(world: &Checked<'_>, drafts: &mut Vec<Draft>) {
    for (key, role) in &world.estate.roles {
        for (index, permission) in role.spec.permissions.iter().enumerate() {
            if permission.customers.is_none() {
                continue;
            }
            for (at, action) in permission.allow.iter().enumerate() {
                if action.is_about_customers() {
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

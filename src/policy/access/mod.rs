//! Exact access: who may do what on what, and what differs between two sides.
//!
//! Ten thousand users, forty actions and ten thousand customers make four thousand million
//! questions. They are not sampled; most of them are the same question.
//!
//! **Why.** Cedar tells entities apart by what it reads of them (attributes, tags, ancestors) and by
//! whether two names are equal; it cannot look into a name. So take entities of one type that agree
//! in all that an expression reads of them, whom no policy names and no one else refers to: to
//! exchange two of them changes nothing that the expression could see, and its result for one is
//! its result for the other. The single pair that an exchange does not carry over is an entity on
//! itself, which is therefore asked apart ([`Pairing`]).
//!
//! **How.**
//! 1. `reads` walks each policy: which attributes and tags does an expression read, does it climb
//!    the hierarchy, whom does it name? A construct it does not know is [`Refused`].
//! 2. `column` takes a policy apart into conjuncts. What the context or the action decides alone is
//!    asked of Cedar at once, and dropped. Conjuncts that read only the principal, or only the
//!    resource, are *atoms*. In the others (mixed ones), the leaves under `&& || ! if` are.
//! 3. `look` reduces every entity to what is read of it at all: entities of one *look* need one
//!    representative. Each atom is a probe policy, and Cedar says for each representative whether it
//!    holds, fails, or errs.
//! 4. `classes` groups entities by the outcome, on both sides: which policies could still be
//!    satisfied (*alive*: all their atoms hold), and for those with mixed leaves what these read.
//! 5. `compare` puts, for actions to which the same policies apply, each class of principals before
//!    each class of resources. Which policies are alive for both is the *question*; where it is the
//!    same before and after, so is the answer. Every other question is asked once, of Cedar, with
//!    the whole policy set and two real entities.
//! 6. `merge` makes rectangles of the answers.
//!
//! Whether a request is allowed is decided by Cedar's authorizer alone, but that a forbid that errs
//! forbids (`judge::Ruling`). What is relied upon besides is that a policy is satisfied only when all its
//! conjuncts are true, that the first one in order that is not decides whether it errs, and that
//! `&&`, `||`, `!` and `if` depend on nothing but the outcome of their operands. `tests` holds all of
//! it against the naive loop.

mod ask;
mod classes;
mod column;
mod compare;
mod look;
mod merge;
mod order;
mod reads;
mod rectangle;
mod roster;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use cedar_policy::{Context, Policy, PolicyId, PolicySet};

use classes::{Classes, Regards};
use column::{Columns, Parsed};
use compare::{Comparison, Sheet};
use look::Names;
use merge::Direction;
use reads::Footprint;
pub use rectangle::{Access, Difference, Pairing, Rectangle};
use roster::{Roster, Types};

use super::judge::{Failing, Ruling};
use super::world::{Type, Uid, World};
use crate::model::action::Action;

/// Policies, and what they are asked about.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// With ids as they shall be reported.
    pub policies: &'a PolicySet,
    pub world: &'a World,
    pub failing: Failing<'a>,
}

impl<'a> Side<'a> {
    /// As everybody is judged: whatever forbids and cannot be evaluated, forbids.
    pub const fn new(policies: &'a PolicySet, world: &'a World) -> Self {
        Self { policies, world, failing: Failing::Forbids }
    }
}

/// Who, or on what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// All entities of these types.
    Types(BTreeSet<Type>),
    /// These alone. Who is not in a world has no access there.
    Listed(BTreeSet<Uid>),
}

/// What is asked about.
///
/// A principal, an action and a resource are asked about where the vocabulary lets their types meet.
#[derive(Debug, Clone)]
pub struct Universe {
    pub principals: Which,
    pub actions: BTreeSet<Action>,
    pub resources: Which,
    /// Access is worked out for each of these apart.
    pub contexts: Vec<Context>,
}

/// Every user, every action, everything, in an empty context.
impl Default for Universe {
    fn default() -> Self {
        Self {
            principals: Which::Types(BTreeSet::from([Type::User])),
            actions: Action::ALL.iter().copied().collect(),
            resources: Which::Types(Type::ALL.into_iter().collect()),
            contexts: vec![Context::empty()],
        }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// A policy that was made from a template.
    Linked { policy: PolicyId },
    /// A policy holds something that this module does not know, and will not guess about.
    Unknown { policy: PolicyId, what: String },
    /// Cedar did not take an entity, a policy or a request that was made from those given.
    Cedar { what: String },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linked { policy } => {
                write!(f, "policy `{policy}` is linked to a template: write it out instead")
            }
            Self::Unknown { policy, what } => {
                write!(f, "policy `{policy}` holds what cannot be analysed: {what}")
            }
            Self::Cedar { what } => {
                write!(f, "Cedar refused what access is worked out with: {what}")
            }
        }
    }
}

impl std::error::Error for Refused {}

/// Who may do what on what.
pub fn matrix<'a>(side: &Side<'a>, universe: &Universe) -> Result<Access<'a>, Refused> {
    let Difference { gained, lost: _ } = work([None, Some(*side)], universe, Care::Full)?;
    Ok(gained)
}

/// Who may do what on what after that could not before, and the other way round.
pub fn difference<'a>(
    before: &Side<'a>,
    after: &Side<'a>,
    universe: &Universe,
) -> Result<Difference<'a>, Refused> {
    work([Some(*before), Some(*after)], universe, Care::Full)
}

/// Tests see to it that every part of the method is needed, by leaving one out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Care {
    Full,
    /// An atom that errs is one that fails.
    NoErrors,
    /// Whatever is not true stops a forbid, whichever was to be asked before.
    NoOrder,
    /// Nobody's name matters.
    NoNames,
    /// Leaves that compare principal and resource read nothing.
    NoLooks,
    /// An entity on itself is like any other pair.
    NoSelves,
}

fn work<'a>(
    sides: [Option<Side<'a>>; 2],
    universe: &Universe,
    care: Care,
) -> Result<Difference<'a>, Refused> {
    let (mut gained, mut lost, mut classes) = (Vec::new(), Vec::new(), Vec::new());
    for (at, context) in universe.contexts.iter().enumerate() {
        let case = Case { sides, universe, context, care };
        let (sheets, answers, found) = case.work()?;
        gained.extend(merge::rectangles(&sheets, &answers, Direction::Gained, &found, at));
        lost.extend(merge::rectangles(&sheets, &answers, Direction::Lost, &found, at));
        classes.push(found);
    }
    let classes = Arc::new(classes);
    Ok(Difference {
        gained: Access { rectangles: gained, classes: Arc::clone(&classes) },
        lost: Access { rectangles: lost, classes },
    })
}

/// One context.
struct Case<'c, 'a> {
    sides: [Option<Side<'a>>; 2],
    universe: &'c Universe,
    context: &'c Context,
    care: Care,
}

impl<'a> Case<'_, 'a> {
    fn work(&self) -> Result<(Vec<Sheet>, Vec<Ruling>, Classes<'a>), Refused> {
        let worlds = self.sides.map(|side| side.map(|side| side.world));
        let policies = self.policies()?;
        let (names, footprint) = self.names(&policies);
        let columns = self.columns(&policies, &names)?;
        let types = Types::of_all(&self.universe.actions);
        let roster = Roster::new(worlds, self.universe, &types, &footprint, &names, self.care);
        let regards = Regards {
            worlds,
            columns: &columns,
            names: &names,
            types: &types,
            context: self.context,
            care: self.care,
        };
        let classes = Classes::new(roster, &regards)?;
        let mut comparison = Comparison::new(&classes, &columns.all, self.care);
        let groups = compare::groups(&self.universe.actions, &columns.all);
        let sheets: Vec<Sheet> = groups.into_iter().map(|group| comparison.sheet(group)).collect();
        let answers = comparison.answers(self.sides, &names, self.context)?;
        Ok((sheets, answers, classes))
    }

    /// Before and after, by id.
    fn policies(&self) -> Result<[Vec<Parsed>; 2], Refused> {
        let read = |side: Option<Side<'_>>| -> Result<Vec<Parsed>, Refused> {
            let Some(side) = side else { return Ok(Vec::new()) };
            let mut policies: Vec<&Policy> = side.policies.policies().collect();
            policies.sort_by_key(|policy| policy.id());
            policies.into_iter().map(|policy| Parsed::of(policy, side.failing)).collect()
        };
        let [before, after] = self.sides;
        Ok([read(before)?, read(after)?])
    }

    /// Whose name matters, and what is read at all.
    fn names(&self, policies: &[Vec<Parsed>; 2]) -> (Names, Footprint) {
        let (mut names, mut footprint) = (Names::default(), Footprint::default());
        for policy in policies.iter().flatten() {
            names.all.extend(policy.reads.named.iter().cloned());
            names.opened.extend(policy.reads.opened.iter().cloned());
            footprint.absorb(&policy.reads.footprint);
        }
        names.mention(self.context);
        for side in self.sides.into_iter().flatten() {
            names.refer(side.world, &footprint);
        }
        (names, footprint)
    }

    fn columns(&self, policies: &[Vec<Parsed>; 2], names: &Names) -> Result<Columns, Refused> {
        let mut drafts = [Vec::new(), Vec::new()];
        for ((drafts, policies), side) in drafts.iter_mut().zip(policies).zip(self.sides) {
            let world = side.map(|side| side.world);
            let background = ask::store(world, names.opened.clone())?;
            for policy in policies {
                drafts.extend(policy.drafts(&self.universe.actions, self.context, &background)?);
            }
        }
        let worlds = self.sides.map(|side| side.map(|side| side.world));
        let [before, mut after] = drafts;
        let mut columns = Columns::default();
        for draft in before {
            // What compares principal and resource must see the same others on both sides.
            let comparable = Columns::compares(&draft)
                .all(|footprint| names.same_background(worlds, &footprint));
            let same = after.iter().position(|other| comparable && draft.says_the_same(other));
            let later = same.map(|at| after.remove(at).actions).unwrap_or_default();
            columns.add(&draft, [draft.actions.clone(), later]);
        }
        for draft in after {
            columns.add(&draft, [BTreeSet::new(), draft.actions.clone()]);
        }
        Ok(columns)
    }
}

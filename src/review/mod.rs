//! What a pull request really changes: two sides of a project, compared.
//!
//! * [`rules`] is what it changes about the rules it is judged by: policies, limits, guards,
//!   waivers, protection, the project file. It comes first, because whoever changes the rules and
//!   something else in one commit must not pass by their own rules;
//! * [`privilege`] is who comes to hold what is dangerous in anybody's hands;
//! * [`standing`] is who may be somebody else now, and what holds for longer;
//! * [`findings`] are problems: new, fixed, still there, though lines moved;
//! * [`estate`] is what differs in the estate, object by object; `fields` field by field. Where a
//!   document stands and how it is laid out is no difference;
//! * [`access`] is who can do what that they could not, exactly;
//! * [`verdict`] is what of this the caller wants to be stopped by;
//! * `renamed` sees to it that who is `formerly` somebody is the same one, `place` knows lines.
//!
//! A function of two loads: nothing here opens a file, runs git or reads a clock. The base judges.
//! A proof over every estate there could be is not made here, because a solver is I/O; without one
//! the report says so ([`Proof`]), and never that something is safe.

pub mod access;
pub mod estate;
mod fields;
pub mod findings;
pub mod place;
pub mod privilege;
mod renamed;
pub mod rules;
pub mod standing;
pub mod verdict;

use schemars::JsonSchema;
use serde::Serialize;

use crate::manifest::Loaded;
use crate::model::project::{Limit, Limits, Project};
use crate::model::time::Day;
use crate::plan::Plan;
use crate::policy::rules::Rules;
use crate::policy::world::World;

pub use access::{AccessChange, Names, Rectangle};
pub use estate::{Became, FieldChange, ObjectChange};
pub use findings::{FindingState, Noted};
pub use place::{At, Side};
pub use privilege::{DirectoryGrant, RoleGrant};
pub use rules::{Effect, RuleChange, Subject};
pub use standing::{Standing, StandingChange};
pub use verdict::{FailOn, Verdict};

use renamed::Renames;

/// One side of the comparison, and what it says.
#[derive(Debug, Clone, Copy)]
pub struct Compared<'a> {
    pub loaded: &'a Loaded,
    pub rules: &'a Rules,
    pub world: &'a World,
}

/// What a review follows from.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    pub base: Compared<'a>,
    pub head: Compared<'a>,
    /// The head, judged by the base's policies, guards and waivers; nothing where these are its own.
    pub judged: Option<Compared<'a>>,
    /// There was no such project at the base.
    pub is_new: bool,
    pub today: Day,
}

/// A side, by the name that somebody gave it and the one it has.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Commit {
    /// As it was named; absent for the files as they are on disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rev: Option<String>,
    /// The commit; absent for the files as they are on disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// What the policies permit in every estate there could be, not in this one alone.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    /// `unchanged`, `narrowed`, `widened`, `both`, or `not-proved`, which is not safe.
    pub verdict: String,
    /// In a sentence.
    pub summary: String,
    /// Why nobody tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Something is permitted that was not, or objected to by less.
    #[serde(skip)]
    pub is_wider: bool,
    /// All that was proved, with examples.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    pub told: Option<serde_json::Value>,
    /// The same for a prompt.
    #[serde(skip)]
    pub text: String,
    /// The same for a comment.
    #[serde(skip)]
    pub comment: String,
}

/// What nobody has shown, said in every report: silence would be taken for a proof.
const NOT_PROVED: &str = "Not proved: this is about the estate as both sides declare it, not about every estate there could be.";

impl Default for Proof {
    fn default() -> Self {
        Self {
            verdict: "not-proved".to_owned(),
            summary: NOT_PROVED.to_owned(),
            why: None,
            is_wider: false,
            told: None,
            text: String::new(),
            comment: String::new(),
        }
    }
}

impl Proof {
    /// In a sentence, with why it is not more.
    pub fn sentence(&self) -> String {
        match &self.why {
            Some(why) => format!("{} ({why})", self.summary.trim_end_matches('.')),
            None => self.summary.clone(),
        }
    }
}

/// What a pull request changes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    pub base: Commit,
    pub head: Commit,
    /// The project's folder within the repository, with `/` behind; empty for its top.
    pub folder: String,
    /// The day as of which both sides are judged.
    pub as_of: String,
    pub verdict: Verdict,
    /// What a reader must know to read the rest rightly.
    pub notes: Vec<String>,
    /// What changes about the rules, what weakens them first.
    pub rules: Vec<RuleChange>,
    /// Who comes to hold a privileged role.
    pub roles: Vec<RoleGrant>,
    /// What our groups come to hold inside customers' tenants.
    pub directory_roles: Vec<DirectoryGrant>,
    /// Who may be somebody else, what holds for longer, what is open to others.
    pub standing: Vec<StandingChange>,
    pub findings: Vec<Noted>,
    pub changes: Vec<ObjectChange>,
    pub access: AccessChange,
    /// The part of it that the policies alone make, on the estate of the head; absent if they are
    /// the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_policies: Option<AccessChange>,
    /// Why who gains and loses what is not known, where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_unknown: Option<String>,
    /// The policies that decide, each once, by id.
    pub policies: Vec<access::Decider>,
    pub proof: Proof,
    /// Limits of the base that the plan is over, a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub over_limits: Vec<String>,
    /// What would be done to the tenant, where somebody planned it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    pub plan: Option<Plan>,
}

/// Compares two sides; whoever calls adds who they are, plans, and the verdict.
pub fn review(input: &Input<'_>) -> Review {
    let renames = Renames::of(input.base.loaded, input.head.loaded);
    let mut review = Review { as_of: input.today.to_string(), ..Review::default() };
    review.findings = findings::compare(input, &renames);
    review.rules = rules::compare(input, &renames);
    if review.is_unreadable() {
        let note = "the head is invalid: what it changes of the estate and of access is not told";
        review.notes.push(note.to_owned());
        return review;
    }
    if input.base.loaded.has_errors() && !input.is_new {
        let note = "the base has errors: it is compared as far as it could be read";
        review.notes.push(note.to_owned());
    }
    review.changes = estate::compare(input, &renames);
    review.roles = privilege::roles(input, &renames);
    review.directory_roles = privilege::directory_roles(input, &renames);
    review.standing = standing::changes(&review.changes);
    let holders = privilege::holders(input.head.world, &review.standing);
    for change in &mut review.standing {
        change.privileged = standing::is_privileged(change, &review.roles, &holders);
    }
    access::compare(input, &renames, &mut review);
    review
}

impl Review {
    /// Whether nothing could be said of the head's estate.
    pub fn is_unreadable(&self) -> bool {
        self.findings.iter().any(Noted::is_invalid)
    }

    /// Which limits the plan is over that its own project file does not have: the base's.
    pub fn over(&self, limits: &Limits) -> Vec<String> {
        let Some(plan) = &self.plan else { return Vec::new() };
        let bounds = [
            limits.removals,
            limits.privileged_grants,
            limits.customers_touched,
            limits.irreversible,
        ];
        let named = plan.limits.named().into_iter().zip(bounds);
        named
            .filter(|((_, measured), _)| !measured.exceeded && measured.planned > 0)
            .filter_map(|((name, measured), bound)| {
                let Limit { count, percent } = bound?;
                let used = measured.planned + measured.spent;
                let is_over = count.is_some_and(|count| used > u64::from(count))
                    || percent.is_some_and(|percent| {
                        measured.managed > 0 && used * 100 > u64::from(percent) * measured.managed
                    });
                is_over.then(|| format!("the plan is over the base's limit `{name}`: {used} of it"))
            })
            .collect()
    }
}

/// The project file of a side, or what holds without one.
fn project(loaded: &Loaded) -> Project {
    loaded.project.clone().unwrap_or_default()
}

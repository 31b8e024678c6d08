//! Proofs over policies: what holds in every estate there could be, not only in the one that is
//! declared.
//!
//! [`access`](super::access) compares two sides over the people and customers that there are. Here
//! a solver is asked about all that the vocabulary admits: any users, roles and customers, with any
//! labels, in any hierarchy, in any context. So a condition that lets nobody in today and somebody
//! in tomorrow is seen today.
//!
//! **What is compared** is what policies *permit*: all permits, and those forbids that nobody can
//! let pass. A guardrail that is `overridable` or `advisory` is no prohibition, as somebody can
//! answer for it or nobody has to; that less of them objects to something is said apart
//! ([`Judged::eased`]).
//!
//! **How.** The vocabulary has a number of *environments*: a type of principals, an action, a type
//! of resources. For each:
//! 1. `environment`: which policies could apply? If they are the same on both sides, so is what
//!    they permit, and nobody is asked.
//! 2. `prover` has the policies compiled into a question to the solver (`cedar-policy-symcc`), and
//!    asks: is there an estate in which this permits what that does not?
//! 3. `scene` replays the answer through Cedar's authorizer and takes away all that does not
//!    matter, `witness` says it in words. What the authorizer does not confirm is labelled so.
//! 4. `today` looks whether somebody real gains the same.
//!
//! The solver is a program of its own, so it is I/O: whoever calls hands in where solvers come from
//! ([`Solvers`]). Without one, or if it fails, the answer is *not proved*, and why; never *safe*.

mod compare;
mod environment;
pub mod invariants;
pub mod lint;
mod prover;
mod scene;
#[cfg(test)]
mod tests;
mod today;
mod value;
mod witness;

use std::fmt;

pub use cedar_policy_symcc::solver;
pub use compare::prove;
pub use environment::Environment;
pub use prover::{Prover, Solvers};
pub use witness::{Party, Witness};

use super::rules::Rules;
use super::world::World;

/// What is compared.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub old: &'a Rules,
    pub new: &'a Rules,
    /// Who there is: real people are better examples than supposed ones, and who gains today is
    /// worth knowing.
    pub world: Option<&'a World>,
}

/// What came of a comparison: an answer for each environment of the vocabulary, in a fixed order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    pub environments: Vec<Judged>,
}

/// What came of one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    pub environment: Environment,
    /// What is permitted that was not.
    pub gained: Answer,
    /// What is not permitted that was.
    pub lost: Answer,
    /// What passes that a guardrail was against: it was possible before if somebody answered for
    /// it, and now nobody has to. Not asked where something is gained in any case.
    pub eased: Option<Answer>,
    /// The guardrails that somebody can answer for are not the same on both sides. What is said of
    /// `gained` and `lost` is then said of whoever has an answer.
    pub guarded: bool,
    /// Whether somebody real gains by the policies alone.
    pub today: Today,
}

/// An answer to: is there an estate in which one side permits what the other does not?
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// In none: proved.
    Nothing,
    /// In this one, for instance.
    Something(Box<Witness>),
    NotProved(Unproved),
}

/// Who gains today, by the policies alone, in the world that was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Today {
    /// Nothing is gained in theory, there was no world to look at, or access cannot be worked out.
    Unknown,
    /// Widened in theory, and nobody gains today.
    Nobody,
    /// So many pairs of a principal and a resource.
    Pairs(u64),
}

/// An environment, or all of them, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Proved: the same is permitted in every estate.
    Unchanged,
    /// Proved: nothing more is permitted in any estate, and less in some.
    Narrowed,
    /// More is permitted in some estate.
    Widened,
    /// More in some estate, less in some.
    Both,
    /// Not proved, which is not safe.
    NotProved,
}

/// Why something is not proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unproved {
    /// There is no solver, or it cannot be started.
    NoSolver(String),
    /// The solver failed: it did not answer in time, died, or said what nobody understands.
    Solver(String),
    /// The solver said that it does not know.
    Unknown,
    /// The solver found something that could not be made a request.
    Unshown(String),
    /// The policies could not be made a question.
    Policies(String),
}

impl Answer {
    pub const fn witness(&self) -> Option<&Witness> {
        match self {
            Self::Something(witness) => Some(witness),
            Self::Nothing | Self::NotProved(_) => None,
        }
    }

    pub const fn unproved(&self) -> Option<&Unproved> {
        match self {
            Self::NotProved(why) => Some(why),
            Self::Nothing | Self::Something(_) => None,
        }
    }
}

impl Judged {
    pub const fn verdict(&self) -> Verdict {
        match (&self.gained, &self.lost) {
            (Answer::Something(_), Answer::Something(_)) => Verdict::Both,
            (Answer::Something(_), _) => Verdict::Widened,
            (Answer::NotProved(_), _) | (_, Answer::NotProved(_)) => Verdict::NotProved,
            (Answer::Nothing, Answer::Something(_)) => Verdict::Narrowed,
            (Answer::Nothing, Answer::Nothing) => Verdict::Unchanged,
        }
    }
}

impl Proof {
    /// All environments in a word. Something that is gained outweighs what is not proved.
    pub fn verdict(&self) -> Verdict {
        let any = |verdicts: &[Verdict]| {
            self.environments.iter().any(|judged| verdicts.contains(&judged.verdict()))
        };
        let more = any(&[Verdict::Widened, Verdict::Both]);
        let less = any(&[Verdict::Narrowed, Verdict::Both]);
        match (more, less) {
            (true, true) => Verdict::Both,
            (true, false) => Verdict::Widened,
            _ if any(&[Verdict::NotProved]) => Verdict::NotProved,
            (false, true) => Verdict::Narrowed,
            (false, false) => Verdict::Unchanged,
        }
    }

    /// How many environments have a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.environments.iter().filter(|judged| judged.verdict() == verdict).count()
    }

    /// Whether it is proved that nothing more is permitted, in any estate.
    pub fn nothing_gained(&self) -> bool {
        self.environments.iter().all(|judged| judged.gained == Answer::Nothing)
    }
}

impl Verdict {
    pub const ALL: [Self; 5] =
        [Self::Widened, Self::Both, Self::NotProved, Self::Narrowed, Self::Unchanged];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Narrowed => "narrowed",
            Self::Widened => "widened",
            Self::Both => "both",
            Self::NotProved => "not proved",
        }
    }
}

impl fmt::Display for Unproved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSolver(why) => f.write_str(why),
            Self::Solver(why) => write!(f, "the solver failed: {why}"),
            Self::Unknown => f.write_str("the solver does not know"),
            Self::Unshown(why) => {
                write!(f, "the solver found something that could not be shown: {why}")
            }
            Self::Policies(why) => write!(f, "the policies cannot be put to a solver: {why}"),
        }
    }
}

impl std::error::Error for Unproved {}

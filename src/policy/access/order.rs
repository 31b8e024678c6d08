//! A forbid that forbids even where it errs: which of its conjuncts errs first?
//!
//! What follows one that is not true is not asked. So of each role it is kept where it is stopped, and
//! by what; the other role may have been stopped before.

use std::collections::BTreeSet;

use fixedbitset::FixedBitSet;

use super::column::{AtomId, Role};

/// What those get to who are not stopped before, the same for everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    True,
    False,
    Error,
}

/// Asked one after the other, until one is not true: whether that one errs is what counts.
#[derive(Debug)]
pub(super) struct Order {
    pub turns: Vec<Turn>,
    pub end: End,
}

#[derive(Debug)]
pub(super) enum Turn {
    /// A guard of one role.
    One(Role, AtomId),
    /// A mixed conjunct: its leaves, and whether one of them could err that is none of these.
    Both(BTreeSet<AtomId>, bool),
}

impl Turn {
    /// Whether it errs for anybody, if these atoms do.
    fn can_err(&self, errs: &FixedBitSet) -> bool {
        match self {
            Self::One(_, atom) => errs.contains(*atom),
            Self::Both(leaves, other) => *other || leaves.iter().any(|leaf| errs.contains(*leaf)),
        }
    }
}

impl Order {
    /// Whether it errs for anybody.
    pub(super) fn can_err(&self, errs: &FixedBitSet) -> bool {
        self.end == End::Error || self.turns.iter().any(|turn| turn.can_err(errs))
    }

    /// Where one role is stopped, by which atoms hold and err for it, and which err for anybody; nothing
    /// where the policy is neither satisfied nor errs, whoever the other role is.
    pub(super) fn stop(&self, role: Role, facts: [&FixedBitSet; 3]) -> Option<Stop> {
        let [hold, err, errs] = facts;
        let mut others_can_err = false;
        for (at, turn) in self.turns.iter().enumerate() {
            match turn {
                Turn::One(of, atom) if *of == role => {
                    if err.contains(*atom) {
                        return Some(Stop::At(at, true));
                    }
                    if !hold.contains(*atom) {
                        return others_can_err.then_some(Stop::At(at, false));
                    }
                }
                turn => others_can_err |= turn.can_err(errs),
            }
        }
        match self.end {
            End::False if !others_can_err => None,
            End::True | End::False | End::Error => Some(Stop::Nowhere),
        }
    }
}

/// Where a role of a request is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Stop {
    Nowhere,
    /// At that turn, and whether by an error.
    At(usize, bool),
}

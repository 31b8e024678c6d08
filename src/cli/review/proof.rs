//! Whether the head's policies permit anything that the base's did not, in every estate there could
//! be: asked of a solver, where there is one.

use std::time::Duration;

use super::sides::{Held, Sides};
use crate::cli::CommandError;
use crate::cli::policies::cite;
use crate::cli::prover::Cvc5;
use crate::policy::prove::{Question, prove};
use crate::report::proof::{Proved, Side, markdown, record, text};
use crate::review::Proof;

/// Whoever reviews does not wait for longer.
const PATIENCE: Duration = Duration::from_secs(30);
/// So many examples of a kind are in a comment.
const EXAMPLES_MAX: usize = 5;

pub(super) fn ask(sides: &Sides) -> Result<Proof, CommandError> {
    let mut solvers = Cvc5::found().within(PATIENCE);
    if let Some(why) = solvers.missing() {
        return Ok(Proof { why: Some(why.to_string()), ..Proof::default() });
    }
    let question =
        Question { old: &sides.base.rules, new: &sides.head.rules, world: Some(&sides.head.world) };
    let proof = super::super::tenant::block_on(async { Ok(prove(&question, &mut solvers).await) })?;
    let cited = |side: Side, id: &str| {
        let Held { loaded, rules, .. } = match side {
            Side::Old => &sides.base,
            Side::New => &sides.head,
        };
        cite(loaded, rules, id)
    };
    let proved = Proved::of(&proof, cited);
    let mut shown = Vec::new();
    text(&proved, &mut shown).map_err(|error| CommandError::failed("writing", error))?;
    let told = serde_json::to_value(record(&proved))
        .map_err(|error| CommandError::Internal(format!("the proof: {error}")))?;
    Ok(Proof {
        verdict: proved.verdict.word().replace(' ', "-"),
        summary: proved.sentence(),
        why: None,
        is_wider: !proved.gained.is_empty() || !proved.eased.is_empty(),
        told: Some(told),
        text: String::from_utf8_lossy(&shown).into_owned(),
        comment: markdown(&proved, EXAMPLES_MAX),
    })
}

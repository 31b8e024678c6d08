//! What a plan is held against, from runs as they may have been.

use super::*;
use crate::ledger::{Ended as Over, Started};

/// `id commit approved-by undoes`, the latest first; `-` for nothing, `!` where it did not end whole.
fn runs(told: &[&str]) -> Vec<Known> {
    let run = |told: &&str| {
        let words: Vec<&str> = told.split(' ').collect();
        let word =
            |at: usize| words.get(at).filter(|word| **word != "-").map(|word| (*word).to_owned());
        let is_whole = !words.contains(&"!");
        let outcome = if is_whole { RunOutcome::Applied } else { RunOutcome::Partly };
        let started = Started {
            estate: "fabrikam".to_owned(),
            actor: String::new(),
            commit: word(1),
            plan_digest: String::new(),
            undoes: word(3),
            allowed: None,
            approved_by: word(2).into_iter().collect(),
        };
        let at = jiff::Timestamp::UNIX_EPOCH;
        let ended = Some((at, Over { outcome, counts: crate::ledger::Counts::default() }));
        Known { id: word(0).unwrap(), started_at: at, started, ended }
    };
    told.iter().map(run).collect()
}

#[test]
fn what_is_in_the_tenant_as_it_stood() {
    for (told, settled_at) in [
        (&["3 c aiko", "2 b aiko", "1 a -"][..], "c b a"),
        // By hand, a part, not whole, and the same once more.
        (&["5 e -", "4 - aiko", "3 c aiko - !", "2 b aiko", "1 b -"], "b"),
        // What began counts, if it was all.
        (&["3 c -", "2 b -", "1 - -"], "b"),
        (&["2 b -", "1 a - - !"], "b"),
        // Taken back: as it was before that run.
        (&["4 d aiko 2", "3 c aiko", "2 b aiko", "1 a -"], "a"),
        (&["5 e aiko", "4 d - 2", "3 c aiko", "2 b aiko", "1 a -"], "e a"),
        (&["5 e - 3", "4 d - 2", "3 c aiko", "2 b aiko", "1 a -"], "a"),
        (&["2 b - gone", "1 a -"], ""),
        (&[], ""),
    ] {
        assert_eq!(settled(&runs(told), "fabrikam").join(" "), settled_at, "{told:?}");
        assert!(settled(&runs(told), "contoso").is_empty());
    }
}

//! Proofs with a solver: there must be a cvc5 on the machine.

#![allow(clippy::needless_raw_string_hashes, reason = "snapshots are written by a tool")]

mod examples;
mod promises;
mod random;

use std::fmt::Write as _;

use super::*;
use crate::cli::prover::Cvc5;
use crate::manifest::source::{Format, Source, Sources};
use crate::model::estate::Estate;
use crate::model::scalar::Scalar;
use crate::model::time::Day;

/// The library and these policies.
fn rules(text: &str) -> Rules {
    let mut sources = Sources::default();
    let bytes = text.as_bytes().to_vec();
    sources.add(Source { name: "policies/own.cedar".to_owned(), format: Format::Cedar, bytes });
    let today = Day::parse("2026-10-01").unwrap();
    let (rules, problems) = Rules::of(&Estate::default(), &sources, today);
    assert!(problems.is_empty(), "{text}: {problems:?}");
    rules
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn solvers() -> Cvc5 {
    let solvers = Cvc5::found();
    assert_eq!(solvers.missing(), None, "cvc5 is there (Debian's package of that name)");
    solvers
}

fn compared(old: &Rules, new: &Rules, world: Option<&World>) -> Proof {
    wait(prove(&Question { old, new, world }, &mut solvers()))
}

/// What differs, a line for each environment and answer.
fn shown(proof: &Proof) -> String {
    let mut page = String::new();
    for judged in &proof.environments {
        if judged.verdict() == Verdict::Unchanged && judged.eased == Some(Answer::Nothing) {
            continue;
        }
        let _ = writeln!(page, "{}: {}", judged.environment, judged.verdict().word());
        let answers =
            [("+", Some(&judged.gained)), ("-", Some(&judged.lost)), ("~", judged.eased.as_ref())];
        for (sign, answer) in answers {
            match answer {
                Some(Answer::Something(witness)) => told(sign, witness, judged.today, &mut page),
                Some(Answer::NotProved(why)) => drop(writeln!(page, "  {sign} not proved: {why}")),
                Some(Answer::Nothing) | None => {}
            }
        }
    }
    page
}

fn told(sign: &str, witness: &Witness, today: Today, page: &mut String) {
    let Witness { confirmed, real, by, against, .. } = witness;
    assert!(*confirmed, "{witness:#?}");
    let _ = writeln!(page, "  {sign} {}", witness.sentence());
    let _ = write!(page, "    by {}", by.join(", "));
    if !against.is_empty() {
        let _ = write!(page, "; against {}", against.join(", "));
    }
    if *real {
        let _ = write!(page, "; real");
    }
    if sign == "+" && today != Today::Unknown {
        let _ = write!(page, "; today {today:?}");
    }
    page.push('\n');
}

//! What proofs over policies cost: the whole library, before and after an edit, in every
//! environment of the vocabulary.
//!
//! `cargo bench --bench prove`; there must be a cvc5. Time on the wall is ours and the solver's,
//! one after the other; processor time is ours alone.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a benchmark prints, measures, and stops when it cannot go on"
)]

use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use partnerctl::manifest::source::{Format, Source, Sources};
use partnerctl::model::estate::Estate;
use partnerctl::model::scalar::Scalar;
use partnerctl::model::time::Day;
use partnerctl::policy::prove::invariants::kept;
use partnerctl::policy::prove::lint::lint;
use partnerctl::policy::prove::solver::LocalSolver;
use partnerctl::policy::prove::{Proof, Prover, Question, Solvers, Unproved, Verdict, prove};
use partnerctl::policy::rules::Rules;

const RUNS: usize = 5;

/// The solver in `CVC5` or `PATH`.
struct Cvc5;

impl Solvers for Cvc5 {
    type Solver = LocalSolver;

    fn start(&mut self) -> Result<LocalSolver, Unproved> {
        LocalSolver::cvc5().map_err(|error| Unproved::NoSolver(error.to_string()))
    }
}

const REGION: &str = r#"
@id("own.region")
permit (
  principal is User in Role::"sales-agent",
  action == Action::"administer-on-behalf",
  resource is Customer
)
when { resource.hasTag("region") && resource.getTag("region") == "kanto" && !principal.guest };
"#;

/// In the way of everything that users do.
const EVERYWHERE: &str = r#"
@id("own.contract")
forbid (principal is User, action, resource)
when { principal.hasTag("contract") && principal.getTag("contract") == "external" && principal.guest };
"#;

const INVARIANT: &str = r#"
@id("own.no-guests")
@never("a guest does nothing for customers")
permit (principal is User, action in Action::"subscriptions", resource is Customer)
when { principal.guest && principal.hasTag("contract") && principal.getTag("contract") == "external" };
"#;

fn main() {
    // Only `cargo bench` says so; there is nothing to test here.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("{:<44} {:>9} {:>9}  outcome", "", "wall ms", "CPU ms");
    let region = rules(REGION);
    compared("nothing changed", &region, &region);
    compared(
        "the same, written otherwise",
        &region,
        &rules(&REGION.replace("!principal.guest", "principal.guest == false")),
    );
    compared(
        "`||` for `&&` in one permit",
        &region,
        &rules(&REGION.replace("\"kanto\" &&", "\"kanto\" ||")),
    );
    let other = EVERYWHERE.replace("&& principal.guest", "|| principal.guest");
    compared("`||` for `&&` in a forbid for everything", &rules(EVERYWHERE), &rules(&other));
    compared("and back", &rules(&other), &rules(EVERYWHERE));
    let same = EVERYWHERE.replace("principal.guest", "!(principal.guest == false)");
    compared("a forbid for everything, written otherwise", &rules(EVERYWHERE), &rules(&same));
    let own = rules(&[REGION, EVERYWHERE, INVARIANT].concat());
    measured("an invariant, 5 actions", || {
        let found = wait(kept(&own, &mut Prover::new(&mut Cvc5)));
        format!("{} hold", found.iter().filter(|kept| kept.holds()).count())
    });
    measured("lint of 2 policies", || {
        let found = wait(lint(&own, &mut Prover::new(&mut Cvc5)));
        format!("{} defects", found.defects.len())
    });
}

fn compared(name: &str, old: &Rules, new: &Rules) {
    measured(name, || told(&wait(prove(&Question { old, new, world: None }, &mut Cvc5))));
}

fn told(proof: &Proof) -> String {
    let some = Verdict::ALL.iter().map(|verdict| (verdict.word(), proof.count(*verdict)));
    let some = some.filter(|(_, count)| *count > 0);
    some.map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}

fn measured(name: &str, work: impl Fn() -> String) {
    let mut times = Vec::new();
    let mut outcome = String::new();
    for _ in 0..RUNS {
        let (wall, before) = (Instant::now(), cpu());
        outcome = work();
        times.push((wall.elapsed(), cpu().saturating_sub(before)));
    }
    times.sort();
    let (wall, cpu) = times.get(RUNS / 2).copied().unwrap_or_default();
    println!("{name:<44} {:>9} {:>9}  {outcome}", wall.as_millis(), cpu.as_millis());
}

fn rules(text: &str) -> Rules {
    let mut sources = Sources::default();
    let bytes = text.as_bytes().to_vec();
    sources.add(Source { name: "policies/own.cedar".to_owned(), format: Format::Cedar, bytes });
    Rules::declared(&Estate::default(), &sources, Day::parse("2026-10-01").expect("a day"))
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(work)
}

fn cpu() -> Duration {
    let used = getrusage(UsageWho::RUSAGE_SELF).expect("the system says what was used");
    [used.user_time(), used.system_time()]
        .map(|time| {
            let micros = u64::try_from(time.tv_usec()).unwrap_or_default();
            let seconds = u64::try_from(time.tv_sec()).unwrap_or_default();
            Duration::from_secs(seconds) + Duration::from_micros(micros)
        })
        .iter()
        .sum()
}

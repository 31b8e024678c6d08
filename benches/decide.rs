//! What single decisions cost: CPU time of a hundred thousand of them, the estate built once.
//!
//! `cargo bench --bench decide`. Figures are of this machine; compare ratios.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::cast_possible_truncation,
    reason = "a benchmark prints, and stops when it cannot go on"
)]

#[path = "corpus.rs"]
mod corpus;

use std::fs;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use partnerctl::manifest::source::{Format, Source, Sources};
use partnerctl::manifest::{Load, NothingMore, ReadProject, Tables, TroubleKind, load};
use partnerctl::model::action::Action;
use partnerctl::model::scalar::Scalar as _;
use partnerctl::model::time::Day;
use partnerctl::policy::judge::Judge;
use partnerctl::policy::rules::Rules;
use partnerctl::policy::world::{Type, Uid, World};

const DECISIONS: usize = 100_000;
const RUNS: usize = 5;

struct NoTables;

impl Tables for NoTables {
    fn open(&self, _: &str, file: &str) -> Result<(String, Vec<u8>), (TroubleKind, String)> {
        Err((TroubleKind::Missing, file.to_owned()))
    }
}

fn main() {
    // Only `cargo bench` says so; there is nothing to test here.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let folder = std::env::temp_dir().join(format!("partnerctl-decide-{}", std::process::id()));
    // Three thousand users and five thousand customers.
    corpus::write(&folder, 10_000).expect("the corpus can be written");
    let mut sources = Sources::default();
    for entry in fs::read_dir(folder.join("estate")).expect("the corpus is there") {
        let path = entry.expect("the corpus is there").path();
        let bytes = fs::read(&path).expect("the corpus can be read");
        sources.add(Source { name: path.display().to_string(), format: Format::Yaml, bytes });
    }
    drop(fs::remove_dir_all(&folder));
    let today = Day::parse("2026-10-01").expect("a day");
    let loaded = load(Load {
        sources,
        project: ReadProject::default(),
        project_name: "partnerctl.yaml".to_owned(),
        troubles: Vec::new(),
        tables: &NoTables,
        examiner: &NothingMore,
        complete: false,
        today,
    });
    assert!(!loaded.has_errors(), "the corpus is sound");
    let rules = Rules::declared(&loaded.estate, &loaded.findings.sources, today);
    let before = cpu();
    let world = World::declared(&loaded.estate, today);
    let judge = Judge::new(&rules, &world).expect("Cedar takes the world");
    let built = cpu().saturating_sub(before);
    let (users, customers) = (world.of(Type::User), world.of(Type::Customer));
    println!(
        "{} policies, {} users, {} customers: built in {:.0} ms",
        rules.iter().count(),
        users.len(),
        customers.len(),
        built.as_secs_f64() * 1e3
    );
    let actions: Vec<Action> =
        Action::ALL.iter().copied().filter(|action| action.is_about_customers()).collect();
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|run| {
            let mut dice = 0x9e37_79b9_7f4a_7c15_u64 ^ run as u64;
            let mut allowed = 0;
            let before = cpu();
            for _ in 0..DECISIONS {
                dice = dice
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let pick = |shift: u32, len: usize| (dice >> shift) as usize % len;
                let who = Uid::new(Type::User, users[pick(33, users.len())].0.clone());
                let what = Uid::new(Type::Customer, customers[pick(17, customers.len())].0.clone());
                allowed += usize::from(
                    judge.decide(&who, actions[pick(40, actions.len())], &what).allowed,
                );
            }
            assert!(allowed > 0 && allowed < DECISIONS, "some may and some may not");
            cpu().saturating_sub(before)
        })
        .collect();
    times.sort();
    let seconds = |time: Duration| time.as_secs_f64();
    println!(
        "{DECISIONS} decisions: min {:.2} s, median {:.2} s, max {:.2} s",
        seconds(times[0]),
        seconds(times[RUNS / 2]),
        seconds(times[RUNS - 1])
    );
}

/// User and system time of this process so far.
fn cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("usage is known");
    let time = |value: nix::sys::time::TimeVal| {
        Duration::from_micros(value.tv_sec() as u64 * 1_000_000 + value.tv_usec() as u64)
    };
    time(usage.user_time()) + time(usage.system_time())
}

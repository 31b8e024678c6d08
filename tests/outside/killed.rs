//! Killed anywhere, it recovers: a plan of more than sixty steps is ended by SIGKILL at each boundary
//! of its journal and around each change that is sent, and resumed.
//!
//! The process that is killed is this test binary, started again: it runs the program with a listener
//! that counts what the program says of itself (`kept`, `leaving`, `back`) and kills at the n-th.
//! `PARTNERCTL_KILLS` says how many boundaries to step each time; 1 is all of them.

use std::fs;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use nix::sys::signal::{Signal, kill, raise};
use nix::unistd::Pid;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, SubscriberExt};

use crate::estates::{Prepared, Seen, World};
use crate::postgres::Server;

pub(crate) const ARGS: &str = "PARTNERCTL_TEST_ARGS";
pub(crate) const COUNT: &str = "PARTNERCTL_TEST_COUNT";

/// What the child does to itself, and at which boundary.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Die {
    pub(crate) at: u64,
    pub(crate) how: How,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// SIGKILL.
    Killed,
    /// SIGSTOP, right before a change is sent, until somebody lets it go on. What was sent just before
    /// may still be on its way through the process: only the first one is surely alone.
    Stopped,
}

impl How {
    /// What the environment calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Killed => "PARTNERCTL_TEST_DIE_AT",
            Self::Stopped => "PARTNERCTL_TEST_STOP_AT",
        }
    }
}

/// Not a test of its own: what the others start.
#[test]
fn child() {
    let Ok(args) = std::env::var(ARGS) else { return };
    let number = |how: How| std::env::var(how.name()).ok().and_then(|at| at.parse().ok());
    let die = [How::Killed, How::Stopped]
        .into_iter()
        .find_map(|how| number(how).map(|at| Die { at, how }));
    let listener = Listener { die, ..Listener::default() };
    let count = std::sync::Arc::clone(&listener.count);
    let ours = filter_fn(|metadata| metadata.target().starts_with("partnerctl"));
    let subscriber = tracing_subscriber::registry().with(listener.with_filter(ours));
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let code = partnerctl::cli::run(args.split('\u{1f}').map(Into::into));
    if let Some(path) = std::env::var_os(COUNT) {
        fs::write(path, count.load(Ordering::SeqCst).to_string()).unwrap();
    }
    std::process::exit(code.into());
}

#[derive(Default)]
struct Listener {
    count: std::sync::Arc<AtomicU64>,
    leaving: AtomicU64,
    die: Option<Die>,
}

impl<S: tracing::Subscriber> Layer<S> for Listener {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if !["kept", "leaving", "back"].contains(&event.metadata().name()) {
            return;
        }
        let number = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        let is_leaving = event.metadata().name() == "leaving";
        match self.die {
            Some(Die { at, how: How::Stopped })
                if is_leaving && at == self.leaving.fetch_add(1, Ordering::SeqCst) + 1 =>
            {
                // This thread, at once: a signal to the process may find another one first.
                raise(Signal::SIGSTOP).unwrap();
            }
            Some(Die { at, how: How::Killed }) if at == number => {
                kill(Pid::this(), Signal::SIGKILL).unwrap();
                // Nothing comes after it.
                loop {
                    std::thread::park();
                }
            }
            _ => {}
        }
    }
}

/// Kills at every so many boundaries and resumes; each time the end is the same.
pub(crate) fn killed(prepared: &Prepared, step: u64, resume: &[&str]) {
    let untouched = World::copy(prepared, 0);
    let plan = untouched.run(&["plan", "--format", "json", "."]);
    let plan: serde_json::Value = serde_json::from_str(&plan.out).unwrap();
    let steps = plan["steps"].as_array().unwrap().len();
    assert!(steps >= 60, "{steps}");
    let boundaries = untouched.apply();
    let end = untouched.end();
    let next = AtomicU64::new(1);
    let failed: OnceLock<String> = OnceLock::new();
    let tried = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(step, Ordering::SeqCst);
                    if at > boundaries || failed.get().is_some() {
                        return;
                    }
                    if let Err(why) = once(prepared, at, resume, &end) {
                        drop(failed.set(why));
                    }
                    tried.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(failed.get(), None, "of {boundaries} boundaries");
    eprintln!("{steps} steps, killed at {tried:?} of {boundaries} boundaries");
}

/// Applies, and dies at a boundary, unless there are fewer this time: what is written at the same
/// time is flushed together.
pub(crate) fn die(world: &World, at: u64) {
    use std::os::unix::process::ExitStatusExt;
    let output = world.child(Some(Die { at, how: How::Killed })).wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let is_killed = output.status.signal() == Some(9);
    assert!(is_killed || output.status.code() == Some(0), "{at}: {said}");
}

fn once(prepared: &Prepared, at: u64, resume: &[&str], end: &Seen) -> Result<(), String> {
    let world = World::copy(prepared, at);
    die(&world, at);
    world.time_passes();
    let ended = world.run(resume);
    if ended.code != 0 {
        return Err(format!("killed at {at}, resumed: exit {}\n{}", ended.code, ended.all()));
    }
    let seen = world.end();
    if seen != *end {
        let differs = similar::TextDiff::from_lines(format!("{end:#?}"), format!("{seen:#?}"))
            .unified_diff()
            .to_string();
        return Err(format!("killed at {at}: another end\n{differs}\n{}", ended.all()));
    }
    let plan = world.run(&["plan", "--exit-code", "."]);
    if plan.code != 0 {
        return Err(format!("killed at {at}: something is left\n{}", plan.all()));
    }
    Ok(())
}

/// All of them with `PARTNERCTL_KILLS=1`.
pub(crate) fn stride(usual: u64) -> u64 {
    std::env::var("PARTNERCTL_KILLS").ok().and_then(|step| step.parse().ok()).unwrap_or(usual)
}

#[test]
fn killed_anywhere_it_recovers_with_a_ledger_in_a_file() {
    killed(&Prepared::new(None), stride(3), &["apply", "--yes", "."]);
}

#[test]
fn killed_anywhere_it_recovers_with_a_ledger_in_postgresql() {
    let prepared = Prepared::new(Some(Server::start(&[], &[])));
    killed(&prepared, stride(11), &["apply", "--yes", "."]);
}

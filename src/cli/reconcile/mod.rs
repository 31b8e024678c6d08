//! The loop: plan, do what a machine may do by itself, wait, again.
//!
//! `round` is one round, `say` its line, `watch` wakes the loop when manifests change, `pace` says how
//! long it rests, `life` is what others may know of it, and `door` tells them over HTTP. What is done
//! alone and what is left to people is no question of this module: `plan::timid` answers it.

mod door;
mod life;
mod pace;
mod round;
mod say;
mod watch;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use self::door::Door;
use self::life::Life;
use self::round::{Came, Round, Rounds};
use self::say::Say;
use self::watch::{Watch, Woken};
use super::applying::Signals;
use super::output::Output;
use super::planning::PlanningArgs;
use super::tenant::block_on;
use super::{CommandError, Outcome};
use crate::partner::clock::Clock;

/// Keep the tenant as the manifests declare it, round after round
///
/// Plans, does what a machine may do by itself, and waits; a change of the manifests begins a round at
/// once. Left to a plan that a person approves (`plan --out FILE`, then `apply FILE`) is what takes
/// something away, gives privileges, lets somebody sign in again or cannot be taken back, what was
/// edited in the manifests and in the tenant, and whatever needs one of these first. A plan that is
/// refused is not applied at all. Each round is a line on standard output, but for those in which
/// nothing was done and nothing is new.
///
/// With --listen: /healthz says whether the loop is alive, /readyz whether its last round could read
/// the manifests and the tenant, /metrics is for Prometheus.
#[derive(clap::Args, Debug)]
pub(crate) struct ReconcileArgs {
    #[command(flatten)]
    planning: PlanningArgs,
    /// How long to rest between two rounds: 30s, 5m, 1h
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = interval)]
    interval: Duration,
    /// Answer /healthz, /readyz and /metrics here; port 0 is any free one
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// End after one round
    #[arg(long, conflicts_with = "listen")]
    once: bool,
    /// How many steps at once
    #[arg(long, value_name = "N", default_value_t = 8)]
    parallel: usize,
}

fn interval(text: &str) -> Result<Duration, String> {
    let wrong = || "a duration of a second or more, such as 30s, 5m or 1h".to_owned();
    let duration: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    let duration = Duration::try_from(duration).map_err(|_| wrong())?;
    let sane = Duration::from_secs(1)..=Duration::from_hours(24 * 7);
    if sane.contains(&duration) { Ok(duration) } else { Err(wrong()) }
}

pub(crate) fn run(out: &Output, args: &ReconcileArgs) -> Result<Outcome, CommandError> {
    watch::must_be_readable_again(args.planning.named())?;
    block_on(async {
        let signals = Signals::listen();
        let life = Arc::new(Life::new(Clock::system()));
        let door = match args.listen {
            Some(address) => Some(Door::open(address, Arc::clone(&life), out).await?),
            None => None,
        };
        let came = Box::pin(reconcile(&out.patient(), args, &signals, &life)).await;
        drop(door);
        came
    })
}

async fn reconcile(
    out: &Output,
    args: &ReconcileArgs,
    signals: &Signals,
    life: &Life,
) -> Result<Outcome, CommandError> {
    let rounds = Rounds { out, planning: &args.planning, parallel: args.parallel, signals, life };
    let mut watch = Watch::new(&args.planning);
    let (mut say, mut failures) = (Say::default(), 0);
    loop {
        out.begin_round();
        // Before anything is read: what changes from here on is noticed.
        watch.look(out);
        life.begins();
        let came = Box::pin(rounds.go()).await;
        life.ends(&came);
        if args.once {
            return once(out, came, signals);
        }
        // Called wrongly, it would be called wrongly for ever.
        if let (true, Err(CommandError::Usage(_))) = (say.is_first(), &came) {
            return came.map(|_| Outcome::Done);
        }
        failures = if came.is_err() { failures + 1 } else { 0 };
        let rest = pace::rest(args.interval, failures);
        say.round(out, &came, rest)?;
        if let Some(number) = signals.number() {
            return Ok(Outcome::Ended(number));
        }
        life.rests(rest);
        if watch.rest(rest, signals).await == Woken::Stopped {
            return Ok(signals.number().map_or(Outcome::Done, Outcome::Ended));
        }
    }
}

/// What a round alone came to.
fn once(
    out: &Output,
    came: Result<Round, CommandError>,
    signals: &Signals,
) -> Result<Outcome, CommandError> {
    let round = came?;
    let outcome = match &round.came {
        // Who ended it is asked below.
        Came::Quiet | Came::Stopped => Outcome::Done,
        Came::Tried(counts)
            if counts.failed + counts.stale + counts.unknown + counts.skipped == 0 =>
        {
            Outcome::Done
        }
        Came::Tried(_) => Outcome::Partly,
        Came::Refused { outcome, .. } => *outcome,
        Came::Invalid => Outcome::Invalid,
    };
    Say::default().round(out, &Ok(round), Duration::ZERO)?;
    Ok(signals.number().map_or(outcome, Outcome::Ended))
}

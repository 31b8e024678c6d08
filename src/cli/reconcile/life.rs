//! What others may know of the loop: whether it lives, whether it can do its work, and how it went.
//!
//! Counts only: no name of anybody or anything is in it.

use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::round::{Came, Round};
use crate::cli::CommandError;
use crate::partner::clock::Clock;
use crate::plan::timid::Why;

/// A round in which nothing moved for so long is stuck. A large tenant takes long to read.
const STUCK: Duration = Duration::from_hours(1);
/// So long after a rest the next round has begun, on a machine that is busy.
const LATE: Duration = Duration::from_mins(1);

/// In seconds: a quiet round to one that does thousands of steps.
const BUCKETS: [f64; 11] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0];

type Label = [(&'static str, &'static str); 1];

/// The loop, as others see it.
#[derive(Debug)]
pub(super) struct Life {
    clock: Clock,
    now: Mutex<Now>,
    metrics: Metrics,
}

#[derive(Debug)]
struct Now {
    /// When the round began, or the last one.
    began: Duration,
    /// By when something has to move.
    until: Duration,
    ready: Result<(), &'static str>,
}

#[derive(Debug)]
struct Metrics {
    registry: Registry,
    rounds: Family<Label, Counter>,
    steps: Family<Label, Counter>,
    left: Family<Label, Gauge>,
    waiting: Gauge,
    last_good: Gauge<f64, AtomicU64>,
    took: Histogram,
    calls: Counter,
}

impl Life {
    pub(super) fn new(clock: Clock) -> Self {
        let now = Now {
            began: clock.elapsed(),
            until: clock.elapsed() + STUCK,
            ready: Err("no round has ended yet"),
        };
        Self { clock, now: Mutex::new(now), metrics: Metrics::new() }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begins(&self) {
        let elapsed = self.clock.elapsed();
        let mut now = self.now();
        now.began = elapsed;
        now.until = elapsed + STUCK;
    }

    /// Something moves.
    pub(super) fn moves(&self) {
        self.now().until = self.clock.elapsed() + STUCK;
    }

    pub(super) fn ends(&self, came: &Result<Round, CommandError>) {
        let mut now = self.now();
        self.metrics.took.observe((self.clock.elapsed().saturating_sub(now.began)).as_secs_f64());
        now.ready = readiness(came);
        let was_good = self.metrics.count(came);
        if was_good {
            let time = self.clock.now().as_duration().as_secs_f64();
            self.metrics.last_good.set(time);
        }
    }

    pub(super) fn rests(&self, rest: Duration) {
        self.now().until = self.clock.elapsed() + rest + LATE;
    }

    /// Whether a round ended, or is under way, within a sane time.
    pub(super) fn is_alive(&self) -> bool {
        self.clock.elapsed() <= self.now().until
    }

    /// Whether the last round could read the manifests and the tenant; if not, what not.
    pub(super) fn is_ready(&self) -> Result<(), &'static str> {
        self.now().ready
    }

    /// As Prometheus reads it.
    pub(super) fn metrics(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.metrics.registry)?;
        Ok(text)
    }
}

fn readiness(came: &Result<Round, CommandError>) -> Result<(), &'static str> {
    match came {
        Ok(Round { came: Came::Invalid, .. }) => Err("the manifests or the policies are wrong"),
        Ok(Round { came: Came::Stopped, .. }) => Err("it was ended"),
        // Who had the ledger was found out last.
        Ok(_) | Err(CommandError::Locked(_)) => Ok(()),
        Err(_) => Err("the last round failed"),
    }
}

/// A round's label.
const fn outcome(came: &Result<Round, CommandError>) -> &'static str {
    match came {
        Ok(Round { came: Came::Quiet, .. }) => "quiet",
        Ok(Round { came: Came::Tried(counts), .. }) => {
            if counts.failed + counts.stale + counts.unknown + counts.skipped == 0 {
                "applied"
            } else {
                "partly"
            }
        }
        Ok(Round { came: Came::Refused { .. }, .. }) => "refused",
        Ok(Round { came: Came::Invalid, .. }) => "invalid",
        Ok(Round { came: Came::Stopped, .. }) => "stopped",
        Err(CommandError::Locked(_)) => "locked",
        Err(_) => "failed",
    }
}

const OUTCOMES: [&str; 8] =
    ["quiet", "applied", "partly", "refused", "invalid", "stopped", "locked", "failed"];
const STEPS: [&str; 5] = ["done", "failed", "stale", "unknown", "skipped"];

impl Metrics {
    fn new() -> Self {
        let mut registry = Registry::with_prefix("partnerctl");
        let metrics = Self {
            rounds: Family::default(),
            steps: Family::default(),
            left: Family::default(),
            waiting: Gauge::default(),
            last_good: Gauge::default(),
            took: Histogram::new(BUCKETS),
            calls: Counter::default(),
            registry: Registry::default(),
        };
        registry.register("rounds", "Rounds by what they came to", metrics.rounds.clone());
        registry.register(
            "steps",
            "Steps that were tried, by what came of them",
            metrics.steps.clone(),
        );
        registry.register(
            "steps_left",
            "Steps left to a plan that a person approves, each by its gravest reason, after the last round",
            metrics.left.clone(),
        );
        registry.register(
            "waiting",
            "What people are waited for to do, after the last round",
            metrics.waiting.clone(),
        );
        registry.register_with_unit(
            "last_good_round_timestamp",
            "When the last round ended after which nothing had failed and nothing was refused",
            Unit::Seconds,
            metrics.last_good.clone(),
        );
        registry.register_with_unit(
            "round_duration",
            "How long rounds took",
            Unit::Seconds,
            metrics.took.clone(),
        );
        registry.register(
            "tenant_calls",
            "Requests to the tenant in rounds that could read it, those for tokens not counted",
            metrics.calls.clone(),
        );
        // A count that is not there yet is not zero to whoever computes with it.
        for outcome in OUTCOMES {
            drop(metrics.rounds.get_or_create(&[("outcome", outcome)]));
        }
        for outcome in STEPS {
            drop(metrics.steps.get_or_create(&[("outcome", outcome)]));
        }
        for why in Why::ALL {
            drop(metrics.left.get_or_create(&[("why", why.word())]));
        }
        Self { registry, ..metrics }
    }

    /// Counts a round; whether it was a good one.
    fn count(&self, came: &Result<Round, CommandError>) -> bool {
        let outcome = outcome(came);
        self.rounds.get_or_create(&[("outcome", outcome)]).inc();
        let Ok(round) = came else { return false };
        self.calls.inc_by(round.calls);
        if let Came::Tried(counts) = &round.came {
            for (word, count) in STEPS.into_iter().zip([
                counts.done,
                counts.failed,
                counts.stale,
                counts.unknown,
                counts.skipped,
            ]) {
                self.steps.get_or_create(&[("outcome", word)]).inc_by(count.into());
            }
        }
        if round.at.is_some() {
            self.waiting.set(gauge(round.waiting));
            for why in Why::ALL {
                let count = round.left.get(&why).copied().unwrap_or_default();
                self.left.get_or_create(&[("why", why.word())]).set(gauge(count));
            }
        }
        matches!(outcome, "quiet" | "applied")
    }
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::ledger::Counts;

    fn round(came: Came) -> Round {
        let left = BTreeMap::from([(Why::TakesAway, 2)]);
        Round { came, at: Some(jiff::Timestamp::UNIX_EPOCH), waiting: 1, left, calls: 7 }
    }

    fn life() -> Life {
        Life::new(Clock::counting_from("2026-11-20T12:00:00Z".parse().unwrap()))
    }

    #[tokio::test(start_paused = true)]
    async fn it_lives_while_rounds_begin_and_steps_move() {
        let life = life();
        let nearly = Duration::from_mins(59);
        life.begins();
        tokio::time::advance(nearly).await;
        assert!(life.is_alive());
        life.moves();
        tokio::time::advance(nearly).await;
        assert!(life.is_alive());
        life.ends(&Ok(round(Came::Quiet)));
        life.rests(Duration::from_mins(5));
        tokio::time::advance(Duration::from_mins(6)).await;
        assert!(life.is_alive());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!life.is_alive());
        life.begins();
        assert!(life.is_alive());
        tokio::time::advance(STUCK + Duration::from_secs(1)).await;
        assert!(!life.is_alive());
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_ready_when_the_last_round_could_read() {
        let life = life();
        assert!(life.is_ready().is_err());
        for (came, is_ready) in [
            (Ok(round(Came::Quiet)), true),
            (Ok(round(Came::Invalid)), false),
            (Ok(round(Came::Tried(Counts::default()))), true),
            (Err(CommandError::Internal(String::new())), false),
            (Err(CommandError::Locked(String::new())), true),
        ] {
            life.ends(&came);
            assert_eq!(life.is_ready().is_ok(), is_ready, "{came:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_counted_is_told() {
        let life = life();
        life.begins();
        tokio::time::advance(Duration::from_secs(2)).await;
        life.ends(&Ok(round(Came::Tried(Counts { done: 3, failed: 1, ..Counts::default() }))));
        life.ends(&Ok(round(Came::Tried(Counts { done: 2, ..Counts::default() }))));
        let text = life.metrics().unwrap();
        for line in [
            "partnerctl_rounds_total{outcome=\"partly\"} 1",
            "partnerctl_rounds_total{outcome=\"applied\"} 1",
            "partnerctl_rounds_total{outcome=\"locked\"} 0",
            "partnerctl_steps_total{outcome=\"done\"} 5",
            "partnerctl_steps_left{why=\"takes-away\"} 2",
            "partnerctl_steps_left{why=\"privileged\"} 0",
            "partnerctl_waiting 1",
            "partnerctl_last_good_round_timestamp_seconds 1795176002.0",
            "partnerctl_round_duration_seconds_bucket{le=\"1.0\"} 0",
            "partnerctl_round_duration_seconds_count 2",
            "partnerctl_tenant_calls_total 14",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}

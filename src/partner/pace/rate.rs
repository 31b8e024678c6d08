//! What a limiter knows and decides, as a value: time is an argument.
//!
//! The services throttle by numbers that are mostly unpublished and change. So a limiter has two
//! numbers of its own per window: how much is *trusted* (published, or proven by answers), which goes
//! out as fast as it can, and the *limit*, unknown until the service said no. Between the two requests
//! go one at a time, so that a limit is found with a single refusal, whatever it is.
//!
//! A call occupies its place from when it is sent until a window after it was **answered**. It reached
//! the service before its answer reached us, and the next one reaches the service after it was sent:
//! so no window of the service's, wherever it begins, holds more of our calls than the limit, however
//! long they are on the way. What that costs is one round trip per window.

use std::collections::VecDeque;
use std::time::Duration;

use super::super::request::Class;

/// How long a service is left alone that says "too many" and not until when; doubled each time.
const BACK_OFF: Duration = Duration::from_secs(2);
const BACK_OFF_MAX: Duration = Duration::from_mins(1);
/// A wait ends a little later than the service said: its clock and ours do not tick together.
const MARGIN: Duration = Duration::from_millis(100);
/// After so many windows without a refusal, a twentieth more than the limit is tried, one by one.
const CALM_WINDOWS: u32 = 15;

/// What came of a request, as far as limits go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It was let through.
    Let,
    /// It was one too many.
    Throttled { retry_after: Option<Duration> },
    /// Lost, or never sent: it says nothing about limits.
    Other,
}

/// Whether a request may go.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Say {
    Go(Ticket),
    /// Not before this has passed.
    Wait(Duration),
    /// Not before one that is on its way is answered.
    WaitForAnswer,
}

/// A request on its way.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    cost: u32,
    is_probe: bool,
}

/// What a refusal says about limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Evidence {
    No,
    /// A window holds no more than it held.
    Full,
    /// So many are refused for a moment that less would be better.
    Often,
}

/// The limiter of one class.
#[derive(Debug)]
pub(super) struct Rate {
    window: Duration,
    trusted: u32,
    /// Less than this is not asked because of short waits alone.
    least: u32,
    /// What the service's pages say, where they do: a refusal beyond it means just that.
    published: u32,
    limit: Option<u32>,
    parallel_max: u32,
    /// Answered calls, by the time of their answer, oldest first, and their costs.
    answered: VecDeque<(Duration, u32)>,
    answered_cost: u32,
    flying: u32,
    flying_cost: u32,
    is_probing: bool,
    sent_at: Duration,
    blocked_until: Duration,
    /// Refusals since anything was let through.
    refusals: u32,
    /// Those of the last window.
    refused: Vec<Duration>,
    refused_at: Duration,
    /// When short waits last made the limit lower.
    lowered_at: Option<Duration>,
    /// Since a refusal nothing was let through yet: the next goes alone.
    is_wary: bool,
}

impl Rate {
    /// What is known before anything was asked.
    pub(super) fn of(class: Class) -> Self {
        const MINUTE: Duration = Duration::from_mins(1);
        const TEN: Duration = Duration::from_secs(10);
        match class {
            Class::Customers => Self { published: 500, ..Self::new(MINUTE, 500, 16) },
            // Unpublished; assumed not to be tighter.
            Class::Account | Class::Audit => Self::new(MINUTE, 500, 6),
            // 3 500 units in ten seconds for the smallest tenants; most of our calls cost 1 to 3.
            Class::Directory => Self::new(TEN, 1000, 12),
            // 3 000 in two and a half minutes. A window as long as that would make one stray refusal
            // cost as much; in a shorter one, the service says when it is too much.
            Class::DirectoryChanges => Self::new(Duration::from_secs(30), 1000, 32),
            // Unpublished; the directory's gateway.
            Class::Delegation => Self::new(TEN, 1000, 16),
        }
    }

    pub(super) fn new(window: Duration, trusted: u32, parallel_max: u32) -> Self {
        Self {
            window,
            trusted,
            least: (trusted / 4).max(1),
            published: u32::MAX,
            limit: None,
            parallel_max,
            answered: VecDeque::new(),
            answered_cost: 0,
            flying: 0,
            flying_cost: 0,
            is_probing: false,
            sent_at: Duration::ZERO,
            blocked_until: Duration::ZERO,
            refusals: 0,
            refused: Vec::new(),
            refused_at: Duration::ZERO,
            lowered_at: None,
            is_wary: false,
        }
    }

    /// May a request go now?
    pub(super) fn ask(&mut self, now: Duration, cost: u32) -> Say {
        self.forget(now);
        if now < self.blocked_until {
            return Say::Wait(self.blocked_until.saturating_sub(now));
        }
        if self.flying >= self.parallel_max || (self.is_wary && self.flying > 0) {
            return Say::WaitForAnswer;
        }
        let occupied = self.answered_cost.saturating_add(self.flying_cost);
        let wanted = occupied.saturating_add(cost);
        // A single request that costs more than the limit must go some time: it goes into an empty window.
        if occupied > 0
            && let Some(limit) = self.limit
            && wanted > limit.saturating_add(self.daring(now))
        {
            return self.answered.front().map_or(Say::WaitForAnswer, |(at, _)| {
                Say::Wait((*at + self.window).saturating_sub(now).max(Duration::from_millis(1)))
            });
        }
        if occupied > 0
            && let Some(wait) = self.spread(now)
        {
            return Say::Wait(wait);
        }
        let is_probe = wanted > self.trusted.min(self.limit.unwrap_or(u32::MAX));
        if is_probe && (self.is_probing || self.flying > 0) {
            return Say::WaitForAnswer;
        }
        self.is_probing |= is_probe;
        self.sent_at = now;
        self.flying += 1;
        self.flying_cost = self.flying_cost.saturating_add(cost);
        Say::Go(Ticket { cost, is_probe })
    }

    /// Learns from an answer.
    #[expect(clippy::needless_pass_by_value, reason = "a request is answered once")]
    pub(super) fn answered(&mut self, ticket: Ticket, now: Duration, answer: Answer) {
        let Ticket { cost, is_probe } = ticket;
        self.flying = self.flying.saturating_sub(1);
        self.flying_cost = self.flying_cost.saturating_sub(cost);
        if is_probe {
            self.is_probing = false;
        }
        self.forget(now);
        match answer {
            Answer::Let => {
                self.occupy(now, cost);
                self.refusals = 0;
                self.is_wary = false;
                // What went through is allowed, whatever was thought of it.
                self.limit = self.limit.map(|limit| limit.max(self.answered_cost));
                if is_probe {
                    let most = self
                        .limit
                        .map_or(self.published, |limit| most_of(limit.min(self.published)));
                    let proven = self.answered_cost.min(most);
                    self.trusted = self.trusted.max(proven);
                }
            }
            Answer::Throttled { retry_after } => {
                // What went through is what a window holds, and what is on its way will have gone
                // through, until it too is refused. Who kept to a limit and was refused all the same
                // counted over the edge of two windows, or is not alone: less, then.
                let seen = self.answered_cost.saturating_add(self.flying_cost);
                let evidence = self.evidence(now, seen, retry_after);
                let lower = match self.limit {
                    None => seen,
                    Some(limit) if self.is_wary => limit.saturating_sub(cost),
                    Some(limit) => seen.clamp(most_of(limit), limit),
                };
                let learned = match evidence {
                    Evidence::No => None,
                    Evidence::Full => Some(lower),
                    Evidence::Often => {
                        self.lowered_at = Some(now);
                        Some(lower.max(self.least.min(self.limit.unwrap_or(u32::MAX))))
                    }
                };
                if let Some(learned) = learned {
                    let learned = learned.min(self.published).max(1);
                    self.limit = Some(learned);
                    self.trusted = self.trusted.min(most_of(learned));
                }
                self.refusals += 1;
                self.refused_at = now;
                self.is_wary = true;
                let doubled = BACK_OFF.saturating_mul(1 << (self.refusals - 1).min(6));
                let wait = retry_after.map_or(doubled.min(BACK_OFF_MAX), |wait| wait + MARGIN);
                self.blocked_until = self.blocked_until.max(now + wait);
            }
            Answer::Other => self.occupy(now, cost),
        }
    }

    /// Whether a refusal says how much a window holds, rather than that the service is busy just now.
    ///
    /// Who had a window's limit used up would be told to stay away for a good part of it. A short wait
    /// says nothing about a window, and to do as it says is enough; unless such waits are a good part
    /// of all answers. From those is learned slowly, and never to ask next to nothing: a service that
    /// is busy now and then would be asked ever less otherwise.
    fn evidence(&mut self, now: Duration, seen: u32, wait: Option<Duration>) -> Evidence {
        const OFTEN: usize = 4;
        const OFTEN_OF: usize = 10;
        self.refused.retain(|at| *at + self.window > now);
        self.refused.push(now);
        let used_much = |of: u32| seen >= of / 4 * 3;
        let is_full = match wait {
            Some(wait) => wait >= self.window / 4,
            None => seen >= self.trusted / 4,
        };
        let is_at_limit = self.limit.is_some_and(|limit| seen >= most_of(limit));
        if is_full || is_at_limit || (self.published < u32::MAX && used_much(self.published)) {
            return Evidence::Full;
        }
        let is_often = self.refused.len() >= OFTEN
            && self.refused.len().saturating_mul(OFTEN_OF) >= self.answered.len();
        let may_lower = self.lowered_at.is_none_or(|at| at + self.window <= now);
        if is_often && may_lower { Evidence::Often } else { Evidence::No }
    }

    fn occupy(&mut self, now: Duration, cost: u32) {
        self.answered.push_back((now, cost));
        self.answered_cost = self.answered_cost.saturating_add(cost);
    }

    /// Lets go of what left the window.
    fn forget(&mut self, now: Duration) {
        while let Some((at, cost)) = self.answered.front()
            && *at + self.window <= now
        {
            self.answered_cost = self.answered_cost.saturating_sub(*cost);
            self.answered.pop_front();
        }
    }

    /// How long to keep back so that what a known limit allows is spread over the window.
    ///
    /// A service may refill a bucket instead of counting a window: who emptied it once finds it full
    /// again only by asking for less, and is let through evenly for ever.
    fn spread(&self, now: Duration) -> Option<Duration> {
        let free_at = self.sent_at + self.window / self.limit?;
        (now < free_at).then(|| free_at.saturating_sub(now))
    }

    /// How much more than the limit is tried: limits change, upward too.
    fn daring(&self, now: Duration) -> u32 {
        if now.saturating_sub(self.refused_at) < self.window * CALM_WINDOWS {
            return 0;
        }
        self.limit.map_or(0, |limit| (limit / 20).max(1))
    }
}

/// Of a limit that was found out the last twentieth goes one at a time, always: a minute of the service's
/// clock ends within a minute of ours, so that ours may have held more than the next one will.
const fn most_of(limit: u32) -> u32 {
    let most = limit - limit / 20;
    if most > 0 { most } else { 1 }
}

#[cfg(test)]
mod tests;

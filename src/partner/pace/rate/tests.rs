//! The limiter against services that throttle in the ways that services do, in simulated time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::*;

/// How a service counts.
#[derive(Debug, Clone, Copy)]
enum Throttle {
    /// Minutes of the clock.
    Fixed,
    /// The last sixty seconds.
    Sliding,
    /// A bucket of a minute's calls, refilled evenly.
    Bucket,
    /// No limit, but one call in so many is told to come back in a second.
    Busy(u64),
}

struct Server {
    throttle: Throttle,
    limit: u32,
    phase: Duration,
    seen: VecDeque<Duration>,
    level: f64,
    level_at: Duration,
}

const MINUTE: Duration = Duration::from_mins(1);

impl Server {
    fn new(throttle: Throttle, limit: u32, phase: Duration) -> Self {
        Self {
            throttle,
            limit,
            phase,
            seen: VecDeque::new(),
            level: f64::from(limit),
            level_at: Duration::ZERO,
        }
    }

    /// Lets a call through, or says how long to wait, in whole seconds.
    fn arrive(&mut self, now: Duration) -> Result<(), Duration> {
        let whole = |wait: Duration| Duration::from_secs(wait.as_secs() + 1);
        let minute = |at: Duration| (at + self.phase).as_secs() / 60;
        match self.throttle {
            Throttle::Busy(of) => {
                // Some number that looks like no order.
                let micros = u64::try_from(now.as_micros()).unwrap();
                let drawn = micros.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
                return if drawn.is_multiple_of(of) { Err(Duration::from_secs(1)) } else { Ok(()) };
            }
            Throttle::Fixed => {
                while self.seen.front().is_some_and(|at| minute(*at) < minute(now)) {
                    self.seen.pop_front();
                }
            }
            Throttle::Sliding => {
                while self.seen.front().is_some_and(|at| *at + MINUTE <= now) {
                    self.seen.pop_front();
                }
            }
            Throttle::Bucket => {
                let gained =
                    now.saturating_sub(self.level_at).as_secs_f64() * f64::from(self.limit) / 60.0;
                self.level = (self.level + gained).min(f64::from(self.limit));
                self.level_at = now;
                if self.level < 1.0 {
                    return Err(Duration::from_secs(1));
                }
                self.level -= 1.0;
                return Ok(());
            }
        }
        if self.seen.len() < self.limit as usize {
            self.seen.push_back(now);
            return Ok(());
        }
        Err(match self.throttle {
            Throttle::Fixed => {
                whole(Duration::from_secs((minute(now) + 1) * 60).saturating_sub(now + self.phase))
            }
            _ => whole((self.seen[0] + MINUTE).saturating_sub(now)),
        })
    }
}

#[derive(Debug, Default)]
struct Outcome {
    let_through: u32,
    refused: u32,
    in_a_row_max: u32,
}

/// Somebody with far more to ask than is allowed.
fn run(mut rate: Rate, mut server: Server, latency_ms: u64, duration: Duration) -> Outcome {
    #[derive(PartialEq, Eq, PartialOrd, Ord)]
    enum Event {
        Arrive(u64),
        Answer(u64, Result<(), Duration>),
        Ask,
    }
    let mut events = BinaryHeap::from([Reverse((Duration::ZERO, 0u64, Event::Ask))]);
    let mut tickets = std::collections::HashMap::new();
    let (mut outcome, mut row, mut serial, mut asleep_until) = (Outcome::default(), 0, 0u64, None);
    // Latencies differ from request to request, the same way each time.
    let latency = |id: u64| Duration::from_millis(latency_ms / 2 + (id * 7919) % latency_ms.max(1));
    while let Some(Reverse((now, _, event))) = events.pop() {
        if now > duration {
            break;
        }
        match event {
            Event::Ask => {}
            Event::Arrive(id) => {
                let answer = server.arrive(now);
                if answer.is_err() {
                    row += 1;
                    outcome.refused += 1;
                } else {
                    row = 0;
                    outcome.let_through += 1;
                }
                outcome.in_a_row_max = outcome.in_a_row_max.max(row);
                serial += 1;
                events.push(Reverse((now + latency(id), serial, Event::Answer(id, answer))));
                continue;
            }
            Event::Answer(id, answer) => {
                let answer = match answer {
                    Ok(()) => Answer::Let,
                    Err(wait) => Answer::Throttled { retry_after: Some(wait) },
                };
                rate.answered(tickets.remove(&id).unwrap(), now, answer);
            }
        }
        loop {
            match rate.ask(now, 1) {
                Say::Go(ticket) => {
                    serial += 1;
                    tickets.insert(serial, ticket);
                    events.push(Reverse((now + latency(serial), serial, Event::Arrive(serial))));
                }
                Say::Wait(wait) => {
                    let until = now + wait;
                    if asleep_until.is_none_or(|asleep| asleep <= now || until < asleep) {
                        asleep_until = Some(until);
                        serial += 1;
                        events.push(Reverse((until, serial, Event::Ask)));
                    }
                    break;
                }
                Say::WaitForAnswer => break,
            }
        }
    }
    outcome
}

#[test]
fn the_published_limit_is_used_to_nine_tenths_and_never_hit_twice_in_a_row() {
    for throttle in [Throttle::Fixed, Throttle::Sliding, Throttle::Bucket] {
        for phase in [0, 20, 59] {
            for latency_ms in [10, 80, 250] {
                let server = Server::new(throttle, 500, Duration::from_secs(phase));
                let outcome = run(Rate::of(Class::Customers), server, latency_ms, MINUTE * 20);
                let case = format!("{throttle:?} phase {phase} latency {latency_ms}: {outcome:?}");
                assert!(outcome.in_a_row_max <= 1, "{case}");
                assert!(outcome.let_through >= 20 * 500 * 9 / 10, "{case}");
                assert!(outcome.refused <= 6, "{case}");
            }
        }
    }
}

#[test]
fn a_limit_that_nobody_published_is_found_one_call_at_a_time() {
    for throttle in [Throttle::Sliding, Throttle::Bucket] {
        for limit in [510, 620, 900] {
            let server = Server::new(throttle, limit, Duration::ZERO);
            let outcome = run(Rate::of(Class::Account), server, 30, MINUTE * 20);
            let case = format!("{throttle:?} {limit}: {outcome:?}");
            // A bucket is emptied little by little, so that it is a flight of several that finds it so.
            let row_max = if matches!(throttle, Throttle::Sliding) { 1 } else { 6 };
            assert!(outcome.in_a_row_max <= row_max, "{case}");
            assert!(outcome.let_through >= 20 * limit * 9 / 10, "{case}");
        }
    }
}

#[test]
fn a_tighter_limit_than_published_costs_one_flight_of_refusals() {
    for limit in [60, 300] {
        let server = Server::new(Throttle::Sliding, limit, Duration::ZERO);
        let outcome = run(Rate::of(Class::Customers), server, 50, MINUTE * 20);
        assert!(outcome.in_a_row_max <= 16, "{limit}: {outcome:?}");
        assert!(outcome.refused <= 20, "{limit}: {outcome:?}");
        assert!(outcome.let_through >= 20 * limit * 85 / 100, "{limit}: {outcome:?}");
        // A bucket says to wait for a second; whether it is small can only be seen by how often.
        let server = Server::new(Throttle::Bucket, limit, Duration::ZERO);
        let outcome = run(Rate::of(Class::Customers), server, 50, MINUTE * 20);
        assert!(outcome.in_a_row_max <= 16, "{limit}: {outcome:?}");
        assert!(outcome.refused <= outcome.let_through, "{limit}: {outcome:?}");
        assert!(outcome.let_through >= 20 * limit * 85 / 100, "{limit}: {outcome:?}");
    }
}

#[test]
fn without_a_word_how_long_the_wait_doubles() {
    let mut rate = Rate::new(MINUTE, 10, 4);
    let mut now = Duration::ZERO;
    let mut waits = Vec::new();
    for _ in 0..4 {
        let Say::Go(ticket) = rate.ask(now, 1) else { panic!("{rate:?}") };
        rate.answered(ticket, now, Answer::Throttled { retry_after: None });
        let Say::Wait(wait) = rate.ask(now, 1) else { panic!("{rate:?}") };
        waits.push(wait.as_secs());
        now += wait;
    }
    assert_eq!(waits, [2, 4, 8, 16]);
}

#[test]
fn after_a_refusal_one_goes_ahead_alone() {
    let mut rate = Rate::new(MINUTE, 10, 4);
    let Say::Go(first) = rate.ask(Duration::ZERO, 1) else { panic!() };
    let wait = Duration::from_millis(2128);
    rate.answered(first, Duration::ZERO, Answer::Throttled { retry_after: Some(wait) });
    assert_eq!(rate.ask(Duration::ZERO, 1), Say::Wait(wait + MARGIN));
    let now = wait + MARGIN;
    let Say::Go(scout) = rate.ask(now, 1) else { panic!() };
    assert_eq!(rate.ask(now, 1), Say::WaitForAnswer);
    rate.answered(scout, now, Answer::Let);
    assert!(matches!(rate.ask(now, 1), Say::Go(_) | Say::Wait(_)));
}

#[test]
fn one_request_that_costs_more_than_the_limit_still_goes() {
    let mut rate = Rate::new(MINUTE, 5, 4);
    rate.limit = Some(5);
    assert!(matches!(rate.ask(Duration::ZERO, 20), Say::Go(_)));
}

/// What is refused now and then for a moment says nothing about limits: each costs its wait, and no more.
#[test]
fn a_service_that_is_busy_now_and_then_is_not_asked_ever_less() {
    for class in [Class::Delegation, Class::Directory, Class::Customers] {
        for (of, least) in [(100, 40), (33, 15), (9, 1)] {
            let server = Server::new(Throttle::Busy(of), 0, Duration::ZERO);
            let outcome = run(Rate::of(class), server, 40, MINUTE * 60);
            let a_second = outcome.let_through / 3600;
            // Near a published limit nobody can tell: there a quarter of it remains.
            let least = if class == Class::Customers { least.min(2) } else { least };
            assert!(a_second >= least, "{class:?}, one in {of}: {a_second} a second, {outcome:?}");
        }
    }
}

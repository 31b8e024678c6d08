//! How fast we may ask: one limiter per class of calls.
//!
//! What is decided stands in `rate`, a value without a clock. Here are the waiting and the locks.

mod rate;
pub(super) mod retry_after;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

pub use rate::Answer;
use rate::{Rate, Say, Ticket};

use super::clock::Clock;
use super::request::Class;

/// Lets requests through, each class at its own pace.
#[derive(Debug, Clone)]
pub struct Pacer {
    clock: Clock,
    lanes: Arc<BTreeMap<Class, Lane>>,
}

#[derive(Debug)]
struct Lane {
    rate: Mutex<Rate>,
    /// Who asks next.
    turn: tokio::sync::Mutex<()>,
    /// Somebody got an answer, so that somebody else may go.
    moved: Notify,
    /// Until when somebody waits, by our clock.
    held_until: Mutex<Option<Duration>>,
}

impl Lane {
    fn with<R>(&self, act: impl FnOnce(&mut Rate) -> R) -> R {
        act(&mut self.rate.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Pacer {
    pub fn new(clock: Clock) -> Self {
        let lane = |class| Lane {
            rate: Mutex::new(Rate::of(class)),
            turn: tokio::sync::Mutex::new(()),
            moved: Notify::new(),
            held_until: Mutex::default(),
        };
        Self {
            clock,
            lanes: Arc::new(Class::ALL.into_iter().map(|class| (class, lane(class))).collect()),
        }
    }

    /// Waits until a request of that class may go.
    pub async fn admit(&self, class: Class, cost: u32) -> Permit {
        let Some(lane) = self.lanes.get(&class) else { return self.free(class) };
        // Whoever came first asks; the others wait for their turn, and are not woken by each answer.
        let _turn = lane.turn.lock().await;
        loop {
            // Registered before asking, so that no answer is missed between asking and waiting.
            let moved = lane.moved.notified();
            match lane.with(|rate| rate.ask(self.clock.elapsed(), cost)) {
                Say::Go(ticket) => {
                    return Permit { pacer: self.clone(), class, ticket: Some(ticket) };
                }
                Say::Wait(duration) => {
                    if let Ok(mut until) = lane.held_until.lock() {
                        *until = Some(self.clock.elapsed() + duration);
                    }
                    tokio::select! {
                        () = moved => {}
                        () = self.clock.sleep(duration) => {}
                    }
                }
                Say::WaitForAnswer => moved.await,
            }
        }
    }

    /// For how long somebody still waits, if anybody does.
    pub fn held_back(&self) -> Option<Duration> {
        let now = self.clock.elapsed();
        let left = |lane: &Lane| lane.held_until.lock().ok().and_then(|until| *until);
        self.lanes.values().filter_map(left).max()?.checked_sub(now).filter(|left| !left.is_zero())
    }

    fn free(&self, class: Class) -> Permit {
        Permit { pacer: self.clone(), class, ticket: None }
    }

    fn answered(&self, class: Class, ticket: Ticket, answer: Answer) {
        if let Some(lane) = self.lanes.get(&class) {
            lane.with(|rate| rate.answered(ticket, self.clock.elapsed(), answer));
            lane.moved.notify_waiters();
        }
    }
}

/// The leave to send one request. Dropped without a word, it counts as sent and unanswered.
#[derive(Debug)]
#[must_use = "what came of the request teaches the limiter"]
pub struct Permit {
    pacer: Pacer,
    class: Class,
    ticket: Option<Ticket>,
}

impl Permit {
    pub fn answered(mut self, answer: Answer) {
        self.tell(answer);
    }

    fn tell(&mut self, answer: Answer) {
        if let Some(ticket) = self.ticket.take() {
            self.pacer.answered(self.class, ticket, answer);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.tell(Answer::Other);
    }
}

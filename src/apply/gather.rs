//! Questions that come up at about the same time, asked together.
//!
//! Whoever may come to ask takes a place. The first to ask waits for the others, for a moment at most
//! and never for somebody who is not there, and asks for all of them.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

/// So many are asked at once.
const MOST: usize = 20;
/// So long is waited for others.
const MOMENT: Duration = Duration::from_millis(100);

/// Where questions come together.
#[derive(Debug)]
pub(super) struct Gathering<Q, A> {
    state: Mutex<State<Q, A>>,
    moved: Notify,
}

#[derive(Debug)]
struct State<Q, A> {
    places: usize,
    waiting: Vec<(Q, oneshot::Sender<A>)>,
}

impl<Q, A> Default for Gathering<Q, A> {
    fn default() -> Self {
        let state = State { places: 0, waiting: Vec::new() };
        Self { state: Mutex::new(state), moved: Notify::new() }
    }
}

impl<Q, A> Gathering<Q, A> {
    /// For somebody who may ask. Given back when it is dropped.
    pub(super) fn place(&self) -> Place<'_, Q, A> {
        self.state().places += 1;
        Place(self)
    }

    fn state(&self) -> MutexGuard<'_, State<Q, A>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until as many wait as can be asked at once, or everybody does.
    async fn gathered(&self) {
        loop {
            let moved = self.moved.notified();
            let (places, waiting) = {
                let state = self.state();
                (state.places, state.waiting.len())
            };
            if waiting >= places.min(MOST) {
                return;
            }
            moved.await;
        }
    }
}

/// Somebody who may ask.
#[derive(Debug)]
pub(super) struct Place<'a, Q, A>(&'a Gathering<Q, A>);

impl<Q, A> Place<'_, Q, A> {
    /// The answer to a question. One of those who ask does so for all, in their order; nothing is
    /// answered if it cannot.
    pub(super) async fn ask(
        &self,
        question: Q,
        all: impl AsyncFnOnce(Vec<Q>) -> Vec<A>,
    ) -> Option<A> {
        let (sender, answer) = oneshot::channel();
        let is_first = {
            let mut state = self.0.state();
            state.waiting.push((question, sender));
            state.waiting.len() == 1
        };
        if is_first {
            let asking = Asking(self.0);
            // Whoever is not there by now is waited for by the next.
            let _ = tokio::time::timeout(MOMENT, self.0.gathered()).await;
            let (questions, senders): (Vec<Q>, Vec<_>) = asking.take().into_iter().unzip();
            for (sender, answer) in senders.into_iter().zip(all(questions).await) {
                // Whoever does not wait for it any more needs none.
                let _ = sender.send(answer);
            }
        } else {
            self.0.moved.notify_waiters();
        }
        answer.await.ok()
    }
}

impl<Q, A> Drop for Place<'_, Q, A> {
    fn drop(&mut self) {
        self.0.state().places -= 1;
        self.0.moved.notify_waiters();
    }
}

/// Whoever asks for all. If they go before they did, the others go without an answer.
struct Asking<'a, Q, A>(&'a Gathering<Q, A>);

impl<Q, A> Asking<'_, Q, A> {
    fn take(self) -> Vec<(Q, oneshot::Sender<A>)> {
        std::mem::take(&mut self.0.state().waiting)
    }
}

impl<Q, A> Drop for Asking<'_, Q, A> {
    fn drop(&mut self) {
        self.0.state().waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;
    use tokio::time::{Instant, sleep};

    use super::*;

    /// Each asks for its double, after a while of its own; how many requests that took, and the answers.
    async fn asked(whiles: &[u64]) -> (usize, Vec<Option<u64>>, Duration) {
        let gathering = Gathering::default();
        let requests = AtomicUsize::new(0);
        let started = Instant::now();
        let places: Vec<_> = whiles.iter().map(|millis| (gathering.place(), millis)).collect();
        let answers =
            join_all(places.into_iter().enumerate().map(async |(at, (place, millis))| {
                sleep(Duration::from_millis(*millis)).await;
                let all = async |questions: Vec<u64>| {
                    requests.fetch_add(1, Ordering::Relaxed);
                    sleep(Duration::from_millis(1)).await;
                    questions.into_iter().map(|question| question * 2).collect()
                };
                place.ask(at as u64, all).await
            }))
            .await;
        (requests.into_inner(), answers, started.elapsed())
    }

    fn doubles(count: u64) -> Vec<Option<u64>> {
        (0..count).map(|at| Some(at * 2)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_alone_does_not_wait() {
        assert_eq!(asked(&[0]).await, (1, doubles(1), Duration::from_millis(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_come_together_are_asked_for_together() {
        let (requests, answers, took) = asked(&[0, 5, 10, 15]).await;
        assert_eq!((requests, answers), (1, doubles(4)));
        assert_eq!(took, Duration::from_millis(16), "nobody is waited for who is not there");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_waited_for_too_long() {
        let (requests, answers, took) = asked(&[0, 10, 3000]).await;
        assert_eq!((requests, answers), (2, doubles(3)));
        assert_eq!(took, Duration::from_millis(3001));
    }

    #[tokio::test(start_paused = true)]
    async fn as_many_as_go_into_one_request_do_not_wait_for_more() {
        let whiles: Vec<u64> = (0..50).map(|at| at * 2).collect();
        let (requests, answers, _) = asked(&whiles).await;
        assert_eq!((requests, answers), (3, doubles(50)));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_asked_for_all_and_went_leaves_nobody_behind() {
        let gathering: Gathering<u8, u8> = Gathering::default();
        let (first, second, other) = (gathering.place(), gathering.place(), gathering.place());
        let doubled = async |all: Vec<u8>| all.into_iter().map(|one| one * 2).collect();
        let going = async {
            let asked = first.ask(1, async |_| -> Vec<u8> { std::future::pending().await });
            assert!(tokio::time::timeout(Duration::from_millis(10), asked).await.is_err());
        };
        let ((), left) = tokio::join!(going, second.ask(2, doubled));
        assert_eq!(left, None);
        drop(first);
        assert_eq!(tokio::join!(second.ask(3, doubled), other.ask(4, doubled)), (Some(6), Some(8)));
    }
}

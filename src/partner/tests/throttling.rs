//! A service that lets 500 customer calls a minute through, in tokio's own time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::response::IntoResponse;
use futures_util::stream::{self, StreamExt};
use tokio::time::Instant;
use uuid::Uuid;

use super::super::Reader;
use super::super::testing::{Asked, connection, json, server};
use crate::model::id::TenantId;

const LIMIT: usize = 500;

/// Counts the last minute, and remembers how its refusals fell.
#[derive(Debug, Default)]
struct Throttle {
    seen: VecDeque<Instant>,
    refused: u32,
    row: u32,
    row_max: u32,
}

impl Throttle {
    fn arrive(&mut self) -> Option<u64> {
        let now = Instant::now();
        while self.seen.front().is_some_and(|at| now.duration_since(*at) >= Duration::from_mins(1))
        {
            self.seen.pop_front();
        }
        if self.seen.len() < LIMIT {
            self.seen.push_back(now);
            self.row = 0;
            return None;
        }
        self.refused += 1;
        self.row += 1;
        self.row_max = self.row_max.max(self.row);
        let wait = Duration::from_mins(1).saturating_sub(now.duration_since(self.seen[0]));
        Some(wait.as_secs() + 1)
    }
}

#[tokio::test(start_paused = true)]
async fn five_hundred_calls_a_minute_are_used_and_never_overdrawn_twice() {
    const CALLS: u32 = 2500;
    let throttle = Arc::new(Mutex::new(Throttle::default()));
    let counted = Arc::clone(&throttle);
    let (transport, _) = server(move |_: &Asked, _| match counted.lock().unwrap().arrive() {
        None => json(200, r#"{"items":[]}"#),
        Some(wait) => {
            let body = include_str!("../../../tests/wire-examples/pc-error-throttled.json");
            (http::StatusCode::TOO_MANY_REQUESTS, [("retry-after", wait.to_string())], body)
                .into_response()
        }
    });
    let reader = Reader::new(connection(transport));
    let started = Instant::now();
    let failed = stream::iter(0..CALLS)
        .map(|n| {
            let reader = reader.clone();
            async move { reader.subscriptions(TenantId(Uuid::from_u128(n.into()))).await }
        })
        .buffer_unordered(32)
        .filter(|answer| futures_util::future::ready(answer.is_err()))
        .count()
        .await;
    assert_eq!(failed, 0);
    let minutes = started.elapsed().as_secs_f64() / 60.0;
    let throttle = throttle.lock().unwrap();
    assert!(throttle.row_max <= 1, "{throttle:?}");
    let used = f64::from(CALLS) / (minutes * 500.0);
    assert!(used >= 0.9, "{used} of what is allowed, {} refusals", throttle.refused);
    assert!(minutes >= 4.0, "the test counts wrongly: {minutes}");
}

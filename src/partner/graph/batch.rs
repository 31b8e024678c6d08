//! Many questions in one request, each with an answer of its own.
//!
//! A batch that succeeds says nothing about its items: each can be missing, refused, or throttled by
//! itself. Items that were throttled or that failed for a moment are asked again, and no others.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::error::{Error, Place, Refusal};
use super::super::json::{self, Text};
use super::super::line::{ReadingLine, said, scrubbed};
use super::super::pace::retry_after;
use super::super::request::{BATCH_ITEMS_MAX, BatchItem, Class, Reading, Repeat};
use super::super::retry::{History, Next, Seen, next};

#[derive(Debug, Deserialize)]
struct Answers {
    #[serde(default, deserialize_with = "json::or_default")]
    responses: Vec<AnswerOne>,
}

#[derive(Debug, Deserialize)]
struct AnswerOne {
    id: Text,
    status: u16,
    #[serde(default, deserialize_with = "json::or_default")]
    headers: BTreeMap<String, Text>,
    #[serde(default)]
    body: Value,
}

/// Asks all of `urls` (relative to `/v1.0`), in as few requests as there can be, and answers in their
/// order.
pub(in crate::partner) async fn ask<T: DeserializeOwned>(
    line: &ReadingLine,
    class: Class,
    urls: &[String],
) -> Result<Vec<Result<T, Error>>, Error> {
    Ok(ask_with(line, class, &[], urls).await?.1)
}

/// The same, each with these headers; and the service's time when the first answer came.
pub(in crate::partner) async fn ask_with<T: DeserializeOwned>(
    line: &ReadingLine,
    class: Class,
    headers: &[(&'static str, &'static str)],
    urls: &[String],
) -> Result<(Option<Timestamp>, Vec<Result<T, Error>>), Error> {
    let item = |at: &usize| {
        let item = BatchItem::get(at.to_string(), urls.get(*at)?);
        Some(headers.iter().fold(item, |item, (name, value)| item.header(name, value)))
    };
    let mut date = None;
    let mut answers: BTreeMap<usize, Result<T, Error>> = BTreeMap::new();
    let mut open: Vec<(usize, History)> =
        (0..urls.len()).map(|at| (at, History::default())).collect();
    while !open.is_empty() {
        let mut again = Vec::new();
        let mut pause = Duration::ZERO;
        for asked in open.chunks(BATCH_ITEMS_MAX) {
            let items: Vec<BatchItem> = asked.iter().filter_map(|(at, _)| item(at)).collect();
            let answer = line.read::<Answers>(&Reading::batch(class, &items)).await?;
            date = date.or_else(|| answer.date());
            let mut answered: BTreeMap<String, AnswerOne> = answer
                .body
                .responses
                .into_iter()
                .map(|answer| (answer.id.0.clone(), answer))
                .collect();
            for (at, history) in asked {
                let url = urls.get(*at).map_or("", String::as_str);
                let (seen, error) = match answered.remove(&at.to_string()) {
                    None => {
                        let cause = "the batch has no answer for it".to_owned();
                        (Seen::Unreadable, Error::Unreadable { place: place(url), cause })
                    }
                    Some(answer) => match answer.read::<T>(line, url) {
                        Ok(value) => {
                            answers.insert(*at, Ok(value));
                            continue;
                        }
                        Err(failed) => failed,
                    },
                };
                let mut history = *history;
                match seen {
                    Seen::Status(429, _) => history.throttles += 1,
                    _ => history.attempts += 1,
                }
                // A token that was good for the batch is good for its items: not renewed for one.
                history.has_renewed = true;
                match next(Repeat::Freely, seen, history, line.patience()) {
                    Next::Wait(wait) => {
                        pause = pause.max(wait);
                        again.push((*at, history));
                    }
                    Next::Yield => {
                        pause = pause.max(throttled(seen, history));
                        again.push((*at, history));
                    }
                    Next::Renew | Next::Stop => {
                        answers.insert(*at, Err(error));
                    }
                }
            }
        }
        if !again.is_empty() {
            line.clock().sleep(pause).await;
        }
        open = again;
    }
    Ok((date, answers.into_values().collect()))
}

/// How long to leave an item alone that was one too many.
fn throttled(seen: Seen, history: History) -> Duration {
    match seen {
        Seen::Status(_, Some(wait)) => wait,
        _ => Duration::from_secs(1 << history.throttles.min(6)),
    }
}

fn place(url: &str) -> Place {
    let path = url.split('?').next().unwrap_or_default();
    Place { method: Method::GET, path: format!("/v1.0{path}") }
}

impl AnswerOne {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.0.as_str())
    }

    fn read<T: DeserializeOwned>(self, line: &ReadingLine, url: &str) -> Result<T, (Seen, Error)> {
        if (200..300).contains(&self.status) {
            return serde_json::from_value(self.body).map_err(|error| {
                let cause = format!("{:?} error in an item of a batch", error.classify());
                (Seen::Unreadable, Error::Unreadable { place: place(url), cause })
            });
        }
        let wait = self
            .header("retry-after")
            .and_then(|value| retry_after::parse(value, None, line.clock().now()));
        let said = said(&serde_json::to_vec(&self.body).unwrap_or_default());
        let kept = |text: String| scrubbed(&text, &[]);
        let refusal = Refusal {
            place: place(url),
            status: self.status,
            code: said.code.map(kept),
            message: said.message.map(kept).unwrap_or_default(),
            request_id: said.request_id,
            correlation_id: said.correlation_id,
            retry_after: wait,
        };
        Err((Seen::Status(self.status, wait), Error::Refused(Box::new(refusal))))
    }
}

//! What is created once for each request id, however often it is asked for.

use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::emulator::caller::Caller;
use crate::emulator::error::CenterError;
use crate::emulator::store::{Document, Write};

/// An answer that was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Answered {
    id: String,
    body: Value,
}

impl Document for Answered {
    const KIND: &'static str = "answered";

    fn id(&self) -> &str {
        &self.id
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// Does something, unless a request with this id did it already: then its answer is given again.
pub(super) fn once(
    tx: &Write<'_>,
    caller: &Caller,
    headers: &HeaderMap,
    what: &str,
    work: impl FnOnce() -> Result<Value, CenterError>,
) -> Result<Value, CenterError> {
    let Some(request) = headers.get("ms-requestid").and_then(|id| id.to_str().ok()) else {
        return work();
    };
    let id = format!("{what} {} {}", caller.tenant, request.to_lowercase());
    if let Some(answered) = tx.get::<Answered>(&id)? {
        return Ok(answered.document.body);
    }
    let body = work()?;
    tx.put(&Answered { id, body: body.clone() })?;
    Ok(body)
}

//! `GET /auditrecords`: what was done in the last ninety days.

use axum::extract::{Query, State};
use axum::response::Response;
use http::HeaderMap;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::{self, check};
use super::customers::{escape, insert};
use super::wire::{Filter, Paging, ok, with_query};
use crate::emulator::audit::AuditRecord;
use crate::emulator::caller::Caller;
use crate::emulator::error::CenterError;
use crate::emulator::store::{Range, Scan};
use crate::emulator::world::World;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListQuery {
    start_date: Option<String>,
    end_date: Option<String>,
    size: Option<String>,
    filter: Option<String>,
}

pub(super) async fn list(
    State(world): State<World>,
    caller: Caller,
    headers: HeaderMap,
    Query(query): Query<ListQuery>,
) -> Result<Response, CenterError> {
    let quirks = world.quirks();
    let paging = Paging::of(query.size.as_deref().or(Some("500")), &headers)?;
    let filter = query.filter.as_deref().map(Filter::parse).transpose()?;
    let start = query.start_date.as_deref().map(day).transpose()?;
    let end = query.end_date.as_deref().map(day).transpose()?;
    let body = world.store().read(|tx| {
        check(tx, &caller, access::SEE_RECORDS)?;
        let today = tx.now().to_zoned(TimeZone::UTC).date();
        let start = start.unwrap_or_else(|| today.saturating_sub(30.days()));
        let end = end.unwrap_or(today);
        if start < today.saturating_sub(90.days()) || start > end {
            return Err(CenterError::invalid("The dates are not within the last ninety days."));
        }
        let (from, to) = (start.to_string(), end.saturating_add(1.day()).to_string());
        let (key, prefix) = key_of(filter.as_ref())?;
        let (from, to) = (format!("{prefix}{from}"), format!("{prefix}{to}"));
        let scan = Scan { range: Range::Between(&from, &to), ..Scan::all(key) };
        let mut page = paging.page::<AuditRecord>(tx, scan)?;
        // A name is looked for within what is read: pages get shorter, as they may.
        let name = filter.as_ref().filter(|filter| filter.field == "companyname");
        if let Some(name) = name.map(|filter| filter.value.to_lowercase()) {
            page.items.retain(|record| {
                let customer = record.customer_name.as_deref().unwrap_or_default();
                customer.to_lowercase().contains(&name)
            });
        }
        let start = format!("startDate={start}");
        let end = query.end_date.as_ref().map(|_| format!("endDate={end}"));
        let size = format!("size={}", paging.size().unwrap_or(500));
        let filter = query.filter.as_deref().map(|filter| format!("filter={}", escape(filter)));
        let path = with_query("/auditrecords", [Some(start), end, Some(size), filter]);
        Ok::<_, CenterError>(page.write(&quirks, &path, written))
    })?;
    Ok(ok(&body, &quirks))
}

/// Which list a filter means, and how its values begin.
fn key_of(filter: Option<&Filter>) -> Result<(&'static str, String), CenterError> {
    let Some(filter) = filter else { return Ok(("date", String::new())) };
    match (filter.field.as_str(), filter.operator.as_str()) {
        ("companyname", "substring") => Ok(("date", String::new())),
        ("customerid", "equals") => Ok(("customer", format!("{} ", filter.value.to_lowercase()))),
        ("resourcetype", "equals") => Ok(("resource", format!("{} ", snake(&filter.value)))),
        _ => Err(CenterError::invalid("The records cannot be filtered so.")),
    }
}

/// `PartnerUser` and `partner_user` are the same.
fn snake(word: &str) -> String {
    let mut snake = String::new();
    for letter in word.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() && !snake.ends_with('_') {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

fn day(text: &str) -> Result<Date, CenterError> {
    // Clients write a time behind it, too; one of them writes the day of the year for the day.
    let date = text.split(['T', ' ']).next().unwrap_or_default();
    date.parse().map_err(|_| CenterError::invalid("The date is not valid."))
}

fn written(record: &AuditRecord) -> Value {
    let mut written = json!(record);
    insert(&mut written, "attributes", json!({"objectType": "AuditRecord"}));
    written
}

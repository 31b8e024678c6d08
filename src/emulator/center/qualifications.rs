//! What customers qualify for, and whether they may buy.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Body;
use super::access::{self, check};
use super::customers::{created, insert, related};
use super::documents::{Qualification, ValidationCode};
use super::wire::{ok, stored, text};
use crate::emulator::audit::{By, Deed, record};
use crate::emulator::caller::Caller;
use crate::emulator::error::{CenterError, Code, Shape};
use crate::emulator::store::{Scan, Write};
use crate::emulator::tenant::{Quirks, Tenant};
use crate::emulator::world::World;

impl Qualification {
    /// As it is written; vetting takes as long as the tenant's steps take.
    fn written(&self, now: Timestamp, quirks: &Quirks) -> Value {
        let wait = quirks.step();
        if now.duration_since(self.asked_at) >= wait {
            return json!({"qualification": self.qualification, "vettingStatus": "Approved"});
        }
        let asked = self.asked_at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        json!({
            "qualification": self.qualification,
            "vettingStatus": "InReview",
            "vettingCreatedDate": asked,
        })
    }
}

/// `GET /customers/{id}/qualifications`
pub(super) async fn list(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, CenterError> {
    let quirks = world.quirks();
    let (customer, now) = world.store().read(|tx| {
        check(tx, &caller, access::SEE_CUSTOMERS)?;
        Ok::<_, CenterError>((related(tx, &id)?, tx.now()))
    })?;
    let mut all: Vec<Value> =
        customer.qualifications.iter().map(|one| one.written(now, &quirks)).collect();
    if all.is_empty() {
        all.push(json!({"qualification": "None"}));
    }
    Ok(ok(&json!(all), &quirks))
}

/// `GET /customers/{id}/qualification`: the older route, a bare word.
pub(super) async fn first(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, CenterError> {
    let customer = world.store().read(|tx| {
        check(tx, &caller, access::SEE_CUSTOMERS)?;
        related(tx, &id)
    })?;
    let word = customer.qualifications.first().map_or("None", |one| one.qualification.as_str());
    Ok(ok(&json!(word), &world.quirks()))
}

/// `POST /customers/{id}/qualifications`
pub(super) async fn ask(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body,
) -> Result<Response, CenterError> {
    let quirks = world.quirks();
    let written = world.store().write(|tx| {
        check(tx, &caller, access::CHANGE_CUSTOMER_AS_USER)?;
        let mut customer = related(tx, &id)?;
        let word = known(text(&body, "qualification"))?;
        match word {
            "Education" => needs_school(&body)?,
            "GovernmentCommunityCloud" => use_code(tx, text(&body, "validationCode"))?,
            _ => {}
        }
        let mut details = stored(&body);
        details.remove("qualification");
        let qualification =
            Qualification { qualification: word.to_owned(), asked_at: tx.now(), details };
        let written = qualification.written(tx.now(), &quirks);
        customer.qualifications.retain(|one| one.qualification != word);
        customer.qualifications.push(qualification);
        tx.put(&customer)?;
        record(
            tx,
            By::Caller(&caller),
            &Deed {
                operation: "update_customer_qualification",
                resource: "customer",
                customer: Some((&customer.id, &customer.company_name)),
                before: None,
                after: Some(json!({"qualification": word})),
            },
        )?;
        Ok::<_, CenterError>(written)
    })?;
    Ok(created(&written, &quirks))
}

/// A qualification that can be asked for.
fn known(word: Option<&str>) -> Result<&'static str, CenterError> {
    ["Education", "GovernmentCommunityCloud", "StateOwnedEntity"]
        .into_iter()
        .find(|known| word.is_some_and(|word| word.eq_ignore_ascii_case(known)))
        .ok_or_else(|| CenterError::invalid("The qualification cannot be set."))
}

fn needs_school(body: &Value) -> Result<(), CenterError> {
    let segment = text(body, "educationSegment");
    let is_known = segment.is_some_and(|segment| {
        ["K12", "HigherEducation"].iter().any(|known| known.eq_ignore_ascii_case(segment))
    });
    if is_known && text(body, "website").is_some() {
        return Ok(());
    }
    Err(CenterError::invalid("The education segment or the website is missing."))
}

/// Takes one of the times that a code may be used.
fn use_code(tx: &Write<'_>, code: Option<&str>) -> Result<(), CenterError> {
    let refused = || CenterError::invalid("The validation code is not valid.");
    let mut code =
        tx.get::<ValidationCode>(code.ok_or_else(refused)?)?.ok_or_else(refused)?.document;
    code.remaining_creates = code.remaining_creates.checked_sub(1).ok_or_else(refused)?;
    tx.put(&code)?;
    Ok(())
}

/// `GET /customers/all/validations`
pub(super) async fn codes(
    State(world): State<World>,
    caller: Caller,
) -> Result<Response, CenterError> {
    let (tenant, codes) = world.store().read(|tx| {
        check(tx, &caller, access::SEE_CUSTOMERS)?;
        let codes = tx.scan::<ValidationCode>(&Scan::all("id"))?.items;
        Ok::<_, CenterError>((Tenant::of(tx)?, codes))
    })?;
    let written: Vec<Value> = codes
        .iter()
        .map(|code| {
            json!({
                "partnerId": tenant.id,
                "organizationName": code.organization_name,
                "validationId": code.validation_id,
                "maxCreates": code.max_creates,
                "remainingCreates": code.remaining_creates,
                "eTag": format!("W/\"{}\"", code.seq),
            })
        })
        .collect();
    Ok(ok(&json!(written), &world.quirks()))
}

#[derive(Debug, Deserialize)]
pub(super) struct OfType {
    r#type: Option<String>,
}

/// `GET /customers/{id}/validationstatus?type=account`
pub(super) async fn status(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<OfType>,
) -> Result<Response, CenterError> {
    if query.r#type.as_deref().is_none_or(|sort| !sort.eq_ignore_ascii_case("account")) {
        return Err(CenterError::new(
            StatusCode::BAD_REQUEST,
            Code::Text(800_002),
            "The type must be account.",
        ));
    }
    let customer = world.store().read(|tx| {
        check(tx, &caller, access::SEE_CUSTOMERS_AS_USER)?;
        related(tx, &id)
    })?;
    let Some(mut status) = customer.validation else {
        let message = format!("No account status was found for customer {id}.");
        return Err(CenterError {
            status: StatusCode::NOT_FOUND,
            shape: Shape::Commerce { code: 600_074, message, name: "AccountStatusNotFound" },
            retry_after: None,
        });
    };
    insert(&mut status, "type", "account".into());
    Ok(ok(&status, &world.quirks()))
}

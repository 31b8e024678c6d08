//! Signing in on another device: a code to type, and a page to type it into.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::client::Client;
use super::form::{Fields, FormResult, tenant};
use super::refusal::Refusal;
use super::session::digest;
use crate::emulator::http::ids::RequestIds;
use crate::emulator::http::origin::Origin;
use crate::emulator::store::{Document, Found, Read, StoreError, Write};
use crate::emulator::world::World;

/// How long a code can be typed.
const LIFETIME: SignedDuration = SignedDuration::from_mins(15);
/// Seconds between polls, and by how much who polls too fast has to slow down.
const INTERVAL_S: i64 = 5;

/// A sign-in that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeviceCode {
    /// The digest of the code that the device polls with.
    pub id: String,
    /// What the person types.
    pub user_code: String,
    pub client_id: String,
    pub scope: String,
    pub expires_at: Timestamp,
    pub interval_s: i64,
    pub polled_at: Option<Timestamp>,
    pub progress: Progress,
}

/// What the person did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub(crate) enum Progress {
    Pending,
    Accepted { user: String, mfa: bool },
    Declined,
}

/// A sign-in that a person completed.
pub(super) struct Accepted {
    pub user: String,
    pub mfa: bool,
    pub scope: String,
}

impl Document for DeviceCode {
    const KIND: &'static str = "device-code";

    fn id(&self) -> &str {
        &self.id
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        match self.progress {
            Progress::Pending => vec![("user-code", self.user_code.clone())],
            Progress::Accepted { .. } | Progress::Declined => Vec::new(),
        }
    }
}

impl DeviceCode {
    /// The sign-in that waits for a code to be typed, whatever its case.
    pub(crate) fn waiting(tx: &Read<'_>, typed: &str) -> Result<Option<Found<Self>>, StoreError> {
        let typed: String = typed.chars().filter(char::is_ascii_alphanumeric).collect();
        let found = tx.find::<Self>("user-code", &typed.to_ascii_uppercase())?;
        Ok(found.filter(|found| found.expires_at > tx.now()))
    }

    /// Answers a device that asks whether the person is done; remembers that it asked.
    pub(super) fn poll(
        tx: &Write<'_>,
        code: &str,
        client_id: &str,
    ) -> Result<Result<Accepted, Refusal>, StoreError> {
        let found = tx.get::<Self>(&digest(code))?;
        let Some(device) = found.filter(|found| found.client_id == client_id) else {
            let message = "The device code is not known.";
            return Ok(Err(Refusal::polling("bad_verification_code", 70019, message)));
        };
        let mut device = device.document;
        let now = tx.now();
        match device.progress.clone() {
            Progress::Accepted { user, mfa } => {
                tx.purge::<Self>(&device.id)?;
                Ok(Ok(Accepted { user, mfa, scope: device.scope }))
            }
            Progress::Declined => {
                let message = "The user declined to sign in.";
                Ok(Err(Refusal::polling("authorization_declined", 70018, message)))
            }
            Progress::Pending if now >= device.expires_at => {
                let message = "The device code has expired.";
                Ok(Err(Refusal::polling("expired_token", 70020, message)))
            }
            Progress::Pending => {
                // A second less: what is waited for on one clock is measured on another.
                let patience = SignedDuration::from_secs(device.interval_s - 1);
                let too_fast =
                    device.polled_at.is_some_and(|last| now.duration_since(last) < patience);
                device.polled_at = Some(now);
                let refusal = if too_fast {
                    device.interval_s += INTERVAL_S;
                    Refusal::polling("slow_down", 70021, "Polled too often.")
                } else {
                    Refusal::polling("authorization_pending", 70016, "Authorization is pending.")
                };
                tx.put(&device)?;
                Ok(Err(refusal))
            }
        }
    }
}

/// `POST /{tenant}/oauth2/v2.0/devicecode`, and the older form with `resource`.
pub(super) async fn begin(
    State(world): State<World>,
    Path(name): Path<String>,
    ids: RequestIds,
    origin: Origin,
    headers: HeaderMap,
    form: FormResult,
) -> Response {
    let begun = Fields::of(form, &headers).and_then(|fields| {
        world.store().write(|tx| {
            let tenant = tenant(tx, &name, true)?;
            let client = Client::of(tx, &tenant, &fields)?;
            if !client.registration.is_public {
                client.must_prove_itself()?;
            }
            let scope = match fields.get("resource") {
                Some(resource) => format!("{resource}/.default openid offline_access"),
                None => fields.need("scope")?.to_owned(),
            };
            let code = format!("BAQABAAEAAAA{}", tx.new_secret(48)?);
            let user_code = user_code(&tx.new_secret(64)?);
            tx.put(&DeviceCode {
                id: digest(&code),
                user_code: user_code.clone(),
                client_id: client.registration.client_id,
                scope,
                expires_at: tx.now().saturating_add(LIFETIME).unwrap_or(tx.now()),
                interval_s: INTERVAL_S,
                polled_at: None,
                progress: Progress::Pending,
            })?;
            Ok::<_, Refusal>((code, user_code))
        })
    });
    match begun {
        Err(refusal) => refusal.respond(&ids),
        Ok((code, user_code)) => {
            let page = format!("{}/devicelogin", origin.0);
            let message =
                format!("To sign in, open the page {page} and enter the code {user_code}.");
            Json(json!({
                "user_code": user_code,
                "device_code": code,
                "verification_uri": page,
                "expires_in": LIFETIME.as_secs(),
                "interval": INTERVAL_S,
                "message": message,
            }))
            .into_response()
        }
    }
}

/// Nine letters and digits that are not mistaken for each other.
fn user_code(random: &str) -> String {
    random
        .chars()
        .map(|c| c.to_ascii_uppercase())
        .filter(|c| !"01OIL".contains(*c))
        .take(9)
        .collect()
}

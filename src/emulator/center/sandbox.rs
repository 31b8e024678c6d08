//! Resellers that a provider makes for itself in a sandbox.

use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::Body;
use super::access::{self, check};
use super::customers::created;
use super::documents::{Partner, Side};
use super::replay::once;
use super::wire::{member, text};
use crate::emulator::caller::Caller;
use crate::emulator::clock;
use crate::emulator::error::{CenterError, Code};
use crate::emulator::store::{Range, Write};
use crate::emulator::tenant::{Program, Tenant};
use crate::emulator::world::World;

/// How many of them a provider can have.
const RESELLERS_MAX: u64 = 5;

/// `POST /sandboxindirectreseller`, once for each request id.
pub(super) async fn create(
    State(world): State<World>,
    caller: Caller,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, CenterError> {
    let quirks = world.quirks();
    let answer = world.store().write(|tx| {
        check(tx, &caller, access::CHANGE_CUSTOMER_AS_USER)?;
        refuse_outside(tx, quirks.sandbox)?;
        once(tx, &caller, &headers, "sandboxindirectreseller", || make(tx, &caller, &body))
    })?;
    Ok(created(&answer, &quirks))
}

fn refuse_outside(tx: &Write<'_>, is_sandbox: bool) -> Result<(), CenterError> {
    if is_sandbox && Tenant::of(tx)?.program == Program::IndirectProvider {
        return Ok(());
    }
    Err(CenterError::unauthorized(6002, "The token is not of a sandbox provider."))
}

fn make(tx: &Write<'_>, caller: &Caller, body: &Value) -> Result<Value, CenterError> {
    if tx.count::<Partner>("active-reseller", &Range::All)? >= RESELLERS_MAX {
        let message = "The limit of the sandbox is reached.";
        return Err(CenterError::new(StatusCode::BAD_REQUEST, Code::Text(800_018), message));
    }
    let null = Value::Null;
    let tenant = member(body, "tenant").unwrap_or(&null);
    let prefix = text(tenant, "domainPrefix")
        .ok_or_else(|| CenterError::invalid("The tenant has no domain prefix."))?;
    let mpn_id = text(body, "mpnId")
        .map(str::to_owned)
        .or_else(|| member(body, "mpnId").and_then(Value::as_u64).map(|id| id.to_string()));
    let mpn_id = mpn_id.ok_or_else(|| CenterError::invalid("The MPN id is missing."))?;
    let ours = Tenant::of(tx)?;
    let id = tx.new_id()?.to_string();
    let name = text(tenant, "displayName").or_else(|| text(tenant, "name")).unwrap_or(prefix);
    tx.put(&Partner {
        id: id.clone(),
        name: name.to_owned(),
        mpn_id: Some(mpn_id.clone()),
        location: text(tenant, "country").unwrap_or("US").to_owned(),
        side: Side::Reseller,
        is_active: true,
        has_signed: true,
        invitation: None,
    })?;
    let domain = format!("{prefix}.onmicrosoft.com");
    let admin = text(tenant, "adminUserName").unwrap_or("admin");
    Ok(json!({
        "accountId": id,
        "mpnId": mpn_id,
        "tenant": {
            "id": id,
            "adminUserAccount": format!("{admin}@{domain}"),
            "password": tx.new_secret(16)?,
        },
        "agreementSignature": {
            "id": tx.new_id()?.to_string(),
            "accountId": id,
            "agreementId": tx.new_id()?.to_string(),
            "agreementType": "ValueAddedReseller",
            "dateSigned": clock::stamp(tx.now()),
            "signedByFirstName": text(tenant, "adminFirstName").unwrap_or("Test"),
            "signedByUserPrincipalName": caller.sign_in_name().unwrap_or_default(),
            "signedByUserObjectId": caller.principal(),
            "signedByUserTenantId": ours.id,
            "attributes": {"objectType": "AgreementSignatureResponse"},
        },
        "partnerRelationship": {
            "id": ours.id,
            "name": ours.company_name,
            "relationshipType": "is_indirect_reseller_of",
            "state": "Active",
            "mpnId": mpn_id,
            "attributes": {"objectType": "PartnerRelationshipResponse"},
        },
    }))
}

/// `DELETE /sandboxindirectreseller/{id}`
pub(super) async fn delete(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, CenterError> {
    let is_sandbox = world.quirks().sandbox;
    world.store().write(|tx| {
        check(tx, &caller, access::CHANGE_CUSTOMER_AS_USER)?;
        refuse_outside(tx, is_sandbox)?;
        if tx.purge::<Partner>(&id)? {
            Ok(StatusCode::NO_CONTENT)
        } else {
            Err(CenterError::not_found("The reseller was not found."))
        }
    })
}

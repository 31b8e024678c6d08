//! Ties between partners, and the link by which customers become ours. Neither is made here.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::{self, check};
use super::customers::related;
use super::documents::{Partner, Side};
use super::wire::{Filter, collection, ok};
use crate::emulator::caller::Caller;
use crate::emulator::console::invitation_link;
use crate::emulator::error::{CenterError, Code};
use crate::emulator::http::origin::Origin;
use crate::emulator::store::Scan;
use crate::emulator::tenant::{Program, Tenant};
use crate::emulator::world::World;

fn written(partner: &Partner) -> Value {
    let relationship = match partner.side {
        Side::Provider => "is_indirect_reseller_of",
        Side::Reseller => "is_indirect_cloud_solution_provider_of",
    };
    let mut written = json!({
        "id": partner.id,
        "name": partner.name,
        "relationshipType": relationship,
        "state": "Active",
    });
    if let (Some(id), Some(written)) = (&partner.mpn_id, written.as_object_mut()) {
        written.insert("mpnId".to_owned(), json!(id));
    }
    if let Some(written) = written.as_object_mut() {
        written.insert("location".to_owned(), json!(partner.location));
        written.insert("attributes".to_owned(), json!({"objectType": "PartnerRelationship"}));
    }
    written
}

#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    relationship_type: Option<String>,
    filter: Option<String>,
}

/// `GET /relationships?relationship_type=`
pub(super) async fn list(
    State(world): State<World>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Response, CenterError> {
    let wanted = query.relationship_type.unwrap_or_default().replace('_', "").to_lowercase();
    let key = match wanted.as_str() {
        "isindirectcloudsolutionproviderof" => "active-reseller",
        "isindirectresellerof" => "active-provider",
        _ => return Err(CenterError::invalid("The relationship type is not valid.")),
    };
    let filter = query.filter.as_deref().map(Filter::parse).transpose()?;
    let partners = world.store().read(|tx| {
        check(tx, &caller, access::SEE_PARTNERS)?;
        Ok::<_, CenterError>(tx.scan::<Partner>(&Scan::all(key))?.items)
    })?;
    let items: Vec<Value> = partners
        .iter()
        .filter(|partner| filter.as_ref().is_none_or(|filter| is_named(partner, filter)))
        .map(|partner| written(partner))
        .collect();
    Ok(ok(&collection(&items), &world.quirks()))
}

fn is_named(partner: &Partner, filter: &Filter) -> bool {
    let (name, value) = (partner.name.to_lowercase(), filter.value.to_lowercase());
    filter.field == "name"
        && match filter.operator.as_str() {
            "equals" => name == value,
            "substring" => name.contains(&value),
            _ => name.starts_with(&value),
        }
}

/// `GET /customers/{id}/relationships`: the resellers of a provider's customer.
pub(super) async fn of_customer(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, CenterError> {
    let partner = world.store().read(|tx| {
        check(tx, &caller, access::SEE_CUSTOMERS_AS_USER)?;
        let customer = related(tx, &id)?;
        let Some(reseller) = customer.reseller else { return Ok(None) };
        Ok::<_, CenterError>(tx.get::<Partner>(&reseller)?)
    })?;
    let items: Vec<Value> = partner.iter().map(|partner| written(partner)).collect();
    Ok(ok(&collection(&items), &world.quirks()))
}

/// `GET /customers/relationshiprequests`: one link for all customers, with no state.
pub(super) async fn request(
    State(world): State<World>,
    caller: Caller,
    origin: Origin,
) -> Result<Response, CenterError> {
    let quirks = world.quirks();
    if quirks.sandbox {
        let message = "The operation is not supported in this environment.";
        return Err(CenterError::new(StatusCode::BAD_REQUEST, Code::Text(900_127), message));
    }
    let tenant = world.store().read(|tx| {
        check(tx, &caller, access::ASK_CUSTOMERS)?;
        Ok::<_, CenterError>(Tenant::of(tx)?)
    })?;
    let url = invitation_link(&origin.0, &tenant);
    Ok(ok(&json!({"url": url, "attributes": {"objectType": "RelationshipRequest"}}), &quirks))
}

#[derive(Debug, Deserialize)]
pub(super) struct StatusQuery {
    #[serde(rename = "mpnId")]
    mpn_id: Option<String>,
    #[serde(rename = "tenantId")]
    tenant_id: Option<String>,
}

/// `GET /compliance/csp/agreementstatus`: whether a reseller signed, by exactly one of its ids.
pub(super) async fn agreement_status(
    State(world): State<World>,
    caller: Caller,
    Query(query): Query<StatusQuery>,
) -> Result<Response, CenterError> {
    let refuse =
        |code, message: &str| CenterError::new(StatusCode::BAD_REQUEST, Code::Text(code), message);
    let partner = world.store().read(|tx| {
        check(tx, &caller, access::SEE_PARTNERS)?;
        if Tenant::of(tx)?.program != Program::IndirectProvider {
            return Err(CenterError::role_lacks_rights());
        }
        match (&query.mpn_id, &query.tenant_id) {
            (Some(id), None) if id.parse::<u64>().is_err() => {
                Err(refuse(2000, "The partner id is not a number."))
            }
            (Some(id), None) => tx
                .find::<Partner>("mpn-id", id)?
                .ok_or_else(|| refuse(2200, "The partner id is not known.")),
            (None, Some(id)) if id.parse::<uuid::Uuid>().is_err() => {
                Err(refuse(2000, "The tenant id is not a GUID."))
            }
            (None, Some(id)) => tx
                .get::<Partner>(&id.to_lowercase())?
                .ok_or_else(|| refuse(2205, "The tenant is not known.")),
            _ => Err(refuse(2001, "Exactly one of the identifiers is required.")),
        }
    })?;
    if partner.side != Side::Reseller {
        return Err(refuse(2204, "The partner has no account as an indirect reseller."));
    }
    Ok(ok(&json!({"isAgreementSigned": partner.has_signed}), &world.quirks()))
}

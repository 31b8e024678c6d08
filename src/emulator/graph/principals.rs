//! Service principals, and the organisation itself.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use serde_json::{Map, Value, json};

use super::call::{Answer, Call, annotated, ok};
use super::list::{self, Entity, Within, short};
use super::query::{LIST, ONE};
use super::rights::{READ_APPLICATIONS, READ_ORGANIZATION};
use crate::emulator::directory::ServicePrincipal;
use crate::emulator::error::GraphError;
use crate::emulator::store::{Found, Read};
use crate::emulator::tenant::Tenant;
use crate::emulator::world::World;

pub(super) fn routes() -> Router<World> {
    Router::new()
        .route("/servicePrincipals", get(list))
        .route("/servicePrincipals/{id}", get(one))
        .route("/organization", get(organizations))
        .route("/organization/{id}", get(organization))
}

pub(super) const NAMES: &[&str] = &[
    "id",
    "accountEnabled",
    "appDisplayName",
    "appId",
    "displayName",
    "servicePrincipalType",
    "tags",
];

impl Entity for ServicePrincipal {
    const INDEXED: &'static [(&'static str, &'static str)] =
        &[("id", "id"), ("appId", "app-id"), ("displayName", "display-name")];
    const PAGE: (usize, usize) = (100, 999);

    fn show(found: &Found<Self>) -> Map<String, Value> {
        show(found)
    }
}

pub(super) fn show(found: &Found<ServicePrincipal>) -> Map<String, Value> {
    let principal = &found.document;
    let mut object = Map::new();
    object.insert("id".to_owned(), principal.id.clone().into());
    object.insert("accountEnabled".to_owned(), true.into());
    object.insert("appDisplayName".to_owned(), principal.display_name.clone().into());
    object.insert("appId".to_owned(), principal.app_id.clone().into());
    object.insert("displayName".to_owned(), principal.display_name.clone().into());
    object.insert("servicePrincipalType".to_owned(), "Application".into());
    object.insert("tags".to_owned(), Value::Array(Vec::new()));
    object
}

pub(super) fn find(tx: &Read<'_>, id: &str) -> Result<Found<ServicePrincipal>, GraphError> {
    tx.get::<ServicePrincipal>(&id.to_lowercase())?.ok_or_else(|| GraphError::not_found(id))
}

async fn list(call: Call) -> Answer {
    let query = call.query(LIST)?;
    query.must_know("servicePrincipal", NAMES)?;
    query.must_be_allowed_by_directory()?;
    let page = call.read(|tx| {
        call.may_read(tx, READ_APPLICATIONS)?;
        list::page::<ServicePrincipal>(tx, &query, Within::All)
    })?;
    let page = page.map(|object| query.project(object, &[]));
    Ok(call.collection(&format!("servicePrincipals{}", query.chosen()), page))
}

async fn one(Path(id): Path<String>, call: Call) -> Answer {
    let query = call.query(ONE)?;
    query.must_know("servicePrincipal", NAMES)?;
    let object = call.read(|tx| {
        call.may_read(tx, READ_APPLICATIONS)?;
        Ok(show(&find(tx, &id)?))
    })?;
    let context = call.context(&format!("servicePrincipals{}/$entity", query.chosen()));
    Ok(ok(annotated([("@odata.context", context)], query.project(object, &[]))))
}

async fn organizations(call: Call) -> Answer {
    let query = call.query(LIST)?;
    let page = call.read(|tx| {
        call.may_read(tx, READ_ORGANIZATION)?;
        short(&query, vec![show_organization(&Tenant::of(tx)?)], 999)
    })?;
    let page = page.map(|object| query.project(object, &[]));
    Ok(call.collection(&format!("organization{}", query.chosen()), page))
}

async fn organization(Path(id): Path<String>, call: Call) -> Answer {
    let query = call.query(ONE)?;
    let object = call.read(|tx| {
        call.may_read(tx, READ_ORGANIZATION)?;
        let tenant = Tenant::of(tx)?;
        if !tenant.id.eq_ignore_ascii_case(&id) {
            return Err(GraphError::not_found(&id));
        }
        Ok(show_organization(&tenant))
    })?;
    let context = call.context(&format!("organization{}/$entity", query.chosen()));
    Ok(ok(annotated([("@odata.context", context)], query.project(object, &[]))))
}

fn show_organization(tenant: &Tenant) -> Map<String, Value> {
    let domains: Vec<Value> = tenant
        .domains
        .iter()
        .map(|domain| {
            let is_initial = domain == tenant.domain();
            json!({
                "capabilities": "Email, OfficeCommunicationsOnline",
                "isDefault": is_initial,
                "isInitial": is_initial,
                "name": domain,
                "type": "Managed",
            })
        })
        .collect();
    let mut object = Map::new();
    object.insert("id".to_owned(), tenant.id.clone().into());
    object.insert("displayName".to_owned(), tenant.company_name.clone().into());
    object.insert("countryLetterCode".to_owned(), tenant.country.clone().into());
    object.insert("onPremisesSyncEnabled".to_owned(), Value::Null);
    object.insert("tenantType".to_owned(), "AAD".into());
    object.insert("verifiedDomains".to_owned(), Value::Array(domains));
    object
}

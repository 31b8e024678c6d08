//! Delegated access as Graph shows it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::assignment::Assignment;
use super::customer::DelegatedCustomer;
use super::duration;
use super::operation::Operation;
use super::relationship::{EXTENSION_DAYS, Relationship};
use super::request::Request;
use crate::emulator::clock;
use crate::emulator::graph::list::Entity;
use crate::emulator::store::Found;

/// Pages of all these collections.
const PAGE: (usize, usize) = (100, 300);

/// Differs after each write; the quotes belong to it.
pub(super) fn etag(seq: i64) -> String {
    let tag =
        format!("'\"{seq:08x}-0000-0200-0000-{:012x}\"'", seq.wrapping_mul(0x9e37) & 0xffff_ffff);
    format!("W/\"{}\"", STANDARD.encode(tag))
}

/// The form of an object: its type, its tag, its properties.
fn object(kind: &str, seq: Option<i64>, properties: Value) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("@odata.type".to_owned(), format!("#microsoft.graph.{kind}").into());
    if let Some(seq) = seq {
        object.insert("@odata.etag".to_owned(), etag(seq).into());
    }
    if let Value::Object(properties) = properties {
        object.extend(properties);
    }
    object
}

pub(super) fn roles(roles: &[String]) -> Value {
    let roles: Vec<Value> = roles.iter().map(|role| json!({"roleDefinitionId": role})).collect();
    json!({"unifiedRoles": roles})
}

impl Entity for Relationship {
    // A customer has fewer relationships than a status has: it is asked first.
    const INDEXED: &'static [(&'static str, &'static str)] = &[
        ("id", "id"),
        ("displayName", "display-name"),
        ("customer/tenantId", "customer"),
        ("status", "status"),
    ];
    const PAGE: (usize, usize) = PAGE;

    fn show(found: &Found<Self>) -> Map<String, Value> {
        let relationship = &found.document;
        let stamp = |at: Option<Timestamp>| at.map(clock::stamp);
        let customer = relationship.customer.as_ref().map(|customer| {
            json!({"tenantId": customer.tenant_id, "displayName": customer.display_name})
        });
        let extension = if relationship.auto_extends { EXTENSION_DAYS } else { 0 };
        let kind = match relationship.provider {
            Some(_) => "resellerDelegatedAdminRelationship",
            None => "delegatedAdminRelationship",
        };
        let mut shown = object(
            kind,
            Some(found.seq),
            json!({
                "id": relationship.id,
                "displayName": relationship.display_name,
                "duration": duration::text(relationship.duration_days),
                "customer": customer,
                "accessDetails": roles(&relationship.roles),
                "status": relationship.status.name(),
                "autoExtendDuration": duration::text(extension),
                "createdDateTime": clock::stamp(relationship.created_at),
                "lastModifiedDateTime": clock::stamp(relationship.modified_at),
                "activatedDateTime": stamp(relationship.activated_at),
                "endDateTime": stamp(relationship.ends_at),
            }),
        );
        if let Some(provider) = &relationship.provider {
            shown.insert("indirectProviderTenantId".to_owned(), provider.tenant_id.clone().into());
            shown.insert("isPartnerConsentPending".to_owned(), provider.is_consent_pending.into());
        }
        shown
    }
}

impl Entity for Assignment {
    const INDEXED: &'static [(&'static str, &'static str)] = &[("id", "relationship")];
    const PAGE: (usize, usize) = PAGE;

    fn show(found: &Found<Self>) -> Map<String, Value> {
        object(
            "delegatedAdminAccessAssignment",
            Some(found.seq),
            json!({
                "id": found.id,
                "status": found.status.name(),
                "createdDateTime": clock::stamp(found.document.created_at),
                "lastModifiedDateTime": clock::stamp(found.modified_at),
                "accessContainer": {
                    "accessContainerId": found.container,
                    "accessContainerType": "securityGroup",
                },
                "accessDetails": roles(&found.roles),
            }),
        )
    }
}

impl Entity for Request {
    const INDEXED: &'static [(&'static str, &'static str)] = &[("id", "relationship")];
    const PAGE: (usize, usize) = PAGE;

    fn show(found: &Found<Self>) -> Map<String, Value> {
        object(
            "delegatedAdminRelationshipRequest",
            None,
            json!({
                "id": found.id,
                "action": found.action.name(),
                "status": found.status.name(),
                "createdDateTime": clock::stamp(found.document.created_at),
                "lastModifiedDateTime": clock::stamp(found.modified_at),
            }),
        )
    }
}

impl Entity for Operation {
    const INDEXED: &'static [(&'static str, &'static str)] = &[("id", "relationship")];
    const PAGE: (usize, usize) = PAGE;

    fn show(found: &Found<Self>) -> Map<String, Value> {
        object(
            "delegatedAdminRelationshipOperation",
            Some(found.seq),
            json!({
                "id": found.id,
                "operationType": found.change.operation_type(),
                "data": found.data,
                "status": found.status.name(),
                "createdDateTime": clock::stamp(found.document.created_at),
                "lastModifiedDateTime": clock::stamp(found.modified_at),
            }),
        )
    }
}

impl Entity for DelegatedCustomer {
    const INDEXED: &'static [(&'static str, &'static str)] =
        &[("id", "id"), ("tenantId", "id"), ("displayName", "display-name")];
    const PAGE: (usize, usize) = PAGE;

    fn show(found: &Found<Self>) -> Map<String, Value> {
        object(
            "delegatedAdminCustomer",
            None,
            json!({
                "id": found.tenant_id,
                "tenantId": found.tenant_id,
                "displayName": found.display_name,
            }),
        )
    }
}

//! Delegated access (GDAP): relationships, and what groups may do by them.

use std::collections::{BTreeMap, BTreeSet};

use super::super::error::{Error, Reason};
use super::super::line::ReadingLine;
use super::super::request::{Class, Reading, escaped, quoted};
use super::super::snapshot::{DelegatedAssignment, Delegation, RelationshipId};
use super::batch;
use super::page::{self, Page, rest_of};
use super::wire::{
    DelegatedAssignmentWire, DelegatedCustomerWire, DelegationWire, OperationWire, ServiceWire,
};
use crate::model::id::TenantId;

const CUSTOMERS: &str = "/tenantRelationships/delegatedAdminCustomers";
const RELATIONSHIPS: &str = "/tenantRelationships/delegatedAdminRelationships";
/// The most that a page may hold here.
const PAGE: u32 = 300;
/// Without it the service hides members of its enums that are younger than its first version.
const UNKNOWN_TOO: &str = "include-unknown-enum-members";
const PREFER: &str = "prefer";

pub(in crate::partner) async fn all(
    line: &ReadingLine,
) -> Result<BTreeMap<RelationshipId, Delegation>, Error> {
    let path = format!("/v1.0{RELATIONSHIPS}?$top={PAGE}");
    let whole = page::all::<DelegationWire>(line, Class::Delegation, path).await?;
    Ok(whole.items.into_iter().map(DelegationWire::observed).collect())
}

pub(in crate::partner) async fn one(
    line: &ReadingLine,
    id: &RelationshipId,
) -> Result<Delegation, Error> {
    let reading = Reading::get(Class::Delegation, path(id, "")).header(PREFER, UNKNOWN_TOO);
    Ok(line.read::<DelegationWire>(&reading).await?.body.observed().1)
}

/// Many at once, each with an answer of its own, in their order.
pub(in crate::partner) async fn many(
    line: &ReadingLine,
    ids: &[RelationshipId],
) -> Result<Vec<Result<Delegation, Error>>, Error> {
    let urls: Vec<String> =
        ids.iter().map(|id| format!("{RELATIONSHIPS}/{}", escaped(&id.0))).collect();
    let headers = [(PREFER, UNKNOWN_TOO)];
    let (_, answers) =
        batch::ask_with::<DelegationWire>(line, Class::Delegation, &headers, &urls).await?;
    Ok(answers.into_iter().map(|answer| answer.map(|wire| wire.observed().1)).collect())
}

/// Those with that name: the marker by which one of unknown fate is found.
pub(in crate::partner) async fn named(
    line: &ReadingLine,
    name: &str,
) -> Result<Vec<(RelationshipId, Delegation)>, Error> {
    let filter = format!("displayName eq {}", quoted(name));
    let path = format!("/v1.0{RELATIONSHIPS}?$filter={}", escaped(&filter));
    let found = match page::all::<DelegationWire>(line, Class::Delegation, path).await {
        Ok(whole) => whole.items.into_iter().map(DelegationWire::observed).collect(),
        // A filter by name is in no document: where it is refused, the whole list is looked through.
        Err(error) if error.is(Reason::Invalid) => all(line).await?.into_iter().collect::<Vec<_>>(),
        Err(error) => return Err(error),
    };
    Ok(found.into_iter().filter(|(_, delegation)| delegation.name == name).collect())
}

/// What groups may do, for many relationships; nothing for one that is gone.
pub(in crate::partner) async fn assignments(
    line: &ReadingLine,
    ids: &[RelationshipId],
) -> Result<Vec<(RelationshipId, Vec<DelegatedAssignment>)>, Error> {
    let urls: Vec<String> = ids
        .iter()
        .map(|id| format!("{RELATIONSHIPS}/{}/accessAssignments?$top={PAGE}", escaped(&id.0)))
        .collect();
    let answers =
        batch::ask::<Page<DelegatedAssignmentWire>>(line, Class::Delegation, &urls).await?;
    let mut all = Vec::new();
    for (id, answer) in ids.iter().zip(answers) {
        let items = match answer {
            Ok(first) => rest_of(line, Class::Delegation, first).await?.items,
            Err(error) if error.is(Reason::Missing) => Vec::new(),
            Err(error) => return Err(error),
        };
        let items = items.into_iter().map(DelegatedAssignmentWire::observed).collect();
        all.push((id.clone(), items));
    }
    Ok(all)
}

/// Customers with whom at least one relationship is active.
pub(in crate::partner) async fn customers(line: &ReadingLine) -> Result<BTreeSet<TenantId>, Error> {
    let path = format!("/v1.0{CUSTOMERS}?$top={PAGE}");
    let whole = page::all::<DelegatedCustomerWire>(line, Class::Delegation, path).await?;
    Ok(whole.items.into_iter().map(|customer| TenantId(customer.tenant_id)).collect())
}

/// Where the services of such a customer are managed: names and addresses.
pub(in crate::partner) async fn services(
    line: &ReadingLine,
    customer: TenantId,
) -> Result<Vec<(String, String)>, Error> {
    let path = format!("/v1.0{CUSTOMERS}/{customer}/serviceManagementDetails");
    let whole = page::all::<ServiceWire>(line, Class::Delegation, path).await?;
    Ok(whole
        .items
        .into_iter()
        .map(|service| (service.service_name.0, service.service_management_url.0))
        .collect())
}

/// How a change stands that goes on behind its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    Running,
    Succeeded,
    Failed,
    Other(String),
}

pub(in crate::partner) async fn operation(
    line: &ReadingLine,
    path: String,
) -> Result<Progress, Error> {
    let reading = Reading::get(Class::Delegation, path).header(PREFER, UNKNOWN_TOO);
    let status = line.read::<OperationWire>(&reading).await?.body.status.unwrap_or_default();
    Ok(match status.as_str() {
        "notStarted" | "running" => Progress::Running,
        "succeeded" => Progress::Succeeded,
        "failed" => Progress::Failed,
        _ => Progress::Other(status),
    })
}

/// A path below a relationship.
pub(in crate::partner) fn path(id: &RelationshipId, below: &str) -> String {
    format!("/v1.0{RELATIONSHIPS}/{}{below}", escaped(&id.0))
}

/// Where relationships are made.
pub(in crate::partner) fn collection() -> String {
    format!("/v1.0{RELATIONSHIPS}")
}

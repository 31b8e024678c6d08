//! Directory roles: who holds them, and who could activate them.

use super::super::error::{Error, Reason};
use super::super::line::ReadingLine;
use super::super::request::{Class, escaped};
use super::super::snapshot::{Holding, ObjectId, RoleAssignment};
use super::batch;
use super::page::{self, Page, rest_of};
use super::wire::{AssignmentWire, RoleWire};
use crate::model::directory_role::DirectoryRole;
use crate::model::id::RoleTemplateId;

/// Relative to `/v1.0`.
pub(in crate::partner) const ACTIVE: &str = "/roleManagement/directory/roleAssignments";
/// Relative to `/v1.0`.
pub(in crate::partner) const ELIGIBLE: &str = "/roleManagement/directory/roleEligibilitySchedules";

/// Active assignments, and whether these are all there are.
#[derive(Debug)]
pub(in crate::partner) struct Active {
    pub(in crate::partner) assignments: Vec<RoleAssignment>,
    /// A service that wants to know which role was asked about the roles we know; there may be more.
    pub(in crate::partner) is_whole: bool,
}

pub(in crate::partner) async fn active(line: &ReadingLine) -> Result<Active, Error> {
    match page::all::<AssignmentWire>(line, Class::Directory, format!("/v1.0{ACTIVE}")).await {
        Ok(whole) => {
            Ok(Active { assignments: observed(whole.items, Holding::Active), is_whole: true })
        }
        // The documents say that a filter is wanted; the service has become milder than they are.
        Err(error) if error.is(Reason::Invalid) => {
            let assignments = active_of_known_roles(line).await?;
            Ok(Active { assignments, is_whole: false })
        }
        Err(error) => Err(error),
    }
}

async fn active_of_known_roles(line: &ReadingLine) -> Result<Vec<RoleAssignment>, Error> {
    let urls: Vec<String> = DirectoryRole::names()
        .filter_map(DirectoryRole::named)
        .map(|role| of_role(role.0))
        .collect();
    let mut all = Vec::new();
    for answer in batch::ask::<Page<AssignmentWire>>(line, Class::Directory, &urls).await? {
        let whole = rest_of(line, Class::Directory, answer?).await?;
        all.extend(observed(whole.items, Holding::Active));
    }
    Ok(all)
}

fn of_role(role: RoleTemplateId) -> String {
    format!("{ACTIVE}?$filter={}", escaped(&format!("roleDefinitionId eq '{role}'")))
}

/// Assignments that must be activated first; nothing where the tenant has no such thing.
pub(in crate::partner) async fn eligible(
    line: &ReadingLine,
) -> Result<Result<Vec<RoleAssignment>, Error>, Error> {
    match page::all::<AssignmentWire>(line, Class::Directory, format!("/v1.0{ELIGIBLE}")).await {
        Ok(whole) => Ok(Ok(observed(whole.items, Holding::Eligible))),
        Err(error) if is_no_eligibility(&error) => Ok(Err(error)),
        Err(error) => Err(error),
    }
}

/// No licence for it, no permission, or no such path in this cloud.
pub(in crate::partner) fn is_no_eligibility(error: &Error) -> bool {
    matches!(error.reason(), Some(Reason::Invalid | Reason::Denied | Reason::Missing))
}

/// What one principal holds.
pub(in crate::partner) async fn of_principal(
    line: &ReadingLine,
    principal: ObjectId,
) -> Result<Vec<RoleAssignment>, Error> {
    let filter = format!("principalId eq '{principal}'");
    let path = format!("/v1.0{ACTIVE}?$filter={}", escaped(&filter));
    let whole = page::all::<AssignmentWire>(line, Class::Directory, path).await?;
    Ok(observed(whole.items, Holding::Active))
}

/// Whether the older interface lists a role.
pub(in crate::partner) async fn is_activated(
    line: &ReadingLine,
    role: RoleTemplateId,
) -> Result<bool, Error> {
    let path = "/v1.0/directoryRoles".to_owned();
    let whole = page::all::<RoleWire>(line, Class::Directory, path).await?;
    Ok(whole.items.iter().any(|found| found.role_template_id == role.0))
}

fn observed(items: Vec<AssignmentWire>, holding: Holding) -> Vec<RoleAssignment> {
    items.into_iter().map(|item| item.observed(holding)).collect()
}

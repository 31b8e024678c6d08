//! Users, groups, and the tenant they belong to.

use std::collections::BTreeMap;

use super::super::error::Error;
use super::super::line::ReadingLine;
use super::super::request::{Class, Reading, escaped, quoted};
use super::super::snapshot::{DeletedUser, Group, MemberKind, ObjectId, ServicePrincipal, User};
use super::page::{self, Page, Whole};
use super::wire::{GroupWire, MemberWire, OrganizationWire, ServicePrincipalWire, UserWire};
use super::{batch, page::rest_of};
use crate::model::id::ApplicationId;

pub(in crate::partner) const USER_SELECT: &str = "id,displayName,userPrincipalName,mail,accountEnabled,userType,onPremisesSyncEnabled,mailNickname,givenName,surname,jobTitle,department,mobilePhone,preferredLanguage,usageLocation,createdDateTime";
/// What a delta watches: all of the above that can change.
pub(in crate::partner) const USER_DELTA_SELECT: &str = "id,displayName,userPrincipalName,mail,accountEnabled,userType,onPremisesSyncEnabled,mailNickname,givenName,surname,jobTitle,department,mobilePhone,preferredLanguage,usageLocation";
pub(in crate::partner) const GROUP_SELECT: &str = "id,displayName,description,mailNickname,mailEnabled,securityEnabled,groupTypes,onPremisesSyncEnabled,isAssignableToRole";
pub(in crate::partner) const GROUP_DELTA_SELECT: &str =
    "id,displayName,description,mailNickname,securityEnabled,members";
/// Relative to `/v1.0`.
pub(in crate::partner) const DELETED: &str = "/directory/deletedItems/microsoft.graph.user?$select=id,displayName,userPrincipalName,deletedDateTime";
/// Relative to `/v1.0`.
pub(in crate::partner) const ORGANIZATION: &str =
    "/organization?$select=id,displayName,verifiedDomains";
const PAGE: u32 = 999;

pub(in crate::partner) async fn users(line: &ReadingLine) -> Result<Whole<UserWire>, Error> {
    let path = format!("/v1.0/users?$select={USER_SELECT}&$top={PAGE}");
    page::all(line, Class::Directory, path).await
}

pub(in crate::partner) async fn groups(line: &ReadingLine) -> Result<Whole<GroupWire>, Error> {
    let path = format!("/v1.0/groups?$select={GROUP_SELECT}&$top={PAGE}");
    page::all(line, Class::Directory, path).await
}

pub(in crate::partner) async fn deleted_users(
    line: &ReadingLine,
) -> Result<BTreeMap<ObjectId, DeletedUser>, Error> {
    let whole = page::all::<UserWire>(line, Class::Directory, format!("/v1.0{DELETED}")).await?;
    Ok(whole.items.into_iter().map(UserWire::deleted).collect())
}

pub(in crate::partner) async fn organization(
    line: &ReadingLine,
) -> Result<Option<OrganizationWire>, Error> {
    let path = format!("/v1.0{ORGANIZATION}");
    let whole = page::all::<OrganizationWire>(line, Class::Directory, path).await?;
    Ok(whole.items.into_iter().next())
}

pub(in crate::partner) async fn user(line: &ReadingLine, id: ObjectId) -> Result<User, Error> {
    let reading = Reading::get(Class::Directory, format!("/v1.0{}", user_url(id)));
    Ok(line.read::<UserWire>(&reading).await?.body.observed().1)
}

fn user_url(id: ObjectId) -> String {
    format!("/users/{id}?$select={USER_SELECT}")
}

/// Users by their ids; one that is gone is `None`.
pub(in crate::partner) async fn users_by_id(
    line: &ReadingLine,
    ids: &[ObjectId],
) -> Result<Vec<(ObjectId, Option<User>)>, Error> {
    let urls: Vec<String> = ids.iter().map(|id| user_url(*id)).collect();
    let answers = batch::ask::<UserWire>(line, Class::Directory, &urls).await?;
    present(ids, answers).map(|found| {
        found.into_iter().map(|(id, user)| (id, user.map(|user| user.observed().1))).collect()
    })
}

pub(in crate::partner) async fn groups_by_id(
    line: &ReadingLine,
    ids: &[ObjectId],
) -> Result<Vec<(ObjectId, Option<Group>)>, Error> {
    let urls: Vec<String> =
        ids.iter().map(|id| format!("/groups/{id}?$select={GROUP_SELECT}")).collect();
    let answers = batch::ask::<GroupWire>(line, Class::Directory, &urls).await?;
    present(ids, answers).map(|found| {
        found.into_iter().map(|(id, group)| (id, group.map(|group| group.observed().1))).collect()
    })
}

fn present<T>(
    ids: &[ObjectId],
    answers: Vec<Result<T, Error>>,
) -> Result<Vec<(ObjectId, Option<T>)>, Error> {
    ids.iter()
        .zip(answers)
        .map(|(id, answer)| match answer {
            Ok(found) => Ok((*id, Some(found))),
            Err(error) if error.is(super::super::Reason::Missing) => Ok((*id, None)),
            Err(error) => Err(error),
        })
        .collect()
}

/// Who stands in one of a group's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::partner) enum List {
    Members,
    Owners,
}

/// Members or owners of many groups; a group that is gone has none.
pub(in crate::partner) async fn listed(
    line: &ReadingLine,
    list: List,
    groups: &[ObjectId],
) -> Result<BTreeMap<ObjectId, BTreeMap<ObjectId, MemberKind>>, Error> {
    let word = match list {
        List::Members => "members",
        List::Owners => "owners",
    };
    let urls: Vec<String> =
        groups.iter().map(|id| format!("/groups/{id}/{word}?$select=id&$top={PAGE}")).collect();
    let answers = batch::ask::<Page<MemberWire>>(line, Class::Directory, &urls).await?;
    let mut all = BTreeMap::new();
    for (group, first) in present(groups, answers)? {
        let members = match first {
            Some(first) => rest_of(line, Class::Directory, first).await?.items,
            None => Vec::new(),
        };
        all.insert(group, members.into_iter().map(MemberWire::observed).collect());
    }
    Ok(all)
}

/// The groups that somebody is in directly.
pub(in crate::partner) async fn groups_of(
    line: &ReadingLine,
    user: ObjectId,
) -> Result<Vec<ObjectId>, Error> {
    let path = format!("/v1.0/users/{user}/memberOf?$select=id&$top={PAGE}");
    let whole = page::all::<MemberWire>(line, Class::Directory, path).await?;
    Ok(whole.items.into_iter().map(|wire| wire.observed().0).collect())
}

/// Users with that sign-in name: one, or none.
pub(in crate::partner) async fn user_named(
    line: &ReadingLine,
    sign_in_name: &str,
) -> Result<Option<(ObjectId, User)>, Error> {
    let filter = format!("userPrincipalName eq {}", quoted(sign_in_name));
    let path = format!("/v1.0/users?$filter={}&$select={USER_SELECT}", escaped(&filter));
    let whole = page::all::<UserWire>(line, Class::Directory, path).await?;
    Ok(whole.items.into_iter().map(UserWire::observed).next())
}

/// Groups whose name or alias is that.
pub(in crate::partner) async fn groups_where(
    line: &ReadingLine,
    property: &str,
    value: &str,
) -> Result<Vec<(ObjectId, Group)>, Error> {
    let filter = format!("{property} eq {}", quoted(value));
    let path = format!("/v1.0/groups?$filter={}&$select={GROUP_SELECT}", escaped(&filter));
    let whole = page::all::<GroupWire>(line, Class::Directory, path).await?;
    Ok(whole.items.into_iter().map(GroupWire::observed).collect())
}

pub(in crate::partner) async fn service_principal(
    line: &ReadingLine,
    application: ApplicationId,
) -> Result<Option<ServicePrincipal>, Error> {
    let filter = format!("appId eq '{application}'");
    let path = format!(
        "/v1.0/servicePrincipals?$filter={}&$select=id,appId,displayName",
        escaped(&filter)
    );
    let whole = page::all::<ServicePrincipalWire>(line, Class::Directory, path).await?;
    Ok(whole.items.into_iter().map(ServicePrincipalWire::observed).next())
}

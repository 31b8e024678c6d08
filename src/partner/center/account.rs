//! The account itself: profiles, partnerships, the roles that it keeps.

use super::super::error::{Error, Reason};
use super::super::line::ReadingLine;
use super::super::request::{Class, Reading, escaped};
use super::super::snapshot::{
    AccountRole, AccountRoleMember, Partnership, Profile, ProfileKind, Side,
};
use super::page;
use super::wire::{AgreementStatusWire, PartnershipWire, ProfileWire, RoleMemberWire, RoleWire};
use crate::model::id::TenantId;

/// The largest page of members.
const PAGE: u32 = 500;

/// Where a profile is read; where it is written differs for one of them.
pub(in crate::partner) const fn profile_path(kind: ProfileKind) -> &'static str {
    match kind {
        ProfileKind::Organization => "/v1/profiles/organization",
        ProfileKind::Legal => "/v1/profiles/legalbusiness",
        ProfileKind::Billing => "/v1/profiles/billing",
        ProfileKind::Support => "/v1/profiles/support",
        ProfileKind::PartnerNetwork => "/v1/profiles/mpn",
    }
}

/// A profile; nothing where the account has none.
pub(in crate::partner) async fn profile(
    line: &ReadingLine,
    kind: ProfileKind,
) -> Result<Option<Profile>, Error> {
    match line.read::<ProfileWire>(&Reading::get(Class::Account, profile_path(kind))).await {
        Ok(answer) => Ok(Some(Profile(answer.body))),
        Err(error) if error.is(Reason::Missing) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(in crate::partner) async fn partnerships(
    line: &ReadingLine,
    side: Side,
) -> Result<Vec<Partnership>, Error> {
    let kind = match side {
        Side::IndirectProvider => "IsIndirectResellerOf",
        Side::IndirectReseller => "IsIndirectCloudSolutionProviderOf",
    };
    let path = format!("/v1/relationships?relationship_type={kind}");
    let whole = page::all::<PartnershipWire>(line, Class::Account, &path).await?;
    Ok(whole.items.into_iter().map(|found| found.observed(side)).collect())
}

/// Whether a reseller signed the partner agreement; nothing where the service does not know it.
pub(in crate::partner) async fn has_signed(
    line: &ReadingLine,
    reseller: TenantId,
) -> Result<Option<bool>, Error> {
    let path = format!("/v1/compliance/csp/agreementstatus?tenantId={reseller}");
    match line.read::<AgreementStatusWire>(&Reading::get(Class::Account, path)).await {
        Ok(answer) => Ok(Some(answer.body.is_agreement_signed)),
        Err(error) if matches!(error.reason(), Some(Reason::Invalid | Reason::Missing)) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(in crate::partner) async fn roles(line: &ReadingLine) -> Result<Vec<AccountRole>, Error> {
    let whole = page::all::<RoleWire>(line, Class::Account, "/v1/roles").await?;
    Ok(whole.items.into_iter().map(RoleWire::observed).collect())
}

pub(in crate::partner) async fn role_members(
    line: &ReadingLine,
    role: &str,
) -> Result<Vec<AccountRoleMember>, Error> {
    let path = format!("/v1/roles/{}/usermembers?size={PAGE}", escaped(role));
    let whole = page::all::<RoleMemberWire>(line, Class::Account, &path).await?;
    Ok(whole.items.into_iter().map(RoleMemberWire::observed).collect())
}

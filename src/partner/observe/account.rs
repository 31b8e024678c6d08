//! The account: profiles, partnerships, account roles.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::super::center::account;
use super::super::error::{Error, Reason};
use super::super::line::ReadingLine;
use super::super::snapshot::{
    AccountRole, Aspect, Blind, Partnership, Profile, ProfileKind, Scope, Side,
};
use super::AT_ONCE;

#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) profiles: BTreeMap<ProfileKind, Profile>,
    pub(super) partnerships: Vec<Partnership>,
    pub(super) roles: Vec<AccountRole>,
    pub(super) blind: Vec<Blind>,
}

pub(super) async fn read(line: &ReadingLine, scope: &Scope) -> Result<Account, Error> {
    let (profiles, partnerships, (roles, blind)) = tokio::try_join!(
        profiles(line, scope),
        partnerships(line, scope),
        account_roles(line, scope)
    )?;
    Ok(Account { profiles, partnerships, roles, blind: blind.into_iter().collect() })
}

pub(super) async fn profiles(
    line: &ReadingLine,
    scope: &Scope,
) -> Result<BTreeMap<ProfileKind, Profile>, Error> {
    stream::iter(scope.profiles.0.iter().copied())
        .map(|kind| async move { Ok((kind, account::profile(line, kind).await?)) })
        .buffered(AT_ONCE)
        .try_filter_map(|(kind, found): (ProfileKind, Option<Profile>)| async move {
            Ok::<_, Error>(found.map(|found| (kind, found)))
        })
        .try_collect()
        .await
}

pub(super) async fn partnerships(
    line: &ReadingLine,
    scope: &Scope,
) -> Result<Vec<Partnership>, Error> {
    let mut all = Vec::new();
    for side in &scope.partnerships {
        match account::partnerships(line, *side).await {
            Ok(found) => all.extend(found),
            // To be on one side only is the usual thing, and how the other is refused is not documented.
            Err(error)
                if scope.partnerships.len() > 1
                    && matches!(
                        error.reason(),
                        Some(Reason::Invalid | Reason::Denied | Reason::Missing)
                    ) => {}
            Err(error) => return Err(error),
        }
    }
    if scope.agreements {
        for partnership in all.iter_mut().filter(|found| found.side == Side::IndirectReseller) {
            partnership.has_signed_agreement =
                account::has_signed(line, partnership.tenant).await?;
        }
    }
    all.sort();
    Ok(all)
}

/// Account roles with their members. Clouds and accounts without any are not an error.
pub(super) async fn account_roles(
    line: &ReadingLine,
    scope: &Scope,
) -> Result<(Vec<AccountRole>, Option<Blind>), Error> {
    if !scope.account_roles {
        return Ok((Vec::new(), None));
    }
    let roles = match account::roles(line).await {
        Ok(roles) => roles,
        Err(error)
            if matches!(
                error.reason(),
                Some(Reason::Denied | Reason::Missing | Reason::NeedsUser)
            ) =>
        {
            let why = error.to_string();
            return Ok((
                Vec::new(),
                Some(Blind { aspect: Aspect::AccountRoles, why, seen_at: None }),
            ));
        }
        Err(error) => return Err(error),
    };
    let roles = stream::iter(roles)
        .map(|mut role| async move {
            role.members = account::role_members(line, &role.id).await?;
            role.members.sort();
            Ok::<_, Error>(role)
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok((roles, None))
}

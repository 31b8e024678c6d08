//! Everything that a scope asks for, whatever was known before.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::super::center::audit;
use super::super::error::{Error, Reason};
use super::super::line::ReadingLine;
use super::super::snapshot::{Marks, Scope, Snapshot};
use super::{account, customers, delegated, directory};

pub(in crate::partner) async fn full(line: &ReadingLine, scope: &Scope) -> Result<Snapshot, Error> {
    // Marks are taken before anything is read: what changes meanwhile is then seen twice, not never.
    let (mut marks, begun) = marks(line, scope).await?;
    let (directory, customers, account, delegated) = tokio::try_join!(
        directory::read(line, scope),
        customers::read(line, scope),
        account::read(line, scope),
        delegated::read(line, scope, None),
    )?;
    let observed_at = [Some(begun), directory.date, customers.date].into_iter().flatten().min();
    let observed_at = observed_at.unwrap_or(begun);
    marks.customers = scope.customers.then_some(observed_at);
    marks.details = Some(observed_at);
    marks.account_roles = scope.account_roles.then_some(observed_at);
    let mut groups = directory.groups;
    directory::read_lists(line, scope, &mut groups, delegated::groups(&delegated), None).await?;
    let mut blind = directory.blind;
    blind.extend(account.blind);
    blind.sort();
    Ok(Snapshot {
        observed_at,
        tenant: directory.tenant,
        domains: directory.domains,
        users: directory.users,
        groups,
        assignments: directory.assignments,
        deleted_users: directory.deleted_users,
        customers: customers.customers,
        partnerships: account.partnerships,
        profiles: account.profiles,
        account_roles: account.roles,
        delegated,
        blind,
        marks,
    })
}

/// From where a later observation can go on, and what time it is there.
async fn marks(line: &ReadingLine, scope: &Scope) -> Result<(Marks, Timestamp), Error> {
    let directory = directory::marks(line, scope.users).await?;
    // The directory's clock is the service's; ours, where nobody asked the directory.
    let begun = directory.date.unwrap_or_else(|| line.clock().now());
    let seen = if scope.customers { audited(line, begun).await? } else { None };
    let marks = Marks {
        users: directory.users,
        groups: directory.groups,
        audit: seen.is_some().then_some(begun),
        audited: seen.unwrap_or_default(),
        ..Marks::default()
    };
    Ok((marks, begun))
}

/// The records that the next observation will meet again; nothing without an audit log, and then that
/// one too must be a whole one.
async fn audited(line: &ReadingLine, now: Timestamp) -> Result<Option<BTreeSet<String>>, Error> {
    match audit::since(line, now, &BTreeSet::new(), now).await {
        Ok(audited) => Ok(audited.map(|audited| audited.seen)),
        Err(error) if matches!(error.reason(), Some(Reason::Denied | Reason::NeedsUser)) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

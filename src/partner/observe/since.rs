//! What moved since an earlier snapshot.
//!
//! The directory tells by its deltas which users and groups moved, Partner Center by its audit
//! records which customers. Roles, partnerships and profiles are not told of by either and are read
//! again, because that costs a call each. Account roles cost a call per role: they are read again when
//! the records speak of partner users, or after a day, and otherwise listed as not seen since.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::center::audit::{self, Audited, Fate};
use super::super::error::{Error, Reason};
use super::super::graph::delta::{self, Changed, Moved, Watched};
use super::super::graph::page::{Page, rest_of};
use super::super::graph::wire::{AssignmentWire, GroupWire, OrganizationWire, UserWire};
use super::super::graph::{batch, directory as graph, roles};
use super::super::line::ReadingLine;
use super::super::request::{Class, Service};
use super::super::snapshot::{
    Aspect, Blind, Customer, Delegated, Group, Holding, Marks, ObjectId, RoleAssignment, Scope,
    Snapshot, User,
};
use super::delegated::Known;
use super::directory::Directory;
use super::{account, customers, delegated, directory};
use crate::model::id::TenantId;

/// After so long, account roles are read again whatever the records say.
const ACCOUNT_ROLES_AGE_MAX: SignedDuration = SignedDuration::from_hours(24);
/// So many customers come in one page of the list.
const CUSTOMERS_PER_CALL: usize = 500;

/// Observes again, from an earlier snapshot of the same tenant and scope on.
pub(in crate::partner) async fn since(
    line: &ReadingLine,
    scope: &Scope,
    previous: &Snapshot,
) -> Result<Snapshot, Error> {
    let (moved, audited) =
        tokio::try_join!(moved(line, scope, previous), audited(line, scope, previous))?;
    if previous.marks.users.is_some() && moved.users.is_none() {
        // The directory cannot say any more what moved since. Whatever happened meanwhile, what else
        // was known is not trusted either.
        return Box::pin(super::full(line, scope)).await;
    }
    let begun = moved.date.unwrap_or_else(|| line.clock().now());
    let (
        (users, users_mark),
        (groups, groups_mark, groups_moved),
        customers,
        (account, roles_read),
        delegated,
    ) = tokio::try_join!(
        users(line, scope, previous, moved.users),
        groups(line, scope, previous, moved.groups),
        customers_of(line, scope, previous, audited.as_ref()),
        account_of(line, scope, previous, audited.as_ref(), begun),
        delegated_of(line, scope, previous, audited.as_ref()),
    )?;
    let mut groups = groups;
    without_the_gone(&mut groups, previous, &users);
    // Who came back out of the bin may have come back into groups without a word about these.
    let is_anybody_back = previous.deleted_users.keys().any(|id| users.contains_key(id));
    let lists = groups_moved.as_ref().filter(|_| !is_anybody_back);
    directory::read_lists(line, scope, &mut groups, delegated::groups(&delegated), lists).await?;
    let (customers, customers_at) = customers;
    let mut found = moved.directory;
    let mut blind = std::mem::take(&mut found.blind);
    blind.extend(account.blind);
    blind.extend(stale(scope, previous, customers_at));
    blind.sort();
    Ok(Snapshot {
        observed_at: begun,
        tenant: found.tenant.or(previous.tenant),
        domains: found.domains,
        users,
        groups,
        assignments: found.assignments,
        deleted_users: found.deleted_users,
        customers,
        partnerships: account.partnerships,
        profiles: account.profiles,
        account_roles: account.roles,
        delegated,
        blind,
        marks: Marks {
            users: users_mark,
            groups: groups_mark,
            audit: audited.as_ref().map(|_| begun),
            audited: audited.map(|audited| audited.seen).unwrap_or_default(),
            account_roles: if roles_read { Some(begun) } else { previous.marks.account_roles },
            customers: customers_at.or(scope.customers.then_some(begun)),
            details: if customers_at.is_some() { previous.marks.details } else { Some(begun) },
        },
    })
}

/// What the directory says in one batch.
struct Told {
    date: Option<Timestamp>,
    users: Option<Moved>,
    groups: Option<Moved>,
    directory: Directory,
}

async fn moved(line: &ReadingLine, scope: &Scope, previous: &Snapshot) -> Result<Told, Error> {
    if !scope.users {
        let directory = Directory::default();
        return Ok(Told { date: None, users: None, groups: None, directory });
    }
    let mut urls = vec![
        roles::ACTIVE.to_owned(),
        roles::ELIGIBLE.to_owned(),
        graph::DELETED.to_owned(),
        graph::ORGANIZATION.to_owned(),
    ];
    let marks = [&previous.marks.users, &previous.marks.groups];
    for mark in marks.into_iter().flatten() {
        urls.push(below_version(&line.followed(Service::Graph, mark)?));
    }
    let (date, answers) =
        batch::ask_with::<Page<Value>>(line, Class::Directory, &[], &urls).await?;
    let mut answers = answers.into_iter();
    let mut next = || answers.next().unwrap_or_else(|| Ok(Page::empty()));
    let mut found = Directory::default();
    let active = match whole::<AssignmentWire>(line, next()).await {
        Ok(items) => {
            roles::Active { assignments: observed(items, Holding::Active), is_whole: true }
        }
        Err(error) if error.is(Reason::Invalid) => roles::active(line).await?,
        Err(error) => return Err(error),
    };
    let eligible = match whole::<AssignmentWire>(line, next()).await {
        Err(error) if !roles::is_no_eligibility(&error) => return Err(error),
        answer => answer.map(|items| observed(items, Holding::Eligible)),
    };
    let deleted = match whole::<UserWire>(line, next()).await {
        Err(error) if !matches!(error.reason(), Some(Reason::Denied | Reason::Invalid)) => {
            return Err(error);
        }
        answer => answer.map(|items| items.into_iter().map(UserWire::deleted).collect()),
    };
    let organization = whole::<OrganizationWire>(line, next()).await?;
    found.belongs_to(organization.into_iter().next());
    found.hold(active, eligible);
    found.bin(deleted);
    let users = match previous.marks.users {
        Some(_) => moved_in(line, next()).await?,
        None => None,
    };
    let groups = match previous.marks.groups {
        Some(_) => moved_in(line, next()).await?,
        None => None,
    };
    Ok(Told { date, users, groups, directory: found })
}

fn below_version(path: &str) -> String {
    path.strip_prefix("/v1.0").unwrap_or(path).to_owned()
}

fn observed(items: Vec<AssignmentWire>, holding: Holding) -> Vec<RoleAssignment> {
    items.into_iter().map(|item| item.observed(holding)).collect()
}

/// A page of anything, as pages of something, with those that follow.
async fn whole<T: DeserializeOwned>(
    line: &ReadingLine,
    first: Result<Page<Value>, Error>,
) -> Result<Vec<T>, Error> {
    Ok(rest_of(line, Class::Directory, first?.typed::<T>()?).await?.items)
}

async fn moved_in(
    line: &ReadingLine,
    first: Result<Page<Value>, Error>,
) -> Result<Option<Moved>, Error> {
    let whole = match first {
        Ok(first) => rest_of(line, Class::Directory, first.typed::<Changed>()?).await,
        Err(error) => Err(error),
    };
    match whole {
        Ok(whole) => Ok(delta::moved(whole)),
        Err(error) if error.is(Reason::Outdated) => Ok(None),
        Err(error) => Err(error),
    }
}

type Users = (BTreeMap<ObjectId, User>, Option<String>);

async fn users(
    line: &ReadingLine,
    scope: &Scope,
    previous: &Snapshot,
    moved: Option<Moved>,
) -> Result<Users, Error> {
    let Some(moved) = moved else {
        if !scope.users {
            return Ok((BTreeMap::new(), None));
        }
        let (mark, _) = directory::mark(line, Watched::Users).await?;
        let whole = graph::users(line).await?;
        return Ok((whole.items.into_iter().map(UserWire::observed).collect(), mark));
    };
    let mut users = previous.users.clone();
    for gone in &moved.removed {
        users.remove(gone);
    }
    let changed: Vec<ObjectId> = moved.changed.into_iter().collect();
    for (id, user) in graph::users_by_id(line, &changed).await? {
        match user {
            Some(user) => users.insert(id, user),
            None => users.remove(&id),
        };
    }
    Ok((users, Some(moved.mark)))
}

/// Groups, their mark, and which of them moved; all of them, if that is not known.
type Groups = (BTreeMap<ObjectId, Group>, Option<String>, Option<BTreeSet<ObjectId>>);

async fn groups(
    line: &ReadingLine,
    scope: &Scope,
    previous: &Snapshot,
    moved: Option<Moved>,
) -> Result<Groups, Error> {
    let Some(moved) = moved else {
        if !scope.users {
            return Ok((BTreeMap::new(), None, Some(BTreeSet::new())));
        }
        let (mark, _) = directory::mark(line, Watched::Groups).await?;
        let whole = graph::groups(line).await?;
        let groups = whole.items.into_iter().map(GroupWire::observed).collect();
        return Ok((groups, mark, None));
    };
    let mut groups = previous.groups.clone();
    for gone in &moved.removed {
        groups.remove(gone);
    }
    let changed: Vec<ObjectId> = moved.changed.iter().copied().collect();
    for (id, group) in graph::groups_by_id(line, &changed).await? {
        match group {
            Some(group) => groups.insert(id, group),
            None => groups.remove(&id),
        };
    }
    Ok((groups, Some(moved.mark), Some(moved.changed)))
}

/// Who is not there any more is a member of nothing; the groups' own delta need not say so.
fn without_the_gone(
    groups: &mut BTreeMap<ObjectId, Group>,
    previous: &Snapshot,
    users: &BTreeMap<ObjectId, User>,
) {
    let gone: BTreeSet<ObjectId> =
        previous.users.keys().filter(|id| !users.contains_key(id)).copied().collect();
    if gone.is_empty() {
        return;
    }
    for group in groups.values_mut() {
        for list in [&mut group.members, &mut group.owners].into_iter().flatten() {
            list.retain(|id, _| !gone.contains(id));
        }
    }
}

async fn audited(
    line: &ReadingLine,
    scope: &Scope,
    previous: &Snapshot,
) -> Result<Option<Audited>, Error> {
    let Some(mark) = previous.marks.audit.filter(|_| scope.customers) else { return Ok(None) };
    // The mark is the service's time: so far as our own clock is wrong, that only costs a record more.
    let now = line.clock().now().max(mark);
    audit::since(line, mark, &previous.marks.audited, now).await
}

/// Customers, and when the whole list of them was read if that was earlier.
type Listed = (BTreeMap<TenantId, Customer>, Option<Timestamp>);

async fn customers_of(
    line: &ReadingLine,
    scope: &Scope,
    previous: &Snapshot,
    audited: Option<&Audited>,
) -> Result<Listed, Error> {
    if !scope.customers {
        return Ok((BTreeMap::new(), None));
    }
    let fates = audited.map(|audited| &audited.customers);
    let is_cheaper = |fates: &BTreeMap<TenantId, Fate>| {
        let list_calls = previous.customers.len() / CUSTOMERS_PER_CALL + 1;
        fates.len() <= list_calls.max(10)
    };
    let (Some(fates), Some(listed_at)) =
        (fates.filter(|fates| is_cheaper(fates)), previous.marks.customers)
    else {
        return Ok((customers::read(line, scope).await?.customers, None));
    };
    let mut all = previous.customers.clone();
    let changed: BTreeSet<TenantId> =
        fates.iter().filter(|(_, fate)| **fate == Fate::Changed).map(|(id, _)| *id).collect();
    for id in fates.keys() {
        all.remove(id);
    }
    let again = customers::again(line, &changed).await?;
    // What the list does not show is not ours.
    all.extend(again.into_iter().filter(|(_, customer)| customer.is_ours()));
    let details_missing: BTreeSet<TenantId> = all
        .iter()
        .filter(|(id, customer)| changed.contains(id) || customer.details.is_empty())
        .map(|(id, _)| *id)
        .collect();
    customers::read_details(line, scope, &mut all, Some(&details_missing)).await?;
    Ok((all, Some(listed_at)))
}

/// The account, and whether its roles were read again.
async fn account_of(
    line: &ReadingLine,
    scope: &Scope,
    previous: &Snapshot,
    audited: Option<&Audited>,
    now: Timestamp,
) -> Result<(account::Account, bool), Error> {
    let is_fresh = previous
        .marks
        .account_roles
        .is_some_and(|read| now.duration_since(read) < ACCOUNT_ROLES_AGE_MAX);
    let keep = is_fresh && audited.is_some_and(|audited| !audited.touches_account_roles);
    if !keep || !scope.account_roles {
        return Ok((account::read(line, scope).await?, scope.account_roles));
    }
    let (profiles, partnerships) =
        tokio::try_join!(account::profiles(line, scope), account::partnerships(line, scope))?;
    let blind = vec![Blind {
        aspect: Aspect::AccountRoles,
        why: "who holds account roles is not audited reliably: ask for all to see it again"
            .to_owned(),
        seen_at: previous.marks.account_roles,
    }];
    let roles = previous.account_roles.clone();
    Ok((account::Account { profiles, partnerships, roles, blind }, false))
}

async fn delegated_of(
    line: &ReadingLine,
    scope: &Scope,
    previous: &Snapshot,
    audited: Option<&Audited>,
) -> Result<delegated::All, Error> {
    let Some(audited) = audited.filter(|_| scope.delegated != Delegated::Nothing) else {
        return delegated::read(line, scope, None).await;
    };
    let known = &previous.delegated;
    let touched = &audited.delegation_customers;
    // Records that do not say with whom could be about anybody.
    let known = (!audited.touches_delegation || !touched.is_empty())
        .then_some(Known { delegated: known, touched });
    delegated::read(line, scope, known).await
}

/// What the records cannot tell.
fn stale(scope: &Scope, previous: &Snapshot, customers_at: Option<Timestamp>) -> Vec<Blind> {
    let mut blind = Vec::new();
    let Some(seen_at) = customers_at else { return blind };
    blind.push(Blind {
        aspect: Aspect::CustomerNames,
        why: "what a customer changes in its own tenant, its name for one, is not audited here"
            .to_owned(),
        seen_at: Some(seen_at),
    });
    if !scope.details.is_empty() {
        blind.push(Blind {
            aspect: Aspect::CustomerDetails,
            why: "details of customers are read again only where the audit log names the customer"
                .to_owned(),
            seen_at: previous.marks.details,
        });
    }
    blind
}

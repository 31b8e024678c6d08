//! Whether a step has come about: asked of the tenant after every write, and about every request of
//! which nobody heard again.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::delegated;
use super::execute::{Made, Sent, is_of, of};
use crate::model::record::Exchange;
use crate::model::tenant::{ObjectId, Profile};
use crate::partner::read::SearchBy;
use crate::partner::{Error, Reader, Reason};
use crate::plan::step::{FieldChange, Step};
use crate::plan::{Change, guard};

/// What the tenant shows of a step.
#[derive(Debug)]
pub(super) enum Seen {
    /// It came about.
    So(Sent),
    /// It did not, as far as the tenant will ever show.
    NotSo,
    /// It is not shown yet, and somebody wants an end: nothing may be concluded from that.
    NotYet,
    /// There is something of that name, and it is older than our request.
    Theirs(String),
}

/// How long the tenant may lag behind, and who may end the waiting.
#[derive(Clone, Copy)]
pub(super) struct Patience<'a> {
    pub(super) settle: Duration,
    pub(super) is_stopped: &'a (dyn Fn() -> bool + Sync),
}

/// Clocks differ by so much; what is older than a request by more was not made by it.
const SKEW: SignedDuration = SignedDuration::from_mins(5);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Looks until a step is seen to have come about, or until it would be.
///
/// `since` is when its request was about to leave, if that is long ago.
pub(super) async fn wait(
    reader: &Reader,
    step: &Step,
    made: &Made,
    since: Option<Timestamp>,
    patience: Patience<'_>,
) -> Result<Seen, Error> {
    let started = tokio::time::Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let seen = once(reader, step, made, since).await?;
        let left = patience.settle.saturating_sub(started.elapsed());
        if !matches!(seen, Seen::NotSo) || left.is_zero() {
            return Ok(seen);
        }
        if (patience.is_stopped)() {
            return Ok(Seen::NotYet);
        }
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

pub(super) async fn once(
    reader: &Reader,
    step: &Step,
    made: &Made,
    since: Option<Timestamp>,
) -> Result<Seen, Error> {
    let yes = |is_so: bool| if is_so { Seen::So(Sent::default()) } else { Seen::NotSo };
    // What it is about was never made: nothing can have been done to it.
    let Ok(targets) = step.change.targets().into_iter().map(|one| made.resolve(one)).collect()
    else {
        return Ok(Seen::NotSo);
    };
    let targets: Vec<ObjectId> = targets;
    let (first, second) = (targets.first().copied(), targets.get(1).copied());
    Ok(match (&step.change, first, second) {
        (Change::CreateUser { sign_in_name, .. }, ..) => {
            match reader.user_named(sign_in_name).await? {
                None => Seen::NotSo,
                Some((_, user)) if is_older(user.created_at, since) => {
                    Seen::Theirs(format!("somebody signed in as {sign_in_name} before"))
                }
                Some((id, _)) => Seen::So(of(id)),
            }
        }
        (Change::CreateGroup { name, mail_nickname, .. }, ..) => {
            match reader.groups_with_alias(mail_nickname).await?.as_slice() {
                [] => Seen::NotSo,
                [(id, group)] if group.name == *name => Seen::So(of(*id)),
                _ => Seen::Theirs(format!("another group has the alias {mail_nickname}")),
            }
        }
        (Change::CreateCustomer { domain, .. }, ..) => {
            let found = reader.search_customers(SearchBy::Domain, domain).await?;
            let found = found.into_iter().find(|(_, customer)| customer.domain == *domain);
            found.map_or(Seen::NotSo, |(id, _)| {
                Seen::So(Sent { remote_id: Some(id.to_string()), ..Sent::default() })
            })
        }
        (Change::UpdateUser { .. }, Some(id), _) => match there(reader.user(id).await)? {
            Some(user) => all(step, of(id), |path| Some(guard::of_user(&user, path))),
            None => Seen::NotSo,
        },
        (Change::RestoreUser { .. }, Some(id), _) => {
            let user = there(reader.user(id).await)?;
            yes(user.is_some_and(|user| user.enabled == Some(false))).with(of(id))
        }
        (Change::DeleteUser { .. }, Some(id), _) => {
            yes(there(reader.user(id).await)?.is_none()).with(of(id))
        }
        (Change::UpdateGroup { name, description, .. }, Some(id), _) => {
            let group = reader.group(id).await?;
            let is_so = group.is_some_and(|group| {
                name.as_ref().is_none_or(|name| group.name == *name)
                    && description
                        .as_ref()
                        .is_none_or(|text| group.description.as_deref().unwrap_or_default() == text)
            });
            yes(is_so).with(of(id))
        }
        (Change::DeleteGroup { .. }, Some(id), _) => {
            yes(reader.group(id).await?.is_none()).with(of(id))
        }
        (Change::AddMember { .. }, Some(group), Some(member)) => {
            yes(is_in(reader, group, member).await?)
        }
        (Change::RemoveMember { .. }, Some(group), Some(member)) => {
            yes(!is_in(reader, group, member).await?)
        }
        (Change::AssignRole { role, .. }, Some(principal), _) => {
            let held = reader.roles_of(principal).await?;
            yes(held.iter().any(|held| held.role == *role && held.scope == "/"))
        }
        (Change::RemoveRole { assignment, .. }, Some(principal), _) => {
            let held = reader.roles_of(principal).await?;
            yes(held.iter().all(|held| held.id != *assignment))
        }
        (Change::AddAccountRole { role, account, .. }, Some(user), _) => {
            let members = reader.account_role_members(role).await?;
            yes(members.iter().any(|member| {
                member.user == user
                    && member
                        .account
                        .as_ref()
                        .is_none_or(|known| known.eq_ignore_ascii_case(account))
            }))
        }
        (Change::RemoveAccountRole { role, .. }, Some(user), _) => {
            let members = reader.account_role_members(role).await?;
            yes(members.iter().all(|member| member.user != user))
        }
        (Change::PutProfile { profile, members }, ..) => match reader.profile(*profile).await? {
            Some(now) => written(step, members, &now),
            None => Seen::NotSo,
        },
        (Change::PutCustomerBilling { customer, members }, ..) => {
            written(step, members, &reader.customer_billing(*customer).await?)
        }
        (Change::AskQualification { customer, qualification, .. }, ..) => {
            let known = reader.qualifications(*customer).await?;
            yes(known.iter().any(|one| one.name.eq_ignore_ascii_case(qualification)))
        }
        (Change::EndRelationship { customer }, ..) => {
            let found = there(reader.customer(*customer).await)?.flatten();
            yes(found.is_none_or(|customer| !customer.is_ours()))
                .with(Sent { remote_id: Some(customer.to_string()), ..Sent::default() })
        }
        (Change::RequestDelegation { name, customer, .. }, ..) => {
            // What a run that died made is known as ours from then on, whether or not it was asked for.
            delegated::see_request(reader, name, *customer, since.is_some()).await?
        }
        (Change::LockDelegation { relationship }, ..) => {
            delegated::see_lock(reader, relationship).await?
        }
        (Change::UpdateDelegation { relationship, days, roles, extend_days }, ..) => {
            let wanted = (*days, roles.as_ref(), *extend_days);
            delegated::see_update(reader, relationship, wanted).await?
        }
        (Change::DeleteDelegation { relationship }, ..) => {
            delegated::see_deletion(reader, relationship).await?
        }
        (Change::TerminateDelegation { relationship }, ..) => {
            delegated::see_end(reader, relationship).await?
        }
        (Change::AssignDelegated { relationship, roles, .. }, Some(group), _) => {
            delegated::see_assignment(reader, relationship, group, roles).await?
        }
        (Change::UpdateDelegated { relationship, assignment, roles }, ..) => {
            delegated::see_reassignment(reader, relationship, assignment, roles).await?
        }
        (Change::UnassignDelegated { relationship, assignment, .. }, ..) => {
            delegated::see_no_assignment(reader, relationship, assignment).await?
        }
        _ => Seen::NotSo,
    })
}

impl Seen {
    fn with(self, sent: Sent) -> Self {
        match self {
            Self::So(_) => Self::So(sent),
            other => other,
        }
    }
}

fn there<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is(Reason::Missing) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_older(created: Option<Timestamp>, since: Option<Timestamp>) -> bool {
    match (created, since) {
        (Some(created), Some(since)) => {
            since.checked_sub(SKEW).is_ok_and(|earliest| created < earliest)
        }
        _ => false,
    }
}

/// Few are in many groups, and many may be in one: the member is asked. Only of a user can it be.
async fn is_in(reader: &Reader, group: ObjectId, member: ObjectId) -> Result<bool, Error> {
    match there(reader.groups_of(member).await)? {
        Some(groups) => Ok(groups.contains(&group)),
        None => Ok(reader.members(group).await?.iter().any(|(id, _)| *id == member)),
    }
}

/// Whether all fields of a step are as it was to make them. What came back otherwise than it was sent,
/// and not as it was before, was rewritten by the service: that is remembered.
fn all(step: &Step, mut sent: Sent, live: impl Fn(&str) -> Option<Value>) -> Seen {
    for change in &step.fields {
        match live(&change.path) {
            Some(now) if now == change.after => {}
            Some(now) if now != change.before => {
                sent.exchanges.insert(change.path.clone(), exchange(change, now));
            }
            Some(_) => return Seen::NotSo,
            None => {}
        }
    }
    Seen::So(sent)
}

fn exchange(change: &FieldChange, returned: Value) -> Exchange {
    Exchange { sent: change.after.clone(), returned }
}

/// The same of what is sent by the service's names.
fn written(step: &Step, members: &BTreeMap<String, Value>, now: &Profile) -> Seen {
    all(step, Sent::default(), |path| {
        let change = step.fields.iter().find(|change| change.path == path)?;
        let (wire, _) = members.iter().find(|(wire, value)| is_of(change, wire, value))?;
        Some(now.at(wire).cloned().unwrap_or(Value::Null))
    })
}

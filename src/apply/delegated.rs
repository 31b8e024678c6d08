//! Steps of delegated access: sent, and looked at.
//!
//! Relationships move by themselves after a yes, and a yes may come with nothing changed: what was
//! asked for is looked at until it shows. Each write carries the tag of what was read right before.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::execute::{Failure, Sent, looked};
use super::gather::{Gathering, Place};
use super::look::Seen;
use crate::model::id::{RoleTemplateId, TenantId};
use crate::model::tenant::{
    DelegatedAssignment, Delegation, DelegationStatus, ObjectId, RelationshipId,
};
use crate::partner::graph::body::{Action, DelegationFields, NewDelegation};
use crate::partner::read::Progress;
use crate::partner::write::Update;
use crate::partner::{Error, Reader, Reason, Writer};
use crate::plan::guard;
use crate::plan::step::Step;

/// Something new is not seen everywhere at once: so long is looked again, ever more slowly.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// So often is something sent again that came too early.
const EARLY_MAX: u32 = 5;

/// Pauses that grow, until there is no time left.
struct Pauses {
    next: Duration,
    until: Instant,
}

impl Pauses {
    fn until(until: Instant) -> Self {
        Self { next: FIRST_PAUSE, until }
    }

    /// Whether there was time for another one.
    async fn take(&mut self) -> bool {
        if Instant::now() + self.next >= self.until {
            return false;
        }
        sleep(self.next).await;
        self.next = (self.next * 2).min(PAUSE_MAX);
        true
    }
}

fn of(id: &RelationshipId) -> Sent {
    Sent { remote_id: Some(id.0.clone()), ..Sent::default() }
}

fn proven(id: &RelationshipId) -> Sent {
    Sent { is_proof: true, ..of(id) }
}

/// Whether it has been asked for, or more.
fn is_asked(status: &DelegationStatus) -> bool {
    !matches!(status, DelegationStatus::Created | DelegationStatus::Other(_))
}

/// What a relationship looks like.
#[derive(Debug)]
pub(super) enum Look {
    Shown(Box<Delegation>),
    Missing,
    /// It cannot be seen just now.
    Unseen,
}

/// Looks at relationships, many in one request.
pub(super) type Looks = Gathering<RelationshipId, Look>;

impl From<Result<Delegation, Error>> for Look {
    fn from(answer: Result<Delegation, Error>) -> Self {
        match answer {
            Ok(found) => Self::Shown(Box::new(found)),
            Err(error) if error.is(Reason::Missing) => Self::Missing,
            Err(_) => Self::Unseen,
        }
    }
}

/// How they all are now.
async fn look_at(reader: &Reader, ids: Vec<RelationshipId>) -> Vec<Look> {
    if let [id] = ids.as_slice() {
        return vec![reader.delegation(id).await.into()];
    }
    match reader.delegations(&ids).await {
        Ok(answers) => answers.into_iter().map(Look::from).collect(),
        Err(_) => Vec::new(),
    }
}

/// What a request asks for.
pub(super) struct Request<'a> {
    pub(super) name: &'a str,
    pub(super) customer: TenantId,
    pub(super) days: u32,
    pub(super) roles: &'a BTreeSet<RoleTemplateId>,
    pub(super) extend_days: u32,
}

/// Makes a relationship, and asks the customer to approve it.
pub(super) async fn request(
    writer: &Writer,
    looks: &Looks,
    request: &Request<'_>,
    until: Instant,
) -> Result<Sent, Failure> {
    let place = looks.place();
    let Request { name, customer, days, roles, extend_days } = *request;
    let new = NewDelegation::new(name, (customer, None), days, extend_days, roles);
    let id = match writer.create_delegation(&new).await {
        Ok((id, _)) => id,
        // The name is unique: made before, perhaps, and answered by nobody.
        Err(error) if matches!(error.reason(), Some(Reason::Invalid | Reason::Conflict)) => {
            let known = looked(writer.reader().delegations_named(name).await)?;
            let own = known.into_iter().find(|(_, found)| {
                found.customer == Some(customer)
                    && found.roles == *roles
                    && found.duration_days.is_none_or(|found| found == days)
                    && found.auto_extend_days == extend_days
                    && !found.status.is_over()
            });
            match own {
                Some((id, found)) if is_asked(&found.status) => return Ok(proven(&id)),
                Some((id, _)) => id,
                None => return Err(error.into()),
            }
        }
        Err(error) => return Err(error.into()),
    };
    ask_for_approval(writer, &place, &id, until).await
}

/// Asks for the approval of one that was made before, if it asks for just what the plan says: whoever
/// could edit it meanwhile would have the customer asked for anything.
pub(super) async fn lock_as_seen(
    writer: &Writer,
    looks: &Looks,
    step: &Step,
    id: &RelationshipId,
    until: Instant,
) -> Result<Sent, Failure> {
    as_seen(writer, step, id).await?;
    ask_for_approval(writer, &looks.place(), id, until).await
}

/// Asks for the approval of one that is made.
async fn ask_for_approval(
    writer: &Writer,
    place: &Place<'_, RelationshipId, Look>,
    id: &RelationshipId,
    until: Instant,
) -> Result<Sent, Failure> {
    let mut pauses = Pauses::until(until);
    let mut early = 0;
    loop {
        match writer.request_delegation(id, Action::LockForApproval).await {
            Ok(()) => break,
            Err(error) if error.is(Reason::Missing) && early < EARLY_MAX => {
                early += 1;
                if !pauses.take().await {
                    return Err(error.into());
                }
            }
            Err(error) if matches!(error.reason(), Some(Reason::Invalid | Reason::Conflict)) => {
                let now = looked(writer.reader().delegation(id).await)?;
                return if is_asked(&now.status) { Ok(proven(id)) } else { Err(error.into()) };
            }
            Err(error) => return Err(error.into()),
        }
    }
    // The answer says that it was asked; the relationship says whether it came about.
    loop {
        let reader = writer.reader();
        match place.ask(id.clone(), async |ids| look_at(&reader, ids).await).await {
            Some(Look::Shown(now)) if is_asked(&now.status) => return Ok(proven(id)),
            Some(Look::Shown(_) | Look::Missing) => {}
            // It was said yes to: what is not seen here is looked at after.
            Some(Look::Unseen) | None => return Ok(of(id)),
        }
        if !pauses.take().await {
            return Ok(of(id));
        }
    }
}

/// A relationship that is as the plan saw it, with its tag.
async fn as_seen(
    writer: &Writer,
    step: &Step,
    id: &RelationshipId,
) -> Result<(Delegation, String), Failure> {
    let now = match writer.reader().delegation(id).await {
        Ok(now) => now,
        Err(error) if error.is(Reason::Missing) => {
            return Err(Failure::Stale("the relationship is gone".to_owned()));
        }
        Err(error) => return looked(Err(error)),
    };
    if let Some(why) = guard::delegation(&step.guard, &now) {
        return Err(Failure::Stale(why));
    }
    let Some(etag) = now.etag.clone() else {
        return Err(Failure::Failed("the relationship has no tag to change it by".to_owned()));
    };
    Ok((now, etag))
}

pub(super) async fn update(
    writer: &Writer,
    step: &Step,
    id: &RelationshipId,
    fields: &DelegationFields,
    until: Instant,
) -> Result<Sent, Failure> {
    let (_, etag) = as_seen(writer, step, id).await?;
    match writer.update_delegation(id, &etag, fields).await? {
        Update::Running { operation } => {
            go_on(writer, &operation, until).await?;
            Ok(of(id))
        }
        Update::Done(_) | Update::Accepted => Ok(of(id)),
    }
}

/// Waits for what goes on behind an answer, as long as there is time.
async fn go_on(writer: &Writer, operation: &str, until: Instant) -> Result<(), Failure> {
    let mut pauses = Pauses::until(until);
    loop {
        match writer.reader().progress(operation).await {
            // What cannot be seen is looked at in the thing itself.
            Ok(Progress::Succeeded) | Err(_) => return Ok(()),
            Ok(Progress::Failed) => {
                return Err(Failure::Failed("the service began, and could not do it".to_owned()));
            }
            // What is running may come about, whether or not that can be seen.
            Ok(Progress::Running | Progress::Other(_)) => {}
        }
        if !pauses.take().await {
            return Ok(());
        }
    }
}

pub(super) async fn delete(
    writer: &Writer,
    step: &Step,
    id: &RelationshipId,
) -> Result<Sent, Failure> {
    let (_, etag) = as_seen(writer, step, id).await?;
    writer.delete_delegation(id, &etag).await?;
    Ok(of(id))
}

pub(super) async fn terminate(
    writer: &Writer,
    step: &Step,
    id: &RelationshipId,
) -> Result<Sent, Failure> {
    as_seen(writer, step, id).await?;
    writer.request_delegation(id, Action::Terminate).await?;
    Ok(of(id))
}

/// What a group may do by a relationship now, of those that give something or soon will.
async fn held_by(
    reader: &Reader,
    id: &RelationshipId,
    group: ObjectId,
) -> Result<Option<DelegatedAssignment>, Error> {
    let all = reader.delegated_assignments(id).await?;
    Ok(all.into_iter().find(|held| {
        held.group == group && !matches!(held.status.as_str(), "deleting" | "deleted")
    }))
}

async fn assignment(
    reader: &Reader,
    id: &RelationshipId,
    assignment: &str,
) -> Result<Option<DelegatedAssignment>, Error> {
    let all = reader.delegated_assignments(id).await?;
    Ok(all.into_iter().find(|held| {
        held.id == assignment && !matches!(held.status.as_str(), "deleting" | "deleted")
    }))
}

pub(super) async fn assign(
    writer: &Writer,
    id: &RelationshipId,
    group: ObjectId,
    roles: &BTreeSet<RoleTemplateId>,
    instead_of: Option<&str>,
    until: Instant,
) -> Result<Sent, Failure> {
    if let Some(failed) = instead_of
        && let Some(held) = looked(assignment(&writer.reader(), id, failed).await)?
    {
        if held.status != "error" {
            return Err(Failure::Stale("what had failed has come about meanwhile".to_owned()));
        }
        writer.delete_delegated_assignment(id, failed, &held.etag.unwrap_or_default()).await?;
    }
    let mut pauses = Pauses::until(until);
    let mut early = 0;
    loop {
        let error = match writer.create_delegated_assignment(id, group, roles).await {
            Ok(held) if held.status == "error" => {
                return Err(Failure::Failed("the service could not assign the roles".to_owned()));
            }
            // The answer is the assignment.
            Ok(_) => return Ok(proven(id)),
            Err(error) => error,
        };
        let is_refused =
            matches!(error.reason(), Some(Reason::Invalid | Reason::Conflict | Reason::Missing));
        if !is_refused {
            return Err(error.into());
        }
        match looked(held_by(&writer.reader(), id, group).await)? {
            Some(held) if held.roles == *roles => return Ok(proven(id)),
            Some(_) => {
                return Err(Failure::Stale("the group has other roles there by now".to_owned()));
            }
            None => {}
        }
        // Right after it became active a relationship may not take assignments yet.
        let now = looked(writer.reader().delegation(id).await)?;
        if now.status != DelegationStatus::Active {
            let status = crate::plan::delegation_status(&now.status);
            return Err(Failure::Stale(format!("the relationship is {status} by now")));
        }
        early += 1;
        if early > EARLY_MAX || !pauses.take().await {
            return Err(error.into());
        }
    }
}

/// An assignment that is as the plan saw it, with its tag.
async fn assignment_as_seen(
    writer: &Writer,
    step: &Step,
    id: &RelationshipId,
    which: &str,
) -> Result<Option<String>, Failure> {
    let Some(now) = looked(assignment(&writer.reader(), id, which).await)? else {
        return Ok(None);
    };
    match guard::assignment(&step.guard, &now) {
        Some(why) => Err(Failure::Stale(why)),
        None => Ok(Some(now.etag.unwrap_or_default())),
    }
}

pub(super) async fn reassign(
    writer: &Writer,
    step: &Step,
    id: &RelationshipId,
    which: &str,
    roles: &BTreeSet<RoleTemplateId>,
    until: Instant,
) -> Result<Sent, Failure> {
    let Some(etag) = assignment_as_seen(writer, step, id, which).await? else {
        return Err(Failure::Stale("the assignment is gone".to_owned()));
    };
    match writer.update_delegated_assignment(id, which, &etag, roles).await? {
        Update::Running { operation } => go_on(writer, &operation, until).await?,
        Update::Done(_) | Update::Accepted => {}
    }
    Ok(of(id))
}

pub(super) async fn unassign(
    writer: &Writer,
    step: &Step,
    id: &RelationshipId,
    which: &str,
) -> Result<Sent, Failure> {
    if let Some(etag) = assignment_as_seen(writer, step, id, which).await? {
        writer.delete_delegated_assignment(id, which, &etag).await?;
    }
    Ok(of(id))
}

// What the tenant shows of it.

fn shown(is_so: bool, id: &RelationshipId) -> Seen {
    if is_so { Seen::So(of(id)) } else { Seen::NotSo }
}

async fn there(reader: &Reader, id: &RelationshipId) -> Result<Option<Delegation>, Error> {
    match reader.delegation(id).await {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is(Reason::Missing) => Ok(None),
        Err(error) => Err(error),
    }
}

/// One that was asked for, by its name.
pub(super) async fn see_request(
    reader: &Reader,
    name: &str,
    customer: TenantId,
    made_will_do: bool,
) -> Result<Seen, Error> {
    let found = reader.delegations_named(name).await?;
    Ok(match found.into_iter().find(|(_, found)| found.customer == Some(customer)) {
        // Made, and nobody was asked: that is done by whoever sends it again, or plans it.
        Some((id, found)) if made_will_do || is_asked(&found.status) => Seen::So(of(&id)),
        Some(_) | None => Seen::NotSo,
    })
}

pub(super) async fn see_lock(reader: &Reader, id: &RelationshipId) -> Result<Seen, Error> {
    let now = there(reader, id).await?;
    Ok(shown(now.is_some_and(|now| is_asked(&now.status)), id))
}

pub(super) async fn see_update(
    reader: &Reader,
    id: &RelationshipId,
    (days, roles, extend_days): (Option<u32>, Option<&BTreeSet<RoleTemplateId>>, Option<u32>),
) -> Result<Seen, Error> {
    let now = there(reader, id).await?;
    let is_so = now.is_some_and(|now| {
        days.is_none_or(|days| now.duration_days.is_none_or(|now| now == days))
            && roles.is_none_or(|roles| now.roles == *roles)
            && extend_days.is_none_or(|days| now.auto_extend_days == days)
    });
    Ok(shown(is_so, id))
}

pub(super) async fn see_deletion(reader: &Reader, id: &RelationshipId) -> Result<Seen, Error> {
    Ok(shown(there(reader, id).await?.is_none(), id))
}

pub(super) async fn see_end(reader: &Reader, id: &RelationshipId) -> Result<Seen, Error> {
    let is_ending = |status: &DelegationStatus| {
        status.is_over()
            || matches!(
                status,
                DelegationStatus::TerminationRequested | DelegationStatus::Terminating
            )
    };
    let now = there(reader, id).await?;
    Ok(shown(now.is_none_or(|now| is_ending(&now.status)), id))
}

pub(super) async fn see_assignment(
    reader: &Reader,
    id: &RelationshipId,
    group: ObjectId,
    roles: &BTreeSet<RoleTemplateId>,
) -> Result<Seen, Error> {
    let held = held_by(reader, id, group).await?;
    Ok(shown(held.is_some_and(|held| held.roles == *roles && held.status != "error"), id))
}

pub(super) async fn see_reassignment(
    reader: &Reader,
    id: &RelationshipId,
    which: &str,
    roles: &BTreeSet<RoleTemplateId>,
) -> Result<Seen, Error> {
    let held = assignment(reader, id, which).await?;
    Ok(shown(held.is_some_and(|held| held.roles == *roles), id))
}

pub(super) async fn see_no_assignment(
    reader: &Reader,
    id: &RelationshipId,
    which: &str,
) -> Result<Seen, Error> {
    Ok(shown(assignment(reader, id, which).await?.is_none(), id))
}

//! One step, sent: what it is in the plan, as a call of the writer; and what came of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use secrecy::SecretString;
use serde_json::{Map, Value};
use tokio::time::Instant;
use uuid::Uuid;

use super::delegated;
use super::handover::{Handover, Kept, Purpose, password};
use crate::model::record::{Exchange, ObjectKey, Recorded};
use crate::model::tenant::{Holding, ObjectId, Profile, ProfileKind, RoleAssignment};
use crate::partner::center::body::{
    AddressBody, EducationSegmentBody, NewBillingProfile, NewCompanyProfile, NewCustomer,
    NewQualification, NewRoleMember,
};
use crate::partner::graph::body::{
    DelegationFields, GroupFields, NewGroup, NewUser, PasswordProfile, UserFields,
};
use crate::partner::{Error, Reason, Writer};
use crate::plan::step::{Guard, Step};
use crate::plan::{Change, Target, guard};

/// What a step made, or touched.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pub(super) remote_id: Option<String>,
    /// What the service made of what was sent, where that differs.
    pub(super) exchanges: BTreeMap<String, Exchange>,
    /// The answer shows the thing itself: it need not be looked at again.
    pub(super) is_proof: bool,
    /// Something was made whose one-time password nobody may have.
    pub(super) owes_password: bool,
}

/// Why a step did not come about.
#[derive(Debug)]
pub(super) enum Failure {
    /// It was refused, or could not be sent.
    Failed(String),
    /// It is no longer what the plan saw; nothing was sent.
    Stale(String),
    /// It may have happened.
    Unknown(String),
    /// There was no time left to send it in; nothing was sent.
    TooLate(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let why = error.to_string();
        match error {
            Error::TooLate { .. } => Self::TooLate(why),
            error if error.leaves_outcome_open() => Self::Unknown(why),
            _ => Self::Failed(why),
        }
    }
}

/// What a step may look at before it writes: an error there changed nothing.
pub(super) fn looked<T>(result: Result<T, Error>) -> Result<T, Failure> {
    result.map_err(|error| Failure::Failed(error.to_string()))
}

/// What earlier steps made, by their objects.
#[derive(Debug, Default)]
pub(super) struct Made(Mutex<HashMap<ObjectKey, ObjectId>>);

impl Made {
    pub(super) fn remember(&self, key: &ObjectKey, id: ObjectId) {
        if let Ok(mut made) = self.0.lock() {
            made.insert(key.clone(), id);
        }
    }

    /// What is managed has ids already.
    pub(super) fn know(&self, objects: &[Recorded]) {
        for Recorded { managed, .. } in objects {
            let id = managed.remote_id.as_deref().and_then(|id| Uuid::try_parse(id).ok());
            if let Some(id) = id {
                self.remember(&managed.key, ObjectId(id));
            }
        }
    }

    pub(super) fn resolve(&self, target: &Target) -> Result<ObjectId, Failure> {
        match target {
            Target::Id(id) => Ok(*id),
            Target::MadeFor(key) => self
                .0
                .lock()
                .ok()
                .and_then(|made| made.get(key).copied())
                .ok_or_else(|| Failure::Failed(format!("{key} was not made in this run"))),
        }
    }
}

/// Sends steps.
pub(super) struct Sender<'a> {
    pub(super) writer: &'a Writer,
    pub(super) handover: &'a Handover,
    pub(super) made: Made,
    pub(super) run: String,
    /// Whom this run lets sign in, or keeps from it: another of its steps finds them so.
    pub(super) enabled: Mutex<HashMap<ObjectId, bool>>,
    /// Kept already, by object: whoever is sent a second time gets the password of the first.
    pub(super) passwords: Mutex<HashMap<ObjectKey, SecretString>>,
    /// At relationships that were just asked for.
    pub(super) looks: delegated::Looks,
}

impl Sender<'_> {
    /// What a step made is there for those after it.
    pub(super) fn remember(&self, step: &Step, sent: &Sent) {
        let id = sent.remote_id.as_deref().and_then(|id| Uuid::try_parse(id).ok());
        if let (Change::CreateUser { .. } | Change::CreateGroup { .. }, Some(id)) =
            (&step.change, id)
        {
            self.made.remember(&step.object, ObjectId(id));
        }
        // Its answer was lost, and so nobody was shown the password yet.
        if let Change::CreateUser { sign_in_name, .. } = &step.change
            && let Some(password) = self.known_password(&step.object)
        {
            self.handover.after(&self.purpose(step, sign_in_name), &password);
        }
    }

    fn purpose(&self, step: &Step, sign_in_name: &str) -> Purpose {
        Purpose {
            object: step.object.to_string(),
            sign_in_name: sign_in_name.to_owned(),
            run: self.run.clone(),
        }
    }

    fn known_password(&self, object: &ObjectKey) -> Option<SecretString> {
        self.passwords.lock().ok().and_then(|known| known.get(object).cloned())
    }

    /// Sends what a step is, if it is still what the plan saw; nothing later than `until`.
    pub(super) async fn send(&self, step: &Step, until: Instant) -> Result<Sent, Failure> {
        let writer = &self.writer.until(until);
        match &step.change {
            Change::CreateUser { sign_in_name, mail_nickname, enabled, fields } => {
                self.create_user(writer, step, sign_in_name, mail_nickname, *enabled, fields).await
            }
            Change::UpdateUser { user, fields } => {
                self.update_user(writer, step, user, fields).await
            }
            Change::RestoreUser { user } => {
                let id = self.made.resolve(user)?;
                // Sent before, perhaps, and answered by nobody.
                if !is_there(writer.reader().user(id).await)? {
                    writer.restore_user(id).await?;
                }
                // Nobody comes in with what they held before they went.
                let fields = UserFields { account_enabled: Some(false), ..UserFields::default() };
                writer.update_user(id, &fields).await?;
                Ok(of(id))
            }
            Change::ResetPassword { user, sign_in_name } => {
                self.reset_password(writer, step, user, sign_in_name).await
            }
            Change::DeleteUser { user } => {
                let id = self.made.resolve(user)?;
                self.is_as_seen(step, id).await?;
                writer.delete_user(id).await?;
                Ok(of(id))
            }
            Change::CreateGroup { name, mail_nickname, description } => {
                let known = looked(writer.reader().groups_with_alias(mail_nickname).await)?;
                if !known.is_empty() {
                    return Err(Failure::Stale(format!(
                        "a group has the alias {mail_nickname} now"
                    )));
                }
                let group =
                    NewGroup::security(name.clone(), mail_nickname.clone(), description.clone());
                let id = writer.create_group(&group).await?;
                self.made.remember(&step.object, id);
                Ok(made(id))
            }
            Change::UpdateGroup { group, name, description } => {
                let id = self.made.resolve(group)?;
                let fields = GroupFields {
                    display_name: name.clone(),
                    description: description.clone().map(Into::into),
                };
                writer.update_group(id, &fields).await?;
                Ok(of(id))
            }
            Change::DeleteGroup { group } => {
                let id = self.made.resolve(group)?;
                let members = looked(writer.reader().members(id).await)?;
                if !members.is_empty() {
                    return Err(Failure::Stale("somebody is in the group again".to_owned()));
                }
                writer.delete_group(id).await?;
                Ok(of(id))
            }
            Change::AddMember { group, member } => {
                let (group, member) = (self.made.resolve(group)?, self.made.resolve(member)?);
                writer.add_member(group, member).await?;
                Ok(Sent::default())
            }
            Change::RemoveMember { group, member } => {
                let (group, member) = (self.made.resolve(group)?, self.made.resolve(member)?);
                writer.remove_member(group, member).await?;
                Ok(Sent::default())
            }
            Change::AssignRole { role, principal } => {
                writer.assign_role(*role, self.made.resolve(principal)?, "/").await?;
                // The answer is the assignment.
                Ok(Sent { is_proof: true, ..Sent::default() })
            }
            Change::RemoveRole { assignment, role, principal } => {
                let assignment = RoleAssignment {
                    id: assignment.clone(),
                    role: *role,
                    principal: self.made.resolve(principal)?,
                    scope: "/".to_owned(),
                    holding: Holding::Active,
                };
                writer.remove_role(&assignment).await?;
                Ok(Sent::default())
            }
            Change::AddAccountRole { role, user, account, sign_in_name, display_name } => {
                let member = NewRoleMember {
                    id: self.made.resolve(user)?,
                    account_id: account.clone(),
                    display_name: display_name.clone(),
                    role_id: role.clone(),
                    user_principal_name: sign_in_name.clone(),
                };
                writer.add_account_role_member(&member).await?;
                Ok(Sent::default())
            }
            Change::RemoveAccountRole { role, user } => {
                writer.remove_account_role_member(role, self.made.resolve(user)?).await?;
                Ok(Sent::default())
            }
            Change::PutProfile { profile, members } => {
                self.put_profile(writer, step, *profile, members).await
            }
            Change::PutCustomerBilling { customer, members } => {
                let mut body = looked(writer.reader().customer_billing(*customer).await)?;
                set_all(&mut body, members);
                writer.put_customer_billing(*customer, &body).await?;
                Ok(Sent::default())
            }
            Change::AskQualification { customer, qualification, details } => {
                let body = asked(qualification, details)?;
                writer.ask_for_qualification(*customer, &body).await?;
                Ok(Sent::default())
            }
            Change::EndRelationship { customer } => {
                let subscriptions = looked(writer.reader().subscriptions(*customer).await)?;
                if let Some(active) = subscriptions.iter().find(|one| one.status == "active") {
                    return Err(Failure::Stale(format!("{} is active again", active.name)));
                }
                writer.end_relationship(*customer).await?;
                Ok(Sent { remote_id: Some(customer.to_string()), ..Sent::default() })
            }
            Change::RequestDelegation { name, customer, days, roles, extend_days } => {
                let request = delegated::Request {
                    name,
                    customer: *customer,
                    days: *days,
                    roles,
                    extend_days: *extend_days,
                };
                delegated::request(writer, &self.looks, &request, until).await
            }
            Change::LockDelegation { relationship } => {
                delegated::lock_as_seen(writer, &self.looks, step, relationship, until).await
            }
            Change::UpdateDelegation { relationship, days, roles, extend_days } => {
                let mut fields = DelegationFields::default();
                if let Some(days) = extend_days {
                    fields = DelegationFields::auto_extend(*days);
                }
                if let Some(days) = days {
                    fields = fields.with_duration(*days);
                }
                if let Some(roles) = roles {
                    fields = fields.with_roles(roles);
                }
                delegated::update(writer, step, relationship, &fields, until).await
            }
            Change::DeleteDelegation { relationship } => {
                delegated::delete(writer, step, relationship).await
            }
            Change::TerminateDelegation { relationship } => {
                delegated::terminate(writer, step, relationship).await
            }
            Change::AssignDelegated { relationship, group, roles, instead_of } => {
                let (group, failed) = (self.made.resolve(group)?, instead_of.as_deref());
                delegated::assign(writer, relationship, group, roles, failed, until).await
            }
            Change::UpdateDelegated { relationship, assignment, roles } => {
                delegated::reassign(writer, step, relationship, assignment, roles, until).await
            }
            Change::UnassignDelegated { relationship, assignment, .. } => {
                delegated::unassign(writer, step, relationship, assignment).await
            }
            Change::CreateCustomer {
                key,
                domain,
                company_name,
                reseller,
                registration_number,
                billing,
            } => {
                if looked(writer.reader().domain_is_taken(domain).await)? {
                    return Err(Failure::Stale(format!("the domain {domain} is taken now")));
                }
                let customer = NewCustomer {
                    enable_gdap_by_default: Some(false),
                    associated_partner_id: *reseller,
                    company_profile: NewCompanyProfile {
                        domain: domain.clone(),
                        organization_registration_number: registration_number.clone(),
                    },
                    billing_profile: billing_of(company_name, billing),
                };
                self.handover.try_out(&self.purpose(step, domain)).map_err(|error| {
                    Failure::Failed(format!(
                        "its administrator's password could not be kept: {error}"
                    ))
                })?;
                let made = writer.create_customer(*key, &customer).await?;
                let kept = made.administrator.as_ref().map(|administrator| {
                    let name = format!("{}@{domain}", administrator.user_name);
                    let purpose = self.purpose(step, &name);
                    let kept = self.handover.keep(&purpose, &administrator.password);
                    self.handover.after(&purpose, &administrator.password);
                    kept
                });
                if let Some(Err(error)) = &kept {
                    tracing::error!(%error, "the new tenant's password could not be kept");
                }
                Ok(Sent {
                    remote_id: Some(made.id.to_string()),
                    is_proof: true,
                    owes_password: !matches!(kept, Some(Ok(_))),
                    ..Sent::default()
                })
            }
        }
    }

    async fn create_user(
        &self,
        writer: &Writer,
        step: &Step,
        sign_in_name: &str,
        mail_nickname: &str,
        enabled: bool,
        fields: &BTreeMap<String, Value>,
    ) -> Result<Sent, Failure> {
        if !self.handover.is_possible() {
            return Err(nowhere());
        }
        let purpose = self.purpose(step, sign_in_name);
        let (password, kept) = self.password(&step.object, &purpose)?;
        let user = NewUser {
            account_enabled: enabled,
            mail_nickname: mail_nickname.to_owned(),
            user_principal_name: sign_in_name.to_owned(),
            fields: user_fields(fields)?,
            password_profile: PasswordProfile::temporary(password.clone()),
        };
        match writer.create_user(&user).await {
            Ok(id) => {
                self.handover.after(&purpose, &password);
                self.made.remember(&step.object, id);
                Ok(made(id))
            }
            Err(error) => {
                if !error.leaves_outcome_open() {
                    self.forget(&step.object, &kept);
                }
                // Nobody can look later than the service itself, to which names are unique.
                let is_refused = matches!(error.reason(), Some(Reason::Invalid | Reason::Conflict));
                if is_refused && looked(writer.reader().user_named(sign_in_name).await)?.is_some() {
                    return Err(Failure::Stale(format!("somebody signs in as {sign_in_name} now")));
                }
                Err(error.into())
            }
        }
    }

    /// A password for somebody, put where it will be found before anything is sent.
    fn password(
        &self,
        object: &ObjectKey,
        purpose: &Purpose,
    ) -> Result<(SecretString, Kept), Failure> {
        if let Some(known) = self.known_password(object) {
            return Ok((known, Kept::Nowhere));
        }
        let password = password();
        let kept = self.handover.before(purpose, &password).map_err(|error| {
            Failure::Failed(format!("its one-time password cannot be kept: {error}"))
        })?;
        if let Ok(mut known) = self.passwords.lock() {
            known.insert(object.clone(), password.clone());
        }
        Ok((password, kept))
    }

    /// Sealed before it is sent, shown after it holds. Sent again, it is the same password.
    async fn reset_password(
        &self,
        writer: &Writer,
        step: &Step,
        user: &Target,
        sign_in_name: &str,
    ) -> Result<Sent, Failure> {
        if !self.handover.is_possible() {
            return Err(nowhere());
        }
        let id = self.made.resolve(user)?;
        self.is_as_seen(step, id).await?;
        let purpose = self.purpose(step, sign_in_name);
        let (password, kept) = self.password(&step.object, &purpose)?;
        let profile = PasswordProfile::temporary(password.clone());
        match writer.set_password(id, &profile).await {
            Ok(()) => {
                self.handover.after(&purpose, &password);
                // Nobody can read a password back: the answer has to do.
                Ok(Sent { is_proof: true, ..of(id) })
            }
            Err(error) => {
                if !error.leaves_outcome_open() {
                    self.forget(&step.object, &kept);
                }
                Err(error.into())
            }
        }
    }

    /// A password that never held.
    fn forget(&self, object: &ObjectKey, kept: &Kept) {
        kept.discard();
        if let (Kept::File(_), Ok(mut known)) = (kept, self.passwords.lock()) {
            known.remove(object);
        }
    }

    async fn update_user(
        &self,
        writer: &Writer,
        step: &Step,
        user: &Target,
        fields: &BTreeMap<String, Value>,
    ) -> Result<Sent, Failure> {
        let id = self.made.resolve(user)?;
        self.is_as_seen(step, id).await?;
        let fields = user_fields(fields)?;
        if let (Some(enabled), Ok(mut known)) = (fields.account_enabled, self.enabled.lock()) {
            known.insert(id, enabled);
        }
        writer.update_user(id, &fields).await?;
        Ok(of(id))
    }

    /// Whether an account is still the one that the plan saw, as late as can be.
    async fn is_as_seen(&self, step: &Step, id: ObjectId) -> Result<(), Failure> {
        let now = match self.writer.reader().user(id).await {
            Ok(user) => user,
            Err(error) if error.is(Reason::Missing) => {
                return Err(Failure::Stale("the account is gone".to_owned()));
            }
            Err(error) => return looked(Err(error)),
        };
        let Some(why) = guard::user(&step.guard, &now) else { return Ok(()) };
        // Unless it was this run itself.
        let by_us = self.enabled.lock().ok().and_then(|known| known.get(&id).copied());
        let guard = Guard { enabled: by_us, ..step.guard.clone() };
        match by_us.and_then(|_| guard::user(&guard, &now)) {
            None if by_us.is_some() => Ok(()),
            _ => Err(Failure::Stale(why)),
        }
    }

    async fn put_profile(
        &self,
        writer: &Writer,
        step: &Step,
        kind: ProfileKind,
        members: &BTreeMap<String, Value>,
    ) -> Result<Sent, Failure> {
        let found = looked(writer.reader().profile(kind).await)?;
        let Some(mut body) = found else {
            return Err(Failure::Stale("the profile is gone".to_owned()));
        };
        for (change, (wire, _)) in step.fields.iter().filter_map(|change| {
            Some((change, members.iter().find(|(wire, value)| is_of(change, wire, value))?))
        }) {
            let now = body.at(wire).cloned().unwrap_or(Value::Null);
            if now != change.before && now != change.after {
                return Err(Failure::Stale(format!("{} was changed meanwhile", change.path)));
            }
        }
        set_all(&mut body, members);
        writer.put_profile(kind, &body).await?;
        Ok(Sent::default())
    }
}

/// Whether what was asked for is there at all.
fn is_there<T>(answer: Result<T, Error>) -> Result<bool, Failure> {
    match answer {
        Ok(_) => Ok(true),
        Err(error) if error.is(Reason::Missing) => Ok(false),
        Err(error) => looked(Err(error)),
    }
}

fn nowhere() -> Failure {
    let remedy = crate::plan::REMEDY;
    Failure::Failed(format!("there is nowhere to hand its one-time password over: {remedy}"))
}

/// The id came with the answer.
fn made(id: ObjectId) -> Sent {
    Sent { is_proof: true, ..of(id) }
}

pub(super) fn of(id: ObjectId) -> Sent {
    Sent { remote_id: Some(id.to_string()), ..Sent::default() }
}

fn user_fields(fields: &BTreeMap<String, Value>) -> Result<UserFields, Failure> {
    let members: Map<String, Value> =
        fields.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    serde_json::from_value(Value::Object(members))
        .map_err(|error| Failure::Failed(format!("the plan holds what no user has: {error}")))
}

/// Whether a member of what is sent is this field: the same value, at the end of the same way.
pub(super) fn is_of(change: &crate::plan::step::FieldChange, wire: &str, value: &Value) -> bool {
    change.after == *value
        && guard::wire_of(&change.path).is_some_and(|called| guard::is_called(wire, &called))
}

fn set_all(profile: &mut Profile, members: &BTreeMap<String, Value>) {
    for (wire, value) in members {
        let mut at = &mut profile.0;
        let mut parts = wire.split('.').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                at.insert(part.to_owned(), value.clone());
                break;
            }
            let inner = at.entry(part.to_owned()).or_insert_with(|| Value::Object(Map::new()));
            if !inner.is_object() {
                *inner = Value::Object(Map::new());
            }
            match inner.as_object_mut() {
                Some(inner) => at = inner,
                None => break,
            }
        }
    }
}

fn asked(name: &str, details: &BTreeMap<String, Value>) -> Result<NewQualification, Failure> {
    let text = |key: &str| details.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    match name {
        "Education" => Ok(NewQualification::Education {
            education_segment: if text("educationSegment") == "HigherEducation" {
                EducationSegmentBody::HigherEducation
            } else {
                EducationSegmentBody::K12
            },
            website: text("website"),
        }),
        "GovernmentCommunityCloud" => Ok(NewQualification::GovernmentCommunityCloud {
            validation_code: text("validationCode"),
        }),
        "StateOwnedEntity" => Ok(NewQualification::StateOwnedEntity),
        other => Err(Failure::Failed(format!("there is no qualification {other} to ask for"))),
    }
}

fn billing_of(company_name: &str, billing: &BTreeMap<String, Value>) -> NewBillingProfile {
    let text = |key: &str| billing.get(key).and_then(Value::as_str).map(str::to_owned);
    let always = |key: &str| text(key).unwrap_or_default();
    NewBillingProfile {
        culture: match always("language").as_str() {
            "ja" => "ja-JP".to_owned(),
            "fr" => "fr-FR".to_owned(),
            "zh-TW" => "zh-TW".to_owned(),
            _ => "en-US".to_owned(),
        },
        email: always("email"),
        language: always("language"),
        company_name: company_name.to_owned(),
        default_address: AddressBody {
            first_name: text("address.firstName"),
            last_name: text("address.lastName"),
            phone_number: text("address.phoneNumber"),
            address_line1: always("address.addressLine1"),
            address_line2: text("address.addressLine2"),
            address_line3: text("address.addressLine3"),
            city: always("address.city"),
            state: text("address.state"),
            postal_code: text("address.postalCode"),
            country: always("address.country"),
        },
    }
}

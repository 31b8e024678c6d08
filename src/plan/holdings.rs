//! What users hold: agent levels, admin levels, roles. Each is an element of a set, and a step of its
//! own when it is given or taken.

mod past;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::bind::{Binding, is_ours_to_set};
use super::change::{Change, Target};
use super::draft::{Errand, Subject};
use super::effect::Effect;
use super::gather::Gather;
use super::record::element;
use super::roles::MEMBERS;
use super::step::{Cause, FieldChange, State, Verb};
use crate::model::Str;
use crate::model::directory_role::DirectoryRole;
use crate::model::estate::Declared;
use crate::model::id::RoleTemplateId;
use crate::model::name::{Kind, RoleKey};
use crate::model::record::ObjectKey;
use crate::model::tenant::{self, AccountRole, Aspect, ObjectId};
use crate::model::text::Title;
use crate::model::user::{AdminLevel, AgentLevel, Holding, RoleGrant, User};
use crate::policy::world::declared::{admin_role, agent_role};

pub(super) use past::{Standing, give_back, of_step, standing};

pub(super) const AGENT: &str = "spec.agent";
pub(super) const ADMIN: &str = "spec.admin";
pub(super) const ROLES: &str = "spec.roles";

/// Something that somebody holds, or is to hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Held {
    pub(super) path: &'static str,
    /// As the manifest has it.
    pub(super) value: Value,
    /// What tells it apart within its set.
    pub(super) word: String,
    /// The key of the role that it is.
    pub(super) role: Str,
    how: How,
}

/// How it is held.
#[derive(Debug, Clone, PartialEq)]
enum How {
    Member(Target),
    /// The assignment's id, where there is one.
    Assigned(RoleTemplateId, Option<String>),
    /// The role's id, and for which account.
    Account(String, String),
}

impl Held {
    fn agent(level: AgentLevel, group: ObjectId) -> Self {
        Self {
            path: AGENT,
            value: level.word().into(),
            word: level.word().to_owned(),
            role: agent_role(level).into(),
            how: How::Member(Target::Id(group)),
        }
    }

    fn admin(level: AdminLevel, role: RoleTemplateId, assignment: Option<String>) -> Self {
        Self {
            path: ADMIN,
            value: level.word().into(),
            word: level.word().to_owned(),
            role: admin_role(level).into(),
            how: How::Assigned(role, assignment),
        }
    }

    fn custom(key: &RoleKey, group: Target) -> Self {
        Self {
            path: ROLES,
            value: key.as_str().into(),
            word: key.as_str().to_owned(),
            role: key.as_str().into(),
            how: How::Member(group),
        }
    }

    /// An account role, for the organization or for one location.
    fn account(word: &str, id: &str, account: &str, organization: &str) -> Self {
        let whole = account == organization;
        let value = if whole { word.into() } else { json!({"locations": [account], "role": word}) };
        Self {
            path: ROLES,
            value,
            word: if whole { word.to_owned() } else { format!("{word}@{account}") },
            role: word.into(),
            how: How::Account(id.to_owned(), account.to_owned()),
        }
    }

    /// How it is remembered, and guarded.
    pub(super) fn element(&self) -> String {
        element(self.path, &self.word)
    }

    /// In a sentence.
    pub(super) fn title(&self) -> String {
        match (self.path, self.word.split_once('@')) {
            (AGENT | ADMIN | MEMBERS, _) => format!("the role {}", self.role),
            (_, Some((role, location))) => format!("the role {role} for {location}"),
            _ => format!("the role {}", self.word),
        }
    }
}

/// The directory role behind an admin level.
pub(super) fn template_of(level: AdminLevel) -> Option<RoleTemplateId> {
    let name = match level {
        AdminLevel::Global => "Global Administrator",
        AdminLevel::UserManagement => "User Administrator",
        AdminLevel::Billing => "Billing Administrator",
    };
    DirectoryRole::named(name).map(|role| role.0)
}

/// What somebody holds in the tenant, directly.
pub(super) struct Live {
    pub(super) held: Vec<Held>,
    /// Admin levels that can be activated.
    pub(super) eligible: BTreeSet<AdminLevel>,
}

pub(super) fn live(gather: &Gather<'_>, id: ObjectId) -> Live {
    let mut held = Vec::new();
    for (level, (group, _)) in &gather.agent_groups {
        if gather.index.groups_of(id).contains(group) {
            held.push(Held::agent(*level, *group));
        }
    }
    let mut eligible = BTreeSet::new();
    for level in AdminLevel::ALL {
        let Some(role) = template_of(*level) else { continue };
        if gather.index.holds(id, role, tenant::Holding::Eligible) {
            // An active assignment beside it is an activation, which ends by itself.
            eligible.insert(*level);
            continue;
        }
        let assigned = gather.index.roles_of(id).iter().find(|held| {
            held.role == role && held.holding == tenant::Holding::Active && held.scope == "/"
        });
        if let Some(assigned) = assigned {
            held.push(Held::admin(*level, role, Some(assigned.id.clone())));
        }
    }
    let groups = gather.index.groups_of(id);
    let bound = gather.bound.roles.iter().filter_map(|(key, binding)| Some((key, binding.live()?)));
    let former = gather.former_groups.iter().map(|(key, id)| (key, *id));
    for (key, group) in bound.chain(former) {
        if groups.contains(&group) {
            held.push(Held::custom(key, Target::Id(group)));
        }
    }
    let organization = organization(gather);
    for (role, member) in gather.index.account_roles_of(id) {
        let account = member.account.as_deref().unwrap_or(&organization);
        held.push(Held::account(&key_of(role), &role.id, account, &organization));
    }
    Live { held, eligible }
}

/// The whole organization, as account roles name it.
fn organization(gather: &Gather<'_>) -> String {
    gather.input.snapshot.tenant.map(|tenant| tenant.to_string()).unwrap_or_default()
}

/// `Referrals Admin` is `referrals-admin`.
fn key_of(role: &AccountRole) -> String {
    let words = role.name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let key = words.map(str::to_lowercase).collect::<Vec<_>>().join("-");
    let folded = |word: &str| word.replace('-', "").to_lowercase();
    crate::model::role::AccountRole::ALL
        .iter()
        .map(|known| known.word())
        .find(|known| folded(known) == folded(&key))
        .map_or(key, str::to_owned)
}

pub(super) fn plan(gather: &mut Gather<'_>) {
    let estate = gather.input.estate;
    for (key, declared) in &estate.users {
        let Some(binding) = gather.bound.users.get(key) else { continue };
        let target = match binding {
            Binding::Live(id) => Target::Id(*id),
            Binding::Absent(None) | Binding::Gone(None) => {
                // Who is not made is given nothing.
                let object = ObjectKey::new(Kind::User, key.as_str());
                if !gather.made.contains(&object) {
                    continue;
                }
                Target::MadeFor(object)
            }
            Binding::Absent(Some(_)) | Binding::Gone(Some(_)) | Binding::Held => continue,
        };
        user(gather, declared, &target);
    }
}

fn user(gather: &mut Gather<'_>, declared: &Declared<User>, target: &Target) {
    let subject = Subject::declared(gather.input, Kind::User, declared);
    let expired = declared.metadata.has_expired(gather.input.today);
    let found = match target {
        Target::Id(id) => live(gather, *id),
        Target::MadeFor(_) => Live { held: Vec::new(), eligible: BTreeSet::new() },
    };
    let mut wanted = Vec::new();
    if !expired {
        agents(gather, &subject, &declared.spec, &mut wanted);
        admins(gather, &subject, &declared.spec, &found, &mut wanted);
        roles(gather, &subject, &declared.spec, &mut wanted);
    } else if let Target::Id(_) = target {
        eligible_too_many(gather, &subject, &BTreeSet::new(), &found);
    }
    for one in &wanted {
        let has = found.held.iter().any(|held| held.path == one.path && held.word == one.word);
        if !has {
            grant(gather, &subject, target, one);
        }
    }
    for one in &found.held {
        let is_wanted =
            wanted.iter().any(|wanted| wanted.path == one.path && wanted.word == one.word);
        // A set that the document does not mention is not ours.
        let is_managed = one.path != ROLES || declared.spec.roles.is_some();
        if is_wanted || !is_managed {
            continue;
        }
        let lapsed = expired || has_lapsed(gather, one);
        revoke(gather, &subject, target, one, lapsed.then_some(Cause::Expiry));
    }
}

/// Whether the role itself has passed its last day.
fn has_lapsed(gather: &Gather<'_>, held: &Held) -> bool {
    held.path == ROLES
        && gather
            .input
            .estate
            .roles
            .get(held.role.as_str())
            .is_some_and(|role| role.metadata.has_expired(gather.input.today))
}

fn agents(gather: &mut Gather<'_>, subject: &Subject<'_>, user: &User, wanted: &mut Vec<Held>) {
    for level in &user.agent {
        match gather.agent_groups.get(level) {
            Some((id, group)) if is_ours_to_set(group) && group.members.is_some() => {
                wanted.push(Held::agent(*level, *id));
            }
            Some((_, group)) => {
                let message =
                    format!("the members of the group {} are not ours to set", group.name);
                gather.drafts.say(&subject.key, State::Foreign, message);
            }
            None => {
                let message = format!(
                    "the tenant has no group for the agent level {level}, or several of its name"
                );
                gather.drafts.say(&subject.key, State::Held, message);
            }
        }
    }
}

fn admins(
    gather: &mut Gather<'_>,
    subject: &Subject<'_>,
    user: &User,
    found: &Live,
    wanted: &mut Vec<Held>,
) {
    let mut wants_eligible = BTreeSet::new();
    for (level, holding) in &user.admin {
        let Some(role) = template_of(*level) else { continue };
        match holding {
            Holding::Active if found.eligible.contains(level) => {
                let message = format!(
                    "{} can be activated, and is declared as held always: an eligible assignment is not made permanent by us. Declare `{{{level}: eligible}}`, or remove the eligible assignment first",
                    admin_role(*level)
                );
                gather.drafts.say(&subject.key, State::Held, message);
            }
            Holding::Active => wanted.push(Held::admin(*level, role, None)),
            Holding::Eligible => {
                wants_eligible.insert(*level);
                if !found.eligible.contains(level) {
                    eligible_missing(gather, subject, *level);
                }
            }
        }
    }
    eligible_too_many(gather, subject, &wants_eligible, found);
}

fn eligible_missing(gather: &mut Gather<'_>, subject: &Subject<'_>, level: AdminLevel) {
    if is_blind(gather, Aspect::EligibleRoles) {
        let message = format!("whether {} can be activated cannot be seen", admin_role(level));
        return gather.drafts.say(&subject.key, State::Unrecognised, message);
    }
    privileged_identity(gather, subject, level, "make-eligible", "is to be made eligible for");
}

fn eligible_too_many(
    gather: &mut Gather<'_>,
    subject: &Subject<'_>,
    wanted: &BTreeSet<AdminLevel>,
    found: &Live,
) {
    for level in found.eligible.difference(wanted) {
        let still = gather.input.estate.users.get(subject.key.name.as_str()).is_some_and(|user| {
            !user.metadata.has_expired(gather.input.today)
                && user.spec.admin.iter().any(|(declared, _)| declared == level)
        });
        if !still {
            privileged_identity(
                gather,
                subject,
                *level,
                "end-eligible",
                "is not to be eligible any longer for",
            );
        }
    }
}

/// Eligible assignments are made and ended by a person: with whom and for how long is theirs to say.
fn privileged_identity(
    gather: &mut Gather<'_>,
    subject: &Subject<'_>,
    level: AdminLevel,
    what: &str,
    message: &str,
) {
    let role = template_of(level).map(|role| DirectoryRole(role).to_string()).unwrap_or_default();
    let errand = Errand {
        confirms: None,
        object: &subject.key,
        step: format!("{}/{what}/{level}", subject.key),
        message: format!("{} {message} {role}", subject.key),
        awaiting: "a global admin of ours".to_owned(),
        link: None,
        instructions: format!(
            "In the Microsoft Entra admin center, under Identity governance, Privileged Identity Management, Microsoft Entra roles: {role}."
        ),
    };
    let report = errand.report(gather.input);
    gather.drafts.report.push(report);
}

fn is_blind(gather: &Gather<'_>, aspect: Aspect) -> bool {
    gather
        .input
        .snapshot
        .blind
        .iter()
        .any(|blind| blind.aspect == aspect && blind.seen_at.is_none())
}

fn roles(gather: &mut Gather<'_>, subject: &Subject<'_>, user: &User, wanted: &mut Vec<Held>) {
    for grant in user.roles.iter().flatten() {
        match grant {
            RoleGrant::Custom(role) => custom(gather, subject, role, wanted),
            RoleGrant::Account { role, locations } => {
                let places: Vec<&str> = locations.iter().map(Title::as_str).collect();
                account(gather, subject, role.word(), &places, wanted);
            }
            RoleGrant::Unrecognised { role, locations } => {
                let places: Vec<&str> = locations.iter().map(Title::as_str).collect();
                account(gather, subject, role, &places, wanted);
            }
        }
    }
}

fn custom(gather: &mut Gather<'_>, subject: &Subject<'_>, role: &RoleKey, wanted: &mut Vec<Held>) {
    let Some(declared) = gather.input.estate.roles.get(role) else { return };
    if declared.metadata.has_expired(gather.input.today) || declared.spec.group.is_none() {
        return;
    }
    let group = match gather.bound.roles.get(role) {
        Some(Binding::Live(id)) => {
            let group = gather.input.snapshot.groups.get(id);
            if group.is_some_and(|group| is_ours_to_set(group) && group.members.is_some()) {
                Some(Target::Id(*id))
            } else {
                None
            }
        }
        Some(Binding::Absent(_)) => gather.bound.group(role),
        Some(Binding::Gone(_)) => {
            let key = ObjectKey::new(Kind::Role, role.as_str());
            gather.input.revive.contains(&key).then(|| gather.bound.group(role)).flatten()
        }
        Some(Binding::Held) | None => None,
    };
    if let Some(group) = group {
        wanted.push(Held::custom(role, group));
    } else {
        let message = format!("the group of role/{role} is not there, or not ours to set");
        gather.drafts.say(&subject.key, State::Held, message);
    }
}

fn account(
    gather: &mut Gather<'_>,
    subject: &Subject<'_>,
    word: &str,
    locations: &[&str],
    wanted: &mut Vec<Held>,
) {
    let snapshot = gather.input.snapshot;
    let Some(role) = snapshot.account_roles.iter().find(|role| key_of(role) == word) else {
        let message = if snapshot.account_roles.is_empty() {
            format!("the account's own roles cannot be seen, {word} among them")
        } else {
            format!("this account has no role {word}")
        };
        return gather.drafts.say(&subject.key, State::Unrecognised, message);
    };
    let organization = organization(gather);
    if locations.is_empty() {
        wanted.push(Held::account(word, &role.id, &organization, &organization));
    }
    for location in locations {
        wanted.push(Held::account(word, &role.id, location, &organization));
    }
}

fn grant(gather: &mut Gather<'_>, subject: &Subject<'_>, target: &Target, held: &Held) {
    let made = matches!(target, Target::MadeFor(_));
    let verdict = subject.memory.element(held.path, &held.value, true);
    let Some(mut change) = gather.drafts.heed(&subject.key, held.path, verdict) else { return };
    if made {
        change.cause = Cause::Create;
    }
    let user = gather.input.estate.users.get(subject.key.name.as_str());
    let names = user.map(|user| {
        (super::bind::sign_in_name(&user.spec), user.spec.display_name.as_str().to_owned())
    });
    give(gather, subject, target, held, change, names.unwrap_or_default());
}

/// The step that gives something. An account role is given by two names.
fn give(
    gather: &mut Gather<'_>,
    subject: &Subject<'_>,
    target: &Target,
    held: &Held,
    change: FieldChange,
    (sign_in_name, display_name): (String, String),
) {
    let sent = match &held.how {
        How::Member(group) => Change::AddMember { group: group.clone(), member: target.clone() },
        How::Assigned(role, _) => Change::AssignRole { role: *role, principal: target.clone() },
        How::Account(role, account) => Change::AddAccountRole {
            role: role.clone(),
            user: target.clone(),
            account: account.clone(),
            sign_in_name,
            display_name,
        },
    };
    let summary = format!("give {} {}", subject.key, held.title());
    let what = format!("grant/{}", place(held));
    let mut step = subject.step(&what, Verb::Grant, summary, vec![change], sent);
    step.guard = gather.guard_on(target, &held.element(), false);
    gather.push(step, Effect::Gives { user: target.clone(), role: held.role.clone() });
}

/// Takes something from somebody. With a cause of its own, it is not asked whether it is drift.
pub(super) fn revoke(
    gather: &mut Gather<'_>,
    subject: &Subject<'_>,
    target: &Target,
    held: &Held,
    cause: Option<Cause>,
) {
    let change = if let Some(cause) = cause {
        FieldChange {
            path: held.path.to_owned(),
            before: held.value.clone(),
            after: Value::Null,
            cause,
            applied: None,
        }
    } else {
        let verdict = subject.memory.element(held.path, &held.value, false);
        match gather.drafts.heed(&subject.key, held.path, verdict) {
            Some(change) => change,
            None => return,
        }
    };
    let sent = match &held.how {
        How::Member(group) => Change::RemoveMember { group: group.clone(), member: target.clone() },
        How::Assigned(role, assignment) => Change::RemoveRole {
            assignment: assignment.clone().unwrap_or_default(),
            role: *role,
            principal: target.clone(),
        },
        How::Account(role, account) => {
            if holds_elsewhere(gather, target, role, account) {
                return by_hand(gather, subject, held);
            }
            Change::RemoveAccountRole { role: role.clone(), user: target.clone() }
        }
    };
    let summary = format!("take {} from {}", held.title(), subject.key);
    let what = format!("revoke/{}", place(held));
    let mut step = subject.step(&what, Verb::Revoke, summary, vec![change], sent);
    step.guard = gather.guard_on(target, &held.element(), true);
    step.cost.removals = 1;
    gather.push(step, Effect::Takes { user: target.clone(), role: held.role.clone() });
}

/// Whether somebody holds an account role for other accounts too: the service takes away all at once.
fn holds_elsewhere(gather: &Gather<'_>, target: &Target, role: &str, account: &str) -> bool {
    let Target::Id(id) = target else { return false };
    let organization = organization(gather);
    gather.index.account_roles_of(*id).iter().any(|(held, member)| {
        held.id == role && member.account.as_deref().unwrap_or(&organization) != account
    })
}

fn by_hand(gather: &mut Gather<'_>, subject: &Subject<'_>, held: &Held) {
    let errand = Errand {
        confirms: None,
        object: &subject.key,
        step: format!("{}/revoke/{}", subject.key, place(held)),
        message: format!("{} keeps {} until a person takes it away", subject.key, held.title()),
        awaiting: "a global admin of ours".to_owned(),
        link: None,
        instructions: format!(
            "In Partner Center, under Account settings, User management, take away {}: the service takes away all locations of a role at once.",
            held.title()
        ),
    };
    let report = errand.report(gather.input);
    gather.drafts.report.push(report);
}

/// Its place in the id of a step.
fn place(held: &Held) -> String {
    let set = match held.path {
        AGENT => "agent",
        ADMIN => "admin",
        _ => "role",
    };
    format!("{set}/{}", held.word)
}

/// What a document says about the sets of a user, as the ledger keeps it.
pub(super) fn declared(user: &User) -> BTreeMap<String, Value> {
    let mut fields = BTreeMap::new();
    let mut agent: Vec<Value> = user.agent.iter().map(|level| level.word().into()).collect();
    agent.sort_by_key(Value::to_string);
    fields.insert(AGENT.to_owned(), agent.into());
    let mut admin: Vec<Value> = user
        .admin
        .iter()
        .map(|(level, holding)| match holding {
            Holding::Active => Value::from(level.word()),
            Holding::Eligible => json!({level.word(): "eligible"}),
        })
        .collect();
    admin.sort_by_key(Value::to_string);
    fields.insert(ADMIN.to_owned(), admin.into());
    if let Some(roles) = &user.roles {
        let mut values: Vec<Value> = roles.iter().flat_map(values_of).collect();
        values.sort_by_key(Value::to_string);
        fields.insert(ROLES.to_owned(), values.into());
    }
    fields
}

fn values_of(grant: &RoleGrant) -> Vec<Value> {
    let account = |word: &str, locations: &[Title]| {
        if locations.is_empty() {
            return vec![Value::from(word)];
        }
        locations.iter().map(|one| json!({"locations": [one.as_str()], "role": word})).collect()
    };
    match grant {
        RoleGrant::Custom(role) => vec![role.as_str().into()],
        RoleGrant::Account { role, locations } => account(role.word(), locations),
        RoleGrant::Unrecognised { role, locations } => account(role, locations),
    }
}

//! Users: who they are. What they hold is in `holdings`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::bind::{Binding, sign_in_name};
use super::change::{Change, Target};
use super::compare::{Same, Verdict};
use super::draft::{Errand, Subject, whole};
use super::effect::Effect;
use super::gather::Gather;
use super::step::{Cause, Guard, State, Verb};
use crate::model::contact::Phone;
use crate::model::country::{CountryCode, Language};
use crate::model::estate::Declared;
use crate::model::metadata::OnRemoval;
use crate::model::name::{Kind, UserKey};
use crate::model::tenant::{self, ObjectId};
use crate::model::text::Title;
use crate::model::user::User;

/// A field of a user that the directory keeps.
pub(super) struct Field {
    pub(super) path: &'static str,
    /// As Graph calls it.
    pub(super) wire: &'static str,
    pub(super) same: Same,
    /// Kept on premises, for those who come from there.
    pub(super) is_identity: bool,
    pub(super) declared: fn(&User) -> Option<Value>,
    pub(super) live: fn(&tenant::User) -> Value,
}

fn text(value: Option<&str>) -> Option<Value> {
    value.map(Value::from)
}

fn seen(value: Option<&String>) -> Value {
    value.map_or(Value::Null, |value| value.as_str().into())
}

pub(super) const ENABLED: &str = "spec.enabled";
const USER_TYPE: &str = "spec.userType";

pub(super) const FIELDS: [Field; 11] = [
    Field {
        path: "spec.displayName",
        wire: "displayName",
        same: Same::Text,
        is_identity: true,
        declared: |user| text(Some(user.display_name.as_str())),
        live: |user| user.display_name.as_str().into(),
    },
    Field {
        path: "spec.email",
        wire: "mail",
        same: Same::Folded,
        is_identity: true,
        declared: |user| text(Some(user.email.as_str())),
        live: |user| seen(user.email.as_ref()),
    },
    Field {
        path: "spec.signInName",
        wire: "userPrincipalName",
        same: Same::Folded,
        is_identity: true,
        declared: |user| Some(sign_in_name(user).into()),
        live: |user| user.sign_in_name.as_str().into(),
    },
    Field {
        path: "spec.usageLocation",
        wire: "usageLocation",
        same: Same::Folded,
        is_identity: false,
        declared: |user| text(user.usage_location.as_ref().map(CountryCode::as_str)),
        live: |user| seen(user.usage_location.as_ref()),
    },
    Field {
        path: "spec.givenName",
        wire: "givenName",
        same: Same::Text,
        is_identity: true,
        declared: |user| text(user.given_name.as_ref().map(Title::as_str)),
        live: |user| seen(user.given_name.as_ref()),
    },
    Field {
        path: "spec.surname",
        wire: "surname",
        same: Same::Text,
        is_identity: true,
        declared: |user| text(user.surname.as_ref().map(Title::as_str)),
        live: |user| seen(user.surname.as_ref()),
    },
    Field {
        path: "spec.jobTitle",
        wire: "jobTitle",
        same: Same::Text,
        is_identity: true,
        declared: |user| text(user.job_title.as_ref().map(Title::as_str)),
        live: |user| seen(user.job_title.as_ref()),
    },
    Field {
        path: "spec.department",
        wire: "department",
        same: Same::Text,
        is_identity: true,
        declared: |user| text(user.department.as_ref().map(Title::as_str)),
        live: |user| seen(user.department.as_ref()),
    },
    Field {
        path: "spec.mobilePhone",
        wire: "mobilePhone",
        same: Same::Phone,
        is_identity: true,
        declared: |user| text(user.mobile_phone.as_ref().map(Phone::as_str)),
        live: |user| seen(user.mobile_phone.as_ref()),
    },
    Field {
        path: "spec.preferredLanguage",
        wire: "preferredLanguage",
        same: Same::Folded,
        is_identity: true,
        declared: |user| text(user.preferred_language.as_ref().map(Language::as_str)),
        live: |user| seen(user.preferred_language.as_ref()),
    },
    Field {
        path: ENABLED,
        wire: "accountEnabled",
        same: Same::Exactly,
        is_identity: true,
        declared: |user| Some(user.enabled.into()),
        live: |user| user.enabled.map_or(Value::Null, Value::Bool),
    },
];

pub(super) fn plan(gather: &mut Gather<'_>) {
    let estate = gather.input.estate;
    for (key, declared) in &estate.users {
        let Some(binding) = gather.bound.users.get(key).cloned() else { continue };
        let subject = Subject::declared(gather.input, Kind::User, declared);
        match binding {
            Binding::Live(id) => live(gather, &subject, declared, id),
            Binding::Absent(None) => create(gather, &subject, key, declared),
            Binding::Gone(deleted) | Binding::Absent(deleted) => {
                gone(gather, &subject, key, declared, deleted);
            }
            Binding::Held => {}
        }
    }
}

/// Somebody removed them, or somebody of their name is in the bin.
fn gone(
    gather: &mut Gather<'_>,
    subject: &Subject<'_>,
    key: &UserKey,
    declared: &Declared<User>,
    deleted: Option<ObjectId>,
) {
    if !gather.input.revive.contains(&subject.key) {
        let message = match deleted {
            Some(_) => format!(
                "the account was deleted in the tenant; it can still be restored with `--revive {}`",
                subject.key
            ),
            None => format!(
                "the account is no longer in the tenant; it is made anew with `--revive {}`",
                subject.key
            ),
        };
        gather.drafts.say(&subject.key, State::Gone, message);
        return;
    }
    let Some(id) = deleted else { return create(gather, subject, key, declared) };
    let fields = vec![whole(ENABLED, Value::Null, false.into(), Cause::Create)];
    let mut step = subject.step(
        "restore",
        Verb::Restore,
        format!("restore {} without letting them sign in", subject.key),
        fields,
        Change::RestoreUser { user: Target::Id(id) },
    );
    step.guard = Guard { remote_id: Some(id.to_string()), ..Guard::default() };
    gather.push(step, Effect::Restores { user: Target::Id(id) });
    let message = "what a restored account still holds is seen only afterwards: the next plan takes away what is not declared and lets them in";
    gather.drafts.say(&subject.key, State::Held, message);
}

fn create(
    gather: &mut Gather<'_>,
    subject: &Subject<'_>,
    key: &UserKey,
    declared: &Declared<User>,
) {
    let user = &declared.spec;
    let name = sign_in_name(user);
    if user.is_guest() {
        let errand = Errand {
            confirms: None,
            object: &subject.key,
            step: format!("{}/invite", subject.key),
            message: format!("{} is invited by a person", user.email),
            awaiting: "an administrator of ours, then the guest".to_owned(),
            link: None,
            instructions: format!(
                "Invite {} as a guest (Microsoft Entra admin center, Users, Invite external user). Once they accepted, they are found by their sign-in name.",
                user.email
            ),
        };
        let report = errand.report(gather.input);
        gather.drafts.report.push(report);
        return;
    }
    if declared.metadata.has_expired(gather.input.today) {
        let message = "its last day has passed, so it is not made";
        return gather.drafts.say(&subject.key, State::Held, message);
    }
    if super::passwords::is_held(gather, subject, "it is to be made") {
        return;
    }
    let mut fields = Vec::new();
    let mut sent = BTreeMap::new();
    for field in &FIELDS {
        let Some(value) = (field.declared)(user) else { continue };
        if !matches!(field.wire, "userPrincipalName" | "accountEnabled") {
            sent.insert(field.wire.to_owned(), value.clone());
        }
        fields.push(whole(field.path, Value::Null, value, Cause::Create));
    }
    let alias = name.split('@').next().unwrap_or_default();
    let mail_nickname =
        alias.chars().filter(|c| c.is_ascii_alphanumeric() || ".-_".contains(*c)).collect();
    let change = Change::CreateUser {
        sign_in_name: name.clone(),
        mail_nickname,
        enabled: user.enabled,
        fields: sent,
    };
    let summary = format!("create {}, who signs in as {name}", subject.key);
    let mut step = subject.step("create", Verb::Create, summary, fields, change);
    step.guard.absent = Some(name);
    let made = Target::MadeFor(subject.key.clone());
    gather.push(step, Effect::Makes { user: made, key: key.clone(), enabled: user.enabled });
}

fn live(gather: &mut Gather<'_>, subject: &Subject<'_>, declared: &Declared<User>, id: ObjectId) {
    let Some(found) = gather.input.snapshot.users.get(&id) else { return };
    let mut changes = Vec::new();
    let mut sent = BTreeMap::new();
    let mut foreign = Vec::new();
    for field in &FIELDS {
        let Some(value) = (field.declared)(&declared.spec) else { continue };
        let live = (field.live)(found);
        if field.path == ENABLED {
            continue;
        }
        let verdict = subject.memory.field(field.path, &value, &live, field.same);
        if verdict != Verdict::Nothing && found.is_synced && field.is_identity {
            foreign.push(field.path);
            continue;
        }
        if let Some(change) = gather.drafts.heed(&subject.key, field.path, verdict) {
            sent.insert(field.wire.to_owned(), change.after.clone());
            changes.push(change);
        }
    }
    if declared.spec.is_guest() != found.is_guest {
        let word = |is_guest| if is_guest { "a guest" } else { "a member" };
        let message = format!(
            "{USER_TYPE}: the account is {}, declared is {}; that is settled when it is made",
            word(found.is_guest),
            word(declared.spec.is_guest())
        );
        gather.drafts.say(&subject.key, State::Ignored, message);
    }
    if !changes.is_empty() {
        let names: Vec<&str> = changes.iter().map(|change| bare(&change.path)).collect();
        let summary = format!("set {} of {}", names.join(", "), subject.key);
        let guard = gather.guard_of(id, &changes);
        let change = Change::UpdateUser { user: Target::Id(id), fields: sent };
        let mut step = subject.step("update", Verb::Update, summary, changes, change);
        step.guard = guard;
        gather.push(step, Effect::Nothing);
    }
    enabled(gather, subject, declared, id, found, &mut foreign);
    super::passwords::owed(gather, subject, id, found);
    if !foreign.is_empty() {
        let message = format!(
            "the account is kept on premises, where {} would have to be changed",
            foreign.join(", ")
        );
        gather.drafts.say(&subject.key, State::Foreign, message);
    }
}

/// Whether they may sign in: a step of its own, because it has its own place in the order.
fn enabled(
    gather: &mut Gather<'_>,
    subject: &Subject<'_>,
    declared: &Declared<User>,
    id: ObjectId,
    found: &tenant::User,
    foreign: &mut Vec<&'static str>,
) {
    let Some(is_enabled) = found.enabled else {
        let message = "whether the account is enabled cannot be seen, so it is left as it is";
        return gather.drafts.say(&subject.key, State::Unrecognised, message);
    };
    let expired = declared.metadata.has_expired(gather.input.today)
        && matches!(declared.metadata.on_removal, Some(OnRemoval::Disable | OnRemoval::Delete));
    let wanted = declared.spec.enabled && !expired;
    let verdict = subject.memory.field(ENABLED, &wanted.into(), &is_enabled.into(), Same::Exactly);
    if verdict != Verdict::Nothing && found.is_synced {
        foreign.push(ENABLED);
        return;
    }
    let Some(mut change) = gather.drafts.heed(&subject.key, ENABLED, verdict) else { return };
    if expired {
        change.cause = Cause::Expiry;
    }
    let user = Target::Id(id);
    let (what, verb, summary) = if wanted {
        ("enable", Verb::Update, format!("let {} sign in", subject.key))
    } else {
        ("disable", Verb::Disable, format!("keep {} from signing in", subject.key))
    };
    let guard = gather.guard_of(id, std::slice::from_ref(&change));
    let fields = BTreeMap::from([("accountEnabled".to_owned(), Value::Bool(wanted))]);
    let sent = Change::UpdateUser { user: user.clone(), fields };
    let mut step = subject.step(what, verb, summary, vec![change], sent);
    step.guard = guard;
    step.cost.removals = u32::from(!wanted);
    let effect = if wanted { Effect::Enables { user } } else { Effect::Disables { user } };
    gather.push(step, effect);
}

/// A path as people say it.
pub(super) fn bare(path: &str) -> &str {
    path.strip_prefix("spec.").unwrap_or(path)
}

/// Accounts that no manifest declares: those who hold something by name, the rest by number.
pub(super) fn others(gather: &mut Gather<'_>) {
    let (mut holders, mut names) = (Vec::new(), Vec::new());
    for (id, user) in &gather.input.snapshot.users {
        if gather.user_of(*id).is_some() || gather.is_removed(*id) {
            continue;
        }
        let held = super::holdings::live(gather, *id).held;
        let admin: Vec<&str> = held
            .iter()
            .filter(|held| held.path == super::holdings::ADMIN)
            .map(|held| held.role.as_str())
            .collect();
        if admin.is_empty() {
            names.push(user.sign_in_name.clone());
        } else {
            holders.push(format!("{} ({})", user.sign_in_name, admin.join(", ")));
        }
    }
    gather.unmanaged(
        [
            "account holds an admin level and is declared by no manifest",
            "accounts hold an admin level and are declared by no manifest",
        ],
        &holders,
    );
    gather.unmanaged(
        ["account that no manifest declares", "accounts that no manifest declares"],
        &names,
    );
}

//! What the project file says otherwise: limits, guards, where things are, where they go.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Effect, Found, Subject};
use crate::manifest::draft::{On, Step, Where};
use crate::model::estate::Origin;
use crate::model::name::{Kind, UserKey};
use crate::model::project::{
    Context, Endpoints, Guards, Handover, Identity, LedgerSource, Limit, Limits, Project,
    TenantSource,
};
use crate::model::secret::SecretReference;
use crate::review::fields::difference;
use crate::review::place::Side;
use crate::review::renamed::Renames;
use crate::review::{Input, project};

pub(super) fn compare(input: &Input<'_>, renames: &Renames, found: &mut Vec<Found>) {
    let (base, head) = (project(input.base.loaded), project(input.head.loaded));
    // Where there is no project file, nothing of it stands anywhere.
    let is_there = input.head.loaded.project.is_some();
    let mark = found.len();
    limits(&base.limits, &head.limits, found);
    guards(&base.guards, &head.guards, renames, found);
    settings(&base, &head, found);
    if !is_there {
        found.iter_mut().skip(mark).for_each(|one| one.at = None);
    }
}

/// A field of the project file.
fn at(path: &str) -> Where {
    // INVARIANT: a load numbers the project file first.
    let path = path.split('.').map(Step::from).collect();
    Where::Field { origin: Origin(0), path, on: On::Value }
}

fn limits(base: &Limits, head: &Limits, found: &mut Vec<Found>) {
    let named = |limits: &Limits| {
        let Limits { removals, privileged_grants, customers_touched, irreversible } = *limits;
        [
            ("removals", removals),
            ("privilegedGrants", privileged_grants),
            ("customersTouched", customers_touched),
            ("irreversible", irreversible),
        ]
    };
    for ((name, before), (_, after)) in named(base).into_iter().zip(named(head)) {
        let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
        if before == after {
            continue;
        }
        // Nothing is no limit at all.
        let bound = |part: Option<u32>| part.map_or(u64::MAX, u64::from);
        let is_more = bound(after.count) > bound(before.count)
            || bound(after.percent) > bound(before.percent);
        let is_gone = after == Limit::default();
        let (effect, word) = match (is_gone, is_more) {
            (true, _) => (Effect::Weakens, "is dropped"),
            (false, true) => (Effect::Weakens, "is raised"),
            (false, false) => (Effect::Tightens, "is lowered"),
        };
        let (before, after) = (allowance(before), allowance(after));
        let message = format!("the limit `{name}` {word}: {before} before, {after} now");
        found.push(
            Found::new(effect, Subject::Limit, name, message)
                .before(before)
                .after(after)
                .at(Side::Head, at(&format!("spec.limits.{name}"))),
        );
    }
}

fn allowance(limit: Limit) -> String {
    match (limit.count, limit.percent) {
        (None, None) => "no limit".to_owned(),
        (Some(count), None) => format!("{count}"),
        (None, Some(percent)) => format!("{percent} %"),
        (Some(count), Some(percent)) => format!("{count}, or {percent} %"),
    }
}

fn guards(base: &Guards, head: &Guards, renames: &Renames, found: &mut Vec<Found>) {
    for (name, before, after) in [
        ("globalAdmins", base.global_admins_min, head.global_admins_min),
        ("adminAgents", base.admin_agents_min, head.admin_agents_min),
    ] {
        if before == after {
            continue;
        }
        let (effect, word) = if after < before {
            (Effect::Weakens, "lowered")
        } else {
            (Effect::Tightens, "raised")
        };
        let message = format!("the guard `{name}` is {word}: {before} before, {after} now");
        found.push(
            Found::new(effect, Subject::Guard, name, message)
                .before(before.to_string())
                .after(after.to_string())
                .at(Side::Head, at(&format!("spec.guards.{name}.min"))),
        );
    }
    let required: Vec<&str> =
        base.required.iter().map(|key| renames.name(Kind::User, key.as_str())).collect();
    let still: Vec<&str> = head.required.iter().map(UserKey::as_str).collect();
    let place = || at("spec.guards.required");
    for gone in required.iter().filter(|name| !still.contains(name)) {
        let message = format!("`{gone}` is not required any more: who is may not lose access");
        found.push(
            Found::new(Effect::Weakens, Subject::Guard, "required", message)
                .before(*gone)
                .at(Side::Head, place()),
        );
    }
    for come in still.iter().filter(|name| !required.contains(name)) {
        let message = format!("`{come}` is required from now on");
        found.push(
            Found::new(Effect::Tightens, Subject::Guard, "required", message)
                .after(*come)
                .at(Side::Head, place()),
        );
    }
}

/// Everything else, field by field: where manifests and policies are, where passwords go, which
/// tenants are meant, by whom and through which addresses.
fn settings(base: &Project, head: &Project, found: &mut Vec<Found>) {
    for field in difference(&told(base), &told(head)) {
        let said = |value: &Value| match value {
            Value::Null => "nothing".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let (before, after) = (said(&field.before), said(&field.after));
        let path = field.path.strip_prefix("spec.").unwrap_or(&field.path);
        let message = format!("`{path}` of the project is {after}, and was {before}");
        found.push(
            Found::new(Effect::MayWeaken, Subject::Project, path, message)
                .before(before)
                .after(after)
                .at(Side::Head, at(&field.path)),
        );
    }
}

fn told(project: &Project) -> Value {
    let Project { manifests, policies, limits: _, guards: _, handover, contexts } = project;
    let texts = |all: &[crate::model::text::Title]| -> Value {
        all.iter().map(crate::model::text::Title::as_str).collect()
    };
    let mut spec = Map::new();
    if let Some(manifests) = manifests {
        spec.insert("manifests".to_owned(), texts(manifests));
    }
    if !policies.is_empty() {
        spec.insert("policies".to_owned(), texts(policies));
    }
    if let Some(Handover { age, directory }) = handover {
        let age: Value = age.iter().map(crate::model::project::AgeRecipient::as_str).collect();
        let directory = directory.as_ref().map(crate::model::text::Title::as_str);
        spec.insert("handover".to_owned(), present(json!({"age": age, "directory": directory})));
    }
    let contexts: BTreeMap<&str, Value> =
        contexts.iter().map(|(name, context)| (name.as_str(), of_context(context))).collect();
    if !contexts.is_empty() {
        spec.insert("contexts".to_owned(), json!(contexts));
    }
    json!({"spec": spec})
}

fn of_context(context: &Context) -> Value {
    let Context { tenant, read, write, ledger, actor, endpoints, settle } = context;
    let Endpoints { login, graph, partner_center, admin } = endpoints;
    let tenant = match tenant {
        TenantSource::Embedded => "embedded".to_owned(),
        TenantSource::Domain(domain) => domain.as_str().to_owned(),
        TenantSource::Id(id) => id.to_string(),
    };
    let ledger = ledger.as_ref().map(|ledger| match ledger {
        LedgerSource::Sqlite(file) => json!({"sqlite": file.as_str()}),
        LedgerSource::Postgres(reference) => json!({"postgres": secret(reference)}),
    });
    let url =
        |url: &Option<crate::model::contact::Url>| url.as_ref().map(|url| url.as_str().to_owned());
    present(json!({
        "tenant": tenant,
        "auth": present(json!({
            "read": read.as_ref().map(of_identity),
            "write": write.as_ref().map(of_identity),
        })),
        "ledger": ledger,
        "actor": actor.as_ref().map(ToString::to_string),
        "endpoints": present(json!({
            "login": url(login),
            "graph": url(graph),
            "partnerCenter": url(partner_center),
            "admin": url(admin),
        })),
        "settle": settle.map(|settle| format!("{}s", settle.seconds)),
    }))
}

fn of_identity(identity: &Identity) -> Value {
    let Identity { client_id, client_secret, certificate, refresh_token, federated } = identity;
    present(json!({
        "clientId": client_id.to_string(),
        "clientSecret": client_secret.as_ref().map(secret),
        "certificate": certificate.as_ref().map(secret),
        "refreshToken": refresh_token.as_ref().map(secret),
        "federated": federated.map(crate::model::project::Federation::word),
    }))
}

/// Where a secret is kept: never the secret.
fn secret(reference: &SecretReference) -> String {
    match reference {
        SecretReference::Env(name) => format!("env {name}"),
        SecretReference::File(path) => format!("file {path}"),
        SecretReference::Keyring(entry) => format!("keyring {entry}"),
    }
}

/// Without what is not there.
fn present(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let is_there = |(_, value): &(String, Value)| {
                !value.is_null() && value.as_object().is_none_or(|inner| !inner.is_empty())
            };
            Value::Object(members.into_iter().filter(is_there).collect())
        }
        other => other,
    }
}

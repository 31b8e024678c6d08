use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::output::Output;
use super::plan::object;
use super::planning::{Asked, PlanningArgs, Ready};
use super::tenant::block_on;
use super::{CommandError, Outcome};
use crate::manifest::edit::{Edit, edited};
use crate::manifest::source::SourceId;
use crate::model::estate::Origin;
use crate::model::name::Kind;
use crate::model::record::ObjectKey;
use crate::plan::{Cause, Step, applied};
use crate::report::drift::{self, Drift};

/// Show what others changed in the tenant since the last apply
///
/// Reads only. What was never applied by partnerctl cannot have drifted: `plan` shows it as adopted.
#[derive(clap::Args, Debug)]
pub(crate) struct DriftArgs {
    #[command(flatten)]
    planning: PlanningArgs,
    /// Exit with 9 if anything drifted or is gone
    #[arg(long)]
    exit_code: bool,
    /// Write what others changed into the manifests, in place; comments stay
    #[arg(long)]
    adopt: bool,
    /// Only this: user/NAME, role/NAME, customer/NAME; repeatable
    #[arg(long, value_name = "KIND/NAME", value_parser = object)]
    target: Vec<ObjectKey>,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    format: drift::Format,
}

pub(crate) fn run(out: &Output, args: &DriftArgs) -> Result<Outcome, CommandError> {
    block_on(async {
        let ready = match args.planning.prepare(out).await? {
            Ok(ready) => ready,
            Err(outcome) => return Ok(outcome),
        };
        let asked = Asked { targets: args.target.iter().cloned().collect(), ..Asked::default() };
        ready.must_know(&asked)?;
        let plan = ready.file(ready.plan(&asked))?;
        let found = Drift::of(&plan);
        let style = out.style();
        out.result(|to| drift::write(&found, args.format, style, to))?;
        if args.adopt && !found.is_none() {
            let before = adopt(&ready, &plan.steps, out)?;
            let after = match args.planning.prepare(out).await? {
                Ok(ready) => ready.file(ready.plan(&asked))?,
                Err(outcome) => {
                    // What the tenant has, the manifests may not say.
                    put_back(&ready.folder, &before)?;
                    out.say("the manifests would be wrong with it: they are as they were");
                    return Ok(outcome);
                }
            };
            for field in &Drift::of(&after).fields {
                out.say(&format!("not written, do it by hand: {} of {}", field.path, field.object));
            }
            for gone in &found.gone {
                out.say(&format!(
                    "not written, take its document away or revive it: {}",
                    gone.object
                ));
            }
        }
        Ok(if args.exit_code && !found.is_none() { Outcome::Drifted } else { Outcome::Done })
    })
}

/// Writes what the tenant has into the manifests; returns the files as they were.
fn adopt(
    ready: &Ready,
    steps: &[Step],
    out: &Output,
) -> Result<BTreeMap<String, Vec<u8>>, CommandError> {
    let mut edits: BTreeMap<SourceId, BTreeSet<Edit>> = BTreeMap::new();
    for ((key, path), value) in wanted(ready, steps) {
        let edit = origin(ready, &key)
            .and_then(|origin| ready.policies.loaded.edit(origin, &path, &value));
        if let Some(edit) = edit {
            edits.entry(edit.source).or_default().insert(edit);
        }
    }
    let sources = &ready.policies.loaded.findings.sources;
    let mut before = BTreeMap::new();
    for (id, edits) in edits {
        let Some(source) = sources.get(id).filter(|source| source.name != "-") else { continue };
        let edits: Vec<Edit> = edits.into_iter().collect();
        let path = ready.folder.join(&source.name);
        std::fs::write(&path, edited(&source.bytes, &edits))
            .map_err(|error| CommandError::failed(format!("writing {}", path.display()), error))?;
        out.say(&format!("wrote {} into {}", edits.len(), source.name));
        before.insert(source.name.clone(), source.bytes.clone());
    }
    Ok(before)
}

fn put_back(folder: &Path, before: &BTreeMap<String, Vec<u8>>) -> Result<(), CommandError> {
    for (name, bytes) in before {
        let path = folder.join(name);
        std::fs::write(&path, bytes)
            .map_err(|error| CommandError::failed(format!("writing {}", path.display()), error))?;
    }
    Ok(())
}

/// The value that each drifted field has in the tenant: of a set, the whole set.
fn wanted(ready: &Ready, steps: &[Step]) -> BTreeMap<(ObjectKey, String), Value> {
    let estate = &ready.policies.loaded.estate;
    let mut wanted: BTreeMap<(ObjectKey, String), Value> = BTreeMap::new();
    for step in steps {
        for field in &step.fields {
            if !matches!(field.cause, Cause::Drift | Cause::Both) {
                continue;
            }
            let key = (step.object.clone(), field.path.clone());
            let declared = applied(estate, &step.object, None)
                .and_then(|applied| applied.fields.get(&field.path).cloned());
            let Some(Value::Array(declared)) = declared else {
                wanted.insert(key, field.before.clone());
                continue;
            };
            let all = wanted.entry(key).or_insert(Value::Array(declared));
            if let Value::Array(elements) = all {
                elements.retain(|element| *element != field.after);
                if !field.before.is_null() {
                    elements.push(field.before.clone());
                }
            }
        }
    }
    for ((_, path), value) in &mut wanted {
        let Value::Array(elements) = &value else { continue };
        // One level, or none, is written as a word.
        let levels = path == "spec.agent" || path == "spec.admin";
        match elements.as_slice() {
            [] if levels => *value = "none".into(),
            [only] if levels => *value = only.clone(),
            _ => {}
        }
    }
    wanted
}

fn origin(ready: &Ready, key: &ObjectKey) -> Option<Origin> {
    let estate = &ready.policies.loaded.estate;
    let name = key.name.as_str();
    match key.kind {
        Kind::Account => estate.account.as_ref().map(|one| one.origin),
        Kind::User => estate.users.get(name).map(|one| one.origin),
        Kind::Role => estate.roles.get(name).map(|one| one.origin),
        Kind::Customer => estate.customers.get(name).map(|one| one.origin),
        Kind::Partnership => estate.partnerships.get(name).map(|one| one.origin),
        _ => None,
    }
}

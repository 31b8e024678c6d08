//! Waivers: findings that somebody answers for, taken out; and waivers that waive nothing.

use std::collections::HashMap;

use super::references::{find, resolve};
use super::{World, at_field, object};
use crate::manifest::code::Code;
use crate::manifest::draft::{Draft, way};
use crate::model::name::{Kind, Reference};

/// Takes out what is waived, and says how many findings that were.
pub(crate) fn apply(world: &World<'_>, drafts: &mut Vec<Draft>) -> usize {
    let mut own = Vec::new();
    // Which drafts a waiver is about, looked up once for all of them.
    let mut about: HashMap<(Code, &str), Vec<usize>> = HashMap::new();
    for (at, draft) in drafts.iter().enumerate() {
        if let Some(object) = draft.object.as_deref().filter(|_| draft.code.waivable()) {
            about.entry((draft.code, object)).or_default().push(at);
        }
    }
    let mut silenced = vec![false; drafts.len()];
    for (key, waiver) in &world.estate.waivers {
        let subject = object(Kind::Waiver, key);
        let spec = &waiver.spec;
        let at = |field: &str| at_field(waiver, way!["spec", field]);
        find(
            world,
            Kind::User,
            &world.estate.users,
            spec.owner.as_str(),
            || at("owner"),
            || subject.clone(),
            &mut own,
        );
        let unresolved = own.len();
        resolve(world, &spec.on, || at("on"), || subject.clone(), &mut own);
        if own.len() > unresolved {
            continue;
        }
        let Ok(code) = spec.finding.as_str().parse::<Code>() else {
            let message = format!("no finding has the code `{}`", spec.finding.as_str());
            own.push(
                Draft::new(Code::P1702, at("finding"), message)
                    .help("write it as the finding shows it")
                    .object(subject),
            );
            continue;
        };
        if !code.waivable() {
            let message = format!("`{code}` cannot be waived: {}", code.title());
            let help = "mend the finding itself: a waiver is for what an owner can answer for";
            own.push(Draft::new(Code::P1702, at("finding"), message).help(help).object(subject));
            continue;
        }
        let on = spec.on.to_string();
        let matching = about.get(&(code, on.as_str())).map_or(&[][..], Vec::as_slice);
        if spec.until < world.today {
            let message = format!("this waiver ended on {}", spec.until);
            let help = if matching.is_empty() {
                "remove it: there is nothing left to waive"
            } else {
                "its finding is back: mend it, or decide again and move the day"
            };
            own.push(Draft::new(Code::P1703, at("until"), message).help(help).object(subject));
            continue;
        }
        for at in matching {
            if let Some(silenced) = silenced.get_mut(*at) {
                *silenced = true;
            }
        }
        if matching.is_empty() && judged(world, &spec.on) {
            let message = format!("there is no finding `{code}` about `{on}`");
            let help = "remove the waiver, or correct `finding` or `on`";
            own.push(Draft::new(Code::P1701, at("finding"), message).help(help).object(subject));
        }
    }
    let waived = silenced.iter().filter(|silenced| **silenced).count();
    let mut silenced = silenced.into_iter();
    drafts.retain(|_| !silenced.next().unwrap_or_default());
    drafts.append(&mut own);
    waived
}

/// Whether all that could be found about a document would have been: it is here, and was read.
fn judged(world: &World<'_>, on: &Reference) -> bool {
    let Reference::Document(kind, name) = on else { return true };
    world.complete
        && !world.is_broken(*kind, name.as_str())
        && !world.faulty.contains(&on.to_string())
}

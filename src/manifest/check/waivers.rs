//! Waivers: findings that somebody answers for, taken out; and waivers that waive nothing.

use std::collections::HashMap;

use super::references::find;
use super::{World, at_field, object};
use crate::manifest::code::Code;
use crate::manifest::draft::{Draft, way};
use crate::model::name::{Kind, Reference};

/// Takes out what is waived, and says how many findings that were.
pub(crate) fn apply(world: &World<'_>, drafts: &mut Vec<Draft>) -> usize {
    let before = drafts.len();
    let mut own = Vec::new();
    let mut waived: HashMap<(Code, String), bool> = drafts
        .iter()
        .filter(|_| !world.estate.waivers.is_empty())
        .filter_map(|draft| Some(((draft.code, draft.object.clone()?), false)))
        .collect();
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
            let help = "mend it: the service would refuse it, or nobody could answer for it";
            own.push(Draft::new(Code::P1702, at("finding"), message).help(help).object(subject));
            continue;
        }
        if let Reference::Document(kind, name) = &spec.on
            && world.is_broken(*kind, name.as_str())
        {
            // What would be found about it is not known.
            continue;
        }
        let on = spec.on.to_string();
        let found = waived.get_mut(&(code, on.clone()));
        if spec.until < world.today {
            let message = format!("this waiver ended on {}", spec.until);
            let help = if found.is_some() {
                "its finding is back: mend it, or decide again and move the day"
            } else {
                "remove it: there is nothing left to waive"
            };
            own.push(Draft::new(Code::P1703, at("until"), message).help(help).object(subject));
            continue;
        }
        // A second waiver of the same finding has nothing left to waive.
        if found.is_none_or(|waived| std::mem::replace(waived, true)) {
            let message = format!("there is no finding `{code}` about {on}");
            let help = "remove the waiver, or correct `finding` or `on`";
            own.push(Draft::new(Code::P1701, at("finding"), message).help(help).object(subject));
        }
    }
    drafts.retain(|draft| {
        let object = draft.object.as_ref();
        object.is_none_or(|on| waived.get(&(draft.code, on.clone())) != Some(&true))
    });
    let waived = before - drafts.len();
    drafts.append(&mut own);
    waived
}

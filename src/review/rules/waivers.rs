//! Waivers that come, go, or hold for longer; and those that end soon.

use std::collections::BTreeMap;

use super::{Effect, Found, Subject};
use crate::model::estate::Declared;
use crate::model::name::{Kind, Name};
use crate::model::time::Day;
use crate::model::waiver::Waiver;
use crate::review::Input;
use crate::review::place::{Side, field};
use crate::review::renamed::Renames;

/// A waiver that ends within so many days is said: who reviews may have to decide anew.
const SOON_DAYS: i32 = 30;

pub(super) fn compare(input: &Input<'_>, renames: &Renames, found: &mut Vec<Found>) {
    let (base, head) = (&input.base.loaded.estate.waivers, &input.head.loaded.estate.waivers);
    let excused = |waiver: &Declared<Waiver>| {
        (waiver.spec.finding.as_str().to_owned(), renames.object(&waiver.spec.on.to_string()))
    };
    // A waiver is what it waives: under another name it is the same one.
    let mut before: BTreeMap<(String, String), (&Name, &Declared<Waiver>)> =
        base.iter().map(|(name, waiver)| (excused(waiver), (name, waiver))).collect();
    for (name, waiver) in head {
        let subject = about(waiver);
        let at = field(waiver.origin, "spec.until");
        match before.remove(&excused(waiver)) {
            None => {
                let message = format!("{subject} is waived until {}", waiver.spec.until);
                let new = Found::new(Effect::Weakens, Subject::Waiver, name.as_str(), message)
                    .reason(Some(waiver.spec.reason.as_str()))
                    .after(waiver.spec.until.to_string());
                found.push(new.at(Side::Head, field(waiver.origin, "spec.finding")));
            }
            Some((_, old)) if old.spec.until != waiver.spec.until => {
                let (old, new) = (old.spec.until, waiver.spec.until);
                let (effect, word) = if new > old {
                    (Effect::Weakens, "extended")
                } else {
                    (Effect::Tightens, "shortened")
                };
                let message =
                    format!("the waiver of {subject} is {word}: until {old} before, {new} now");
                let changed = Found::new(effect, Subject::Waiver, name.as_str(), message)
                    .reason(Some(waiver.spec.reason.as_str()))
                    .before(old.to_string())
                    .after(new.to_string());
                found.push(changed.at(Side::Head, at));
            }
            Some((_, old))
                if renames.name(Kind::User, old.spec.owner.as_str())
                    != waiver.spec.owner.as_str() =>
            {
                let (was, is) = (&old.spec.owner, &waiver.spec.owner);
                let message =
                    format!("`{is}` answers for the waiver of {subject}, and `{was}` did");
                let changed = Found::new(Effect::Neutral, Subject::Waiver, name.as_str(), message);
                found.push(changed.at(Side::Head, field(waiver.origin, "spec.owner")));
            }
            Some(_) => found.extend(ending(name, waiver, input.today)),
        }
    }
    for (name, waiver) in before.into_values() {
        let message = format!("{} is not waived any more", about(waiver));
        let gone = Found::new(Effect::Tightens, Subject::Waiver, name.as_str(), message);
        found.push(gone.at(Side::Base, field(waiver.origin, "spec.finding")));
    }
}

fn about(waiver: &Declared<Waiver>) -> String {
    format!("{} about `{}`", waiver.spec.finding.as_str(), waiver.spec.on)
}

/// A waiver that is as it was, and has not long to go.
fn ending(name: &Name, waiver: &Declared<Waiver>, today: Day) -> Option<Found> {
    let until = waiver.spec.until;
    let days = days_between(today, until);
    if days > SOON_DAYS {
        return None;
    }
    let when = if days < 0 { "ended" } else { "ends" };
    let message = format!("the waiver of {} {when} on {until}", about(waiver));
    let soon = Found::new(Effect::Neutral, Subject::Waiver, name.as_str(), message);
    Some(soon.at(Side::Head, field(waiver.origin, "spec.until")))
}

fn days_between(from: Day, to: Day) -> i32 {
    from.0.until(to.0).map_or(i32::MAX, |span| span.get_days())
}

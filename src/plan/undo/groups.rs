//! Groups that a run made, described or deleted.

use serde_json::Value;

use super::{Back, shown};
use crate::plan::change::{Change, Target};
use crate::plan::compare::Same;
use crate::plan::effect::Effect;
use crate::plan::gather::seen;
use crate::plan::record::is_ours;
use crate::plan::removed;
use crate::plan::roles::{DESCRIPTION, NAME};
use crate::plan::step::{Cause, Guard, State, Verb};

impl Back<'_, '_> {
    pub(super) fn created_group(mut self) {
        let Some(id) = self.own() else { return };
        let Some(group) = self.gather.input.snapshot.groups.get(&id) else { return };
        if self.is_protected() {
            return self.say(State::Held, "the role is protected, so its group is not deleted");
        }
        let is_ours = self.subject.memory.recorded().is_none_or(|known| is_ours(&known.managed));
        if !is_ours || removed::is_in_use(self.gather, id, group) {
            let message = format!(
                "the group {} is not deleted: others are in it, or it is used elsewhere",
                group.name
            );
            return self.say(State::Stale, message);
        }
        removed::delete_group(self.gather, &self.subject, id, Cause::Undo);
    }

    pub(super) fn updated_group(mut self, group: &Target) {
        let Some(id) = self.id(group) else { return };
        let Some(now) = self.gather.input.snapshot.groups.get(&id) else {
            return self.say(State::Stale, "the group is no longer there");
        };
        let mut changes = Vec::new();
        let (mut name, mut description) = (None, None);
        for change in &self.deed.step.fields {
            let text = change.before.as_str().unwrap_or_default().to_owned();
            let live = match change.path.as_str() {
                NAME => now.name.as_str().into(),
                DESCRIPTION => now.description.as_deref().map_or(Value::Null, Value::from),
                _ => continue,
            };
            let Some(back) = self.back(change, &live, Same::Text) else { continue };
            // An empty description takes it away.
            *(if change.path == NAME { &mut name } else { &mut description }) = Some(text);
            changes.push(back);
        }
        if changes.is_empty() {
            return;
        }
        let guard =
            Guard { remote_id: Some(id.to_string()), seen: seen(&changes), ..Guard::default() };
        let summary = format!("describe the group of {} as before", self.subject.key);
        let sent = Change::UpdateGroup { group: Target::Id(id), name, description };
        let mut step = self.subject.step("update", Verb::Update, summary, changes, sent);
        step.guard = guard;
        self.gather.push(step, Effect::Nothing);
    }

    pub(super) fn deleted_group(mut self) {
        let name = self.deed.step.fields.first().map(|field| shown(&field.before));
        let message = format!(
            "the group {} was deleted, and a group does not come back: declared again, it is made anew, with another id and nobody in it",
            name.unwrap_or_default()
        );
        self.say(State::Final, message);
    }
}

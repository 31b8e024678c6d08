//! What a run gave is taken, and what it took is given again.

use serde_json::Value;

use super::{Back, found, shown};
use crate::model::tenant::ObjectId;
use crate::plan::change::{Change, Target};
use crate::plan::draft::whole;
use crate::plan::effect::Effect;
use crate::plan::holdings::{self, Held, Standing};
use crate::plan::roles::MEMBERS;
use crate::plan::step::{Cause, State, Verb};

impl Back<'_, '_> {
    /// What the run gave is taken.
    pub(super) fn given(mut self) {
        let Some((id, held)) = self.held() else { return self.not_read() };
        if !self.gather.input.snapshot.users.contains_key(&id) {
            // Who is gone holds nothing.
            return;
        }
        match holdings::standing(self.gather, id, &held) {
            Standing::Held(now) if now.path == MEMBERS => self.member(id, &now, false),
            Standing::Held(now) => {
                let target = Target::Id(id);
                holdings::revoke(self.gather, &self.subject, &target, &now, Some(Cause::Undo));
            }
            Standing::NotHeld if self.subject.memory.is_settling() => {
                let message =
                    format!("{} was given a moment ago and is not seen yet", held.title());
                self.say(State::Settling, message);
            }
            Standing::NotHeld | Standing::NoGroup => {}
            Standing::Eligible => self.eligible(&held),
            Standing::NotOurs | Standing::CannotBeSeen => self.unseen(&held),
        }
    }

    /// What the run took is given again.
    pub(super) fn taken(mut self) {
        let Some((id, held)) = self.held() else { return self.not_read() };
        let restore = self.gather.drafts.steps.iter().find(
            |step| matches!(&step.change, Change::RestoreUser { user } if *user == Target::Id(id)),
        );
        let restore = restore.map(|step| step.id.clone());
        if restore.is_none() && !self.gather.input.snapshot.users.contains_key(&id) {
            let message =
                format!("{} is not given again: the account is no longer there", held.title());
            return self.say(State::Stale, message);
        }
        match holdings::standing(self.gather, id, &held) {
            Standing::NotHeld if held.path == MEMBERS => self.member(id, &held, true),
            Standing::NotHeld => {
                holdings::give_back(self.gather, &self.subject, id, &held, restore);
            }
            Standing::Held(_) if self.subject.memory.is_settling() => {
                let message = format!("{} was taken a moment ago and is still seen", held.title());
                self.say(State::Settling, message);
            }
            Standing::Held(_) => {}
            Standing::Eligible => self.eligible(&held),
            Standing::NoGroup => {
                let message =
                    format!("{} is not given again: its group is no longer there", held.title());
                self.say(State::Final, message);
            }
            Standing::NotOurs | Standing::CannotBeSeen => self.unseen(&held),
        }
    }

    fn held(&self) -> Option<(ObjectId, Held)> {
        let made = self.made;
        holdings::of_step(self.gather, &self.deed.step, &|target| found(made, target))
    }

    /// Whoever was taken out of an exclusive group, and whoever was put back into it.
    fn member(&mut self, id: ObjectId, held: &Held, comes_back: bool) {
        let (Change::RemoveMember { group, .. } | Change::AddMember { group, .. }) =
            &self.deed.step.change
        else {
            return;
        };
        let Some(group) = self.id(group) else { return };
        let groups = &self.gather.input.snapshot.groups;
        let title = groups.get(&group).map(|group| group.name.clone()).unwrap_or_default();
        let name = shown(&held.value);
        let (member, group) = (Target::Id(id), Target::Id(group));
        let (role, value) = (held.role.clone(), held.value.clone());
        let (what, verb, summary, field, sent) = if comes_back {
            (
                format!("grant/{role}/{id}"),
                Verb::Grant,
                format!("put {name} back into the group {title}"),
                whole(MEMBERS, Value::Null, value, Cause::Undo),
                Change::AddMember { group, member: member.clone() },
            )
        } else {
            (
                format!("revoke/{role}/{id}"),
                Verb::Revoke,
                format!("take {name} out of the group {title} again"),
                whole(MEMBERS, value, Value::Null, Cause::Undo),
                Change::RemoveMember { group, member: member.clone() },
            )
        };
        let mut step = self.subject.step(&what, verb, summary, vec![field], sent);
        let element = format!("{MEMBERS}:{}", self.subject.key.name);
        step.guard = self.gather.guard_on(&member, &element, !comes_back);
        step.cost.removals = u32::from(!comes_back);
        let effect = if comes_back {
            Effect::Gives { user: member, role }
        } else {
            Effect::Takes { user: member, role }
        };
        self.gather.push(step, effect);
    }

    fn eligible(&mut self, held: &Held) {
        let message = format!(
            "{} can be activated by now: whether it is held always is for people to settle",
            held.title()
        );
        self.say(State::Stale, message);
    }

    fn unseen(&mut self, held: &Held) {
        let message = format!(
            "{} is left as it is: who holds it cannot be seen, or is not ours to set",
            held.title()
        );
        self.say(State::Unrecognised, message);
    }

    fn not_read(&mut self) {
        let message =
            format!("the journal does not say enough of `{}` to take it back", self.deed.step.id);
        self.say(State::Final, message);
    }
}

//! Profiles of the account and of customers: set as before, member by member.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Back, names};
use crate::model::id::TenantId;
use crate::model::tenant::{Profile, ProfileKind};
use crate::plan::change::Change;
use crate::plan::compare::Same;
use crate::plan::effect::Effect;
use crate::plan::gather::seen;
use crate::plan::guard;
use crate::plan::step::{FieldChange, Guard, State, Verb};

impl Back<'_, '_> {
    pub(super) fn profile(mut self, kind: ProfileKind, members: &BTreeMap<String, Value>) {
        let Some(profile) = self.gather.input.snapshot.profiles.get(&kind) else {
            return self.say(State::Unrecognised, "its profile cannot be seen");
        };
        let (changes, sent) = self.members(profile, members);
        if changes.is_empty() {
            return;
        }
        let mut summary = format!("set {} of {} as before", names(&changes), self.subject.key);
        if kind == ProfileKind::Legal {
            summary.push_str(", which Microsoft then vets again");
        }
        let guard = Guard { seen: seen(&changes), ..Guard::default() };
        let change = Change::PutProfile { profile: kind, members: sent };
        let what = self.what();
        let mut step = self.subject.step(&what, Verb::Update, summary, changes, change);
        step.guard = guard;
        self.gather.push(step, Effect::Nothing);
    }

    pub(super) fn billing(mut self, id: TenantId, members: &BTreeMap<String, Value>) {
        let snapshot = self.gather.input.snapshot;
        let found = snapshot.customers.get(&id).and_then(|found| found.details.billing.as_ref());
        let Some(profile) = found else {
            return self.say(State::Unrecognised, "its billing profile cannot be seen");
        };
        let (changes, sent) = self.members(profile, members);
        if changes.is_empty() {
            return;
        }
        let guard =
            Guard { remote_id: Some(id.to_string()), seen: seen(&changes), ..Guard::default() };
        let summary = format!("set the billing address of {} as before", self.subject.key);
        let change = Change::PutCustomerBilling { customer: id, members: sent };
        let what = self.what();
        let mut step = self.subject.step(&what, Verb::Update, summary, changes, change);
        step.guard = guard;
        step.cost.customer = Some(id.to_string());
        self.gather.push(step, Effect::Nothing);
    }

    /// The same part of an object has the same id, whichever way it goes.
    fn what(&self) -> String {
        let step = &self.deed.step;
        let prefix = format!("{}/", step.object);
        step.id.strip_prefix(&prefix).unwrap_or("update").to_owned()
    }

    /// Members of a profile as they were before, and as the service calls them.
    fn members(
        &mut self,
        profile: &Profile,
        members: &BTreeMap<String, Value>,
    ) -> (Vec<FieldChange>, BTreeMap<String, Value>) {
        let (mut changes, mut sent) = (Vec::new(), BTreeMap::new());
        for change in &self.deed.step.fields {
            let Some(wire) = guard::wire_of(&change.path) else { continue };
            let Some(wire) = members.keys().find(|member| guard::is_called(member, &wire)) else {
                continue;
            };
            let live = profile.at(wire).cloned().unwrap_or(Value::Null);
            let is_phone = wire.to_lowercase().ends_with("phone")
                || wire.to_lowercase().ends_with("phonenumber");
            let same = if is_phone { Same::Phone } else { Same::Text };
            if let Some(back) = self.back(change, &live, same) {
                sent.insert(wire.clone(), back.after.clone());
                changes.push(back);
            }
        }
        (changes, sent)
    }
}

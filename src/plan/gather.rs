//! The way through an estate: what all kinds have in common.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::bind::{Bindings, groups_named, object_id};
use super::change::Target;
use super::delegated::Ending;
use super::draft::{Drafts, maker};
use super::effect::Effect;
use super::input::Input;
use super::record::Remains;
use super::step::{FieldChange, Guard, Step, Verb};
use crate::model::name::{Kind, RoleKey, UserKey};
use crate::model::record::ObjectKey;
use crate::model::tenant::{Group, Index, ObjectId, agent_level};
use crate::model::user::AgentLevel;

/// Everything that is known while planning, and what came of it so far.
pub(super) struct Gather<'a> {
    pub(super) input: &'a Input<'a>,
    pub(super) index: Index<'a>,
    pub(super) bound: Bindings,
    pub(super) drafts: Drafts,
    /// What each step does, in the order of `drafts.steps`.
    pub(super) effects: Vec<Effect>,
    pub(super) agent_groups: BTreeMap<AgentLevel, (ObjectId, &'a Group)>,
    user_keys: HashMap<ObjectId, UserKey>,
    /// Accounts that are remembered and that no document means any more.
    removed: HashSet<ObjectId>,
    /// What steps make.
    pub(super) made: HashSet<ObjectKey>,
    /// Groups of roles whose documents are gone, by the role's name.
    pub(super) former_groups: BTreeMap<RoleKey, ObjectId>,
    pub(super) remains: Remains,
    pub(super) endings: Vec<Ending>,
}

impl<'a> Gather<'a> {
    pub(super) fn new(input: &'a Input<'a>) -> Self {
        let index = Index::new(input.snapshot);
        let mut drafts = Drafts::default();
        let bound = super::bind::bind(input, &index, &mut drafts);
        let mut agent_groups = BTreeMap::new();
        for name in crate::model::role::AGENT_GROUPS {
            let Some(level) = agent_level(name) else { continue };
            if let [(id, group)] = groups_named(input.snapshot, name).as_slice() {
                agent_groups.insert(level, (*id, *group));
            }
        }
        let user_keys: HashMap<ObjectId, UserKey> = bound
            .users
            .iter()
            .filter_map(|(key, binding)| Some((binding.live()?, key.clone())))
            .collect();
        let removed = input
            .record
            .of_kind(Kind::User)
            .filter_map(|(_, known)| known.managed.remote_id.as_deref().and_then(object_id))
            .filter(|id| !user_keys.contains_key(id))
            .collect();
        Self {
            user_keys,
            removed,
            input,
            index,
            bound,
            drafts,
            effects: Vec::new(),
            made: HashSet::new(),
            agent_groups,
            former_groups: BTreeMap::new(),
            remains: Remains::default(),
            endings: Vec::new(),
        }
    }

    /// The document that means this account.
    pub(super) fn user_of(&self, id: ObjectId) -> Option<UserKey> {
        self.user_keys.get(&id).cloned()
    }

    /// Whether the document of this account is gone, and with it what we gave.
    pub(super) fn is_removed(&self, id: ObjectId) -> bool {
        self.input.is_complete && self.removed.contains(&id)
    }

    /// Adds a step. It comes after the steps that make what it is about.
    pub(super) fn push(&mut self, mut step: Step, effect: Effect) {
        let targets = step.change.targets();
        let makers = targets.into_iter().filter_map(maker).filter(|id| *id != step.id);
        step.depends_on.extend(makers);
        step.depends_on.sort();
        step.depends_on.dedup();
        if step.verb == Verb::Create {
            self.made.insert(step.object.clone());
        }
        self.drafts.steps.push(step);
        self.effects.push(effect);
    }

    /// What must still be so of a user whose fields are written.
    pub(super) fn guard_of(&self, id: ObjectId, changes: &[FieldChange]) -> Guard {
        let user = self.input.snapshot.users.get(&id);
        Guard {
            remote_id: Some(id.to_string()),
            enabled: user.and_then(|user| user.enabled),
            seen: seen(changes),
            absent: None,
        }
    }

    /// What must still be so when a user is given something, or loses it.
    pub(super) fn guard_on(&self, user: &Target, element: &str, holds: bool) -> Guard {
        let seen = BTreeMap::from([(element.to_owned(), Value::Bool(holds))]);
        match user {
            Target::Id(id) => Guard { seen, ..self.guard_of(*id, &[]) },
            // Who is made in this plan holds nothing.
            Target::MadeFor(_) => Guard::default(),
        }
    }
}

/// The fields of a guard: as they were.
pub(super) fn seen(changes: &[FieldChange]) -> BTreeMap<String, Value> {
    changes.iter().map(|change| (change.path.clone(), change.before.clone())).collect()
}

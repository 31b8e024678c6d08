//! The vocabulary: entity types, actions and their groups, as `schemas/partnerctl.cedarschema`
//! has them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use cedar_policy::{ActionConstraint, Entity, EntityId, EntityTypeName, EntityUid, Policy, Schema};

use super::world::Type;
use crate::model::action::Action;
use crate::model::scalar::Scalar;

/// The schema's text.
pub const TEXT: &str = include_str!("../../schemas/partnerctl.cedarschema");

/// The schema, read once.
///
/// It is part of the program: that it can be read is a test.
#[expect(clippy::expect_used, reason = "the text is part of the program, and a test reads it")]
pub(crate) fn schema() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
        let (schema, _warnings) =
            Schema::from_cedarschema_str(TEXT).expect("the vocabulary is a schema");
        schema
    });
    &SCHEMA
}

/// All actions and their groups, as Cedar's entities.
#[expect(clippy::expect_used, reason = "the text is part of the program, and a test reads it")]
pub(crate) fn action_entities() -> &'static [Entity] {
    static ACTIONS: LazyLock<Vec<Entity>> = LazyLock::new(|| {
        let entities = schema().action_entities().expect("the vocabulary's actions are entities");
        entities.iter().cloned().collect()
    });
    &ACTIONS
}

/// Cedar's name of a type.
#[expect(clippy::expect_used, reason = "a word is an identifier")]
pub(crate) fn type_name(ty: Type) -> EntityTypeName {
    static NAMES: LazyLock<Vec<EntityTypeName>> = LazyLock::new(|| {
        Type::ALL.iter().map(|ty| ty.word().parse().expect("a word is an identifier")).collect()
    });
    NAMES.get(ty as usize).cloned().expect("every type is among all types")
}

/// Cedar's name of an action, or of a group of actions.
#[expect(clippy::expect_used, reason = "a word is an identifier")]
pub(crate) fn action_uid(word: &str) -> EntityUid {
    static NAME: LazyLock<EntityTypeName> =
        LazyLock::new(|| "Action".parse().expect("a word is an identifier"));
    EntityUid::from_type_name_and_id(NAME.clone(), EntityId::new(word))
}

impl Action {
    /// Cedar's name of it.
    pub(crate) fn cedar(self) -> EntityUid {
        action_uid(self.word())
    }
}

/// Which types of entities do an action, and to which it is done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Applies {
    pub principals: Vec<Type>,
    pub resources: Vec<Type>,
}

/// What an action applies to.
pub(crate) fn applies(action: Action) -> &'static Applies {
    static APPLIES: LazyLock<BTreeMap<Action, Applies>> = LazyLock::new(|| {
        let mut table: BTreeMap<Action, Applies> = BTreeMap::new();
        for environment in schema().request_envs() {
            let Ok(action) = Action::parse(environment.action().id().unescaped()) else { continue };
            let types = [environment.principal(), environment.resource()]
                .map(|name| Type::from_word(&name.to_string()));
            let [Some(principal), Some(resource)] = types else { continue };
            let entry = table.entry(action).or_default();
            entry.principals.push(principal);
            entry.resources.push(resource);
        }
        for Applies { principals, resources } in table.values_mut() {
            for types in [principals, resources] {
                types.sort_unstable();
                types.dedup();
            }
        }
        table
    });
    static NOTHING: Applies = Applies { principals: Vec::new(), resources: Vec::new() };
    APPLIES.get(&action).unwrap_or(&NOTHING)
}

/// Whether an action belongs to a group of actions.
pub(crate) fn is_in(action: &EntityUid, group: &EntityUid) -> bool {
    static GROUPS: LazyLock<BTreeMap<EntityUid, Vec<EntityUid>>> = LazyLock::new(|| {
        let Ok(entities) = schema().action_entities() else { return BTreeMap::new() };
        let groups = |uid: &EntityUid| {
            entities.ancestors(uid).map(|groups| groups.cloned().collect()).unwrap_or_default()
        };
        entities.iter().map(|entity| (entity.uid(), groups(&entity.uid()))).collect()
    });
    GROUPS.get(action).is_some_and(|groups| groups.contains(group))
}

/// Whether the scope of a policy admits an action.
pub(crate) fn admits(policy: &Policy, action: &EntityUid) -> bool {
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(uid) => uid == *action,
        ActionConstraint::In(uids) => uids.iter().any(|uid| uid == action || is_in(action, uid)),
    }
}

/// The groups that an action belongs to.
pub(crate) fn groups_of(action: Action) -> impl Iterator<Item = String> {
    let own = action.cedar();
    let groups = action_entities().iter().map(Entity::uid);
    groups.filter(move |group| is_in(&own, group)).map(|group| group.id().unescaped().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_applies_to_something_and_belongs_to_a_group() {
        for action in Action::ALL {
            let Applies { principals, resources } = applies(*action);
            assert!(principals.contains(&Type::User), "{action}");
            assert!(!resources.is_empty(), "{action}");
            assert_eq!(
                action.is_done_to_customers(),
                resources.contains(&Type::Customer),
                "{action}"
            );
            let groups = action_entities().iter().filter(|e| is_in(&action.cedar(), &e.uid()));
            assert_eq!(groups.count(), 1, "{action}");
        }
    }

    #[test]
    fn the_vocabulary_names_no_action_that_the_model_does_not() {
        let mut known: Vec<String> =
            Action::ALL.iter().map(|action| action.word().to_owned()).collect();
        known.extend(["hold-role", "receive-directory-role"].map(str::to_owned));
        known.sort();
        let mut named: Vec<String> =
            schema().actions().map(|action| action.id().unescaped().to_owned()).collect();
        named.retain(|name| !schema().actions().any(|other| is_in(other, &action_uid(name))));
        named.sort();
        assert_eq!(named, known);
    }
}

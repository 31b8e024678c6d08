//! The vocabulary: entity types, actions and their groups, as `schemas/partnerctl.cedarschema`
//! has them.

use std::sync::LazyLock;

use cedar_policy::{Entity, EntityId, EntityTypeName, EntityUid, Schema};

use super::world::Type;
use crate::model::action::Action;

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

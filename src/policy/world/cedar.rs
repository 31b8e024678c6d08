//! Cedar's view of a world.

use std::collections::{BTreeSet, HashMap, HashSet};

use cedar_policy::{Entities, Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression};

use super::{Shape, Type, Uid, Value, World};
use crate::policy::vocabulary;

impl Type {
    /// Cedar's name of it.
    pub(crate) fn cedar(self) -> EntityTypeName {
        vocabulary::type_name(self)
    }
}

impl Uid {
    /// Cedar's name of it.
    pub(crate) fn cedar(&self) -> EntityUid {
        EntityUid::from_type_name_and_id(self.ty.cedar(), EntityId::new(self.name.as_str()))
    }

    /// The entity that Cedar names so, if its type is one of ours.
    pub(crate) fn from_cedar(uid: &EntityUid) -> Option<Self> {
        let ty = Type::from_word(&uid.type_name().to_string())?;
        Some(Self::new(ty, uid.id().unescaped()))
    }
}

impl Value {
    fn cedar(&self) -> RestrictedExpression {
        match self {
            Self::Bool(value) => RestrictedExpression::new_bool(*value),
            Self::Long(value) => RestrictedExpression::new_long(*value),
            Self::Text(value) => RestrictedExpression::new_string(value.as_str().to_owned()),
            Self::One(uid) => RestrictedExpression::new_entity_uid(uid.cedar()),
            Self::Texts(texts) => RestrictedExpression::new_set(
                texts.iter().map(|text| RestrictedExpression::new_string(text.as_str().to_owned())),
            ),
            Self::Set(uids) => RestrictedExpression::new_set(
                uids.iter().map(|uid| RestrictedExpression::new_entity_uid(uid.cedar())),
            ),
        }
    }
}

/// Why Cedar refused what a world is made of: a bug of ours, as the vocabulary leaves no room.
#[derive(Debug)]
pub struct Refused(pub String);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "internal error: Cedar refused an entity: {}", self.0)
    }
}

impl std::error::Error for Refused {}

/// One entity, as Cedar has it.
pub(crate) fn entity(uid: &Uid, shape: &Shape) -> Result<Entity, Refused> {
    let attributes: HashMap<String, RestrictedExpression> =
        shape.attributes.iter().map(|(name, value)| ((*name).to_owned(), value.cedar())).collect();
    let parents: HashSet<EntityUid> = shape.parents.iter().map(Uid::cedar).collect();
    let tags = shape.tags.iter().map(|(key, value)| {
        (key.as_str().to_owned(), RestrictedExpression::new_string(value.as_str().to_owned()))
    });
    Entity::new_with_tags(uid.cedar(), attributes, parents, tags)
        .map_err(|error| Refused(error.to_string()))
}

impl World {
    /// All entities, and the actions with their groups.
    pub fn entities(&self) -> Result<Entities, Refused> {
        let all = Type::ALL.into_iter().flat_map(|ty| {
            self.of(ty).iter().map(move |(name, shape)| (Uid::new(ty, name.clone()), *shape))
        });
        self.entities_of(all.map(|(uid, _)| uid))
    }

    /// These entities alone, and the actions with their groups. Those that are not here are left
    /// out.
    pub fn entities_of(&self, uids: impl IntoIterator<Item = Uid>) -> Result<Entities, Refused> {
        let mut seen = BTreeSet::new();
        let mut entities: Vec<Entity> = vocabulary::action_entities().to_vec();
        for uid in uids {
            let Some(shape) = self.shape_of(&uid).and_then(|id| self.shape(id)) else { continue };
            entities.push(entity(&uid, shape)?);
            seen.insert(uid);
        }
        Entities::from_entities(entities, None).map_err(|error| Refused(error.to_string()))
    }

    /// These, whatever they refer to, all roles, whom policies name, and the actions with their
    /// groups: enough to ask those policies about these alone.
    pub(crate) fn entities_around(
        &self,
        uids: impl IntoIterator<Item = Uid>,
        named: &BTreeSet<Uid>,
    ) -> Result<Entities, Refused> {
        let mut all: BTreeSet<Uid> = BTreeSet::new();
        let few = Type::ALL.into_iter().filter(|ty| !matches!(ty, Type::User | Type::Customer));
        for ty in few {
            all.extend(self.of(ty).iter().map(|(name, _)| Uid::new(ty, name.clone())));
        }
        // What an entity of these types refers to is of the few types.
        all.extend(uids);
        all.extend(named.iter().cloned());
        self.entities_of(all)
    }
}

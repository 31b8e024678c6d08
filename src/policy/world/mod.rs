//! What policies are asked about: users, roles, customers, partners, the account.
//!
//! Ten thousand customers differ in name but hardly in anything that a policy could read. So a
//! world keeps names, and *shapes*: everything else that Cedar would see of an entity, each kept
//! once. Cedar's own entities are made from them, of all or of the few that a question needs.

mod cedar;
pub(crate) mod declared;
mod supposed;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

pub use cedar::Refused;

use crate::model::Str;

/// The types of entities that the vocabulary knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    User,
    Application,
    Role,
    Customer,
    Provider,
    Reseller,
    Account,
}

impl Type {
    pub const ALL: [Self; 7] = [
        Self::User,
        Self::Application,
        Self::Role,
        Self::Customer,
        Self::Provider,
        Self::Reseller,
        Self::Account,
    ];

    /// As the vocabulary has it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Application => "Application",
            Self::Role => "Role",
            Self::Customer => "Customer",
            Self::Provider => "Provider",
            Self::Reseller => "Reseller",
            Self::Account => "Account",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ty| ty.word() == word)
    }
}

/// One entity: `User::"aiko-tanaka"`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid {
    pub ty: Type,
    pub name: Str,
}

impl Uid {
    pub fn new(ty: Type, name: impl Into<Str>) -> Self {
        Self { ty, name: name.into() }
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{:?}", self.ty.word(), self.name.as_str())
    }
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    Bool(bool),
    Long(i64),
    Text(Str),
    One(Uid),
    Set(BTreeSet<Uid>),
    Texts(BTreeSet<Str>),
}

/// Everything but the name that a policy can read of an entity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Shape {
    /// In the order of the vocabulary.
    pub attributes: Vec<(&'static str, Value)>,
    /// By key.
    pub tags: Vec<(Str, Str)>,
    pub parents: BTreeSet<Uid>,
}

/// The number of a shape within its world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShapeId(pub u32);

/// Everyone and everything that policies are asked about.
#[derive(Debug, Clone, Default)]
pub struct World {
    members: BTreeMap<Type, Vec<(Str, ShapeId)>>,
    shapes: Vec<(Type, Shape)>,
    known: HashMap<(Type, Shape), ShapeId>,
}

impl World {
    /// Adds an entity. Names of one type are added in ascending order, each once.
    pub fn add(&mut self, ty: Type, name: Str, shape: Shape) {
        let id = self.intern(ty, shape);
        let members = self.members.entry(ty).or_default();
        debug_assert!(members.last().is_none_or(|(last, _)| *last < name), "in order, each once");
        members.push((name, id));
    }

    /// Adds an entity wherever it belongs, or gives one that is there another shape.
    pub fn suppose(&mut self, uid: Uid, shape: Shape) {
        let id = self.intern(uid.ty, shape);
        let members = self.members.entry(uid.ty).or_default();
        match members.binary_search_by(|(name, _)| name.as_str().cmp(uid.name.as_str())) {
            Ok(at) => {
                if let Some(member) = members.get_mut(at) {
                    member.1 = id;
                }
            }
            Err(at) => members.insert(at, (uid.name, id)),
        }
    }

    fn intern(&mut self, ty: Type, shape: Shape) -> ShapeId {
        let key = (ty, shape);
        if let Some(id) = self.known.get(&key) {
            return *id;
        }
        let id = ShapeId(u32::try_from(self.shapes.len()).unwrap_or(u32::MAX));
        self.shapes.push(key.clone());
        self.known.insert(key, id);
        id
    }

    /// All entities of a type, by name.
    pub fn of(&self, ty: Type) -> &[(Str, ShapeId)] {
        self.members.get(&ty).map_or(&[], Vec::as_slice)
    }

    /// The shape of an entity, if it is here.
    pub fn shape_of(&self, uid: &Uid) -> Option<ShapeId> {
        let members = self.of(uid.ty);
        let at = members.binary_search_by(|(name, _)| name.as_str().cmp(uid.name.as_str())).ok()?;
        members.get(at).map(|(_, shape)| *shape)
    }

    pub fn contains(&self, uid: &Uid) -> bool {
        self.shape_of(uid).is_some()
    }

    /// What a policy can read of all entities with this number.
    pub fn shape(&self, id: ShapeId) -> Option<&Shape> {
        self.shapes.get(id.0 as usize).map(|(_, shape)| shape)
    }

    /// All users that hold a role, by themselves or through one that includes it.
    pub fn holders(&self, role: &Uid) -> impl Iterator<Item = Uid> {
        let mut roles = BTreeSet::from([role.clone()]);
        loop {
            let more: Vec<Uid> = self
                .of(Type::Role)
                .iter()
                .map(|(name, shape)| (Uid::new(Type::Role, name.clone()), *shape))
                .filter(|(uid, shape)| !roles.contains(uid) && self.is_in_any(*shape, &roles))
                .map(|(uid, _)| uid)
                .collect();
            if more.is_empty() {
                break;
            }
            roles.extend(more);
        }
        let users = self.of(Type::User).iter();
        users
            .filter(move |(_, shape)| self.is_in_any(*shape, &roles))
            .map(|(name, _)| Uid::new(Type::User, name.clone()))
    }

    fn is_in_any(&self, shape: ShapeId, roles: &BTreeSet<Uid>) -> bool {
        self.shape(shape).is_some_and(|shape| !shape.parents.is_disjoint(roles))
    }

    /// How many shapes there are: numbers run from 0.
    pub fn shapes_len(&self) -> usize {
        self.shapes.len()
    }

    /// How many entities there are.
    pub fn len(&self) -> usize {
        self.members.values().map(Vec::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

//! Who is asked about: the entities of the universe, each with its look on either side.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::column::Role;
use super::look::{Look, LookId, Looks, Names};
use super::reads::Footprint;
use super::{Care, Universe, Which};
use crate::model::Str;
use crate::model::action::Action;
use crate::policy::vocabulary;
use crate::policy::world::{ShapeId, Type, Uid, World};

/// The types whose entities may do an action, and those that it may be done to. The vocabulary
/// lets each of the ones meet each of the others.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Types {
    pub principals: BTreeSet<Type>,
    pub resources: BTreeSet<Type>,
}

impl Types {
    pub(super) fn of_all(actions: &BTreeSet<Action>) -> Self {
        let mut all = Self::default();
        for Self { principals, resources } in actions.iter().map(|action| Self::of(*action)) {
            all.principals.extend(principals);
            all.resources.extend(resources);
        }
        all
    }

    pub(super) const fn of_role(&self, role: Role) -> &BTreeSet<Type> {
        match role {
            Role::Principal => &self.principals,
            Role::Resource => &self.resources,
        }
    }

    pub(super) fn of(action: Action) -> &'static Self {
        static NONE: Types = Types { principals: BTreeSet::new(), resources: BTreeSet::new() };
        static ALL: LazyLock<BTreeMap<&str, Types>> = LazyLock::new(|| {
            let mut all: BTreeMap<&str, Types> = BTreeMap::new();
            let words: BTreeMap<_, &str> =
                Action::ALL.iter().map(|action| (action.cedar(), action.word())).collect();
            for env in vocabulary::schema().request_envs() {
                let Some(word) = words.get(env.action()) else { continue };
                let types = all.entry(word).or_default();
                types.principals.extend(Type::from_word(&env.principal().to_string()));
                types.resources.extend(Type::from_word(&env.resource().to_string()));
            }
            all
        });
        ALL.get(action.word()).unwrap_or(&NONE)
    }
}

/// An entity that is asked about.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub ty: Type,
    pub name: &'a Str,
    pub principal: bool,
    pub resource: bool,
    /// Where it is there at all.
    pub looks: [Option<LookId>; 2],
}

impl Entry<'_> {
    pub(super) fn uid(&self) -> Uid {
        Uid::new(self.ty, self.name.clone())
    }
}

/// By type and name.
#[derive(Debug)]
pub(super) struct Roster<'a> {
    pub entries: Vec<Entry<'a>>,
    pub looks: Looks<'a>,
}

/// What an entity is called, and its shape before and after.
type Row<'a> = (&'a Str, [Option<ShapeId>; 2]);

impl<'a> Roster<'a> {
    pub(super) fn new(
        worlds: [Option<&'a World>; 2],
        universe: &Universe,
        types: &Types,
        footprint: &Footprint,
        names: &Names,
        care: Care,
    ) -> Self {
        let mut seen = Seen::new(worlds, footprint);
        let mut entries = Vec::new();
        for ty in Type::ALL {
            let principals = Chosen::new(&universe.principals, &types.principals, ty);
            let resources = Chosen::new(&universe.resources, &types.resources, ty);
            let rows = match (&principals, &resources) {
                (Chosen::All, _) | (_, Chosen::All) => everyone(worlds, ty),
                _ => listed(worlds, ty, principals.names().chain(resources.names()).collect()),
            };
            let named: BTreeSet<&str> =
                names.all.iter().filter(|uid| uid.ty == ty).map(|uid| uid.name.as_str()).collect();
            for (name, [before, after]) in rows {
                let (principal, resource) = (principals.has(name), resources.has(name));
                if principal || resource {
                    let known = care != Care::NoNames && named.contains(name.as_str());
                    let own = known.then_some(name);
                    let looks = [seen.look(0, ty, own, before), seen.look(1, ty, own, after)];
                    entries.push(Entry { ty, name, principal, resource, looks });
                }
            }
        }
        Self { entries, looks: seen.looks }
    }
}

/// Shapes that were looked at. A shape is worth looking at once.
struct Seen<'a, 'f> {
    worlds: [Option<&'a World>; 2],
    footprint: &'f Footprint,
    looks: Looks<'a>,
    known: [Vec<Option<LookId>>; 2],
}

impl<'a, 'f> Seen<'a, 'f> {
    fn new(worlds: [Option<&'a World>; 2], footprint: &'f Footprint) -> Self {
        let known = worlds.map(|world| vec![None; world.map_or(0, World::shapes_len)]);
        Self { worlds, footprint, looks: Looks::new(), known }
    }

    /// The look of an entity on a side, if it is there; with its own name if that matters.
    fn look(
        &mut self,
        side: usize,
        ty: Type,
        own: Option<&'a Str>,
        shape: Option<ShapeId>,
    ) -> Option<LookId> {
        let id = shape?;
        let world = self.worlds.get(side).copied().flatten()?;
        let known = self.known.get_mut(side)?.get_mut(id.0 as usize)?;
        if let (None, Some(look)) = (own, *known) {
            return Some(look);
        }
        let look = Look::of(ty, own, world.shape(id)?, self.footprint);
        let (look, _) = self.looks.insert_full(look);
        if own.is_none() {
            *known = Some(look);
        }
        Some(look)
    }
}

/// Which entities of one type.
enum Chosen<'u> {
    All,
    These(BTreeSet<&'u str>),
}

impl<'u> Chosen<'u> {
    fn new(which: &'u Which, possible: &BTreeSet<Type>, ty: Type) -> Self {
        match which {
            _ if !possible.contains(&ty) => Self::These(BTreeSet::new()),
            Which::Types(types) if types.contains(&ty) => Self::All,
            Which::Types(_) => Self::These(BTreeSet::new()),
            Which::Listed(uids) => Self::These(
                uids.iter().filter(|uid| uid.ty == ty).map(|uid| uid.name.as_str()).collect(),
            ),
        }
    }

    fn has(&self, name: &Str) -> bool {
        match self {
            Self::All => true,
            Self::These(names) => names.contains(name.as_str()),
        }
    }

    fn names(&self) -> impl Iterator<Item = &'u str> {
        let names = match self {
            Self::All => None,
            Self::These(names) => Some(names.iter().copied()),
        };
        names.into_iter().flatten()
    }
}

/// All of a type, in either world.
fn everyone(worlds: [Option<&World>; 2], ty: Type) -> Vec<Row<'_>> {
    let [before, after] = worlds.map(|world| world.map_or(&[][..], |world| world.of(ty)));
    let (mut before, mut after) = (before.iter().peekable(), after.iter().peekable());
    let mut rows = Vec::new();
    loop {
        let order = match (before.peek(), after.peek()) {
            (None, None) => return rows,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((before, _)), Some((after, _))) => before.cmp(after),
        };
        let old = (order != Ordering::Greater).then(|| before.next()).flatten();
        let new = (order != Ordering::Less).then(|| after.next()).flatten();
        let shapes = [old, new].map(|member| member.map(|(_, shape)| *shape));
        rows.extend(old.or(new).map(|(name, _)| (name, shapes)));
    }
}

/// Those of these that are in either world.
fn listed<'a>(worlds: [Option<&'a World>; 2], ty: Type, names: BTreeSet<&str>) -> Vec<Row<'a>> {
    let find = |name: &str| {
        let members = worlds.map(|world| {
            let members = world?.of(ty);
            let at = members.binary_search_by(|(other, _)| other.as_str().cmp(name)).ok()?;
            members.get(at)
        });
        let [before, after] = members;
        let (name, _) = before.or(after)?;
        Some((name, members.map(|member| member.map(|(_, shape)| *shape))))
    };
    names.into_iter().filter_map(find).collect()
}

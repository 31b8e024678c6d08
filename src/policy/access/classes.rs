//! Entities that no policy can tell apart, before and after.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};

use cedar_policy::Context;
use fixedbitset::FixedBitSet;
use indexmap::IndexSet;

use super::ask::{Outcome, Probes};
use super::column::{Column, Columns, Part, Role, ViewId};
use super::look::{LookId, Looks, Names};
use super::order::{End, Stop};
use super::roster::{self, Roster, Types};
use super::{Care, Refused, ask};
use crate::policy::world::{Type, Uid, World};

/// The number of a class, in the order of their first members.
pub(super) type ClassId = usize;

/// How policies regard an entity in one role of a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Standing {
    /// The columns all of whose guards hold, and those that could err.
    pub alive: FixedBitSet,
    /// For each mixed column in order: the number of what its leaves are, 0 if it is not alive.
    pub marks: Vec<u32>,
}

pub(super) type StandingId = usize;

/// Entities of one type that are regarded alike, before and after, in both roles.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Class {
    pub ty: Type,
    pub principal: bool,
    pub resource: bool,
    /// As principal and as resource, before and after; nothing where they are not there.
    pub standings: [Option<[StandingId; 2]>; 2],
}

impl Class {
    pub(super) fn standing(&self, role: Role) -> [Option<StandingId>; 2] {
        self.standings.map(|side| {
            let [principal, resource] = side?;
            Some(match role {
                Role::Principal => principal,
                Role::Resource => resource,
            })
        })
    }

    pub(super) fn has(&self, role: Role, types: &Types) -> bool {
        let asked = match role {
            Role::Principal => self.principal,
            Role::Resource => self.resource,
        };
        asked && types.of_role(role).contains(&self.ty)
    }
}

/// The entities of a roster, by class.
#[derive(Debug)]
pub(super) struct Classes<'a> {
    entries: Vec<roster::Entry<'a>>,
    class_of: Vec<ClassId>,
    known: IndexSet<Class>,
    /// How many members, and the first two.
    members: Vec<(u64, Vec<usize>)>,
    pub standings: IndexSet<Standing>,
    /// The columns of which there are marks.
    pub mixed: FixedBitSet,
}

impl<'a> Classes<'a> {
    pub(super) fn new(roster: Roster<'a>, regards: &Regards<'_>) -> Result<Self, Refused> {
        let Roster { entries, looks, .. } = roster;
        let mut standings = IndexSet::new();
        let (of_look, mixed) = regards.standings(&entries, &looks, &mut standings)?;
        let mut known = IndexSet::new();
        let mut class_of = Vec::with_capacity(entries.len());
        let mut members: Vec<(u64, Vec<usize>)> = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            let roster::Entry { ty, name: _, principal, resource, looks } = entry;
            let mut sides = [None; 2];
            for ((side, look), of_look) in sides.iter_mut().zip(looks).zip(&of_look) {
                *side = look.and_then(|look| *of_look.get(look)?);
            }
            let class =
                Class { ty: *ty, principal: *principal, resource: *resource, standings: sides };
            let (id, new) = known.insert_full(class);
            if new {
                members.push((0, Vec::new()));
            }
            if let Some((count, first)) = members.get_mut(id) {
                *count += 1;
                if first.len() < 2 {
                    first.push(at);
                }
            }
            class_of.push(id);
        }
        Ok(Self { entries, class_of, known, members, standings, mixed })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ClassId, &Class)> {
        self.known.iter().enumerate()
    }

    /// How many entities these classes have.
    pub(super) fn len(&self, ids: &[ClassId]) -> u64 {
        ids.iter().filter_map(|id| self.members.get(*id)).map(|(count, _)| count).sum()
    }

    /// As `len`, of one type alone.
    pub(super) fn len_of(&self, ids: &[ClassId], ty: Type) -> u64 {
        let is = |id: &ClassId| self.known.get_index(*id).is_some_and(|class| class.ty == ty);
        let of_type: Vec<ClassId> = ids.iter().copied().filter(is).collect();
        self.len(&of_type)
    }

    /// One member, or two.
    pub(super) fn first(&self, id: ClassId) -> &[usize] {
        self.members.get(id).map_or(&[], |(_, first)| first)
    }

    /// The member with this number.
    pub(super) fn uid(&self, member: usize) -> Option<Uid> {
        self.entries.get(member).map(roster::Entry::uid)
    }

    /// All members of these classes, by type and name.
    pub(super) fn members(&self, ids: &[ClassId]) -> impl Iterator<Item = Uid> {
        let wanted: FixedBitSet = ids.iter().copied().collect();
        let pairs = self.entries.iter().zip(&self.class_of);
        pairs.filter(move |(_, class)| wanted.contains(**class)).map(|(entry, _)| entry.uid())
    }
}

/// How policies regard who there is.
#[derive(Debug)]
pub(super) struct Regards<'r> {
    pub worlds: [Option<&'r World>; 2],
    pub columns: &'r Columns,
    pub names: &'r Names,
    pub types: &'r Types,
    pub context: &'r Context,
    pub care: Care,
}

/// The standings of a look as principal and as resource, by look.
type OfLook = Vec<Option<[StandingId; 2]>>;

/// A look as a view has it, on one side, or on both where nothing else that the view reads differs.
type Seen = (ViewId, usize, LookId);

impl Regards<'_> {
    fn standings(
        &self,
        entries: &[roster::Entry<'_>],
        looks: &Looks<'_>,
        standings: &mut IndexSet<Standing>,
    ) -> Result<([OfLook; 2], FixedBitSet), Refused> {
        let views: Vec<Viewed> = self.views(looks);
        let first = first_of_looks(entries, looks.len());
        let outcomes = self.ask(entries, &views, &first)?;
        let mut errs = FixedBitSet::with_capacity(self.columns.atoms.len());
        outcomes.values().flat_map(|outcome| &outcome.err).for_each(|atom| errs.insert(*atom));
        let columns = self.columns.all.iter().enumerate();
        let mixed = columns.filter(|(_, column)| column.is_mixed(&errs));
        let mixed: FixedBitSet = mixed.map(|(at, _)| at).collect();
        let mut marks = Marks::default();
        let mut result = [OfLook::new(), OfLook::new()];
        for (side, (result, first)) in result.iter_mut().zip(&first).enumerate() {
            for (look, first) in first.iter().enumerate() {
                result.push(first.map(|_| {
                    let facts = self.facts(side, look, &views, &outcomes);
                    [Role::Principal, Role::Resource].map(|role| {
                        let standing = self.standing(role, &facts, [&errs, &mixed], &mut marks);
                        standings.insert_full(standing).0
                    })
                }));
            }
        }
        Ok((result, mixed))
    }

    fn views(&self, looks: &Looks<'_>) -> Vec<Viewed> {
        let view = |view: &super::column::View| {
            let mut narrowed = Looks::new();
            let of_look =
                looks.iter().map(|look| narrowed.insert_full(look.narrowed(&view.footprint)).0);
            Viewed {
                of_look: of_look.collect(),
                shared: self.names.same_background(self.worlds, &view.footprint),
            }
        };
        self.columns.views.iter().map(view).collect()
    }

    /// Asks Cedar each atom of one entity of each look that its view has.
    fn ask(
        &self,
        entries: &[roster::Entry<'_>],
        views: &[Viewed],
        first: &[Vec<Option<usize>>; 2],
    ) -> Result<HashMap<Seen, Outcome>, Refused> {
        // Whom to ask: a side and an entity for each.
        let mut whom: BTreeMap<Seen, (usize, &roster::Entry<'_>)> = BTreeMap::new();
        for (view, viewed) in views.iter().enumerate() {
            if !self.columns.atoms.iter().any(|atom| atom.view == view) {
                continue;
            }
            for (side, first) in first.iter().enumerate() {
                for (first, look) in first.iter().zip(&viewed.of_look) {
                    if let Some(entry) = first.and_then(|first| entries.get(first)) {
                        whom.entry((view, viewed.side(side), *look)).or_insert((side, entry));
                    }
                }
            }
        }
        let mut stores = Vec::new();
        for (side, world) in self.worlds.iter().enumerate() {
            let there = whom.values().filter(|(on, _)| *on == side).map(|(_, entry)| entry.uid());
            stores.push(ask::store(
                *world,
                there.chain(self.names.opened.iter().cloned()).collect(),
            )?);
        }
        let mut probes = BTreeMap::new();
        for (view, role) in self.columns.atoms.iter().map(|atom| (atom.view, atom.role)) {
            if let Entry::Vacant(slot) = probes.entry((view, role)) {
                slot.insert(self.probes(view, role)?);
            }
        }
        let mut outcomes = HashMap::with_capacity(whom.len());
        for (seen, (side, entry)) in whom {
            let Some(store) = stores.get(side) else { continue };
            let mut outcome = Outcome::default();
            for role in [Role::Principal, Role::Resource] {
                let Some(probes) = probes.get(&(seen.0, role)) else { continue };
                if self.types.of_role(role).contains(&entry.ty) {
                    let uid = entry.uid().cedar();
                    let action = self.columns.views.get_index(seen.0).and_then(|view| view.action);
                    let request = ask::request(uid.clone(), action, uid, self.context)?;
                    let answer = probes.ask(&request, store);
                    outcome.hold.extend(answer.hold);
                    outcome.err.extend(answer.err);
                }
            }
            if self.care == Care::NoErrors {
                outcome.err.clear();
            }
            outcomes.insert(seen, outcome);
        }
        Ok(outcomes)
    }

    /// The atoms of a view that one role is asked.
    fn probes(&self, view: ViewId, role: Role) -> Result<Probes, Refused> {
        let atoms = self.columns.atoms.iter().enumerate();
        let atoms = atoms.filter(|(_, atom)| atom.view == view && atom.role == role);
        Probes::new(atoms.map(|(id, atom)| (id, &atom.expr)))
    }

    /// All that is known of a look on a side.
    fn facts(
        &self,
        side: usize,
        look: LookId,
        views: &[Viewed],
        outcomes: &HashMap<Seen, Outcome>,
    ) -> Facts {
        let atoms = self.columns.atoms.len();
        let mut facts = Facts {
            hold: FixedBitSet::with_capacity(atoms),
            err: FixedBitSet::with_capacity(atoms),
            seen: Vec::with_capacity(views.len()),
        };
        for (view, viewed) in views.iter().enumerate() {
            let seen = viewed.of_look.get(look).copied().unwrap_or_default();
            if let Some(outcome) = outcomes.get(&(view, viewed.side(side), seen)) {
                outcome.hold.iter().for_each(|atom| facts.hold.insert(*atom));
                outcome.err.iter().for_each(|atom| facts.err.insert(*atom));
            }
            facts.seen.push(seen);
        }
        facts
    }

    /// `errs` are the atoms that err for anybody, `mixed` the columns of which there are marks.
    fn standing(
        &self,
        role: Role,
        facts: &Facts,
        [errs, mixed]: [&FixedBitSet; 2],
        marks: &mut Marks,
    ) -> Standing {
        let columns = &self.columns.all;
        let mut standing =
            Standing { alive: FixedBitSet::with_capacity(columns.len()), marks: Vec::new() };
        for (at, column) in columns.iter().enumerate() {
            let part = match role {
                Role::Principal => &column.principal,
                Role::Resource => &column.resource,
            };
            let stop = match &column.order {
                Some(order) if self.care != Care::NoOrder && order.can_err(errs) => {
                    order.stop(role, [&facts.hold, &facts.err, errs])
                }
                Some(order) if order.end == End::False => None,
                _ => {
                    let is_alive = part.guards.iter().all(|atom| facts.hold.contains(*atom));
                    is_alive.then_some(Stop::Nowhere)
                }
            };
            standing.alive.set(at, stop.is_some());
            if mixed.contains(at) {
                let mark = stop.map_or(0, |stop| self.mark((at, stop), part, column, facts, marks));
                standing.marks.push(mark);
            }
        }
        standing
    }

    fn mark(
        &self,
        at: (usize, Stop),
        part: &Part,
        column: &Column,
        facts: &Facts,
        marks: &mut Marks,
    ) -> u32 {
        let leaves = part.leaves.iter();
        let leaves = leaves.map(|atom| (facts.hold.contains(*atom), facts.err.contains(*atom)));
        let seen = column.views.iter().filter_map(|view| facts.seen.get(*view).copied());
        let seen = if self.care == Care::NoLooks { Vec::new() } else { seen.collect() };
        let (mark, _) = marks.insert_full((at, leaves.collect(), seen));
        u32::try_from(mark + 1).unwrap_or(u32::MAX)
    }
}

/// For each look, what a view leaves of it.
#[derive(Debug)]
struct Viewed {
    of_look: Vec<LookId>,
    /// All others that the view can see are the same on both sides, so one answer serves both.
    shared: bool,
}

impl Viewed {
    fn side(&self, side: usize) -> usize {
        if self.shared { 0 } else { side }
    }
}

/// What is known of one look.
struct Facts {
    hold: FixedBitSet,
    err: FixedBitSet,
    /// By view.
    seen: Vec<LookId>,
}

/// Column and where it stops, outcomes of its leaves (holds, errs), and what its views see.
type Marks = IndexSet<((usize, Stop), Vec<(bool, bool)>, Vec<LookId>)>;

/// For each side, an entity of each look that is there.
fn first_of_looks(entries: &[roster::Entry<'_>], looks: usize) -> [Vec<Option<usize>>; 2] {
    let mut first = [vec![None; looks], vec![None; looks]];
    for (at, entry) in entries.iter().enumerate() {
        for (first, look) in first.iter_mut().zip(entry.looks) {
            if let Some(slot) = look.and_then(|look| first.get_mut(look)) {
                slot.get_or_insert(at);
            }
        }
    }
    first
}

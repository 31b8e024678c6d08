//! Which questions are left, and what Cedar says to them.
//!
//! A question is: with exactly these policies still alive for both, and these marks of the mixed
//! ones, is the request allowed? Everything that the answer depends on is in it, so questions that
//! are equal have equal answers, for whichever entities and on whichever side they come up.

use std::collections::{BTreeSet, HashMap};

use cedar_policy::{Context, PolicySet};
use fixedbitset::FixedBitSet;
use indexmap::{IndexMap, IndexSet};

use super::classes::{ClassId, Classes, Standing, StandingId};
use super::column::{Column, Role};
use super::look::Names;
use super::roster::Types;
use super::{Care, Refused, Side, ask};
use crate::model::action::Action;
use crate::policy::judge::{Failing, Ruling};

/// Actions to which the same policies apply, on either side, and the same types.
#[derive(Debug)]
pub(super) struct Group {
    actions: BTreeSet<Action>,
    applies: [FixedBitSet; 2],
    types: &'static Types,
}

pub(super) fn groups(actions: &BTreeSet<Action>, columns: &[Column]) -> Vec<Group> {
    let mut groups: IndexMap<([FixedBitSet; 2], &'static Types), BTreeSet<Action>> =
        IndexMap::new();
    for action in actions {
        let mut applies = [0, 1].map(|_| FixedBitSet::with_capacity(columns.len()));
        for (at, column) in columns.iter().enumerate() {
            for (applies, on) in applies.iter_mut().zip(&column.actions) {
                applies.set(at, on.contains(action));
            }
        }
        groups.entry((applies, Types::of(*action))).or_default().insert(*action);
    }
    let group = |((applies, types), actions)| Group { actions, applies, types };
    groups.into_iter().map(group).collect()
}

/// All that decides about a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Question {
    alive: FixedBitSet,
    /// For each mixed column in order that is alive: the marks of principal and resource.
    marks: Vec<(u32, u32)>,
    /// The principal is the resource, and somebody compares them.
    same: bool,
}

pub(super) type QuestionId = usize;

/// On which side to ask it, and about whom.
#[derive(Debug, Clone, Copy)]
struct About {
    side: usize,
    principal: usize,
    action: Action,
    resource: usize,
}

/// Classes that policies which apply to a group of actions regard alike.
#[derive(Debug)]
pub(super) struct Crowd {
    pub classes: Vec<ClassId>,
    standings: [Option<usize>; 2],
    /// One member, or two.
    first: Vec<usize>,
}

/// A pair of crowds (or an entity and itself) of which different things are asked before and after.
#[derive(Debug)]
pub(super) struct Cell<P> {
    pub place: P,
    pub questions: [Option<QuestionId>; 2],
}

/// What is to be asked for one group of actions.
#[derive(Debug)]
pub(super) struct Sheet {
    pub actions: BTreeSet<Action>,
    pub principals: Vec<Crowd>,
    pub resources: Vec<Crowd>,
    /// Each principal of a crowd on each resource of another but itself; by principals, then
    /// resources.
    pub cells: Vec<Cell<(usize, usize)>>,
    /// Each entity of a class on itself.
    pub selves: Vec<Cell<ClassId>>,
}

/// Finds out what must be asked, then asks it.
#[derive(Debug)]
pub(super) struct Comparison<'c, 'a> {
    classes: &'c Classes<'a>,
    columns: &'c [Column],
    care: Care,
    questions: IndexMap<Question, About>,
}

impl<'c, 'a> Comparison<'c, 'a> {
    pub(super) fn new(classes: &'c Classes<'a>, columns: &'c [Column], care: Care) -> Self {
        Self { classes, columns, care, questions: IndexMap::new() }
    }

    pub(super) fn sheet(&mut self, group: Group) -> Sheet {
        let mut narrowed = Narrowed::new(self.classes, &group);
        let principals = narrowed.crowds(Role::Principal);
        let resources = narrowed.crowds(Role::Resource);
        let mut sheet =
            Sheet { actions: group.actions, principals, resources, cells: vec![], selves: vec![] };
        let Some(action) = sheet.actions.first().copied() else { return sheet };
        let Sheet { principals, resources, cells, selves, .. } = &mut sheet;
        let all: Vec<usize> = (0..resources.len()).collect();
        let unquiet = |at: &usize| resources.get(*at).is_some_and(|crowd| !crowd.is_quiet());
        let unquiet: Vec<usize> = all.iter().copied().filter(unquiet).collect();
        for (x, one) in principals.iter().enumerate() {
            let ys = if one.is_quiet() { &unquiet } else { &all };
            for (y, two) in ys.iter().filter_map(|y| Some((*y, resources.get(*y)?))) {
                if narrowed.asks_the_same(one, two) {
                    continue;
                }
                let Some((principal, resource)) = one.pair(two) else { continue };
                let questions = [0, 1].map(|side| {
                    let question = narrowed.question(side, one, two)?;
                    Some(self.number(question, About { side, principal, action, resource }))
                });
                cells.push(Cell { place: (x, y), questions });
            }
        }
        let crowd_of = |crowds: &[Crowd]| -> IndexMap<ClassId, usize> {
            let crowds = crowds.iter().enumerate();
            crowds.flat_map(|(at, crowd)| crowd.classes.iter().map(move |id| (*id, at))).collect()
        };
        let on = crowd_of(resources);
        for (class, x) in crowd_of(principals) {
            let (Some(one), Some(two)) =
                (principals.get(x), on.get(&class).and_then(|y| resources.get(*y)))
            else {
                continue;
            };
            if let Some(questions) = self.of_itself(&narrowed, class, one, two, action) {
                selves.push(Cell { place: class, questions });
            }
        }
        sheet
    }

    /// What is asked of an entity of a class on itself.
    fn of_itself(
        &mut self,
        narrowed: &Narrowed<'_>,
        class: ClassId,
        one: &Crowd,
        two: &Crowd,
        action: Action,
    ) -> Option<[Option<QuestionId>; 2]> {
        if narrowed.asks_the_same(one, two) {
            return None;
        }
        let member = self.classes.first(class).first().copied()?;
        let compares =
            |at| self.columns.get(at).is_some_and(|column: &Column| !column.views.is_empty());
        let questions = [0, 1].map(|side| {
            let mut question = narrowed.question(side, one, two)?;
            question.same = self.care != Care::NoSelves && question.alive.ones().any(compares);
            Some((question, About { side, principal: member, action, resource: member }))
        });
        Some(questions.map(|side| side.map(|(question, about)| self.number(question, about))))
    }

    fn number(&mut self, question: Question, about: About) -> QuestionId {
        let entry = self.questions.entry(question);
        let id = entry.index();
        entry.or_insert(about);
        id
    }

    /// Cedar's answer to every question, in order.
    pub(super) fn answers(
        &self,
        sides: [Option<Side<'_>>; 2],
        names: &Names,
        context: &Context,
    ) -> Result<Vec<Ruling>, Refused> {
        let mut there = [names.opened.clone(), names.opened.clone()];
        for About { side, principal, action: _, resource } in self.questions.values() {
            if let Some(there) = there.get_mut(*side) {
                there.extend(
                    [principal, resource].into_iter().filter_map(|at| self.classes.uid(*at)),
                );
            }
        }
        let none = PolicySet::new();
        let mut asked = Vec::new();
        for (side, there) in sides.into_iter().zip(there) {
            let (policies, failing) =
                side.map_or((&none, Failing::Forbids), |side| (side.policies, side.failing));
            asked.push((policies, failing, ask::store(side.map(|side| side.world), there)?));
        }
        let mut answers = Vec::with_capacity(self.questions.len());
        for About { side, principal, action, resource } in self.questions.values().copied() {
            let (Some((policies, failing, store)), Some(principal), Some(resource)) =
                (asked.get(side), self.classes.uid(principal), self.classes.uid(resource))
            else {
                continue;
            };
            let request = ask::request(principal.cedar(), Some(action), resource.cedar(), context)?;
            answers.push(Ruling::on(&request, policies, store, *failing));
        }
        Ok(answers)
    }
}

impl Crowd {
    /// Nothing differs for them between before and after.
    fn is_quiet(&self) -> bool {
        let [before, after] = self.standings;
        before == after
    }

    /// A member of each, but not the same twice.
    fn pair(&self, other: &Self) -> Option<(usize, usize)> {
        let mut pairs =
            self.first.iter().flat_map(|one| other.first.iter().map(move |two| (*one, *two)));
        pairs.find(|(one, two)| one != two)
    }
}

/// Standings, of the columns alone that apply to a group.
#[derive(Debug)]
struct Narrowed<'n> {
    classes: &'n Classes<'n>,
    applies: [FixedBitSet; 2],
    types: &'static Types,
    standings: IndexSet<Standing>,
}

impl<'n> Narrowed<'n> {
    fn new(classes: &'n Classes<'n>, group: &Group) -> Self {
        let Group { actions: _, applies, types } = group;
        Self { classes, applies: applies.clone(), types, standings: IndexSet::new() }
    }

    fn crowds(&mut self, role: Role) -> Vec<Crowd> {
        // Most classes share their standings with others.
        let mut known: [HashMap<StandingId, usize>; 2] = Default::default();
        let mut crowds: IndexMap<_, (Vec<ClassId>, Vec<usize>)> = IndexMap::new();
        let classes = self.classes;
        for (id, class) in classes.iter().filter(|(_, class)| class.has(role, self.types)) {
            let mut standings = class.standing(role);
            for (side, (standing, known)) in standings.iter_mut().zip(&mut known).enumerate() {
                *standing = standing.and_then(|id| {
                    known.get(&id).copied().or_else(|| {
                        let narrow = self.narrow(side, classes.standings.get_index(id)?)?;
                        known.insert(id, narrow);
                        Some(narrow)
                    })
                });
            }
            let (members, first) = crowds.entry(standings).or_default();
            members.push(id);
            let more = 2_usize.saturating_sub(first.len());
            first.extend(classes.first(id).iter().take(more));
        }
        let crowd = |(standings, (classes, first))| Crowd { classes, standings, first };
        crowds.into_iter().map(crowd).collect()
    }

    fn narrow(&mut self, side: usize, standing: &Standing) -> Option<usize> {
        let alive = &standing.alive & self.applies.get(side)?;
        let marks = self.classes.mixed.ones().zip(&standing.marks);
        let marks = marks.map(|(at, mark)| if alive.contains(at) { *mark } else { 0 });
        let marks = marks.collect();
        Some(self.standings.insert_full(Standing { alive, marks }).0)
    }

    /// How both are regarded on a side, if they are there.
    fn meet(&self, side: usize, one: &Crowd, two: &Crowd) -> Option<(&Standing, &Standing)> {
        let standing =
            |crowd: &Crowd| self.standings.get_index(crowd.standings.get(side).copied().flatten()?);
        Some((standing(one)?, standing(two)?))
    }

    /// The questions before and after are the same. Says so of most pairs, and so makes nothing.
    fn asks_the_same(&self, one: &Crowd, two: &Crowd) -> bool {
        let (before, after) = match (self.meet(0, one, two), self.meet(1, one, two)) {
            (None, None) => return true,
            (Some(before), Some(after)) => (before, after),
            (Some(_), None) | (None, Some(_)) => return false,
        };
        alive(before).eq(alive(after)) && marks(before).eq(marks(after))
    }

    fn question(&self, side: usize, one: &Crowd, two: &Crowd) -> Option<Question> {
        let (one, two) = self.meet(side, one, two)?;
        let marks = marks((one, two)).collect();
        Some(Question { alive: &one.alive & &two.alive, marks, same: false })
    }
}

/// The columns alive for both, in words of bits.
fn alive((one, two): (&Standing, &Standing)) -> impl Iterator<Item = usize> {
    let words = one.alive.as_slice().iter().zip(two.alive.as_slice());
    words.map(|(one, two)| one & two)
}

/// The marks of both, where the column is alive for both.
fn marks((one, two): (&Standing, &Standing)) -> impl Iterator<Item = (u32, u32)> {
    let marks = one.marks.iter().zip(&two.marks);
    marks.map(|(one, two)| if *one == 0 || *two == 0 { (0, 0) } else { (*one, *two) })
}

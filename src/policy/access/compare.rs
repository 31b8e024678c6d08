//! Which questions are left, and what Cedar says to them.
//!
//! A question is: with exactly these policies still alive for both, and these marks of the mixed
//! ones, is the request allowed? Everything that the answer depends on is in it, so questions that
//! are equal have equal answers, for whichever entities and on whichever side they come up.

use std::collections::BTreeSet;

use cedar_policy::{Authorizer, Context, Decision, PolicyId, PolicySet};
use fixedbitset::FixedBitSet;
use indexmap::IndexMap;
use indexmap::IndexSet;

use super::classes::{ClassId, Classes, Standing, StandingId};
use super::column::{Column, Role};
use super::look::Names;
use super::roster::Types;
use super::{Care, Refused, Side, ask};
use crate::model::action::Action;

/// Actions to which the same policies apply, on either side, and the same types.
#[derive(Debug)]
pub(super) struct Group {
    pub actions: BTreeSet<Action>,
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

/// Whom to ask it about: side, principal, action, resource.
#[derive(Debug, Clone, Copy)]
struct About(usize, usize, Action, usize);

/// What Cedar answered.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub allowed: bool,
    pub policies: BTreeSet<PolicyId>,
}

/// Classes that policies which apply to a group of actions regard alike.
#[derive(Debug)]
pub(super) struct Crowd {
    pub classes: Vec<ClassId>,
    standings: [Option<usize>; 2],
    /// One member, or two.
    first: Vec<usize>,
}

/// Two crowds, or an entity and itself; what is asked before and after differs.
#[derive(Debug)]
pub(super) struct Cell<P> {
    pub place: P,
    pub questions: [Option<QuestionId>; 2],
}

/// What is to be asked for one group of actions.
#[derive(Debug)]
pub(super) struct Sheet {
    pub group: Group,
    pub principals: Vec<Crowd>,
    pub resources: Vec<Crowd>,
    /// Each principal of a crowd on each resource of another but itself; by principals, then
    /// resources.
    pub cells: Vec<Cell<(usize, usize)>>,
    /// Each entity of a class on itself: the class, and its crowds.
    pub selves: Vec<Cell<(ClassId, usize, usize)>>,
}

/// Finds out what must be asked, then asks it.
#[derive(Debug)]
pub(super) struct Comparison<'c, 'a> {
    pub classes: &'c Classes<'a>,
    pub columns: &'c [Column],
    pub care: Care,
    questions: IndexMap<Question, About>,
}

impl<'c, 'a> Comparison<'c, 'a> {
    pub(super) fn new(classes: &'c Classes<'a>, columns: &'c [Column], care: Care) -> Self {
        Self { classes, columns, care, questions: IndexMap::new() }
    }

    pub(super) fn sheet(&mut self, group: Group) -> Sheet {
        let mut narrowed = Narrowed::new(self.columns);
        let principals = narrowed.crowds(self.classes, Role::Principal, &group);
        let resources = narrowed.crowds(self.classes, Role::Resource, &group);
        let action = group.actions.first().copied();
        let mut sheet = Sheet { group, principals, resources, cells: vec![], selves: vec![] };
        let Some(action) = action else { return sheet };
        for (x, principals) in sheet.principals.iter().enumerate() {
            for (y, resources) in sheet.resources.iter().enumerate() {
                if principals.is_quiet() && resources.is_quiet() {
                    continue;
                }
                let Some((principal, resource)) = principals.pair(resources) else { continue };
                let questions =
                    self.ask_both(&narrowed, principals, resources, |side, question| {
                        (question, About(side, principal, action, resource))
                    });
                if let Some(questions) = questions {
                    sheet.cells.push(Cell { place: (x, y), questions });
                }
            }
        }
        self.selves(&narrowed, &mut sheet, action);
        sheet
    }

    /// Entities that are principal and resource alike.
    fn selves(&mut self, narrowed: &Narrowed<'_>, sheet: &mut Sheet, action: Action) {
        let crowd_of = |crowds: &[Crowd]| {
            let pairs = crowds.iter().enumerate();
            let pairs = pairs.flat_map(|(at, crowd)| crowd.classes.iter().map(move |id| (*id, at)));
            pairs.collect::<IndexMap<ClassId, usize>>()
        };
        let resources = crowd_of(&sheet.resources);
        for (class, x) in crowd_of(&sheet.principals) {
            let Some(y) = resources.get(&class).copied() else { continue };
            let (Some(principals), Some(resources)) =
                (sheet.principals.get(x), sheet.resources.get(y))
            else {
                continue;
            };
            let Some(member) = self.classes.first(class).first().copied() else { continue };
            let (columns, care) = (self.columns, self.care);
            let questions = self.ask_both(narrowed, principals, resources, |side, mut question| {
                question.same = care != Care::NoSelves
                    && question
                        .alive
                        .ones()
                        .any(|at| columns.get(at).is_some_and(|column| !column.views.is_empty()));
                (question, About(side, member, action, member))
            });
            if let Some(questions) = questions {
                sheet.selves.push(Cell { place: (class, x, y), questions });
            }
        }
    }

    /// The questions before and after, unless they are the same.
    fn ask_both(
        &mut self,
        narrowed: &Narrowed<'_>,
        principals: &Crowd,
        resources: &Crowd,
        about: impl Fn(usize, Question) -> (Question, About),
    ) -> Option<[Option<QuestionId>; 2]> {
        let [before, after] = [0, 1].map(|side| {
            let principal = principals.standings.get(side).copied().flatten()?;
            let resource = resources.standings.get(side).copied().flatten()?;
            Some(about(side, narrowed.question(principal, resource)?))
        });
        if before.as_ref().map(|(question, _)| question)
            == after.as_ref().map(|(question, _)| question)
        {
            return None;
        }
        Some([before, after].map(|side| {
            let (question, about) = side?;
            let entry = self.questions.entry(question);
            let id = entry.index();
            entry.or_insert(about);
            Some(id)
        }))
    }

    /// Cedar's answer to every question, in order.
    pub(super) fn answers(
        &self,
        sides: [Option<Side<'_>>; 2],
        names: &Names,
        context: &Context,
    ) -> Result<Vec<Answer>, Refused> {
        let mut there = [names.opened.clone(), names.opened.clone()];
        for About(side, principal, _, resource) in self.questions.values() {
            if let Some(there) = there.get_mut(*side) {
                there.extend(
                    [principal, resource].into_iter().filter_map(|at| self.classes.uid(*at)),
                );
            }
        }
        let none = PolicySet::new();
        let mut asked = Vec::new();
        for (side, there) in sides.into_iter().zip(there) {
            let policies = side.map_or(&none, |side| side.policies);
            asked.push((policies, ask::store(side.map(|side| side.world), there)?));
        }
        let mut answers = Vec::with_capacity(self.questions.len());
        for About(side, principal, action, resource) in self.questions.values().copied() {
            let (Some((policies, store)), Some(principal), Some(resource)) =
                (asked.get(side), self.classes.uid(principal), self.classes.uid(resource))
            else {
                continue;
            };
            let request = ask::request(principal.cedar(), Some(action), resource.cedar(), context)?;
            let response = Authorizer::new().is_authorized(&request, policies, store);
            answers.push(Answer {
                allowed: response.decision() == Decision::Allow,
                policies: response.diagnostics().reason().cloned().collect(),
            });
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
struct Narrowed<'c> {
    columns: &'c [Column],
    standings: IndexSet<Standing>,
}

impl<'c> Narrowed<'c> {
    fn new(columns: &'c [Column]) -> Self {
        Self { columns, standings: IndexSet::new() }
    }

    fn crowds(&mut self, classes: &Classes<'_>, role: Role, group: &Group) -> Vec<Crowd> {
        let mut known: [Vec<Option<usize>>; 2] =
            [0, 1].map(|_| vec![None; classes.standings.len()]);
        let mut crowds: IndexMap<[Option<usize>; 2], (Vec<ClassId>, Vec<usize>)> = IndexMap::new();
        for (id, class) in classes.iter().filter(|(_, class)| class.has(role, group.types)) {
            let mut standings = [None; 2];
            let sides = standings.iter_mut().zip(class.standing(role)).zip(&group.applies);
            for ((narrowed, standing), (applies, known)) in sides
                .map(|(pair, applies)| (pair, applies))
                .zip(&mut known)
                .map(|((pair, applies), known)| (pair, (applies, known)))
            {
                let Some(standing) = standing else { continue };
                *narrowed = self.narrow(classes, standing, applies, known);
            }
            let (members, first) = crowds.entry(standings).or_default();
            members.push(id);
            let more = 2_usize.saturating_sub(first.len());
            first.extend(classes.first(id).iter().take(more));
        }
        let crowd = |(standings, (classes, first))| Crowd { classes, standings, first };
        crowds.into_iter().map(crowd).collect()
    }

    fn narrow(
        &mut self,
        classes: &Classes<'_>,
        id: StandingId,
        applies: &FixedBitSet,
        known: &mut [Option<usize>],
    ) -> Option<usize> {
        let slot = known.get_mut(id)?;
        if slot.is_none() {
            let Standing { alive, marks } = classes.standings.get_index(id)?;
            let alive = alive & applies;
            let mixed = self.columns.iter().enumerate().filter(|(_, column)| column.is_mixed());
            let marks =
                mixed.zip(marks).map(|((at, _), mark)| if alive.contains(at) { *mark } else { 0 });
            let marks = marks.collect();
            *slot = Some(self.standings.insert_full(Standing { alive, marks }).0);
        }
        *slot
    }

    fn question(&self, principal: usize, resource: usize) -> Option<Question> {
        let principal = self.standings.get_index(principal)?;
        let resource = self.standings.get_index(resource)?;
        let alive = &principal.alive & &resource.alive;
        let marks = principal.marks.iter().zip(&resource.marks);
        let marks = marks.map(|(one, two)| (*one, *two)).map(|(one, two)| {
            // Not alive for one of them: what the other would be is no matter.
            if one == 0 || two == 0 { (0, 0) } else { (one, two) }
        });
        Some(Question { marks: marks.collect(), alive, same: false })
    }
}

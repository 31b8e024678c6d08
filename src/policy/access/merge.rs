//! Rectangles from answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cedar_policy::PolicyId;
use fixedbitset::FixedBitSet;
use indexmap::IndexMap;

use super::classes::{ClassId, Classes};
use super::compare::{Crowd, QuestionId, Sheet};
use super::rectangle::{Pairing, Rectangle};
use crate::model::action::Action;
use crate::policy::judge::Ruling;

/// What is being collected: what is allowed after and was not before, or the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Gained,
    Lost,
}

impl Direction {
    /// The policies that decided, if this is such a change.
    fn decided(self, answers: &[Ruling], questions: [Option<QuestionId>; 2]) -> Option<&Ruling> {
        let [before, after] = questions.map(|question| {
            question.and_then(|question| answers.get(question)).filter(|answer| answer.allowed)
        });
        match (self, before, after) {
            (Self::Gained, None, Some(answer)) | (Self::Lost, Some(answer), None) => Some(answer),
            _ => None,
        }
    }
}

/// Who, on what: rectangles that have these are one.
type Place = (Pairing, Arc<[ClassId]>, Arc<[ClassId]>);
type Pieces = BTreeMap<Place, (BTreeSet<Action>, BTreeSet<PolicyId>)>;

pub(super) fn rectangles(
    sheets: &[Sheet],
    answers: &[Ruling],
    direction: Direction,
    classes: &Classes<'_>,
    context: usize,
) -> Vec<Rectangle> {
    let mut pieces = Pieces::new();
    for sheet in sheets {
        collect(sheet, answers, direction, classes, &mut pieces);
    }
    let mut rectangles: Vec<Rectangle> = pieces
        .into_iter()
        .map(|((pairing, principals, resources), (actions, policies))| {
            let pairs = pairs(pairing, &principals, &resources, classes);
            Rectangle {
                count: pairs * actions.len() as u64,
                actions: actions.into_iter().collect(),
                pairing,
                principals: classes.len(&principals),
                resources: classes.len(&resources),
                policies: policies.into_iter().collect(),
                context,
                principal_classes: principals,
                resource_classes: resources,
            }
        })
        .collect();
    // Stable: what is equal in actions stays in the order of who comes first.
    rectangles.sort_by(|one, two| one.actions.cmp(&two.actions));
    rectangles
}

fn pairs(
    pairing: Pairing,
    principals: &[ClassId],
    resources: &[ClassId],
    classes: &Classes<'_>,
) -> u64 {
    let all = classes.len(principals) * classes.len(resources);
    match pairing {
        Pairing::All => all,
        Pairing::Same => classes.len(principals),
        Pairing::Others => {
            let resources: FixedBitSet = resources.iter().copied().collect();
            let both = principals.iter().copied().filter(|id| resources.contains(*id));
            all - classes.len(&both.collect::<Vec<_>>())
        }
    }
}

/// Rows of principals with equal resources become one.
type Rows<'s> = IndexMap<Vec<usize>, (Vec<usize>, BTreeSet<&'s PolicyId>)>;

fn collect(
    sheet: &Sheet,
    answers: &[Ruling],
    direction: Direction,
    classes: &Classes<'_>,
    pieces: &mut Pieces,
) {
    // Those on themselves that change so.
    let mut selves: BTreeMap<ClassId, &Ruling> = BTreeMap::new();
    for cell in &sheet.selves {
        if let Some(answer) = direction.decided(answers, cell.questions) {
            selves.insert(cell.place, answer);
        }
    }
    for (ys, (xs, policies)) in rows(sheet, answers, direction) {
        let principals = members(&sheet.principals, &xs);
        let resources = members(&sheet.resources, &ys);
        let on_resources: FixedBitSet = resources.iter().copied().collect();
        let both: Vec<ClassId> =
            principals.iter().copied().filter(|id| on_resources.contains(*id)).collect();
        // Entities on themselves are part of the rectangle if all of them are.
        let mut policies: BTreeSet<PolicyId> = policies.into_iter().cloned().collect();
        let pairing = if both.iter().all(|class| selves.contains_key(class)) {
            for answer in both.iter().filter_map(|class| selves.remove(class)) {
                policies.extend(answer.by.iter().cloned());
            }
            Pairing::All
        } else {
            Pairing::Others
        };
        if pairs(pairing, &principals, &resources, classes) > 0 {
            add(pieces, (pairing, principals, resources), sheet, policies);
        }
    }
    if !selves.is_empty() {
        let who: Arc<[ClassId]> = selves.keys().copied().collect();
        let policies = selves.values().flat_map(|answer| answer.by.iter().cloned());
        add(pieces, (Pairing::Same, Arc::clone(&who), who), sheet, policies.collect());
    }
}

fn add(pieces: &mut Pieces, place: Place, sheet: &Sheet, policies: BTreeSet<PolicyId>) {
    let (actions, decided) = pieces.entry(place).or_default();
    actions.extend(&sheet.actions);
    decided.extend(policies);
}

fn rows<'s>(sheet: &Sheet, answers: &'s [Ruling], direction: Direction) -> Rows<'s> {
    let mut rows = Rows::new();
    // Cells come by principals, so a row ends where the next begins.
    for row in sheet.cells.chunk_by(|one, two| one.place.0 == two.place.0) {
        let (mut ys, mut decided) = (Vec::new(), BTreeSet::new());
        let mut x = None;
        for cell in row {
            if let Some(answer) = direction.decided(answers, cell.questions) {
                x = Some(cell.place.0);
                ys.push(cell.place.1);
                decided.extend(&answer.by);
            }
        }
        if let Some(x) = x {
            let (xs, policies) = rows.entry(ys).or_default();
            xs.push(x);
            policies.extend(decided);
        }
    }
    rows
}

fn members(crowds: &[Crowd], at: &[usize]) -> Arc<[ClassId]> {
    let mut classes: Vec<ClassId> = at
        .iter()
        .filter_map(|at| crowds.get(*at))
        .flat_map(|crowd| &crowd.classes)
        .copied()
        .collect();
    classes.sort_unstable();
    classes.into()
}

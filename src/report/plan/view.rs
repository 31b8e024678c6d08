//! What a plan says before it is written in any format: what belongs together, and what comes first.
//!
//! Steps are gathered by object, objects by what they risk; objects to which the same is done stand
//! as one. Nothing here is text, and nothing is left out: how much of it is shown is for the formats.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::model::name::Kind;
use crate::model::record::ObjectKey;
use crate::plan::file::{Plan, Why};
use crate::plan::step::{Cause, Decision, FieldChange, Report, Source, State, Step, Verb};

/// A plan, arranged for a reader.
#[derive(Debug)]
pub(in crate::report) struct View<'p> {
    pub(super) plan: &'p Plan,
    pub(super) tally: Tally,
    /// By risk, without empty ones.
    pub(super) sections: Vec<Section<'p>>,
    /// By state, what somebody has to do first, without empty ones.
    pub(super) reports: Vec<Reports<'p>>,
}

/// How much of everything.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) all: Counts,
    pub(super) by_kind: BTreeMap<Kind, Counts>,
    pub(super) irreversible: u64,
    /// Reports that wait for people.
    pub(super) waiting: u64,
    /// Reports of what is held until something else is done.
    pub(super) held: u64,
    /// Limits that are exceeded.
    pub(super) over: Vec<&'static str>,
    pub(super) refused: u64,
    /// Steps that policy was not asked about, and why.
    pub(super) unjudged: Option<(u64, String)>,
}

/// Steps.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) create: u64,
    pub(super) change: u64,
    pub(super) take_away: u64,
}

impl Counts {
    fn add(&mut self, verb: Verb) {
        match verb {
            Verb::Create | Verb::Restore => self.create += 1,
            Verb::Update | Verb::Grant | Verb::Request | Verb::Reset => self.change += 1,
            Verb::Revoke | Verb::Disable | Verb::Delete | Verb::End => self.take_away += 1,
        }
    }
}

/// What a reader should be afraid of, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Risk {
    Refused,
    Irreversible,
    TakesAway,
    Privileged,
    Usual,
}

impl Risk {
    pub(super) const fn heading(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Irreversible => "cannot be taken back",
            Self::TakesAway => "takes something away",
            Self::Privileged => "gives privileges",
            Self::Usual => "the rest",
        }
    }

    fn of(step: &Step, refused: &HashSet<&str>) -> Self {
        if refused.contains(step.id.as_str()) || step.authorisation.decision == Decision::Deny {
            Self::Refused
        } else if step.irreversible.is_some() {
            Self::Irreversible
        } else if step.verb.takes_away() {
            Self::TakesAway
        } else if step.cost.privileged_grants > 0 {
            Self::Privileged
        } else {
            Self::Usual
        }
    }
}

/// What shares a risk.
#[derive(Debug)]
pub(super) struct Section<'p> {
    pub(super) risk: Risk,
    /// Objects.
    pub(super) count: usize,
    pub(super) entries: Vec<Entry<'p>>,
}

/// An object, or many to which the same is done.
#[derive(Debug)]
pub(super) struct Entry<'p> {
    pub(super) first: Block<'p>,
    pub(super) others: Vec<Block<'p>>,
}

impl<'p> Entry<'p> {
    pub(super) fn count(&self) -> usize {
        self.others.len() + 1
    }

    pub(super) fn blocks(&self) -> impl Iterator<Item = &Block<'p>> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// Whether this very change is made to each of them.
    pub(super) fn is_same_in_all(&self, field: &FieldChange) -> bool {
        self.others.iter().all(|block| block.fields().any(|other| other == field))
    }

    /// The first field that becomes something else in each of them.
    pub(super) fn differing(&self) -> Option<&'p str> {
        let mut fields = self.first.fields().filter(|field| !self.is_same_in_all(field));
        fields.next().map(|field| field.path.as_str())
    }
}

/// An object, and all that is done to it.
#[derive(Debug)]
pub(super) struct Block<'p> {
    pub(super) object: &'p ObjectKey,
    pub(super) source: Option<&'p Source>,
    pub(super) risk: Risk,
    /// In the order of the plan.
    pub(super) steps: Vec<&'p Step>,
}

impl<'p> Block<'p> {
    pub(super) fn fields(&self) -> impl Iterator<Item = &'p FieldChange> {
        self.steps.iter().flat_map(|step| &step.fields)
    }

    pub(super) fn field(&self, path: &str) -> Option<&'p FieldChange> {
        self.fields().find(|field| field.path == path)
    }

    /// What all of it comes to, in a character.
    pub(super) fn sign(&self) -> char {
        let any = |verb: Verb| self.steps.iter().any(|step| step.verb == verb);
        if any(Verb::End) {
            '!'
        } else if self.steps.iter().all(|step| step.verb.takes_away()) {
            '-'
        } else if any(Verb::Create) || any(Verb::Restore) {
            '+'
        } else if self.steps.iter().all(|step| step.verb == Verb::Request) {
            '?'
        } else {
            '~'
        }
    }
}

/// A verb in a character.
pub(super) const fn sign(verb: Verb) -> char {
    match verb {
        Verb::Create | Verb::Restore | Verb::Grant => '+',
        Verb::Update | Verb::Reset => '~',
        Verb::Revoke | Verb::Disable | Verb::Delete => '-',
        Verb::End => '!',
        Verb::Request => '?',
    }
}

/// Reports of one state.
#[derive(Debug)]
pub(super) struct Reports<'p> {
    pub(super) state: State,
    /// Those that stand for many count as many.
    pub(super) count: u64,
    /// What ends soonest first.
    pub(super) all: Vec<&'p Report>,
}

/// Reports that say the same of objects of a kind.
#[derive(Debug)]
pub(super) struct Group<'p> {
    pub(super) kind: Kind,
    pub(super) message: &'p str,
    pub(super) count: u64,
    pub(super) all: Vec<&'p Report>,
}

impl<'p> Reports<'p> {
    /// In the order in which they come first.
    pub(super) fn groups(&self) -> Vec<Group<'p>> {
        let mut places: HashMap<(Kind, &str), usize> = HashMap::new();
        let mut groups: Vec<Group<'p>> = Vec::new();
        for report in &self.all {
            let (kind, message) = (report.object.kind, report.message.as_str());
            let place = *places.entry((kind, message)).or_insert(groups.len());
            if place == groups.len() {
                groups.push(Group { kind, message, count: 0, all: Vec::new() });
            }
            if let Some(group) = groups.get_mut(place) {
                group.count += report.count.unwrap_or(1);
                group.all.push(report);
            }
        }
        groups
    }
}

/// What a person does once: for one object, for all that wait at the same link, or for all customers of
/// a template, each at a link of its own.
#[derive(Debug)]
pub(super) struct Errand<'p> {
    pub(super) first: &'p Report,
    pub(super) others: Vec<&'p Report>,
}

impl<'p> Errand<'p> {
    pub(super) fn all(&self) -> impl Iterator<Item = &'p Report> {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }

    pub(super) fn count(&self) -> u64 {
        self.all().map(|report| report.count.unwrap_or(1)).sum()
    }

    /// The link at which all of them wait.
    pub(super) fn link(&self) -> Option<&'p str> {
        let link = self.first.link.as_deref();
        link.filter(|link| self.all().all(|report| report.link.as_deref() == Some(link)))
    }

    /// What a person does for all of them.
    pub(super) fn instructions(&self) -> Option<String> {
        match self.first.object.name.split_once('/') {
            Some((template, _)) if !self.others.is_empty() => Some(format!(
                "`partnerctl invite delegated-access/{template}` writes a mail for each, with its link."
            )),
            _ => self.first.instructions.clone(),
        }
    }

    /// Whom they wait for, if it is the same for all.
    pub(super) fn awaiting(&self) -> Option<&'p str> {
        let whom = self.first.awaiting.as_deref();
        if self.all().all(|report| report.awaiting.as_deref() == whom) {
            whom
        } else {
            Some("a global admin of each")
        }
    }
}

impl<'p> Reports<'p> {
    /// Many customers get the same invitation: those stand as one.
    pub(super) fn errands(&self) -> Vec<Errand<'p>> {
        let key = |report: &'p Report| {
            let link = report.link.as_deref()?;
            let (kind, name) = (report.object.kind, &report.object.name);
            // A template asks each of its customers for the same.
            let template = name.split_once('/').map(|(template, _)| template);
            Some((kind, template.filter(|_| kind == Kind::DelegatedAccess).unwrap_or(link)))
        };
        let mut counts: HashMap<(Kind, &str), usize> = HashMap::new();
        for link in self.all.iter().filter_map(|report| key(report)) {
            *counts.entry(link).or_default() += 1;
        }
        let mut places: HashMap<(Kind, &str), usize> = HashMap::new();
        let mut errands: Vec<Errand<'p>> = Vec::new();
        for report in &self.all {
            let link =
                key(report).filter(|link| counts.get(link).is_some_and(|all| *all > ALIKE_MAX));
            let known = link.and_then(|link| places.get(&link).copied());
            if let Some(errand) = known.and_then(|place| errands.get_mut(place)) {
                errand.others.push(report);
                continue;
            }
            if let Some(link) = link {
                places.insert(link, errands.len());
            }
            errands.push(Errand { first: report, others: Vec::new() });
        }
        errands
    }

    /// Whether there is anything to be done by somebody.
    pub(super) fn has_errands(&self) -> bool {
        self.all.iter().any(|report| report.link.is_some() || report.instructions.is_some())
    }
}

/// So many alike are shown one by one; more stand as one.
const ALIKE_MAX: usize = 5;

/// States in the order of who should look: a person, us, nobody.
const STATES: [State; 10] = [
    State::Waiting,
    State::Final,
    State::Stale,
    State::Held,
    State::Gone,
    State::Settling,
    State::Unrecognised,
    State::Foreign,
    State::Unmanaged,
    State::Ignored,
];

impl<'p> View<'p> {
    pub(in crate::report) fn of(plan: &'p Plan) -> Self {
        let mut sections: BTreeMap<Risk, Vec<Block<'p>>> = BTreeMap::new();
        for block in blocks(plan) {
            sections.entry(block.risk).or_default().push(block);
        }
        let sections = sections
            .into_iter()
            .map(|(risk, blocks)| Section { risk, count: blocks.len(), entries: folded(blocks) })
            .collect();
        let reports: Vec<Reports<'p>> =
            STATES.iter().filter_map(|state| reports(plan, *state)).collect();
        let count = |state: State| {
            reports.iter().find(|some| some.state == state).map_or(0, |some| some.count)
        };
        let tally = tally(plan, count(State::Waiting), count(State::Held));
        Self { plan, tally, sections, reports }
    }

    /// How often each cause stands in the plan.
    pub(super) fn causes(&self) -> BTreeMap<Cause, usize> {
        let mut causes = BTreeMap::new();
        for field in self.plan.steps.iter().flat_map(|step| &step.fields) {
            *causes.entry(field.cause).or_default() += 1;
        }
        causes
    }
}

fn tally(plan: &Plan, waiting: u64, held: u64) -> Tally {
    let mut tally = Tally { waiting, held, ..Tally::default() };
    for step in &plan.steps {
        tally.all.add(step.verb);
        tally.by_kind.entry(step.object.kind).or_default().add(step.verb);
        tally.irreversible += u64::from(step.irreversible.is_some());
    }
    let over = plan.limits.named().into_iter().filter(|(_, measured)| measured.exceeded);
    tally.over = over.map(|(name, _)| name).collect();
    // A limit is said to be exceeded in its own words.
    let others = plan.refused.iter().filter(|refusal| refusal.why != Why::Limit);
    tally.refused = others.count() as u64;
    let mut unjudged = plan
        .steps
        .iter()
        .filter(|step| step.authorisation.decision == Decision::Unknown)
        .map(|step| step.authorisation.reason.clone().unwrap_or_default());
    tally.unjudged = unjudged.next().map(|reason| (1 + unjudged.count() as u64, reason));
    tally
}

/// The objects of a plan, by kind and name.
fn blocks(plan: &Plan) -> Vec<Block<'_>> {
    let refused: HashSet<&str> =
        plan.refused.iter().filter_map(|refusal| refusal.step.as_deref()).collect();
    let mut blocks: BTreeMap<&ObjectKey, Block<'_>> = BTreeMap::new();
    for step in &plan.steps {
        let risk = Risk::of(step, &refused);
        let block = blocks.entry(&step.object).or_insert_with(|| Block {
            object: &step.object,
            source: None,
            risk,
            steps: Vec::new(),
        });
        block.risk = block.risk.min(risk);
        block.source = block.source.or(step.source.as_ref());
        block.steps.push(step);
    }
    blocks.into_values().collect()
}

/// Stands those together to which the same is done.
fn folded(blocks: Vec<Block<'_>>) -> Vec<Entry<'_>> {
    let mut counts: HashMap<Alike<'_>, usize> = HashMap::new();
    for block in &blocks {
        *counts.entry(Alike::of(block)).or_default() += 1;
    }
    let mut places: HashMap<Alike<'_>, usize> = HashMap::new();
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for block in blocks {
        let alike = Alike::of(&block);
        if counts.get(&alike).is_some_and(|count| *count > ALIKE_MAX) {
            let place = *places.entry(alike).or_insert(entries.len());
            if let Some(entry) = entries.get_mut(place) {
                entry.others.push(block);
                continue;
            }
        }
        entries.push(Entry { first: block, others: Vec::new() });
    }
    entries
}

/// What two objects have in common that stand as one: what is done, to which fields, for which
/// reason; and the value too, where it is the very thing (which role, on or off).
#[derive(Debug, PartialEq, Eq, Hash)]
struct Alike<'p> {
    kind: Kind,
    steps: Vec<AlikeStep<'p>>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct AlikeStep<'p> {
    verb: Verb,
    irreversible: Option<&'p str>,
    denied: Option<&'p [String]>,
    fields: Vec<(&'p str, Cause, Option<String>)>,
}

impl<'p> Alike<'p> {
    fn of(block: &Block<'p>) -> Self {
        let step = |step: &&'p Step| AlikeStep {
            verb: step.verb,
            irreversible: step.irreversible.as_deref(),
            denied: (step.authorisation.decision == Decision::Deny)
                .then_some(step.authorisation.policies.as_slice()),
            fields: step
                .fields
                .iter()
                .map(|field| {
                    let is_thing = matches!(step.verb, Verb::Grant | Verb::Revoke | Verb::Disable)
                        || field.after.is_boolean();
                    let value = is_thing.then(|| format!("{} {}", field.before, field.after));
                    (field.path.as_str(), field.cause, value)
                })
                .collect(),
        };
        Self { kind: block.object.kind, steps: block.steps.iter().map(step).collect() }
    }
}

fn reports(plan: &Plan, state: State) -> Option<Reports<'_>> {
    let mut all: Vec<&Report> = plan.report.iter().filter(|report| report.state == state).collect();
    if all.is_empty() {
        return None;
    }
    // Stable: those that end never come last, in the order of the plan.
    all.sort_by_key(|report| (report.until.is_none(), report.until));
    let count = all.iter().map(|report| report.count.unwrap_or(1)).sum();
    Some(Reports { state, count, all })
}

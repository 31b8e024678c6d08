//! A tenant, what is remembered of it, and runs; with what must hold of every run.
//!
//! The service is strict (`plan::tests::service`): whatever it would refuse ends the test. Memory is kept
//! as a run keeps it.

use std::collections::{BTreeMap, BTreeSet};

use crate::apply::blocks;
use crate::apply::execute::Sent;
use crate::apply::record::{Keeping, Objects, unsettled};
use crate::ledger::Change as Kept;
use crate::model::estate::{CustomerIndex, Estate};
use crate::model::id::RoleTemplateId;
use crate::model::name::Kind;
use crate::model::record::{Managed, ObjectKey, Recorded};
use crate::model::tenant::{DelegationStatus as Status, ObjectId, RelationshipId, Snapshot};
use crate::model::time::Day;
use crate::plan::tests::service;
use crate::plan::tests::stage::{self, Stage};
use crate::plan::{Change, Planned, Step, Target, guard};

/// By which seat, which group, which role.
pub(super) type Access = (ObjectKey, ObjectId, RoleTemplateId);

pub(super) struct World {
    pub(super) stage: Stage,
    known: BTreeMap<ObjectKey, Managed>,
    /// Relationships that we made, or took over because they were just what was wanted.
    ours: BTreeMap<RelationshipId, ObjectKey>,
    /// Those of them that we made.
    made: BTreeSet<RelationshipId>,
    /// Groups that a grant named while a relationship was ours.
    named: BTreeSet<(RelationshipId, ObjectId)>,
    /// A group to which the service gives nothing for now.
    pub(super) fails: Option<ObjectId>,
    log: Vec<String>,
}

impl World {
    pub(super) fn new(stage: Stage) -> Self {
        Self {
            stage,
            known: BTreeMap::new(),
            ours: BTreeMap::new(),
            made: BTreeSet::new(),
            named: BTreeSet::new(),
            fails: None,
            log: Vec::new(),
        }
    }

    pub(super) fn say(&mut self, line: impl Into<String>) {
        self.log.push(line.into());
    }

    pub(super) fn log(&self) -> String {
        self.log.join("\n")
    }

    /// Another name for what a seat is made of.
    pub(super) fn renamed(&mut self, name: impl Fn(&ObjectKey) -> ObjectKey) {
        for seat in self.ours.values_mut() {
            *seat = name(seat);
        }
    }

    pub(super) fn tenant(&mut self) -> &mut Snapshot {
        &mut self.stage.snapshot
    }

    pub(super) fn with_status(&self, status: &Status) -> Vec<RelationshipId> {
        let all = self.stage.snapshot.delegated.iter();
        all.filter(|(_, one)| one.status == *status).map(|(id, _)| id.clone()).collect()
    }

    pub(super) fn pending(&self) -> Vec<RelationshipId> {
        self.with_status(&Status::ApprovalPending)
    }

    /// All customers say yes to all that they are asked.
    pub(super) fn approve(&mut self) {
        for id in self.pending() {
            service::approve(&mut self.stage.snapshot, &id);
        }
    }

    pub(super) fn pass(&mut self, days: i64) {
        service::pass(&mut self.stage.snapshot, days);
        self.stage.now = self.stage.snapshot.observed_at;
    }

    pub(super) fn plan(&mut self) -> Planned {
        self.remember();
        self.stage.plan()
    }

    pub(super) fn today(&self) -> Day {
        Day(self.stage.now.to_zoned(jiff::tz::TimeZone::UTC).date())
    }

    /// What is remembered of a seat.
    pub(super) fn known(&self, seat: &str) -> Option<&Managed> {
        self.known.get(&ObjectKey::parse(seat).unwrap())
    }

    /// Plans, and does it.
    pub(super) fn run(&mut self) -> Planned {
        let estate = self.stage.estate();
        let mut planned = self.plan();
        self.must_be_told_apart(&planned);
        let (before, wanted) = (self.access_by_seat(), wanted(&estate, self.today()));
        let recorded = self.recorded();
        let keeping = Keeping { estate: &estate, name: "fabrikam", run: "run" };
        let objects = Objects::new(keeping, &recorded);
        let mut failed: Vec<&Step> = Vec::new();
        let mut lost: BTreeMap<&ObjectKey, u32> = BTreeMap::new();
        for step in &planned.steps {
            if step.object.kind != Kind::DelegatedAccess {
                continue;
            }
            let needs = |other: &&Step| step.depends_on.contains(&other.id);
            if failed.iter().any(needs) || failed.iter().any(|gift| blocks(gift, step)) {
                self.say(format!("  skipped {}", step.id));
                failed.push(step);
                continue;
            }
            self.say(format!("  {}: {}", step.id, step.summary));
            let had = service::access(&self.stage.snapshot);
            let foreign = self.foreign();
            let Some(sent) = self.carry(step, &estate) else {
                failed.push(step);
                continue;
            };
            keep(&mut self.known, objects.done(step, &sent));
            // Of what is still wanted nothing is lost on the way, and what others have stays theirs.
            let now = self.access_by_seat();
            let gone: Vec<_> = before.difference(&now).filter(|one| wanted.contains(one)).collect();
            assert!(gone.is_empty(), "lost {gone:?} by {}\n{}", step.id, self.log());
            if !matches!(step.change, Change::UpdateDelegation { .. }) {
                let now = self.foreign();
                let gone: Vec<_> = foreign.difference(&now).collect();
                assert!(gone.is_empty(), "{} takes {gone:?} from others\n{}", step.id, self.log());
            }
            if !had.is_subset(&service::access(&self.stage.snapshot)) {
                lost.entry(&step.object).or_default();
            }
        }
        // An object counts once, however much is taken from it.
        for step in &planned.steps {
            lost.entry(&step.object).and_modify(|count| *count += step.cost.removals);
        }
        for (object, count) in lost {
            assert!(count > 0, "what {object} takes counts as nothing\n{}", self.log());
        }
        let open: Vec<ObjectKey> = failed.iter().map(|step| step.object.clone()).collect();
        let is_whole = open.is_empty();
        planned.remains.open.extend(open);
        self.ends(keeping, &planned, &wanted, is_whole);
        planned
    }

    /// Does a step, as the service lets it; nothing, where it fails.
    fn carry(&mut self, step: &Step, estate: &Estate) -> Option<Sent> {
        self.may_be_touched(step, estate);
        self.must_be_as_seen(step);
        let id = match service::carry(&mut self.stage.snapshot, &step.change, group_of) {
            Ok(id) => id,
            Err(why) => panic!("the service refuses {step:#?}: {why}\n{}", self.log()),
        };
        if let (Change::AssignDelegated { group: Target::Id(group), .. }, Some(fails)) =
            (&step.change, self.fails)
            && *group == fails
        {
            let one = self.stage.snapshot.delegated.get_mut(&id).unwrap();
            let all = one.assignments.iter_mut().flatten();
            let new = all.filter(|held| held.group == fails && held.status == "active");
            new.for_each(|held| held.status = "error".into());
            return None;
        }
        if matches!(step.change, Change::RequestDelegation { .. }) {
            self.ours.insert(id.clone(), step.object.clone());
            self.made.insert(id.clone());
        }
        Some(Sent { remote_id: Some(id.0), ..Sent::default() })
    }

    /// What a run does at its end, and what must hold then.
    fn ends(
        &mut self,
        keeping: Keeping<'_>,
        planned: &Planned,
        wanted: &BTreeSet<Access>,
        is_whole: bool,
    ) {
        let live = planned.bound.delegated.iter();
        let live = live.map(|(key, id)| (key.clone(), Some(id.0.clone()))).collect();
        let known = self.known.values().cloned().collect();
        let mut remains = planned.remains.clone();
        for step in &planned.steps {
            crate::apply::seats::leave(&mut remains, step);
        }
        keep(&mut self.known, unsettled(keeping, &known, live, &remains, true));
        for (seat, now) in &planned.remains.seats {
            for id in now.relationships.keys() {
                self.may_be_ours(id, seat, keeping.estate);
            }
        }
        for (seat, group, _) in wanted {
            let of_seat = self.ours.iter().filter(|(_, of)| *of == seat);
            self.named.extend(of_seat.map(|(id, _)| (id.clone(), *group)));
        }
        if is_whole {
            let more = self.more_than(wanted);
            assert!(more.is_empty(), "{more:?} is not wanted\n{}", self.log());
        }
    }

    /// What groups can do by what is ours, and nobody wants.
    pub(super) fn more_than(&self, wanted: &BTreeSet<Access>) -> Vec<Access> {
        let of = |(id, seat): (&RelationshipId, &ObjectKey)| {
            let is_let_go =
                !self.made.contains(id) && !wanted.iter().any(|(wanted, ..)| wanted == seat);
            let all = if is_let_go { Vec::new() } else { self.access_of(id) };
            let named = all.into_iter().filter(|(group, _)| {
                self.made.contains(id) || self.named.contains(&(id.clone(), *group))
            });
            named.map(|(group, role)| (seat.clone(), group, role)).collect::<Vec<_>>()
        };
        let all = self.ours.iter().flat_map(of);
        all.filter(|one| !wanted.contains(one)).collect()
    }

    /// What groups that no grant names have by what others made.
    fn foreign(&self) -> BTreeSet<(RelationshipId, ObjectId, RoleTemplateId)> {
        let theirs = self.stage.snapshot.delegated.keys().filter(|id| !self.made.contains(*id));
        theirs
            .flat_map(|id| {
                let all = self.access_of(id).into_iter();
                all.map(|(group, role)| (id.clone(), group, role)).collect::<Vec<_>>()
            })
            .filter(|(id, group, _)| {
                let is_grants = |group: ObjectId| {
                    [stage::object_id("Service Desk"), stage::object_id("Watch")].contains(&group)
                };
                !self.named.contains(&(id.clone(), *group)) && !is_grants(*group)
            })
            .collect()
    }

    fn access_of(&self, id: &RelationshipId) -> Vec<(ObjectId, RoleTemplateId)> {
        self.stage.snapshot.delegated.get(id).map(service::access_by).unwrap_or_default()
    }

    /// What groups can do by what is ours, for which seat.
    pub(super) fn access_by_seat(&self) -> BTreeSet<Access> {
        let of = |(id, seat): (&RelationshipId, &ObjectKey)| {
            let seat = seat.clone();
            let all = self.access_of(id).into_iter();
            all.map(move |(group, role)| (seat.clone(), group, role)).collect::<Vec<_>>()
        };
        self.ours.iter().flat_map(of).collect()
    }

    fn recorded(&self) -> Vec<Recorded> {
        let at = self.stage.now - jiff::SignedDuration::from_hours(2);
        self.known.values().map(|one| Recorded { managed: one.clone(), at }).collect()
    }

    fn remember(&mut self) {
        let all = self.recorded();
        self.stage.remember_all(all);
    }

    /// The journal knows steps by their ids.
    fn must_be_told_apart(&self, planned: &Planned) {
        let mut ids = BTreeSet::new();
        for step in &planned.steps {
            assert!(ids.insert(&step.id), "{} twice\n{}", step.id, self.log());
        }
    }

    /// What a step was planned on is so when its turn comes.
    fn must_be_as_seen(&self, step: &Step) {
        let Some(id) = step.change.relationship() else { return };
        let why = guard::delegation(&step.guard, &self.stage.snapshot.delegated[id]);
        assert_eq!(why, None, "{}\n{}", step.id, self.log());
    }

    /// Nothing is touched that is not ours, or just what is wanted.
    fn may_be_touched(&mut self, step: &Step, estate: &Estate) {
        if let Some(id) = step.change.relationship() {
            self.may_be_ours(id, &step.object, estate);
        }
    }

    /// What was just what is declared is taken over.
    fn may_be_ours(&mut self, id: &RelationshipId, seat: &ObjectKey, estate: &Estate) {
        if self.ours.contains_key(id) {
            return;
        }
        let found = &self.stage.snapshot.delegated[id];
        let template = seat.name.split('/').next().unwrap();
        let declared = &estate.delegated_access[template].spec;
        let roles: BTreeSet<RoleTemplateId> = declared
            .grants
            .iter()
            .flat_map(|grant| &grant.directory_roles)
            .map(|role| role.0)
            .collect();
        assert_eq!(found.roles, roles, "{} is not ours\n{}", id.0, self.log());
        self.ours.insert(id.clone(), seat.clone());
    }
}

fn group_of(target: &Target) -> ObjectId {
    match target {
        Target::Id(id) => *id,
        Target::MadeFor(key) => panic!("{key} is there"),
    }
}

fn keep(known: &mut BTreeMap<ObjectKey, Managed>, changes: Vec<Kept>) {
    for change in changes {
        match change {
            Kept::Put(managed) => {
                // Other kinds are not what this is about.
                if managed.key.kind == Kind::DelegatedAccess {
                    known.insert(managed.key.clone(), *managed);
                }
            }
            Kept::Forget(key) => {
                known.remove(&key);
            }
            Kept::Rename { from, .. } => {
                known.remove(&from);
            }
        }
    }
}

/// What groups are to be able to do, by which seat.
pub(super) fn wanted(estate: &Estate, today: Day) -> BTreeSet<Access> {
    let index = CustomerIndex::of(estate, |_| true);
    let mut all = BTreeSet::new();
    for template in estate.delegated_access.values() {
        for (name, _) in index.selected(&template.spec.customers) {
            let seat = format!("delegated-access/{}/{name}", template.metadata.name);
            let seat = ObjectKey::parse(&seat).unwrap();
            for grant in &template.spec.grants {
                if estate.roles[&grant.to].metadata.has_expired(today) {
                    continue;
                }
                let group = if grant.to.as_str() == "watch" { "Watch" } else { "Service Desk" };
                let roles = grant.directory_roles.iter();
                all.extend(roles.map(|role| (seat.clone(), stage::object_id(group), role.0)));
            }
        }
    }
    all
}

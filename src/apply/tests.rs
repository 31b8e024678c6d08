//! Delegated access, played through at random: an estate that people edit, customers who answer as they
//! like, others who work in the portal, and time.
//!
//! The service is strict (`plan::tests::service`): whatever it would refuse ends the game. Memory is kept
//! as a run keeps it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use proptest::prelude::{ProptestConfig, proptest};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng};

use super::execute::Sent;
use super::record::{Keeping, Objects, unsettled};
use crate::ledger::Change as Kept;
use crate::model::estate::Estate;
use crate::model::id::{RoleTemplateId, TenantId};
use crate::model::record::{Managed, ObjectKey, Recorded};
use crate::model::tenant::{DelegationStatus as Status, ObjectId, RelationshipId};
use crate::plan::tests::service;
use crate::plan::tests::stage::{self, Stage};
use crate::plan::{Change, Planned, Step, Target};

const ROLES: [&str; 5] = [
    "Directory Readers",
    "Helpdesk Administrator",
    "License Administrator",
    "Service Support Administrator",
    "Global Administrator",
];
const CUSTOMERS: [&str; 4] = ["adatum", "contoso", "fourth", "woodgrove"];
const TEMPLATES: [&str; 2] = ["ops", "watch"];

/// What people may edit of a template.
#[derive(Debug, Clone)]
struct Template {
    label: &'static str,
    grants: BTreeMap<&'static str, BTreeSet<&'static str>>,
    days: u32,
    extends: bool,
    now: bool,
    is_there: bool,
}

struct Game {
    dice: StdRng,
    templates: BTreeMap<&'static str, Template>,
    /// Which labels each customer has.
    labels: BTreeMap<&'static str, BTreeSet<&'static str>>,
    stage: Stage,
    known: BTreeMap<ObjectKey, Managed>,
    /// Relationships that we made, or took over because they were just what was wanted.
    ours: BTreeMap<RelationshipId, ObjectKey>,
    log: Vec<String>,
}

impl Game {
    fn new(seed: u64) -> Self {
        let mut dice = StdRng::seed_from_u64(seed);
        let templates = TEMPLATES.map(|name| (name, Template::new(&mut dice))).into();
        let labels = CUSTOMERS
            .map(|name| {
                // Whoever is first has all, so that every selector selects somebody.
                let is_first = name == CUSTOMERS[0];
                let all = ["a", "b"].into_iter().filter(|_| is_first || dice.random_bool(0.6));
                (name, all.collect())
            })
            .into();
        let mut game = Self {
            dice,
            templates,
            labels,
            stage: Stage::base(),
            known: BTreeMap::new(),
            ours: BTreeMap::new(),
            log: Vec::new(),
        };
        let text = game.text();
        game.stage = Stage::fresh(&text).with(|stage| {
            stage.snapshot.groups.insert(object("Watch"), stage::group("Watch", "watch"));
        });
        game
    }

    fn text(&self) -> String {
        let mut text = stage::BASE.split("---\n").take(6).collect::<Vec<_>>().join("---\n");
        text.push_str("---\napiVersion: partnerctl/v1\nkind: Role\nmetadata: {name: watch}\nspec: {group: {name: Watch, mailNickname: watch}}\n");
        for (at, name) in CUSTOMERS.iter().enumerate() {
            let labels: Vec<String> =
                self.labels[name].iter().map(|label| format!("{label}: \"1\"")).collect();
            let _ = write!(
                text,
                "---\napiVersion: partnerctl/v1\nkind: Customer\nmetadata: {{name: {name}, labels: {{all: \"1\", {}}}}}\nspec: {{companyName: {name}, domain: {name}.example, tenantId: 0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e{at}}}\n",
                labels.join(", ")
            );
        }
        for (name, template) in self.templates.iter().filter(|(_, one)| one.is_there) {
            text.push_str(&template.text(name));
        }
        text
    }

    fn say(&mut self, line: impl Into<String>) {
        self.log.push(line.into());
    }

    /// What people do between two runs.
    fn something_happens(&mut self) {
        match self.dice.random_range(0..12) {
            0..=2 => self.somebody_edits(),
            3..=6 => self.a_customer_answers(),
            7 => self.a_customer_ends_something(),
            8 => self.somebody_works_in_the_portal(),
            9 => self.days_pass(),
            _ => {}
        }
    }

    fn somebody_edits(&mut self) {
        let name = TEMPLATES[self.dice.random_range(0..TEMPLATES.len())];
        match self.dice.random_range(0..4) {
            0 => {
                let customer = CUSTOMERS[self.dice.random_range(1..CUSTOMERS.len())];
                let label = if self.dice.random_bool(0.5) { "a" } else { "b" };
                let labels = self.labels.get_mut(customer).unwrap();
                if !labels.remove(label) {
                    labels.insert(label);
                }
                self.say(format!("the labels of {customer} are edited"));
            }
            1 => {
                let template = self.templates.get_mut(name).unwrap();
                template.is_there = !template.is_there || self.dice.random_bool(0.8);
                self.say(format!("{name} is there, or not"));
            }
            2 => {
                let new = Template::new(&mut self.dice);
                let template = self.templates.get_mut(name).unwrap();
                template.grants = new.grants;
                template.extends = template.extends && !template.has_global();
                self.say(format!("the grants of {name} are edited"));
            }
            _ => {
                let new = Template::new(&mut self.dice);
                let template = self.templates.get_mut(name).unwrap();
                let (label, grants) = (template.label, template.grants.clone());
                *template = Template { label, grants, ..new };
                template.extends = template.extends && !template.has_global();
                self.say(format!("{name} lasts otherwise"));
            }
        }
        let text = self.text();
        self.stage.rewrite(text);
    }

    fn pending(&self) -> Vec<RelationshipId> {
        self.with_status(&Status::ApprovalPending)
    }

    fn with_status(&self, status: &Status) -> Vec<RelationshipId> {
        let all = self.stage.snapshot.delegated.iter();
        all.filter(|(_, one)| one.status == *status).map(|(id, _)| id.clone()).collect()
    }

    fn a_customer_answers(&mut self) {
        for id in self.pending() {
            match self.dice.random_range(0..10) {
                0..=5 => {
                    service::approve(&mut self.stage.snapshot, &id);
                    self.say(format!("{} is approved", id.0));
                }
                6 => {
                    service::refuse(&mut self.stage.snapshot, &id);
                    self.say(format!("{} is declined", id.0));
                }
                _ => {}
            }
        }
    }

    fn a_customer_ends_something(&mut self) {
        let active = self.with_status(&Status::Active);
        if active.is_empty() {
            return;
        }
        let id = active[self.dice.random_range(0..active.len())].clone();
        service::refuse(&mut self.stage.snapshot, &id);
        self.say(format!("{} is ended by the customer", id.0));
    }

    fn somebody_works_in_the_portal(&mut self) {
        let roles = some_roles(&mut self.dice).iter().map(|name| role(name)).collect();
        let customer = tenant(self.dice.random_range(0..CUSTOMERS.len()));
        let name = format!("By hand {}", self.stage.snapshot.delegated.len());
        let tenant = &mut self.stage.snapshot;
        let id = service::begin(tenant, &name, customer, 365, roles, 0).unwrap();
        let lock = Change::LockDelegation { relationship: id.clone() };
        service::carry(tenant, &lock, |_| unreachable!()).unwrap();
        if self.dice.random_bool(0.7) {
            service::approve(&mut self.stage.snapshot, &id);
        }
        self.say(format!("{} is made by hand", id.0));
    }

    fn days_pass(&mut self) {
        let days = self.dice.random_range(1..120);
        service::pass(&mut self.stage.snapshot, days);
        self.stage.now = self.stage.snapshot.observed_at;
        self.say(format!("{days} days pass"));
    }

    /// Plans, and does it.
    fn run(&mut self) -> Planned {
        let estate = self.stage.estate();
        self.remember();
        let planned = self.stage.plan();
        let before = self.access_by_seat();
        let wanted = wanted(&estate);
        let keeping = Keeping { estate: &estate, name: "fabrikam", run: "run" };
        let recorded: Vec<Recorded> = self
            .known
            .values()
            .map(|managed| Recorded { managed: managed.clone(), at: self.stage.now })
            .collect();
        let objects = Objects::new(keeping, &recorded);
        for step in &planned.steps {
            self.log.push(format!("  {}: {}", step.id, step.summary));
            self.may_be_touched(step, &estate);
            let sent = match service::carry(&mut self.stage.snapshot, &step.change, group_of) {
                Ok(id) => Sent { remote_id: Some(id.0), ..Sent::default() },
                Err(why) => panic!("the service refuses {step:#?}: {why}\n{}", self.log.join("\n")),
            };
            if let Change::RequestDelegation { .. } = step.change {
                let id = RelationshipId(sent.remote_id.clone().unwrap());
                self.ours.insert(id, step.object.clone());
            }
            keep(&mut self.known, objects.done(step, &sent));
            // Of what is still wanted nothing is lost on the way.
            let now = self.access_by_seat();
            let lost: Vec<_> = before.difference(&now).filter(|one| wanted.contains(one)).collect();
            assert!(lost.is_empty(), "lost {lost:?} by {}\n{}", step.id, self.log.join("\n"));
        }
        let live = planned.bound.delegated.iter();
        let live = live.map(|(key, id)| (key.clone(), Some(id.0.clone()))).collect();
        let known: std::collections::HashMap<ObjectKey, Managed> =
            self.known.clone().into_iter().collect();
        keep(&mut self.known, unsettled(keeping, &known, live, &planned.open, true));
        // What was just what is declared is taken over.
        let bound = planned.bound.delegated.iter();
        self.ours.extend(bound.map(|(key, id)| (id.clone(), key.clone())));
        planned
    }

    /// What groups can do by what is ours, for which seat.
    fn access_by_seat(&self) -> BTreeSet<Access> {
        let tenant = &self.stage.snapshot;
        let of = |(id, seat): (&RelationshipId, &ObjectKey)| {
            let one = tenant.delegated.get(id).cloned();
            let mut alone = tenant.clone();
            alone.delegated = one.map(|one| (id.clone(), one)).into_iter().collect();
            let seat = seat.clone();
            service::access(&alone)
                .into_iter()
                .map(move |(_, group, role)| (seat.clone(), group, role))
                .collect::<Vec<_>>()
        };
        self.ours.iter().flat_map(of).collect()
    }

    fn remember(&mut self) {
        let at = self.stage.now - jiff::SignedDuration::from_hours(2);
        let all = self.known.values().map(|one| Recorded { managed: one.clone(), at }).collect();
        self.stage.remember_all(all);
    }

    /// Nothing is touched that is not ours, or just what is wanted.
    fn may_be_touched(&mut self, step: &Step, estate: &Estate) {
        let Some(id) = step.change.relationship() else { return };
        if self.ours.contains_key(id) {
            return;
        }
        let found = &self.stage.snapshot.delegated[id];
        let template = step.object.name.split('/').next().unwrap();
        let declared = &estate.delegated_access[template].spec;
        let roles: BTreeSet<RoleTemplateId> = declared
            .grants
            .iter()
            .flat_map(|grant| &grant.directory_roles)
            .map(|role| role.0)
            .collect();
        assert_eq!(found.roles, roles, "{} is not ours\n{}", step.id, self.log.join("\n"));
        self.ours.insert(id.clone(), step.object.clone());
    }
}

/// By which seat, which group, which role.
type Access = (ObjectKey, ObjectId, RoleTemplateId);

impl Template {
    fn new(dice: &mut StdRng) -> Self {
        let mut grants = BTreeMap::from([("desk", some_roles(dice))]);
        if dice.random_bool(0.4) {
            grants.insert("watch", some_roles(dice));
        }
        let mut template = Self {
            label: ["a", "b", "all"][dice.random_range(0..3)],
            grants,
            days: [90, 365, 730][dice.random_range(0..3)],
            extends: dice.random_bool(0.4),
            now: dice.random_bool(0.5),
            is_there: true,
        };
        template.extends &= !template.has_global();
        template
    }

    fn has_global(&self) -> bool {
        self.grants.values().flatten().any(|role| *role == "Global Administrator")
    }

    fn text(&self, name: &str) -> String {
        let grants: Vec<String> = self
            .grants
            .iter()
            .map(|(to, roles)| {
                let roles: Vec<&str> = roles.iter().copied().collect();
                format!("{{to: {to}, directoryRoles: [{}]}}", roles.join(", "))
            })
            .collect();
        let (extends, replace) = (
            if self.extends { "P180D" } else { "none" },
            if self.now { "now" } else { "at-renewal" },
        );
        format!(
            "---\napiVersion: partnerctl/v1\nkind: DelegatedAccess\nmetadata: {{name: {name}}}\nspec: {{customers: {{exists: [{}]}}, duration: P{}D, autoExtend: {extends}, renewBefore: P30D, replace: {replace}, grants: [{}]}}\n",
            self.label,
            self.days,
            grants.join(", ")
        )
    }
}

fn some_roles(dice: &mut StdRng) -> BTreeSet<&'static str> {
    let mut all: BTreeSet<&str> = ROLES.into_iter().filter(|_| dice.random_bool(0.3)).collect();
    if all.is_empty() {
        all.insert(ROLES[0]);
    }
    all
}

fn role(name: &str) -> RoleTemplateId {
    crate::model::directory_role::DirectoryRole::named(name).unwrap().0
}

fn tenant(at: usize) -> TenantId {
    TenantId(format!("0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e{at}").parse().unwrap())
}

fn object(name: &str) -> ObjectId {
    stage::object_id(name)
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
                if managed.key.kind == crate::model::name::Kind::DelegatedAccess {
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
fn wanted(estate: &Estate) -> BTreeSet<Access> {
    let index = crate::model::estate::CustomerIndex::of(estate, |_| true);
    let mut all = BTreeSet::new();
    for template in estate.delegated_access.values() {
        for (name, _) in index.selected(&template.spec.customers) {
            let seat = format!("delegated-access/{}/{name}", template.metadata.name);
            let seat = ObjectKey::parse(&seat).unwrap();
            for grant in &template.spec.grants {
                let group = if grant.to.as_str() == "watch" { "Watch" } else { "Service Desk" };
                let roles = grant.directory_roles.iter();
                all.extend(roles.map(|role| (seat.clone(), object(group), role.0)));
            }
        }
    }
    all
}

fn play(seed: u64, rounds: usize) {
    let mut game = Game::new(seed);
    for round in 0..rounds {
        game.say(format!("round {round}"));
        game.run();
        game.something_happens();
    }
    // From now on nobody edits, and customers say yes: what is wanted comes about, and stays.
    let mut quiet = 0;
    for round in 0..40 {
        game.say(format!("last round {round}"));
        let ended: Vec<ObjectKey> = game
            .stage
            .plan()
            .report
            .iter()
            .filter(|one| one.state == crate::plan::State::Gone)
            .map(|one| one.object.clone())
            .collect();
        game.stage.revive_all(ended);
        let planned = game.run();
        let pending = game.pending();
        for id in &pending {
            service::approve(&mut game.stage.snapshot, id);
        }
        if planned.steps.is_empty() && pending.is_empty() {
            quiet += 1;
            if quiet > 1 {
                break;
            }
        }
    }
    let estate = game.stage.estate();
    let (wanted, access) = (wanted(&estate), game.access_by_seat());
    // What waits for a renewal is not there before.
    let report = game.stage.plan().report;
    let waits = |(seat, ..): &Access| {
        report.iter().any(|one| {
            one.object == *seat
                && one.state == crate::plan::State::Held
                && one.message.contains("renewal")
        })
    };
    let missing: Vec<_> = wanted.difference(&access).filter(|one| !waits(one)).collect();
    assert!(missing.is_empty(), "missing {missing:?}\n{}", game.log.join("\n"));
    assert!(quiet > 0, "it never comes to rest\n{}", game.log.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever templates, labels and relationships there are: nothing is touched that is not ours or
    /// just what is wanted, the service refuses nothing, nobody loses what is still wanted, and in the
    /// end there is what was declared.
    #[test]
    fn delegated_access_is_carried_through(seed: u64) {
        play(seed, 25);
    }
}

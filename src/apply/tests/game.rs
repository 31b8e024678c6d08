//! Delegated access, played through at random: an estate that people edit, customers who answer as they
//! like, others who work in the portal, a service that is ill at times, and time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use proptest::prelude::{ProptestConfig, proptest};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng};

use super::world::{Access, World, wanted};
use crate::model::id::{RoleTemplateId, TenantId};
use crate::model::record::ObjectKey;
use crate::model::tenant::{DelegationStatus as Status, ObjectId};
use crate::plan::tests::service;
use crate::plan::tests::stage::{self, Stage};
use crate::plan::{Change, State, Target};

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
    /// What templates and customers are called, and were; the present name last.
    names: BTreeMap<&'static str, Vec<String>>,
    world: World,
}

/// The metadata of something that may have had other names.
fn named(names: &[String]) -> String {
    let (now, before) = names.split_last().unwrap();
    format!("name: {now}, formerly: [{}]", before.join(", "))
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
        let names = CUSTOMERS.into_iter().chain(TEMPLATES);
        let names = names.map(|name| (name, vec![name.to_owned()])).collect();
        let world = World::new(Stage::base());
        let mut game = Self { dice, templates, labels, names, world };
        let text = game.text();
        game.world.stage = Stage::fresh(&text).with(|stage| {
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
                "---\napiVersion: partnerctl/v1\nkind: Customer\nmetadata: {{{}, labels: {{all: \"1\", {}}}}}\nspec: {{companyName: {name}, domain: {name}.example, tenantId: 0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e{at}}}\n",
                named(&self.names[name]),
                labels.join(", ")
            );
        }
        for (name, template) in self.templates.iter().filter(|(_, one)| one.is_there) {
            text.push_str(&template.text(&named(&self.names[name])));
        }
        text
    }

    fn say(&mut self, line: impl Into<String>) {
        self.world.say(line);
    }

    /// What people do between two runs.
    fn something_happens(&mut self) {
        match self.dice.random_range(0..15) {
            0..=2 => self.somebody_edits(),
            3..=6 => self.a_customer_answers(),
            7 => self.a_customer_ends_something(),
            8 | 9 => self.somebody_works_in_the_portal(),
            10 => self.days_pass(),
            11 => self.something_is_renamed(),
            12 => self.somebody_gives_others_roles(),
            13 => {
                let is_ill = self.world.fails.is_none();
                self.world.fails = is_ill.then(|| object("Watch"));
                self.say(format!("the service is ill: {is_ill}"));
            }
            _ => {}
        }
    }

    fn something_is_renamed(&mut self) {
        let all: Vec<&'static str> = self.names.keys().copied().collect();
        let what = all[self.dice.random_range(0..all.len())];
        let names = self.names.get_mut(what).unwrap();
        let old = names.last().unwrap().clone();
        let new = format!("{what}-{}", names.len());
        names.push(new.clone());
        let is_template = TEMPLATES.contains(&what);
        self.world.renamed(|seat| {
            let (template, customer) = seat.name.split_once('/').unwrap();
            let name = match is_template {
                true if template == old => format!("{new}/{customer}"),
                false if customer == old => format!("{template}/{new}"),
                _ => return seat.clone(),
            };
            ObjectKey::new(seat.kind, name)
        });
        self.say(format!("{old} is called {new} now"));
        let text = self.text();
        self.world.stage.rewrite(text);
    }

    /// Another group gets roles by something that is active, whosever it is.
    fn somebody_gives_others_roles(&mut self) {
        let active = self.world.with_status(&Status::Active);
        if active.is_empty() {
            return;
        }
        let id = active[self.dice.random_range(0..active.len())].clone();
        let all = &self.world.stage.snapshot.delegated[&id].roles;
        let role = *all.iter().nth(self.dice.random_range(0..all.len())).unwrap();
        let group = object("HelpdeskAgents");
        let give = Change::AssignDelegated {
            relationship: id.clone(),
            group: Target::Id(group),
            roles: BTreeSet::from([role]),
            instead_of: None,
        };
        if service::carry(self.world.tenant(), &give, |_| group).is_ok() {
            self.say(format!("others get a role by {}", id.0));
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
        self.world.stage.rewrite(text);
    }

    fn a_customer_answers(&mut self) {
        for id in self.world.pending() {
            match self.dice.random_range(0..10) {
                0..=5 => {
                    service::approve(self.world.tenant(), &id);
                    self.say(format!("{} is approved", id.0));
                }
                6 => {
                    service::refuse(self.world.tenant(), &id);
                    self.say(format!("{} is declined", id.0));
                }
                _ => {}
            }
        }
    }

    fn a_customer_ends_something(&mut self) {
        let active = self.world.with_status(&Status::Active);
        if active.is_empty() {
            return;
        }
        let id = active[self.dice.random_range(0..active.len())].clone();
        service::refuse(self.world.tenant(), &id);
        self.say(format!("{} is ended by the customer", id.0));
    }

    /// Made by hand: just what a template asks for, often.
    fn somebody_works_in_the_portal(&mut self) {
        let template = &self.templates[TEMPLATES[self.dice.random_range(0..TEMPLATES.len())]];
        let names: BTreeSet<&str> = if self.dice.random_bool(0.6) {
            template.grants.values().flatten().copied().collect()
        } else {
            some_roles(&mut self.dice)
        };
        let roles: BTreeSet<RoleTemplateId> = names.into_iter().map(role).collect();
        let customer = tenant(self.dice.random_range(0..CUSTOMERS.len()));
        let all = self.world.stage.snapshot.delegated.values();
        let mut same = all.filter(|one| one.customer == Some(customer) && one.roles == roles);
        if same.any(|one| !one.status.is_over()) {
            // Which of several is meant nobody could say.
            return;
        }
        let name = format!("By hand {}", self.world.stage.snapshot.delegated.len());
        let tenant = self.world.tenant();
        let id = service::begin(tenant, &name, customer, 365, roles, 0).unwrap();
        let lock = Change::LockDelegation { relationship: id.clone() };
        service::carry(tenant, &lock, |_| unreachable!()).unwrap();
        if self.dice.random_bool(0.7) {
            service::approve(self.world.tenant(), &id);
        }
        self.say(format!("{} is made by hand", id.0));
    }

    fn days_pass(&mut self) {
        let days = self.dice.random_range(1..120);
        self.world.pass(days);
        self.say(format!("{days} days pass"));
    }
}

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
            "---\napiVersion: partnerctl/v1\nkind: DelegatedAccess\nmetadata: {{{name}}}\nspec: {{customers: {{exists: [{}]}}, duration: P{}D, autoExtend: {extends}, renewBefore: P30D, replace: {replace}, grants: [{}]}}\n",
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

fn play(seed: u64, rounds: usize) {
    let mut game = Game::new(seed);
    for round in 0..rounds {
        game.say(format!("round {round}"));
        game.world.run();
        game.something_happens();
    }
    // From now on nobody edits, nothing is ill, and customers say yes: what is wanted comes about, and
    // stays.
    game.world.fails = None;
    let mut quiet = 0;
    for round in 0..40 {
        game.say(format!("last round {round}"));
        let report = game.world.plan().report;
        let ended = report.iter().filter(|one| one.state == State::Gone);
        let ended: Vec<ObjectKey> = ended.map(|one| one.object.clone()).collect();
        game.world.stage.revive_all(ended);
        let planned = game.world.run();
        let is_pending = !game.world.pending().is_empty();
        game.world.approve();
        if planned.steps.is_empty() && !is_pending {
            quiet += 1;
            if quiet > 1 {
                break;
            }
        }
    }
    let estate = game.world.stage.estate();
    let (wanted, access) = (wanted(&estate, game.world.today()), game.world.access_by_seat());
    // What waits for a renewal is not there before.
    let report = game.world.plan().report;
    let waits = |(seat, ..): &Access| {
        report.iter().any(|one| {
            one.object == *seat && one.state == State::Held && one.message.contains("renewal")
        })
    };
    let missing: Vec<_> = wanted.difference(&access).filter(|one| !waits(one)).collect();
    assert!(missing.is_empty(), "missing {missing:?}\n{}", game.world.log());
    let more = game.world.more_than(&wanted);
    assert!(more.is_empty(), "more {more:?}\n{}", game.world.log());
    assert!(quiet > 0, "it never comes to rest\n{}", game.world.log());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 50, max_shrink_iters: 200, ..ProptestConfig::default() })]

    /// Whatever templates, labels and relationships there are, and whatever they are called by then:
    /// nothing is touched that is not ours or just what is wanted, the service refuses nothing, nobody
    /// loses what is still wanted, nor what is none of our business; and in the end there is what was
    /// declared, and nothing more by what is ours.
    #[test]
    fn delegated_access_is_carried_through(seed: u64) {
        play(seed, 25);
    }
}

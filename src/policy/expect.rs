//! `AccessTest` documents, held against the policies: each failure with its line, and which
//! policies no test touches.

use std::collections::BTreeSet;

use cedar_policy::PolicySet;

use super::access::{Access, Refused, Side, Universe, Which, matrix};
use super::judge::{Decision, Judge};
use super::rules::{Rule, Rules};
use super::vocabulary::applies;
use super::world::{self, Type, Uid, World};
use crate::manifest::draft::{Step, way};
use crate::model::access_test::{Check, Target};
use crate::model::action::Action;
use crate::model::estate::{CustomerIndex, Estate, Origin};
use crate::model::name::{Kind, Name, Reference, UserKey};

/// What all tests came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// In the order of names and of the lines in them.
    pub tests: Vec<Tested>,
    /// How many policies tests could touch.
    pub policies: usize,
    /// The ids of those that decided nothing, in the order of the rules.
    pub untouched: Vec<String>,
}

/// One line of a test.
#[derive(Debug)]
pub struct Tested {
    /// The document's name.
    pub document: Name,
    pub origin: Origin,
    /// Which of its lines.
    pub index: usize,
    /// What the line says, in a few words.
    pub says: String,
    /// Nothing if it holds.
    pub failures: Vec<Failure>,
}

/// Why a line does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The field of the line that is wrong.
    pub(crate) path: Vec<Step>,
    pub message: String,
}

/// Why tests could not be run.
#[derive(Debug)]
pub enum Broken {
    World(world::Refused),
    Access(Refused),
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::World(refused) => refused.fmt(f),
            Self::Access(refused) => refused.fmt(f),
        }
    }
}

impl std::error::Error for Broken {}

impl From<world::Refused> for Broken {
    fn from(refused: world::Refused) -> Self {
        Self::World(refused)
    }
}

impl From<Refused> for Broken {
    fn from(refused: Refused) -> Self {
        Self::Access(refused)
    }
}

/// Runs all access tests of an estate.
pub fn run(estate: &Estate, world: &World, rules: &Rules) -> Result<Outcome, Broken> {
    let mut world = world.clone();
    for test in estate.access_tests.values() {
        for check in &test.spec.checks {
            if let Check::Who { who: Reference::Document(Kind::Role, role), .. } = check {
                world.suppose_holder(role.as_str());
            }
        }
    }
    let policies = rules.set();
    let mut runner = Runner {
        estate,
        customers: CustomerIndex::of(estate, |_| true),
        world: &world,
        policies: &policies,
        judge: Judge::new(rules, &world)?,
        touched: BTreeSet::new(),
    };
    let mut tests = Vec::new();
    for (name, test) in &estate.access_tests {
        for (index, check) in test.spec.checks.iter().enumerate() {
            let failures = runner.check(check)?;
            let says = says(check);
            tests.push(Tested {
                document: name.clone(),
                origin: test.origin,
                index,
                says,
                failures: failures
                    .into_iter()
                    .map(|(path, message)| {
                        let mut whole = way!["spec", index];
                        whole.extend(path);
                        Failure { path: whole, message }
                    })
                    .collect(),
            });
        }
    }
    // What speaks of the estate itself answers no question of a test's.
    let asked: Vec<&str> = rules
        .iter()
        .filter(|rule| Action::ALL.iter().any(|action| rule.is_about(&action.cedar())))
        .map(Rule::id)
        .collect();
    let untouched = asked.iter().filter(|id| !runner.touched.contains(**id));
    let untouched = untouched.map(|id| (*id).to_owned()).collect();
    Ok(Outcome { tests, policies: asked.len(), untouched })
}

type Found = Vec<(Vec<Step>, String)>;

struct Runner<'a> {
    estate: &'a Estate,
    customers: CustomerIndex<'a>,
    world: &'a World,
    policies: &'a PolicySet,
    judge: Judge<'a>,
    touched: BTreeSet<String>,
}

impl Runner<'_> {
    fn check(&mut self, check: &Check) -> Result<Found, Broken> {
        match check {
            Check::Who { who, may, may_not, on, by } => {
                let Some(uid) = uid_of(self.estate, who) else {
                    return Ok(vec![(way!["who"], format!("`{who}` does nothing"))]);
                };
                let mut found = Vec::new();
                let by = by.as_ref().map(super::super::model::text::Title::as_str);
                if let Some(by) = by
                    && self.judge.rules.by_id(by).is_none()
                {
                    found.push((way!["by"], format!("there is no policy `{by}`")));
                    return Ok(found);
                }
                for (at, action) in may.iter().enumerate() {
                    let path = || way!["may", at];
                    found
                        .extend(self.may(&uid, who, *action, on.as_ref(), by).map(|m| (path(), m)));
                }
                for (at, action) in may_not.iter().enumerate() {
                    let path = || way!["mayNot", at];
                    found
                        .extend(self.may_not(&uid, who, *action, on.as_ref()).map(|m| (path(), m)));
                }
                Ok(found)
            }
            Check::Exactly { action, users, on } => self.exactly(*action, users, on.as_ref()),
        }
    }

    fn decide(&mut self, who: &Uid, action: Action, what: &Uid) -> Decision {
        let decision = self.judge.decide(who, action, what);
        self.touched.extend(decision.by.iter().chain(&decision.advice).cloned());
        decision
    }

    /// Something that must be allowed on all of its targets.
    fn may(
        &mut self,
        who: &Uid,
        shown: &Reference,
        action: Action,
        on: Option<&Target>,
        by: Option<&str>,
    ) -> Option<String> {
        let targets = match self.targets(action, on) {
            Ok(targets) => targets,
            Err(message) => return Some(message),
        };
        let mut denied: Vec<(Uid, Decision)> = Vec::new();
        let mut other: Option<(Uid, Decision)> = None;
        for what in targets {
            let decision = self.decide(who, action, &what);
            if !decision.allowed {
                denied.push((what, decision));
            } else if let Some(by) = by
                && !decision.by.iter().any(|id| id == by)
            {
                other.get_or_insert((what, decision));
            }
        }
        if let Some((first, decision)) = denied.first() {
            let on = beyond(first, denied.len());
            let why = match decision.by.as_slice() {
                [] => "no policy permits it".to_owned(),
                by => format!("`{}` forbids it", by.join("`, `")),
            };
            return Some(format!("`{shown}` may not `{action}` {on}: {why}"));
        }
        let (what, decision) = other?;
        let by = by.unwrap_or_default();
        let deciding = decision.by.join("`, `");
        Some(format!(
            "`{shown}` may `{action}` on {}, but not by `{by}`: `{deciding}` decides",
            object(&what)
        ))
    }

    /// Something that must be allowed on none of its targets.
    fn may_not(
        &mut self,
        who: &Uid,
        shown: &Reference,
        action: Action,
        on: Option<&Target>,
    ) -> Option<String> {
        let targets = match self.targets(action, on) {
            Ok(targets) => targets,
            Err(message) => return Some(message),
        };
        let mut allowed: Vec<(Uid, Decision)> = Vec::new();
        for what in targets {
            let decision = self.decide(who, action, &what);
            if decision.allowed {
                allowed.push((what, decision));
            }
        }
        let (first, decision) = allowed.first()?;
        let on = beyond(first, allowed.len());
        Some(format!("`{shown}` may `{action}` {on}: `{}` permits it", decision.by.join("`, `")))
    }

    /// On what an action is done, if a test does not say: everything that it is about. The account
    /// stands for whatever is in it.
    fn targets(&self, action: Action, on: Option<&Target>) -> Result<Vec<Uid>, String> {
        let types = &applies(action).resources;
        let about = |uid: &Uid| types.contains(&uid.ty);
        match on {
            Some(Target::One(reference)) => match uid_of(self.estate, reference) {
                Some(uid) if about(&uid) => Ok(vec![uid]),
                _ => Err(format!("`{action}` is not done to `{reference}`")),
            },
            Some(Target::Customers(selector)) if types.contains(&Type::Customer) => {
                let selected = self.customers.selected(selector).into_iter();
                Ok(selected.map(|(key, _)| Uid::new(Type::Customer, key.as_str())).collect())
            }
            Some(Target::Customers(_)) => Err(format!("`{action}` is not done to customers")),
            None => {
                let ty = everything(action);
                let all = self.world.of(ty).iter().map(|(name, _)| Uid::new(ty, name.clone()));
                // Nothing is done for a customer whose relationship is over: nobody means that one.
                let ended = |uid: &Uid| {
                    self.estate.customers.get(uid.name.as_str()).is_some_and(|customer| {
                        customer.spec.relationship == crate::model::customer::Relationship::None
                    })
                };
                Ok(all.filter(|uid| ty != Type::Customer || !ended(uid)).collect())
            }
        }
    }

    fn exactly(
        &mut self,
        action: Action,
        users: &[UserKey],
        on: Option<&Target>,
    ) -> Result<Found, Broken> {
        let targets = match self.targets(action, on) {
            Ok(targets) => targets,
            Err(message) => return Ok(vec![(way!["action"], message)]),
        };
        let all = self.estate.users.keys().map(|key| Uid::new(Type::User, key.as_str()));
        let universe = Universe {
            principals: Which::Listed(all.collect()),
            actions: BTreeSet::from([action]),
            resources: Which::Listed(targets.iter().cloned().collect()),
            ..Universe::default()
        };
        let side = Side::new(self.policies, self.world);
        let access = matrix(&side, &universe)?;
        let allowed = who(&access);
        for rectangle in access.rectangles() {
            self.touched.extend(rectangle.policies.iter().map(ToString::to_string));
        }
        let mut found = Vec::new();
        for (at, user) in users.iter().enumerate() {
            let uid = Uid::new(Type::User, user.as_str());
            if !allowed.contains(&uid) {
                let decision = targets.first().map(|what| self.decide(&uid, action, what));
                let why =
                    match decision.map(|decision| decision.by).unwrap_or_default().join("`, `") {
                        by if by.is_empty() => "no policy permits it".to_owned(),
                        by => format!("`{by}` forbids it"),
                    };
                found.push((way!["exactly", at], format!("`{user}` may not `{action}`: {why}")));
            }
        }
        for uid in allowed {
            if users.iter().any(|user| user.as_str() == uid.name.as_str()) {
                continue;
            }
            let what = targets.iter().map(|what| self.judge.decide(&uid, action, what));
            let by = what.into_iter().find(|decision| decision.allowed).unwrap_or_default().by;
            found.push((
                way!["exactly"],
                format!(
                    "`{}` may `{action}` as well: `{}` permits it",
                    object(&uid),
                    by.join("`, `")
                ),
            ));
        }
        Ok(found)
    }
}

fn who(access: &Access<'_>) -> BTreeSet<Uid> {
    access.rectangles().iter().flat_map(|rectangle| access.principals_of(rectangle)).collect()
}

/// The type that stands for all an action is about. The people of a customer's tenant are meant only
/// where the customer is named.
pub const fn everything(action: Action) -> Type {
    if action.is_about_customers() { Type::Customer } else { Type::Account }
}

/// What stands behind a reference; nothing for what policies do not know.
pub fn uid_of(estate: &Estate, reference: &Reference) -> Option<Uid> {
    use crate::model::partnership::With;
    let (ty, name) = match reference {
        Reference::Application(id) => return Some(Uid::new(Type::Application, id.to_string())),
        Reference::Document(kind, name) => match kind {
            Kind::User => (Type::User, name),
            Kind::Role => {
                return Some(Uid::new(Type::User, format!("(holder of {name})")));
            }
            Kind::Customer => (Type::Customer, name),
            Kind::Account => (Type::Account, name),
            Kind::Partnership => {
                let ty = match estate.partnerships.get(name.as_str())?.spec.with {
                    With::IndirectProvider => Type::Provider,
                    With::IndirectReseller => Type::Reseller,
                };
                (ty, name)
            }
            _ => return None,
        },
    };
    Some(Uid::new(ty, name.as_str()))
}

/// As manifests refer to it.
pub fn object(uid: &Uid) -> String {
    let kind = match uid.ty {
        Type::User => "user",
        Type::Application => "application",
        Type::Role => "role",
        Type::Customer => "customer",
        Type::Provider | Type::Reseller => "partnership",
        Type::Account => "account",
    };
    let name = uid.name.as_str();
    match name.strip_prefix("(holder of ").and_then(|rest| rest.strip_suffix(')')) {
        Some(role) => format!("role/{role}"),
        None => format!("{kind}/{name}"),
    }
}

/// `on customer/contoso`, `on customer/contoso and 3 more`.
fn beyond(first: &Uid, all: usize) -> String {
    let first = object(first);
    if all > 1 { format!("on {first} and {} more", all - 1) } else { format!("on {first}") }
}

/// A line in a few words.
fn says(check: &Check) -> String {
    let words = |actions: &[Action]| {
        actions.iter().map(|action| action.word()).collect::<Vec<_>>().join(", ")
    };
    let on = |on: &Option<Target>| match on {
        None => String::new(),
        Some(Target::One(reference)) => format!(" on {reference}"),
        Some(Target::Customers(_)) => " on selected customers".to_owned(),
    };
    match check {
        Check::Who { who, may, may_not, on: target, by } => {
            let mut parts = Vec::new();
            if !may.is_empty() {
                parts.push(format!("may {}", words(may)));
            }
            if !may_not.is_empty() {
                parts.push(format!("may not {}", words(may_not)));
            }
            let by = by.as_ref().map_or_else(String::new, |by| format!(" by {}", by.as_str()));
            format!("{who} {}{}{by}", parts.join(" and "), on(target))
        }
        Check::Exactly { action, users, on: target } => {
            let users: Vec<&str> = users.iter().map(UserKey::as_str).collect();
            let users = if users.is_empty() { "nobody".to_owned() } else { users.join(", ") };
            format!("exactly {users} may {action}{}", on(target))
        }
    }
}

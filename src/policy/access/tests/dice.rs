//! Worlds, policies and universes out of numbers: any numbers make some, and fewer make less.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use cedar_policy::{Context, PolicyId, PolicySet, RestrictedExpression};

use crate::model::Str;
use crate::model::action::Action;
use crate::policy::access::{Universe, Which};
use crate::policy::world::{Shape, Type, Uid, Value, World};

pub(super) struct Dice<'d>(std::slice::Iter<'d, u16>);

impl<'d> Dice<'d> {
    pub(super) fn new(numbers: &'d [u16]) -> Self {
        Self(numbers.iter())
    }

    fn below(&mut self, sides: usize) -> usize {
        usize::from(*self.0.next().unwrap_or(&0)) % sides
    }

    /// One in so many.
    fn one_in(&mut self, sides: usize) -> bool {
        self.below(sides) == sides - 1
    }

    fn of<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

const USERS: usize = 5;
const ROLES: usize = 4;

/// Everything that a case needs, on both sides.
pub(super) struct Case {
    pub worlds: [World; 2],
    pub policies: [PolicySet; 2],
    /// The one forbid of a side that forbids where it errs; without one, all do.
    pub only: [Option<PolicyId>; 2],
    pub universe: Universe,
}

impl Case {
    pub(super) fn throw(dice: &mut Dice<'_>) -> Self {
        let before = Population::throw(dice);
        let mut after = before.clone();
        if !dice.one_in(3) {
            after.change(dice);
        }
        let mut texts: Vec<(usize, String)> =
            (0..=dice.below(6)).map(|id| (id, policy(dice))).collect();
        let old = policies(&texts);
        match dice.below(5) {
            0 => {}
            1 => texts[0].1 = policy(dice),
            2 => drop(texts.pop()),
            3 => texts.push((90, policy(dice))),
            // Renamed.
            _ => texts[0].0 = 91,
        }
        let only = if dice.one_in(4) { Some(PolicyId::new("p0")) } else { None };
        let later = if dice.one_in(8) { None } else { only.clone() };
        let universe = universe(dice);
        Self {
            only: [only, later],
            worlds: [before.world(), after.world()],
            policies: [old, policies(&texts)],
            universe,
        }
    }
}

fn policies(texts: &[(usize, String)]) -> PolicySet {
    let mut set = PolicySet::new();
    for (id, text) in texts {
        let policy = cedar_policy::Policy::parse(Some(PolicyId::new(format!("p{id}"))), text);
        set.add(policy.unwrap_or_else(|error| panic!("{text}: {error:?}"))).unwrap();
    }
    set
}

#[derive(Clone)]
struct Population(Vec<(Type, Str, Shape)>);

impl Population {
    fn throw(dice: &mut Dice<'_>) -> Self {
        let mut all = Vec::new();
        let numbers = [
            (Type::User, USERS),
            (Type::Application, 1),
            (Type::Role, ROLES),
            (Type::Customer, 4),
            (Type::Provider, 2),
            (Type::Reseller, 2),
            (Type::Account, 1),
        ];
        for (ty, number) in numbers {
            for at in 0..number {
                all.push((ty, name(ty, at), shape(ty, at, dice)));
            }
        }
        let mut population = Self(all);
        if dice.one_in(3) {
            population.lose(dice);
        }
        population
    }

    fn lose(&mut self, dice: &mut Dice<'_>) {
        let at = dice.below(self.0.len());
        self.0.remove(at);
    }

    fn change(&mut self, dice: &mut Dice<'_>) {
        for _ in 0..=dice.below(2) {
            let at = dice.below(self.0.len());
            let (ty, name, shape_now) = &mut self.0[at];
            let number = name.chars().next_back().and_then(|last| last.to_digit(10)).unwrap();
            *shape_now = shape(*ty, number as usize, dice);
        }
        if dice.one_in(3) {
            self.lose(dice);
        }
    }

    fn world(&self) -> World {
        let mut world = World::default();
        for (ty, name, shape) in &self.0 {
            world.add(*ty, name.clone(), shape.clone());
        }
        world
    }
}

fn name(ty: Type, at: usize) -> Str {
    format!("{}{at}", ty.word().to_lowercase()).into()
}

fn uid(ty: Type, at: usize) -> Uid {
    Uid::new(ty, name(ty, at))
}

/// With few values, so that shapes are shared; and with one label that hardly is.
fn shape(ty: Type, at: usize, dice: &mut Dice<'_>) -> Shape {
    let text = |text: &str| Value::Text(text.into());
    let mut shape = Shape::default();
    // A role includes roles before it, so there is no circle.
    let roles = if ty == Type::Role { at } else { ROLES };
    if matches!(ty, Type::User | Type::Application | Type::Role) && roles > 0 {
        for _ in 0..dice.below(3) {
            shape.parents.insert(uid(Type::Role, dice.below(roles)));
        }
    }
    shape.attributes = match ty {
        Type::User => vec![
            ("enabled", Value::Bool(!dice.one_in(3))),
            ("guest", Value::Bool(dice.one_in(3))),
            ("emailDomain", text(dice.of(&["team", "other"]))),
            ("eligible", uids(Type::Role, ROLES, dice)),
        ],
        Type::Role => vec![("privileged", Value::Bool(dice.one_in(2)))],
        Type::Customer => {
            let mut attributes = vec![
                ("known", Value::Bool(dice.one_in(2))),
                ("providers", uids(Type::Provider, 2, dice)),
            ];
            if dice.one_in(2) {
                attributes.push(("reseller", Value::One(uid(Type::Reseller, dice.below(3)))));
            }
            attributes
        }
        Type::Provider | Type::Reseller => vec![("active", Value::Bool(dice.one_in(2)))],
        Type::Account => vec![("program", text("direct-bill"))],
        Type::Application => vec![],
    };
    for (key, odds) in [("code", 3), ("team", 2), ("tier", 2)] {
        if dice.one_in(odds) {
            let value = if key == "code" { format!("{at}") } else { dice.of(&["a", "b"]).into() };
            shape.tags.push((key.into(), value.into()));
        }
    }
    shape
}

fn uids(ty: Type, number: usize, dice: &mut Dice<'_>) -> Value {
    Value::Set((0..dice.below(3)).map(|_| uid(ty, dice.below(number))).collect())
}

fn universe(dice: &mut Dice<'_>) -> Universe {
    let all = [
        Action::ViewCustomer,
        Action::OrderOnBehalf,
        Action::ViewUsers,
        Action::ResetPassword,
        Action::AcceptPartnership,
        Action::RequestPartnership,
        Action::ManageBilling,
    ];
    let types = |types: &[Type]| Which::Types(types.iter().copied().collect());
    let listed = |dice: &mut Dice<'_>| {
        let any = [Type::User, Type::Customer, Type::Provider];
        Which::Listed((0..4).map(|_| uid(dice.of(&any), dice.below(4))).collect())
    };
    let context = || {
        let user = RestrictedExpression::new_entity_uid(uid(Type::User, 0).cedar());
        Context::from_pairs([("who".to_owned(), user)]).unwrap()
    };
    Universe {
        principals: match dice.below(4) {
            0 | 1 => types(&[Type::User]),
            2 => types(&[Type::User, Type::Provider, Type::Application]),
            _ => listed(dice),
        },
        actions: (0..4).map(|_| dice.of(&all)).collect(),
        resources: match dice.below(4) {
            0..=2 => types(&Type::ALL),
            _ => listed(dice),
        },
        contexts: match dice.below(6) {
            0 => vec![Context::empty(), context()],
            1 => vec![context()],
            _ => vec![Context::empty()],
        },
    }
}

fn policy(dice: &mut Dice<'_>) -> String {
    let effect = if dice.one_in(4) { "forbid" } else { "permit" };
    let principal = scope("principal", &[Type::User, Type::User, Type::Provider], dice);
    let resource = scope("resource", &[Type::Customer, Type::User, Type::Provider], dice);
    let action = dice.of(&[
        "action",
        "action",
        "action",
        "action == Action::\"view-users\"",
        "action in Action::\"users\"",
        "action in [Action::\"view-customer\", Action::\"subscriptions\"]",
        "action in [Action::\"users\", Action::\"partnerships\", Action::\"manage-billing\"]",
    ]);
    let mut text = format!("{effect}({principal}, {action}, {resource})");
    for _ in 0..dice.below(3) {
        let word = dice.of(&["when", "when", "unless"]);
        let condition = condition(3, dice);
        let _ = write!(text, " {word} {{ {condition} }}");
    }
    text + ";"
}

fn scope(variable: &str, types: &[Type], dice: &mut Dice<'_>) -> String {
    let ty = dice.of(types);
    let role = dice.below(ROLES);
    match dice.below(10) {
        0..=4 => variable.to_owned(),
        5 => format!("{variable} == {}", uid(ty, dice.below(3))),
        6 => format!("{variable} in {}", uid(Type::Role, role)),
        7 => format!("{variable} in {}", uid(ty, dice.below(3))),
        8 => format!("{variable} is {}", ty.word()),
        _ => format!("{variable} is User in {}", uid(Type::Role, role)),
    }
}

fn condition(depth: usize, dice: &mut Dice<'_>) -> String {
    if depth == 0 {
        return dice.of(LEAVES).to_owned();
    }
    let part = |dice: &mut Dice<'_>| condition(depth - 1, dice);
    match dice.below(8) {
        0..=2 => dice.of(LEAVES).to_owned(),
        3 | 4 => format!("({} && {})", part(dice), part(dice)),
        5 => format!("({} || {})", part(dice), part(dice)),
        6 => format!("!({})", part(dice)),
        _ => format!("(if {} then {} else {})", part(dice), part(dice), part(dice)),
    }
}

/// Of every kind that the language has; many err for some.
const LEAVES: &[&str] = &[
    "principal.enabled",
    "principal.guest",
    r#"principal.emailDomain like "t*m""#,
    "principal.emailDomain",
    r#"principal == User::"user0""#,
    r#"principal in Role::"role1""#,
    r#"principal in [Role::"role0", User::"user1"]"#,
    r#"principal is User in Role::"role2""#,
    "principal is Provider",
    "principal has guest",
    r#"principal.hasTag("team")"#,
    r#"principal.getTag("team") == "a""#,
    r#"principal.getTag(principal.emailDomain) != "b""#,
    r#"principal.eligible.contains(Role::"role0")"#,
    r#"principal.eligible.containsAny([Role::"role1", Role::"role2"])"#,
    "principal.eligible.isEmpty()",
    "(if principal.guest then 1 else 2) + 1 == 2",
    "resource.known",
    "resource.guest",
    r#"resource.hasTag("tier")"#,
    r#"resource.getTag("tier") == "a""#,
    r#"resource.getTag("code") like "1*""#,
    r#"resource.providers.contains(Provider::"provider0")"#,
    r#"resource.providers.containsAll([Provider::"provider0", Provider::"provider1"])"#,
    "resource has reseller",
    "resource has reseller.active",
    r#"resource.reseller == Reseller::"reseller0""#,
    "resource.reseller.active",
    "resource is Customer",
    r#"resource == Customer::"customer0""#,
    r#"resource in Role::"role1""#,
    r#"[Customer::"customer1", User::"user2"].contains(resource)"#,
    "principal == resource",
    "principal == resource",
    "principal != resource",
    "principal in resource",
    "[principal].contains(resource)",
    r#"[principal, User::"user0"].containsAll([resource, User::"user1"])"#,
    "{one: principal, two: 1} == {one: resource, two: 1}",
    "resource.providers.contains(principal)",
    "resource.reseller == principal",
    r#"resource.getTag("team") == principal.getTag("team")"#,
    r#"resource.getTag(principal.emailDomain) == "a""#,
    "principal.eligible.containsAll(resource.eligible)",
    "principal.guest == resource.guest",
    r#"(if principal.guest then principal else User::"user1") == resource"#,
    r#"(if resource.guest then principal else User::"user1").enabled"#,
    "(if principal has guest then resource else principal) == resource",
    "context has change",
    r#"context.change.verb == "update""#,
    "context has who && context.who == principal",
    "context.who.enabled",
    "[context.who, resource].contains(principal)",
    r#"action == Action::"view-users""#,
    r#"action in Action::"users""#,
    r#"(if action == Action::"view-users" then principal else resource) == principal"#,
    "true",
    "1 < 2",
    r#"User::"user1".enabled"#,
    r#"Role::"role2" in Role::"role0""#,
    r#"[User::"user0", resource].contains(principal)"#,
    r#"ip("10.0.0.1").isInRange(ip("10.0.0.0/8"))"#,
];

/// All that a universe asks about, by the worlds of both sides.
pub(super) fn everyone(which: &Which, worlds: &[World; 2]) -> BTreeSet<Uid> {
    let all = Type::ALL.into_iter().flat_map(|ty| {
        let of = worlds.iter().flat_map(move |world| world.of(ty));
        of.map(move |(name, _)| Uid::new(ty, name.clone()))
    });
    all.filter(|uid| match which {
        Which::Types(types) => types.contains(&uid.ty),
        Which::Listed(uids) => uids.contains(uid),
    })
    .collect()
}

//! What exact access costs: CPU time and memory at ten and at a hundred thousand users and
//! customers, forty actions and about forty policies, after one policy was widened and twenty
//! memberships were changed. Then the same with delegated access beside it: forty templates, as
//! manifests declare them, or what a tenant gives, where each customer has some of two hundred
//! different grants.
//!
//! `cargo bench --bench access`. Figures are of this machine; compare ratios. Each size runs in a
//! process of its own, so that its peak of memory is its own.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a benchmark prints, and stops when it cannot go on"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

use cedar_policy::{
    Authorizer, Context, Decision, EntityId, EntityUid, Policy, PolicyId, PolicySet, Request,
};
use nix::sys::resource::{UsageWho, getrusage};
use partnerctl::model::action::Action;
use partnerctl::policy::access::{Access, Side, Universe, Which, difference, matrix};
use partnerctl::policy::world::{Shape, Type, Uid, Value, World};

const RUNS: usize = 3;
const ROLES: usize = 40;
const PROVIDERS: usize = 20;
const ACTIONS: usize = 40;
const GIFTS: usize = 200;

/// What directory roles allow.
const DIRECTORY_ROLES: [&str; 4] = [
    r#"Action::"view-users""#,
    r#"Action::"administer-on-behalf", Action::"view-service-health", Action::"view-service-request", Action::"create-service-request""#,
    r#"Action::"administer-on-behalf", Action::"view-users", Action::"reset-password""#,
    r#"Action::"administer-on-behalf", Action::"view-users", Action::"manage-users", Action::"reset-password""#,
];

/// What templates select.
const SEGMENTS: [(&str, &str); 5] = [
    ("segment", "enterprise"),
    ("segment", "smb"),
    ("segment", "public"),
    ("region", "kanto"),
    ("tier", "gold"),
];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    // Only `cargo bench` says so; there is nothing to test here.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    if let Some(at) = arguments.iter().position(|argument| argument == "--size") {
        let delegated = match arguments[at + 2].as_str() {
            "templates" => Delegated::Templates,
            "live" => Delegated::Live,
            _ => Delegated::Nothing,
        };
        measure(arguments[at + 1].parse().expect("a number"), delegated);
        return;
    }
    println!(
        "{:<30} {:>9} {:>9} {:>9} {:>16} {:>10} {:>9}",
        "", "min ms", "median", "max", "triples", "rectangles", "peak MiB"
    );
    for (size, delegated) in [
        ("1000", "nothing"),
        ("10000", "nothing"),
        ("10000", "templates"),
        ("10000", "live"),
        ("100000", "nothing"),
        ("100000", "live"),
    ] {
        let program = std::env::current_exe().expect("a program has a path");
        let status = Command::new(program).args(["--bench", "--size", size, delegated]).status();
        assert!(status.expect("it runs").success());
    }
}

/// What of delegated access there is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Delegated {
    Nothing,
    Templates,
    Live,
}

fn measure(size: usize, delegated: Delegated) {
    let beside = match delegated {
        Delegated::Nothing => "",
        Delegated::Templates => ", templates",
        Delegated::Live => ", live",
    };
    let name = |what: &str| format!("{what}, {size}{beside}");
    let start = cpu();
    let (old, new) = (world(size, 0, delegated), world(size, 20, delegated));
    row(&name("both worlds"), &[cpu().saturating_sub(start)], None);
    let (before, after) = (policies(false, delegated), policies(true, delegated));
    let before = Side::new(&before, &old);
    let after = Side::new(&after, &new);
    let universe = Universe {
        principals: Which::Types(BTreeSet::from([Type::User, Type::Provider])),
        actions: Action::ALL.iter().copied().take(ACTIONS).collect(),
        ..Universe::default()
    };

    let mut times = Vec::new();
    let mut counts = (0, 0, 0);
    for _ in 0..RUNS {
        let start = cpu();
        let found = difference(&before, &after, &universe).expect("the policies are known");
        times.push(cpu().saturating_sub(start));
        let rectangles = found.gained.rectangles().len() + found.lost.rectangles().len();
        counts = (found.gained.count(), found.lost.count(), rectangles);
    }
    let (gained, lost, rectangles) = counts;
    row(&name("difference"), &times, Some((gained + lost, rectangles)));
    sample(&before, &after, &universe, size);

    let start = cpu();
    let access = matrix(&after, &universe).expect("the policies are known");
    let time = cpu().saturating_sub(start);
    row(&name("matrix"), &[time], Some((access.count(), access.rectangles().len())));

    let one = Universe {
        principals: Which::Listed(BTreeSet::from([Uid::new(Type::User, user(7))])),
        ..universe
    };
    let start = cpu();
    let access = matrix(&after, &one).expect("the policies are known");
    let time = cpu().saturating_sub(start);
    row(&name("of one user"), &[time], Some((access.count(), access.rectangles().len())));
}

fn row(name: &str, times: &[Duration], found: Option<(u64, usize)>) {
    let mut times = times.to_vec();
    times.sort();
    let ms = |at: usize| times[at].as_secs_f64() * 1e3;
    let (triples, rectangles) =
        found.map_or_else(Default::default, |(one, two)| (one.to_string(), two.to_string()));
    println!(
        "{name:<30} {:>9.1} {:>9.1} {:>9.1} {triples:>16} {rectangles:>10} {:>9.1}",
        ms(0),
        ms(times.len() / 2),
        ms(times.len() - 1),
        usage().max_rss() as f64 / 1024.0,
    );
}

/// The same counts as the naive answer, for some users (those whose memberships changed among
/// them) and customers.
fn sample(before: &Side<'_>, after: &Side<'_>, universe: &Universe, size: usize) {
    let users = (0..20).map(|at| changed(at, size)).chain((0..20).map(|at| at * size / 20 + 3));
    let users = users.chain([7]).map(|at| Uid::new(Type::User, user(at)));
    let providers = (0..3).map(|at| Uid::new(Type::Provider, provider(at)));
    let customers = (0..30).map(|at| at * size / 30 + 1).chain([13]);
    let customers = customers.map(|at| Uid::new(Type::Customer, customer(at)));
    let others = (0..5).map(|at| Uid::new(Type::User, user(at * 3)));
    let account = [Uid::new(Type::Account, "fabrikam")];
    let universe = Universe {
        principals: Which::Listed(users.chain(providers).collect()),
        resources: Which::Listed(customers.chain(others).chain(account).collect()),
        ..universe.clone()
    };
    let found = difference(before, after, &universe).expect("the policies are known");
    let [old, new] = [before, after].map(|side| naive(side, &universe));
    let gained: BTreeSet<_> = new.difference(&old).cloned().collect();
    let lost: BTreeSet<_> = old.difference(&new).cloned().collect();
    assert_eq!(triples(&found.gained), gained, "what is gained is what the naive loop says");
    assert_eq!(triples(&found.lost), lost, "what is lost is what the naive loop says");
    assert_eq!(found.gained.count(), gained.len() as u64);
    assert_eq!(found.lost.count(), lost.len() as u64);
    println!(
        "  sample: {} gained and {} lost of {} allowed triples, as the naive loop says",
        gained.len(),
        lost.len(),
        new.len()
    );
}

type Triples = BTreeSet<(Uid, Action, Uid)>;

fn triples(access: &Access<'_>) -> Triples {
    let mut triples = Triples::new();
    for rectangle in access.rectangles() {
        for (principal, resource) in access.pairs_of(rectangle) {
            for action in &rectangle.actions {
                triples.insert((principal.clone(), *action, resource.clone()));
            }
        }
    }
    triples
}

fn naive(side: &Side<'_>, universe: &Universe) -> Triples {
    let (Which::Listed(principals), Which::Listed(resources)) =
        (&universe.principals, &universe.resources)
    else {
        unreachable!("a sample is listed")
    };
    let entities = side.world.entities().expect("the world is one");
    let mut allowed = Triples::new();
    for env in partnerctl_schema().request_envs() {
        let action =
            universe.actions.iter().find(|action| *env.action() == cedar("Action", action.word()));
        let Some(action) = action else { continue };
        let of = |uids: &BTreeSet<Uid>, ty: String| -> Vec<Uid> {
            uids.iter().filter(|uid| uid.ty.word() == ty).cloned().collect()
        };
        for principal in of(principals, env.principal().to_string()) {
            for resource in of(resources, env.resource().to_string()) {
                let request = Request::new(
                    cedar(principal.ty.word(), &principal.name),
                    env.action().clone(),
                    cedar(resource.ty.word(), &resource.name),
                    Context::empty(),
                    None,
                );
                let request = request.expect("a request");
                let response = Authorizer::new().is_authorized(&request, side.policies, &entities);
                if response.decision() == Decision::Allow {
                    allowed.insert((principal.clone(), *action, resource));
                }
            }
        }
    }
    allowed
}

fn partnerctl_schema() -> cedar_policy::Schema {
    let (schema, _) =
        cedar_policy::Schema::from_cedarschema_str(partnerctl::policy::vocabulary::TEXT)
            .expect("the vocabulary is a schema");
    schema
}

fn cedar(ty: &str, name: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(ty.parse().expect("a type"), EntityId::new(name))
}

fn user(at: usize) -> String {
    format!("user-{at:06}")
}

fn customer(at: usize) -> String {
    format!("customer-{at:06}")
}

fn provider(at: usize) -> String {
    format!("provider-{at:02}")
}

fn role(at: usize) -> String {
    format!("role-{at:02}")
}

/// The users whose memberships change.
fn changed(at: usize, size: usize) -> usize {
    at * size / 20 + 11
}

/// Scatters, the same way every time.
fn scatter(at: usize, salt: usize) -> usize {
    let mut x = (at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        ^ (salt as u64).wrapping_mul(0xD1B5_4A32_D192_ED03);
    x ^= x >> 31;
    x = x.wrapping_mul(0x94D0_49BB_1331_11EB);
    (x >> 33) as usize
}

/// A grant that some customers' tenants have: whose, and which.
fn gift(at: usize) -> String {
    format!("{}.{at:03}", role(at % ROLES))
}

fn world(size: usize, memberships: usize, delegated: Delegated) -> World {
    let mut world = World::default();
    let text = |text: &str| Value::Text(text.into());
    let moved: BTreeMap<usize, usize> =
        (0..memberships).map(|at| (changed(at, size), at)).collect();
    for at in 0..size {
        // One to four of forty roles, all equally often: as many different sets as there can be.
        let mut parents: BTreeSet<Uid> = (0..=scatter(at, 1) % 4)
            .map(|n| Uid::new(Type::Role, role(scatter(at, 2 + n) % ROLES)))
            .collect();
        if let Some(n) = moved.get(&at) {
            parents.pop_first();
            parents.insert(Uid::new(Type::Role, role(n % ROLES)));
        }
        parents.insert(Uid::new(Type::Role, "default-user"));
        let attributes = vec![
            ("enabled", Value::Bool(!scatter(at, 7).is_multiple_of(50))),
            ("expired", Value::Bool(scatter(at, 8).is_multiple_of(200))),
            ("guest", Value::Bool(scatter(at, 9).is_multiple_of(30))),
            (
                "emailDomain",
                text(["fabrikam.example", "fabrikam.co.jp.example"][scatter(at, 10) % 2]),
            ),
            ("webmail", Value::Bool(false)),
            ("eligible", Value::Set(BTreeSet::new())),
            ("holds", Value::Set(parents.clone())),
        ];
        let team = ["operations", "sales", "support", "finance"][scatter(at, 11) % 4];
        let region = ["kanto", "kansai", "tohoku", "kyushu"][scatter(at, 12) % 4];
        let tags = vec![("region".into(), region.into()), ("team".into(), team.into())];
        world.add(Type::User, user(at).into(), Shape { attributes, tags, parents });
    }
    world.add(Type::Role, "default-user".into(), Shape::default());
    for at in 0..ROLES {
        // Each tenth includes the one before.
        let below = (at % 10 == 9).then(|| Uid::new(Type::Role, role(at - 1)));
        let attributes = vec![("family", text("custom")), ("privileged", Value::Bool(at % 8 == 0))];
        let parents = below.into_iter().collect();
        world.add(Type::Role, role(at).into(), Shape { attributes, tags: vec![], parents });
    }
    for at in 0..size {
        let providers = (0..scatter(at, 20) % 3)
            .map(|n| Uid::new(Type::Provider, provider(scatter(at, 21 + n) % PROVIDERS)));
        let mut attributes = vec![
            (
                "relationship",
                text(if scatter(at, 24).is_multiple_of(40) { "none" } else { "reseller" }),
            ),
            ("origin", text("existing")),
            ("qualification", text(["none", "none", "none", "education"][scatter(at, 25) % 4])),
            ("known", Value::Bool(!scatter(at, 26).is_multiple_of(10))),
            ("providers", Value::Set(providers.collect())),
        ];
        if delegated == Delegated::Live {
            // Up to three; most customers have the few that are usual, some what nobody else has.
            let gifts = (0..scatter(at, 31) % 4).map(|n| match scatter(at, 32 + n) % 10 {
                0 => gift(scatter(at, 36 + n) % GIFTS),
                usual => gift(usual),
            });
            let gifts: BTreeSet<_> = gifts.map(Into::into).collect();
            attributes.push(("delegated", Value::Texts(gifts)));
        }
        let region = ["kanto", "kansai", "tohoku", "kyushu"][scatter(at, 27) % 4];
        let segment = ["enterprise", "smb", "public"][scatter(at, 28) % 3];
        let tier = ["gold", "silver", "bronze"][scatter(at, 29) % 3];
        let mut tags = vec![
            // Nobody else has this one.
            ("contract".into(), format!("C-{at:06}").into()),
            ("region".into(), region.into()),
            ("segment".into(), segment.into()),
        ];
        if !scatter(at, 30).is_multiple_of(5) {
            tags.push(("tier".into(), tier.into()));
        }
        let shape = Shape { attributes, tags, parents: BTreeSet::new() };
        world.add(Type::Customer, customer(at).into(), shape);
    }
    for at in 0..PROVIDERS {
        let attributes = vec![("active", Value::Bool(at % 7 != 0))];
        world.add(Type::Provider, provider(at).into(), Shape { attributes, ..Shape::default() });
    }
    let attributes = vec![("program", text("indirect-reseller"))];
    world.add(Type::Account, "fabrikam".into(), Shape { attributes, ..Shape::default() });
    world
}

/// A policy for each role, as the role documents make them, and what a project adds.
fn policies(widened: bool, delegated: Delegated) -> PolicySet {
    let groups = ["customer-data", "support", "subscriptions", "delegation", "billing", "users"];
    let mut text = String::new();
    for at in 0..ROLES - 12 {
        let role = role(at);
        let group = groups[at % groups.len()];
        let second = groups[(at / 3) % groups.len()];
        let selector = match at % 7 {
            0 => r#"resource.hasTag("segment") && resource.getTag("segment") == "enterprise""#,
            1 => {
                r#"resource.hasTag("region") && ["kanto", "kansai"].contains(resource.getTag("region"))"#
            }
            // Errs where there is no tier.
            2 => r#"resource.getTag("tier") == "gold" || resource.getTag("tier") == "silver""#,
            3 => r#"!(resource.hasTag("tier") && resource.getTag("tier") == "bronze")"#,
            4 => "resource has known && resource.known && !principal.guest",
            5 => {
                r#"resource.hasTag("region") && principal.hasTag("region") && resource.getTag("region") == principal.getTag("region")"#
            }
            _ => "true",
        };
        // The change: one role's selector goes.
        let selector = if widened && at == 7 { "true" } else { selector };
        let _ = writeln!(
            text,
            "@id(\"{role}\") permit(principal in Role::\"{role}\", action in [Action::\"{group}\", Action::\"{second}\"], resource) when {{ {selector} }};"
        );
    }
    let (someone, one, other) = (user(7), customer(13), customer(1));
    let _ = writeln!(
        text,
        r#"
@id("disabled") forbid(principal is User, action, resource) when {{ !principal.enabled || principal.expired }};
@id("own-profile") permit(principal is User, action == Action::"view-own-profile", resource);
@id("own-password") permit(principal is User, action == Action::"reset-password", resource is User) when {{ principal == resource }};
@id("provider-orders") permit(principal is Provider, action == Action::"order-on-behalf", resource is Customer) when {{ principal.active && resource.providers.contains(principal) }};
@id("no-orders-without-tie") forbid(principal, action == Action::"order-on-behalf", resource is Customer) when {{ resource.relationship == "none" }};
@id("guests") forbid(principal is User, action in Action::"users", resource) when {{ principal.guest }};
@id("sales-team") permit(principal is User, action == Action::"view-customer", resource is Customer) when {{ principal.hasTag("team") && principal.getTag("team") == "sales" && !(resource.getTag("segment") == "public") }};
@id("someone") permit(principal == User::"{someone}", action in Action::"customer-data", resource == Customer::"{one}");
@id("hands-off") forbid(principal, action in Action::"customer-data", resource == Customer::"{other}") unless {{ principal in Role::"role-00" }};
@id("no-privileged-password") forbid(principal, action == Action::"reset-password", resource is User) when {{ resource in Role::"role-08" && !(principal in Role::"role-00") }};
@id("education") permit(principal in Role::"role-39", action in Action::"subscriptions", resource is Customer) when {{ resource.qualification == "education" }};
@id("change") forbid(principal, action, resource) when {{ context has change && context.change.grants.containsAny([Role::"role-00"]) && principal in Role::"role-01" }};
"#
    );
    let (number, prefix) = match delegated {
        Delegated::Nothing => (0, ""),
        Delegated::Templates => (ROLES, "template"),
        Delegated::Live => (GIFTS, "gift"),
    };
    for at in 0..number {
        let role = role(at % ROLES);
        let allowed = DIRECTORY_ROLES[at % DIRECTORY_ROLES.len()];
        let here = if delegated == Delegated::Live {
            format!("resource has delegated && resource.delegated.contains(\"{}\")", gift(at))
        } else {
            let (key, value) = SEGMENTS[at % SEGMENTS.len()];
            format!(
                "resource.relationship == \"reseller\" && resource.hasTag(\"{key}\") && resource.getTag(\"{key}\") == \"{value}\""
            )
        };
        let _ = writeln!(
            text,
            "@id(\"{prefix}-{at}\") permit(principal is User in Role::\"{role}\", action in [{allowed}], resource is Customer) when {{ principal.holds.contains(Role::\"{role}\") && !principal.guest && {here} }};"
        );
    }
    let parsed: PolicySet = text.parse().expect("the policies are Cedar");
    let mut named = PolicySet::new();
    for policy in parsed.policies() {
        let id = policy.annotation("id").expect("each has an id").to_owned();
        let policy: Policy = policy.new_id(PolicyId::new(id));
        named.add(policy).expect("ids are unique");
    }
    named
}

fn usage() -> nix::sys::resource::Usage {
    getrusage(UsageWho::RUSAGE_SELF).expect("usage is known")
}

/// User and system time so far.
fn cpu() -> Duration {
    let usage = usage();
    let time = |value: nix::sys::time::TimeVal| {
        Duration::from_micros(value.tv_sec() as u64 * 1_000_000 + value.tv_usec() as u64)
    };
    time(usage.user_time()) + time(usage.system_time())
}

//! There and back: an estate is seeded as a tenant, observed, written, and read again.
//!
//! What comes back equals what was seeded, but for names, labels, and what the wire does not carry:
//! what is kept here alone (permissions, inclusions, kinds of membership, channels, contacts, links,
//! acknowledgements), customers' billing addresses and qualifications (a call for each), who created
//! a customer, partnerships and relationships that are over, templates of delegated access. And a
//! plan of what was written has no step.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::manifest::code::Severity;
use crate::manifest::emit;
use crate::model::account::{Account, Billing};
use crate::model::country::CurrencyCode;
use crate::model::customer::Relationship;
use crate::model::partnership::PartnershipState;
use crate::model::project::{Guards, Limits};
use crate::model::role::Group;
use crate::model::time::Day;
use crate::model::user::RoleGrant;
use crate::plan::{Input, Record, plan};
use crate::policy::rules::Rules;

fn out() -> Output {
    Output::new(true, false)
}

fn day() -> Day {
    Day::parse("2026-11-20").unwrap()
}

fn load(folder: &Path) -> Loaded {
    ManifestArgs::of_folder(folder).read(&out()).unwrap().load(day())
}

fn serious(loaded: &Loaded) -> Vec<&str> {
    let errors = loaded.findings.all.iter().filter(|found| found.severity == Severity::Error);
    errors.map(|found| found.message.as_str()).collect()
}

/// An estate by what the tenant knows it by.
#[derive(Debug, PartialEq, Default)]
struct Known {
    account: Option<Value>,
    users: BTreeMap<String, Value>,
    roles: BTreeMap<String, Value>,
    partnerships: BTreeMap<String, Value>,
    customers: BTreeMap<String, Value>,
}

impl Known {
    fn of(estate: &Estate) -> Self {
        let title = |key: &RoleKey| match &estate.roles[key].spec.group {
            Some(Group::Named { name, .. }) => name.to_string(),
            other => format!("{other:?}"),
        };
        let partner = |key: &PartnershipKey| estate.partnerships[key].spec.tenant_id.to_string();
        let users = estate.users.values().map(|user| {
            let spec = &user.spec;
            let mut plain = (**spec).clone();
            let mut granted = BTreeSet::new();
            for grant in plain.roles.take().into_iter().flatten() {
                granted.insert(match grant {
                    RoleGrant::Custom(key) => format!("group {}", title(&key)),
                    RoleGrant::Account { role, mut locations } => {
                        locations.sort_by(|a, b| a.as_str().cmp(b.as_str()));
                        format!("{role} {locations:?}")
                    }
                    RoleGrant::Unrecognised { role, locations } => format!("?{role} {locations:?}"),
                });
            }
            let same = |name: &crate::model::contact::SignInName| {
                name.as_str().eq_ignore_ascii_case(spec.email.as_str())
            };
            plain.sign_in_name.take_if(|name| same(name));
            plain.agent.sort_unstable();
            plain.admin.sort_unstable();
            let whole = json!({"spec": emit::user(&plain), "roles": granted});
            (spec.signs_in_as().to_lowercase(), whole)
        });
        let roles = estate.roles.iter().map(|(key, role)| {
            let description = role.spec.description.as_ref().map(ToString::to_string);
            (title(key), json!(description))
        });
        let partnerships = estate
            .partnerships
            .values()
            .filter(|one| one.spec.state == PartnershipState::Active)
            .map(|one| {
                let mut plain = (*one.spec).clone();
                plain.invitation_url = None;
                plain.acknowledge.clear();
                (plain.tenant_id.to_string(), emit::partnership(&plain))
            });
        let customers = estate
            .customers
            .values()
            .filter(|one| one.spec.relationship == Relationship::Reseller)
            .map(|one| {
                let spec = &one.spec;
                let partners: BTreeSet<String> =
                    spec.partnerships.iter().flatten().map(partner).collect();
                let reseller = spec.reseller.as_ref().map(partner);
                let company = spec.company_name.as_str();
                (spec.domain.to_string(), json!([company, partners, reseller]))
            });
        let account = estate.account.as_ref().map(|account| known_account(&account.spec));
        Self {
            account,
            users: users.filter(|(name, _)| !name.starts_with("embedded-admin@")).collect(),
            roles: roles.collect(),
            partnerships: partnerships.collect(),
            customers: customers.collect(),
        }
    }
}

/// Profiles are whole in the tenant: what is not said of billing is as the legal profile has it.
fn known_account(account: &Account) -> Value {
    let mut account = account.clone();
    account.domains.retain(|domain| !domain.is_initial());
    account.domains.sort_unstable();
    let legal = account.legal.clone();
    let nothing = Billing {
        currency: None,
        tax_id: None,
        purchase_order_number: None,
        company_name: None,
        address: None,
        primary_contact: None,
    };
    let billing = account.billing.get_or_insert(nothing);
    billing.currency.get_or_insert_with(|| CurrencyCode::parse("USD").unwrap());
    billing.company_name.get_or_insert(legal.company_name);
    billing.address.get_or_insert(legal.address);
    billing.primary_contact.get_or_insert(legal.primary_contact);
    emit::account(&account)
}

/// One thing at a time: whole estates are far too much to be shown.
fn assert_same(found: &Known, expected: &Known) {
    assert_eq!(found.account, expected.account);
    for (found, expected) in [
        (&found.users, &expected.users),
        (&found.roles, &expected.roles),
        (&found.partnerships, &expected.partnerships),
        (&found.customers, &expected.customers),
    ] {
        for (name, found) in found {
            assert_eq!(Some(found), expected.get(name), "{name}");
        }
    }
    assert_eq!(found, expected);
}

/// Seeds, observes, writes, reads again, plans.
fn there_and_back(declared: &Loaded, documents_max: usize) {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let emulator = crate::cli::tenant::open_embedded(home, || None).unwrap();
    emulator.seed(&declared.estate).unwrap();
    let seeded = Known::of(&declared.estate);
    let account = declared.estate.account.as_ref().map(|account| (*account.spec).clone());
    let context = ContextArgs::of(None).choose(None, &out()).unwrap();
    let tenant = Tenant::connect(&context, declared, home).unwrap();
    let (snapshot, ties) = block_on(async {
        let scope = Scope { delegated: Delegated::Nothing, ..Scope::everything() };
        let snapshot = tenant.observe(scope, true).await?;
        let ties = ties(&tenant.reader, &snapshot, &out()).await?;
        Ok((snapshot, ties))
    })
    .unwrap();
    let mut observed = observed(&snapshot, account.as_ref(), &Names::default());
    observed.tie(&ties);
    assert_same(&Known::of(&observed.estate), &seeded);

    let estate = home.join("estate");
    std::fs::create_dir(&estate).unwrap();
    for file in written::files(&observed, documents_max) {
        std::fs::write(estate.join(file.name), &file.text).unwrap();
        let seal = |customers: Option<&str>| written::seal(file.name, &file.text, customers);
        let customers = std::fs::read_to_string(estate.join("customers.yaml")).ok();
        assert_eq!(seal(customers.as_deref()), written::Seal::Whole, "{}", file.name);
    }
    let again = load(&estate);
    assert_eq!(serious(&again), [] as [&str; 0]);
    assert_same(&Known::of(&again.estate), &seeded);
    assert_eq!(names(&again.estate), names(&observed.estate));

    let steps = steps(&again, &snapshot);
    assert_eq!(steps, [] as [String; 0]);
}

fn names(estate: &Estate) -> Vec<String> {
    let users = estate.users.keys().map(ToString::to_string);
    let roles = estate.roles.keys().map(ToString::to_string);
    let partnerships = estate.partnerships.keys().map(ToString::to_string);
    let customers = estate.customers.keys().map(ToString::to_string);
    users.chain(roles).chain(partnerships).chain(customers).collect()
}

/// What a plan with a fresh ledger would do.
fn steps(loaded: &Loaded, snapshot: &Snapshot) -> Vec<String> {
    let rules = Rules::declared(&loaded.estate, &loaded.findings.sources, day());
    let planned = plan(&Input {
        estate: &loaded.estate,
        snapshot,
        record: &Record::default(),
        limits: &Limits::default(),
        guards: &Guards::default(),
        rules: &rules,
        actor: None,
        admin: "https://admin.microsoft.com",
        invitation: None,
        is_complete: true,
        hands_over: true,
        lags: false,
        now: snapshot.observed_at,
        today: day(),
        targets: &BTreeSet::new(),
        revive: &BTreeSet::new(),
        source_of: &|_| None,
    });
    planned.steps.iter().map(|step| format!("{} {:?}", step.object, step.fields)).collect()
}

#[test]
fn every_example_comes_back() {
    for example in ["fabrikam", "adatum", "northwind-distribution"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example);
        // The contact of one has a webmail address, for which there is a waiver where it comes from.
        let copy = tempfile::tempdir().unwrap();
        copy_mended(&folder.join("estate"), copy.path());
        there_and_back(&load(copy.path()), 300);
    }
}

fn copy_mended(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_mended(&from, &to);
        } else {
            let text = std::fs::read_to_string(from).unwrap();
            let text = text.replace("aiko-tanaka-fabrikam@gmail.com", "aiko@fabrikam.example");
            std::fs::write(to, text).unwrap();
        }
    }
}

/// What somebody may be called.
fn title() -> impl Strategy<Value = String> {
    let odd = [
        "no",
        "2026-11-20",
        "a: b",
        "# a",
        "'",
        "田中 愛子",
        "Müller & Söhne",
        "x, \"y\"; z",
        "=1+1",
        "none",
    ];
    prop_oneof![
        prop::sample::select(odd.to_vec()).prop_map(str::to_owned),
        "[A-Za-z][a-z ]{0,12}[a-z]"
    ]
}

#[derive(Debug, Clone)]
struct Person {
    title: String,
    agent: usize,
    admin: usize,
    groups: u8,
    account_roles: u8,
    enabled: bool,
    guest: bool,
    location: Option<bool>,
    phone: bool,
}

fn person() -> impl Strategy<Value = Person> {
    (
        (title(), 0..4usize, 0..5usize, any::<u8>(), any::<u8>()),
        (
            prop::bool::weighted(0.8),
            prop::bool::weighted(0.2),
            any::<Option<bool>>(),
            any::<bool>(),
        ),
    )
        .prop_map(
            |((title, agent, admin, groups, account_roles), (enabled, guest, location, phone))| {
                Person {
                    title,
                    agent,
                    admin,
                    groups,
                    account_roles,
                    enabled,
                    guest,
                    location,
                    phone,
                }
            },
        )
}

const AGENTS: [&str; 4] = ["none", "admin", "helpdesk", "[admin, helpdesk]"];
const ADMINS: [&str; 5] =
    ["none", "global", "{global: eligible}", "[user-management, {billing: eligible}]", "billing"];

fn text(
    program: usize,
    people: &[Person],
    groups: usize,
    partners: usize,
    customers: &[(String, u8)],
) -> String {
    let program = ["direct-bill", "indirect-provider", "indirect-reseller"][program];
    let quoted = |text: &str| json!(text).to_string();
    let mut all = format!(
        "apiVersion: partnerctl/v1\nkind: Account\nmetadata: {{name: fabrikam}}\nspec:\n  program: {program}\n  country: JP\n  domains: [fabrikam.example]\n  partnerId: \"4567890\"\n  legal:\n    companyName: Fabrikam K.K.\n    address: {{line1: 1-2-3 Marunouchi, city: Tokyo, country: JP}}\n    primaryContact: {{firstName: Aiko, lastName: Tanaka, email: aiko@fabrikam.example}}\n"
    );
    let head = |kind: &str, name: &str| {
        format!("---\napiVersion: partnerctl/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n")
    };
    all += &head("User", "first");
    all += "  {displayName: First, email: first@fabrikam.example, agent: admin, admin: global}\n";
    for (n, person) in people.iter().enumerate() {
        let Person {
            title,
            agent,
            admin,
            groups: held,
            account_roles,
            enabled,
            guest,
            location,
            phone,
        } = person;
        all += &head("User", &format!("u{n}"));
        let agent = if *guest { "none" } else { AGENTS[*agent] };
        let mut roles: Vec<String> =
            (0..groups).filter(|g| held >> g & 1 == 1).map(|g| format!("g{g}")).collect();
        if account_roles & 1 == 1 {
            roles.push("mpn-partner-admin".to_owned());
        }
        if account_roles & 2 == 2 {
            roles.push("{role: referrals-admin, locations: [JP-13, JP-27]}".to_owned());
        }
        write!(
            all,
            "  displayName: {}\n  email: u{n}@{}\n  agent: {agent}\n  admin: {}\n  enabled: {enabled}\n  roles: [{}]\n",
            quoted(title),
            if *guest { "contoso.example" } else { "fabrikam.example" },
            if *guest { "none" } else { ADMINS[*admin] },
            roles.join(", "),
        )
        .unwrap();
        if *guest {
            writeln!(all, "  userType: guest\n  signInName: \"u{n}_contoso.example#EXT#@fabrikam.onmicrosoft.com\"").unwrap();
        }
        if let Some(location) = location {
            writeln!(all, "  usageLocation: {}", if *location { "JP" } else { "FR" }).unwrap();
        }
        if *phone {
            writeln!(all, "  mobilePhone: \"+81 3 1234 {n:04}\"\n  jobTitle: {}", quoted(title))
                .unwrap();
        }
    }
    for g in 0..groups {
        all += &head("Role", &format!("g{g}"));
        writeln!(
            all,
            "  group: {}\n  description: {}",
            quoted(&format!("Gruppe {g}: Größe")),
            quoted("a\nb")
        )
        .unwrap();
    }
    let with =
        if program == "indirect-provider" { "indirect-reseller" } else { "indirect-provider" };
    let partners = if program == "direct-bill" { 0 } else { partners };
    for p in 0..partners {
        all += &head("Partnership", &format!("p{p}"));
        writeln!(all, "  with: {with}\n  displayName: Partner\n  tenantId: 11111111-0d3c-4b3e-9c6a-{p:012x}\n  acknowledge: [orders-on-behalf-of-customers, administrator-access-to-our-tenant]").unwrap();
    }
    for (n, (company, partner)) in customers.iter().enumerate() {
        all += &head("Customer", &format!("c{n}"));
        writeln!(all, "  companyName: {}\n  domain: c{n}.onmicrosoft.com\n  tenantId: 22222222-0d3c-4b3e-9c6a-{n:012x}", quoted(company)).unwrap();
        let partner = usize::from(*partner);
        if partner < partners {
            match program {
                "indirect-provider" => writeln!(all, "  reseller: p{partner}").unwrap(),
                _ => writeln!(all, "  partnerships: [p{partner}]").unwrap(),
            }
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_is_seeded_comes_back(
        program in 0..3usize,
        people in prop::collection::vec(person(), 0..8),
        groups in 0..4usize,
        partners in 0..3usize,
        customers in prop::collection::vec((title(), 0..4u8), 0..12),
        documents_max in prop::sample::select(vec![0usize, 300]),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let text = text(program, &people, groups, partners, &customers);
        std::fs::write(folder.path().join("all.yaml"), text).unwrap();
        let declared = load(folder.path());
        prop_assert_eq!(serious(&declared), [] as [&str; 0]);
        there_and_back(&declared, documents_max);
    }
}

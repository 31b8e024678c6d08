//! Delegated access through its whole life: separate processes, days in between, and people on the
//! other side. What there is is read from the emulator's own store, not through our client.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use crate::estates::{Prepared, World, without_ids};
use crate::killed::{Die, How};
use crate::world::{Folder, PROJECT};

const ACCOUNT: &str = "\
apiVersion: partnerctl/v1
kind: Account
metadata: {name: fabrikam}
spec:
  program: direct-bill
  country: JP
  domains: [fabrikam.example]
  partnerId: \"4567890\"
  legal:
    companyName: Fabrikam K.K.
    address: {line1: 1-2-3 Marunouchi, city: Tokyo, postalCode: 100-0005, country: JP}
    primaryContact: {firstName: Aiko, lastName: Tanaka, email: aiko@fabrikam.example, phone: \"+81 3 1234 5678\"}
---
apiVersion: partnerctl/v1
kind: User
metadata: {name: aiko}
spec: {displayName: Aiko, email: aiko@fabrikam.example, agent: admin, admin: global}
---
apiVersion: partnerctl/v1
kind: User
metadata: {name: chie}
spec: {displayName: Chie, email: chie@fabrikam.example, agent: none, admin: global}
---
apiVersion: partnerctl/v1
kind: Role
metadata: {name: desk}
spec: {group: {name: Service Desk, mailNickname: desk}}
---
apiVersion: partnerctl/v1
kind: Role
metadata: {name: watch}
spec: {group: {name: Watch, mailNickname: watch}}
---
apiVersion: partnerctl/v1
kind: Customer
metadata: {name: woodgrove}
spec: {companyName: Woodgrove, domain: woodgrove.example, tenantId: 2f9f2006-9e7c-4d69-97ec-72e84e194683, contact: {name: Ken, email: ken@woodgrove.example, language: en}}
---
apiVersion: partnerctl/v1
kind: Customer
metadata: {name: contoso, labels: {segment: enterprise}}
spec: {companyName: Contoso, domain: contoso.example, tenantId: 0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e1, contact: {name: 佐藤 健, email: ken@contoso.example, language: ja}}
";

const TEMPLATE: &str = "\
apiVersion: partnerctl/v1
kind: DelegatedAccess
metadata: {name: ops}
spec:
  customers: {labels: {segment: enterprise}}
  duration: P365D
  renewBefore: P60D
  grants:
    - {to: desk, directoryRoles: [Directory Readers, Helpdesk Administrator]}
    - {to: watch, directoryRoles: [Directory Readers]}
";

const LIMITS: &str = "  limits: {removals: {count: 100}, irreversible: {count: 10}, privilegedGrants: {count: 200}, customersTouched: {count: 100}}
  handover: {age: [age1xdu20xskzkurdstwklqcq42h4fuzmuplvu8wths26s63ft342gpsluyp5a], directory: handover}
";

/// An account that its customers have accepted, and that asks for nothing yet.
fn account() -> Folder {
    let folder = Folder::new()
        .with("partnerctl.yaml", format!("{PROJECT}{LIMITS}"))
        .with("estate/all.yaml", ACCOUNT);
    apply(&folder);
    for name in ["contoso", "woodgrove"] {
        act(&folder, &["accept", &format!("customer/{name}")]);
    }
    apply(&folder);
    folder
}

fn with_template(folder: Folder) -> Folder {
    folder.with("estate/access.yaml", TEMPLATE)
}

fn apply(folder: &Folder) -> String {
    let ended = folder.run(&["apply", "--yes", "."]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    ended.all()
}

fn act(folder: &Folder, args: &[&str]) {
    let ended = folder.run(&[&["emulator", "act"], args].concat());
    assert_eq!(ended.code, 0, "{}", ended.all());
}

fn clock(folder: &Folder, by: &str) {
    assert_eq!(folder.run(&["emulator", "clock", by]).code, 0);
}

/// What a plan says, and how it ends.
fn plan(folder: &Folder) -> (Value, i32) {
    let ended = folder.run(&["plan", "--exit-code", "--format", "json", "."]);
    let plan = serde_json::from_str(&ended.out);
    (plan.unwrap_or_else(|_| panic!("{}", ended.all())), ended.code)
}

fn steps(plan: &Value) -> Vec<String> {
    let steps = plan["steps"].as_array().unwrap().iter();
    steps.map(|step| step["id"].as_str().unwrap().to_owned()).collect()
}

/// What a plan reports of one object: states and messages.
fn told(plan: &Value, object: &str) -> Vec<(String, String)> {
    let report = plan["report"].as_array().unwrap().iter();
    let text = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
    report
        .filter(|one| one["object"] == object)
        .map(|one| (text(one, "state"), text(one, "message")))
        .collect()
}

const SEAT: &str = "delegated-access/ops/contoso";

fn is_told(plan: &Value, state: &str, words: &str) {
    let told = told(plan, SEAT);
    assert!(
        told.iter().any(|(is, message)| is == state && message.contains(words)),
        "no {state} with {words:?} in {told:?}"
    );
}

// What there is.

/// Documents of one kind in the tenant.
fn documents(folder: &std::path::Path, kind: &str) -> Vec<Value> {
    let store = rusqlite::Connection::open(folder.join(".partnerctl/tenant.db")).unwrap();
    let sql = "SELECT body FROM objects WHERE kind = ?1 AND body IS NOT NULL AND deleted_at IS NULL ORDER BY id";
    let mut asked = store.prepare(sql).unwrap();
    let rows = asked.query_map([kind], |row| row.get::<_, String>(0)).unwrap();
    rows.map(|body| serde_json::from_str(&body.unwrap()).unwrap()).collect()
}

/// Each relationship by name, with where it stands.
fn relationships(folder: &std::path::Path) -> BTreeMap<String, String> {
    let all = documents(folder, "gdap-relationship").into_iter();
    let named = all.map(|one| {
        (
            one["displayName"].as_str().unwrap().to_owned(),
            one["status"].as_str().unwrap().to_owned(),
        )
    });
    named.collect()
}

/// Which group can do what, once what was under way has come about: whoever looks moves things on.
fn settled(folder: &Folder) -> BTreeSet<(String, String)> {
    plan(folder);
    access(folder.path())
}

/// Which group can do what now: what is active by what is active.
fn access(folder: &std::path::Path) -> BTreeSet<(String, String)> {
    let groups: BTreeMap<String, String> = documents(folder, "group")
        .into_iter()
        .map(|group| {
            let text = |name: &str| group[name].as_str().unwrap().to_owned();
            (text("id"), text("displayName"))
        })
        .collect();
    let active: BTreeMap<String, Vec<String>> = documents(folder, "gdap-relationship")
        .into_iter()
        .filter(|one| one["status"] == "active")
        .map(|one| (one["id"].as_str().unwrap().to_owned(), strings(&one["roles"])))
        .collect();
    let mut all = BTreeSet::new();
    for held in documents(folder, "gdap-assignment") {
        let relationship = held["relationship"].as_str().unwrap();
        let Some(roles) = active.get(relationship).filter(|_| held["status"] == "active") else {
            continue;
        };
        let group = held["container"].as_str().unwrap();
        let name = groups.get(group).cloned().unwrap_or_else(|| "gone".to_owned());
        let given = strings(&held["roles"]).into_iter().filter(|role| roles.contains(role));
        all.extend(given.map(|role| (name.clone(), role)));
    }
    all
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

const READERS: &str = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b";
const HELPDESK: &str = "729827e3-9c14-49f7-bb1b-9608f156bbb8";
const LICENSE: &str = "4d6ac14f-3453-41d0-bef9-a3e0c569773a";

fn pairs(all: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    all.iter().map(|(group, role)| ((*group).to_owned(), (*role).to_owned())).collect()
}

fn declared() -> BTreeSet<(String, String)> {
    pairs(&[("Service Desk", READERS), ("Service Desk", HELPDESK), ("Watch", READERS)])
}

/// A relationship that the customer approved and whose groups have their roles.
fn mapped() -> Folder {
    let folder = with_template(account());
    apply(&folder);
    act(&folder, &["accept", "delegated-access/ops"]);
    apply(&folder);
    assert_eq!(settled(&folder), declared());
    folder
}

#[test]
fn it_is_asked_for_approved_mapped_and_renewed() {
    let folder = with_template(account());
    let (first, code) = plan(&folder);
    assert_eq!((steps(&first), code), (vec![format!("{SEAT}/create")], 2));
    apply(&folder);
    let names: Vec<_> = relationships(folder.path()).into_iter().collect();
    assert_eq!(names.len(), 1);
    assert_eq!(names[0].1, "approvalPending");
    assert!(names[0].0.starts_with("ops-") && names[0].0.ends_with("-1"), "{names:?}");
    // Nothing but waiting: twice, and another day.
    for _ in 0..2 {
        let (waits, code) = plan(&folder);
        assert_eq!((steps(&waits), code), (vec![], 8));
        is_told(&waits, "waiting", "is to approve delegated access");
        clock(&folder, "+1d");
    }
    let status = folder.run(&["status", "--format", "json", "."]);
    let status: Value = serde_json::from_str(&status.out).unwrap();
    let item = &status["items"][0];
    assert_eq!(item["step"], format!("{SEAT}/approve"));
    let link = item["link"].as_str().unwrap();
    assert!(link.contains("granularAdminRelationships/"), "{link}");
    // The link itself is what the customer opens.
    act(&folder, &["accept", link]);
    let (mapping, _) = plan(&folder);
    assert_eq!(steps(&mapping), [format!("{SEAT}/grant/desk"), format!("{SEAT}/grant/watch")]);
    apply(&folder);
    assert_eq!(settled(&folder), declared());
    assert_eq!(plan(&folder).1, 0);

    // Ten months later.
    clock(&folder, "+310d");
    let ends = folder.run(&["status", "--within", "60d", "."]).all();
    assert!(ends.contains("is to be renewed now"), "{ends}");
    let (renewal, _) = plan(&folder);
    assert_eq!(steps(&renewal), [format!("{SEAT}/replace")]);
    apply(&folder);
    let (waits, code) = plan(&folder);
    assert_eq!(code, 8);
    is_told(&waits, "waiting", "-1 stays, which ends on");
    assert_eq!(settled(&folder), declared());
    act(&folder, &["accept", "delegated-access/ops"]);
    let (mapping, _) = plan(&folder);
    is_told(&mapping, "held", "-1 stays until");
    apply(&folder);
    assert_eq!(settled(&folder), declared());
    let (end, _) = plan(&folder);
    assert_eq!(steps(&end), [format!("{SEAT}/end/1")]);
    assert!(end["steps"][0]["irreversible"].is_null());
    apply(&folder);
    assert_eq!(settled(&folder), declared());
    assert_eq!(plan(&folder).1, 0);
    let standing: Vec<String> = relationships(folder.path()).into_values().collect();
    assert_eq!(standing, ["terminated", "active"]);
}

#[test]
fn it_extends_itself_or_ends() {
    let extends = TEMPLATE.replace("renewBefore", "autoExtend: P180D\n  renewBefore");
    let folder = mapped().with("estate/access.yaml", extends);
    let (change, _) = plan(&folder);
    assert_eq!(steps(&change), [format!("{SEAT}/update")]);
    apply(&folder);
    clock(&folder, "+330d");
    assert_eq!(plan(&folder).1, 0, "it needs nobody");
    let ends = folder.run(&["status", "--within", "60d", "."]).all();
    assert!(ends.contains("extends itself by 180 days"), "{ends}");
    clock(&folder, "+100d");
    assert_eq!(plan(&folder).1, 0);
    assert_eq!(settled(&folder), declared());

    // Nobody applies for years: it ran out, and is asked for anew.
    let folder = mapped();
    clock(&folder, "+400d");
    let (anew, _) = plan(&folder);
    assert_eq!(steps(&anew), [format!("{SEAT}/create")]);
    assert_eq!(anew["steps"][0]["fields"][0]["cause"], "expiry");
    apply(&folder);
    assert!(relationships(folder.path()).keys().any(|name| name.ends_with("-2")));
}

#[test]
fn what_customers_say_no_to_is_not_asked_again() {
    let folder = with_template(account());
    apply(&folder);
    act(&folder, &["decline", "delegated-access/ops"]);
    let (declined, code) = plan(&folder);
    assert_eq!((steps(&declined), code), (vec![], 9));
    is_told(&declined, "gone", "declined");
    let revived = folder.run(&["apply", "--yes", "--revive", SEAT, "."]);
    assert_eq!(revived.code, 0, "{}", revived.all());
    assert_eq!(plan(&folder).1, 8);

    // Ninety days without a word: that was no no.
    clock(&folder, "+91d");
    let (lapsed, _) = plan(&folder);
    assert_eq!(steps(&lapsed), [format!("{SEAT}/create")]);
    apply(&folder);
    act(&folder, &["accept", "delegated-access/ops"]);
    apply(&folder);
    assert_eq!(settled(&folder), declared());

    // What the customer ended stays ended, until somebody says otherwise.
    act(&folder, &["terminate-access", "customer/contoso"]);
    let (ended, code) = plan(&folder);
    assert_eq!((steps(&ended), code), (vec![], 9));
    is_told(&ended, "gone", "was ended on the customer's side");
    assert_eq!(settled(&folder), BTreeSet::new());
    let revived = folder.run(&["apply", "--yes", "--revive", SEAT, "."]);
    assert_eq!(revived.code, 0, "{}", revived.all());
    let names: Vec<String> = relationships(folder.path()).into_keys().collect();
    assert_eq!(names.len(), 4, "each has a name of its own: {names:?}");
}

#[test]
fn when_the_customer_declines_the_next_one_the_present_one_stays() {
    let folder = mapped();
    clock(&folder, "+310d");
    apply(&folder);
    act(&folder, &["decline", "delegated-access/ops"]);
    let (plan_now, code) = plan(&folder);
    assert_eq!((steps(&plan_now), code), (vec![], 9));
    is_told(&plan_now, "gone", "declined the next one, and ops-");
    let ends = folder.run(&["status", "--within", "60d", "."]).all();
    assert!(ends.contains("the customer declined the next one"), "{ends}");
    assert!(!ends.contains("is to be renewed now"), "{ends}");
    assert_eq!(settled(&folder), declared());
}

const GLOBAL: &str = "62e90394-69f5-4237-9190-012177145e10";

/// Others edit what the tenant holds.
fn edited(folder: &Folder, set: &str) {
    let store = rusqlite::Connection::open(folder.path().join(".partnerctl/tenant.db")).unwrap();
    let sql = format!("UPDATE objects SET body = {set} WHERE kind = 'gdap-relationship'");
    assert_eq!(store.execute(&sql, []).unwrap(), 1);
}

/// A customer is asked for what the plan showed, or for nothing: a draft can be edited by others.
#[test]
fn what_was_added_to_a_draft_meanwhile_is_not_asked_for() {
    let folder = with_template(account());
    apply(&folder);
    edited(&folder, "json_set(body, '$.status', 'created')");
    let saved = folder.run(&["plan", "--out", "p.json", "."]);
    assert_eq!(saved.code, 0, "{}", saved.all());
    assert!(saved.all().contains("Helpdesk Administrator"), "{}", saved.all());
    let (asks, _) = plan(&folder);
    assert_eq!(steps(&asks), [format!("{SEAT}/request")]);
    edited(&folder, &format!("json_insert(body, '$.roles[#]', '{GLOBAL}')"));
    let ended = folder.run(&["apply", "p.json", "--yes"]);
    assert_ne!(ended.code, 0, "{}", ended.all());
    let standing: Vec<String> = relationships(folder.path()).into_values().collect();
    assert_eq!(standing, ["created"], "{}", ended.all());
    // Planned anew, it is corrected first.
    let (asks, _) = plan(&folder);
    assert_eq!(steps(&asks), [format!("{SEAT}/correct"), format!("{SEAT}/request")]);
    apply(&folder);
    let [one] = documents(folder.path(), "gdap-relationship").try_into().unwrap();
    assert_eq!(one["status"], "approvalPending");
    assert!(!strings(&one["roles"]).contains(&GLOBAL.to_owned()), "{one}");
}

/// What the mail says is what the customer approves.
#[test]
fn a_mail_says_what_the_link_gives() {
    let folder = with_template(account());
    apply(&folder);
    let narrowed =
        TEMPLATE.replace("[Directory Readers, Helpdesk Administrator]", "[Directory Readers]");
    let folder = folder.with("estate/access.yaml", narrowed);
    let invite =
        |folder: &Folder| folder.run(&["invite", "--language", "en", "delegated-access/ops"]).all();
    assert!(!invite(&folder).contains("granularAdminRelationships"), "{}", invite(&folder));
    let (narrower, _) = plan(&folder);
    assert_eq!(steps(&narrower), [format!("{SEAT}/replace")]);
    is_told(&narrower, "final", "it asks for Helpdesk Administrator, too");
    apply(&folder);
    let mail = invite(&folder);
    assert!(mail.contains("Directory Readers"), "{mail}");
    assert!(!mail.contains("Helpdesk Administrator"), "{mail}");
    let (_, link) = mail.split_once("granularAdminRelationships/").unwrap();
    let id = link.split_whitespace().next().unwrap();
    let all = documents(folder.path(), "gdap-relationship");
    let asked = all.iter().find(|one| one["id"] == id).unwrap();
    assert_eq!(strings(&asked["roles"]), [READERS]);
}

/// A template stands for its seats wherever something is asked for by name, and a slip is no "nothing to
/// do".
#[test]
fn what_is_asked_for_by_name_is_known() {
    let folder = with_template(account());
    apply(&folder);
    act(&folder, &["decline", SEAT]);
    let (declined, _) = plan(&folder);
    is_told(&declined, "gone", "declined");
    for name in ["user/nope", "delegated-access/nope", "delegated-access/ops/nope"] {
        for (command, option) in [("plan", "--revive"), ("plan", "--target"), ("drift", "--target")]
        {
            let ended = folder.run(&[command, option, name, "."]);
            assert_eq!(ended.code, 64, "{command} {option} {name}: {}", ended.all());
            assert!(ended.all().contains(name), "{}", ended.all());
        }
        let ended = folder.run(&["apply", "--yes", "--revive", name, "."]);
        assert_eq!(ended.code, 64, "{name}: {}", ended.all());
    }
    let revived = folder.run(&["apply", "--yes", "--revive", "delegated-access/ops", "."]);
    assert_eq!(revived.code, 0, "{}", revived.all());
    assert_eq!(relationships(folder.path()).len(), 2);
    // Whoever is called as plans call it answers.
    act(&folder, &["accept", SEAT]);
    apply(&folder);
    assert_eq!(settled(&folder), declared());
}

/// Deselected by an edited label: ended, counted, and not without somebody who answers for it.
#[test]
fn six_customers_that_lose_their_label_are_over_a_limit() {
    let folder = Folder::example("northwind-distribution");
    assert_eq!(folder.run(&["emulator", "seed", "."]).code, 0);
    assert_eq!(folder.run(&["apply", "--yes", "."]).code, 0);
    let table = folder.path().join("estate/customers/resellers.csv");
    let text = fs::read_to_string(&table).unwrap();
    let mut left = 6;
    let edited: Vec<String> = text
        .lines()
        .map(|line| match line.strip_suffix(",provider").filter(|row| !row.contains(",public,")) {
            Some(row) if left > 0 => {
                left -= 1;
                format!("{row},")
            }
            _ => line.to_owned(),
        })
        .collect();
    assert_eq!(left, 0, "there are six");
    fs::write(&table, edited.join("\n") + "\n").unwrap();
    let ended = folder.run(&["plan", "--format", "json", "."]);
    assert_eq!(ended.code, 5, "{}", ended.all());
    let plan: Value = serde_json::from_str(&ended.out).unwrap();
    let ends = plan["steps"].as_array().unwrap();
    assert_eq!(ends.len(), 6);
    assert!(ends.iter().all(|step| step["verb"] == "end" && step["irreversible"].is_string()));
    assert_eq!(plan["limits"]["irreversible"]["planned"], 6);
    assert_eq!(plan["limits"]["irreversible"]["exceeded"], true);
    let before = relationships(folder.path());
    let refused = folder.run(&["apply", "--yes", "."]);
    assert_eq!(refused.code, 5, "{}", refused.all());
    assert_eq!(relationships(folder.path()), before);
}

/// Two templates with one customer are two relationships, and their roles add up.
#[test]
fn templates_do_not_meddle_with_each_other() {
    let second = TEMPLATE
        .replace("name: ops", "name: licences")
        .replace("[Directory Readers, Helpdesk Administrator]", "[License Administrator]")
        .replace("    - {to: watch, directoryRoles: [Directory Readers]}\n", "");
    let folder = mapped().with("estate/second.yaml", second);
    let (more, _) = plan(&folder);
    assert_eq!(steps(&more), ["delegated-access/licences/contoso/create"]);
    apply(&folder);
    act(&folder, &["accept", "delegated-access/licences"]);
    apply(&folder);
    let mut both = declared();
    both.insert(("Service Desk".to_owned(), LICENSE.to_owned()));
    assert_eq!(settled(&folder), both);
    assert_eq!(plan(&folder).1, 0);
    fs::remove_file(folder.path().join("estate/second.yaml")).unwrap();
    let (end, _) = plan(&folder);
    assert_eq!(steps(&end), ["delegated-access/licences/contoso/end/1"]);
    apply(&folder);
    assert_eq!(settled(&folder), declared());
}

// Killed.

/// What must be the same in the end: where each relationship stands, who can do what, and memory.
fn end_of(world: &World) -> (Vec<String>, BTreeSet<(String, String)>, Vec<String>) {
    // Whoever was killed late and goes on sees more, and does more at once.
    for _ in 0..3 {
        let ended = world.run(&["apply", "--yes", "."]);
        assert_eq!(ended.code, 0, "{}", ended.all());
    }
    let (objects, twice) = world.remembered();
    assert_eq!(twice, [] as [String; 0], "done twice");
    world.run(&["plan", "."]);
    let folder = world.folder.path();
    let relationships = relationships(folder);
    let standing = relationships.into_iter().map(|(name, status)| format!("{name} {status}"));
    let objects = objects.iter().map(|object| without_ids(object)).collect();
    (standing.collect(), access(folder), objects)
}

/// Each stage of a life: what happens before it, and what must be possible all the way through it.
type Stage = (&'static str, fn(&Folder), fn() -> BTreeSet<(String, String)>);

const STAGES: [Stage; 7] = [
    ("request", |_| (), BTreeSet::new),
    ("mapping", |folder| act(folder, &["accept", "delegated-access/ops"]), BTreeSet::new),
    (
        "narrowing",
        |folder| {
            let text = TEMPLATE
                .replace("renewBefore", "autoExtend: P180D\n  renewBefore")
                .replace("    - {to: watch, directoryRoles: [Directory Readers]}\n", "")
                .replace("[Directory Readers, Helpdesk", "[Helpdesk");
            fs::write(folder.path().join("estate/access.yaml"), text).unwrap();
        },
        || pairs(&[("Service Desk", HELPDESK)]),
    ),
    (
        "replacing",
        |folder| {
            let text = TEMPLATE.replace("renewBefore", "replace: now\n  renewBefore").replace(
                "[Directory Readers, Helpdesk Administrator]",
                "[Helpdesk Administrator, License Administrator]",
            );
            fs::write(folder.path().join("estate/access.yaml"), text).unwrap();
        },
        || pairs(&[("Service Desk", HELPDESK)]),
    ),
    (
        "mapping the next one",
        |folder| act(folder, &["accept", "delegated-access/ops"]),
        || pairs(&[("Service Desk", HELPDESK)]),
    ),
    (
        "ending the one before",
        |_| (),
        || pairs(&[("Service Desk", HELPDESK), ("Service Desk", LICENSE), ("Watch", READERS)]),
    ),
    (
        "ending",
        |folder| fs::remove_file(folder.path().join("estate/access.yaml")).unwrap(),
        BTreeSet::new,
    ),
];

/// At every boundary of every stage of a life: read, resumed, and the same as undisturbed; nothing is
/// made twice or forgotten, and what is to be possible is possible all the time.
#[test]
fn killed_anywhere_in_its_life_it_recovers() {
    let mut folder = with_template(account());
    let mut boundaries_of_all = 0;
    for (stage, before, possible) in STAGES {
        before(&folder);
        let prepared =
            Prepared { folder: folder.into_dir(), server: None, env: Vec::new(), url: None };
        let undisturbed = World::copy(&prepared, 0);
        let boundaries = undisturbed.apply();
        assert!(boundaries >= 4, "{stage}: {boundaries}");
        boundaries_of_all += boundaries;
        let whole =
            Prepared { folder: undisturbed.folder, server: None, env: Vec::new(), url: None };
        let end = end_of(&World::copy(&whole, 0));
        let next = AtomicU64::new(1);
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        loop {
                            let at = next.fetch_add(1, Ordering::SeqCst);
                            if at > boundaries {
                                return;
                            }
                            let world = World::copy(&prepared, at);
                            let died = world.child(Some(Die { at, how: How::Killed }));
                            died.wait_with_output().unwrap();
                            let now = access(world.folder.path());
                            assert!(
                                possible().is_subset(&now),
                                "{stage}, killed at {at}: only {now:?} is possible"
                            );
                            world.time_passes();
                            assert_eq!(end_of(&world), end, "{stage}, killed at {at}");
                        }
                    })
                })
                .collect();
            for one in all {
                if let Err(why) = one.join() {
                    std::panic::resume_unwind(why);
                }
            }
        });
        folder = Folder::from(whole.folder);
    }
    assert!(boundaries_of_all > 40, "{boundaries_of_all}");
    let standing: Vec<String> = relationships(folder.path()).into_values().collect();
    assert_eq!(standing, ["terminated", "terminated"]);
    assert_eq!(plan(&folder).1, 0);
}

/// How many requests came so far, but for those for tokens and about the emulator itself.
fn calls(folder: &Folder) -> usize {
    let log = folder.run(&["emulator", "log", "--format", "json"]);
    let log: Value = serde_json::from_str(&log.out).unwrap();
    let entries = log["entries"].as_array().unwrap().iter();
    entries.filter(|entry| entry["path"].as_str().unwrap().starts_with("/v1")).count()
}

/// A plan says what it will cost, and that is what it costs.
#[test]
fn the_forecast_is_what_it_takes() {
    type Edit = Box<dyn Fn(&Folder)>;
    let folder = with_template(account());
    let mut edits: Vec<Edit> =
        vec![Box::new(|_| ()), Box::new(|folder| act(folder, &["accept", "delegated-access/ops"]))];
    for edit in [STAGES[2].1, STAGES[3].1, STAGES[4].1, STAGES[5].1, STAGES[6].1] {
        edits.push(Box::new(edit));
    }
    for (at, edit) in edits.iter().enumerate() {
        edit(&folder);
        // What moved is looked at more than once; then it is known what looking costs.
        for _ in 0..3 {
            plan(&folder);
        }
        let before = calls(&folder);
        let forecast = plan(&folder).0["forecast"]["calls"].as_u64().unwrap();
        let looking = calls(&folder) - before;
        let before = calls(&folder);
        apply(&folder);
        let took = calls(&folder) - before - looking;
        assert_eq!(took as u64, forecast, "stage {at}");
        assert!(forecast > 0, "stage {at}");
    }
}

/// Right after a relationship became active the service may refuse to take assignments.
#[test]
fn an_assignment_that_comes_too_early_is_sent_again() {
    let folder = with_template(account());
    apply(&folder);
    act(&folder, &["accept", "delegated-access/ops"]);
    plan(&folder);
    let faults = "seed: 7\nrules:\n  - {method: POST, path: \"/v1.0/tenantRelationships/delegatedAdminRelationships/*/accessAssignments\", rate: 1, nth: 1, fault: error, status: 400}\n";
    let folder = folder.with("faults.yaml", faults);
    assert_eq!(folder.run(&["emulator", "faults", "faults.yaml"]).code, 0);
    apply(&folder);
    assert_eq!(settled(&folder), declared());
}

/// Whatever is half done is finished: some groups have their roles, one failed, one is gone.
#[test]
fn what_is_half_mapped_is_finished() {
    let folder = mapped();
    let half = TEMPLATE.replace("    - {to: watch, directoryRoles: [Directory Readers]}\n", "");
    let folder = folder.with("estate/access.yaml", half);
    apply(&folder);
    let folder = with_template(folder);
    let (rest, _) = plan(&folder);
    assert_eq!(steps(&rest), [format!("{SEAT}/grant/watch")]);
    apply(&folder);
    assert_eq!(settled(&folder), declared());
}

/// An account with many customers, all of whom the template selects.
fn many(customers: usize) -> Folder {
    let mut rows = String::from("name,companyName,domain,tenantId\n");
    for number in 0..customers {
        let line = format!(
            "c{number},Customer {number},c{number}.example,00000000-0000-4000-8000-{number:012x}\n"
        );
        rows.push_str(&line);
    }
    let table = "apiVersion: partnerctl/v1\nkind: CustomerTable\nmetadata: {name: smb}\nspec: {file: smb.csv, defaults: {labels: {segment: enterprise}}}\n";
    let folder = Folder::new()
        .with("partnerctl.yaml", format!("{PROJECT}{LIMITS}"))
        .with("estate/all.yaml", ACCOUNT)
        .with("estate/smb.csv", rows)
        .with("estate/smb.yaml", table);
    assert_eq!(folder.run(&["emulator", "seed", "."]).code, 0);
    apply(&folder);
    with_template(folder)
}

/// A tenth of all requests is struck: answers are lost, the service is away, or wants it slower.
#[test]
fn in_bad_weather_each_customer_is_asked_once() {
    const CUSTOMERS: usize = 24;
    let folder = many(CUSTOMERS);
    let weather = "seed: 11\nrules:\n  - {method: writes, path: /v1.0/tenantRelationships, rate: 0.1, fault: drop-after}\n  - {path: /v1.0/tenantRelationships, rate: 0.05, fault: error, status: 503}\n  - {path: /v1.0/tenantRelationships, rate: 0.05, fault: throttle, retryAfter: 1}\n";
    let folder = folder.with("weather.yaml", weather);
    assert_eq!(folder.run(&["emulator", "faults", "weather.yaml"]).code, 0);
    let until = |wanted: i32| {
        for _ in 0..6 {
            folder.run(&["apply", "--yes", "."]);
            if folder.run(&["plan", "--exit-code", "."]).code == wanted {
                return;
            }
        }
        panic!("{}", folder.run(&["plan", "."]).all());
    };
    until(8);
    let all = documents(folder.path(), "gdap-relationship");
    let asked: BTreeSet<String> =
        all.iter().map(|one| one["customer"]["tenantId"].as_str().unwrap().to_owned()).collect();
    assert_eq!((all.len(), asked.len()), (CUSTOMERS + 1, CUSTOMERS + 1), "nobody is asked twice");
    act(&folder, &["accept", "delegated-access/ops"]);
    until(0);
    assert_eq!(folder.run(&["emulator", "faults", "off"]).code, 0);
    assert_eq!(folder.run(&["plan", "--exit-code", "--refresh", "all", "."]).code, 0);
    let active = documents(folder.path(), "gdap-assignment");
    assert_eq!(
        active.iter().filter(|held| held["status"] == "active").count(),
        2 * (CUSTOMERS + 1)
    );
}

/// Customers come in waves; one in which something does not come about is the last.
#[test]
fn after_a_wave_that_went_wrong_there_is_no_other() {
    let folder = many(20).with(
        "faults.yaml",
        "seed: 7\nrules:\n  - {method: POST, path: /v1.0/tenantRelationships/delegatedAdminRelationships, rate: 1, nth: 16, fault: error, status: 403}\n",
    );
    assert_eq!(folder.run(&["emulator", "faults", "faults.yaml"]).code, 0);
    // Asking is two requests: the sixteenth is about the eighth customer, in the second wave of five.
    let ended = folder.run(&["apply", "--yes", "--wave", "5", "--parallel", "1", "."]);
    assert_eq!(ended.code, 7, "{}", ended.all());
    assert!(
        ended.all().contains("not everything of an earlier wave came about"),
        "{}",
        ended.all()
    );
    let asked = relationships(folder.path()).len();
    assert!((8..=10).contains(&asked), "{asked} were asked");
    assert_eq!(folder.run(&["emulator", "faults", "off"]).code, 0);
    let ended = folder.run(&["apply", "--yes", "--wave", "5", "."]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    let standing: BTreeSet<String> = relationships(folder.path()).into_values().collect();
    assert_eq!(standing, BTreeSet::from(["approvalPending".to_owned()]));
    assert_eq!(relationships(folder.path()).len(), 21);
}

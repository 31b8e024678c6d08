//! Planning through the door: an estate, the tenant inside partnerctl, what others do there, and what
//! a plan says of it.

use std::fmt::Write as _;
use std::fs;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use crate::world::{ACCOUNT, Ended, Folder, PROJECT, Run, USERS};

const EXAMPLES: [&str; 3] = ["adatum", "fabrikam", "northwind-distribution"];

fn seeded(folder: Folder) -> Folder {
    seed(&folder, &[]);
    folder
}

fn seed(folder: &Folder, context: &[&str]) {
    let ended = folder.run(&[&["emulator", "seed", "."], context].concat());
    assert_eq!(ended.code, 0, "{}", ended.all());
}

fn plan(folder: &Folder, args: &[&str]) -> Value {
    let ended = folder.run(&[&["plan", "--format", "json"], args].concat());
    serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{}", ended.all()))
}

fn steps(plan: &Value) -> Vec<&str> {
    plan["steps"].as_array().unwrap().iter().map(|step| step["id"].as_str().unwrap()).collect()
}

fn edited(folder: &Folder, object: &str, edit: &str) {
    let ended = folder.run(&["emulator", "act", "edit", object, edit]);
    assert_eq!(ended.code, 0, "{}", ended.all());
}

#[test]
fn a_tenant_that_is_as_declared_makes_an_empty_plan() {
    for name in EXAMPLES {
        let folder = Folder::example(name);
        seed(&folder, &["--context", "local"]);
        let found = plan(&folder, &["--context", "local"]);
        assert_eq!(steps(&found), [] as [&str; 0], "{name}: {found}");
    }
}

/// Two runs say the same, but for when they looked.
#[test]
fn the_same_input_makes_the_same_bytes() {
    let folder = Folder::example("fabrikam");
    let without_time = |ended: Ended| {
        let mut value: Value = serde_json::from_str(&ended.out).unwrap();
        assert!(value.as_object_mut().unwrap().remove("observedAt").is_some());
        value.to_string()
    };
    let run = |args: &[&str]| without_time(folder.run(args));
    let first = run(&["plan", "--format", "json"]);
    for refresh in ["changed", "all", "none"] {
        assert!(run(&["plan", "--format", "json", "--refresh", refresh]) == first, "{refresh}");
    }
    let file = folder.path().join("plan.json");
    folder.run(&["plan", "--out", file.to_str().unwrap()]);
    let shown = without_time(folder.run(&["show", "plan.json", "--format", "json"]));
    assert!(shown == first, "{shown}");
}

/// An estate of a few documents of every kind, in their own order.
#[derive(Debug, Clone)]
pub(crate) struct Drawn {
    pub(crate) documents: Vec<String>,
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("Zoé".to_owned()),
        Just("田中 愛子".to_owned()),
        Just("Grün & Söhne".to_owned()),
        "[A-Z][a-z]{2,8} [A-Z][a-z]{2,8}",
    ]
}

prop_compose! {
    pub(crate) fn drawn()(
        users in prop::collection::vec((word(), 0..4u8, 0..4u8, any::<bool>(), 0..3usize), 0..6),
        roles in 0..3usize,
        customers in prop::collection::vec((word(), any::<bool>(), any::<bool>()), 0..5),
        support in any::<bool>(),
    ) -> Drawn {
        let mut account = ACCOUNT.to_owned();
        if support {
            account.push_str("  support: {email: help@fabrikam.example, phone: \"+81 3 1234 0000\"}\n");
        }
        let mut documents = vec![account];
        documents.extend(USERS.split("---\n").map(str::to_owned));
        for at in 0..roles {
            documents.push(format!("apiVersion: partnerctl/v1\nkind: Role\nmetadata: {{name: r{at}}}\nspec: {{description: Desk {at}, group: Desk {at}}}\n"));
        }
        for (at, (name, agent, admin, enabled, role)) in users.into_iter().enumerate() {
            let agent = ["none", "admin", "helpdesk", "[admin, helpdesk]"][usize::from(agent)];
            let admin = ["none", "billing", "user-management", "{billing: eligible}"][usize::from(admin)];
            let held = if role < roles { format!("[r{role}]") } else { "[]".to_owned() };
            documents.push(format!("apiVersion: partnerctl/v1\nkind: User\nmetadata: {{name: u{at}}}\nspec:\n  displayName: {name:?}\n  email: u{at}@fabrikam.example\n  agent: {agent}\n  admin: {admin}\n  roles: {held}\n  enabled: {enabled}\n"));
        }
        for (at, (name, known, billed)) in customers.into_iter().enumerate() {
            let mut document = format!("apiVersion: partnerctl/v1\nkind: Customer\nmetadata: {{name: c{at}, labels: {{tier: t{at}}}}}\nspec:\n  companyName: {name:?}\n  domain: c{at}.onmicrosoft.com\n");
            if known {
                writeln!(document, "  tenantId: 00000000-0d3c-4b3e-9c6a-{at:012x}").unwrap();
            }
            if billed {
                document.push_str("  billing: {address: {line1: 4-5-6 Umeda, city: Osaka, postalCode: 530-0001, country: JP}}\n");
            }
            documents.push(document);
        }
        Drawn { documents }
    }
}

/// The same estate, said otherwise.
fn otherwise(drawn: &Drawn) -> String {
    let said = drawn.documents.iter().rev().map(|document| {
        let document: String = document.nfd().collect();
        let document = document
            .replace("email: u", "email: U")
            .replace("@fabrikam.example", "@Fabrikam.Example")
            .replace("kind:", "# a word\nkind:")
            .replace("email: help@Fabrikam.Example", "email: \"Help@fabrikam.example\"")
            .replace("+81 3 1234 0000", "+81-3-1234-0000");
        format!("{document}# the end\n")
    });
    said.collect::<Vec<_>>().join("---\n")
}

/// Law: what is in place is quiet, and how it is written does not matter.
#[test]
fn what_is_in_place_is_quiet_however_it_is_written() {
    let mut runner =
        TestRunner::new(Config { cases: 12, failure_persistence: None, ..Config::default() });
    runner
        .run(&drawn(), |drawn| {
            let folder = Folder::new()
                .with("partnerctl.yaml", PROJECT)
                .with("estate/all.yaml", drawn.documents.join("---\n"));
            let folder = seeded(folder);
            let found = plan(&folder, &[]);
            prop_assert_eq!(steps(&found), [] as [&str; 0], "{}", found);
            fs::write(folder.path().join("estate/all.yaml"), otherwise(&drawn)).unwrap();
            let found = plan(&folder, &[]);
            prop_assert_eq!(steps(&found), [] as [&str; 0], "{}", found);
            Ok(())
        })
        .unwrap();
}

/// What others do shows, and comes back to what is declared.
#[test]
fn what_others_did_is_taken_over_or_taken_back() {
    let folder = seeded(Folder::example("fabrikam"));
    edited(&folder, "user/chie-mori", "spec.jobTitle=Clerk");
    let found = plan(&folder, &[]);
    assert_eq!(steps(&found), ["user/chie-mori/update"]);
    let field = &found["steps"][0]["fields"][0];
    assert_eq!(field["before"], "Clerk");
    // Nothing was applied yet, so nothing can have drifted.
    assert_eq!(field["cause"], "adopt");
    assert_eq!(found["steps"][0]["authorisation"]["decision"], "allow");
    assert_eq!(found["steps"][0]["guard"]["seen"]["spec.jobTitle"], "Clerk");
}

/// Twenty-five users, of whom some go.
fn many(gone: usize) -> Folder {
    let mut text = String::new();
    for at in 0..25 - gone {
        let between = if at == 0 { "" } else { "---\n" };
        write!(text, "{between}apiVersion: partnerctl/v1\nkind: User\nmetadata: {{name: u{at}}}\nspec: {{displayName: User {at}, email: u{at}@fabrikam.example, agent: helpdesk, admin: none}}\n").unwrap();
    }
    Folder::project().with("estate/many.yaml", text)
}

#[test]
fn exit_codes_say_what_a_plan_means() {
    let folder = seeded(Folder::project());
    assert_eq!(folder.run(&["plan", "--exit-code"]).code, 0);
    // A change.
    let folder = folder.edit("estate/users.yaml", "displayName: 森 千恵", "displayName: 森 千恵子");
    assert_eq!(folder.run(&["plan", "--exit-code"]).code, 2);
    assert_eq!(folder.run(&["plan"]).code, 0);
    // A guard.
    let folder = folder
        .edit("estate/users.yaml", "agent: none, admin: global", "agent: none, admin: none")
        .edit(
            "estate/users.yaml",
            "agent: admin, admin: global",
            "agent: admin, admin: {global: eligible}",
        );
    let ended = folder.run(&["plan"]);
    // The manifests alone are wrong then: nobody would be a global admin.
    assert_eq!(ended.code, 3, "{}", ended.all());
    // Waiting.
    let waiting = seeded(Folder::project()).with(
        "estate/partner.yaml",
        "apiVersion: partnerctl/v1\nkind: Partnership\nmetadata: {name: northwind}\nspec: {with: indirect-provider, displayName: Northwind, tenantId: 7f1b0c52-0d3c-4b3e-9c6a-2a2b1f0d9a10, acknowledge: [orders-on-behalf-of-customers, administrator-access-to-our-tenant]}\n",
    );
    assert_eq!(waiting.run(&["plan", "--exit-code"]).code, 8);
    assert_eq!(waiting.run(&["status", "--exit-code"]).code, 8);
    assert_eq!(waiting.run(&["drift", "--exit-code"]).code, 0);
    // Wrong usage.
    assert_eq!(waiting.run(&["plan", "--target", "ben"]).code, 64);
    assert_eq!(waiting.run(&["plan", "--context", "nowhere"]).code, 64);
    // No documents.
    let none = Folder::new().with("partnerctl.yaml", PROJECT).with_folder("estate");
    assert_eq!(none.run(&["plan"]).code, 3);
}

#[test]
fn a_plan_over_a_limit_is_written_and_refused() {
    let limits = "apiVersion: partnerctl/v1\nkind: Project\nmetadata: {name: fabrikam}\nspec:\n  manifests: [estate]\n  limits: {privilegedGrants: {count: 20}}\n  handover: {age: [age1xdu20xskzkurdstwklqcq42h4fuzmuplvu8wths26s63ft342gpsluyp5a]}\n";
    let folder = many(0);
    // Nobody is there yet: twenty-five helpdesk agents are more than may be made in a day.
    fs::write(folder.path().join("partnerctl.yaml"), limits).unwrap();
    let ended = folder.run(&["plan", "--out", "plan.json"]);
    assert_eq!(ended.code, 5, "{}", ended.all());
    assert!(ended.out.contains("privilegedGrants"), "{}", ended.out);
    let shown = folder.run(&["show", "plan.json"]);
    assert_eq!(shown.code, 0, "{}", shown.all());
    assert!(shown.out.contains("over the limit `privilegedGrants`"), "{}", shown.out);
}

fn applied(folder: Folder) -> Folder {
    let ended = folder.run(&["apply", "--yes"]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    folder
}

/// What others change is seen, taken back by an apply, or written into the manifests by `--adopt`.
#[test]
fn drift_is_seen_and_adopted_in_place() {
    let users = "\
# Who works here.
apiVersion: partnerctl/v1
kind: User
metadata: {name: aiko}
spec: {displayName: 田中 愛子, email: aiko@fabrikam.example, agent: admin, admin: global} # the first
---
apiVersion: partnerctl/v1
kind: User
metadata: {name: chie}
spec:
  # As on her card.
  displayName: 森 千恵 # not 千恵子
  email: chie@fabrikam.example
  agent: none # for now
  admin: global
";
    let folder = applied(seeded(Folder::project().with("estate/users.yaml", users)));
    assert_eq!(folder.run(&["plan", "--exit-code"]).code, 0);
    assert_eq!(folder.run(&["drift", "--exit-code"]).code, 0);
    edited(&folder, "user/chie", "spec.displayName=森 千恵子");
    edited(&folder, "user/chie", "spec.enabled=false");
    edited(&folder, "user/aiko", "spec.jobTitle=Director");
    let ended = folder.run(&["drift", "--exit-code"]);
    assert_eq!(ended.code, 9, "{}", ended.all());
    // What no manifest mentions is not ours.
    assert!(!ended.out.contains("jobTitle"), "{}", ended.out);
    let ended = folder.run(&["plan", "--exit-code"]);
    assert_eq!(ended.code, 9, "{}", ended.all());
    let ended = folder.run(&["drift", "--adopt"]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    let text = fs::read_to_string(folder.path().join("estate/users.yaml")).unwrap();
    let expected = users
        .replace("displayName: 森 千恵 #", "displayName: 森 千恵子 #")
        .replace("  admin: global\n", "  admin: global\n  enabled: false\n");
    assert_eq!(text, expected);
    assert_eq!(folder.run(&["plan", "--exit-code"]).code, 0);
}

/// A saved plan is applied as it was reviewed: unrelated edits of the tenant do not matter, related
/// ones and edits of the file do.
#[test]
fn a_saved_plan_is_what_happens() {
    let folder = applied(seeded(Folder::project())).edit(
        "estate/users.yaml",
        "displayName: 森 千恵",
        "displayName: 森 千恵子",
    );
    assert_eq!(folder.run(&["plan", "--out", "plan.json"]).code, 0);
    let text = fs::read_to_string(folder.path().join("plan.json")).unwrap();
    fs::write(folder.path().join("tampered.json"), text.replacen("千恵子", "千鶴子", 1)).unwrap();
    let ended = folder.run(&["apply", "tampered.json", "--yes"]);
    assert_eq!(ended.code, 6, "{}", ended.all());
    // Somebody else's edit elsewhere.
    edited(&folder, "user/aiko", "spec.displayName=Aiko");
    let ended = folder.run(&["apply", "plan.json", "--yes", "--digest", "0000"]);
    assert_eq!(ended.code, 6, "{}", ended.all());
    let ended = folder.run(&["apply", "plan.json", "--yes"]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    assert!(ended.out.contains("1 done"), "{}", ended.all());
    // It was done: once more is as good as once.
    let ended = folder.run(&["apply", "plan.json", "--yes"]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    assert!(ended.err.contains("done by an earlier run"), "{}", ended.all());
    // An edit of what a plan touches.
    let folder = folder.edit("estate/users.yaml", "displayName: 森 千恵子", "displayName: 森 千恵");
    assert_eq!(folder.run(&["plan", "--out", "plan.json"]).code, 0);
    edited(&folder, "user/chie", "spec.displayName=Chie");
    let ended = folder.run(&["apply", "plan.json", "--yes"]);
    assert_eq!(ended.code, 6, "{}", ended.all());
    assert!(ended.err.contains("user/chie/update"), "{}", ended.err);
}

/// The main job, from nothing to the quiet end: apply, wait, accept, apply.
#[test]
fn the_example_is_applied_to_the_quiet_end() {
    let folder = applied(Folder::example("fabrikam"));
    let handed = fs::read_dir(folder.path().join("handover")).unwrap().flatten();
    let sealed: Vec<_> = handed
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "age"))
        .collect();
    assert_eq!(sealed.len(), 7);
    for file in sealed {
        assert!(fs::read(file).unwrap().starts_with(b"age-encryption.org/v1\n"));
    }
    // Our own global admin accepts the providers, then the customers accept us.
    for object in ["partnership/northwind", "partnership/litware"] {
        let ended = folder.run(&["emulator", "act", "accept", object]);
        assert_eq!(ended.code, 0, "{object}: {}", ended.all());
    }
    let found = plan(&folder, &[]);
    let waiting: Vec<(&str, &str)> = found["report"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|report| report["state"] == "waiting")
        .filter_map(|report| Some((report["object"].as_str()?, report["link"].as_str()?)))
        .filter(|(object, _)| object.starts_with("customer/"))
        .collect();
    assert!(waiting.len() >= 7, "{waiting:?}");
    for (object, _) in &waiting {
        let ended = folder.run(&["emulator", "act", "accept", object]);
        assert_eq!(ended.code, 0, "{object}: {}", ended.all());
    }
    for step in ["account/fabrikam/businessProfile", "account/fabrikam/catalog"] {
        let ended = folder.run(&["confirm", step]);
        assert_eq!(ended.code, 0, "{}", ended.all());
    }
    let folder = applied(folder);
    for template in ["adventure-works-quarterly", "enterprise-ops", "public-sector"] {
        let object = format!("delegated-access/{template}");
        let ended = folder.run(&["emulator", "act", "accept", &object]);
        assert_eq!(ended.code, 0, "{}", ended.all());
    }
    let folder = applied(folder);
    let found = plan(&folder, &[]);
    assert_eq!(steps(&found), [] as [&str; 0], "{found}");
    let waiting: Vec<&str> = found["report"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|report| report["state"] == "waiting")
        .filter_map(|report| report["object"].as_str())
        .collect();
    // Whom only people of ours can let in.
    assert_eq!(waiting, ["user/daichi-sato", "user/haruka-nakamura"]);
}

/// Where several things hold, the first of the order counts: a guard, then a limit, then changes,
/// then drift, then waiting.
#[test]
fn the_first_exit_code_of_the_order_wins() {
    let project = |limits: &str| {
        format!(
            "apiVersion: partnerctl/v1\nkind: Project\nmetadata: {{name: fabrikam}}\nspec:\n  manifests: [estate]\n  guards: {{required: [ben]}}\n{limits}"
        )
    };
    let ben = "apiVersion: partnerctl/v1\nkind: User\nmetadata: {name: ben}\nspec: {displayName: Ben, email: ben@fabrikam.example, agent: helpdesk, admin: none}\n";
    let folder = Folder::project()
        .with("partnerctl.yaml", project(""))
        .with("estate/ben.yaml", ben)
        .with("estate/partner.yaml", "apiVersion: partnerctl/v1\nkind: Partnership\nmetadata: {name: northwind}\nspec: {with: indirect-provider, displayName: Northwind, tenantId: 7f1b0c52-0d3c-4b3e-9c6a-2a2b1f0d9a10, acknowledge: [orders-on-behalf-of-customers, administrator-access-to-our-tenant]}\n");
    let folder = applied(seeded(folder));
    let ended = folder.run(&["emulator", "act", "end-relationship", "partnership/northwind"]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    let code = |folder: &Folder| folder.run(&["plan", "--exit-code"]).code;
    // Gone is drift; drift and a change is a change.
    assert_eq!(code(&folder), 9);
    edited(&folder, "user/chie", "spec.displayName=Chie");
    assert_eq!(code(&folder), 9);
    assert_eq!(folder.run(&["drift", "--exit-code"]).code, 9);
    assert_eq!(folder.run(&["drift"]).code, 0);
    let folder = folder.edit("estate/users.yaml", "displayName: 田中 愛子", "displayName: Aiko");
    assert_eq!(code(&folder), 2);
    // Over a limit, with or without --exit-code; then a guard comes first.
    let over = "  limits: {privilegedGrants: {count: 0}}\n";
    fs::write(folder.path().join("partnerctl.yaml"), project(over)).unwrap();
    let folder = folder.edit("estate/ben.yaml", "agent: helpdesk", "agent: [helpdesk, admin]");
    assert_eq!(folder.run(&["plan"]).code, 5);
    // One who is required is not kept from signing in. (The manifests alone do not say so: it is
    // the tenant's account that is disabled.)
    let folder = folder.edit("estate/ben.yaml", "admin: none}", "admin: none, enabled: false}");
    let ended = folder.run(&["plan"]);
    assert_eq!(ended.code, 3, "{}", ended.all());
    // Wrong manifests come before all of it.
    let folder = folder.edit("estate/users.yaml", "agent: none", "agent: nobody");
    assert_eq!(folder.run(&["plan"]).code, 3);
}

/// A document that has another name now is the same account, whether or not it says so.
#[test]
fn a_renamed_document_means_the_same_account() {
    let folder = applied(seeded(Folder::project()));
    let folder =
        folder.edit("estate/users.yaml", "metadata: {name: chie}", "metadata: {name: chie-mori}");
    assert_eq!(folder.run(&["plan", "--exit-code"]).code, 0);
    let folder = applied(folder);
    let folder = folder.edit(
        "estate/users.yaml",
        "metadata: {name: chie-mori}",
        "metadata: {name: cm, formerly: [chie-mori]}",
    );
    let folder = applied(applied(folder));
    // What was remembered came along: an edit of the tenant is drift, not adoption.
    edited(&folder, "user/cm", "spec.displayName=Chie");
    assert_eq!(folder.run(&["plan", "--exit-code"]).code, 9);
}

/// What a policy forbids whoever applies ends with 4; what cannot be read with 1, or 3 where it is the
/// manifests.
#[test]
fn a_policy_says_no_and_a_broken_ledger_is_said_so() {
    let project = "apiVersion: partnerctl/v1\nkind: Project\nmetadata: {name: fabrikam}\nspec:\n  manifests: [estate]\n  policies: [policies]\n";
    let frozen = "@id(\"frozen\")\n@level(\"hard\")\n@reason(\"nobody changes accounts until the audit is over\")\nforbid (principal, action == Action::\"manage-users\", resource);\n";
    let folder = seeded(Folder::project())
        .with("partnerctl.yaml", project)
        .with("policies/frozen.cedar", frozen)
        .edit("estate/users.yaml", "displayName: 森 千恵", "displayName: 森 千恵子");
    let ended = folder.run(&["plan", "--exit-code"]);
    assert_eq!(ended.code, 4, "{}", ended.all());
    assert!(ended.out.contains("nobody changes accounts until the audit is over"), "{}", ended.out);
    let ended = folder.run(&["apply", "--yes"]);
    assert_eq!(ended.code, 4, "{}", ended.all());
    assert_eq!(steps(&plan(&folder, &[])), ["user/chie/update"]);
    for command in ["plan", "drift", "status"] {
        assert_eq!(folder.run(&[command, "--as-of", "tomorrow"]).code, 64, "{command}");
    }
    fs::write(folder.path().join(".partnerctl/ledger.db"), "not a ledger".repeat(100)).unwrap();
    for command in ["plan", "drift", "status"] {
        let ended = folder.run(&[command]);
        assert_eq!(ended.code, 1, "{command}: {}", ended.all());
        assert!(ended.err.contains("not a ledger"), "{}", ended.err);
    }
    let folder = folder.edit("estate/users.yaml", "agent: none", "agent: nobody");
    for command in ["plan", "drift", "status"] {
        assert_eq!(folder.run(&[command]).code, 3, "{command}");
    }
}

/// A one-time password goes into the file that is sealed for it, and nowhere else.
#[test]
fn a_one_time_password_is_nowhere_but_under_its_seal() {
    use age::secrecy::ExposeSecret as _;
    use std::io::Read as _;
    let key = age::x25519::Identity::generate();
    assert!(!key.to_string().expose_secret().is_empty());
    let project =
        format!("{PROJECT}  handover: {{age: [{}], directory: handed}}\n", key.to_public());
    let folder = Folder::project().with("partnerctl.yaml", project);
    let ended = Run::new(&["apply", "--yes", "-v", "--format", "json"]).within(folder.path()).end();
    assert_eq!(ended.code, 0, "{}", ended.all());
    let mut passwords = Vec::new();
    for entry in fs::read_dir(folder.path().join("handed")).unwrap().flatten() {
        let sealed = fs::read(entry.path()).unwrap();
        let mut text = String::new();
        let decryptor = age::Decryptor::new(sealed.as_slice()).unwrap();
        let mut reader = decryptor.decrypt(std::iter::once(&key as &dyn age::Identity)).unwrap();
        reader.read_to_string(&mut text).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("one-time password: "));
        passwords.push(line.unwrap().to_owned());
    }
    assert_eq!(passwords.len(), 2);
    let mut seen = vec![ended.all().into_bytes()];
    for entry in fs::read_dir(folder.path().join(".partnerctl")).unwrap().flatten() {
        // The tenant is the one who is told.
        if entry.file_name().to_string_lossy().starts_with("ledger") {
            seen.push(fs::read(entry.path()).unwrap());
        }
    }
    assert!(seen.len() > 1);
    for password in &passwords {
        assert!(password.len() >= 20);
        for bytes in &seen {
            assert!(memchr::memmem::find(bytes, password.as_bytes()).is_none());
        }
    }
}

//! The law of convergence: from any tenant, to any estate, in a few rounds, and whoever is not declared
//! is as before.
//!
//! That the tenant is as declared is judged by another tenant, into which the estate was seeded: the
//! emulator knows nothing of plans.

use std::collections::BTreeMap;
use std::fs;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

use crate::estates::{read, without_ids};
use crate::planning::{Drawn, drawn};
use crate::world::{Folder, PROJECT};

const HANDOVER: &str = "  handover: {age: [age1xdu20xskzkurdstwklqcq42h4fuzmuplvu8wths26s63ft342gpsluyp5a], directory: handover}\n";

/// Somebody who holds everything that is privileged, so that nobody else is the last to.
const KEEPER: &str = "apiVersion: partnerctl/v1\nkind: User\nmetadata: {name: keeper}\nspec: {displayName: Keeper, email: keeper@fabrikam.example, agent: [admin, helpdesk], admin: [billing, user-management, global]}\n";

/// Of what people do, acceptances alone are played here.
fn estate(drawn: &Drawn) -> String {
    let mut documents = drawn.documents.clone();
    documents.push(KEEPER.to_owned());
    documents.join("---\n").replace("{billing: eligible}", "billing")
}

fn folder(estate: &str) -> Folder {
    Folder::new()
        .with("partnerctl.yaml", format!("{PROJECT}{HANDOVER}"))
        .with("estate/all.yaml", estate)
}

/// A domain is one tenant's: where the estate knows an id, that is the one.
fn with_ids(estate: &str) -> String {
    let mut text = String::new();
    for (at, document) in estate.split("---\n").enumerate() {
        text.push_str(if at == 0 { "" } else { "---\n" });
        text.push_str(document);
        let number = document.split("domain: c").nth(1).and_then(|rest| rest.split('.').next());
        if let Some(number) = number.filter(|_| !document.contains("tenantId")) {
            let number: u64 = number.parse().unwrap();
            text.push_str(&format!("  tenantId: 00000000-0d3c-4b3e-9c6a-{number:012x}\n"));
        }
    }
    text
}

/// The tenant's documents by kind and name, but for the account, which holds what nobody declared.
fn documents(folder: &Folder) -> BTreeMap<String, String> {
    let into = folder.path().join("seen");
    let ended = folder.run(&["import", "--into", "seen"]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    let mut files = BTreeMap::new();
    read(&into, &into, &mut files);
    fs::remove_dir_all(into).unwrap();
    let mut documents = BTreeMap::new();
    for text in files.values() {
        for document in without_ids(text).split("---\n") {
            let line = |key: &str| document.lines().find_map(|line| line.trim().strip_prefix(key));
            let (Some(kind), Some(name)) = (line("kind: "), line("name: ")) else { continue };
            if ["User", "Role", "Customer"].contains(&kind) {
                documents.insert(format!("{kind} {name}"), document.trim().to_owned());
            }
        }
    }
    documents
}

/// Applies until nothing is left but people; how many rounds it took, and who is waited for.
fn rounds(folder: &Folder) -> (usize, Vec<String>) {
    for round in 1..=4 {
        let ended = folder.run(&["apply", "--yes"]);
        assert_eq!(ended.code, 0, "{}", ended.all());
        let plan = folder.run(&["plan", "--format", "json"]);
        let plan: Value = serde_json::from_str(&plan.out).unwrap();
        if plan["steps"].as_array().unwrap().is_empty() {
            let waiting = plan["report"].as_array().unwrap().iter();
            let waiting = waiting.filter(|report| report["state"] == "waiting");
            let text = |report: &Value| report["object"].as_str().unwrap().to_owned();
            return (round, waiting.map(text).collect());
        }
    }
    panic!("{}", folder.run(&["plan"]).all());
}

#[test]
fn from_any_tenant_to_any_estate_in_three_rounds() {
    let mut runner =
        TestRunner::new(Config { cases: 16, failure_persistence: None, ..Config::default() });
    runner
        .run(&(drawn(), drawn()), |(there, wanted)| {
            let wanted = estate(&wanted);
            let world = folder(&with_ids(&estate(&there)));
            assert_eq!(world.run(&["emulator", "seed", "."]).code, 0);
            let before = documents(&world);
            fs::write(world.path().join("estate/all.yaml"), &wanted).unwrap();
            let (count, waiting) = rounds(&world);
            prop_assert!(count <= 3, "{count} rounds");
            for object in &waiting {
                let ended = world.run(&["emulator", "act", "accept", object]);
                prop_assert_eq!(ended.code, 0, "{}", ended.all());
            }
            let (count, waiting) = rounds(&world);
            prop_assert!(count <= 3, "{count} rounds after acceptances");
            prop_assert!(waiting.is_empty(), "{waiting:?}");

            let ideal = folder(&wanted);
            assert_eq!(ideal.run(&["emulator", "seed", "."]).code, 0);
            let (ideal, now) = (documents(&ideal), documents(&world));
            for (name, document) in &ideal {
                prop_assert_eq!(now.get(name), Some(document), "{} is not as declared", name);
            }
            for (name, document) in before.iter().filter(|(name, _)| !ideal.contains_key(*name)) {
                prop_assert_eq!(now.get(name), Some(document), "{} was touched", name);
            }
            for name in now.keys() {
                let is_known = ideal.contains_key(name) || before.contains_key(name);
                prop_assert!(is_known, "{name} came from nowhere");
            }
            Ok(())
        })
        .unwrap();
}

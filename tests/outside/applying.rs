//! How a plan is carried out: what is left of one that was saved, waiting for people, taking up what a
//! dead run left.

use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use crate::estates::{Prepared, World};
use crate::killed::{Die, How};
use crate::world::{Folder, Run};

#[test]
fn a_saved_plan_whose_run_died_goes_on_where_it_was() {
    let prepared = Prepared::new(None);
    let whole = World::copy(&prepared, 0);
    whole.apply();
    let end = whole.end();
    let world = World::copy(&prepared, 1);
    assert_eq!(world.run(&["plan", "--out", "plan.json", "."]).code, 0);
    let die = Die { at: 90, how: How::Killed };
    let died = world.child_with(&["apply", "--yes", "plan.json"], Some(die));
    died.wait_with_output().unwrap();
    // While the lease of the dead goes on, nobody else may send.
    let args = ["apply", "--yes", "plan.json"];
    assert_eq!(world.run(&args).code, 10);
    world.time_passes();
    let ended = world.run(&args);
    assert_eq!(ended.code, 0, "{}", ended.all());
    assert!(
        ended.err.contains("steps of this plan were done by an earlier run"),
        "{}",
        ended.all()
    );
    assert!(world.end() == end);
}

/// Whoever resumes waits until the lock of the dead is over, without being told to come back.
#[test]
fn resuming_waits_for_the_lock_of_the_dead() {
    let prepared = Prepared::new(None);
    let world = World::copy(&prepared, 1);
    let died = world.child(Some(Die { at: 20, how: How::Killed }));
    died.wait_with_output().unwrap();
    let (mut command, _home) = world.command(&["apply", "--yes", "--resume", "."]);
    let running = command.stdin(Stdio::null()).spawn().unwrap();
    sleep(Duration::from_secs(1));
    world.time_passes();
    let output = running.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("waiting for the lock of"), "{said}");
    assert_eq!(world.run(&["plan", "--exit-code", "."]).code, 0);
}

#[test]
fn what_is_left_of_a_saved_plan_can_be_applied() {
    let folder = Folder::project();
    assert_eq!(folder.run(&["emulator", "seed", "."]).code, 0);
    assert_eq!(folder.run(&["apply", "--yes"]).code, 0);
    let folder = folder
        .edit("estate/users.yaml", "displayName: 森 千恵", "displayName: 森 千恵子")
        .edit("estate/users.yaml", "displayName: 田中 愛子", "displayName: 田中 愛");
    assert_eq!(folder.run(&["plan", "--out", "plan.json"]).code, 0);
    let ended = folder.run(&["emulator", "act", "edit", "user/chie", "spec.displayName=Chie"]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    let ended = folder.run(&["apply", "plan.json", "--yes"]);
    assert_eq!(ended.code, 6, "{}", ended.all());
    assert!(ended.err.contains("`--partial`"), "{}", ended.all());
    let ended = folder.run(&["apply", "plan.json", "--yes", "--partial"]);
    assert_eq!(ended.code, 7, "{}", ended.all());
    assert!(ended.err.contains("stale   user/chie/update"), "{}", ended.all());
    assert!(ended.out.contains("1 done"), "{}", ended.all());
}

/// What was to be given is left out, because it is another step by now: then nothing is taken that
/// could lock somebody out.
#[test]
fn a_part_of_a_plan_takes_nothing_that_the_whole_replaced() {
    let ben = |admin: &str| {
        format!(
            "apiVersion: partnerctl/v1\nkind: User\nmetadata: {{name: ben}}\nspec: {{displayName: Ben, email: ben@fabrikam.example, agent: none, admin: {admin}}}\n"
        )
    };
    let folder = Folder::project().with("estate/ben.yaml", ben("none"));
    assert_eq!(folder.run(&["emulator", "seed", "."]).code, 0);
    assert_eq!(folder.run(&["apply", "--yes"]).code, 0);
    let folder = folder.with("estate/ben.yaml", ben("global")).edit(
        "estate/users.yaml",
        "agent: none, admin: global",
        "agent: none, admin: billing",
    );
    assert_eq!(folder.run(&["plan", "--out", "plan.json"]).code, 0);
    let ended = folder.run(&["emulator", "act", "edit", "user/ben", "spec.enabled=false"]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    let ended = folder.run(&["apply", "plan.json", "--yes", "--partial"]);
    assert_eq!(ended.code, 7, "{}", ended.all());
    let spared =
        "user/chie/revoke/admin/global: something that was to be given before it is left out";
    assert!(ended.err.contains(spared), "{}", ended.all());
    let plan = folder.run(&["plan"]).all();
    assert!(plan.contains("take the role global-admin from user/chie"), "{plan}");
}

const CUSTOMER: &str = "apiVersion: partnerctl/v1\nkind: Customer\nmetadata: {name: contoso}\nspec: {companyName: Contoso, domain: contoso.onmicrosoft.com, tenantId: 0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e1}\n";

#[test]
fn people_are_waited_for_as_long_as_is_asked_for() {
    let folder = Folder::project().with("estate/customers.yaml", CUSTOMER);
    let ended = folder.run(&["apply", "--yes", "--wait", "1s"]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    assert!(ended.err.contains("1 still wait for people"), "{}", ended.all());
    let (mut command, _home) =
        Run::new(&["apply", "--yes", "--wait", "10m"]).within(folder.path()).command();
    let running = command.stdin(Stdio::null()).spawn().unwrap();
    sleep(Duration::from_secs(1));
    let ended = folder.run(&["emulator", "act", "accept", "customer/contoso"]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    let output = running.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("1 came about, 0 left"), "{said}");
    // Who only looked whether anybody came is in no history: one run each, and one for what came.
    let history = folder.run(&["history", "--format", "json"]);
    let history: serde_json::Value = serde_json::from_str(&history.out).unwrap();
    assert_eq!(history["runs"].as_array().unwrap().len(), 3, "{history}");
    assert_eq!(folder.run(&["status", "--exit-code"]).code, 0);
}

/// Why a limit was let pass is in the history.
#[test]
fn whoever_lets_a_limit_pass_is_remembered_with_why() {
    let project = "apiVersion: partnerctl/v1\nkind: Project\nmetadata: {name: fabrikam}\nspec:\n  manifests: [estate]\n  limits: {privilegedGrants: {count: 0}}\n";
    let folder = Folder::project();
    assert_eq!(folder.run(&["emulator", "seed", "."]).code, 0);
    let folder = folder.with("partnerctl.yaml", project).edit(
        "estate/users.yaml",
        "agent: none, admin: global",
        "agent: helpdesk, admin: global",
    );
    assert_eq!(folder.run(&["apply", "--yes"]).code, 5);
    let ended = folder.run(&[
        "apply",
        "--yes",
        "--allow",
        "privilegedGrants=1",
        "--reason",
        "Chie helps out in May",
    ]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    let history = folder.run(&["history", "--format", "json"]);
    let history: serde_json::Value = serde_json::from_str(&history.out).unwrap();
    let allowed = &history["runs"][0]["allowed"];
    assert_eq!(allowed, "privilegedGrants=1: Chie helps out in May", "{history}");
    let run = history["runs"][0]["id"].as_str().unwrap();
    let told = folder.run(&["history", run]);
    assert!(told.out.contains("Chie helps out in May"), "{}", told.all());
}

/// What a saved plan or a target leaves out is still to be done, and is remembered so: an edit is no
/// drift, and a document that is gone is not forgotten.
#[test]
fn what_is_left_out_is_not_remembered_as_done() {
    let folder = Folder::project();
    assert_eq!(folder.run(&["emulator", "seed", "."]).code, 0);
    assert_eq!(folder.run(&["apply", "--yes"]).code, 0);
    let folder = folder.edit("estate/users.yaml", "田中 愛子", "田中");
    assert_eq!(folder.run(&["plan", "--out", "plan.json", "."]).code, 0);
    let folder = folder.edit("estate/users.yaml", "森 千恵", "森");
    assert_eq!(folder.run(&["apply", "--yes", "plan.json"]).code, 0);
    let cause = || {
        let plan = folder.run(&["plan", "--format", "json", "."]);
        let plan: serde_json::Value = serde_json::from_str(&plan.out).unwrap();
        let steps: Vec<String> = plan["steps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| {
                format!(
                    "{} {}",
                    step["id"].as_str().unwrap(),
                    step["fields"][0]["cause"].as_str().unwrap()
                )
            })
            .collect();
        steps
    };
    assert_eq!(cause(), ["user/chie/update change"]);
    assert_eq!(folder.run(&["apply", "--yes", "--target", "user/aiko", "."]).code, 0);
    assert_eq!(cause(), ["user/chie/update change"]);
    assert_eq!(folder.run(&["apply", "--yes", "."]).code, 0);
    assert_eq!(cause(), [] as [&str; 0]);
}

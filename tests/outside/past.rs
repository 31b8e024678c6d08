//! What was, through the door: runs are listed and told, taken back, and the lock of a dead one is
//! broken.

use std::fs;
use std::path::Path;
use std::time::Duration;

use partnerctl::ledger::{Ledger, Opening, Place, Terms};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

use crate::world::{ACCOUNT, Ended, Folder, PROJECT};

const LEDGER: &str = ".partnerctl/ledger.db";
const STAFF: &str = "\
apiVersion: partnerctl/v1
kind: User
metadata: {name: ben}
spec: {displayName: Ben, email: ben@fabrikam.example, jobTitle: Clerk, agent: helpdesk, admin: none, roles: [desk]}
---
apiVersion: partnerctl/v1
kind: User
metadata: {name: dai}
spec: {displayName: Dai, email: dai@fabrikam.example, agent: helpdesk, admin: none}
---
apiVersion: partnerctl/v1
kind: Role
metadata: {name: desk}
spec: {description: First line, group: Service Desk}
";
const HIRED: &str = "\
apiVersion: partnerctl/v1
kind: User
metadata: {name: zoe}
spec: {displayName: Zoé, email: zoe@fabrikam.example, agent: helpdesk, admin: none, roles: [tier2]}
---
apiVersion: partnerctl/v1
kind: Role
metadata: {name: tier2}
spec: {description: Second line, group: Tier 2}
";

/// A tenant that is as its manifests declare, and managed.
fn managed() -> Folder {
    let handover =
        "  handover: {age: [age1xdu20xskzkurdstwklqcq42h4fuzmuplvu8wths26s63ft342gpsluyp5a]}\n";
    let folder = Folder::project()
        .with("partnerctl.yaml", format!("{PROJECT}{handover}"))
        .with("estate/staff.yaml", STAFF);
    done(&folder, &["emulator", "seed", "."]);
    done(&folder, &["apply", "--yes", "."]);
    folder
}

/// A run: somebody is hired, a group made, a job title and a description changed, one disabled, one
/// given a role and one taken off the desk.
fn busy() -> (Folder, String) {
    let folder = managed()
        .with("estate/hired.yaml", HIRED)
        .edit("estate/staff.yaml", "jobTitle: Clerk", "jobTitle: Lead, department: Desk")
        .edit("estate/staff.yaml", "First line", "Any line")
        .edit("estate/staff.yaml", "roles: [desk]", "roles: []")
        .edit("estate/staff.yaml", "displayName: Dai", "enabled: false, displayName: Dai");
    done(&folder, &["apply", "--yes", "."]);
    let run = latest(&folder);
    (folder, run)
}

/// Somebody goes back to the commit before.
fn reverted(folder: &Folder) {
    fs::remove_file(folder.path().join("estate/hired.yaml")).unwrap();
    fs::write(folder.path().join("estate/staff.yaml"), STAFF).unwrap();
}

fn done(folder: &Folder, args: &[&str]) -> Ended {
    let ended = folder.run(args);
    assert_eq!(ended.code, 0, "{args:?}: {}", ended.all());
    ended
}

fn history(folder: &Folder, args: &[&str]) -> Value {
    let ended = done(folder, &[&["history", "--format", "json"], args].concat());
    serde_json::from_str(&ended.out).unwrap()
}

fn latest(folder: &Folder) -> String {
    history(folder, &[])["runs"][0]["id"].as_str().unwrap().to_owned()
}

/// Ids and times are chance.
fn plain(text: &str, run: &str) -> String {
    let plan: String = run.split('-').nth(1).unwrap().chars().take(8).collect();
    text.replace(run, "RUN").replace(&plan, "PLAN")
}

#[test]
fn what_a_run_did_is_taken_back_and_the_tenant_is_as_before() {
    let (folder, run) = busy();
    let before: Vec<String> = steps(&folder);
    assert_eq!(before, [] as [&str; 0]);
    let undone = done(&folder, &["undo", &run, "--yes", "."]);
    assert!(undone.out.ends_with("8 done\n"), "{}", undone.all());
    assert!(undone.err.contains("the manifests are not changed by this"), "{}", undone.err);
    // They would be applied again, and that is no drift.
    let planned = folder.run(&["plan", "--exit-code", "."]);
    assert_eq!(planned.code, 2, "{}", planned.all());
    assert!(planned.out.contains("change  spec.jobTitle"), "{}", planned.out);
    assert!(!planned.out.contains("drift"), "{}", planned.out);

    reverted(&folder);
    let planned = folder.run(&["plan", "--exit-code", "--refresh", "all", "."]);
    assert_eq!(planned.code, 0, "{}", planned.all());

    let again = done(&folder, &["undo", &run, "--yes", "."]);
    assert!(again.out.starts_with("nothing to undo"), "{}", again.all());
    let all = history(&folder, &[]);
    let undoing = &all["runs"][0];
    assert_eq!(undoing["undoes"], run.as_str());
    assert_eq!(undoing["outcome"], "applied");
    assert_eq!(all["runs"][1]["undoneBy"][0], undoing["id"]);
    // With the commit that was taken back, the next run changes nothing.
    assert!(done(&folder, &["apply", "--yes", "."]).out.ends_with("0 done\n"));
}

fn steps(folder: &Folder) -> Vec<String> {
    let ended = done(folder, &["plan", "--format", "json", "."]);
    let plan: Value = serde_json::from_str(&ended.out).unwrap();
    let steps = plan["steps"].as_array().unwrap().iter();
    steps.map(|step| step["id"].as_str().unwrap().to_owned()).collect()
}

/// What others changed since is theirs, and what cannot be undone is said before anybody is asked.
#[test]
fn what_others_changed_since_is_left_alone() {
    let (folder, run) = busy();
    done(&folder, &["emulator", "act", "edit", "user/ben", "spec.jobTitle=Director"]);
    let file = folder.path().join("undo.json");
    let file = file.to_str().unwrap();
    let saved = done(&folder, &["undo", &run, "--out", file, "."]);
    assert!(
        saved
            .out
            .contains("user/ben: spec.jobTitle was set to Lead by the run and is Director by now"),
        "{}",
        saved.out
    );
    assert!(
        saved.out.contains("user/ben") && saved.out.contains("undo    spec.department"),
        "{}",
        saved.out
    );
    let shown = done(&folder, &["show", "undo.json"]);
    assert!(shown.out.contains(&run), "{}", shown.out);

    // Nobody is there to be asked, and nothing is sent.
    let asked = folder.run(&["undo", &run, "."]);
    assert_eq!(asked.code, 64, "{}", asked.all());
    assert!(asked.err.contains("nobody is there to be asked"), "{}", asked.err);

    // What was reviewed is what happens, or nothing.
    done(&folder, &["emulator", "act", "edit", "user/ben", "spec.department=Sales"]);
    let stale = folder.run(&["apply", "undo.json", "--yes"]);
    assert_eq!(stale.code, 6, "{}", stale.all());
    assert!(stale.err.contains("user/ben/update"), "{}", stale.err);
    done(&folder, &["emulator", "act", "edit", "user/ben", "spec.department=Desk"]);
    let applied = done(&folder, &["apply", "undo.json", "--yes"]);
    assert!(applied.out.ends_with("8 done\n"), "{}", applied.all());
    assert_eq!(history(&folder, &[])["runs"][0]["undoes"], run.as_str());
    let shown = folder.run(&["plan", "--format", "json", "."]).out;
    assert!(shown.contains("Director"), "{shown}");
}

/// An account that a run deleted comes back with what that run took, but is not let in; its document
/// brings it back whole.
#[test]
fn who_was_deleted_comes_back() {
    let folder = managed().with(
        "estate/hired.yaml",
        HIRED.replace("metadata: {name: zoe}", "metadata: {name: zoe, onRemoval: delete}"),
    );
    done(&folder, &["apply", "--yes", "."]);
    let kept = fs::read_to_string(folder.path().join("estate/hired.yaml")).unwrap();
    let role = kept.split("---\n").nth(1).unwrap();
    fs::write(folder.path().join("estate/hired.yaml"), role).unwrap();
    done(&folder, &["apply", "--yes", "."]);
    let run = latest(&folder);
    let undone = done(&folder, &["undo", &run, "--yes", "."]);
    assert!(undone.out.ends_with("3 done\n"), "{}", undone.all());
    assert!(undone.err.contains("is restored without"), "{}", undone.err);
    // As long as the document is gone, the next run does it again.
    let planned = done(&folder, &["plan", "."]);
    assert!(planned.out.contains("delete user/zoe"), "{}", planned.out);
    fs::write(folder.path().join("estate/hired.yaml"), kept).unwrap();
    assert_eq!(steps(&folder), ["user/zoe/enable"]);
}

#[test]
fn a_run_is_told_step_by_step() {
    let folder = managed().edit("estate/staff.yaml", "jobTitle: Clerk", "jobTitle: Lead");
    done(&folder, &["apply", "--yes", "."]);
    let run = latest(&folder);
    let told = done(&folder, &["history", &run]).out;
    let told: Vec<&str> = told.lines().filter(|line| !line.starts_with("plan ")).collect();
    snapbox::assert_data_eq!(
        plain(&told.join("\n"), &run),
        snapbox::str![[r#"
run       RUN
began     [..]
ended     [..] ([..] s)
by        embedded-admin@[..]
estate    fabrikam
outcome   applied: 1 done
done      set jobTitle of user/ben
          spec.jobTitle: Clerk → Lead
the history is whole: [..] entries
"#]]
    );
    assert_eq!(history(&folder, &[&run[..25]])["runs"][0]["steps"][0]["id"], "user/ben/update");
    assert_eq!(history(&folder, &["--limit", "1"])["runs"].as_array().unwrap().len(), 1);
    for (args, why) in [
        (["history", "2"], "several runs begin with 2"),
        (["history", "zz"], "there is no run zz"),
        (["undo", "zz"], "there is no run zz"),
    ] {
        let ended = folder.run(&args);
        assert_eq!(ended.code, 64, "{args:?}: {}", ended.all());
        assert!(ended.err.contains(why), "{args:?}: {}", ended.err);
    }
}

/// Somebody has been at the ledger: it is said, and nobody is told that all is well.
#[test]
fn a_past_that_was_changed_is_noticed() {
    let folder = managed();
    let sqlite = rusqlite::Connection::open(folder.path().join(LEDGER)).unwrap();
    let forged = "UPDATE history SET body = replace(body, 'embedded-admin', 'somebody-else')";
    assert!(sqlite.execute(forged, []).unwrap() > 0);
    drop(sqlite);
    let ended = folder.run(&["history"]);
    assert_eq!(ended.code, 1, "{}", ended.all());
    assert!(ended.out.contains("THE HISTORY WAS CHANGED"), "{}", ended.out);
    assert!(ended.err.contains("verifying the history"), "{}", ended.err);
}

#[test]
fn where_there_is_no_past_there_is_nothing_to_show_or_to_break() {
    let folder = Folder::project();
    assert_eq!(done(&folder, &["history"]).out, "there is no history yet\n");
    assert_eq!(done(&folder, &["unlock"]).out, "there is no ledger, and so no lock\n");
    assert!(!folder.path().join(LEDGER).exists());
    assert_eq!(folder.run(&["history", "20"]).code, 64);
    // Manifests may be wrong; of a project file that is, no ledger is guessed.
    let wrong = Folder::project().with("estate/users.yaml", "kind: Nothing\n");
    assert_eq!(done(&wrong, &["history"]).out, "there is no history yet\n");
    let unread = Folder::project().edit("partnerctl.yaml", "manifests", "manifest");
    for args in [&["history"][..], &["unlock", "--reason", "x"]] {
        let ended = unread.run(args);
        assert_eq!(ended.code, 64, "{}", ended.all());
        assert!(ended.err.contains("partnerctl validate"), "{}", ended.err);
    }
}

/// Staff as drawn: somebody holds everything always, so that nobody is the last to hold it.
#[derive(Debug, Clone)]
struct Staff {
    /// Whether there is a document, and what it says.
    people: Vec<(bool, u8, u8, u8, bool)>,
    roles: [bool; 2],
    words: (u8, u8),
}

prop_compose! {
    fn staff()(
        people in prop::collection::vec((prop::bool::weighted(0.8), 0..3u8, 0..3u8, 0..3u8, any::<bool>()), 4),
        tier2 in any::<bool>(),
        words in (0..3u8, 0..3u8),
    ) -> Staff {
        Staff { people, roles: [true, tier2], words }
    }
}

impl Staff {
    fn write(&self, folder: &Folder) {
        let mut documents = vec![
            "kind: User\nmetadata: {name: eve}\nspec: {displayName: Eve, email: eve@fabrikam.example, agent: [admin, helpdesk], admin: [billing, user-management]}\n".to_owned(),
        ];
        for (at, is_there) in self.roles.into_iter().enumerate().filter(|(_, is_there)| *is_there) {
            assert!(is_there);
            let word = ["First", "Second", "Third"][usize::from(self.words.0)];
            documents.push(format!("kind: Role\nmetadata: {{name: r{at}}}\nspec: {{description: {word} line, group: Desk {at}}}\n"));
        }
        for (at, (is_there, title, agent, role, enabled)) in self.people.iter().enumerate() {
            let title = ["", "jobTitle: Clerk, ", "jobTitle: Lead, department: Desk, "]
                [usize::from(*title)];
            let agent = ["none", "helpdesk", "[admin, helpdesk]"][usize::from(*agent)];
            let admin = ["none", "billing", "none"][usize::from(*role)];
            let roles = match role {
                1 => "[r0]",
                2 if self.roles[1] => "[r0, r1]",
                _ => "[]",
            };
            if *is_there {
                documents.push(format!("kind: User\nmetadata: {{name: u{at}}}\nspec: {{displayName: User {at}, {title}email: u{at}@fabrikam.example, enabled: {enabled}, agent: {agent}, admin: {admin}, roles: {roles}}}\n"));
            }
        }
        let documents: Vec<String> = documents
            .into_iter()
            .map(|document| format!("apiVersion: partnerctl/v1\n{document}"))
            .collect();
        fs::write(folder.path().join("estate/staff.yaml"), documents.join("---\n")).unwrap();
        let support = ["help", "desk", "support"][usize::from(self.words.1)];
        let account = format!(
            "{ACCOUNT}  support: {{email: {support}@fabrikam.example, phone: \"+81 3 1234 5679\"}}\n"
        );
        fs::write(folder.path().join("estate/account.yaml"), account).unwrap();
    }
}

/// The tenant as it is, but for the bin, for ids of assignments and for where reading goes on.
fn tenant(folder: &Folder) -> Value {
    let file = folder.path().join("snapshot.json");
    let path = file.to_str().unwrap();
    done(folder, &["plan", "--refresh", "all", "--snapshot-out", path, "."]);
    let mut found: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    for part in ["observedAt", "deletedUsers", "marks"] {
        found.as_object_mut().unwrap().remove(part);
    }
    let assignments = found["assignments"].as_array_mut().unwrap();
    for held in assignments.iter_mut() {
        held.as_object_mut().unwrap().remove("id");
    }
    assignments.sort_by_key(Value::to_string);
    for role in found["accountRoles"].as_array_mut().unwrap() {
        role["members"].as_array_mut().unwrap().sort_by_key(Value::to_string);
    }
    found
}

/// Whatever one commit makes of what another declared: undone, the tenant is as it was, and with the
/// commit before there is nothing to plan.
#[test]
fn whatever_a_run_did_is_undone() {
    let mut runner =
        TestRunner::new(Config { cases: 6, failure_persistence: None, ..Config::default() });
    runner
        .run(&(staff(), staff()), |(one, mut other)| {
            // A group that is deleted does not come back.
            other.roles[1] |= one.roles[1];
            let folder = managed();
            one.write(&folder);
            done(&folder, &["apply", "--yes", "."]);
            let before = tenant(&folder);
            other.write(&folder);
            done(&folder, &["apply", "--yes", "."]);
            let run = latest(&folder);
            let undone = done(&folder, &["undo", &run, "--yes", "."]);
            one.write(&folder);
            let after = tenant(&folder);
            prop_assert_eq!(&after, &before, "{}", undone.all());
            prop_assert_eq!(steps(&folder), [] as [&str; 0]);
            Ok(())
        })
        .unwrap();
}

/// Takes the lock for so long, and does not give it back.
fn lock(folder: &Path, duration: Duration, request_timeout: Duration) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let ledger =
            Ledger::open(Place::File(folder.join(LEDGER)), Opening::Existing).await.unwrap();
        let terms = Terms {
            holder: "aiko on runner (process 7)".to_owned(),
            reason: "apply".to_owned(),
            duration,
            request_timeout,
        };
        ledger.acquire(terms).await.unwrap();
        ledger.close().await;
    });
}

const HOUR: Duration = Duration::from_hours(1);

#[test]
fn a_living_lock_is_shown_and_not_broken() {
    let folder = managed();
    assert_eq!(
        done(&folder, &["unlock"]).out,
        "nobody holds the lock: there is nothing to break\n"
    );
    lock(folder.path(), HOUR, HOUR);
    snapbox::assert_data_eq!(
        done(&folder, &["unlock"]).out,
        snapbox::str![[r#"
a run holds the lock, and lives
  holder    aiko on runner (process 7)
  for       apply
  since     [..]
  until     [..]
  free from [..]
wait for it; it cannot be broken while it lives

"#]]
    );
    let refused = folder.run(&["unlock", "--reason", "I think it is dead"]);
    assert_eq!(refused.code, 10, "{}", refused.all());
    assert!(refused.err.contains("aiko on runner"), "{}", refused.err);
    assert_eq!(folder.run(&["unlock", "--reason", " "]).code, 64);
}

#[test]
fn a_dead_lock_is_broken_and_it_is_remembered() {
    let folder = managed();
    lock(folder.path(), Duration::from_millis(1), HOUR);
    std::thread::sleep(Duration::from_millis(20));
    let shown = done(&folder, &["unlock"]).out;
    assert!(shown.contains("no longer renews it"), "{shown}");
    assert!(shown.contains("partnerctl unlock --reason TEXT"), "{shown}");
    let broken = done(&folder, &["unlock", "--reason", "the runner was turned off"]).out;
    snapbox::assert_data_eq!(
        broken,
        snapbox::str![[r#"
broken: the lock of aiko on runner (process 7), held since [..]
who broke it and why is in the history
its last request may be under way: another run begins from [..]

"#]]
    );
    let again = done(&folder, &["unlock", "--reason", "again"]).out;
    assert!(again.starts_with("the lock was broken"), "{again}");
    let told = history(&folder, &[]);
    assert_eq!(told["unlocks"].as_array().unwrap().len(), 1);
    assert_eq!(told["unlocks"][0]["reason"], "the runner was turned off");
    assert_eq!(told["unlocks"][0]["holder"], "aiko on runner (process 7)");
    // A request of the dead may be under way.
    let early = folder.run(&["apply", "--yes", "."]);
    assert_eq!(early.code, 10, "{}", early.all());
}

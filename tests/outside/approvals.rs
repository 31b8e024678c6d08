//! Approvals through the door: with keys that OpenSSH makes, beside a plan, and what becomes of the
//! plan when anything of it is not as it was approved.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::review::Repository;
use crate::world::{Ended, Folder, Run, repository};

/// An estate with one thing to do, a plan of it that Ines made, and three people with keys.
pub(crate) struct Desk {
    folder: Folder,
}

/// A key as people make it.
pub(crate) fn make_key(folder: &Path, name: &str, passphrase: &str) {
    let status = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", passphrase, "-C", name, "-f", name])
        .current_dir(folder)
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

pub(crate) fn public(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(format!("{name}.pub"))).unwrap()
}

impl Desk {
    fn new() -> Self {
        let folder = Folder::project();
        assert_eq!(folder.run(&["emulator", "seed", "."]).code, 0);
        assert_eq!(folder.run(&["apply", "--yes"]).code, 0);
        let folder = folder.edit("estate/users.yaml", "森 千恵", "森");
        let mut approvers = String::new();
        for name in ["ines", "aiko", "ben"] {
            make_key(folder.path(), name, "");
            approvers += &format!("{name}@fabrikam.example,{name} {}", public(folder.path(), name));
        }
        let folder = folder.with("approvers", approvers);
        let desk = Self { folder };
        desk.fine(&["plan", "--out", "plan.json", "--sign", "ines"]);
        desk
    }

    fn approved(self, names: &[&str]) -> Self {
        for name in names {
            self.fine(&["approve", "plan.json", "--key", name]);
        }
        self
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn fine(&self, args: &[&str]) -> Ended {
        let ended = self.folder.run(args);
        assert_eq!(ended.code, 0, "{args:?}: {}", ended.all());
        ended
    }

    fn apply(&self, more: &[&str]) -> Ended {
        let args =
            ["apply", "plan.json", "--yes", "--require-approvals", "2", "--approvers", "approvers"];
        self.folder.run(&[&args[..], more].concat())
    }

    /// Refused with this code and these words, and nothing was sent.
    fn refused(&self, more: &[&str], code: i32, said: &str) {
        let before = self.requests();
        let ended = self.apply(more);
        assert_eq!(ended.code, code, "{}", ended.all());
        assert!(ended.err.contains(said), "{said:?} in {}", ended.all());
        assert_eq!(self.requests(), before, "it is judged before anybody is asked");
    }

    fn requests(&self) -> usize {
        let log = self.fine(&["emulator", "log", "--format", "json"]);
        let log: Value = serde_json::from_str(&log.out).unwrap();
        log["entries"].as_array().unwrap().len()
    }

    /// The one approval of somebody, in the folder beside the plan.
    fn approvals(&self) -> Vec<std::path::PathBuf> {
        let entries = fs::read_dir(self.path("plan.json.approvals")).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.file_name().unwrap().to_string_lossy().starts_with("approval-"));
        paths.sort();
        paths
    }

    fn edit(&self, name: &str, edit: impl FnOnce(String) -> String) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        fs::write(self.path(name), edit(text)).unwrap();
    }
}

#[test]
fn an_approved_plan_is_applied_and_the_history_knows_who_approved() {
    let desk = Desk::new();
    let remedy = "nobody approves\n  `partnerctl approve PLANFILE --key KEY` is how";
    desk.refused(&[], 4, &format!("2 must approve of this plan, and {remedy}"));
    let desk = desk.approved(&["aiko"]);
    desk.refused(&[], 4, "and only aiko@fabrikam.example approved");
    let desk = desk.approved(&["ben"]);
    let ended = desk.apply(&[]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    let both = "aiko@fabrikam.example, ben@fabrikam.example";
    assert!(ended.err.contains(&format!("approved by {both}")), "{}", ended.all());
    assert!(ended.out.contains("1 done"), "{}", ended.all());
    let history = desk.fine(&["history", "--format", "json"]);
    let history: Value = serde_json::from_str(&history.out).unwrap();
    let run = &history["runs"][0];
    assert_eq!(run["approvedBy"].as_array().unwrap().len(), 2, "{run}");
    let told = desk.fine(&["history", run["id"].as_str().unwrap()]);
    assert!(told.out.contains(&format!("approved  by {both}")), "{}", told.all());
}

#[test]
fn who_made_the_plan_does_not_approve_of_it() {
    let desk = Desk::new().approved(&["aiko", "ines"]);
    desk.refused(&[], 4, "ines@fabrikam.example made the plan, and cannot approve of it");
    let desk = desk.approved(&["ben"]);
    // Who wrote the change is nobody whom the plan's signature names.
    desk.refused(&["--author", "ben"], 4, "ben@fabrikam.example made the plan");
    // An address that the file does not have may be any approver's.
    let remedy = "the approvers' file has nobody called `ben@users.example`, so anybody who approves could be the author\n  add the name to the line of whoever it is, or say that it is none of them: `--no-approver NAME`";
    desk.refused(&["--author", "ines", "--author", "ben@users.example"], 4, remedy);
    desk.refused(
        &["--author", "Ben@users.example", "--no-approver", "ken@users.example"],
        4,
        "nobody called `Ben@users.example`",
    );
    // The author's signature taken away, or that of somebody else put in its place.
    let authors = fs::read_dir(desk.path("plan.json.approvals")).unwrap();
    for path in authors.map(|entry| entry.unwrap().path()) {
        if path.file_name().unwrap().to_string_lossy().starts_with("author-") {
            fs::remove_file(path).unwrap();
        }
    }
    desk.refused(&[], 4, "nobody knows who made the plan");
    make_key(desk.folder.path(), "mallory", "");
    desk.fine(&["approve", "plan.json", "--author", "--key", "mallory"]);
    desk.refused(&[], 4, "nobody knows who made the plan");
    let stranger = ["--author", "ken@Users.example", "--no-approver", "Ken@users.example"];
    assert_eq!(desk.apply(&[&["--author", "ines"], &stranger[..]].concat()).code, 0);
}

#[test]
fn any_changed_byte_of_the_plan_refuses() {
    let desk = Desk::new().approved(&["aiko", "ben"]);
    let plan = fs::read(desk.path("plan.json")).unwrap();
    let before = desk.requests();
    // Each is a place of its own: format, digest, steps, the time that no digest covers, the end.
    for at in (0..plan.len()).step_by(plan.len() / 40).chain([plan.len() - 1]) {
        for byte in [b' ', b'0', b'x'] {
            let mut changed = plan.clone();
            if changed[at] == byte {
                continue;
            }
            changed[at] = byte;
            fs::write(desk.path("plan.json"), changed).unwrap();
            let ended = desk.apply(&[]);
            assert_eq!(ended.code, 6, "byte {at}: {}", ended.all());
        }
    }
    let time = "\"observedAt\":\"2";
    for (from, to) in [(time, "\"observedAt\":\"3"), ("{", "{ "), ("}\n", "}"), ("}\n", "}\n\n")] {
        let text = String::from_utf8(plan.clone()).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(desk.path("plan.json"), text.replacen(from, to, 1)).unwrap();
        let ended = desk.apply(&[]);
        assert_eq!(ended.code, 6, "{from}: {}", ended.all());
    }
    assert_eq!(desk.requests(), before);
    fs::write(desk.path("plan.json"), plan).unwrap();
    assert_eq!(desk.apply(&[]).code, 0);
}

/// Whoever may replace the artefact can give it a digest that fits; nobody signed that one.
#[test]
fn a_plan_in_the_place_of_the_approved_one_is_refused() {
    let desk = Desk::new().approved(&["aiko", "ben"]);
    desk.edit("estate/users.yaml", |text| text.replace("agent: none", "agent: admin"));
    desk.fine(&["plan", "--out", "plan.json", "--sign", "ines"]);
    desk.refused(&[], 6, "what was signed is not this plan");
    // Its own approvals are for it, whatever else lies about.
    let desk = desk.approved(&["aiko", "ben"]);
    assert_eq!(desk.apply(&[]).code, 0);
}

#[test]
fn an_approval_is_for_once() {
    let desk = Desk::new().approved(&["aiko", "ben"]);
    assert_eq!(desk.apply(&[]).code, 0);
    // Again, with nothing to do: a job that is run twice is no failure.
    let again = desk.apply(&[]);
    assert_eq!(again.code, 0, "{}", again.all());
    desk.fine(&["emulator", "act", "edit", "user/chie", "spec.displayName=森 千恵"]);
    let replayed = desk.apply(&[]);
    assert_eq!(replayed.code, 6, "{}", replayed.all());
    assert!(
        replayed.err.contains("approved once and carried out by the run"),
        "{}",
        replayed.all()
    );
    // Planned again it says the same, but for when.
    desk.fine(&["plan", "--out", "plan.json", "--sign", "ines"]);
    desk.refused(&[], 6, "what was signed is not this plan");
}

#[test]
fn keys_that_do_not_count_any_more_do_not() {
    let desk = Desk::new().approved(&["aiko", "ben"]);
    let aiko = public(desk.folder.path(), "aiko");
    fs::write(desk.path("revoked"), &aiko).unwrap();
    desk.refused(&["--revoked", "revoked"], 4, "its key is revoked");
    desk.edit("approvers", |text| {
        text.replace("aiko ssh-ed25519", "aiko valid-before=\"20200101\" ssh-ed25519")
    });
    desk.refused(&[], 4, "the key has expired");
    desk.edit("approvers", |text| text.lines().skip(2).map(|line| format!("{line}\n")).collect());
    desk.refused(&[], 4, "the approvers' file does not have its key");
}

#[test]
fn one_person_with_two_keys_counts_once() {
    let desk = Desk::new();
    make_key(desk.folder.path(), "laptop", "");
    let laptop = format!("aiko@fabrikam.example {}", public(desk.folder.path(), "laptop"));
    desk.edit("approvers", |text| text + &laptop);
    let desk = desk.approved(&["aiko", "laptop"]);
    desk.refused(&[], 4, "only aiko@fabrikam.example approved");
}

/// What lies beside a plan came from somewhere: none of it stops anybody, and none of it counts.
#[test]
fn what_is_no_approval_does_not_count_and_is_said() {
    let desk = Desk::new().approved(&["aiko"]);
    let folder = desk.path("plan.json.approvals");
    let one = fs::read_to_string(&desk.approvals()[0]).unwrap();
    fs::write(folder.join("a\u{1b}[2J::error::.json"), "no JSON").unwrap();
    fs::write(folder.join("b.json"), one.replace("\"role\": \"approver\"", "\"role\": \"author\""))
        .unwrap();
    fs::write(folder.join("c.json"), "x".repeat(100_000)).unwrap();
    fs::create_dir(folder.join("d.json")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.join("e.json")).unwrap();
    fs::copy(&desk.approvals()[0], folder.join("f.json")).unwrap();
    desk.refused(&[], 4, "only aiko@fabrikam.example approved");
    let ended = desk.apply(&[]);
    assert!(!ended.all().contains('\u{1b}'), "{}", ended.all());
    assert!(!ended.err.lines().any(|line| line.starts_with("::")), "{}", ended.all());
    for said in ["it is not JSON", "its signature is not of what it says", "too long"] {
        assert!(ended.err.contains(said), "{said}: {}", ended.all());
    }
}

#[test]
fn approvals_are_of_saved_plans_alone() {
    let desk = Desk::new();
    for args in [
        &["apply", "--yes", "--require-approvals", "1", "--approvers", "approvers"][..],
        &["apply", "plan.json", "--yes", "--require-approvals", "1"],
        &["apply", "plan.json", "--yes", "--require-approvals", "0", "--approvers", "approvers"],
        &["apply", "plan.json", "--yes", "--approvers", "approvers"],
        &["apply", "plan.json", "--yes", "--require-approvals", "1", "--approvers", "none"],
        &["apply", "plan.json", "--yes", "--require-approvals", "1", "--approvers", "aiko"],
        &["plan", "--sign", "ines"],
        &["approve", "plan.json", "--key", "approvers"],
    ] {
        let ended = desk.folder.run(args);
        assert_eq!(ended.code, 64, "{args:?}: {}", ended.all());
    }
    let ended = desk.folder.run(&["approve", "aiko.pub", "--key", "aiko"]);
    assert_eq!(ended.code, 6, "{}", ended.all());
}

/// Approvals that came by mail, say, or from a branch.
#[test]
fn approvals_may_stand_elsewhere() {
    let desk = Desk::new();
    for name in ["aiko", "ben"] {
        let file = format!("{name}.json");
        desk.fine(&["approve", "plan.json", "--key", name, "--out", &file, "--name", name]);
    }
    desk.refused(&["--approval", "aiko.json"], 4, "only aiko@fabrikam.example approved");
    desk.refused(&["--approval", "chie.json"], 64, "there is no file chie.json");
    assert_eq!(desk.apply(&["--approval", "aiko.json", "--approval", "ben.json"]).code, 0);
}

/// A key with a passphrase and nobody to ask says what to do; the agent signs with it.
#[test]
fn the_agent_signs_where_the_key_is_not() {
    let desk = Desk::new().approved(&["ben"]);
    let folder = desk.folder.path();
    make_key(folder, "locked", "correct horse");
    desk.edit("approvers", |text| text + "aiko " + &public(folder, "locked"));
    let ended = desk.folder.run(&["approve", "plan.json", "--key", "locked"]);
    assert_eq!(ended.code, 64, "{}", ended.all());
    assert!(ended.err.contains("has a passphrase, and nobody is there to be asked"));
    let ended = desk.folder.run(&["approve", "plan.json", "--key", "locked.pub"]);
    assert_eq!(ended.code, 64, "{}", ended.all());
    assert!(ended.err.contains("no ssh-agent is running"), "{}", ended.all());

    // A socket has a short name.
    let own = tempfile::tempdir().unwrap();
    let socket = own.path().join("agent");
    let mut agent = Command::new("ssh-agent")
        .arg("-D")
        .arg("-a")
        .arg(&socket)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let asked = own.path().join("askpass");
    fs::write(&asked, "#!/bin/sh\necho correct horse\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(&asked, mode).unwrap();
    let approve = || {
        let (mut command, _home) =
            Run::new(&["approve", "plan.json", "--key", "locked.pub"]).within(folder).command();
        let output = command.env("SSH_AUTH_SOCK", &socket).stdin(Stdio::null()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    while !socket.exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let (code, said) = approve();
    assert_eq!(code, Some(64), "{said}");
    assert!(said.contains("does not sign with this key"), "{said}");
    let added = Command::new("ssh-add")
        .arg("locked")
        .current_dir(folder)
        .env("SSH_AUTH_SOCK", &socket)
        .env("SSH_ASKPASS", &asked)
        .env("SSH_ASKPASS_REQUIRE", "force")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (code, said) = approve();
    agent.kill().unwrap();
    agent.wait().unwrap();
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(desk.apply(&[]).code, 0);
}

/// What `approve` makes, OpenSSH verifies; what OpenSSH makes, `apply` counts.
#[test]
fn stock_tools_make_and_verify_the_same() {
    let desk = Desk::new().approved(&["aiko"]);
    let folder = desk.folder.path();
    let text = fs::read_to_string(&desk.approvals()[0]).unwrap();
    let approval: Value = serde_json::from_str(&text).unwrap();
    let schema = fs::read_to_string(repository().join("schemas/approval.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    assert!(jsonschema::is_valid(&schema, &approval), "{text}");
    let mut other = approval.clone();
    other["format"] = "partnerctl/approval/v2".into();
    assert!(!jsonschema::is_valid(&schema, &other));

    // As the documentation tells to do it, with jq's part done here: sorted keys, no white space.
    let canonical = |approval: &Value| {
        let mut unsigned = approval.clone();
        unsigned.as_object_mut().unwrap().remove("signature");
        unsigned.sort_all_objects();
        unsigned.to_string()
    };
    fs::write(folder.join("said"), canonical(&approval)).unwrap();
    fs::write(folder.join("said.sig"), approval["signature"].as_str().unwrap()).unwrap();
    let verified = |name: &str, said: &str| {
        let args = ["-Y", "verify", "-f", "approvers", "-n", "partnerctl-plan", "-s", "said.sig"];
        Command::new("ssh-keygen")
            .args(args)
            .args(["-I", name])
            .current_dir(folder)
            .stdin(fs::File::open(folder.join(said)).unwrap())
            .output()
            .unwrap()
            .status
            .success()
    };
    assert!(verified("aiko@fabrikam.example", "said"));
    assert!(!verified("ben@fabrikam.example", "said"));
    assert!(!verified("aiko@fabrikam.example", "approvers"));

    let mut own = approval;
    own["name"] = "Ben".into();
    fs::write(folder.join("own"), canonical(&own)).unwrap();
    let signed = Command::new("ssh-keygen")
        .args(["-q", "-Y", "sign", "-f", "ben", "-n", "partnerctl-plan", "own"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(signed.status.success(), "{}", String::from_utf8_lossy(&signed.stderr));
    own["signature"] = fs::read_to_string(folder.join("own.sig")).unwrap().into();
    fs::write(folder.join("plan.json.approvals/ben.json"), own.to_string()).unwrap();
    let ended = desk.apply(&[]);
    assert_eq!(ended.code, 0, "{}", ended.all());
}

/// The commits that a plan is held against are those that are in the tenant whole: a part of one is not,
/// whether it was planned so or applied so.
#[test]
fn a_part_of_a_commit_is_not_in_the_tenant_as_it_stood() {
    let repository = Repository::of(Folder::project());
    let run = |args: &[&str]| {
        let ended = Run::new(args).within(repository.path()).end();
        assert_eq!(ended.code, 0, "{args:?}: {}", ended.all());
        ended.out
    };
    let place = tempfile::tempdir().unwrap();
    let plan = place.path().join("plan.json").display().to_string();
    let commit = || repository.git(&["rev-parse", "HEAD"]).trim().to_owned();
    let named = |args: &[&str]| {
        run(&[&["plan", "--out", &plan], args].concat());
        let read: Value = serde_json::from_slice(&fs::read(&plan).unwrap()).unwrap();
        read["parents"]["commit"].as_str().map(str::to_owned)
    };
    run(&["emulator", "seed", "."]);
    run(&["apply", "--yes"]);
    let began = commit();
    let path = repository.path().join("estate/users.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("森 千恵", "森").replace("田中 愛子", "田中")).unwrap();
    repository.commit("two people");
    assert_eq!(named(&[]), Some(commit()));
    assert_eq!(named(&["--target", "user/chie"]), None);
    // Neither what was done by hand nor a part of it counts, but for the beginning.
    run(&["apply", "--yes", "--target", "user/chie"]);
    let history: Value = serde_json::from_str(&run(&["history", "--format", "json"])).unwrap();
    assert_eq!(history["runs"][0]["commit"], Value::Null, "{history:#}");
    assert_eq!(run(&["history", "--before", &plan]), format!("{began}\n"));
    run(&["apply", "--yes"]);
    assert_eq!(run(&["history", "--before", &plan]), format!("{began}\n"));
    // What was approved does, whole.
    repository.git(&["commit", "-q", "--allow-empty", "-m", "later"]);
    fs::write(&path, text).unwrap();
    repository.commit("as they were");
    assert_eq!(named(&[]), Some(commit()));
    let keys = tempfile::tempdir().unwrap();
    make_key(keys.path(), "aiko", "");
    let key = keys.path().join("aiko").display().to_string();
    let approvers = keys.path().join("approvers");
    fs::write(&approvers, format!("aiko {}", public(keys.path(), "aiko"))).unwrap();
    run(&["approve", &plan, "--key", &key]);
    let approvers = approvers.display().to_string();
    let judged = ["--require-approvals", "1", "--approvers", &approvers];
    let authors = ["--author", "chie", "--no-approver", "chie"];
    run(&[&["apply", &plan, "--yes"], &judged[..], &authors[..]].concat());
    let before = run(&["history", "--before", &plan]);
    assert_eq!(before, format!("{}\n{began}\n", commit()));
}

//! One-time passwords through the door: held where nobody could be handed one, shown once or sealed,
//! owed after a crash, reset by whoever may, and nowhere else to be found.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::killed::{ARGS, COUNT, How};
use crate::world::{ACCOUNT, Ended, Folder, PROJECT, Run, USERS};

const BEN: &str = "apiVersion: partnerctl/v1\nkind: User\nmetadata: {name: ben}\nspec: {displayName: Ben, email: ben@fabrikam.example, agent: helpdesk, admin: none}\n";

const NEW_CUSTOMER: &str = "apiVersion: partnerctl/v1\nkind: Customer\nmetadata: {name: adatum}\nspec:\n  companyName: Adatum K.K.\n  domain: adatum.onmicrosoft.com\n  origin: new\n  contact: {name: Ken Sato, email: ken@adatum.example, language: ja}\n  billing: {address: {line1: 1 Umeda, city: Osaka, postalCode: 530-0001, country: JP}}\n";

/// A direct-bill partner that makes three users and a customer's tenant.
fn estate() -> Folder {
    Folder::new()
        .with("partnerctl.yaml", PROJECT)
        .with("estate/account.yaml", ACCOUNT.replace("indirect-reseller", "direct-bill"))
        .with("estate/users.yaml", format!("{USERS}---\n{BEN}"))
        .with("estate/customer.yaml", NEW_CUSTOMER)
}

fn key() -> age::x25519::Identity {
    age::x25519::Identity::generate()
}

fn sealing(folder: Folder, key: &age::x25519::Identity) -> Folder {
    let handover = format!("  handover: {{age: [{}], directory: handed}}\n", key.to_public());
    folder.with("partnerctl.yaml", format!("{PROJECT}{handover}"))
}

/// Which files of passwords there are, opened: by name, what the password is.
fn handed(folder: &Path, key: &age::x25519::Identity) -> BTreeMap<String, String> {
    let Ok(files) = fs::read_dir(folder.join("handed")) else { return BTreeMap::new() };
    let open = |path: &Path| {
        let sealed = fs::read(path).unwrap();
        let mut text = String::new();
        let decryptor = age::Decryptor::new(sealed.as_slice()).unwrap();
        let mut reader = decryptor.decrypt(std::iter::once(key as &dyn age::Identity)).unwrap();
        reader.read_to_string(&mut text).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("one-time password: "));
        line.unwrap().to_owned()
    };
    let each = files
        .flatten()
        .map(|file| (file.file_name().to_string_lossy().into_owned(), open(&file.path())));
    each.collect()
}

fn ask(folder: &Path, sql: &str) -> Vec<String> {
    let ledger = rusqlite::Connection::open(folder.join(".partnerctl/ledger.db")).unwrap();
    let mut asked = ledger.prepare(sql).unwrap();
    let rows = asked.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn requests(folder: &Folder, method: &str) -> Vec<String> {
    let log = folder.run(&["emulator", "log", "--format", "json"]);
    let log: Value = serde_json::from_str(&log.out).unwrap();
    let entries = log["entries"].as_array().unwrap().iter();
    let of = entries.filter(|entry| entry["method"] == method);
    let paths = of.map(|entry| entry["path"].as_str().unwrap().to_owned());
    paths.filter(|path| !path.contains("/oauth2/") && path != "/v1.0/$batch").collect()
}

/// Held before anything is sent, by the plan as by the apply, with what helps.
#[test]
fn without_a_way_to_hand_it_over_nobody_is_made() {
    let folder = estate();
    let planned = folder.run(&["plan", "--format", "json"]);
    let planned: Value = serde_json::from_str(&planned.out).unwrap();
    let held: Vec<(&str, &str)> = planned["report"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|report| report["state"] == "held")
        .map(|report| (report["object"].as_str().unwrap(), report["message"].as_str().unwrap()))
        .collect();
    let objects: Vec<&str> = held.iter().map(|(object, _)| *object).collect();
    assert_eq!(objects, ["user/aiko", "user/ben", "user/chie", "customer/adatum"]);
    assert!(held.iter().all(|(_, message)| message.contains("`handover`")), "{held:?}");
    assert_eq!(planned["steps"], Value::Array(Vec::new()));
    let said = folder.run(&["plan"]).out;
    assert!(said.trim_end().ends_with("nothing to do, 4 held back"), "{said}");
    let ended = folder.run(&["apply", "--yes"]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    assert!(ended.err.contains("give `handover` in the project file"), "{}", ended.err);
    assert_eq!(requests(&folder, "POST"), [] as [String; 0]);
    assert_eq!(requests(&folder, "PATCH"), [] as [String; 0]);
    // A folder that cannot be written to: a customer's tenant is not made either.
    let folder = sealing(folder, &key()).with("handed", "in the way");
    let ended = folder.run(&["apply", "--yes"]);
    assert_eq!(ended.code, 7, "{}", ended.all());
    let sent = requests(&folder, "POST");
    assert!(
        !sent.iter().any(|path| path.ends_with("/users") || path.ends_with("/customers")),
        "{sent:?}"
    );
    fs::remove_file(folder.path().join("handed")).unwrap();
    // With one, a saved plan that held them back is as good as ever, and a new one makes them.
    let folder = sealing(folder, &key());
    let ended = folder.run(&["apply", "--yes"]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    assert_eq!(fs::read_dir(folder.path().join("handed")).unwrap().count(), 4);
}

/// Runs it on a terminal, as Python makes one, and says what was seen there.
fn on_a_terminal(folder: &Folder, args: &[&str]) -> (i32, String) {
    const SCRIPT: &str = "\
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
";
    let (program, _home) = Run::new(args).within(folder.path()).command();
    let ended = Command::new("python3")
        .args(["-I", "-c", SCRIPT])
        .arg(program.get_program())
        .args(program.get_args())
        .current_dir(folder.path())
        .env_clear()
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .output()
        .expect("python3 is there: tests/run installs it");
    assert!(ended.stderr.is_empty(), "{}", String::from_utf8_lossy(&ended.stderr));
    (ended.status.code().unwrap(), String::from_utf8_lossy(&ended.stdout).into_owned())
}

#[test]
fn on_a_terminal_each_is_shown_once() {
    let folder = estate();
    let (code, seen) = on_a_terminal(&folder, &["apply", "--yes"]);
    assert_eq!(code, 0, "{seen}");
    let mut passwords = Vec::new();
    for name in ["aiko@fabrikam.example", "ben@fabrikam.example", "chie@fabrikam.example"] {
        let said = format!("{name}: one-time password ");
        let shown: Vec<&str> = seen.split(&said).skip(1).collect();
        assert_eq!(shown.len(), 1, "{name}: {seen}");
        passwords.push(shown[0].split_whitespace().next().unwrap().to_owned());
    }
    assert_eq!(seen.matches("@adatum.onmicrosoft.com: one-time password ").count(), 1, "{seen}");
    let ledger = fs::read(folder.path().join(".partnerctl/ledger.db")).unwrap();
    for password in &passwords {
        assert!(password.len() >= 20 && seen.matches(password.as_str()).count() == 1, "{seen}");
        assert!(memchr::memmem::find(&ledger, password.as_bytes()).is_none());
    }
    // And of a reset.
    let (code, seen) = on_a_terminal(&folder, &["user", "reset-password", "ben"]);
    assert_eq!(code, 0, "{seen}");
    assert_eq!(seen.matches("ben@fabrikam.example: one-time password ").count(), 1, "{seen}");
    assert!(passwords.iter().all(|password| !seen.contains(password.as_str())), "the same again");
}

fn reset(folder: &Folder, name: &str) -> Ended {
    Run::new(&["user", "reset-password", name, "-v"]).within(folder.path()).end()
}

/// The canary: what was handed over is under its seal, and nowhere else that we write.
#[test]
fn a_reset_password_is_nowhere_but_under_its_seal() {
    let key = key();
    let folder = sealing(estate(), &key);
    let ended = folder.run(&["apply", "--yes"]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    let before = handed(folder.path(), &key);
    let ended = reset(&folder, "ben");
    assert_eq!(ended.code, 0, "{}", ended.all());
    let after = handed(folder.path(), &key);
    let new: Vec<_> = after.iter().filter(|(name, _)| !before.contains_key(*name)).collect();
    assert_eq!(new.len(), 1, "{after:?}");
    let (file, password) = new[0];
    assert!(file.starts_with("user-ben-"), "{file}");
    assert!(ended.out.contains(&format!("sealed in handed/{file}")), "{}", ended.out);
    let mut seen = vec![ended.all().into_bytes()];
    for format in ["text", "json", "markdown", "html"] {
        seen.push(folder.run(&["plan", "--format", format]).all().into_bytes());
    }
    for entry in fs::read_dir(folder.path().join(".partnerctl")).unwrap().flatten() {
        // The tenant is the one who is told.
        if entry.file_name().to_string_lossy().starts_with("ledger") {
            seen.push(fs::read(entry.path()).unwrap());
        }
    }
    assert!(seen.len() > 5 && password.len() >= 20 && !before.values().any(|old| old == password));
    for bytes in &seen {
        assert!(memchr::memmem::find(bytes, password.as_bytes()).is_none());
    }
    // It is in the journal, it was one request, and nothing else came of it.
    let steps =
        ask(folder.path(), "SELECT step || ' ' || outcome FROM journal WHERE verb = 'reset'");
    assert_eq!(steps, ["user/ben/reset-password done"]);
    assert_eq!(folder.run(&["plan", "--exit-code"]).code, 0);
}

#[test]
fn whose_password_is_not_reset_is_said_with_why() {
    let key = key();
    let guest = "apiVersion: partnerctl/v1\nkind: User\nmetadata: {name: guest}\nspec: {displayName: G, email: g@lucerne.example, signInName: \"g_lucerne.example#EXT#@fabrikam.onmicrosoft.com\", agent: none, admin: none}\n";
    let folder = sealing(estate().with("estate/guest.yaml", guest), &key);
    for (name, why) in [
        ("nobody", "no manifest declares it"),
        ("ben", "there is no such account"),
        ("Ben Ito", "the name of a user"),
    ] {
        let ended = reset(&folder, name);
        assert_eq!(ended.code, 64, "{name}: {}", ended.all());
        assert!(ended.err.contains(why), "{name}: {}", ended.err);
    }
    assert_eq!(folder.run(&["emulator", "seed", "."]).code, 0);
    let ended = reset(&folder, "guest");
    assert_eq!(ended.code, 64, "{}", ended.all());
    assert!(ended.err.contains("where they come from"), "{}", ended.err);
    // Nowhere to hand it over.
    let folder = folder.with("partnerctl.yaml", PROJECT);
    let ended = reset(&folder, "ben");
    assert_eq!(ended.code, 64, "{}", ended.all());
    assert!(ended.err.contains("give `handover` in the project file"), "{}", ended.err);
    // A policy says no, and nothing was sent, and nothing begun.
    let policies = format!(
        "{PROJECT}  policies: [policies]\n  handover: {{age: [{}], directory: handed}}\n",
        key.to_public()
    );
    let frozen = "@id(\"frozen\")\n@level(\"hard\")\n@reason(\"nobody is reset until the audit is over\")\nforbid (principal, action == Action::\"reset-password\", resource);\n";
    let folder = folder.with("partnerctl.yaml", policies).with("policies/frozen.cedar", frozen);
    let ended = reset(&folder, "ben");
    assert_eq!(ended.code, 4, "{}", ended.all());
    assert!(ended.err.contains("nobody is reset until the audit is over"), "{}", ended.err);
    assert!(handed(folder.path(), &key).is_empty());
    assert_eq!(requests(&folder, "PATCH"), [] as [String; 0]);
}

/// Applies in a process that dies at a boundary of its journal; how many it passed, if it lived.
fn die(folder: &Path, at: Option<u64>) -> Option<u64> {
    let count = folder.join("count");
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "killed::child", "--nocapture", "--quiet"]);
    // One after the other, so that the boundaries of each are the same every time.
    let args = ["partnerctl", "apply", "--yes", "--parallel", "1", "."];
    child.env(ARGS, args.join("\u{1f}"));
    child.env("NO_COLOR", "1").env(COUNT, &count).current_dir(folder);
    if let Some(at) = at {
        child.env(How::Killed.name(), at.to_string());
    }
    let ended = child.stdin(Stdio::null()).output().unwrap();
    if ended.status.signal() == Some(9) {
        return None;
    }
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    Some(fs::read_to_string(count).unwrap().parse().unwrap())
}

fn time_passes(folder: &Path) {
    let ledger = rusqlite::Connection::open(folder.join(".partnerctl/ledger.db")).unwrap();
    let sql = "UPDATE lease SET until = until - 600000, free_at = free_at - 600000";
    ledger.execute(sql, []).unwrap();
}

/// Law: whenever a run dies, and whether or not what it sealed is found again, in the end somebody was
/// handed a password for each account that was made, or a person knows that it was lost.
#[test]
fn a_crash_before_the_handover_is_remembered() {
    let key = key();
    let whole = sealing(estate(), &key);
    let boundaries = die(whole.path(), None).unwrap();
    assert!(boundaries > 12, "{boundaries}");
    let (mut resets, mut lost, mut found) = (0, 0, 0);
    for at in 1..=boundaries {
        // Each step has a handful of boundaries: it is found again for some steps, and not for others.
        let is_elsewhere = at / 4 % 2 == 1;
        let folder = sealing(estate(), &key);
        if let Some(passed) = die(folder.path(), Some(at)) {
            // How many there are depends on what goes on at the same time, at the very end.
            assert!(passed < at, "it lived at {at} of {passed}");
            break;
        }
        time_passes(folder.path());
        let created = "SELECT step FROM journal WHERE outcome = 'done' AND verb = 'create'";
        let created = ask(folder.path(), created);
        let sealed = handed(folder.path(), &key);
        if is_elsewhere && !sealed.is_empty() {
            fs::remove_dir_all(folder.path().join("handed")).unwrap();
        }
        let ended = folder.run(&["apply", "--yes"]);
        assert_eq!(ended.code, 0, "at {at}: {}", ended.all());
        let now = handed(folder.path(), &key);
        let status = folder.run(&["status"]).out;
        for object in ["user/aiko", "user/ben", "user/chie", "customer/adatum"] {
            let prefix = format!("{}-", object.replace('/', "-"));
            // What ended well was handed over by the run that died, and is left alone.
            if created.contains(&format!("{object}/create")) {
                let before = sealed.keys().find(|file| file.starts_with(&prefix)).unwrap();
                assert!(is_elsewhere || now.contains_key(before), "at {at}: {before}: {now:?}");
                continue;
            }
            let has = |files: &BTreeMap<String, String>| {
                files.keys().any(|file| file.starts_with(&prefix))
            };
            // What was sealed for somebody who was never made would be mistaken for theirs.
            let count = now.keys().filter(|file| file.starts_with(&prefix)).count();
            assert!(is_elsewhere || count <= 1, "at {at}: {now:?}");
            let is_known_lost = status.contains(&format!("{object}/first-administrator"));
            assert!(has(&now) || is_known_lost, "at {at}: {object}: {now:?}\n{status}");
            lost += usize::from(is_known_lost);
            found += usize::from(has(&sealed) && has(&now) && !is_elsewhere);
        }
        let done = ask(
            folder.path(),
            "SELECT step FROM journal WHERE verb = 'reset' AND outcome = 'done'",
        );
        assert!(is_elsewhere || done.is_empty(), "at {at}: it was there, and reset: {done:?}");
        resets += done.len();
        if status.contains("first-administrator") {
            let step = "customer/adatum/first-administrator";
            assert_eq!(folder.run(&["confirm", step]).code, 0);
        }
        // Nothing is owed any more, and nothing is reset twice.
        assert_eq!(folder.run(&["plan", "--exit-code"]).code, 0, "at {at}");
    }
    eprintln!("{boundaries} boundaries: {resets} resets, {lost} lost, {found} found");
    assert!(resets > 0 && lost > 0 && found > 0, "{resets} resets, {lost} lost, {found} found");
}

/// A password is no reason to believe that an edit was applied.
#[test]
fn a_reset_leaves_an_edit_an_edit() {
    let folder = Folder::example("fabrikam");
    assert_eq!(folder.run(&["apply", "--yes"]).code, 0);
    let folder = folder.edit("estate/users.yaml", "displayName: 森 千恵", "displayName: 森 千恵子");
    let ended = folder.run(&["user", "reset-password", "chie-mori"]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    let plan = folder.run(&["plan", "--format", "json"]);
    let plan: Value = serde_json::from_str(&plan.out).unwrap();
    assert_eq!(plan["steps"][0]["id"], "user/chie-mori/update", "{plan}");
    assert_eq!(plan["steps"][0]["fields"][0]["cause"], "change", "{plan}");
}

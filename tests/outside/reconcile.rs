//! The loop through the door: what it does alone, what it leaves, when it wakes, how it ends, and what
//! it tells whoever keeps it running.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::world::{Folder, PROJECT, Run};

/// Longer than any test: whoever does something did it because something happened.
const NEVER: &str = "1h";

/// A loop that runs, and all that it said so far.
struct Running {
    child: Child,
    _home: tempfile::TempDir,
    said: Arc<Mutex<Vec<String>>>,
    url: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn collect(from: impl Read + Send + 'static, said: Arc<Mutex<Vec<String>>>) {
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            said.lock().unwrap().push(line);
        }
    });
}

impl Running {
    fn start(folder: &Folder, interval: &str, args: &[&str]) -> Self {
        let all =
            [&["reconcile", ".", "--interval", interval, "--listen", "127.0.0.1:0"], args].concat();
        let (mut command, home) = Run::new(&all).within(folder.path()).command();
        let mut child = command.stdin(Stdio::null()).spawn().unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        collect(child.stdout.take().unwrap(), Arc::clone(&said));
        collect(child.stderr.take().unwrap(), Arc::clone(&said));
        let mut running = Self { child, _home: home, said, url: String::new() };
        let line = running.hears("listening on ");
        line.split_whitespace().next_back().unwrap().clone_into(&mut running.url);
        running
    }

    fn all(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    /// Waits for a line that holds this, after those that were heard before.
    fn hears_after(&self, before: usize, what: &str) -> String {
        let mut found = None;
        until(&format!("{what:?}"), &|| format!("{:#?}", self.all()), || {
            found = self.all().into_iter().skip(before).find(|line| line.contains(what));
            found.is_some()
        });
        found.unwrap()
    }

    fn hears(&self, what: &str) -> String {
        self.hears_after(0, what)
    }

    /// Does something, and waits for what the loop says to it.
    fn hears_of(&self, doing: impl FnOnce(), what: &str) -> String {
        let before = self.all().len();
        doing();
        self.hears_after(before, what)
    }

    fn get(&self, path: &str) -> (u16, String) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let answer = client.get(format!("{}{path}", self.url)).send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        })
    }

    fn metrics(&self) -> BTreeMap<String, u64> {
        let (status, text) = self.get("/metrics");
        assert_eq!(status, 200);
        parsed(&text)
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// Asks it to end, and waits until it has.
    fn ends(mut self, signal: Signal) -> Option<i32> {
        self.signal(signal);
        let mut code = None;
        until("its end", &String::new, || {
            code = self.child.try_wait().unwrap();
            code.is_some()
        });
        code.unwrap().code()
    }
}

fn until(what: &str, seen: &dyn Fn() -> String, mut is_so: impl FnMut() -> bool) {
    for _ in 0..3000 {
        if is_so() {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("waited in vain for {what}: {}", seen());
}

/// Every line is a sample or a comment, as the format has them; samples by name and labels, as whole
/// numbers.
fn parsed(text: &str) -> BTreeMap<String, u64> {
    let is_name = |name: &str| {
        name.starts_with("partnerctl_")
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let mut samples = BTreeMap::new();
    let (lines, end) = text.trim_end().rsplit_once('\n').unwrap();
    assert_eq!(end, "# EOF");
    for line in lines.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            assert!(["HELP", "TYPE", "UNIT"].contains(&words.next().unwrap()), "{line}");
            assert!(is_name(words.next().unwrap()) && words.next().is_some(), "{line}");
            continue;
        }
        let (name, value) = line.rsplit_once(' ').unwrap();
        let bare = match name.split_once('{') {
            Some((bare, labels)) => {
                let labels = labels.strip_suffix('}').unwrap();
                let (key, value) = labels.split_once('=').unwrap();
                assert!(["outcome", "why", "le"].contains(&key), "{line}");
                assert!(value.starts_with('"') && value.ends_with('"'), "{line}");
                bare
            }
            None => name,
        };
        assert!(is_name(bare), "{line}");
        let value: f64 = value.parse().unwrap();
        let is_new =
            samples.insert(name.to_owned(), format!("{value:.0}").parse().unwrap()).is_none();
        assert!(is_new, "{line} twice");
    }
    samples
}

fn seeded(folder: Folder) -> Folder {
    let ended = folder.run(&["emulator", "seed", "."]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    folder
}

fn edit(folder: &Folder, name: &str, from: &str, to: &str) {
    let path = folder.path().join(name);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches(from).count(), 1, "{from:?} in {text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

fn does(folder: &Folder, args: &[&str]) {
    let ended = folder.run(args);
    assert_eq!(ended.code, 0, "{}", ended.all());
}

/// What is left to do: steps and why each of their fields changes.
fn left(folder: &Folder) -> Vec<String> {
    let ended = folder.run(&["plan", "--format", "json", "."]);
    let plan: Value =
        serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{}", ended.all()));
    let steps = plan["steps"].as_array().unwrap().iter();
    steps
        .map(|step| {
            let causes = step["fields"].as_array().unwrap().iter();
            let causes: Vec<&str> = causes.map(|field| field["cause"].as_str().unwrap()).collect();
            format!("{} {}", step["id"].as_str().unwrap(), causes.join(","))
        })
        .collect()
}

fn runs(folder: &Folder) -> usize {
    let ended = folder.run(&["history", "."]);
    let ended = if ended.code == 64 { folder.run(&["history"]) } else { ended };
    ended.out.lines().filter(|line| line.contains(" UTC, ")).count()
}

/// No interval is waited for; nothing is done where nothing differs; it ends cleanly.
#[test]
fn a_saved_file_is_applied_at_once_and_a_quiet_loop_is_quiet() {
    let folder = seeded(Folder::project());
    let running = Running::start(&folder, NEVER, &[]);
    running.hears(" as declared");
    assert_eq!(running.get("/healthz"), (200, "alive\n".to_owned()));
    until("readiness", &String::new, || running.get("/readyz").0 == 200);
    let before = running.metrics();
    // What was as declared is remembered, once.
    assert_eq!(runs(&folder), 1);
    running.hears_of(
        || edit(&folder, "estate/users.yaml", "displayName: 森 千恵", "displayName: 森 チエ"),
        " 1 done",
    );
    assert_eq!(left(&folder), [] as [&str; 0]);
    // A file that says the same otherwise: a round, and no run.
    let mut text = fs::read_to_string(folder.path().join("estate/users.yaml")).unwrap();
    text.push_str("# the end\n");
    running.hears_of(
        || fs::write(folder.path().join("estate/users.yaml"), &text).unwrap(),
        " as declared",
    );
    // The same text again: it is written, and nothing is different.
    let said = running.all().len();
    fs::write(folder.path().join("estate/users.yaml"), &text).unwrap();
    let mut after = running.metrics();
    until("counts", &String::new, || {
        after = running.metrics();
        after["partnerctl_rounds_total{outcome=\"quiet\"}"]
            > before["partnerctl_rounds_total{outcome=\"quiet\"}"]
    });
    assert_eq!(running.all().len(), said);
    assert_eq!(runs(&folder), 2);
    for (name, count) in &before {
        let only_grows =
            name.contains("_total") || name.contains("_bucket") || name.contains("_count");
        assert!(!only_grows || after[name] >= *count, "{name}: {count}, then {}", after[name]);
    }
    assert_eq!(after["partnerctl_steps_total{outcome=\"done\"}"], 1);
    assert_eq!(after["partnerctl_rounds_total{outcome=\"applied\"}"], 1);
    assert!(after["partnerctl_tenant_calls_total"] > before["partnerctl_tenant_calls_total"]);
    assert!(after["partnerctl_last_good_round_timestamp_seconds"] > 1_700_000_000);
    assert_eq!(running.get("/").0, 404);
    assert_eq!(running.get("/metrics/estate").0, 404);
    assert_eq!(running.ends(Signal::SIGTERM), Some(143));
}

/// Somebody edits the tenant; somebody accepts an invitation. Neither is seen in any file.
#[test]
fn drift_is_mended_and_people_are_waited_for() {
    let customer = "apiVersion: partnerctl/v1\nkind: Customer\nmetadata: {name: contoso}\nspec: {companyName: Contoso, domain: contoso.onmicrosoft.com}\n";
    let folder = seeded(Folder::project());
    let running = Running::start(&folder, "1s", &[]);
    running.hears(" as declared");
    running.hears_of(
        || does(&folder, &["emulator", "act", "edit", "user/chie", "spec.displayName=Nobody"]),
        " 1 done",
    );
    assert_eq!(left(&folder), [] as [&str; 0]);
    running.hears_of(
        || fs::write(folder.path().join("estate/contoso.yaml"), customer).unwrap(),
        " as declared, 1 waits for people",
    );
    assert_eq!(running.metrics()["partnerctl_waiting"], 1);
    // It is remembered, with since when.
    assert_eq!(folder.run(&["status", ".", "--exit-code"]).code, 8);
    let said = running.hears_of(
        || does(&folder, &["emulator", "act", "accept", "customer/contoso"]),
        " as declared",
    );
    assert!(!said.contains("waits"), "{said}");
    assert_eq!(running.metrics()["partnerctl_waiting"], 0);
    assert_eq!(folder.run(&["status", ".", "--exit-code"]).code, 0);
    assert_eq!(running.ends(Signal::SIGINT), Some(130));
}

/// What a person should decide is said and left, and stays what it was to the plan: a change of the
/// manifests. An approved plan does it, and the loop goes on.
#[test]
fn what_takes_away_or_gives_privileges_is_left_to_an_approved_plan() {
    let folder = seeded(Folder::project());
    let running = Running::start(&folder, "1s", &["-v"]);
    running.hears(" as declared");
    let line = running.hears_of(
        || {
            edit(
                &folder,
                "estate/users.yaml",
                "displayName: 森 千恵, email: chie@fabrikam.example, agent: none, admin: global",
                "displayName: 森 チエ, email: chie@fabrikam.example, agent: admin, admin: none",
            );
        },
        " 1 done, ",
    );
    assert!(
        line.ends_with(" 1 done, 2 left to an approved plan, `partnerctl plan --out FILE` (1 takes something away, 1 gives privileges)"),
        "{line}"
    );
    let is = ["user/chie/grant/agent/admin change", "user/chie/revoke/admin/global change"];
    assert_eq!(left(&folder), is);
    let metrics = running.metrics();
    assert_eq!(metrics["partnerctl_steps_left{why=\"takes-away\"}"], 1);
    assert_eq!(metrics["partnerctl_steps_left{why=\"privileged\"}"], 1);
    // Round after round.
    let rounds = "partnerctl_rounds_total{outcome=\"quiet\"}";
    until("more rounds", &String::new, || running.metrics()[rounds] > metrics[rounds] + 1);
    assert_eq!(left(&folder), is);
    let text = fs::read_to_string(folder.path().join("estate/users.yaml")).unwrap();
    does(&folder, &["plan", "--out", "plan.json", "."]);
    running.hears_of(|| does(&folder, &["apply", "plan.json", "--yes"]), " as declared");
    assert_eq!(left(&folder), [] as [&str; 0]);
    // A document that is gone: nobody is forgotten before somebody has decided.
    let alone = text.split_once("---\n").unwrap().0;
    running.hears_of(
        || fs::write(folder.path().join("estate/users.yaml"), alone).unwrap(),
        " 1 left to an approved plan",
    );
    assert_eq!(left(&folder), ["user/chie/revoke/agent/admin remove"]);
    let metrics = running.metrics();
    until("more rounds", &String::new, || running.metrics()[rounds] > metrics[rounds] + 1);
    assert_eq!(left(&folder), ["user/chie/revoke/agent/admin remove"]);
    assert_eq!(running.ends(Signal::SIGTERM), Some(143));
}

/// Wrong manifests: not ready, shown once, the tenant left alone; put right, all is well again.
#[test]
fn wrong_manifests_leave_the_tenant_alone_until_they_are_right() {
    let folder = seeded(Folder::project());
    let running = Running::start(&folder, "1s", &[]);
    running.hears(" as declared");
    does(&folder, &["emulator", "act", "edit", "user/chie", "spec.displayName=Nobody"]);
    running.hears(" 1 done");
    let wrong = folder.path().join("estate/wrong.yaml");
    running.hears_of(|| fs::write(&wrong, "spec: [").unwrap(), " nothing was done: the manifests");
    until("not being ready", &String::new, || running.get("/readyz").0 == 503);
    assert_eq!(running.get("/healthz").0, 200);
    does(&folder, &["emulator", "act", "edit", "user/chie", "spec.displayName=Somebody"]);
    let rounds = "partnerctl_rounds_total{outcome=\"invalid\"}";
    until("more rounds", &String::new, || running.metrics()[rounds] >= 3);
    let count = |what: &str| running.all().iter().filter(|line| line.contains(what)).count();
    assert_eq!(count("error[P"), 1, "{:#?}", running.all());
    assert_eq!(count(" 1 done"), 1, "{:#?}", running.all());
    running.hears_of(|| fs::remove_file(&wrong).unwrap(), " 1 done");
    until("readiness", &String::new, || running.get("/readyz").0 == 200);
    // The same mistake again is said again.
    running.hears_of(|| fs::write(&wrong, "spec: [").unwrap(), "error[P");
    assert_eq!(running.ends(Signal::SIGTERM), Some(143));
}

/// Over a limit nothing is done, not even what is harmless.
#[test]
fn a_plan_that_is_refused_is_not_applied_at_all() {
    let project = format!("{PROJECT}  limits: {{removals: {{count: 0}}}}\n");
    let folder = seeded(Folder::project().with("partnerctl.yaml", project));
    assert_eq!(folder.run(&["reconcile", ".", "--once"]).code, 0);
    let folder = folder.edit(
        "estate/users.yaml",
        "displayName: 森 千恵, email: chie@fabrikam.example, agent: none, admin: global",
        "displayName: 森 チエ, email: chie@fabrikam.example, agent: none, admin: none",
    );
    let ended = folder.run(&["reconcile", ".", "--once"]);
    assert_eq!(ended.code, 5, "{}", ended.all());
    assert!(
        ended.out.contains(" nothing was done, the plan is refused: over the limit `removals`"),
        "{}",
        ended.out
    );
    assert_eq!(left(&folder).len(), 2);
    assert_eq!(runs(&folder), 1);
}

/// Asked to end amid a run: what is under way ends, the rest is left for another time, and nobody holds
/// the lease. Meanwhile nobody else could.
#[test]
fn asked_to_end_amid_a_run_it_ends_cleanly() {
    use std::fmt::Write as _;
    let mut users = String::new();
    for at in 0..12 {
        write!(users, "{}apiVersion: partnerctl/v1\nkind: User\nmetadata: {{name: u{at}}}\nspec: {{displayName: User {at}, email: u{at}@fabrikam.example, agent: none, admin: none}}\n", if at > 0 { "---\n" } else { "" }).unwrap();
    }
    let folder = seeded(Folder::project().with("estate/more.yaml", &users));
    does(&folder, &["reconcile", ".", "--once"]);
    let slow = "seed: 1\nrules: [{method: PATCH, rate: 1, fault: latency, ms: 700}]\n";
    let folder = folder
        .with("estate/more.yaml", users.replace("displayName: User", "displayName: Guest"))
        .with("faults.yaml", slow);
    does(&folder, &["emulator", "faults", "faults.yaml"]);
    let running = Running::start(&folder, NEVER, &["--parallel", "1"]);
    running.hears("done    set displayName");
    let other = folder.run(&["reconcile", ".", "--once"]);
    assert_eq!(other.code, 10, "{}", other.all());
    let said = Arc::clone(&running.said);
    assert_eq!(running.ends(Signal::SIGTERM), Some(143));
    until("the last line", &String::new, || {
        said.lock().unwrap().iter().any(|line| line.contains(" skipped"))
    });
    let open = left(&folder).len();
    assert!((1..12).contains(&open), "{open} of 12: {said:#?}");
    does(&folder, &["emulator", "faults", "off"]);
    // Nothing is recovered, for nothing was left open, and the lease is free.
    let ended = folder.run(&["reconcile", ".", "--once"]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    assert!(ended.out.contains(&format!(" {open} done")), "{}", ended.all());
    assert!(!ended.err.contains("left open"), "{}", ended.err);
    assert_eq!(left(&folder), [] as [&str; 0]);
}

#[test]
fn called_wrongly_it_ends_at_once() {
    let folder = Folder::project();
    for args in [
        &["reconcile", "-f", "-"][..],
        &["reconcile", ".", "--interval", "0s"],
        &["reconcile", ".", "--interval", "often"],
        &["reconcile", ".", "--context", "elsewhere"],
        &["reconcile", "nowhere"],
    ] {
        let ended = folder.run(args);
        assert_eq!(ended.code, 64, "{args:?}: {}", ended.all());
    }
    let ended = folder.run(&["reconcile", ".", "--listen", "192.0.2.1:1"]);
    assert_eq!(ended.code, 1, "{}", ended.all());
}

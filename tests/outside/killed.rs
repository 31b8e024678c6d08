//! Killed anywhere, it recovers: a plan of more than sixty steps is ended by SIGKILL at each boundary
//! of its journal and around each change that is sent, and resumed.
//!
//! The process that is killed is this test binary, started again: it runs the program with a listener
//! that counts what the program says of itself (`kept`, `leaving`, `back`) and kills at the n-th.
//! `PARTNERCTL_KILLS` says how many boundaries to step each time; 1 is all of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, SubscriberExt};

use crate::postgres::Server;
use crate::world::{Ended, Folder, Run};

pub(crate) const ARGS: &str = "PARTNERCTL_TEST_ARGS";
pub(crate) const DIE_AT: &str = "PARTNERCTL_TEST_DIE_AT";
pub(crate) const COUNT: &str = "PARTNERCTL_TEST_COUNT";
const LEDGER: &str = "PARTNERCTL_LEDGER";

/// Not a test of its own: what the others start.
#[test]
fn child() {
    let Ok(args) = std::env::var(ARGS) else { return };
    let die_at = std::env::var(DIE_AT).ok().and_then(|at| at.parse().ok());
    let listener = Listener { die_at, ..Listener::default() };
    let count = std::sync::Arc::clone(&listener.count);
    let ours = filter_fn(|metadata| metadata.target().starts_with("partnerctl"));
    let subscriber = tracing_subscriber::registry().with(listener.with_filter(ours));
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let code = partnerctl::cli::run(args.split('\u{1f}').map(Into::into));
    if let Some(path) = std::env::var_os(COUNT) {
        fs::write(path, count.load(Ordering::SeqCst).to_string()).unwrap();
    }
    std::process::exit(code.into());
}

#[derive(Default)]
struct Listener {
    count: std::sync::Arc<AtomicU64>,
    die_at: Option<u64>,
}

impl<S: tracing::Subscriber> Layer<S> for Listener {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if !["kept", "leaving", "back"].contains(&event.metadata().name()) {
            return;
        }
        let number = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        if Some(number) == self.die_at {
            kill(Pid::this(), Signal::SIGKILL).unwrap();
            // Nothing comes after it.
            loop {
                std::thread::park();
            }
        }
    }
}

/// A folder, and where its ledger is.
struct World {
    folder: TempDir,
    ledger: Option<String>,
}

impl World {
    /// A copy of a folder; on PostgreSQL, with a copy of its database.
    fn copy(of: &Prepared, number: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(of.folder.path(), folder.path());
        let ledger = of.server.as_ref().map(|server| {
            let name = format!("k{number}");
            server.sql("postgres", &format!("CREATE DATABASE {name} TEMPLATE base"));
            server.address(&name)
        });
        Self { folder, ledger }
    }

    fn command(&self, args: &[&str]) -> (Command, TempDir) {
        let (mut command, home) = Run::new(args).within(self.folder.path()).command();
        if let Some(ledger) = &self.ledger {
            command.env(LEDGER, ledger);
        }
        (command, home)
    }

    fn run(&self, args: &[&str]) -> Ended {
        let (mut command, _home) = self.command(args);
        let output = command.output().unwrap();
        Ended {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
            cpu: std::time::Duration::ZERO,
            peak: 0,
        }
    }

    /// Applies in a process that dies at a boundary; without one, how many boundaries there are.
    fn apply(&self, die_at: Option<u64>) -> u64 {
        let count = self.folder.path().join("count");
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "killed::child", "--nocapture", "--quiet"]);
        child.env(ARGS, ["partnerctl", "apply", "--yes", "."].join("\u{1f}"));
        child.env("NO_COLOR", "1").current_dir(self.folder.path()).env(COUNT, &count);
        if let Some(at) = die_at {
            child.env(DIE_AT, at.to_string());
        }
        if let Some(ledger) = &self.ledger {
            child.env(LEDGER, ledger);
        }
        let output = child.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        if die_at.is_some() {
            use std::os::unix::process::ExitStatusExt;
            assert_eq!(output.status.signal(), Some(9), "{die_at:?}: {said}");
            return 0;
        }
        assert_eq!(output.status.code(), Some(0), "{said}");
        fs::read_to_string(count).unwrap().parse().unwrap()
    }

    /// The lease of whoever died is long over, and so is the last request under it.
    fn time_passes(&self) {
        let sql = "UPDATE lease SET until = until - 600000, free_at = free_at - 600000";
        match &self.ledger {
            None => {
                let file = self.folder.path().join(".partnerctl/ledger.db");
                rusqlite::Connection::open(file).unwrap().execute(sql, []).unwrap();
            }
            Some(address) => psql(address, &format!("SET search_path TO partnerctl; {sql}")),
        }
    }

    /// The tenant as manifests, without the ids that it gave.
    fn tenant(&self) -> BTreeMap<String, String> {
        let into = self.folder.path().join("seen");
        let ended = self.run(&["import", "--project", ".", "--into", into.to_str().unwrap()]);
        assert_eq!(ended.code, 0, "{}", ended.all());
        let mut files = BTreeMap::new();
        read(&into, &into, &mut files);
        fs::remove_dir_all(into).unwrap();
        files
    }

    /// What is managed, without ids and runs; and how often each step was done.
    fn remembered(&self) -> (Vec<String>, Vec<String>) {
        let objects = "SELECT kind || '/' || name || ' ' || origin || ' ' || spec || ' ' || protected FROM object ORDER BY kind, name";
        let twice = "SELECT step FROM journal WHERE outcome = 'done' AND verb IN ('create', 'delete', 'end') GROUP BY step HAVING count(*) > 1 ORDER BY step";
        let objects = self.ask(objects);
        // Whose first administrator's password was lost with the answer, that is remembered of it.
        let objects = objects.iter().map(|object| object.replace(r#","owesPassword":true"#, ""));
        (objects.collect(), self.ask(twice))
    }

    fn ask(&self, sql: &str) -> Vec<String> {
        match &self.ledger {
            None => {
                let file = self.folder.path().join(".partnerctl/ledger.db");
                let connection = rusqlite::Connection::open(file).unwrap();
                let mut asked = connection.prepare(sql).unwrap();
                let rows = asked.query_map([], |row| row.get::<_, String>(0)).unwrap();
                rows.map(Result::unwrap).collect()
            }
            Some(address) => {
                let text = psql_answer(address, &format!("SET search_path TO partnerctl; {sql}"));
                text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
            }
        }
    }

    fn end(&self) -> Seen {
        let (objects, twice) = self.remembered();
        assert_eq!(twice, [] as [String; 0], "done twice");
        Seen { tenant: self.tenant(), objects }
    }
}

fn psql(address: &str, sql: &str) {
    psql_answer(address, sql);
}

fn psql_answer(address: &str, sql: &str) -> String {
    let asked = Command::new("psql")
        .args(["-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-c", sql])
        .arg(address)
        .output()
        .unwrap();
    assert!(asked.status.success(), "{sql}: {}", String::from_utf8_lossy(&asked.stderr));
    String::from_utf8(asked.stdout).unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn read(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            read(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().display().to_string();
            files.insert(name, without_ids(&fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Ids are given by the tenant; digests are of files with ids.
fn without_ids(text: &str) -> String {
    let is_hex = |text: &str| text.len() >= 8 && text.chars().all(|c| c.is_ascii_hexdigit());
    text.split_inclusive(|c: char| !c.is_ascii_alphanumeric())
        .map(|word| {
            let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            let is_part = bare.len() == 4 && is_hex(&format!("{bare}0000"));
            if is_hex(bare) || (is_part && word.ends_with('-')) { "#" } else { word }
        })
        .collect()
}

/// What must be the same in the end, whatever happened on the way.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    tenant: BTreeMap<String, String>,
    objects: Vec<String>,
}

/// An estate that was applied, and manifests that ask for something else by now.
struct Prepared {
    folder: TempDir,
    server: Option<Server>,
}

impl Prepared {
    fn new(server: Option<Server>) -> Self {
        let context = match &server {
            None => "    local: {tenant: embedded}\n".to_owned(),
            Some(_) => format!(
                "    local: {{tenant: embedded, ledger: {{postgres: {{env: {LEDGER}}}}}}}\n"
            ),
        };
        Self::with(server, &context)
    }

    fn with(server: Option<Server>, context: &str) -> Self {
        let project = format!("{PROJECT}  contexts:\n{context}");
        let folder = Folder::new()
            .with("partnerctl.yaml", project)
            .with("estate/all.yaml", estate(false))
            .into_dir();
        let ledger = server.as_ref().map(|server| {
            server.sql("postgres", "CREATE DATABASE base");
            server.address("base")
        });
        let world = World { folder, ledger };
        let mut first = vec!["apply", "--yes", "."];
        if world.ledger.is_some() {
            first.push("--new-ledger");
        }
        let ended = world.run(&first);
        assert_eq!(ended.code, 0, "{}", ended.all());
        fs::write(world.folder.path().join("estate/all.yaml"), estate(true)).unwrap();
        Self { folder: world.folder, server }
    }
}

const PROJECT: &str = "\
apiVersion: partnerctl/v1
kind: Project
metadata: {name: fabrikam}
spec:
  manifests: [estate]
  limits: {removals: {count: 100}, irreversible: {count: 10}, privilegedGrants: {count: 200}, customersTouched: {count: 100}}
  handover: {age: [age1xdu20xskzkurdstwklqcq42h4fuzmuplvu8wths26s63ft342gpsluyp5a], directory: handover}
";

/// What is declared first, and what afterwards: every kind of step stands between the two.
fn estate(is_after: bool) -> String {
    let pick = |before: &'static str, after: &'static str| if is_after { after } else { before };
    let mut documents = vec![format!(
        "kind: Account\nmetadata: {{name: fabrikam}}\nspec:\n  program: direct-bill\n  country: JP\n  domains: [fabrikam.example]\n  partnerId: \"4567890\"\n  legal:\n    companyName: Fabrikam K.K.\n    address: {{line1: {} Marunouchi, city: Tokyo, postalCode: 100-0005, country: JP}}\n    primaryContact: {{firstName: Aiko, lastName: Tanaka, email: aiko@fabrikam.example, phone: \"+81 3 1234 5678\"}}\n  support: {{email: {}@fabrikam.example, phone: \"+81 3 1234 0000\"}}\n",
        pick("1-2-3", "4-5-6"),
        pick("help", "desk"),
    )];
    let mut user = |name: &str, more: &str, spec: &str| {
        documents.push(format!(
            "kind: User\nmetadata: {{name: {name}{more}}}\nspec: {{email: {name}@fabrikam.example, {spec}}}\n"
        ));
    };
    user("aiko", "", "displayName: Aiko, agent: admin, admin: global");
    user("chie", "", "displayName: Chie, agent: none, admin: global");
    user(
        "u0",
        "",
        pick(
            "displayName: U, agent: helpdesk, admin: none, roles: [r0, r1]",
            "displayName: Ulla, agent: helpdesk, admin: none, roles: [r1]",
        ),
    );
    if !is_after {
        let spec = "displayName: U, agent: helpdesk, admin: none, roles: [r1]";
        user("u1", ", onRemoval: delete", spec);
        user("u2", ", onRemoval: disable", spec);
    }
    user(
        "u3",
        "",
        pick(
            "displayName: U, agent: helpdesk, admin: none, roles: [r1]",
            "displayName: U, agent: helpdesk, admin: none, roles: [r1], enabled: false",
        ),
    );
    user(
        "u4",
        "",
        pick(
            "displayName: U, agent: admin, admin: user-management, roles: [r1]",
            "displayName: U, agent: [admin, helpdesk], admin: billing, roles: [r1]",
        ),
    );
    for number in 0..if is_after { 7 } else { 0 } {
        let admin = ["user-management", "billing"][number % 2];
        let roles = ["[r2]", "[r1, r2, r3]", "[r1, r2, r3]"][number % 3];
        let spec =
            format!("displayName: N, agent: [admin, helpdesk], admin: {admin}, roles: {roles}");
        user(&format!("n{number}"), "", &spec);
    }
    let mut role = |name: &str, description: &str| {
        documents.push(format!(
            "kind: Role\nmetadata: {{name: {name}}}\nspec: {{description: {description}, group: Desk {name}}}\n"
        ));
    };
    role("r1", pick("First", "Second"));
    if is_after {
        role("r2", "Third");
        role("r3", "Fourth");
    } else {
        role("r0", "Gone");
    }
    let mut customer = |name: &str, line: &str, relationship: &str| {
        documents.push(format!(
            "kind: Customer\nmetadata: {{name: {name}}}\nspec:\n  companyName: {name} K.K.\n  domain: {name}.onmicrosoft.com\n  relationship: {relationship}\n  origin: new\n  contact: {{name: Ken Sato, email: ken@{name}.example, language: ja}}\n  billing: {{address: {{line1: {line} Umeda, city: Osaka, postalCode: 530-0001, country: JP}}}}\n"
        ));
    };
    customer("adatum", pick("1-1-1", "2-2-2"), "reseller");
    customer("contoso", "1-1-1", pick("reseller", "none"));
    if is_after {
        customer("northwind", "1-1-1", "reseller");
        customer("litware", "1-1-1", "reseller");
    }
    let documents: Vec<String> =
        documents.iter().map(|text| format!("apiVersion: partnerctl/v1\n{text}")).collect();
    documents.join("---\n")
}

/// Kills at every so many boundaries and resumes; each time the end is the same.
fn killed(prepared: &Prepared, step: u64, resume: &[&str]) {
    let untouched = World::copy(prepared, 0);
    let plan = untouched.run(&["plan", "--format", "json", "."]);
    let plan: serde_json::Value = serde_json::from_str(&plan.out).unwrap();
    let steps = plan["steps"].as_array().unwrap().len();
    assert!(steps >= 60, "{steps}");
    let boundaries = untouched.apply(None);
    let end = untouched.end();
    let next = AtomicU64::new(1);
    let failed: OnceLock<String> = OnceLock::new();
    let tried = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(step, Ordering::SeqCst);
                    if at > boundaries || failed.get().is_some() {
                        return;
                    }
                    if let Err(why) = once(prepared, at, resume, &end) {
                        drop(failed.set(why));
                    }
                    tried.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(failed.get(), None, "of {boundaries} boundaries");
    eprintln!("{steps} steps, killed at {tried:?} of {boundaries} boundaries");
}

fn once(prepared: &Prepared, at: u64, resume: &[&str], end: &Seen) -> Result<(), String> {
    let world = World::copy(prepared, at);
    world.apply(Some(at));
    world.time_passes();
    let ended = world.run(resume);
    if ended.code != 0 {
        return Err(format!("killed at {at}, resumed: exit {}\n{}", ended.code, ended.all()));
    }
    let seen = world.end();
    if seen != *end {
        let differs = similar::TextDiff::from_lines(format!("{end:#?}"), format!("{seen:#?}"))
            .unified_diff()
            .to_string();
        return Err(format!("killed at {at}: another end\n{differs}\n{}", ended.all()));
    }
    for customer in ["adatum", "contoso", "northwind", "litware"] {
        // A password that died with the answer is a person's to see to; nothing else is left.
        let step = format!("customer/{customer}/first-administrator");
        world.run(&["confirm", &step, "."]);
    }
    let plan = world.run(&["plan", "--exit-code", "."]);
    if plan.code != 0 {
        return Err(format!("killed at {at}: something is left\n{}", plan.all()));
    }
    Ok(())
}

/// All of them with `PARTNERCTL_KILLS=1`.
fn stride(usual: u64) -> u64 {
    std::env::var("PARTNERCTL_KILLS").ok().and_then(|step| step.parse().ok()).unwrap_or(usual)
}

#[test]
fn killed_anywhere_it_recovers_with_a_ledger_in_a_file() {
    killed(&Prepared::new(None), stride(3), &["apply", "--yes", "."]);
}

#[test]
fn killed_anywhere_it_recovers_with_a_ledger_in_postgresql() {
    let prepared = Prepared::new(Some(Server::start(&[], &[])));
    killed(&prepared, stride(11), &["apply", "--yes", "."]);
}

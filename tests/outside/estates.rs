//! An estate that was applied and now asks for something else, in a folder that can be copied: for
//! tests of what can happen on the way from the one to the other.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::killed::{ARGS, COUNT, Die};
use crate::postgres::Server;
use crate::world::{Ended, Folder, Run};

pub(crate) const LEDGER: &str = "PARTNERCTL_LEDGER";

/// A folder, and where its ledger is.
pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) ledger: Option<String>,
    pub(crate) env: Vec<(String, String)>,
    /// Where the tenant is served, if it is not in the folder.
    pub(crate) url: Option<String>,
}

impl World {
    /// A copy of a folder; on PostgreSQL, with a copy of its database.
    pub(crate) fn copy(of: &Prepared, number: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(of.folder.path(), folder.path());
        let ledger = of.server.as_ref().map(|server| {
            let name = format!("k{number}");
            server.sql("postgres", &format!("CREATE DATABASE {name} TEMPLATE base"));
            server.address(&name)
        });
        Self { folder, ledger, env: of.env.clone(), url: of.url.clone() }
    }

    pub(crate) fn command(&self, args: &[&str]) -> (Command, TempDir) {
        let (mut command, home) = Run::new(args).within(self.folder.path()).command();
        if let Some(ledger) = &self.ledger {
            command.env(LEDGER, ledger);
        }
        command.envs(self.env.clone());
        (command, home)
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        let (mut command, _home) = self.command(args);
        let output = command.output().unwrap();
        Ended {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
            cpu: Duration::ZERO,
            peak: 0,
        }
    }

    /// This test binary again, which applies and does something to itself at a boundary.
    pub(crate) fn child(&self, die: Option<Die>) -> Child {
        self.child_with(&["apply", "--yes", "."], die)
    }

    pub(crate) fn child_with(&self, args: &[&str], die: Option<Die>) -> Child {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "killed::child", "--nocapture", "--quiet"]);
        child.env(ARGS, [&["partnerctl"], args].concat().join("\u{1f}"));
        child.env("NO_COLOR", "1").current_dir(self.folder.path());
        child.env(COUNT, self.folder.path().join("count"));
        if let Some(Die { at, how }) = die {
            child.env(how.name(), at.to_string());
        }
        if let Some(ledger) = &self.ledger {
            child.env(LEDGER, ledger);
        }
        child.envs(self.env.clone());
        child.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Applies, undisturbed; how many boundaries there were.
    pub(crate) fn apply(&self) -> u64 {
        let output = self.child(None).wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}");
        fs::read_to_string(self.folder.path().join("count")).unwrap().parse().unwrap()
    }

    /// Lets something go wrong from now on.
    pub(crate) fn faults(&self, rules: &str) {
        let file = self.folder.path().join("faults.yaml");
        fs::write(&file, format!("seed: 7\nrules:\n{rules}")).unwrap();
        self.emulator(&["faults", file.to_str().unwrap()]);
    }

    pub(crate) fn emulator(&self, args: &[&str]) -> String {
        let at = match &self.url {
            Some(url) => ["--url", url],
            None => ["--project", "."],
        };
        let ended = self.run(&[&["emulator"], args, &at].concat());
        assert_eq!(ended.code, 0, "{}", ended.all());
        ended.out
    }

    /// The sun comes out.
    pub(crate) fn calm(&self) {
        self.emulator(&["faults", "off"]);
    }

    /// How many requests came so far that could change something.
    pub(crate) fn writes(&self) -> usize {
        let log = self.emulator(&["log", "--format", "json"]);
        let log: serde_json::Value = serde_json::from_str(&log).unwrap();
        let is_write = |entry: &&serde_json::Value| {
            let path = entry["path"].as_str().unwrap();
            entry["method"] != "GET" && path.starts_with("/v1") && !path.ends_with("$batch")
        };
        log["entries"].as_array().unwrap().iter().filter(is_write).count()
    }

    /// The lease of whoever died is long over, and so is the last request under it.
    pub(crate) fn time_passes(&self) {
        self.lease_ages(600_000);
    }

    /// The lease is older by so many milliseconds.
    pub(crate) fn lease_ages(&self, by: u32) {
        let sql = format!("UPDATE lease SET until = until - {by}, free_at = free_at - {by}");
        match &self.ledger {
            None => {
                rusqlite::Connection::open(self.file()).unwrap().execute(&sql, []).unwrap();
            }
            Some(address) => psql(address, &format!("SET search_path TO partnerctl; {sql}")),
        }
    }

    /// The tenant as manifests, without the ids that it gave.
    pub(crate) fn tenant(&self) -> BTreeMap<String, String> {
        let into = self.folder.path().join("seen");
        let ended = self.run(&["import", "--project", ".", "--into", into.to_str().unwrap()]);
        assert_eq!(ended.code, 0, "{}", ended.all());
        let mut files = BTreeMap::new();
        read(&into, &into, &mut files);
        fs::remove_dir_all(into).unwrap();
        files
    }

    /// What is managed, without ids and runs; and how often each step was done.
    pub(crate) fn remembered(&self) -> (Vec<String>, Vec<String>) {
        let objects = "SELECT kind || '/' || name || ' ' || origin || ' ' || spec || ' ' || protected FROM object ORDER BY kind, name";
        let twice = "SELECT step FROM journal WHERE outcome = 'done' AND verb IN ('create', 'delete', 'end') GROUP BY step HAVING count(*) > 1 ORDER BY step";
        let objects = self.ask(objects);
        // That a password was lost is remembered of what was made, and is no other end.
        let objects = objects.iter().map(|object| object.replace(r#","owesPassword":true"#, ""));
        (objects.collect(), self.ask(twice))
    }

    /// The ledger, where it is a file.
    pub(crate) fn file(&self) -> std::path::PathBuf {
        let name = if self.url.is_some() { "kept/ledger.db" } else { ".partnerctl/ledger.db" };
        self.folder.path().join(name)
    }

    pub(crate) fn ask(&self, sql: &str) -> Vec<String> {
        match &self.ledger {
            None => {
                let connection = rusqlite::Connection::open(self.file()).unwrap();
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

    /// The password of a new tenant's first administrator is gone with the answer: a person sees to it.
    fn see_to_lost_passwords(&self) {
        let owed = "SELECT name FROM object WHERE kind = 'customer' AND spec LIKE '%owesPassword%' ORDER BY name";
        for name in self.ask(owed) {
            let step = format!("customer/{name}/first-administrator");
            let ended = self.run(&["confirm", &step, "."]);
            assert_eq!(ended.code, 0, "{}", ended.all());
        }
    }

    pub(crate) fn end(&self) -> Seen {
        self.see_to_lost_passwords();
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

pub(crate) fn read(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
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
pub(crate) fn without_ids(text: &str) -> String {
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
pub(crate) struct Seen {
    tenant: BTreeMap<String, String>,
    objects: Vec<String>,
}

/// An estate that was applied, and manifests that ask for something else by now.
pub(crate) struct Prepared {
    pub(crate) folder: TempDir,
    pub(crate) server: Option<Server>,
    pub(crate) env: Vec<(String, String)>,
    /// Where the tenant is served, if it is not in the folder.
    pub(crate) url: Option<String>,
}

impl Prepared {
    pub(crate) fn new(server: Option<Server>) -> Self {
        let context = match &server {
            None => "{tenant: embedded}".to_owned(),
            Some(_) => format!("{{tenant: embedded, ledger: {{postgres: {{env: {LEDGER}}}}}}}"),
        };
        Self::with(server, &context, Vec::new())
    }

    pub(crate) fn with(server: Option<Server>, context: &str, env: Vec<(String, String)>) -> Self {
        let project = format!("{PROJECT}  contexts:\n    local: {context}\n");
        let folder = Folder::new()
            .with("partnerctl.yaml", project)
            .with("estate/all.yaml", estate(false))
            .into_dir();
        let ledger = server.as_ref().map(|server| {
            server.sql("postgres", "CREATE DATABASE base");
            server.address("base")
        });
        let world = World { folder, ledger, env: env.clone(), url: None };
        let ended = world.run(&["apply", "--yes", "--new-ledger", "."]);
        assert_eq!(ended.code, 0, "{}", ended.all());
        fs::write(world.folder.path().join("estate/all.yaml"), estate(true)).unwrap();
        Self { folder: world.folder, server, env, url: None }
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
pub(crate) fn estate(is_after: bool) -> String {
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

//! What a plan costs where everything is in place: CPU time and memory of `partnerctl plan` as a
//! process, against a tenant that another process serves; the first time, after an apply with the
//! ledger warm, and with nothing to look at again.
//!
//! `cargo bench --bench plan`; another number of customers than 10 000 stands after `--`. Figures are
//! of this machine.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark prints, and stops when it cannot go on"
)]

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::resource::{UsageWho, getrusage};
use serde_json::Value;

const CUSTOMERS: usize = 10_000;
const USERS: usize = 500;
const GROUPS: usize = 40;
const RUNS: usize = 5;
const PROGRAM: &str = env!("CARGO_BIN_EXE_partnerctl");

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    // Only `cargo bench` says so; there is nothing to test here.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let customers = arguments.iter().find_map(|argument| argument.parse().ok());
    let customers = customers.unwrap_or(CUSTOMERS);
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    estate(folder, customers);
    let (_served, tenant) = Served::start(folder);
    context(folder, &tenant);
    println!("{customers} customers, {USERS} users, {GROUPS} groups");
    println!("{:<36} {:>9} {:>9} {:>9} {:>9}", "", "min ms", "median", "max", "peak MiB");
    row(folder, "validate", &["validate"]);
    row(folder, "plan, all read", &["plan", "--refresh", "all", "--new-ledger"]);
    run(folder, &["apply", "--yes", "--new-ledger"]);
    row(folder, "plan, adopted, what moved", &["plan"]);
    row(folder, "plan, adopted, as seen last", &["plan", "--refresh", "none"]);
}

/// Runs it several times; returns nothing, and says what that cost.
fn row(folder: &Path, name: &str, args: &[&str]) {
    let mut costs = Vec::new();
    let mut peak = 0;
    for at in 0..=RUNS {
        let (cost, memory) = run(folder, args);
        peak = peak.max(memory);
        // The first one gets the files warm.
        if at > 0 {
            costs.push(cost);
        }
    }
    costs.sort_by(f64::total_cmp);
    println!(
        "{name:<36} {:>9.0} {:>9.0} {:>9.0} {peak:>9}",
        costs[0],
        costs[RUNS / 2],
        costs[RUNS - 1]
    );
}

/// CPU time in milliseconds, and memory at the highest in MiB.
fn run(folder: &Path, args: &[&str]) -> (f64, u64) {
    let before = children();
    let mut child = Command::new(PROGRAM)
        .args(args)
        .current_dir(folder)
        .env_remove("NO_COLOR")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().expect("a child").is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let high = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let high = high.and_then(|text| text.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = peak.max(high.unwrap_or(0) / 1024);
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    assert!(child.wait().expect("it ended").success(), "{args:?}");
    (children() - before, peak)
}

fn children() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("usage");
    let millis = |time: nix::sys::time::TimeVal| {
        #[expect(clippy::cast_precision_loss, reason = "a benchmark's figures are small")]
        let seconds = time.tv_sec() as f64;
        #[expect(clippy::cast_precision_loss, reason = "less than a million")]
        let micros = time.tv_usec() as f64;
        seconds * 1e3 + micros / 1e3
    };
    millis(usage.user_time()) + millis(usage.system_time())
}

/// A tenant in a process of its own.
struct Served(Child);

impl Served {
    fn start(folder: &Path) -> (Self, Value) {
        let mut child = Command::new(PROGRAM)
            .args(["emulator", "serve", "--listen", "127.0.0.1:0", "--format", "json", "--seed"])
            .arg(folder)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the emulator starts");
        let out = child.stdout.take().expect("its output");
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).expect("a line");
        (Self(child), serde_json::from_str(&line).expect("JSON"))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The project's context, with secrets in files beside it.
fn context(folder: &Path, tenant: &Value) {
    let text = |key: &str| tenant[key].as_str().unwrap_or_default();
    fs::write(folder.join("secret"), text("clientSecret")).expect("a file");
    fs::write(folder.join("refresh"), text("refreshToken")).expect("a file");
    let (url, client) = (text("url"), text("clientId"));
    let identity = format!(
        "{{clientId: {client}, clientSecret: {{file: secret}}, refreshToken: {{file: refresh}}}}"
    );
    let project = format!(
        "apiVersion: partnerctl/v1\nkind: Project\nmetadata: {{name: fabrikam}}\nspec:\n  manifests: [estate]\n  contexts:\n    served:\n      tenant: {}\n      auth: {{read: {identity}, write: {identity}}}\n      endpoints: {{login: \"{url}\", graph: \"{url}\", partnerCenter: \"{url}\", admin: \"{url}\"}}\n      settle: 1s\n",
        text("tenant")
    );
    fs::write(folder.join("partnerctl.yaml"), project).expect("a file");
}

fn estate(folder: &Path, customers: usize) {
    let estate = folder.join("estate");
    fs::create_dir_all(&estate).expect("a folder");
    fs::write(
        folder.join("partnerctl.yaml"),
        "apiVersion: partnerctl/v1\nkind: Project\nmetadata: {name: fabrikam}\nspec:\n  manifests: [estate]\n",
    )
    .expect("a file");
    let mut text = ACCOUNT.to_owned();
    for at in 0..GROUPS {
        let _ = writeln!(
            text,
            "---\napiVersion: partnerctl/v1\nkind: Role\nmetadata: {{name: r-{at}}}\nspec: {{group: {{name: Group {at}, mailNickname: group-{at}}}}}"
        );
    }
    for at in 0..USERS {
        let _ = writeln!(
            text,
            "---\napiVersion: partnerctl/v1\nkind: User\nmetadata: {{name: u-{at}}}\nspec: {{displayName: User {at}, email: u{at}@fabrikam.example, agent: helpdesk, admin: none, roles: [r-{}]}}",
            at % GROUPS
        );
    }
    fs::write(estate.join("people.yaml"), text).expect("a file");
    let mut text = String::new();
    for at in 0..customers {
        let between = if at == 0 { "" } else { "---\n" };
        let _ = writeln!(
            text,
            "{between}apiVersion: partnerctl/v1\nkind: Customer\nmetadata: {{name: c-{at}, labels: {{segment: smb}}}}\nspec: {{companyName: Customer {at}, domain: c{at}.onmicrosoft.com, tenantId: 00000000-0d3c-4b3e-9c6a-{at:012x}}}"
        );
    }
    fs::write(estate.join("customers.yaml"), text).expect("a file");
}

const ACCOUNT: &str = "apiVersion: partnerctl/v1
kind: Account
metadata: {name: fabrikam}
spec:
  program: indirect-reseller
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
spec: {displayName: Aiko Tanaka, email: aiko@fabrikam.example, agent: admin, admin: global}
---
apiVersion: partnerctl/v1
kind: User
metadata: {name: chie}
spec: {displayName: Chie Mori, email: chie@fabrikam.example, agent: none, admin: global}
";

//! What it costs to make a thousand users: CPU time of `partnerctl apply` as a process, and how near it
//! comes to what latency and parallelism allow, against a tenant that another process serves.
//!
//! `cargo bench --bench apply`; another number of users stands after `--`. Figures are of this machine.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark prints, and stops when it cannot go on"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

#[path = "served.rs"]
mod served;

use served::{PROGRAM, Served, context, run};

const USERS: usize = 1000;
const RUNS: usize = 3;
const PARALLEL: usize = 16;
const LATENCY_MS: usize = 50;
/// A key that nobody has.
const RECIPIENT: &str = "age1xdu20xskzkurdstwklqcq42h4fuzmuplvu8wths26s63ft342gpsluyp5a";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    // Only `cargo bench` says so; there is nothing to test here.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let users = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(USERS);
    println!("{users} users made, {PARALLEL} at once");
    for latency in [0, LATENCY_MS] {
        let mut costs: Vec<Cost> = (0..RUNS).map(|_| once(users, latency)).collect();
        costs.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        let Cost { cpu, seconds } = costs[RUNS / 2];
        print!("latency {latency:>3} ms: {cpu:>7.0} ms CPU beyond planning, {seconds:>6.2} s");
        if latency > 0 {
            #[expect(clippy::cast_precision_loss, reason = "a benchmark's figures are small")]
            let ideal = (users.div_ceil(PARALLEL) * latency) as f64 / 1e3;
            print!(", {:.0} % of the ideal rate", 100.0 * ideal / seconds);
        }
        println!();
    }
}

struct Cost {
    cpu: f64,
    /// Beyond what planning takes.
    seconds: f64,
}

fn once(users: usize, latency: usize) -> Cost {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    estate(folder, 0);
    let (_served, tenant) = Served::start(folder);
    context(folder, &tenant, "0s");
    let file = folder.join("partnerctl.yaml");
    let project = fs::read_to_string(&file).expect("the project");
    let more = format!("  limits: {{}}\n  handover: {{age: [{RECIPIENT}], directory: handover}}\n");
    fs::write(file, format!("{project}{more}")).expect("a file");
    run(folder, &["apply", "--yes", "--new-ledger"]);
    estate(folder, users);
    if latency > 0 {
        let rules = format!(
            "rules:\n  - {{method: writes, path: /v1, rate: 1, fault: latency, ms: {latency}}}\n"
        );
        fs::write(folder.join("faults.yaml"), rules).expect("a file");
        let url = tenant["url"].as_str().expect("an address");
        let asked = Command::new(PROGRAM)
            .args(["emulator", "faults", "faults.yaml", "--url", url])
            .current_dir(folder)
            .status();
        assert!(asked.expect("it starts").success());
    }
    let planned = timed(folder, &["plan"]);
    let applied = timed(folder, &["apply", "--yes", "--parallel", &PARALLEL.to_string()]);
    Cost { cpu: applied.cpu - planned.cpu, seconds: applied.seconds - planned.seconds }
}

fn timed(folder: &Path, args: &[&str]) -> Cost {
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
    let started = std::time::Instant::now();
    let (cpu, _) = run(folder, args);
    Cost { cpu, seconds: started.elapsed().as_secs_f64() }
}

fn estate(folder: &Path, users: usize) {
    let account = "apiVersion: partnerctl/v1\nkind: Account\nmetadata: {name: fabrikam}\nspec:\n  program: indirect-reseller\n  country: JP\n  domains: [fabrikam.example]\n  partnerId: \"4567890\"\n  legal:\n    companyName: Fabrikam K.K.\n    address: {line1: 1-2-3 Marunouchi, city: Tokyo, postalCode: 100-0005, country: JP}\n    primaryContact: {firstName: Aiko, lastName: Tanaka, email: aiko@fabrikam.example, phone: \"+81 3 1234 5678\"}\n";
    let mut text = account.to_owned();
    let mut user = |name: &str, agent: &str, admin: &str| {
        let spec = format!(
            "{{displayName: Somebody Else, email: {name}@fabrikam.example, agent: {agent}, admin: {admin}}}"
        );
        writeln!(
            text,
            "---\napiVersion: partnerctl/v1\nkind: User\nmetadata: {{name: {name}}}\nspec: {spec}"
        )
        .expect("text");
    };
    user("aiko", "admin", "global");
    user("chie", "none", "global");
    for number in 0..users {
        user(&format!("u{number}"), "none", "none");
    }
    fs::create_dir_all(folder.join("estate")).expect("a folder");
    fs::write(folder.join("estate/all.yaml"), text).expect("a file");
    if users == 0 {
        let project = "apiVersion: partnerctl/v1\nkind: Project\nmetadata: {name: fabrikam}\nspec: {manifests: [estate]}\n";
        fs::write(folder.join("partnerctl.yaml"), project).expect("a file");
    }
}

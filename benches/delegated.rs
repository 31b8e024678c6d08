//! What delegated access for ten thousand customers costs: CPU time of `partnerctl` as a process, against
//! a tenant that another process serves; that one of them costs no more than one of a few; and that it
//! comes about in bad weather too, which takes an hour, because the service is waited for as it asks.
//!
//! `cargo bench --bench delegated`; another number of customers stands after `--`, and `fair` for no
//! other weather. Figures are of this machine.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a benchmark prints, and stops when it cannot go on"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

#[path = "served.rs"]
mod served;

use served::{PROGRAM, Served, context, run};

const CUSTOMERS: u32 = 10_000;
const PARALLEL: &str = "32";
/// A tenth of all requests is struck, and the service says when it is asked too often.
const WEATHER: &str = "seed: 7
rules:
  - {path: /v1.0/tenantRelationships, rate: 0.04, fault: error, status: 503}
  - {path: /v1.0/tenantRelationships, rate: 0.03, fault: throttle, retryAfter: 1}
  - {path: /v1.0/tenantRelationships, rate: 0.03, fault: drop-after}
";

const TEMPLATE: &str = "apiVersion: partnerctl/v1
kind: DelegatedAccess
metadata: {name: ops}
spec:
  customers: {all: true}
  duration: P730D
  autoExtend: P180D
  grants:
    - {to: desk, directoryRoles: [Directory Readers, Helpdesk Administrator, Service Support Administrator]}
";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    // Only `cargo bench` says so; there is nothing to test here.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let customers =
        arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(CUSTOMERS);
    let few = customers / 8;
    let one_of_few = life(few, |_, _| ()) / f64::from(few);
    let is_fair = arguments.iter().any(|argument| argument == "fair");
    let one_of_many = life(customers, |folder, url| {
        if !is_fair {
            in_bad_weather(folder, url);
        }
    }) / f64::from(customers);
    let grows = one_of_many / one_of_few;
    println!("one of {customers} costs {grows:.2} times what one of {few} does");
    assert!(grows < 1.5, "what each costs grows with how many there are");
}

/// From nothing to whole, and then what else is to be done; what asking and mapping cost.
fn life(customers: u32, then: impl FnOnce(&Path, &str)) -> f64 {
    println!("one template, {customers} customers, {PARALLEL} at once");
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder, customers);
    let (_served, tenant) = Served::start(folder);
    let url = tenant["url"].as_str().expect("an address").to_owned();
    context(folder, &tenant, "0s");
    let file = folder.join("partnerctl.yaml");
    let project = fs::read_to_string(&file).expect("the project");
    fs::write(file, format!("{project}  limits: {{}}\n")).expect("a file");
    tell("remembering the customers", run(folder, &["apply", "--yes", "--new-ledger"]));
    fs::write(folder.join("estate/access.yaml"), TEMPLATE).expect("a file");
    tell("plan, the tenant read", run(folder, &["plan"]));
    tell("plan, from what was read", run(folder, &["plan", "--refresh", "none"]));
    let asked = run(folder, &["apply", "--yes", "--parallel", PARALLEL]);
    tell("apply: all are asked", asked);
    tell("plan, only waiting", run(folder, &["plan"]));
    tell("plan, from what was read", run(folder, &["plan", "--refresh", "none"]));
    assert_eq!(code(folder, &["plan", "--exit-code"]), 8, "only people are waited for");
    accept(folder, "ops", &url);
    tell("plan, all have approved", run(folder, &["plan"]));
    let mapped = run(folder, &["apply", "--yes", "--parallel", PARALLEL]);
    tell("apply: all are mapped", mapped);
    tell("plan, nothing to do", run(folder, &["plan"]));
    assert_eq!(code(folder, &["plan", "--exit-code"]), 0, "nothing is left");
    then(folder, &url);
    asked.0 + mapped.0
}

fn in_bad_weather(folder: &Path, url: &str) {
    println!("the same in bad weather");
    let second = TEMPLATE
        .replace("name: ops", "name: watch")
        .replace("{all: true}", "{labels: {segment: smb}}");
    fs::write(folder.join("estate/second.yaml"), second).expect("a file");
    fs::write(folder.join("weather.yaml"), WEATHER).expect("a file");
    emulator(folder, &["faults", "weather.yaml", "--url", url]);
    println!("  runs until only people are waited for: {}", until(folder, 8));
    accept(folder, "watch", url);
    println!("  runs until nothing is left: {}", until(folder, 0));
    emulator(folder, &["faults", "off", "--url", url]);
    assert_eq!(code(folder, &["plan", "--exit-code", "--refresh", "all"]), 0);
}

/// Applies until a plan ends so.
fn until(folder: &Path, wanted: i32) -> usize {
    for runs in 1..10 {
        let ended = code(folder, &["apply", "--yes", "--parallel", PARALLEL]);
        if code(folder, &["plan", "--exit-code"]) == wanted {
            return runs;
        }
        println!("  a run ended with {ended}");
    }
    panic!("it does not come about");
}

fn tell(what: &str, (cpu, peak): (f64, u64)) {
    println!("{what:<28} {cpu:>7.0} ms CPU, {peak:>4} MiB");
}

fn code(folder: &Path, args: &[&str]) -> i32 {
    let mut command = Command::new(PROGRAM);
    command.args(args).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().expect("it starts").code().expect("it ends")
}

fn emulator(folder: &Path, args: &[&str]) {
    let ended = code(folder, &[&["emulator"], args].concat());
    assert_eq!(ended, 0, "{args:?}");
}

fn accept(folder: &Path, template: &str, url: &str) {
    let template = format!("delegated-access/{template}");
    emulator(folder, &["act", "accept", &template, "--url", url, "--project", "."]);
}

fn prepare(folder: &Path, customers: u32) {
    let mut text = String::from(
        "apiVersion: partnerctl/v1\nkind: Account\nmetadata: {name: fabrikam}\nspec:\n  program: direct-bill\n  country: JP\n  domains: [fabrikam.example]\n  partnerId: \"4567890\"\n  legal:\n    companyName: Fabrikam K.K.\n    address: {line1: 1-2-3 Marunouchi, city: Tokyo, postalCode: 100-0005, country: JP}\n    primaryContact: {firstName: Aiko, lastName: Tanaka, email: aiko@fabrikam.example, phone: \"+81 3 1234 5678\"}\n",
    );
    for (name, agent) in [("aiko", "admin"), ("chie", "none")] {
        write!(text, "---\napiVersion: partnerctl/v1\nkind: User\nmetadata: {{name: {name}}}\nspec: {{displayName: Somebody, email: {name}@fabrikam.example, agent: {agent}, admin: global, roles: [desk]}}\n").expect("text");
    }
    text.push_str("---\napiVersion: partnerctl/v1\nkind: Role\nmetadata: {name: desk}\nspec: {group: {name: Service Desk, mailNickname: desk}}\n---\napiVersion: partnerctl/v1\nkind: CustomerTable\nmetadata: {name: smb}\nspec: {file: smb.csv, defaults: {labels: {segment: smb}}}\n");
    let mut rows = String::from("name,companyName,domain,tenantId\n");
    for number in 0..customers {
        writeln!(
            rows,
            "c{number},Customer {number},c{number}.example,00000000-0000-4000-8000-{number:012x}"
        )
        .expect("text");
    }
    fs::create_dir_all(folder.join("estate")).expect("a folder");
    fs::write(folder.join("estate/all.yaml"), text).expect("a file");
    fs::write(folder.join("estate/smb.csv"), rows).expect("a file");
    let project = "apiVersion: partnerctl/v1\nkind: Project\nmetadata: {name: fabrikam}\nspec:\n  manifests: [estate]\n";
    fs::write(folder.join("partnerctl.yaml"), project).expect("a file");
}

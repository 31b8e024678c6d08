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
use std::path::Path;

#[path = "served.rs"]
mod served;

use served::{Served, context, run};

const CUSTOMERS: usize = 10_000;
const USERS: usize = 500;
const GROUPS: usize = 40;
const RUNS: usize = 5;

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
    context(folder, &tenant, "1s");
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

//! What a review costs, whole: both sides of a project of ten thousand users and ten thousand
//! customers, forty actions, forty roles and twenty policies of its own, read (one from git, one
//! from disk), loaded, judged and compared, after a policy was widened, twenty memberships and a few
//! labels were changed. CPU time of the program and of the git that it asks.
//!
//! `cargo bench --bench review`. Figures are of this machine; compare ratios.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::format_push_string,
    reason = "a benchmark prints, and stops when it cannot go on"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};

const RUNS: usize = 3;
const ROLES: usize = 40;
const REGIONS: usize = 20;
const SEGMENTS: [&str; 4] = ["enterprise", "public", "smb", "education"];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    // Only `cargo bench` says so; there is nothing to test here.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    if let Some(at) = arguments.iter().position(|argument| argument == "--run") {
        run(&arguments[at + 1], &arguments[at + 2]);
        return;
    }
    println!("{:<34} {:>9} {:>9} {:>9}  exit", "", "min ms", "median", "max");
    for size in [1_000, 10_000] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        project(folder.path(), size, false);
        git(folder.path(), &["init", "-q", "-b", "main"]);
        git(folder.path(), &["add", "-A"]);
        git(folder.path(), &["commit", "-q", "-m", "base"]);
        project(folder.path(), size, true);
        for format in ["json", "markdown", "html"] {
            let mut runs: Vec<(u128, i32)> =
                (0..RUNS).map(|_| measured(folder.path(), format)).collect();
            runs.sort_unstable();
            let (min, median, max) = (runs[0].0, runs[RUNS / 2].0, runs[RUNS - 1].0);
            let name = format!("{size} x 40 x {size}, {format}");
            println!("{name:<34} {min:>9} {median:>9} {max:>9}  {}", runs[0].1);
        }
    }
}

/// Processor time in milliseconds, and the exit code, of a process of its own.
fn measured(folder: &Path, format: &str) -> (u128, i32) {
    let program = std::env::current_exe().expect("a program has a path");
    let output = Command::new(program)
        .args(["--bench", "--run"])
        .arg(folder)
        .arg(format)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .expect("it runs");
    let said = String::from_utf8(output.stderr).expect("a line");
    let line = said.lines().last().expect("a line");
    let (cpu, code) = line.split_once(' ').expect("two numbers");
    (cpu.parse().expect("a number"), code.parse().expect("a number"))
}

#[expect(clippy::print_stderr, reason = "standard output is the review's")]
fn run(folder: &str, format: &str) {
    let args = ["partnerctl", "review", "--base", "main", "--as-of", "2026-11-20"];
    let args = args.into_iter().chain(["--format", format, folder]);
    let code = partnerctl::cli::run(args.map(Into::into));
    let cpu = [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN].into_iter().map(|who| {
        let usage = getrusage(who).expect("it is known");
        let of = |time: nix::sys::time::TimeVal| {
            let (seconds, micros) = (time.tv_sec().unsigned_abs(), time.tv_usec().unsigned_abs());
            Duration::from_secs(seconds) + Duration::from_micros(micros)
        };
        of(usage.user_time()) + of(usage.system_time())
    });
    eprintln!("{} {code}", cpu.sum::<Duration>().as_millis());
}

fn git(folder: &Path, args: &[&str]) {
    let status = Command::new("git")
        .args(["-c", "user.name=Aiko", "-c", "user.email=aiko@fabrikam.example"])
        .args(["-c", "commit.gpgsign=false"])
        .args(args)
        .current_dir(folder)
        .status()
        .expect("git is there");
    assert!(status.success(), "{args:?}");
}

fn project(folder: &Path, size: usize, is_head: bool) {
    let estate = folder.join("estate");
    fs::create_dir_all(&estate).expect("a folder");
    fs::create_dir_all(folder.join("policies")).expect("a folder");
    let write = |name: &str, text: String| fs::write(folder.join(name), text).expect("a file");
    write(
        "partnerctl.yaml",
        "apiVersion: partnerctl/v1\nkind: Project\nmetadata: {name: fabrikam}\nspec:\n  manifests: [estate]\n  policies: [policies]\n".to_owned(),
    );
    write("estate/account.yaml", ACCOUNT.to_owned());
    let mut roles = String::new();
    for at in 0..ROLES {
        let segment = SEGMENTS[at % SEGMENTS.len()];
        let region = at % REGIONS;
        let includes = if at % 5 == 0 { "  includes: [helpdesk-agent]\n" } else { "" };
        roles.push_str(&format!(
            "---\napiVersion: partnerctl/v1\nkind: Role\nmetadata: {{name: role-{at}}}\nspec:\n  group: Role {at}\n{includes}  permissions:\n    - allow: [view-customer, manage-subscriptions]\n      customers: {{labels: {{segment: {segment}, region: r{region}}}}}\n"
        ));
    }
    write("estate/roles.yaml", roles);
    for (file, chunk) in (0..size).collect::<Vec<_>>().chunks(500).enumerate() {
        let users: String = chunk.iter().map(|at| user(*at, is_head)).collect();
        write(&format!("estate/users-{file:03}.yaml"), users);
        let customers: String = chunk.iter().map(|at| customer(*at, is_head)).collect();
        write(&format!("estate/customers-{file:03}.yaml"), customers);
    }
    write("policies/own.cedar", policies(is_head));
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
";

fn user(at: usize, is_head: bool) -> String {
    let agent = ["none", "helpdesk", "none", "admin"][at % 4];
    let admin = if at < 3 { "global" } else { "none" };
    // Twenty people of the head are in another role.
    let moved = usize::from(is_head && at % 500 == 7);
    let (one, two) = ((at + moved) % ROLES, (at * 7 + 3) % ROLES);
    let roles = if one == two { format!("role-{one}") } else { format!("role-{one}, role-{two}") };
    format!(
        "---\napiVersion: partnerctl/v1\nkind: User\nmetadata: {{name: user-{at}, labels: {{team: t{}}}}}\nspec: {{displayName: User {at}, email: user-{at}@fabrikam.example, agent: {agent}, admin: {admin}, roles: [{roles}]}}\n",
        at % 30
    )
}

fn customer(at: usize, is_head: bool) -> String {
    let shift = usize::from(is_head && at % 1_000 == 11);
    let segment = SEGMENTS[(at + shift) % SEGMENTS.len()];
    let region = at / 3 % REGIONS;
    format!(
        "---\napiVersion: partnerctl/v1\nkind: Customer\nmetadata: {{name: customer-{at}, labels: {{segment: {segment}, region: r{region}}}}}\nspec: {{companyName: Customer {at}, domain: customer-{at}.example, tenantId: {at:08x}-0d3c-4b3e-9c6a-000000000001}}\n"
    )
}

fn policies(is_head: bool) -> String {
    let mut text = String::new();
    for at in 0..20 {
        let segment = SEGMENTS[at % SEGMENTS.len()];
        // The head lets one of them reach further.
        let region = if is_head && at == 4 {
            String::new()
        } else {
            format!(" && resource.getTag(\"region\") == \"r{at}\"")
        };
        text.push_str(&format!(
            "@id(\"own.{at}\")\n@reason(\"team {at} looks after its region\")\npermit (principal is User, action in [Action::\"support\", Action::\"customer-data\"], resource is Customer) when {{ principal.hasTag(\"team\") && principal.getTag(\"team\") == \"t{at}\" && resource.hasTag(\"region\") && resource.hasTag(\"segment\") && resource.getTag(\"segment\") == \"{segment}\"{region} }};\n\n"
        ));
    }
    text
}

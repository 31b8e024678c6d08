//! `import`: the tenant as manifests, and back again.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::world::{Ended, Folder, Run, TODAY, codes, found};

/// A folder whose embedded tenant is one of the examples.
fn seeded(example: &str) -> Folder {
    let folder = Folder::example(example);
    // What is imported is not to be read as manifests of the example.
    fs::remove_dir_all(folder.path().join("out")).ok();
    let ended = folder.run(&["emulator", "seed", ".", "--context", "local"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    folder
}

fn import(folder: &Folder, more: &[&str]) -> Ended {
    folder.run(&[&["import", "--context", "local"], more].concat())
}

fn read(folder: &Folder, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap_or_else(|_| panic!("{name}"))
}

#[test]
fn every_example_is_imported_as_files_that_validate_and_are_laid_out() {
    for (example, expected) in EXAMPLES {
        let folder = seeded(example);
        let ended = import(&folder, &["--into", "out"]);
        assert_eq!(ended.code, 0, "{example}: {}", ended.err);
        let json = folder.run(&["validate", "--as-of", TODAY, "--format", "json", "out"]).out;
        let found = found(&json);
        assert_eq!(codes(&found), *expected, "{example}: {json}");
        let errors = found.iter().filter(|found| found.severity == "error");
        assert!(errors.map(|found| &found.code).all(|code| code == "P1203"), "{json}");
        let checked = folder.run(&["fmt", "--check", "out"]);
        assert_eq!(checked.code, 0, "{example}: {}{}", checked.out, checked.err);
        // The same tenant, the same bytes.
        assert_eq!(import(&folder, &["--into", "again"]).code, 0);
        for entry in fs::read_dir(folder.path().join("out/estate")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert_eq!(
                read(&folder, &format!("out/estate/{name}")),
                read(&folder, &format!("again/estate/{name}")),
                "{example}"
            );
        }
    }
}

/// What is to be said of each as it is. Fabrikam's contact has a webmail address, for which its
/// manifests have a waiver: the tenant is against the rule, and that is the right answer. What a
/// group is for is nothing that the tenant knows, so that its role permits nothing yet (P2302).
const EXAMPLES: &[(&str, &[&str])] = &[
    ("fabrikam", &["P1203", "P2302", "P2302", "P2302"]),
    ("adatum", &["P2302", "P2302", "P2302"]),
    ("northwind-distribution", &["P2302", "P2302"]),
];

#[test]
fn what_is_declared_keeps_its_name_and_the_rest_gets_a_readable_one() {
    let folder = seeded("fabrikam");
    let ended = import(&folder, &[]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    for known in [
        "kind: Account\nmetadata: {name: fabrikam}",
        "metadata: {name: aiko-tanaka}\nspec:\n  displayName: 田中 愛子",
        // Whoever has no mailbox has no address.
        "metadata: {name: embedded-admin, ignore: [spec.email]}",
        "# a guest: kept in another directory\n",
        "roles: [tier2-support, {role: referrals-admin, locations: [JP-13]}]",
        "admin: {global: eligible}",
        "acknowledge: [orders-on-behalf-of-customers, administrator-access-to-our-tenant]",
    ] {
        assert!(ended.out.contains(known), "{known}\n{}", ended.out);
    }
    // As a stream it is an estate of its own.
    let stream = Folder::new().with("all.yaml", &ended.out);
    assert_eq!(codes(&stream.findings()), EXAMPLES[0].1);
}

#[test]
fn files_that_are_there_are_kept_and_a_sync_refreshes_what_nobody_edited() {
    let folder = seeded("fabrikam");
    assert_eq!(import(&folder, &["--into", "out"]).code, 0);
    let ended = import(&folder, &["--into", "out"]);
    assert_eq!(ended.code, 64, "{}", ended.err);
    assert!(ended.err.contains("account.yaml, users.yaml, roles.yaml"), "{}", ended.err);
    assert!(ended.err.contains("nothing was written"), "{}", ended.err);

    // Somebody changes the tenant, somebody else a manifest.
    let act =
        ["emulator", "act", "--context", "local", "edit", "user/ben-ito", "spec.jobTitle=Lead"];
    let acted = folder.run(&act);
    assert_eq!(acted.code, 0, "{}", acted.err);
    let folder = folder.edit(
        "out/estate/partnerships.yaml",
        "displayName: Northwind",
        "displayName: Our Northwind",
    );
    let mine = read(&folder, "out/estate/partnerships.yaml");
    let project = read(&folder, "out/partnerctl.yaml");
    // A checkout on another system has other line ends.
    let roles = folder.path().join("out/estate/roles.yaml");
    fs::write(&roles, read(&folder, "out/estate/roles.yaml").replace('\n', "\r\n")).unwrap();
    let ended = import(&folder, &["--into", "out", "--sync"]);
    assert_eq!(ended.code, 1, "{}", ended.err);
    assert!(ended.err.contains("left as they are: partnerships.yaml\n"), "{}", ended.err);
    assert_eq!(read(&folder, "out/estate/partnerships.yaml"), mine);
    assert_eq!(read(&folder, "out/partnerctl.yaml"), project);
    assert!(!read(&folder, "out/estate/roles.yaml").contains('\r'));
    let users = read(&folder, "out/estate/users.yaml");
    assert!(users.contains("jobTitle: Lead"), "{users}");
    // Nothing moved since: the same bytes.
    fs::remove_file(folder.path().join("out/estate/partnerships.yaml")).unwrap();
    let ended = import(&folder, &["--into", "out", "--sync"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(read(&folder, "out/estate/users.yaml"), users);
}

#[test]
fn customers_by_the_hundred_are_a_table_that_reads_back() {
    let mut customers = String::new();
    for n in 0..320 {
        let name = match n {
            7 => "\"Smith, Jones; \\\"& Co\\\"\"".to_owned(),
            8 => "=cmd|calc".to_owned(),
            9 => "none".to_owned(),
            _ => format!("Customer {n}"),
        };
        customers.push_str(&format!(
            "---\napiVersion: partnerctl/v1\nkind: Customer\nmetadata: {{name: c-{n}}}\nspec: {{companyName: {name}, domain: c{n}.onmicrosoft.com, tenantId: 00000000-0d3c-4b3e-9c6a-{n:012x}}}\n"
        ));
    }
    let folder = Folder::project().with("estate/customers.yaml", customers);
    assert_eq!(folder.run(&["emulator", "seed", "."]).code, 0);
    let ended = folder.run(&["import", "--into", "out"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(
        ended.out.ends_with("users: 3, roles: 0, partnerships: 0, customers: 320\n"),
        "{}",
        ended.out
    );
    let table = read(&folder, "out/estate/customers.csv");
    assert!(
        table.starts_with("name,companyName,domain,tenantId\nc-0,Customer 0,c0.onmicrosoft.com,")
    );
    assert!(table.contains("c-7,\"Smith, Jones; \"\"& Co\"\"\",c7."), "{table}");
    assert_eq!(table.lines().count(), 319);
    // What a spreadsheet would calculate, and what a table takes for nothing, are documents.
    let documents = read(&folder, "out/estate/customers.yaml");
    assert!(documents.contains("companyName: \"=cmd|calc\""), "{documents}");
    assert!(documents.contains("companyName: none"), "{documents}");
    let json = folder.run(&["validate", "--as-of", TODAY, "--format", "json", "out"]).out;
    assert_eq!(codes(&found(&json)), [] as [&str; 0], "{json}");
    // An edited table is somebody's work.
    let folder = folder.edit("out/estate/customers.csv", "Customer 11,", "Customer Eleven,");
    let ended = folder.run(&["import", "--into", "out", "--sync"]);
    assert!(
        ended.code == 1 && ended.err.contains("left as they are: customers.csv"),
        "{}",
        ended.err
    );
    assert!(read(&folder, "out/estate/customers.csv").contains("Customer Eleven,"));
}

#[test]
fn the_plan_after_an_import_is_empty() {
    for (example, _) in EXAMPLES {
        let folder = Folder::example(example);
        // Another project, whose tenant becomes that one; the first thing it does is to import.
        let project = "apiVersion: partnerctl/v1\nkind: Project\nmetadata: {name: fresh}\nspec: {manifests: [estate]}\n";
        let folder = folder.with("fresh/partnerctl.yaml", project);
        let run = |args: &[&str]| Run::new(args).within(&folder.path().join("fresh")).end();
        let seeded = run(&["emulator", "seed", ".."]);
        assert_eq!(seeded.code, 0, "{}", seeded.err);
        let ended = run(&["import", "--into", "."]);
        assert_eq!(ended.code, 0, "{}", ended.err);
        if *example == "fabrikam" {
            // The one thing that the tenant is wrong about, put right as its manifests would not be.
            let path = folder.path().join("fresh/estate/account.yaml");
            let text = fs::read_to_string(&path).unwrap();
            let waiver = "---\napiVersion: partnerctl/v1\nkind: Waiver\nmetadata: {name: webmail}\nspec: {finding: P1203, on: account/fabrikam-k-k, owner: aiko-tanaka, reason: until the merger, until: 2099-01-31}\n";
            fs::write(&path, format!("{text}{waiver}")).unwrap();
        }
        let plan = run(&["plan", "--exit-code"]);
        assert_eq!(plan.code, 0, "{example}: {}{}", plan.out, plan.err);
    }
}

/// A served emulator, which ends with the test.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn a_remote_tenant_is_imported_with_the_context_it_came_from() {
    let folder = Folder::example("northwind-distribution");
    let mut child = Command::new(env!("CARGO_BIN_EXE_partnerctl"))
        .args(["emulator", "serve", "--listen", "127.0.0.1:0", "--format", "json", "--seed", "."])
        .current_dir(folder.path())
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let _served = Served(child);
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    let text = |name: &str| line[name].as_str().unwrap();
    let identity = format!(
        "{{clientId: {}, clientSecret: {{file: secret}}, refreshToken: {{file: refresh}}}}",
        text("clientId")
    );
    let url = text("url");
    let project = format!(
        "apiVersion: partnerctl/v1\nkind: Project\nmetadata: {{name: there}}\nspec:\n  manifests: [estate]\n  contexts:\n    production:\n      tenant: {}\n      auth: {{read: {identity}, write: {identity}}}\n      endpoints: {{login: \"{url}\", graph: \"{url}\", partnerCenter: \"{url}\", admin: \"{url}\"}}\n      settle: 5s\n",
        text("tenant")
    );
    let here = Folder::new()
        .with("partnerctl.yaml", project)
        .with("secret", text("clientSecret"))
        .with("refresh", text("refreshToken"));
    let ended = here.run(&["import", "--into", "out"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(
        ended.err.contains("spec.program"),
        "what the tenant does not say is said: {}",
        ended.err
    );
    let made = read(&here, "out/partnerctl.yaml");
    assert!(made.contains("settle: \"5s\"") && made.contains("/secret"), "{made}");
    assert!(!here.path().join("out/.partnerctl").exists(), "reading makes no ledger");
    // From its own folder, with a fresh ledger, nothing is left to do.
    let within = |args: &[&str]| Run::new(args).within(&here.path().join("out")).end();
    let refused = within(&["plan", "--exit-code"]);
    assert_eq!(refused.code, 64, "{}", refused.err);
    let plan = within(&["plan", "--exit-code", "--new-ledger"]);
    assert_eq!(plan.code, 0, "{}{}", plan.out, plan.err);
    // Nobody is asked where somebody is in the way.
    let again = here.run(&["import", "--into", "out"]);
    assert_eq!(again.code, 64, "{}", again.err);
    // Who is not let in is told so, with what to do, and nothing is written.
    fs::write(here.path().join("refresh"), "0.canary-refresh-token").unwrap();
    let ended = here.run(&["import", "--into", "elsewhere"]);
    assert_eq!(ended.code, 1, "{}", ended.err);
    assert!(ended.err.contains("run `partnerctl login`"), "{}", ended.err);
    assert!(!ended.err.contains("canary"), "{}", ended.err);
    assert!(!here.path().join("elsewhere").exists());
}

#[test]
fn among_manifests_no_second_project_begins_and_links_are_not_followed() {
    let folder = Folder::project();
    assert_eq!(folder.run(&["emulator", "seed", "."]).code, 0);
    assert_eq!(folder.run(&["import", "--into", "estate/seen"]).code, 0);
    assert!(!folder.path().join("estate/seen/partnerctl.yaml").exists());
    assert!(folder.path().join("estate/seen/users.yaml").is_file());
    let outside = Folder::new();
    let target = outside.path().join("target.yaml");
    let folder = Folder::project().with_link("out/estate/users.yaml", &target);
    assert_eq!(folder.run(&["emulator", "seed", "."]).code, 0);
    let ended = folder.run(&["import", "--into", "out"]);
    assert_eq!(ended.code, 1, "{}", ended.err);
    assert!(!target.exists());
}

#[test]
fn a_sync_without_a_place_is_wrong_usage() {
    assert_eq!(Folder::project().run(&["import", "--sync"]).code, 64);
    let folder = Folder::project().with("file", "x");
    let ended = folder.run(&["import", "--into", "file"]);
    assert!(ended.code == 64 && ended.err.contains("file is not a folder"), "{}", ended.err);
}

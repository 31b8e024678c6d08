//! The example estates: quiet as they are, and saying what their pages promise when something in
//! them is broken.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::world::{Folder, repository};

const EXAMPLES: [&str; 3] = ["adatum", "fabrikam", "northwind-distribution"];

#[test]
fn examples_have_no_findings() {
    for name in EXAMPLES {
        let folder = Folder::example(name);
        assert_eq!(folder.findings(), [], "{name}");
        let ended = folder.validate(&["--deny", "warnings"]);
        assert_eq!(ended.code, 0, "{name}: {}", ended.all());
    }
}

/// An edit that a page suggests, and the codes that it says come of it.
struct Experiment<'a> {
    file: &'a str,
    from: &'a str,
    to: &'a str,
    codes: &'a [&'a str],
}

const fn edit<'a>(
    file: &'a str,
    from: &'a str,
    to: &'a str,
    codes: &'a [&'a str],
) -> Experiment<'a> {
    Experiment { file, from, to, codes }
}

fn check(name: &str, experiments: &[Experiment<'_>]) {
    let mut named = BTreeSet::new();
    for Experiment { file, from, to, codes } in experiments {
        let folder = Folder::example(name).edit(file, from, to);
        let found = folder.findings();
        let raised: BTreeSet<&str> = found.iter().map(|found| found.code.as_str()).collect();
        assert_eq!(raised, codes.iter().copied().collect(), "{file}: {to}: {found:#?}");
        named.extend(codes.iter().map(|code| (*code).to_owned()));
        let wrong = found.iter().any(|found| found.severity != "note");
        assert_eq!(folder.validate(&["."]).code, if wrong { 3 } else { 0 }, "{file}: {to}");
    }
    // What the page promises was tried, all of it.
    let page = fs::read_to_string(repository().join("examples").join(name).join("README.md"))
        .expect("the page is there");
    let promised = page.split_once("Then break something").expect("it suggests something").1;
    let is_code = |word: &&str| word.len() == 5 && word.starts_with('P');
    for code in promised.split(|c: char| !c.is_ascii_alphanumeric()).filter(is_code) {
        if code.bytes().skip(1).all(|b| b.is_ascii_digit()) {
            assert!(named.contains(code), "{name} promises {code}");
        }
    }
    let lines = promised.lines().filter(|line| line.starts_with("- ")).count();
    assert!(experiments.len() >= lines, "{name} suggests {lines} experiments");
}

#[test]
fn experiments_with_adatum() {
    let customers = "estate/customers.yaml";
    let access = "estate/delegated-access.yaml";
    check(
        "adatum",
        &[
            edit(
                customers,
                "postalCode: \"70173\", country: DE",
                "postalCode: \"70173\", country: US",
                &["P1404"],
            ),
            edit(
                customers,
                "  contact: {name: Margaux Fontaine, email: margaux.fontaine@margiestravel.example, language: fr}\n",
                "",
                &["P1408"],
            ),
            edit(
                customers,
                "margiestravelfrance.onmicrosoft.com",
                "margiestravel.example",
                &["P1403"],
            ),
            edit(
                customers,
                "  qualificationDetails: {educationSegment: higher-education, website: https://www.graphicdesigninstitute.example}\n",
                "",
                &["P1409"],
            ),
            edit(customers, "postalCode: \"54000\"", "postalCode: 54000", &["P0104"]),
            edit(access, "duration: P730D", "duration: P3Y", &["P1501"]),
            edit(access, "renewBefore: P30D", "renewBefore: P365D", &["P1503"]),
            edit(
                "estate/users/lyon.yaml",
                "  email: lucas.girard@adatum.example\n  agent: helpdesk\n  admin: none\n  roles: [service-desk]",
                "  email: lucas.girard@adatum.example\n  agent: helpdesk\n  admin: none\n  roles: [service-desk, helpdesk-agent]",
                &["P1007"],
            ),
            edit(
                "partnerctl.yaml",
                "clientSecret: {env: PARTNERCTL_CLIENT_SECRET}",
                "clientSecret: correct-horse-battery-staple",
                &["P0501"],
            ),
        ],
    );
    let folder = Folder::example("adatum").edit(
        "partnerctl.yaml",
        "{env: PARTNERCTL_CLIENT_SECRET}",
        "correct-horse-battery-staple",
    );
    assert!(!folder.validate(&["."]).all().contains("horse"));
}

#[test]
fn experiments_with_fabrikam() {
    let users = "estate/users.yaml";
    let customers = "estate/customers.yaml";
    let access = "estate/delegated-access.yaml";
    let email = "email: aiko-tanaka-fabrikam@gmail.com";
    check(
        "fabrikam",
        &[
            edit("estate/account.yaml", email, "email: aiko.tanaka@fabrikam.example", &["P1701"]),
            edit("estate/waivers.yaml", &waiver(), "", &["P1203"]),
            edit(
                users,
                "  email: ben.ito@fabrikam.example\n  agent: helpdesk\n  admin: none\n",
                "  email: ben.ito@fabrikam.example\n  agent: helpdesk\n",
                &["P1001"],
            ),
            edit(
                users,
                "  email: ben.ito@fabrikam.example\n  agent: helpdesk\n",
                "  email: ben.ito@fabrikam.example\n  agent: sales\n",
                &["P1003"],
            ),
            edit(users, "  jobTitle: 代表取締役\n", "  enabled: false\n", &["P1901"]),
            edit(
                "estate/partnerships.yaml",
                "2fefd\n  acknowledge: [orders-on-behalf-of-customers, administrator-access-to-our-tenant]",
                "2fefd\n  acknowledge: [orders-on-behalf-of-customers]",
                &["P1301"],
            ),
            edit(
                customers,
                "  domain: margiestravel.example\n  relationship: reseller\n  origin: existing",
                "  domain: margiestravel.example\n  relationship: reseller\n  origin: new",
                &["P1402"],
            ),
            edit(
                customers,
                "{name: margies-travel, labels: {segment: smb}}",
                "{name: margies-travel, labels: {segment: enterprise}}",
                &["P1506"],
            ),
            edit(
                access,
                "directoryRoles: [Service Support Administrator, Directory Readers]\n    - to: escalation-lead\n      directoryRoles: [Service Support Administrator, Directory Readers, Helpdesk Administrator]",
                "directoryRoles: [Global Administrator, Directory Readers]\n    - to: escalation-lead\n      directoryRoles: [Service Support Administrator]",
                &["P1502", "P2202"],
            ),
            edit(
                access,
                "{segment: enterprise}, except: [adventure-works]",
                "{segment: entreprise}",
                &["P0311"],
            ),
        ],
    );
}

fn waiver() -> String {
    let text = fs::read_to_string(repository().join("examples/fabrikam/estate/waivers.yaml"));
    let text = text.expect("the file is there");
    let at = text.find("apiVersion").expect("it holds a document");
    text.split_at(at).1.to_owned()
}

#[test]
fn experiments_with_northwind() {
    let rows = "estate/customers/resellers.csv";
    let direct = "estate/customers/direct.yaml";
    let folder = Folder::example("northwind-distribution").edit(
        rows,
        "69b84b2d451c,proseware",
        "69b84b2d451c,prosware",
    );
    let found = folder.findings();
    assert_eq!(
        found.first().and_then(|found| found.help.as_deref()),
        Some("did you mean `proseware`?")
    );
    check(
        "northwind-distribution",
        &[
            edit(rows, "69b84b2d451c,proseware", "69b84b2d451c,fabrikan", &["P0303"]),
            edit(rows, "companyName,domain,", "companyName,domains,", &["P0401"]),
            edit(rows, "tailspin-toys,", "tailspin-toys", &["P0402"]),
            edit(
                rows,
                "b61e6ba5-3682-4dd6-b804-69b84b2d451c",
                "2f9f2006-9e7c-4d69-97ec-72e84e194683",
                &["P0309"],
            ),
            edit(
                rows,
                "aoi.takeuchi@olivehilltea.example,ja,,kyushu,",
                "aoi.takeuchi@olivehilltea.example,ja,,kyushu,provider",
                &["P1506"],
            ),
            edit(direct, "channel: own-marketing", "partnerships: [fabrikam]", &["P1407"]),
            edit(direct, "channel: own-marketing", "channel: provider", &["P1405"]),
            edit(
                "estate/account.yaml",
                "program: indirect-provider",
                "program: direct-bill",
                &["P1003", "P1302", "P1407"],
            ),
        ],
    );
}

#[test]
fn examples_name_no_domain_of_anybody_else() {
    let mut files = Vec::new();
    every_file(&repository().join("examples"), &mut files);
    // Recipes name the hosts that they are for.
    let recipes = repository().join("examples/ci");
    files.retain(|file| !file.starts_with(&recipes));
    assert!(files.len() > 20);
    // The last labels of domains that could belong to somebody; `.example` cannot.
    let last = [
        "com", "net", "org", "io", "dev", "de", "fr", "jp", "uk", "eu", "ch", "be", "it", "us",
        "co", "biz", "info", "app", "cloud", "ai", "test", "local", "internal",
    ];
    // Webmail is what one of the waivers is about.
    let ours = ["microsoft.com", "onmicrosoft.com", "gmail.com"];
    for file in files {
        let text = fs::read_to_string(&file).expect("a text");
        let belongs = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-');
        for word in text.split(|c: char| !belongs(c)) {
            let word = word.trim_matches(['.', '-']);
            let Some((name, end)) = word.rsplit_once('.') else { continue };
            let is_ours = ours.iter().any(|domain| {
                word == *domain || word.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
            });
            let is_domain = name.chars().any(char::is_alphabetic) && last.contains(&end);
            assert!(!is_domain || is_ours, "{word} in {}", file.display());
        }
    }
}

fn every_file(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        // What somebody's own runs left there is not part of it.
        let name = entry.file_name();
        if name == ".partnerctl" || name == "handover" {
            continue;
        }
        if entry.path().is_dir() {
            every_file(&entry.path(), files);
        } else {
            files.push(entry.path());
        }
    }
}

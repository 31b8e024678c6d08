//! Manifests that somebody wrote to do harm, or that a broken program made.
//!
//! Each ends soon and small, says what is wrong, and shows nothing that acts or is secret. The
//! promise is two seconds and 256 MiB; the bounds here are gross, since a debug build on a busy
//! machine must keep them too, and are there to catch what grows with the square. For the real
//! figures, with the inputs at their full size:
//!
//!     PARTNERCTL_UNDER_TEST=target/release/partnerctl cargo test --test outside hostile -- --nocapture

use std::fmt::Write as _;
use std::time::Duration;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::world::{
    ACCOUNT, Ended, FORMATS, Folder, Found, Run, TODAY, USERS, codes, found, places,
};

const CPU_MAX: Duration = Duration::from_secs(20);
const PEAK_MAX: u64 = 1536;

const MIB: usize = 1 << 20;

/// The size of an input: all of it for a release build, a part of it where each byte costs more.
fn size(full: usize) -> usize {
    if std::env::var_os("PARTNERCTL_UNDER_TEST").is_some() { full } else { full / 5 }
}

fn judge(what: &str, ended: Ended) -> Ended {
    eprintln!("{:5} ms {:4} MiB  {what}", ended.cpu.as_millis(), ended.peak);
    assert!(ended.cpu < CPU_MAX, "{what}: {:?}", ended.cpu);
    assert!(ended.peak < PEAK_MAX, "{what}: {} MiB", ended.peak);
    assert!(matches!(ended.code, 0 | 3), "{what}: {} {}", ended.code, ended.err);
    assert_eq!(ended.err, "", "{what}");
    ended
}

/// Findings of one file, within the bounds.
fn file(what: &str, name: &str, text: impl AsRef<[u8]>) -> Vec<Found> {
    folder(what, &Folder::new().with(name, text))
}

fn folder(what: &str, folder: &Folder) -> Vec<Found> {
    found(&judge(what, folder.validate(&["--format", "json", "."])).out)
}

fn user(name: &str, more: &str) -> String {
    format!(
        "---\napiVersion: partnerctl/v1\nkind: User\nmetadata: {{name: {name}}}\nspec: {{displayName: X, email: {name}@fabrikam.example, agent: none, admin: none{more}}}\n"
    )
}

fn customer(name: &str, domain: &str, more: &str) -> String {
    format!(
        "---\napiVersion: partnerctl/v1\nkind: Customer\nmetadata: {{name: {name}}}\nspec: {{companyName: X, domain: {domain}{more}}}\n"
    )
}

#[test]
fn aliases_that_multiply() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..=10 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(text, "a{level}: &a{level} [{items}]").expect("a String takes everything");
    }
    assert_eq!(codes(&file("alias bomb", "a.yaml", text))[0], "P0006");
}

#[test]
fn nesting_without_end() {
    for (what, open) in [("flow lists", "["), ("flow mappings", "{a: "), ("block lists", "- ")] {
        let found = file(what, "a.yaml", format!("a:\n  {}\n", open.repeat(100_000)));
        assert_eq!(codes(&found)[0], "P0005", "{what}");
    }
    let stairs: String = (0..2000).fold(String::new(), |mut text, at| {
        writeln!(text, "{:at$}a:", "").expect("a String takes everything");
        text
    });
    assert_eq!(codes(&file("block mappings", "a.yaml", stairs))[0], "P0005");
    for (what, open) in [("JSON lists", "["), ("JSON mappings", "{\"a\":")] {
        assert_eq!(codes(&file(what, "a.json", open.repeat(100_000)))[0], "P0005", "{what}");
    }
}

#[test]
fn scalars_of_fifty_megabytes() {
    let bytes = size(50 * MIB);
    let head =
        "apiVersion: partnerctl/v1\nkind: User\nmetadata: {name: ben}\nspec:\n  displayName: ";
    let long = "word ".repeat(bytes / 5);
    let escapes = "\\u0041\\n".repeat(bytes / 8);
    let lines = format!("    {}\n", "word ".repeat(20)).repeat(bytes / 105);
    for (what, text) in [
        ("plain", format!("{head}{long}x\n")),
        ("double quoted", format!("{head}\"{escapes}\"\n")),
        ("single quoted", format!("{head}'{}'\n", "it''s ".repeat(bytes / 6))),
        ("folded", format!("{head}>\n{lines}")),
        ("literal", format!("{head}|\n{lines}")),
        ("plain on lines", format!("{head}\n{lines}")),
        ("quoted on lines", format!("{head}\"\n{lines}    \"\n")),
        ("a comment", format!("{head} x # {long}\n")),
        ("a key", format!("{head} x\n  \"{long}\": 1\n")),
        ("one character", format!("{head}{}\n", "田".repeat(bytes / 3))),
        ("blanks", format!("{head}{}\n", " ".repeat(bytes))),
        ("breaks", format!("{head}{}\n", "\n".repeat(bytes))),
    ] {
        let folder = Folder::new().with("a.yaml", &text);
        for format in ["json", "text"] {
            let ended =
                judge(&format!("{what} ({format})"), folder.validate(&["--format", format, "."]));
            assert_eq!(ended.code, 3, "{what}");
            assert!(ended.out.len() < 20_000, "{what}: {} bytes", ended.out.len());
        }
    }
    let found = file("JSON", "a.json", format!("{{\"apiVersion\": \"{escapes}\"}}"));
    assert_eq!(codes(&found), ["P0201"]);
    let found = file("JSON key", "a.json", format!("{{\"{long}\": 1}}"));
    assert_eq!(codes(&found), ["P0102"]);
}

#[test]
fn bytes_that_are_no_text() {
    for (what, bytes, expected) in [
        ("NUL", b"a: b\0c\n".to_vec(), "a.yaml:1:5 P0004"),
        ("invalid UTF-8", b"a: b\nc: \xff\xfe\n".to_vec(), "a.yaml:2:4 P0003"),
        ("cut UTF-8", b"a: \xe7\x94".to_vec(), "a.yaml:1:4 P0003"),
        ("a surrogate", b"a: \xed\xa0\x80\n".to_vec(), "a.yaml:1:4 P0003"),
        ("UTF-16 LE", utf16(u16::to_le_bytes, false), "a.yaml:1:1 P0003"),
        ("UTF-16 BE", utf16(u16::to_be_bytes, false), "a.yaml:1:1 P0003"),
        ("UTF-16 LE with mark", utf16(u16::to_le_bytes, true), "a.yaml:1:1 P0003"),
        ("UTF-16 BE with mark", utf16(u16::to_be_bytes, true), "a.yaml:1:1 P0003"),
        ("a bell", b"a: \x07\n".to_vec(), "a.yaml:1:4 P0004"),
    ] {
        let found = file(what, "a.yaml", &bytes);
        assert_eq!(places(&found)[0], expected, "{what}: {found:?}");
        let found = file(what, "a.json", &bytes);
        assert!(matches!(codes(&found)[0], "P0002" | "P0003" | "P0004"), "{what}: {found:?}");
        let table = Folder::project()
            .with("estate/t.yaml", "apiVersion: partnerctl/v1\nkind: CustomerTable\nmetadata: {name: t}\nspec: {file: t.csv}\n")
            .with("estate/t.csv", &bytes);
        assert_eq!(folder(what, &table)[0].file, "estate/t.csv", "{what}");
    }
    // A million of them.
    file("a megabyte of NUL", "a.yaml", vec![0; MIB]);
    file("a megabyte of 0xFF", "a.yaml", vec![0xff; MIB]);
    file("a megabyte of bells", "a.yaml", vec![7; MIB]);
}

fn utf16(bytes: fn(u16) -> [u8; 2], mark: bool) -> Vec<u8> {
    let text = if mark { "\u{feff}a: b\n" } else { "a: b\n" };
    text.encode_utf16().flat_map(bytes).collect()
}

#[test]
fn lone_carriage_returns_are_line_breaks() {
    // YAML breaks lines there, editors and `file:line` do not: what counts is that nothing is hidden.
    let text = "# a comment\rapiVersion: partnerctl/v1\rkind: Sesame\r";
    let found = file("carriage returns", "a.yaml", text);
    assert!(!found.is_empty());
    let ended = Folder::new().with("a.yaml", text).validate(&["."]);
    assert!(!ended.out.contains('\r'), "{:?}", ended.out);
}

#[test]
fn links_in_circles_and_pipes_without_end() {
    let folder = Folder::project()
        .with_link("estate/round", ".")
        .with_link("estate/deep/up", "..")
        .with_link("estate/a.yaml", "b.yaml")
        .with_link("estate/b.yaml", "a.yaml")
        .with_folder("estate/folder.yaml");
    for name in ["estate/pipe.yaml", "estate/pipe.txt"] {
        mkfifo(&folder.path().join(name), Mode::S_IRWXU).expect("a pipe");
    }
    let found = self::folder("links and pipes", &folder);
    assert_eq!(
        places(&found),
        ["estate/a.yaml P0206", "estate/b.yaml P0206", "estate/pipe.yaml P0209"]
    );
    let ended = folder.validate(&["-f", "estate/pipe.yaml", "--format", "json"]);
    assert_eq!(codes(&self::found(&ended.out)), ["P0209"]);
    // A table behind a pipe, and a device.
    let table = "apiVersion: partnerctl/v1\nkind: CustomerTable\nmetadata: {name: t}\nspec: {file: pipe.txt}\n";
    let folder = folder.with("estate/t.yaml", table);
    let found = self::folder("a table behind a pipe", &folder);
    assert_eq!(places(&found).last().map(String::as_str), Some("estate/t.yaml:4:14 P0209"));
    let ended = folder.validate(&["-f", "/dev/zero", "--format", "json"]);
    assert_eq!(codes(&self::found(&ended.out)), ["P0209"]);
}

#[test]
fn what_acts_on_terminals_and_logs_is_shown_instead() {
    let text = "\
apiVersion: partnerctl/v1
kind: User
metadata: {name: \"ben\\e[2J\"}
spec:
  displayName: \"Ben\\u202enimda\"
  email: \"::error::x\"
  agent: \"##vso[task.complete]\"
  admin: \"##[group]x\"
  \"::warning file=a\": 1
  \"\\e]0;title\\a\": 1
  givenName: Ben\u{202e}nimda
  jobTitle: x # \u{202e} turned
::notice::here
";
    let folder = Folder::new()
        .with("a.yaml", text)
        .with("::error file=x\u{1b}[2J\u{202e}.yaml", "::set-output name=x::y: 1\n##vso[x]: 2\n");
    for format in FORMATS {
        let ended = judge(format, folder.validate(&["--format", format, "."]));
        for acts in ['\u{1b}', '\u{202e}', '\u{7}', '\r'] {
            assert!(!ended.out.contains(acts), "{format}: {:?}", ended.out);
        }
        assert!(!ended.out.contains("##vso[") && !ended.out.contains("##[group]"), "{}", ended.out);
        for line in ended.out.lines() {
            let ours = format == "github"
                && ["::error ", "::warning ", "::notice "].iter().any(|start| {
                    line.strip_prefix(start).is_some_and(|rest| {
                        rest.starts_with("file=") || rest.starts_with("title=P")
                    })
                });
            assert!(ours || !line.trim_start().starts_with("::"), "{format}: {line}");
        }
    }
    let shown = folder.validate(&["."]).out;
    assert!(shown.contains(r"\u{202e}") && shown.contains(r"\u{1b}"), "{shown}");
}

#[test]
fn ten_thousand_findings() {
    let users: String = (0..10_000).map(|at| user(&format!("u{at}"), ", colour: red")).collect();
    let folder =
        Folder::new().with("account.yaml", ACCOUNT).with("a.yaml", format!("{USERS}{users}"));
    for format in FORMATS {
        let ended = judge(
            &format!("10 000 findings ({format})"),
            folder.validate(&["--format", format, "."]),
        );
        match format {
            "text" => {
                assert_eq!(ended.out.matches("error[P0101]").count(), 100);
                assert!(ended.out.contains("... and 9900 more findings"), "{}", ended.out);
                assert!(ended.out.ends_with("10000 errors in 10003 documents (2 files)\n"));
            }
            "json" => assert_eq!(found(&ended.out).len(), 10_000),
            _ => assert_eq!(
                ended.out.matches("unknown key `colour` in User").count() / 10_000,
                if format == "junit" { 3 } else { 1 }
            ),
        }
    }
}

#[test]
fn findings_on_one_line() {
    // Columns are counted from the start of the line.
    let count = 10_000;
    let item = |at: usize| {
        format!(
            "{{\"apiVersion\": \"partnerctl/v1\", \"kind\": \"User\", \"metadata\": {{\"name\": \"u{at}\"}}, \"spec\": {{\"displayName\": \"田\", \"email\": \"u{at}@elsewhere.example\", \"agent\": \"none\", \"admin\": \"none\", \"roles\": [\"nobody\"], \"x\": 1}}}}"
        )
    };
    let items: Vec<String> = (0..count).map(item).collect();
    let list = format!(
        "{{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{}]}}",
        items.join(", ")
    );
    for name in ["a.json", "a.yaml"] {
        let found = file(&format!("20 000 findings on a line of {name}"), name, &list);
        let codes = codes(&found);
        for code in ["P0101", "P0303"] {
            assert_eq!(codes.iter().filter(|found| **found == code).count(), count, "{code}");
        }
    }
    // Found by the checks, in the items of one List.
    let good: Vec<String> = items.iter().map(|item| item.replace(", \"x\": 1", "")).collect();
    let list = format!(
        "{{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{}]}}",
        good.join(",\n")
    );
    let folder =
        Folder::new().with("account.yaml", ACCOUNT).with("users.yaml", USERS).with("a.json", list);
    assert_eq!(self::folder("20 000 findings in a List", &folder).len(), 2 * count);
    for format in ["text", "github", "sarif", "junit"] {
        judge(
            &format!("20 000 findings in a List ({format})"),
            folder.validate(&["--format", format, "."]),
        );
    }
}

#[test]
fn a_million_documents() {
    let count = size(1_000_000);
    let found = file("tiny documents", "a.yaml", "---\na\n".repeat(count));
    assert_eq!(codes(&found), vec!["P0203"; count]);
    let found = file("empty documents", "a.yaml", "---\n".repeat(count));
    assert!(!found.is_empty());
    file("ends of documents", "a.yaml", "...\n".repeat(count));
    file("directives", "a.yaml", "%YAML 1.2\n---\n...\n".repeat(count / 10));
    file("no documents behind directives", "a.yaml", "%YAML 1.2\n---\n".repeat(count / 100));
    file(
        "comments before a directive",
        "a.yaml",
        format!("%A\n{}", "#\n---x\n".repeat(count / 10)),
    );
}

#[test]
fn mappings_with_a_hundred_thousand_keys() {
    let count = size(100_000);
    let mut labels = String::new();
    for at in 0..count {
        write!(labels, "k{at}: v, ").expect("a String takes everything");
    }
    let account = |metadata: &str, more: &str| ACCOUNT.replace("{name: fabrikam}", metadata) + more;
    for key in ["labels", "annotations"] {
        let text = account(&format!("{{name: fabrikam, {key}: {{{labels}}}}}"), "");
        let folder = Folder::new().with("account.yaml", text).with("users.yaml", USERS);
        assert_eq!(self::folder(&format!("100 000 {key}"), &folder), []);
    }
    let unknown = labels.replace(", ", "\n  ");
    let folder =
        Folder::new().with("account.yaml", account("{name: fabrikam}", &format!("  {unknown}\n")));
    let found = self::folder("100 000 unknown keys", &folder);
    assert_eq!(codes(&found).iter().filter(|code| **code == "P0101").count(), count);
    let same = format!("  partnerId: \"1\"\n{}", "  country: JP\n".repeat(count));
    let folder = Folder::new().with("account.yaml", account("{name: fabrikam}", &same));
    self::folder("100 000 times the same key", &folder);
    let top = account("{name: fabrikam}", &labels.replace(", ", "\n"));
    self::folder("100 000 unknown keys on top", &Folder::new().with("account.yaml", top));
    let defaults = format!(
        "apiVersion: partnerctl/v1\nkind: Defaults\nmetadata: {{name: d}}\nspec: {{kind: User, values: {{metadata: {{labels: {{{labels}}}}}}}}}\n"
    );
    let text =
        user("ben", "").replace("{name: ben}", &format!("{{name: ben, labels: {{{labels}}}}}"));
    let folder = Folder::new()
        .with("account.yaml", ACCOUNT)
        .with("users.yaml", USERS)
        .with("d.yaml", defaults)
        .with("ben.yaml", text);
    assert_eq!(self::folder("100 000 default labels", &folder), []);
}

#[test]
fn lists_with_a_hundred_thousand_items() {
    let count = size(100_000);
    let estate = |more: &str| {
        Folder::new()
            .with("account.yaml", ACCOUNT)
            .with("users.yaml", USERS)
            .with("more.yaml", more)
    };
    for (what, roles) in [
        ("the same role", "account-admin, ".repeat(count)),
        ("the same unknown role", "nobody, ".repeat(count)),
        ("the same role in two forms", "account-admin, {role: account-admin}, ".repeat(count / 2)),
        ("many roles", (0..count).map(|at| format!("r{at}, ")).collect()),
        ("numbers", "1, ".repeat(count)),
    ] {
        folder(what, &estate(&user("ben", &format!(", roles: [{roles}]"))));
    }
    let access = |grants: &str| {
        format!(
            "apiVersion: partnerctl/v1\nkind: DelegatedAccess\nmetadata: {{name: ops}}\nspec:\n  customers: {{all: true}}\n  duration: P90D\n  grants:\n{grants}---\n{}",
            customer("contoso", "contoso.example", "")
        )
    };
    let grants = "  - {to: admin-agent, directoryRoles: [Directory Readers]}\n".repeat(count / 10);
    folder("the same grant", &estate(&access(&grants)));
    let grant = |roles: &str| format!("  - {{to: admin-agent, directoryRoles: [{roles}]}}\n");
    let same = "Directory Readers, 88d8e3e3-8f55-4a1e-953a-9b9898b8876b, ".repeat(count / 2);
    folder("the same directory role", &estate(&access(&grant(&same))));
    let unknown: String =
        (0..count).map(|at| format!("{at:08}-8f55-4a1e-953a-9b9898b8876b, ")).collect();
    folder("unknown directory roles", &estate(&access(&grant(&unknown))));
    let names: String = (0..count).map(|at| format!("c{at}, ")).collect();
    let role = format!(
        "apiVersion: partnerctl/v1\nkind: Role\nmetadata: {{name: r}}\nspec:\n  description: x\n  permissions:\n  - {{allow: [view-customer], customers: {{names: [{names}]}}}}\n"
    );
    folder("a selector with unknown names", &estate(&role));
    let scattered =
        "  - {allow: [view-customer], customers: {labels: {a: b}}}\n".repeat(count / 10);
    let role = format!(
        "apiVersion: partnerctl/v1\nkind: Role\nmetadata: {{name: r}}\nspec:\n  description: x\n  permissions:\n{scattered}"
    );
    folder("selectors that select nobody", &estate(&role));
}

#[test]
fn customers_that_are_all_the_same() {
    let count = size(50_000);
    let customers: String =
        (0..count).map(|at| customer(&format!("c{at}"), "contoso.example", "")).collect();
    let folder = Folder::new().with("a.yaml", format!("{ACCOUNT}---\n{USERS}{customers}"));
    let found = self::folder("the same domain", &folder);
    assert_eq!(codes(&found), vec!["P0308"; count - 1]);
    let customers = customer("c", "contoso.example", "").repeat(count);
    let folder = Folder::new().with("a.yaml", format!("{ACCOUNT}---\n{USERS}{customers}"));
    let found = self::folder("the same name", &folder);
    assert_eq!(codes(&found), vec!["P0301"; count - 1]);
    let table = "apiVersion: partnerctl/v1\nkind: CustomerTable\nmetadata: {name: t}\nspec: {file: t.csv}\n";
    let rows: String = (0..count).map(|at| format!("c{at},X,contoso.example\n")).collect();
    let folder = Folder::new()
        .with("a.yaml", format!("{ACCOUNT}---\n{USERS}---\n{table}"))
        .with("t.csv", format!("name,companyName,domain\n{rows}"));
    let found = self::folder("the same domain in a table", &folder);
    assert_eq!(codes(&found), vec!["P0308"; count - 1]);
    let rows: String = (0..count).map(|_| "x\n").collect();
    let folder = folder.with("t.csv", format!("name,companyName,domain\n{rows}"));
    let found = self::folder("short rows", &folder);
    assert_eq!(codes(&found), vec!["P0402"; count]);
    let columns: String = (0..10_000).map(|at| format!(",c{at}")).collect();
    let folder = folder.with("t.csv", format!("name{columns}\n"));
    self::folder("10 000 unknown columns", &folder);
    let columns: String = (0..2_000).map(|at| format!(",labels.c{at}")).collect();
    let rows = format!("c{}\n", ",".repeat(2_000)).repeat(500);
    let folder = folder.with("t.csv", format!("name{columns}\n{rows}"));
    self::folder("2 000 columns", &folder);
}

#[test]
fn references_to_nothing_and_in_long_chains() {
    let count = 10_000;
    let customers: String = (0..count)
        .map(|at| {
            customer(
                &format!("customer-{at:05}"),
                &format!("c{at}.example"),
                ", partnerships: [litwear]",
            )
        })
        .collect();
    let head = format!("{ACCOUNT}---\n{USERS}");
    let folder = |more: &str| Folder::new().with("a.yaml", format!("{head}{more}"));
    self::folder("10 000 unknown partnerships", &folder(&customers));
    let roles: String = (0..count).map(|at| format!("---\napiVersion: partnerctl/v1\nkind: Role\nmetadata: {{name: role-{at:05}}}\nspec: {{description: x, includes: [rule-{at:05}]}}\n")).collect();
    self::folder("10 000 unknown roles among 10 000", &folder(&roles));
    let broken: String = (0..count).map(|at| format!("---\napiVersion: partnerctl/v1\nkind: Role\nmetadata: {{name: role-{at:05}}}\nspec: {{includes: 1}}\n")).collect();
    let users: String =
        (0..count).map(|at| user(&format!("u{at}"), &format!(", roles: [role-{at:05}]"))).collect();
    self::folder("10 000 references to broken roles", &folder(&format!("{broken}{users}")));
    let chain: String = (0..count).map(|at| format!("---\napiVersion: partnerctl/v1\nkind: Role\nmetadata: {{name: role-{at:05}, formerly: [role-{:05}]}}\nspec: {{description: x, includes: [role-{:05}]}}\n", at + 1, at + 1)).collect();
    self::folder("a chain of 10 000", &folder(&chain));
    let ring = chain.replace("includes: [role-10000]", "includes: [role-00000]");
    self::folder("a ring of 10 000", &folder(&ring));
    let every: String = (0..400).map(|at| format!("role-{at:05}, ")).collect();
    let knot: String = (0..400).map(|at| format!("---\napiVersion: partnerctl/v1\nkind: Role\nmetadata: {{name: role-{at:05}}}\nspec: {{description: x, includes: [{every}]}}\n")).collect();
    self::folder("400 roles that include each other", &folder(&knot));
    let claimed: String = (0..count)
        .map(|at| {
            user(&format!("u{at}"), "").replace(
                &format!("{{name: u{at}}}"),
                &format!("{{name: u{at}, formerly: [aiko, emi]}}"),
            )
        })
        .collect();
    self::folder("10 000 claims to a former name", &folder(&claimed));
    let waivers: String = (0..count).map(|at| format!("---\napiVersion: partnerctl/v1\nkind: Waiver\nmetadata: {{name: w{at}}}\nspec: {{finding: P1005, on: user/u{at}, owner: aiko, reason: x, until: 2027-01-31}}\n")).collect();
    let users: String = (0..count)
        .map(|at| user(&format!("u{at}"), ", roles: [{role: metaverse-admin}]"))
        .collect();
    let found = self::folder("10 000 waivers", &folder(&format!("{users}{waivers}")));
    assert_eq!(found, []);
    let required: String = (0..count).map(|at| format!("user-{at}, ")).collect();
    let project = format!(
        "apiVersion: partnerctl/v1\nkind: Project\nmetadata: {{name: p}}\nspec: {{guards: {{required: [{required}]}}}}\n"
    );
    let users: String = (0..count).map(|at| user(&format!("uzer-{at}"), "")).collect();
    let folder = folder(&users).with("partnerctl.yaml", project);
    self::folder("10 000 required users who are not there", &folder);
}

#[test]
fn defaults_and_turned_comments_by_the_thousand() {
    let head = format!("{ACCOUNT}---\n{USERS}");
    let folder = |more: &str| Folder::new().with("a.yaml", format!("{head}{more}"));
    let defaults = "---\napiVersion: partnerctl/v1\nkind: Defaults\nmetadata: {name: d}\nspec: {kind: User, values: {spec: {enabled: true}}}\n";
    self::folder("10 000 Defaults", &folder(&defaults.repeat(10_000)));
    let tables = "---\napiVersion: partnerctl/v1\nkind: CustomerTable\nmetadata: {name: t}\nspec: {file: t.csv}\n";
    let tables: String =
        (0..1000).map(|at| tables.replace("name: t", &format!("name: t{at}"))).collect();
    let rows = folder(&tables).with("t.csv", "name,companyName,domain\nc,X,c.example\n");
    self::folder("1000 tables of one file", &rows);
    let items: Vec<String> = (0..size(50_000)).map(|at| format!("- {{apiVersion: partnerctl/v1, kind: CustomerTable, metadata: {{name: t{at}}}, spec: {{file: none.csv}}}}\n")).collect();
    self::folder(
        "50 000 tables in a List",
        &folder(&format!("---\napiVersion: v1\nkind: List\nitems:\n{}", items.concat())),
    );
    let comments = "# \u{202e}\n- x\n".repeat(20_000);
    self::folder("20 000 comments that turn", &folder(&format!("---\n{comments}")));
}

/// Texts that look like secrets, in many places; none may be shown.
const SECRETS: [(&str, &str); 4] = [
    (
        "jwt",
        "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiJzb21lYm9keSIsImF1ZCI6IngifQ.c2lnbmF0dXJlLW9mLXNvbWVib2R5",
    ),
    ("age", "AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQQPZRY9X8GF2TVDW0"),
    (
        "pem",
        "-----BEGIN PRIVATE KEY-----MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj-----END PRIVATE KEY-----",
    ),
    (
        "dsa",
        "-----BEGIN OPENSSH PRIVATE KEY----- b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ -----END OPENSSH PRIVATE KEY-----",
    ),
];

#[test]
fn secrets_are_never_shown() {
    let table = "apiVersion: partnerctl/v1\nkind: CustomerTable\nmetadata: {name: t}\nspec: {file: t.csv}\n";
    for (what, secret) in SECRETS {
        let quoted = format!("\"{secret}\"");
        let continued = secret
            .chars()
            .collect::<Vec<_>>()
            .chunks(20)
            .map(|part| part.iter().collect::<String>())
            .collect::<Vec<_>>()
            .join("\\\n    ");
        let escaped = format!("\"\\x{:02x}{}\"", secret.as_bytes()[0], &secret[1..]);
        let head = "apiVersion: partnerctl/v1\nkind: User\nmetadata: {name: ben}\nspec:\n";
        let project = |value: &str| {
            format!(
                "apiVersion: partnerctl/v1\nkind: Project\nmetadata: {{name: p}}\nspec:\n  contexts:\n    production:\n      tenant: fabrikam.onmicrosoft.com\n      auth: {{read: {{clientId: 0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e1, clientSecret: {value}}}}}\n      ledger: {{postgres: {value}}}\n"
            )
        };
        let cases: Vec<(&str, Folder)> = vec![
            ("value", Folder::new().with("a.yaml", format!("{head}  displayName: {quoted}\n  email: {quoted}\n  agent: {quoted}\n"))),
            ("name", Folder::new().with("a.yaml", head.replace("ben", &quoted))),
            ("kind", Folder::new().with("a.yaml", format!("apiVersion: partnerctl/v1\nkind: {quoted}\n"))),
            ("apiVersion", Folder::new().with("a.yaml", format!("apiVersion: {quoted}\nkind: User\n"))),
            ("key", Folder::new().with("a.yaml", format!("{head}  {quoted}: 1\n"))),
            ("label", Folder::new().with("a.yaml", head.replace("name: ben", &format!("name: ben, labels: {{{quoted}: {quoted}}}")))),
            ("comment", Folder::new().with("a.yaml", format!("{head}  colour: red # {secret}\n"))),
            ("comment before an error", Folder::new().with("a.yaml", format!("# {secret}\nkind: [\n"))),
            ("syntax error", Folder::new().with("a.yaml", format!("{head}  displayName: \"{secret}\n"))),
            ("syntax error behind", Folder::new().with("a.yaml", format!("{head}  displayName: {quoted} {secret}: x: y\n"))),
            ("anchor", Folder::new().with("a.yaml", format!("{head}  displayName: *{secret}\n  email: !{secret} x\n"))),
            ("directive", Folder::new().with("a.yaml", format!("%{secret}\n---\n{head}"))),
            ("list", Folder::new().with("a.yaml", format!("{head}  roles: [{quoted}, {quoted}, {{role: {quoted}}}]\n"))),
            ("twice the key", Folder::new().with("a.yaml", format!("{head}  {quoted}: 1\n  {quoted}: 2\n"))),
            ("literal", Folder::new().with("a.yaml", format!("{head}  displayName: |\n    {secret}\n  agent: >-\n    {secret}\n"))),
            ("continued", Folder::new().with("a.yaml", format!("{head}  agent: \"{continued}\"\n  roles: [\"{continued}\"]\n"))),
            ("escaped", Folder::new().with("a.yaml", format!("{head}  agent: {escaped}\n  {escaped}: 1\n"))),
            ("JSON", Folder::new().with("a.json", format!("{{\"apiVersion\": {quoted}, {quoted}: {quoted}, x}}"))),
            ("JSON text", Folder::new().with("a.json", format!("{{\"apiVersion\": \"partnerctl/v1\", \"kind\": {quoted}}}"))),
            ("cell", Folder::project().with("estate/t.yaml", table).with("estate/t.csv", format!("name,companyName,domain,tenantId\nben,{secret},{secret},{secret}\n{secret},X,x.example,\n"))),
            ("column", Folder::project().with("estate/t.yaml", table).with("estate/t.csv", format!("name,companyName,{secret},domain\nben,x,y\n"))),
            ("label column", Folder::project().with("estate/t.yaml", table).with("estate/t.csv", format!("name,companyName,domain,labels.{secret}\nben,x,y,{secret}\n"))),
            ("literal secret", Folder::new().with("partnerctl.yaml", project(&quoted)).with("a.yaml", ACCOUNT)),
            ("secret path", Folder::new().with("partnerctl.yaml", format!("apiVersion: partnerctl/v1\nkind: Project\nmetadata: {{name: p}}\nspec: {{manifests: [{quoted}], policies: [{quoted}]}}\n"))),
            ("table file", Folder::project().with("estate/t.yaml", table.replace("t.csv", &quoted))),
            ("invalid UTF-8", Folder::new().with("a.yaml", [format!("{head}  displayName: {secret} ").as_bytes(), b"\xff\n"].concat())),
            ("invalid UTF-8 in JSON", Folder::new().with("a.json", [format!("[\"{secret}\", \"").as_bytes(), b"\xff\"]\n"].concat())),
            ("NUL", Folder::new().with("a.yaml", format!("{head}  displayName: {secret}\0\n"))),
            ("NUL in a table", Folder::project().with("estate/t.yaml", table).with("estate/t.csv", [b"name\xff,".as_slice(), secret.as_bytes()].concat())),
        ];
        for (place, folder) in cases {
            hidden(&format!("{what} as {place}"), secret, &folder);
            let found = folder.findings();
            let is_seen = codes(&found).iter().any(|code| matches!(*code, "P0501" | "P0502"));
            assert!(is_seen, "{what} as {place}: {found:?}");
        }
        let stream = format!("{head}  displayName: {quoted}\n  agent: {quoted}\n").replace(
            "name: ben",
            &format!("name: ben, annotations: {{config.kubernetes.io/origin: \"path: {secret}\"}}"),
        );
        let folder = Folder::new();
        for format in FORMATS {
            let ended = Run::new(&["validate", "-f", "-", "--format", format, "-v"])
                .within(folder.path())
                .stdin(&stream)
                .end();
            assert_eq!(
                part_of(secret, &ended.all()),
                None,
                "{what} on standard input, {format}: {}",
                ended.all()
            );
        }
    }
}

#[test]
fn a_key_of_many_lines_is_never_shown() {
    let body = [
        "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
        "BKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj",
        "MzEfYyjiWA4R4/M2bS1GB4t7NXp98C3S",
    ];
    for indent in ["    ", "      # ", ""] {
        let lines: String = body.iter().map(|line| format!("{indent}{line}\n")).collect();
        let key = format!(
            "{indent}-----BEGIN RSA PRIVATE KEY-----\n{lines}{indent}-----END RSA PRIVATE KEY-----\n"
        );
        for text in [
            format!("{ACCOUNT}  privateKey: |\n{key}  country: JP\n"),
            format!("{ACCOUNT}  country: >-\n{key}  cloud: x\n"),
            format!("{ACCOUNT}  country: \"\n{key}\"\n"),
            format!("{ACCOUNT}  country: {}\n", key.replace('\n', "\\n").replace(indent, "")),
            format!("{ACCOUNT}  cloud: \"{}\"\n", key.replace('\n', "\\n").replace(indent, "")),
            format!("{key}{ACCOUNT}  colour: red\n"),
        ] {
            for secret in body {
                hidden("a key of many lines", secret, &Folder::new().with("a.yaml", &text));
            }
        }
    }
}

#[test]
fn a_literal_where_a_reference_belongs_is_never_shown() {
    for literal in [
        "Zq7-vortex-lantern-42",
        "Tr0ub4dor&3-and-more",
        "8Q~abcdefghijklmnopqrstuvwxyz0123456789AB",
    ] {
        let quoted = format!("\"{literal}\"");
        for value in [
            quoted.clone(),
            format!("{{value: {quoted}}}"),
            format!("{{{quoted}: x}}"),
            format!("[{quoted}]"),
            format!("{{env: X, password: {quoted}}}"),
            format!("|\n            {literal}\n"),
            // Wrong in other ways: what stands there is not even read.
            format!("|\n          {literal}\n"),
            format!("\"{literal}"),
            format!("\"{literal}\" x"),
            format!("{{{literal}"),
            format!("!{literal} x"),
            format!("*{literal}"),
            format!("{literal}: {literal}: x"),
            format!("{quoted} # {literal}"),
        ] {
            let project = format!(
                "apiVersion: partnerctl/v1\nkind: Project\nmetadata: {{name: p}}\nspec:\n  contexts:\n    production:\n      tenant: fabrikam.onmicrosoft.com\n      auth:\n        read:\n          clientId: 0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e1\n          clientSecret: {value}\n"
            );
            let folder = Folder::new().with("a.yaml", ACCOUNT).with("partnerctl.yaml", &project);
            hidden(&value, literal, &folder);
        }
    }
}

#[test]
fn a_syntax_error_behind_a_reference_is_shown() {
    let project = "\
apiVersion: partnerctl/v1
kind: Project
metadata: {name: p}
spec:
  contexts:
    production:
      tenant: fabrikam.onmicrosoft.com
      auth:
        read: {clientId: 0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e1, clientSecret: {env: X}}
      actor: user: deploy-bot
";
    let folder = Folder::new().with("a.yaml", ACCOUNT).with("partnerctl.yaml", project);
    let ended = folder.validate(&["."]);
    assert!(ended.out.contains("actor: user: deploy-bot"), "{}", ended.out);
}

fn hidden(what: &str, secret: &str, folder: &Folder) {
    for format in FORMATS {
        let ended = folder.validate(&["--format", format, "-v", "."]);
        assert_eq!(ended.code, 3, "{what}: {}", ended.all());
        let part = part_of(secret, &ended.all());
        assert_eq!(part, None, "{what}, {format}: {}", ended.all());
    }
}

/// Eight characters of a secret that stand in a text. Its frame is no secret.
fn part_of<'a>(secret: &'a str, text: &str) -> Option<&'a str> {
    let secret = secret.trim_start_matches("AGE-SECRET-KEY-1");
    let frames = ["-----BEGIN ", "OPENSSH ", "PRIVATE KEY-----", "-----END "];
    let bodies = frames.iter().fold(vec![secret], |parts, frame| {
        parts.into_iter().flat_map(|part| part.split(frame)).collect()
    });
    bodies.into_iter().find_map(|body| {
        (0..body.len().saturating_sub(7))
            .map(|at| &body[at..at + 8])
            .find(|part| text.contains(part))
    })
}

#[test]
fn text_that_almost_looks_like_a_secret() {
    let count = size(2 * MIB);
    for (what, text) in [
        ("begins of keys", "-----BEGIN PRIVATE KEY-----".repeat(count / 27)),
        ("headers without begin", "PRIVATE KEY-----".repeat(count / 16)),
        ("begins on lines", "# -----BEGIN PRIVATE KEY-----\n".repeat(count / 30)),
        ("starts of tokens", "eyJ.".repeat(count / 4)),
        ("one long token", "eyJ".repeat(count / 3)),
        ("tokens", format!("# {}\n", SECRETS[0].1).repeat(count / 120)),
        ("keys of age", format!("# {}\n", SECRETS[1].1).repeat(count / 70)),
        ("quotes", "\"".repeat(count)),
        ("brackets", "[]".repeat(count / 2)),
        ("questions", "? ".repeat(count / 2)),
        ("dashes", "- ".repeat(count / 2)),
        ("colons", ": ".repeat(count / 2)),
        ("question lines", "? a\n".repeat(count / 4)),
        ("anchors", "- &a x\n".repeat(count / 7)),
        ("aliases", format!("- &a x\n{}", "- *a\n".repeat(count / 5))),
        ("comments", "#\n".repeat(count / 2)),
        ("indents", (0..2000).map(|at| format!("{}- x\n", " ".repeat(2000 - at))).collect()),
        ("tabs", "\t".repeat(count)),
        ("percents", "%\n".repeat(count / 2)),
        ("broken documents", "--- [\n".repeat(count / 20)),
        ("broken documents with secrets", "--- [ # secret: x\n".repeat(count / 40)),
        ("broken lines with secrets", format!("{}a: [\n", "# a secret: x\n".repeat(count / 20))),
        ("tags", "- !!str x\n".repeat(count / 10)),
        ("merge keys", "- {<<: x}\n".repeat(count / 10)),
    ] {
        let folder = Folder::new().with("a.yaml", &text);
        for format in ["json", "text"] {
            judge(&format!("{what} ({format})"), folder.validate(&["--format", format, "."]));
        }
    }
    assert_eq!(TODAY.len(), 10);
}

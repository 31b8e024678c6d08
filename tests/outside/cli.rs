//! The door: which files are read, how the command is called, what it prints and how it ends.

use std::fs;
use std::io::Read;

use snapbox::{IntoData, assert_data_eq, str};

use crate::world::{
    ACCOUNT, FORMATS, Folder, PROJECT, Run, TODAY, USERS, codes, found, places, repository,
};

const NOBODY: &str = "\
apiVersion: partnerctl/v1
kind: User
metadata: {name: ben}
spec: {displayName: Ben, email: ben@fabrikam.example, agent: none}
";

/// A user with a warning alone: a role that the reference does not know.
const WARNING: &str = "\
apiVersion: partnerctl/v1
kind: User
metadata: {name: ben}
spec: {displayName: Ben, email: ben@fabrikam.example, agent: none, admin: none, roles: [{role: metaverse-admin}]}
";

#[test]
fn an_example_has_no_findings() {
    let ended =
        Run::new(&["validate", "examples/fabrikam", "--as-of", TODAY]).within(&repository()).end();
    assert_data_eq!(ended.shown(), str![[r#"
exit 0
--- stdout
checked 28 documents in 9 files: 1 account, 8 users, 3 roles, 2 partnerships, 7 customers, 1 defaults, 3 delegated access, 1 waiver, 2 access tests
no findings, 1 waived

"#]].raw());
}

#[test]
fn a_bare_folder_is_an_estate() {
    let folder = Folder::bare();
    assert_data_eq!(
        folder.validate(&["."]).shown(),
        str![[r#"
exit 0
--- stdout
checked 3 documents in 2 files: 1 account, 2 users
no findings

"#]]
        .raw()
    );
}

#[test]
fn a_project_is_found_by_file_by_folder_and_upward() {
    let folder = Folder::project().with("estate/ben.yaml", NOBODY).with_folder("estate/deep/er");
    let expected = folder.validate(&["."]).shown();
    assert_data_eq!(
        &expected,
        str![[r#"
exit 3
--- stdout
error[P1001]: no `admin` level is chosen
 --> estate/ben.yaml:4:1
  |
4 | spec: {displayName: Ben, email: ben@fabrikam.example, agent: none}
  | ^^^^
  |
  = help: choose `global`, `user-management`, `billing` or `none`: `admin: none` says nobody forgot

1 error in 4 documents (3 files)

"#]]
        .raw()
    );
    for args in [&["--project", "partnerctl.yaml"] as &[&str], &["--project", "."], &[]] {
        assert_eq!(folder.validate(args).shown(), expected, "{args:?}");
    }
    let file = folder.path().join("partnerctl.yaml");
    let other = Folder::new();
    for path in [folder.path(), &file] {
        let path = path.to_str().expect("UTF-8");
        assert_eq!(other.validate(&["--project", path]).shown(), expected);
    }
    let below = Run::new(&["validate", "--as-of", TODAY])
        .within(&folder.path().join("estate/deep/er"))
        .end();
    assert_eq!(below.shown(), expected);
}

#[test]
fn a_project_file_may_have_another_name() {
    let folder = Folder::new()
        .with("other.yaml", PROJECT)
        .with("estate/account.yaml", ACCOUNT)
        .with("estate/users.yaml", USERS.replace("admin: global", "admin: none"));
    let ended = folder.validate(&["--project", "other.yaml", "--format", "json"]);
    assert_eq!(places(&found(&ended.out)), ["other.yaml:1:1 P1901"]);
}

#[test]
fn wrong_usage_ends_with_64() {
    let folder = Folder::project();
    let mut all = String::new();
    for args in [
        &["validate", ".", "--project", "."] as &[&str],
        &["validate", "nowhere"],
        &["validate", "partnerctl.yaml"],
        &["validate", "--project", "nowhere"],
        &["validate", "--project", "estate"],
        &["validate", "-f", "nowhere.yaml"],
        &["validate", "--complete"],
        &["validate", "--format", "yaml"],
        &["validate", "--deny", "notes"],
        &["validate", "--as-of", "tomorrow"],
        &["validate", "--colour"],
        &["validate", "a", "b"],
        &["conquer"],
    ] {
        let ended = folder.run(args);
        assert_eq!((ended.code, ended.out.as_str()), (64, ""), "{args:?}");
        all.push_str(&format!("$ partnerctl {}\n{}\n", args.join(" "), ended.err));
    }
    assert_eq!(folder.run(&[]).code, 64);
    let ended = Folder::new().run(&["validate"]);
    assert_eq!(ended.code, 64);
    all.push_str(&ended.err);
    assert_data_eq!(
        all,
        str![[r#"
$ partnerctl validate . --project .
error: a folder and --project both name the project: give one of them

$ partnerctl validate nowhere
error: there is no nowhere

$ partnerctl validate partnerctl.yaml
error: partnerctl.yaml is not a folder: name a file with `-f`

$ partnerctl validate --project nowhere
error: there is no nowhere

$ partnerctl validate --project estate
error: there is no partnerctl.yaml in estate

$ partnerctl validate -f nowhere.yaml
error: there is no nowhere.yaml

$ partnerctl validate --complete
error: `--complete` says that what `-f` names is the whole estate
  without `-f`, the project's manifests are

$ partnerctl validate --format yaml
error: invalid value 'yaml' for '--format <FORMAT>'
  [possible values: text, json, sarif, junit, github]

For more information, try '--help'.

$ partnerctl validate --deny notes
error: invalid value 'notes' for '--deny <LEVEL>'
  [possible values: warnings]

For more information, try '--help'.

$ partnerctl validate --as-of tomorrow
error: invalid value 'tomorrow' for '--as-of <DATE>': a day is written 2027-03-31

For more information, try '--help'.

$ partnerctl validate --colour
error: unexpected argument '--colour' found

  tip: to pass '--colour' as a value, use '-- --colour'

Usage: partnerctl validate [OPTIONS] [FOLDER]

For more information, try '--help'.

$ partnerctl validate a b
error: unexpected argument 'b' found

Usage: partnerctl validate [OPTIONS] [FOLDER]

For more information, try '--help'.

$ partnerctl conquer
error: unrecognized subcommand 'conquer'

  tip: a similar subcommand exists: 'confirm'

Usage: partnerctl [OPTIONS] <COMMAND>

For more information, try '--help'.

error: there is no partnerctl.yaml here or above
  name a folder, or begin with `partnerctl init`

"#]]
        .raw()
    );
}

#[test]
fn help_and_version_are_asked_for() {
    let folder = Folder::new();
    for args in [&["--help"] as &[&str], &["-h"], &["help"], &["validate", "--help"]] {
        let ended = folder.run(args);
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{args:?}");
        assert!(ended.out.contains("Usage: partnerctl"), "{args:?}");
    }
    let version = folder.run(&["--version"]);
    assert_eq!(
        version.shown(),
        format!("exit 0\n--- stdout\npartnerctl {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn files_are_named_instead_of_the_projects() {
    let folder = Folder::project().with("more/ben.yaml", NOBODY);
    // A part of an estate: nobody says that it has no Account.
    for path in ["more/ben.yaml", "more", "./more/../more/"] {
        let ended = folder.validate(&["-f", path, "--format", "json"]);
        assert_eq!(places(&found(&ended.out)), ["more/ben.yaml:4:1 P1001"], "{path}");
    }
    let ended = folder.validate(&["-f", "more", "--complete", "--format", "json"]);
    assert_eq!(
        places(&found(&ended.out)),
        ["more/ben.yaml:4:1 P1001", "partnerctl.yaml:1:1 P0210"]
    );
    let ended = folder.validate(&["-f", "more", "-f", "estate", "--format", "json"]);
    assert_eq!(places(&found(&ended.out)), ["more/ben.yaml:4:1 P1001"]);
    let twice =
        Run::new(&["validate", "-f", "-", "-f", "-"]).within(folder.path()).stdin(NOBODY).end();
    assert!(twice.out.contains("P1001"), "{}", twice.out);
}

#[test]
fn a_file_that_several_ways_lead_to_is_one_file() {
    let folder = Folder::project().with_link("estate/again.yaml", "users.yaml");
    for args in [&["-f", "estate", "-f", "estate/users.yaml"] as &[&str], &["."]] {
        let ended = folder.validate(args);
        assert!(ended.out.starts_with("checked 3 documents in 2 files"), "{}", ended.out);
    }
    let twice = "manifests: [estate, estate/users.yaml, ./estate/../estate]";
    let folder = folder.edit("partnerctl.yaml", "manifests: [estate]", twice);
    assert_eq!(folder.findings(), []);
}

#[test]
fn a_complete_load_wants_the_guards() {
    let folder = Folder::project();
    let partial = folder.validate(&["-f", "estate/account.yaml"]);
    assert_eq!(partial.code, 0, "{}", partial.out);
    let complete = folder.validate(&["-f", "estate/account.yaml", "--complete"]);
    assert_data_eq!(
        complete.shown(),
        str![[r#"
exit 3
--- stdout
error[P1901]: no global admin is declared, and at least 1 must remain
 --> partnerctl.yaml:1:1
  = help: those count who are enabled, not guests, not expired, and have `admin: global` for good

error[P1902]: no admin agent is declared, and at least 1 must remain
 --> partnerctl.yaml:1:1
  = help: those count who are enabled, not guests, not expired, and have `agent: admin`

2 errors in 1 document (1 file)

"#]]
        .raw()
    );
}

#[test]
fn standard_input_is_a_stream() {
    let folder = Folder::new();
    let run = |text: &str, more: &[&str]| {
        let args = [&["validate", "--as-of", TODAY, "-f", "-"], more].concat();
        Run::new(&args).within(folder.path()).stdin(text).end()
    };
    assert_data_eq!(
        run(&format!("{ACCOUNT}---\n{USERS}"), &["--complete"]).shown(),
        str![[r#"
exit 0
--- stdout
checked 3 documents in 1 file: 1 account, 2 users
no findings

"#]]
        .raw()
    );
    assert_data_eq!(
        run(NOBODY, &[]).shown(),
        str![[r#"
exit 3
--- stdout
error[P1001]: no `admin` level is chosen
 --> -:4:1
  |
4 | spec: {displayName: Ben, email: ben@fabrikam.example, agent: none}
  | ^^^^
  |
  = help: choose `global`, `user-management`, `billing` or `none`: `admin: none` says nobody forgot

1 error in 1 document (1 file)

"#]]
        .raw()
    );
}

#[test]
fn nothing_at_all_is_an_error() {
    let nothing = Folder::new().with("empty.yaml", "# nobody yet\n").with("notes.txt", "x");
    assert_data_eq!(
        nothing.validate(&["."]).shown(),
        str![[r#"
exit 3
--- stdout
error[P0208]: the manifests hold no documents
 --> partnerctl.yaml:1:1
  = help: manifests are *.yaml, *.yml and *.json files; `partnerctl init` writes some to begin with

1 error in 0 documents (1 file)

"#]]
        .raw()
    );
    let folder = Folder::new().with_folder("estate").with("partnerctl.yaml", PROJECT);
    assert_data_eq!(
        folder.validate(&[]).shown(),
        str![[r#"
exit 3
--- stdout
error[P0208]: there are no manifests
 --> partnerctl.yaml:1:1
  = help: manifests are *.yaml, *.yml and *.json files; `partnerctl init` writes some to begin with

1 error in 0 documents (0 files)

"#]]
        .raw()
    );
    let stream = Run::new(&["validate", "-f", "-"]).within(folder.path()).end();
    assert_eq!((stream.code, stream.out.contains("P0208")), (3, true), "{}", stream.out);
}

#[test]
fn warnings_pass_unless_denied() {
    let folder = Folder::project().with("estate/ben.yaml", WARNING);
    let ended = folder.validate(&[]);
    assert_data_eq!(
        ended.shown(),
        str![[r#"
exit 0
--- stdout
warning[P1005]: no account role `metaverse-admin` is known here
 --> estate/ben.yaml:4:96
  |
4 | … Ben, email: ben@fabrikam.example, agent: none, admin: none, roles: [{role: metaverse-admin}]}
  |                                                                              ^^^^^^^^^^^^^^^
  |
  = help: Microsoft adds roles: this one is looked up by its name in the tenant

1 warning in 4 documents (3 files)

"#]]
        .raw()
    );
    let denied = folder.validate(&["--deny", "warnings"]);
    assert_eq!((denied.code, denied.out), (3, ended.out));
    // Notes are never denied.
    let folder = Folder::project()
        .edit("estate/users.yaml", "{name: chie}", "{name: chie, expires: 2027-01-31}")
        .with("estate/dora.yaml", USERS.replace("aiko", "dora").replace("chie", "emi"));
    let ended = folder.run(&["validate", "--as-of", "2027-02-01", "--deny", "warnings"]);
    assert_data_eq!(ended.shown(), str![[r#"
exit 0
--- stdout
note[P1008]: what `chie` holds expired on 2027-01-31
 --> estate/users.yaml:8:33
  |
8 | metadata: {name: chie, expires: 2027-01-31}
  |                                 ^^^^^^^^^^
  |
  = help: it counts as not held, and the next plan takes it away; remove the document or move the day

1 note in 5 documents (3 files)

"#]].raw());
    let before = folder.run(&["validate", "--as-of", "2027-01-31", "--deny", "warnings"]);
    assert_eq!((before.code, before.out.contains("no findings")), (0, true));
}

/// One finding of each severity, with a help, related places, wide characters.
fn small() -> Folder {
    Folder::project()
        .with("estate/ben.yaml", format!("{WARNING}---\n{}", NOBODY.replace("ben", "ken")))
        .edit("estate/users.yaml", "{name: chie}", "{name: aiko}")
        .with(
            "estate/old.yaml",
            "\
apiVersion: partnerctl/v1
kind: User
metadata: {name: dora, expires: 2026-03-31}
spec: {displayName: 森 千恵, email: chie@fabrikam.example, agent: none, admin: global}
",
        )
}

#[test]
fn every_format_shows_the_same_findings() {
    let folder = small();
    let show = |format: &str| {
        let ended = folder.validate(&["--format", format]);
        assert_eq!((ended.code, ended.err.as_str()), (3, ""), "{format}");
        ended.out
    };
    assert_data_eq!(show("text"), str![[r#"
warning[P1005]: no account role `metaverse-admin` is known here
 --> estate/ben.yaml:4:96
  |
4 | … Ben, email: ben@fabrikam.example, agent: none, admin: none, roles: [{role: metaverse-admin}]}
  |                                                                              ^^^^^^^^^^^^^^^
  |
  = help: Microsoft adds roles: this one is looked up by its name in the tenant

error[P1001]: no `admin` level is chosen
 --> estate/ben.yaml:9:1
  |
9 | spec: {displayName: Ben, email: ken@fabrikam.example, agent: none}
  | ^^^^
  |
  = help: choose `global`, `user-management`, `billing` or `none`: `admin: none` says nobody forgot

note[P1008]: what `dora` holds expired on 2026-03-31
 --> estate/old.yaml:3:33
  |
3 | metadata: {name: dora, expires: 2026-03-31}
  |                                 ^^^^^^^^^^
  |
  = help: it counts as not held, and the next plan takes it away; remove the document or move the day

error[P0301]: there is another User named `aiko`
 --> estate/users.yaml:8:18
  |
8 | metadata: {name: aiko}
  |                  ^^^^
  |
  = help: names are unique per kind: rename one, and say `formerly` if it was applied before
note: the other one
 --> estate/users.yaml:3:18
  |
3 | metadata: {name: aiko}
  |                  ^^^^

2 errors, 1 warning, 1 note in 6 documents (4 files)

"#]].raw());
    assert_data_eq!(show("json"), str![[r#"
{
  "format": "partnerctl/findings/v1",
  "findings": [
    {
      "code": "P1005",
      "severity": "warning",
      "message": "no account role `metaverse-admin` is known here",
      "help": "Microsoft adds roles: this one is looked up by its name in the tenant",
      "file": "estate/ben.yaml",
      "line": 4,
      "column": 96,
      "endLine": 4,
      "endColumn": 111,
      "object": "user/ben",
      "related": []
    },
    {
      "code": "P1001",
      "severity": "error",
      "message": "no `admin` level is chosen",
      "help": "choose `global`, `user-management`, `billing` or `none`: `admin: none` says nobody forgot",
      "file": "estate/ben.yaml",
      "line": 9,
      "column": 1,
      "endLine": 9,
      "endColumn": 5,
      "object": "user/ken",
      "related": []
    },
    {
      "code": "P1008",
      "severity": "note",
      "message": "what `dora` holds expired on 2026-03-31",
      "help": "it counts as not held, and the next plan takes it away; remove the document or move the day",
      "file": "estate/old.yaml",
      "line": 3,
      "column": 33,
      "endLine": 3,
      "endColumn": 43,
      "object": "user/dora",
      "related": []
    },
    {
      "code": "P0301",
      "severity": "error",
      "message": "there is another User named `aiko`",
      "help": "names are unique per kind: rename one, and say `formerly` if it was applied before",
      "file": "estate/users.yaml",
      "line": 8,
      "column": 18,
      "endLine": 8,
      "endColumn": 22,
      "object": "user/aiko",
      "related": [
        {
          "message": "the other one",
          "file": "estate/users.yaml",
          "line": 3,
          "column": 18
        }
      ]
    }
  ],
  "checked": {
    "files": 4,
    "documents": 6
  }
}

"#]].raw());
    assert_data_eq!(show("junit"), str![[r#"
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="partnerctl validate" tests="6" skipped="0" failures="2" errors="0">
    <testsuite name="estate/account.yaml" tests="1" skipped="0" errors="0" failures="0">
        <testcase name="no findings" classname="estate/account.yaml"/>
    </testsuite>
    <testsuite name="estate/ben.yaml" tests="2" skipped="0" errors="0" failures="1">
        <testcase name="P1005 user/ben: no account role `metaverse-admin` is known here" classname="estate/ben.yaml">
            <system-out>warning[P1005]: no account role `metaverse-admin` is known here
--&gt; estate/ben.yaml:4:96
help: Microsoft adds roles: this one is looked up by its name in the tenant</system-out>
        </testcase>
        <testcase name="P1001 user/ken: no `admin` level is chosen" classname="estate/ben.yaml">
            <failure message="no `admin` level is chosen" type="P1001">error[P1001]: no `admin` level is chosen
--&gt; estate/ben.yaml:9:1
help: choose `global`, `user-management`, `billing` or `none`: `admin: none` says nobody forgot</failure>
        </testcase>
    </testsuite>
    <testsuite name="estate/old.yaml" tests="1" skipped="0" errors="0" failures="0">
        <testcase name="P1008 user/dora: what `dora` holds expired on 2026-03-31" classname="estate/old.yaml">
            <system-out>note[P1008]: what `dora` holds expired on 2026-03-31
--&gt; estate/old.yaml:3:33
help: it counts as not held, and the next plan takes it away; remove the document or move the day</system-out>
        </testcase>
    </testsuite>
    <testsuite name="estate/users.yaml" tests="1" skipped="0" errors="0" failures="1">
        <testcase name="P0301 user/aiko: there is another User named `aiko`" classname="estate/users.yaml">
            <failure message="there is another User named `aiko`" type="P0301">error[P0301]: there is another User named `aiko`
--&gt; estate/users.yaml:8:18
help: names are unique per kind: rename one, and say `formerly` if it was applied before
note: the other one (estate/users.yaml:3:18)</failure>
        </testcase>
    </testsuite>
    <testsuite name="partnerctl.yaml" tests="1" skipped="0" errors="0" failures="0">
        <testcase name="no findings" classname="partnerctl.yaml"/>
    </testsuite>
</testsuites>

"#]].raw());
    assert_data_eq!(show("github"), str![[r#"
::error file=estate/ben.yaml,line=9,endLine=9,col=1,endColumn=5,title=P1001::no `admin` level is chosen%0Ahelp: choose `global`, `user-management`, `billing` or `none`: `admin: none` says nobody forgot
::error file=estate/users.yaml,line=8,endLine=8,col=18,endColumn=22,title=P0301::there is another User named `aiko`%0Ahelp: names are unique per kind: rename one, and say `formerly` if it was applied before%0Anote: the other one (estate/users.yaml:3:18)
::warning file=estate/ben.yaml,line=4,endLine=4,col=96,endColumn=111,title=P1005::no account role `metaverse-admin` is known here%0Ahelp: Microsoft adds roles: this one is looked up by its name in the tenant
::notice file=estate/old.yaml,line=3,endLine=3,col=33,endColumn=43,title=P1008::what `dora` holds expired on 2026-03-31%0Ahelp: it counts as not held, and the next plan takes it away; remove the document or move the day
2 errors, 1 warning, 1 note in 6 documents (4 files)

"#]].raw());
    // Without the rules, which are the stories of the codes.
    let mut sarif: serde_json::Value = serde_json::from_str(&show("sarif")).expect("JSON");
    sarif["runs"][0]["tool"]["driver"]["rules"] = "as in the reference".into();
    for key in ["version", "semanticVersion"] {
        sarif["runs"][0]["tool"]["driver"][key] = "VERSION".into();
    }
    let sarif = serde_json::to_string_pretty(&sarif).expect("JSON") + "\n";
    assert_data_eq!(sarif, str![[r#"
{
  "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
  "version": "2.1.0",
  "runs": [
    {
      "tool": {
        "driver": {
          "name": "partnerctl",
          "version": "VERSION",
          "semanticVersion": "VERSION",
          "rules": "as in the reference"
        }
      },
      "columnKind": "unicodeCodePoints",
      "originalUriBaseIds": {
        "%SRCROOT%": {
          "description": {
            "text": "the project's folder"
          }
        }
      },
      "results": [
        {
          "ruleId": "P1005",
          "ruleIndex": 2,
          "level": "warning",
          "message": {
            "text": "no account role `metaverse-admin` is known here\nhelp: Microsoft adds roles: this one is looked up by its name in the tenant"
          },
          "locations": [
            {
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "estate/ben.yaml",
                  "uriBaseId": "%SRCROOT%"
                },
                "region": {
                  "startLine": 4,
                  "startColumn": 96,
                  "endLine": 4,
                  "endColumn": 111
                }
              },
              "logicalLocations": [
                {
                  "fullyQualifiedName": "user/ben"
                }
              ]
            }
          ],
          "partialFingerprints": {
            "partnerctl/v1": "e13a93397b0786c0:1"
          }
        },
        {
          "ruleId": "P1001",
          "ruleIndex": 1,
          "level": "error",
          "message": {
            "text": "no `admin` level is chosen\nhelp: choose `global`, `user-management`, `billing` or `none`: `admin: none` says nobody forgot"
          },
          "locations": [
            {
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "estate/ben.yaml",
                  "uriBaseId": "%SRCROOT%"
                },
                "region": {
                  "startLine": 9,
                  "startColumn": 1,
                  "endLine": 9,
                  "endColumn": 5
                }
              },
              "logicalLocations": [
                {
                  "fullyQualifiedName": "user/ken"
                }
              ]
            }
          ],
          "partialFingerprints": {
            "partnerctl/v1": "3b086aee4934694c:1"
          }
        },
        {
          "ruleId": "P1008",
          "ruleIndex": 3,
          "level": "note",
          "message": {
            "text": "what `dora` holds expired on 2026-03-31\nhelp: it counts as not held, and the next plan takes it away; remove the document or move the day"
          },
          "locations": [
            {
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "estate/old.yaml",
                  "uriBaseId": "%SRCROOT%"
                },
                "region": {
                  "startLine": 3,
                  "startColumn": 33,
                  "endLine": 3,
                  "endColumn": 43
                }
              },
              "logicalLocations": [
                {
                  "fullyQualifiedName": "user/dora"
                }
              ]
            }
          ],
          "partialFingerprints": {
            "partnerctl/v1": "ae8847bdca439104:1"
          }
        },
        {
          "ruleId": "P0301",
          "ruleIndex": 0,
          "level": "error",
          "message": {
            "text": "there is another User named `aiko`\nhelp: names are unique per kind: rename one, and say `formerly` if it was applied before"
          },
          "locations": [
            {
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "estate/users.yaml",
                  "uriBaseId": "%SRCROOT%"
                },
                "region": {
                  "startLine": 8,
                  "startColumn": 18,
                  "endLine": 8,
                  "endColumn": 22
                }
              },
              "logicalLocations": [
                {
                  "fullyQualifiedName": "user/aiko"
                }
              ]
            }
          ],
          "partialFingerprints": {
            "partnerctl/v1": "921fe92f4b5d084d:1"
          },
          "relatedLocations": [
            {
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "estate/users.yaml",
                  "uriBaseId": "%SRCROOT%"
                },
                "region": {
                  "startLine": 3,
                  "startColumn": 18,
                  "endLine": 3,
                  "endColumn": 22
                }
              },
              "id": 0,
              "message": {
                "text": "the other one"
              }
            }
          ]
        }
      ]
    }
  ]
}

"#]].raw());
}

#[test]
fn outputs_are_the_same_every_time() {
    let folder = small();
    for format in FORMATS {
        let first = folder.validate(&["--format", format]).out;
        for _ in 0..3 {
            assert_eq!(folder.validate(&["--format", format]).out, first);
        }
    }
}

#[test]
fn json_and_sarif_follow_their_schemas() {
    let schema = partnerctl::report::json::schema();
    let json = jsonschema::validator_for(&schema).expect("a schema");
    let path = repository().join("tests/fixtures/sarif-schema-2.1.0.json");
    let text = fs::read_to_string(path).expect("the schema is there");
    let mut schema: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    // Published with a stray `]`, which strict expressions refuse; no report names a language.
    for holder in ["run", "toolComponent"] {
        let language = schema.pointer_mut(&format!("/definitions/{holder}/properties/language"));
        language.and_then(|it| it.as_object_mut()).expect("a schema").remove("pattern");
    }
    let sarif = jsonschema::validator_for(&schema).expect("a schema");
    let nothing = Folder::new();
    for folder in [small(), Folder::project(), nothing.with_folder("x")] {
        for (format, validator) in [("json", &json), ("sarif", &sarif)] {
            let value = serde_json::from_str(&folder.validate(&["--format", format, "."]).out);
            let value = value.expect("JSON");
            let errors: Vec<String> =
                validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert_eq!(errors, Vec::<String>::new(), "{format}");
        }
    }
}

#[test]
fn whoever_stops_reading_is_no_error() {
    // More output than a pipe holds.
    let many: String = (0..5000).map(|at| format!("---\nkind: User{at}\n")).collect();
    let folder = Folder::project().with("estate/many.yaml", many);
    for format in FORMATS {
        let args = ["validate", "--format", format];
        let (mut command, _home) = Run::new(&args).within(folder.path()).command();
        let mut child = command.spawn().expect("the program starts");
        let mut out = child.stdout.take().expect("a pipe");
        out.read_exact(&mut [0; 10]).expect("it begins to write");
        drop(out);
        let ended = child.wait_with_output().expect("it ends");
        assert_eq!(String::from_utf8_lossy(&ended.stderr), "", "{format}");
        assert!(matches!(ended.status.code(), Some(0 | 3)), "{format}: {}", ended.status);
    }
}

#[test]
fn kustomize_says_where_a_document_of_a_stream_came_from() {
    let stream = "\
apiVersion: partnerctl/v1
kind: User
metadata:
  name: ben
  annotations:
    config.kubernetes.io/origin: |
      path: ../base/ben.yaml
spec: {displayName: Ben, email: ben@elsewhere.example, agent: none, colour: red}
---
apiVersion: partnerctl/v1
kind: User
metadata:
  name: ken
  annotations:
    config.kubernetes.io/origin: |
      path: ../base/ken.yaml
spec: {displayName: Ken, email: ken@elsewhere.example, agent: none, admin: none, roles: [nobody]}
";
    let folder = Folder::new().with("account.yaml", ACCOUNT);
    let run = |format: &str| {
        let args =
            ["validate", "--as-of", TODAY, "-f", "-", "-f", "account.yaml", "--format", format];
        Run::new(&args).within(folder.path()).stdin(stream).end()
    };
    let found = found(&run("json").out);
    assert!(found.iter().all(|found| found.line.is_none()), "{found:?}");
    assert_eq!(
        places(&found),
        [
            "../base/ben.yaml P0101",
            "../base/ben.yaml P1001",
            "../base/ken.yaml P0303",
            "../base/ken.yaml P1004",
        ]
    );
    assert_data_eq!(run("text").shown(), str![[r#"
exit 3
--- stdout
error[P0101]: unknown key `colour` in User
 --> ../base/ben.yaml
  = help: User has `displayName`, `email`, `signInName`, `agent`, `admin`, `roles`, `enabled`, `usageLocation`, `userType`, `givenName`, `surname`, `jobTitle`, `department`, `mobilePhone` and `preferredLanguage`

error[P1001]: no `admin` level is chosen
 --> ../base/ben.yaml
  = help: choose `global`, `user-management`, `billing` or `none`: `admin: none` says nobody forgot

error[P0303]: there is no role `nobody`
 --> ../base/ken.yaml
  = help: declare a Role of that name, or name an account role

error[P1004]: `ken@elsewhere.example` is in no domain of the account
 --> ../base/ken.yaml
  = help: sign in under `fabrikam.example`: give a `signInName`, or say `userType: guest`

4 errors in 3 documents (2 files)

"#]].raw());
}

#[test]
fn files_are_named_relative_to_the_project() {
    let folder = Folder::project().with("estate/people/ben.yaml", NOBODY);
    let path = folder.path().to_str().expect("UTF-8").to_owned();
    let elsewhere = Folder::new();
    for format in FORMATS {
        for args in [&[path.as_str()] as &[&str], &["--project", &path]] {
            let ended = elsewhere.validate(&[args, &["--format", format]].concat());
            assert!(ended.out.contains("estate/people/ben.yaml"), "{format}: {}", ended.out);
            assert!(!ended.out.contains(&path), "{format}: {}", ended.out);
        }
        let below = Run::new(&["validate", "--format", format])
            .within(&folder.path().join("estate/people"))
            .end();
        assert!(below.out.contains("estate/people/ben.yaml"), "{format}: {}", below.out);
    }
}

#[test]
fn paths_out_of_the_project_are_errors_and_show_nothing() {
    let outside = Folder::new()
        .with("secret.yaml", "apiVersion: partnerctl/v1\nkind: Sesame\n")
        .with("rows.csv", "name,sesame\n");
    let path = outside.path().join("secret.yaml");
    let absolute = path.to_str().expect("UTF-8");
    let up = outside.path().file_name().and_then(|name| name.to_str()).expect("a name");
    let table = |name: &str, file: &str| {
        format!(
            "apiVersion: partnerctl/v1\nkind: CustomerTable\nmetadata: {{name: {name}}}\nspec: {{file: '{file}'}}\n"
        )
    };
    let folder = Folder::project()
        .with(
            "partnerctl.yaml",
            format!(
                "\
apiVersion: partnerctl/v1
kind: Project
metadata: {{name: fabrikam}}
spec:
  manifests:
    - estate
    - nowhere
    - {absolute}
    - ../{up}/secret.yaml
    - ../{up}/not-there.yaml
    - linked.yaml
    - linked/secret.yaml
  policies: [rules]
"
            ),
        )
        .with_link("linked.yaml", &path)
        .with_link("linked", outside.path())
        .with_link("estate/out.yaml", &path)
        .with_link("estate/people", outside.path())
        .with_link("estate/gone.yaml", "not-there.yaml")
        .with_link("estate/rows.csv", outside.path().join("rows.csv"))
        .with(
            "estate/table.yaml",
            [
                table("absolute", outside.path().join("rows.csv").to_str().expect("UTF-8")),
                table("up", &format!("../../{up}/rows.csv")),
                table("link", "rows.csv"),
                table("missing", "missing.csv"),
            ]
            .join("---\n"),
        );
    let all = folder.findings();
    assert_eq!(
        places(&all),
        [
            "estate/gone.yaml P0206",
            "estate/out.yaml P0207",
            "estate/people P0207",
            "estate/table.yaml:4:14 P0207",
            "estate/table.yaml:9:14 P0207",
            "estate/table.yaml:14:14 P0207",
            "estate/table.yaml:19:14 P0206",
            "partnerctl.yaml:7:7 P0206",
            "partnerctl.yaml:8:7 P0207",
            "partnerctl.yaml:9:7 P0207",
            "partnerctl.yaml:10:7 P0207",
            "partnerctl.yaml:11:7 P0207",
            "partnerctl.yaml:12:7 P0207",
            "partnerctl.yaml:13:14 P0206",
        ]
    );
    for format in FORMATS {
        let ended = folder.validate(&["--format", format, "-v"]);
        assert_eq!(ended.code, 3);
        assert!(!ended.all().to_lowercase().contains("sesame"), "{format}: {}", ended.all());
    }
}

#[test]
fn a_project_file_that_leads_out_is_not_read() {
    let outside = Folder::new().with("passwd", "root:sesame:0:0\n");
    let target = outside.path().join("passwd");
    let folder = Folder::new()
        .with_link("partnerctl.yaml", &target)
        .with_link("other.yaml", &target)
        .with("estate/account.yaml", ACCOUNT)
        .with("estate/users.yaml", USERS);
    let path = folder.path().to_str().expect("UTF-8");
    for (args, file) in [
        (&[] as &[&str], "partnerctl.yaml P0207"),
        (&["."], "partnerctl.yaml P0207"),
        (&[path], "partnerctl.yaml P0207"),
        (&["--project", "."], "partnerctl.yaml P0207"),
        (&["--project", "partnerctl.yaml"], "partnerctl.yaml P0207"),
        (&["--project", "other.yaml"], "other.yaml P0207"),
        (&["-f", "estate"], "partnerctl.yaml P0207"),
    ] {
        let json = folder.validate(&[args, &["--format", "json"]].concat());
        assert_eq!(places(&found(&json.out)), [file], "{args:?}");
        for command in ["validate", "fmt"] {
            let ended = folder.run(&[&[command, "-v"], args].concat());
            assert!(!ended.all().contains("sesame"), "{command} {args:?}: {}", ended.all());
            assert_ne!(ended.code, 0, "{command} {args:?}");
        }
    }
    let below = Run::new(&["validate"]).within(&folder.path().join("estate")).end();
    assert_eq!(below.code, 3);
    assert!(below.out.contains("P0207") && !below.all().contains("sesame"), "{}", below.all());
    // Within its folder a link is as good as a file, and stays a link when it is laid out.
    let folder = Folder::project()
        .with("settings/project.txt", PROJECT.replace("  manifests: [", "  manifests:  ["))
        .with_link("linked.yaml", "settings/project.txt");
    assert_eq!(folder.validate(&["--project", "linked.yaml"]).code, 0);
    assert_eq!(folder.run(&["fmt", "--project", "linked.yaml"]).code, 0);
    let link = folder.path().join("linked.yaml");
    assert!(link.symlink_metadata().expect("it is there").is_symlink());
    assert!(!fs::read_to_string(link).expect("a file").contains("manifests:  ["));
}

#[test]
fn a_named_link_of_the_project_does_not_lead_out() {
    let outside = Folder::new().with("x.yaml", "apiVersion: partnerctl/v1\nkind: Sesame\n");
    let folder = Folder::project()
        .with_link("estate/l.yaml", outside.path().join("x.yaml"))
        .with_link("estate/deep", outside.path())
        .with_link("estate/near.yaml", "users.yaml");
    let absolute = folder.path().join("estate/l.yaml");
    for path in [
        "estate/l.yaml",
        "./estate/../estate/l.yaml",
        "estate/deep",
        "estate/deep/x.yaml",
        absolute.to_str().expect("UTF-8"),
    ] {
        let ended = folder.validate(&["-f", path, "--format", "json"]);
        assert_eq!(codes(&found(&ended.out)), ["P0207"], "{path}");
        for command in ["validate", "fmt"] {
            let ended = folder.run(&[command, "-v", "-f", path]);
            assert!(!ended.all().contains("Sesame"), "{command} {path}: {}", ended.all());
            assert_ne!(ended.code, 0, "{command} {path}");
        }
    }
    assert_eq!(folder.validate(&["-f", "estate/near.yaml", "-f", "estate/account.yaml"]).code, 0);
    // What is named where it is, is theirs to name; also by a link that is no part of the project.
    let elsewhere = Folder::new().with_link("l.yaml", outside.path().join("x.yaml"));
    for path in [outside.path().join("x.yaml"), elsewhere.path().join("l.yaml")] {
        let ended = folder.validate(&["-f", path.to_str().expect("UTF-8")]);
        assert!(ended.out.contains("Sesame"), "{}", ended.out);
    }
}

#[test]
fn a_diff_shows_no_secret() {
    let folder = Folder::project().with(
        "partnerctl.yaml",
        format!(
            "{PROJECT}  contexts:
    production:
      tenant: fabrikam.onmicrosoft.com
      auth:
        read: {{clientId: a,   clientSecret: hunter2Super}}
        write:
          clientSecret:   hunter2Super
          refreshToken:   {{env: PARTNERCTL_TOKEN}}
          client-secret: |
              hunter2Super
"
        ),
    );
    let ended = folder.run(&["fmt", "--check"]);
    assert_eq!(ended.code, 3);
    assert!(!ended.all().contains("hunter2"), "{}", ended.all());
    assert!(ended.out.contains("-          clientSecret:   ••••••"), "{}", ended.out);
    assert!(ended.out.contains("+          clientSecret: ••••••"), "{}", ended.out);
    assert!(
        ended.out.contains("+          refreshToken: {env: PARTNERCTL_TOKEN}"),
        "{}",
        ended.out
    );
}

#[test]
fn fmt_lays_out_what_is_there_and_says_what_is_missing() {
    let project = PROJECT.replace("[estate]", "[estate, nowhere]");
    let folder = Folder::project()
        .with("partnerctl.yaml", &project)
        .with("estate/users.yaml", USERS.replace("kind: User", "kind:   User"))
        .with_link("estate/gone.yaml", "not-there.yaml");
    assert_data_eq!(
        folder.run(&["fmt"]).shown(),
        str![[r#"
exit 3
--- stdout
estate/users.yaml
--- stderr
estate/gone.yaml: this link leads nowhere
partnerctl.yaml: there is no `nowhere`
1 of 3 files changed

"#]]
        .raw()
    );
    let users = folder.path().join("estate/users.yaml");
    assert_eq!(fs::read_to_string(users).expect("a file"), USERS);
    // It needs no policies.
    let folder =
        Folder::project().with("partnerctl.yaml", format!("{PROJECT}  policies: [rules]\n"));
    assert_data_eq!(
        folder.run(&["fmt"]).shown(),
        str![[r#"
exit 0
--- stderr
nothing to change in 3 files

"#]]
        .raw()
    );
    // What a project is made of is not guessed.
    let folder = Folder::project().with("partnerctl.yaml", "kind: [\n");
    let ended = folder.run(&["fmt"]);
    assert_eq!((ended.code, ended.out.as_str()), (3, ""));
    assert!(ended.err.contains("what the manifests are cannot be read from it"), "{}", ended.err);
}

#[test]
fn fmt_tells_of_documents_that_cannot_be_read() {
    let users = USERS.replace("kind: User", "kind:   User");
    let folder = Folder::project()
        .with("estate/broken.yaml", format!("{users}---\nkind: [\n"))
        .with("estate/worse.yaml", "kind: [\n---\nkind: }\n")
        .with("estate/latin.yaml", b"kind: \xe9\n");
    let broken = fs::read(folder.path().join("estate/worse.yaml")).expect("a file");
    assert_data_eq!(
        folder.run(&["fmt"]).shown(),
        str![[r#"
exit 0
--- stdout
estate/broken.yaml
--- stderr
estate/broken.yaml: a document that cannot be read was left as it is: `partnerctl validate` says why
estate/latin.yaml: not UTF-8, left as it is
estate/worse.yaml: 2 documents that cannot be read were left as they are: `partnerctl validate` says why
1 of 6 files changed; 3 hold what cannot be read

"#]]
        .raw()
    );
    assert_eq!(fs::read(folder.path().join("estate/worse.yaml")).expect("a file"), broken);
    let ended = folder.run(&["fmt", "--check"]);
    assert_eq!((ended.code, ended.out.as_str()), (3, ""));
    assert!(ended.err.ends_with("nothing to change in 6 files; 3 hold what cannot be read\n"));
}

#[test]
fn what_is_not_a_manifest_is_left_out() {
    let wrong = "kind: Wrong\n";
    let folder = Folder::bare()
        .with("kustomization.yaml", wrong)
        .with("deep/kustomization.yml", wrong)
        .with(".hidden.yaml", wrong)
        .with(".hidden/users.yaml", wrong)
        .with("README.md", wrong)
        .with("users.yaml.orig", wrong)
        .with("users.YAML~", wrong);
    assert_data_eq!(
        folder.validate(&["."]).shown(),
        str![[r#"
exit 0
--- stdout
checked 3 documents in 2 files: 1 account, 2 users
no findings

"#]]
        .raw()
    );
}

#[test]
fn extensions_are_compared_without_case() {
    let folder = Folder::new()
        .with("account.YAML", ACCOUNT)
        .with("users.Yml", USERS)
        .with("wrong.JSON", "{\"apiVersion\": \"partnerctl/v1\", kind: User}\n");
    assert_eq!(places(&folder.findings()), ["wrong.JSON:1:33 P0002"]);
}

#[test]
fn a_named_pipe_is_read_like_standard_input() {
    let folder = Folder::project();
    let elsewhere = Folder::new();
    let pipe = elsewhere.path().join("pipe.yaml");
    let named = pipe.to_str().expect("UTF-8");
    let run = |args: &[&str]| {
        let pipe = pipe.clone();
        let text = USERS.replace("kind: User", "kind:   User");
        let writer = std::thread::spawn(move || fs::write(pipe, text).expect("a reader"));
        let ended = folder.run(args);
        writer.join().expect("it wrote");
        ended
    };
    let mode = nix::sys::stat::Mode::S_IRWXU;
    nix::unistd::mkfifo(&pipe, mode).expect("a pipe");
    let ended = run(&["validate", "-f", named, "-f", "estate/account.yaml"]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    assert!(ended.out.contains("3 documents in 2 files"), "{}", ended.out);
    let ended = run(&["fmt", "-f", named]);
    assert_eq!((ended.code, ended.out.as_str()), (0, USERS));
    // A pipe without a name, as `<(...)` of a shell makes it, is named as it was written.
    let ended = Run::new(&["validate", "--format", "json", "-f", "/dev/fd/0"])
        .within(folder.path())
        .stdin("kind: Wrong\n")
        .end();
    assert!(found(&ended.out).iter().any(|found| found.file == "/dev/fd/0"), "{}", ended.out);
}

#[test]
fn a_project_begins_with_its_folders_name() {
    let folder = Folder::new().with("file", "");
    assert_data_eq!(
        folder.run(&["init", "fabrikam-jp"]).shown(),
        str![[r#"
exit 0
--- stdout
a project to begin with:

  fabrikam-jp/partnerctl.yaml
  fabrikam-jp/estate/account.yaml
  fabrikam-jp/estate/users.yaml
  fabrikam-jp/estate/roles.yaml
  fabrikam-jp/estate/customers.yaml
  fabrikam-jp/estate/access-tests.yaml
  fabrikam-jp/policies/guardrails.cedar
  fabrikam-jp/handover/.gitignore
  fabrikam-jp/.gitignore
  fabrikam-jp/handover/key.txt
  fabrikam-jp/schemas/partnerctl.schema.json

put your own account into estate/account.yaml; with its domains, the addresses of the users change too. Then: partnerctl validate fabrikam-jp

"#]]
        .raw()
    );
    for (name, expected, next) in [
        ("fabrikam-jp", "name: fabrikam-jp", ""),
        ("Our Account", "name: my-account", "partnerctl validate 'Our Account'\n"),
        ("it's", "name: my-account", "partnerctl validate 'it'\\''s'\n"),
        ("2026", "name: \"2026\"", "partnerctl validate 2026\n"),
        ("true", "name: \"true\"", "partnerctl validate true\n"),
    ] {
        if !next.is_empty() {
            let ended = folder.run(&["init", name]);
            assert!(ended.out.ends_with(next), "{}", ended.all());
        }
        let project = folder.path().join(name).join("partnerctl.yaml");
        let text = fs::read_to_string(project).expect("a project");
        assert!(text.contains(&format!("  {expected}\n")), "{text}");
        assert_eq!(folder.validate(&[name]).code, 0, "{name}");
        assert_eq!(folder.run(&["fmt", "--check", name]).code, 0, "{name}");
    }
    let here = Folder::new().with_folder("northwind");
    let ended = Run::new(&["init"]).within(&here.path().join("northwind")).end();
    assert!(ended.out.ends_with("Then: partnerctl validate\n"), "{}", ended.out);
    let project = here.path().join("northwind/partnerctl.yaml");
    assert!(fs::read_to_string(project).expect("a project").contains("name: northwind\n"));
    for (path, file) in [("file", "file"), ("file/deeper", "file")] {
        let ended = folder.run(&["init", path]);
        assert_eq!((ended.code, ended.out.as_str()), (64, ""), "{path}");
        assert_eq!(
            ended.err,
            format!(
                "error: {file} is not a folder\n  nothing was written; name a folder to begin in\n"
            )
        );
    }
}

#[test]
fn the_readme_shows_what_is_printed() {
    let folder = Folder::new();
    assert_eq!(folder.run(&["init"]).code, 0);
    let folder = folder.edit("estate/users.yaml", "agent: helpdesk", "agent: helpdsk").edit(
        "estate/account.yaml",
        "email: aiko.tanaka@fabrikam.example",
        "email: aiko.tanaka@gmail.com",
    );
    let ended = folder.validate(&[]);
    assert_eq!(ended.code, 3);
    let readme = fs::read_to_string(repository().join("README.md")).expect("a file");
    let (_, rest) = readme.split_once("**Break it.**").expect("it says so");
    let (_, rest) = rest.split_once("```text\n").expect("a block");
    let (block, _) = rest.split_once("```").expect("its end");
    assert_eq!(block, ended.out);
}

#[test]
fn json_is_read_as_json() {
    let account = serde_yaml::from_str::<serde_json::Value>(ACCOUNT).expect("YAML");
    let account = serde_json::to_string_pretty(&account).expect("JSON");
    let folder = Folder::new()
        .with("account.json", &account)
        .with("users.yaml", USERS)
        .with("wrong.json", "{\"apiVersion\": \"partnerctl/v1\", kind: User}\n")
        .with("items.json", "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [\n  {\"apiVersion\": \"partnerctl/v1\", \"kind\": \"User\", \"metadata\": {\"name\": \"ben\"}, \"spec\": {\"displayName\": \"\\u0042en\", \"email\": \"ben@fabrikam.example\", \"agent\": \"none\", \"admin\": \"nun\"}}]}\n");
    assert_data_eq!(
        folder.validate(&["."]).shown(),
        str![[r#"
exit 3
--- stdout
error[P0106]: `admin` cannot be `nun`
 --> items.json:2:175
  |
2 | …displayName": "\u0042en", "email": "ben@fabrikam.example", "agent": "none", "admin": "nun"}}]}
  |                                                                                       ^^^^^
  |
  = help: it is `global`, `user-management`, `billing` or `none`

error[P0002]: expected a key in double quotes
 --> wrong.json:1:33
  |
1 | {"apiVersion": "partnerctl/v1", kind: User}
  |                                 ^

2 errors in 5 documents (4 files)

"#]]
        .raw()
    );
    // The same text is YAML under another name.
    let folder = Folder::new().with("account.yaml", &account).with("users.yaml", USERS);
    assert_eq!(folder.validate(&["."]).code, 0);
}

#[test]
fn a_table_has_lines_and_columns_too() {
    let table = "\
apiVersion: partnerctl/v1
kind: CustomerTable
metadata: {name: smb}
spec:
  file: smb.csv
  defaults: {relationship: reseller, labels: {segment: smb}}
";
    let rows = "\
name,companyName,domain,tenantId,labels.segment
contoso,Contoso株式会社,contoso.onmicrosoft.com,0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e1,
woodgrove,\"Woodgrove, 銀行\",woodgrove.example,not-a-guid,smb
margies,Margie's,contoso.onmicrosoft.com,,smb
";
    let folder = Folder::project()
        .with("estate/customers/smb.yaml", table)
        .with("estate/customers/smb.csv", rows);
    assert_data_eq!(
        folder.validate(&[]).shown(),
        str![[r#"
exit 3
--- stdout
error[P0107]: `not-a-guid` is not a tenant id (a GUID)
 --> estate/customers/smb.csv:3:45
  |
3 | woodgrove,"Woodgrove, 銀行",woodgrove.example,not-a-guid,smb
  |                                               ^^^^^^^^^^
  |
  = help: a GUID has 8-4-4-4-12 hexadecimal digits

error[P0308]: another customer has the domain `contoso.onmicrosoft.com`
 --> estate/customers/smb.csv:4:18
  |
4 | margies,Margie's,contoso.onmicrosoft.com,,smb
  |                  ^^^^^^^^^^^^^^^^^^^^^^^
  |
  = help: a domain belongs to one tenant: remove one of the two documents
note: the other one
 --> estate/customers/smb.csv:2:21
  |
2 | contoso,Contoso株式会社,contoso.onmicrosoft.com,0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e1,
  |                         ^^^^^^^^^^^^^^^^^^^^^^^

2 errors in 7 documents (4 files)

"#]]
        .raw()
    );
    // Windows' line breaks and its byte-order mark change nothing.
    let windows = format!("\u{feff}{}", rows.replace('\n', "\r\n"));
    let expected = folder.findings();
    let folder = folder.with("estate/customers/smb.csv", windows);
    assert_eq!(folder.findings(), expected);
}

#[test]
fn line_breaks_and_marks_of_windows_move_no_column() {
    let folder = small();
    let expected = folder.findings();
    assert_eq!(codes(&expected), ["P1005", "P1001", "P1008", "P0301"]);
    let mut folder = folder;
    for name in [
        "estate/account.yaml",
        "estate/users.yaml",
        "estate/ben.yaml",
        "estate/old.yaml",
        "partnerctl.yaml",
    ] {
        let text = fs::read_to_string(folder.path().join(name)).expect("a file");
        folder = folder.with(name, format!("\u{feff}{}", text.replace('\n', "\r\n")));
    }
    assert_eq!(folder.findings(), expected);
}

#[test]
fn narration_goes_to_standard_error() {
    let folder = Folder::project();
    let quiet = folder.validate(&[]);
    let told = folder.validate(&["-v"]);
    assert_eq!((told.code, &told.out), (0, &quiet.out));
    assert_eq!(quiet.err, "");
    assert!(told.err.contains("3 files"), "{}", told.err);
}

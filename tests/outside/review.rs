//! `review`, from the outside: repositories that are made for it, and what it says of a change.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::page::{dumped, text};
use crate::world::{ACCOUNT, Ended, Folder, PROJECT, Run, TODAY, USERS, program};

/// A folder under git. What is written there is committed when a test says so.
pub(crate) struct Repository {
    folder: Folder,
}

impl Repository {
    /// A repository with these files, committed as `main`.
    pub(crate) fn of(folder: Folder) -> Self {
        let repository = Self { folder };
        repository.git(&["init", "-q", "-b", "main"]);
        repository.commit("base");
        repository
    }

    pub(crate) fn example() -> Self {
        Self::of(Folder::example("fabrikam"))
    }

    /// The example with policies of its own, under which nothing is wrong.
    fn guarded() -> Self {
        let folder = Folder::example("fabrikam").with("policies/own.cedar", POLICIES).edit(
            "partnerctl.yaml",
            "  manifests: [estate]\n",
            "  manifests: [estate]\n  policies: [policies]\n",
        );
        Self::of(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=Aiko", "-c", "user.email=aiko@fabrikam.example"])
            .args(["-c", "commit.gpgsign=false", "-c", "core.autocrlf=false"])
            .args(args)
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .expect("git is there");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
    }

    fn with(mut self, name: &str, text: impl AsRef<[u8]>) -> Self {
        self.folder = self.folder.with(name, text);
        self
    }

    pub(crate) fn edit(mut self, name: &str, from: &str, to: &str) -> Self {
        self.folder = self.folder.edit(name, from, to);
        self
    }

    /// What is on disk, against `main`.
    pub(crate) fn review(&self, args: &[&str]) -> Ended {
        self.run(&[&["--base", "main"], args].concat())
    }

    fn run(&self, args: &[&str]) -> Ended {
        let whole = [&["review", "--as-of", TODAY], args].concat();
        Run::new(&whole).within(self.path()).end()
    }

    /// The same as JSON, with the exit code.
    fn json(&self, args: &[&str]) -> (i32, Value) {
        let base = if args.contains(&"--base") { &[][..] } else { &["--base", "main"] };
        let ended = self.run(&[base, &["--format", "json"], args].concat());
        let value = serde_json::from_str(&ended.out)
            .unwrap_or_else(|error| panic!("{error}: {}", ended.shown()));
        (ended.code, value)
    }
}

const POLICIES: &str = "\
@id(\"own.no-billing-by-support\")
@reason(\"support does not touch money\")
forbid (
  principal,
  action in [Action::\"manage-billing\", Action::\"order-on-behalf\"],
  resource
) when { principal in Role::\"helpdesk-agent\" && !(principal in Role::\"admin-agent\") };

@id(\"own.two-hats\")
@level(\"hard\")
@reason(\"who leads escalations does not manage the account\")
forbid (
  principal in Role::\"escalation-lead\",
  action == Action::\"hold-role\",
  resource == Role::\"account-admin\"
);
";

/// The texts at one key of each element.
fn texts(list: &Value, key: &str) -> Vec<String> {
    let all = list.as_array().unwrap_or_else(|| panic!("a list: {list}"));
    all.iter().map(|one| one[key].as_str().unwrap_or_default().to_owned()).collect()
}

fn names(value: &Value) -> Vec<String> {
    let all = value["names"].as_array().unwrap();
    all.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

#[test]
fn nothing_differs() {
    let repository = Repository::example();
    let ended = repository.review(&[]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{}", ended.out);
    assert!(
        ended.out.contains("no change in access; no object of the estate differs\n"),
        "{}",
        ended.out
    );
    assert!(ended.out.contains("Not proved"), "{}", ended.out);
    let (code, json) = repository.json(&["--head", "main"]);
    assert_eq!((code, &json["verdict"]["outcome"]), (0, &Value::from("passes")));
    for empty in ["rules", "roles", "directoryRoles", "findings", "changes", "policies", "notes"] {
        assert_eq!(json[empty], Value::Array(Vec::new()), "{empty}");
    }
}

#[test]
fn one_word_of_a_label_that_widens_a_role_is_told_first() {
    let repository = Repository::example().edit(
        "estate/customers.yaml",
        "name: tailspin-toys, labels: {segment: smb}",
        "name: tailspin-toys, labels: {segment: enterprise}",
    );
    let ended = repository.review(&[]);
    assert_eq!(ended.code, 2, "{}", ended.shown());
    let (_, first) = ended.out.split_once("\n\n").unwrap();
    assert!(
        first.starts_with(
            "who gains what\n  ! user/ben-ito may now administer-on-behalf on customer/tailspin-toys  privileged\n"
        ),
        "{}",
        ended.out
    );
    assert!(first.contains("metadata.labels.segment smb → enterprise"), "{}", ended.out);
    assert!(first.contains("estate/customers.yaml:72"), "{}", ended.out);
    assert!(first.contains("by role.tier2-support.0 (estate/roles.yaml:19)"), "{}", ended.out);

    let (_, json) = repository.json(&[]);
    let gained = &json["access"]["gained"];
    assert_eq!(names(&gained[0]["principals"]), ["user/ben-ito"]);
    assert_eq!(names(&gained[0]["resources"]), ["customer/tailspin-toys"]);
    assert_eq!(gained[0]["causes"][0], "customer/tailspin-toys");
    assert_eq!(
        texts(&json["directoryRoles"], "to"),
        ["role/escalation-lead", "role/tier2-support"]
    );
    // Whoever only wants to be told is told the same.
    let (code, lenient) = repository.json(&["--fail-on", "none"]);
    assert_eq!((code, &lenient["access"]), (0, &json["access"]));
}

#[test]
fn what_is_only_written_differently_changes_no_access() {
    let repository = Repository::guarded();
    let customers =
        std::fs::read_to_string(repository.path().join("estate/customers.yaml")).unwrap();
    // Split into two files, in another order.
    let documents: Vec<&str> = customers.split("\n---\n").collect();
    let (first, second) = documents.split_at(3);
    let mut second = second.to_vec();
    second.reverse();
    let repository = repository
        .with("estate/customers.yaml", second.join("\n---\n"))
        .with("estate/more/large.yaml", first.join("\n---\n"))
        // Lists are sets, and layout is none of anybody's business.
        .edit(
            "estate/roles.yaml",
            "    - allow: [administer-on-behalf, manage-subscriptions]\n",
            "    - allow:\n        - manage-subscriptions\n        - administer-on-behalf\n",
        )
        .edit(
            "estate/users.yaml",
            "  roles: [account-admin, compliance-admin]",
            "  roles: [compliance-admin, account-admin]",
        )
        // Policies that moved, were commented and laid out.
        .with(
            "policies/own.cedar",
            format!("// Ours.\n\n{}", POLICIES.replace("  action ==", "    action ==")),
        );
    let ended = repository.review(&[]);
    assert_eq!(ended.code, 0, "{}", ended.shown());
    assert!(
        ended.out.contains("no change in access; no object of the estate differs"),
        "{}",
        ended.out
    );
}

#[test]
fn who_is_formerly_somebody_is_the_same() {
    let mut repository = Repository::guarded();
    for (file, from, to) in [
        ("estate/users.yaml", "metadata: {name: ben-ito, labels: {team: support}", ""),
        (
            "estate/roles.yaml",
            "metadata: {name: escalation-lead}",
            "metadata: {name: lead, formerly: [escalation-lead]}",
        ),
        ("estate/users.yaml", "roles: [escalation-lead]", "roles: [lead]"),
        (
            "estate/customers.yaml",
            "metadata: {name: fourth-coffee, labels: {segment: smb}}",
            "metadata: {name: fifth-coffee, formerly: [fourth-coffee], labels: {segment: smb}}",
        ),
        ("policies/own.cedar", "Role::\"escalation-lead\"", "Role::\"lead\""),
    ] {
        if !to.is_empty() {
            repository = repository.edit(file, from, to);
        }
    }
    // Everywhere else it is named.
    for file in ["estate/delegated-access.yaml", "estate/access-tests.yaml", "estate/roles.yaml"] {
        let path = repository.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text
            .replace("to: escalation-lead", "to: lead")
            .replace("role/escalation-lead", "role/lead")
            .replace("role.escalation-lead.", "role.lead.")
            .replace("customer/fourth-coffee", "customer/fifth-coffee");
        std::fs::write(path, text).unwrap();
    }
    let ended = repository.review(&[]);
    assert!(ended.out.contains("no change in access"), "{}", ended.shown());
    assert_eq!(ended.code, 0, "{}", ended.shown());
    assert!(ended.out.contains("role/lead was role/escalation-lead"), "{}", ended.out);
    assert!(
        ended.out.contains("customer/fifth-coffee was customer/fourth-coffee"),
        "{}",
        ended.out
    );
}

/// Somebody who has another name without `formerly`, and the same tenant, address or group, is the same
/// in the tenant: what they gain is no company of somebody new.
#[test]
fn a_new_name_hides_nothing() {
    let named =
        |name: &str, kind: &str, file: &str, line: &str, to: &str, keep: &[(&str, &str)]| {
            let mut repository = Repository::example().edit(file, line, to);
            for (from, to) in keep {
                repository = repository.edit(file, from, to);
            }
            let (code, json) = repository.json(&["--fail-on", "privileged"]);
            let changes = json["changes"].as_array().unwrap();
            let found = changes.iter().find(|change| change["object"] == format!("{kind}/{name}"));
            (code, found.unwrap_or_else(|| panic!("{json:#}"))["became"].clone(), json)
        };
    let labelled = "metadata: {name: tailspin-toys, labels: {segment: smb}}";
    let customers = "estate/customers.yaml";
    let wider = "metadata: {name: tailspin, labels: {segment: enterprise}}";
    // By its tenant, and by its domain alone.
    for keep in [
        &[][..],
        &[("domain: tailspintoys.example", "domain: tailspin.example")],
        &[("  tenantId: 9f35870b-ba37-4d44-b942-fa370a4cfa35\n", "")],
    ] {
        let (code, became, json) = named("tailspin", "customer", customers, labelled, wider, keep);
        assert_eq!((code, became.as_str()), (2, Some("renamed")), "{keep:?} {json:#}");
        let gained = &json["access"]["gained"][0];
        assert_eq!(names(&gained["resources"]), ["customer/tailspin"], "{gained:#}");
        assert_eq!((&gained["newResources"], &gained["privileged"]), (&0.into(), &true.into()));
    }
    // Who is somebody else altogether is new.
    let keep = [
        ("domain: tailspintoys.example", "domain: tailspin.example"),
        ("9f35870b-ba37-4d44-b942-fa370a4cfa35", "9f35870b-ba37-4d44-b942-fa370a4cfa36"),
    ];
    let (_, became, _) = named("tailspin", "customer", customers, labelled, wider, &keep);
    assert_eq!(became, "added");
    // Other kinds, by what the tenant knows them by.
    for (name, kind, file, from) in [
        ("mallory", "user", "estate/users.yaml", "metadata: {name: daichi-sato,"),
        ("lead", "role", "estate/roles.yaml", "metadata: {name: escalation-lead}"),
        ("north", "partnership", "estate/partnerships.yaml", "metadata: {name: northwind}"),
        (
            "ops",
            "delegated-access",
            "estate/delegated-access.yaml",
            "metadata: {name: enterprise-ops}",
        ),
    ] {
        let old = from.split_once("name: ").unwrap().1.trim_end_matches([',', '}']);
        let mut repository = Repository::example().edit(file, from, &from.replace(old, name));
        for other in ["access-tests", "customers", "delegated-access", "roles", "users"] {
            let other = format!("estate/{other}.yaml");
            let path = repository.path().join(&other);
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text
                .replace(&format!("{kind}/{old}"), &format!("{kind}/{name}"))
                .replace(&format!("{kind}.{old}."), &format!("{kind}.{name}."))
                .replace(&format!("to: {old}"), &format!("to: {name}"))
                .replace(&format!("[{old}"), &format!("[{name}"))
                .replace(&format!(", {old}]"), &format!(", {name}]"));
            repository = repository.with(&other, text);
        }
        let (_, json) = repository.json(&[]);
        let changes = json["changes"].as_array().unwrap();
        let found = changes.iter().find(|change| change["object"] == format!("{kind}/{name}"));
        let found = found.unwrap_or_else(|| panic!("{json:#}"));
        assert_eq!(found["became"], "renamed", "{json:#}");
        assert_eq!(found["formerly"], format!("{kind}/{old}"));
    }
}

/// A role that nothing carries, and a waiver for that.
const NIGHT: &str = "\
apiVersion: partnerctl/v1
kind: Role
metadata: {name: night-desk}
spec:
  description: Answers at night
  group: Night Desk
  permissions:
    - allow: [administer-on-behalf]
      customers: {labels: {segment: smb}}
---
apiVersion: partnerctl/v1
kind: Waiver
metadata: {name: night}
spec: {finding: P2101, on: role/night-desk, owner: aiko-tanaka, reason: It comes next month, until: 2027-11-30}
";

/// Deletes a forbid, softens a guardrail, raises a limit, adds a waiver, grants global admin.
fn hostile() -> Repository {
    let (_, softened) = POLICIES.split_once("\n\n").unwrap();
    Repository::guarded()
        .with("policies/own.cedar", softened.replace("\"hard\"", "\"advisory\""))
        .edit("partnerctl.yaml", "removals: {count: 5, percent: 10}", "removals: {count: 500}")
        .with("estate/night.yaml", NIGHT)
        .edit(
            "estate/users.yaml",
            "  agent: helpdesk\n  admin: none\n  roles: [tier2-support]",
            "  agent: helpdesk\n  admin: global\n  roles: [tier2-support, account-admin, escalation-lead]",
        )
}

#[test]
fn one_commit_that_changes_the_rules_and_breaks_them_is_told_by_them() {
    let repository = hostile();
    repository.commit("harmless");
    // A clone without network and credentials, which has the head and its history.
    let place = Folder::new();
    let clone = place.path().join("clone");
    let from = repository.path().display().to_string();
    repository.git(&["clone", "-q", "--no-local", &from, &clone.display().to_string()]);
    let args = ["review", "--as-of", TODAY, "--base", "HEAD~1", "--head", "HEAD"];
    let ended = Run::new(&args).within(&clone).end();
    assert_eq!(ended.code, 4, "{}", ended.shown());
    let (_, first) = ended.out.split_once("what it changes about the rules\n").unwrap();
    let place =
        |words: &str| first.find(words).unwrap_or_else(|| panic!("{words:?} in {}", ended.shown()));
    let told = [
        place("the forbid `own.no-billing-by-support` is deleted"),
        place("the guardrail `own.two-hats` is softened from hard to advisory"),
        place("the limit `removals` is raised: 5, or 10 % before, 500 now"),
        place("P2101 about `role/night-desk` is waived until 2027-11-30"),
        place("user/ben-ito comes to hold the privileged role `global-admin`"),
    ];
    // All of them before who gains what, and before what is left of the estate.
    assert!(told.into_iter().all(|at| at < place("who gains what")), "{}", ended.out);
    // What the base's guardrail forbids stays forbidden.
    assert!(
        first.contains("error[P2201], by the base's rules: `ben-ito` holds `account-admin`, which `own.two-hats` forbids"),
        "{}",
        ended.out
    );
    for format in ["markdown", "html", "json", "sarif", "junit", "github", "gitlab", "azure"] {
        let whole = [&args[..], &["--format", format]].concat();
        let ended = Run::new(&whole).within(&clone).end();
        assert_eq!((ended.code, ended.err.as_str()), (4, ""), "{format}");
        for words in
            ["own.no-billing-by-support", "own.two-hats", "removals", "P2101", "global-admin"]
        {
            assert!(ended.out.contains(words), "{words} in {format}: {}", ended.out);
        }
    }
}

#[test]
fn a_pull_request_cannot_excuse_itself() {
    // The waiver that the example lives by, and one for the same kind of thing in another place.
    let repository = Repository::of(
        Folder::project().edit("estate/account.yaml", "email: aiko@fabrikam.example", "email: aiko@fabrikam.example"),
    )
    .edit("estate/account.yaml", "email: aiko@fabrikam.example", "email: fabrikam@gmail.com")
    .with(
        "estate/waiver.yaml",
        "apiVersion: partnerctl/v1\nkind: Waiver\nmetadata: {name: mail}\nspec: {finding: P1203, on: account/fabrikam, owner: aiko, reason: A merger is under way, until: 2027-01-31}\n",
    );
    assert_eq!(Run::new(&["validate", "--as-of", TODAY]).within(repository.path()).end().code, 0);
    let (code, json) = repository.json(&[]);
    assert_eq!(code, 4, "{json:#}");
    assert_eq!(
        json["rules"][0]["message"],
        "P1203 about `account/fabrikam` is waived until 2027-01-31"
    );
    assert_eq!(json["findings"][0]["state"], "by-the-base");
    assert_eq!(json["findings"][0]["code"], "P1203");
    // Nor by asking for fewer admins than there must be.
    let repository = Repository::of(
        Folder::project()
            .with("partnerctl.yaml", format!("{PROJECT}  guards: {{globalAdmins: {{min: 2}}}}\n")),
    )
    .edit("partnerctl.yaml", "min: 2", "min: 1")
    .edit("estate/users.yaml", "agent: none, admin: global", "agent: none, admin: none");
    let (code, json) = repository.json(&["--fail-on", "none"]);
    assert_eq!(code, 4, "{json:#}");
    assert_eq!(json["findings"][0]["code"], "P1901");
}

#[test]
fn a_head_that_is_invalid_is_that_and_nothing_else() {
    let repository = Repository::guarded().edit(
        "estate/users.yaml",
        "agent: helpdesk\n  admin: none\n  roles: [tier2-support]",
        "agent: helpdesk\n  admin: nobody\n  roles: [tier2-support]",
    );
    let (code, json) = repository.json(&[]);
    assert_eq!((code, &json["verdict"]["outcome"]), (3, &Value::from("invalid")));
    assert_eq!(json["changes"], Value::Array(Vec::new()));
    assert!(json["notes"][0].as_str().unwrap().contains("the head is invalid"));
    // The other way round it is mended.
    repository.commit("broken");
    repository.git(&["checkout", "-q", "HEAD~1", "--", "."]);
    let ended = repository.run(&["--base", "main", "--format", "json"]);
    let json: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(json["findings"][0]["state"], "fixed");
    assert!(json["notes"][0].as_str().unwrap().contains("the base has errors"), "{json:#}");
}

#[test]
fn findings_are_the_same_though_lines_moved() {
    let noted = "apiVersion: partnerctl/v1\nkind: User\nmetadata: {name: dai, expires: 2026-01-31}\nspec: {displayName: 阿部 大, email: dai@fabrikam.example, agent: none, admin: none}\n";
    let repository = Repository::of(Folder::project().with("estate/dai.yaml", noted))
        .with("estate/dai.yaml", "")
        .with("estate/people/dai.yaml", format!("# Moved.\n\n\n{noted}"));
    let path = repository.path().join("estate/dai.yaml");
    std::fs::remove_file(path).unwrap();
    let (code, json) = repository.json(&[]);
    assert_eq!(code, 0, "{json:#}");
    assert_eq!(texts(&json["findings"], "state"), ["still"]);
    assert_eq!(json["findings"][0]["at"]["file"], "estate/people/dai.yaml");
}

#[test]
fn a_project_in_a_subfolder_and_one_that_is_new() {
    let folder = Folder::new()
        .with("README.md", "Ours.\n")
        .with("infra/partner/partnerctl.yaml", PROJECT)
        .with("infra/partner/estate/account.yaml", ACCOUNT)
        .with("infra/partner/estate/users.yaml", USERS);
    let repository = Repository::of(folder).edit(
        "infra/partner/estate/users.yaml",
        "agent: none, admin: global",
        "agent: helpdesk, admin: global",
    );
    let (code, json) = repository.json(&["infra/partner"]);
    assert_eq!((code, &json["folder"]), (2, &Value::from("infra/partner/")), "{json:#}");
    assert_eq!(texts(&json["changes"], "object"), ["user/chie"]);
    let ended = repository.review(&["--project", "infra/partner", "--format", "github"]);
    assert!(ended.out.contains("file=infra/partner/estate/users.yaml,line="), "{}", ended.out);

    let repository = Repository::of(Folder::new().with("README.md", "Ours.\n"))
        .with("new/partnerctl.yaml", PROJECT)
        .with("new/estate/account.yaml", ACCOUNT)
        .with("new/estate/users.yaml", USERS);
    let (code, json) = repository.json(&["new"]);
    assert_eq!(code, 2);
    assert!(json["notes"][0].as_str().unwrap().starts_with("there is no project here at `main`"));
    assert_eq!(texts(&json["changes"], "became"), ["added", "added", "added"]);
}

#[test]
fn what_a_tree_holds_is_read_as_it_is_from_disk() {
    // A link within the project, one that leads out, one that leads nowhere, hidden files, a table.
    let table = "apiVersion: partnerctl/v1\nkind: CustomerTable\nmetadata: {name: smb}\nspec: {file: smb.csv, defaults: {labels: {segment: smb}}}\n";
    let rows = "name,companyName,domain\nadatum,Adatum,adatum.example\n";
    let folder = Folder::new()
        .with("outside/secret.yaml", "not: yours\n")
        .with("project/partnerctl.yaml", PROJECT)
        .with("project/shared/account.yaml", ACCOUNT)
        .with("project/estate/users.yaml", USERS)
        .with("project/estate/smb.yaml", table)
        .with("project/estate/smb.csv", rows)
        .with("project/estate/.hidden.yaml", "{{{")
        .with("project/estate/notes.txt", "no manifest")
        .with_link("project/estate/account.yaml", "../shared/account.yaml");
    let repository = Repository::of(folder);
    let (code, json) = repository.json(&["project", "--head", "main"]);
    assert_eq!((code, json["findings"].as_array().unwrap().len()), (0, 0), "{json:#}");

    let repository = Repository {
        folder: repository
            .folder
            .with_link("project/estate/out.yaml", "../../outside/secret.yaml")
            .with_link("project/estate/etc.yaml", "/etc/hostname")
            .with_link("project/estate/nowhere.yaml", "gone.yaml")
            .with_link("project/estate/round.yaml", "round.yaml"),
    };
    repository.commit("links");
    let (disk_code, disk) = repository.json(&["project"]);
    let (tree_code, tree) = repository.json(&["project", "--head", "HEAD"]);
    assert_eq!((disk_code, tree_code), (3, 3));
    assert_eq!(disk["findings"], tree["findings"], "the same from both");
    let files: Vec<String> = tree["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} {}", one["code"], one["at"]["file"]))
        .collect();
    assert_eq!(
        files,
        [
            "\"P0207\" \"estate/etc.yaml\"",
            "\"P0206\" \"estate/nowhere.yaml\"",
            "\"P0207\" \"estate/out.yaml\"",
            "\"P0206\" \"estate/round.yaml\"",
        ]
    );
    assert!(!tree.to_string().contains("yours"));
}

#[test]
fn the_environment_leads_to_no_other_repository() {
    let repository = Repository::example();
    let whole = ["review", "--as-of", TODAY, "--base", "main"];
    let (mut command, _home) = Run::new(&whole).within(repository.path()).command();
    command
        .env("GIT_DIR", "/nowhere")
        .env("GIT_WORK_TREE", "/nowhere")
        .env("GIT_INDEX_FILE", "/nowhere");
    assert_eq!(command.output().unwrap().status.code(), Some(0));
}

#[test]
fn names_of_commits_are_names() {
    let repository = Repository::example();
    for rev in
        ["--upload-pack=touch x", "nobody", "", " ", "main\nmain", "main:estate", "HEAD^{tree}"]
    {
        let ended = repository.run(&[&format!("--base={rev}")]);
        assert_eq!(ended.code, 64, "{rev:?}: {}", ended.shown());
        assert!(ended.err.starts_with("error: there is no commit `"), "{rev:?}: {}", ended.err);
    }
    let ended = Folder::project().run(&["review", "--base", "main"]);
    assert_eq!(ended.code, 64);
    assert!(ended.err.contains("is in no git repository"), "{}", ended.err);
    let ended = repository.run(&["--base", "main", "--plan", "a", "--snapshot", "b"]);
    assert_eq!(ended.code, 64);
}

#[test]
fn who_is_somebody_else_by_now_is_told() {
    // The name stays, and what it may do; the person, the group and the end do not.
    let repository = Repository::example()
        .edit(
            "estate/users.yaml",
            "email: chie.mori@fabrikam.example",
            "email: mallory@fabrikam.example",
        )
        .edit("estate/users.yaml", "expires: 2027-03-31", "expires: 2029-03-31")
        .edit("estate/roles.yaml", "  membership: exclusive\n", "");
    let (code, json) = repository.json(&[]);
    assert_eq!(code, 2, "{json:#}");
    assert_eq!(json["access"]["gainedCount"], 0);
    let told: Vec<String> = texts(&json["standing"], "object")
        .into_iter()
        .zip(texts(&json["standing"], "standing"))
        .map(|(object, standing)| format!("{object} {standing}"))
        .collect();
    assert_eq!(
        told,
        ["user/chie-mori identity", "user/fumiko-kato lasting", "role/escalation-lead openness"]
    );
    // She holds what is privileged, so that it counts for whoever asks for that alone.
    assert_eq!(repository.json(&["--fail-on", "privileged"]).0, 2);
    let harmless = Repository::example().edit(
        "estate/users.yaml",
        "expires: 2027-03-31",
        "expires: 2029-03-31",
    );
    assert_eq!(harmless.json(&["--fail-on", "privileged"]).0, 0);
    assert_eq!(harmless.json(&[]).0, 2);
    // Somebody new under an old name that is taken along is no less somebody else.
    let taken = Repository::example()
        .edit(
            "estate/users.yaml",
            "metadata: {name: daichi-sato, labels",
            "metadata: {name: mallory, formerly: [daichi-sato], labels",
        )
        .edit(
            "estate/users.yaml",
            "email: daichi.sato@fabrikam.example",
            "email: mallory@fabrikam.example",
        );
    let text = std::fs::read_to_string(taken.path().join("estate/access-tests.yaml")).unwrap();
    let taken = taken.with("estate/access-tests.yaml", text.replace("daichi-sato", "mallory"));
    let (code, json) = taken.json(&["--fail-on", "privileged"]);
    assert_eq!(
        (code, &json["standing"][0]["object"]),
        (2, &Value::from("user/mallory")),
        "{json:#}"
    );
}

#[test]
fn what_would_be_done_to_the_tenant_is_shown_too() {
    let repository = Repository::example();
    let plan = |args: &[&str]| {
        let whole = [&["plan", "--as-of", TODAY], args].concat();
        let ended = Run::new(&whole).within(repository.path()).end();
        assert_eq!(ended.code, 0, "{}", ended.shown());
    };
    plan(&["--out", "plan.json", "--snapshot-out", "seen.json"]);
    let seen = std::fs::read_to_string(repository.path().join("seen.json")).unwrap();
    let seen: Value = serde_json::from_str(&seen).unwrap();
    assert_eq!(seen["marks"], serde_json::json!({"audited": []}), "no link into the service");
    let (code, json) = repository.json(&["--plan", "plan.json"]);
    assert_eq!(code, 0, "{json:#}");
    let saved = std::fs::read_to_string(repository.path().join("plan.json")).unwrap();
    let saved: Value = serde_json::from_str(&saved).unwrap();
    assert_eq!(json["plan"], saved);
    let ended = repository.review(&["--plan", "plan.json", "--format", "markdown"]);
    assert!(ended.out.contains("### What would be done to the tenant\n\n"), "{}", ended.out);
    // From the snapshot the same steps follow.
    let (code, json) = repository.json(&["--snapshot", "seen.json"]);
    assert_eq!(code, 0, "{json:#}");
    assert_eq!(texts(&json["plan"]["steps"], "id"), texts(&saved["steps"], "id"));
    assert!(json["notes"][0].as_str().unwrap().starts_with("planned from a snapshot"));

    // By the base's limits, whatever the head says of them.
    let strict = repository.edit(
        "partnerctl.yaml",
        "privilegedGrants: {count: 20}",
        "privilegedGrants: {count: 1}",
    );
    strict.commit("strict");
    strict.git(&["branch", "-f", "strict"]);
    let lax = strict.edit(
        "partnerctl.yaml",
        "privilegedGrants: {count: 1}",
        "privilegedGrants: {count: 900}",
    );
    for source in [&["--snapshot", "seen.json"][..], &["--plan", "plan.json"]] {
        if source[0] == "--plan" {
            let whole = ["plan", "--as-of", TODAY, "--out", "plan.json"];
            assert_eq!(Run::new(&whole).within(lax.path()).end().code, 0);
        }
        let ended = lax.run(&[&["--base", "strict", "--fail-on", "none"], source].concat());
        assert_eq!(ended.code, 5, "{source:?}: {}", ended.shown());
        assert!(ended.out.contains("the limit `privilegedGrants` is raised"), "{}", ended.out);
    }
    // A plan of other files, one that was changed, and what is none.
    let other = lax.edit("estate/users.yaml", "jobTitle: 運用部長", "jobTitle: 部長");
    let refused = |args: &[&str], why: &str| {
        let ended = other.review(args);
        assert_eq!((ended.code, ended.out.as_str()), (6, ""), "{}", ended.err);
        assert!(ended.err.contains(why), "{}", ended.err);
    };
    refused(&["--plan", "plan.json"], "was planned from other files than the head's");
    refused(&["--snapshot", "plan.json"], "is no snapshot");
    refused(&["--plan", "seen.json"], "its format is");
    let text = std::fs::read_to_string(other.path().join("plan.json")).unwrap();
    std::fs::write(other.path().join("plan.json"), text.replace("user/aiko", "user/mako")).unwrap();
    refused(&["--plan", "plan.json"], "its digest is not that of its content");
}

#[test]
fn the_page_is_drawn() {
    let repository = hostile();
    let page = repository.review(&["--format", "html"]).out;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("review.html");
    std::fs::write(&file, page).unwrap();
    let opened =
        |fragment: &str| dumped(folder.path(), &format!("file://{}{fragment}", file.display()));
    let document = opened("");
    let verdict = text(&document, "<div id=\"verdict\"", "<div id=\"notes\"");
    assert!(verdict.starts_with("Denied|1 refusal by the base's rules"), "{verdict}");
    let parts = document.split_once("<div id=\"parts\"").unwrap().1;
    let headings: Vec<String> = parts
        .split("<summary")
        .skip(1)
        .filter(|part| part.contains("<h2"))
        .map(|part| text(part, "<h2", "</h2>"))
        .collect();
    assert!(headings[0].starts_with("What it changes about the rules"), "{headings:?}");
    assert!(headings[1].starts_with("What keeps it from being merged"), "{headings:?}");
    assert!(headings[2].starts_with("Privileged roles"), "{headings:?}");
    assert!(document.contains("<pre class=\"before\""), "the policy that is deleted is there");
    assert!(document.contains("Not proved"));
    // The address shows some.
    let some = opened("#show=two-hats");
    let shown = some
        .split("<div class=\"item")
        .skip(1)
        .filter(|item| !item.split_once('>').unwrap().0.contains("hidden"));
    let shown: Vec<&str> = shown.collect();
    assert!(
        !shown.is_empty() && shown.iter().all(|item| item.contains("two-hats")),
        "{}",
        shown.len()
    );
}

#[test]
fn what_must_stay_true_is_not_given_up_in_silence() {
    let invariant = "\n@id(\"own.guests\")\n@never(\"a guest touches money\")\n@reason(\"two pairs of eyes\")\npermit (principal in Role::\"guest-user\", action == Action::\"manage-billing\", resource);\n";
    let guarded =
        Repository::guarded().with("policies/own.cedar", format!("{POLICIES}{invariant}"));
    guarded.commit("an invariant");
    let deleted = guarded.with("policies/own.cedar", POLICIES);
    let (code, json) = deleted.json(&["--base", "HEAD"]);
    assert_eq!(code, 2, "{json:#}");
    assert_eq!(texts(&json["rules"], "message"), ["the invariant `own.guests` is deleted"]);
    assert_eq!(json["rules"][0]["effect"], "weakens");
}

#[test]
fn what_others_merged_since_is_said() {
    let repository = Repository::example();
    repository.git(&["checkout", "-q", "-b", "topic"]);
    repository.git(&["checkout", "-q", "main"]);
    let repository = repository.edit(
        "estate/customers.yaml",
        "name: tailspin-toys, labels: {segment: smb}",
        "name: tailspin-toys, labels: {segment: public}",
    );
    repository.commit("merged by others");
    let (_, json) = repository.json(&["--head", "topic"]);
    assert!(json["notes"][0].as_str().unwrap().contains("merge it first"), "{json:#}");
}

/// The example, whose project permits something under these conditions, and a solver beside it.
fn permitting(conditions: &str) -> String {
    format!(
        "@id(\"own.readers\")\n@reason(\"who leads escalations sees what we are billed\")\npermit (\n  principal is User in Role::\"escalation-lead\",\n  action == Action::\"view-billing\",\n  resource\n)\nwhen {{ {conditions} }};\n"
    )
}

/// Policies that say the same otherwise are proved to; one that lets in others in some estate is told
/// with somebody it lets in, whom the authorizer lets in too, though nobody gains anything today.
#[test]
fn what_holds_in_every_estate_is_told_where_there_is_a_solver() {
    let folder = Folder::example("fabrikam").edit(
        "partnerctl.yaml",
        "  manifests: [estate]\n",
        "  manifests: [estate]\n  policies: [policies]\n",
    );
    let is_both = "principal.webmail && principal.guest";
    let folder = folder.with("policies/own.cedar", permitting(is_both));
    let repository = Repository::of(folder);
    let review = |repository: &Repository, args: &[&str]| {
        let whole = [&["review", "--as-of", TODAY, "--base", "main"], args].concat();
        let (mut command, _home) = Run::new(&whole).within(repository.path()).command();
        let output = command.env("CVC5", program("cvc5")).output().unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), out + &err)
    };
    let same = "principal.guest && principal.webmail";
    let repository = repository.with("policies/own.cedar", permitting(same));
    // Whether there is a solver decides no exit code: a rule that is written otherwise is looked at.
    let (code, said) = review(&repository, &[]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("proved: the policies permit exactly what they did"), "{said}");

    let either = "principal.guest || principal.webmail";
    let repository = repository.with("policies/own.cedar", permitting(either));
    let (_, said) = review(&repository, &[]);
    assert!(said.contains("widened: the policies permit what they did not"), "{said}");
    assert!(said.contains("own.readers"), "{said}");
    let (_, said) = review(&repository, &["--format", "markdown"]);
    assert!(said.contains("### In every estate there could be"), "{said}");
    let (_, said) = review(&repository, &["--format", "json"]);
    let json: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(json["proof"]["verdict"], "widened");
    let example = &json["proof"]["told"]["gained"][0];
    assert_eq!(example["confirmed"], true, "{example}");
}

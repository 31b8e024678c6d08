//! The recipes in `examples/ci`: their files are what their hosts understand, and their steps, as they
//! stand there, bring a change from a pull request into a tenant.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::approvals::{make_key, public};
use crate::served::Served;
use crate::world::{ACCOUNT, Folder, USERS, repository};

fn recipes() -> PathBuf {
    repository().join("examples/ci")
}

fn yaml(path: &str) -> Value {
    serde_yaml::from_str(&fs::read_to_string(recipes().join(path)).unwrap()).unwrap()
}

/// Every file of a recipe, with the schema of its host.
const FILES: [(&str, &str); 7] = [
    ("github/action.yml", "vendor.github-actions"),
    ("github/workflows/partnerctl-review.yml", "vendor.github-workflows"),
    ("github/workflows/partnerctl-plan.yml", "vendor.github-workflows"),
    ("github/workflows/partnerctl-apply.yml", "vendor.github-workflows"),
    ("github/workflows/partnerctl-drift.yml", "vendor.github-workflows"),
    ("gitlab/partnerctl.yml", "vendor.gitlab-ci"),
    ("azure-devops/partnerctl.yml", "vendor.azure-pipelines"),
];

#[test]
fn recipes_are_what_their_hosts_understand() {
    let checker = repository().join("target/others/bin/check-jsonschema");
    for (file, schema) in FILES {
        let mut command = Command::new(&checker);
        command.args(["--builtin-schema", schema]).arg(recipes().join(file));
        if let Some(transform @ ("gitlab-ci" | "azure-pipelines")) = schema.strip_prefix("vendor.")
        {
            command.args(["--data-transform", transform]);
        }
        let output = command
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}: tests/run makes it", checker.display()));
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{file}: {said}");
    }
}

/// Every text below a key of that name.
fn texts<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::String(text) if key == name => found.push(text),
                    Value::Array(all) if key == name => {
                        found.extend(all.iter().filter_map(Value::as_str));
                    }
                    _ => texts(value, name, found),
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|value| texts(value, name, found)),
        _ => {}
    }
}

fn all_texts<'a>(value: &'a Value, names: &[&str]) -> Vec<&'a str> {
    let mut found = Vec::new();
    for name in names {
        texts(value, name, &mut found);
    }
    found
}

/// What a pull request says never becomes part of a command; what is used is named by its content; no
/// job may more than it needs; and what runs with a pull request's files has no secret.
#[test]
fn recipes_give_nothing_away() {
    for (file, _) in FILES {
        let recipe = yaml(file);
        for run in all_texts(&recipe, &["run", "script", "inlineScript", "before_script"]) {
            assert!(!run.contains("${{"), "{file}: {run}");
            for script in run.split(|c: char| c.is_whitespace() || "\"';".contains(c)) {
                if let Some((_, name)) = script.rsplit_once("scripts/")
                    && !name.contains('$')
                {
                    assert!(recipes().join("scripts").join(name).is_file(), "{file}: {name}");
                }
            }
        }
        for used in all_texts(&recipe, &["uses"]) {
            let is_pinned = used.split_once('@').is_some_and(|(_, commit)| commit.len() == 40);
            assert!(used.starts_with("./") || is_pinned, "{file}: {used}");
        }
    }
    for name in ["review", "plan", "apply", "drift"] {
        let workflow = yaml(&format!("github/workflows/partnerctl-{name}.yml"));
        assert_eq!(workflow["permissions"], json!({}), "{name}");
        let text = workflow.to_string();
        assert!(!text.contains("pull_request_target") && !text.contains("write-all"), "{name}");
        for (job, job_of) in workflow["jobs"].as_object().unwrap() {
            let permissions = &job_of["permissions"];
            // Who reads what a pull request brought cannot write; who can write runs nothing of it.
            let writes = permissions["pull-requests"] == "write";
            assert_eq!(writes, job == "comment", "{name} {job}");
            assert!(permissions["contents"] == "read", "{name} {job}");
            let has_identity = permissions["id-token"] == "write";
            assert_eq!(has_identity, job_of["environment"].is_string(), "{name} {job}");
            assert_eq!(has_identity, job_of.to_string().contains("secrets."), "{name} {job}");
            let is_of_review = name == "review";
            assert!(!(is_of_review && has_identity), "{name} {job}");
        }
    }
    let apply = yaml("github/workflows/partnerctl-apply.yml");
    assert_eq!(apply["jobs"]["apply"]["environment"], "partnerctl-write");
    assert!(!apply["on"].as_object().unwrap().contains_key("pull_request"));
}

/// A company with a repository, a runner, people at their desks, and a tenant.
struct Company {
    home: TempDir,
    served: Served,
    /// Whose commits are made, by their address.
    by: std::cell::Cell<&'static str>,
}

const INES: &str = "ines@fabrikam.example";
const MALLORY: &str = "mallory@fabrikam.example";

/// What came of a step.
struct Came {
    code: Option<i32>,
    said: String,
}

impl Came {
    #[track_caller]
    fn is(self, code: i32, said: &str) {
        assert_eq!(self.code, Some(code), "{}", self.said);
        assert!(self.said.contains(said), "{said:?} in {}", self.said);
    }
}

impl Company {
    fn new() -> Self {
        Self::of(&["ines", "aiko", "ben"])
    }

    /// A company whose approvers are these.
    fn of(approvers: &[&str]) -> Self {
        let tenant = Folder::new().with("a/account.yaml", ACCOUNT).with("a/users.yaml", USERS);
        let served = Served::start(&tenant, &["--seed", "a"]);
        let by = std::cell::Cell::new(INES);
        let company = Self { home: tempfile::tempdir().unwrap(), served, by };
        let at = |name: &str| company.home.path().join(name);
        for name in ["ines", "aiko", "ben", "mallory"] {
            make_key(company.home.path(), name, "");
        }
        company.git(".", &["init", "--quiet", "--bare", "--initial-branch", "main", "origin"]);
        company.git(".", &["clone", "--quiet", "origin", "runner"]);
        let mut context = company.served.line()["context"].clone();
        context["ledger"] = json!({"sqlite": "kept/ledger.db"});
        let project = format!(
            "apiVersion: partnerctl/v1\nkind: Project\nmetadata: {{name: fabrikam}}\nspec:\n  manifests: [estate]\n  contexts: {{production: {context}}}\n"
        );
        let line = |name: &&str| {
            format!("{name}@fabrikam.example,{name} {}", public(company.home.path(), name))
        };
        let approvers: String = approvers.iter().map(line).collect();
        for (name, text) in [
            ("account/partnerctl.yaml", project.as_str()),
            ("account/estate/account.yaml", ACCOUNT),
            ("account/estate/users.yaml", USERS),
            ("approvers", approvers.as_str()),
            (".gitignore", "kept\n.partnerctl\npartnerctl-out\n"),
        ] {
            let path = at("runner").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        for folder in ["scripts", "github"] {
            let to = at("runner").join("ci").join(folder);
            fs::create_dir_all(&to).unwrap();
            for entry in fs::read_dir(recipes().join(folder)).unwrap().flatten() {
                if entry.path().is_file() {
                    fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
                }
            }
        }
        company.git("runner", &["checkout", "--quiet", "-b", "main"]);
        company.commit("The account as it is");
        company.git(".", &["clone", "--quiet", "origin", "desk"]);
        // An account begins once, by hand.
        let begin = "partnerctl apply --project account --context production --yes --new-ledger";
        company.shell("runner", begin, &[]).is(0, "");
        company
    }

    /// Runs a line of shell as a runner would: a few variables, secrets among them, and nothing else.
    fn shell(&self, within: &str, line: &str, env: &[(&str, &str)]) -> Came {
        let program = Path::new(env!("CARGO_BIN_EXE_partnerctl")).parent().unwrap().display();
        let output = Command::new("sh")
            .args(["-e", "-c", line])
            .current_dir(self.home.path().join(within))
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", format!("{program}:/usr/local/bin:/usr/bin:/bin"))
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "Chie")))
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), self.by.get())))
            .env("PARTNERCTL_CLIENT_SECRET", self.served.text("clientSecret"))
            .env("PARTNERCTL_REFRESH_TOKEN", self.served.text("refreshToken"))
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        Came { code: output.status.code(), said: said.concat() }
    }

    fn git(&self, within: &str, args: &[&str]) {
        let words: Vec<String> = args.iter().map(|arg| format!("'{arg}'")).collect();
        self.shell(within, &format!("git {}", words.join(" ")), &[]).is(0, "");
    }

    fn commit(&self, why: &str) {
        self.git("runner", &["add", "--all"]);
        self.git("runner", &["commit", "--quiet", "--message", why]);
        self.git("runner", &["push", "--quiet", "origin", "HEAD"]);
    }

    /// Runs the step of the composite action that does the work, with inputs as a workflow gives them.
    fn action(&self, command: &str, inputs: &[(&str, &str)]) -> Came {
        let action = yaml("github/action.yml");
        let steps = action["runs"]["steps"].as_array().unwrap();
        let step = steps.iter().find(|step| step["name"] == "Run").unwrap();
        let given = |name: &str| {
            let own = [("command", command), ("context", "production"), ("project", "account")];
            let all = own.iter().chain(inputs).find(|(given, _)| *given == name);
            let default = &action["inputs"][name]["default"];
            all.map(|(_, value)| *value).or(default.as_str()).unwrap_or_default().to_owned()
        };
        let env: Vec<(String, String)> = step["env"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| {
                let input = value.as_str().unwrap().strip_prefix("${{ inputs.").unwrap();
                (name.clone(), given(input.strip_suffix(" }}").unwrap()))
            })
            .chain([("GITHUB_ACTION_PATH".to_owned(), "ci/github".to_owned())])
            .collect();
        let env: Vec<(&str, &str)> = env.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        self.shell("runner", step["run"].as_str().unwrap(), &env)
    }

    /// A pull request that a reviewer may pass.
    fn pull_request(&self, branch: &str, file: &str, edit: impl FnOnce(String) -> String) {
        self.reviewed(branch, file, edit, 0);
    }

    /// A pull request: a branch with one edit, reviewed (which ends with this code) and planned.
    fn reviewed(&self, branch: &str, file: &str, edit: impl FnOnce(String) -> String, code: i32) {
        self.git("runner", &["checkout", "--quiet", "-b", branch, "main"]);
        let path = self.home.path().join("runner").join(file);
        fs::write(&path, edit(fs::read_to_string(&path).unwrap())).unwrap();
        self.commit(branch);
        self.action("review", &[("base", "main")]).is(code, "");
        assert!(!self.out("review.md").is_empty());
        self.action("plan", &[("base", "main")]).is(0, "");
        assert!(!self.out("plan.md").is_empty());
    }

    fn out(&self, name: &str) -> String {
        fs::read_to_string(self.home.path().join("runner/partnerctl-out").join(name)).unwrap()
    }

    /// Somebody takes the artefact to their desk, approves, and hands the approval in.
    fn approve(&self, name: &str) {
        let (from, to) = ("runner/partnerctl-out/plan.json", "desk/plan.json");
        fs::copy(self.home.path().join(from), self.home.path().join(to)).unwrap();
        let line = format!("sh '{}/scripts/approve.sh' plan.json ../{name}", recipes().display());
        self.shell("desk", &line, &[]).is(0, "is approved");
    }

    fn merge(&self, branch: &str) {
        self.git("runner", &["checkout", "--quiet", "main"]);
        self.git("runner", &["merge", "--quiet", "--no-ff", "--no-edit", branch]);
        self.git("runner", &["push", "--quiet", "origin", "main"]);
    }

    fn apply(&self) -> Came {
        self.apply_with("2")
    }

    fn apply_with(&self, approvals: &str) -> Came {
        let from = ("authors-from", "git-authors.sh");
        self.action("apply", &[("base", "HEAD^1"), from, ("approvals", approvals)])
    }

    fn requests(&self) -> usize {
        let line =
            format!("partnerctl emulator log --format json --url {}", self.served.text("url"));
        let came = self.shell(".", &line, &[]);
        let log: Value = serde_json::from_str(&came.said).unwrap();
        log["entries"].as_array().unwrap().len()
    }
}

fn renamed(to: &str) -> impl FnOnce(String) -> String {
    move |text| text.replace("森 千恵", to)
}

#[test]
fn a_change_goes_from_a_pull_request_into_the_tenant() {
    let company = Company::new();
    company.pull_request("rename", "account/estate/users.yaml", renamed("Chie Mori"));
    assert!(company.out("plan.md").contains("Chie Mori"), "{}", company.out("plan.md"));
    company.approve("aiko");
    company.merge("rename");
    let before = company.requests();
    company.apply().is(4, "only aiko@fabrikam.example approved");
    company.approve("ines");
    company.apply().is(4, "ines@fabrikam.example made the plan, and cannot approve of it");
    assert_eq!(company.requests(), before);
    company.approve("ben");
    company.apply().is(0, "1 done");
    company.action("drift", &[]).is(0, "");
    let edit = format!(
        "partnerctl emulator act edit user/chie spec.displayName=Somebody --project account --url {}",
        company.served.text("url")
    );
    company.shell("runner", &edit, &[]).is(0, "");
    company.action("drift", &[]).is(9, "");
    assert!(company.out("drift.txt").contains("Somebody"), "{}", company.out("drift.txt"));
}

#[test]
fn a_poisoned_artefact_is_refused() {
    let company = Company::new();
    company.pull_request("rename", "account/estate/users.yaml", renamed("Chie Mori"));
    company.approve("aiko");
    company.approve("ben");
    company.merge("rename");
    let path = company.home.path().join("runner/partnerctl-out/plan.json");
    let plan = fs::read_to_string(&path).unwrap();
    let before = company.requests();
    fs::write(&path, plan.replace("Chie Mori", "Chie Mora")).unwrap();
    company.apply().is(6, "it was changed");
    // Approvals that lie about are of another file.
    fs::write(&path, plan.trim_end()).unwrap();
    company.apply().is(6, "not even a space may be another");
    // A plan that is whole, and that nobody approved of.
    company.git("runner", &["checkout", "--quiet", "-b", "other"]);
    let users = company.home.path().join("runner/account/estate/users.yaml");
    let text = fs::read_to_string(&users).unwrap().replace("agent: none", "agent: admin");
    fs::write(&users, text).unwrap();
    company.action("plan", &[]).is(0, "");
    let planned = company.requests();
    assert!(planned > before);
    company.apply().is(4, "nobody approves");
    assert_eq!(company.requests(), planned);
    company.git("runner", &["checkout", "--quiet", "--force", "main"]);
    fs::write(&path, plan).unwrap();
    company.apply().is(0, "1 done");
}

/// Whoever comes into the approvers' file by a change does not approve of that change.
#[test]
fn a_change_does_not_bring_its_own_approvers() {
    let company = Company::new();
    let keys = ["mallory", "ines"].map(|name| public(company.home.path(), name));
    company.pull_request("friends", "approvers", |text| {
        format!("{text}mallory {}eve {}", keys[0], keys[1])
    });
    let users = company.home.path().join("runner/account/estate/users.yaml");
    let text = fs::read_to_string(&users).unwrap();
    fs::write(&users, renamed("Mallory")(text)).unwrap();
    company.commit("and what they want");
    company.action("plan", &[]).is(0, "");
    company.approve("mallory");
    company.approve("aiko");
    company.merge("friends");
    let before = company.requests();
    company.apply().is(4, "the approvers' file does not have its key");
    assert_eq!(company.requests(), before);
}

/// A plan holds what was merged since the last one that was carried out, and not the last merge alone:
/// whoever made any of it does not approve of it.
#[test]
fn whoever_made_a_change_does_not_approve_of_it_one_merge_later() {
    let company = Company::of(&["ines", "aiko", "mallory"]);
    company.by.set(MALLORY);
    let edit = |text: String| text.replace("agent: none", "agent: admin");
    company.reviewed("friend", "account/estate/users.yaml", edit, 2);
    company.merge("friend");
    company.apply_with("1").is(4, "nobody approves");
    company.by.set(INES);
    company.pull_request("rename", "account/estate/users.yaml", renamed("Chie Mori"));
    company.merge("rename");
    company.approve("mallory");
    company.apply_with("1").is(4, "mallory@fabrikam.example made the plan, and cannot approve");
    company.approve("ines");
    company.apply_with("1").is(4, "ines@fabrikam.example made the plan, and cannot approve");
    company.approve("aiko");
    company.apply_with("1").is(0, "2 done");
    // What is in the tenant by now keeps nobody from approving of what comes next, though that plan was
    // made of a merge for a trial that is on no branch, and then merged as one commit.
    for (name, approver) in [("Chie", "mallory"), ("C. Mori", "mallory")] {
        let branch = if name == "Chie" { "again" } else { "once-more" };
        let from = if name == "Chie" { "Chie Mori" } else { "Chie" };
        let edit = |text: String| text.replace(from, name);
        company.pull_request(branch, "account/estate/users.yaml", edit);
        company.git("runner", &["checkout", "--quiet", "--detach", "main"]);
        company.git("runner", &["merge", "--quiet", "--no-ff", "--no-edit", branch]);
        company.action("plan", &[("base", "main")]).is(0, "");
        company.git("runner", &["checkout", "--quiet", "main"]);
        company.git("runner", &["merge", "--quiet", "--squash", branch]);
        company.commit("as one commit");
        company.approve(approver);
        company.apply_with("1").is(0, "1 done");
        // What others say of it is no secret: by hand, nothing counts that was not approved.
        company.by.set(if name == "Chie" { "aiko@fabrikam.example" } else { INES });
    }
}

/// Who made a change by a name that the approvers' file does not have could be any of them.
#[test]
fn who_made_a_change_is_somebody_or_said_to_be_no_approver() {
    let company = Company::new();
    company.by.set("aiko@users.example");
    company.pull_request("rename", "account/estate/users.yaml", renamed("Chie Mori"));
    company.approve("aiko");
    company.by.set(INES);
    company.merge("rename");
    company.apply_with("1").is(4, "nobody called `aiko@users.example`");
    // Whoever looks after the approvers says who that is.
    company.git("runner", &["checkout", "--quiet", "-b", "others", "main"]);
    let text = "# Who is none of us\naiko@users.example\n";
    fs::write(company.home.path().join("runner/approvers.others"), text).unwrap();
    company.commit("Aiko of another company");
    company.merge("others");
    // And only what was so before the merge counts.
    company.apply_with("1").is(4, "nobody called `aiko@users.example`");
    company.git("runner", &["commit", "--quiet", "--allow-empty", "--message", "later"]);
    company.apply_with("1").is(0, "1 done");
}

/// The branch of approvals is not believed: nothing of it is written where somebody wants it, on the
/// desk of who approves or where the plan is applied.
#[test]
fn links_among_approvals_lead_nowhere() {
    let company = Company::new();
    company.pull_request("rename", "account/estate/users.yaml", renamed("Chie Mori"));
    company.merge("rename");
    company.approve("aiko");
    let at = |name: &str| company.home.path().join(name);
    let precious = at("precious");
    fs::write(&precious, "precious").unwrap();
    // Under the names that the next approval will have: in the folder, and as the folder itself.
    company.git(".", &["clone", "--quiet", "--branch", "partnerctl-approvals", "origin", "evil"]);
    let folder = fs::read_dir(at("evil")).unwrap().flatten();
    let folder = folder.map(|one| one.path()).find(|one| !one.ends_with(".git")).unwrap();
    let own = fs::read_dir(&folder).unwrap().flatten().next().unwrap().path();
    let push = |why: &str| {
        let push = format!("git add --all && git commit -qm {why} && git push -q origin HEAD");
        company.shell("evil", &push, &[]).is(0, "");
    };
    fs::remove_file(&own).unwrap();
    std::os::unix::fs::symlink(&precious, &own).unwrap();
    push("a");
    company.approve("aiko");
    assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
    company.shell("evil", "git pull -q", &[]).is(0, "");
    assert!(!own.is_symlink() && own.is_file(), "it is there, and no link");
    fs::remove_dir_all(&folder).unwrap();
    fs::create_dir(at("trove")).unwrap();
    std::os::unix::fs::symlink(at("trove"), &folder).unwrap();
    push("b");
    company.apply().is(4, "nobody approves");
    company.approve("ben");
    assert_eq!(fs::read_dir(at("trove")).unwrap().count(), 0);
    company.approve("aiko");
    company.shell("evil", "git pull -q", &[]).is(0, "");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "the one does not take away the other");
    // A link beside them is no approval, wherever it leads.
    std::os::unix::fs::symlink("/etc/hostname", folder.join("approval-c.json")).unwrap();
    push("c");
    company.apply().is(0, "1 done");
}

/// That approvals cannot be had is not that nobody approves.
#[test]
fn who_approves_is_not_known_where_the_branch_cannot_be_fetched() {
    let company = Company::new();
    company.pull_request("rename", "account/estate/users.yaml", renamed("Chie Mori"));
    company.merge("rename");
    // Nobody did: there is no such branch yet.
    company.apply().is(4, "nobody approves");
    company.approve("aiko");
    let line = "OUT=partnerctl-out PROJECT=account CONTEXT=production BASE=HEAD^1 REMOTE=/nowhere sh ci/scripts/apply.sh";
    company.shell("runner", line, &[]).is(1, "who approves is not known: partnerctl-approvals");
    fs::copy(
        company.home.path().join("runner/partnerctl-out/plan.json"),
        company.home.path().join("desk/plan.json"),
    )
    .unwrap();
    let line = format!(
        "git remote set-url origin /nowhere && sh '{}/scripts/approve.sh' plan.json ../ben",
        recipes().display()
    );
    company.shell("desk", &line, &[]).is(1, "the approval is not handed in: ");
    // Nor is it known who made what nobody can look up.
    company.shell("runner", "git clone -q --depth 1 \"file://$PWD/../origin\" ../cut && cp -r partnerctl-out account ../cut/ && git -C ../cut fetch -q --depth 1 origin HEAD^1 || true", &[]).is(0, "");
    let line =
        "OUT=partnerctl-out PROJECT=account CONTEXT=production BASE=HEAD sh ci/scripts/apply.sh";
    company
        .shell("cut", line, &[])
        .is(1, "who made this plan is not known: the history is cut off");
}

/// A change to where the tenant is gets no token: before it is merged, the base says where that is.
#[test]
fn a_project_file_that_points_elsewhere_gets_no_token() {
    let company = Company::new();
    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let (url, other) = (company.served.text("url"), elsewhere.local_addr().unwrap());
    let hostile = format!("http://{other}");
    let edit = |text: String| {
        assert!(text.contains(url));
        text.replace(url, &hostile)
    };
    // A person has to look at that, and is told.
    company.reviewed("elsewhere", "account/partnerctl.yaml", edit, 2);
    assert!(company.out("review.md").contains("production"), "{}", company.out("review.md"));
    assert_eq!(elsewhere.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    // It would have been asked.
    company.git("runner", &["checkout", "--quiet", "--force", "elsewhere"]);
    let asking = company.shell(
        "runner",
        "timeout 20 partnerctl plan --project account --refresh all & sleep 5",
        &[],
    );
    assert!(elsewhere.accept().is_ok(), "{}", asking.said);
}

/// `gh` is not here to be asked: a script stands in for it and tells what it was asked. So this holds
/// what the steps ask and what they make of answers, and not that GitHub answers so.
#[test]
fn steps_for_github_ask_for_what_they_need() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    fs::create_dir_all(at("out")).unwrap();
    fs::write(at("out/plan.md"), "# Plan\n").unwrap();
    fs::write(
        at("gh"),
        "#!/bin/sh\nprintf '%s\\n' \"$*\" >>\"$HOME/asked\"\ncase \"$*\" in\n\
         *commits/abc/pulls*head.sha*) echo def ;;\n\
         *commits/abc/pulls*) echo '7 ines' ;;\n\
         *commits/abc*) printf 'abc\\ttrue\\tines\\tweb-flow\\n' ;;\n\
         *pulls/7/commits*) cat \"$HOME/commits\" ;;\n\
         'run list'*) echo 99 ;;\n\
         *issues/7/comments*--jq*) cat \"$HOME/known\" ;;\n\
         esac\n\
         for word; do case \"$word\" in body=@*) cp \"${word#body=@}\" \"$HOME/body\" ;; esac; done\n",
    )
    .unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(at("gh"), executable).unwrap();
    // What was asked, what was said, and whether it ended well.
    let run_all = |name: &str, env: &[(&str, &str)]| {
        fs::write(at("asked"), "").unwrap();
        fs::write(at("given"), "abc\n").unwrap();
        let output = Command::new("sh")
            .arg(recipes().join("scripts").join(name))
            .current_dir(home.path())
            .env_clear()
            .env("HOME", home.path())
            .env("PATH", format!("{}:/usr/bin:/bin", home.path().display()))
            .envs([("GITHUB_REPOSITORY", "fabrikam/account"), ("OUT", "out")])
            .envs(env.iter().copied())
            .stdin(fs::File::open(at("given")).unwrap())
            .output()
            .unwrap();
        let said = [&output.stdout[..], &output.stderr].concat();
        let asked = fs::read_to_string(at("asked")).unwrap();
        (asked, String::from_utf8(said).unwrap(), output.status.success())
    };
    let run = |name: &str, env: &[(&str, &str)]| {
        let (asked, said, is_done) = run_all(name, env);
        assert!(is_done, "{said}");
        (asked, said)
    };
    let comment = [("NAME", "plan"), ("PULL", "7")];
    fs::write(at("known"), "").unwrap();
    let asked = run("github-comment.sh", &comment).0;
    assert!(asked.contains("--method POST repos/fabrikam/account/issues/7/comments"), "{asked}");
    assert_eq!(fs::read_to_string(at("body")).unwrap(), "<!-- partnerctl: plan -->\n# Plan\n");
    fs::write(at("known"), "12\n13\n").unwrap();
    let asked = run("github-comment.sh", &comment).0;
    assert!(asked.contains("--method PATCH repos/fabrikam/account/issues/comments/12"), "{asked}");
    let asked =
        run("github-plan.sh", &[("GITHUB_SHA", "abc"), ("WORKFLOW", "partnerctl-plan.yml")]).0;
    assert!(asked.contains("--commit def --event pull_request --status success"), "{asked}");
    assert!(asked.contains("run download 99 --name partnerctl-plan --dir out"), "{asked}");

    // Who made it: whoever opened it, wrote or committed any of it.
    let authors = |commits: &str, env: &[(&str, &str)]| {
        fs::write(at("commits"), commits).unwrap();
        run_all("github-authors.sh", env)
    };
    let commit = "d1\ttrue\taiko\tweb-flow\n";
    let unsigned = "d2\tfalse\tken@adatum.example\tines\n";
    let (_, said, is_done) = authors(commit, &[]);
    assert!(is_done, "{said}");
    let mut names: Vec<&str> = said.lines().collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names, ["aiko", "ines"]);
    // Whose a commit is that is not signed is what its author said, and may be said to be enough.
    let (_, said, is_done) = authors(&format!("{commit}{unsigned}"), &[]);
    assert!(!is_done && said.contains("commit d2 has no signature that GitHub knows"), "{said}");
    let (_, said, is_done) = authors(&format!("{commit}{unsigned}"), &[("UNSIGNED", "1")]);
    assert!(is_done && said.contains("ken@adatum.example\n"), "{said}");
    // GitHub lists no more than so many.
    let (_, said, is_done) = authors(&commit.repeat(250), &[]);
    assert!(!is_done && said.contains("pull request 7 has 250 commits or more"), "{said}");
}

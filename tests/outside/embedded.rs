//! Repositories that a commit brings with it, and what they configure: nothing of theirs is believed
//! and nothing of it runs, with the git of today and with those that do not know how to refuse. Each
//! trap is seen to work on a git that is merely called.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::review::Repository;
use crate::world::{Ended, Folder, Run, TODAY};

/// What somebody is not to become by a change that is not read.
const BEN: (&str, &str) = (
    "  agent: helpdesk\n  admin: none\n  roles: [tier2-support]",
    "  agent: helpdesk\n  admin: global\n  roles: [tier2-support]",
);

/// A project in a folder of its repository.
fn account() -> Repository {
    let example = Folder::example("fabrikam");
    let place = Folder::new();
    fs::rename(example.path(), place.path().join("account")).unwrap();
    drop(example);
    Repository::of(place)
}

/// A `git` as it was before it knew some of what keeps it safe: settings that it does not know mean
/// nothing to it, nor do variables.
fn old_git(at: &Path, settings: &[&str], variables: &[&str]) -> PathBuf {
    let bin = at.join("bin");
    fs::create_dir_all(&bin).unwrap();
    let forgets: String = settings
        .iter()
        .map(|setting| format!("{setting}=*) set -- \"$@\" future.setting=1 ;;\n"))
        .collect();
    let unset: String = variables.iter().map(|name| format!("unset {name}\n")).collect();
    let script = format!(
        "#!/bin/sh\n{unset}for word; do shift; case \"$word\" in\n{forgets}*) set -- \"$@\" \"$word\" ;;\nesac; done\nPATH=/usr/local/bin:/usr/bin:/bin exec git \"$@\"\n"
    );
    fs::write(bin.join("git"), script).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(bin.join("git"), executable).unwrap();
    bin
}

/// Git as anybody calls it.
fn plain(within: &Path, args: &[&str]) -> Output {
    Command::new("git")
        .args(args)
        .current_dir(within)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", within)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn run_with(git: Option<&Path>, within: &Path, args: &[&str]) -> Ended {
    let (mut command, _home) = Run::new(args).within(within).command();
    let own = "/usr/local/bin:/usr/bin:/bin".to_owned();
    let path = git.map_or(own.clone(), |git| format!("{}:{own}", git.display()));
    let output = command.env("PATH", path).output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    let code = output.status.code().unwrap();
    Ended { code, out, err, cpu: std::time::Duration::ZERO, peak: 0 }
}

fn id(repository: &Repository, rev: &str) -> String {
    repository.git(&["rev-parse", rev]).trim().to_owned()
}

/// Where a loose object stands.
fn object(store: &Path, id: &str) -> PathBuf {
    store.join("objects").join(&id[..2]).join(&id[2..])
}

/// Commits a bare repository into the project's folder, in which the base's files have the head's bytes
/// under the base's names: git checks the names of trees, and not those of blobs.
fn embed(repository: &Repository) -> String {
    let base = id(repository, "main");
    let listed = repository.git(&["ls-tree", "-r", &base]);
    let repository_git = repository.path().join(".git");
    let account = repository.path().join("account");
    fs::create_dir_all(account.join("refs/heads")).unwrap();
    fs::create_dir_all(account.join("objects")).unwrap();
    fs::write(account.join("refs/.keep"), "").unwrap();
    fs::write(account.join("refs/heads/main"), format!("{base}\n")).unwrap();
    fs::write(account.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    fs::write(account.join("config"), "[core]\nrepositoryformatversion = 0\nworktree = ..\n")
        .unwrap();
    let put = |from: &str, to: &str| {
        let target = object(&account, to);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(object(&repository_git, from), target).unwrap();
    };
    let trees = repository.git(&["ls-tree", "-r", "-t", "-d", &base]);
    let trees = trees.lines().filter_map(|line| line.split_whitespace().nth(2));
    for same in
        [base.clone(), id(repository, "main^{tree}")].iter().map(String::as_str).chain(trees)
    {
        put(same, same);
    }
    for line in listed.lines() {
        let (entry, path) = line.split_once('\t').unwrap();
        let path = repository.path().join(path).display().to_string();
        let now = repository.git(&["hash-object", "-w", &path]);
        put(now.trim(), entry.split_whitespace().nth(2).unwrap());
    }
    repository.git(&["add", "-A", "-f"]);
    repository.git(&["commit", "-q", "-m", "harmless"]);
    base
}

fn review(base: &str) -> Vec<&str> {
    vec!["review", "--as-of", TODAY, "--project", "account", "--base", base, "--format", "json"]
}

#[test]
fn a_repository_among_the_files_does_not_say_what_the_base_was() {
    let repository = account();
    let repository = repository.edit("account/estate/users.yaml", BEN.0, BEN.1);
    let base = embed(&repository);
    let place = tempfile::tempdir().unwrap();
    let clone = place.path().join("clone");
    let url = format!("file://{}", repository.path().display());
    assert!(plain(place.path(), &["clone", "-q", &url, "clone"]).status.success());
    // The trap: git, merely called, takes the folder for the repository and shows the head as the base.
    let shown =
        plain(&clone.join("account"), &["show", &format!("{base}:account/estate/users.yaml")]);
    assert!(said(&shown).contains(BEN.1), "{}", String::from_utf8_lossy(&shown.stderr));

    // A work tree that is linked has a file in the place of the repository.
    let linked = place.path().join("linked");
    assert!(plain(&clone, &["worktree", "add", "-q", "--detach", "../linked"]).status.success());

    let old = old_git(place.path(), &["safe.bareRepository"], &[]);
    let by_us = "a folder among the files, which anybody";
    for (git, why, clone) in [
        (None, "safe.bareRepository", &clone),
        (Some(&*old), by_us, &clone),
        (None, "safe.bareRepository", &linked),
        (Some(&*old), by_us, &linked),
    ] {
        for args in [review(&base), [review(&base), vec!["--head", "HEAD"]].concat()] {
            let ended = run_with(git, clone, &args);
            assert_eq!((ended.code, ended.out.as_str()), (64, ""), "{}", ended.shown());
            assert!(ended.err.contains(why), "{}", ended.err);
        }
        // Nor does a plan name that repository's commit as the one that it was made from.
        let out = place.path().join("plan.json").display().to_string();
        let plan = ["plan", "--as-of", TODAY, "--project", "account", "--out", &out];
        let ended = run_with(git, clone, &plan);
        assert_eq!(ended.code, 0, "{}", ended.shown());
        assert!(ended.err.contains("the plan names no commit: "), "{}", ended.err);
        let plan: Value = serde_json::from_slice(&fs::read(&out).unwrap()).unwrap();
        assert_eq!(plan["parents"]["commit"], Value::Null);
    }
    // Without it, by any git, the base is the base.
    for clone in [&clone, &linked] {
        for name in ["HEAD", "config", "objects", "refs"] {
            let path = clone.join("account").join(name);
            drop(fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path)));
        }
        for git in [None, Some(&*old)] {
            let ended = run_with(git, clone, &review(&base));
            assert!(ended.code == 2 && ended.out.contains("global-admin"), "{}", ended.shown());
        }
    }
}

/// A submodule has a `.git`, and a commit says which repository that is.
#[test]
fn a_submodule_does_not_say_what_the_base_was() {
    let repository = account();
    let base = id(&repository, "main");
    let other = Folder::new();
    let within = other.path().join("other");
    let url = format!("file://{}", repository.path().display());
    // It has the base too, and everything else in its own way.
    assert!(plain(other.path(), &["clone", "-q", &url, "other"]).status.success());
    repository.git(&["rm", "-r", "-q", "account"]);
    drop(fs::remove_dir_all(repository.path().join("account")));
    let url = format!("file://{}", within.display());
    repository.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        &url,
        "account",
    ]);
    repository.commit("harmless");
    let args = ["review", "--as-of", TODAY, "account/account", "--base", &base];
    let ended = run_with(None, repository.path(), &args);
    assert_eq!((ended.code, ended.out.as_str()), (64, ""), "{}", ended.shown());
    assert!(ended.err.contains("is in another repository, "), "{}", ended.err);
    // Whoever means it stands in it.
    let args = ["review", "--as-of", TODAY, "account", "--base", &base];
    let ended = run_with(None, &repository.path().join("account"), &args);
    assert_eq!(ended.code, 0, "{}", ended.shown());
}

/// A partial clone is completed by running what its remote is: by a git that does not know how to leave
/// that, and by one that is told which protocol it may.
#[test]
fn what_is_missing_is_not_fetched_by_running_something() {
    let place = tempfile::tempdir().unwrap();
    let sprung = place.path().join("sprung");
    let repository = Repository::example();
    let blob = id(&repository, "main:estate/users.yaml");
    fs::remove_file(object(&repository.path().join(".git"), &blob)).unwrap();
    for (key, value) in [
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "o"),
        ("remote.o.promisor", "true"),
        ("remote.o.url", &format!("ext::sh -c touch% {}", sprung.display())),
        ("protocol.ext.allow", "always"),
    ] {
        repository.git(&["config", key, value]);
    }
    drop(plain(repository.path(), &["cat-file", "-p", &blob]));
    assert!(sprung.exists(), "it is a trap");
    fs::remove_file(&sprung).unwrap();
    // Each of both ways alone is enough.
    let folder = |name: &str| place.path().join(name);
    let without = |name: &str, variable: &str| old_git(&folder(name), &[], &[variable]);
    let old = [without("a", "GIT_NO_LAZY_FETCH"), without("b", "GIT_ALLOW_PROTOCOL")];
    for git in [None, Some(&*old[0]), Some(&*old[1])] {
        let base = ["review", "--as-of", TODAY, "--base", "main"];
        let ended = run_with(git, repository.path(), &base);
        assert_ne!(ended.code, 0, "{}", ended.shown());
        assert!(!sprung.exists(), "something ran");
    }
}

/// A tag that is called like a branch of the host is what git means by that name.
#[test]
fn a_name_that_means_two_things_is_no_base() {
    let repository = Repository::example().edit("estate/users.yaml", BEN.0, BEN.1);
    repository.git(&["update-ref", "refs/remotes/origin/main", "main"]);
    repository.commit("harmless");
    repository.git(&["tag", "origin/main"]);
    let short = &id(&repository, "main~1")[..7];
    repository.git(&["tag", short]);
    repository.git(&["tag", "refs/remotes/origin/gone"]);
    let review = |base: &str| {
        run_with(None, repository.path(), &["review", "--as-of", TODAY, "--base", base])
    };
    for base in ["origin/main", "origin/main^{commit}", short] {
        let trap = plain(repository.path(), &["rev-parse", &format!("{base}^{{commit}}")]);
        assert_eq!(said(&trap), id(&repository, "HEAD"), "{base} is a trap");
        let ended = review(base);
        assert_eq!((ended.code, ended.out.as_str()), (64, ""), "{}", ended.shown());
        assert!(ended.err.contains("means several things here: "), "{}", ended.err);
        assert!(ended.err.contains("refs/tags/"), "{}", ended.err);
    }
    // What is named in full is that or nothing.
    let ended = review("refs/remotes/origin/main");
    assert_eq!(ended.code, 2, "{}", ended.shown());
    let trap = plain(repository.path(), &["rev-parse", "refs/remotes/origin/gone"]);
    assert!(trap.status.success());
    let ended = review("refs/remotes/origin/gone");
    assert_eq!(ended.code, 64, "{}", ended.shown());
    assert!(ended.err.contains("there is no commit"), "{}", ended.err);
}

/// A project that was moved, with a link where it was, is the same project.
#[test]
fn a_project_behind_a_link_is_judged_by_what_stood_there() {
    let removed = (
        "  agent: helpdesk\n  admin: none\n  roles: [tier2-support]",
        "  agent: admin\n  admin: none\n  roles: [tier2-support]",
    );
    let place = account().edit(
        "account/partnerctl.yaml",
        "globalAdmins: {min: 2}",
        "globalAdmins: {min: 1}",
    );
    let repository = place.edit("account/estate/users.yaml", removed.0, removed.1);
    let review = |args: &[&str]| {
        let whole = [&["review", "--as-of", TODAY, "--base", "main", "--format", "json"], args];
        let ended = run_with(None, repository.path(), &whole.concat());
        let json: Value =
            serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{}", ended.shown()));
        (ended.code, json)
    };
    let (code, before) = review(&["--project", "account"]);
    let (from, to) = (repository.path().join("account"), repository.path().join("other"));
    fs::rename(&from, &to).unwrap();
    std::os::unix::fs::symlink("other", &from).unwrap();
    repository.git(&["checkout", "-q", "-b", "moved"]);
    repository.commit("harmless");
    for args in
        [&["--project", "account"][..], &["account"], &["--project", "account", "--head", "moved"]]
    {
        let (now, after) = review(args);
        assert_eq!(now, code, "{args:?}: {after:#}");
        assert_eq!(after["rules"], before["rules"], "{args:?}");
        assert!(!before["rules"].as_array().unwrap().is_empty());
        assert_eq!(after["access"], before["access"], "{args:?}");
    }
    // Seen from within, too: the shell knows how it came there.
    let whole = ["review", "--as-of", TODAY, "--base", "main", "--format", "json"];
    let (mut command, _home) = Run::new(&whole).within(&from).command();
    let output = command.env("PWD", &from).output().unwrap();
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["rules"], before["rules"]);
}

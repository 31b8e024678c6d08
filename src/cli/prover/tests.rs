//! Solvers that hang, die and babble, as programs that really do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;
use crate::policy::prove::{Answer, Proof, Question, Verdict, prove};
use crate::policy::rules::Rules;

/// How long one question may take, where nobody means to answer it.
const SHORT: Duration = Duration::from_millis(150);

/// How long it may take where somebody does, on a machine that has other things to do.
const LONG: Duration = Duration::from_mins(1);

/// A program of this script.
fn script(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("solver");
    fs::write(&path, format!("#!/bin/sh\nPATH=/usr/bin:/bin\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Whether a part of the library permits more than nothing: a solver has to say so.
fn proof(solvers: &mut Cvc5) -> Proof {
    let rules = Rules::library();
    let (old, new) = (
        rules.only(|rule| rule.id() != "guard.disabled" && rule.id() != "admin-agent.customers"),
        rules.only(|_| true),
    );
    let question = Question { old: &old, new: &new, world: None };
    let work = prove(&question, solvers);
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Why the first that is not proved is not.
fn unproved(text: &str, query: Duration) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut solvers = Cvc5::at(script(folder.path(), text), query);
    let proof = proof(&mut solvers);
    assert_eq!(proof.verdict(), Verdict::NotProved);
    assert!(!proof.nothing_gained());
    let mut answers = proof.environments.iter().flat_map(|one| [&one.gained, &one.lost]);
    answers.find_map(Answer::unproved).unwrap().to_string()
}

#[test]
fn a_solver_that_does_not_answer_ends_in_not_proved() {
    assert_eq!(
        unproved("exec sleep 600", SHORT),
        "the solver failed: it did not answer within 0.15 s"
    );
    // One that reads everything, and one that holds on to its pipes.
    assert_eq!(
        unproved("cat >/dev/null; exec sleep 600", SHORT),
        "the solver failed: it did not answer within 0.15 s"
    );
}

#[test]
fn a_solver_that_dies_ends_in_not_proved() {
    let said = unproved("exit 3", LONG);
    assert!(said.ends_with("it ended without an answer (exit status: 3)"), "{said}");
    let said = unproved("read line; exec >&-; exec sleep 600", LONG);
    assert!(said.contains("it ended without an answer"), "{said}");
}

#[test]
fn a_solver_that_babbles_ends_in_not_proved() {
    assert_eq!(unproved("read line; echo maybe; cat", LONG), "the solver failed: it said `maybe`");
    assert_eq!(
        unproved("while read line; do case $line in *check*) echo unknown;; esac; done", LONG),
        "the solver does not know"
    );
    let said = unproved("exec tr '\\0' a </dev/zero", LONG);
    // It never reads, and whether it is seen to have hung up before it babbled is a matter of luck.
    let ways = ["its answer does not end", "did not answer", "it ended without an answer"];
    assert!(ways.iter().any(|way| said.contains(way)), "{said}");
    // A yes without a model is a yes without a meaning.
    let said = unproved(
        "while read line; do case $line in *check*) echo sat;; *get-model*) printf '(\\n)\\n';; esac; done",
        LONG,
    );
    assert!(said.starts_with("the solver found something that could not be shown"), "{said}");
}

#[test]
fn a_solver_that_died_is_started_anew() {
    let folder = tempfile::tempdir().unwrap();
    let died = folder.path().join("died");
    let real = Cvc5::found().program.unwrap();
    let text = format!(
        "if [ -e {died} ]; then exec {real} \"$@\"; fi\n: >{died}\nexit 1",
        died = died.display(),
        real = real.display()
    );
    let mut solvers = Cvc5::at(script(folder.path(), &text), LONG);
    let proof = proof(&mut solvers);
    let unproved = proof.environments.iter().filter(|one| one.verdict() == Verdict::NotProved);
    assert_eq!(unproved.count(), 1);
    assert!(proof.count(Verdict::Both) + proof.count(Verdict::Narrowed) > 10);
}

#[test]
fn a_solver_is_gone_when_nobody_asks_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let text = format!("echo $$ >>{}; exec sleep 600", pid.display());
    let mut solvers = Cvc5::at(script(folder.path(), &text), SHORT);
    drop(proof(&mut solvers));
    let pids = fs::read_to_string(pid).unwrap();
    assert_eq!(pids.lines().count(), 2, "it is not asked for ever: {pids}");
    for pid in pids.lines() {
        let stat = Path::new("/proc").join(pid).join("cmdline");
        // A zombie has no command line.
        let running = || fs::read(&stat).is_ok_and(|line| !line.is_empty());
        let gone = (0..100).any(|_| {
            if running() {
                std::thread::sleep(Duration::from_millis(20));
            }
            !running()
        });
        assert!(gone, "{pid}");
    }
}

#[test]
fn a_solver_is_found_by_name_or_in_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("cvc5");
    let path = std::env::join_paths([Path::new("relative"), folder.path()]).unwrap();
    let missing = |found: Result<PathBuf, Unproved>| found.unwrap_err().to_string();
    assert_eq!(
        missing(program(None, &path)),
        "there is no solver: install cvc5, or name it in `CVC5`"
    );
    fs::write(&at, "").unwrap();
    // A shell would not take it either.
    assert!(missing(program(None, &path)).starts_with("there is no solver"));
    let named = missing(program(Some(at.clone().into()), OsStr::new("")));
    assert!(named.ends_with("which is not executable"), "{named}");
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&at, executable.clone()).unwrap();
    assert_eq!(program(None, &path), Ok(at.clone()));
    assert_eq!(program(Some(at.clone().into()), OsStr::new("")), Ok(at.clone()));
    // One earlier in the path that is none is passed by.
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("cvc5"), "").unwrap();
    let both = std::env::join_paths([other.path(), folder.path()]).unwrap();
    assert_eq!(program(None, &both), Ok(at));
    let named = missing(program(Some("/nowhere/cvc5".into()), &path));
    assert_eq!(named, "`CVC5` names `/nowhere/cvc5`, which is no file");
}

#[test]
fn a_file_that_is_no_program_is_no_solver() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cvc5");
    fs::write(&file, "nothing").unwrap();
    let proof = proof(&mut Cvc5::at(file, SHORT));
    assert_eq!(proof.verdict(), Verdict::NotProved);
}

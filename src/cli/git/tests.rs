//! What a repository configures does not run, of whatever git were asked: these are more commands than
//! are used, and each trap works on a git that is merely called.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::git;

/// What is configured, `TRAP` being a program, and what is asked then.
const TRAPS: [(&str, &str, &[&str]); 4] = [
    ("core.fsmonitor", "TRAP", &["status", "--short"]),
    ("core.hooksPath", "FOLDER", &["checkout", "--quiet", "--force", "HEAD"]),
    ("core.sshCommand", "TRAP", &["fetch", "ssh://nobody@host.example/a"]),
    ("protocol.ext.allow", "always", &["fetch", "ext::TRAP"]),
];

fn plain(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.args(["-c", "user.name=Aiko", "-c", "user.email=aiko@fabrikam.example"]);
    command
}

#[test]
fn nothing_that_is_configured_runs() {
    for (key, value, asked) in TRAPS {
        let home = tempfile::tempdir().unwrap();
        let at = home.path();
        let sprung = at.join("sprung");
        let hooks = at.join("hooks");
        fs::create_dir(&hooks).unwrap();
        let trap = hooks.join("post-checkout");
        fs::write(&trap, format!("#!/bin/sh\ntouch '{}'\nexit 1\n", sprung.display())).unwrap();
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs::set_permissions(&trap, executable).unwrap();
        let filled = |text: &str| {
            text.replace("TRAP", &trap.display().to_string())
                .replace("FOLDER", &hooks.display().to_string())
        };
        let folder = at.join("repository");
        fs::create_dir(&folder).unwrap();
        for args in [
            &["init", "--quiet"][..],
            &["commit", "--quiet", "--allow-empty", "--message", "a"],
            &["config", key, &filled(value)],
        ] {
            assert!(plain(&folder).args(args).status().unwrap().success(), "{args:?}");
        }
        let asked: Vec<String> = asked.iter().map(|arg| filled(arg)).collect();
        drop(git(&folder).args(&asked).output().unwrap());
        assert!(!sprung.exists(), "{key} ran something");
        drop(plain(&folder).args(&asked).output().unwrap());
        assert!(sprung.exists(), "{key} is a trap");
    }
}

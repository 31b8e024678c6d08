//! What the README tells a newcomer to type works, as it stands there.

use std::fs;
use std::process::Command;

use crate::world::{Folder, repository};

/// The commands of one chapter, as a script; what a console continues is continued.
fn script(chapter: &str) -> String {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let (_, rest) = readme.split_once(&format!("\n## {chapter}\n")).expect("the chapter");
    let chapter = rest.split("\n## ").next().unwrap();
    let mut script = String::new();
    for block in chapter.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for line in block.lines() {
            let line = line.strip_prefix("$ ").or_else(|| line.strip_prefix("> "));
            script.push_str(line.expect("a command"));
            script.push('\n');
        }
    }
    script
}

#[test]
fn the_main_job_comes_to_its_quiet_end() {
    let folder = Folder::new();
    let examples = folder.path().join("examples");
    fs::create_dir(&examples).unwrap();
    let copied = Folder::example("fabrikam");
    fs::rename(copied.into_dir().keep(), examples.join("fabrikam")).unwrap();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_partnerctl"));
    let script = script("The main job, once through");
    assert!(script.contains("cargo run -- apply examples/fabrikam --yes\n"), "{script}");
    // The program is built already.
    let script = script.replace("cargo run --", "partnerctl");
    let script = script.replace("\ncd ", "\npartnerctl apply examples/fabrikam --yes\ncd ");
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    let output = Command::new("sh")
        .args(["-e", "-x", "-c", &script])
        .current_dir(folder.path())
        .env_clear()
        .env("HOME", folder.path())
        .env("PATH", path)
        .output()
        .unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.status.code(), Some(0), "{said}");
    // The second run had nothing to do but wait, and the last one nobody to wait for.
    assert!(said.contains("\n0 done, 6 wait for people\n"), "{said}");
    let end = Command::new(program)
        .args(["status", "--exit-code"])
        .current_dir(examples.join("fabrikam"))
        .env_clear()
        .output()
        .unwrap();
    assert_eq!(end.status.code(), Some(0), "{}", String::from_utf8_lossy(&end.stdout));
    let mail = fs::read_to_string(examples.join("fabrikam/contoso.eml")).unwrap();
    assert!(mail.starts_with("From: ") || mail.contains("\nFrom: "), "{mail}");
}

//! The threat model names tests: they are there.

use std::fs;
use std::path::Path;

use crate::world::repository;

/// All sources below a folder, one after the other.
fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

/// Where a test is that the document names: a file of tests from the outside, or a module.
fn is_there(name: &str) -> bool {
    let (module, test) = name.rsplit_once("::").unwrap();
    let function = format!("fn {test}(");
    let outside = repository().join(format!("tests/outside/{module}.rs"));
    if let Ok(text) = fs::read_to_string(outside) {
        return text.contains(&function);
    }
    let path = repository().join("src").join(module.replace("::", "/"));
    let mut text = String::new();
    if path.is_dir() {
        sources(&path, &mut text);
    } else if let Ok(found) = fs::read_to_string(path.with_extension("rs")) {
        text = found;
    }
    text.contains(&function)
}

#[test]
fn every_test_that_the_threat_model_names_is_there() {
    let page = fs::read_to_string(repository().join("docs/threat-model.md")).unwrap();
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with('|')).collect();
    let mut named = 0;
    for row in rows {
        for name in row.split('`').skip(1).step_by(2).filter(|name| name.contains("::")) {
            // `::error` is what logs act on.
            if !name.starts_with("::") {
                assert!(is_there(name), "{name}");
                named += 1;
            }
        }
    }
    assert!(named > 20, "{named}");
    assert!(!is_there("approvals::nobody_wrote_this"));
}

//! Generated pages are as the program makes them. `PARTNERCTL_BLESS=1 cargo test fresh` writes them.

use std::fs;
use std::path::Path;

#[test]
fn generated_pages_are_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bless = std::env::var_os("PARTNERCTL_BLESS").is_some();
    let mut stale = Vec::new();
    let pages = partnerctl::cli::reference::pages();
    for (name, text) in &pages {
        let path = root.join(name);
        if bless {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
        } else if fs::read_to_string(&path).ok().as_deref() != Some(text) {
            stale.push(name.as_str());
        }
    }
    assert!(stale.is_empty(), "run `PARTNERCTL_BLESS=1 cargo test fresh`: {stale:?}");

    // What nothing makes any more must not stay.
    let schemas = fs::read_dir(root.join("schemas")).unwrap().map(|entry| entry.unwrap());
    for entry in schemas.filter(|entry| entry.path().extension().is_some_and(|ext| ext == "json")) {
        let name = format!("schemas/{}", entry.file_name().to_string_lossy());
        assert!(pages.iter().any(|(page, _)| *page == name), "{name} is made by nothing");
    }
}

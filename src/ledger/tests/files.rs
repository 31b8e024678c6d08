//! What happens to files: their mode, a disk that is full, a process that is killed.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::*;

/// Where the child of a test finds the ledger that it is to work on.
const CHILD: &str = "PARTNERCTL_LEDGER_TEST_CHILD";

/// This test program again, for one test alone, under a shell's settings.
fn child(test: &str, path: &Path, settings: &str) -> Command {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(format!("{settings} exec $drop \"$0\" --exact \"$1\" --nocapture"));
    command.arg(program).arg(format!("ledger::tests::files::{test}")).env(CHILD, path);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn place_of_child() -> Option<Place> {
    std::env::var_os(CHILD).map(|path| Place::File(path.into()))
}

#[tokio::test]
async fn is_for_its_owner_alone() {
    let store = Store::file();
    let ledger = store.open().await;
    leased(&ledger).await;
    let Place::File(path) = &store.place else { unreachable!() };
    for suffix in ["", "-wal", "-shm"] {
        let file = format!("{}{suffix}", path.display());
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{file}");
    }
}

#[tokio::test]
async fn refuses_other_files() {
    let store = Store::file();
    let Place::File(path) = &store.place else { unreachable!() };
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, "apiVersion: partnerctl/v1, and more text than a header has ".repeat(100))
        .unwrap();
    let error = Ledger::open(store.place.clone(), Opening::Create).await.unwrap_err();
    assert!(matches!(error, LedgerError::NotALedger { .. }), "{error:?}");
    std::fs::remove_file(path).unwrap();
    rusqlite::Connection::open(path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let error = Ledger::open(store.place.clone(), Opening::Create).await.unwrap_err();
    assert!(matches!(error, LedgerError::NotALedger { .. }), "{error:?}");
}

#[tokio::test]
async fn tells_a_file_that_cannot_grow() {
    if let Some(place) = place_of_child() {
        let ledger = Ledger::open(place, Opening::Existing).await.unwrap();
        let lease = leased(&ledger).await;
        for n in 0..10_000 {
            if let Err(error) = ledger.intend(&lease, intent(&format!("s{n}"))).await {
                assert!(matches!(error, LedgerError::DiskFull { .. }), "{error:?}");
                return;
            }
        }
        panic!("the limit was never met");
    }
    let store = Store::file();
    store.open().await.close().await;
    let Place::File(path) = &store.place else { unreachable!() };
    // In blocks of 512 bytes: room for the tables and a few entries.
    let limits = "trap '' XFSZ; ulimit -f 600;";
    let output = child("tells_a_file_that_cannot_grow", path, limits).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // And nothing is broken by it.
    let ledger = store.open().await;
    assert!(!ledger.open_entries().await.unwrap().is_empty());
}

#[tokio::test]
async fn tells_a_file_that_cannot_be_written() {
    if let Some(place) = place_of_child() {
        let error = match Ledger::open(place, Opening::Existing).await {
            Ok(ledger) => ledger.acquire(terms("ana", 1, 1)).await.unwrap_err(),
            Err(error) => error,
        };
        assert!(matches!(error, LedgerError::ReadOnly { .. }), "{error:?}");
        return;
    }
    let store = Store::file();
    store.open().await.close().await;
    let Place::File(path) = &store.place else { unreachable!() };
    let folder = path.parent().unwrap();
    let allow = |path: &Path, mode| {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    };
    allow(folder.parent().unwrap(), 0o755);
    allow(path, 0o444);
    allow(folder, 0o555);
    // Root may write everything.
    let is_root =
        std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0;
    let other = if is_root { "drop='setpriv --reuid=nobody --clear-groups --';" } else { "drop=;" };
    let test = "tells_a_file_that_cannot_be_written";
    let output = child(test, path, other).output().unwrap();
    allow(folder, 0o755);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn keeps_what_was_answered_when_killed() {
    if let Some(place) = place_of_child() {
        let ledger = Ledger::open(place, Opening::Existing).await.unwrap();
        let lease = leased(&ledger).await;
        ledger.intend(&lease, intent("a")).await.unwrap();
        let Some(path) = std::env::var_os(CHILD) else { unreachable!() };
        std::fs::write(Path::new(&path).with_extension("sent"), "").unwrap();
        tokio::time::sleep(Duration::from_mins(1)).await;
    }
    let store = Store::file();
    store.open().await.close().await;
    let Place::File(path) = &store.place else { unreachable!() };
    let mut running = child("keeps_what_was_answered_when_killed", path, "").spawn().unwrap();
    for _ in 0..1200 {
        if path.with_extension("sent").exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    running.kill().unwrap();
    running.wait().unwrap();
    let ledger = store.open().await;
    assert_eq!(ledger.open_entries().await.unwrap()[0].intent, intent("a"));
    assert!(matches!(ledger.acquire(terms("ben", 1, 1)).await, Err(LedgerError::Held(_))));
}

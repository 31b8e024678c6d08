//! A PostgreSQL server for the whole test process, in a temporary folder, on a Unix socket alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

use crate::ledger::PostgresPlace;

struct Server {
    folder: PathBuf,
}

static SERVER: OnceLock<Server> = OnceLock::new();
static SCHEMAS: AtomicU32 = AtomicU32::new(0);

/// A schema of its own for each test.
pub(super) fn place() -> PostgresPlace {
    let number = SCHEMAS.fetch_add(1, Ordering::Relaxed);
    PostgresPlace { url: url().into(), schema: format!("test_{number}") }
}

fn url() -> String {
    let server = SERVER.get_or_init(start);
    format!("host={} user=postgres dbname=postgres", server.folder.display())
}

/// Starts the server under a shell that ends it once this process is gone, however it went.
fn start() -> Server {
    let bin = newest_bin();
    // Made by whom the server runs as, who takes it away again.
    let made =
        unprivileged(Path::new("mktemp")).args(["-d", "-t", "ledger-pg-XXXXXX"]).output().unwrap();
    let folder = PathBuf::from(String::from_utf8(made.stdout).unwrap().trim());
    let data = folder.join("data");
    let made = unprivileged(&bin.join("initdb"))
        .args([
            "--username=postgres",
            "--auth=trust",
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C",
            "-D",
        ])
        .arg(&data)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    // The shell reads until our end of its standard input is closed, which even a kill does.
    let script = "\"$0\" -D \"$1\" -k \"$2\" -h '' -F >\"$2/log\" 2>&1 & read end; kill -INT $!; wait; rm -rf \"$2\"";
    let mut shell = unprivileged(Path::new("/bin/sh"));
    shell.arg("-c").arg(script).arg(bin.join("postgres")).arg(&data).arg(&folder);
    let child: Child = shell.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    // Never dropped: the pipe stays open as long as this process lives.
    std::mem::forget(child);
    for _ in 0..600 {
        if folder.join(".s.PGSQL.5432").exists() {
            return Server { folder };
        }
        sleep(Duration::from_millis(50));
    }
    panic!("PostgreSQL did not start: {:?}", fs::read_to_string(folder.join("log")));
}

fn newest_bin() -> PathBuf {
    let root = Path::new("/usr/lib/postgresql");
    let versions =
        fs::read_dir(root).expect("Debian's package `postgresql`; tests/run installs it");
    versions
        .map(|entry| entry.unwrap().path().join("bin"))
        .filter(|bin| bin.join("initdb").exists())
        .max()
        .expect("initdb")
}

/// PostgreSQL refuses to run as root.
fn unprivileged(program: &Path) -> Command {
    let is_root = fs::metadata("/proc/self")
        .is_ok_and(|entry| std::os::unix::fs::MetadataExt::uid(&entry) == 0);
    if !is_root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
    command.current_dir("/");
    command
}

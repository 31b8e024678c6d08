//! PostgreSQL servers in temporary folders, on Unix sockets, for tests that want one of their own.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// A server, which ends with the process, or when it is dropped.
pub(crate) struct Server {
    pub(crate) folder: PathBuf,
    shell: Child,
    port: u16,
}

/// What the server runs under. It ends when its input does, which even a kill of ours brings about;
/// a signal read from there goes to the server, and `start` starts it again.
const SHELL: &str = "folder=$0; \
    start() { \"$@\" >>\"$folder/log\" 2>&1 & }; start \"$@\"; \
    while read word; do case $word in start) start \"$@\";; *) kill -$word $!; wait $!; echo;; esac; done; \
    kill -INT $!; wait; rm -rf \"$folder\"";

const PORT: u16 = 5432;

impl Server {
    /// One with these options, and with files of its own in its folder. An option may name that
    /// folder as `{}`.
    pub(crate) fn start(options: &[&str], files: &[(&str, &str)]) -> Self {
        Self::on(PORT, options, files)
    }

    /// One that is reached over TCP too.
    pub(crate) fn on(port: u16, options: &[&str], files: &[(&str, &str)]) -> Self {
        let bin = newest_bin();
        // Made by whom the server runs as, who takes it away again.
        let mut make = unprivileged(Path::new("mktemp"));
        let made = make.args(["-d", "-t", "ledger-pg-XXXXXX"]).output().unwrap();
        let folder = PathBuf::from(String::from_utf8(made.stdout).unwrap().trim());
        let data = folder.join("data");
        let made = unprivileged(&bin.join("initdb"))
            .args(["--username=postgres", "--auth=trust", "--no-sync"])
            .args(["--encoding=UTF8", "--locale=C", "-D"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        for (name, text) in files {
            keep(&folder.join(name), text);
        }
        let mut shell = unprivileged(Path::new("/bin/sh"));
        shell.arg("-c").arg(SHELL).arg(&folder).arg(bin.join("postgres"));
        shell.arg("-D").arg(&data).arg("-k").arg(&folder).args(["-F", "-p", &port.to_string()]);
        if port == PORT {
            shell.args(["-h", ""]);
        }
        for option in options {
            shell.arg("-c").arg(option.replace("{}", &folder.display().to_string()));
        }
        let shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let server = Self { folder, shell, port };
        server.wait();
        server
    }

    /// How clients reach it.
    pub(crate) fn address(&self, database: &str) -> String {
        format!("host={} port={} user=postgres dbname={database}", self.folder.display(), self.port)
    }

    /// Something for the server to do, as its administrator.
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        let mut client = Command::new(newest_bin().join("psql"));
        client.args(["-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-c", sql]);
        let ended = client.arg(self.address(database)).output().unwrap();
        assert!(ended.status.success(), "{sql}: {}", String::from_utf8_lossy(&ended.stderr));
        String::from_utf8(ended.stdout).unwrap()
    }

    /// Ends it: `INT` as an administrator would, `QUIT` as if it had crashed.
    pub(crate) fn end(&mut self, signal: &str) {
        self.tell(signal);
        let mut line = [0; 1];
        std::io::Read::read_exact(self.shell.stdout.as_mut().unwrap(), &mut line).unwrap();
    }

    pub(crate) fn start_again(&mut self) {
        self.tell("start");
        self.wait();
    }

    fn tell(&mut self, word: &str) {
        writeln!(self.shell.stdin.as_mut().unwrap(), "{word}").unwrap();
    }

    /// Until it answers.
    fn wait(&self) {
        let ready = newest_bin().join("pg_isready");
        for _ in 0..600 {
            let mut asked = Command::new(&ready);
            asked.args(["-q", "-p", &self.port.to_string(), "-h"]).arg(&self.folder);
            if asked.status().unwrap().success() {
                return;
            }
            sleep(Duration::from_millis(50));
        }
        panic!("PostgreSQL did not start: {:?}", fs::read_to_string(self.folder.join("log")));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        drop(self.shell.wait());
    }
}

/// Writes a file that belongs to whom the server runs as, and that nobody else may read.
fn keep(path: &Path, text: &str) {
    let mut shell = unprivileged(Path::new("/bin/sh"));
    shell.args(["-c", "umask 077; cat >\"$0\""]).arg(path).stdin(Stdio::piped());
    let mut shell = shell.spawn().unwrap();
    shell.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success());
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

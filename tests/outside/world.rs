//! A folder of manifests, and the program run in it.
//!
//! The program sees an empty environment, a home of its own and a day that does not move. Measured
//! are its processor time and its memory at the highest, which tell more than a clock where other
//! tests run beside it.

use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// The day on which all tests happen.
pub(crate) const TODAY: &str = "2026-11-20";
pub(crate) const FORMATS: [&str; 5] = ["text", "json", "sarif", "junit", "github"];

/// What every estate needs, without a finding.
pub(crate) const ACCOUNT: &str = "\
apiVersion: partnerctl/v1
kind: Account
metadata: {name: fabrikam}
spec:
  program: indirect-reseller
  country: JP
  domains: [fabrikam.example]
  partnerId: \"4567890\"
  legal:
    companyName: Fabrikam K.K.
    address: {line1: 1-2-3 Marunouchi, city: Tokyo, postalCode: 100-0005, country: JP}
    primaryContact: {firstName: Aiko, lastName: Tanaka, email: aiko@fabrikam.example, phone: \"+81 3 1234 5678\"}
";

/// As many users as the guards want.
pub(crate) const USERS: &str = "\
apiVersion: partnerctl/v1
kind: User
metadata: {name: aiko}
spec: {displayName: 田中 愛子, email: aiko@fabrikam.example, agent: admin, admin: global}
---
apiVersion: partnerctl/v1
kind: User
metadata: {name: chie}
spec: {displayName: 森 千恵, email: chie@fabrikam.example, agent: none, admin: global}
";

pub(crate) const PROJECT: &str = "\
apiVersion: partnerctl/v1
kind: Project
metadata: {name: fabrikam}
spec:
  manifests: [estate]
";

/// Whoever takes longer is ended.
const CPU_MAX: Duration = Duration::from_secs(40);

/// A temporary folder.
pub(crate) struct Folder {
    dir: TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A project with one account and two users, without a finding.
    pub(crate) fn project() -> Self {
        Self::new()
            .with("partnerctl.yaml", PROJECT)
            .with("estate/account.yaml", ACCOUNT)
            .with("estate/users.yaml", USERS)
    }

    /// The same without a project file.
    pub(crate) fn bare() -> Self {
        Self::new().with("account.yaml", ACCOUNT).with("users.yaml", USERS)
    }

    /// A copy of one of the examples.
    pub(crate) fn example(name: &str) -> Self {
        let folder = Self::new();
        copy(&repository().join("examples").join(name), folder.path());
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn from(dir: TempDir) -> Self {
        Self { dir }
    }

    pub(crate) fn into_dir(self) -> TempDir {
        self.dir
    }

    pub(crate) fn with(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
        self
    }

    pub(crate) fn with_link(self, name: &str, target: impl AsRef<Path>) -> Self {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder");
        symlink(target, path).expect("a link");
        self
    }

    pub(crate) fn with_folder(self, name: &str) -> Self {
        fs::create_dir_all(self.path().join(name)).expect("a folder");
        self
    }

    /// Changes a file: `from` stands in it exactly once.
    pub(crate) fn edit(self, name: &str, from: &str, to: &str) -> Self {
        let path = self.path().join(name);
        let text = fs::read_to_string(&path).expect("the file is there");
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {name}");
        fs::write(path, text.replacen(from, to, 1)).expect("a file");
        self
    }

    /// Runs the program in this folder.
    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        Run::new(args).within(self.path()).end()
    }

    /// Validates this folder as of the day of all tests.
    pub(crate) fn validate(&self, args: &[&str]) -> Ended {
        self.run(&[&["validate", "--as-of", TODAY], args].concat())
    }

    /// The findings of this folder, from JSON.
    pub(crate) fn findings(&self) -> Vec<Found> {
        found(&self.validate(&["--format", "json", "."]).out)
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("the folder is there").flatten() {
        let target = to.join(entry.file_name());
        // What somebody's own runs left there is not part of it.
        let name = entry.file_name();
        if name == ".partnerctl" || name == "handover" || target.extension() == Some("eml".as_ref())
        {
            continue;
        }
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

pub(crate) fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A finding as JSON tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) file: String,
    pub(crate) line: Option<u64>,
    pub(crate) column: Option<u64>,
    pub(crate) code: String,
    pub(crate) severity: String,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Found {
    /// `file:line:column code`, as tests write it.
    pub(crate) fn at(&self) -> String {
        let Self { file, code, .. } = self;
        match (self.line, self.column) {
            (Some(line), Some(column)) => format!("{file}:{line}:{column} {code}"),
            _ => format!("{file} {code}"),
        }
    }
}

pub(crate) fn found(json: &str) -> Vec<Found> {
    let value: serde_json::Value = serde_json::from_str(json).expect("it is JSON");
    let all = value["findings"].as_array().expect("a list of findings");
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    all.iter()
        .map(|finding| Found {
            file: text(&finding["file"]).expect("a file"),
            line: finding["line"].as_u64(),
            column: finding["column"].as_u64(),
            code: text(&finding["code"]).expect("a code"),
            severity: text(&finding["severity"]).expect("a severity"),
            message: text(&finding["message"]).expect("a message"),
            help: text(&finding["help"]),
        })
        .collect()
}

/// `file:line:column code` of each.
pub(crate) fn places(found: &[Found]) -> Vec<String> {
    found.iter().map(Found::at).collect()
}

pub(crate) fn codes(found: &[Found]) -> Vec<&str> {
    found.iter().map(|found| found.code.as_str()).collect()
}

/// A run that is about to be.
pub(crate) struct Run {
    args: Vec<OsString>,
    within: Option<PathBuf>,
    stdin: Vec<u8>,
}

/// What became of it.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    /// Processor time of all threads.
    pub(crate) cpu: Duration,
    /// Memory at the highest, in MiB. A floor: it is looked at while the program runs.
    pub(crate) peak: u64,
}

impl Ended {
    /// All that can be read.
    pub(crate) fn all(&self) -> String {
        format!("{}\n{}", self.out, self.err)
    }

    /// Code, output and complaints as one text, for snapshots.
    pub(crate) fn shown(&self) -> String {
        let mut shown = format!("exit {}\n", self.code);
        for (name, text) in [("stdout", &self.out), ("stderr", &self.err)] {
            if !text.is_empty() {
                shown.push_str(&format!("--- {name}\n{text}"));
            }
        }
        shown
    }
}

impl Run {
    pub(crate) fn new<S: Into<OsString> + Clone>(args: &[S]) -> Self {
        let args = args.iter().cloned().map(Into::into).collect();
        Self { args, within: None, stdin: Vec::new() }
    }

    pub(crate) fn within(mut self, folder: &Path) -> Self {
        self.within = Some(folder.to_owned());
        self
    }

    pub(crate) fn stdin(mut self, text: impl AsRef<[u8]>) -> Self {
        self.stdin = text.as_ref().to_vec();
        self
    }

    /// The command, and the folder that is its home.
    pub(crate) fn command(&self) -> (Command, TempDir) {
        let home = tempfile::tempdir().expect("a temporary folder");
        // Another build of the same program may be measured with the same tests.
        let program = std::env::var_os("PARTNERCTL_UNDER_TEST")
            .unwrap_or_else(|| env!("CARGO_BIN_EXE_partnerctl").into());
        let mut command = Command::new(program);
        command.args(&self.args).env_clear().env("HOME", home.path()).env("NO_COLOR", "1");
        command.current_dir(self.within.as_deref().unwrap_or(home.path()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        (command, home)
    }

    pub(crate) fn end(self) -> Ended {
        let (mut command, _home) = self.command();
        let mut child = command.spawn().expect("the program starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        let text = self.stdin;
        // Who ends before reading everything closes the pipe, and may.
        let writer = thread::spawn(move || drop(stdin.write_all(&text)));
        let out = drain(child.stdout.take().expect("a pipe"));
        let err = drain(child.stderr.take().expect("a pipe"));
        let (cpu, peak) = watch(&mut child);
        let status = child.wait().expect("it ends");
        writer.join().expect("it wrote");
        Ended {
            code: status.code().unwrap_or_else(|| panic!("it was ended: {status}, after {cpu:?}")),
            out: out.join().expect("it was read"),
            err: err.join().expect("it was read"),
            cpu,
            peak,
        }
    }
}

fn drain(mut from: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).expect("a pipe can be read");
        String::from_utf8(bytes).expect("output is UTF-8")
    })
}

/// Waits for the end without reaping: an ended process still tells its times.
fn watch(child: &mut Child) -> (Duration, u64) {
    let process = PathBuf::from(format!("/proc/{}", child.id()));
    let (mut cpu, mut peak) = (Duration::ZERO, 0);
    let mut pause = Duration::from_micros(200);
    while let Ok(stat) = fs::read_to_string(process.join("stat")) {
        // Behind the name, which may hold anything: state, and the times in ticks of 10 ms.
        let fields: Vec<&str> =
            stat.rsplit_once(") ").map_or("", |(_, rest)| rest).split(' ').collect();
        let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<u64>().ok());
        cpu = Duration::from_millis(10 * (ticks(11).unwrap_or(0) + ticks(12).unwrap_or(0)));
        if matches!(fields.first(), None | Some(&("Z" | "X"))) {
            break;
        }
        if cpu > CPU_MAX {
            child.kill().expect("it can be ended");
        }
        let status = fs::read_to_string(process.join("status")).unwrap_or_default();
        let high = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = high.and_then(|text| text.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or(0) / 1024);
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(5));
    }
    (cpu, peak)
}

/// Where a program is.
pub(crate) fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let named = if name == "cvc5" { std::env::var_os("CVC5").map(PathBuf::from) } else { None };
    let found = std::env::split_paths(&path).map(|folder| folder.join(name));
    let found = named.into_iter().chain(found).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("{name} is there (Debian's package of that name)"))
}

//! A tenant that another process serves, a project that knows the way to it, and what a run of the
//! program costs: for benchmarks.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::resource::{UsageWho, getrusage};
use serde_json::Value;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_partnerctl");

/// CPU time in milliseconds, and memory at the highest in MiB.
pub(crate) fn run(folder: &Path, args: &[&str]) -> (f64, u64) {
    let before = children();
    let mut child = Command::new(PROGRAM)
        .args(args)
        .current_dir(folder)
        .env_remove("NO_COLOR")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().expect("a child").is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let high = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let high = high.and_then(|text| text.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = peak.max(high.unwrap_or(0) / 1024);
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    assert!(child.wait().expect("it ended").success(), "{args:?}");
    (children() - before, peak)
}

fn children() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("usage");
    let millis = |time: nix::sys::time::TimeVal| {
        #[expect(clippy::cast_precision_loss, reason = "a benchmark's figures are small")]
        let seconds = time.tv_sec() as f64;
        #[expect(clippy::cast_precision_loss, reason = "less than a million")]
        let micros = time.tv_usec() as f64;
        seconds * 1e3 + micros / 1e3
    };
    millis(usage.user_time()) + millis(usage.system_time())
}

/// A tenant in a process of its own.
pub(crate) struct Served(Child);

impl Served {
    pub(crate) fn start(folder: &Path) -> (Self, Value) {
        let mut child = Command::new(PROGRAM)
            .args(["emulator", "serve", "--listen", "127.0.0.1:0", "--format", "json", "--seed"])
            .arg(folder)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the emulator starts");
        let out = child.stdout.take().expect("its output");
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).expect("a line");
        (Self(child), serde_json::from_str(&line).expect("JSON"))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The project's context, with secrets in files beside it.
pub(crate) fn context(folder: &Path, tenant: &Value, settle: &str) {
    let text = |key: &str| tenant[key].as_str().unwrap_or_default();
    fs::write(folder.join("secret"), text("clientSecret")).expect("a file");
    fs::write(folder.join("refresh"), text("refreshToken")).expect("a file");
    let (url, client) = (text("url"), text("clientId"));
    let identity = format!(
        "{{clientId: {client}, clientSecret: {{file: secret}}, refreshToken: {{file: refresh}}}}"
    );
    let project = format!(
        "apiVersion: partnerctl/v1\nkind: Project\nmetadata: {{name: fabrikam}}\nspec:\n  manifests: [estate]\n  contexts:\n    served:\n      tenant: {}\n      auth: {{read: {identity}, write: {identity}}}\n      endpoints: {{login: \"{url}\", graph: \"{url}\", partnerCenter: \"{url}\", admin: \"{url}\"}}\n      settle: {settle}\n",
        text("tenant")
    );
    fs::write(folder.join("partnerctl.yaml"), project).expect("a file");
}

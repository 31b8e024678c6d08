//! How much validating costs: CPU time and peak memory of the release binary, over estates of
//! growing size, all kinds in them, every reference resolved.
//!
//! `cargo bench --bench validate`. Figures are of this machine; compare ratios.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a benchmark prints, and stops when it cannot go on"
)]

#[path = "corpus.rs"]
mod corpus;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};

const RUNS: usize = 5;

fn main() {
    // Only `cargo bench` says so; there is nothing to test here.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let binary = env!("CARGO_BIN_EXE_partnerctl");
    let folder = std::env::temp_dir().join(format!("partnerctl-bench-{}", std::process::id()));
    println!("{:<34} {:>9} {:>9} {:>9} {:>9}", "", "min ms", "median", "max", "peak MiB");
    // Sizes ascend: the peak of all children so far is then that of the largest.
    row("--version", &mut || command(binary, &["--version"]), 20);
    for documents in [1_000, 10_000, 100_000] {
        let estate = folder.join(documents.to_string());
        let bytes = corpus::write(&estate, documents).expect("the corpus can be written");
        let name = format!("validate, {documents} documents, {:.1} MB", bytes as f64 / 1e6);
        let path = estate.to_str().expect("a plain path").to_owned();
        row(&name, &mut || command(binary, &["validate", &path]), RUNS);
    }
    drop(std::fs::remove_dir_all(folder));
}

fn command(binary: &str, args: &[&str]) -> Command {
    let mut command = Command::new(Path::new(binary));
    command.args(args).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn row(name: &str, command: &mut dyn FnMut() -> Command, runs: usize) {
    let mut times: Vec<Duration> = (0..=runs)
        .map(|_| {
            let before = cpu();
            let status = command().status().expect("the binary runs");
            assert!(status.success(), "{name} ended with {status}");
            cpu().saturating_sub(before)
        })
        .skip(1)
        .collect();
    times.sort();
    let peak =
        getrusage(UsageWho::RUSAGE_CHILDREN).expect("usage is known").max_rss() as f64 / 1024.0;
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "{name:<34} {:>9.1} {:>9.1} {:>9.1} {peak:>9.1}",
        ms(times[0]),
        ms(times[times.len() / 2]),
        ms(times[times.len() - 1]),
    );
}

/// User and system time of all children so far.
fn cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("usage is known");
    let time = |value: nix::sys::time::TimeVal| {
        Duration::from_micros(value.tv_sec() as u64 * 1_000_000 + value.tv_usec() as u64)
    };
    time(usage.user_time()) + time(usage.system_time())
}

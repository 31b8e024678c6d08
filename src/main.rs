//! Parse, run, turn the outcome into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    partnerctl::cli::main()
}

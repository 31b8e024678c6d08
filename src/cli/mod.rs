//! The shell: arguments, files, the clock, exit codes. One file per command.
//!
//! A command is a short story that reads, thinks and tells; if it needs an `if` about users or
//! roles, that `if` belongs in the core.

mod access;
mod apply;
mod applying;
mod approvals;
mod approve;
mod can;
mod clock;
mod completions;
mod confirm;
mod drift;
mod emulator;
mod explain;
mod files;
mod fmt;
mod git;
mod going;
mod history;
mod import;
mod init;
mod invite;
mod live;
mod login;
mod man;
mod output;
mod past;
mod plan;
mod planning;
mod policies;
pub(crate) mod prover;
mod reconcile;
pub mod reference;
mod review;
mod saved;
mod schema;
mod show;
mod signing;
mod status;
mod tenant;
mod test;
mod undo;
mod unlock;
mod user;
mod validate;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// Keeps a Microsoft Partner Center account as code
///
/// Manifests in YAML say who works here and with which roles, which partners we trade through,
/// which customers we have, and what we may do in their tenants. partnerctl checks them, says
/// what is wrong with them and where, and lays them out.
#[derive(Parser, Debug)]
#[command(name = "partnerctl", version, propagate_version = true, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Write without colours; `NO_COLOR` in the environment does the same
    #[arg(long, global = true)]
    no_color: bool,
    /// Say on standard error what is being done
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

const EXIT_CODES: &str = "\
Exit codes:
  0   done, or nothing to do
  1   failed: network, storage, or a bug (which says so)
  2   changes are pending (`--exit-code`); `review`: what `--fail-on` names
  3   manifests or policies are invalid; a failed `test`; `fmt --check` with differences
  4   denied by a policy or a guard; approvals that are required are missing
  5   over a limit
  6   the plan is stale, was changed, is not what was approved, or is none that this version knows
  7   partly applied: some steps failed, were skipped, or have an unknown outcome
  8   only waiting on people is left (`--exit-code`)
  9   drift only (`--exit-code`)
  10  another run holds the lock
  64  wrong usage
  128+n  ended by signal n; what was under way was waited for";

#[derive(Subcommand, Debug)]
enum Command {
    Init(init::InitArgs),
    Validate(validate::ValidateArgs),
    Fmt(fmt::FmtArgs),
    Explain(explain::ExplainArgs),
    Plan(plan::PlanArgs),
    Approve(approve::ApproveArgs),
    Apply(apply::ApplyArgs),
    Reconcile(reconcile::ReconcileArgs),
    Drift(drift::DriftArgs),
    Status(status::StatusArgs),
    Invite(invite::InviteArgs),
    Confirm(confirm::ConfirmArgs),
    Can(can::CanArgs),
    Access(access::AccessArgs),
    Test(test::TestArgs),
    Review(review::ReviewArgs),
    User(user::UserArgs),
    Import(import::ImportArgs),
    Show(show::ShowArgs),
    History(history::HistoryArgs),
    Undo(undo::UndoArgs),
    Unlock(unlock::UnlockArgs),
    Login(login::LoginArgs),
    Logout(login::LogoutArgs),
    Schema(schema::SchemaArgs),
    Emulator(emulator::EmulatorArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

/// What a command came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done, or nothing to do.
    Done,
    /// Manifests are invalid, not laid out as they should be, or a test fails.
    Invalid,
    /// A policy says no.
    Denied,
    /// More would change than may in a day.
    OverLimit,
    /// Something would change.
    Pending,
    /// Only others changed things.
    Drifted,
    /// Only people are waited for.
    Waiting,
    /// Some steps did not come about.
    Partly,
    /// A signal ended it; what was under way was waited for.
    Ended(u8),
}

/// Why a command could not do its work.
#[derive(Debug)]
pub enum CommandError {
    /// What was planned is not what would happen now: nothing was sent.
    Stale(String),
    /// Another run holds the ledger.
    Locked(String),
    /// It was called wrongly.
    Usage(String),
    /// A file is no plan that can be used: changed, foreign, or of an unknown version.
    NotAPlan(String),
    /// Something around us failed.
    Failed { doing: String, source: std::io::Error },
    /// A bug of ours.
    Internal(String),
}

impl CommandError {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    pub(crate) fn failed(doing: impl Into<String>, source: std::io::Error) -> Self {
        Self::Failed { doing: doing.into(), source }
    }

    /// A failure with all its causes, in a line.
    pub(crate) fn because(doing: impl Into<String>, error: &dyn std::error::Error) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        Self::failed(doing, std::io::Error::other(text))
    }
}

impl std::fmt::Display for CommandError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Usage(message) | Self::NotAPlan(message) | Self::Stale(message) => {
                f.write_str(message)
            }
            Self::Locked(holder) => write!(f, "another run holds the ledger: {holder}"),
            Self::Failed { doing, source } => write!(f, "{doing}: {source}"),
            Self::Internal(message) => {
                write!(f, "internal error: {message}\nthis is a bug of partnerctl")
            }
        }
    }
}

/// The exit code of each outcome: a contract.
const fn exit_code(result: &Result<Outcome, CommandError>) -> u8 {
    match result {
        Ok(Outcome::Done) => 0,
        Err(CommandError::Failed { .. } | CommandError::Internal(_)) => 1,
        Ok(Outcome::Invalid) => 3,
        Ok(Outcome::Denied) => 4,
        Ok(Outcome::OverLimit) => 5,
        Err(CommandError::NotAPlan(_) | CommandError::Stale(_)) => 6,
        Ok(Outcome::Pending) => 2,
        Ok(Outcome::Drifted) => 9,
        Ok(Outcome::Waiting) => 8,
        Ok(Outcome::Partly) => 7,
        Ok(Outcome::Ended(signal)) => 128_u8.saturating_add(*signal),
        Err(CommandError::Locked(_)) => 10,
        Err(CommandError::Usage(_)) => 64,
    }
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    ExitCode::from(run(std::env::args_os()))
}

/// The whole command line, for whoever documents it.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the program with these arguments, the first of which is its name; the exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are asked for; anything else is wrong usage.
            let code = if error.use_stderr() { 64 } else { 0 };
            drop(error.print());
            return code;
        }
    };
    let out = output::Output::new(cli.no_color, cli.verbose > 0);
    let result = match &cli.command {
        Command::Init(args) => init::run(&out, args),
        Command::Validate(args) => validate::run(&out, args),
        Command::Fmt(args) => fmt::run(&out, args),
        Command::Explain(args) => explain::run(&out, args),
        Command::Plan(args) => plan::run(&out, args),
        Command::Approve(args) => approve::run(&out, args),
        Command::Apply(args) => apply::run(&out, args),
        Command::Reconcile(args) => reconcile::run(&out, args),
        Command::Confirm(args) => confirm::run(&out, args),
        Command::Drift(args) => drift::run(&out, args),
        Command::Status(args) => status::run(&out, args),
        Command::Invite(args) => invite::run(&out, args),
        Command::Can(args) => can::run(&out, args),
        Command::Access(args) => access::run(&out, args),
        Command::Test(args) => test::run(&out, args),
        Command::Review(args) => review::run(&out, args),
        Command::User(args) => user::run(&out, args),
        Command::Import(args) => import::run(&out, args),
        Command::Show(args) => show::run(&out, args),
        Command::History(args) => history::run(&out, args),
        Command::Undo(args) => undo::run(&out, args),
        Command::Unlock(args) => unlock::run(&out, args),
        Command::Login(args) => login::login(&out, args),
        Command::Logout(args) => login::logout(&out, args),
        Command::Schema(args) => schema::run(&out, args),
        Command::Emulator(args) => emulator::run(&out, args),
        Command::Completions(args) => completions::run(&out, args),
        Command::Man(args) => man::run(&out, args),
    };
    match &result {
        Ok(_) => {}
        // Whoever reads our output has seen enough: `partnerctl validate | head`.
        Err(CommandError::Failed { source, .. })
            if source.kind() == std::io::ErrorKind::BrokenPipe =>
        {
            return 0;
        }
        Err(error) => out.complain(&error.to_string()),
    }
    exit_code(&result)
}

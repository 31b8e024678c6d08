//! The solver: finds a cvc5, starts it, limits it, ends it.
//!
//! It is named by `CVC5`, or found in `PATH`. It is started without a shell and with nothing of
//! our environment, reads its questions from a pipe, and dies with the handle on it.

use std::cell::{Cell, RefCell};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::runtime::Runtime;
use tokio::time::Instant;

use super::CommandError;
use crate::manifest::{Examined, Examiner};
use crate::policy::check::examine as policies;
use crate::policy::check::proved::{self, Looked, Unasked};
use crate::policy::prove::solver::{Decision, DecisionWithModel, Solver, SolverError};
use crate::policy::prove::{Solvers, Unproved};

/// How long one question may take.
const QUERY: Duration = Duration::from_secs(10);
/// How long all questions together may take.
const TOTAL: Duration = Duration::from_mins(2);
/// How much memory the solver may have.
const MEMORY_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// A model of more than this is nobody's.
const ANSWER_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Examines an estate as [`Policies`](crate::policy::check::Policies) does, and then with a solver.
#[derive(Debug)]
pub(crate) struct Proving {
    solvers: RefCell<Cvc5>,
    runtime: Runtime,
    looked: Cell<Result<Looked, Unasked>>,
}

impl Proving {
    /// Refused where there is no solver: whoever asks for a proof does not want silence.
    pub(crate) fn new() -> Result<Self, CommandError> {
        let solvers = Cvc5::found();
        if let Some(why) = solvers.missing() {
            let why = std::io::Error::new(std::io::ErrorKind::NotFound, why.to_string());
            return Err(CommandError::failed("not proved", why));
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|source| CommandError::failed("starting", source))?;
        Ok(Self { solvers: RefCell::new(solvers), runtime, looked: Cell::new(Err(Unasked::Wrong)) })
    }
}

impl Proving {
    /// What was proved, in a sentence.
    pub(crate) fn sentence(&self) -> String {
        let Looked { invariants, kept, policies } = match self.looked.get() {
            Ok(looked) => looked,
            Err(Unasked::Wrong) => {
                return "nothing was proved: what is wrong comes first".to_owned();
            }
            Err(Unasked::Part) => {
                return "nothing was proved: this is a part of the estate".to_owned();
            }
        };
        let promises = match (invariants, kept) {
            (0, _) => "there are no invariants".to_owned(),
            (1, 1) => "the invariant holds in every estate there could be".to_owned(),
            (all, kept) => {
                format!("{kept} of {all} invariants hold in every estate there could be")
            }
        };
        let looked = match policies {
            1 => "1 policy looked at".to_owned(),
            several => format!("{several} policies looked at"),
        };
        format!("proofs: {promises}; {looked}")
    }
}

impl Examiner for Proving {
    fn examine(&self, examined: &mut Examined<'_, '_>) {
        let here = policies(examined);
        let mut solvers = self.solvers.borrow_mut();
        let looked = self.runtime.block_on(proved::examine(examined, here, &mut *solvers));
        self.looked.set(looked);
    }
}

/// Starts cvc5 as often as it takes.
#[derive(Debug)]
pub(crate) struct Cvc5 {
    program: Result<PathBuf, Unproved>,
    query: Duration,
    total: Duration,
    /// When all questions must be answered; counted from the first.
    deadline: Option<Instant>,
}

impl Cvc5 {
    /// The one that `CVC5` names, or that is in `PATH`.
    pub(crate) fn found() -> Self {
        let program =
            program(std::env::var_os("CVC5"), &std::env::var_os("PATH").unwrap_or_default());
        Self { program, query: QUERY, total: TOTAL, deadline: None }
    }

    #[cfg(test)]
    pub(crate) fn at(program: PathBuf, query: Duration) -> Self {
        Self { program: Ok(program), query, total: TOTAL, deadline: None }
    }

    /// The same, with less time for all questions together.
    #[must_use]
    pub(crate) fn within(self, total: Duration) -> Self {
        Self { total: self.total.min(total), ..self }
    }

    /// Why there is none.
    pub(crate) fn missing(&self) -> Option<&Unproved> {
        self.program.as_ref().err()
    }
}

/// Where the solver is.
fn program(named: Option<OsString>, path: &OsStr) -> Result<PathBuf, Unproved> {
    if let Some(named) = named.filter(|named| !named.is_empty()) {
        let named = PathBuf::from(named);
        let wrong = if !named.is_file() {
            "is no file"
        } else if !is_executable(&named) {
            "is not executable"
        } else {
            return Ok(named);
        };
        let said = format!("`CVC5` names `{}`, which {wrong}", named.display());
        return Err(Unproved::NoSolver(said));
    }
    let folders = std::env::split_paths(path);
    let name = format!("cvc5{}", std::env::consts::EXE_SUFFIX);
    // What is found by a relative path depends on where somebody stands.
    let mut found = folders.filter(|folder| folder.is_absolute()).map(|folder| folder.join(&name));
    found.find(|file| file.is_file() && is_executable(file)).ok_or_else(|| {
        let said = "there is no solver: install cvc5, or name it in `CVC5`";
        Unproved::NoSolver(said.to_owned())
    })
}

/// As a shell looks for programs: what cannot be executed is none.
#[cfg(unix)]
fn is_executable(file: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
const fn is_executable(_file: &std::path::Path) -> bool {
    true
}

impl Solvers for Cvc5 {
    type Solver = Process;

    fn start(&mut self) -> Result<Process, Unproved> {
        let program = self.program.clone()?;
        // A program of others is given so much time; nothing that is shown depends on it.
        let now = Instant::now();
        let deadline = *self.deadline.get_or_insert(now + self.total);
        if now >= deadline {
            let seconds = self.total.as_secs();
            let said = format!("it has had {seconds} s for all questions together");
            return Err(Unproved::Solver(said));
        }
        Process::start(&program, self.query, deadline).map_err(|error| {
            Unproved::NoSolver(format!("`{}` cannot be started: {error}", program.display()))
        })
    }
}

/// A solver that runs.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// The question, written down until it is asked.
    script: Vec<u8>,
    query: Duration,
    deadline: Instant,
}

impl Process {
    fn start(
        program: &std::path::Path,
        query: Duration,
        deadline: Instant,
    ) -> std::io::Result<Self> {
        let limit = query.as_millis();
        let mut child = Command::new(program)
            // It ends by itself where it can: then it is not to be started anew.
            .args(["--lang", "smt", &format!("--tlimit-per={limit}")])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        limit_memory(&child);
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(std::io::Error::other("it has no pipes"));
        };
        let output = BufReader::new(output);
        Ok(Self { child, input, output, script: Vec::new(), query, deadline })
    }

    /// Does something of the conversation, as long as there is time.
    async fn within<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Self) -> Result<T, SolverError>,
    ) -> Result<T, SolverError> {
        let until = (Instant::now() + self.query + GRACE).min(self.deadline);
        let seconds = self.query.as_secs_f32();
        let outcome = tokio::time::timeout_at(until, work(self)).await;
        let outcome = outcome.unwrap_or_else(|_| {
            Err(SolverError::Solver(format!("it did not answer within {seconds} s")))
        });
        if outcome.is_err() {
            // Nothing more is asked of it, and nobody waits for it to see that by itself.
            drop(self.child.start_kill());
        }
        outcome
    }

    async fn ask(&mut self) -> Result<Decision, SolverError> {
        self.script.extend_from_slice(b"(check-sat)\n");
        let script = std::mem::take(&mut self.script);
        self.say(&script).await?;
        match self.line().await?.as_str() {
            "sat" => Ok(Decision::Sat),
            "unsat" => Ok(Decision::Unsat),
            "unknown" => Ok(Decision::Unknown),
            said => Err(SolverError::UnrecognizedSolverOutput(said.to_owned())),
        }
    }

    async fn model(&mut self) -> Result<String, SolverError> {
        self.say(b"(get-model)\n").await?;
        let first = self.line().await?;
        if first != "(" {
            return Err(SolverError::UnrecognizedSolverOutput(first));
        }
        let mut model = String::from("(\n");
        loop {
            let line = self.line().await?;
            model.push_str(&line);
            model.push('\n');
            if line == ")" {
                return Ok(model);
            }
            if model.len() as u64 > ANSWER_BYTES_MAX {
                return Err(SolverError::Solver("its answer does not end".to_owned()));
            }
        }
    }

    async fn say(&mut self, text: &[u8]) -> Result<(), SolverError> {
        let sent = match self.input.write_all(text).await {
            Ok(()) => self.input.flush().await,
            failed => failed,
        };
        match sent {
            // Whether it ended before it was asked or after is nobody's business.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                Err(SolverError::Solver(self.end().await))
            }
            sent => Ok(sent?),
        }
    }

    /// A line of what it says, without the blanks around it.
    async fn line(&mut self) -> Result<String, SolverError> {
        let mut line = String::new();
        let mut rest = (&mut self.output).take(ANSWER_BYTES_MAX);
        if rest.read_line(&mut line).await? == 0 {
            return Err(SolverError::Solver(self.end().await));
        }
        if !line.ends_with('\n') && line.len() as u64 >= ANSWER_BYTES_MAX {
            return Err(SolverError::Solver("its answer does not end".to_owned()));
        }
        Ok(line.trim().to_owned())
    }

    /// How it ended.
    async fn end(&mut self) -> String {
        // Whoever closes their mouth may still be there.
        drop(self.child.start_kill());
        match self.child.wait().await {
            Ok(status) => format!("it ended without an answer ({status})"),
            Err(_) => "it ended without an answer".to_owned(),
        }
    }
}

/// So much longer than the solver's own limit we wait: it says by itself that it does not know.
const GRACE: Duration = Duration::from_millis(500);

impl Solver for Process {
    fn smtlib_input(&mut self) -> &mut (dyn AsyncWrite + Unpin + Send) {
        // To memory: a program that does not read would have the writer wait without a limit.
        &mut self.script
    }

    async fn enable_models(&mut self) -> Result<(), SolverError> {
        self.script.extend_from_slice(b"(set-option :produce-models true)\n");
        Ok(())
    }

    async fn check_sat(&mut self) -> Result<Decision, SolverError> {
        self.within(async |process| process.ask().await).await
    }

    async fn check_sat_with_model(&mut self) -> Result<DecisionWithModel, SolverError> {
        self.within(async |process| {
            Ok(match process.ask().await? {
                Decision::Sat => DecisionWithModel::Sat { model: process.model().await? },
                Decision::Unsat => DecisionWithModel::Unsat,
                Decision::Unknown => DecisionWithModel::Unknown,
            })
        })
        .await
    }
}

/// What it asks for beyond is refused to it, and it dies of that instead of the machine.
#[cfg(target_os = "linux")]
fn limit_memory(child: &Child) {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let limit = Rlimit { current: Some(MEMORY_BYTES_MAX), maximum: Some(MEMORY_BYTES_MAX) };
    if let Some(pid) = pid {
        // Where the limit is lower already it cannot be raised, and stays.
        let _ = prlimit(Some(pid), Resource::As, limit);
    }
}

#[cfg(not(target_os = "linux"))]
fn limit_memory(_child: &Child) {}

#[cfg(test)]
mod tests;

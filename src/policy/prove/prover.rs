//! Asking a solver, which may not be there, may not know, and may die.

use cedar_policy_symcc::err::{Error, SolverError};
use cedar_policy_symcc::solver::{Solver, WriterSolver};
use cedar_policy_symcc::{CedarSymCompiler, Env, WellFormedAsserts};

use super::Unproved;

/// Where solvers come from.
///
/// One that failed is thrown away, and another is asked for. How long a solver may think is for
/// whoever makes it to limit: a query that takes too long is one that fails.
pub trait Solvers {
    type Solver: Solver;

    /// Starts a solver that knows of nothing yet.
    fn start(&mut self) -> Result<Self::Solver, Unproved>;
}

/// So often in a row a solver may fail before nobody is asked any more: a program that hangs would
/// otherwise take its time for each question.
const FAILURES_MAX: usize = 2;

/// Asks questions, one after another, of one solver as long as it lives.
pub struct Prover<'s, S: Solvers> {
    solvers: &'s mut S,
    compiler: Option<CedarSymCompiler<S::Solver>>,
    failures: usize,
    /// Why nobody is asked any more.
    given_up: Option<Unproved>,
}

impl<S: Solvers> std::fmt::Debug for Prover<'_, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prover").field("failures", &self.failures).finish_non_exhaustive()
    }
}

impl<'s, S: Solvers> Prover<'s, S> {
    pub fn new(solvers: &'s mut S) -> Self {
        Self { solvers, compiler: None, failures: 0, given_up: None }
    }

    /// A request, with its entities, for which all that is asserted is so; nothing if it is proved
    /// that there is none.
    pub(super) async fn find(
        &mut self,
        asserted: &WellFormedAsserts<'_>,
    ) -> Result<Option<Env>, Unproved> {
        match plain(asserted) {
            Some(false) => return Ok(None),
            Some(true) => {
                // Everything is an example: who writes the question down knows one.
                let mut writer = CedarSymCompiler::new(WriterSolver { w: Vec::new() })
                    .map_err(|error| unproved(&error))?;
                return writer.check_sat(asserted).await.map_err(|error| unproved(&error));
            }
            None => {}
        }
        let compiler = self.compiler()?;
        let answer = compiler.check_sat(asserted).await;
        self.judge(answer)
    }

    /// Whether there is no request for which all that is asserted is so.
    pub(super) async fn is_none(
        &mut self,
        asserted: &WellFormedAsserts<'_>,
    ) -> Result<bool, Unproved> {
        if let Some(plain) = plain(asserted) {
            return Ok(!plain);
        }
        let compiler = self.compiler()?;
        let answer = compiler.check_unsat(asserted).await;
        self.judge(answer)
    }

    fn compiler(&mut self) -> Result<&mut CedarSymCompiler<S::Solver>, Unproved> {
        if let Some(why) = &self.given_up {
            return Err(why.clone());
        }
        let compiler = if let Some(compiler) = self.compiler.take() {
            compiler
        } else {
            let started = self.solvers.start();
            let made = started
                .and_then(|solver| CedarSymCompiler::new(solver).map_err(|error| unproved(&error)));
            made.inspect_err(|why| self.given_up = Some(why.clone()))?
        };
        Ok(self.compiler.insert(compiler))
    }

    fn judge<T>(&mut self, answer: Result<T, Error>) -> Result<T, Unproved> {
        if answer.is_ok() {
            self.failures = 0;
        }
        answer.map_err(|error| {
            let why = unproved(&error);
            // Whatever went wrong, who knows what the solver still has to say of it.
            self.compiler = None;
            if matches!(why, Unproved::Solver(_) | Unproved::Unknown) {
                self.failures += 1;
                if self.failures >= FAILURES_MAX {
                    self.given_up = Some(why.clone());
                }
            }
            why
        })
    }
}

/// What needs no solver: an assertion that is false whatever there is, or all that are true.
fn plain(asserted: &WellFormedAsserts<'_>) -> Option<bool> {
    let asserts = asserted.asserts();
    if asserts.iter().any(|assert| *assert == false.into()) {
        Some(false)
    } else if asserts.iter().all(|assert| *assert == true.into()) {
        Some(true)
    } else {
        None
    }
}

/// What an error means for whoever asked.
pub(super) fn unproved(error: &Error) -> Unproved {
    match error {
        Error::SolverUnknown => Unproved::Unknown,
        Error::SolverError(error) => Unproved::Solver(said(error)),
        Error::DecodeModel(_) | Error::ConcretizeError(_) | Error::ModelInvalid { .. } => {
            Unproved::Unshown(one_line(&error.to_string()))
        }
        // Whoever writes the question may be told that nobody reads it.
        Error::EncodeError(cedar_policy_symcc::err::EncodeError::Io(error)) => {
            Unproved::Solver(one_line(&error.to_string()))
        }
        Error::PolicyNotWellTyped { errs } => Unproved::Policies(
            errs.first().map_or_else(|| error.to_string(), |first| one_line(&first.to_string())),
        ),
        other => Unproved::Policies(one_line(&other.to_string())),
    }
}

fn said(error: &SolverError) -> String {
    match error {
        SolverError::Io(error) => one_line(&error.to_string()),
        SolverError::Solver(said) => one_line(said),
        SolverError::UnrecognizedSolverOutput(said) => {
            format!("it said `{}`", one_line(said))
        }
        SolverError::SolverMarkedFailed => "it failed before".to_owned(),
    }
}

/// What a program said, on one line of a length that can be read.
fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(200).collect()
}

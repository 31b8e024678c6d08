//! Where results and narration go: results on standard output, narration on standard error.

use std::collections::HashSet;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

use super::CommandError;
use crate::manifest::finding::Findings;
use crate::report::{self, Style, clean};

/// The two streams, and what they can show.
#[derive(Debug)]
pub(crate) struct Output {
    color: bool,
    verbose: bool,
    /// What was said, for who does the same thing again and again.
    said: Option<Mutex<Said>>,
}

/// What was said in this round, and in the one before.
#[derive(Debug, Default)]
struct Said {
    now: HashSet<String>,
    before: HashSet<String>,
}

impl Output {
    pub(crate) fn new(no_color: bool, verbose: bool) -> Self {
        let choice = anstream::AutoStream::choice(&io::stdout());
        Self { color: !no_color && choice != anstream::ColorChoice::Never, verbose, said: None }
    }

    /// The same, for who does the same thing round after round: what is said in each of them is said
    /// once, until it was not said in one.
    pub(crate) fn patient(&self) -> Self {
        Self { color: self.color, verbose: self.verbose, said: Some(Mutex::default()) }
    }

    /// A round begins.
    pub(crate) fn begin_round(&self) {
        if let Some(said) = &self.said {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            said.before = std::mem::take(&mut said.now);
        }
    }

    /// Whether it is to be said.
    fn is_news(&self, text: &str) -> bool {
        let Some(said) = &self.said else { return true };
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.now.insert(text.to_owned()) && !said.before.contains(text)
    }

    pub(crate) fn style(&self) -> Style {
        let width = terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0));
        Style { color: self.color, width }
    }

    /// Writes a result.
    #[expect(clippy::unused_self, reason = "streams are reached through this alone")]
    pub(crate) fn result(
        &self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), CommandError> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        write(&mut out)
            .and_then(|()| out.flush())
            .map_err(|source| CommandError::failed("writing the result", source))
    }

    /// Shows what is wrong with what a command needs, where narration goes.
    pub(crate) fn findings(&self, findings: &Findings) -> Result<(), CommandError> {
        let failed = |source| CommandError::failed("writing findings", source);
        let style = Style { color: false, ..self.style() };
        let mut text = Vec::new();
        report::findings(report::Format::Text, findings, style, &mut text).map_err(failed)?;
        if self.is_news(&String::from_utf8_lossy(&text)) {
            io::stderr().lock().write_all(&text).map_err(failed)?;
        }
        Ok(())
    }

    /// Whether somebody wants to know what is being done.
    pub(crate) const fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Says what is being done, to whoever wants to know.
    pub(crate) fn narrate(&self, text: &str) {
        if self.verbose {
            write_line(text);
        }
    }

    /// Says something on standard error.
    pub(crate) fn say(&self, text: &str) {
        if self.is_news(text) {
            write_line(text);
        }
    }

    /// Shows something long where narration goes.
    #[expect(clippy::unused_self, reason = "streams are reached through this alone")]
    pub(crate) fn narration(
        &self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), CommandError> {
        let mut err = io::BufWriter::new(io::stderr().lock());
        write(&mut err)
            .and_then(|()| err.flush())
            .map_err(|source| CommandError::failed("writing", source))
    }

    /// Says why nothing came of it.
    pub(crate) fn complain(&self, message: &str) {
        for (at, line) in message.lines().enumerate() {
            let before = if at == 0 { "error: " } else { "  " };
            self.say(&format!("{before}{line}"));
        }
        if io::stderr().is_terminal() {
            self.narrate("");
        }
    }
}

fn write_line(text: &str) {
    drop(writeln!(io::stderr().lock(), "{}", clean::line(text)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_each_round_is_said_once() {
        let out = Output::new(true, false).patient();
        assert!(out.is_news("a"));
        assert!(!out.is_news("a"));
        out.begin_round();
        assert!(!out.is_news("a"));
        assert!(out.is_news("b"));
        out.begin_round();
        out.begin_round();
        assert!(out.is_news("a"));
        assert!(Output::new(true, false).is_news("a") && Output::new(true, false).is_news("a"));
    }
}

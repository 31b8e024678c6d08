//! Where results and narration go: results on standard output, narration on standard error.

use std::io::{self, IsTerminal, Write};

use super::CommandError;
use crate::manifest::finding::Findings;
use crate::report::{self, Style, clean};

/// The two streams, and what they can show.
#[derive(Debug)]
pub(crate) struct Output {
    color: bool,
    verbose: bool,
}

impl Output {
    pub(crate) fn new(no_color: bool, verbose: bool) -> Self {
        let choice = anstream::AutoStream::choice(&io::stdout());
        Self { color: !no_color && choice != anstream::ColorChoice::Never, verbose }
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
        let style = Style { color: false, ..self.style() };
        let mut err = io::BufWriter::new(io::stderr().lock());
        report::findings(report::Format::Text, findings, style, &mut err)
            .and_then(|()| err.flush())
            .map_err(|source| CommandError::failed("writing findings", source))
    }

    /// Says what is being done, to whoever wants to know.
    pub(crate) fn narrate(&self, text: &str) {
        if self.verbose {
            self.say(text);
        }
    }

    /// Says something on standard error.
    #[expect(clippy::unused_self, reason = "streams are reached through this alone")]
    pub(crate) fn say(&self, text: &str) {
        drop(writeln!(io::stderr().lock(), "{}", clean::line(text)));
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

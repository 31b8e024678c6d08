//! Where a run's one-time passwords go.

use std::io::{IsTerminal, Write};
use std::path::Path;

use crate::apply::handover::Handover;
use crate::cli::CommandError;
use crate::manifest::Loaded;

/// As the project says; else a terminal, if somebody watches.
pub(super) fn of(loaded: &Loaded, home: &Path) -> Result<Handover, CommandError> {
    let declared = loaded.project.as_ref().and_then(|project| project.handover.as_ref());
    if let Some(handover) = declared.filter(|handover| !handover.age.is_empty()) {
        let recipients = handover
            .age
            .iter()
            .map(|recipient| {
                recipient.as_str().parse().map_err(|error: &str| {
                    CommandError::usage(format!("`handover.age`: {}: {error}", recipient.as_str()))
                })
            })
            .collect::<Result<_, _>>()?;
        let folder = handover.directory.as_ref().map_or("handover", |folder| folder.as_str());
        return Ok(Handover::Sealed { recipients, folder: home.join(folder) });
    }
    if std::io::stderr().is_terminal() {
        return Ok(Handover::Shown(Box::new(|name, password| {
            use secrecy::ExposeSecret;
            let mut err = std::io::stderr().lock();
            drop(writeln!(
                err,
                "{}: one-time password {}",
                crate::report::clean::line(name),
                password.expose_secret()
            ));
        })));
    }
    Ok(Handover::Nowhere)
}

//! Where a run's one-time passwords go.

use std::io::{IsTerminal, Write};
use std::path::Path;

use indicatif::MultiProgress;

use crate::apply::handover::Handover;
use crate::cli::CommandError;
use crate::manifest::Loaded;

/// Whether there is any way: known before anything is sent, so that nothing is begun that would end
/// with a password nobody has.
pub(crate) fn is_possible(loaded: &Loaded) -> bool {
    let declared = loaded.project.as_ref().and_then(|project| project.handover.as_ref());
    declared.is_some_and(|handover| !handover.age.is_empty()) || std::io::stderr().is_terminal()
}

/// As the project says; else a terminal, if somebody watches. What moves there, `bars`, is kept from
/// wiping away what is shown once.
pub(super) fn of(
    loaded: &Loaded,
    home: &Path,
    bars: Option<MultiProgress>,
) -> Result<Handover, CommandError> {
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
        return Ok(Handover::Shown(Box::new(move |name, password| {
            use secrecy::ExposeSecret;
            let show = || {
                drop(writeln!(
                    std::io::stderr().lock(),
                    "{}: one-time password {}",
                    crate::report::clean::line(name),
                    password.expose_secret()
                ));
            };
            bars.as_ref().map_or_else(show, |bars| bars.suspend(show));
        })));
    }
    Ok(Handover::Nowhere)
}

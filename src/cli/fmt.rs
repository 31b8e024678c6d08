use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use super::files::ManifestArgs;
use super::output::Output;
use super::{CommandError, Outcome};
use crate::manifest::format::{Formatted, diff, format_yaml};
use crate::manifest::order::CanonicalOrder;
use crate::manifest::source::{Format, Lines, Source};
use crate::report::clean;

/// Lay manifests out in their canonical form
///
/// Keys in the order of the reference, two spaces, comments kept. Formatting twice changes
/// nothing, and a document that could not be kept exactly is left as it is. JSON and CSV files
/// are left alone. With `-f -`, standard input is written to standard output.
#[derive(clap::Args, Debug)]
pub(crate) struct FmtArgs {
    #[command(flatten)]
    manifests: ManifestArgs,
    /// Change nothing, show what would change, and end with 3 if anything would
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(out: &Output, args: &FmtArgs) -> Result<Outcome, CommandError> {
    let files = args.manifests.read(out)?;
    if let Some(trouble) = files.troubles().first() {
        return Err(CommandError::usage(format!(
            "{}\n`partnerctl validate` tells more",
            trouble.message
        )));
    }
    let order = CanonicalOrder::default();
    let (mut changed, mut laid_out) = (0, 0);
    for (_, source) in files.sources.iter().filter(|(_, source)| source.format == Format::Yaml) {
        let Ok(text) = std::str::from_utf8(&source.bytes) else {
            out.say(&format!("{}: not UTF-8, left as it is", source.name));
            continue;
        };
        let formatted = format_yaml(text, &order);
        tell_refused(out, source, &formatted);
        laid_out += 1;
        let stream = source.name == "-";
        // A stream is passed on even if nothing changed.
        if formatted.text == text && (args.check || !stream) {
            continue;
        }
        changed += usize::from(formatted.text != text);
        if args.check {
            let shown = diff(&source.name, &masked(text), &masked(&formatted.text));
            out.result(|to| {
                shown.lines().try_for_each(|line| writeln!(to, "{}", clean::line(line)))
            })?;
        } else if stream {
            out.result(|to| to.write_all(formatted.text.as_bytes()))?;
        } else if let Some(path) = files.path_of(&source.name) {
            replace(path, formatted.text.as_bytes())
                .map_err(|error| CommandError::failed(format!("writing {}", source.name), error))?;
            out.result(|to| writeln!(to, "{}", clean::line(&source.name)))?;
        }
    }
    let of = if laid_out == 1 { "1 file".to_owned() } else { format!("{laid_out} files") };
    out.say(&match (changed, args.check) {
        (0, _) => format!("nothing to change in {of}"),
        (_, true) => format!("{changed} of {of} would change"),
        (_, false) => format!("{changed} of {of} changed"),
    });
    Ok(if args.check && changed > 0 { Outcome::Invalid } else { Outcome::Done })
}

fn tell_refused(out: &Output, source: &Source, formatted: &Formatted) {
    if formatted.refused.is_empty() {
        return;
    }
    let lines = Lines::of(&source.bytes);
    for refused in &formatted.refused {
        let place = lines.place(refused.span.start);
        out.say(&format!("{}:{}: left as it is: {}", source.name, place.line, refused.reason));
    }
}

/// A text in which what looks like a secret is not shown, line for line the same.
fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut from = 0;
    for found in crate::model::secret::look_for(text) {
        if found.start < from {
            continue;
        }
        shown.push_str(text.get(from..found.start).unwrap_or_default());
        let hidden = text.get(found.clone()).unwrap_or_default();
        shown.push_str("••••••");
        shown.extend(hidden.matches('\n'));
        from = found.end;
    }
    shown.push_str(text.get(from..).unwrap_or_default());
    shown
}

/// Replaces a file in one step, so that nobody ever reads half of it; keeps its permissions.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.join(format!(".{name}.partnerctl-{}", std::process::id()));
    let written = (|| {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&beside)?;
        file.write_all(bytes)?;
        file.set_permissions(fs::metadata(path)?.permissions())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    })();
    if written.is_err() {
        drop(fs::remove_file(&beside));
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_and_lines_stay_lines() {
        let text = "a: 1\nkey: |\n  -----BEGIN PRIVATE KEY-----\n  MIIEsecret\n  -----END PRIVATE KEY-----\nb: 2\n";
        let shown = masked(text);
        assert!(!shown.contains("MIIE"));
        assert_eq!(shown.lines().count(), text.lines().count());
    }
}

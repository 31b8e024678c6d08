use std::fs;
use std::path::{Path, PathBuf};

use super::output::Output;
use super::planning::{Asked, PlanningArgs};
use super::tenant::block_on;
use super::{CommandError, Outcome};
use crate::model::estate::Estate;
use crate::plan::{Plan, Report};
use crate::report::invitation::{
    self, FORMAT, Format, Invitations, Language, Message, Unwritten, Waiting, is_invitation, of,
};

/// Write the message that brings somebody an invitation
///
/// In the recipient's language (en, ja, fr, zh-TW), with the link unaltered: as text, as a file that
/// mail programs open, or as JSON. Nothing is sent.
#[derive(clap::Args, Debug)]
pub(crate) struct InviteArgs {
    /// Who is to be invited, or one step of it, as `status` names it
    #[arg(value_name = "KIND/NAME")]
    what: String,
    #[command(flatten)]
    planning: PlanningArgs,
    /// Write in this language instead of the recipient's
    #[arg(long, value_enum)]
    language: Option<Language>,
    /// Write to this file, or into this folder a file for each message
    #[arg(long, value_name = "FILE|DIR")]
    out: Option<PathBuf>,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(out: &Output, args: &InviteArgs) -> Result<Outcome, CommandError> {
    block_on(async {
        let ready = match args.planning.prepare(out).await? {
            Ok(ready) => ready,
            Err(outcome) => return Ok(outcome),
        };
        let plan = ready.file(ready.plan(&Asked::default()))?;
        let waiting = waiting(&plan, &ready.policies.loaded.estate, &args.what)?;
        let messages = waiting
            .iter()
            .map(|waiting| written(out, args, waiting))
            .collect::<Result<Vec<_>, _>>()?;
        let found = Invitations {
            format: FORMAT.to_owned(),
            observed_at: plan.observed_at.to_string(),
            invitations: messages,
        };
        tell(out, args, &plan, &found)?;
        Ok(Outcome::Done)
    })
}

/// What waits for the object, or under the step.
fn waiting(plan: &Plan, estate: &Estate, what: &str) -> Result<Vec<Waiting>, CommandError> {
    let is_asked = |report: &&Report| {
        report.object.to_string() == what || report.step.as_deref() == Some(what)
    };
    let all: Vec<&Report> = plan.report.iter().filter(|report| is_invitation(report)).collect();
    let asked: Vec<&Report> = all.iter().copied().filter(is_asked).collect();
    if asked.is_empty() {
        let mut there: Vec<String> = all.iter().map(|report| report.object.to_string()).collect();
        there.dedup();
        let there = if there.is_empty() {
            "nobody waits to be invited".to_owned()
        } else {
            format!("there are: {}", there.join(", "))
        };
        return Err(CommandError::usage(format!("no invitation to {what} waits\n{there}")));
    }
    let found: Vec<Waiting> = asked.iter().filter_map(|report| of(report, estate)).collect();
    if found.is_empty() {
        let remedy = asked.iter().find_map(|report| report.instructions.as_deref());
        return Err(CommandError::usage(format!(
            "there is no link yet to invite {what} with\n{}",
            remedy.unwrap_or("`partnerctl status` says what is waited for")
        )));
    }
    Ok(found)
}

fn written(out: &Output, args: &InviteArgs, waiting: &Waiting) -> Result<Message, CommandError> {
    let step = &waiting.letter.step;
    let language = args.language.or_else(|| waiting.language()).unwrap_or_else(|| {
        out.say(&match &waiting.declared {
            Some(language) => {
                format!("{step}: there is no text in `{}`, so it is in English", language.as_str())
            }
            None => format!("{step}: no language is declared, so it is in English"),
        });
        Language::En
    });
    if waiting.letter.to.people.is_empty() {
        out.say(&format!("{step}: nobody is declared to send it to; fill in the recipient"));
    }
    waiting.letter.write(language).map_err(|error| match error {
        Unwritten::Link => {
            CommandError::usage(format!("{step}: its link is none that a message could carry"))
        }
        Unwritten::Address => {
            CommandError::usage(format!("{step}: an address in it is none that mail goes to"))
        }
        Unwritten::Text => CommandError::Internal(format!("the text of {step} cannot be filled")),
    })
}

fn tell(
    out: &Output,
    args: &InviteArgs,
    plan: &Plan,
    found: &Invitations,
) -> Result<(), CommandError> {
    let mails = || -> Result<Vec<(String, Vec<u8>)>, CommandError> {
        let mail = |message: &Message| {
            let bytes = message.eml(plan.observed_at);
            bytes.map(|bytes| (message.file_name(), bytes))
        };
        let all: Result<Vec<_>, _> = found.invitations.iter().map(mail).collect();
        all.map_err(|source| CommandError::failed("writing the message", source))
    };
    let bytes = match args.format {
        Format::Text => whole(|to| invitation::text(found, to))?,
        Format::Json => whole(|to| invitation::json(found, to))?,
        Format::Eml => match (mails()?.as_slice(), &args.out) {
            (mails, Some(folder)) if is_folder(folder) => return keep(out, folder, mails),
            ([(_, bytes)], _) => bytes.clone(),
            (mails, _) => {
                let steps: Vec<&str> =
                    found.invitations.iter().map(|message| message.step.as_str()).collect();
                return Err(CommandError::usage(format!(
                    "there are {} messages: give a folder with `--out DIR/`, or name one\nthere are: {}",
                    mails.len(),
                    steps.join(", ")
                )));
            }
        },
    };
    match &args.out {
        None => out.result(|to| to.write_all(&bytes)),
        Some(folder) if is_folder(folder) => {
            let name =
                format!("invitation.{}", if args.format == Format::Json { "json" } else { "txt" });
            keep(out, folder, &[(name, bytes)])
        }
        Some(file) => write(out, file, &bytes),
    }
}

fn whole(
    write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>,
) -> Result<Vec<u8>, CommandError> {
    let mut bytes = Vec::new();
    write(&mut bytes).map_err(|source| CommandError::failed("writing the message", source))?;
    Ok(bytes)
}

/// A folder that is there, or a name that can only be one.
fn is_folder(path: &Path) -> bool {
    path.is_dir() || path.to_string_lossy().ends_with('/')
}

fn keep(out: &Output, folder: &Path, files: &[(String, Vec<u8>)]) -> Result<(), CommandError> {
    fs::create_dir_all(folder).map_err(|source| {
        CommandError::failed(format!("making the folder {}", folder.display()), source)
    })?;
    files.iter().try_for_each(|(name, bytes)| write(out, &folder.join(name), bytes))
}

fn write(out: &Output, file: &Path, bytes: &[u8]) -> Result<(), CommandError> {
    fs::write(file, bytes)
        .map_err(|source| CommandError::failed(format!("writing {}", file.display()), source))?;
    out.say(&format!("written: {}", file.display()));
    Ok(())
}

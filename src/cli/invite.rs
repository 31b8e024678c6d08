use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::output::Output;
use super::planning::{Asked, PlanningArgs};
use super::tenant::block_on;
use super::{CommandError, Outcome};
use crate::model::estate::Estate;
use crate::plan::{Plan, Report};
use crate::report::invitation::{
    self, FORMAT, Format, Invitations, Language, Message, Unwritten, Waiting, is_asked,
    is_invitation, is_many, of,
};

/// Write the message that brings somebody an invitation
///
/// In the recipient's language (en, ja, fr, zh-TW), with the link unaltered: as text, as a file that
/// mail programs open, as a table for a mail merge, or as JSON. Nothing is sent.
///
/// For one: partnerctl invite customer/contoso. For all customers that have yet to approve a template:
/// partnerctl invite delegated-access/enterprise-ops --format eml --out mail. For all of a kind:
/// partnerctl invite customer --format csv.
#[derive(clap::Args, Debug)]
pub(crate) struct InviteArgs {
    /// Who is to be invited, one step of it as `status` names it, a template of delegated access, or a
    /// kind: customer, partnership, delegated-access
    #[arg(value_name = "KIND[/NAME]")]
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

/// So many are named, the others are counted.
const NAMED_MAX: usize = 5;

pub(crate) fn run(out: &Output, args: &InviteArgs) -> Result<Outcome, CommandError> {
    block_on(async {
        let ready = match args.planning.prepare(out).await? {
            Ok(ready) => ready,
            Err(outcome) => return Ok(outcome),
        };
        let plan = ready.file(ready.plan(&Asked::default()))?;
        let waiting = waiting(out, &plan, &ready.policies.loaded.estate, &args.what)?;
        let (messages, refused) = written(out, args, &waiting);
        if let (true, Some(refused)) = (messages.is_empty(), refused.first()) {
            return Err(CommandError::usage(refused.clone()));
        }
        let found = Invitations {
            format: FORMAT.to_owned(),
            observed_at: plan.observed_at.to_string(),
            invitations: messages,
        };
        tell(out, args, &plan, &found)?;
        if refused.is_empty() {
            Ok(Outcome::Done)
        } else {
            Err(CommandError::usage(format!("not all were written\n{}", refused.join("\n"))))
        }
    })
}

/// What waits for the object, under the step, for any customer of the template, or of the kind.
fn waiting(
    out: &Output,
    plan: &Plan,
    estate: &Estate,
    what: &str,
) -> Result<Vec<Waiting>, CommandError> {
    let all: Vec<&Report> = plan.report.iter().filter(|report| is_invitation(report)).collect();
    let asked: Vec<&Report> = all.iter().copied().filter(|report| is_asked(report, what)).collect();
    if asked.is_empty() {
        let there: BTreeSet<String> = all.iter().map(|report| report.object.to_string()).collect();
        let there = if there.is_empty() {
            "nobody waits to be invited".to_owned()
        } else {
            format!("there are: {}", some(&there.into_iter().collect::<Vec<_>>(), 20))
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
    if found.len() < asked.len() {
        out.say(&format!("{} have no link yet, and no message", asked.len() - found.len()));
    }
    Ok(found)
}

/// The first of them, and how many more.
fn some(names: &[String], max: usize) -> String {
    let shown: Vec<&str> = names.iter().take(max).map(String::as_str).collect();
    match names.len().saturating_sub(max) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The messages, and why there is none for some.
fn written(out: &Output, args: &InviteArgs, all: &[Waiting]) -> (Vec<Message>, Vec<String>) {
    let mut messages = Vec::new();
    let mut refused = Vec::new();
    let mut lacking: BTreeMap<Lack, Vec<String>> = BTreeMap::new();
    for waiting in all {
        let step = &waiting.letter.step;
        let language = args.language.or_else(|| waiting.language()).unwrap_or_else(|| {
            let lack = match &waiting.declared {
                Some(language) => Lack::Text(language.as_str().to_owned()),
                None => Lack::Language,
            };
            lacking.entry(lack).or_default().push(step.clone());
            Language::En
        });
        if waiting.letter.to.people.is_empty() {
            lacking.entry(Lack::Recipient).or_default().push(step.clone());
        }
        match waiting.letter.write(language) {
            Ok(message) => messages.push(message),
            Err(Unwritten::Link) => {
                refused.push(format!("{step}: its link is none that a message could carry"));
            }
            Err(Unwritten::Address) => {
                refused.push(format!("{step}: an address in it is none that mail goes to"));
            }
            Err(Unwritten::Text) => {
                refused.push(format!("{step}: its text cannot be filled, which is a bug"));
            }
        }
    }
    for (lack, steps) in &lacking {
        out.say(&format!("{}: {}", some(steps, NAMED_MAX), lack.told()));
    }
    (messages, refused)
}

/// What a message was written without.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lack {
    /// A text in this language.
    Text(String),
    Language,
    Recipient,
}

impl Lack {
    fn told(&self) -> String {
        match self {
            Self::Text(language) => {
                format!("there is no text in `{language}`, so it is in English")
            }
            Self::Language => "no language is declared, so it is in English".to_owned(),
            Self::Recipient => "nobody is declared to send it to; fill in the recipient".to_owned(),
        }
    }
}

fn tell(
    out: &Output,
    args: &InviteArgs,
    plan: &Plan,
    found: &Invitations,
) -> Result<(), CommandError> {
    let bytes = match args.format {
        Format::Text => whole(|to| invitation::text(found, to))?,
        Format::Csv => whole(|to| invitation::csv(found, to))?,
        Format::Json => whole(|to| invitation::json(found, to))?,
        Format::Eml => match (mails(plan, found)?.as_slice(), &args.out) {
            (mails, Some(folder)) if is_folder(folder) || is_many(&args.what) => {
                return keep(out, folder, mails);
            }
            ([(_, bytes)], _) => bytes.clone(),
            (mails, _) => {
                let steps: Vec<String> =
                    found.invitations.iter().map(|message| message.step.clone()).collect();
                return Err(CommandError::usage(format!(
                    "there are {} messages: give a folder with `--out DIR/`, or name one\nthere are: {}",
                    mails.len(),
                    some(&steps, 20)
                )));
            }
        },
    };
    match &args.out {
        None => out.result(|to| to.write_all(&bytes)),
        Some(folder) if is_folder(folder) => {
            let ending = match args.format {
                Format::Json => "json",
                Format::Csv => "csv",
                Format::Text | Format::Eml => "txt",
            };
            keep(out, folder, &[(format!("invitation.{ending}"), bytes)])
        }
        Some(file) => {
            write(file, &bytes)?;
            out.say(&format!("written: {}", file.display()));
            Ok(())
        }
    }
}

/// A file for each message, each with a name of its own.
fn mails(plan: &Plan, found: &Invitations) -> Result<Vec<(String, Vec<u8>)>, CommandError> {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for message in &found.invitations {
        *times.entry(message.file_name()).or_default() += 1;
    }
    let mail = |message: &Message| {
        let short = message.file_name();
        let is_alone = times.get(&short) == Some(&1);
        let name = if is_alone { short } else { message.longer_file_name() };
        message.eml(plan.observed_at).map(|bytes| (name, bytes))
    };
    let all: Result<Vec<_>, _> = found.invitations.iter().map(mail).collect();
    all.map_err(|source| CommandError::failed("writing the message", source))
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
    for (name, bytes) in files {
        write(&folder.join(name), bytes)?;
    }
    if files.len() <= NAMED_MAX {
        for (name, _) in files {
            out.say(&format!("written: {}", folder.join(name).display()));
        }
    } else {
        out.say(&format!("written: {} files in {}", files.len(), folder.display()));
    }
    // Whoever sends all that is in the folder should not invite those who have accepted since.
    let others = earlier(folder, files);
    if others > 0 {
        out.say(&format!("{others} messages in {} are of an earlier run", folder.display()));
    }
    Ok(())
}

/// How many messages stand in a folder that this run has not written.
fn earlier(folder: &Path, files: &[(String, Vec<u8>)]) -> usize {
    let written: BTreeSet<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let there = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_other = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.extension().is_some_and(|ending| ending == "eml") && !written.contains(&*name)
    };
    there.filter(|entry| is_other(&entry.path())).count()
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), CommandError> {
    fs::write(file, bytes)
        .map_err(|source| CommandError::failed(format!("writing {}", file.display()), source))
}

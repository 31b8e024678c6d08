use std::io::{self, Write};

use super::output::Output;
use super::{CommandError, Outcome};
use crate::manifest::code::Code;
use crate::manifest::reference::{FieldEntry, Found, KindEntry, find, kinds, metadata};
use crate::model::action::Action;
use crate::model::directory_role::DirectoryRole;
use crate::model::scalar::{Grammar, Scalar};
use crate::policy::directory;
use crate::policy::library::permitting;
use crate::policy::vocabulary::{applies, groups_of};
use crate::policy::world::Type;

/// Show the reference of a kind, a field, a finding, an action or a directory role
///
/// For instance: partnerctl explain User, partnerctl explain user.agent, partnerctl explain P1203,
/// partnerctl explain "Helpdesk Administrator". Without an argument: what there is.
#[derive(clap::Args, Debug)]
pub(crate) struct ExplainArgs {
    /// A kind, a field such as user.email, the code of a finding, an action, or a directory role
    #[arg(value_name = "KIND[.FIELD]|CODE|ACTION|ROLE")]
    target: Option<String>,
}

pub(crate) fn run(out: &Output, args: &ExplainArgs) -> Result<Outcome, CommandError> {
    let Some(target) = &args.target else {
        out.result(|to| overview(to))?;
        return Ok(Outcome::Done);
    };
    if let Ok(code) = target.parse::<Code>() {
        out.result(|to| story(code, to))?;
        return Ok(Outcome::Done);
    }
    if let Some(action) = Action::ALL.iter().find(|action| action.word() == target) {
        out.result(|to| explain_action(*action, to))?;
        return Ok(Outcome::Done);
    }
    if let Some(role) = DirectoryRole::named(target) {
        out.result(|to| directory_role(role, to))?;
        return Ok(Outcome::Done);
    }
    match find(target) {
        Ok(Found::Kind(entry)) => out.result(|to| kind(&entry, to))?,
        Ok(Found::Field(kind, entry)) => out.result(|to| field(kind, &entry, to))?,
        Err(known) => {
            let looks_like_code = target.len() == 5 && target.starts_with(['P', 'p']);
            let what = if looks_like_code {
                "`partnerctl explain` lists all codes".to_owned()
            } else {
                format!("there are {}", known.join(", "))
            };
            return Err(CommandError::usage(format!(
                "there is nothing to explain about {target}\n{what}"
            )));
        }
    }
    Ok(Outcome::Done)
}

fn explain_action(action: Action, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "{action}: {}\n", meaning(action))?;
    let done_to: Vec<&str> = applies(action)
        .resources
        .iter()
        .map(|ty| match ty {
            Type::User => "a user",
            Type::Application => "an application",
            Type::Role => "a role",
            Type::Customer => "a customer",
            Type::Provider => "an indirect provider",
            Type::Reseller => "an indirect reseller",
            Type::Account => "the account",
        })
        .collect();
    writeln!(to, "Done to {}.", done_to.join(" or "))?;
    let groups: Vec<String> =
        groups_of(action).map(|group| format!("Action::\"{group}\"")).collect();
    writeln!(to, "Policies know it as Action::\"{action}\", in {}.\n", groups.join(", "))?;
    writeln!(to, "Built-in roles that have it:\n")?;
    let mut any = false;
    for shelved in permitting(action) {
        any = true;
        writeln!(to, "  {}", shelved.reason)?;
        writeln!(to, "    {}, {}:{}", shelved.id, shelved.file, shelved.line)?;
    }
    if !any {
        writeln!(to, "  none")?;
    }
    if action.is_done_in_tenants() {
        writeln!(
            to,
            "\nDirectory roles that allow it in a customer's tenant, by delegated access:\n"
        )?;
        let those = directory::all().filter(|(_, allowed)| allowed.contains(&action));
        for (role, _) in those {
            writeln!(to, "  {role}")?;
        }
    }
    writeln!(
        to,
        "\nA Role of your own says it like this, on all customers or on selected ones:\n"
    )?;
    writeln!(to, "  permissions:\n    - allow: [{action}]\n")?;
    writeln!(to, "and an AccessTest asks for it: `{{who: user/NAME, may: [{action}]}}`.")
}

/// What a directory role allows where it is held.
fn directory_role(role: DirectoryRole, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "{role}: a built-in role of Microsoft Entra, {}\n", role.0)?;
    match directory::allowed(role) {
        Some(allowed) if !allowed.is_empty() => {
            writeln!(to, "In a customer's tenant, by delegated access, it allows\n")?;
            for action in allowed {
                writeln!(to, "  {:<24} {}", action.word(), meaning(*action))?;
            }
        }
        Some(_) => writeln!(to, "It allows nothing that there is an action for.")?,
        None => writeln!(to, "What it allows is not known here.")?,
    }
    writeln!(to, "\nA DelegatedAccess grants it like this:\n")?;
    writeln!(to, "  grants:\n    - to: ROLE\n      directoryRoles: [{role}]")
}

pub(super) fn meaning(action: Action) -> &'static str {
    let Grammar::Choices(choices) = Action::GRAMMAR else { return "" };
    choices
        .iter()
        .find(|(word, _)| *word == action.word())
        .map_or("", |(_, meaning)| meaning.trim())
}

fn overview(to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "Kinds of documents (partnerctl explain KIND):\n")?;
    for entry in kinds() {
        writeln!(to, "  {:<16} {}", entry.kind, entry.docs)?;
    }
    writeln!(to, "\nActions (partnerctl explain ACTION):\n")?;
    for action in Action::ALL {
        writeln!(to, "  {:<32} {}", action.word(), meaning(*action))?;
    }
    writeln!(to, "\nFindings (partnerctl explain CODE):\n")?;
    for code in Code::ALL {
        writeln!(to, "  {}  {:<8} {}", code.id(), code.severity().word(), code.title())?;
    }
    Ok(())
}

fn story(code: Code, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "{}", code.story().trim_end())?;
    let waivable =
        if code.waivable() { "a Waiver may silence it" } else { "no Waiver can silence it" };
    writeln!(to, "\n({}; {waivable})", code.severity().word())
}

fn kind(entry: &KindEntry, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "{}: {}\n", entry.kind, entry.docs)?;
    fields(&entry.fields, to)?;
    writeln!(to, "\nand, as in every document,\n")?;
    fields(&metadata(), to)?;
    writeln!(to, "\nFor example:\n")?;
    for line in entry.example.lines() {
        writeln!(to, "  {line}")?;
    }
    writeln!(to, "\n`partnerctl explain {}.FIELD` says more of each field.", entry.kind)
}

fn fields(entries: &[FieldEntry], to: &mut dyn Write) -> io::Result<()> {
    let width = entries.iter().map(|entry| entry.path.len()).max().unwrap_or_default();
    for entry in entries {
        let need = if entry.required { "required" } else { "" };
        writeln!(
            to,
            "  {:<width$}  {need:<8}  {:<11}  {}",
            entry.path,
            entry.keeper.0,
            first_sentence(&entry.docs)
        )?;
    }
    Ok(())
}

fn first_sentence(docs: &str) -> &str {
    docs.split_once(". ").map_or(docs, |(first, _)| first).trim_end_matches('.')
}

fn field(kind: &str, entry: &FieldEntry, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "{} ({kind}): {}\n", entry.path, entry.docs)?;
    writeln!(to, "  value     {}", entry.what)?;
    let need = match (entry.required, entry.default) {
        (true, _) => "required".to_owned(),
        (false, Some(default)) => format!("optional; `{default}` unless given"),
        (false, None) => "optional; what is absent is not managed".to_owned(),
    };
    writeln!(to, "  presence  {need}")?;
    writeln!(to, "  kept      {}: {}", entry.keeper.0, entry.keeper.1)?;
    for example in entry.examples {
        writeln!(to, "  example   {}: {example}", entry.key)?;
    }
    if !entry.choices.is_empty() {
        writeln!(to, "\nIt is one of\n")?;
        let width = entry.choices.iter().map(|(word, _)| word.len()).max().unwrap_or_default();
        for (word, meaning) in entry.choices {
            writeln!(to, "  {word:<width$}  {}", meaning.trim())?;
        }
    }
    if !entry.fields.is_empty() {
        writeln!(to, "\nIt holds\n")?;
        fields(&entry.fields, to)?;
    }
    Ok(())
}

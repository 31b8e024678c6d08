//! The pages that are made from the program itself. A test keeps them fresh.

use std::fmt::Write as _;

use super::{command, schema};
use crate::manifest::code::{Code, Severity};
use crate::manifest::reference::{FieldEntry, kinds, metadata};
use crate::model::action::Action;
use crate::policy::{directory, library, vocabulary};

/// Every generated file, by its path in the repository.
pub fn pages() -> Vec<(String, String)> {
    let mut pages = vec![
        ("docs/cli.md".to_owned(), cli()),
        ("docs/findings.md".to_owned(), findings()),
        ("docs/library.md".to_owned(), library()),
        ("docs/manifest.md".to_owned(), manifest()),
    ];
    pages.extend(
        schema::all()
            .into_iter()
            .map(|(name, schema)| (format!("schemas/{name}"), schema::text(&schema))),
    );
    pages
}

const GENERATED: &str = "<!-- Generated from the program; see the test `fresh`. -->\n";

/// Commands and their flags, as `--help` has them.
fn cli() -> String {
    let mut page = format!("# Commands\n\n{GENERATED}");
    let mut command = command().term_width(100);
    command.build();
    let help = command.render_long_help();
    let _ = write!(page, "\n```text\n{}\n```\n", trimmed(&help.to_string()));
    for sub in command.get_subcommands_mut().filter(|sub| sub.get_name() != "help") {
        let name = sub.get_name().to_owned();
        let help = sub.render_long_help();
        let _ = write!(
            page,
            "\n## partnerctl {name}\n\n```text\n{}\n```\n",
            trimmed(&help.to_string())
        );
    }
    page
}

fn trimmed(help: &str) -> String {
    help.trim_end().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// All findings with their stories.
fn findings() -> String {
    let mut page = format!("# Findings\n\n{GENERATED}\n");
    page.push_str("Every finding has a code that never changes its meaning. `partnerctl explain CODE` tells the same at the prompt.\n\n");
    page.push_str("| code | severity | what | a Waiver may silence it |\n|---|---|---|---|\n");
    for code in Code::ALL {
        let waivable = if code.waivable() { "yes" } else { "" };
        let link = anchor(&format!("{code}: {}", code.title()));
        let _ = writeln!(
            page,
            "| [{code}](#{link}) | {} | {} | {waivable} |",
            severity(code.severity()),
            code.title()
        );
    }
    for code in Code::ALL {
        page.push('\n');
        // A story is a page of its own; here its headings are one level down.
        for line in code.story().trim_end().lines() {
            let down = if line.starts_with('#') && line.trim_start_matches('#').starts_with(' ') {
                "#"
            } else {
                ""
            };
            let _ = writeln!(page, "{down}{line}");
        }
    }
    page
}

/// What each built-in role may do, and what nobody may.
fn library() -> String {
    let mut page = format!("# The built-in policies\n\n{GENERATED}\n");
    page.push_str("What is not permitted here, nor by a Role document or a policy of the project, is denied. See [policies.md](policies.md).\n");
    let mut file = "";
    for policy in library::told() {
        if policy.file != file {
            file = policy.file;
            let _ = write!(
                page,
                "\n## [{file}](../{file})\n\n| id | says | does | from |\n|---|---|---|---|\n"
            );
        }
        let level = policy.level.map_or_else(String::new, |level| format!(" ({})", level.word()));
        let effect = if policy.permits { "permits" } else { "forbids" };
        let _ = writeln!(
            page,
            "| `{}` | {} | {effect}{level} {} | {} |",
            policy.id,
            policy.reason,
            policy.actions().join(", "),
            policy.source
        );
    }
    page.push_str("\n## Actions\n\n| action | in | means | built-in roles that have it |\n|---|---|---|---|\n");
    for action in Action::ALL {
        let groups: Vec<String> = vocabulary::groups_of(*action).collect();
        let roles: Vec<&str> = library::roles_that_permit(*action).collect();
        let _ = writeln!(
            page,
            "| `{action}` | {} | {} | {} |",
            groups.join(", "),
            super::explain::meaning(*action),
            roles.join(", ")
        );
    }
    page.push_str("\n## Directory roles\n\nWhat delegated access comes to in a customer's tenant, by Microsoft Entra's built-in roles reference and as far as there are actions for it. Of a role that is not here nothing is claimed.\n\n| directory role | allows |\n|---|---|\n");
    for (role, allowed) in directory::all() {
        let actions: Vec<&str> = allowed.iter().map(|action| action.word()).collect();
        let _ = writeln!(page, "| {role} | {} |", actions.join(", "));
    }
    page
}

const fn severity(severity: Severity) -> &'static str {
    severity.word()
}

/// The anchor that a heading gets.
fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
            _ => None,
        })
        .collect()
}

/// Every kind with its fields.
fn manifest() -> String {
    let mut page = format!("# The manifest language\n\n{GENERATED}\n");
    page.push_str(
        "Documents in YAML 1.2 (or JSON), many to a file, many files to a folder: `apiVersion: partnerctl/v1`, `kind`, `metadata`, `spec`. \
         A key that is absent is not managed; `[]` and `none` say that there is nothing. Unknown and repeated keys are errors. \
         `partnerctl explain KIND.FIELD` tells the same at the prompt.\n\n\
         Kept: **live** is compared with the tenant and changed there, **create-only** is set when the object is made, \
         **local** stays in the manifests, **person** is set by a person in the portal.\n",
    );
    page.push_str("\n## metadata\n\n");
    table(&metadata(), &mut page);
    for entry in kinds() {
        let _ = write!(page, "\n## {}\n\n{}\n\n", entry.kind, entry.docs);
        table(&entry.fields, &mut page);
        let _ = write!(page, "\n```yaml\n{}\n```\n", entry.example.trim_end());
    }
    page
}

fn table(fields: &[FieldEntry], page: &mut String) {
    page.push_str("| field | value | | kept | |\n|---|---|---|---|---|\n");
    rows(fields, page);
}

fn rows(fields: &[FieldEntry], page: &mut String) {
    for field in fields {
        let need = match (field.required, field.default) {
            (true, _) => "required".to_owned(),
            (false, Some(default)) => format!("`{default}`"),
            (false, None) => String::new(),
        };
        let value = if field.choices.is_empty() || field.choices.len() > 12 {
            field.what.to_owned()
        } else {
            field.choices.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        };
        let _ = writeln!(
            page,
            "| `{}` | {} | {need} | {} | {} |",
            field.path,
            cell(&value),
            field.keeper.0,
            cell(&field.docs)
        );
        // Selectors are the same everywhere: told once.
        if field.what != "a selector of customers" || field.path == "spec.customers" {
            rows(&field.fields, page);
        }
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

use std::fs;
use std::path::{Path, PathBuf};

use super::files::PROJECT_FILE;
use super::output::Output;
use super::schema::{all, text};
use super::{CommandError, Outcome};

/// Begin a project that validates, with comments that teach
#[derive(clap::Args, Debug)]
pub(crate) struct InitArgs {
    /// The folder to begin it in; made if it is not there
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
}

/// The files of a new project.
pub(crate) const FILES: [(&str, &str); 6] = [
    (PROJECT_FILE, include_str!("init/partnerctl.yaml")),
    ("estate/account.yaml", include_str!("init/account.yaml")),
    ("estate/users.yaml", include_str!("init/users.yaml")),
    ("estate/roles.yaml", include_str!("init/roles.yaml")),
    ("estate/customers.yaml", include_str!("init/customers.yaml")),
    (".gitignore", include_str!("init/gitignore")),
];

/// What editors read; in the project, so that it works without a network.
const SCHEMA: &str = "schemas/partnerctl.schema.json";

pub(crate) fn run(out: &Output, args: &InitArgs) -> Result<Outcome, CommandError> {
    let folder = &args.folder;
    let names = FILES.iter().map(|(name, _)| *name).chain([SCHEMA]);
    let there: Vec<&str> = names
        .filter(|name| *name != ".gitignore" && folder.join(name).symlink_metadata().is_ok())
        .collect();
    if !there.is_empty() {
        return Err(CommandError::usage(format!(
            "{} is there already: {}\nnothing was written; begin in another folder",
            if there.len() == 1 { "a file" } else { "some of it" },
            there.join(", "),
        )));
    }
    for (name, contents) in FILES {
        if name != ".gitignore" || !folder.join(name).exists() {
            write(folder, name, contents)?;
        }
    }
    if let Some((_, schema)) = all().first() {
        write(folder, SCHEMA, &text(schema))?;
    }
    let here = folder == Path::new(".");
    let named = if here { String::new() } else { format!(" {}", folder.display()) };
    out.result(|to| {
        writeln!(to, "a project to begin with:\n")?;
        for (name, _) in FILES {
            writeln!(to, "  {}", folder.join(name).display())?;
        }
        writeln!(
            to,
            "\nput your own account into estate/account.yaml, then: partnerctl validate{named}"
        )
    })?;
    Ok(Outcome::Done)
}

fn write(folder: &Path, name: &str, contents: &str) -> Result<(), CommandError> {
    let path = folder.join(name);
    let failed = |source| CommandError::failed(format!("writing {}", path.display()), source);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    fs::write(&path, contents).map_err(failed)
}

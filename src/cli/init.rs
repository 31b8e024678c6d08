use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::files::PROJECT_FILE;
use super::output::Output;
use super::schema::{all, text};
use super::{CommandError, Outcome};
use crate::model::name::Name;
use crate::model::scalar::Scalar;
use crate::report::clean;

/// Begin a project that validates, with comments that teach
#[derive(clap::Args, Debug)]
pub(crate) struct InitArgs {
    /// The folder to begin it in; made if it is not there
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
}

/// The files of a new project.
pub(crate) const FILES: [(&str, &str); 9] = [
    (PROJECT_FILE, include_str!("init/partnerctl.yaml")),
    ("estate/account.yaml", include_str!("init/account.yaml")),
    ("estate/users.yaml", include_str!("init/users.yaml")),
    ("estate/roles.yaml", include_str!("init/roles.yaml")),
    ("estate/customers.yaml", include_str!("init/customers.yaml")),
    ("estate/access-tests.yaml", include_str!("init/access-tests.yaml")),
    ("policies/guardrails.cedar", include_str!("init/guardrails.cedar")),
    (HANDOVER_IGNORE, include_str!("init/handover.gitignore")),
    (".gitignore", GITIGNORE),
];

/// What is a machine's own.
pub(crate) const GITIGNORE: &str = include_str!("init/gitignore");

/// What is handed over is committed by nobody, whatever else the repository ignores.
const HANDOVER_IGNORE: &str = "handover/.gitignore";

/// What opens sealed passwords: made anew for each project.
const KEY: &str = "handover/key.txt";

/// The key that the project file is written with, in whose place the project's own is put.
const PLACEHOLDER: &str = "age1xdu20xskzkurdstwklqcq42h4fuzmuplvu8wths26s63ft342gpsluyp5a";

/// What editors read; in the project, so that it works without a network.
const SCHEMA: &str = "schemas/partnerctl.schema.json";

pub(crate) fn run(out: &Output, args: &InitArgs) -> Result<Outcome, CommandError> {
    let folder = &args.folder;
    // What stands in the way is a file, or leads nowhere.
    let blocking = folder
        .ancestors()
        .find(|part| part.symlink_metadata().is_ok())
        .filter(|part| !part.is_dir());
    if let Some(file) = blocking {
        return Err(CommandError::usage(format!(
            "{} is not a folder\nnothing was written; name a folder to begin in",
            file.display()
        )));
    }
    let names = || FILES.iter().map(|(name, _)| *name).chain([KEY, SCHEMA]);
    let there: Vec<&str> = names()
        .filter(|name| *name != ".gitignore" && folder.join(name).symlink_metadata().is_ok())
        .collect();
    if !there.is_empty() {
        return Err(CommandError::usage(format!(
            "{} is there already: {}\nnothing was written; begin in another folder",
            if there.len() == 1 { "a file" } else { "some of it" },
            there.join(", "),
        )));
    }
    let project_name = name_of(folder);
    let key = age::x25519::Identity::generate();
    for (name, contents) in FILES {
        let named;
        let contents = if name == PROJECT_FILE {
            named = contents
                .replacen("name: my-account", &format!("name: {project_name}"), 1)
                .replacen(PLACEHOLDER, &key.to_public().to_string(), 1);
            &named
        } else {
            contents
        };
        if name != ".gitignore" || !folder.join(name).exists() {
            write(folder, name, contents)?;
        }
    }
    write_key(folder, &key)?;
    if let Some((_, schema)) = all().first() {
        write(folder, SCHEMA, &text(schema))?;
    }
    let here = folder == Path::new(".");
    let named = if here { String::new() } else { format!(" {}", quoted(folder)) };
    out.result(|to| {
        writeln!(to, "a project to begin with:\n")?;
        for name in names() {
            writeln!(to, "  {}", clean::line(&folder.join(name).display().to_string()))?;
        }
        writeln!(
            to,
            "\nput your own account into estate/account.yaml; with its domains, the addresses of the \
             users change too. Then: {}",
            clean::line(&format!("partnerctl validate{named}"))
        )
    })?;
    Ok(Outcome::Done)
}

/// The project's name as YAML: its folder's, if that is a name.
fn name_of(folder: &Path) -> String {
    let own = folder.file_name().map(ToOwned::to_owned);
    let own = own.or_else(|| Some(folder.canonicalize().ok()?.file_name()?.to_owned()));
    match own.as_ref().and_then(|name| Name::parse(name.to_str()?).ok()) {
        // Unquoted, these would be no strings, or not to every reader.
        Some(name)
            if name.as_str().starts_with(|char: char| char.is_ascii_digit())
                || matches!(
                    name.as_str(),
                    "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n"
                ) =>
        {
            format!("\"{name}\"")
        }
        Some(name) => name.to_string(),
        None => "my-account".to_owned(),
    }
}

/// A folder as a shell takes it.
fn quoted(folder: &Path) -> String {
    let text = folder.display().to_string();
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "._/-".contains(char);
    // What begins with a hyphen would be an option.
    let text = if text.starts_with('-') { format!("./{text}") } else { text };
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Written as `age-keygen` does, for its owner alone from the first byte.
fn write_key(folder: &Path, key: &age::x25519::Identity) -> Result<(), CommandError> {
    use age::secrecy::ExposeSecret;
    let path = folder.join(KEY);
    let failed = |source| CommandError::failed(format!("writing {}", path.display()), source);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).map_err(failed)?;
    writeln!(file, "# public key: {}", key.to_public()).map_err(failed)?;
    writeln!(file, "{}", key.to_string().expose_secret()).map_err(failed)
}

fn write(folder: &Path, name: &str, contents: &str) -> Result<(), CommandError> {
    let path = folder.join(name);
    let failed = |source| CommandError::failed(format!("writing {}", path.display()), source);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    fs::write(&path, contents).map_err(failed)
}

//! Where files go, and whether they may: what somebody wrote stays as it is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Whence, project, shown};
use crate::cli::CommandError;
use crate::cli::clock;
use crate::cli::files::{ManifestArgs, PROJECT_FILE};
use crate::cli::output::Output;
use crate::manifest::code::Severity;
use crate::plan::observed::Observed;
use crate::plan::observed::written::{File, NAMES, Seal, seal};

/// The folder of a new project's manifests.
const ESTATE: &str = "estate";

/// A place for manifests.
pub(super) struct Place {
    /// The folder that was named.
    root: PathBuf,
    /// Where manifests go.
    estate: PathBuf,
    /// The project to be begun, if there is none.
    project: Option<String>,
    sync: bool,
    /// Written by an import and edited since.
    edited: Vec<&'static str>,
}

impl Place {
    /// Looks before anything is asked of the tenant: who cannot write need not read.
    pub(super) fn of(
        out: &Output,
        root: &Path,
        sync: bool,
        from: &Whence,
    ) -> Result<Self, CommandError> {
        if root.exists() && !root.is_dir() {
            return Err(CommandError::usage(format!("{} is not a folder", root.display())));
        }
        let (estate, project) = if root.join(PROJECT_FILE).is_file() {
            (manifests_folder(root, out)?, None)
        } else if is_among_manifests(root, out)? {
            (root.to_owned(), None)
        } else {
            (root.join(ESTATE), Some(project::text(ESTATE, root, from)?))
        };
        let mut place = Self { root: root.to_owned(), estate, project, sync, edited: Vec::new() };
        let there = place.there()?;
        if !sync && !there.is_empty() {
            let files: Vec<&str> = there.iter().map(|(name, _)| *name).collect();
            return Err(CommandError::usage(format!(
                "{} is there already in {}: {}\nnothing was written; import into another folder, or add `--sync` for what an import wrote",
                if files.len() == 1 { "a file" } else { "some of it" },
                shown(&place.estate),
                files.join(", "),
            )));
        }
        place.edited = there
            .into_iter()
            .filter(|(_, seal)| *seal != Seal::Whole)
            .map(|(name, _)| name)
            .collect();
        Ok(place)
    }

    /// The files that stand where ours would, and whether they are as an import wrote them.
    fn there(&self) -> Result<Vec<(&'static str, Seal)>, CommandError> {
        let read = |name: &str| match fs::read(self.estate.join(name)) {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(CommandError::failed(format!("reading {name}"), error)),
        };
        let customers = read("customers.yaml")?;
        let mut there = Vec::new();
        for name in NAMES {
            if let Some(text) = read(name)? {
                there.push((name, seal(name, &text, customers.as_deref())));
            }
        }
        Ok(there)
    }

    pub(super) fn write(
        &self,
        out: &Output,
        observed: &Observed,
        files: &[File],
    ) -> Result<(), CommandError> {
        let edited = |name: &'static str| self.edited.contains(&name);
        let mut done = Vec::new();
        if let Some(project) = &self.project {
            put(&self.root.join(PROJECT_FILE), project)?;
            done.push(self.root.join(PROJECT_FILE));
            let ignore = self.root.join(".gitignore");
            if !ignore.exists() {
                put(&ignore, crate::cli::init::GITIGNORE)?;
            }
        }
        for file in files.iter().filter(|file| !edited(file.name)) {
            let path = self.estate.join(file.name);
            put(&path, &file.text)?;
            done.push(path);
        }
        self.take_away(files)?;
        let estate = &observed.estate;
        out.result(|to| {
            for path in &done {
                writeln!(to, "{}", shown(path))?;
            }
            writeln!(
                to,
                "users: {}, roles: {}, partnerships: {}, customers: {}",
                estate.users.len(),
                estate.roles.len(),
                estate.partnerships.len(),
                estate.customers.len()
            )
        })?;
        self.judge(out)?;
        if self.edited.is_empty() {
            return Ok(());
        }
        let edited = io::Error::other(format!(
            "edited since an import wrote them, or never written by one, and left as they are: {}",
            self.edited.join(", ")
        ));
        Err(CommandError::failed("writing manifests anew", edited))
    }

    /// Files of an earlier import that nothing is left to be said in.
    fn take_away(&self, files: &[File]) -> Result<(), CommandError> {
        if !self.sync {
            return Ok(());
        }
        for name in NAMES {
            let is_ours = !self.edited.contains(&name);
            let path = self.estate.join(name);
            if is_ours && !files.iter().any(|file| file.name == name) && path.is_file() {
                fs::remove_file(&path).map_err(|error| {
                    CommandError::failed(format!("removing {}", path.display()), error)
                })?;
            }
        }
        Ok(())
    }

    /// A tenant can be against the rules that manifests are held to: then that is to be known.
    fn judge(&self, out: &Output) -> Result<(), CommandError> {
        let root = if self.root.join(PROJECT_FILE).is_file() { &self.root } else { &self.estate };
        let loaded = ManifestArgs::of_folder(root).read(out)?.load(clock::today(None));
        let (errors, warnings) =
            (loaded.findings.count(Severity::Error), loaded.findings.count(Severity::Warning));
        if errors + warnings > 0 {
            out.say(&format!(
                "as it is, the tenant gives {errors} errors and {warnings} warnings: `partnerctl validate {}` says which",
                shown(root)
            ));
        }
        Ok(())
    }
}

/// Where a project has its manifests: the first folder that it names.
fn manifests_folder(root: &Path, out: &Output) -> Result<PathBuf, CommandError> {
    let manifests = manifests(root, out)?;
    let folder = manifests.iter().flatten().find(|path| !root.join(path).is_file());
    match (folder, manifests.is_some()) {
        (Some(folder), _) => Ok(root.join(folder)),
        (None, true) => Ok(root.join(ESTATE)),
        (None, false) => Ok(root.to_owned()),
    }
}

/// Whether what is put into a folder is read as manifests of a project further up.
fn is_among_manifests(folder: &Path, out: &Output) -> Result<bool, CommandError> {
    let whole = std::path::absolute(folder)
        .map_err(|error| CommandError::failed(format!("finding {}", folder.display()), error))?;
    let Some(root) = whole.ancestors().skip(1).find(|up| up.join(PROJECT_FILE).is_file()) else {
        return Ok(false);
    };
    let manifests = manifests(root, out)?;
    // Without a word, all that is in the project's folder is.
    Ok(manifests.is_none_or(|paths| paths.iter().any(|path| whole.starts_with(root.join(path)))))
}

fn manifests(root: &Path, out: &Output) -> Result<Option<Vec<String>>, CommandError> {
    let project = ManifestArgs::of_folder(root).read(out)?.project.project;
    let manifests = project.and_then(|project| project.manifests);
    Ok(manifests.map(|paths| paths.iter().map(ToString::to_string).collect()))
}

/// Writes a file: a new one where there is nothing, links that lead nowhere included.
fn put(path: &Path, text: &str) -> Result<(), CommandError> {
    let failed = |error| CommandError::failed(format!("writing {}", path.display()), error);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    if path.is_file() {
        return crate::cli::fmt::replace(path, text.as_bytes()).map_err(failed);
    }
    let mut file =
        fs::OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
    io::Write::write_all(&mut file, text.as_bytes()).map_err(failed)
}

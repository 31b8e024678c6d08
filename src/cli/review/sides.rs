//! Both sides of a review, read and loaded.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ReviewArgs;
use super::tree::{ROOT, Tree};
use crate::cli::CommandError;
use crate::cli::files::origin::Disk;
use crate::cli::files::{Files, Located, PROJECT_FILE, located};
use crate::cli::git::Repository;
use crate::cli::output::Output;
use crate::manifest::{Loaded, Waivers};
use crate::model::project::Limits;
use crate::model::time::Day;
use crate::policy::rules::Rules;
use crate::policy::world::World;
use crate::review::{Commit, Compared};

/// A side with all that follows from it.
pub(super) struct Held {
    pub(super) loaded: Loaded,
    pub(super) rules: Rules,
    pub(super) world: World,
}

impl Held {
    fn of(loaded: Loaded, today: Day) -> Self {
        let rules = Rules::declared(&loaded.estate, &loaded.findings.sources, today);
        let world = World::declared(&loaded.estate, today);
        Self { loaded, rules, world }
    }

    pub(super) const fn compared(&self) -> Compared<'_> {
        Compared { loaded: &self.loaded, rules: &self.rules, world: &self.world }
    }
}

/// Both sides, and the head once more by the base's rules where these are others.
pub(super) struct Sides {
    pub(super) base: Held,
    pub(super) head: Held,
    pub(super) judged: Option<Held>,
    /// There was no such project.
    pub(super) is_new: bool,
    pub(super) base_name: Commit,
    pub(super) head_name: Commit,
    /// The project's folder within the repository.
    pub(super) folder: String,
    pub(super) notes: Vec<String>,
}

impl Sides {
    /// The limits of the base, where there was one.
    pub(super) fn limits(&self) -> Option<&Limits> {
        let project = self.base.loaded.project.as_ref().filter(|_| !self.is_new)?;
        Some(&project.limits)
    }
}

pub(super) fn read(args: &ReviewArgs, today: Day, out: &Output) -> Result<Sides, CommandError> {
    let Located { root, named, file } = located(args.folder.as_deref(), args.project.as_deref())?;
    let repository = Repository::of(&root, &named)?;
    let mut notes = Vec::new();
    let base_commit = repository.commit(&args.base)?;
    let head_rev = args.head.as_deref().unwrap_or("HEAD");
    let head_commit = match args.head {
        Some(_) => Some(repository.commit(head_rev)?),
        // The files on disk need no commit yet.
        None => repository.commit(head_rev).ok(),
    };
    if let Some(head) = &head_commit
        && repository.contains(head, &base_commit)? == Some(false)
    {
        notes.push(format!(
            "the head does not hold all of `{}`: what others merged since shows as taken back; merge it first",
            args.base
        ));
    }
    let project_name = file
        .as_deref()
        .and_then(Path::file_name)
        .map_or_else(|| PROJECT_FILE.into(), ToOwned::to_owned);
    let in_tree = |tree: &Tree| {
        let holds = tree.holds(&project_name);
        holds.then(|| Path::new(ROOT).join(&project_name))
    };
    let base_tree = Tree::of(&repository, &base_commit, &project_name)?;
    let head = match (&args.head, &head_commit) {
        (Some(rev), Some(commit)) => {
            let Some(tree) = Tree::of(&repository, commit, &project_name)? else {
                return Err(CommandError::usage(format!(
                    "there is no folder `{}` in `{rev}`",
                    repository.prefix
                )));
            };
            let file = in_tree(&tree);
            Files::of(Arc::new(tree), PathBuf::from(ROOT), file.as_deref(), out)?
        }
        _ => Files::of(Arc::new(Disk), root, file.as_deref(), out)?,
    };
    let has_project = head.has_project_file();
    // Where there is a project file now and was none, there was no project.
    let known = base_tree.and_then(|tree| {
        let file = in_tree(&tree);
        (file.is_some() || !has_project).then_some((tree, file))
    });
    let is_new = known.is_none();
    let base = match known {
        Some((tree, file)) => Files::of(Arc::new(tree), PathBuf::from(ROOT), file.as_deref(), out)?,
        None => Files::none()?,
    };
    if is_new {
        notes.push(format!(
            "there is no project here at `{}`: everything is new, and nothing of it is judged by rules that stood before",
            args.base
        ));
    }
    let rulebook = base.rulebook();
    let is_same_book = rulebook == head.rulebook();
    let judged = head.judged_by(rulebook);
    let base = Held::of(base.load(today), today);
    let head = Held::of(head.load(today), today);
    let waivers = &base.loaded.estate.waivers;
    let is_own = is_new || (is_same_book && same(waivers, &head.loaded.estate.waivers));
    let judged = (!is_own).then(|| Held::of(judged.load_waived(today, Some(waivers)), today));
    let commit =
        |rev: &str, id: &str| Commit { rev: Some(rev.to_owned()), commit: Some(id.to_owned()) };
    let head_name = match (&args.head, &head_commit) {
        (Some(rev), Some(found)) => commit(rev, &found.id),
        _ => Commit::default(),
    };
    Ok(Sides {
        base,
        head,
        judged,
        is_new,
        base_name: commit(&args.base, &base_commit.id),
        head_name,
        folder: repository.prefix,
        notes,
    })
}

/// Whether the same is waived, wherever that is written.
fn same(one: &Waivers, other: &Waivers) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|((name, one), (key, other))| {
            name == key && one.metadata == other.metadata && one.spec == other.spec
        })
}

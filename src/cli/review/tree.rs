//! The files of a commit, as if they stood in a folder, without checking them out.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::cli::CommandError;
use crate::cli::files::FILE_BYTES_MAX;
use crate::cli::files::origin::{Entry, EntryKind, Origin, Unread};
use crate::cli::git::{Commit, Listed, Objects, Repository};
use crate::manifest::TroubleKind;

/// What the project's folder is called here. Nothing on disk is meant.
pub(crate) const ROOT: &str = "/project";
/// What everything outside of it is called: it is never looked at.
const ELSEWHERE: &str = "/elsewhere";

/// As many links lead from one to the next on Linux.
const LINKS_MAX: usize = 40;
/// A longer target is no path.
const LINK_BYTES_MAX: u64 = 4096;

/// One object of a tree.
#[derive(Debug, Clone)]
enum Node {
    Folder,
    Link {
        id: String,
        size: u64,
    },
    File {
        id: String,
        size: u64,
    },
    /// Another repository, of which a commit holds but the name.
    Submodule,
}

/// The project's folder at a commit.
pub(crate) struct Tree {
    nodes: HashMap<PathBuf, Node>,
    entries: HashMap<PathBuf, Vec<Entry>>,
    objects: Objects,
}

impl Tree {
    /// Lists it; nothing if there was no such folder. Of several that it may have been, the one with a
    /// file of this name.
    pub(crate) fn of(
        repository: &Repository,
        commit: &Commit,
        file: &OsStr,
    ) -> Result<Option<Self>, CommandError> {
        let mut first = None;
        for tree in repository.trees(commit)? {
            let tree = Self::listed(repository, &tree)?;
            if tree.holds(file) {
                return Ok(Some(tree));
            }
            first.get_or_insert(tree);
        }
        Ok(first)
    }

    fn listed(repository: &Repository, tree: &str) -> Result<Self, CommandError> {
        let mut nodes = HashMap::from([(PathBuf::from(ROOT), Node::Folder)]);
        let mut entries: HashMap<PathBuf, Vec<Entry>> = HashMap::new();
        for Listed { mode, id, size, path } in repository.list(tree)? {
            let size = size.unwrap_or_default();
            let node = match mode & 0o170_000 {
                0o040_000 => Node::Folder,
                0o120_000 => Node::Link { id, size },
                0o160_000 => Node::Submodule,
                _ => Node::File { id, size },
            };
            let path = Path::new(ROOT).join(name_of(path));
            let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { continue };
            let kind = match node {
                Node::Folder | Node::Submodule => EntryKind::Folder,
                Node::Link { .. } => EntryKind::Link,
                Node::File { .. } => EntryKind::File,
            };
            let entry = Entry { name: name.to_owned(), kind };
            entries.entry(folder.to_owned()).or_default().push(entry);
            nodes.insert(path, node);
        }
        for entries in entries.values_mut() {
            // Git sorts folders as if they ended with a slash.
            entries.sort_by(|a, b| a.name.cmp(&b.name));
        }
        Ok(Self { nodes, entries, objects: repository.objects()? })
    }

    /// Whether something of this name stands in the project's folder.
    pub(crate) fn holds(&self, name: &OsStr) -> bool {
        self.nodes.contains_key(&Path::new(ROOT).join(name))
    }

    /// Where a link leads to.
    fn target(&self, id: &str, size: u64) -> io::Result<PathBuf> {
        if size > LINK_BYTES_MAX {
            return Err(io::ErrorKind::InvalidFilename.into());
        }
        let bytes = self.objects.read(&[id], LINK_BYTES_MAX)?.pop().unwrap_or_default();
        Ok(PathBuf::from(name_of(bytes)))
    }

    /// The object that holds a file, if one of that size is read.
    fn blob(&self, path: &Path) -> Result<(&str, u64), Unread> {
        match self.nodes.get(path) {
            Some(Node::File { size, .. }) if *size > FILE_BYTES_MAX => {
                let message = format!("{} has more than 256 MiB", shown(path));
                Err((TroubleKind::TooLarge, message))
            }
            Some(Node::File { id, size }) => Ok((id, *size)),
            Some(_) => {
                Err((TroubleKind::Unreadable, format!("{} is not a regular file", shown(path))))
            }
            None => Err((TroubleKind::Missing, format!("there is no {}", shown(path)))),
        }
    }
}

/// A path as people know it.
fn shown(path: &Path) -> std::path::Display<'_> {
    path.strip_prefix(ROOT).unwrap_or(path).display()
}

#[cfg(unix)]
fn name_of(bytes: Vec<u8>) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes)
}

#[cfg(not(unix))]
fn name_of(bytes: Vec<u8>) -> OsString {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

/// One part of a path that is yet to be walked.
enum Part {
    Up,
    Down(OsString),
}

/// The parts of a path, the first of them last; nothing for one that is not relative.
fn parts(path: &Path) -> Option<Vec<Part>> {
    let parts = path.components().rev().filter_map(|component| match component {
        Component::CurDir => None,
        Component::ParentDir => Some(Some(Part::Up)),
        Component::Normal(name) => Some(Some(Part::Down(name.to_owned()))),
        Component::RootDir | Component::Prefix(_) => Some(None),
    });
    parts.collect()
}

impl Origin for Tree {
    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        let elsewhere = || Ok(PathBuf::from(ELSEWHERE));
        let root = Path::new(ROOT);
        let Some(mut due) = path.strip_prefix(root).ok().and_then(parts) else {
            return elsewhere();
        };
        let mut at = root.to_owned();
        let mut links = 0;
        while let Some(part) = due.pop() {
            let name = match part {
                Part::Up if at == root => return elsewhere(),
                Part::Up => {
                    at.pop();
                    continue;
                }
                Part::Down(name) => name,
            };
            at.push(name);
            match self.nodes.get(&at) {
                Some(Node::Link { id, size }) => {
                    links += 1;
                    if links > LINKS_MAX {
                        return Err(io::Error::other("links lead in a circle"));
                    }
                    let Some(target) = parts(&self.target(id, *size)?) else { return elsewhere() };
                    at.pop();
                    due.extend(target);
                }
                Some(Node::Folder | Node::Submodule) => {}
                Some(Node::File { .. }) if due.is_empty() => {}
                Some(Node::File { .. }) => return Err(io::ErrorKind::NotADirectory.into()),
                None => return Err(io::ErrorKind::NotFound.into()),
            }
        }
        Ok(at)
    }

    fn is_folder(&self, path: &Path) -> bool {
        matches!(self.nodes.get(path), Some(Node::Folder | Node::Submodule))
    }

    fn entries(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        match self.nodes.get(folder) {
            Some(Node::Folder) => Ok(self.entries.get(folder).cloned().unwrap_or_default()),
            // What it holds is in another repository.
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, Unread> {
        let mut read = self.read_all(vec![path]);
        let gone = || (TroubleKind::Missing, format!("there is no {}", shown(path)));
        read.pop().unwrap_or_else(|| Err(gone()))
    }

    fn read_all(&self, paths: Vec<&Path>) -> Vec<Result<Vec<u8>, Unread>> {
        let blobs: Vec<Result<(&str, u64), Unread>> =
            paths.iter().map(|path| self.blob(path)).collect();
        let ids: Vec<&str> = blobs.iter().flatten().map(|(id, _)| *id).collect();
        let read =
            if ids.is_empty() { Ok(Vec::new()) } else { self.objects.read(&ids, FILE_BYTES_MAX) };
        let mut read = read.map(Vec::into_iter);
        blobs
            .into_iter()
            .map(|blob| {
                blob?;
                match &mut read {
                    Ok(read) => Ok(read.next().unwrap_or_default()),
                    Err(error) => {
                        Err((TroubleKind::Unreadable, format!("git cannot read it: {error}")))
                    }
                }
            })
            .collect()
    }
}

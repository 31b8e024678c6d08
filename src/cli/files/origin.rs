//! Where files come from: the disk, or what somebody else keeps them in.
//!
//! Only what finding manifests needs. All limits, links that lead out and hidden entries are dealt
//! with above, once for every origin.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::FILE_BYTES_MAX;
use crate::manifest::TroubleKind;
use crate::parallel;

/// What a manifest has about.
const FILE_BYTES_USUAL: usize = 8 * 1024;

/// Why a file was not read, and what to say of it.
pub(crate) type Unread = (TroubleKind, String);

/// What an entry of a folder is, links not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    Folder,
    Link,
    /// A file, or what only looks like one.
    File,
}

/// Something in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: OsString,
    pub(crate) kind: EntryKind,
}

/// Where files come from.
pub(crate) trait Origin: Send + Sync {
    /// A path without links and dots, if there is something.
    fn canonical(&self, path: &Path) -> io::Result<PathBuf>;
    fn is_folder(&self, path: &Path) -> bool;
    /// What is in a folder, by name.
    fn entries(&self, folder: &Path) -> io::Result<Vec<Entry>>;
    /// Reads a file that may be one: nothing that is no regular file, nothing too large.
    fn read(&self, path: &Path) -> Result<Vec<u8>, Unread>;
    /// Reads many, in this order.
    fn read_all(&self, paths: Vec<&Path>) -> Vec<Result<Vec<u8>, Unread>>;
}

/// Files as they are on disk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Disk;

impl Origin for Disk {
    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        path.canonicalize()
    }

    fn is_folder(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn entries(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        let mut entries: Vec<Entry> = fs::read_dir(folder)?
            .flatten()
            .filter_map(|entry| {
                let kind = entry.file_type().ok()?;
                let kind = if kind.is_symlink() {
                    EntryKind::Link
                } else if kind.is_dir() {
                    EntryKind::Folder
                } else {
                    EntryKind::File
                };
                Some(Entry { name: entry.file_name(), kind })
            })
            .collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, Unread> {
        let unreadable = |error: &io::Error| {
            (TroubleKind::Unreadable, format!("cannot read {}: {error}", path.display()))
        };
        let metadata = fs::metadata(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                (TroubleKind::Missing, format!("there is no {}", path.display()))
            }
            _ => unreadable(&error),
        })?;
        if !metadata.is_file() {
            let message = format!("{} is not a regular file", path.display());
            return Err((TroubleKind::Unreadable, message));
        }
        if metadata.len() > FILE_BYTES_MAX {
            let message = format!("{} has more than 256 MiB", path.display());
            return Err((TroubleKind::TooLarge, message));
        }
        fs::read(path).map_err(|error| unreadable(&error))
    }

    fn read_all(&self, paths: Vec<&Path>) -> Vec<Result<Vec<u8>, Unread>> {
        // Without a look at each file, a guess at how much there is to read.
        let bytes = paths.len() * FILE_BYTES_USUAL;
        parallel::map(paths, bytes, || (), |(), path| self.read(path))
    }
}

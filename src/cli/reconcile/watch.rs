//! Wakes the loop when what it reads has changed.
//!
//! The system says that something happened somewhere in the folders; whether it matters is found out
//! by reading the files as a round would, and comparing. So nothing has to be known of editors,
//! checkouts and links, and what a round itself writes wakes nobody.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use sha2::{Digest, Sha256};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

use crate::cli::applying::Signals;
use crate::cli::files::Files;
use crate::cli::output::Output;
use crate::cli::planning::PlanningArgs;
use crate::cli::{CommandError, clock};

/// Several files are saved together, and a checkout takes a moment: so long nothing must happen.
const QUIET: Duration = Duration::from_millis(500);
/// Somewhere something always happens: longer than this it is not waited for.
const QUIET_MAX: Duration = Duration::from_secs(5);
/// What nobody means by the manifests: our own databases, and git's.
const PASSED_OVER: [&str; 2] = [".partnerctl", ".git"];

/// Why the rest is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Woken {
    Rested,
    Changed,
    Stopped,
}

/// A folder or a file, and whether what is below it counts.
type Place = (PathBuf, bool);

/// What is read, and whoever says that it moved.
pub(super) struct Watch<'a> {
    planning: &'a PlanningArgs,
    bell: Arc<Notify>,
    /// Kept, because it watches while it is.
    watcher: Option<RecommendedWatcher>,
    places: Vec<Place>,
    /// What was read when the round began.
    seen: Vec<u8>,
}

/// A pipe is empty when it is read again, and what it had said would seem to be gone.
pub(super) fn must_be_readable_again(named: &[PathBuf]) -> Result<(), CommandError> {
    for path in named {
        let is_stream =
            std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
        if path.as_os_str() == "-" || is_stream {
            return Err(CommandError::usage(format!(
                "{} can be read once, and `reconcile` reads again and again\nname a folder, or run `apply` each time",
                path.display()
            )));
        }
    }
    Ok(())
}

impl<'a> Watch<'a> {
    pub(super) fn new(planning: &'a PlanningArgs) -> Self {
        Self {
            planning,
            bell: Arc::new(Notify::new()),
            watcher: None,
            places: Vec::new(),
            seen: Vec::new(),
        }
    }

    /// Remembers what is there now, and watches where it is.
    pub(super) fn look(&mut self, out: &Output) {
        let (seen, places) = self.read();
        self.seen = seen;
        if let Some(places) = places
            && (places != self.places || self.watcher.is_none())
        {
            self.watcher = match watch(&places, &self.bell) {
                Ok(watcher) => Some(watcher),
                Err(error) => {
                    out.say(&format!(
                        "changes of the folder are not seen at once, but when it is looked at again: {error}"
                    ));
                    None
                }
            };
            self.places = places;
        }
    }

    /// Waits, but no longer than until something has changed or somebody wants it to end.
    pub(super) async fn rest(&self, rest: Duration, signals: &Signals) -> Woken {
        let until = Instant::now() + rest;
        loop {
            tokio::select! {
                () = signals.first() => return Woken::Stopped,
                () = sleep_until(until) => return Woken::Rested,
                () = self.something() => {
                    if self.read().0 != self.seen {
                        return Woken::Changed;
                    }
                }
            }
        }
    }

    /// Waits until something happened, and then nothing for a moment.
    async fn something(&self) {
        self.bell.notified().await;
        let quiet = async { while timeout(QUIET, self.bell.notified()).await.is_ok() {} };
        let _ = timeout(QUIET_MAX, quiet).await;
    }

    /// A digest of what a round would read, and where that is.
    fn read(&self) -> (Vec<u8>, Option<Vec<Place>>) {
        // What it has to say of the files, a round says.
        let files = match self.planning.read(&Output::new(true, false)) {
            Ok(files) => files,
            Err(error) => return (format!("{error:?}").into_bytes(), None),
        };
        let places = places(&files, self.planning.named());
        let mut hash = Sha256::new();
        for trouble in files.missing() {
            hash.update(trouble);
        }
        // Tables are opened by what names them.
        for (_, source) in files.load(clock::today(None)).findings.sources.iter() {
            for part in [source.name.as_bytes(), &source.bytes] {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part);
            }
        }
        (hash.finalize().to_vec(), Some(places))
    }
}

/// Where manifests, policies and the project file are.
fn places(files: &Files, named: &[PathBuf]) -> Vec<Place> {
    let root = files.folder();
    // A link that is led elsewhere, or a project file that is replaced, shows here.
    let mut places = vec![(root.to_owned(), false)];
    let project = files.project.project.as_ref();
    let policies = project.iter().flat_map(|project| &project.policies);
    let mut below: Vec<PathBuf> = policies.map(|path| root.join(path.as_str())).collect();
    match project.and_then(|project| project.manifests.as_ref()) {
        _ if !named.is_empty() => below.extend(named.iter().cloned()),
        Some(manifests) => below.extend(manifests.iter().map(|path| root.join(path.as_str()))),
        None => below.push(root.to_owned()),
    }
    for path in below.iter().filter_map(|path| path.canonicalize().ok()) {
        if path.is_dir() {
            places.push((path, true));
        } else if let Some(folder) = path.parent() {
            // A file is replaced by most who write it, and what replaces it is another.
            places.push((folder.to_owned(), false));
        }
    }
    // Below counts more: what is watched twice is watched as said last.
    places.sort();
    places.dedup();
    places
}

fn watch(places: &[Place], bell: &Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let bell = Arc::clone(bell);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.as_ref().map_or(true, may_matter) {
            bell.notify_one();
        }
    })?;
    for (path, below) in places {
        let mode = if *below { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
        watcher.watch(path, mode)?;
    }
    Ok(watcher)
}

/// Whether files may be others than before. Reading changes nothing, and would wake us each time.
fn may_matter(event: &notify::Event) -> bool {
    let is_passed_over = |path: &PathBuf| {
        path.components().any(|part| PASSED_OVER.map(OsStr::new).contains(&part.as_os_str()))
    };
    !matches!(event.kind, EventKind::Access(_))
        && (event.paths.is_empty() || !event.paths.iter().all(is_passed_over))
}

#[cfg(test)]
mod tests {
    use notify::event::{AccessKind, CreateKind, Event};

    use super::*;

    #[test]
    fn reading_and_our_own_writing_wake_nobody() {
        let event = |kind, path: &str| Event::new(kind).add_path(path.into());
        let made = EventKind::Create(CreateKind::File);
        assert!(may_matter(&event(made, "/x/estate/users.yaml")));
        assert!(may_matter(&event(made, "/x/..data")));
        assert!(!may_matter(&event(EventKind::Access(AccessKind::Read), "/x/estate/users.yaml")));
        assert!(!may_matter(&event(made, "/x/.partnerctl/ledger.db-wal")));
        assert!(!may_matter(&event(made, "/x/.git/index.lock")));
        // Too much happened to be told.
        assert!(may_matter(&Event::new(EventKind::Other)));
    }

    #[test]
    fn what_can_be_read_once_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(must_be_readable_again(&[file.path().to_owned()]).is_ok());
        for once in ["-", "/dev/null"] {
            let refused = must_be_readable_again(&[once.into()]);
            assert!(matches!(refused, Err(CommandError::Usage(_))), "{once}");
        }
    }
}

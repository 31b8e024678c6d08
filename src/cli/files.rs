//! Which files an estate is made of, and what is in them.
//!
//! Everything a project is made of lies within its folder, links included: a link that leads out
//! could show what a reviewer was never meant to publish. What is outside is never read.

pub(crate) mod origin;

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use origin::{Disk, Entry, EntryKind, Origin, Unread};

use super::CommandError;
use super::output::Output;
use crate::manifest::source::{Format, Source, SourceId, Sources};
use crate::manifest::{
    self, Load, Loaded, ReadProject, Tables, Trouble, TroubleKind, TroublePath, Waivers,
    read_project,
};
use crate::model::project::Project;
use crate::model::time::Day;

/// The name of the project file.
pub(crate) const PROJECT_FILE: &str = "partnerctl.yaml";
/// A larger file is not a manifest that a person reviews, and offsets would not fit.
pub(crate) const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Which manifests a command is about
#[derive(clap::Args, Debug)]
pub(crate) struct ManifestArgs {
    /// The project's folder; the nearest one with a partnerctl.yaml upward, unless given
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    source: SourceArgs,
}

/// Which manifests a command is about whose own arguments are names
#[derive(clap::Args, Debug)]
pub(crate) struct SourceArgs {
    /// Manifests to read instead of the project's: a file, a folder, or - for standard input
    #[arg(short = 'f', long = "file", value_name = "PATH")]
    files: Vec<PathBuf>,
    /// The project file, or the folder it stands in
    #[arg(long, value_name = "FILE|DIR")]
    project: Option<PathBuf>,
    /// Take what -f names for the whole estate, not for a part of it
    #[arg(long)]
    complete: bool,
}

/// Which project a command is about, if any
#[derive(clap::Args, Debug)]
pub(crate) struct ProjectArgs {
    /// The project file, or the folder it stands in; the nearest one upward, unless given
    #[arg(long, value_name = "FILE|DIR")]
    project: Option<PathBuf>,
}

impl ProjectArgs {
    /// The files of the project, where there is one.
    pub(crate) fn read_if_any(&self, out: &Output) -> Result<Option<Files>, CommandError> {
        if self.project.is_none() && nearest()?.is_none() {
            return Ok(None);
        }
        self.source().read(out).map(Some)
    }

    /// The folder that `.partnerctl/` stands in: the project's, else the current one.
    pub(crate) fn root(&self) -> Result<PathBuf, CommandError> {
        if self.project.is_none() && nearest()?.is_none() {
            return current_folder();
        }
        Ok(self.source().find(None)?.root)
    }

    fn source(&self) -> SourceArgs {
        SourceArgs { files: Vec::new(), project: self.project.clone(), complete: false }
    }
}

/// Where a project is.
pub(crate) struct Located {
    /// Its folder, links resolved.
    pub(crate) root: PathBuf,
    /// The same as it was named, from the top of everything, links as they are.
    pub(crate) named: PathBuf,
    /// Its project file, if it has one.
    pub(crate) file: Option<PathBuf>,
}

/// Finds a project.
pub(crate) fn located(
    folder: Option<&Path>,
    project: Option<&Path>,
) -> Result<Located, CommandError> {
    let source =
        SourceArgs { files: Vec::new(), project: project.map(Path::to_owned), complete: false };
    let Found { root: found, file } = source.find(folder)?;
    let root = found.canonicalize().map_err(|error| cannot(&found, &error))?;
    let here = folder_of_shell()?;
    let is_nearest = folder.is_none() && project.is_none();
    let nearest = here.ancestors().find(|one| one.canonicalize().is_ok_and(|one| one == root));
    let named = nearest.filter(|_| is_nearest).map_or_else(|| here.join(&found), Path::to_owned);
    Ok(Located { root, named, file })
}

/// The current folder as the shell that called us came there: through links, maybe.
fn folder_of_shell() -> Result<PathBuf, CommandError> {
    let here = current_folder()?;
    let told = std::env::var_os("PWD").map(PathBuf::from).filter(|told| told.is_absolute());
    let is_here = |told: &PathBuf| told.canonicalize().ok() == here.canonicalize().ok();
    Ok(told.filter(is_here).unwrap_or(here))
}

fn current_folder() -> Result<PathBuf, CommandError> {
    std::env::current_dir()
        .map_err(|error| CommandError::failed("finding the current folder", error))
}

/// The nearest folder upward with a project file.
fn nearest() -> Result<Option<PathBuf>, CommandError> {
    let here = current_folder()?;
    let found = here.ancestors().find(|folder| folder.join(PROJECT_FILE).is_file());
    Ok(found.map(Path::to_owned))
}

/// A project that was found.
struct Found {
    root: PathBuf,
    file: Option<PathBuf>,
}

/// Files as they were handed over, and where they are on disk.
pub(crate) struct Files {
    pub sources: Sources,
    pub project: ReadProject,
    project_name: String,
    troubles: Vec<Trouble>,
    /// The project file does not say what the manifests are, and nothing else does.
    is_unknown: bool,
    complete: bool,
    opener: Opener,
}

impl Files {
    /// Nothing, where there is no project.
    pub(crate) fn none() -> Result<Self, CommandError> {
        Ok(Self {
            sources: Sources::default(),
            project: ReadProject::default(),
            project_name: PROJECT_FILE.to_owned(),
            troubles: Vec::new(),
            is_unknown: false,
            complete: false,
            opener: Opener { from: Arc::new(Disk), root: current_folder()?, paths: HashMap::new() },
        })
    }

    /// All manifests of the project in a folder of wherever files come from.
    pub(crate) fn of(
        from: Arc<dyn Origin>,
        root: PathBuf,
        file: Option<&Path>,
        out: &Output,
    ) -> Result<Self, CommandError> {
        read_from(from, root, file, &[], true, out)
    }

    /// The project's folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.opener.root
    }

    /// Whether these are all the manifests there are, so that what is not in them has gone.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete && self.missing().next().is_none()
    }

    /// Whether only some manifests were asked for, and others stand elsewhere.
    pub(crate) const fn is_part(&self) -> bool {
        !self.complete
    }

    /// The folder that `.partnerctl/` stands in: beside the project file, else the current one.
    pub(crate) fn home(&self) -> Result<PathBuf, CommandError> {
        if self.path_of(&self.project_name).is_some() {
            return Ok(self.folder().to_owned());
        }
        current_folder()
    }

    /// Where a source is on disk; nothing for standard input.
    pub(crate) fn path_of(&self, name: &str) -> Option<&Path> {
        self.opener.paths.get(name).map(PathBuf::as_path)
    }

    /// What keeps manifests from being read, a line each. Policies are no manifests.
    pub(crate) fn missing(&self) -> impl Iterator<Item = String> {
        let unknown = self.is_unknown.then(|| {
            format!("{}: what the manifests are cannot be read from it", self.project_name)
        });
        let troubles = self.troubles.iter().filter_map(|trouble| {
            let file = match &trouble.path {
                TroublePath::Policy(_) => return None,
                TroublePath::Manifest(_) => &self.project_name,
                TroublePath::File(name) => name,
            };
            Some(format!("{file}: {}", trouble.message))
        });
        unknown.into_iter().chain(troubles)
    }

    /// Reads and checks them as an estate.
    pub(crate) fn load(self, today: Day) -> Loaded {
        self.load_with(&crate::policy::check::Policies, today, None)
    }

    /// The same, with the waivers of another estate.
    pub(crate) fn load_waived(self, today: Day, waivers: Option<&Waivers>) -> Loaded {
        self.load_with(&crate::policy::check::Policies, today, waivers)
    }

    /// The same, examined by somebody else.
    pub(crate) fn load_with(
        self,
        examiner: &dyn manifest::Examiner,
        today: Day,
        waivers: Option<&Waivers>,
    ) -> Loaded {
        let Self { sources, project, project_name, troubles, complete, opener, is_unknown: _ } =
            self;
        let load = Load {
            sources,
            project,
            project_name,
            troubles,
            tables: &opener,
            examiner,
            complete,
            today,
        };
        manifest::load_waived(load, waivers)
    }

    /// What they are judged by: the project file and the policies.
    pub(crate) fn rulebook(&self) -> Vec<Source> {
        let is_rule =
            |source: &&Source| source.format == Format::Cedar || self.is_project_file(source);
        self.sources.iter().map(|(_, source)| source).filter(is_rule).cloned().collect()
    }

    /// Whether there is a project file, readable or not.
    pub(crate) fn has_project_file(&self) -> bool {
        self.sources.iter().any(|(_, source)| self.is_project_file(source))
    }

    fn is_project_file(&self, source: &Source) -> bool {
        self.path_of(&self.project_name).is_some() && source.name == self.project_name
    }

    /// The same manifests once more, judged by another rulebook.
    pub(crate) fn judged_by(&self, rulebook: Vec<Source>) -> Self {
        // The project file, where there is one, is the first of a rulebook.
        let has_project = rulebook.first().is_some_and(|first| first.format == Format::Yaml);
        let is_own =
            |source: &&Source| source.format != Format::Cedar && !self.is_project_file(source);
        let own = self.sources.iter().map(|(_, source)| source).filter(is_own).cloned();
        let sources = Sources::new(rulebook.into_iter().chain(own).collect());
        let project =
            if has_project { read_project(&sources, SourceId(0)) } else { ReadProject::default() };
        // Who has no policies of that side is not missing them.
        let is_manifest = |trouble: &&Trouble| !matches!(trouble.path, TroublePath::Policy(_));
        Self {
            sources,
            project,
            project_name: self.project_name.clone(),
            troubles: self.troubles.iter().filter(is_manifest).cloned().collect(),
            is_unknown: self.is_unknown,
            complete: self.complete,
            opener: self.opener.clone(),
        }
    }
}

impl ManifestArgs {
    /// All manifests of the project in a folder.
    pub(crate) fn of_folder(folder: &Path) -> Self {
        let source = SourceArgs { files: Vec::new(), project: None, complete: false };
        Self { folder: Some(folder.to_owned()), source }
    }

    /// Reads the files that the arguments name.
    pub(crate) fn read(&self, out: &Output) -> Result<Files, CommandError> {
        self.source.read_in(self.folder.as_deref(), out)
    }

    /// What `-f` names.
    pub(crate) fn named(&self) -> &[PathBuf] {
        &self.source.files
    }

    /// What stands in the place of the folder, if it is a file.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.folder.as_deref().filter(|path| path.is_file())
    }

    /// All manifests of the project that is nearest, or named otherwise than by the folder.
    pub(crate) fn read_beside(&self, out: &Output) -> Result<Files, CommandError> {
        self.source.read_in(None, out)
    }
}

impl SourceArgs {
    /// Reads the files that the arguments name.
    pub(crate) fn read(&self, out: &Output) -> Result<Files, CommandError> {
        self.read_in(None, out)
    }

    fn read_in(&self, folder: Option<&Path>, out: &Output) -> Result<Files, CommandError> {
        if self.complete && self.files.is_empty() {
            return Err(CommandError::usage(
                "`--complete` says that what `-f` names is the whole estate\nwithout `-f`, the project's manifests are",
            ));
        }
        let found = self.find(folder)?;
        let root = found.root.canonicalize().map_err(|error| cannot(&found.root, &error))?;
        let whole = self.files.is_empty() || self.complete;
        read_from(Arc::new(Disk), root, found.file.as_deref(), &self.files, whole, out)
    }

    /// Finds the project: as named, else the folder, else the nearest upward.
    fn find(&self, folder: Option<&Path>) -> Result<Found, CommandError> {
        let in_folder = |folder: &Path| {
            let file = folder.join(PROJECT_FILE);
            Found { root: folder.to_owned(), file: file.is_file().then_some(file) }
        };
        let must_exist = |path: &Path| {
            if path.exists() {
                Ok(())
            } else {
                Err(CommandError::usage(format!("there is no {}", path.display())))
            }
        };
        match (folder, &self.project) {
            (Some(_), Some(_)) => Err(CommandError::usage(
                "a folder and --project both name the project: give one of them",
            )),
            (_, Some(project)) => {
                must_exist(project)?;
                let found = if project.is_dir() {
                    in_folder(project)
                } else {
                    let root = project.parent().filter(|parent| !parent.as_os_str().is_empty());
                    Found {
                        root: root.unwrap_or(Path::new(".")).to_owned(),
                        file: Some(project.clone()),
                    }
                };
                if found.file.is_none() {
                    return Err(CommandError::usage(format!(
                        "there is no {PROJECT_FILE} in {}",
                        project.display()
                    )));
                }
                Ok(found)
            }
            (Some(folder), None) => {
                must_exist(folder)?;
                if !folder.is_dir() {
                    let message =
                        format!("{} is not a folder: name a file with `-f`", folder.display());
                    return Err(CommandError::usage(message));
                }
                Ok(in_folder(folder))
            }
            (None, None) => {
                if let Some(root) = nearest()? {
                    return Ok(in_folder(&root));
                }
                if self.files.is_empty() {
                    return Err(CommandError::usage(format!(
                        "there is no {PROJECT_FILE} here or above\nname a folder, or begin with `partnerctl init`"
                    )));
                }
                Ok(Found { root: current_folder()?, file: None })
            }
        }
    }
}

/// Reads the project in a folder of wherever files come from: all its manifests, or what is named.
fn read_from(
    from: Arc<dyn Origin>,
    root: PathBuf,
    file: Option<&Path>,
    named: &[PathBuf],
    complete: bool,
    out: &Output,
) -> Result<Files, CommandError> {
    let mut sources = Sources::default();
    let mut project = ReadProject::default();
    let mut paths = HashMap::new();
    let project_name = file
        .and_then(Path::file_name)
        .map_or_else(|| PROJECT_FILE.to_owned(), |name| name.to_string_lossy().into_owned());
    let mut walk = Walk {
        from: &*from,
        root: root.clone(),
        skip: file.map(Path::to_owned),
        files: Vec::new(),
        streams: Vec::new(),
        troubles: Vec::new(),
        seen: HashSet::new(),
        sought: Sought::Manifests,
    };
    let mut is_refused = false;
    if let Some(file) = file {
        let target = from.canonical(file).map_err(|error| cannot(file, &error))?;
        if target.starts_with(&root) {
            let bytes = from.read(&target).map_err(|(_, message)| CommandError::usage(message))?;
            out.narrate(&format!("project {}", file.display()));
            // Written is what a link leads to: the link stays one.
            paths.insert(project_name.clone(), target);
            let id =
                sources.add(Source { name: project_name.clone(), format: Format::Yaml, bytes });
            project = read_project(&sources, id);
        } else {
            is_refused = true;
            walk.leads_out(project_name.clone());
        }
    }
    let is_unknown = is_refused || project.is_unreadable();
    let mut stdin = None;
    if !is_refused {
        walk.policies(project.project.as_ref());
    }
    if named.is_empty() && is_unknown {
        // What a project is made of is not guessed: `.` would take in far too much.
    } else if named.is_empty() {
        walk.project(project.project.as_ref());
    } else {
        for path in named {
            if path.as_os_str() == "-" {
                // It can be read once: named again it would be empty.
                if stdin.is_none() {
                    stdin = Some(read_stream(io::stdin().lock(), "standard input")?);
                }
            } else {
                walk.named(path)?;
            }
        }
    }
    let Walk { files, streams, mut troubles, .. } = walk;
    let read = from.read_all(files.iter().map(|file| file.path.as_path()).collect());
    for (ToRead { name, path, format }, read) in files.into_iter().zip(read) {
        match read {
            Ok(bytes) => {
                paths.insert(name.clone(), path);
                sources.add(Source { name, format, bytes });
            }
            Err(unread) => troubles.push(not_read(name, &unread)),
        }
    }
    for stream in streams {
        sources.add(stream);
    }
    if let Some(bytes) = stdin {
        sources.add(Source { name: "-".to_owned(), format: Format::Yaml, bytes });
    }
    out.narrate(&format!("{} files", sources.len()));
    // What is refused is in the troubles.
    let is_unknown = named.is_empty() && project.is_unreadable();
    let opener = Opener { from, root, paths };
    Ok(Files { sources, project, project_name, troubles, is_unknown, complete, opener })
}

/// What is said of a file that was found and could not be read.
fn not_read(name: String, (what, _): &Unread) -> Trouble {
    let message = match what {
        TroubleKind::TooLarge => "the file has more than 256 MiB",
        TroubleKind::Missing => "the file has gone",
        _ => "the file cannot be read",
    };
    Trouble { what: *what, path: TroublePath::File(name), message: message.to_owned() }
}

fn cannot(path: &Path, error: &io::Error) -> CommandError {
    CommandError::usage(format!("{}: {error}", path.display()))
}

/// Reads what has no end that is known beforehand.
fn read_stream(from: impl Read, name: &str) -> Result<Vec<u8>, CommandError> {
    let mut bytes = Vec::new();
    from.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| CommandError::failed(format!("reading {name}"), source))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(CommandError::usage(format!("{name} is larger than 256 MiB")));
    }
    Ok(bytes)
}

/// Whether a path names a pipe, such as `<(...)` of a shell.
#[cfg(unix)]
fn is_stream(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    fs::metadata(path).is_ok_and(|metadata| {
        let kind = metadata.file_type();
        kind.is_fifo()
    })
}

#[cfg(not(unix))]
fn is_stream(_path: &Path) -> bool {
    false
}

/// Whether a path stands in the project: a pipe there is nobody's who called us, and may never end.
fn stands_within(root: &Path, path: &Path) -> bool {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    whole
        .parent()
        .and_then(|folder| folder.canonicalize().ok())
        .is_some_and(|folder| folder.starts_with(root))
}

fn format_of(path: &Path) -> Format {
    let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    if is_json { Format::Json } else { Format::Yaml }
}

/// A file that was found and is yet to be read.
struct ToRead {
    name: String,
    path: PathBuf,
    format: Format,
}

/// Finds manifests in folders.
struct Walk<'a> {
    from: &'a dyn Origin,
    /// Where the project is; links are followed, but not out of it.
    root: PathBuf,
    /// The project file is not a manifest.
    skip: Option<PathBuf>,
    files: Vec<ToRead>,
    /// What can be read but once, and was.
    streams: Vec<Source>,
    troubles: Vec<Trouble>,
    /// Folders and files that were reached, so that links cannot lead in circles.
    seen: HashSet<(Sought, PathBuf)>,
    sought: Sought,
}

/// What is looked for in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Sought {
    Manifests,
    Policies,
}

impl Sought {
    /// Whether a file of this name is one.
    fn wants(self, name: &str) -> bool {
        match self {
            Self::Manifests => is_manifest(name),
            Self::Policies => {
                Path::new(name).extension().is_some_and(|e| e.eq_ignore_ascii_case("cedar"))
            }
        }
    }

    fn format_of(self, path: &Path) -> Format {
        match self {
            Self::Manifests => format_of(path),
            Self::Policies => Format::Cedar,
        }
    }
}

impl Walk<'_> {
    /// What the project file names.
    fn project(&mut self, project: Option<&Project>) {
        let root = self.root.clone();
        let Some(manifests) = project.and_then(|project| project.manifests.as_ref()) else {
            self.folder(&root, "", &root);
            return;
        };
        for (index, path) in manifests.iter().enumerate() {
            let name = path.as_str();
            match within(self.from, &root, &root, name) {
                Ok(found) if self.from.is_folder(&found) => {
                    let prefix = clean_name(name);
                    self.folder(&found, &prefix, &root);
                }
                Ok(found) => self.file(clean_name(name), found),
                Err((what, message)) => {
                    self.troubles.push(Trouble {
                        what,
                        path: TroublePath::Manifest(index),
                        message,
                    });
                }
            }
        }
    }

    /// The project's policies: they hold whichever manifests are looked at.
    fn policies(&mut self, project: Option<&Project>) {
        let root = self.root.clone();
        self.sought = Sought::Policies;
        for (index, path) in project.iter().flat_map(|project| &project.policies).enumerate() {
            let name = path.as_str();
            match within(self.from, &root, &root, name) {
                Ok(found) if self.from.is_folder(&found) => {
                    self.folder(&found, &clean_name(name), &root);
                }
                Ok(found) => self.file(clean_name(name), found),
                Err((what, message)) => {
                    let path = TroublePath::Policy(index);
                    self.troubles.push(Trouble { what, path, message });
                }
            }
        }
        self.sought = Sought::Manifests;
    }

    /// A path of the command line: wherever it is, but not out of it.
    fn named(&mut self, path: &Path) -> Result<(), CommandError> {
        if is_led_out(&self.root, path) {
            self.leads_out(slashes(path));
            return Ok(());
        }
        if is_stream(path) && !stands_within(&self.root, path) {
            // As with standard input: named again it would be empty.
            if self.seen.insert((self.sought, path.to_owned())) {
                let name = path.display().to_string();
                let file = fs::File::open(path).map_err(|error| cannot(path, &error))?;
                let bytes = read_stream(file, &name)?;
                self.streams.push(Source { name, format: format_of(path), bytes });
            }
            return Ok(());
        }
        let Ok(found) = path.canonicalize() else {
            return Err(CommandError::usage(format!("there is no {}", path.display())));
        };
        let shown = found.strip_prefix(&self.root).map_or_else(|_| slashes(path), slashes);
        if found.is_dir() {
            let shown = if shown == "." { String::new() } else { shown };
            self.folder(&found, &shown, &found);
        } else {
            self.file(shown, found);
        }
        Ok(())
    }

    /// A link of the project that leads out of it: what it leads to is not read.
    fn leads_out(&mut self, name: String) {
        self.troubles.push(Trouble {
            what: TroubleKind::Outside,
            path: TroublePath::File(name),
            message: "this link leads out of the project".to_owned(),
        });
    }

    /// A folder's manifests, subfolders too, in the order of their names.
    fn folder(&mut self, folder: &Path, prefix: &str, root: &Path) {
        if !self.seen.insert((self.sought, folder.to_owned())) {
            return;
        }
        let entries = match self.from.entries(folder) {
            Ok(entries) => entries,
            Err(error) => {
                let name = if prefix.is_empty() { ".".to_owned() } else { prefix.to_owned() };
                let message = format!("the folder cannot be read: {}", error.kind());
                self.troubles.push(Trouble {
                    what: TroubleKind::Unreadable,
                    path: TroublePath::File(name),
                    message,
                });
                return;
            }
        };
        for entry in entries {
            let Some(name) = entry.name.to_str() else {
                let name = join(prefix, &entry.name.to_string_lossy());
                if self.sought.wants(&name) {
                    let message = "the name of the file is not UTF-8".to_owned();
                    self.troubles.push(Trouble {
                        what: TroubleKind::Unreadable,
                        path: TroublePath::File(name),
                        message,
                    });
                }
                continue;
            };
            if name.starts_with('.') {
                continue;
            }
            self.entry(&entry, folder, name, &join(prefix, name), root);
        }
    }

    fn entry(&mut self, entry: &Entry, folder: &Path, name: &str, shown: &str, root: &Path) {
        let mut path = folder.join(name);
        let mut is_folder = entry.kind == EntryKind::Folder;
        if entry.kind == EntryKind::Link {
            let wanted = self.sought.wants(name);
            let (what, message) = match self.from.canonical(&path) {
                Ok(target) if target.starts_with(root) => {
                    is_folder = self.from.is_folder(&target);
                    path = target;
                    if !is_folder && !wanted {
                        return;
                    }
                    (None, String::new())
                }
                Ok(_) => {
                    (Some(TroubleKind::Outside), "this link leads out of the project".to_owned())
                }
                Err(_) => (Some(TroubleKind::Missing), "this link leads nowhere".to_owned()),
            };
            if let Some(what) = what {
                // A link to a folder might hold manifests: only a name that is no manifest's is let be.
                if wanted || !name.contains('.') {
                    self.troubles.push(Trouble {
                        what,
                        path: TroublePath::File(shown.to_owned()),
                        message,
                    });
                }
                return;
            }
        }
        if is_folder {
            self.folder(&path, shown, root);
        } else if self.sought.wants(name)
            && self.skip.as_ref().is_none_or(|skip| !same_file(self.from, skip, &path))
        {
            self.file(shown.to_owned(), path);
        }
    }

    /// A file that several ways lead to is read once, or all in it would stand there twice.
    fn file(&mut self, name: String, path: PathBuf) {
        if self.seen.insert((self.sought, path.clone())) {
            let format = self.sought.format_of(&path);
            self.files.push(ToRead { name, path, format });
        }
    }
}

fn same_file(from: &dyn Origin, a: &Path, b: &Path) -> bool {
    a.file_name() == b.file_name() && from.canonical(a).ok() == from.canonical(b).ok()
}

fn is_manifest(name: &str) -> bool {
    let extension = Path::new(name).extension();
    extension.is_some_and(|extension| {
        ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
    }) && !matches!(name, "kustomization.yaml" | "kustomization.yml" | "kustomization.json")
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") }
}

/// A path as people write it, `/` between folders.
fn slashes(path: &Path) -> String {
    let parts: Vec<_> = path
        .components()
        .filter(|part| !matches!(part, Component::CurDir))
        .map(|part| match part {
            Component::RootDir => std::borrow::Cow::Borrowed(""),
            other => other.as_os_str().to_string_lossy(),
        })
        .collect();
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

fn clean_name(name: &str) -> String {
    let shown = slashes(Path::new(name));
    if shown == "." { String::new() } else { shown }
}

/// A path that a manifest names, if it is there and within the root, links followed.
fn within(from: &dyn Origin, root: &Path, base: &Path, name: &str) -> Result<PathBuf, Unread> {
    let outside = || (TroubleKind::Outside, format!("`{name}` leads out of the project"));
    let path = Path::new(name);
    if path.is_absolute() {
        return Err(outside());
    }
    match from.canonical(&base.join(path)) {
        Ok(found) if found.starts_with(root) => Ok(found),
        Ok(_) => Err(outside()),
        // Whether something outside exists is nobody's business either.
        Err(_) if escapes(root, base, path) => Err(outside()),
        Err(_) => Err((TroubleKind::Missing, format!("there is no `{name}`"))),
    }
}

/// Whether a path leads out by its words alone.
fn escapes(root: &Path, base: &Path, path: &Path) -> bool {
    let mut depth = base.strip_prefix(root).map_or(0, |below| below.components().count());
    for part in path.components() {
        match part {
            Component::ParentDir if depth == 0 => return true,
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            _ => {}
        }
    }
    false
}

/// Whether a path goes through a link that stands within the root and leads out of it.
///
/// What somebody names outside by its own path is theirs to name; where a link of the project
/// leads is up to whoever wrote the project.
fn is_led_out(root: &Path, path: &Path) -> bool {
    let mut at = std::env::current_dir().unwrap_or_default();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                at.pop();
            }
            Component::Normal(name) => {
                at.push(name);
                if !at.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink()) {
                    continue;
                }
                let stands_within = at.starts_with(root);
                match at.canonicalize() {
                    Ok(target) if stands_within && !target.starts_with(root) => return true,
                    Ok(target) => at = target,
                    // It leads nowhere, or to what has no path, such as a pipe.
                    Err(_) => return stands_within && at.exists(),
                }
            }
            other => at.push(other),
        }
    }
    false
}

/// Opens the files of customer tables.
#[derive(Clone)]
struct Opener {
    from: Arc<dyn Origin>,
    root: PathBuf,
    /// Where each source is.
    paths: HashMap<String, PathBuf>,
}

impl Tables for Opener {
    fn open(&self, beside: &str, file: &str) -> Result<(String, Vec<u8>), Unread> {
        let manifest = self.paths.get(beside).and_then(|path| path.parent()).unwrap_or(&self.root);
        // A manifest from outside the project keeps to its own folder.
        let root = if manifest.starts_with(&self.root) { &self.root } else { manifest };
        let found = within(&*self.from, root, manifest, file)?;
        let shown =
            found.strip_prefix(&self.root).map_or_else(|_| slashes(Path::new(file)), slashes);
        let bytes = self.from.read(&found).map_err(|(what, _)| {
            let message = match what {
                TroubleKind::TooLarge => format!("`{file}` has more than 256 MiB"),
                _ => format!("`{file}` cannot be read as a file"),
            };
            (what, message)
        })?;
        Ok((shown, bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leaves_by_its_words() {
        let root = Path::new("/p");
        assert!(escapes(root, root, Path::new("../x")));
        assert!(escapes(root, root, Path::new("a/../../x")));
        assert!(!escapes(root, Path::new("/p/a"), Path::new("../x")));
    }

    #[test]
    fn names_have_slashes_and_no_dots() {
        assert_eq!(slashes(Path::new("./estate/./users.yaml")), "estate/users.yaml");
        assert_eq!(clean_name("."), "");
    }
}

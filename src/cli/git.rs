//! What git knows, asked of the `git` that is there; every command asks it here and nowhere else.
//!
//! The executable rather than a library: whoever reviews has it (the tree came by it), it knows
//! every format of object store, ref and filter that there is, and it is kept safe by others; a
//! library of that reach would be a third of our dependencies. No shell is involved, arguments are
//! fixed words and hexadecimal names, what a person names goes through standard input, and nothing
//! that a repository configures runs: no hook, no monitor of files, no remote (a partial clone is not
//! completed behind anybody's back). The index and the work tree are never touched.
//!
//! Which repository is asked is not left to the files that are looked at. A commit can hold what git
//! takes for a repository (a bare one: `HEAD`, `objects`, `refs`) or name another one (a submodule),
//! and would then say itself what its base was. It cannot hold a `.git`, so that is what counts.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::cli::CommandError;
use crate::report::clean;

/// What of the environment is for git and comes from its user, not from whoever called us: a hook
/// of git, for one, hands on its own repository and index.
const KEPT: [&str; 3] = ["GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"];

/// Whatever a repository says, it does not run anything.
const SETTINGS: [&str; 4] = [
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.quotePath=false",
    // Since git 2.38; for those before, see `place`.
    "safe.bareRepository=explicit",
];

/// Nor does it lead anywhere. No protocol is allowed, whatever the repository says of each (a setting
/// for one protocol is stronger than one for all, this variable than any setting): so nothing that
/// could be run for a remote is, ssh and helpers for credentials among them, not even by a git that
/// would complete a partial clone because it does not know the second variable yet.
const VARIABLES: [(&str, &str); 4] = [
    ("GIT_ALLOW_PROTOCOL", ""),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("LC_ALL", "C"),
];

/// Longer names of commits are nobody's.
const REV_BYTES_MAX: usize = 1024;
/// A longer path is none.
const PATH_BYTES_MAX: u64 = 8 * 1024;

/// A repository, and where in it a folder is.
#[derive(Debug, Clone)]
pub(crate) struct Repository {
    folder: PathBuf,
    /// From the repository's top to the folder, with a `/` behind, or nothing.
    pub(crate) prefix: String,
    /// The same as somebody named it, links not followed, where that is known.
    named: Option<String>,
}

/// A commit, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) id: String,
}

fn git(folder: &Path) -> Command {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("GIT_") && !KEPT.contains(&&*text) {
            command.env_remove(&name);
        }
    }
    command.envs(VARIABLES);
    command.arg("-C").arg(folder);
    command.args(["--no-pager", "--no-replace-objects", "--no-optional-locks"]);
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    command.stdin(Stdio::null());
    command
}

fn no_git(source: io::Error) -> CommandError {
    CommandError::failed("running git, which commits are read with", source)
}

/// What git said when it failed, on a line.
fn said(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    clean::line(line.trim())
}

fn failed(doing: &str, output: &Output) -> CommandError {
    CommandError::failed(doing.to_owned(), io::Error::other(said(output)))
}

/// Why a folder lies in no repository that is asked.
#[derive(Debug)]
enum Outside {
    /// There is none.
    Nowhere(String),
    /// There is one, and it is not believed, or cannot be read.
    Refused(String),
}

impl Outside {
    fn why(self) -> String {
        match self {
            Self::Nowhere(why) | Self::Refused(why) => why,
        }
    }
}

/// Where the files stand that a folder belongs to: the top of the work tree, and the folder from there.
fn place(folder: &Path) -> Result<Result<(PathBuf, String), Outside>, CommandError> {
    let output = git(folder)
        .args(["rev-parse", "--absolute-git-dir", "--show-toplevel", "--show-prefix"])
        .output()
        .map_err(no_git)?;
    if !output.status.success() {
        let why = said(&output);
        let is_nowhere = why.starts_with("fatal: not a git repository (or any");
        return Ok(Err(if is_nowhere { Outside::Nowhere(why) } else { Outside::Refused(why) }));
    }
    let refused = |why: &str| Ok(Err(Outside::Refused(why.to_owned())));
    let Ok(text) = String::from_utf8(output.stdout) else {
        return refused("its path is not UTF-8");
    };
    let &[store, top, prefix] = text.lines().collect::<Vec<_>>().as_slice() else {
        return refused("its path is not one line");
    };
    let is_own = store_of(Path::new(top))
        .is_some_and(|own| Path::new(store).canonicalize().is_ok_and(|store| store == own));
    if !is_own {
        return refused(
            "what git takes for its repository is a folder among the files, which anybody can commit",
        );
    }
    Ok(Ok((PathBuf::from(top), prefix.to_owned())))
}

/// Where the `.git` at the top of a work tree says that its repository is. What a commit can bring has
/// none: git refuses that name. In a linked work tree, and in a submodule, it is a file with a path.
fn store_of(top: &Path) -> Option<PathBuf> {
    let entry = top.join(".git");
    if entry.is_dir() {
        return entry.canonicalize().ok();
    }
    let mut text = String::new();
    std::fs::File::open(entry).ok()?.take(PATH_BYTES_MAX).read_to_string(&mut text).ok()?;
    top.join(text.strip_prefix("gitdir: ")?.trim_end_matches(['\r', '\n'])).canonicalize().ok()
}

/// Refuses another repository for a folder of the one that we stand in: as a submodule, or behind a
/// link, a commit names it, and it would say what the base was.
fn must_be_ours(top: &Path, named: &Path) -> Result<(), CommandError> {
    let here = std::env::current_dir().ok().and_then(|here| here.canonicalize().ok());
    let Some(here) = here.filter(|here| !here.starts_with(top)) else { return Ok(()) };
    let Ok((ours, _)) = place(&here)? else { return Ok(()) };
    if !top.starts_with(&ours) && within(&ours, named).is_none() {
        return Ok(());
    }
    Err(CommandError::usage(format!(
        "{} is in another repository, {}, than the one that you stand in, {}\nif that is what you mean, go there first",
        named.display(),
        top.display(),
        ours.display()
    )))
}

/// The path of a folder from the top of its work tree, links below that not followed.
fn within(top: &Path, named: &Path) -> Option<String> {
    let mut outer: Vec<&Path> = named.ancestors().collect();
    outer.reverse();
    let outer = outer.into_iter().find(|one| one.canonicalize().is_ok_and(|one| one == top))?;
    let mut parts: Vec<&str> = Vec::new();
    for part in named.strip_prefix(outer).ok()?.components() {
        match part {
            Component::Normal(name) => parts.push(name.to_str()?),
            Component::ParentDir => drop(parts.pop()?),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    Some(parts.join("/"))
}

/// The commit that is checked out where a folder lies; else why that is not known, unless there is no
/// repository, no git or no commit.
pub(crate) fn checked_out(folder: &Path) -> Result<Option<Commit>, String> {
    match place(folder) {
        Err(_) | Ok(Err(Outside::Nowhere(_))) => Ok(None),
        Ok(Err(Outside::Refused(why))) => Err(why),
        Ok(Ok((_, prefix))) => {
            let repository = Repository { folder: folder.to_owned(), prefix, named: None };
            Ok(repository.look_up("HEAD^{commit}").ok().flatten().map(|(id, _)| Commit { id }))
        }
    }
}

impl Repository {
    /// The repository that a folder lies in, which was named by a path that may lead through links.
    pub(crate) fn of(folder: &Path, named: &Path) -> Result<Self, CommandError> {
        let (top, prefix) = place(folder)?.map_err(|outside| {
            CommandError::usage(format!(
                "{} is in no git repository that can be read\n{}",
                folder.display(),
                outside.why()
            ))
        })?;
        must_be_ours(&top, named)?;
        let named = within(&top, named);
        Ok(Self { folder: folder.to_owned(), prefix, named })
    }

    /// The commit that somebody names.
    pub(crate) fn commit(&self, rev: &str) -> Result<Commit, CommandError> {
        let is_a_name = !rev.trim().is_empty()
            && rev.len() <= REV_BYTES_MAX
            && !rev.chars().any(char::is_control);
        let found = if is_a_name && self.means_one_thing(rev)? {
            self.look_up(&format!("{rev}^{{commit}}"))?
        } else {
            None
        };
        match found {
            Some((id, kind)) if kind == "commit" => Ok(Commit { id }),
            _ => Err(CommandError::usage(format!(
                "there is no commit `{}` here\nfetch it first: a shallow clone holds the last commit alone",
                clean::line(&rev.chars().take(200).collect::<String>())
            ))),
        }
    }

    /// Whether what a revision begins with can be one thing alone, if anything.
    ///
    /// Git takes the first ref that a name could be: whoever may push a tag called `origin/main` would
    /// say what the base is. What is named in full is that ref, or nothing.
    fn means_one_thing(&self, rev: &str) -> Result<bool, CommandError> {
        let end = [rev.find(['^', '~', ':']), rev.find("@{")].into_iter().flatten().min();
        let name = end.and_then(|end| rev.get(..end)).unwrap_or(rev);
        if matches!(name, "" | "@" | "HEAD") || is_id(name) {
            return Ok(true);
        }
        let places = ["", "tags/", "heads/", "remotes/"].map(|place| format!("refs/{place}{name}"));
        let of_remote = format!("refs/remotes/{name}/HEAD");
        let all: Vec<&str> =
            places.iter().map(String::as_str).chain([name, of_remote.as_str()]).collect();
        let asked = all.iter().filter(|name| name.starts_with("refs/"));
        let listed = Self::lines(
            git(&self.folder).arg("for-each-ref").arg("--format=%(refname)").args(asked),
        )?;
        let mut found: Vec<String> =
            listed.into_iter().filter(|one| all.contains(&one.as_str())).collect();
        if name.starts_with("refs/") {
            return Ok(found.iter().any(|one| one == name));
        }
        let is_short = name.len() >= 4 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_short && !found.is_empty() {
            let begins = format!("--disambiguate={name}");
            found.extend(Self::lines(git(&self.folder).arg("rev-parse").arg(begins))?);
        }
        if found.len() <= 1 {
            return Ok(true);
        }
        Err(CommandError::usage(format!(
            "`{}` means several things here: {}\nname one of them in full",
            clean::line(name),
            clean::line(&found.join(", "))
        )))
    }

    /// What git answers, by lines.
    fn lines(command: &mut Command) -> Result<Vec<String>, CommandError> {
        let output = command.output().map_err(no_git)?;
        if !output.status.success() {
            return Err(failed("asking git for names", &output));
        }
        Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
    }

    /// The name and the type of an object. What it is called goes through standard input, where
    /// nothing is an option.
    fn look_up(&self, expression: &str) -> Result<Option<(String, String)>, CommandError> {
        let mut child = git(&self.folder)
            .args(["cat-file", "--follow-symlinks", "--batch-check=%(objectname) %(objecttype)"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(no_git)?;
        if let Some(mut stdin) = child.stdin.take() {
            writeln!(stdin, "{expression}")
                .map_err(|source| CommandError::failed("asking git", source))?;
        }
        let output = child.wait_with_output().map_err(no_git)?;
        if !output.status.success() {
            return Err(failed("asking git for a commit", &output));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let mut words = text.split_whitespace();
        let found = words.next().zip(words.next()).filter(|(id, _)| is_id(id));
        Ok(found.map(|(id, kind)| (id.to_owned(), kind.to_owned())))
    }

    /// The trees that the folder may have been at a commit: the one that stood where it was named, as
    /// links led then; and the one that stood where the folder is now.
    pub(crate) fn trees(&self, commit: &Commit) -> Result<Vec<String>, CommandError> {
        let mut trees = Vec::new();
        for folder in [self.named.as_ref(), Some(&self.prefix)].into_iter().flatten() {
            let found = self.look_up(&format!("{}:{}", commit.id, folder.trim_end_matches('/')))?;
            let tree = found.filter(|(_, kind)| kind == "tree").map(|(id, _)| id);
            trees.extend(tree.filter(|tree| !trees.contains(tree)));
        }
        Ok(trees)
    }

    /// All that is in a tree: mode, name of the object, size, and path, as git lists them.
    pub(crate) fn list(&self, tree: &str) -> Result<Vec<Listed>, CommandError> {
        let output = git(&self.folder)
            .args(["ls-tree", "-r", "-t", "-l", "-z", "--full-tree", tree])
            .output()
            .map_err(no_git)?;
        if !output.status.success() {
            return Err(failed("listing a commit's files", &output));
        }
        let entries = output.stdout.split(|byte| *byte == 0).filter(|entry| !entry.is_empty());
        entries
            .map(Listed::read)
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| CommandError::Internal("git lists files in an unknown way".to_owned()))
    }

    /// Whether everything of `base` is in `head`; nothing where the history is cut off.
    pub(crate) fn contains(
        &self,
        head: &Commit,
        base: &Commit,
    ) -> Result<Option<bool>, CommandError> {
        let shallow = git(&self.folder)
            .args(["rev-parse", "--is-shallow-repository"])
            .output()
            .map_err(no_git)?;
        if !shallow.stdout.starts_with(b"false") {
            return Ok(None);
        }
        let status = git(&self.folder)
            .args(["merge-base", "--is-ancestor", &base.id, &head.id])
            .output()
            .map_err(no_git)?
            .status;
        Ok(match status.code() {
            Some(0) => Some(true),
            Some(1) => Some(false),
            _ => None,
        })
    }

    /// A way to the bytes of objects.
    pub(crate) fn objects(&self) -> Result<Objects, CommandError> {
        let mut child = git(&self.folder)
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(no_git)?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(CommandError::Internal("git was started without its streams".to_owned()));
        };
        let pipe = Pipe { child, stdin: Some(stdin), stdout: BufReader::new(stdout) };
        Ok(Objects { pipe: Mutex::new(pipe) })
    }
}

/// The name of an object, SHA-1 or SHA-256.
fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// An entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) mode: u32,
    pub(crate) id: String,
    /// Of a blob.
    pub(crate) size: Option<u64>,
    pub(crate) path: Vec<u8>,
}

impl Listed {
    /// `100644 blob 0123... 42<TAB>estate/users.yaml`
    fn read(entry: &[u8]) -> Option<Self> {
        let tab = entry.iter().position(|byte| *byte == b'\t')?;
        let (head, path) = entry.split_at_checked(tab)?;
        let mut words = std::str::from_utf8(head).ok()?.split_whitespace();
        let mode = u32::from_str_radix(words.next()?, 8).ok()?;
        let _kind = words.next()?;
        let id = words.next().filter(|id| is_id(id))?.to_owned();
        let size = words.next()?.parse().ok();
        Some(Self { mode, id, size, path: path.get(1..)?.to_owned() })
    }
}

/// The bytes of objects, by a git that waits for questions.
#[derive(Debug)]
pub(crate) struct Objects {
    pipe: Mutex<Pipe>,
}

#[derive(Debug)]
struct Pipe {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // Without more to come git ends by itself.
        drop(self.stdin.take());
        drop(self.child.wait());
    }
}

impl Objects {
    /// The bytes of these objects, in their order, all of which exist; none may be larger.
    pub(crate) fn read(&self, ids: &[&str], bytes_max: u64) -> io::Result<Vec<Vec<u8>>> {
        let mut pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        let Pipe { child, stdin, stdout } = &mut *pipe;
        let stdin = stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        std::thread::scope(|scope| {
            // Asked for all at once: git must not wait for us, nor we for git.
            let asking = scope.spawn(move || {
                let mut text = String::with_capacity(ids.len() * 41);
                for id in ids {
                    text.push_str(id);
                    text.push('\n');
                }
                stdin.write_all(text.as_bytes()).and_then(|()| stdin.flush())
            });
            let read: io::Result<Vec<_>> =
                ids.iter().map(|id| answer(stdout, id, bytes_max)).collect();
            if read.is_err() {
                // What it says from here on belongs to no question, and who asks must not wait.
                drop(child.kill());
            }
            let asked = asking.join().map_err(|_| io::Error::other("asking git failed"))?;
            read.and_then(|read| asked.map(|()| read))
        })
    }
}

/// `<id> blob <size>`, the bytes, a line break.
fn answer(from: &mut impl BufRead, id: &str, bytes_max: u64) -> io::Result<Vec<u8>> {
    let unexpected = || io::Error::new(io::ErrorKind::InvalidData, "git answered something else");
    let mut head = String::new();
    from.take(256).read_line(&mut head)?;
    let mut words = head.split_whitespace();
    if words.next() != Some(id) || words.next() != Some("blob") {
        return Err(unexpected());
    }
    let size: u64 = words.next().and_then(|word| word.parse().ok()).ok_or_else(unexpected)?;
    if size > bytes_max {
        return Err(unexpected());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    from.take(size).read_to_end(&mut bytes)?;
    let mut end = [0];
    from.read_exact(&mut end)?;
    if bytes.len() as u64 == size && end == *b"\n" { Ok(bytes) } else { Err(unexpected()) }
}

#[cfg(test)]
mod tests;

//! Where secrets are kept: environment variables and files.
//!
//! A secret is read when it is needed and is nobody's default. A file is replaced in one step and is
//! readable by its owner alone from its first byte: whoever is killed in between leaves either the
//! old secret or the new one.

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::Error;
use crate::model::secret::SecretReference;

/// A file that holds more is not a secret but a mistake.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// Reads secrets, and keeps those that change.
#[derive(Clone)]
pub struct Vault {
    /// What relative paths are relative to: the project's folder.
    folder: PathBuf,
    environment: Environment,
}

/// Looks up a variable.
pub type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

impl Vault {
    /// With the variables of this process.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self::with_environment(folder, Arc::new(|name| std::env::var(name).ok()))
    }

    pub fn with_environment(folder: impl Into<PathBuf>, environment: Environment) -> Self {
        Self { folder: folder.into(), environment }
    }

    /// A variable that is set to something.
    pub fn variable(&self, name: &str) -> Option<String> {
        (self.environment)(name).filter(|value| !value.trim().is_empty())
    }

    /// Reads a secret; white space around it is not part of it.
    pub fn read(&self, what: &'static str, at: &SecretReference) -> Result<SecretString, Error> {
        let text = match at {
            SecretReference::Env(name) => {
                self.variable(name).ok_or_else(|| "the variable is not set".to_owned())
            }
            SecretReference::File(name) => {
                read_file(&self.folder.join(name.as_str())).map_err(|error| error.to_string())
            }
            SecretReference::Keyring(_) => Err(NO_KEYRING.to_owned()),
        };
        text.map(|text| SecretString::from(text.trim().to_owned())).map_err(|cause| Error::Secret {
            what,
            place: place(at),
            cause,
        })
    }

    /// Keeps a secret where it is read from. Says whether it could: an environment cannot be written.
    pub fn keep(&self, at: &SecretReference, secret: &SecretString) -> Result<Kept, Error> {
        let failed = |cause: String| Error::NotKept { place: place(at), cause };
        match at {
            SecretReference::Env(_) => Ok(Kept::InMemory),
            SecretReference::File(name) => replace(&self.folder.join(name.as_str()), secret)
                .map(|()| Kept::Safely)
                .map_err(|error| failed(error.to_string())),
            SecretReference::Keyring(_) => Err(failed(NO_KEYRING.to_owned())),
        }
    }

    /// Removes a kept secret; one that is not there is removed already.
    pub fn forget(&self, at: &SecretReference) -> Result<(), Error> {
        let failed = |cause: String| Error::NotKept { place: place(at), cause };
        match at {
            SecretReference::Env(_) => {
                Err(failed("an environment variable is not ours to unset".into()))
            }
            SecretReference::File(name) => {
                match std::fs::remove_file(self.folder.join(name.as_str())) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        Err(failed(error.to_string()))
                    }
                    _ => Ok(()),
                }
            }
            SecretReference::Keyring(_) => Err(failed(NO_KEYRING.to_owned())),
        }
    }
}

const NO_KEYRING: &str = "this build has no keyring: use a file";

/// What became of a secret that was to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    Safely,
    /// For this run alone.
    InMemory,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// Where a secret is, as a person would say it.
pub fn place(at: &SecretReference) -> String {
    match at {
        SecretReference::Env(name) => format!("the environment variable {name}"),
        SecretReference::File(name) => format!("the file {name}"),
        SecretReference::Keyring(name) => format!("the keyring entry {name}"),
    }
}

fn read_file(path: &Path) -> io::Result<String> {
    use std::io::Read;
    let mut text = String::new();
    std::fs::File::open(path)?.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > SECRET_BYTES_MAX {
        return Err(io::Error::other("the file is too long for a secret"));
    }
    if text.trim().is_empty() {
        return Err(io::Error::other("the file is empty"));
    }
    Ok(text)
}

/// Writes beside the file, makes it last, and puts it in the file's place.
fn replace(path: &Path, secret: &SecretString) -> io::Result<()> {
    // A link stays one: what it leads to is replaced.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().ok_or_else(|| io::Error::other("the path names no file"))?;
    let beside = folder.join(format!(".{}.{:016x}", name.to_string_lossy(), rand::random::<u64>()));
    let written = write_new(&beside, secret).and_then(|()| std::fs::rename(&beside, &path));
    if written.is_err() {
        drop(std::fs::remove_file(&beside));
    }
    written?;
    // The name lasts only when its folder does.
    std::fs::File::open(folder)?.sync_all()
}

fn write_new(path: &Path, secret: &SecretString) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(secret.expose_secret().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(folder: &Path) -> Vault {
        Vault::with_environment(
            folder,
            Arc::new(|name| (name == "SECRET").then(|| " canary \n".to_owned())),
        )
    }

    #[test]
    fn secrets_come_from_where_the_project_says_and_show_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(folder.path());
        let secret = vault.read("client secret", &SecretReference::Env("SECRET".into())).unwrap();
        assert_eq!(secret.expose_secret(), "canary");
        assert!(!format!("{vault:?} {secret:?}").contains("canary"));
        let missing =
            vault.read("client secret", &SecretReference::Env("OTHER".into())).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "no client secret in the environment variable OTHER: the variable is not set"
        );
        assert!(vault.read("x", &SecretReference::File("none".into())).is_err());
        assert!(vault.read("x", &SecretReference::Keyring("none".into())).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_replaced_whole_and_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "old").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let vault = vault(folder.path());
        let at = SecretReference::File("token".into());
        assert_eq!(vault.keep(&at, &SecretString::from("new")).unwrap(), Kept::Safely);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(vault.read("x", &at).unwrap().expose_secret(), "new");
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing is left beside it"
        );
        vault.forget(&at).unwrap();
        vault.forget(&at).unwrap();
        assert!(!path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("real"), "old").unwrap();
        std::os::unix::fs::symlink("real", folder.path().join("link")).unwrap();
        let vault = vault(folder.path());
        vault.keep(&SecretReference::File("link".into()), &SecretString::from("new")).unwrap();
        assert!(folder.path().join("link").is_symlink());
        assert_eq!(std::fs::read_to_string(folder.path().join("real")).unwrap(), "new\n");
    }
}

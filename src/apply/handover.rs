//! Where one-time passwords go: sealed to people's keys in a file, or shown once on a terminal.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use age::x25519::Recipient;
use rand::seq::{IndexedRandom, SliceRandom};
use secrecy::{ExposeSecret, SecretString};

/// Shows somebody's password, once.
pub type Show = Box<dyn Fn(&str, &SecretString) + Send + Sync>;

/// The one place that one-time passwords go to.
pub enum Handover {
    /// Encrypted, a file for each.
    Sealed { recipients: Vec<Recipient>, folder: PathBuf },
    /// Shown once, to whoever watches.
    Shown(Show),
    /// There is none: nothing is made that needs a password.
    Nowhere,
}

impl std::fmt::Debug for Handover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sealed { .. } => "Sealed",
            Self::Shown(_) => "Shown",
            Self::Nowhere => "Nowhere",
        })
    }
}

/// What a password is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purpose {
    /// `user/ben`: also what the file is called.
    pub object: String,
    pub sign_in_name: String,
    pub run: String,
}

impl Handover {
    pub fn is_possible(&self) -> bool {
        !matches!(self, Self::Nowhere)
    }

    pub fn seals(&self) -> bool {
        matches!(self, Self::Sealed { .. })
    }

    /// Puts a password where it can be found, before anything is sent. What is sealed survives the
    /// end of this process, and that of the machine from [`Self::settle`] on; if it is lost until
    /// then, the run is not over either, and the next one misses it.
    pub fn before(&self, purpose: &Purpose, password: &SecretString) -> std::io::Result<Kept> {
        match self {
            Self::Sealed { recipients, folder } => {
                let (_, path) = seal(recipients, folder, purpose, password)?;
                Ok(Kept::File(path))
            }
            Self::Shown(_) => Ok(Kept::Nowhere),
            Self::Nowhere => Err(std::io::Error::other("there is nowhere to hand it over")),
        }
    }

    /// The same for a password that cannot be had again: it is durable when this returns.
    pub fn keep(&self, purpose: &Purpose, password: &SecretString) -> std::io::Result<Kept> {
        match self {
            Self::Sealed { recipients, folder } => {
                let (file, path) = seal(recipients, folder, purpose, password)?;
                file.sync_all()?;
                Ok(Kept::File(path))
            }
            Self::Shown(_) | Self::Nowhere => self.before(purpose, password),
        }
    }

    /// Makes durable whatever was sealed: many small files at once.
    pub fn settle(&self) {
        let Self::Sealed { folder, .. } = self else { return };
        if let Ok(folder) = std::fs::File::open(folder) {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            let _ = rustix::fs::syncfs(&folder);
            #[cfg(not(any(target_os = "linux", target_os = "android")))]
            drop(folder.sync_all());
        }
    }

    /// Where a password that a run was to hand over was kept, if it was, here.
    pub fn kept(&self, object: &str, run: &str) -> Option<PathBuf> {
        match self {
            Self::Sealed { folder, .. } => {
                let path = folder.join(file_name(object, run));
                let is_there = std::fs::metadata(&path).is_ok_and(|file| file.len() > 0);
                is_there.then_some(path)
            }
            Self::Shown(_) | Self::Nowhere => None,
        }
    }

    /// Whether one could be kept now: asked where the password comes with an answer that is given once.
    pub fn try_out(&self, purpose: &Purpose) -> std::io::Result<()> {
        match self {
            Self::Sealed { folder, .. } => {
                std::fs::create_dir_all(folder)?;
                let name = file_name(&purpose.object, &purpose.run);
                let path = folder.join(format!(".{name}.part"));
                new_file(&path)?.sync_all()?;
                std::fs::remove_file(path)
            }
            Self::Shown(_) => Ok(()),
            Self::Nowhere => Err(std::io::Error::other("there is nowhere to hand it over")),
        }
    }

    /// A password that was kept for what was never made.
    pub fn discard(&self, object: &str, run: &str) {
        if let Some(path) = self.kept(object, run) {
            drop(std::fs::remove_file(path));
        }
    }

    /// Once it holds.
    pub fn after(&self, purpose: &Purpose, password: &SecretString) {
        if let Self::Shown(show) = self {
            show(&purpose.sign_in_name, password);
        }
    }
}

/// Where a password was put before it held.
#[derive(Debug)]
pub enum Kept {
    File(PathBuf),
    Nowhere,
}

impl Kept {
    /// It never held.
    pub fn discard(&self) {
        if let Self::File(path) = self {
            drop(std::fs::remove_file(path));
        }
    }
}

/// For its owner alone from the first byte, and never over another.
fn new_file(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// What the file of a password is called.
fn file_name(object: &str, run: &str) -> String {
    format!("{object}-{run}.age")
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' })
        .collect()
}

fn seal(
    recipients: &[Recipient],
    folder: &Path,
    purpose: &Purpose,
    password: &SecretString,
) -> std::io::Result<(std::fs::File, PathBuf)> {
    let path = folder.join(file_name(&purpose.object, &purpose.run));
    let encryptor = age::Encryptor::with_recipients(
        recipients.iter().map(|recipient| recipient as &dyn age::Recipient),
    )
    .map_err(std::io::Error::other)?;
    let file = new_file(&path).or_else(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            std::fs::create_dir_all(folder)?;
            new_file(&path)
        }
        _ => Err(error),
    })?;
    // Written at once: it is a few hundred bytes.
    let mut writer = encryptor.wrap_output(Vec::with_capacity(1024))?;
    writeln!(writer, "sign-in name: {}", purpose.sign_in_name)?;
    writeln!(writer, "one-time password: {}", password.expose_secret())?;
    writeln!(writer, "It must be changed at the first sign-in.")?;
    let bytes = writer.finish()?;
    (&file).write_all(&bytes)?;
    Ok((file, path))
}

/// Letters and digits that nobody takes for another, and marks that keyboards have everywhere.
const SETS: [&[u8]; 4] =
    [b"abcdefghijkmnopqrstuvwxyz", b"ABCDEFGHJKLMNPQRSTUVWXYZ", b"23456789", b"-+=%#"];
const LENGTH: usize = 24;

/// A password of all four sorts of characters, as directories ask for.
pub fn password() -> SecretString {
    let mut rng = rand::rng();
    let mut characters: Vec<u8> =
        SETS.iter().filter_map(|set| set.choose(&mut rng).copied()).collect();
    let all: Vec<u8> = SETS.concat();
    while characters.len() < LENGTH {
        characters.extend(all.choose(&mut rng));
    }
    characters.shuffle(&mut rng);
    characters.into_iter().map(char::from).collect::<String>().into()
}

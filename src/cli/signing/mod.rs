//! Plans signed with the keys that people have: OpenSSH's.
//!
//! A private key is read from its file, and its passphrase asked for at a terminal; named by its public
//! half, it stays where it is and the ssh-agent signs. Nothing of a private key is kept or shown.

#[cfg(unix)]
mod agent;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use ssh_key::{Algorithm, HashAlg, PrivateKey, PublicKey, SshSig};

use super::{CommandError, clock};
use crate::plan::Plan;
use crate::plan::approval::{BYTES_MAX, NAMESPACE, Role, Unsigned, file_name};
use crate::report::clean;

/// Whoever signs.
pub(crate) struct Signer {
    public: PublicKey,
    /// Where it is not here, the agent has it.
    private: Option<PrivateKey>,
}

/// How often a passphrase may be mistyped.
const TRIES: usize = 3;

impl Signer {
    /// The key in a file, as `ssh-keygen -t ed25519` makes it.
    pub(crate) fn read(path: &Path) -> Result<Self, CommandError> {
        let text = SecretString::from(read_short(path)?);
        let text = text.expose_secret();
        let wrong = |why: &str| CommandError::usage(format!("{}: {why}", path.display()));
        let (public, private) = if let Ok(key) = PrivateKey::from_openssh(text.as_bytes()) {
            (key.public_key().clone(), Some(key))
        } else if let Ok(key) = PublicKey::from_openssh(text.trim()) {
            (key, None)
        } else {
            return Err(wrong("it is no OpenSSH key\n`ssh-keygen -t ed25519` makes one"));
        };
        if public.algorithm() != Algorithm::Ed25519 {
            return Err(wrong(
                "plans are signed with Ed25519 keys\n`ssh-keygen -t ed25519` makes one",
            ));
        }
        let private = match private {
            Some(key) if key.is_encrypted() => Some(opened(&key, path)?),
            other => other,
        };
        Ok(Self { public, private })
    }

    /// Whose it says that it is.
    pub(crate) fn comment(&self) -> &str {
        self.public.comment()
    }

    fn sign(&self, said: &[u8]) -> Result<SshSig, CommandError> {
        match &self.private {
            Some(key) => key
                .sign(NAMESPACE, HashAlg::Sha512, said)
                .map_err(|error| CommandError::Internal(format!("signing: {error}"))),
            #[cfg(unix)]
            None => agent::sign(&self.public, said),
            #[cfg(not(unix))]
            None => Err(CommandError::usage("name the private key: there is no agent here")),
        }
    }
}

/// Asks for the passphrase of a key.
fn opened(key: &PrivateKey, path: &Path) -> Result<PrivateKey, CommandError> {
    for _ in 0..TRIES {
        let asked = rpassword::prompt_password(format!("passphrase of {}: ", path.display()));
        let passphrase = SecretString::from(asked.map_err(|_| {
            CommandError::usage(format!(
                "{} has a passphrase, and nobody is there to be asked\nadd it to the ssh-agent and name its public half, {0}.pub",
                path.display()
            ))
        })?);
        if let Ok(key) = key.decrypt(passphrase.expose_secret()) {
            return Ok(key);
        }
    }
    Err(CommandError::usage(format!("that is not the passphrase of {}", path.display())))
}

/// The folder that a plan's approvals stand in: beside it, and named after it.
pub(crate) fn folder_of(plan: &Path) -> PathBuf {
    let mut name = plan.as_os_str().to_owned();
    name.push(".approvals");
    PathBuf::from(name)
}

/// Signs a plan, and writes the signature beside it unless `to` says otherwise; where it is.
pub(crate) fn sign(
    plan: &Plan,
    at: &Path,
    role: Role,
    key: &Path,
    name: Option<&str>,
    to: Option<&Path>,
) -> Result<PathBuf, CommandError> {
    let signer = Signer::read(key)?;
    let internal = |error: &dyn std::fmt::Display| {
        CommandError::Internal(format!("the signature of the plan: {error}"))
    };
    let name = clean::line(name.unwrap_or_else(|| signer.comment()));
    let unsigned = Unsigned::new(plan, role, &name, clock::now());
    let signature = signer.sign(&unsigned.to_bytes().map_err(|error| internal(&error))?)?;
    let approval = unsigned.signed(&signature).map_err(|error| internal(&error))?;
    approval.signer().map_err(|error| internal(&error))?;
    let bytes = approval.to_bytes().map_err(|error| internal(&error))?;
    let path = if let Some(to) = to {
        to.to_owned()
    } else {
        let folder = folder_of(at);
        fs::create_dir_all(&folder).map_err(|source| {
            CommandError::failed(format!("making {}", folder.display()), source)
        })?;
        folder.join(file_name(role, signer.public.key_data()))
    };
    super::plan::write(&path, &bytes)?;
    Ok(path)
}

/// A small file as text: what is longer is something else.
pub(crate) fn read_short(path: &Path) -> Result<String, CommandError> {
    let failed = |source| CommandError::failed(format!("reading {}", path.display()), source);
    let mut text = String::new();
    let file = fs::File::open(path).map_err(failed)?;
    file.take(BYTES_MAX + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > BYTES_MAX {
        return Err(failed(std::io::Error::other("it is too long for what it should be")));
    }
    Ok(text)
}

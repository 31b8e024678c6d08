//! Whose a key is: OpenSSH's `allowed_signers`, as git and `ssh-keygen -Y verify` read it.
//!
//! A line that this program could misunderstand does not count, and says why; so a file that is shared
//! with git may hold keys that are of no use here.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use ssh_key::authorized_keys::ConfigOpts;
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, PublicKey};

use super::NAMESPACE;

/// Who may sign, in the order of the file.
#[derive(Debug, Clone, Default)]
pub struct Signers {
    pub(super) entries: Vec<Entry>,
}

/// A line: these names have this key.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) principals: Vec<String>,
    pub(super) key: KeyData,
    after: Option<Timestamp>,
    before: Option<Timestamp>,
    /// Why it can never count.
    unfit: Option<&'static str>,
}

impl Entry {
    /// Why a signature with this key does not count now, if it does not.
    pub(super) fn unfit_at(&self, now: Timestamp) -> Option<&'static str> {
        if self.unfit.is_some() {
            return self.unfit;
        }
        if self.after.is_some_and(|after| now < after) {
            return Some("the approvers' file says `valid-after`, and that is later");
        }
        if self.before.is_some_and(|before| now >= before) {
            return Some("the key has expired: the approvers' file says `valid-before`");
        }
        None
    }

    /// The name to tell people.
    pub(super) fn name(&self) -> &str {
        self.principals.first().map_or("", String::as_str)
    }
}

/// A line that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    pub line: usize,
    pub why: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for Malformed {}

impl Signers {
    /// Reads the file. A line of a key that is not Ed25519 is passed over: it is for others.
    pub fn read(text: &str) -> Result<Self, Malformed> {
        let mut entries = Vec::new();
        for (at, line) in lines(text) {
            entries.extend(entry(line).map_err(|why| Malformed { line: at, why })?);
        }
        Ok(Self { entries })
    }
}

/// Lines that say something, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

const SHAPE: &str =
    "a line is names, options if any, and a key: `aiko@fabrikam.example ssh-ed25519 AAAA...`";

fn entry(line: &str) -> Result<Option<Entry>, &'static str> {
    let (names, rest) = line.split_once([' ', '\t']).ok_or(SHAPE)?;
    if names.contains('"') {
        return Err("names in quotes are not understood: write them without");
    }
    let (options, key) = options(rest.trim_start())?;
    let key = match PublicKey::from_openssh(key) {
        Ok(key) if key.algorithm() == Algorithm::Ed25519 => key.key_data().clone(),
        Ok(_) => return Ok(None),
        Err(_) if key.starts_with("ssh-ed25519 ") => return Err("the key cannot be read"),
        Err(_) if is_key_type(key.split(' ').next().unwrap_or_default()) => return Ok(None),
        Err(_) => return Err(SHAPE),
    };
    let principals: Vec<String> = names.split(',').map(str::to_owned).collect();
    let is_pattern = |name: &String| name.is_empty() || name.contains(['*', '?', '!']);
    let mut entry = Entry { unfit: None, after: None, before: None, key, principals };
    if entry.principals.iter().any(is_pattern) {
        entry.unfit =
            Some("the approvers' file has a pattern for the key, and not a person's name");
    }
    for option in options.iter() {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let value = value.trim_matches('"');
        match name.to_ascii_lowercase().as_str() {
            "cert-authority" => {
                entry.unfit = Some("the approvers' file has the key for certificates alone");
            }
            "namespaces" if !value.split(',').any(|one| matches!(one, NAMESPACE | "*")) => {
                entry.unfit = Some(
                    "the approvers' file has the key for other `namespaces` than partnerctl-plan",
                );
            }
            "namespaces" => {}
            "valid-after" => entry.after = Some(time(value)?),
            "valid-before" => entry.before = Some(time(value)?),
            _ => return Err("an option is not known: namespaces, valid-after, valid-before are"),
        }
    }
    Ok(Some(entry))
}

/// The options of a line, which end at the first white space outside quotes, and the key behind them.
fn options(rest: &str) -> Result<(ConfigOpts, &str), &'static str> {
    if is_key_type(rest.split([' ', '\t']).next().unwrap_or_default()) {
        return Ok((ConfigOpts::default(), rest));
    }
    let mut is_quoted = false;
    let end = rest.find(|c: char| {
        is_quoted ^= c == '"';
        !is_quoted && (c == ' ' || c == '\t')
    });
    let (options, key) = end.and_then(|at| rest.split_at_checked(at)).ok_or(SHAPE)?;
    let options = ConfigOpts::new(options).map_err(|_| "the options cannot be read")?;
    Ok((options, key.trim_start()))
}

fn is_key_type(word: &str) -> bool {
    word.starts_with("ssh-") || word.starts_with("ecdsa-") || word.starts_with("sk-")
}

/// `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`, with or without a `Z`: in UTC, because what is valid
/// should not depend on the machine.
fn time(text: &str) -> Result<Timestamp, &'static str> {
    let wrong = "a time is YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, in UTC";
    let digits = text.strip_suffix('Z').unwrap_or(text);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong);
    }
    let whole = match digits.len() {
        8 => format!("{digits}000000"),
        12 => format!("{digits}00"),
        14 => digits.to_owned(),
        _ => return Err(wrong),
    };
    DateTime::strptime("%Y%m%d%H%M%S", whole)
        .and_then(|time| time.to_zoned(TimeZone::UTC))
        .map(|time| time.timestamp())
        .map_err(|_| wrong)
}

/// Keys that were lost or stolen: a public key to a line, as `ssh-keygen -Y verify -r` takes them.
#[derive(Debug, Clone, Default)]
pub struct Revoked {
    keys: Vec<KeyData>,
}

impl Revoked {
    pub fn read(text: &str) -> Result<Self, Malformed> {
        let mut keys = Vec::new();
        for (at, line) in lines(text) {
            match PublicKey::from_openssh(line) {
                Ok(key) => keys.push(key.key_data().clone()),
                // Of no use here, and so no danger.
                Err(_) if is_key_type(line) && !line.starts_with("ssh-ed25519 ") => {}
                Err(_) => {
                    let why = "a revoked key is written as in its .pub file; lists that `ssh-keygen -k` makes are not understood";
                    return Err(Malformed { line: at, why });
                }
            }
        }
        Ok(Self { keys })
    }

    pub(super) fn has(&self, key: &KeyData) -> bool {
        self.keys.contains(key)
    }
}

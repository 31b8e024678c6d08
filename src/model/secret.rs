//! What a secret looks like, and how manifests refer to one without holding it.

use super::Str;
use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

/// Where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretReference {
    /// An environment variable.
    Env(Str),
    /// A file outside the manifests.
    File(Str),
    /// An entry of the operating system's key store.
    Keyring(Str),
}

// Built once: there are many small texts to look at.
static KEY: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"PRIVATE KEY-----"));
static IDENTITY: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"AGE-SECRET-KEY-1"));
static TOKEN: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"eyJ"));
/// What the first two have in common.
static EITHER: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"KEY-"));

/// Whether a text may hold something that looks like a secret: one look, for whoever has many parts
/// of a text to look at.
pub fn may_hold(text: &[u8]) -> bool {
    [&EITHER, &TOKEN].iter().any(|word| word.find(text).is_some())
}

/// Where a text holds something that looks like a secret: private keys, tokens, age identities.
///
/// Looks at raw text, comments included: what is committed is leaked, wherever it stands. Every
/// byte is looked at a few times at most, however often a text begins to look like a secret.
pub fn look_for(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    private_keys(text, &mut found);
    identities(text, &mut found);
    tokens(text, &mut found);
    found.sort_by_key(|range| range.start);
    found
}

/// Whether a key says that what it holds is a secret.
pub fn is_named(key: &str) -> bool {
    const NAMES: [&str; 6] = ["secret", "password", "passwd", "token", "privatekey", "apikey"];
    let plain: String =
        key.chars().filter(|c| !matches!(c, '-' | '_')).map(|c| c.to_ascii_lowercase()).collect();
    NAMES.iter().any(|name| {
        plain.contains(name) || strsim::osa_distance(&plain, &format!("client{name}")) < 2
    })
}

/// From `-----BEGIN` to the end of the line of the next `-----END`, or of the text.
fn private_keys(text: &str, found: &mut Vec<Range<usize>>) {
    /// The longest words between are `ENCRYPTED` and `OPENSSH`.
    const HEADER_MAX: usize = 64;
    let bytes = text.as_bytes();
    if KEY.find(bytes).is_none() {
        return;
    }
    let mut ends = memchr::memmem::find_iter(bytes, b"-----END ").peekable();
    let mut covered = 0;
    for at in KEY.find_iter(bytes) {
        let from = at.saturating_sub(HEADER_MAX).max(covered);
        let header = bytes.get(from..at).unwrap_or_default();
        let Some(begin) = memchr::memmem::rfind(header, b"-----BEGIN ") else { continue };
        if header.get(begin..).is_some_and(|header| header.contains(&b'\n')) {
            continue;
        }
        while ends.next_if(|end| *end < at).is_some() {}
        let end = ends.peek().map_or(bytes.len(), |end| {
            let rest = bytes.get(*end..).unwrap_or_default();
            memchr::memchr(b'\n', rest).map_or(bytes.len(), |line| end + line)
        });
        found.push(from + begin..end);
        covered = end;
    }
}

fn identities(text: &str, found: &mut Vec<Range<usize>>) {
    let mut covered = 0;
    for at in IDENTITY.find_iter(text.as_bytes()) {
        if at >= covered {
            covered = word_end(text, at, |b| b.is_ascii_alphanumeric() || b == b'-');
            found.push(at..covered);
        }
    }
}

/// Three base64url parts, the first two JSON objects: a JWT.
fn tokens(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let (mut covered, mut end) = (0, 0);
    // The dots of the word at hand, and its end behind the last of them.
    let mut stops: Vec<usize> = Vec::new();
    for at in TOKEN.find_iter(bytes) {
        if at < covered || (at > 0 && bytes.get(at - 1).is_some_and(u8::is_ascii_alphanumeric)) {
            continue;
        }
        if at >= end {
            end = word_end(text, at, |b| b.is_ascii_alphanumeric() || b"-_.=".contains(&b));
            let word = bytes.get(at..end).unwrap_or_default();
            stops.clear();
            stops.extend(memchr::memchr_iter(b'.', word).map(|dot| at + dot));
            stops.push(end);
        }
        let next = stops.partition_point(|stop| *stop < at);
        let Some(&[header, payload, signature]) = stops.get(next..next + 3) else { continue };
        if header - at > 8
            && payload - header > 9
            && signature - payload > 9
            && bytes.get(header + 1..).is_some_and(|payload| payload.starts_with(b"eyJ"))
        {
            found.push(at..end);
            covered = end;
        }
    }
}

fn word_end(text: &str, from: usize, belongs: impl Fn(u8) -> bool) -> usize {
    text.as_bytes()
        .iter()
        .skip(from)
        .position(|b| !belongs(*b))
        .map_or(text.len(), |length| from + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_seen_wherever_they_stand() {
        let key = "# x\nkey: |\n  -----BEGIN RSA PRIVATE KEY-----\n  MIIE\n  -----END RSA PRIVATE KEY-----\nnext: 1\n";
        let found = look_for(key);
        assert_eq!(found.len(), 1);
        assert!(
            key[found[0].clone()].starts_with("-----BEGIN")
                && key[found[0].clone()].ends_with("KEY-----")
        );
        assert_eq!(look_for("a: AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L # x").len(), 1);
        let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJub2JvZHkifQ.c2lnbmF0dXJlMTIz";
        assert_eq!(look_for(&format!("token: \"{token}\"")).first(), Some(&(8..8 + token.len())));
    }

    #[test]
    fn secrets_within_secrets_are_found_once() {
        let begin = "-----BEGIN PRIVATE KEY-----";
        let first = |text: &str| look_for(text).first().cloned();
        assert_eq!(first(&begin.repeat(3)), Some(0..81));
        let key = format!("{begin}x-----END PRIVATE KEY-----\n");
        let length = key.len();
        assert_eq!(look_for(&key.repeat(2)), [0..length - 1, length..2 * length - 1]);
        let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJub2JvZHkifQ.c2lnbmF0dXJlMTIz";
        let length = token.len() + 22;
        assert_eq!(first(&format!("x-{token}.eyJhbGciOiJub25lIn0")), Some(2..length));
        assert_eq!(first("AGE-SECRET-KEY-1AGE-SECRET-KEY-1X"), Some(0..33));
    }

    #[test]
    fn ordinary_words_are_no_secrets() {
        assert!(
            look_for("name: heyJude\nage: age1qqpzry9\nfile: key.pem\nx: eyJust.eyJ.x").is_empty()
        );
    }
}

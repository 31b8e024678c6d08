//! What a secret looks like, and how manifests refer to one without holding it.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

/// Where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretReference {
    /// An environment variable.
    Env(Box<str>),
    /// A file outside the manifests.
    File(Box<str>),
    /// An entry of the operating system's key store.
    Keyring(Box<str>),
}

/// Where a text holds something that looks like a secret: private keys, tokens, age identities.
///
/// Looks at raw text, comments included: what is committed is leaked, wherever it stands.
pub fn look_for(text: &str) -> Vec<Range<usize>> {
    // Built once: there are many small texts to look at.
    static KEY: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"PRIVATE KEY-----"));
    static IDENTITY: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"AGE-SECRET-KEY-1"));
    static TOKEN: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"eyJ"));
    let mut found = Vec::new();
    for at in KEY.find_iter(text.as_bytes()) {
        let Some(begin) = text.get(..at).and_then(|before| before.rfind("-----BEGIN ")) else {
            continue;
        };
        if text.get(begin..at).is_some_and(|header| header.contains('\n')) {
            continue;
        }
        let end =
            text.get(at..).and_then(|rest| rest.find("-----END ")).map_or(text.len(), |end| {
                let end = at + end;
                text.get(end..)
                    .and_then(|rest| rest.find('\n'))
                    .map_or(text.len(), |line| end + line)
            });
        found.push(begin..end);
    }
    for at in IDENTITY.find_iter(text.as_bytes()) {
        found.push(at..word_end(text, at, |b| b.is_ascii_alphanumeric() || b == b'-'));
    }
    for at in TOKEN.find_iter(text.as_bytes()) {
        let end = word_end(text, at, |b| b.is_ascii_alphanumeric() || b"-_.=".contains(&b));
        let starts_a_word =
            at == 0 || text.as_bytes().get(at - 1).is_none_or(|b| !b.is_ascii_alphanumeric());
        if starts_a_word && text.get(at..end).is_some_and(is_token) {
            found.push(at..end);
        }
    }
    found.sort_by_key(|range| range.start);
    found
}

/// Three base64url parts, the first two JSON objects: a JWT.
fn is_token(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    matches!(parts.as_slice(), [header, payload, signature, ..]
        if header.len() > 8 && payload.starts_with("eyJ") && payload.len() > 8 && signature.len() > 8)
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
        let found = look_for(&format!("token: \"{token}\""));
        assert_eq!(found.first().map(|range| (range.start, range.len())), Some((8, token.len())));
    }

    #[test]
    fn ordinary_words_are_no_secrets() {
        assert!(
            look_for("name: heyJude\nage: age1qqpzry9\nfile: key.pem\nx: eyJust.eyJ.x").is_empty()
        );
    }
}

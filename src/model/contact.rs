//! How people and companies are reached: addresses of every sort.

use super::Str;
use std::fmt;

use super::country::CountryCode;
use super::scalar::{Fault, Grammar, Malformed, Scalar, within};
use super::text::Title;

/// A domain name in ASCII form. Two are equal without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(Str);

impl Domain {
    /// In lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A domain that the platform gave out and nobody had to verify.
    pub fn is_initial(&self) -> bool {
        // China's platform has its own suffix.
        [".onmicrosoft.com", ".onmicrosoft.us", ".partner.onmschina.cn"]
            .iter()
            .any(|suffix| self.0.strip_suffix(suffix).is_some_and(|label| !label.contains('.')))
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Scalar for Domain {
    const WHAT: &'static str = "a domain";
    const GRAMMAR: Grammar = Grammar::Pattern {
        pattern: "^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+$",
        length_max: 253,
    };
    const EXAMPLES: &'static [&'static str] = &["contoso.onmicrosoft.com", "contoso.example"];

    fn parse(text: &str) -> Result<Self, Malformed> {
        within(text, 253)?;
        if is_domain(text.as_bytes()) {
            return Ok(Self(lower(text)));
        }
        Err(if text.contains("://") || text.contains('/') {
            Malformed::because(Fault::Form, "a domain alone, without `https://` or a path")
        } else if text.contains('@') {
            Malformed::because(Fault::Form, "a domain alone, without the part before the `@`")
        } else if !text.is_ascii() {
            Malformed::because(Fault::Form, "write an internationalised domain in its `xn--` form")
        } else {
            Malformed::form()
        })
    }
}

fn is_domain(text: &[u8]) -> bool {
    let mut labels = 0;
    text.split(|b| *b == b'.').all(|label| {
        labels += 1;
        label.len() <= 63
            && label.first().is_some_and(u8::is_ascii_alphanumeric)
            && label.last().is_some_and(u8::is_ascii_alphanumeric)
            && label.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
    }) && labels > 1
}

fn lower(text: &str) -> Str {
    let mut lower = Str::from(text);
    lower.make_ascii_lowercase();
    lower
}

/// An e-mail address. Two are equal without regard to case, as every directory we meet has it.
#[derive(Debug, Clone)]
pub struct Email {
    written: Str,
}

impl Email {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    pub fn domain(&self) -> &str {
        self.written.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The families of webmail, under whatever country's suffix: such an address belongs to a
    /// person, not to a company.
    pub fn is_webmail(&self) -> bool {
        const FAMILIES: [&str; 11] = [
            "gmail",
            "googlemail",
            "yahoo",
            "ymail",
            "rocketmail",
            "icloud",
            "aol",
            "outlook",
            "hotmail",
            "live",
            "msn",
        ];
        const WHOLE: [&str; 3] = ["me.com", "mac.com", "passport.com"];
        let domain = self.domain().to_ascii_lowercase();
        if WHOLE.contains(&domain.as_str()) {
            return true;
        }
        let Some((family, suffix)) = domain.split_once('.') else { return false };
        FAMILIES.contains(&family) && is_public_suffix(suffix)
    }

    pub fn in_domain(&self, domain: &Domain) -> bool {
        self.domain().eq_ignore_ascii_case(domain.as_str())
    }
}

/// `com`, a country's code, or a country's second level such as `co.jp`.
fn is_public_suffix(suffix: &str) -> bool {
    let country = |code: &str| code.len() == 2;
    match suffix.split_once('.') {
        None => matches!(suffix, "com" | "net") || country(suffix),
        Some((second, code)) => {
            matches!(second, "co" | "com" | "ne" | "net" | "or" | "org") && country(code)
        }
    }
}

impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.written.eq_ignore_ascii_case(&other.written)
    }
}

impl Eq for Email {}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl Scalar for Email {
    const WHAT: &'static str = "an e-mail address";
    const GRAMMAR: Grammar = Grammar::Pattern {
        pattern: "^[A-Za-z0-9!#$%&'*+/=?^_{|}~.-]{1,64}@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+$",
        length_max: 254,
    };
    const EXAMPLES: &'static [&'static str] = &["aiko.tanaka@fabrikam.example"];

    fn parse(text: &str) -> Result<Self, Malformed> {
        within(text, 254)?;
        let local_ok = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_{|}~.-".contains(&b);
        if is_address(text, local_ok) {
            return Ok(Self { written: text.into() });
        }
        Err(if text.contains('<') {
            Malformed::because(Fault::Form, "the address alone, without a name and `<`")
        } else if text.starts_with("mailto:") {
            Malformed::because(Fault::Form, "the address alone, without `mailto:`")
        } else {
            Malformed::form()
        })
    }
}

fn is_address(text: &str, local_ok: impl Fn(u8) -> bool) -> bool {
    let mut parts = text.as_bytes().splitn(2, |b| *b == b'@');
    parts.next().zip(parts.next()).is_some_and(|(local, domain)| {
        (1..=64).contains(&local.len()) && local.iter().copied().all(local_ok) && is_domain(domain)
    })
}

/// The name a user signs in with (UPN). Two are equal without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignInName(Str);

impl SignInName {
    /// In lower case: the form that is compared.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// Whether the directory made this name for somebody who was invited.
    pub fn is_guest(&self) -> bool {
        self.0.contains("#ext#@")
    }
}

impl fmt::Display for SignInName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Scalar for SignInName {
    const WHAT: &'static str = "a sign-in name";
    const GRAMMAR: Grammar = Grammar::Pattern {
        pattern: "^[A-Za-z0-9'._!#^~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+$",
        length_max: 254,
    };
    const EXAMPLES: &'static [&'static str] = &["aiko.tanaka@fabrikam.example"];

    fn parse(text: &str) -> Result<Self, Malformed> {
        within(text, 254)?;
        let local_ok = |b: u8| b.is_ascii_alphanumeric() || b"'._!#^~-".contains(&b);
        if is_address(text, local_ok) {
            return Ok(Self(lower(text)));
        }
        Err(Malformed::because(
            Fault::Form,
            "letters, digits and ' . - _ ! # ^ ~ before the `@`, a verified domain after it",
        ))
    }
}

/// A telephone number in international form. Two are equal when their digits are (E.164).
#[derive(Debug, Clone)]
pub struct Phone(Str);

impl Phone {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `+` and digits alone.
    pub fn e164(&self) -> String {
        self.0.chars().filter(|c| *c == '+' || c.is_ascii_digit()).collect()
    }
}

impl PartialEq for Phone {
    fn eq(&self, other: &Self) -> bool {
        self.e164() == other.e164()
    }
}

impl Eq for Phone {}

impl Scalar for Phone {
    const WHAT: &'static str = "a telephone number with its country code";
    const GRAMMAR: Grammar =
        Grammar::Pattern { pattern: "^\\+[1-9]([ ().-]*[0-9]){6,14}$", length_max: 40 };
    const EXAMPLES: &'static [&'static str] = &["+81 3 1234 5678"];

    fn parse(text: &str) -> Result<Self, Malformed> {
        within(text, 40)?;
        let Some(number) = text.strip_prefix('+') else {
            return Err(Malformed::because(
                Fault::Form,
                "begin with `+` and the country code: `+81 3 1234 5678`",
            ));
        };
        let digits = number.bytes().filter(u8::is_ascii_digit).count();
        let ok = (7..=15).contains(&digits)
            && number.bytes().next().is_some_and(|b| matches!(b, b'1'..=b'9'))
            && number.bytes().next_back().is_some_and(|b| b.is_ascii_digit())
            && number.bytes().all(|b| b.is_ascii_digit() || b" ().-".contains(&b));
        if ok { Ok(Self(text.into())) } else { Err(Malformed::form()) }
    }
}

/// A web address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url(Str);

impl Url {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host, in lower case.
    pub fn host(&self) -> String {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        host.split(':').next().unwrap_or_default().to_ascii_lowercase()
    }

    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Whether it names a user before the host, as links that deceive do.
    pub fn has_user(&self) -> bool {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        rest.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
    }
}

impl Scalar for Url {
    const WHAT: &'static str = "a web address";
    const GRAMMAR: Grammar = Grammar::Pattern {
        pattern: "^https?://[A-Za-z0-9]([A-Za-z0-9.:@-]*[A-Za-z0-9])?([/?#][!#-;=?-\\[\\]_a-z~]*)?$",
        length_max: 2048,
    };
    const EXAMPLES: &'static [&'static str] = &["https://support.fabrikam.example"];

    fn parse(text: &str) -> Result<Self, Malformed> {
        within(text, 2048)?;
        let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))
        else {
            return Err(Malformed::because(Fault::Form, "begin with `https://`"));
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
        let ok = edge(authority.bytes().next())
            && edge(authority.bytes().next_back())
            && authority.bytes().all(|b| b.is_ascii_alphanumeric() || b".:@-".contains(&b))
            && tail.bytes().all(|b| matches!(b, b'!' | b'#'..=b';' | b'=' | b'?'..=b'[' | b']' | b'_' | b'a'..=b'z' | b'~'));
        if ok { Ok(Self(text.into())) } else { Err(Malformed::form()) }
    }
}

/// Where a company is. Two are equal when their fields are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub line1: Title,
    pub line2: Option<Title>,
    pub line3: Option<Title>,
    pub city: Title,
    pub state: Option<Title>,
    pub postal_code: Option<Title>,
    pub country: CountryCode,
}

/// A person at a company, as Partner Center's profiles have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub first_name: Title,
    pub last_name: Title,
    pub email: Email,
    pub phone: Option<Phone>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webmail_is_a_family_under_any_countrys_suffix() {
        for address in [
            "a@gmail.com",
            "a@GoogleMail.com",
            "a@yahoo.co.jp",
            "a@yahoo.fr",
            "a@yahoo.com.br",
            "a@ymail.com",
            "a@me.com",
            "a@mac.com",
            "a@icloud.com",
            "a@aol.co.uk",
            "a@hotmail.fr",
            "a@outlook.jp",
            "a@live.co.uk",
            "a@live.nl",
        ] {
            assert!(Email::parse(address).unwrap().is_webmail(), "{address}");
        }
        for address in [
            "a@fabrikam.example",
            "a@live.fabrikam.example",
            "a@gmail.fabrikam.example",
            "a@notgmail.com",
            "a@me.fabrikam.com",
        ] {
            assert!(!Email::parse(address).unwrap().is_webmail(), "{address}");
        }
    }

    #[test]
    fn equality_is_what_the_directory_has() {
        assert_eq!(
            SignInName::parse("Aiko@Fabrikam.example"),
            SignInName::parse("aiko@fabrikam.EXAMPLE")
        );
        assert_eq!(Phone::parse("+81 3 1234 5678"), Phone::parse("+81-3-1234-5678"));
        assert_eq!(
            Domain::parse("Contoso.onmicrosoft.com"),
            Domain::parse("contoso.onmicrosoft.com")
        );
        assert!(
            SignInName::parse("ken_contoso.example#EXT#@fabrikam.onmicrosoft.com")
                .unwrap()
                .is_guest()
        );
    }

    #[test]
    fn the_host_is_what_a_browser_would_open() {
        let url = Url::parse("https://partner.microsoft.com@evil.example/x").unwrap();
        assert_eq!(url.host(), "evil.example");
        assert!(url.has_user());
    }
}

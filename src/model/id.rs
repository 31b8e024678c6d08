//! Ids that other people's systems give: GUIDs, each of its own type, and partner numbers.

use super::Str;
use std::fmt;

use uuid::Uuid;

use super::scalar::{Fault, Grammar, Malformed, Scalar, within};

/// Declares GUIDs that cannot be mistaken for each other. Equality ignores case by construction.
macro_rules! guids {
    ($($(#[doc = $doc:literal])* $id:ident $what:literal,)*) => {$(
        $(#[doc = $doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        #[serde(transparent)]
        pub struct $id(pub Uuid);

        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl Scalar for $id {
            const WHAT: &'static str = $what;
            const GRAMMAR: Grammar = Grammar::Pattern {
                pattern: "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
                length_max: 36,
            };
            const EXAMPLES: &'static [&'static str] = &["0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e1"];

            fn parse(text: &str) -> Result<Self, Malformed> {
                guid(text).map(Self)
            }
        }
    )*};
}

guids! {
    /// A directory: our own tenant, a partner's, a customer's.
    TenantId "a tenant id (a GUID)",
    /// A group in our tenant.
    GroupId "a group id (a GUID)",
    /// An application.
    ApplicationId "an application id (a GUID)",
    /// A directory role, by its template.
    RoleTemplateId "a role template id (a GUID)",
}

fn guid(text: &str) -> Result<Uuid, Malformed> {
    if text.is_empty() {
        return Err(Fault::Empty.into());
    }
    // `Uuid` reads other spellings too (braces, no hyphens); manifests have one.
    if text.len() == 36
        && let Ok(uuid) = Uuid::try_parse(text)
    {
        return Ok(uuid);
    }
    let bare: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    Err(match Uuid::try_parse(&bare) {
        Ok(uuid) if text.chars().all(|c| c.is_ascii_hexdigit() || "-{} ".contains(c)) => {
            Malformed::because(Fault::Form, format!("write it as `{uuid}`"))
        }
        _ => Malformed::because(Fault::Form, "a GUID has 8-4-4-4-12 hexadecimal digits"),
    })
}

/// An MPN or Microsoft AI Cloud Partner Program id: digits, kept as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartnerId(Str);

impl PartnerId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Scalar for PartnerId {
    const WHAT: &'static str = "a partner id (digits, in quotes)";
    const GRAMMAR: Grammar = Grammar::Pattern { pattern: "^[0-9]{1,10}$", length_max: 10 };
    const EXAMPLES: &'static [&'static str] = &["4567890"];

    fn parse(text: &str) -> Result<Self, Malformed> {
        within(text, 10)?;
        if text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.into()))
        } else {
            Err(Malformed::form())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_compare_without_case_and_have_one_spelling() {
        let lower = TenantId::parse("0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e1");
        assert_eq!(lower, TenantId::parse("0C5C2A60-8E1F-4A5E-9B52-0D5F5C1A77E1"));
        for wrong in ["{0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e1}", "0c5c2a608e1f4a5e9b520d5f5c1a77e1"]
        {
            let malformed = TenantId::parse(wrong).unwrap_err();
            assert!(malformed.help.is_some() || malformed.fault == Fault::TooLong, "{wrong}");
        }
    }
}

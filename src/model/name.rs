//! Names: the stable keys of documents, and references to them.

use super::Str;
use std::fmt;

use super::choice::choices;
use super::scalar::{Grammar, Malformed, Scalar, within};

choices! {
    /// The kinds of documents that manifests are made of.
    "a kind"
    pub enum Kind {
        /// The partner account itself: exactly one per estate.
        Account = "Account",
        /// Someone who works here, or who was invited, and what they may do.
        User = "User",
        /// A custom role: a security group, its members, its permissions.
        Role = "Role",
        /// A tie with another partner: a provider of ours, or a reseller of ours.
        Partnership = "Partnership",
        /// A customer and our relationship with it.
        Customer = "Customer",
        /// Customers by the thousand, as rows of a CSV file.
        CustomerTable = "CustomerTable",
        /// Values for all documents of one kind that do not say otherwise.
        Defaults = "Defaults",
        /// A template: one GDAP relationship for each selected customer.
        DelegatedAccess = "DelegatedAccess",
        /// A finding that an owner answers for, until a day.
        Waiver = "Waiver",
        /// What people and roles may and may not do, checked by `partnerctl test`.
        AccessTest = "AccessTest",
        /// The project file beside the manifests.
        Project = "Project",
    }
}

impl Kind {
    /// As references and findings have it.
    pub const fn kebab(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::User => "user",
            Self::Role => "role",
            Self::Partnership => "partnership",
            Self::Customer => "customer",
            Self::CustomerTable => "customer-table",
            Self::Defaults => "defaults",
            Self::DelegatedAccess => "delegated-access",
            Self::Waiver => "waiver",
            Self::AccessTest => "access-test",
            Self::Project => "project",
        }
    }

    pub fn from_kebab(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.kebab() == text)
    }
}

/// The longest name.
const NAME_MAX: usize = 63;

/// The key of a document: a lower-case DNS label, unique per kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Str);

impl Name {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Scalar for Name {
    const WHAT: &'static str = "a name";
    const GRAMMAR: Grammar =
        Grammar::Pattern { pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", length_max: NAME_MAX };
    const EXAMPLES: &'static [&'static str] = &["aiko-tanaka", "contoso"];

    fn parse(text: &str) -> Result<Self, Malformed> {
        within(text, NAME_MAX)?;
        if is_dns_label(text) {
            return Ok(Self(text.into()));
        }
        let mut better: String = text
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .collect();
        better = better.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
        Err(Malformed {
            fault: super::scalar::Fault::Form,
            help: Some(if better.is_empty() {
                "names are lower-case letters, digits and hyphens".to_owned()
            } else {
                format!("names are lower-case letters, digits and hyphens: `{better}`")
            }),
        })
    }
}

pub(crate) fn is_dns_label(text: &str) -> bool {
    let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let bytes = text.as_bytes();
    edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
}

/// Declares names of one kind each, so that one cannot stand for another.
macro_rules! keys {
    ($($(#[doc = $doc:literal])* $key:ident($kind:ident),)*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $key(pub Name);

        impl $key {
            pub const KIND: Kind = Kind::$kind;

            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Display for $key {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::borrow::Borrow<str> for $key {
            fn borrow(&self) -> &str {
                self.0.as_str()
            }
        }

        impl From<Name> for $key {
            fn from(name: Name) -> Self {
                Self(name)
            }
        }

        impl Scalar for $key {
            const WHAT: &'static str = concat!("a reference to a ", stringify!($kind));
            const GRAMMAR: Grammar = Grammar::Pattern {
                pattern: "^([a-z]([-a-z]*[a-z])?/)?[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$",
                length_max: 96,
            };

            fn parse(text: &str) -> Result<Self, Malformed> {
                Reference::parse_for(text, Kind::$kind).map(Self)
            }
        }
    )*};
}

keys! {
    /// A User document.
    UserKey(User),
    /// A Role document, or a built-in role.
    RoleKey(Role),
    /// A Partnership document.
    PartnershipKey(Partnership),
    /// A Customer document, or a row of a table.
    CustomerKey(Customer),
    /// A `DelegatedAccess` document.
    DelegatedAccessKey(DelegatedAccess),
}

/// `kind/name`: any document, or an application in the tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    Document(Kind, Name),
    /// A service principal, by its application id.
    Application(super::id::ApplicationId),
}

impl Reference {
    /// Reads `name` or `kind/name` where only one kind makes sense.
    fn parse_for(text: &str, kind: Kind) -> Result<Name, Malformed> {
        within(text, 96)?;
        // Nearly all are a name alone, and many: they are told without a search for `/`.
        if text.len() <= NAME_MAX && is_dns_label(text) {
            return Ok(Name(text.into()));
        }
        match text.split_once('/') {
            None => Name::parse(text),
            Some((prefix, name)) if prefix == kind.kebab() => Name::parse(name),
            Some((prefix, _)) if Kind::from_kebab(prefix).is_some() => Err(Malformed::because(
                super::scalar::Fault::WrongKind,
                format!("a {} is wanted here, not a {prefix}", kind.kebab()),
            )),
            Some((prefix, name)) => {
                let well_formed = Name::parse(name).is_ok()
                    && !prefix.is_empty()
                    && prefix.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
                    && !prefix.starts_with('-')
                    && !prefix.ends_with('-');
                let fault = if well_formed {
                    super::scalar::Fault::Unreal
                } else {
                    super::scalar::Fault::Form
                };
                Err(Malformed::because(
                    fault,
                    format!("write `{}/NAME` or the name alone", kind.kebab()),
                ))
            }
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(kind, name) => write!(f, "{}/{name}", kind.kebab()),
            Self::Application(id) => write!(f, "application/{id}"),
        }
    }
}

impl Scalar for Reference {
    const WHAT: &'static str = "a reference such as `user/aiko-tanaka`";
    const GRAMMAR: Grammar = Grammar::Pattern {
        pattern: "^[a-z]([-a-z]*[a-z])?/[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?$",
        length_max: 96,
    };
    const EXAMPLES: &'static [&'static str] = &["user/aiko-tanaka", "customer/contoso"];

    fn parse(text: &str) -> Result<Self, Malformed> {
        use super::scalar::Fault::{Form, Unreal};
        within(text, 96)?;
        let Some((kind, name)) = text.split_once('/') else {
            return Err(Malformed::because(
                Form,
                "write the kind before it: `user/NAME`, `customer/NAME`",
            ));
        };
        let label = |s: &str, upper: bool| {
            let ok = |b: u8| {
                b.is_ascii_lowercase() || b.is_ascii_digit() || (upper && b.is_ascii_uppercase())
            };
            s.len() <= 63
                && s.bytes().next().is_some_and(ok)
                && s.bytes().next_back().is_some_and(ok)
                && s.bytes().all(|b| ok(b) || b == b'-')
        };
        let kind_ok = !kind.bytes().any(|b| b.is_ascii_digit()) && label(kind, false);
        if !kind_ok || !label(name, true) {
            return Err(Malformed::form());
        }
        if kind == "application" {
            return match super::id::ApplicationId::parse(name) {
                Ok(id) => Ok(Self::Application(id)),
                Err(_) => Err(Malformed::because(Unreal, "an application is named by its GUID")),
            };
        }
        let Some(kind) = Kind::from_kebab(kind) else {
            return Err(Malformed::because(Unreal, format!("there is no kind `{kind}`")));
        };
        match Name::parse(name) {
            Ok(name) => Ok(Self::Document(kind, name)),
            Err(malformed) => Err(Malformed { fault: Unreal, ..malformed }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_carry_their_kind_or_leave_it_out() {
        assert_eq!(UserKey::parse("user/aiko").map(|k| k.to_string()), Ok("aiko".to_owned()));
        assert_eq!(UserKey::parse("aiko").map(|k| k.to_string()), Ok("aiko".to_owned()));
        assert!(UserKey::parse("customer/aiko").is_err());
        assert_eq!(
            Reference::parse("delegated-access/enterprise-ops").map(|r| r.to_string()),
            Ok("delegated-access/enterprise-ops".to_owned())
        );
    }

    #[test]
    fn a_wrong_name_comes_with_a_right_one() {
        let malformed = Name::parse("Aiko Tanaka").unwrap_err();
        assert!(malformed.help.unwrap().contains("`aiko-tanaka`"));
    }
}

//! The catalogue of findings: one stable code for each thing that can be wrong.
//!
//! Each code has a story in `stories/`, which `explain` prints and the docs are made of. A story's
//! example must raise its code and its fix must not; a test holds them to it.

use std::fmt;
use std::str::FromStr;

/// How bad a finding is. Errors stop; warnings and notes do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    Error,
    Warning,
    Note,
}

impl Severity {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

macro_rules! codes {
    ($($code:ident $severity:ident $title:literal,)*) => {
        /// The code of a finding. Codes are never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $title] $code,)* }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$code,)*];

            /// As it is written everywhere: `P` and four digits.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$code => stringify!($code),)* }
            }

            /// The finding in a few words.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$code => $title,)* }
            }

            /// How bad it is unless the finding itself says otherwise.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$code => Severity::$severity,)* }
            }

            /// What, why, an example and its fix, as Markdown.
            pub const fn story(self) -> &'static str {
                match self {
                    $(Self::$code => include_str!(concat!("stories/", stringify!($code), ".md")),)*
                }
            }
        }
    };
}

codes! {
    P0001 Error "the text is not valid YAML",
    P0002 Error "the text is not valid JSON",
    P0003 Error "the text is not UTF-8",
    P0004 Error "a character that a manifest may not hold",
    P0005 Error "nested too deeply",
    P0006 Error "aliases that grow too large, or contain themselves",
    P0007 Error "a YAML tag",
    P0008 Error "a YAML merge key",
    P0009 Error "a directive other than %YAML 1.2",
    P0010 Error "a file that is too large",
    P0011 Error "a bidirectional control character in a name",
    P0012 Warning "a bidirectional control character in free text",
    P0013 Error "a key that is not plain text",

    P0101 Error "an unknown key",
    P0102 Error "a missing key",
    P0103 Error "a value of the wrong type",
    P0104 Error "a number or a boolean where text is wanted",
    P0105 Error "a key that stands twice",
    P0106 Error "a value that is none of those allowed",
    P0107 Error "a value that is not well formed",
    P0108 Error "a value that does not exist",
    P0109 Error "a key without a value",
    P0110 Error "items that repeat or contradict each other",
    P0111 Error "empty where something is needed",
    P0112 Error "a value that is too long",
    P0113 Error "a date where text is wanted",

    P0201 Error "an apiVersion other than ours",
    P0202 Error "an unknown kind, or one in the wrong place",
    P0203 Error "a document that is not a mapping",
    P0204 Error "a Project among the manifests",
    P0205 Error "a List within a List",
    P0206 Error "a path that does not exist",
    P0207 Error "a path that leaves the project",
    P0208 Error "no documents",
    P0209 Error "a file that cannot be read",
    P0210 Error "no Account",
    P0211 Error "more than one Account",
    P0212 Error "more than one Defaults for a kind",

    P0301 Error "a name that is used twice",
    P0302 Error "a reserved name",
    P0303 Error "a reference to something that does not exist",
    P0304 Error "a reference to the wrong kind",
    P0305 Error "a former name that is still in use",
    P0306 Error "a former name that two documents claim",
    P0307 Error "two users with the same sign-in name",
    P0308 Error "two customers with the same domain",
    P0309 Error "two documents for the same tenant",
    P0310 Error "two roles that share a group",
    P0311 Error "a selector that selects nobody",
    P0312 Error "a selector that names a customer whose relationship has ended",
    P0313 Error "an ignored field that does not exist",

    P0401 Error "an unknown column",
    P0402 Error "a row with too many or too few cells",
    P0403 Error "a quote that does not end",
    P0404 Error "a missing column",
    P0405 Error "a column that stands twice",
    P0406 Error "a quote where none belongs",

    P0501 Error "a secret where a reference to one belongs",
    P0502 Error "something that looks like a secret",

    P1001 Error "no agent level or no admin level chosen",
    P1002 Error "a guest with an agent level",
    P1003 Error "a sales agent where there are none",
    P1004 Error "a sign-in name in no domain of the account",
    P1005 Warning "a role that the reference does not know",
    P1006 Warning "a guest with a role that guests may not be able to hold",
    P1007 Error "an agent or admin level among the roles",
    P1008 Note "access that has expired",
    P1009 Error "an e-mail address that cannot be a sign-in name",
    P1010 Error "a level that is held in two ways",

    P1101 Error "roles that include each other",
    P1102 Error "a role that takes an agent group for its own",
    P1103 Error "customers for an action that is not about customers",

    P1201 Error "a legal address outside the account's country",
    P1203 Error "a primary contact with a webmail address",
    P1204 Error "a primary contact in no domain of the account",

    P1301 Error "consequences of a partnership that are not acknowledged",
    P1302 Error "a partnership that this program does not have",
    P1303 Error "a link that is not an invitation",

    P1401 Error "a provider without an active partnership",
    P1402 Error "a new customer that we may not create",
    P1403 Error "a new customer without an onmicrosoft.com domain",
    P1404 Error "a customer outside the account's market",
    P1405 Error "a provider channel without a partnership",
    P1406 Error "a reseller without an active partnership",
    P1407 Error "a provider or a reseller that this program does not have",
    P1408 Error "a new customer without a contact or an address",
    P1409 Error "a qualification without what it needs",

    P1501 Error "a duration that delegated access cannot have",
    P1502 Error "auto-extension with Global Administrator",
    P1503 Error "a renewal that begins before the access does",
    P1504 Warning "a directory role that is not known",
    P1505 Error "a grant to a role without a group",
    P1506 Note "delegated access that waits for a tenant id",
    P1507 Error "two grants to the same role",

    P1601 Error "something that this cloud does not have",
    P1602 Warning "something that this cloud may not have",

    P1701 Error "a waiver that waives nothing",
    P1702 Error "a waiver for something that cannot be waived",
    P1703 Warning "a waiver that has ended",

    P1901 Error "too few global admins",
    P1902 Error "too few admin agents",
    P1903 Error "a required user who is not there",

    P2001 Error "a policy that cannot be read",
    P2002 Error "a policy without an id",
    P2003 Error "two policies with the same id",
    P2004 Error "a policy id that is not free",
    P2005 Error "a policy that does not fit the vocabulary",
    P2006 Error "a policy that names something that does not exist",
    P2007 Error "an unknown level",
    P2008 Warning "a policy that can never apply",
    P2009 Error "a template of a policy",
    P2010 Error "an invariant that cannot be one",

    P2101 Warning "a permission that nothing carries",
    P2102 Warning "access that goes further than its permission",
    P2103 Note "a directory role that goes further than is needed",

    P2201 Error "something that a hard guardrail forbids",
    P2202 Error "something that a guardrail forbids",
    P2203 Warning "something that a guardrail advises against",

    P2301 Note "a role that nobody holds",
    P2302 Note "a role that gives its holders nothing",
    P2303 Note "roles of someone who cannot use them",
    P2304 Note "an action that nobody may perform",
    P2305 Note "a policy that changes nothing",
    P2306 Warning "a permit that is always forbidden",
    P2307 Warning "a policy that can fail",

    P2401 Error "an invariant that does not hold",
    P2402 Error "an invariant that does not hold, unless somebody answers for it",
    P2403 Warning "something that an invariant advises against",
    P2404 Warning "an invariant that another estate would break",
    P2405 Warning "something that could not be proved",
    P2406 Note "an invariant that was not checked",
}

impl Code {
    /// Whether a Waiver may silence it: judgements that an owner can answer for, never what the
    /// service refuses, what hides something, or what could lock the account's owners out.
    pub const fn waivable(self) -> bool {
        matches!(
            self,
            Self::P0012
                | Self::P1005
                | Self::P1006
                | Self::P1008
                | Self::P1203
                | Self::P1204
                | Self::P1303
                | Self::P1404
                | Self::P1504
                | Self::P1506
                | Self::P1602
                | Self::P2008
                | Self::P2101
                | Self::P2102
                | Self::P2103
                | Self::P2202
                | Self::P2203
                | Self::P2301
                | Self::P2302
                | Self::P2303
                | Self::P2304
                | Self::P2305
                | Self::P2306
                | Self::P2307
                | Self::P2402
                | Self::P2403
                | Self::P2404
                | Self::P2405
        )
    }

    /// Whether the published JSON Schema refuses it too.
    pub const fn in_schema(self) -> bool {
        matches!(
            self,
            Self::P0101
                | Self::P0102
                | Self::P0103
                | Self::P0104
                | Self::P0106
                | Self::P0107
                | Self::P0109
                | Self::P0110
                | Self::P0111
                | Self::P0112
                | Self::P0201
                | Self::P0202
                | Self::P0203
                | Self::P0501
                | Self::P1001
        )
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// Not the code of any finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownCode;

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.id().eq_ignore_ascii_case(text))
            .ok_or(UnknownCode)
    }
}

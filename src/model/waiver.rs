//! A finding that somebody answers for, until a day.

use super::Str;
use super::name::{Reference, UserKey};
use super::scalar::{Fault, Grammar, Malformed, Scalar, within};
use super::text::Remark;
use super::time::Day;

/// The `spec` of a Waiver.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiver {
    pub finding: FindingCode,
    pub on: Reference,
    pub owner: UserKey,
    pub reason: Remark,
    /// The last day on which it holds.
    pub until: Day,
}

/// The code of a finding, as it is written; whether there is one is for who keeps the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingCode(Str);

impl FindingCode {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Scalar for FindingCode {
    const WHAT: &'static str = "the code of a finding";
    const GRAMMAR: Grammar = Grammar::Pattern { pattern: "^P[0-9]{4}$", length_max: 5 };
    const EXAMPLES: &'static [&'static str] = &["P1203"];

    fn parse(text: &str) -> Result<Self, Malformed> {
        within(text, 5)?;
        match text.strip_prefix('P') {
            Some(digits) if digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()) => {
                Ok(Self(text.into()))
            }
            _ => {
                Err(Malformed::because(Fault::Form, "`P` and four digits, as the finding shows it"))
            }
        }
    }
}

//! Texts from the tenant as values of the model, as far as they are any.

use crate::model::scalar::{Fault, Scalar};

/// A value that the tenant has and the model has no form for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unsaid {
    /// `user/aiko`, or what else is meant.
    pub object: String,
    /// The path of the field: `spec.mobilePhone`.
    pub field: &'static str,
    /// As the tenant has it.
    pub value: String,
    pub why: String,
}

/// Keeps what could not be said.
#[derive(Debug, Default)]
pub(super) struct Saying {
    unsaid: Vec<Unsaid>,
}

impl Saying {
    /// A text as a value; nothing for nothing, and a note where it is no such value.
    pub(super) fn say<T: Scalar>(
        &mut self,
        object: &str,
        field: &'static str,
        text: Option<&str>,
    ) -> Option<T> {
        let text = text.map(str::trim).filter(|text| !text.is_empty())?;
        match T::parse(text) {
            Ok(value) => Some(value),
            Err(malformed) => {
                let why = match malformed.fault {
                    Fault::Control | Fault::Bidirectional => {
                        "it holds characters that act on what shows them".to_owned()
                    }
                    Fault::TooLong => "it is too long".to_owned(),
                    _ => format!("it is not {}", T::WHAT),
                };
                self.cannot(object, field, text, why);
                None
            }
        }
    }

    pub(super) fn cannot(
        &mut self,
        object: &str,
        field: &'static str,
        value: &str,
        why: impl Into<String>,
    ) {
        let (object, value, why) = (object.to_owned(), value.to_owned(), why.into());
        self.unsaid.push(Unsaid { object, field, value, why });
    }

    pub(super) fn unsaid(mut self) -> Vec<Unsaid> {
        self.unsaid.sort();
        self.unsaid
    }
}

//! Values that are one piece of text, a number or a boolean.

use schemars::{Schema, SchemaGenerator, json_schema};

use super::fields::wrong_type;
use super::{At, Described, Node, Reader, Shaped};
use crate::manifest::code::Code;
use crate::manifest::suggest::{did_you_mean, listed, quoted};
use crate::manifest::text::arena::View;
use crate::model::scalar::{Fault, Grammar, Malformed, Scalar};
use crate::model::text::{is_bidirectional_control, turns_direction};
use crate::model::time::Day;

impl<T: Scalar> Shaped for T {
    fn read(at: At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let node = at.node()?;
        let text = text_of(node, T::WHAT, reader)?;
        match T::parse(text) {
            Ok(value) => {
                if node.is_plain() && looks_like_a_day(text) && T::WHAT != Day::WHAT {
                    let of = format!(
                        "`{}` is {}, and {text} without quotes is a date",
                        reader.field,
                        T::WHAT
                    );
                    let help = Some(format!("write it in quotes: `\"{text}\"`"));
                    reader.report(Code::P0113, node.span(), of, help);
                    return None;
                }
                if reader.may_turn && turns_direction(text) {
                    bidirectional(node, Code::P0012, reader);
                }
                Some(value)
            }
            Err(malformed) => {
                refuse(node, T::WHAT, T::GRAMMAR, T::EXAMPLES, malformed, reader);
                None
            }
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        match T::GRAMMAR {
            Grammar::Choices(choices) if choices.len() > 12 => {
                super::shared::<T>(generator, |_| scalar_schema::<T>())
            }
            _ => scalar_schema::<T>(),
        }
    }

    fn described() -> Described {
        let choices = match T::GRAMMAR {
            Grammar::Choices(choices) => choices,
            Grammar::Pattern { .. } => &[],
        };
        Described { examples: T::EXAMPLES, choices, ..Described::simply(T::WHAT) }
    }
}

/// Whether other YAML tools would read a date here. Nearly every text is told by its length.
fn looks_like_a_day(text: &str) -> bool {
    text.len() == 10 && Day::parse(text).is_ok()
}

pub(super) fn scalar_schema<T: Scalar>() -> Schema {
    let mut schema = match T::GRAMMAR {
        Grammar::Pattern { pattern, length_max } => json_schema!({
            "type": "string",
            "title": T::WHAT,
            "pattern": pattern,
            "maxLength": length_max,
        }),
        Grammar::Choices(choices) => {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            let meanings: Vec<&str> = choices.iter().map(|(_, meaning)| meaning.trim()).collect();
            json_schema!({
                "type": "string",
                "title": T::WHAT,
                "enum": words,
                // Editors show these beside the words they offer.
                "markdownEnumDescriptions": meanings,
            })
        }
    };
    if !T::EXAMPLES.is_empty() {
        schema.insert("examples".to_owned(), T::EXAMPLES.into());
    }
    schema
}

/// The text of a node that must be text; says what to do about numbers, booleans and the rest.
pub(crate) fn text_of<'a>(node: Node<'a>, what: &str, reader: &mut Reader<'_>) -> Option<&'a str> {
    if let Some(text) = node.as_str() {
        return Some(text);
    }
    let kind = match node.view() {
        View::String(text) => return Some(text),
        View::Bool(_) => "a boolean",
        View::Number(_) => "a number",
        View::Null => "nothing",
        View::Sequence(_) | View::Mapping(_) => "",
    };
    // Almost every value is text: words are put together only for those that are not.
    let of =
        if reader.field.is_empty() { "this".to_owned() } else { format!("`{}`", reader.field) };
    if kind.is_empty() {
        wrong_type(node, &of, what, reader);
        return None;
    }
    if kind == "nothing" {
        let help = Some(format!("it is {what}"));
        reader.report(
            Code::P0109,
            node.span(),
            format!("{of} holds an item without a value"),
            help,
        );
        return None;
    }
    let written = node.text();
    reader.report(
        Code::P0104,
        node.span(),
        format!("{of} is {what}, and {} without quotes is {kind}", quoted(written)),
        Some(format!("write it in quotes: {}", quoted(&format!("\"{written}\"")))),
    );
    None
}

/// Reports a text that is not the value it should be.
pub(super) fn refuse(
    node: Node<'_>,
    what: &str,
    grammar: Grammar,
    examples: &[&str],
    malformed: Malformed,
    reader: &mut Reader<'_>,
) {
    let text = node.text();
    let field =
        if reader.field.is_empty() { what.to_owned() } else { format!("`{}`", reader.field) };
    let Malformed { fault, help } = malformed;
    if let Grammar::Choices(choices) = grammar {
        let words = choices.iter().map(|(word, _)| *word);
        let help = did_you_mean(text, words.clone()).unwrap_or_else(|| {
            if choices.len() > 12 {
                format!("it is {what}; `partnerctl explain` lists them")
            } else {
                format!("it is {}", listed(words))
            }
        });
        reader.report(
            Code::P0106,
            node.span(),
            format!("{field} cannot be {}", quoted(text)),
            Some(help),
        );
        return;
    }
    let (code, message) = match fault {
        Fault::Form => (Code::P0107, format!("{} is not {what}", quoted(text))),
        Fault::Unreal => (Code::P0108, format!("{} is not {what} that exists", quoted(text))),
        Fault::WrongKind => (Code::P0304, format!("{} is not {what}", quoted(text))),
        Fault::TooLong => (Code::P0112, format!("{field} is too long")),
        Fault::Empty => (Code::P0111, format!("{field} is empty")),
        Fault::Control => (Code::P0107, format!("{field} holds a control character")),
        Fault::Bidirectional => return bidirectional(node, Code::P0011, reader),
    };
    let help =
        help.or_else(|| examples.first().map(|example| format!("it looks like `{example}`")));
    reader.report(code, node.span(), message, help);
}

pub(super) fn bidirectional(node: Node<'_>, code: Code, reader: &mut Reader<'_>) {
    let Some(found) = node.text().chars().find(|c| is_bidirectional_control(*c)) else { return };
    reader.report(
        code,
        node.span(),
        format!(
            "`{}` holds U+{:04X}, which turns the direction of the text after it",
            reader.field,
            u32::from(found)
        ),
        Some("remove it: what is shown would not be what is meant".to_owned()),
    );
}

/// `true` or `false`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flag(pub bool);

impl From<Flag> for bool {
    fn from(flag: Flag) -> Self {
        flag.0
    }
}

impl Shaped for Flag {
    fn read(at: At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let node = at.node()?;
        if let View::Bool(value) = node.view() {
            return Some(Self(value));
        }
        let field = reader.field;
        let help = match node.text() {
            "yes" | "Yes" | "YES" | "on" | "On" | "y" => Some("write `true`".to_owned()),
            "no" | "No" | "NO" | "off" | "Off" | "n" => Some("write `false`".to_owned()),
            "true" | "false" => Some("without quotes".to_owned()),
            _ => None,
        };
        let message = if node.is_scalar() {
            format!("`{field}` is `true` or `false`, not {}", quoted(node.text()))
        } else {
            format!("`{field}` is `true` or `false`")
        };
        reader.report(Code::P0103, node.head(), message, help);
        None
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "boolean" })
    }

    fn described() -> Described {
        Described::simply("`true` or `false`")
    }
}

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole<const MIN: u32, const MAX: u32>(pub u32);

impl<const MIN: u32, const MAX: u32> From<Whole<MIN, MAX>> for u32 {
    fn from(number: Whole<MIN, MAX>) -> Self {
        number.0
    }
}

impl<const MIN: u32, const MAX: u32> Shaped for Whole<MIN, MAX> {
    fn read(at: At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let node = at.node()?;
        let field = reader.field;
        match node.view() {
            View::Number(text) => {
                if let Ok(value) = text.parse::<u32>()
                    && (MIN..=MAX).contains(&value)
                {
                    return Some(Self(value));
                }
                let help = format!("a whole number from {MIN} to {MAX}");
                reader.report(
                    Code::P0107,
                    node.span(),
                    format!("`{field}` cannot be {}", quoted(text)),
                    Some(help),
                );
            }
            _ => wrong_type(node, &format!("`{field}`"), "a whole number", reader),
        }
        None
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }

    fn described() -> Described {
        Described::simply("a whole number")
    }
}

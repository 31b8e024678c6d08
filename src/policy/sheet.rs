//! One file of Cedar: its policies, each with its id and its place, and what is wrong with it.
//!
//! Policies are read one by one, so that a mistake in the first does not hide one in the last.

use cedar_policy::{Policy, PolicyId, Template};
use miette::Diagnostic;

use super::invariant::Promise;
use super::level::Level;
use crate::manifest::code::Code;
use crate::manifest::source::{Span, to_u32};
use crate::manifest::text::{Fault, decode, forbidden};
use crate::model::text::is_bidirectional_control;

/// A policy as it was written.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    /// With its `@id` for an id.
    pub policy: Policy,
    /// From its first annotation to its semicolon.
    pub span: Span,
    pub level: Option<Level>,
    /// If it is no rule, but says what must never or always be so.
    pub promise: Option<Promise>,
}

/// What is wrong, and where.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub code: Code,
    pub span: Span,
    pub message: String,
    pub help: Option<String>,
}

/// A larger file is nobody's policies.
const FILE_BYTES_MAX: usize = 1024 * 1024;
/// Brackets within brackets.
const DEPTH_MAX: usize = 64;
/// Operators of one policy: Cedar reads them one within the other, and a stack has an end.
const OPERATORS_MAX: usize = 1000;

/// Reads the bytes of a file.
pub(crate) fn read_bytes(bytes: &[u8]) -> (Vec<Written>, Vec<Problem>) {
    let refused = |fault: Fault| {
        let Fault { code, span, message, help } = fault;
        (Vec::new(), vec![Problem { code, span, message, help }])
    };
    let text = match decode(bytes) {
        Ok(text) => text,
        Err(fault) => return refused(fault),
    };
    if text.len() > FILE_BYTES_MAX {
        return refused(Fault {
            code: Code::P0010,
            span: Span::default(),
            message: "a file of policies has at most 1 MiB".to_owned(),
            help: Some("split it, or write a role where a policy lists names".to_owned()),
        });
    }
    let mut problems: Vec<Problem> = forbidden(text)
        .into_iter()
        .map(|Fault { code, span, message, help }| Problem { code, span, message, help })
        .collect();
    problems.extend(
        text.char_indices().filter(|(_, char)| is_bidirectional_control(*char)).take(20).map(
            |(at, char)| Problem {
                code: Code::P0004,
                span: Span::new(to_u32(at), to_u32(at + char.len_utf8())),
                message: format!("U+{:04X} reorders what reviewers see", u32::from(char)),
                help: Some("take it out: a policy has to read as it is".to_owned()),
            },
        ),
    );
    if !problems.is_empty() {
        return (Vec::new(), problems);
    }
    read(text)
}

/// Reads a file.
pub(crate) fn read(text: &str) -> (Vec<Written>, Vec<Problem>) {
    let mut policies = Vec::new();
    let mut problems = Vec::new();
    for span in statements(text) {
        match statement(text, span) {
            Ok(written) => policies.push(written),
            Err(found) => problems.extend(found),
        }
    }
    (policies, problems)
}

fn statement(text: &str, span: Span) -> Result<Written, Vec<Problem>> {
    let own = text.get(span.range()).unwrap_or_default();
    if let Some(message) = too_much(own) {
        let help = "split the policy: several permits, or several forbids, add up";
        let span = head(own).shifted(span.start);
        let help = Some(help.to_owned());
        return Err(vec![Problem { code: Code::P2001, span, message, help }]);
    }
    let policy = match Policy::parse(None, own) {
        Ok(policy) => policy,
        Err(_) if Template::parse(None, own).is_ok() => {
            return Err(vec![Problem {
                code: Code::P2009,
                span,
                message: "a template links to nobody here".to_owned(),
                help: Some(
                    "write a policy: name the role or the customer in place of the slot".to_owned(),
                ),
            }]);
        }
        Err(errors) => {
            let problems = errors.iter().map(|error| {
                let (place, message, help) = told(error, own);
                Problem { code: Code::P2001, span: place.shifted(span.start), message, help }
            });
            return Err(problems.collect());
        }
    };
    let mut problems = Vec::new();
    let id = policy.annotation("id").unwrap_or_default().to_owned();
    if id.is_empty() {
        problems.push(Problem {
            code: Code::P2002,
            span: head(own).shifted(span.start),
            message: "this policy has no id".to_owned(),
            help: Some("write `@id(\"...\")` before it: reports, tests and reviewers name policies by their ids".to_owned()),
        });
    }
    let level = match policy.annotation("level") {
        None => None,
        Some(word) => {
            let level = Level::from_word(word);
            if level.is_none() {
                problems.push(Problem {
                    code: Code::P2007,
                    span: annotation(own, "level").shifted(span.start),
                    message: format!(
                        "there is no level {}",
                        crate::manifest::suggest::quoted(word)
                    ),
                    help: Some("a level is \"advisory\", \"overridable\" or \"hard\"".to_owned()),
                });
            }
            level
        }
    };
    let promise = Promise::of(&policy).unwrap_or_else(|wrong| {
        let word = if policy.annotation("never").is_some() { "never" } else { "always" };
        let span = annotation(own, word).shifted(span.start);
        let help = Some(wrong.help().to_owned());
        problems.push(Problem { code: Code::P2010, span, message: wrong.to_string(), help });
        None
    });
    if problems.is_empty() {
        Ok(Written { policy: policy.new_id(PolicyId::new(id)), span, level, promise })
    } else {
        Err(problems)
    }
}

/// What Cedar says of a mistake: where it is within the text, what it is, what helps.
pub(crate) fn told(error: &dyn Diagnostic, text: &str) -> (Span, String, Option<String>) {
    let label = error.labels().and_then(|mut labels| labels.next());
    let end = to_u32(text.len());
    let span = label.as_ref().map_or_else(
        || head(text),
        |label| {
            let start = to_u32(label.offset()).min(end);
            Span::new(start, (start + to_u32(label.len())).min(end).max(start))
        },
    );
    let mut message = error.to_string();
    if let Some(more) = label.and_then(|label| label.label().map(str::to_owned))
        && !more.is_empty()
        && !message.contains(&more)
    {
        message = format!("{message}: {more}");
    }
    (span, one_line(&message), error.help().map(|help| one_line(&help.to_string())))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first word of a policy.
fn head(text: &str) -> Span {
    let first = text.lines().next().unwrap_or_default();
    Span::new(0, to_u32(first.trim_end().len()))
}

/// The value of an annotation, or the policy's first line.
pub(crate) fn annotation(text: &str, name: &str) -> Span {
    let key = format!("@{name}");
    let found = text.find(&key).and_then(|at| {
        let rest = text.get(at..)?;
        let open = rest.find('"')?;
        let close = rest.get(open + 1..)?.find('"')?;
        Some(Span::new(to_u32(at + open), to_u32(at + open + close + 2)))
    });
    found.unwrap_or_else(|| head(text))
}

/// What Cedar could not read without end: it goes down into brackets and operators.
fn too_much(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut operators) = (0, 0_usize, 0);
    while let Some(byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        match byte {
            b'"' => {
                at += quoted(rest);
                continue;
            }
            b'/' if rest.starts_with(b"//") => {
                at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                continue;
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'&' | b'|' | b'.' | b'!' | b'+' | b'-' | b'*' | b'@' => operators += 1,
            b'i' if rest.starts_with(b"if ") || rest.starts_with(b"if(") => operators += 1,
            _ => {}
        }
        if depth > DEPTH_MAX {
            return Some(format!("brackets are nested more than {DEPTH_MAX} deep"));
        }
        if operators > OPERATORS_MAX {
            return Some(format!("this policy has more than {OPERATORS_MAX} operators"));
        }
        at += 1;
    }
    None
}

/// What ends in a semicolon, without what stands between: blanks and comments.
fn statements(text: &str) -> Vec<Span> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut start = None;
    let mut at = if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    while let Some(byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        let next = match byte {
            b'/' if rest.starts_with(b"//") => {
                at + memchr::memchr(b'\n', rest).unwrap_or(rest.len())
            }
            _ if byte.is_ascii_whitespace() => at + 1,
            b'"' => {
                start.get_or_insert(at);
                at + quoted(rest)
            }
            b';' => {
                found.push(Span::new(to_u32(*start.get_or_insert(at)), to_u32(at + 1)));
                start = None;
                at + 1
            }
            _ => {
                start.get_or_insert(at);
                at + 1
            }
        };
        at = next;
    }
    if let Some(start) = start {
        let end = text.trim_end().len();
        found.push(Span::new(to_u32(start), to_u32(end)));
    }
    found
}

/// The length of a string with its quotes; to the end of the text if it does not end.
fn quoted(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_of_a_file_is_told_at_its_place() {
        let text = "// one; two\n@id(\"a;b\")\npermit (principal, action, resource);\n\n\
                    permit (principal, action, resource);\n\
                    @id(\"c\") @level(\"soft\")\nforbid (principal, action, resource);\n\
                    @id(\"d\")\npermit (principal, acton, resource);\n\
                    @id(\"t\") permit (principal in ?principal, action, resource);\n\
                    @id(\"e\")\nforbid (principal, action, resource)";
        let (policies, problems) = read(text);
        assert_eq!(
            policies.iter().map(|written| written.policy.id().to_string()).collect::<Vec<_>>(),
            ["a;b"]
        );
        let seen: Vec<(Code, &str)> =
            problems.iter().map(|p| (p.code, text.get(p.span.range()).unwrap())).collect();
        assert_eq!(
            seen,
            [
                (Code::P2002, "permit (principal, action, resource);"),
                (Code::P2007, "\"soft\""),
                (Code::P2001, "acton"),
                (Code::P2009, "@id(\"t\") permit (principal in ?principal, action, resource);"),
                (Code::P2001, ""),
            ]
        );
    }
}

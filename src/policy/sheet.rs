//! One file of Cedar: its policies, each with its id and its place, and what is wrong with it.
//!
//! Policies are read one by one, so that a mistake in the first does not hide one in the last.

use cedar_policy::{Policy, PolicyId, Template};
use miette::Diagnostic;

use super::level::Level;
use crate::manifest::code::Code;
use crate::manifest::source::{Span, to_u32};

/// A policy as it was written.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    /// With its `@id` for an id.
    pub policy: Policy,
    /// From its first annotation to its semicolon.
    pub span: Span,
    pub level: Option<Level>,
}

/// What is wrong, and where.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub code: Code,
    pub span: Span,
    pub message: String,
    pub help: Option<String>,
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
    if problems.is_empty() {
        Ok(Written { policy: policy.new_id(PolicyId::new(id)), span, level })
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

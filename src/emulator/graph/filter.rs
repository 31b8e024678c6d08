//! `$filter` and `$search`: read, and applied to objects as they are shown.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::query::unsupported;
use crate::emulator::error::GraphError;

/// Which objects.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Compare {
        path: String,
        op: Op,
        value: Value,
    },
    In {
        path: String,
        values: Vec<Value>,
    },
    Text {
        path: String,
        op: TextOp,
        value: String,
    },
    /// `path/any(c:c eq value)`
    Any {
        path: String,
        value: Value,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextOp {
    StartsWith,
    EndsWith,
    /// Of `$search`: some word begins so.
    Word,
}

/// Parentheses and `not` may stand so deep.
const DEPTH_MAX: usize = 32;

pub(super) fn parse(text: &str) -> Result<Filter, GraphError> {
    let mut parser = Parser { tokens: tokens(text)?.into_iter().peekable(), depth: 0 };
    let filter = parser.or()?;
    match parser.tokens.next() {
        None => Ok(filter),
        Some(_) => Err(invalid()),
    }
}

/// `"displayName:adele" OR "mail:adele"`
pub(super) fn parse_search(text: &str) -> Result<Filter, GraphError> {
    let mut any = Vec::new();
    for alternative in text.split(" OR ") {
        let mut all = Vec::new();
        for clause in alternative.split(" AND ") {
            let clause = clause.trim().trim_matches(['(', ')']);
            let inner = clause.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            let (path, value) = inner
                .and_then(|inner| inner.split_once(':'))
                .ok_or_else(|| GraphError::bad_request("Syntax error in the $search clause."))?;
            all.push(Filter::Text {
                path: path.to_owned(),
                op: TextOp::Word,
                value: value.to_lowercase(),
            });
        }
        any.push(Filter::And(all));
    }
    Ok(Filter::Or(any))
}

fn invalid() -> GraphError {
    GraphError::bad_request("Invalid filter clause")
}

impl Filter {
    pub(super) fn matches(&self, object: &Map<String, Value>) -> bool {
        match self {
            Self::And(all) => all.iter().all(|one| one.matches(object)),
            Self::Or(any) => any.iter().any(|one| one.matches(object)),
            Self::Not(one) => !one.matches(object),
            Self::Compare { path, op, value } => compare(at(object, path), *op, value),
            Self::In { path, values } => {
                let found = at(object, path);
                values.iter().any(|value| compare(found, Op::Eq, value))
            }
            Self::Text { path, op, value } => {
                let Some(text) = at(object, path).as_str().map(str::to_lowercase) else {
                    return false;
                };
                match op {
                    TextOp::StartsWith => text.starts_with(value),
                    TextOp::EndsWith => text.ends_with(value),
                    TextOp::Word => {
                        let mut words = text.split(|c: char| !c.is_alphanumeric());
                        text.starts_with(value) || words.any(|word| word.starts_with(value))
                    }
                }
            }
            Self::Any { path, value } => {
                let items = at(object, path).as_array();
                items.is_some_and(|items| items.iter().any(|item| compare(item, Op::Eq, value)))
            }
        }
    }

    /// Whether the directory answers it from an index only.
    pub(super) fn is_advanced(&self) -> bool {
        match self {
            Self::And(all) | Self::Or(all) => all.iter().any(Self::is_advanced),
            Self::Not(_) => true,
            Self::Compare { op, value, .. } => *op == Op::Ne || value.is_null(),
            // A search is asked for by itself, and the header was there.
            Self::Text { op, .. } => *op == TextOp::EndsWith,
            Self::In { .. } | Self::Any { .. } => false,
        }
    }

    /// The properties it looks at, without what stands behind a slash.
    pub(super) fn properties<'a>(&'a self, used: &mut Vec<&'a str>) {
        match self {
            Self::And(all) | Self::Or(all) => {
                for one in all {
                    one.properties(used);
                }
            }
            Self::Not(one) => one.properties(used),
            Self::Compare { path, .. }
            | Self::In { path, .. }
            | Self::Text { path, .. }
            | Self::Any { path, .. } => used.push(path.split('/').next().unwrap_or(path)),
        }
    }

    /// What every match has as this property, if that is one text: by which an index finds them.
    pub(super) fn only(&self, path: &str) -> Option<&str> {
        match self {
            Self::Compare { path: own, op: Op::Eq, value } if own == path => value.as_str(),
            Self::And(all) => all.iter().find_map(|one| one.only(path)),
            _ => None,
        }
    }

    /// How the property of every match begins.
    pub(super) fn prefix(&self, path: &str) -> Option<&str> {
        match self {
            Self::Text { path: own, op: TextOp::StartsWith, value } if own == path => Some(value),
            Self::And(all) => all.iter().find_map(|one| one.prefix(path)),
            _ => None,
        }
    }

    /// Whether it says nothing but what one property is.
    pub(super) fn is_only(&self, path: &str) -> bool {
        matches!(self, Self::Compare { path: own, op: Op::Eq, .. } if own == path)
    }
}

fn at<'a>(object: &'a Map<String, Value>, path: &str) -> &'a Value {
    let mut names = path.split('/');
    let mut value = names.next().and_then(|name| object.get(name)).unwrap_or(&Value::Null);
    for name in names {
        value = value.get(name).unwrap_or(&Value::Null);
    }
    value
}

fn compare(found: &Value, op: Op, wanted: &Value) -> bool {
    use std::cmp::Ordering;
    let ordering = match (found, wanted) {
        (Value::String(found), Value::String(wanted)) => {
            match (found.parse::<Timestamp>(), wanted.parse::<Timestamp>()) {
                (Ok(found), Ok(wanted)) => Some(found.cmp(&wanted)),
                _ => Some(found.to_lowercase().cmp(&wanted.to_lowercase())),
            }
        }
        (Value::Number(found), Value::Number(wanted)) => {
            found.as_f64().partial_cmp(&wanted.as_f64())
        }
        (found, wanted) => (found == wanted).then_some(Ordering::Equal),
    };
    match op {
        Op::Eq => ordering == Some(Ordering::Equal),
        Op::Ne => ordering != Some(Ordering::Equal),
        Op::Gt => ordering == Some(Ordering::Greater),
        Op::Ge => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
        Op::Lt => ordering == Some(Ordering::Less),
        Op::Le => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Open,
    Close,
    Comma,
    Colon,
    Text(String),
    /// A name, a path, a number, a date, an operator.
    Word(String),
}

fn tokens(text: &str) -> Result<Vec<Token>, GraphError> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(next) = chars.next() {
        match next {
            c if c.is_whitespace() => {}
            '(' => tokens.push(Token::Open),
            ')' => tokens.push(Token::Close),
            ',' => tokens.push(Token::Comma),
            '\'' => {
                let mut value = String::new();
                loop {
                    match chars.next() {
                        None => return Err(invalid()),
                        Some('\'') if chars.peek() == Some(&'\'') => {
                            chars.next();
                            value.push('\'');
                        }
                        Some('\'') => break,
                        Some(other) => value.push(other),
                    }
                }
                tokens.push(Token::Text(value));
            }
            // Within a word it belongs to a time of day.
            ':' => tokens.push(Token::Colon),
            first => {
                let mut word = String::from(first);
                let starts_number = first.is_ascii_digit();
                while let Some(next) = chars.peek() {
                    let ends = next.is_whitespace() || matches!(next, '(' | ')' | ',' | '\'');
                    if ends || (*next == ':' && !starts_number) {
                        break;
                    }
                    word.push(*next);
                    chars.next();
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    depth: usize,
}

impl Parser {
    fn or(&mut self) -> Result<Filter, GraphError> {
        let mut any = vec![self.and()?];
        while self.take_word("or") {
            any.push(self.and()?);
        }
        Ok(one_or(any, Filter::Or))
    }

    fn and(&mut self) -> Result<Filter, GraphError> {
        let mut all = vec![self.not()?];
        while self.take_word("and") {
            all.push(self.not()?);
        }
        Ok(one_or(all, Filter::And))
    }

    fn not(&mut self) -> Result<Filter, GraphError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(invalid());
        }
        let filter = if self.take_word("not") {
            Filter::Not(Box::new(self.not()?))
        } else if self.take(&Token::Open) {
            let inner = self.or()?;
            self.need(&Token::Close)?;
            inner
        } else {
            self.term()?
        };
        self.depth -= 1;
        Ok(filter)
    }

    fn term(&mut self) -> Result<Filter, GraphError> {
        let word = self.word()?;
        if self.take(&Token::Open) {
            return match word.strip_suffix("/any") {
                Some(path) => self.any(path),
                None => self.function(&word),
            };
        }
        let op = self.word()?;
        if op == "in" {
            return self.list(word);
        }
        let op = match op.as_str() {
            "eq" => Op::Eq,
            "ne" => Op::Ne,
            "gt" => Op::Gt,
            "ge" => Op::Ge,
            "lt" => Op::Lt,
            "le" => Op::Le,
            _ => return Err(invalid()),
        };
        Ok(Filter::Compare { path: word, op, value: self.literal()? })
    }

    fn function(&mut self, name: &str) -> Result<Filter, GraphError> {
        let op = match name.to_ascii_lowercase().as_str() {
            "startswith" => TextOp::StartsWith,
            "endswith" => TextOp::EndsWith,
            _ => return Err(unsupported(format!("The function '{name}' is not supported."))),
        };
        let path = self.word()?;
        self.need(&Token::Comma)?;
        let Value::String(value) = self.literal()? else { return Err(invalid()) };
        self.need(&Token::Close)?;
        Ok(Filter::Text { path, op, value: value.to_lowercase() })
    }

    fn any(&mut self, path: &str) -> Result<Filter, GraphError> {
        let variable = self.word()?;
        self.need(&Token::Colon)?;
        if self.word()? != variable || self.word()? != "eq" {
            return Err(unsupported("Unsupported or invalid query filter clause specified."));
        }
        let value = self.literal()?;
        self.need(&Token::Close)?;
        Ok(Filter::Any { path: path.to_owned(), value })
    }

    fn list(&mut self, path: String) -> Result<Filter, GraphError> {
        self.need(&Token::Open)?;
        let mut values = vec![self.literal()?];
        while self.take(&Token::Comma) {
            values.push(self.literal()?);
        }
        self.need(&Token::Close)?;
        Ok(Filter::In { path, values })
    }

    fn literal(&mut self) -> Result<Value, GraphError> {
        match self.tokens.next() {
            Some(Token::Text(text)) => Ok(Value::String(text)),
            Some(Token::Word(word)) => Ok(match word.as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                "null" => Value::Null,
                _ => match word.parse::<serde_json::Number>() {
                    Ok(number) => Value::Number(number),
                    // A date or an id, as OData writes them.
                    Err(_)
                        if word.starts_with(|c: char| c.is_ascii_hexdigit())
                            && word.contains('-') =>
                    {
                        Value::String(word)
                    }
                    Err(_) => return Err(invalid()),
                },
            }),
            _ => Err(invalid()),
        }
    }

    fn word(&mut self) -> Result<String, GraphError> {
        match self.tokens.next() {
            Some(Token::Word(word)) => Ok(word),
            _ => Err(invalid()),
        }
    }

    fn take_word(&mut self, wanted: &str) -> bool {
        let is_it = matches!(self.tokens.peek(), Some(Token::Word(word)) if word == wanted);
        if is_it {
            self.tokens.next();
        }
        is_it
    }

    fn take(&mut self, wanted: &Token) -> bool {
        let is_it = self.tokens.peek() == Some(wanted);
        if is_it {
            self.tokens.next();
        }
        is_it
    }

    fn need(&mut self, wanted: &Token) -> Result<(), GraphError> {
        if self.take(wanted) { Ok(()) } else { Err(invalid()) }
    }
}

fn one_or(mut filters: Vec<Filter>, many: fn(Vec<Filter>) -> Filter) -> Filter {
    match filters.pop() {
        Some(only) if filters.is_empty() => only,
        Some(last) => {
            filters.push(last);
            many(filters)
        }
        None => many(filters),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn filters_choose() {
        let Value::Object(object) = json!({
            "displayName": "Adele O'Vance", "accountEnabled": true, "mail": null,
            "createdDateTime": "2026-01-15T22:56:05Z",
            "customer": {"tenantId": "4B827261-d21f-4aa9-b7db-7fa1f56fb163"},
            "groupTypes": ["Unified"], "status": "active",
        }) else {
            panic!()
        };
        for (text, expected) in [
            ("displayName eq 'adele o''vance'", true),
            ("displayName ne 'adele'", true),
            ("startsWith(displayName,'ADELE')", true),
            ("startswith(displayName, 'Bob') or accountEnabled eq true", true),
            ("endsWith(displayName,'vance')", true),
            ("not(startsWith(displayName,'Adele'))", false),
            ("not accountEnabled eq true", false),
            ("mail eq null", true),
            ("displayName in ('x', 'Adele O''Vance')", true),
            ("createdDateTime ge 2026-01-15T00:00:00Z", true),
            ("createdDateTime lt 2026-01-15T00:00:00Z", false),
            (
                "(customer/tenantId eq '4b827261-d21f-4aa9-b7db-7fa1f56fb163') and (status eq 'active')",
                true,
            ),
            (
                "customer/tenantId eq 4b827261-d21f-4aa9-b7db-7fa1f56fb163 and status eq 'expired'",
                false,
            ),
            ("groupTypes/any(c:c eq 'Unified')", true),
            ("groupTypes/any(c:c eq 'DynamicMembership')", false),
            ("a eq 'x' or status eq 'active' and accountEnabled eq false", false),
        ] {
            assert_eq!(parse(text).unwrap().matches(&object), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_filter() {
        for text in [
            "",
            "a",
            "a eq",
            "a eq b",
            "a eq 'b",
            "(a eq 'b'",
            "a eq 'b')",
            "a xx 'b'",
            "contains(a,'b')",
            "a in ()",
            "a eq 'b' and",
            "eq",
            &"not ".repeat(100),
            &"(".repeat(10_000),
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_index_is_found_by_what_must_be() {
        let filter = parse("status eq 'active' and customer/tenantId eq 'C'").unwrap();
        assert_eq!(filter.only("customer/tenantId"), Some("C"));
        assert_eq!(filter.only("displayName"), None);
        let either = parse("status eq 'active' or customer/tenantId eq 'C'").unwrap();
        assert_eq!(either.only("status"), None);
        assert_eq!(parse("startsWith(a,'B')").unwrap().prefix("a"), Some("b"));
    }

    proptest! {
        #[test]
        fn nothing_that_is_sent_stops_the_reader(text in ".{0,80}") {
            let _ = parse(&text);
            let _ = parse_search(&text);
        }

        #[test]
        fn every_text_can_be_asked_for(value in ".{0,20}") {
            let filter = parse(&format!("a eq '{}'", value.replace('\'', "''"))).unwrap();
            prop_assert_eq!(filter.only("a"), Some(value.as_str()));
        }
    }
}

//! Labels and the selectors that read them, with Kubernetes' grammar and meaning.

use super::Str;
use std::collections::BTreeMap;

use super::name::{CustomerKey, is_dns_label};
use super::scalar::{Fault, Grammar, Malformed, Scalar, within};

/// The key of a label: a name, with a domain before it if it is somebody's own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelKey(Str);

impl LabelKey {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for LabelKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Scalar for LabelKey {
    const WHAT: &'static str = "a label key";
    const GRAMMAR: Grammar = Grammar::Pattern {
        pattern: "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$",
        length_max: 317,
    };
    const EXAMPLES: &'static [&'static str] = &["segment", "fabrikam.example/tier"];

    fn parse(text: &str) -> Result<Self, Malformed> {
        within(text, 317)?;
        let (prefix, name) =
            text.rsplit_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
        let ok = prefix.is_none_or(|prefix| prefix.split('.').all(is_dns_label))
            && name.len() <= 63
            && !name.is_empty()
            && is_label_word(name);
        if ok { Ok(Self(text.into())) } else { Err(grammar_of_labels()) }
    }
}

/// The value of a label: may be empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelValue(Str);

impl LabelValue {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Scalar for LabelValue {
    const WHAT: &'static str = "a label value";
    const GRAMMAR: Grammar = Grammar::Pattern {
        pattern: "^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$",
        length_max: 63,
    };
    const EXAMPLES: &'static [&'static str] = &["enterprise"];

    fn parse(text: &str) -> Result<Self, Malformed> {
        if text.is_empty() {
            return Ok(Self(text.into()));
        }
        within(text, 63)?;
        if is_label_word(text) { Ok(Self(text.into())) } else { Err(grammar_of_labels()) }
    }
}

fn is_label_word(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
}

fn grammar_of_labels() -> Malformed {
    Malformed::because(
        Fault::Form,
        "letters, digits, `-`, `_` and `.`, at most 63, beginning and ending with a letter or digit",
    )
}

/// The labels of something, by key. There are few, so a sorted list is all it takes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Labels(Vec<(LabelKey, LabelValue)>);

impl Labels {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn get(&self, key: &LabelKey) -> Option<&LabelValue> {
        let at = self.0.binary_search_by_key(&key, |(key, _)| key).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&LabelKey, &LabelValue)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    pub fn values(&self) -> impl Iterator<Item = &LabelValue> {
        self.0.iter().map(|(_, value)| value)
    }
}

impl FromIterator<(LabelKey, LabelValue)> for Labels {
    /// The last of two equal keys counts.
    fn from_iter<I: IntoIterator<Item = (LabelKey, LabelValue)>>(labels: I) -> Self {
        let mut labels: Vec<_> = labels.into_iter().collect();
        labels.reverse();
        labels.sort_by(|a, b| a.0.cmp(&b.0));
        labels.dedup_by(|a, b| a.0 == b.0);
        Self(labels)
    }
}

/// Which of the declared customers. All label conditions must hold; names are added, exceptions
/// taken away.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Selector {
    pub labels: Labels,
    pub any_of: BTreeMap<LabelKey, Vec<LabelValue>>,
    pub none_of: BTreeMap<LabelKey, Vec<LabelValue>>,
    pub exists: Vec<LabelKey>,
    pub names: Vec<CustomerKey>,
    pub except: Vec<CustomerKey>,
    pub all: bool,
}

impl Selector {
    /// Whether it asks anything of labels.
    pub fn has_conditions(&self) -> bool {
        let Self { labels, any_of, none_of, exists, names: _, except: _, all: _ } = self;
        !(labels.is_empty() && any_of.is_empty() && none_of.is_empty() && exists.is_empty())
    }

    /// Whether it chooses anybody at all: `except` alone does not.
    pub fn chooses(&self) -> bool {
        self.all || self.has_conditions() || !self.names.is_empty()
    }

    /// Whether labels (or `all`) choose a customer, names and exceptions aside.
    pub fn matches(&self, labels: &Labels) -> bool {
        if self.all {
            return true;
        }
        let value = |key: &LabelKey| labels.get(key);
        self.has_conditions()
            && self.labels.iter().all(|(key, wanted)| value(key) == Some(wanted))
            && self
                .any_of
                .iter()
                .all(|(key, wanted)| value(key).is_some_and(|v| wanted.contains(v)))
            && self
                .none_of
                .iter()
                .all(|(key, unwanted)| value(key).is_none_or(|v| !unwanted.contains(v)))
            && self.exists.iter().all(|key| value(key).is_some())
    }

    /// Whether it selects this customer.
    pub fn selects(&self, name: &CustomerKey, labels: &Labels) -> bool {
        !self.except.contains(name) && (self.names.contains(name) || self.matches(labels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs
            .iter()
            .map(|(k, v)| (LabelKey::parse(k).unwrap(), LabelValue::parse(v).unwrap()))
            .collect()
    }

    #[test]
    fn names_add_and_exceptions_take_away() {
        let key = |name| CustomerKey::parse(name).unwrap();
        let selector = Selector {
            labels: labels(&[("segment", "enterprise")]),
            names: vec![key("wingtip")],
            except: vec![key("contoso")],
            ..Selector::default()
        };
        let enterprise = labels(&[("segment", "enterprise")]);
        assert!(selector.selects(&key("adatum"), &enterprise));
        assert!(selector.selects(&key("wingtip"), &Labels::new()));
        assert!(!selector.selects(&key("contoso"), &enterprise));
        assert!(!selector.selects(&key("adatum"), &Labels::new()));
    }

    #[test]
    fn an_empty_selector_selects_nobody() {
        assert!(!Selector::default().matches(&labels(&[("a", "b")])));
        assert!(!Selector::default().chooses());
    }

    #[test]
    fn not_in_holds_for_who_has_no_such_label() {
        let mut selector = Selector::default();
        selector
            .none_of
            .insert(LabelKey::parse("segment").unwrap(), vec![LabelValue::parse("smb").unwrap()]);
        assert!(selector.matches(&Labels::new()));
        assert!(!selector.matches(&labels(&[("segment", "smb")])));
    }
}

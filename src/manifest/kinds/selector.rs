//! Selectors of customers.

use std::collections::BTreeMap;

use schemars::{Schema, SchemaGenerator, json_schema};

use crate::manifest::code::Code;
use crate::manifest::read::collections::{Map, SetOfSome};
use crate::manifest::read::fields::object_schema;
use crate::manifest::read::{At, Described, Reader, Shaped, shape, shared};
use crate::manifest::text::arena::{Node, View};
use crate::model::label::{LabelKey, LabelValue, Labels, Selector};
use crate::model::name::CustomerKey;

/// As it stands in a manifest, before it is known to choose anybody.
struct Written {
    labels: Labels,
    any_of: BTreeMap<LabelKey, Vec<LabelValue>>,
    none_of: BTreeMap<LabelKey, Vec<LabelValue>>,
    exists: Vec<LabelKey>,
    names: Vec<CustomerKey>,
    except: Vec<CustomerKey>,
    all: bool,
}

shape!(Written, "a selector", {
    /// Labels that a customer must have, each with this value.
    "labels" => labels: default NonEmpty<Labels>, Local, Labels::new(), "";
    /// Labels that must have one of these values.
    "in" => any_of: default NonEmpty<Map<LabelKey, Values>>, Local, BTreeMap::new(), "";
    /// Labels that must not have any of these values.
    "notIn" => none_of: default NonEmpty<Map<LabelKey, Values>>, Local, BTreeMap::new(), "";
    /// Labels that must be there, whatever their value.
    "exists" => exists: default SetOfSome<LabelKey>, Local, Vec::new(), "";
    /// Customers to add by name.
    "names" => names: default SetOfSome<CustomerKey>, Local, Vec::new(), "";
    /// Customers to leave out by name.
    "except" => except: default SetOfSome<CustomerKey>, Local, Vec::new(), "";
    /// All declared customers.
    "all" => all: default All, Local, false, "";
});

/// The values of `in` and `notIn`.
struct Values(Vec<LabelValue>);

impl Shaped for Values {
    fn read(at: At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        SetOfSome::<LabelValue>::read(at, reader).map(|values| Self(values.0))
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        SetOfSome::<LabelValue>::schema(generator)
    }

    fn described() -> Described {
        Described {
            examples: &["{segment: [enterprise, public]}"],
            ..Described::simply("a mapping of label keys to lists of values")
        }
    }
}

impl From<Map<LabelKey, Values>> for BTreeMap<LabelKey, Vec<LabelValue>> {
    fn from(map: Map<LabelKey, Values>) -> Self {
        map.0.into_iter().map(|(key, values)| (key, values.0)).collect()
    }
}

/// A mapping with at least one entry: a condition that is no condition chooses nobody.
struct NonEmpty<T>(T);

impl From<NonEmpty<Self>> for Labels {
    fn from(some: NonEmpty<Self>) -> Self {
        some.0
    }
}

impl From<NonEmpty<Map<LabelKey, Values>>> for BTreeMap<LabelKey, Vec<LabelValue>> {
    fn from(some: NonEmpty<Map<LabelKey, Values>>) -> Self {
        some.0.into()
    }
}

impl<T: Shaped> Shaped for NonEmpty<T> {
    fn read(at: At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let node = at.node()?;
        if matches!(node.view(), View::Mapping(entries) if entries.is_empty()) {
            let message = format!("`{}` is empty", reader.field);
            reader.report(
                Code::P0111,
                at.key.unwrap_or(node.span()),
                message,
                Some("give it an entry, or leave it out".to_owned()),
            );
            return None;
        }
        T::read(at, reader).map(Self)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = T::schema(generator);
        schema.insert("minProperties".to_owned(), 1.into());
        schema
    }

    fn described() -> Described {
        T::described()
    }
}

/// `all: true`; false would only confuse.
struct All;

impl From<All> for bool {
    fn from(_: All) -> Self {
        true
    }
}

impl Shaped for All {
    fn read(at: At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let node = at.node()?;
        if matches!(node.view(), View::Bool(true)) {
            return Some(Self);
        }
        let help = Some("say whom by labels or names, or leave `all` out".to_owned());
        reader.report(Code::P0106, node.head(), "`all` can only be `true`", help);
        None
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "const": true })
    }

    fn described() -> Described {
        Described { examples: &["true"], ..Described::simply("`true`") }
    }
}

/// The keys that choose somebody; `except` alone takes away from nobody.
const CHOOSING: [&str; 6] = ["labels", "in", "notIn", "exists", "names", "all"];

impl Shaped for Selector {
    fn read(at: At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let [near, far] = at.fallbacks;
        let said = [at.own, near, far].into_iter().flatten();
        let chooses = said.clone().any(|node| CHOOSING.iter().any(|key| node.entry(key).is_some()));
        let known = |node: Node<'_>| match node.view() {
            View::Mapping(mut entries) => {
                entries.all(|(key, _)| Written::FIELDS.iter().any(|field| field.key == key.text()))
            }
            _ => false,
        };
        if !chooses && said.clone().all(known) {
            let span = at.node().map_or_else(|| at.holder(), Node::head);
            let help = Some(
                "name `labels`, `in`, `notIn`, `exists` or `names`, or say `all: true`".to_owned(),
            );
            reader.report(Code::P0111, span, "a selector that chooses nobody", help);
            Written::read(at, reader);
            return None;
        }
        let Written { labels, any_of, none_of, exists, names, except, all } =
            Written::read(at, reader)?;
        Some(Self { labels, any_of, none_of, exists, names, except, all })
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        shared::<Self>(generator, |generator| {
            let mut schema = object_schema("a selector", &Written::FIELDS, generator);
            let choosing: Vec<serde_json::Value> =
                CHOOSING.iter().map(|key| serde_json::json!({ "required": [key] })).collect();
            schema.insert("anyOf".to_owned(), choosing.into());
            schema
        })
    }

    fn described() -> Described {
        Described {
            examples: &["{labels: {segment: enterprise}}"],
            fields: &Written::FIELDS,
            ..Described::simply("a selector of customers")
        }
    }
}

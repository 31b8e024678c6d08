//! The published schema and the reader accept and refuse alike, on all that a schema can say.
//!
//! Documents are made from the schema itself, then broken in one or two places; jsonschema judges
//! one side, the reader the other. What only the reader can know (a day that does not exist, a
//! name that nothing has) has codes of its own and does not count here.

use std::collections::HashMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::string::string_regex;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use super::code::Code;
use super::document::{read_document, read_head};
use super::draft::Draft;
use super::read::Reader;
use super::schema;
use super::source::SourceId;
use super::text::{self, Parsed, arena::Arena};
use crate::model::name::Kind;

/// Documents for each kind, some of them broken.
const ROUNDS: usize = 400;

/// Values that people and programs put where they do not belong.
fn intruders() -> Vec<Value> {
    let texts = [
        "",
        " ",
        "none",
        "None",
        "x",
        "-",
        "a b",
        "A",
        "1",
        "true",
        "P2Y",
        "P6M",
        "P0D",
        "PT1H",
        "2027-02-30",
        "2027-13-01",
        "jp",
        "JPN",
        "+81",
        "+81 3 1234 5678",
        "https://",
        "http://a b",
        "ftp://x.example",
        "@",
        "a@b",
        "a@b.example",
        "user/aiko",
        "role/x",
        "Role/x",
        "/x",
        "x/",
        "kind/name/x",
        "-x",
        "x-",
        "x.y",
        ".x",
        "田中",
        "a\tb",
        "a\nb",
        "a\u{7f}",
        "0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e1",
        "0c5c2a608e1f4a5e9b520d5f5c1a77e1",
        "spec.x",
        "spec",
        "spec..x",
        "150s",
        "m",
        "embedded",
        "zh-TW",
        "zh-tw",
        "zh-Hant-TW",
        "en-",
        "P1203",
        "p1203",
        "partnerctl/v1",
        "v1",
    ];
    let mut all: Vec<Value> = texts.iter().map(|text| (*text).into()).collect();
    all.extend([
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(7),
        json!(-1),
        json!(1_000_001),
        json!(1.5),
    ]);
    all.extend([
        json!([]),
        json!({}),
        json!(["none"]),
        json!(["x", "x"]),
        json!([null]),
        json!({"x": 1}),
        json!({"env": "X"}),
    ]);
    all.push("x".repeat(5000).into());
    all.push("y".repeat(64).into());
    all
}

#[expect(clippy::cast_possible_truncation, reason = "numbers of a schema are small")]
fn size(value: &Value, default: usize) -> usize {
    value.as_u64().map_or(default, |number| number as usize)
}

struct Maker {
    runner: TestRunner,
    /// The schema that `$ref` refers to.
    root: Value,
}

impl Maker {
    fn new(seed: u8, root: Value) -> Self {
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
        Self { runner: TestRunner::new_with_rng(Config::default(), rng), root }
    }

    fn number(&mut self, below: usize) -> usize {
        (0..below.max(1)).new_tree(&mut self.runner).unwrap().current()
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.number(100) < percent
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.number(from.len())]
    }

    /// A value that a schema accepts.
    fn make(&mut self, schema: &Value) -> Value {
        if let Some(target) = schema["$ref"].as_str() {
            let schema = self.root.pointer(target.trim_start_matches('#')).unwrap().clone();
            return self.make(&schema);
        }
        if !schema["const"].is_null() {
            return schema["const"].clone();
        }
        if let Some(words) = schema["enum"].as_array() {
            return self.pick(words).clone();
        }
        match schema["type"].as_str() {
            Some("object") => self.object(schema),
            Some("array") => {
                let least = size(&schema["minItems"], 0);
                let count = least + self.number(3);
                let mut items: Vec<Value> =
                    (0..count).map(|_| self.make(&schema["items"])).collect();
                if schema["uniqueItems"] == json!(true) {
                    let mut seen = Vec::new();
                    items.retain(|item| {
                        !seen.contains(item) && {
                            seen.push(item.clone());
                            true
                        }
                    });
                }
                items.into()
            }
            Some("string") => self.string(schema).into(),
            Some("boolean") => self.chance(50).into(),
            Some("integer") => {
                let (least, most) = (size(&schema["minimum"], 0), size(&schema["maximum"], 0));
                (least + self.number(most - least + 1)).into()
            }
            _ => {
                let choices = schema["anyOf"]
                    .as_array()
                    .unwrap_or_else(|| panic!("no way to make {schema}"))
                    .clone();
                let choice = self.pick(&choices).clone();
                self.make(&choice)
            }
        }
    }

    fn object(&mut self, schema: &Value) -> Value {
        let mut object = Map::new();
        let mut required: Vec<String> = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|key| key.as_str().unwrap().to_owned())
            .collect();
        if let Some(choices) = schema["anyOf"].as_array() {
            let choice = self.pick(choices).clone();
            required.extend(
                choice["required"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|key| key.as_str().unwrap().to_owned()),
            );
        }
        let properties = schema["properties"].as_object().cloned().unwrap_or_default();
        let least = size(&schema["minProperties"], 0);
        let most = size(&schema["maxProperties"], 100);
        for (key, property) in &properties {
            if object.len() < most && (required.contains(key) || self.chance(40)) {
                object.insert(key.clone(), self.make(property));
            }
        }
        while object.len() < least && !properties.is_empty() {
            let keys: Vec<&String> = properties.keys().collect();
            let key = (*self.pick(&keys)).clone();
            let value = self.make(&properties[&key]);
            object.insert(key, value);
        }
        if schema["additionalProperties"].is_object() {
            for _ in 0..least.max(self.number(3)) {
                let names = json!({ "type": "string", "pattern": schema["propertyNames"]["pattern"].as_str().unwrap_or("^[a-z]{1,8}$") });
                let key = if schema["propertyNames"]["enum"].is_array() {
                    self.make(&schema["propertyNames"])
                } else {
                    self.make(&names)
                };
                let value = self.make(&schema["additionalProperties"]);
                object.insert(key.as_str().unwrap().to_owned(), value);
            }
        }
        // The values of Defaults are judged by the kind beside them.
        if let (Some(by_kind), Some(kind)) =
            (schema["allOf"].as_array(), object.get("kind").cloned())
        {
            let found =
                by_kind.iter().find(|rule| rule["if"]["properties"]["kind"]["const"] == kind);
            if let Some(rule) = found {
                let values = rule["then"]["properties"]["values"].clone();
                let made = self.make(&values);
                object.insert("values".to_owned(), made);
            }
        }
        object.into()
    }

    fn string(&mut self, schema: &Value) -> String {
        let examples = schema["examples"].as_array().cloned().unwrap_or_default();
        if !examples.is_empty() && self.chance(30) {
            return self.pick(&examples).as_str().unwrap().to_owned();
        }
        let Some(pattern) = schema["pattern"].as_str() else { return "text".to_owned() };
        let most = size(&schema["maxLength"], usize::MAX);
        // The generator knows neither anchors nor what looks ahead.
        let pattern =
            pattern.trim_start_matches('^').trim_end_matches('$').replace("(?=[0-9])", "");
        let strategy = string_regex(&pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        for _ in 0..20 {
            let text = strategy.new_tree(&mut self.runner).unwrap().current();
            if text.chars().count() <= most && text != "P" {
                return text;
            }
        }
        examples.first().and_then(Value::as_str).unwrap_or("x").to_owned()
    }

    /// Breaks a document somewhere, or does what only looks like it.
    fn mutate(&mut self, document: &mut Value, intruders: &[Value]) {
        let mut places = Vec::new();
        pointers(document, "", &mut places);
        let place = self.pick(&places).clone();
        let (parent, last) = place.rsplit_once('/').unwrap();
        let last = last.replace("~1", "/").replace("~0", "~");
        match self.number(4) {
            0 => match document.pointer_mut(parent).unwrap() {
                Value::Object(object) => {
                    object.remove(&last);
                }
                Value::Array(items) => {
                    let again = items[last.parse::<usize>().unwrap()].clone();
                    items.push(again);
                }
                _ => {}
            },
            1 => {
                if let Value::Object(object) = document.pointer_mut(parent).unwrap()
                    && let Some(value) = object.remove(&last)
                {
                    object.insert(format!("{last}x"), value);
                }
            }
            _ => {
                let intruder = self.pick(intruders).clone();
                *document.pointer_mut(&place).unwrap() = intruder;
            }
        }
    }
}

fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    let escape = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| {
            let below = format!("{at}/{}", escape(key));
            all.push(below.clone());
            pointers(value, &below, all);
        }),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| {
            let below = format!("{at}/{index}");
            all.push(below.clone());
            pointers(item, &below, all);
        }),
        _ => {}
    }
}

/// What the reader says of a text, as far as a schema could say it.
fn refusals(text: &str, is_json: bool) -> Vec<String> {
    let mut arena = Arena::default();
    let Parsed { roots, faults } =
        if is_json { text::parse_json(text, &mut arena) } else { text::parse(text, &mut arena) };
    assert!(faults.is_empty(), "{faults:?}\n{text}");
    let mut drafts: Vec<Draft> = Vec::new();
    for root in roots {
        let mut reader = Reader::new(&mut drafts, SourceId(0), 0);
        if let Some(head) = read_head(arena.node(root), &mut reader)
            && let Some(kind) = head.kind
        {
            read_document(&head, kind, &HashMap::new(), &mut reader);
        }
    }
    drafts
        .iter()
        .filter(|draft| draft.code.in_schema())
        .map(|draft| format!("{} {}", draft.code, draft.message))
        .collect()
}

#[test]
fn schema_and_reader_agree() {
    let intruders = intruders();
    let (mut accepted, mut refused) = (0, 0);
    for (seed, kind) in (1u8..).zip(Kind::ALL) {
        let schema = schema::of_kind(*kind);
        let validator = jsonschema::validator_for(&schema).unwrap();
        let mut maker = Maker::new(seed, schema.clone());
        for round in 0..ROUNDS {
            let mut document = maker.make(&schema);
            for _ in 0..round % 3 {
                maker.mutate(&mut document, &intruders);
            }
            let valid = validator.is_valid(&document);
            for (text, is_json) in
                [(serde_yaml::to_string(&document).unwrap(), false), (document.to_string(), true)]
            {
                let refusals = refusals(&text, is_json);
                let why = || {
                    let errors: Vec<String> = validator
                        .iter_errors(&document)
                        .map(|e| format!("{} at {}", e, e.instance_path()))
                        .collect();
                    format!(
                        "{kind}, round {round}\nschema: {errors:?}\nreader: {refusals:?}\n{text}"
                    )
                };
                assert_eq!(valid, refusals.is_empty(), "{}", why());
            }
            if valid { accepted += 1 } else { refused += 1 }
        }
    }
    // The test is worth something only while both happen often.
    assert!(accepted > 1000 && refused > 1000, "{accepted} accepted, {refused} refused");
}

#[test]
fn the_schema_of_all_says_what_the_schema_of_each_kind_says() {
    let all = jsonschema::validator_for(&schema::of_all()).unwrap();
    for kind in Kind::ALL {
        let one = schema::of_kind(*kind);
        let example = &one["examples"][0];
        assert!(jsonschema::validator_for(&one).unwrap().is_valid(example), "{kind}");
        assert!(all.is_valid(example), "{kind}");
        let mut broken = example.clone();
        broken["nonsense"] = json!(1);
        assert!(!all.is_valid(&broken), "{kind}");
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": [example] });
        assert!(all.is_valid(&list), "{kind}");
        assert!(!all.is_valid(&json!({ "apiVersion": "v1", "kind": "List", "items": [list] })));
    }
}

#[test]
fn codes_that_a_schema_cannot_raise_are_told_apart() {
    assert!(Code::P0107.in_schema() && !Code::P0108.in_schema() && !Code::P0303.in_schema());
}

proptest! {
    /// The reader ends, and says something of whatever is no document.
    #[test]
    fn no_text_is_too_odd(text in "\\PC{0,200}") {
        let mut arena = Arena::default();
        let parsed = text::parse(&text, &mut arena);
        let mut drafts = Vec::new();
        for root in parsed.roots {
            let mut reader = Reader::new(&mut drafts, SourceId(0), 0);
            read_head(arena.node(root), &mut reader);
        }
    }
}

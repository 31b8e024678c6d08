//! JSON is accepted and understood exactly as `serde_json` does it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use partnerctl::manifest::text::arena::{Arena, Node, View};
use partnerctl::manifest::text::parse_json;
use serde_json::Value;

fn same(node: Node<'_>, value: &Value) -> bool {
    match (node.view(), value) {
        (View::Null, Value::Null) => true,
        (View::Bool(a), Value::Bool(b)) => a == *b,
        // serde_json rounds the last bits as it likes.
        (View::Number(a), Value::Number(b)) => {
            let (Ok(a), Some(b)) = (a.parse::<f64>(), b.as_f64()) else { return false };
            (a - b).abs() <= a.abs() * 1e-14
        }
        (View::String(a), Value::String(b)) => a == b,
        (View::Sequence(items), Value::Array(values)) => {
            items.len() == values.len() && items.zip(values).all(|(item, value)| same(item, value))
        }
        (View::Mapping(entries), Value::Object(values)) => {
            let all: Vec<_> = entries.collect();
            // Of keys that stand twice, serde_json keeps the last.
            all.iter().all(|(key, _)| values.contains_key(key.text()))
                && values.iter().all(|(key, value)| {
                    let last = all.iter().rev().find(|(k, _)| k.text() == key);
                    last.is_some_and(|(_, node)| same(*node, value))
                })
        }
        _ => false,
    }
}

fuzz_target!(|text: &str| {
    let mut arena = Arena::default();
    let parsed = parse_json(text, &mut arena);
    for fault in &parsed.faults {
        assert!(text.get(fault.span.range()).is_some(), "{fault:?}");
    }
    let text_only = text.strip_prefix('\u{feff}').unwrap_or(text);
    match serde_json::from_str::<Value>(text_only) {
        Ok(value) => {
            assert_eq!(parsed.faults, []);
            let [root] = parsed.roots[..] else { panic!("no root") };
            assert!(same(arena.node(root), &value), "{:?}", arena.node(root));
        }
        Err(error) => {
            let reason = error.to_string();
            // Ours alone: an empty file is no document; numbers are kept as they are written.
            let allowed = text_only.trim_matches([' ', '\t', '\n', '\r']).is_empty()
                || reason.contains("number out of range")
                || reason.contains("recursion limit");
            assert!(allowed || !parsed.faults.is_empty(), "accepted, but: {reason}");
        }
    }
});

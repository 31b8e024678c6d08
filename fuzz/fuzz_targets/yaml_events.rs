//! The full parser never panics, stays within its budgets and points inside the text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use partnerctl::manifest::text::arena::{Arena, Node, View};
use partnerctl::manifest::text::{DEPTH_MAX, EXPANSION_MAX, chunks, parse_events};

fn depth(node: Node<'_>) -> usize {
    match node.view() {
        View::Sequence(items) => 1 + items.map(depth).max().unwrap_or(0),
        View::Mapping(entries) => 1 + entries.map(|(_, value)| depth(value)).max().unwrap_or(0),
        _ => 0,
    }
}

fuzz_target!(|bytes: &[u8]| {
    let all = chunks(bytes);
    let mut end = None;
    for chunk in &all {
        let text = match chunk.text() {
            Ok(text) => text,
            Err(faults) => {
                assert!(!faults.is_empty());
                end = None;
                continue;
            }
        };
        assert!(end.is_none_or(|end| end == chunk.base), "a gap between chunks");
        end = Some(chunk.base + text.len() as u32);
        let mut arena = Arena::default();
        let parsed = parse_events(text, &mut arena);
        // No byte makes more than two nodes, and a chunk has a budget for each document.
        let documents = 1 + text.matches("...").count();
        assert!(arena.len() <= 2 * text.len() + 2 + documents * EXPANSION_MAX as usize);
        for fault in &parsed.faults {
            assert!(text.get(fault.span.range()).is_some(), "{fault:?}");
            assert!(fault.span.start < fault.span.end, "nothing to underline: {fault:?}");
        }
        for root in &parsed.roots {
            let node = arena.node(*root);
            assert!(depth(node) <= DEPTH_MAX);
            assert!(text.get(node.span().range()).is_some(), "{node:?}");
        }
    }
});

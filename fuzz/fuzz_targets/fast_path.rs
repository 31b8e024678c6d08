//! What the fast path accepts, the full parser accepts with the same trees and no faults.

#![no_main]

use libfuzzer_sys::fuzz_target;
use partnerctl::manifest::text::arena::Arena;
use partnerctl::manifest::text::{Parsed, chunks, parse_events, parse_fast};

fn shown(parsed: &Parsed, arena: &Arena<'_>) -> Vec<String> {
    parsed.roots.iter().map(|root| format!("{:?}", arena.node(*root))).collect()
}

fuzz_target!(|bytes: &[u8]| {
    for chunk in chunks(bytes) {
        let Ok(text) = chunk.text() else { continue };
        let mut fast_arena = Arena::default();
        let Some(fast) = parse_fast(text, &mut fast_arena) else {
            assert!(fast_arena.is_empty(), "given up, but nodes were left behind");
            continue;
        };
        let mut full_arena = Arena::default();
        let full = parse_events(text, &mut full_arena);
        assert_eq!(full.faults, [], "the full parser refuses it");
        assert_eq!(shown(&fast, &fast_arena), shown(&full, &full_arena));
        assert_eq!(fast_arena.len(), full_arena.len());
    }
});

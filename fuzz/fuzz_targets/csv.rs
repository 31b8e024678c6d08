//! Tables never panic, and a cell's text is what stands at its span.

#![no_main]

use libfuzzer_sys::fuzz_target;
use partnerctl::manifest::text::parse_csv;

fuzz_target!(|text: &str| {
    let table = parse_csv(text);
    for fault in &table.faults {
        assert!(text.get(fault.span.range()).is_some(), "{fault:?}");
    }
    let mut end = 0;
    for cell in table.header.iter().chain(table.rows().flatten()) {
        assert!(cell.span.start >= end, "cells out of order");
        end = cell.span.end;
        let Some(raw) = text.get(cell.span.range()) else { panic!("span outside: {cell:?}") };
        if !raw.contains('"') {
            assert_eq!(raw, cell.text);
        }
        if table.faults.is_empty() && raw.starts_with('"') && raw.ends_with('"') && raw.len() > 1 {
            let inner = raw[1..raw.len() - 1].replace("\"\"", "\"");
            if !raw[1..raw.len() - 1].replace("\"\"", "").contains('"') {
                assert_eq!(inner, cell.text);
            }
        }
    }
});

//! Formatting ends, changes nothing the second time, and keeps what the text means.

#![no_main]

use libfuzzer_sys::fuzz_target;
use partnerctl::manifest::format::format_yaml;
use partnerctl::manifest::order::CanonicalOrder;

fuzz_target!(|text: &str| {
    let order = CanonicalOrder::default();
    let once = format_yaml(text, &order);
    let twice = format_yaml(&once.text, &order);
    assert_eq!(once.text, twice.text, "from {text:?}");
    // Comments are kept: as many as before, in every document that parses.
    assert_eq!(once.text.matches("#c").count(), text.matches("#c").count(), "from {text:?}");
});

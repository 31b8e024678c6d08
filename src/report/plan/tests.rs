//! Whole outputs, and what must hold for any of them.
//!
//! `SNAPSHOTS=overwrite cargo test report::plan` writes the files under `snapshots/` anew.

use std::path::Path;

use proptest::prelude::*;
use serde_json::json;
use snapbox::data::DataFormat;
use snapbox::{Assert, Data};

use super::fixture;
use super::{Format, schema, write};
use crate::plan::Plan;
use crate::plan::step::Cause;
use crate::report::comment::reading::{checked, texts};
use crate::report::{Style, drift};

const PLAIN: Style = Style { color: false, width: 100 };
const ALL: [Format; 4] = [Format::Text, Format::Json, Format::Markdown, Format::Html];

fn show(plan: &Plan, format: Format, style: Style) -> String {
    let mut out = Vec::new();
    write(plan, format, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn golden(name: &str, shown: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/plan/snapshots");
    same(&folder.join(name), shown);
}

fn same(path: &Path, shown: &str) {
    let expected = Data::read_from(path, Some(DataFormat::Text)).raw();
    Assert::new().action_env("SNAPSHOTS").eq(shown, expected);
}

#[test]
fn a_usual_plan() {
    let plan = fixture::usual();
    golden("usual.txt", &show(&plan, Format::Text, PLAIN));
    golden("usual.md", &show(&plan, Format::Markdown, PLAIN));
    golden("usual.colour.txt", &show(&plan, Format::Text, Style { color: true, width: 100 }));
    golden("usual.narrow.txt", &show(&plan, Format::Text, Style { color: false, width: 60 }));
    golden("small.json", &show(&fixture::small(), Format::Json, PLAIN));
}

#[test]
fn a_hostile_plan() {
    let plan = fixture::hostile();
    golden("hostile.txt", &show(&plan, Format::Text, PLAIN));
    golden("hostile.md", &show(&plan, Format::Markdown, PLAIN));
}

#[test]
fn an_empty_plan() {
    golden("empty.txt", &show(&fixture::empty(), Format::Text, PLAIN));
    golden("empty.md", &show(&fixture::empty(), Format::Markdown, PLAIN));
    golden("invited.txt", &show(&fixture::invited(), Format::Text, PLAIN));
    golden("invited.md", &show(&fixture::invited(), Format::Markdown, PLAIN));
    golden("only_waiting.txt", &show(&fixture::only_waiting(), Format::Text, PLAIN));
    golden("only_waiting.md", &show(&fixture::only_waiting(), Format::Markdown, PLAIN));
}

/// The file that the tests from outside show is the plan that is shown here.
#[test]
fn the_file_of_the_outside_tests_is_fresh() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/plan.json");
    let bytes = fixture::small().to_bytes().unwrap();
    same(&file, std::str::from_utf8(&bytes).unwrap());
}

#[test]
fn json_is_the_file() {
    for plan in [fixture::usual(), fixture::hostile(), fixture::empty()] {
        let shown = show(&plan, Format::Json, PLAIN);
        assert_eq!(Plan::read(shown.as_bytes()).as_ref(), Ok(&plan), "it can be applied");
        let acting = |char: char| char.is_control() && char != '\n';
        assert!(!shown.contains(acting) && !shown.contains('\u{202e}'), "harmless to print");
    }
}

#[test]
fn plans_are_as_their_schema_says() {
    let schema = jsonschema::validator_for(&schema()).unwrap();
    for plan in [fixture::usual(), fixture::hostile(), fixture::empty(), fixture::only_waiting()] {
        let value = serde_json::to_value(&plan).unwrap();
        let wrong: Vec<String> = schema.iter_errors(&value).map(|e| e.to_string()).collect();
        assert_eq!(wrong, [""; 0]);
    }
    let mut other = serde_json::to_value(fixture::empty()).unwrap();
    other["format"] = json!("partnerctl/plan/v2");
    assert!(!schema.is_valid(&other));
    other["format"] = json!("partnerctl/plan/v1");
    other["steps"] = json!([{"id": "x"}]);
    assert!(!schema.is_valid(&other));
}

/// Each cause is told by a word of its own, in each format for people.
#[test]
fn causes_are_told_apart() {
    let causes = [
        Cause::Change,
        Cause::Drift,
        Cause::Both,
        Cause::Adopt,
        Cause::Expiry,
        Cause::Create,
        Cause::Remove,
    ];
    let plan = fixture::small();
    for cause in causes {
        let word = cause.word();
        let told =
            plan.steps.iter().flat_map(|step| &step.fields).any(|field| field.cause == cause);
        assert!(told, "{word} is in the fixture");
        let text = show(&plan, Format::Text, PLAIN);
        assert!(text.contains(&format!("\n      {word:<6}  spec.")), "{word} in text");
        let markdown = show(&plan, Format::Markdown, PLAIN);
        assert!(markdown.contains(&format!("  # {word}\n")), "{word} in markdown");
    }
}

/// A secret in every place that can hold text, under names that say so and under others.
#[test]
fn no_secret_is_in_any_format() {
    let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJub2JvZHkifQ.c2lnbmF0dXJlMTIz";
    let identity = "AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";
    let key = "-----BEGIN PRIVATE KEY-----\nMIIEcanary\n-----END PRIVATE KEY-----";
    let mut at = 0;
    let mut plan = fixture::with_texts(|| {
        at += 1;
        format!("before {} after", [token, identity, key][at % 3])
    });
    let named = &mut plan.steps[0].fields[0];
    named.path = "spec.clientSecret".to_owned();
    named.before = json!("canary-by-name");
    named.after = json!({"inner": ["canary-by-name"]});
    named.applied = Some(json!("canary-by-name"));
    plan.steps[1].fields[0].after = json!({"password": "canary-by-name", "long": "x".repeat(90)});
    let mut all: Vec<String> = ALL.iter().map(|format| show(&plan, *format, PLAIN)).collect();
    // What others changed is told of the same fields.
    let mut drifted = plan.clone();
    for field in drifted.steps.iter_mut().flat_map(|step| &mut step.fields) {
        field.cause = Cause::Drift;
    }
    for format in [drift::Format::Text, drift::Format::Json] {
        let mut out = Vec::new();
        drift::write(&drift::Drift::of(&drifted), format, PLAIN, &mut out).unwrap();
        all.push(String::from_utf8(out).unwrap());
    }
    for shown in all {
        for canary in
            ["eyJhbGci", "c2lnbmF0", "AGE-SECRET", "1QQPZRY9", "MIIEcanary", "canary-by-name"]
        {
            assert!(!shown.contains(canary), "{canary} in\n{shown}");
        }
        assert!(shown.contains("••••••"), "{shown}");
    }
    let shown = show(&plan, Format::Json, PLAIN);
    assert!(Plan::read(shown.as_bytes()).is_err(), "nobody applies a mask");
}

#[test]
fn the_same_plan_is_the_same_bytes() {
    for format in ALL {
        assert_eq!(show(&fixture::small(), format, PLAIN), show(&fixture::small(), format, PLAIN));
    }
}

/// GitHub refuses longer comments.
const COMMENT_MAX: usize = 60_000;

#[test]
fn a_comment_fits_at_any_size() {
    for count in [5_000, 1_000, 100] {
        let shown = show(&fixture::large(count), Format::Markdown, PLAIN);
        eprintln!("{count} changes: a comment of {} bytes", shown.len());
        assert!(shown.len() <= COMMENT_MAX, "{count}: {}", shown.len());
        assert!(shown.len() > 20_000, "{count}: what fits is shown: {}", shown.len());
        checked(&shown);
        assert!(shown.contains("see the plan file, or `partnerctl show --format html`"));
    }
    let mut at = 0;
    let long = fixture::with_texts(|| {
        at += 1;
        format!("{at}{}", "長い`|@".repeat(4_000))
    });
    let shown = show(&long, Format::Markdown, PLAIN);
    assert!(shown.len() <= COMMENT_MAX, "{}", shown.len());
    checked(&shown);
}

#[test]
fn a_large_plan_tells_what_matters_first() {
    let shown = show(&fixture::large(5_000), Format::Markdown, PLAIN);
    let place = |text: &str| shown.find(text).unwrap_or_else(|| panic!("{text}:\n{shown}"));
    let order = [
        "## Plan ",
        "[!CAUTION]",
        "| create |",
        "limit over 24 hours",
        "### Who gains what",
        "<summary>Refused: ",
        "<summary>Cannot be taken back: ",
        "<summary>Takes something away: ",
        "<summary>Gives privileges: ",
        "<summary>The rest: ",
        "<summary>Waiting for people: ",
    ];
    assert!(order.is_sorted_by_key(|text| place(text)));
    let text = show(&fixture::large(5_000), Format::Text, PLAIN);
    assert!(text.lines().count() < 2_000, "{} lines", text.lines().count());
    assert!(text.lines().last().unwrap().starts_with("plan "));
}

#[test]
fn what_we_write_is_what_is_read() {
    for plan in [
        fixture::usual(),
        fixture::hostile(),
        fixture::empty(),
        fixture::only_waiting(),
        fixture::invited(),
    ] {
        checked(&show(&plan, Format::Markdown, PLAIN));
    }
}

/// The plan with these texts in turn, each made different from the others by a word.
fn filled(texts: &[String]) -> Plan {
    let mut at = 0;
    fixture::with_texts(|| {
        at += 1;
        format!("{} n{at}", texts[at % texts.len()])
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever the texts are, the document has the parts that it has with harmless ones.
    #[test]
    fn texts_are_no_markdown(texts in texts()) {
        let shown = |texts: &[String]| checked(&show(&filled(texts), Format::Markdown, PLAIN));
        prop_assert_eq!(shown(&texts), shown(&["word".to_owned()]));
    }

    #[test]
    fn texts_do_nothing_to_a_terminal_or_a_log(texts in texts()) {
        let shown = show(&filled(&texts), Format::Text, PLAIN);
        for line in shown.lines() {
            prop_assert!(!line.chars().any(char::is_control), "{line:?}");
            prop_assert!(!line.trim_start().starts_with("::"), "{line:?}");
        }
        prop_assert!(!shown.contains('\u{202e}') && !shown.contains("##["), "{shown}");
    }

    #[test]
    fn json_carries_every_text(texts in texts()) {
        let plan = filled(&texts);
        let shown = show(&plan, Format::Json, PLAIN);
        prop_assert_eq!(Plan::read(shown.as_bytes()).ok(), Some(plan));
    }
}

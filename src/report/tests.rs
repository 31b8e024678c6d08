//! Whole outputs, and what must hold for any of them.
//!
//! `SNAPSHOTS=overwrite cargo test report` writes the files under `snapshots/` anew.

use super::{Format, Style, findings as write};
use crate::manifest::code::{Code, Severity};
use crate::manifest::finding::{Checked, Excerpt, Finding, Findings, Place, Region, Related};
use crate::manifest::source::{Format as SourceFormat, Lines, Source, SourceId, Span, to_u32};
use proptest::prelude::*;
use snapbox::data::DataFormat;
use snapbox::{Assert, Data};
use std::path::Path;

const PLAIN: Style = Style { color: false, width: 100 };
const ALL: &[Format] = &[Format::Text, Format::Json, Format::Sarif, Format::Junit, Format::Github];

fn show(format: Format, findings: &Findings, style: Style) -> String {
    let mut out = Vec::new();
    write(format, findings, style, &mut out).expect("a Vec takes everything");
    String::from_utf8(out).expect("reports are UTF-8")
}

/// Compares the outputs with the files `snapshots/{case}.{format}`.
fn golden(case: &str, findings: &Findings, formats: &[Format]) {
    for format in formats {
        let extension = match format {
            Format::Text => "txt",
            Format::Json => "json",
            Format::Sarif => "sarif",
            Format::Junit => "xml",
            Format::Github => "github.txt",
        };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/snapshots");
        let path = folder.join(format!("{case}.{extension}"));
        let expected = Data::read_from(&path, Some(DataFormat::Text)).raw();
        let version = concat!("\"", env!("CARGO_PKG_VERSION"), "\"");
        let shown = show(*format, findings, PLAIN).replace(version, "\"VERSION\"");
        let shown = if *format == Format::Sarif { without_stories(&shown) } else { shown };
        Assert::new().action_env("SNAPSHOTS").eq(shown, expected);
    }
}

/// SARIF without what it takes from the stories, which are edited more often than reports.
fn without_stories(sarif: &str) -> String {
    let mut kept = Vec::new();
    let mut within = false;
    for line in sarif.lines() {
        let is_end = within && line.trim() == "},";
        if !within || is_end {
            kept.push(line);
        }
        within =
            (within && !is_end) || ["\"fullDescription\": {", "\"help\": {"].contains(&line.trim());
    }
    kept.join("\n") + "\n"
}

/// Findings over texts, made by naming the text to underline.
#[derive(Default)]
struct World {
    findings: Findings,
}

impl World {
    fn file(&mut self, name: &str, text: impl Into<Vec<u8>>) -> SourceId {
        let name = name.to_owned();
        self.findings.checked.files += 1;
        self.findings.checked.documents += 1;
        self.findings.sources.add(Source { name, format: SourceFormat::Yaml, bytes: text.into() })
    }

    fn bytes(&self, source: SourceId) -> &[u8] {
        &self.findings.sources.get(source).expect("a file of this world").bytes
    }

    fn excerpt(&self, source: SourceId, text: &str) -> Excerpt {
        let at = memchr::memmem::find(self.bytes(source), text.as_bytes()).expect("it holds it");
        Excerpt { source, span: Span::new(to_u32(at), to_u32(at + text.len())) }
    }

    fn place(&self, source: SourceId, text: &str) -> Place {
        self.place_of(self.excerpt(source, text))
    }

    fn place_of(&self, excerpt: Excerpt) -> Place {
        let source = self.findings.sources.get(excerpt.source).expect("a file of this world");
        let lines = Lines::of(&source.bytes);
        let (start, end) = (lines.place(excerpt.span.start), lines.place(excerpt.span.end));
        let region = Region {
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            excerpt: Some(excerpt),
        };
        Place { file: source.name.clone(), region: Some(region) }
    }

    fn found(&mut self, code: Code, message: &str, place: Place) -> &mut Finding {
        self.findings.all.push(Finding {
            code,
            severity: code.severity(),
            message: message.to_owned(),
            help: None,
            place,
            object: None,
            related: Vec::new(),
        });
        self.findings.all.last_mut().expect("it was just pushed")
    }
}

fn file_only(file: &str) -> Place {
    Place { file: file.to_owned(), region: None }
}

const USERS: &str = "\
apiVersion: partnerctl/v1
kind: User
metadata:
  name: aiko-tanaka
spec:
  displayName: 田中 愛子
  email: aiko.tanaka@fabrikam.example
  agent: admin
";

#[test]
fn nothing_found() {
    let mut world = World::default();
    world.file("estate/users.yaml", USERS);
    world.file("estate/account.yaml", "kind: Account\n");
    let kinds = vec![("account", 1), ("user", 6), ("delegated-access", 2), ("role", 0)];
    world.findings.checked = Checked { files: 2, documents: 9, kinds };
    golden("nothing_found", &world.findings, ALL);
    world.findings.waived = 2;
    assert!(show(Format::Text, &world.findings, PLAIN).ends_with("no findings, 2 waived\n"));
}

/// An error with a help and a place in another file, a warning on many lines, a note.
fn usual() -> Findings {
    let mut world = World::default();
    let users = world.file("estate/users.yaml", USERS);
    let people = world.file("estate/people.yaml", format!("# people\n---\n{USERS}"));
    let related = Related {
        message: "it was used here first".to_owned(),
        place: world.place(people, "aiko-tanaka"),
    };
    let place = world.place(users, "aiko-tanaka");
    let finding = world.found(Code::P0301, "the name `aiko-tanaka` is used twice", place);
    finding.help = Some("give one of the two users another name".to_owned());
    finding.object = Some("user/aiko-tanaka".to_owned());
    finding.related = vec![related];
    let place =
        world.place(users, "displayName: 田中 愛子\n  email: aiko.tanaka@fabrikam.example\n");
    world.found(Code::P0012, "a value on several lines", place);
    let place = world.place(users, "愛子");
    world.found(Code::P1008, "this access expired on 2026-03-31", place);
    world.findings.waived = 1;
    world.findings
}

#[test]
fn errors_warnings_and_notes() {
    golden("usual", &usual(), ALL);
}

#[test]
fn wide_characters_and_tabs_keep_the_underline_right() {
    let mut world = World::default();
    let text =
        "\u{feff}name: 株式会社コントソ # ｱｲｺ\n\tkey:\tContoso\t# x\nesc: \u{1b}[31mred\u{202e}x\n";
    let file = world.file("a.yaml", text);
    for marked in
        ["コントソ", "ｱｲｺ", "name", "Contoso", "\tkey", "red", "\u{1b}", "x\n", "\u{202e}"]
    {
        let place = world.place(file, marked);
        let message = format!("underlines {marked:?}");
        world.found(Code::P0107, &message, place);
    }
    golden("wide", &world.findings, &[Format::Text]);
}

#[test]
fn spans_of_many_lines() {
    let mut world = World::default();
    let items: Vec<String> = (0..60).map(|at| format!("  - item-{at}\n")).collect();
    let items = items.concat();
    let file = world.file("a.yaml", format!("long:\n{items}short:\n  a: 1\n  b: 2\nend: 3\n"));
    let place = world.place(file, &items);
    world.found(Code::P0107, "too long to show", place);
    let place = world.place(file, "short:\n  a: 1\n  b: 2\n");
    world.found(Code::P0107, "ends before the next line", place);
    let place = world.place(file, "end: 3\n");
    world.found(Code::P0107, "one line and its break", place);
    let end = to_u32(world.bytes(file).len());
    let place = world.place_of(Excerpt { source: file, span: Span::new(end, end) });
    world.found(Code::P0109, "the very end", place);
    golden("lines", &world.findings, &[Format::Text]);
}

/// A secret, a finding that quotes it, and another finding on its line.
fn secret() -> Findings {
    let mut world = World::default();
    let text = "clientSecret: \"s3cr3t-value\" # not s3cr3t-value please\nkey: |\n  AAAABBBBCCCC\nx: pin\n";
    let file = world.file("partnerctl.yaml", text);
    for masked in ["\"s3cr3t-value\"", "|\n  AAAABBBBCCCC\n", "pin"] {
        world.findings.masked.push(world.excerpt(file, masked));
    }
    let place = world.place(file, "\"s3cr3t-value\"");
    let finding = world.found(Code::P0501, "a secret, `s3cr3t-value`, stands here", place.clone());
    finding.help = Some("write `{env: NAME}` and take s3cr3t-value away".to_owned());
    finding.object = Some("project/s3cr3t-value".to_owned());
    finding.related = vec![Related { message: "AAAABBBBCCCC".to_owned(), place }];
    let place = world.place(file, "not s3cr3t-value");
    world.found(Code::P0101, "another finding on the line", place);
    let place = world.place(file, "cr3t-va");
    world.found(Code::P0101, "within the secret", place);
    let place = world.place(file, "|\n  AAAABBBBCCCC");
    world.found(Code::P0502, "something that looks like a private key", place);
    let place = world.place(file, "x");
    world.found(Code::P0101, "short secrets are hidden by place", place);
    world.findings
}

#[test]
fn secrets_are_in_no_output() {
    let findings = secret();
    golden("secret", &findings, &[Format::Text, Format::Json]);
    for format in ALL {
        let shown = show(*format, &findings, PLAIN);
        for secret in ["s3cr3t", "cr3t", "BBBB"] {
            assert!(!shown.contains(secret), "{format:?} shows {secret}:\n{shown}");
        }
    }
    assert!(!show(Format::Text, &findings, PLAIN).contains("pin"));
}

#[test]
fn an_empty_secret_changes_nothing() {
    let mut world = World::default();
    let file = world.file("a.yaml", "##[group]\n");
    world.findings.masked.push(Excerpt { source: file, span: Span::new(2, 2) });
    let place = world.place(file, "[group]");
    world.found(Code::P0101, "x", place);
    let shown = show(Format::Text, &world.findings, PLAIN);
    assert!(shown.contains("1 | #\\u{23}[group]\n  |        ^^^^^^^\n"), "{shown}");
}

/// Text that acts, everywhere where text from outside can stand.
fn hostile() -> Findings {
    let acts = "\u{1b}[2J\u{202e}\r\n::error::pwned\n##vso[task.complete]\u{200b}";
    let mut world = World::default();
    let text = format!("a: {acts}\n::warning::x ##[group]y: \u{9b}1m\n");
    let file = world.file(&format!("::{acts},a:b%.yaml"), text);
    let place = world.place(file, "##[group]");
    let finding = world.found(Code::P0101, &format!("::{acts}"), place.clone());
    finding.help = Some(acts.to_owned());
    finding.object = Some(format!("user/{acts}"));
    finding.related = vec![Related { message: acts.to_owned(), place }];
    let place = world.place(file, "::warning::x");
    world.found(Code::P0012, "plain", place);
    world.findings
}

#[test]
fn text_that_acts_is_harmless_in_every_format() {
    let findings = hostile();
    golden("hostile", &findings, ALL);
    for format in ALL {
        let shown = show(*format, &findings, PLAIN);
        assert_harmless(&shown, *format == Format::Github);
    }
}

fn assert_harmless(shown: &str, is_github: bool) {
    let bad = |char: char| (char.is_control() && char != '\n') || "\u{202e}\u{200b}".contains(char);
    assert!(!shown.contains(bad), "{shown:?}");
    for line in shown.lines() {
        assert!(!line.contains("##["), "{line}");
        assert!(!line.to_lowercase().contains("##vso["), "{line}");
        let command = line.trim_start().starts_with("::");
        let ours =
            ["::error ", "::warning ", "::notice "].iter().any(|word| line.starts_with(word));
        assert!(!command || (is_github && ours), "{line}");
    }
}

#[test]
fn places_without_region() {
    let mut world = World::default();
    world.found(Code::P0208, "no documents", file_only("-")).help =
        Some("write a manifest, or name another folder with -f".to_owned());
    let place = file_only("overlays/prod/users.yaml");
    let finding = world.found(Code::P0301, "the name `ana` is used twice", place);
    finding.related =
        vec![Related { message: "it was used here first".to_owned(), place: file_only("-") }];
    golden("no_region", &world.findings, ALL);
}

#[test]
fn ten_thousand_findings() {
    let mut world = World::default();
    let lines: Vec<String> = (0..10_000).map(|at| format!("key-{at}: x\n")).collect();
    let lines = lines.concat();
    let file = world.file("many.yaml", lines.clone());
    let mut start = 0;
    for (at, line) in lines.lines().enumerate() {
        let span = Span::new(start, start + to_u32(line.len()) - 3);
        start += to_u32(line.len()) + 1;
        let region = Region {
            line: to_u32(at + 1),
            column: 1,
            end_line: to_u32(at + 1),
            end_column: span.end - span.start + 1,
            excerpt: Some(Excerpt { source: file, span }),
        };
        let place = Place { file: "many.yaml".to_owned(), region: Some(region) };
        // All but the last few are notes.
        let code = if at < 9_990 { Code::P1008 } else { Code::P0101 };
        world.found(code, &format!("finding {at}"), place);
    }
    let text = show(Format::Text, &world.findings, PLAIN);
    assert_eq!(text.matches("note[").count(), 90);
    assert_eq!(text.matches("error[").count(), 10);
    assert!(text.ends_with(
        "\n... and 9900 more findings: --format json has them all\n\n10 errors, 9990 notes in 1 \
         document (1 file)\n"
    ));
    let json: serde_json::Value =
        serde_json::from_str(&show(Format::Json, &world.findings, PLAIN)).expect("it is JSON");
    assert_eq!(json["findings"].as_array().map(Vec::len), Some(10_000));
    let github = show(Format::Github, &world.findings, PLAIN);
    assert!(github.starts_with("::error "));
    assert_eq!(github.lines().count(), 10_001);
    // What GitHub only logs says where it is.
    assert_eq!(github.matches("%0A--> many.yaml:").count(), 9_980);
}

#[test]
fn a_line_without_end_is_cut_around_the_span() {
    let mut world = World::default();
    let half = 2 << 20;
    let text = format!("{}needle{}", "田".repeat(half), "x".repeat(half));
    let file = world.file("one-line.json", text);
    for marked in ["needle", &"田".repeat(half)] {
        let place = world.place(file, marked);
        world.found(Code::P0002, "the text is not valid JSON", place);
    }
    golden("one_line", &world.findings, &[Format::Text]);
}

#[test]
fn bytes_that_are_not_utf8_are_shown() {
    let mut world = World::default();
    let file = world.file("latin1.yaml", b"name: caf\xe9 au lait\n".to_vec());
    let place = world.place_of(Excerpt { source: file, span: Span::new(9, 10) });
    world.found(Code::P0003, "the text is not UTF-8", place);
    golden("not_utf8", &world.findings, &[Format::Text]);
}

#[test]
fn a_place_that_is_not_in_the_text_has_no_snippet() {
    let mut world = World::default();
    let file = world.file("a.yaml", "a: 1\nb: 2\n");
    let there = world.place(file, "b: 2");
    for (line, end_line, start, end) in
        [(99, 99, 5, 9), (1, 1, 7, 9), (2, 1, 5, 9), (1, 2, 9, 5), (0, 0, 0, 1), (2, 2, 90, 99)]
    {
        let mut place = there.clone();
        let excerpt = Some(Excerpt { source: file, span: Span::new(start, end) });
        place.region = Some(Region { line, column: 1, end_line, end_column: 5, excerpt });
        world.found(Code::P0107, "elsewhere", place);
    }
    let region = there.region.map(|region| Region {
        excerpt: Some(Excerpt { source: SourceId(7), span: Span::new(0, 1) }),
        ..region
    });
    world.found(Code::P0107, "elsewhere", Place { region, ..there });
    let shown = show(Format::Text, &world.findings, PLAIN);
    assert_eq!(shown.matches("error[P0107]: elsewhere\n --> a.yaml:").count(), 7, "{shown}");
}

#[test]
fn many_related_places_are_counted() {
    let mut world = World::default();
    let related = Related { message: "here too".to_owned(), place: file_only("b.yaml") };
    let finding = world.found(Code::P0301, "a name that is used often", file_only("a.yaml"));
    finding.related = vec![related; 1000];
    for format in [Format::Text, Format::Github, Format::Junit] {
        let shown = show(format, &world.findings, PLAIN);
        assert_eq!(shown.matches("here too").count(), 10, "{shown}");
        assert!(shown.contains("note: and 990 more places"), "{shown}");
    }
    assert_eq!(show(Format::Json, &world.findings, PLAIN).matches("here too").count(), 1000);
}

#[test]
fn colour_adds_nothing_but_escapes() {
    for findings in [usual(), hostile(), secret()] {
        let colored = show(Format::Text, &findings, Style { color: true, ..PLAIN });
        assert!(colored.contains("\u{1b}["));
        assert_eq!(without_colors(&colored), show(Format::Text, &findings, PLAIN));
    }
}

/// The text without `ESC [ digits m`; any other escape stays.
fn without_colors(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        let end = behind.find(|char: char| !char.is_ascii_digit() && char != ';');
        let (_, tail) = behind.split_at(end.unwrap_or(0));
        rest = tail.strip_prefix('m').unwrap_or_else(|| {
            plain.push_str("\u{1b}[");
            behind
        });
    }
    plain + rest
}

#[test]
fn the_json_is_what_its_schema_says() {
    let schema = super::json::schema();
    let validator = jsonschema::validator_for(&schema).expect("it is a schema");
    let mut world = World::default();
    world.found(Code::P0208, "no documents", file_only("-"));
    for findings in [usual(), secret(), hostile(), world.findings, Findings::default()] {
        let json: serde_json::Value =
            serde_json::from_str(&show(Format::Json, &findings, PLAIN)).expect("it is JSON");
        let errors: Vec<String> = validator.iter_errors(&json).map(|e| e.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
    let finding = &schema["$defs"]["Finding"];
    assert_eq!(finding["properties"]["help"]["type"], "string");
    let required = finding["required"].as_array().expect("some are");
    assert!(!required.iter().any(|key| key == "help" || key == "object"));
    for wrong in [
        serde_json::json!({"format": "partnerctl/findings/v2", "findings": [], "checked": {"files": 0, "documents": 0}}),
        serde_json::json!({"format": "partnerctl/findings/v1", "findings": [{}], "checked": {"files": 0, "documents": 0}}),
    ] {
        assert!(!validator.is_valid(&wrong), "{wrong}");
    }
}

pub(super) fn sarif_validator() -> jsonschema::Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sarif-schema-2.1.0.json");
    let schema = std::fs::read_to_string(path).expect("the schema is there");
    let mut schema: serde_json::Value = serde_json::from_str(&schema).expect("the schema is JSON");
    // Published with a stray `]`, which strict expressions refuse; we name no language.
    for holder in ["run", "toolComponent"] {
        let place = format!("/definitions/{holder}/properties/language");
        let language = schema.pointer_mut(&place).expect("it is there");
        language.as_object_mut().expect("a schema").remove("pattern");
    }
    jsonschema::options().should_validate_formats(true).build(&schema).expect("it is a schema")
}

#[test]
fn sarif_is_valid() {
    let validator = sarif_validator();
    let mut world = World::default();
    world.found(Code::P0208, "no documents", file_only("-"));
    for findings in [usual(), secret(), hostile(), world.findings, Findings::default()] {
        let sarif = serde_json::from_str(&show(Format::Sarif, &findings, PLAIN)).expect("JSON");
        let errors: Vec<String> =
            validator.iter_errors(&sarif).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
    let mut all = World::default();
    for code in Code::ALL {
        all.found(*code, "x", file_only("a.yaml"));
    }
    let sarif = serde_json::from_str(&show(Format::Sarif, &all.findings, PLAIN)).expect("JSON");
    assert!(validator.is_valid(&sarif));
    assert!(!validator.is_valid(&serde_json::json!({"version": "2.1.0", "runs": [{}]})));
}

#[test]
fn fingerprints_stay_when_lines_move() {
    let prints = |findings: &Findings| -> Vec<String> {
        let sarif: serde_json::Value =
            serde_json::from_str(&show(Format::Sarif, findings, PLAIN)).expect("it is JSON");
        let results = sarif["runs"][0]["results"].as_array().expect("results").iter();
        results.map(|result| result["partialFingerprints"].to_string()).collect()
    };
    let mut moved = usual();
    for finding in &mut moved.all {
        let region = finding.place.region.as_mut().expect("each has one");
        region.line += 7;
        region.end_line += 7;
        region.excerpt = None;
    }
    assert_eq!(prints(&moved), prints(&usual()));
}

/// Any text, with a weight on what acts.
fn any_text() -> impl Strategy<Value = String> {
    let acting = prop::sample::select(vec![
        "\u{1b}[31m",
        "::error::",
        "##[",
        "##vso[",
        "\n",
        "\r",
        "\t",
        "\u{202e}",
        "\u{200d}",
        "%",
        "…",
        "田",
        "\u{9b}",
        "\u{ffff}",
        "\u{0}",
        "`",
        "]]>",
        "&",
        "\"",
        " ",
        "s3cr3t-value",
    ]);
    let part = prop_oneof![acting.prop_map(str::to_owned), any::<char>().prop_map(String::from)];
    prop::collection::vec(part, 0..30).prop_map(|parts| parts.concat())
}

fn any_findings() -> impl Strategy<Value = Findings> {
    let texts = (any_text(), any_text(), any_text(), any_text(), any_text());
    (texts, any::<(u16, u16)>(), any::<u16>()).prop_map(|(texts, span, secret)| {
        let (name, text, message, help, related) = texts;
        let mut world = World::default();
        let text = format!("{text}\n{help}");
        let to_place = |at: u16| {
            let mut at = at as usize % (text.len() + 1);
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            to_u32(at)
        };
        let (start, end) = (to_place(span.0), to_place(span.1));
        let span = Span::new(start.min(end), start.max(end));
        let secret_start = to_place(secret);
        let secret = Span::new(secret_start, secret_start.max(to_place(secret.wrapping_add(9))));
        let file = world.file(&name, text.clone());
        let place = world.place_of(Excerpt { source: file, span });
        world.findings.masked.push(Excerpt { source: file, span: secret });
        let finding = world.found(Code::P0107, &message, place.clone());
        finding.help = Some(help);
        finding.related = vec![Related { message: related.clone(), place: file_only(&name) }];
        let second = world.found(Code::P1008, &related, file_only(&name));
        second.severity = Severity::Note;
        second.object = Some(name);
        world.findings
    })
}

proptest! {
    #[test]
    fn no_text_from_outside_acts(findings in any_findings()) {
        for format in [Format::Text, Format::Github, Format::Junit, Format::Json, Format::Sarif] {
            assert_harmless(&show(format, &findings, PLAIN), format == Format::Github);
        }
        let colored = show(Format::Text, &findings, Style { color: true, width: 1 });
        assert_harmless(&without_colors(&colored), false);
    }

    #[test]
    fn programs_read_back_what_was_said(findings in any_findings()) {
        let findings = Findings { masked: Vec::new(), ..findings };
        let (first, second) = (&findings.all[0], &findings.all[1]);
        let help = first.help.as_deref().expect("the first has one");
        let json: serde_json::Value =
            serde_json::from_str(&show(Format::Json, &findings, PLAIN)).expect("it is JSON");
        let record = &json["findings"][0];
        prop_assert_eq!(record["message"].as_str(), Some(first.message.as_str()));
        prop_assert_eq!(record["help"].as_str(), Some(help));
        prop_assert_eq!(record["file"].as_str(), Some(first.place.file.as_str()));
        prop_assert_eq!(json["findings"][1]["object"].as_str(), second.object.as_deref());

        let sarif: serde_json::Value =
            serde_json::from_str(&show(Format::Sarif, &findings, PLAIN)).expect("it is JSON");
        let result = &sarif["runs"][0]["results"][0];
        let text = format!("{}\nhelp: {help}", first.message);
        prop_assert_eq!(result["message"]["text"].as_str(), Some(text.as_str()));
        let physical = &result["locations"][0]["physicalLocation"];
        let uri = physical["artifactLocation"]["uri"].as_str().expect("a uri");
        let uri = uri.strip_prefix("file://").unwrap_or(uri);
        prop_assert_eq!(decoded(uri), first.place.file.as_bytes());

        let xml = show(Format::Junit, &findings, PLAIN);
        let report = quick_junit::Report::deserialize_from_str(&xml).expect("it is JUnit");
        prop_assert_eq!(report.tests, 2);
        prop_assert_eq!(report.failures, 1);
    }

    #[test]
    fn marked_bytes_are_not_shown(
        (before, behind) in ("[^ЖЗИЙКЛ]{0,30}", "[^ЖЗИЙКЛ]{0,30}"),
        secret in "[ЖЗИЙКЛ]{6,20}",
        (start, end) in any::<(u16, u16)>(),
        width in 1_usize..120,
    ) {
        let mut world = World::default();
        let text = format!("{before}{secret}{behind}{secret}");
        let to_place = |at: u16| {
            let mut at = at as usize % (text.len() + 1);
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            to_u32(at)
        };
        let (start, end) = (to_place(start), to_place(end));
        let file = world.file("a.yaml", text.clone());
        let span = Span::new(start.min(end), start.max(end));
        let place = world.place_of(Excerpt { source: file, span });
        world.findings.masked.push(world.excerpt(file, &secret));
        world.found(Code::P0107, &text, place).help = Some(secret);
        for format in ALL {
            let shown = show(*format, &world.findings, Style { color: false, width });
            let bad = ['Ж', 'З', 'И', 'Й', 'К', 'Л'];
            prop_assert!(!shown.contains(bad), "{:?}: {}", format, shown);
        }
    }
}

fn decoded(uri: &str) -> Vec<u8> {
    let mut bytes = uri.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        decoded.push(if byte == b'%' {
            let digits = [bytes.next().expect("two digits"), bytes.next().expect("two digits")];
            let digits = std::str::from_utf8(&digits).expect("ASCII").to_owned();
            u8::from_str_radix(&digits, 16).expect("hexadecimal")
        } else {
            byte
        });
    }
    decoded
}

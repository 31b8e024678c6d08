//! SARIF 2.1.0, for code scanning.
//!
//! Only the rules that occur are described: their stories are long, and viewers ask for no others.
//! Text is kept as it is but for secrets (SARIF's readers quote it themselves); nothing is cut.
//! File names become URIs relative to the project, never absolute paths of the machine.

use super::json::write_value;
use super::mask::Masks;
use crate::manifest::code::Code;
use crate::manifest::finding::{Finding, Findings, Place, Region};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::io::{self, Write};

pub(super) const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The project's folder, by the name that GitHub knows for it.
pub(super) const ROOT: &str = "%SRCROOT%";

pub(super) fn write(findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    let masks = Masks::of(findings);
    let codes: BTreeSet<Code> = findings.all.iter().map(|finding| finding.code).collect();
    let rules: Vec<Value> = codes.iter().map(|code| rule(*code)).collect();
    let indexes: BTreeMap<Code, usize> =
        codes.iter().enumerate().map(|(index, code)| (*code, index)).collect();
    let mut twins = HashMap::new();
    let results: Vec<Value> = findings
        .all
        .iter()
        .map(|finding| result(finding, indexes.get(&finding.code).copied(), &masks, &mut twins))
        .collect();
    let version = env!("CARGO_PKG_VERSION");
    write_value(
        &json!({
            "$schema": SCHEMA,
            "version": "2.1.0",
            "runs": [{
                "tool": {"driver": {
                    "name": "partnerctl",
                    "version": version,
                    "semanticVersion": version,
                    "rules": rules,
                }},
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {ROOT: {"description": {"text": "the project's folder"}}},
                "results": results,
            }],
        }),
        out,
    )
}

pub(super) fn rule(code: Code) -> Value {
    let story = code.story();
    let summary = first_paragraph(story).unwrap_or_else(|| code.title().to_owned());
    json!({
        "id": code.id(),
        "name": rule_name(code.title()),
        "shortDescription": {"text": code.title()},
        "fullDescription": {"text": summary},
        "help": {"text": story, "markdown": story},
        "defaultConfiguration": {"level": code.severity().word()},
    })
}

/// The first paragraph below the heading, on one line.
fn first_paragraph(story: &str) -> Option<String> {
    let body = story.strip_prefix('#').and_then(|text| text.split_once('\n')).map(|(_, body)| body);
    let mut lines = body.unwrap_or(story).trim().lines();
    let paragraph: Vec<&str> =
        lines.by_ref().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let is_prose = paragraph.first().is_some_and(|line| !line.starts_with('#'));
    is_prose.then(|| paragraph.join(" "))
}

/// `a primary contact with a webmail address` as `PrimaryContactWithAWebmailAddress`.
fn rule_name(title: &str) -> String {
    let words = ["a ", "an ", "the "].iter().find_map(|article| title.strip_prefix(article));
    let mut name = String::new();
    for word in words.unwrap_or(title).split_whitespace() {
        let mut letters = word.chars().filter(char::is_ascii_alphanumeric);
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.extend(letters);
    }
    name
}

fn result(
    finding: &Finding,
    rule_index: Option<usize>,
    masks: &Masks<'_>,
    twins: &mut HashMap<u64, u32>,
) -> Value {
    let Finding { code, severity, message, help, place, object, related } = finding;
    let message = masks.hide(message);
    let text = match help {
        Some(help) => format!("{message}\nhelp: {}", masks.hide(help)),
        None => message.clone().into_owned(),
    };
    let object = object.as_ref().map(|object| masks.hide(object));
    let mut location = located(place);
    if let Some(object) = &object {
        location.insert("logicalLocations".to_owned(), json!([{"fullyQualifiedName": object}]));
    }
    let mut result = json!({
        "ruleId": code.id(),
        "ruleIndex": rule_index,
        "level": severity.word(),
        "message": {"text": text},
        "locations": [location],
        "partialFingerprints": {
            "partnerctl/v1": fingerprint(*code, object.as_deref(), &place.file, &message, twins),
        },
    });
    if !related.is_empty() {
        let places = related.iter().enumerate().map(|(id, related)| {
            let mut location = located(&related.place);
            location.insert("id".to_owned(), id.into());
            location.insert("message".to_owned(), json!({"text": masks.hide(&related.message)}));
            Value::Object(location)
        });
        if let Some(result) = result.as_object_mut() {
            result.insert("relatedLocations".to_owned(), places.collect());
        }
    }
    result
}

fn located(place: &Place) -> Map<String, Value> {
    let mut physical = Map::new();
    physical.insert("artifactLocation".to_owned(), artifact(&place.file));
    if let Some(Region { line, column, end_line, end_column, excerpt: _ }) = &place.region {
        physical.insert(
            "region".to_owned(),
            json!({
                "startLine": line,
                "startColumn": column,
                "endLine": end_line,
                "endColumn": end_column,
            }),
        );
    }
    let mut location = Map::new();
    location.insert("physicalLocation".to_owned(), Value::Object(physical));
    location
}

fn artifact(file: &str) -> Value {
    let uri = to_uri(file);
    if file == "-" || file.starts_with('/') {
        // Standard input and files outside the project are not below its folder.
        return json!({"uri": uri});
    }
    json!({"uri": uri, "uriBaseId": ROOT})
}

/// A path as a URI reference (RFC 3986): all but unreserved characters and `/` in percent.
pub(super) fn to_uri(file: &str) -> String {
    let mut uri = String::from(if file.starts_with('/') { "file://" } else { "" });
    for byte in file.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// The same for the same problem after lines moved: made of what the finding says, not of where it
/// stands. Twins, which say the same, are numbered in their order.
fn fingerprint(
    code: Code,
    object: Option<&str>,
    file: &str,
    message: &str,
    twins: &mut HashMap<u64, u32>,
) -> String {
    // An object is unique in its estate and may move to another file.
    let subject = object.unwrap_or(file);
    let hash = fnv1a([code.id(), subject, message]);
    let twin = twins.entry(hash).or_default();
    *twin += 1;
    format!("{hash:016x}:{twin}")
}

/// FNV-1a. A fingerprint outlives the program, so the hash is one that no library may change.
pub(super) fn fnv1a(parts: [&str; 3]) -> u64 {
    let separated = parts.iter().flat_map(|part| part.bytes().chain([0xff]));
    separated.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_become_uris() {
        for (file, uri) in [
            ("estate/users.yaml", "estate/users.yaml"),
            ("a b/ü#1?.yaml", "a%20b/%C3%BC%231%3F.yaml"),
            ("50%,x:y\\z.yaml", "50%25%2Cx%3Ay%5Cz.yaml"),
            ("-", "-"),
            ("/srv/a.yaml", "file:///srv/a.yaml"),
            ("../up.yaml", "../up.yaml"),
        ] {
            assert_eq!(to_uri(file), uri);
        }
    }

    #[test]
    fn rules_have_names_and_paragraphs() {
        assert_eq!(
            rule_name("a legal address outside the account's country"),
            "LegalAddressOutsideTheAccountsCountry"
        );
        assert_eq!(rule_name("no documents"), "NoDocuments");
        assert_eq!(first_paragraph("# P1\n\nOne\ntwo.\n\n## Why\n"), Some("One two.".to_owned()));
        assert_eq!(first_paragraph("# P1\n"), None);
    }

    #[test]
    fn twins_have_fingerprints_of_their_own() {
        let mut twins = HashMap::new();
        let mut print = |message| fingerprint(Code::P0101, None, "a.yaml", message, &mut twins);
        let first = print("unknown key `x`");
        let second = print("unknown key `x`");
        assert_eq!(
            first.split_once(':').map(|(hash, _)| hash),
            second.split_once(':').map(|(hash, _)| hash)
        );
        assert_ne!(first, second);
        assert_ne!(first, print("unknown key `y`"));
        // Pinned: a change of the hash would reopen every alert of every user.
        assert_eq!(
            format!("{:016x}", fnv1a(["P0101", "a.yaml", "unknown key `x`"])),
            "aabab7295b363777"
        );
    }
}

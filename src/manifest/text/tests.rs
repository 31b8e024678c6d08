//! The parsers against each other, and against parsers that others wrote.

use proptest::prelude::*;
use serde_json::Value as Json;
use serde_yaml::Value as Yaml;

use super::arena::{Arena, Node, View};
use super::*;

/// What people write, and what they write now and then.
const CORPUS: &[&str] = &[
    include_str!("../../../fuzz/seeds/yaml/estate.yaml"),
    include_str!("../../../fuzz/seeds/yaml/crlf.yaml"),
    include_str!("../../../fuzz/seeds/yaml/unusual.yaml"),
    "apiVersion: partnerctl/v1\nkind: User\nmetadata: {name: aiko-tanaka, labels: {team: ops}}\n\
     spec:\n  displayName: 田中 愛子\n  email: aiko.tanaka@fabrikam.example\n  agent: admin # all\n\
     \n  admin: global\n  roles: [tier2-support, {role: referrals-admin, locations: [JP-13]}]\n",
    "kind: Customer\nspec:\n  companyName: Contoso株式会社\n  partnerships:\n  - northwind\n  - b\n\
     \x20 billing:\n    address:\n      line1: \"4-5-6 Umeda\"\n      country: 'JP'\n  contact:\n",
    "- {who: user/ben-ito, may: [view-customer], on: customer/contoso}\n- who: x\n  mayNot:\n    - a\n",
    "---\nkind: Partnership\nspec:\n  invitationUrl: https://partner.microsoft.com/x?a=b#c\n\
     \x20 reason: |\n    one\n     two\n\n    three\n  acknowledge: []\n",
    "a: b\n",
    "- a\n- b: c\n  d:\n  - e\n-\n- - f\n  - g\n",
];

/// Pieces that turn one construct into another.
const PIECES: &[&str] = &[
    "\n",
    " ",
    "  ",
    "\n  ",
    "\n- ",
    "- ",
    ": ",
    ":",
    ":\n",
    " #",
    "#",
    "\"",
    "'",
    "[",
    "]",
    "{",
    "}",
    ", ",
    ",",
    "|\n",
    "|-\n",
    "|+\n",
    ">\n",
    "? ",
    "&a ",
    "*a",
    "!t ",
    "%",
    "@",
    "`",
    "\t",
    "\r\n",
    "---\n",
    "...\n",
    "--- ",
    "<<: ",
    "~",
    "-",
    "\\",
    "a",
    "é",
    "田",
    "  - ",
    "key: value\n",
    "\n\n",
    "{a: b}",
    "[a]",
    "\"a\": ",
    "{\"a\":b}",
];

/// A small generator of its own: the same mutants on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }
}

fn mutant(dice: &mut Dice) -> String {
    let mut text: Vec<char> = CORPUS[dice.roll(CORPUS.len())].chars().collect();
    for _ in 0..=dice.roll(3) {
        let at = dice.roll(text.len() + 1);
        let to = (at + dice.roll(6)).min(text.len());
        match dice.roll(6) {
            0 => drop(text.drain(at..to)),
            1 => drop(text.splice(at..at, PIECES[dice.roll(PIECES.len())].chars())),
            2 => drop(text.splice(at..to, PIECES[dice.roll(PIECES.len())].chars())),
            3 => {
                let from = dice.roll(text.len() + 1);
                let copied = text[from..(from + dice.roll(20)).min(text.len())].to_vec();
                drop(text.splice(at..at, copied));
            }
            4 => text.truncate(text.len() - dice.roll(text.len() / 2 + 1)),
            _ => drop(text.splice(at..to, [' '].repeat(dice.roll(4)))),
        }
    }
    text.into_iter().collect()
}

fn shown(parsed: &Parsed, arena: &Arena<'_>) -> Vec<String> {
    parsed.roots.iter().map(|root| format!("{:?}", arena.node(*root))).collect()
}

/// Whether the fast path took it; then the full parser must agree in everything.
fn agree(text: &str) -> bool {
    let mut arena = Arena::default();
    let Some(fast) = parse_fast(text, &mut arena) else {
        assert!(arena.is_empty(), "given up, but nodes were left behind: {text:?}");
        return false;
    };
    let mut full_arena = Arena::default();
    let full = parse_events(text, &mut full_arena);
    assert_eq!(full.faults, [], "the full parser refuses {text:?}");
    assert_eq!(shown(&fast, &arena), shown(&full, &full_arena), "{text:?}");
    assert_eq!(arena.len(), full_arena.len(), "{text:?}");
    true
}

#[test]
fn mutants_of_manifests_mean_the_same_on_both_paths() {
    let rounds = if cfg!(debug_assertions) { 10_000 } else { 300_000 };
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut taken = 0;
    let mut refused = 0;
    for _ in 0..rounds {
        let text = mutant(&mut dice);
        for chunk in chunks(text.as_bytes()) {
            match chunk.text() {
                Ok(text) if agree(text) => taken += 1,
                _ => refused += 1,
            }
        }
    }
    assert!(taken > rounds / 5 && refused > rounds / 5, "{taken} taken, {refused} refused");
}

#[test]
fn what_once_differed_stays_the_same() {
    // Blanks at the end of a block are not where it ends.
    assert!(agree("\nsp: |-\n #f: |-\n \t\n"));
}

#[test]
fn the_fast_path_knows_what_people_write() {
    for (text, mine) in [
        ("", true),
        ("# only a comment\n", true),
        ("---\n", true),
        ("# c\n\n--- # d\na: b\n", true),
        ("a: b", true),
        ("a:\n", true),
        ("a:\n- b\n-\n- c: d\n  e: f\ng: h\n", true),
        ("- - a\n  - b\n-\n  - c\n", true),
        ("a: 'b' # c\n\"d\": \"e\"\n", true),
        ("a: {b: [c, 'd', {\"e\":f}], g: h} # i\n", true),
        ("a: [b, ]\nc: []\nd: {}\n", true),
        ("a: |\n  b\n\n   c\nd: |-\n  e\nf: |+\n  g\n\n", true),
        ("- |\n  a\n- b: |\n    c\n  d: e\n", true),
        ("a: b\r\nc:\r\n  - d\r\n  - |\r\n    e\r\n", true),
        ("a: http://b:8080/c#d\n", true),
        ("a: b c  # d\n", true),
        ("a.b/c: -1\n", true),
        // Not mine.
        ("a\n", false),
        ("[a]\n", false),
        ("a: b\n  c\n", false),
        ("a:\n  b\n", false),
        ("a: \"b\\n\"\n", false),
        ("a: 'b''c'\n", false),
        ("a: \"b\n  c\"\n", false),
        ("a: [b,\n  c]\n", false),
        ("a: >\n  b\n", false),
        ("a: |2\n  b\n", false),
        ("a: |\n", false),
        ("a: |\n  b", false),
        ("a: &b c\n", false),
        ("a: *b\n", false),
        ("a: !b c\n", false),
        ("? a\n", false),
        ("<<: {a: b}\n", false),
        ("%YAML 1.2\n---\na: b\n", false),
        ("--- a\n", false),
        ("a: b\n...\n", false),
        ("a: b\n---\nc: d\n", false),
        ("a: [b: c]\n", false),
        ("a: {b}\n", false),
        ("a: b\rc: d\n", false),
        ("a:\tb\n", false),
        ("a: b: c\n", false),
        ("a: b\n c: d\n", false),
        ("- a\nb: c\n", false),
        ("a: @b\n", false),
    ] {
        assert_eq!(agree(text), mine, "{text:?}");
    }
    let key = |length: usize| format!("a: b\n{}: c\n", "k".repeat(length));
    assert!(agree(&key(1000)) && !agree(&key(1001)) && !agree(&key(2000)));
    let deep = |levels: usize| format!("{}x\n", "- ".repeat(levels));
    assert!(agree(&deep(DEPTH_MAX)) && !agree(&deep(DEPTH_MAX + 1)));
    let deep = |levels: usize| format!("a: {}{}\n", "[".repeat(levels), "]".repeat(levels));
    assert!(agree(&deep(DEPTH_MAX - 1)) && !agree(&deep(DEPTH_MAX)));
}

#[test]
fn a_file_is_read_chunk_by_chunk() {
    let read = |bytes: &[u8]| {
        let mut arena = Arena::default();
        let mut shown = Vec::new();
        for chunk in chunks(bytes) {
            arena.clear();
            let (roots, faults) = match chunk.text() {
                Ok(text) => {
                    let parsed = parse(text, &mut arena);
                    (parsed.roots.len(), parsed.faults)
                }
                Err(faults) => (0, faults),
            };
            let place = |fault: Fault| (fault.code, fault.span.shifted(chunk.base).start);
            shown.push((chunk.base, roots, faults.into_iter().map(place).collect::<Vec<_>>()));
        }
        shown
    };
    assert_eq!(read(b""), []);
    assert_eq!(read(b"\xef\xbb\xbf"), []);
    assert_eq!(read(b"\xef\xbb\xbfa: b\n---\nc: d\n"), [(3, 1, vec![]), (8, 1, vec![])]);
    // Whatever is wrong with one document, the others go on.
    assert_eq!(
        read(b"a: b\n---\nc: \xff\n---\nd: [\n---\ne: \x07\n---\nf: g\n"),
        [
            (0, 1, vec![]),
            (5, 0, vec![(Code::P0003, 12)]),
            (14, 0, vec![(Code::P0001, 21)]),
            (23, 0, vec![(Code::P0004, 30)]),
            (32, 1, vec![]),
        ]
    );
    assert_eq!(read(b"\xff\xfea\0:\0 \0b\0"), [(0, 0, vec![(Code::P0003, 0)])]);
    assert_eq!(read(b"a\0:\0 \0b\0\n\0-\0-\0-\0\n\0"), [(0, 0, vec![(Code::P0003, 0)])]);
}

/// A document as it is written, and what it has to mean.
#[derive(Debug, Clone)]
enum Written {
    Scalar(String, Yaml),
    Block(Vec<String>, bool),
    Sequence(Vec<Written>, bool),
    Mapping(Vec<(String, Written)>, bool),
}

fn written() -> impl Strategy<Value = Written> {
    let plain = prop_oneof![
        "[a-z][a-z ]{0,8}[a-z]".prop_filter("a word of its own", |text| {
            !matches!(text.as_str(), "null" | "true" | "false")
        }),
        Just("田中 愛子".to_owned()),
        Just("a:b#c".to_owned()),
        Just("2027-03-31".to_owned()),
    ];
    let leaf = prop_oneof![
        plain.prop_map(|text| Written::Scalar(text.clone(), Yaml::String(text))),
        any::<i32>().prop_map(|n| Written::Scalar(n.to_string(), Yaml::Number(n.into()))),
        any::<bool>().prop_map(|b| Written::Scalar(b.to_string(), Yaml::Bool(b))),
        Just(Written::Scalar("null".to_owned(), Yaml::Null)),
        Just(Written::Scalar(String::new(), Yaml::Null)),
        "[a-z:#\\[{&*é田 \"-]{0,10}"
            .prop_map(|text| { Written::Scalar(format!("'{text}'"), Yaml::String(text)) }),
        "[a-z'é\\n\\t\\\\\" ]{0,10}".prop_map(|text| {
            let quoted = serde_json::to_string(&text).unwrap();
            Written::Scalar(quoted, Yaml::String(text))
        }),
        (prop::collection::vec("[a-z#:\"]{1,6}[ a-z]{0,3}", 1..4), any::<bool>())
            .prop_map(|(lines, strip)| Written::Block(lines, strip)),
    ];
    leaf.prop_recursive(4, 30, 5, |inner| {
        prop_oneof![
            (prop::collection::vec(inner.clone(), 0..5), any::<bool>())
                .prop_map(|(items, flow)| Written::Sequence(items, flow)),
            (prop::collection::btree_map("[a-z]{1,6}", inner, 0..5), any::<bool>())
                .prop_map(|(entries, flow)| Written::Mapping(entries.into_iter().collect(), flow)),
        ]
    })
}

impl Written {
    fn meaning(&self) -> Yaml {
        match self {
            Self::Scalar(_, value) => value.clone(),
            Self::Block(lines, strip) => {
                Yaml::String(lines.join("\n") + if *strip { "" } else { "\n" })
            }
            Self::Sequence(items, _) => items.iter().map(Self::meaning).collect(),
            Self::Mapping(entries, _) => {
                let entries = entries.iter();
                let entries = entries.map(|(k, v)| (Yaml::String(k.clone()), v.meaning()));
                Yaml::Mapping(entries.collect())
            }
        }
    }

    /// Whether it can stand in brackets, and has to if it is empty.
    fn flows(&self) -> bool {
        match self {
            Self::Scalar(text, _) => !text.is_empty() && !text.contains(':'),
            Self::Block(..) => false,
            Self::Sequence(items, flow) => {
                items.is_empty() || (*flow && items.iter().all(Self::flows))
            }
            Self::Mapping(entries, flow) => {
                entries.is_empty() || (*flow && entries.iter().all(|(_, value)| value.flows()))
            }
        }
    }

    fn in_brackets(&self) -> String {
        let all = |parts: Vec<String>| parts.join(", ");
        match self {
            Self::Scalar(text, _) => text.clone(),
            Self::Block(..) => unreachable!("blocks do not flow"),
            Self::Sequence(items, _) => {
                format!("[{}]", all(items.iter().map(Self::in_brackets).collect()))
            }
            Self::Mapping(entries, _) => {
                let entries = entries.iter();
                let entries = entries.map(|(key, value)| format!("{key}: {}", value.in_brackets()));
                format!("{{{}}}", all(entries.collect()))
            }
        }
    }

    /// As it stands behind a colon or a dash.
    fn text(&self, indent: usize) -> String {
        let margin = " ".repeat(indent);
        match self {
            Self::Scalar(text, _) => format!(" {text}\n"),
            Self::Block(lines, strip) => {
                let head = if *strip { " |-\n" } else { " |\n" };
                lines.iter().fold(head.to_owned(), |text, line| format!("{text}{margin}{line}\n"))
            }
            _ if self.flows() => format!(" {}\n", self.in_brackets()),
            Self::Sequence(items, _) => items.iter().fold("\n".to_owned(), |text, item| {
                format!("{text}{margin}-{}", item.text(indent + 2))
            }),
            Self::Mapping(entries, _) => {
                entries.iter().fold("\n".to_owned(), |text, (key, value)| {
                    format!("{text}{margin}{key}:{}", value.text(indent + 2))
                })
            }
        }
    }
}

fn as_yaml(node: Node<'_>) -> Yaml {
    match node.view() {
        View::Null => Yaml::Null,
        View::Bool(value) => Yaml::Bool(value),
        View::Number(text) => serde_yaml::from_str(text).unwrap(),
        View::String(text) => Yaml::String(text.to_owned()),
        View::Sequence(items) => items.map(as_yaml).collect(),
        View::Mapping(entries) => {
            Yaml::Mapping(entries.map(|(key, value)| (as_yaml(key), as_yaml(value))).collect())
        }
    }
}

fn as_json(node: Node<'_>) -> Json {
    match node.view() {
        View::Null => Json::Null,
        View::Bool(value) => Json::Bool(value),
        View::Number(text) => serde_json::from_str(text).unwrap(),
        View::String(text) => Json::String(text.to_owned()),
        View::Sequence(items) => items.map(as_json).collect(),
        View::Mapping(entries) => {
            entries.map(|(key, value)| (key.text().to_owned(), as_json(value))).collect()
        }
    }
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        any::<String>().prop_map(Json::from),
        "[\\x00-\\x20\"\\\\/é😀]{0,6}".prop_map(Json::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|entries| entries.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn yaml_means_what_it_means_elsewhere(document in written(), marker in any::<bool>()) {
        let marker = if marker { "---" } else { "" };
        // The other parser does not know blocks in column 0, nor may what they hold be a marker.
        let indent = if matches!(document, Written::Block(..)) { 2 } else { 0 };
        let text = format!("{marker}{}", document.text(indent));
        let mut arena = Arena::default();
        let parsed = parse_events(&text, &mut arena);
        prop_assert_eq!(&parsed.faults, &[], "{}", text);
        let ours = parsed.roots.first().map_or(Yaml::Null, |root| as_yaml(arena.node(*root)));
        prop_assert_eq!(&ours, &document.meaning(), "{}", text);
        let theirs: Yaml = serde_yaml::from_str(&text).unwrap();
        prop_assert_eq!(&ours, &theirs, "{}", text);
        agree(&text);
        agree(&text.replace('\n', "\r\n"));
    }

    #[test]
    fn json_means_what_it_means_elsewhere(value in json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let text = text.unwrap();
        let mut arena = Arena::default();
        let parsed = parse_json(&text, &mut arena);
        prop_assert_eq!(&parsed.faults, &[], "{}", text);
        let theirs: Json = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(as_json(arena.node(parsed.roots[0])), theirs);
    }

    #[test]
    fn nothing_panics(text in any::<String>(), bytes in any::<Vec<u8>>()) {
        let mut arena = Arena::default();
        parse(&text, &mut arena);
        parse_json(&text, &mut arena);
        parse_csv(&text);
        for chunk in chunks(&bytes) {
            let _ = chunk.text();
        }
    }
}

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
    "\n", " ", "  ", "\n  ", "\n- ", "- ", ": ", ":", ":\n", " #", "#", "\"", "'", "[", "]", "{",
    "}", ", ", ",", "|\n", "|-\n", "|+\n", ">\n", "? ", "&a ", "*a", "!t ", "%", "@", "`", "\t",
    "\r\n", "---\n", "...\n", "--- ", "<<: ", "~", "-", "\\", "a", "é", "田", "  - ", "key: value\n",
    "\n\n", "{a: b}", "[a]", "\"a\": ", "{\"a\":b}",
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

fn shown(parsed: &Parsed, text: &str, arena: &Arena) -> Vec<String> {
    parsed.roots.iter().map(|root| format!("{:?}", arena.node(text, *root))).collect()
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
    assert_eq!(shown(&fast, text, &arena), shown(&full, text, &full_arena), "{text:?}");
    assert_eq!(arena.len(), full_arena.len(), "{text:?}");
    true
}

#[test]
fn mutants_of_manifests_mean_the_same_on_both_paths() {
    let rounds = if cfg!(debug_assertions) { 3_000 } else { 300_000 };
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

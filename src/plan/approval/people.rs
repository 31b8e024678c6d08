//! Which lines of the approvers' file are the same person: those that share a name or a key.

use std::collections::HashMap;

use ssh_key::public::KeyData;

use super::signers::{Entry, Signers};

/// Somebody, by a line of theirs.
pub(super) type Person = usize;

pub(super) struct People<'a> {
    signers: &'a Signers,
    /// Another line of the same person, or the line itself.
    same: Vec<Person>,
}

impl<'a> People<'a> {
    pub(super) fn of(signers: &'a Signers) -> Self {
        let mut people = Self { signers, same: (0..signers.entries.len()).collect() };
        let mut known: HashMap<Mark<'_>, Person> = HashMap::new();
        for (at, entry) in signers.entries.iter().enumerate() {
            let names = entry.principals.iter().map(|name| Mark::Name(name.to_lowercase()));
            for mark in names.chain([Mark::Key(bytes_of(&entry.key))]) {
                let other = *known.entry(mark).or_insert(at);
                people.join(other, at);
            }
        }
        people
    }

    fn join(&mut self, a: Person, b: Person) {
        let (a, b) = (self.person(a), self.person(b));
        if let Some(same) = self.same.get_mut(a.max(b)) {
            *same = a.min(b);
        }
    }

    /// The first line of whoever has this one.
    fn person(&self, mut at: Person) -> Person {
        // INVARIANT: a line leads to itself or to an earlier one, so this ends.
        while let Some(&same) = self.same.get(at)
            && same != at
        {
            at = same;
        }
        at
    }

    /// The lines that a key stands in, with whose they are.
    pub(super) fn with_key(&self, key: &KeyData) -> impl Iterator<Item = (Person, &'a Entry)> {
        let entries = self.signers.entries.iter().enumerate();
        entries
            .filter(move |(_, entry)| entry.key == *key)
            .map(|(at, entry)| (self.person(at), entry))
    }

    /// Everybody who goes by a name; letters of either case are the same.
    pub(super) fn named(&self, name: &str) -> impl Iterator<Item = Person> {
        let is_theirs =
            move |entry: &Entry| entry.principals.iter().any(|one| is_same_name(one, name));
        let entries = self.signers.entries.iter().enumerate();
        entries.filter(move |(_, entry)| is_theirs(entry)).map(|(at, _)| self.person(at))
    }
}

/// Letters of either case are the same.
pub(super) fn is_same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

#[derive(PartialEq, Eq, Hash)]
enum Mark<'a> {
    Name(String),
    Key(&'a [u8]),
}

fn bytes_of(key: &KeyData) -> &[u8] {
    // Only Ed25519 is in the list.
    key.ed25519().map_or(&[], |key| &key.0)
}

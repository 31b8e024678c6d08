//! What could not be read, and what it may have declared: so that one broken document does not
//! make everything that refers to it look broken too.

use crate::model::name::Kind;

/// The texts that are lost to a load.
#[derive(Debug, Default)]
pub(crate) struct Lost {
    texts: Vec<String>,
    bytes: usize,
    /// Some document does not say what kind it is.
    kindless: bool,
    /// There is more than was kept: it may have declared anything.
    everything: bool,
}

/// More than a person mends in one go; beyond it nothing is ruled out.
const BYTES_MAX: usize = 1024 * 1024;

impl Lost {
    /// Remembers a text of which nothing was understood, or not enough.
    pub(crate) fn text(&mut self, text: &str) {
        self.bytes += text.len();
        if self.bytes > BYTES_MAX {
            return self.file();
        }
        self.texts.push(text.to_owned());
    }

    /// Remembers a document that does not say what kind it is.
    pub(crate) fn kindless(&mut self, text: &str) {
        self.kindless = true;
        self.text(text);
    }

    /// Remembers that a file is missing whole.
    pub(crate) fn file(&mut self) {
        self.everything = true;
    }

    pub(crate) fn append(&mut self, other: Self) {
        self.everything |= other.everything;
        self.kindless |= other.kindless;
        for text in other.texts {
            self.text(&text);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.texts.is_empty() && !self.everything
    }

    /// Whether a document of this kind may be among what is lost.
    pub(crate) fn may_declare(&self, kind: Kind) -> bool {
        self.kindless || self.may_hold(kind.word())
    }

    /// Whether this word, such as a name, stands in what is lost.
    pub(crate) fn may_hold(&self, word: &str) -> bool {
        let word = word.to_ascii_lowercase();
        self.everything || self.texts.iter().any(|text| text.to_ascii_lowercase().contains(&word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_text_holds_its_words_and_a_lost_file_any() {
        let mut lost = Lost::default();
        lost.text("kind: User\nmetadata: {name: aiko");
        assert!(lost.may_hold("aiko") && !lost.may_hold("ben"));
        assert!(lost.may_declare(Kind::User) && !lost.may_declare(Kind::Account));
        lost.kindless("kind: Usr");
        assert!(lost.may_declare(Kind::Account) && !lost.may_hold("ben"));
        lost.file();
        assert!(lost.may_hold("ben"));
    }
}

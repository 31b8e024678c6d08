//! How strict a guardrail is.

/// Who can let a guardrail's no pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Everybody: it is only said.
    Advisory,
    /// Somebody who answers for it, with a Waiver.
    Overridable,
    /// Nobody.
    Hard,
}

impl Level {
    pub const ALL: [Self; 3] = [Self::Advisory, Self::Overridable, Self::Hard];

    /// As `@level` has it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Advisory => "advisory",
            Self::Overridable => "overridable",
            Self::Hard => "hard",
        }
    }

    /// Whether a forbid counts as a prohibition, by its level; one without is hard.
    pub(crate) fn binds(level: Option<Self>, strictness: Self) -> bool {
        level.unwrap_or(Self::Hard) >= strictness
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.word() == word)
    }
}

//! The languages that messages are written in.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use crate::model::country;

/// A language that there are texts in.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Default,
    Serialize,
    JsonSchema,
    clap::ValueEnum,
)]
pub enum Language {
    /// English
    #[default]
    #[serde(rename = "en")]
    En,
    /// Japanese
    #[serde(rename = "ja")]
    Ja,
    /// French
    #[serde(rename = "fr")]
    Fr,
    /// Chinese as written in Taiwan
    #[serde(rename = "zh-TW")]
    #[value(name = "zh-TW", alias = "zh-tw")]
    ZhTw,
}

impl Language {
    pub const ALL: [Self; 4] = [Self::En, Self::Ja, Self::Fr, Self::ZhTw];

    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ja => "ja",
            Self::Fr => "fr",
            Self::ZhTw => "zh-TW",
        }
    }

    /// The one that somebody of this language reads, if there are texts in it. Whoever reads
    /// simplified characters is not written in traditional ones.
    pub fn of(language: &country::Language) -> Option<Self> {
        let tag = language.as_str();
        let (language, rest) = tag.split_once('-').unwrap_or((tag, ""));
        match language {
            "en" => Some(Self::En),
            "ja" => Some(Self::Ja),
            "fr" => Some(Self::Fr),
            "zh" if rest.starts_with("Hant") || matches!(rest, "TW" | "HK" | "MO") => {
                Some(Self::ZhTw)
            }
            _ => None,
        }
    }

    /// A day, as it is written out.
    pub fn day(self, day: Date) -> String {
        let (year, month, number) = (day.year(), day.month(), day.day());
        let named = |names: [&'static str; 12]| {
            let at = usize::try_from(month.saturating_sub(1)).unwrap_or_default();
            names.get(at).copied().unwrap_or_default()
        };
        match self {
            Self::En => format!("{number} {} {year}", named(MONTHS)),
            Self::Fr if number == 1 => format!("1er {} {year}", named(MOIS)),
            Self::Fr => format!("{number} {} {year}", named(MOIS)),
            Self::Ja => format!("{year}年{month}月{number}日"),
            Self::ZhTw => format!("{year} 年 {month} 月 {number} 日"),
        }
    }

    /// A person's name. Where family names come first, they do so for names in their own script.
    pub fn name(self, first: &str, last: &str) -> String {
        let is_latin =
            first.chars().chain(last.chars()).any(|c| c.is_alphabetic() && c < '\u{2e80}');
        match self {
            Self::Ja if !is_latin => format!("{last} {first}"),
            Self::ZhTw if !is_latin => format!("{last}{first}"),
            _ => format!("{first} {last}"),
        }
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const MOIS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

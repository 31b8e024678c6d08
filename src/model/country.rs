//! Countries, the markets they form for cloud resellers, currencies and languages.

use super::Str;
use std::fmt;

use super::scalar::{Fault, Grammar, Malformed, Scalar, within};

/// ISO 3166-1 alpha-2, upper case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountryCode([u8; 2]);

/// All of ISO 3166-1, and XK for Kosovo, which the platform uses.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

/// The European Union, EFTA and the United Kingdom: one market.
const EUROPE: &str = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK CH IS LI NO GB";

/// Where a partner may sell: one region, or one country.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Market {
    Europe,
    Country(CountryCode),
}

impl CountryCode {
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    pub fn market(self) -> Market {
        if listed(&EUROPE_SET, self.as_str()) { Market::Europe } else { Market::Country(self) }
    }
}

impl fmt::Display for Market {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Europe => f.write_str("the EU, EFTA and the United Kingdom"),
            Self::Country(country) => country.fmt(f),
        }
    }
}

/// One bit for each pair of letters.
type Set = [u32; 26];

const COUNTRY_SET: Set = set_of(COUNTRIES);
const EUROPE_SET: Set = set_of(EUROPE);

#[expect(clippy::indexing_slicing, reason = "evaluated while compiling, over the lists above")]
const fn set_of(list: &str) -> Set {
    let bytes = list.as_bytes();
    let mut set = [0; 26];
    let mut at = 0;
    while at + 1 < bytes.len() {
        set[(bytes[at] - b'A') as usize] |= 1 << (bytes[at + 1] - b'A');
        at += 3;
    }
    set
}

fn listed(set: &Set, code: &str) -> bool {
    let [first @ b'A'..=b'Z', second @ b'A'..=b'Z'] = code.as_bytes() else { return false };
    set.get(usize::from(first - b'A')).is_some_and(|row| row & (1 << (second - b'A')) != 0)
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Scalar for CountryCode {
    const WHAT: &'static str = "a country code";
    const GRAMMAR: Grammar = Grammar::Pattern { pattern: "^[A-Z]{2}$", length_max: 2 };
    const EXAMPLES: &'static [&'static str] = &["JP", "FR"];

    fn parse(text: &str) -> Result<Self, Malformed> {
        if text.is_empty() {
            return Err(Fault::Empty.into());
        }
        if let [a @ b'A'..=b'Z', b @ b'A'..=b'Z'] = text.as_bytes() {
            return if listed(&COUNTRY_SET, text) {
                Ok(Self([*a, *b]))
            } else {
                Err(Malformed::because(
                    Fault::Unreal,
                    match text {
                        "UK" => "the United Kingdom is `GB`",
                        "EL" => "Greece is `GR`",
                        _ => "two letters of ISO 3166-1, such as `JP`",
                    },
                ))
            };
        }
        let upper = text.to_ascii_uppercase();
        Err(if listed(&COUNTRY_SET, &upper) {
            Malformed::because(Fault::Form, format!("country codes are upper case: `{upper}`"))
        } else {
            Malformed::because(Fault::Form, "two upper-case letters of ISO 3166-1, such as `JP`")
        })
    }
}

/// ISO 4217.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrencyCode(Str);

impl CurrencyCode {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Scalar for CurrencyCode {
    const WHAT: &'static str = "a currency code";
    const GRAMMAR: Grammar = Grammar::Pattern { pattern: "^[A-Z]{3}$", length_max: 3 };
    const EXAMPLES: &'static [&'static str] = &["JPY", "EUR"];

    fn parse(text: &str) -> Result<Self, Malformed> {
        within(text, 3)?;
        if text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase()) {
            Ok(Self(text.into()))
        } else {
            Err(Malformed::because(
                Fault::Form,
                "three upper-case letters of ISO 4217, such as `JPY`",
            ))
        }
    }
}

/// A language, with a country or a script where that matters: `ja`, `en-GB`, `zh-TW`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Language(Str);

impl Language {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Scalar for Language {
    const WHAT: &'static str = "a language";
    const GRAMMAR: Grammar =
        Grammar::Pattern { pattern: "^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$", length_max: 11 };
    const EXAMPLES: &'static [&'static str] = &["en", "ja", "zh-TW"];

    fn parse(text: &str) -> Result<Self, Malformed> {
        within(text, 11)?;
        let mut parts = text.split('-');
        let language = parts.next().unwrap_or_default();
        let mut ok =
            (2..=3).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_lowercase());
        let mut next = parts.next();
        let is_script = |part: &str| {
            part.len() == 4
                && part.bytes().next().is_some_and(|b| b.is_ascii_uppercase())
                && part.bytes().skip(1).all(|b| b.is_ascii_lowercase())
        };
        if next.is_some_and(is_script) {
            next = parts.next();
        }
        if let Some(part) = next {
            ok &= part.len() == 2 && part.bytes().all(|b| b.is_ascii_uppercase());
            next = parts.next();
        }
        if ok && next.is_none() {
            Ok(Self(text.into()))
        } else {
            Err(Malformed::because(Fault::Form, "a language such as `en`, `ja`, `fr` or `zh-TW`"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn europe_is_one_market_and_japan_its_own() {
        let market = |code| CountryCode::parse(code).unwrap().market();
        assert_eq!(market("FR"), market("CH"));
        assert_eq!(market("GB"), market("NO"));
        assert_ne!(market("JP"), market("KR"));
        assert_ne!(market("FR"), market("UA"));
    }

    #[test]
    fn a_wrong_code_comes_with_the_right_one() {
        assert_eq!(
            CountryCode::parse("UK").unwrap_err().help.unwrap(),
            "the United Kingdom is `GB`"
        );
        assert!(CountryCode::parse("jp").unwrap_err().help.unwrap().contains("`JP`"));
    }
}

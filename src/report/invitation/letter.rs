//! A message in words. The words stand in a file for each language beside this one, for people who
//! read that language; the first line of each is the subject.

use askama::Template;
use jiff::civil::Date;
use sha2::{Digest, Sha256};

use super::{Language, Mailbox, Message};
use crate::model::text::is_bidirectional_control;

/// What a message is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Occasion {
    /// A customer is to accept us as its reseller.
    Reseller,
    /// A customer is to accept us and our provider, with one link.
    Together {
        provider: String,
        /// We are accepted already: this adds the provider.
        is_addition: bool,
    },
    /// Our own global admins are to accept a provider.
    OurProvider { provider: String },
    /// Another partner is to accept us as its provider.
    AsProvider,
    /// A customer is to approve delegated access.
    DelegatedAccess { roles: Vec<String>, days: u32, extends: bool },
}

impl Occasion {
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Reseller => "reseller",
            Self::Together { .. } => "reseller-and-provider",
            Self::OurProvider { .. } => "our-provider",
            Self::AsProvider => "as-provider",
            Self::DelegatedAccess { .. } => "delegated-access",
        }
    }
}

/// We.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    pub company: String,
    /// Who signs.
    pub first_name: String,
    pub last_name: String,
    /// Where questions go.
    pub email: String,
    pub phone: Option<String>,
    pub website: Option<String>,
}

/// Who is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    pub company: String,
    /// Of the tenant in which it is accepted, where that is known.
    pub domain: Option<String>,
    pub people: Vec<Person>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub name: Option<String>,
    pub email: String,
}

/// All that a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub object: String,
    pub step: String,
    pub estate: String,
    pub occasion: Occasion,
    pub from: Sender,
    pub to: Recipient,
    pub link: String,
    /// The last day on which it can be accepted.
    pub until: Option<Date>,
}

/// Why there is no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unwritten {
    /// A link that would not survive on a line of its own.
    Link,
    /// An address that is none.
    Address,
    /// A text could not be filled in, which is a mistake of ours.
    Text,
}

impl Letter {
    /// Puts it into words.
    pub fn write(&self, language: Language) -> Result<Message, Unwritten> {
        let is_odd = |c: char| c.is_whitespace() || c.is_control() || is_bidirectional_control(c);
        if self.link.is_empty() || self.link.chars().any(is_odd) {
            return Err(Unwritten::Link);
        }
        let words = Words::of(self, language);
        let filled = match language {
            Language::En => English { words: &words }.render(),
            Language::Ja => Japanese { words: &words }.render(),
            Language::Fr => French { words: &words }.render(),
            Language::ZhTw => Chinese { words: &words }.render(),
        };
        let filled = filled.map_err(|_| Unwritten::Text)?;
        let (subject, body) = paragraphs(&filled).ok_or(Unwritten::Text)?;
        let from = Mailbox { name: Some(words.us.clone()), address: address(&self.from.email)? };
        let to = self.to.people.iter().map(|person| {
            let name = person.name.as_deref().map(plain).filter(|name| !name.is_empty());
            Ok(Mailbox { name, address: address(&person.email)? })
        });
        Ok(Message {
            object: self.object.clone(),
            step: self.step.clone(),
            occasion: self.occasion.word().to_owned(),
            language,
            company: words.company.clone(),
            to: to.collect::<Result<_, _>>()?,
            subject,
            body,
            link: self.link.clone(),
            until: self.until.map(|until| until.to_string()),
            message_id: self.message_id(&from.address),
            from,
        })
    }

    fn message_id(&self, from: &str) -> String {
        let mut hash = Sha256::new();
        for part in [&self.estate, &self.step, &self.link] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let digest = format!("{:x}", hash.finalize());
        let domain = from.rsplit_once('@').map_or("invalid", |(_, domain)| domain);
        format!("{}@{domain}", digest.get(..32).unwrap_or_default())
    }
}

/// A text from outside, on one line, without anything that acts. Never for a link.
fn plain(text: &str) -> String {
    let shown: String = text
        .chars()
        .map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .filter(|c| !is_bidirectional_control(*c))
        .collect();
    shown.trim().to_owned()
}

/// Addresses come from manifests, where they were judged; what is none now was none of those.
fn address(text: &str) -> Result<String, Unwritten> {
    let is_fine = text.contains('@')
        && text.chars().all(|c| !c.is_whitespace() && !c.is_control() && !"<>,;\"()".contains(c));
    if is_fine { Ok(text.to_owned()) } else { Err(Unwritten::Address) }
}

/// The subject, and the paragraphs of the body with one empty line between them.
fn paragraphs(filled: &str) -> Option<(String, String)> {
    let mut lines = filled.lines().map(str::trim_end).skip_while(|line| line.is_empty());
    let subject = lines.next()?.to_owned();
    let mut body = String::new();
    let mut is_apart = true;
    for line in lines {
        if line.is_empty() {
            is_apart = true;
            continue;
        }
        if is_apart && !body.is_empty() {
            body.push('\n');
        }
        is_apart = false;
        body.push_str(line);
        body.push('\n');
    }
    Some((subject, body))
}

/// What the texts are filled with.
struct Words<'a> {
    occasion: &'a Occasion,
    us: String,
    signed: String,
    email: String,
    phone: Option<String>,
    website: Option<String>,
    company: String,
    name: Option<String>,
    domain: Option<String>,
    provider: String,
    roles: Vec<String>,
    link: &'a str,
    until: Option<String>,
}

impl<'a> Words<'a> {
    fn of(letter: &'a Letter, language: Language) -> Self {
        let Letter { object: _, step: _, estate: _, occasion, from, to, link, until } = letter;
        let name = match to.people.as_slice() {
            [one] => one.name.as_deref().map(plain).filter(|name| !name.is_empty()),
            _ => None,
        };
        let (provider, roles) = match occasion {
            Occasion::Together { provider, .. } | Occasion::OurProvider { provider } => {
                (plain(provider), Vec::new())
            }
            Occasion::DelegatedAccess { roles, .. } => {
                (String::new(), roles.iter().map(|role| plain(role)).collect())
            }
            Occasion::Reseller | Occasion::AsProvider => (String::new(), Vec::new()),
        };
        Self {
            occasion,
            us: plain(&from.company),
            signed: language.name(&plain(&from.first_name), &plain(&from.last_name)),
            email: plain(&from.email),
            phone: from.phone.as_deref().map(plain),
            website: from.website.as_deref().map(plain),
            company: plain(&to.company),
            name,
            domain: to.domain.as_deref().map(plain),
            provider,
            roles,
            link,
            until: until.map(|until| language.day(until)),
        }
    }
}

macro_rules! texts {
    ($($name:ident $path:literal)*) => {$(
        #[derive(Template)]
        #[template(path = $path, escape = "none")]
        struct $name<'a> {
            words: &'a Words<'a>,
        }
    )*};
}

texts! {
    English "report/invitation/en.txt"
    Japanese "report/invitation/ja.txt"
    French "report/invitation/fr.txt"
    Chinese "report/invitation/zh-TW.txt"
}

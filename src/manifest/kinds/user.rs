//! `User`: someone who works here, or who was invited, and what they may do.

use schemars::{Schema, SchemaGenerator, json_schema};

use crate::manifest::code::Code;
use crate::manifest::read::collections::{List, Set};
use crate::manifest::read::fields::{object_schema, wrong_type};
use crate::manifest::read::scalars::Flag;
use crate::manifest::read::{At, Described, Reader, Shaped, shape};
use crate::manifest::suggest::{did_you_mean, listed, quoted};
use crate::manifest::text::arena::{Entries, Node, View};
use crate::model::contact::{Email, Phone, SignInName};
use crate::model::country::{CountryCode, Language};
use crate::model::name::{Name, RoleKey};
use crate::model::role::AccountRole;
use crate::model::scalar::Scalar;
use crate::model::text::Title;
use crate::model::user::{AdminLevel, AgentLevel, Holding, RoleGrant, User, UserType};

shape!(User, "User", {
    /// The name that is shown.
    "displayName" => display_name: required Title, Live;
    /// Where mail reaches them; also what they sign in with, unless `signInName` says otherwise.
    "email" => email: required Email, Live;
    /// What they sign in with (UPN): at a domain of the account. Defaults to `email`.
    "signInName" => sign_in_name: optional SignInName, Live;
    /// The agent level, or a list of levels, or none: membership of AdminAgents, HelpdeskAgents, SalesAgents.
    "agent" => agent: chosen Levels<AgentLevel>, Live;
    /// The admin level, or a list, or none: directory roles of our tenant. `{global: eligible}` is for privileged identity management.
    "admin" => admin: chosen Admins, Live;
    /// Custom roles by name, account roles by key; `{role: referrals-admin, locations: [JP-13]}` limits an account role to locations.
    "roles" => roles: optional List<RoleGrant>, Live;
    /// Whether they can sign in.
    "enabled" => enabled: default Flag, Live, true, "true";
    /// Where they use services, ISO 3166-1; licences need it.
    "usageLocation" => usage_location: optional CountryCode, Live;
    /// One of ours, or invited from another directory. `#EXT#` in a sign-in name says guest too.
    "userType" => user_type: optional UserType, CreateOnly;
    /// First name.
    "givenName" => given_name: optional Title, Live;
    /// Family name.
    "surname" => surname: optional Title, Live;
    /// What they do here.
    "jobTitle" => job_title: optional Title, Live;
    /// The department they work in.
    "department" => department: optional Title, Live;
    /// Their mobile telephone, with its country code.
    "mobilePhone" => mobile_phone: optional Phone, Live;
    /// The language that services should speak to them.
    "preferredLanguage" => preferred_language: optional Language, Live;
});

/// The word for holding nothing, on purpose.
const NONE: &str = "none";

/// A level, a list of levels, or `none`.
struct Levels<L>(Vec<L>);

impl<L> From<Levels<L>> for Vec<L> {
    fn from(levels: Levels<L>) -> Self {
        levels.0
    }
}

/// What a level and its like are read from.
trait Level: Scalar + Copy + PartialEq + 'static {
    const WORDS: &'static [(&'static str, &'static str)];
}

impl Level for AgentLevel {
    const WORDS: &'static [(&'static str, &'static str)] = &[
        ("admin", "Manages customers, orders, delegated access."),
        ("helpdesk", "Searches and supports customers."),
        ("sales", "Requests relationships and manages leads; indirect providers alone have it."),
        (NONE, "No agent."),
    ];
}

impl Level for AdminLevel {
    const WORDS: &'static [(&'static str, &'static str)] = &[
        ("global", "Everything, accepting partnerships included."),
        ("user-management", "Creates and manages users."),
        ("billing", "Billing, invoices, reconciliation."),
        (NONE, "No admin."),
    ];
}

/// What one item of a list of levels says.
enum Said<L> {
    None,
    Level(L),
}

fn level<L: Level>(node: Node<'_>, reader: &mut Reader<'_>) -> Option<Said<L>> {
    let text = crate::manifest::read::scalars::text_of(node, L::WHAT, reader)?;
    if text == NONE {
        return Some(Said::None);
    }
    if let Ok(level) = L::parse(text) {
        return Some(Said::Level(level));
    }
    let words = || L::WORDS.iter().map(|(word, _)| *word);
    let help = did_you_mean(text, words()).unwrap_or_else(|| format!("it is {}", listed(words())));
    reader.report(
        Code::P0106,
        node.span(),
        format!("`{}` cannot be {}", reader.field, quoted(text)),
        Some(help),
    );
    None
}

/// Reads a level, or a list of levels in which `none` stands alone and nothing repeats.
fn levels<L: Level, T>(
    at: At<'_>,
    reader: &mut Reader<'_>,
    read: impl Fn(Node<'_>, &mut Reader<'_>) -> Option<Vec<Said<T>>>,
    same: impl Fn(&T, &T) -> bool,
) -> Option<Vec<T>> {
    let node = at.node()?;
    let field = reader.field;
    let items = match node.view() {
        View::Sequence(items) if items.is_empty() => {
            let help = Some(format!("say `{field}: none`"));
            reader.report(
                Code::P0111,
                at.key.unwrap_or(node.span()),
                format!("`{field}` is empty"),
                help,
            );
            return None;
        }
        View::Sequence(items) => items,
        _ => {
            return Some(
                read(node, reader)?
                    .into_iter()
                    .filter_map(|said| match said {
                        Said::None => None,
                        Said::Level(level) => Some(level),
                    })
                    .collect(),
            );
        }
    };
    let mut complete = true;
    let mut held: Vec<T> = Vec::new();
    let mut none = None;
    let many = items.len() > 1;
    for (at, item) in items.clone().enumerate() {
        reader.field = field;
        let Some(said) = read(item, reader) else {
            complete = false;
            continue;
        };
        for said in said {
            match said {
                Said::None if many => none = Some(item),
                Said::None => {}
                Said::Level(level) if held.iter().any(|other| same(other, &level)) => {
                    complete = false;
                    let again = items.clone().take(at).any(|earlier| written_alike(earlier, item));
                    let (code, message, help) = if again {
                        (
                            Code::P0110,
                            format!("`{field}` names a level twice"),
                            "keep one of the two",
                        )
                    } else {
                        let message = format!("`{field}` names a level in two ways");
                        (Code::P1010, message, "say once how it is held")
                    };
                    reader.report(code, item.head(), message, Some(help.to_owned()));
                }
                Said::Level(level) => held.push(level),
            }
        }
    }
    if let Some(item) = none {
        let help = Some("leave `none` out, or let it stand alone".to_owned());
        reader.report(
            Code::P0110,
            item.span(),
            format!("`{field}` says `none` beside something else"),
            help,
        );
        complete = false;
    }
    complete.then_some(held)
}

/// Whether two items say the same in the same words.
fn written_alike(a: Node<'_>, b: Node<'_>) -> bool {
    match (a.view(), b.view()) {
        (View::Mapping(a), View::Mapping(b)) => {
            let words = |entries: Entries<'_>| {
                let mut words: Vec<(String, String)> = entries
                    .map(|(key, value)| (key.text().to_owned(), value.text().to_owned()))
                    .collect();
                words.sort();
                words
            };
            words(a) == words(b)
        }
        _ => a.is_scalar() && b.is_scalar() && a.text() == b.text(),
    }
}

impl Shaped for Levels<AgentLevel> {
    fn read(at: At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        levels::<AgentLevel, _>(
            at,
            reader,
            |node, reader| Some(vec![level(node, reader)?]),
            |a, b| a == b,
        )
        .map(Self)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        let one = words_schema::<AgentLevel>(true);
        json_schema!({ "anyOf": [one, list_schema(&words_schema::<AgentLevel>(false).into())] })
    }

    fn described() -> Described {
        Described {
            examples: &["admin", "[admin, helpdesk]"],
            choices: AgentLevel::WORDS,
            ..Described::simply("an agent level, a list of levels, or `none`")
        }
    }
}

/// Admin levels with how they are held.
struct Admins(Vec<(AdminLevel, Holding)>);

impl From<Admins> for Vec<(AdminLevel, Holding)> {
    fn from(admins: Admins) -> Self {
        admins.0
    }
}

impl Shaped for Admins {
    fn read(at: At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        levels::<AdminLevel, _>(at, reader, admin, |a, b| a.0 == b.0).map(Self)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        let holdings: Vec<&str> = Holding::ALL.iter().map(|holding| holding.word()).collect();
        let properties: serde_json::Map<_, _> = AdminLevel::ALL
            .iter()
            .map(|level| {
                (level.word().to_owned(), serde_json::json!({ "type": "string", "enum": holdings }))
            })
            .collect();
        let held = json_schema!({
            "type": "object", "properties": properties, "additionalProperties": false, "minProperties": 1,
        });
        let item = json_schema!({ "anyOf": [words_schema::<AdminLevel>(false), held] });
        json_schema!({ "anyOf": [words_schema::<AdminLevel>(true), held, list_schema(&item.into())] })
    }

    fn described() -> Described {
        Described {
            examples: &["global", "{global: eligible}", "[user-management, billing]"],
            choices: AdminLevel::WORDS,
            ..Described::simply("an admin level, a list of levels, or `none`")
        }
    }
}

/// `global`, or `{global: eligible}`.
fn admin(node: Node<'_>, reader: &mut Reader<'_>) -> Option<Vec<Said<(AdminLevel, Holding)>>> {
    let View::Mapping(entries) = node.view() else {
        return Some(vec![match level(node, reader)? {
            Said::None => Said::None,
            Said::Level(level) => Said::Level((level, Holding::Active)),
        }]);
    };
    if entries.is_empty() {
        wrong_type(node, "`admin`", "a level", reader);
        return None;
    }
    let mut said: Vec<Said<(AdminLevel, Holding)>> = Vec::new();
    let mut complete = true;
    for (key, value) in entries {
        let level = AdminLevel::parse(key.text()).ok();
        if level.is_none() {
            let help = did_you_mean(key.text(), AdminLevel::ALL.iter().map(|level| level.word()));
            reader.report(
                Code::P0101,
                key.span(),
                format!("unknown key {} in `admin`", quoted(key.text())),
                help,
            );
        }
        reader.field = "admin";
        let holding = Holding::read(At::own(value), reader);
        match (level, holding) {
            (Some(level), Some(holding)) => {
                let again = said
                    .iter()
                    .any(|said| matches!(said, Said::Level((known, _)) if *known == level));
                if again {
                    reader.twice(key);
                    complete = false;
                }
                said.push(Said::Level((level, holding)));
            }
            _ => complete = false,
        }
    }
    complete.then_some(said)
}

fn words_schema<L: Level>(with_none: bool) -> Schema {
    let words = || L::WORDS.iter().filter(|(word, _)| with_none || *word != NONE);
    let names: Vec<&str> = words().map(|(word, _)| *word).collect();
    let meanings: Vec<&str> = words().map(|(_, meaning)| *meaning).collect();
    json_schema!({ "type": "string", "enum": names, "markdownEnumDescriptions": meanings })
}

/// Levels without repeats, or `none` alone.
fn list_schema(item: &serde_json::Value) -> Schema {
    json_schema!({
        "anyOf": [
            { "type": "array", "items": item, "uniqueItems": true, "minItems": 1 },
            { "const": [NONE] },
        ],
    })
}

struct Located {
    role: Name,
    locations: Vec<Title>,
}

shape!(Located, "a role with locations", {
    /// The key of an account role.
    "role" => role: required Name, Live;
    /// Where it holds; absent: in the whole organization.
    "locations" => locations: default Set<Title>, Live, Vec::new(), "";
});

impl Shaped for RoleGrant {
    fn read(at: At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let node = at.node()?;
        if matches!(node.view(), View::Mapping(_)) {
            let Located { role, locations } = Located::read(at, reader)?;
            return Some(match AccountRole::parse(role.as_str()) {
                Ok(role) => Self::Account { role, locations },
                Err(_) => Self::Unrecognised { role: role.as_str().into(), locations },
            });
        }
        let key = RoleKey::read(at, reader)?;
        Some(match AccountRole::parse(key.as_str()) {
            Ok(role) => Self::Account { role, locations: Vec::new() },
            Err(_) => Self::Custom(key),
        })
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let mut name = RoleKey::schema(generator);
        let account_roles: Vec<&str> = AccountRole::ALL.iter().map(|role| role.word()).collect();
        name.insert("examples".to_owned(), account_roles.into());
        json_schema!({ "anyOf": [name, object_schema("a role with locations", &Located::FIELDS, generator)] })
    }

    fn described() -> Described {
        Described {
            examples: &["[tier2-support, referrals-admin]"],
            fields: &Located::FIELDS,
            ..Described::simply("a list of roles")
        }
    }
}

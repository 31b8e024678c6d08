//! What was observed, as files the way a person would cut them.
//!
//! Remarks mark what a reader should know and manifests cannot say: who is kept on premises, who is a
//! guest, what comes through groups, who holds something and is no user. Each file says by a digest
//! whether anybody edited it since: an edited file is somebody's work.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Held, Observed, Outsider, Through};
use crate::manifest::emit::{self, Document};
use crate::model::account::{Account, Billing};
use crate::model::country::CountryCode;
use crate::model::customer::Customer;
use crate::model::estate::Declared;
use crate::model::name::{CustomerKey, Kind, PartnershipKey};
use crate::model::role::{Group, Role};
use crate::model::scalar::Scalar;
use crate::model::tenant::MemberKind;
use crate::model::text::Title;
use crate::model::user::{AgentLevel, Holding, User};

/// As many customers as people read one by one.
pub const DOCUMENTS_MAX: usize = 300;
/// As many users as a value that most of them share is worth a document of its own.
const SHARED_MIN: usize = 3;
/// The table of customers.
const TABLE: &str = "customers.csv";

const NOTE: &str =
    "# Written by `partnerctl import`; `--sync` writes it anew as long as nobody edits it.\n";
const SEAL: &str = "# partnerctl-import sha256:";

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub name: &'static str,
    pub text: String,
}

/// Every name that a file can have.
pub const NAMES: [&str; 6] =
    ["account.yaml", "users.yaml", "roles.yaml", "partnerships.yaml", "customers.yaml", TABLE];

/// What was observed, as files. More customers than `documents_max` become a table.
pub fn files(observed: &Observed, documents_max: usize) -> Vec<File> {
    let estate = &observed.estate;
    let mut files = Vec::new();
    let mut add = |name, remarks: &[String], documents: &[Document]| {
        if !documents.is_empty() {
            files.push(File { name, text: sealed(remarks, documents) });
        }
    };
    add("account.yaml", &[], &account(observed));
    add("users.yaml", &strangers(observed), &users(observed));
    add("roles.yaml", &[], &roles(observed));
    add("partnerships.yaml", &[], &partnerships(observed));
    if estate.customers.len() <= documents_max {
        add("customers.yaml", &[], &customers(observed, |_| true));
        return files;
    }
    let table = table(observed);
    let digest = format!("{TABLE} sha256:{}", digest(&table));
    let mut documents =
        vec![Document::named(Kind::CustomerTable, "customers", json!({"file": TABLE}))];
    documents.extend(customers(observed, |customer| !is_row(customer)));
    add("customers.yaml", &[digest], &documents);
    files.push(File { name: TABLE, text: table });
    files
}

/// What was observed, as one stream.
pub fn stream(observed: &Observed) -> String {
    let remarks = strangers(observed);
    let documents: Vec<Document> = account(observed)
        .into_iter()
        .chain(users(observed))
        .chain(roles(observed))
        .chain(partnerships(observed))
        .chain(customers(observed, |_| true))
        .collect();
    let mut text = heading(&remarks);
    text.push_str(&emit::file(&documents));
    text
}

/// Whether anybody edited a file since it was written here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seal {
    Whole,
    /// Written here, and edited.
    Broken,
    /// Never written here.
    None,
}

/// Looks whether a file is as it was written. A table's seal stands in the file of its document.
pub fn seal(name: &str, text: &str, customers_yaml: Option<&str>) -> Seal {
    // Whoever checks it out may have other line ends.
    let text = text.replace("\r\n", "\n");
    if name == TABLE {
        let line = customers_yaml.and_then(|yaml| {
            yaml.lines().find_map(|line| {
                line.strip_prefix("# ")?.strip_prefix(TABLE)?.strip_prefix(" sha256:")
            })
        });
        return match line {
            Some(line) if line.trim_end() == digest(&text) => Seal::Whole,
            Some(_) => Seal::Broken,
            None => Seal::None,
        };
    }
    let sealed = text.split_once(SEAL).and_then(|(_, rest)| rest.split_once('\n'));
    match sealed {
        Some((known, body)) if text.starts_with(NOTE) && known == digest(body) => Seal::Whole,
        Some(_) => Seal::Broken,
        None => Seal::None,
    }
}

fn sealed(remarks: &[String], documents: &[Document]) -> String {
    let mut body = heading(remarks);
    body.push_str(&emit::file(documents));
    format!("{NOTE}{SEAL}{}\n{body}", digest(&body))
}

fn heading(remarks: &[String]) -> String {
    let mut text = String::new();
    for remark in remarks {
        text.push_str("# ");
        text.push_str(&emit::one_line(remark));
        text.push('\n');
    }
    text
}

fn digest(text: &str) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

fn account(observed: &Observed) -> Vec<Document> {
    let account = observed.estate.account.iter();
    account
        .map(|account| {
            let spec = emit::account(&without_repeats(&account.spec));
            Document::new(Kind::Account, &account.metadata, spec)
        })
        .collect()
}

/// What the billing profile says again of the legal one is left out: nobody keeps it twice.
fn without_repeats(account: &Account) -> Account {
    let mut account = account.clone();
    let legal = &account.legal;
    if let Some(billing) = &mut account.billing {
        let Billing { company_name, address, primary_contact, .. } = billing;
        company_name.take_if(|name| *name == legal.company_name);
        address.take_if(|address| *address == legal.address);
        primary_contact.take_if(|contact| *contact == legal.primary_contact);
    }
    account
}

fn users(observed: &Observed) -> Vec<Document> {
    let users = &observed.estate.users;
    let shared = shared_location(observed);
    let mut documents: Vec<Document> = Vec::with_capacity(users.len() + 1);
    if let Some(location) = shared {
        let values =
            json!({"kind": "User", "values": {"spec": {"usageLocation": location.as_str()}}});
        documents.push(Document::named(Kind::Defaults, "users", values));
    }
    for (key, user) in users {
        let mut spec: User = (*user.spec).clone();
        spec.usage_location.take_if(|location| Some(*location) == shared);
        spec.roles.take_if(|roles| roles.is_empty());
        let mut document = Document::new(Kind::User, &user.metadata, emit::user(&spec));
        if let Some(person) = observed.people.get(key) {
            if person.is_synced {
                document = document.remark(
                    "kept on premises: name, address and whether they can sign in are changed there",
                );
            }
            if spec.is_guest() {
                document = document.remark("a guest: kept in another directory");
            }
            if !person.through.is_empty() {
                document = document.remark(through(&person.through));
            }
        }
        documents.push(document);
    }
    documents
}

/// The location that most users have, if all have one: a default would fill those without.
fn shared_location(observed: &Observed) -> Option<CountryCode> {
    let users = &observed.estate.users;
    let mut counts: BTreeMap<CountryCode, usize> = BTreeMap::new();
    for user in users.values() {
        *counts.entry(user.spec.usage_location?).or_default() += 1;
    }
    let (location, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    (users.len() >= SHARED_MIN && count * 2 > users.len()).then_some(location)
}

fn through(through: &Through) -> String {
    let Through { agent, admin, roles, activated } = through;
    let agent = agent.iter().map(|level| format!("agent: {level}"));
    let admin = admin.iter().map(|(level, holding)| match holding {
        Holding::Active => format!("admin: {level}"),
        Holding::Eligible => format!("admin: {level} (eligible)"),
    });
    let roles = roles.iter().map(ToString::to_string);
    let all: Vec<String> = agent.chain(admin).chain(roles).collect();
    let mut parts = Vec::new();
    if !all.is_empty() {
        parts.push(format!("through groups, and not kept here: {}", all.join(", ")));
    }
    if !activated.is_empty() {
        let levels: Vec<String> = activated.iter().map(ToString::to_string).collect();
        parts.push(format!("activated for now: {}", levels.join(", ")));
    }
    parts.join("; ")
}

fn roles(observed: &Observed) -> Vec<Document> {
    let roles = observed.estate.roles.iter();
    roles
        .map(|(key, role)| {
            let mut spec: Role = (*role.spec).clone();
            // What it would be called anyway.
            if let Some(Group::Named { mail_nickname, .. }) = &mut spec.group {
                mail_nickname.take_if(|alias| alias.as_str() == key.as_str());
            }
            let document = Document::new(Kind::Role, &role.metadata, emit::role(&spec));
            let held = Held::Role(key.clone());
            let others = observed.outsiders.iter().filter(|one| one.holds == held);
            others.fold(document, |document, one| {
                document.remark(format!("also in the group, and not kept here: {}", called(one)))
            })
        })
        .collect()
}

/// Who is an agent or an admin and no user, a line each.
pub fn strangers(observed: &Observed) -> Vec<String> {
    observed
        .outsiders
        .iter()
        .filter_map(|one| {
            let held = match &one.holds {
                Held::Agent(AgentLevel::Admin) => "an admin agent".to_owned(),
                Held::Agent(AgentLevel::Helpdesk) => "a helpdesk agent".to_owned(),
                Held::Agent(AgentLevel::Sales) => "a sales agent".to_owned(),
                Held::Admin(level, Holding::Active) => format!("admin: {level}"),
                Held::Admin(level, Holding::Eligible) => format!("admin: {level} (eligible)"),
                Held::Role(_) => return None,
            };
            Some(format!("no user, and not kept here: {}, {held}", called(one)))
        })
        .collect()
}

fn called(outsider: &Outsider) -> String {
    let kind = match &outsider.kind {
        MemberKind::Group => "the group",
        MemberKind::ServicePrincipal => "the service principal",
        MemberKind::User | MemberKind::Other(_) => "the object",
    };
    // A name that is none of a manifest's names is not worth showing.
    match outsider.name.as_deref().and_then(|name| Title::parse(name).ok()) {
        Some(name) => format!("{kind} {:?} ({})", name.as_str(), outsider.id),
        None => format!("{kind} {}", outsider.id),
    }
}

fn partnerships(observed: &Observed) -> Vec<Document> {
    let partnerships = observed.estate.partnerships.values();
    partnerships
        .map(|one| {
            let document =
                Document::new(Kind::Partnership, &one.metadata, emit::partnership(&one.spec));
            if one.spec.acknowledge.is_empty() {
                return document;
            }
            document.remark("it holds already: whoever keeps this acknowledges what it means")
        })
        .collect()
}

fn customers(observed: &Observed, include: impl Fn(&Declared<Customer>) -> bool) -> Vec<Document> {
    let customers = observed.estate.customers.values();
    customers
        .filter(|one| include(one))
        .map(|one| Document::new(Kind::Customer, &one.metadata, emit::customer(&one.spec)))
        .collect()
}

/// Whether a customer is said by the columns of the table, and a spreadsheet would take its name
/// for nothing but a name.
fn is_row(declared: &Declared<Customer>) -> bool {
    let Customer {
        company_name,
        tenant_id,
        contact,
        billing,
        qualification,
        qualification_details,
        organization_registration_number,
        channel,
        ..
    } = &*declared.spec;
    let name = company_name.as_str();
    tenant_id.is_some()
        && declared.metadata.ignore.is_empty()
        && contact.is_none()
        && billing.is_none()
        && qualification.is_none()
        && qualification_details.is_none()
        && organization_registration_number.is_none()
        && channel.is_none()
        && name != "none"
        && !name.starts_with(['=', '+', '-', '@'])
        && name.trim() == name
}

type Row<'a> = (&'a CustomerKey, &'a Declared<Customer>);
type Cell = fn(Row<'_>) -> String;

/// Customers as rows. Columns that nobody fills are left out, but for those that a table must have.
fn table(observed: &Observed) -> String {
    let rows = || observed.estate.customers.iter().filter(|(_, customer)| is_row(customer));
    let columns: [(&str, Cell); 6] = [
        ("name", |(key, _)| key.to_string()),
        ("companyName", |(_, customer)| customer.spec.company_name.to_string()),
        ("domain", |(_, customer)| customer.spec.domain.to_string()),
        ("tenantId", |(_, customer)| {
            customer.spec.tenant_id.map(|id| id.to_string()).unwrap_or_default()
        }),
        ("partnerships", |(_, customer)| {
            let named = customer.spec.partnerships.iter().flatten();
            named.map(PartnershipKey::as_str).collect::<Vec<_>>().join(";")
        }),
        ("reseller", |(_, customer)| {
            customer.spec.reseller.as_ref().map(ToString::to_string).unwrap_or_default()
        }),
    ];
    let must = |name: &str| ["name", "companyName", "domain"].contains(&name);
    let filled: Vec<&(&str, Cell)> = columns
        .iter()
        .filter(|(name, cell)| must(name) || rows().any(|row| !cell(row).is_empty()))
        .collect();
    let mut table = String::new();
    let header: Vec<&str> = filled.iter().map(|(name, _)| *name).collect();
    table.push_str(&header.join(","));
    table.push('\n');
    for row in rows() {
        for (at, (_, cell)) in filled.iter().enumerate() {
            if at > 0 {
                table.push(',');
            }
            write_cell(&cell(row), &mut table);
        }
        table.push('\n');
    }
    table
}

fn write_cell(cell: &str, table: &mut String) {
    if cell.contains(['"', ',', '\n', '\r', ';']) {
        table.push('"');
        table.push_str(&cell.replace('"', "\"\""));
        table.push('"');
    } else {
        table.push_str(cell);
    }
}

//! Documents to an estate: each under its name, once.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashMap;

use super::batch::{Fallbacks, Located, Place, Table};
use super::code::Code;
use super::document::Body;
use super::draft::{Draft, On, Where, way};
use super::source::SourceId;
use crate::model::estate::{Declared, Estate, Origin};
use crate::model::label::Labels;
use crate::model::metadata::Metadata;
use crate::model::name::{Kind, Name};
use crate::model::role::is_built_in;

/// Everything that was declared, as far as it could be read.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub estate: Estate,
    /// Documents that have a name and something wrong with them: references to them resolve.
    pub broken: BTreeSet<(Kind, Name)>,
    /// Documents with something wrong in them, as `kind/name`.
    pub faulty: BTreeSet<String>,
    /// The labels of some customer are not known.
    pub labels_unknown: bool,
    /// The labels of customers that could not be read otherwise.
    pub broken_labels: Vec<Labels>,
    /// Where each document was, by origin.
    pub places: Vec<Place>,
    pub tables: Vec<Table>,
    pub fallbacks: Fallbacks,
    pub counts: BTreeMap<Kind, usize>,
}

/// Sorts documents into the estate; reports names that stand twice.
#[derive(Debug, Default)]
pub(crate) struct Gatherer {
    gathered: Gathered,
    named: HashMap<(Kind, Name), Origin>,
    /// Who claims a former name, and in which item of the list.
    formerly: HashMap<(Kind, Name), Vec<(Origin, usize)>>,
    parts: Parts,
}

/// Unsorted: a map is built faster from all of its entries than one by one.
#[derive(Debug, Default)]
struct Parts {
    account: Vec<Declared<crate::model::account::Account>>,
    users: Vec<Declared<crate::model::user::User>>,
    roles: Vec<Declared<crate::model::role::Role>>,
    partnerships: Vec<Declared<crate::model::partnership::Partnership>>,
    customers: Vec<Declared<crate::model::customer::Customer>>,
    delegated_access: Vec<Declared<crate::model::delegated_access::DelegatedAccess>>,
    waivers: Vec<Declared<crate::model::waiver::Waiver>>,
    access_tests: Vec<Declared<crate::model::access_test::AccessTest>>,
    defaults: HashMap<Kind, Origin>,
    accounts: Vec<Origin>,
}

impl Gatherer {
    /// The origin that the next document will have.
    pub(crate) fn reserve(&mut self, documents: usize) {
        self.gathered.places.reserve(documents);
        self.named.reserve(documents);
    }

    pub(crate) fn place(&mut self, place: Place) -> Origin {
        let origin = Origin(super::source::to_u32(self.gathered.places.len()));
        self.gathered.places.push(place);
        origin
    }

    pub(crate) fn add(&mut self, located: Located, drafts: &mut Vec<Draft>) {
        let Located { place, document } = located;
        let origin = self.place(place);
        let kind = document.kind;
        *self.gathered.counts.entry(kind).or_default() += 1;
        if kind == Kind::Account {
            self.parts.accounts.push(origin);
        }
        if let Some(name) = &document.name
            && !self.claim(kind, name, origin, drafts)
        {
            return;
        }
        if document.faulty
            && let Some(name) = &document.name
        {
            self.gathered.faulty.insert(format!("{}/{name}", kind.kebab()));
        }
        self.gathered.labels_unknown |= kind == Kind::Customer && document.faulty_metadata;
        if let Some(Body::Defaults(filled)) = &document.body {
            self.one_defaults(*filled, origin, drafts);
        }
        match (document.metadata, document.body, document.name) {
            (metadata, Some(Body::CustomerTable(table)), name) => {
                self.gathered.tables.push(Table {
                    origin,
                    name,
                    file: table.file.as_str().to_owned(),
                });
                self.remember(kind, metadata.as_deref(), origin);
            }
            (Some(metadata), Some(body), _) => {
                self.remember(kind, Some(&metadata), origin);
                self.parts.push(metadata, body, origin);
            }
            (metadata, _, Some(name)) => {
                self.remember(kind, metadata.as_deref(), origin);
                if kind == Kind::Customer {
                    self.gathered.broken_labels.extend(metadata.map(|metadata| metadata.labels));
                }
                self.gathered.broken.insert((kind, name));
            }
            _ => {}
        }
    }

    /// Whether the name is this document's own.
    fn claim(&mut self, kind: Kind, name: &Name, origin: Origin, drafts: &mut Vec<Draft>) -> bool {
        let at = |origin| Where::Field { origin, path: way!["metadata", "name"], on: On::Value };
        let object = || format!("{}/{name}", kind.kebab());
        if kind == Kind::Role && is_built_in(name.as_str()) {
            let draft = Draft::new(
                Code::P0302,
                at(origin),
                format!("`{name}` is the key of a built-in role"),
            )
            .help("give the role a name of its own, and include the built-in one under `includes`")
            .object(object());
            drafts.push(draft);
            return false;
        }
        match self.named.entry((kind, name.clone())) {
            Entry::Vacant(entry) => {
                entry.insert(origin);
                true
            }
            // There is one Account at most, whatever its name: told elsewhere.
            Entry::Occupied(_) if kind == Kind::Account => false,
            Entry::Occupied(entry) => {
                let draft = Draft::new(Code::P0301, at(origin), format!("there is another {} named `{name}`", kind.word()))
                    .help("names are unique per kind: rename one, and say `formerly` if it was applied before")
                    .object(object())
                    .related("the other one", at(*entry.get()));
                drafts.push(draft);
                false
            }
        }
    }

    fn one_defaults(&mut self, kind: Kind, origin: Origin, drafts: &mut Vec<Draft>) {
        let at = |origin| Where::Field { origin, path: way!["spec", "kind"], on: On::Value };
        match self.parts.defaults.get(&kind) {
            None => {
                self.parts.defaults.insert(kind, origin);
            }
            Some(first) => drafts.push(
                Draft::new(
                    Code::P0212,
                    at(origin),
                    format!("there are Defaults for {} already", kind.word()),
                )
                .help("one document of Defaults per kind: put all values into one")
                .related("the first one, which counts", at(*first)),
            ),
        }
    }

    fn remember(&mut self, kind: Kind, metadata: Option<&Metadata>, origin: Origin) {
        let names = metadata.iter().flat_map(|metadata| metadata.formerly.iter().enumerate());
        for (index, name) in names {
            self.formerly.entry((kind, name.clone())).or_default().push((origin, index));
        }
    }

    pub(crate) fn place_of(&self, origin: Origin) -> Option<Place> {
        self.gathered.places.get(origin.0 as usize).copied()
    }

    /// Where the Defaults of a kind are.
    pub(crate) fn defaults_place(&self, kind: Kind) -> Option<Place> {
        self.place_of(*self.parts.defaults.get(&kind)?)
    }

    /// Remembers that something of a document could not be read.
    pub(crate) fn broken(&mut self, kind: Kind, name: Name) {
        self.gathered.labels_unknown |= kind == Kind::CustomerTable;
        self.gathered.broken.insert((kind, name));
    }

    /// Remembers which table names a CSV file.
    pub(crate) fn table_of(&mut self, csv: SourceId, table: Place) {
        self.gathered.fallbacks.tables.insert(csv, table);
    }

    pub(crate) fn tables(&mut self) -> Vec<Table> {
        std::mem::take(&mut self.gathered.tables)
    }

    /// Makes the estate. `all_known`: nothing was left out, on purpose or because it was unreadable.
    pub(crate) fn finish(self, all_known: bool, drafts: &mut Vec<Draft>) -> Gathered {
        self.former_names(drafts);
        self.accounts(all_known, drafts);
        let Parts {
            account,
            users,
            roles,
            partnerships,
            customers,
            delegated_access,
            waivers,
            access_tests,
            defaults,
            accounts: _,
        } = self.parts;
        let mut gathered = self.gathered;
        for (kind, origin) in defaults {
            gathered
                .fallbacks
                .kinds
                .extend(gathered.places.get(origin.0 as usize).map(|place| (kind, *place)));
        }
        gathered.estate = Estate {
            account: account.into_iter().next(),
            users: keyed(users),
            roles: keyed(roles),
            partnerships: keyed(partnerships),
            customers: keyed(customers),
            delegated_access: keyed(delegated_access),
            waivers: keyed(waivers),
            access_tests: keyed(access_tests),
        };
        gathered
    }

    fn former_names(&self, drafts: &mut Vec<Draft>) {
        let at = |(origin, index): (Origin, usize)| Where::Field {
            origin,
            path: way!["metadata", "formerly", index],
            on: On::Value,
        };
        for ((kind, name), origins) in &self.formerly {
            let key = (*kind, name.clone());
            if let Some(living) = self.named.get(&key) {
                for origin in origins {
                    drafts.push(
                        Draft::new(
                            Code::P0305,
                            at(*origin),
                            format!("`{name}` is still the name of a {}", kind.word()),
                        )
                        .help("leave the name out here, or rename the other document")
                        .related(
                            "the document that has it",
                            Where::Field {
                                origin: *living,
                                path: way!["metadata", "name"],
                                on: On::Value,
                            },
                        ),
                    );
                }
            }
            if let Some((first, rest)) = origins.split_first() {
                for origin in rest {
                    drafts.push(
                        Draft::new(
                            Code::P0306,
                            at(*origin),
                            format!("another {} was `{name}` too", kind.word()),
                        )
                        .help("leave the name out in one of the two: an object is renamed to one thing")
                        .related("the other one", at(*first)),
                    );
                }
            }
        }
    }

    fn accounts(&self, all_known: bool, drafts: &mut Vec<Draft>) {
        let at = |origin| Where::Field { origin, path: way!["kind"], on: On::Value };
        match self.parts.accounts.split_first() {
            None if all_known => drafts.push(
                Draft::new(Code::P0210, Where::Estate, "the estate has no Account")
                    .help("add one document of `kind: Account`, which says what account this is"),
            ),
            Some((first, rest)) => {
                for origin in rest {
                    drafts.push(
                        Draft::new(
                            Code::P0211,
                            at(*origin),
                            "the estate has another Account already",
                        )
                        .help("one estate is one account: keep the other in a project of its own")
                        .related("the first one", at(*first)),
                    );
                }
            }
            None => {}
        }
    }
}

impl Parts {
    fn push(&mut self, metadata: Box<Metadata>, body: Body, origin: Origin) {
        fn declared<T>(metadata: Box<Metadata>, spec: Box<T>, origin: Origin) -> Declared<T> {
            Declared { metadata, spec, origin }
        }
        match body {
            Body::Account(spec) => self.account.push(declared(metadata, spec, origin)),
            Body::User(spec) => self.users.push(declared(metadata, spec, origin)),
            Body::Role(spec) => self.roles.push(declared(metadata, spec, origin)),
            Body::Partnership(spec) => self.partnerships.push(declared(metadata, spec, origin)),
            Body::Customer(spec) => self.customers.push(declared(metadata, spec, origin)),
            Body::DelegatedAccess(spec) => {
                self.delegated_access.push(declared(metadata, spec, origin));
            }
            Body::Waiver(spec) => self.waivers.push(declared(metadata, spec, origin)),
            Body::AccessTest(spec) => self.access_tests.push(declared(metadata, spec, origin)),
            Body::CustomerTable(_) | Body::Defaults(_) | Body::Project(_) => {}
        }
    }
}

fn keyed<K: From<Name> + Ord, T>(declared: Vec<Declared<T>>) -> BTreeMap<K, Declared<T>> {
    declared
        .into_iter()
        .map(|declared| (K::from(declared.metadata.name.clone()), declared))
        .collect()
}

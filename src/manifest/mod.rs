//! Manifests in, estate and findings out.
//!
//! Bytes → nodes with spans (`text`) → documents (`load`, `document`, `read`, `kinds`) → an estate
//! (`gather`) → what is wrong with it (`check`) → lines and columns for what is reported (`locate`).
//!
//! Nothing here opens a file or reads a clock: texts, tables and today are handed in.

#[cfg(test)]
mod agreement;
mod batch;
pub(crate) mod check;
pub mod code;
mod document;
pub(crate) mod draft;
pub mod edit;
pub mod emit;
pub mod finding;
pub mod format;
mod gather;
mod kinds;
mod load;
mod locate;
mod lost;
pub mod order;
mod read;
pub mod reference;
mod rows;
pub mod schema;
pub mod source;
pub(crate) mod suggest;
pub mod text;

use std::collections::{BTreeMap, HashMap};

use batch::Place;
use code::{Code, Severity};
use draft::{Draft, On, Where, way};
use finding::{Checked, Findings};
use gather::Gatherer;
use load::Opened;
use lost::Lost;
use source::{Format, Source, SourceId, Sources};

use crate::model::estate::{CustomerIndex, Declared, Estate, Origin};
use crate::model::name::{Kind, Name};
use crate::model::project::Project;
use crate::model::secret;
use crate::model::time::Day;
use crate::model::waiver::Waiver;

/// Something that kept a file from being handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    pub what: TroubleKind,
    /// Which of the project's `manifests` led there, or the file itself.
    pub path: TroublePath,
    pub message: String,
}

/// The sorts of trouble with files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TroubleKind {
    Missing,
    Outside,
    Unreadable,
    TooLarge,
}

/// Where trouble is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TroublePath {
    /// An item of `spec.manifests`.
    Manifest(usize),
    /// An item of `spec.policies`.
    Policy(usize),
    /// A file, by the name that people know it by.
    File(String),
}

/// Opens the files of customer tables.
pub trait Tables {
    /// The bytes of `file`, named relative to the manifest `beside`, and what people call it.
    fn open(&self, beside: &str, file: &str) -> Result<(String, Vec<u8>), (TroubleKind, String)>;
}

/// Asks more of an estate than manifests alone can answer: who may do what.
pub trait Examiner {
    /// Adds what it finds.
    fn examine(&self, examined: &mut Examined<'_, '_>);
}

/// What an [`Examiner`] looks at, and where it puts what it finds.
#[derive(Debug)]
pub struct Examined<'a, 'e> {
    pub(crate) world: &'a check::World<'e>,
    pub(crate) sources: &'a Sources,
    pub(crate) drafts: &'a mut Vec<Draft>,
}

/// Asks nothing more.
#[derive(Debug, Clone, Copy)]
pub struct NothingMore;

impl Examiner for NothingMore {
    fn examine(&self, _examined: &mut Examined<'_, '_>) {}
}

/// A project file that was read.
#[derive(Debug, Default)]
pub struct ReadProject {
    pub project: Option<Project>,
    source: Option<SourceId>,
    drafts: Vec<Draft>,
    place: Option<Place>,
}

impl ReadProject {
    /// Whether something is wrong with it, so that what it says is not to be relied on.
    pub fn has_errors(&self) -> bool {
        self.drafts.iter().any(|draft| draft.severity == Severity::Error)
    }

    /// Whether there is a project file that does not say what the manifests are.
    pub fn is_unreadable(&self) -> bool {
        let manifests = self.project.as_ref().and_then(|project| project.manifests.as_ref());
        !self.drafts.is_empty() && manifests.is_none()
    }
}

/// Reads the project file, the first of the sources to come.
pub fn read_project(sources: &Sources, id: SourceId) -> ReadProject {
    let mut batch = load::read_project(sources, id);
    let project = load::project_of(&mut batch);
    let place = batch.documents.first().map(|located| located.place);
    ReadProject { project, source: Some(id), drafts: batch.drafts, place }
}

/// Everything that a load is made of.
pub struct Load<'a> {
    pub sources: Sources,
    pub project: ReadProject,
    /// What people call the project file, whether or not there is one.
    pub project_name: String,
    pub troubles: Vec<Trouble>,
    pub tables: &'a dyn Tables,
    pub examiner: &'a dyn Examiner,
    /// These are all the manifests there are.
    pub complete: bool,
    pub today: Day,
}

impl std::fmt::Debug for Load<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Load")
            .field("sources", &self.sources.len())
            .field("complete", &self.complete)
            .finish_non_exhaustive()
    }
}

/// What a load came to.
#[derive(Debug)]
pub struct Loaded {
    pub estate: Estate,
    pub project: Option<Project>,
    pub findings: Findings,
    places: Vec<Place>,
    fallbacks: batch::Fallbacks,
}

impl Loaded {
    /// Where a field of a document stands, or a piece of a text.
    pub(crate) fn place_of(&self, at: &Where) -> finding::Place {
        locate::place(at, &self.places, &self.fallbacks, &self.findings.sources)
    }

    /// Where many fields stand, in their order: each text is gone through once.
    pub(crate) fn places_of(&self, all: &[Where]) -> Vec<finding::Place> {
        locate::places_of(all, &self.places, &self.fallbacks, &self.findings.sources)
    }

    /// The file and line that something was declared at.
    pub fn line_of(&self, origin: Origin) -> Option<(String, u32)> {
        locate::line_of(*self.places.get(origin.0 as usize)?, &self.findings.sources)
    }

    /// Whether anything forbids to go on.
    pub fn has_errors(&self) -> bool {
        self.findings.count(Severity::Error) > 0
    }
}

/// The waivers of an estate, by name.
pub type Waivers = BTreeMap<Name, Declared<Waiver>>;

/// Reads and checks an estate.
pub fn load(load: Load<'_>) -> Loaded {
    load_waived(load, None)
}

/// The same with the waivers of another estate in the place of its own: nobody excuses themselves.
/// Those are of other files, so what is found about the waivers themselves has no true place.
pub fn load_waived(load: Load<'_>, waivers: Option<&Waivers>) -> Loaded {
    let Load { mut sources, project, project_name, troubles, tables, examiner, complete, today } =
        load;
    let project_unreadable = project.is_unreadable();
    let ReadProject { project, source: project_source, mut drafts, place: project_place } = project;
    let mut gatherer = Gatherer::default();
    let project_origin = project_place.map(|place| gatherer.place(place));
    let mut lost = Lost::default();
    if project_unreadable {
        lost.file();
    }
    for trouble in troubles {
        // A policy declares nothing.
        if !matches!(trouble.path, TroublePath::Policy(_)) {
            lost.file();
        }
        drafts.push(draft_of(trouble, project_origin));
    }
    let batches = load::read_all(&sources, project_source);
    gatherer.reserve(batches.iter().map(|batch| batch.documents.len()).sum());
    let mut seen = 0;
    for batch in batches {
        seen += batch.seen;
        lost.append(batch.lost);
        drafts.extend(batch.drafts);
        for located in batch.documents {
            gatherer.add(located, &mut drafts);
        }
    }
    let policies = sources.iter().filter(|(_, source)| source.format == Format::Cedar).count();
    let files = sources.len() - policies - usize::from(project_source.is_some());
    seen += read_tables(&mut gatherer, &mut sources, tables, &mut drafts);
    if seen == 0 && lost.is_empty() {
        let what =
            if files == 0 { "there are no manifests" } else { "the manifests hold no documents" };
        let help = "manifests are *.yaml, *.yml and *.json files; `partnerctl init` writes some to begin with";
        drafts.push(Draft::new(Code::P0208, Where::Estate, what).help(help));
    }
    let account_due = complete && seen > 0 && !lost.may_declare(Kind::Account);
    let mut gathered = gatherer.finish(account_due, &mut drafts);
    if let Some(waivers) = waivers {
        gathered.estate.waivers.clone_from(waivers);
    }
    let world = check::World {
        estate: &gathered.estate,
        broken: &gathered.broken,
        faulty: &gathered.faulty,
        labels_unknown: gathered.labels_unknown,
        broken_labels: &gathered.broken_labels,
        project: project.as_ref().zip(project_origin),
        complete,
        lost: &lost,
        today,
        customers: CustomerIndex::of(&gathered.estate, |_| true),
    };
    check::check(&world, &mut drafts);
    examiner.examine(&mut Examined { world: &world, sources: &sources, drafts: &mut drafts });
    let waived = check::waivers::apply(&world, &mut drafts);
    locate::without_repeats(&mut drafts);
    let mut masked = locate::masked(&drafts);
    masked.extend(locate::near_secrets(&mut drafts, &sources));
    // Without a project the estate is what came by standard input, if that is all there is.
    let is_stream = sources.get(SourceId(0)).is_some_and(|source| source.name == "-");
    let stream = project_source.is_none() && sources.len() == 1 && is_stream;
    let estate_name = if stream { "-" } else { &project_name };
    let all = locate::locate(drafts, &gathered.places, &gathered.fallbacks, &sources, estate_name);
    let kinds = Kind::ALL
        .iter()
        .filter_map(|kind| {
            let count = gathered.counts.get(kind).copied()?;
            Some((kind.kebab(), count))
        })
        .chain([("policy-file", policies)])
        .collect();
    let files = sources.len() - policies - usize::from(project_source.is_some());
    let checked = Checked { files, documents: seen, kinds };
    let findings = Findings { all, checked, sources, masked, waived };
    Loaded {
        estate: gathered.estate,
        project,
        findings,
        places: gathered.places,
        fallbacks: gathered.fallbacks,
    }
}

fn draft_of(trouble: Trouble, project: Option<Origin>) -> Draft {
    let Trouble { what, path, message } = trouble;
    let code = match what {
        TroubleKind::Missing => Code::P0206,
        TroubleKind::Outside => Code::P0207,
        TroubleKind::Unreadable => Code::P0209,
        TroubleKind::TooLarge => Code::P0010,
    };
    let item = |field: &str, index: usize| match project {
        Some(origin) => Where::Field { origin, path: way!["spec", field, index], on: On::Value },
        None => Where::Estate,
    };
    let at = match path {
        TroublePath::Manifest(index) => item("manifests", index),
        TroublePath::Policy(index) => item("policies", index),
        TroublePath::File(file) => Where::Named(file),
    };
    let help = match what {
        TroubleKind::Missing => Some("correct the path, or create what it names".to_owned()),
        TroubleKind::Outside => Some(
            "move it into the project's folder: nothing outside is read, through links either"
                .to_owned(),
        ),
        TroubleKind::Unreadable => {
            Some("check its permissions, and that it is an ordinary file or folder".to_owned())
        }
        TroubleKind::TooLarge => Some("split it into files of at most 256 MiB".to_owned()),
    };
    // It names the path, and people paste the wrong things.
    let is_shown = secret::look_for(&message).is_empty();
    let message = if is_shown { message } else { code.title().to_owned() };
    Draft::new(code, at, message).maybe_help(help)
}

/// Reads the rows of all tables; returns how many.
fn read_tables(
    gatherer: &mut Gatherer,
    sources: &mut Sources,
    files: &dyn Tables,
    drafts: &mut Vec<Draft>,
) -> usize {
    let mut opened = Vec::new();
    let mut ids: HashMap<String, SourceId> = HashMap::new();
    for table in gatherer.tables() {
        let Some(place) = gatherer.place_of(table.origin) else { continue };
        let object = table.name.as_ref().map(|name| format!("customer-table/{name}"));
        let at = Where::Field { origin: table.origin, path: way!["spec", "file"], on: On::Value };
        let beside = match place {
            Place::Text { source, .. } | Place::Row { source, .. } => {
                sources.get(source).map(|source| source.name.clone()).unwrap_or_default()
            }
        };
        match files.open(&beside, &table.file) {
            Ok((name, bytes)) => {
                // Two tables may name one file: it is held once.
                let id = *ids
                    .entry(name.clone())
                    .or_insert_with(|| sources.add(Source { name, format: Format::Csv, bytes }));
                opened.push((table, place, id));
            }
            Err((what, message)) => {
                let mut draft = draft_of(
                    Trouble { what, path: TroublePath::File(String::new()), message },
                    None,
                );
                draft.at = at;
                draft.object = object;
                drafts.push(draft);
                if let Some(name) = table.name {
                    gatherer.broken(Kind::CustomerTable, name);
                }
            }
        }
    }
    let mut rows = 0;
    let (mut own, mut kind) = (Opened::default(), Opened::default());
    for (table, place, csv) in opened {
        gatherer.table_of(csv, place);
        let defaults = gatherer.defaults_place(Kind::Customer);
        let batch = load::read_table(sources, csv, &table, &mut own, place, &mut kind, defaults);
        // Rows whose names are not known, of whatever cells.
        let lost = batch.seen > batch.documents.len();
        if let Some(name) = table.name.filter(|_| lost) {
            gatherer.broken(Kind::CustomerTable, name);
        }
        drafts.extend(batch.drafts);
        rows += batch.documents.len();
        for located in batch.documents {
            gatherer.add(located, drafts);
        }
    }
    rows
}

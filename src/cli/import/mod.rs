use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::files::{Files, ManifestArgs, PROJECT_FILE, ProjectArgs};
use super::output::Output;
use super::tenant::{ContextArgs, Memory, Tenant, block_on, unanswered};
use super::{CommandError, Outcome, clock};
use crate::ledger::LedgerError;
use crate::manifest::Loaded;
use crate::model::estate::Estate;
use crate::model::id::TenantId;
use crate::model::name::{CustomerKey, Kind, Name, PartnershipKey, RoleKey, UserKey};
use crate::model::project::Context;
use crate::model::scalar::Scalar;
use crate::model::tenant::{Delegated, ObjectId, Scope, Side, Snapshot};
use crate::partner::Reader;
use crate::partner::read::SearchBy;
use crate::plan::observed::written::{self, DOCUMENTS_MAX};
use crate::plan::observed::{Names, Observed, observed};

#[cfg(test)]
mod laws;
mod place;
mod project;

use place::Place;

/// Write the tenant as manifests
///
/// Reads the whole tenant and writes it down: account, users with what they hold, groups as roles,
/// partnerships, customers (as a table, if they are many). A plan after it has nothing to do. What is
/// declared already keeps its name. Delegated access is not written: which template a relationship
/// stands for is nothing that the tenant knows.
///
/// Without --into, everything goes to standard output as one stream. With --sync, files that were
/// edited since are named and left as they are, and the exit code is 1.
#[derive(clap::Args, Debug)]
pub(crate) struct ImportArgs {
    /// Write files into this folder, and a project if there is none; existing files are kept
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    /// Write those files anew that were written by an import and edited by nobody
    #[arg(long, requires = "into")]
    sync: bool,
    #[command(flatten)]
    context: ContextArgs,
    #[command(flatten)]
    project: ProjectArgs,
}

/// How many notes are shown unless somebody asks for all.
const NOTES_MAX: usize = 10;

pub(crate) fn run(out: &Output, args: &ImportArgs) -> Result<Outcome, CommandError> {
    let from = Whence::of(out, args)?;
    let place = match &args.into {
        Some(folder) => Some(Place::of(out, folder, args.sync, &from)?),
        None => None,
    };
    let observed = block_on(from.observe(out))?;
    tell(out, &observed);
    let Some(place) = place else {
        let text = written::stream(&observed);
        out.result(|to| to.write_all(text.as_bytes()))?;
        return Ok(Outcome::Done);
    };
    place.write(out, &observed, &written::files(&observed, DOCUMENTS_MAX))?;
    Ok(Outcome::Done)
}

/// Where a tenant is read from, and what is declared of it.
struct Whence {
    loaded: Loaded,
    /// What an earlier import wrote, and people after it.
    kept: Option<Estate>,
    /// What `.partnerctl/` stands in, and paths of secrets are relative to.
    home: PathBuf,
    context: Context,
    /// What the project calls the context, if it has any.
    name: Option<Name>,
}

impl Whence {
    fn of(out: &Output, args: &ImportArgs) -> Result<Self, CommandError> {
        // The same project each time, wherever the files go; a folder that is one where there is none.
        let own = args.into.as_deref().filter(|folder| folder.join(PROJECT_FILE).is_file());
        let files = match (args.project.read_if_any(out)?, own) {
            (Some(files), _) => files,
            (None, Some(own)) => ManifestArgs::of_folder(own).read(out)?,
            (None, None) => Files::none()?,
        };
        let home = files.home()?;
        let project = files.project.project.clone();
        let context = args.context.choose(project.as_ref(), out)?;
        let name = args.context.name(project.as_ref());
        let loaded = files.load(clock::today(None));
        if loaded.has_errors() {
            out.say("the manifests that are there have errors: names are kept as far as they can be read");
        }
        let kept = match own {
            Some(own) => {
                Some(ManifestArgs::of_folder(own).read(out)?.load(clock::today(None)).estate)
            }
            None => None,
        };
        Ok(Self { loaded, kept, home, context, name })
    }

    async fn observe(&self, out: &Output) -> Result<Observed, CommandError> {
        let tenant = Tenant::connect(&self.context, &self.loaded, &self.home)?;
        out.narrate("reading the tenant");
        let scope = Scope { delegated: Delegated::Nothing, ..Scope::everything() };
        let snapshot = tenant.observe(scope, true).await?;
        let declared = self.kept.as_ref().unwrap_or(&self.loaded.estate);
        let mut names = Names::declared(declared, &snapshot);
        self.remember(&mut names, &snapshot).await?;
        let account = declared.account.as_ref().or(self.loaded.estate.account.as_ref());
        let account = account.map(|account| &*account.spec);
        let mut observed = observed(&snapshot, account, &names);
        observed.tie(&ties(&tenant.reader, &snapshot, out).await?);
        out.narrate(&format!("{} calls", tenant.reader.calls()));
        Ok(observed)
    }

    /// What is managed keeps its name, whether or not it is declared here.
    async fn remember(&self, names: &mut Names, snapshot: &Snapshot) -> Result<(), CommandError> {
        let memory = Memory::if_any(&self.context, &self.home).await?;
        let Memory::Kept(ledger) = memory else { return Ok(()) };
        let unreadable = |error: LedgerError| CommandError::because("reading the ledger", &error);
        for object in ledger.objects().await.map_err(unreadable)? {
            let managed = object.managed;
            let (Ok(name), Some(id)) = (
                Name::parse(&managed.key.name),
                managed.remote_id.and_then(|id| id.parse::<uuid::Uuid>().ok()),
            ) else {
                continue;
            };
            match managed.key.kind {
                Kind::User if snapshot.users.contains_key(&ObjectId(id)) => {
                    names.users.entry(ObjectId(id)).or_insert(UserKey(name));
                }
                Kind::Role if snapshot.groups.contains_key(&ObjectId(id)) => {
                    names.roles.entry(ObjectId(id)).or_insert(RoleKey(name));
                }
                Kind::Customer if snapshot.customers.contains_key(&TenantId(id)) => {
                    names.customers.entry(TenantId(id)).or_insert(CustomerKey(name));
                }
                Kind::Partnership => {
                    names.partnerships.entry(TenantId(id)).or_insert(PartnershipKey(name));
                }
                _ => {}
            }
        }
        ledger.close().await;
        Ok(())
    }
}

/// Which customers belong to which partner: a search for each partner, where the service has it.
async fn ties(
    reader: &Reader,
    snapshot: &Snapshot,
    out: &Output,
) -> Result<BTreeMap<TenantId, BTreeSet<TenantId>>, CommandError> {
    let mut ties = BTreeMap::new();
    for partnership in snapshot.partnerships.iter().filter(|one| one.state == "active") {
        let by = match partnership.side {
            Side::IndirectReseller => SearchBy::IndirectReseller,
            Side::IndirectProvider => SearchBy::IndirectProvider,
        };
        match reader.search_customers(by, &partnership.tenant.to_string()).await {
            Ok(found) => {
                let customers = found.into_iter().map(|(id, _)| id).collect();
                ties.insert(partnership.tenant, customers);
            }
            Err(error) if error.refusal().is_some() => {
                out.say(&format!(
                    "which customers belong to {} is not to be had: {error}",
                    partnership.name
                ));
            }
            Err(error) => return Err(unanswered("searching for customers", &error)),
        }
    }
    Ok(ties)
}

/// Says what is not in the manifests, and why.
fn tell(out: &Output, observed: &Observed) {
    for blind in &observed.blind {
        out.say(&format!("not seen: {}", blind.why));
    }
    let notes: Vec<String> = observed
        .unsaid
        .iter()
        .map(|unsaid| {
            let value = match unsaid.value.as_str() {
                "" => String::new(),
                value => format!(" {}", crate::manifest::suggest::quoted(value)),
            };
            format!("{}: {}{value}: {}", unsaid.object, unsaid.field, unsaid.why)
        })
        .collect();
    let shown = if out.is_verbose() { notes.len() } else { NOTES_MAX };
    for note in notes.iter().take(shown) {
        out.say(note);
    }
    if notes.len() > shown {
        out.say(&format!("and {} more that cannot be said: `-v` shows them", notes.len() - shown));
    }
}

/// A folder's name, for people.
fn shown(path: &Path) -> String {
    crate::report::clean::line(&path.display().to_string())
}

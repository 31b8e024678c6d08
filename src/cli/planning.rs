//! What commands have in common that compare an estate with its tenant: both, what we remember, and
//! in whose name it would be changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use super::applying::handover;
use super::files::{Files, ManifestArgs};
use super::output::Output;
use super::past::Undoing;
use super::policies::Policies;
use super::tenant::{Acting, ContextArgs, LedgerArgs, Memory, Tenant, unanswered};
use super::{CommandError, Outcome, clock, git};
use crate::ledger::{KeptSnapshot, Ledger, LedgerError};
use crate::manifest::source::{Format, Sources};
use crate::model::customer::{Origin, Relationship};
use crate::model::estate;
use crate::model::name::UserKey;
use crate::model::project::Context;
use crate::model::record::ObjectKey;
use crate::model::tenant::{Scope, Snapshot};
use crate::model::time::Day;
use crate::partner::snapshot::file;
use crate::plan::file::{FORMAT, Parents, Plan};
use crate::plan::step::Source;
use crate::plan::{self, Actor, Input, NotReset, Planned, Record};
use crate::policy::delegated::Delegated;
use crate::policy::library;
use crate::policy::rules::Rules;

/// The estate, the tenant it is compared with, and how much of that is looked at again
#[derive(clap::Args, Debug)]
pub(crate) struct PlanningArgs {
    #[command(flatten)]
    manifests: ManifestArgs,
    #[command(flatten)]
    context: ContextArgs,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
    /// How much of the tenant to look at again
    #[arg(long, value_enum, default_value_t)]
    refresh: Refresh,
    /// Judge as of this day (UTC) instead of the tenant's own time
    #[arg(long, value_name = "DATE", value_parser = clock::parse_day)]
    as_of: Option<Day>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Refresh {
    /// What moved since the last run
    #[default]
    Changed,
    /// Everything
    All,
    /// Nothing: as it was seen last
    None,
}

/// Everything that a plan follows from.
pub(crate) struct Ready {
    pub(crate) policies: Policies,
    pub(crate) snapshot: Snapshot,
    pub(crate) record: Record,
    pub(crate) memory: Memory,
    pub(crate) tenant: Tenant,
    pub(crate) acting: Acting,
    pub(crate) context: Context,
    pub(crate) home: PathBuf,
    /// What the names of files are relative to.
    pub(crate) folder: PathBuf,
    rules: Rules,
    invitation: Option<String>,
    /// The commit that the manifests are of, where that is known.
    commit: Option<String>,
    pub(crate) is_complete: bool,
    /// The last run when this was read, and whether it was over.
    pub(crate) latest: Option<(String, bool)>,
    /// The run that is to be undone, if one is.
    pub(crate) past: Option<Undoing>,
    now: Timestamp,
    today: Day,
}

/// What is asked of a plan besides.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) targets: BTreeSet<ObjectKey>,
    pub(crate) revive: BTreeSet<ObjectKey>,
}

impl PlanningArgs {
    /// Reads and observes. If the manifests or the policies are wrong, that is shown instead.
    pub(crate) async fn prepare(
        &self,
        out: &Output,
    ) -> Result<Result<Ready, Outcome>, CommandError> {
        self.prepare_from(self.manifests.read(out)?, None, self.refresh, out).await
    }

    /// The files that a plan is made from.
    pub(crate) fn read(&self, out: &Output) -> Result<Files, CommandError> {
        self.manifests.read(out)
    }

    /// What `-f` names.
    pub(crate) fn named(&self) -> &[PathBuf] {
        self.manifests.named()
    }

    fn files(&self, out: &Output) -> Result<Files, CommandError> {
        match self.manifests.file() {
            Some(_) => self.manifests.read_beside(out),
            None => self.manifests.read(out),
        }
    }

    /// The same, where a file in the place of the folder is a plan; and what a run did, where it is to
    /// be undone.
    pub(crate) async fn prepare_for_plan(
        &self,
        undoes: Option<&str>,
        out: &Output,
    ) -> Result<Result<Ready, Outcome>, CommandError> {
        let files = self.files(out)?;
        self.prepare_from(files, undoes, self.refresh, out).await
    }

    /// The same, and nothing that was seen before is believed: a run died, and what was seen may be
    /// older than what it did.
    pub(crate) async fn prepare_anew(
        &self,
        undoes: Option<&str>,
        out: &Output,
    ) -> Result<Result<Ready, Outcome>, CommandError> {
        let files = self.files(out)?;
        self.prepare_from(files, undoes, Refresh::All, out).await
    }

    /// The plan that stands in the place of the folder, if one does.
    pub(crate) fn plan_file(&self) -> Option<PathBuf> {
        self.manifests.file().map(Path::to_owned)
    }

    async fn prepare_from(
        &self,
        files: Files,
        undoes: Option<&str>,
        refresh: Refresh,
        out: &Output,
    ) -> Result<Result<Ready, Outcome>, CommandError> {
        let (home, is_complete) = (files.home()?, files.is_complete());
        let folder = files.folder().to_owned();
        let policies = match Policies::read(files, self.as_of, out)? {
            Ok(policies) => policies,
            Err(outcome) => return Ok(Err(outcome)),
        };
        let loaded = &policies.loaded;
        if loaded.findings.checked.documents == 0 {
            out.say("there are no documents: nothing to plan from");
            return Ok(Err(Outcome::Invalid));
        }
        let context = self.context.choose(loaded.project.as_ref(), out)?;
        let tenant = Tenant::connect(&context, loaded, &home)?;
        let memory = self.ledger.recall(&context, &home, out).await?;
        let name = loaded.estate.account.as_ref().map(|account| account.metadata.name.as_str());
        // Before anything is read: whoever ran since then may have changed what is.
        let latest = match &memory {
            Memory::Kept(ledger) => latest_run(ledger).await?,
            Memory::Nothing => None,
        };
        let record = remembered(&memory, name.unwrap_or_default()).await?;
        let past = match undoes {
            Some(run) => Some(Undoing::find(&memory, run, name.unwrap_or_default()).await?),
            None => None,
        };
        let mut scope = plan::scope(&loaded.estate, &record);
        if let Some(past) = &past {
            plan::widen(&mut scope, &past.deeds);
        }
        let snapshot = self.observe(&tenant, &memory, &scope, refresh, out).await?;
        let acting = tenant.actor(&loaded.estate).await?;
        let now = self.as_of.map_or(snapshot.observed_at, |day| beginning(day, &snapshot));
        let today = Day(now.to_zoned(TimeZone::UTC).date());
        // What documents say of delegated access is not so before a customer has approved it.
        let rules = Rules::declared(&loaded.estate, &loaded.findings.sources, today)
            .with_delegated(&Delegated::default(), &loaded.estate, today);
        let commit = git::checked_out(&home).unwrap_or_else(|why| {
            out.say(&format!("the plan names no commit: {why}"));
            None
        });
        let mut ready = Ready {
            policies,
            snapshot,
            record,
            memory,
            latest,
            tenant,
            acting,
            context,
            home,
            folder,
            rules,
            invitation: None,
            commit: commit.map(|commit| commit.id),
            is_complete,
            past,
            now,
            today,
        };
        if ready.invites() {
            ready.invitation = ready.link().await?;
        }
        Ok(Ok(ready))
    }

    async fn observe(
        &self,
        tenant: &Tenant,
        memory: &Memory,
        scope: &Scope,
        refresh: Refresh,
        out: &Output,
    ) -> Result<Snapshot, CommandError> {
        let known = match memory {
            Memory::Kept(ledger) if refresh != Refresh::All => {
                ledger.snapshot().await.map_err(|error| ledger_failed(&error))?
            }
            Memory::Kept(_) | Memory::Nothing => None,
        };
        let kind = format!("{:x}", Sha256::digest(format!("{scope:?}")));
        let known = known.filter(|kept| kept.delta_links.get(SCOPE) == Some(&kind));
        let previous = known.and_then(|kept| file::read(&kept.body).ok());
        if refresh == Refresh::None {
            return previous.ok_or_else(|| {
                CommandError::usage(
                    "nothing was seen of this tenant yet that would do\nleave out `--refresh none`",
                )
            });
        }
        out.narrate(if previous.is_some() {
            "reading what moved in the tenant"
        } else {
            "reading the tenant"
        });
        let snapshot = tenant
            .reader
            .snapshot(scope, previous.as_ref())
            .await
            .map_err(|error| unanswered("reading the tenant", &error))?;
        out.narrate(&format!("{} calls", tenant.reader.calls()));
        drop(previous);
        if let Memory::Kept(ledger) = memory {
            let body = file::write(&snapshot)
                .map_err(|error| CommandError::Internal(format!("the snapshot: {error}")))?;
            let kept = KeptSnapshot {
                observed_at: snapshot.observed_at,
                body,
                delta_links: BTreeMap::from([(SCOPE.to_owned(), kind)]),
                audit_watermark: snapshot.marks.audit.map(|mark| mark.to_string()),
            };
            match ledger.keep_snapshot(kept).await {
                // Whoever may only read plans too: the next run reads a little more.
                Err(error @ LedgerError::ReadOnly { .. }) => {
                    out.narrate(&format!("what was seen is not kept: {error}"));
                }
                kept => kept.map_err(|error| ledger_failed(&error))?,
            }
        }
        Ok(snapshot)
    }
}

/// What a kept snapshot was of.
const SCOPE: &str = "scope";

/// The first moment of a day, but not before what was seen last.
fn beginning(day: Day, snapshot: &Snapshot) -> Timestamp {
    let midnight = day.0.to_datetime(Time::midnight()).to_zoned(TimeZone::UTC);
    midnight.map_or(snapshot.observed_at, |zoned| zoned.timestamp())
}

pub(crate) fn ledger_failed(error: &LedgerError) -> CommandError {
    CommandError::because("reading the ledger", error)
}

/// The last run that the ledger knows of, and whether it is over.
pub(crate) async fn latest_run(ledger: &Ledger) -> Result<Option<(String, bool)>, CommandError> {
    let runs = ledger.runs(1).await.map_err(|error| ledger_failed(&error))?;
    Ok(runs.into_iter().next().map(|run| (run.id, run.ended.is_some())))
}

async fn remembered(memory: &Memory, estate: &str) -> Result<Record, CommandError> {
    let Memory::Kept(ledger) = memory else { return Ok(Record::default()) };
    let read = async {
        let objects = ledger.objects().await?;
        let waiting = ledger.waiting().await?;
        let confirmed = ledger.confirmations().await?;
        let spent = ledger.spent().await?;
        Ok(Record::of(estate, objects, waiting, confirmed, spent))
    };
    read.await.map_err(|error: LedgerError| ledger_failed(&error))
}

impl Ready {
    /// Whether anybody is to be invited, so that the link is needed.
    fn invites(&self) -> bool {
        self.policies.loaded.estate.customers.values().any(|customer| {
            let spec = &customer.spec;
            spec.relationship == Relationship::Reseller
                && spec.origin == Origin::Existing
                && (spec.partnerships.is_some()
                    || spec.tenant_id.is_none_or(|id| {
                        self.snapshot.customers.get(&id).is_none_or(|found| !found.is_ours())
                    }))
        })
    }

    async fn link(&self) -> Result<Option<String>, CommandError> {
        let asked = self.tenant.reader.relationship_request().await;
        match asked {
            Ok(link) => Ok(Some(link)),
            // Not every account may invite: then it is said where the link would stand.
            Err(crate::partner::Error::Refused(_)) => Ok(None),
            Err(error) => Err(unanswered("asking for the invitation's link", &error)),
        }
    }

    /// Plans.
    pub(crate) fn plan(&self, asked: &Asked) -> Planned {
        self.with_input(asked, plan::plan)
    }

    /// Plans one thing: a new one-time password for somebody.
    pub(crate) fn reset(&self, user: &UserKey) -> Result<Planned, NotReset> {
        self.with_input(&Asked::default(), |input| plan::reset(input, user))
    }

    /// Plans the way back from the run that is to be undone; without one, as the manifests declare.
    pub(crate) fn plan_or_undo(&self, asked: &Asked) -> Planned {
        match &self.past {
            Some(past) => self.with_input(asked, |input| plan::undo(input, &past.deeds)),
            None => self.plan(asked),
        }
    }

    /// Whatever is asked for by name is declared or remembered: a name with a slip in it is not "nothing to
    /// do".
    pub(crate) fn must_know(&self, asked: &Asked) -> Result<(), CommandError> {
        let estate = &self.policies.loaded.estate;
        let mut names = asked.targets.iter().chain(&asked.revive);
        match names.find(|name| !plan::is_known(estate, &self.record, name)) {
            None => Ok(()),
            Some(name) => {
                Err(CommandError::usage(format!("{name} is not declared, and never was")))
            }
        }
    }

    fn with_input<T>(&self, asked: &Asked, plan: impl FnOnce(&Input<'_>) -> T) -> T {
        let loaded = &self.policies.loaded;
        let project = loaded.project.clone().unwrap_or_default();
        let source_of = |origin: estate::Origin| {
            loaded.line_of(origin).map(|(file, line)| Source { file, line: Some(line) })
        };
        plan(&Input {
            estate: &loaded.estate,
            snapshot: &self.snapshot,
            record: &self.record,
            limits: &project.limits,
            guards: &project.guards,
            rules: &self.rules,
            actor: self.actor(),
            admin: self.tenant.admin(),
            invitation: self.invitation.as_deref(),
            is_complete: self.is_complete,
            hands_over: handover::is_possible(loaded),
            lags: !self.tenant.settle.is_zero(),
            now: self.now,
            today: self.today,
            targets: &asked.targets,
            revive: &asked.revive,
            source_of: &source_of,
        })
    }

    fn actor(&self) -> Option<Actor> {
        let Acting { object, user, application, known: _ } = &self.acting;
        match (user, object, application) {
            (Some(_), Some(object), _) => Some(Actor::User(*object)),
            (None, Some(object), _) if self.snapshot.users.contains_key(object) => {
                Some(Actor::User(*object))
            }
            (None, _, Some(application)) => Some(Actor::Application(*application)),
            _ => None,
        }
    }

    /// The plan with what it was made from, sealed.
    pub(crate) fn file(&self, planned: Planned) -> Result<Plan, CommandError> {
        let loaded = &self.policies.loaded;
        let (manifests, policies) = digests(&loaded.findings.sources);
        let account = loaded.estate.account.as_ref();
        let parents = Parents {
            estate: account.map(|one| one.metadata.name.as_str().to_owned()).unwrap_or_default(),
            tenant: self.snapshot.tenant.map(|tenant| tenant.to_string()),
            manifests,
            policies,
            // Of a part nobody can say that it is what was committed.
            commit: self.commit.clone().filter(|_| self.is_complete),
            ledger: match &self.memory {
                Memory::Kept(ledger) => Some(ledger.id().to_owned()),
                Memory::Nothing => None,
            },
            actor: self.acting.user.clone().or_else(|| {
                self.acting.application.map(|application| format!("application/{application}"))
            }),
            undoes: self.past.as_ref().map(|past| past.run.id.clone()),
        };
        let Planned {
            steps,
            report,
            refused,
            access,
            limits,
            forecast,
            bound: _,
            remains: _,
            endings: _,
        } = planned;
        Plan {
            format: FORMAT.to_owned(),
            digest: String::new(),
            parents,
            observed_at: self.snapshot.observed_at,
            steps,
            report,
            access,
            limits,
            forecast,
            refused,
        }
        .sealed()
        .map_err(|error| CommandError::Internal(format!("the plan cannot be written: {error}")))
    }
}

/// Digests of all manifests, and of all policies, the built-in ones included.
pub(crate) fn digests(sources: &Sources) -> (String, String) {
    let digest = |of: &dyn Fn(Format) -> bool| {
        let mut hash = Sha256::new();
        for (_, source) in sources.iter().filter(|(_, one)| of(one.format)) {
            hash.update((source.name.len() as u64).to_be_bytes());
            hash.update(&source.name);
            hash.update((source.bytes.len() as u64).to_be_bytes());
            hash.update(&source.bytes);
        }
        hash
    };
    let manifests = digest(&|format| format != Format::Cedar);
    let mut policies = digest(&|format| format == Format::Cedar);
    for shelved in library::policies() {
        policies.update(shelved.written.policy.to_string());
    }
    (format!("{:x}", manifests.finalize()), format!("{:x}", policies.finalize()))
}

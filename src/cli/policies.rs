//! What commands about access have in common: an estate without errors, its world, its policies.

use super::files::Files;
use super::live::{Live, LiveArgs};
use super::output::Output;
use super::{CommandError, Outcome, clock};
use crate::manifest::Loaded;
use crate::manifest::code::Code;
use crate::manifest::finding::Place;
use crate::model::time::Day;
use crate::policy::rules::{Placed, Rule, Rules};
use crate::policy::world::World;
use crate::report;
use crate::review::place::of_rule;

/// An estate that questions can be asked of.
pub(crate) struct Policies {
    pub loaded: Loaded,
    pub rules: Rules,
    pub world: World,
    pub today: Day,
    /// Whose answer it is: `as declared on 2026-11-20`.
    pub heading: String,
    /// People are the tenant's.
    pub is_live: bool,
    /// What a reader of the answer should know.
    pub notes: Vec<String>,
}

/// Where a policy stands, as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stands {
    pub file: String,
    pub line: Option<u32>,
    /// Within partnerctl, not among the project's files.
    pub built_in: bool,
}

impl Policies {
    /// Reads them. If the manifests or the policies are wrong, that is shown instead.
    pub(crate) fn read(
        files: Files,
        as_of: Option<Day>,
        out: &Output,
    ) -> Result<Result<Self, Outcome>, CommandError> {
        let today = clock::today(as_of);
        let loaded = files.load(today);
        if loaded.has_errors() {
            out.findings(&loaded.findings)?;
            return Ok(Err(Outcome::Invalid));
        }
        // Everything else that only warns is for `validate`: this is what the answer leaves open.
        for finding in loaded.findings.all.iter().filter(|one| one.code == Code::P2406) {
            out.say(&format!("note: {}", report::clean::line(&finding.message)));
        }
        let rules = Rules::declared(&loaded.estate, &loaded.findings.sources, today);
        let world = World::declared(&loaded.estate, today);
        let heading = format!("as declared on {today}");
        Ok(Ok(Self { loaded, rules, world, today, heading, is_live: false, notes: Vec::new() }))
    }

    /// Reads them, and asks the tenant if that is whose answer is wanted: people and what they hold
    /// are then the tenant's.
    pub(crate) fn read_either(
        files: Files,
        as_of: Option<Day>,
        live: &LiveArgs,
        out: &Output,
    ) -> Result<Result<Self, Outcome>, CommandError> {
        let context = live.context(files.project.project.as_ref(), out)?;
        let home = files.home()?;
        let mut policies = match Self::read(files, as_of, out)? {
            Ok(policies) => policies,
            Err(outcome) => return Ok(Err(outcome)),
        };
        if let Some(context) = context {
            let Live { estate, delegated, heading, notes } =
                super::live::live(&context, &policies.loaded, &home)?;
            let declared = &policies.loaded.estate;
            policies.rules = policies.rules.with_delegated(&delegated, declared, policies.today);
            policies.world = World::declared(&estate, policies.today);
            delegated.tell(&mut policies.world);
            policies.loaded.estate = estate;
            policies.heading = heading;
            policies.is_live = true;
            policies.notes = notes;
        }
        Ok(Ok(policies))
    }

    /// Where a policy stands.
    pub(crate) fn stands(&self, rule: &Rule) -> Stands {
        stands(&self.loaded, rule)
    }

    /// What reports say of the policies that decided.
    pub(crate) fn cited(
        &self,
        ids: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Vec<report::Cited> {
        let ids = ids.into_iter();
        ids.filter_map(|id| cite(&self.loaded, &self.rules, id.as_ref())).collect()
    }
}

/// What reports say of a policy.
pub(crate) fn cite(loaded: &Loaded, rules: &Rules, id: &str) -> Option<report::Cited> {
    let rule = rules.by_id(id)?;
    let Stands { file, line, built_in } = stands(loaded, rule);
    Some(report::Cited {
        id: rule.id().to_owned(),
        reason: rule.reason().map(str::to_owned),
        permits: rule.permits(),
        file,
        line,
        built_in,
    })
}

fn stands(loaded: &Loaded, rule: &Rule) -> Stands {
    if let Placed::Library { file, line } = &rule.place {
        return Stands { file: (*file).to_owned(), line: Some(*line), built_in: true };
    }
    match of_rule(loaded, rule) {
        Some(Place { file, region }) => {
            Stands { file, line: region.map(|region| region.line), built_in: false }
        }
        None if rule.place == Placed::Tenant => {
            Stands { file: "the tenant, as observed".to_owned(), line: None, built_in: false }
        }
        None => Stands { file: String::new(), line: None, built_in: false },
    }
}

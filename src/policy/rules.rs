//! All policies that hold for an estate: the library's, the roles', the project's own.

use std::collections::{BTreeSet, HashMap};

use cedar_policy::{EntityUid, Policy, PolicySet};

use super::compile::{self, Compiled, Reach};
use super::delegated::Delegated;
use super::invariant::Invariant;
use super::level::Level;
use super::library;
use super::sheet::{self, Problem, Written};
use super::vocabulary;
use super::world::Uid;
use crate::manifest::code::Code;
use crate::manifest::source::{Format, SourceId, Sources, Span};
use crate::manifest::suggest::quoted;
use crate::model::action::Action;
use crate::model::estate::Estate;
use crate::model::name::{DelegatedAccessKey, RoleKey};
use crate::model::time::Day;

/// One policy, and where it comes from.
#[derive(Debug, Clone)]
pub struct Rule {
    pub(crate) policy: Policy,
    pub place: Placed,
    /// For a guardrail: who can let its no pass.
    pub level: Option<Level>,
}

/// Where a policy stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// In the library.
    Library { file: &'static str, line: u32 },
    /// In a Role document: which of its permissions.
    Role { role: RoleKey, index: usize },
    /// In a `DelegatedAccess` document: which of its grants.
    DelegatedAccess { access: DelegatedAccessKey, index: usize },
    /// In the tenant that was asked, and in no document.
    Tenant,
    /// In a file of the project.
    Project { source: SourceId, span: Span },
}

impl Rule {
    pub fn id(&self) -> &str {
        self.policy.id().as_ref()
    }

    /// Why it is there, in the words of who wrote it.
    pub fn reason(&self) -> Option<&str> {
        self.policy.annotation("reason").filter(|reason| !reason.is_empty())
    }

    /// Whether it lets something pass, rather than refuse it.
    pub fn permits(&self) -> bool {
        self.policy.effect() == cedar_policy::Effect::Permit
    }

    /// Whether it is a forbid that forbids nothing: it is only said.
    pub fn only_advises(&self) -> bool {
        !self.permits() && self.level == Some(Level::Advisory)
    }

    /// Whether its scope admits an action.
    pub fn is_about(&self, action: &EntityUid) -> bool {
        vocabulary::admits(&self.policy, action)
    }

    /// Whether it comes with the program.
    fn is_built_in(&self) -> bool {
        matches!(self.place, Placed::Library { .. })
    }
}

/// All policies that hold for an estate.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    all: Vec<Rule>,
    by_id: HashMap<String, usize>,
    /// What must never, or always, be so. They decide nothing.
    invariants: Vec<Invariant>,
}

impl Rules {
    /// The library's policies alone.
    pub fn library() -> Self {
        let mut rules = Self::default();
        for shelved in library::policies() {
            let Written { policy, level, span: _, promise: _ } = &shelved.written;
            let place = Placed::Library { file: shelved.file, line: shelved.line };
            rules.add(Rule { policy: policy.clone(), place, level: *level });
        }
        rules
    }

    /// All that hold for an estate whose files were found to be right.
    pub fn declared(estate: &Estate, sources: &Sources, today: Day) -> Self {
        Self::of(estate, sources, today).0
    }

    /// The library's, and those that the roles of an estate, its delegated access and the files of
    /// its project make. Second: what is wrong with the files.
    pub(crate) fn of(
        estate: &Estate,
        sources: &Sources,
        today: Day,
    ) -> (Self, Vec<(SourceId, Problem)>) {
        let roles = compile::roles(estate, today, Reach::Everywhere);
        let compiled = roles.chain(compile::templates(estate, today));
        let mut rules = Self::library();
        for Compiled { policy, place } in compiled {
            rules.add(Rule { policy, place, level: None });
        }
        let mut problems = Vec::new();
        for (source, file) in sources.iter().filter(|(_, file)| file.format == Format::Cedar) {
            rules.read(source, &file.bytes, &mut problems);
        }
        (rules, problems)
    }

    /// The same with what delegated access gives in a tenant, instead of what documents say it
    /// should: templates, and what Role documents permit inside customers' tenants.
    ///
    /// For a world that was told of it ([`Delegated::tell`]). `estate` is the one whose documents
    /// these are the rules of.
    #[must_use]
    pub fn with_delegated(&self, delegated: &Delegated, estate: &Estate, today: Day) -> Self {
        let stays = |rule: &Rule| match rule.place {
            Placed::Library { .. } | Placed::Project { .. } => true,
            Placed::Role { .. } | Placed::DelegatedAccess { .. } | Placed::Tenant => false,
        };
        let mut rules = self.only(stays);
        let roles = compile::roles(estate, today, Reach::OutsideTenants);
        let given = compile::delegated(delegated).chain(compile::nothing_else(delegated));
        for Compiled { policy, place } in roles.chain(given) {
            rules.add(Rule { policy, place, level: None });
        }
        rules
    }

    /// Adds the policies of a file, and tells what is wrong with it.
    fn read(&mut self, source: SourceId, bytes: &[u8], problems: &mut Vec<(SourceId, Problem)>) {
        let (written, found) = sheet::read_bytes(bytes);
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        problems.extend(found.into_iter().map(|problem| (source, problem)));
        for Written { policy, span, level, promise } in written {
            let id: &str = policy.id().as_ref();
            let own = text.get(span.range()).unwrap_or_default();
            let at = sheet::annotation(own, "id").shifted(span.start);
            let named = self.invariants.iter().map(|invariant| &invariant.rule);
            let named = self.by_id(id).or_else(|| named.into_iter().find(|rule| rule.id() == id));
            let taken = named.map(Rule::is_built_in);
            let refused = if compile::is_reserved(id) || taken == Some(true) {
                Some((
                    Code::P2004,
                    format!("the id {} is not free", quoted(id)),
                    "ids of the built-in library, and those that begin with `role.` or `delegated-access.`, are taken: give it another",
                ))
            } else if taken.is_some() {
                Some((
                    Code::P2003,
                    format!("the id {} stands twice", quoted(id)),
                    "give each policy an id of its own, in all files together",
                ))
            } else {
                None
            };
            if let Some((code, message, help)) = refused {
                problems.push((
                    source,
                    Problem { code, span: at, message, help: Some(help.to_owned()) },
                ));
                continue;
            }
            let rule = Rule { policy, place: Placed::Project { source, span }, level };
            match promise {
                Some(promise) => self.invariants.push(Invariant { rule, promise }),
                None => self.add(rule),
            }
        }
    }

    fn add(&mut self, rule: Rule) {
        self.by_id.insert(rule.id().to_owned(), self.all.len());
        self.all.push(rule);
    }

    /// In order: the library's, the roles', delegated access, the project's.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.all.iter()
    }

    /// What must never, or always, be so, in the order of the files.
    pub fn invariants(&self) -> &[Invariant] {
        &self.invariants
    }

    pub fn by_id(&self, id: &str) -> Option<&Rule> {
        self.by_id.get(id).and_then(|at| self.all.get(*at))
    }

    /// Those that a condition holds for.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&Rule) -> bool) -> Self {
        let mut rules = Self::default();
        for rule in self.all.iter().filter(|rule| keep(rule)) {
            rules.add(rule.clone());
        }
        rules
    }

    /// All that decide something, as Cedar's authorizer takes them: what only advises does not.
    pub fn set(&self) -> PolicySet {
        set(self.all.iter().filter(|rule| !rule.only_advises()).map(|rule| &rule.policy))
    }

    /// Whom they name: something may be read of these whoever is asked about.
    pub(crate) fn named(&self) -> BTreeSet<Uid> {
        named(self.all.iter().map(|rule| &rule.policy))
    }
}

/// Policies as Cedar's authorizer takes them.
pub(crate) fn set<'a>(policies: impl Iterator<Item = &'a Policy>) -> PolicySet {
    let mut set = PolicySet::new();
    for policy in policies {
        // Ids are distinct, and no policy is a template's link: it cannot be refused.
        let added = set.add(policy.clone());
        debug_assert!(added.is_ok(), "{added:?}");
    }
    set
}

/// Whom policies name.
pub(crate) fn named<'a>(policies: impl IntoIterator<Item = &'a Policy>) -> BTreeSet<Uid> {
    let literals = policies.into_iter().flat_map(Policy::entity_literals);
    literals.filter_map(|literal| Uid::from_cedar(&literal)).collect()
}

/// All actions that permissions are about.
pub(crate) fn actions() -> impl Iterator<Item = EntityUid> {
    Action::ALL.iter().map(|action| action.cedar())
}

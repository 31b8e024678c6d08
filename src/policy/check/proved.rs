//! What a solver finds wrong with the policies of a project: invariants that another estate would
//! break, policies that do nothing.

use std::collections::BTreeMap;

use super::invariants::{all, annotated, place, promise};
use super::{Invariants, is_wrong};
use crate::manifest::Examined;
use crate::manifest::check::object;
use crate::manifest::code::Code;
use crate::manifest::draft::{Draft, Where};
use crate::manifest::source::Sources;
use crate::manifest::suggest::quoted;
use crate::model::estate::Estate;
use crate::model::name::Kind;
use crate::policy::invariant::{Invariant, Promise};
use crate::policy::prove::invariants::{Kept, kept};
use crate::policy::prove::lint::{Defect, Linted, lint};
use crate::policy::prove::{Answer, Prover, Solvers, Unproved, Witness};
use crate::policy::rules::{Placed, Rule, Rules};

/// What was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Looked {
    pub invariants: usize,
    /// How many of them hold in every estate.
    pub kept: usize,
    pub policies: usize,
}

/// Why no solver was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unasked {
    /// What is wrong comes first.
    Wrong,
    /// This is a part of an estate.
    Part,
}

/// Adds what a solver finds, if the policies are otherwise right.
///
/// `here`: whether invariants were held against the estate itself. Where they were not, nothing
/// could be said of them that is true of it.
pub(crate) async fn examine<S: Solvers>(
    examined: &mut Examined<'_, '_>,
    here: Invariants,
    solvers: &mut S,
) -> Result<Looked, Unasked> {
    let Examined { world, sources, drafts } = examined;
    // An invariant that does not hold leaves the policies as they are.
    if drafts.iter().any(|draft| is_wrong(draft) && draft.code != Code::P2401) {
        return Err(Unasked::Wrong);
    }
    match here {
        Invariants::Checked => {}
        Invariants::OfPart => return Err(Unasked::Part),
        Invariants::Unchecked => return Err(Unasked::Wrong),
    }
    let (rules, _) = Rules::of(world.estate, sources, world.today);
    let mut prover = Prover::new(solvers);
    let mut report = Report { estate: world.estate, sources, rules: &rules, drafts };
    let found = kept(&rules, &mut prover).await;
    let linted = lint(&rules, &mut prover).await;
    let looked = Looked {
        invariants: found.len(),
        kept: found.iter().filter(|kept| kept.holds()).count(),
        policies: linted.looked_at,
    };
    let mut unproved = report.invariants(found);
    unproved.extend(report.lint(linted));
    report.unproved(unproved);
    Ok(looked)
}

struct Report<'r, 'e> {
    estate: &'r Estate,
    sources: &'r Sources,
    rules: &'r Rules,
    drafts: &'e mut Vec<Draft>,
}

impl Report<'_, '_> {
    /// Says which do not hold; what is not known.
    fn invariants(&mut self, found: Vec<Kept>) -> BTreeMap<String, Unproved> {
        let mut unproved = BTreeMap::new();
        for Kept { id, environments } in found {
            let Some(invariant) =
                self.rules.invariants().iter().find(|invariant| invariant.id() == id)
            else {
                continue;
            };
            let at = promise(self.sources, invariant);
            // Whoever breaks it here has been named.
            let is_broken = self.drafts.iter().any(|draft| {
                matches!(draft.code, Code::P2401 | Code::P2402 | Code::P2403) && draft.at == at
            });
            let witness = environments.iter().find_map(|(_, answer)| answer.witness());
            if let Some(witness) = witness.filter(|_| !is_broken) {
                let draft = self.broken_elsewhere(invariant, witness, at);
                self.drafts.push(draft);
            }
            let why = environments.iter().find_map(|(_, answer)| match answer {
                Answer::NotProved(why) => Some(why),
                Answer::Nothing | Answer::Something(_) => None,
            });
            if let Some(why) = why {
                unproved.insert(id, why.clone());
            }
        }
        unproved
    }

    fn broken_elsewhere(&self, invariant: &Invariant, witness: &Witness, at: Where) -> Draft {
        let says = invariant.says().map_or_else(String::new, |says| format!(" ({says})"));
        let (sentence, why) = match invariant.promise {
            Promise::Never => (witness.sentence(), format!("permitted by {}", all(&witness.by))),
            Promise::Always => (
                witness.sentence().replacen(" may ", " may not ", 1),
                if witness.against.is_empty() {
                    "no policy permits it".to_owned()
                } else {
                    format!("forbidden by {}", all(&witness.against))
                },
            ),
        };
        let doubt = if witness.confirmed { "" } else { " (not confirmed by the authorizer)" };
        let message = format!(
            "{} holds here, and not in every estate{says}: elsewhere {sentence}: {why}{doubt}",
            quoted(invariant.id())
        );
        let help = match invariant.promise {
            Promise::Never => {
                "say it in the policies as well: a guardrail, or a condition that leaves no such case"
            }
            Promise::Always => {
                "permit it in every such case, narrow what forbids it, or promise it under a condition that leaves such cases out"
            }
        };
        let mut draft = Draft::new(Code::P2404, at, message).help(help);
        let culprits = match invariant.promise {
            Promise::Never => witness.by.iter(),
            Promise::Always => witness.against.iter(),
        };
        for rule in culprits.filter_map(|id| self.rules.by_id(id)) {
            if !matches!(rule.place, Placed::Library { .. }) {
                draft = draft.related("the policy stands here", place(self.estate, rule));
            }
        }
        draft
    }

    /// Says which policies do nothing; what is not known.
    fn lint(
        &mut self,
        Linted { defects, instead, unproved, looked_at: _ }: Linted,
    ) -> Vec<(String, Unproved)> {
        for (id, defect) in defects {
            let Some(rule) = self.rules.by_id(&id) else { continue };
            let at = self.at(rule);
            // Cedar's own validator may have seen it, without a solver.
            let code = code(defect);
            if self.drafts.iter().any(|draft| draft.code == code && draft.at == at) {
                continue;
            }
            let (says, help) = words(defect, rule, instead.get(&id).map(String::as_str));
            let message = format!("{} {says}", quoted(&id));
            let mut draft = Draft::new(code, at, message).help(help);
            if let Placed::Role { role, .. } = &rule.place {
                draft = draft.object(object(Kind::Role, role));
            }
            self.drafts.push(draft);
        }
        unproved
    }

    fn at(&self, rule: &Rule) -> Where {
        annotated(self.sources, rule, "id").unwrap_or_else(|| place(self.estate, rule))
    }

    /// One finding for all of which the same is the matter.
    fn unproved(&mut self, unproved: BTreeMap<String, Unproved>) {
        let invariant = |id: &str| {
            let mut found = self.rules.invariants().iter().map(|invariant| &invariant.rule);
            found.find(|rule| rule.id() == id)
        };
        // Of an invariant something else is known than of a policy.
        let mut reasons: BTreeMap<(String, bool), Vec<String>> = BTreeMap::new();
        for (id, why) in unproved {
            let key = (why.to_string(), invariant(&id).is_none());
            reasons.entry(key).or_default().push(id);
        }
        for ((why, is_policy), ids) in reasons {
            let rule = |id: &String| self.rules.by_id(id).or_else(|| invariant(id));
            let at = ids.iter().find_map(|id| rule(id).map(|rule| self.at(rule)));
            let message = format!("not proved for {}: {why}", some(&ids));
            let help = if is_policy {
                "whether they do anything, and whether they can fail, is not known"
            } else {
                "what is not proved may be so or not: it was checked for this estate alone"
            };
            let at = at.unwrap_or(Where::Estate);
            self.drafts.push(Draft::new(Code::P2405, at, message).help(help));
        }
    }
}

/// So many names are worth reading.
const NAMES_MAX: usize = 8;

/// `a`, `b` and `c`; of many the first, and how many more.
fn some(ids: &[String]) -> String {
    match ids.get(..NAMES_MAX) {
        Some(first) if ids.len() > NAMES_MAX => {
            let named: Vec<String> = first.iter().map(|id| quoted(id)).collect();
            format!("{} and {} more", named.join(", "), ids.len() - NAMES_MAX)
        }
        _ => all(ids),
    }
}

const fn code(defect: Defect) -> Code {
    match defect {
        Defect::Vacuous => Code::P2008,
        Defect::Redundant => Code::P2305,
        Defect::Overridden => Code::P2306,
        Defect::CanFail => Code::P2307,
    }
}

fn words(defect: Defect, rule: &Rule, instead: Option<&str>) -> (String, String) {
    let (says, help) = match (defect, rule.permits(), instead) {
        (Defect::Vacuous, _, _) => (
            "can never apply",
            "no request in any estate meets its scope and its conditions together: take it out, or correct them",
        ),
        (Defect::Redundant, permits, Some(other)) => {
            let verb = if permits { "permits" } else { "forbids" };
            return (
                format!("{verb} nothing that {} does not: that one does its work", quoted(other)),
                format!(
                    "take it out, or narrow {} if this one was meant to do its work",
                    quoted(other)
                ),
            );
        }
        (Defect::Redundant, true, None) => (
            "permits nothing that other policies do not permit",
            "take it out, or narrow the other if this one was meant to do its work",
        ),
        (Defect::Redundant, false, None) => (
            "forbids nothing that would be permitted without it",
            "take it out, unless it is there for what others may permit one day",
        ),
        (Defect::Overridden, _, _) => (
            "permits nothing: whatever it matches is forbidden",
            "take it out, or leave room for it in the forbid",
        ),
        (Defect::CanFail, true, _) => (
            "can fail, and then permits nothing",
            "a number may grow too large for Cedar: leave room, or compare without reckoning",
        ),
        (Defect::CanFail, false, _) => (
            "can fail, and then forbids nothing",
            "a number may grow too large for Cedar: leave room, or compare without reckoning",
        ),
    };
    (says.to_owned(), help.to_owned())
}

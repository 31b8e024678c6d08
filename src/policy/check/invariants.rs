//! Invariants over the estate as it is: no solver is needed for that.

use cedar_policy::ActionConstraint;

use crate::manifest::check::{World as Checked, at_field};
use crate::manifest::code::Code;
use crate::manifest::draft::{Draft, Where, way};
use crate::manifest::source::Sources;
use crate::manifest::suggest::{listed, quoted};
use crate::model::estate::Estate;
use crate::policy::expect::object;
use crate::policy::invariant::{Breach, Broken, Invariant, Promise};
use crate::policy::level::Level;
use crate::policy::prove::Environment;
use crate::policy::rules::{Placed, Rule, Rules};
use crate::policy::sheet;
use crate::policy::vocabulary;
use crate::policy::world::World;

/// Invariants that are about nothing that people do, or also about what an estate says.
pub(super) fn form(rules: &Rules, sources: &Sources, drafts: &mut Vec<Draft>) {
    for invariant in rules.invariants() {
        let policy = &invariant.rule.policy;
        // An action that there is not is another mistake.
        let mut actions = vocabulary::schema().actions();
        if !actions.any(|action| invariant.rule.is_about(action)) {
            continue;
        }
        let about: Vec<&Environment> =
            Environment::all().filter(|one| one.admits(policy)).collect();
        let question = about.iter().find(|one| one.deed().is_none());
        let deed = about.iter().any(|one| one.deed().is_some());
        // Whoever leaves the action open means whatever people do.
        let is_open = policy.action_constraint() == ActionConstraint::Any;
        let message = match question {
            _ if !deed => format!("{} is about nothing that people do", quoted(invariant.id())),
            Some(question) if !is_open => format!(
                "{} is also about `{}`, which is nothing that people do",
                quoted(invariant.id()),
                question.action
            ),
            _ => continue,
        };
        drafts.push(
            Draft::new(Code::P2010, promise(sources, invariant), message)
                .help("what an estate may say is for a guardrail: a forbid with a `@level`"),
        );
    }
}

/// Invariants that do not hold. Of a part of an estate it cannot be told whether what is always so
/// is: that is said, as nobody is to take silence for an answer.
pub(super) fn check(
    world: &Checked<'_>,
    sources: &Sources,
    rules: &Rules,
    drafts: &mut Vec<Draft>,
) {
    if rules.invariants().is_empty() {
        return;
    }
    let declared = World::declared(world.estate, world.today);
    for invariant in rules.invariants() {
        let at = promise(sources, invariant);
        if invariant.promise == Promise::Always && !world.sees_everything() {
            let message =
                format!("{} was not checked: this is a part of the estate", quoted(invariant.id()));
            drafts.push(
                Draft::new(Code::P2406, at, message)
                    .help("leave out `-f`, or add `--complete` if it names all manifests"),
            );
            continue;
        }
        match invariant.broken(rules, &declared) {
            Ok(None) => {}
            Ok(Some(breach)) => report(world.estate, rules, invariant, &breach, &at, drafts),
            Err(refused) => {
                // Whether it holds is not known, and that is not that it does.
                let message = format!("{} cannot be checked: {refused}", quoted(invariant.id()));
                drafts.push(Draft::new(Code::P2401, at, message));
            }
        }
    }
}

/// A finding for all for whom it does not hold; where somebody can answer for it, one for each, as
/// nobody answers for others by answering for one.
fn report(
    estate: &Estate,
    rules: &Rules,
    invariant: &Invariant,
    Breach { people, count }: &Breach,
    at: &Where,
    drafts: &mut Vec<Draft>,
) {
    let Some(first) = people.first() else { return };
    let draft = |code, broken, more: &str| draft(estate, rules, invariant, code, broken, more, at);
    let code = match invariant.level() {
        Level::Hard => {
            let more = match (count, people.len()) {
                (1, _) => String::new(),
                (count, 1) => format!(", and {} more", count - 1),
                (count, len) => format!(", and {} more of {len} principals", count - 1),
            };
            drafts.push(draft(Code::P2401, first, &more));
            return;
        }
        Level::Overridable => Code::P2402,
        Level::Advisory => Code::P2403,
    };
    for broken in people {
        drafts.push(draft(code, broken, "").object(object(&broken.principal)));
    }
}

fn draft(
    estate: &Estate,
    rules: &Rules,
    invariant: &Invariant,
    code: Code,
    Broken { principal, action, resource, by }: &Broken,
    more: &str,
    at: &Where,
) -> Draft {
    let says = invariant.says().map_or_else(String::new, |says| format!(" ({says})"));
    let (may, help) = match invariant.promise {
        Promise::Never => {
            ("may", "narrow what permits it, forbid it with a guardrail, or correct the invariant")
        }
        Promise::Always => {
            ("may not", "permit it, narrow what forbids it, or correct the invariant")
        }
    };
    let help = match code {
        Code::P2402 => format!("{help}; or let somebody answer for it with a Waiver"),
        _ => help.to_owned(),
    };
    let on = if principal == resource { "itself".to_owned() } else { object(resource) };
    let why = match (by.as_slice(), invariant.promise) {
        ([], _) => "no policy permits it".to_owned(),
        (by, Promise::Never) => format!("permitted by {}", all(by)),
        (by, Promise::Always) => format!("forbidden by {}", all(by)),
    };
    let message = format!(
        "{} does not hold{says}: `{}` {may} `{action}` on {on}{more}: {why}",
        quoted(invariant.id()),
        object(principal),
    );
    let mut draft = Draft::new(code, at.clone(), message).help(help);
    for rule in by.iter().filter_map(|id| rules.by_id(id)) {
        if !matches!(rule.place, Placed::Library { .. }) {
            draft = draft.related("the policy stands here", place(estate, rule));
        }
    }
    draft
}

/// Where an invariant says what it promises.
pub(super) fn promise(sources: &Sources, invariant: &Invariant) -> Where {
    annotated(sources, &invariant.rule, invariant.promise.word()).unwrap_or(Where::Estate)
}

/// Where an annotation of a policy of the project stands.
pub(super) fn annotated(sources: &Sources, rule: &Rule, word: &str) -> Option<Where> {
    let Placed::Project { source, span } = rule.place else { return None };
    let text = std::str::from_utf8(sources.get(source)?.bytes.get(span.range())?).ok()?;
    Some(Where::Bytes { source, span: sheet::annotation(text, word).shifted(span.start) })
}

/// `a`, `b` and `c`.
pub(super) fn all(ids: &[String]) -> String {
    listed(ids.iter().map(String::as_str)).replace(" or ", " and ")
}

/// Where a policy of the project stands.
pub(super) fn place(estate: &Estate, rule: &Rule) -> Where {
    match &rule.place {
        Placed::Project { source, span } => Where::Bytes { source: *source, span: *span },
        Placed::Role { role, index } => estate
            .roles
            .get(role)
            .map_or(Where::Estate, |role| at_field(role, way!["spec", "permissions", *index])),
        Placed::DelegatedAccess { access, index } => estate
            .delegated_access
            .get(access)
            .map_or(Where::Estate, |access| at_field(access, way!["spec", "grants", *index])),
        Placed::Library { .. } | Placed::Tenant => Where::Estate,
    }
}

//! The project's own policies: whether they can be read, fit the vocabulary, name what is there.

use std::collections::BTreeSet;

use cedar_policy::{
    Policy, PolicySet, ValidationError, ValidationMode, ValidationWarning, Validator,
};

use crate::manifest::check::World as Checked;
use crate::manifest::code::Code;
use crate::manifest::draft::{Draft, Where};
use crate::manifest::source::{SourceId, Sources, Span, to_u32};
use crate::manifest::suggest::{did_you_mean, quoted};
use crate::model::estate::Estate;
use crate::model::name::{Kind, Name, RoleKey};
use crate::model::partnership::With;
use crate::model::scalar::Scalar;
use crate::policy::rules::{Placed, Rule, Rules};
use crate::policy::sheet::{self, Problem};
use crate::policy::vocabulary;
use crate::policy::world::{Type, Uid};

/// What is wrong with the files.
pub(super) fn problems(problems: Vec<(SourceId, Problem)>, drafts: &mut Vec<Draft>) {
    for (source, Problem { code, span, message, help }) in problems {
        drafts.push(Draft::new(code, Where::Bytes { source, span }, message).maybe_help(help));
    }
}

/// A policy of the project, and its text.
struct Own<'a> {
    rule: &'a Rule,
    source: SourceId,
    span: Span,
    text: &'a str,
}

impl Own<'_> {
    fn at(&self, span: Span) -> Where {
        Where::Bytes { source: self.source, span: span.shifted(self.span.start) }
    }
}

pub(super) fn check(
    world: &Checked<'_>,
    sources: &Sources,
    rules: &Rules,
    drafts: &mut Vec<Draft>,
) {
    let invariants = rules.invariants().iter().map(|invariant| &invariant.rule);
    let own: Vec<Own<'_>> =
        rules.iter().chain(invariants).filter_map(|rule| own(rule, sources)).collect();
    if own.is_empty() {
        return;
    }
    let mut set = PolicySet::new();
    for policy in own.iter().map(|own| own.rule.policy.clone()) {
        // Ids are distinct: whoever added them saw to it.
        let added = set.add(policy);
        debug_assert!(added.is_ok(), "{added:?}");
    }
    let validator = Validator::new(vocabulary::schema().clone());
    let result = validator.validate(&set, ValidationMode::Strict);
    let find = |id: &cedar_policy::PolicyId| own.iter().find(|own| own.rule.policy.id() == id);
    let mut wrong = BTreeSet::new();
    // In an order of our own: Cedar looks at actions and types in whatever order its maps have.
    let mut told: BTreeSet<(usize, Span, String, Option<String>)> = BTreeSet::new();
    for error in result.validation_errors() {
        let Some(at) = own.iter().position(|own| own.rule.policy.id() == error.policy_id()) else {
            continue;
        };
        let Some(own) = own.get(at) else { continue };
        wrong.insert(error.policy_id());
        let (span, message, help) = sheet::told(error, own.text);
        let written = own.text.get(span.range()).unwrap_or_default();
        let help = match error {
            ValidationError::UnrecognizedActionId(_) => near_action(&own.rule.policy),
            ValidationError::UnrecognizedEntityType(_) => {
                did_you_mean(written, Type::ALL.iter().map(|ty| ty.word()))
            }
            _ => help,
        };
        told.insert((at, span, without_id(&message), help));
    }
    // Cedar says it again for each action and each type that the scope admits.
    let mut said = BTreeSet::new();
    for (at, span, message, help) in told {
        if said.insert((at, message.clone()))
            && let Some(own) = own.get(at)
        {
            drafts.push(Draft::new(Code::P2005, own.at(span), message).maybe_help(help));
        }
    }
    for warning in result.validation_warnings() {
        if let ValidationWarning::ImpossiblePolicy(impossible) = warning
            && let Some(own) = find(impossible.policy_id())
            && !wrong.contains(impossible.policy_id())
        {
            let span = sheet::annotation(own.text, "id");
            let message = format!("{} can never apply", quoted(own.rule.id()));
            let help = "no request that the vocabulary knows meets its scope and its conditions together: take it out, or correct them";
            drafts.push(Draft::new(Code::P2008, own.at(span), message).help(help));
        }
    }
    for own in &own {
        entities(world, own, drafts);
    }
}

fn own<'a>(rule: &'a Rule, sources: &'a Sources) -> Option<Own<'a>> {
    let Placed::Project { source, span } = rule.place else { return None };
    let bytes = &sources.get(source)?.bytes;
    let text = std::str::from_utf8(bytes.get(span.range())?).ok()?;
    Some(Own { rule, source, span, text })
}

/// Cedar names the policy in each message; the place does that already.
fn without_id(message: &str) -> String {
    let rest = message.strip_prefix("for policy `").and_then(|rest| rest.split_once("`, "));
    rest.map_or_else(|| message.to_owned(), |(_, rest)| rest.to_owned())
}

/// An action that was probably meant; where Cedar has a suggestion, it takes any of those that are
/// equally near.
fn near_action(policy: &Policy) -> Option<String> {
    let known: BTreeSet<&str> =
        vocabulary::schema().actions().map(|action| action.id().unescaped()).collect();
    let written = match policy.action_constraint() {
        cedar_policy::ActionConstraint::Any => return None,
        cedar_policy::ActionConstraint::Eq(uid) => vec![uid],
        cedar_policy::ActionConstraint::In(uids) => uids,
    };
    let unknown = written.iter().find(|uid| !known.contains(uid.id().unescaped()))?;
    did_you_mean(unknown.id().unescaped(), known)
}

/// Names that must stand for something: who is meant by a policy must not be a matter of chance.
fn entities(world: &Checked<'_>, own: &Own<'_>, drafts: &mut Vec<Draft>) {
    let mut literals = own.rule.policy.entity_literals();
    literals.sort();
    literals.dedup();
    for literal in literals {
        let Some(uid) = Uid::from_cedar(&literal) else { continue };
        if exists(world, &uid) {
            continue;
        }
        let name = uid.name.as_str();
        let at = own.at(literal_span(own.text, &uid));
        let help = did_you_mean(name, names(world, uid.ty)).unwrap_or_else(|| {
            "correct the name: a policy about nobody protects nobody".to_owned()
        });
        let message = format!("there is no {} {}", word(uid.ty), quoted(name));
        drafts.push(Draft::new(Code::P2006, at, message).help(help));
    }
}

const fn word(ty: Type) -> &'static str {
    match ty {
        Type::User => "user",
        Type::Application => "application",
        Type::Role => "role",
        Type::Customer => "customer",
        Type::Provider => "indirect provider",
        Type::Reseller => "indirect reseller",
        Type::Account => "account",
    }
}

fn kind_of(ty: Type) -> Option<Kind> {
    match ty {
        Type::User => Some(Kind::User),
        Type::Role => Some(Kind::Role),
        Type::Customer => Some(Kind::Customer),
        Type::Provider | Type::Reseller => Some(Kind::Partnership),
        Type::Account => Some(Kind::Account),
        // The tenant knows which there are, not the manifests.
        Type::Application => None,
    }
}

fn exists(world: &Checked<'_>, uid: &Uid) -> bool {
    let name = uid.name.as_str();
    let Some(kind) = kind_of(uid.ty) else { return true };
    // What is not all here, or could not be read, may well be there.
    if !world.complete || world.is_broken(kind, name) {
        return true;
    }
    Name::parse(name).is_ok() && names(world, uid.ty).any(|known| known == name)
}

/// All names of a type.
fn names<'a>(world: &Checked<'a>, ty: Type) -> Box<dyn Iterator<Item = &'a str> + 'a> {
    let estate = world.estate;
    match ty {
        Type::User => Box::new(estate.users.keys().map(crate::model::name::UserKey::as_str)),
        Type::Role => {
            let built_in = crate::model::role::built_in().map(|name| -> &'a str { name });
            Box::new(built_in.chain(estate.roles.keys().map(RoleKey::as_str)))
        }
        Type::Customer => {
            Box::new(estate.customers.keys().map(crate::model::name::CustomerKey::as_str))
        }
        Type::Provider => Box::new(partners(estate, With::IndirectProvider)),
        Type::Reseller => Box::new(partners(estate, With::IndirectReseller)),
        Type::Account => {
            Box::new(estate.account.iter().map(|account| account.metadata.name.as_str()))
        }
        Type::Application => Box::new(std::iter::empty()),
    }
}

/// Partners that are something to us.
fn partners(estate: &Estate, with: With) -> impl Iterator<Item = &str> {
    let those = estate.partnerships.iter().filter(move |(_, p)| p.spec.with == with);
    those.map(|(key, _)| key.as_str())
}

/// Where a name stands in a policy.
fn literal_span(text: &str, uid: &Uid) -> Span {
    let written = format!("{}::\"{}\"", uid.ty.word(), uid.name);
    text.find(&written).map_or_else(
        || sheet::annotation(text, "id"),
        |at| Span::new(to_u32(at), to_u32(at + written.len())),
    )
}

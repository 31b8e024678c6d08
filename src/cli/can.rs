use super::files::SourceArgs;
use super::live::LiveArgs;
use super::output::Output;
use super::policies::Policies;
use super::{CommandError, Outcome, clock};
use crate::manifest::suggest::did_you_mean;
use crate::model::action::Action;
use crate::model::name::{Kind, Reference};
use crate::model::scalar::Scalar;
use crate::model::time::Day;
use crate::policy::expect::{everything, object, uid_of};
use crate::policy::judge::{Decision, Judge};
use crate::policy::near::{Condition, near};
use crate::policy::vocabulary::applies;
use crate::policy::world::{Type, Uid, Value, World};
use crate::report::decision::{self, Answer, Closest};

/// Say whether somebody may do something, by which policy, at which line
///
/// As the manifests declare it, or with --live as the tenant really has it. Without WHAT, an action on customers is asked about everywhere:
/// allowed if it is allowed for any customer. view-users, manage-users, assign-roles and
/// reset-password are then about our own people: name a customer for those of its tenant. Exit code
/// 0: allowed; 4: denied.
///
/// For instance: partnerctl can user/aiko-tanaka accept-partnership --why
#[derive(clap::Args, Debug)]
pub(crate) struct CanArgs {
    /// Who: user/NAME, role/NAME (whoever holds it and nothing else), partnership/NAME, application/GUID
    #[arg(value_name = "WHO")]
    who: String,
    /// What to do; `partnerctl explain` lists all actions
    #[arg(value_name = "ACTION")]
    action: String,
    /// To whom or what: customer/NAME, user/NAME, partnership/NAME, account/NAME
    #[arg(value_name = "WHAT")]
    what: Option<String>,
    /// Name the policies that decide, with reason and place, or those that came closest
    #[arg(long)]
    why: bool,
    #[command(flatten)]
    live: LiveArgs,
    #[command(flatten)]
    source: SourceArgs,
    /// How to write the answer
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Judge as of this day (UTC) instead of today
    #[arg(long, value_name = "DATE", value_parser = clock::parse_day)]
    as_of: Option<Day>,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: partnerctl/can/v1
    Json,
}

pub(crate) fn run(out: &Output, args: &CanArgs) -> Result<Outcome, CommandError> {
    let action = action_named(&args.action)?;
    let files = args.source.read(out)?;
    let policies = match Policies::read_either(files, args.as_of, &args.live, out)? {
        Ok(policies) => policies,
        Err(outcome) => return Ok(outcome),
    };
    for note in &policies.notes {
        out.say(note);
    }
    let answer = answer(&policies, args, action)?;
    out.result(|to| match args.format {
        Format::Text => decision::text(&answer, args.why, to),
        Format::Json => decision::json(&answer, to),
    })?;
    Ok(if answer.allowed { Outcome::Done } else { Outcome::Denied })
}

/// The action of this name.
pub(crate) fn action_named(word: &str) -> Result<Action, CommandError> {
    Action::parse(word).map_err(|_| {
        let help = did_you_mean(word, Action::ALL.iter().map(|action| action.word()));
        let help = help.unwrap_or_else(|| "`partnerctl explain` lists all actions".to_owned());
        CommandError::usage(format!("there is no action {word}\n{help}"))
    })
}

fn answer(policies: &Policies, args: &CanArgs, action: Action) -> Result<Answer, CommandError> {
    let mut world = policies.world.clone();
    let who = subject(policies, &mut world, &args.who)?;
    if !applies(action).principals.contains(&who.ty) {
        return Err(CommandError::usage(format!("`{action}` is nothing that {} does", args.who)));
    }
    let internal = |error: crate::policy::world::Refused| CommandError::Internal(error.to_string());
    let (what, decision, sentence) = if let Some(what) = &args.what {
        let what = target(policies, action, what)?;
        let judge = judge(policies, &world, [who.clone(), what.clone()]).map_err(internal)?;
        let decision = judge.decide(&who, action, &what);
        let may = if decision.allowed { "may" } else { "may not" };
        let sentence = format!("{} {may} {action} on {}", object(&who), object(&what));
        (Some(what), decision, sentence)
    } else {
        everywhere(policies, &world, &who, action).map_err(internal)?
    };
    let sentence =
        if policies.is_live { format!("{sentence}, {}", policies.heading) } else { sentence };
    let mut answer = Answer {
        allowed: decision.allowed,
        sentence,
        policies: policies.cited(&decision.by),
        near: Vec::new(),
        notes: notes(policies, &world, &who, &decision),
    };
    if args.what.is_none() && action.is_about_people() {
        answer.notes.push(elsewhere(policies, &world, &who, action).map_err(internal)?);
    }
    if !decision.allowed
        && decision.by.is_empty()
        && let Some(what) = what
    {
        let judge = judge(policies, &world, [who.clone(), what.clone()]).map_err(internal)?;
        for found in near(&judge, &who, action, &what) {
            let Some(policy) = policies.cited([&found.id]).pop() else { continue };
            // What is about customers' people lacks a customer: that is said once, below.
            if !found.failed.iter().any(|lacking| is_elsewhere(action, &what, lacking)) {
                let lacking = found.failed.iter().map(|condition| lacks(&who, condition)).collect();
                answer.near.push(Closest { policy, lacking });
            }
        }
    }
    Ok(answer)
}

fn judge<'p>(
    policies: &'p Policies,
    world: &World,
    uids: impl IntoIterator<Item = Uid>,
) -> Result<Judge<'p>, crate::policy::world::Refused> {
    Judge::about(&policies.rules, world, uids)
}

/// An action on everything that it is about: allowed if it is allowed on anything.
fn everywhere(
    policies: &Policies,
    world: &World,
    who: &Uid,
    action: Action,
) -> Result<(Option<Uid>, Decision, String), crate::policy::world::Refused> {
    let ty = everything(action);
    let all: Vec<Uid> = world.of(ty).iter().map(|(name, _)| Uid::new(ty, name.clone())).collect();
    let judge = judge(policies, world, all.iter().cloned().chain([who.clone()]))?;
    let decisions: Vec<(&Uid, Decision)> =
        all.iter().map(|what| (what, judge.decide(who, action, what))).collect();
    let allowed: Vec<&(&Uid, Decision)> =
        decisions.iter().filter(|(_, decision)| decision.allowed).collect();
    let shown = object(who);
    let (what, decision) = match (allowed.first(), decisions.first()) {
        (Some((what, decision)), _) | (None, Some((what, decision))) => {
            (Some((*what).clone()), decision.clone())
        }
        (None, None) => (None, Decision::default()),
    };
    let on = match (allowed.len(), all.len(), &what) {
        (0 | 1, 1, Some(what)) => format!("on {}", object(what)),
        (0, 0, _) => format!("on anything: there is no {}", ty.word().to_lowercase()),
        (0, count, _) => format!("on any of {count} customers"),
        (some, count, _) if some == count => format!("on all {count} customers"),
        (some, count, Some(what)) => {
            format!("on {some} of {count} customers, {} for one", object(what))
        }
        (some, count, None) => format!("on {some} of {count} customers"),
    };
    let may = if decision.allowed { "may" } else { "may not" };
    Ok((what, decision, format!("{shown} {may} {action} {on}")))
}

/// Whether a permit is for the people of customers' tenants, and that is all that was asked about.
fn is_elsewhere(action: Action, what: &Uid, lacking: &Condition) -> bool {
    action.is_about_people()
        && what.ty != Type::Customer
        && matches!(lacking, Condition::Text(text) if text == "resource is Customer")
}

/// What is to be said of the people of customers' tenants, where nobody named a customer.
fn elsewhere(
    policies: &Policies,
    world: &World,
    who: &Uid,
    action: Action,
) -> Result<String, crate::policy::world::Refused> {
    let of = world.of(Type::Customer).iter();
    let all: Vec<Uid> = of.map(|(name, _)| Uid::new(Type::Customer, name.clone())).collect();
    let judge = judge(policies, world, all.iter().cloned().chain([who.clone()]))?;
    let mut allowed = all.iter().filter(|what| judge.decide(who, action, what).allowed);
    Ok(match allowed.next() {
        Some(first) => format!(
            "this was about our own people; on those of {} of {} customers' tenants {} may, {} for one: name the customer",
            allowed.count() + 1,
            all.len(),
            object(who),
            object(first)
        ),
        None => {
            "this was about our own people: for those of a customer's tenant, name the customer"
                .to_owned()
        }
    })
}

/// Who is meant.
fn subject(policies: &Policies, world: &mut World, text: &str) -> Result<Uid, CommandError> {
    let reference = reference(text, Kind::User)?;
    if let Reference::Document(Kind::Role, name) = &reference {
        let uid = Uid::new(Type::Role, name.as_str());
        if !world.contains(&uid) {
            return Err(unknown(policies, &reference));
        }
        return Ok(world.suppose_holder(name.as_str()));
    }
    match uid_of(&policies.loaded.estate, &reference) {
        Some(uid) if uid.ty == Type::Application || world.contains(&uid) => Ok(uid),
        _ => Err(unknown(policies, &reference)),
    }
}

/// To what it is done.
fn target(policies: &Policies, action: Action, text: &str) -> Result<Uid, CommandError> {
    let types = &applies(action).resources;
    let usual = everything(action);
    let kind = if usual == Type::Customer { Kind::Customer } else { Kind::Account };
    let reference = reference(text, kind)?;
    let uid = match &reference {
        Reference::Document(Kind::Role, _) => None,
        other => uid_of(&policies.loaded.estate, other),
    };
    let estate = &policies.loaded.estate;
    match uid {
        // Whoever means the people of a tenant may well name the customer alone.
        Some(uid)
            if !policies.world.contains(&uid)
                && !text.contains('/')
                && action.is_about_people()
                && (estate.customers.contains_key(text) || estate.users.contains_key(text)) =>
        {
            let kind = if estate.customers.contains_key(text) { "customer" } else { "user" };
            Err(CommandError::usage(format!(
                "there is no {reference}\ndid you mean `{kind}/{text}`?"
            )))
        }
        Some(uid) if !policies.world.contains(&uid) => Err(unknown(policies, &reference)),
        Some(uid) if types.contains(&uid.ty) => Ok(uid),
        Some(_) => Err(CommandError::usage(format!("`{action}` is not done to {reference}"))),
        None => Err(unknown(policies, &reference)),
    }
}

/// `kind/name`, or the name of what is usual there.
pub(crate) fn reference(text: &str, usual: Kind) -> Result<Reference, CommandError> {
    let whole =
        if text.contains('/') { text.to_owned() } else { format!("{}/{text}", usual.kebab()) };
    Reference::parse(&whole).map_err(|malformed| {
        let help = malformed.help.unwrap_or_default();
        CommandError::usage(format!("{text} is not a reference such as user/aiko-tanaka\n{help}"))
    })
}

pub(crate) fn unknown(policies: &Policies, reference: &Reference) -> CommandError {
    let estate = &policies.loaded.estate;
    let help = match reference {
        Reference::Document(Kind::User, name) => did_you_mean(
            name.as_str(),
            estate.users.keys().map(super::super::model::name::UserKey::as_str),
        ),
        Reference::Document(Kind::Customer, name) => did_you_mean(
            name.as_str(),
            estate.customers.keys().map(super::super::model::name::CustomerKey::as_str),
        ),
        Reference::Document(Kind::Role, name) => {
            let mut known: Vec<&str> = crate::model::role::built_in().collect();
            for key in estate.roles.keys() {
                known.push(key.as_str());
            }
            did_you_mean(name.as_str(), known)
        }
        _ => None,
    };
    let help = help.map_or_else(String::new, |help| format!("\n{help}"));
    let there = if policies.is_live { " in the tenant" } else { "" };
    CommandError::usage(format!("there is no {reference}{there}{help}"))
}

/// What a permit lacked, in words.
fn lacks(who: &Uid, condition: &Condition) -> String {
    match condition {
        Condition::Role(role) => format!("{} does not hold role/{role}", object(who)),
        Condition::Text(text) => format!("`{text}` does not hold"),
    }
}

/// What else is worth knowing: roles that could be activated, policies that failed.
fn notes(policies: &Policies, world: &World, who: &Uid, decision: &Decision) -> Vec<String> {
    let mut notes = Vec::new();
    if !decision.allowed
        && let Some(shape) = world.shape_of(who).and_then(|shape| world.shape(shape))
    {
        let eligible = shape.attributes.iter().find(|(name, _)| *name == "eligible");
        if let Some((_, Value::Set(roles))) = eligible
            && !roles.is_empty()
        {
            let roles: Vec<&str> = roles.iter().map(|role| role.name.as_str()).collect();
            notes.push(format!(
                "{} can activate {} through privileged identity management; until then it is not held",
                object(who),
                roles.join(", ")
            ));
        }
    }
    for (id, message) in &decision.failed {
        // Where it is not among those that decided, others had decided already.
        let so = if decision.by.contains(id) { "so it forbids this" } else { "decided nothing" };
        notes.push(format!("`{id}` could not be evaluated and {so}: {message}"));
    }
    for cited in policies.cited(&decision.advice) {
        let reason = cited.reason.map_or_else(String::new, |reason| format!(": {reason}"));
        notes.push(format!("advised against by `{}`{reason}", cited.id));
    }
    notes
}

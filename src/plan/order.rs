//! The order of steps: what makes before what uses, what gives before what takes; and in no place of
//! it is anybody locked out.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::bind::Binding;
use super::change::{Change, Target};
use super::effect::Effect;
use super::file::{Refusal, Why};
use super::gather::Gather;
use super::people::People;
use super::step::{Step, Verb};
use crate::model::Str;

/// A step in its place, and what it does there.
#[derive(Debug, Clone)]
pub(super) struct Ordered {
    pub(super) step: Step,
    pub(super) effect: Effect,
    /// Privileged roles that nobody would hold any more.
    pub(super) last_of: Vec<Str>,
}

/// Roles of which the account keeps a minimum, and what it is.
fn minimums(gather: &Gather<'_>) -> [(&'static str, usize); 2] {
    let guards = gather.input.guards;
    [
        ("global-admin", guards.global_admins_min as usize),
        ("admin-agent", guards.admin_agents_min as usize),
    ]
}

/// Puts the steps into order. A step that would lock somebody out waits for one that prevents it; if
/// there is none, it stays last, and is refused.
pub(super) fn order(gather: &mut Gather<'_>, people: &People<'_>) -> Vec<Ordered> {
    let mut steps = std::mem::take(&mut gather.drafts.steps);
    describe_before_letting_in(&mut steps);
    let effects = std::mem::take(&mut gather.effects);
    let mut items: Vec<Option<(Step, Effect)>> = steps.into_iter().zip(effects).map(Some).collect();
    let ranks: Vec<(u8, String)> = items
        .iter()
        .flatten()
        .map(|(step, effect)| (rank(step, effect, people), step.id.clone()))
        .collect();
    let (mut ready, mut waits_for, mut leads_to) = graph(&items, &ranks);
    let mut people = people.clone();
    let mut ordered = Vec::with_capacity(items.len());
    let mut blocked: BTreeMap<(u8, String), (usize, String)> = BTreeMap::new();
    while let Some((rank, at)) = ready.pop_first() {
        let Some((_, effect)) = items.get(at).and_then(Option::as_ref) else { continue };
        if let Some(why) = locks_out(gather, &people, effect) {
            blocked.insert(rank, (at, why));
            continue;
        }
        let gives =
            matches!(effect, Effect::Gives { .. } | Effect::Makes { .. } | Effect::Enables { .. });
        place(at, &mut items, &mut people, &mut ordered);
        for next in leads_to.remove(&at).unwrap_or_default() {
            if let Some(count) = waits_for.get_mut(&next) {
                *count -= 1;
                if *count == 0
                    && let Some(rank) = ranks.get(next)
                {
                    ready.insert((rank.clone(), next));
                }
            }
        }
        if gives {
            // What was blocked may be possible now.
            ready
                .extend(std::mem::take(&mut blocked).into_iter().map(|(rank, (at, _))| (rank, at)));
        }
    }
    for (_, (at, why)) in blocked {
        let Some((step, _)) = items.get(at).and_then(Option::as_ref) else { continue };
        gather.drafts.refused.push(Refusal {
            why: Why::Guard,
            step: Some(step.id.clone()),
            message: format!("`{}` is refused: {why}", step.id),
            remedy: "declare somebody else first who holds it directly, for good, and can sign in; or lower `guards` in the project file".to_owned(),
        });
        place(at, &mut items, &mut people, &mut ordered);
    }
    // Whatever waits for a refused step still belongs to the plan.
    for at in 0..items.len() {
        place(at, &mut items, &mut people, &mut ordered);
    }
    ordered
}

/// Whoever is described and let in is let in last: what is written of an account is guarded by whether
/// it could sign in when it was seen.
fn describe_before_letting_in(steps: &mut [Step]) {
    let described: BTreeSet<String> = steps
        .iter()
        .filter(|step| {
            matches!(step.change, Change::UpdateUser { .. }) && step.id.ends_with("/update")
        })
        .map(|step| step.id.clone())
        .collect();
    for step in steps.iter_mut().filter(|step| step.id.ends_with("/enable")) {
        let description = format!("{}/update", step.object);
        if described.contains(&description) {
            step.depends_on.push(description);
        }
    }
}

/// A rank, and the step's place among the drafts.
type Ready = BTreeSet<((u8, String), usize)>;

/// Which steps can go first, how many others each waits for, and which wait for it.
fn graph(
    items: &[Option<(Step, Effect)>],
    ranks: &[(u8, String)],
) -> (Ready, HashMap<usize, usize>, HashMap<usize, Vec<usize>>) {
    let by_id: HashMap<&str, usize> = items
        .iter()
        .enumerate()
        .filter_map(|(at, item)| Some((item.as_ref()?.0.id.as_str(), at)))
        .collect();
    let mut ready = BTreeSet::new();
    let mut waits_for = HashMap::new();
    let mut leads_to: HashMap<usize, Vec<usize>> = HashMap::new();
    for (at, item) in items.iter().enumerate() {
        let Some((step, _)) = item else { continue };
        let mut count = 0;
        for needed in step.depends_on.iter().filter_map(|id| by_id.get(id.as_str())) {
            leads_to.entry(*needed).or_default().push(at);
            count += 1;
        }
        if count > 0 {
            waits_for.insert(at, count);
        } else if let Some(rank) = ranks.get(at) {
            ready.insert((rank.clone(), at));
        }
    }
    (ready, waits_for, leads_to)
}

fn place(
    at: usize,
    items: &mut [Option<(Step, Effect)>],
    people: &mut People<'_>,
    ordered: &mut Vec<Ordered>,
) {
    let Some((step, effect)) = items.get_mut(at).and_then(Option::take) else { return };
    let last_of = match &effect {
        Effect::Takes { user, role } if people.is_last(user, role) => vec![role.clone()],
        Effect::Disables { user } | Effect::Deletes { user } => people
            .get(user)
            .map(|person| {
                person.roles().filter(|role| people.is_last(user, role)).cloned().collect()
            })
            .unwrap_or_default(),
        _ => Vec::new(),
    };
    people.apply(&effect);
    ordered.push(Ordered { step, effect, last_of });
}

/// What comes first: groups, users, memberships, relationships; then removals, backwards; the actor's
/// own loss at the very end.
fn rank(step: &Step, effect: &Effect, people: &People<'_>) -> u8 {
    let takes =
        matches!(effect, Effect::Takes { .. } | Effect::Disables { .. } | Effect::Deletes { .. });
    if takes && effect.user().is_some() && effect.user() == people.actor.as_ref() {
        return 20;
    }
    match (&step.change, step.verb) {
        (Change::PutProfile { .. }, _) => 0,
        (Change::CreateGroup { .. } | Change::UpdateGroup { .. }, _) => 1,
        (Change::RestoreUser { .. }, _) => 2,
        (Change::CreateUser { .. }, _) => 3,
        (
            Change::AddMember { .. } | Change::AssignRole { .. } | Change::AddAccountRole { .. },
            _,
        ) => 5,
        (Change::CreateCustomer { .. }, _) => 6,
        (Change::PutCustomerBilling { .. } | Change::AskQualification { .. }, _) => 7,
        (
            Change::RequestDelegation { .. }
            | Change::LockDelegation { .. }
            | Change::UpdateDelegation { .. },
            Verb::Create | Verb::Request | Verb::Update,
        ) => 8,
        (
            Change::AssignDelegated { .. } | Change::UpdateDelegated { .. },
            Verb::Grant | Verb::Update,
        ) => 9,
        (
            Change::RemoveMember { .. }
            | Change::RemoveRole { .. }
            | Change::RemoveAccountRole { .. }
            | Change::RequestDelegation { .. }
            | Change::LockDelegation { .. }
            | Change::UpdateDelegation { .. }
            | Change::AssignDelegated { .. }
            | Change::UpdateDelegated { .. }
            | Change::UnassignDelegated { .. },
            _,
        ) => 10,
        (Change::UpdateUser { .. }, Verb::Disable)
        | (Change::DeleteDelegation { .. } | Change::TerminateDelegation { .. }, _) => 11,
        (Change::UpdateUser { .. } | Change::ResetPassword { .. }, _) => 4,
        (Change::EndRelationship { .. }, _) => 12,
        (Change::DeleteGroup { .. }, _) => 13,
        (Change::DeleteUser { .. }, _) => 14,
    }
}

/// Why a step would lock somebody out, if it would.
fn locks_out(gather: &Gather<'_>, people: &People<'_>, effect: &Effect) -> Option<String> {
    if let Effect::Disables { user } | Effect::Deletes { user } = effect
        && let Some(name) = required(gather, user)
    {
        return Some(format!("user/{name} is required to be there and able to sign in"));
    }
    if !matches!(effect, Effect::Takes { .. } | Effect::Disables { .. } | Effect::Deletes { .. }) {
        return None;
    }
    let mut after = people.clone_for(effect)?;
    after.apply(effect);
    for (role, min) in minimums(gather) {
        let (had, has) = (people.count(role), people.count_with(role, &after));
        if has < min && has < had {
            let had = match had {
                1 => "there is one".to_owned(),
                had => format!("there are {had}"),
            };
            return Some(format!(
                "it would leave {has} of {min} who hold {role} directly, for good, and can sign in ({had})"
            ));
        }
    }
    None
}

fn required<'g>(gather: &'g Gather<'_>, user: &Target) -> Option<&'g str> {
    let Target::Id(id) = user else { return None };
    gather.input.guards.required.iter().map(|key| (key, gather.bound.users.get(key))).find_map(
        |(key, binding)| {
            binding.is_some_and(|binding| *binding == Binding::Live(*id)).then_some(key.as_str())
        },
    )
}

//! Why not? Which permits came closest to a denial by default, and what each of them lacked.

use cedar_policy::{
    Authorizer, Context, Decision, EntityUid, Policy, PolicySet, PrincipalConstraint, Request,
    ResourceConstraint, pst,
};

use super::judge::Judge;
use super::rules::Rule;
use super::world::Uid;
use crate::model::action::Action;

/// A permit that did not apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Near {
    /// The policy's id.
    pub id: String,
    /// What did not hold, in the order of the policy.
    pub failed: Vec<Condition>,
}

/// A condition of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// The scope asks for a role, and this is it.
    Role(String),
    /// As Cedar writes it.
    Text(String),
}

/// So many permits are worth reading.
const NEAR_MAX: usize = 3;

/// The permits that came closest, those that lacked least first.
pub fn near(judge: &Judge<'_>, who: &Uid, action: Action, what: &Uid) -> Vec<Near> {
    let asked = action.cedar();
    let mut found: Vec<Near> = judge
        .rules
        .iter()
        .filter(|rule| rule.permits() && rule.is_about(&asked))
        .filter_map(|rule| {
            let conditions = conditions(rule)?;
            let failed: Vec<Condition> = conditions
                .into_iter()
                .filter(|condition| !holds(judge, &condition.text(), who, action, what))
                .collect();
            // It applied: then nothing was denied by default.
            (!failed.is_empty()).then(|| Near { id: rule.id().to_owned(), failed })
        })
        .collect();
    // A permit that is meant for others is further away than one whose conditions do not hold.
    found.sort_by_key(|near| (near.is_for_others(), near.failed.len()));
    let nearest = found.first().map(|near| (near.is_for_others(), near.failed.len()));
    found.retain(|near| Some((near.is_for_others(), near.failed.len())) == nearest);
    found.truncate(NEAR_MAX);
    found
}

impl Near {
    /// Whether it is the one who asks that it does not admit.
    fn is_for_others(&self) -> bool {
        self.failed.iter().any(|condition| match condition {
            Condition::Role(_) => true,
            Condition::Text(text) => text.starts_with("principal "),
        })
    }
}

impl Condition {
    fn text(&self) -> String {
        match self {
            Self::Role(role) => format!("principal in Role::{role:?}"),
            Self::Text(text) => text.clone(),
        }
    }
}

/// All that a policy asks for beside the action: its scope, and each conjunct of its conditions.
fn conditions(rule: &Rule) -> Option<Vec<Condition>> {
    let policy = rule.policy.to_pst().ok()?;
    let template = policy.body();
    let mut found = Vec::new();
    match rule.policy.principal_constraint() {
        PrincipalConstraint::Any => {}
        PrincipalConstraint::In(uid) => found.push(role_or_text("principal", &uid)),
        PrincipalConstraint::Eq(uid) => found.push(Condition::Text(format!("principal == {uid}"))),
        PrincipalConstraint::Is(ty) => found.push(Condition::Text(format!("principal is {ty}"))),
        PrincipalConstraint::IsIn(ty, uid) => {
            found.push(Condition::Text(format!("principal is {ty}")));
            found.push(role_or_text("principal", &uid));
        }
    }
    let text = match rule.policy.resource_constraint() {
        ResourceConstraint::Any => None,
        ResourceConstraint::In(uid) => Some(format!("resource in {uid}")),
        ResourceConstraint::Eq(uid) => Some(format!("resource == {uid}")),
        ResourceConstraint::Is(ty) => Some(format!("resource is {ty}")),
        ResourceConstraint::IsIn(ty, uid) => Some(format!("resource is {ty} in {uid}")),
    };
    found.extend(text.map(Condition::Text));
    for clause in template.clauses() {
        match clause {
            pst::Clause::When(expr) => conjuncts(expr, &mut found),
            pst::Clause::Unless(expr) => found.push(Condition::Text(format!("!({expr})"))),
        }
    }
    Some(found)
}

fn role_or_text(variable: &str, uid: &EntityUid) -> Condition {
    if uid.type_name().basename() == "Role" {
        Condition::Role(uid.id().unescaped().to_owned())
    } else {
        Condition::Text(format!("{variable} in {uid}"))
    }
}

fn conjuncts(expr: &pst::Expr, found: &mut Vec<Condition>) {
    match expr {
        pst::Expr::BinaryOp { op: pst::BinaryOp::And, left, right } => {
            conjuncts(left, found);
            conjuncts(right, found);
        }
        other => found.push(Condition::Text(other.to_string())),
    }
}

/// Whether Cedar says that a condition holds. One that cannot be evaluated does not.
fn holds(judge: &Judge<'_>, condition: &str, who: &Uid, action: Action, what: &Uid) -> bool {
    let text = format!("permit (principal, action, resource) when {{ {condition} }};");
    let Ok(probe) = Policy::parse(None, text) else { return false };
    let Ok(set) = PolicySet::from_policies([probe]) else { return false };
    let request = Request::new(who.cedar(), action.cedar(), what.cedar(), Context::empty(), None);
    request.is_ok_and(|request| {
        let response = Authorizer::new().is_authorized(&request, &set, judge.entities());
        response.decision() == Decision::Allow
    })
}

//! Asking Cedar: worlds of a few entities, probes, requests.

use std::collections::BTreeSet;

use cedar_policy::pst::{
    ActionConstraint, Clause, Effect, Expr, PolicyID, PrincipalConstraint, ResourceConstraint,
    StaticPolicy, Template,
};
use cedar_policy::{
    AuthorizationError, Authorizer, Context, Entities, EntityUid, Policy, PolicySet, Request, pst,
};
use std::sync::Arc;

use super::Refused;
use crate::model::action::Action;
use crate::policy::vocabulary;
use crate::policy::world::{Uid, World};

/// Stands in where nothing is read.
pub(super) fn nobody() -> EntityUid {
    vocabulary::action_uid("")
}

/// A world with these entities, whole, and no others.
pub(super) fn store(world: Option<&World>, uids: BTreeSet<Uid>) -> Result<Entities, Refused> {
    let Some(world) = world else { return Ok(Entities::empty()) };
    world.entities_of(uids).map_err(|error| cedar(&error))
}

pub(super) fn request(
    principal: EntityUid,
    action: Option<Action>,
    resource: EntityUid,
    context: &Context,
) -> Result<Request, Refused> {
    let action = action.map_or_else(nobody, Action::cedar);
    Request::new(principal, action, resource, context.clone(), None).map_err(|error| cedar(&error))
}

pub(super) fn cedar(error: &dyn std::fmt::Display) -> Refused {
    Refused::Cedar { what: error.to_string() }
}

/// Expressions that are asked together; each has a number.
#[derive(Debug, Default)]
pub(super) struct Probes(PolicySet);

/// Of the expressions that were asked; all others are false.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    pub hold: Vec<usize>,
    /// They end in an error, as Cedar has it: a missing attribute, a value of the wrong type.
    pub err: Vec<usize>,
}

impl Probes {
    pub(super) fn new<'e>(
        exprs: impl IntoIterator<Item = (usize, &'e Arc<Expr>)>,
    ) -> Result<Self, Refused> {
        let mut set = PolicySet::new();
        for (number, expr) in exprs {
            let body = Template::new(
                PolicyID(number.to_string().into()),
                Effect::Permit,
                PrincipalConstraint::Any,
                ActionConstraint::Any,
                ResourceConstraint::Any,
            );
            let body = body.try_with_clauses([Clause::When(Arc::clone(expr))]);
            let policy = body.and_then(|body| Ok(StaticPolicy::try_from(body)?));
            let policy = policy.and_then(|policy| Policy::from_pst(pst::Policy::Static(policy)));
            set.add(policy.map_err(|error| cedar(&error))?).map_err(|error| cedar(&error))?;
        }
        Ok(Self(set))
    }

    pub(super) fn ask(&self, request: &Request, entities: &Entities) -> Outcome {
        let response = Authorizer::new().is_authorized(request, &self.0, entities);
        let diagnostics = response.diagnostics();
        let number = |id: &cedar_policy::PolicyId| AsRef::<str>::as_ref(id).parse().ok();
        Outcome {
            hold: diagnostics.reason().filter_map(number).collect(),
            err: diagnostics
                .errors()
                .filter_map(|AuthorizationError::PolicyEvaluationError(error)| {
                    number(error.policy_id())
                })
                .collect(),
        }
    }
}

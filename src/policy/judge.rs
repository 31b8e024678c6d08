//! Deciding: may this one do that, and by which policies?

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use cedar_policy::{
    AuthorizationError, Authorizer, Context, Decision as Said, Entities, EntityUid, Policy,
    PolicySet, PrincipalConstraint, Request,
};

use super::rules::{self, Rules};
use super::world::{Refused, Uid, World};
use crate::model::action::Action;

/// Answers questions about one world by one set of rules.
///
/// The entities are made once. Cedar evaluates every policy that it is handed, so it is handed only
/// those whose scope admits the action, and of those that are for a role's holders only those for
/// the roles that the principal holds: the others could decide nothing.
pub struct Judge<'a> {
    pub rules: &'a Rules,
    entities: Entities,
    about: BTreeMap<EntityUid, About>,
    authorizer: Authorizer,
}

/// The policies that speak of one action.
#[derive(Default)]
struct About {
    /// Those for anybody.
    anybody: Vec<Policy>,
    /// Those for the holders of a role.
    holders: BTreeMap<EntityUid, Vec<Policy>>,
    /// What holders of the same roles are judged by.
    sets: RefCell<BTreeMap<Vec<EntityUid>, Rc<PolicySet>>>,
}

impl About {
    fn of(rules: &Rules, action: &EntityUid) -> Self {
        let mut about = Self::default();
        for rule in rules.iter().filter(|rule| rule.is_about(action)) {
            let policy = rule.policy.clone();
            match policy.principal_constraint() {
                PrincipalConstraint::In(role) | PrincipalConstraint::IsIn(_, role)
                    if role.type_name().basename() == "Role" =>
                {
                    about.holders.entry(role).or_default().push(policy);
                }
                _ => about.anybody.push(policy),
            }
        }
        about
    }

    /// The policies that could speak of a principal.
    fn set(&self, principal: &EntityUid, entities: &Entities) -> Rc<PolicySet> {
        let held = entities.ancestors(principal).into_iter().flatten();
        let mut roles: Vec<EntityUid> = held
            // A role is in itself.
            .chain([principal])
            .filter(|role| self.holders.contains_key(*role))
            .cloned()
            .collect();
        roles.sort_unstable();
        if let Some(set) = self.sets.borrow().get(&roles) {
            return Rc::clone(set);
        }
        let theirs = roles.iter().filter_map(|role| self.holders.get(role)).flatten();
        let set = Rc::new(rules::set(self.anybody.iter().chain(theirs)));
        self.sets.borrow_mut().insert(roles, Rc::clone(&set));
        set
    }
}

impl std::fmt::Debug for Judge<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Judge").field("rules", &self.rules.iter().count()).finish_non_exhaustive()
    }
}

/// What was decided, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decision {
    pub allowed: bool,
    /// The ids of the policies that decided; none for a denial by default.
    pub by: Vec<String>,
    /// Policies that could not be evaluated: id, and what Cedar says.
    pub failed: Vec<(String, String)>,
}

impl<'a> Judge<'a> {
    /// For many questions about anybody.
    pub fn new(rules: &'a Rules, world: &World) -> Result<Self, Refused> {
        Ok(Self::with(rules, world.entities()?, rules::actions()))
    }

    /// For a few questions, about these alone.
    pub fn about(
        rules: &'a Rules,
        world: &World,
        uids: impl IntoIterator<Item = Uid>,
    ) -> Result<Self, Refused> {
        Ok(Self::with(rules, world.entities_around(uids)?, rules::actions()))
    }

    /// For questions about the estate itself, which are no actions of people's.
    pub(crate) fn asking(
        rules: &'a Rules,
        entities: Entities,
        actions: impl IntoIterator<Item = EntityUid>,
    ) -> Self {
        Self::with(rules, entities, actions)
    }

    fn with(
        rules: &'a Rules,
        entities: Entities,
        actions: impl IntoIterator<Item = EntityUid>,
    ) -> Self {
        let about = actions.into_iter().map(|action| (action.clone(), About::of(rules, &action)));
        let about = about.collect();
        Self { rules, entities, about, authorizer: Authorizer::new() }
    }

    pub(crate) fn entities(&self) -> &Entities {
        &self.entities
    }

    /// May `who` do this to `what`?
    pub fn decide(&self, who: &Uid, action: Action, what: &Uid) -> Decision {
        self.decide_in(who.cedar(), action.cedar(), what.cedar(), Context::empty())
    }

    /// The same, in Cedar's words.
    pub(crate) fn decide_in(
        &self,
        principal: EntityUid,
        action: EntityUid,
        resource: EntityUid,
        context: Context,
    ) -> Decision {
        let Some(about) = self.about.get(&action) else { return Decision::default() };
        let policies = about.set(&principal, &self.entities);
        // Without a schema nothing is checked, so nothing is refused.
        let Ok(request) = Request::new(principal, action, resource, context, None) else {
            return Decision::default();
        };
        let response = self.authorizer.is_authorized(&request, &policies, &self.entities);
        let mut by: Vec<String> =
            response.diagnostics().reason().map(ToString::to_string).collect();
        by.sort_unstable();
        let mut failed: Vec<(String, String)> = response
            .diagnostics()
            .errors()
            .map(|AuthorizationError::PolicyEvaluationError(error)| {
                (error.policy_id().to_string(), error.to_string())
            })
            .collect();
        failed.sort_unstable();
        Decision { allowed: response.decision() == Said::Allow, by, failed }
    }
}

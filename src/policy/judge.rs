//! Deciding: may this one do that, and by which policies?
//!
//! Cedar's authorizer decides, but for two things. A forbid that only advises is no prohibition: it
//! is asked apart, and told. And a forbid that cannot be evaluated forbids: Cedar would take it for
//! one that does not apply, and whoever wrote it meant to stop something.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use cedar_policy::{
    AuthorizationError, Authorizer, Context, Decision as Said, Effect, Entities, EntityUid, Policy,
    PolicyId, PolicySet, PrincipalConstraint, Request, Response,
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
    /// Those that only advise against something.
    advice: PolicySet,
    /// What holders of the same roles are judged by.
    sets: RefCell<BTreeMap<Vec<EntityUid>, Rc<PolicySet>>>,
}

impl About {
    fn of(rules: &Rules, action: &EntityUid) -> Self {
        let those = || rules.iter().filter(|rule| rule.is_about(action));
        let advice = those().filter(|rule| rule.only_advises()).map(|rule| &rule.policy);
        let mut about = Self { advice: rules::set(advice), ..Self::default() };
        for rule in those().filter(|rule| !rule.only_advises()) {
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
    /// The ids of those that advise against it, and decide nothing.
    pub advice: Vec<String>,
}

impl Decision {
    /// What Cedar says of a policy that could not be evaluated.
    pub fn failure(&self, id: &str) -> Option<&str> {
        self.failed.iter().find(|(failed, _)| failed == id).map(|(_, said)| said.as_str())
    }
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
        Ok(Self::with(rules, world.entities_around(uids, &rules.named())?, rules::actions()))
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
        let Ruling { allowed, by } = Ruling::of(&response, &policies, Failing::Forbids);
        let mut decision = Decision {
            allowed,
            by: by.iter().map(ToString::to_string).collect(),
            failed: failures(&response),
            advice: Vec::new(),
        };
        if !about.advice.is_empty() {
            let advice = self.authorizer.is_authorized(&request, &about.advice, &self.entities);
            decision.advice = reasons(&advice);
            decision.failed.extend(failures(&advice));
            decision.failed.sort_unstable();
        }
        decision
    }
}

/// What becomes of a forbid that cannot be evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failing<'a> {
    /// It forbids: whoever wrote it meant to stop something.
    Forbids,
    /// For Cedar it does not apply, and so it is for whoever relies on nothing doubtful; but for this one.
    ForbidsIf(&'a PolicyId),
}

impl Failing<'_> {
    /// Whether a policy forbids where it errs.
    pub(super) fn forbids(self, policy: &Policy) -> bool {
        policy.effect() == Effect::Forbid
            && match self {
                Self::Forbids => true,
                Self::ForbidsIf(id) => policy.id() == id,
            }
    }
}

/// What policies decide: Cedar's word, but for forbids that cannot be evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ruling {
    pub(super) allowed: bool,
    /// Those that decided; none for a denial by default.
    pub(super) by: BTreeSet<PolicyId>,
}

impl Ruling {
    pub(super) fn on(
        request: &Request,
        policies: &PolicySet,
        entities: &Entities,
        failing: Failing<'_>,
    ) -> Self {
        let response = Authorizer::new().is_authorized(request, policies, entities);
        Self::of(&response, policies, failing)
    }

    fn of(response: &Response, policies: &PolicySet, failing: Failing<'_>) -> Self {
        let allowed = response.decision() == Said::Allow;
        let by: BTreeSet<PolicyId> = response.diagnostics().reason().cloned().collect();
        if !allowed {
            return Self { allowed, by };
        }
        let errors = response.diagnostics().errors();
        let errors = errors.map(|AuthorizationError::PolicyEvaluationError(one)| one.policy_id());
        let forbids = |id: &&PolicyId| policies.policy(id).is_some_and(|one| failing.forbids(one));
        let failed: BTreeSet<PolicyId> = errors.filter(forbids).cloned().collect();
        if failed.is_empty() { Self { allowed, by } } else { Self { allowed: false, by: failed } }
    }
}

fn reasons(response: &Response) -> Vec<String> {
    let mut ids: Vec<String> = response.diagnostics().reason().map(ToString::to_string).collect();
    ids.sort_unstable();
    ids
}

fn failures(response: &Response) -> Vec<(String, String)> {
    let errors = response.diagnostics().errors();
    let mut failed: Vec<(String, String)> = errors
        .map(|AuthorizationError::PolicyEvaluationError(error)| {
            (error.policy_id().to_string(), error.to_string())
        })
        .collect();
    failed.sort_unstable();
    failed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::{role_table, role_table_with as rules};
    use crate::policy::world::Type;

    #[test]
    fn whoever_is_asked_about_alone_gets_the_answer_of_all() {
        let loaded = role_table();
        let mut users = loaded.estate.users.keys().map(|key| key.as_str().to_owned());
        let mut customers = loaded.estate.customers.keys().map(|key| key.as_str().to_owned());
        let (user, customer) = (users.next_back().unwrap(), customers.next_back().unwrap());
        let (rules, world) = rules(&format!(
            r#"
@id("own.named") @reason("")
forbid (principal, action in Action::"customer-data", resource)
when {{ User::"{user}".enabled && Customer::"{customer}".relationship == "reseller" }};
@id("own.holder")
permit (principal, action == Action::"manage-billing", resource)
when {{ User::"{user}" in Role::"admin-agent" || User::"{user}" in Role::"default-user" }};
@id("own.advice") @level("advisory")
forbid (principal, action in Action::"support", resource) when {{ User::"{user}".enabled }};
"#
        ));
        let all = Judge::new(&rules, &world).unwrap();
        let of = |ty: Type| world.of(ty).iter().map(move |(name, _)| Uid::new(ty, name.clone()));
        let (mut forbidden, mut advised) = (0, 0);
        for who in of(Type::User) {
            for what in of(Type::Customer).take(3).chain(of(Type::Account)) {
                let few = Judge::about(&rules, &world, [who.clone(), what.clone()]).unwrap();
                for action in Action::ALL {
                    let decision = few.decide(&who, *action, &what);
                    assert_eq!(decision, all.decide(&who, *action, &what), "{who} {action} {what}");
                    assert_eq!(decision.failed, []);
                    forbidden += usize::from(decision.by.iter().any(|id| id == "own.named"));
                    advised += usize::from(decision.allowed && !decision.advice.is_empty());
                }
            }
        }
        assert!(forbidden > 0 && advised > 0, "{forbidden} {advised}");
    }

    #[test]
    fn a_forbid_that_cannot_be_evaluated_forbids_and_a_permit_permits_nothing() {
        let (rules, world) = rules(
            r#"
@id("own.forbid")
forbid (principal, action == Action::"view-own-profile", resource)
when { User::"nobody".enabled };
@id("own.permit")
permit (principal, action == Action::"order-on-behalf", resource)
when { User::"nobody".enabled };
@id("own.advice") @level("advisory")
forbid (principal, action == Action::"view-partner-profile", resource)
when { User::"nobody".enabled };
"#,
        );
        let judge = Judge::new(&rules, &world).unwrap();
        let account = Uid::new(Type::Account, world.of(Type::Account)[0].0.clone());
        let (mut seen, mut passed) = (0, 0);
        for (name, _) in world.of(Type::User) {
            let who = Uid::new(Type::User, name.clone());
            let decision = judge.decide(&who, Action::ViewOwnProfile, &account);
            assert!(!decision.allowed);
            if decision.by == ["own.forbid"] {
                seen += 1;
                assert!(decision.failure("own.forbid").is_some_and(|said| said.contains("nobody")));
            }
            let decision = judge.decide(&who, Action::ViewPartnerProfile, &account);
            passed += usize::from(decision.allowed);
            assert!(!decision.by.iter().any(|id| id == "own.advice"));
        }
        assert!(seen > 0 && passed > 0, "{seen} {passed}");
    }
}

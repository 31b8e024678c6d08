//! Who may call what: with or without a user, and what that user must be.

use crate::emulator::caller::{Caller, Who};
use crate::emulator::directory::{
    ADMIN_AGENTS, BILLING_ADMINISTRATOR, HELPDESK_AGENTS, SALES_AGENTS, Standing,
    USER_ADMINISTRATOR,
};
use crate::emulator::error::CenterError;
use crate::emulator::store::Read;

/// What an operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Need {
    /// Whether an application may call for itself.
    app: bool,
    holders: Holders,
}

/// Which users an operation is for. Global administrators may do everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holders {
    /// Of any agent group.
    Agents,
    AdminAgents,
    /// Who asks customers for a relationship.
    Sellers,
    /// Who helps customers with their requests.
    Supporters,
    /// Who assigns roles.
    UserAdmins,
    /// Who sees our own profiles.
    Anybody,
    GlobalAdmins,
}

const fn need(app: bool, holders: Holders) -> Need {
    Need { app, holders }
}

pub(super) const SEE_CUSTOMERS: Need = need(true, Holders::Agents);
pub(super) const SEE_CUSTOMERS_AS_USER: Need = need(false, Holders::Agents);
pub(super) const CREATE_CUSTOMER: Need = need(true, Holders::AdminAgents);
pub(super) const CHANGE_CUSTOMER: Need = need(true, Holders::AdminAgents);
pub(super) const CHANGE_CUSTOMER_AS_USER: Need = need(false, Holders::AdminAgents);
pub(super) const ASK_CUSTOMERS: Need = need(false, Holders::Sellers);
pub(super) const SUPPORT_CUSTOMERS: Need = need(false, Holders::Supporters);
pub(super) const SEE_PARTNERS: Need = need(false, Holders::Anybody);
pub(super) const SEE_PROFILES: Need = need(false, Holders::Anybody);
pub(super) const SEE_LEGAL_PROFILE: Need = need(true, Holders::Anybody);
pub(super) const CHANGE_PROFILES: Need = need(false, Holders::GlobalAdmins);
pub(super) const ASSIGN_ROLES: Need = need(false, Holders::UserAdmins);
pub(super) const SEE_RECORDS: Need = need(true, Holders::Agents);
pub(super) const LOOK_UP: Need = need(true, Holders::Anybody);

/// Refuses who may not.
pub(super) fn check(tx: &Read<'_>, caller: &Caller, need: Need) -> Result<(), CenterError> {
    let Who::User { id, .. } = &caller.who else {
        return if need.app { Ok(()) } else { Err(CenterError::app_only()) };
    };
    let standing = Standing::of(tx, id)?;
    if is_enough(&standing, need.holders) { Ok(()) } else { Err(CenterError::role_lacks_rights()) }
}

fn is_enough(standing: &Standing, holders: Holders) -> bool {
    if standing.is_global_admin() {
        return true;
    }
    let agent = |group| standing.is_agent(group);
    let admin = |role: &str| standing.directory_roles.contains(role);
    match holders {
        Holders::Agents => standing.is_any_agent(),
        Holders::AdminAgents => agent(ADMIN_AGENTS),
        Holders::Sellers => agent(ADMIN_AGENTS) || agent(SALES_AGENTS),
        Holders::Supporters => agent(ADMIN_AGENTS) || agent(HELPDESK_AGENTS),
        Holders::UserAdmins => admin(USER_ADMINISTRATOR),
        Holders::Anybody => {
            agent(ADMIN_AGENTS)
                || agent(SALES_AGENTS)
                || admin(USER_ADMINISTRATOR)
                || admin(BILLING_ADMINISTRATOR)
        }
        Holders::GlobalAdmins => false,
    }
}

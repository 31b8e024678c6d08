//! Someone who works here, or who was invited, and what they hold.

use super::Str;
use super::choice::choices;
use super::contact::{Email, Phone, SignInName};
use super::country::{CountryCode, Language};
use super::name::RoleKey;
use super::role::AccountRole;
use super::text::Title;

choices! {
    /// An agent level: membership of one of the three agent groups.
    "an agent level"
    pub enum AgentLevel {
        /// Manages customers, orders, delegated access.
        Admin = "admin",
        /// Searches and supports customers.
        Helpdesk = "helpdesk",
        /// Requests relationships and manages leads; indirect providers alone have it.
        Sales = "sales",
    }
}

choices! {
    /// An admin level: a directory role of our tenant.
    "an admin level"
    pub enum AdminLevel {
        /// Everything, accepting partnerships included.
        Global = "global",
        /// Creates and manages users.
        UserManagement = "user-management",
        /// Billing, invoices, reconciliation.
        Billing = "billing",
    }
}

choices! {
    /// How an admin level is held.
    "a way to hold an admin level"
    pub enum Holding {
        /// Always.
        Active = "active",
        /// Activated when needed, through privileged identity management.
        Eligible = "eligible",
    }
}

choices! {
    /// Whether the directory counts someone as one of ours.
    "a user type"
    pub enum UserType {
        /// One of ours.
        Member = "member",
        /// Invited from another directory.
        Guest = "guest",
    }
}

/// The `spec` of a User.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    pub display_name: Title,
    pub email: Email,
    /// Unless given, the e-mail address.
    pub sign_in_name: Option<SignInName>,
    /// Empty: none, explicitly.
    pub agent: Vec<AgentLevel>,
    /// Empty: none, explicitly.
    pub admin: Vec<(AdminLevel, Holding)>,
    pub roles: Option<Vec<RoleGrant>>,
    pub enabled: bool,
    pub usage_location: Option<CountryCode>,
    pub user_type: Option<UserType>,
    pub given_name: Option<Title>,
    pub surname: Option<Title>,
    pub job_title: Option<Title>,
    pub department: Option<Title>,
    pub mobile_phone: Option<Phone>,
    pub preferred_language: Option<Language>,
}

/// A role in a user's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleGrant {
    /// A Role document.
    Custom(RoleKey),
    /// A role that Partner Center keeps, for the organization or for locations.
    Account { role: AccountRole, locations: Vec<Title> },
    /// A role of that form that the reference does not know: Microsoft adds roles.
    Unrecognised { role: Str, locations: Vec<Title> },
}

impl User {
    /// The name that they sign in with.
    pub fn signs_in_as(&self) -> &str {
        self.sign_in_name.as_ref().map_or(self.email.as_str(), SignInName::as_str)
    }

    pub fn is_guest(&self) -> bool {
        self.user_type == Some(UserType::Guest)
            || self.sign_in_name.as_ref().is_some_and(SignInName::is_guest)
    }

    /// Whether an admin level is held for good, as guards count it.
    pub fn holds_permanently(&self, level: AdminLevel) -> bool {
        self.admin.contains(&(level, Holding::Active))
    }
}

//! Roles: the built-in ones, and those that an estate makes.

use super::Str;
use super::action::Action;
use super::choice::choices;
use super::id::GroupId;
use super::label::Selector;
use super::name::RoleKey;
use super::scalar::{Fault, Grammar, Malformed, Scalar, within};
use super::text::{Remark, Title};

choices! {
    /// Whether undeclared members of a group stay.
    "a kind of membership"
    pub enum Membership {
        /// Undeclared members are left alone and reported.
        Additive = "additive",
        /// Undeclared members are removed.
        Exclusive = "exclusive",
    }
}

choices! {
    /// A role that Partner Center keeps itself, outside the directory.
    "an account role"
    pub enum AccountRole {
        /// Locations, programs, profiles; assigns account roles.
        AccountAdmin = "account-admin",
        /// Membership, benefits, partner service requests.
        MpnPartnerAdmin = "mpn-partner-admin",
        /// Business profiles.
        BusinessProfileAdmin = "business-profile-admin",
        /// All referrals, leads and co-sell opportunities.
        ReferralsAdmin = "referrals-admin",
        /// Referrals of one's own team.
        ReferralsUser = "referrals-user",
        /// Incentives, bank and tax details, earnings.
        IncentivesAdmin = "incentives-admin",
        /// Incentive programs, claims and earnings, to see.
        IncentivesUser = "incentives-user",
        /// Co-sell solutions.
        CosellSolutionAdmin = "cosell-solution-admin",
        /// All datasets in Insights.
        ExecutiveReportViewer = "executive-report-viewer",
        /// Insights without revenue and personal data.
        ReportViewer = "report-viewer",
        /// Account verification and the legal profile; a global admin alone assigns it.
        ComplianceAdmin = "compliance-admin",
    }
}

impl AccountRole {
    /// Whether the documents say that a guest may hold it.
    pub const fn is_for_guests(self) -> bool {
        matches!(self, Self::MpnPartnerAdmin | Self::BusinessProfileAdmin | Self::ReferralsAdmin)
    }
}

/// Built-in roles that are chosen by level, and the role that everybody has.
pub const LEVEL_ROLES: [(&str, &str); 7] = [
    ("admin-agent", "agent: admin"),
    ("helpdesk-agent", "agent: helpdesk"),
    ("sales-agent", "agent: sales"),
    ("global-admin", "admin: global"),
    ("user-management-admin", "admin: user-management"),
    ("billing-admin", "admin: billing"),
    ("default-user", ""),
];

/// Roles of the marketplace, which no API assigns.
pub const MARKETPLACE_ROLES: [&str; 6] =
    ["owner", "manager", "developer", "business-contributor", "financial-contributor", "marketer"];

/// Whether a key belongs to a built-in role, so that no document may have it.
pub fn is_built_in(key: &str) -> bool {
    LEVEL_ROLES.iter().any(|(role, _)| *role == key)
        || AccountRole::ALL.iter().any(|role| role.word() == key)
        || MARKETPLACE_ROLES.contains(&key)
        || key == "guest-user"
}

/// All keys of built-in roles.
pub fn built_in() -> impl Iterator<Item = &'static str> {
    LEVEL_ROLES
        .iter()
        .map(|(role, _)| *role)
        .chain(AccountRole::ALL.iter().map(|role| role.word()))
        .chain(MARKETPLACE_ROLES)
        .chain(["guest-user"])
}

/// The groups behind the agent levels: nobody's custom role.
pub const AGENT_GROUPS: [&str; 3] = ["AdminAgents", "HelpdeskAgents", "SalesAgents"];

/// The `spec` of a Role.
#[derive(Debug, Clone, PartialEq)]
pub struct Role {
    pub description: Option<Remark>,
    pub group: Option<Group>,
    pub membership: Membership,
    /// Permissions of these roles too; groups are never nested by us.
    pub includes: Vec<RoleKey>,
    pub permissions: Vec<Permission>,
}

/// The security group that carries a role.
#[derive(Debug, Clone, PartialEq)]
pub enum Group {
    Named { name: Title, mail_nickname: Option<MailNickname> },
    Existing(GroupId),
}

/// What a role may do, and on which customers.
#[derive(Debug, Clone, PartialEq)]
pub struct Permission {
    pub allow: Vec<Action>,
    /// Absent: wherever the action makes sense.
    pub customers: Option<Selector>,
}

/// The alias of a group: also the marker by which a group of unknown fate is found again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailNickname(Str);

impl MailNickname {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Scalar for MailNickname {
    const WHAT: &'static str = "a mail nickname";
    const GRAMMAR: Grammar =
        Grammar::Pattern { pattern: "^[A-Za-z0-9!#$%&'*+/=?^_{|}~.-]{1,64}$", length_max: 64 };
    const EXAMPLES: &'static [&'static str] = &["tier2-support"];

    fn parse(text: &str) -> Result<Self, Malformed> {
        within(text, 64)?;
        if text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_{|}~.-".contains(&b)) {
            Ok(Self(text.into()))
        } else {
            Err(Malformed::because(
                Fault::Form,
                "letters, digits and punctuation without spaces, `@` and quotes",
            ))
        }
    }
}

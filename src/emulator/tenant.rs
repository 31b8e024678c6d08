//! The partner's tenant itself: who it is, how it misbehaves, and how it begins.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::center;
use super::directory::{
    ADMIN_AGENTS, GLOBAL_ADMINISTRATOR, Group, HELPDESK_AGENTS, Member, RoleAssignment,
    SALES_AGENTS, ServicePrincipal, Sort, User,
};
use super::identity::registration::Registration;
use super::identity::session::Session;
use super::store::{Document, Read, Scan, StoreError, Write};

/// The user whom the embedded tenant is worked on as.
pub(crate) const EMBEDDED_ADMIN: &str = "embedded-admin";

/// The partner's tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tenant {
    pub id: String,
    pub company_name: String,
    /// The first one is the one it began with.
    pub domains: Vec<String>,
    pub program: Program,
    pub country: String,
    pub mpn_id: String,
}

/// How it takes part in the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Program {
    DirectBill,
    IndirectProvider,
    IndirectReseller,
}

/// Documented behaviour that is not the same everywhere, and can be switched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Quirks {
    /// Bodies of Partner Center begin with a byte-order mark.
    pub bom: bool,
    /// How Partner Center writes error codes.
    pub codes: Codes,
    /// `links.*.uri` begin with `/v1`.
    pub links_with_version: bool,
    /// Members of Partner Center's roles cannot be removed.
    pub role_member_delete_fails: bool,
    /// Answers of Partner Center carry another request id than the request.
    pub other_request_id: bool,
    /// It is an integration sandbox.
    pub sandbox: bool,
    /// Seconds that every read lags behind what was written.
    pub lag_seconds: u32,
    /// Seconds that each step of a relationship's life takes.
    pub step_seconds: u32,
    /// Requests about customers that a minute allows; 0 is no limit.
    pub customer_requests_per_minute: u32,
    /// The most that a page of a list holds, whatever was asked for; 0 is as usual.
    pub page_items_max: u32,
}

/// How Partner Center writes error codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Codes {
    /// Each as it was seen.
    #[default]
    AsSeen,
    Numbers,
    Strings,
}

const TENANT: &str = "tenant";
const QUIRKS: &str = "quirks";
const BEGUN: &str = "begun";

/// The write that the tenant began with: changes are told from there on.
pub(crate) fn begun(tx: &Read<'_>) -> Result<i64, StoreError> {
    Ok(tx.setting(BEGUN)?.unwrap_or_default())
}

impl Tenant {
    pub(crate) fn of(tx: &Read<'_>) -> Result<Self, StoreError> {
        tx.setting(TENANT)?.ok_or_else(|| StoreError::Missing("tenant"))
    }

    pub(crate) fn keep(&self, tx: &Write<'_>) -> Result<(), StoreError> {
        tx.set(TENANT, self)
    }

    /// The domain it began with.
    pub(crate) fn domain(&self) -> &str {
        self.domains.first().map_or("", String::as_str)
    }

    /// Whether a name in an address is this tenant's: its id or one of its domains.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.id.eq_ignore_ascii_case(name)
            || self.domains.iter().any(|domain| domain.eq_ignore_ascii_case(name))
    }
}

impl Quirks {
    /// A size of a page, cut to the most there is.
    pub(crate) fn page(&self, asked: usize) -> usize {
        let max = usize::try_from(self.page_items_max).unwrap_or(usize::MAX);
        if max == 0 { asked } else { asked.min(max) }
    }

    /// How long each step of something's life takes.
    pub(crate) fn step(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.step_seconds))
    }

    pub(crate) fn of(tx: &Read<'_>) -> Result<Self, StoreError> {
        Ok(tx.setting(QUIRKS)?.unwrap_or_default())
    }

    pub(crate) fn keep(&self, tx: &Write<'_>) -> Result<(), StoreError> {
        tx.set(QUIRKS, self)
    }
}

/// Makes a tenant where there is none.
pub(crate) fn prepare(tx: &Write<'_>, seed: u64) -> Result<(), StoreError> {
    if tx.setting::<Tenant>(TENANT)?.is_some() {
        return Ok(());
    }
    tx.set_seed(seed)?;
    let tenant = Tenant {
        id: tx.new_id()?.to_string(),
        company_name: "Fabrikam".to_owned(),
        domains: vec!["fabrikam.onmicrosoft.com".to_owned(), "fabrikam.example".to_owned()],
        program: Program::IndirectReseller,
        country: "US".to_owned(),
        mpn_id: "4567890".to_owned(),
    };
    begin_again(tx, &tenant)
}

/// A tenant with what every tenant has, and nothing else. Whoever could sign in still can.
pub(crate) fn begin_again(tx: &Write<'_>, tenant: &Tenant) -> Result<(), StoreError> {
    let former =
        tx.scan::<User>(&Scan::prefix("sign-in-name", &format!("{EMBEDDED_ADMIN}@")).limit(1))?;
    let admin_id = match former.items.first() {
        Some(admin) => admin.id.clone(),
        None => tx.new_id()?.to_string(),
    };
    tx.clear(&[Registration::KIND, Session::KIND])?;
    // What is gone leaves no trace in the sequence of writes: nobody can go on from before.
    tx.set(BEGUN, &(tx.last_seq()? + 1))?;
    tenant.keep(tx)?;
    people(tx, tenant, admin_id)?;
    center::begin_roles(tx)?;
    center::begin_profiles(tx, tenant)
}

/// The agent groups, an administrator, and an application to sign in with.
fn people(tx: &Write<'_>, tenant: &Tenant, admin_id: String) -> Result<(), StoreError> {
    let admin_agents = agent_group(tx, ADMIN_AGENTS)?;
    agent_group(tx, HELPDESK_AGENTS)?;
    if tenant.program != Program::IndirectReseller {
        agent_group(tx, SALES_AGENTS)?;
    }
    let admin = User {
        id: admin_id,
        user_principal_name: format!("{EMBEDDED_ADMIN}@{}", tenant.domain()),
        display_name: "Embedded administrator".to_owned(),
        account_enabled: true,
        user_type: "Member".to_owned(),
        other: [
            ("mailNickname", EMBEDDED_ADMIN),
            ("givenName", "Embedded"),
            ("surname", "administrator"),
            ("usageLocation", &tenant.country),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect(),
    };
    tx.put(&admin)?;
    tx.put(&Member::new(&admin_agents, &admin.id, Sort::User))?;
    tx.put(&RoleAssignment {
        id: role_assignment_id(tx)?,
        role_definition_id: GLOBAL_ADMINISTRATOR.to_owned(),
        principal_id: admin.id,
        directory_scope_id: "/".to_owned(),
    })?;
    let known = tx.scan::<Registration>(&Scan::all("client-id").limit(1))?.items.pop();
    let app_id = if let Some(known) = known {
        known.document.client_id
    } else {
        let app_id = tx.new_id()?.to_string();
        tx.put(&Registration::with_secret(&app_id, tx.new_secret(40)?))?;
        app_id
    };
    for (app_id, name, permissions) in [
        (app_id.as_str(), "partner automation", GRAPH_PERMISSIONS),
        (DELEGATED_ADMINISTRATION, "Partner Customer Delegated Administration", &[]),
        (MICROSOFT_GRAPH, "Microsoft Graph", &[]),
    ] {
        tx.put(&ServicePrincipal {
            id: tx.new_id()?.to_string(),
            app_id: app_id.to_owned(),
            display_name: name.to_owned(),
            permissions: permissions.iter().map(|name| (*name).to_owned()).collect(),
            other: Map::new(),
        })?;
    }
    Ok(())
}

/// Without its service principal, applications may not call for delegated access as themselves.
pub(crate) const DELEGATED_ADMINISTRATION: &str = "2832473f-ec63-45fb-976f-5d45a7d4bb91";
pub(crate) const MICROSOFT_GRAPH: &str = "00000003-0000-0000-c000-000000000000";

/// What the application that comes with the tenant may do, for its user and as itself.
pub(crate) const GRAPH_PERMISSIONS: &[&str] = &[
    "Application.Read.All",
    "DelegatedAdminRelationship.Read.All",
    "DelegatedAdminRelationship.ReadWrite.All",
    "Directory.Read.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "GroupMember.Read.All",
    "GroupMember.ReadWrite.All",
    "Organization.Read.All",
    "RoleManagement.Read.Directory",
    "RoleManagement.ReadWrite.Directory",
    "User-PasswordProfile.ReadWrite.All",
    "User.DeleteRestore.All",
    "User.EnableDisableAccount.All",
    "User.Invite.All",
    "User.Read",
    "User.Read.All",
    "User.ReadWrite.All",
];

fn agent_group(tx: &Write<'_>, name: &str) -> Result<String, StoreError> {
    let id = tx.new_id()?.to_string();
    tx.put(&Group {
        id: id.clone(),
        display_name: name.to_owned(),
        mail_nickname: name.to_owned(),
        mail_enabled: false,
        security_enabled: true,
        group_types: Vec::new(),
        other: Map::new(),
    })?;
    Ok(id)
}

/// The id of a role assignment: opaque, as the service's are.
pub(crate) fn role_assignment_id(tx: &Write<'_>) -> Result<String, StoreError> {
    Ok(format!("{}-1", tx.new_secret(43)?))
}

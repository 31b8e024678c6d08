//! Access tokens: what stands in them, and who a token says is calling.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::emulator::caller::{Audience, Caller, Who};
use crate::emulator::directory::{ServicePrincipal, Standing, User};
use crate::emulator::store::{Read, StoreError};
use crate::emulator::tenant::Tenant;
use crate::emulator::world::World;

pub(crate) const PARTNER_CENTER: &str = "https://api.partnercenter.microsoft.com";
pub(crate) const GRAPH: &str = "https://graph.microsoft.com";
/// Seconds that a token is good for.
pub(crate) const LIFETIME_S: i64 = 3600;

/// The claims of an access token, as the services document them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub aud: String,
    pub iss: String,
    pub iat: i64,
    pub nbf: i64,
    pub exp: i64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub acr: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub amr: Vec<String>,
    pub appid: String,
    pub appidacr: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub family_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub given_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ipaddr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    pub oid: String,
    /// Permissions of an application that calls for itself.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub roles: Vec<String>,
    /// Permissions that a user consented to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tenant_region_scope: Option<String>,
    pub tid: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unique_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub upn: Option<String>,
    pub ver: String,
    /// Directory roles of the user, as Graph's tokens have them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub wids: Vec<String>,
}

/// How an application proved itself: what `appidacr` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    None,
    Secret,
    Certificate,
}

impl Proof {
    fn claim(self) -> String {
        match self {
            Self::None => "0",
            Self::Secret => "1",
            Self::Certificate => "2",
        }
        .to_owned()
    }
}

impl Claims {
    fn begin(
        tx: &Read<'_>,
        audience: &str,
        app_id: &str,
        proof: Proof,
    ) -> Result<Self, StoreError> {
        let tenant = Tenant::of(tx)?;
        let now = tx.now().as_second();
        Ok(Self {
            aud: audience.to_owned(),
            iss: format!("https://sts.windows.net/{}/", tenant.id),
            // Clocks differ: the service dates its tokens back.
            iat: now - 300,
            nbf: now - 300,
            exp: now + LIFETIME_S,
            appid: app_id.to_owned(),
            appidacr: proof.claim(),
            tid: tenant.id,
            ver: "1.0".to_owned(),
            ..Self::default()
        })
    }

    /// Of an application that calls for itself.
    pub(crate) fn of_app(
        tx: &Read<'_>,
        audience: &str,
        principal: &ServicePrincipal,
        proof: Proof,
    ) -> Result<Self, StoreError> {
        let roles = if audience == GRAPH { principal.permissions.clone() } else { Vec::new() };
        Ok(Self {
            oid: principal.id.clone(),
            roles,
            ..Self::begin(tx, audience, &principal.app_id, proof)?
        })
    }

    /// Of an application that calls for a user.
    pub(crate) fn of_user(
        tx: &Read<'_>,
        audience: &str,
        app_id: &str,
        proof: Proof,
        user: &User,
        scopes: &[String],
        mfa: bool,
    ) -> Result<Self, StoreError> {
        let property = |name: &str| Some(user.other.get(name)?.as_str()?.to_owned());
        let standing = Standing::of(tx, &user.id)?;
        let wids = if audience == GRAPH {
            standing.directory_roles.into_iter().collect()
        } else {
            Vec::new()
        };
        let mut amr = vec!["pwd".to_owned()];
        if mfa {
            amr.push("mfa".to_owned());
        }
        Ok(Self {
            acr: Some("1".to_owned()),
            amr,
            family_name: property("surname"),
            given_name: property("givenName"),
            ipaddr: Some("127.0.0.1".to_owned()),
            name: Some(user.display_name.clone()),
            oid: user.id.clone(),
            scp: Some(scopes.join(" ")),
            tenant_region_scope: Some("NA".to_owned()),
            unique_name: Some(user.user_principal_name.clone()),
            upn: Some(user.user_principal_name.clone()),
            wids,
            ..Self::begin(tx, audience, app_id, proof)?
        })
    }
}

/// Why a token is not taken.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Not ours, or for neither service.
    Invalid,
    /// Its time is over, or has not come.
    Expired,
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Who a token says is calling.
pub(crate) fn read(world: &World, token: &str, now: Timestamp) -> Result<Caller, Refused> {
    let claims: Claims = world.keys()?.verify(token).ok_or(Refused::Invalid)?;
    let now = now.as_second();
    if now >= claims.exp || now < claims.nbf {
        return Err(Refused::Expired);
    }
    let audience = audience_of(&claims.aud).ok_or(Refused::Invalid)?;
    let who = match claims.scp {
        None => Who::App { id: claims.oid, permissions: claims.roles },
        Some(scopes) => Who::User {
            id: claims.oid,
            sign_in_name: claims.upn.unwrap_or_default(),
            scopes: scopes.split_whitespace().map(str::to_owned).collect(),
            mfa: claims.amr.iter().any(|method| method == "mfa"),
        },
    };
    Ok(Caller { audience, tenant: claims.tid, app_id: claims.appid, who })
}

/// The service that an audience names. Each cloud has its own names; Azure AD Graph is no more.
pub(crate) fn audience_of(name: &str) -> Option<Audience> {
    let name = name.trim_end_matches('/').to_lowercase();
    match name.strip_prefix("https://").unwrap_or(&name) {
        "api.partnercenter.microsoft.com"
        | "partner.partnercenterapi.microsoftonline.cn"
        | "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd" => Some(Audience::PartnerCenter),
        "graph.microsoft.com"
        | "graph.microsoft.us"
        | "dod-graph.microsoft.us"
        | "microsoftgraph.chinacloudapi.cn"
        | "00000003-0000-0000-c000-000000000000" => Some(Audience::Graph),
        _ => None,
    }
}

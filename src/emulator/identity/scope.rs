//! Which service is asked for, and which permissions.

use super::refusal::Refusal;
use super::token::{GRAPH, PARTNER_CENTER, audience_of};
use crate::emulator::caller::Audience;
use crate::emulator::tenant::GRAPH_PERMISSIONS;

/// What a `scope` or `resource` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The audience of the token, as it is written there.
    pub audience: String,
    pub service: Option<Audience>,
    /// Names without the service; `.default` stands for all that was consented to.
    pub names: Vec<String>,
    pub openid: bool,
    pub offline: bool,
}

/// Retired in 2025: tokens for it are still made, and no service takes them.
const AZURE_AD_GRAPH: &str = "https://graph.windows.net";

impl Wanted {
    /// Of a `scope`: the service of the first one counts.
    pub(super) fn by_scope(scope: &str) -> Result<Self, Refusal> {
        let mut wanted = Self {
            audience: String::new(),
            service: None,
            names: Vec::new(),
            openid: false,
            offline: false,
        };
        for scope in scope.split_whitespace() {
            match scope {
                "openid" => wanted.openid = true,
                "offline_access" => wanted.offline = true,
                "profile" | "email" => {}
                _ => {
                    let (audience, name) = split(scope)?;
                    if wanted.audience.is_empty() {
                        wanted.audience = audience;
                    } else if wanted.audience != audience {
                        continue;
                    }
                    wanted.names.push(name.to_owned());
                }
            }
        }
        if wanted.audience.is_empty() {
            // Who only signs in gets a token for Graph, to read itself.
            GRAPH.clone_into(&mut wanted.audience);
            wanted.names.push("User.Read".to_owned());
        }
        wanted.service = audience_of(&wanted.audience);
        Ok(wanted)
    }

    /// Of the older form's `resource`.
    pub(super) fn by_resource(resource: &str) -> Result<Self, Refusal> {
        let (audience, _) = split(&format!("{}/.default", resource.trim_end_matches('/')))?;
        let service = audience_of(&audience);
        Ok(Self {
            audience,
            service,
            names: vec![".default".to_owned()],
            openid: true,
            offline: true,
        })
    }

    /// Whether a `scope` is what an application may ask for on its own: one service, all of it.
    pub(super) fn is_for_app(scope: &str) -> bool {
        let mut scopes = scope.split_whitespace();
        scopes.next().is_some_and(|scope| scope.ends_with("/.default")) && scopes.next().is_none()
    }

    /// The permissions that a user's token gets.
    pub(super) fn granted(&self) -> Result<Vec<String>, Refusal> {
        let consented: &[&str] = match self.service {
            Some(Audience::PartnerCenter) | None => &["user_impersonation"],
            Some(Audience::Graph) => GRAPH_PERMISSIONS,
        };
        if self.names.iter().any(|name| name == ".default") {
            return Ok(consented.iter().map(|name| (*name).to_owned()).collect());
        }
        let mut granted = Vec::new();
        for name in &self.names {
            let known = consented.iter().find(|known| known.eq_ignore_ascii_case(name));
            let Some(known) = known else {
                let message = "The user or administrator has not consented to use the application.";
                return Err(Refusal::invalid_grant(65001, message));
            };
            granted.push((*known).to_owned());
        }
        Ok(granted)
    }

    /// What the answer says was granted.
    pub(super) fn told(&self, granted: &[String]) -> String {
        let names: Vec<String> =
            granted.iter().map(|name| format!("{}/{name}", self.audience)).collect();
        names.join(" ")
    }
}

/// The audience and the name of one scope. A bare name is Graph's.
fn split(scope: &str) -> Result<(String, &str), Refusal> {
    let (resource, name) = match scope.rsplit_once('/') {
        Some((resource, name)) => (resource.trim_end_matches('/'), name),
        None => (GRAPH, scope),
    };
    if name.is_empty() {
        return Err(Refusal::invalid_scope());
    }
    let is_retired = resource.eq_ignore_ascii_case(AZURE_AD_GRAPH);
    let is_shaped = resource.starts_with("https://") || !resource.contains(':');
    let audience = match audience_of(resource) {
        // Each cloud's tokens name that cloud's service.
        Some(_) if resource.starts_with("https://") => resource.to_owned(),
        Some(Audience::PartnerCenter) => PARTNER_CENTER.to_owned(),
        Some(Audience::Graph) => GRAPH.to_owned(),
        None if is_retired => AZURE_AD_GRAPH.to_owned(),
        None if is_shaped && resource.contains('.') => {
            return Err(Refusal::invalid_resource(resource));
        }
        None => return Err(Refusal::invalid_scope()),
    };
    Ok((audience, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_name_a_service_and_permissions() {
        let wanted = Wanted::by_scope(
            "https://api.partnercenter.microsoft.com/user_impersonation openid offline_access",
        )
        .unwrap();
        assert_eq!(wanted.audience, PARTNER_CENTER);
        assert_eq!(wanted.granted().unwrap(), ["user_impersonation"]);
        assert!(wanted.openid && wanted.offline);
        let bare = Wanted::by_scope("user.readwrite.all").unwrap();
        assert_eq!(
            (bare.audience.as_str(), bare.granted().unwrap()),
            (GRAPH, vec!["User.ReadWrite.All".to_owned()])
        );
        assert!(
            Wanted::by_scope("https://graph.microsoft.com/Mail.Send").unwrap().granted().is_err()
        );
        assert!(Wanted::by_scope("https://vault.example/.default").is_err());
        assert!(Wanted::by_scope("http:///x").is_err());
        let retired = Wanted::by_resource("https://graph.windows.net").unwrap();
        assert_eq!(retired.service, None);
    }

    #[test]
    fn an_application_asks_for_all_of_one_service() {
        assert!(Wanted::is_for_app("https://graph.microsoft.com/.default"));
        assert!(!Wanted::is_for_app("https://graph.microsoft.com/User.Read.All"));
        assert!(!Wanted::is_for_app(
            "https://graph.microsoft.com/.default https://api.partnercenter.microsoft.com/.default"
        ));
    }
}

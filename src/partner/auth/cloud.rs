//! Where each cloud's services are, and what their tokens are for.

use crate::model::cloud::Cloud;
use crate::model::project;

use super::super::request::Service;
use super::Error;

/// The addresses of a tenant's services.
///
/// Where a service is and what a token for it says are two things: an emulator's address replaces
/// the first and leaves the second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    pub login: String,
    pub graph: String,
    pub partner_center: String,
    /// Where people approve delegated access.
    pub admin: String,
    pub cloud: Cloud,
}

/// What a cloud has, without a slash at the end.
struct Known {
    login: &'static str,
    graph: &'static str,
    partner_center: &'static str,
    admin: &'static str,
    /// Of workload identity federation.
    exchange: &'static str,
}

const fn known(cloud: Cloud) -> Known {
    const GLOBAL_PARTNER_CENTER: &str = "https://api.partnercenter.microsoft.com";
    match cloud {
        Cloud::Global => Known {
            login: "https://login.microsoftonline.com",
            graph: "https://graph.microsoft.com",
            partner_center: GLOBAL_PARTNER_CENTER,
            admin: "https://admin.microsoft.com",
            exchange: "api://AzureADTokenExchange",
        },
        Cloud::UsGovernment => Known {
            login: "https://login.microsoftonline.us",
            graph: "https://graph.microsoft.us",
            partner_center: GLOBAL_PARTNER_CENTER,
            admin: "https://portal.office365.us",
            exchange: "api://AzureADTokenExchangeUSGov",
        },
        Cloud::UsGovernmentDod => Known {
            login: "https://login.microsoftonline.us",
            graph: "https://dod-graph.microsoft.us",
            partner_center: GLOBAL_PARTNER_CENTER,
            admin: "https://portal.office365.us",
            exchange: "api://AzureADTokenExchangeUSGov",
        },
        Cloud::China => Known {
            login: "https://login.partner.microsoftonline.cn",
            graph: "https://microsoftgraph.chinacloudapi.cn",
            partner_center: "https://partner.partnercenterapi.microsoftonline.cn",
            admin: "https://portal.partner.microsoftonline.cn",
            exchange: "api://AzureADTokenExchangeChina",
        },
    }
}

impl Endpoints {
    /// The cloud's own addresses, but for those that a context replaces.
    ///
    /// Plain `http` is for this machine alone: everything sent there carries a credential.
    pub fn new(cloud: Cloud, replaced: &project::Endpoints) -> Result<Self, Error> {
        let known = known(cloud);
        let chosen = |replaced: Option<&crate::model::contact::Url>, own: &str| {
            let Some(url) = replaced else { return Ok(own.to_owned()) };
            if !url.is_https() && !is_this_machine(&url.host()) {
                return Err(Error::InTheClear { url: url.as_str().to_owned() });
            }
            Ok(url.as_str().trim_end_matches('/').to_owned())
        };
        Ok(Self {
            login: chosen(replaced.login.as_ref(), known.login)?,
            graph: chosen(replaced.graph.as_ref(), known.graph)?,
            partner_center: chosen(replaced.partner_center.as_ref(), known.partner_center)?,
            admin: chosen(replaced.admin.as_ref(), known.admin)?,
            cloud,
        })
    }

    pub fn base(&self, service: Service) -> &str {
        match service {
            Service::PartnerCenter => &self.partner_center,
            Service::Graph => &self.graph,
        }
    }

    /// What a token for a service is made out to.
    pub const fn audience(&self, service: Service) -> &'static str {
        match service {
            Service::PartnerCenter => known(self.cloud).partner_center,
            Service::Graph => known(self.cloud).graph,
        }
    }

    /// What an assertion of another issuer must be made out to.
    pub(super) const fn exchange(&self) -> &'static str {
        known(self.cloud).exchange
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost") || host == "127.0.0.1"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::contact::Url;
    use crate::model::scalar::Scalar;

    #[test]
    fn every_cloud_has_its_own_and_none_asks_the_retired_graph() {
        for cloud in Cloud::ALL {
            let endpoints = Endpoints::new(*cloud, &project::Endpoints::default()).unwrap();
            for address in [
                &endpoints.login,
                &endpoints.graph,
                &endpoints.partner_center,
                &endpoints.admin,
                endpoints.audience(Service::Graph),
                endpoints.audience(Service::PartnerCenter),
            ] as [&str; 6]
            {
                assert!(address.starts_with("https://") && !address.ends_with('/'), "{address}");
                assert!(!address.contains("graph.windows.net"), "{address}");
            }
        }
        let dod = Endpoints::new(Cloud::UsGovernmentDod, &project::Endpoints::default()).unwrap();
        assert_eq!(dod.graph, "https://dod-graph.microsoft.us");
        assert_eq!(dod.partner_center, "https://api.partnercenter.microsoft.com");
    }

    #[test]
    fn credentials_travel_in_the_clear_to_this_machine_alone() {
        let replaced = |url| project::Endpoints {
            login: Some(Url::parse(url).unwrap()),
            ..project::Endpoints::default()
        };
        let endpoints = Endpoints::new(Cloud::Global, &replaced("http://127.0.0.1:8080/")).unwrap();
        assert_eq!(endpoints.login, "http://127.0.0.1:8080");
        assert_eq!(endpoints.audience(Service::Graph), "https://graph.microsoft.com");
        for url in [
            "http://login.evil.example",
            "http://127.0.0.1.evil.example",
            "http://127.0.0.1@evil.example",
        ] {
            assert!(matches!(
                Endpoints::new(Cloud::Global, &replaced(url)),
                Err(Error::InTheClear { .. })
            ));
        }
        assert!(Endpoints::new(Cloud::Global, &replaced("https://login.fabrikam.example")).is_ok());
    }
}

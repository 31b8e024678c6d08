//! Who vouches for a workload: a token of the machine it runs on, instead of a secret.

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use secrecy::SecretString;
use serde::Deserialize;

use super::super::json;
use super::super::request::escaped;
use super::super::transport::Transport;
use super::endpoint::bearer;
use super::{Error, Vault};
use crate::model::project::Federation;
use crate::model::secret::SecretReference;

/// A file that the platform keeps fresh: Kubernetes, and whoever follows its custom.
const FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";
/// Where GitLab is told to put its token (`id_tokens` in the job).
const GITLAB: &str = "GITLAB_OIDC_TOKEN";

/// Asks for a token that says what runs here. It is used once and not kept.
pub(super) async fn token(
    federation: Federation,
    vault: &Vault,
    transport: &dyn Transport,
    audience: &str,
) -> Result<SecretString, Error> {
    if let Some(file) = vault.variable(FILE) {
        return vault.read("federated token", &SecretReference::File(file.into()));
    }
    match federation {
        Federation::Github => github(vault, transport, audience).await,
        Federation::AzureDevops => azure_devops(vault, transport).await,
        Federation::Gitlab => vault.read("federated token", &SecretReference::Env(GITLAB.into())),
    }
}

async fn github(
    vault: &Vault,
    transport: &dyn Transport,
    audience: &str,
) -> Result<SecretString, Error> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(deserialize_with = "json::secret")]
        value: SecretString,
    }
    let missing = "let the job have `permissions: {id-token: write}`";
    let url = variable(vault, "ACTIONS_ID_TOKEN_REQUEST_URL", missing)?;
    let own = SecretString::from(variable(vault, "ACTIONS_ID_TOKEN_REQUEST_TOKEN", missing)?);
    let separator = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{separator}audience={}", escaped(audience));
    ask::<Answer>(transport, Method::GET, &url, &own).await.map(|answer| answer.value)
}

async fn azure_devops(vault: &Vault, transport: &dyn Transport) -> Result<SecretString, Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        #[serde(deserialize_with = "json::secret")]
        oidc_token: SecretString,
    }
    let url = variable(vault, "SYSTEM_OIDCREQUESTURI", "run it in a pipeline")?;
    let own =
        variable(vault, "SYSTEM_ACCESSTOKEN", "map `SYSTEM_ACCESSTOKEN: $(System.AccessToken)`")?;
    let connection = variable(
        vault,
        "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
        "run it in a task that has a service connection",
    )?;
    let url = format!("{url}?api-version=7.1&serviceConnectionId={}", escaped(&connection));
    ask::<Answer>(transport, Method::POST, &url, &SecretString::from(own))
        .await
        .map(|answer| answer.oidc_token)
}

fn variable(vault: &Vault, name: &str, help: &str) -> Result<String, Error> {
    vault.variable(name).ok_or_else(|| Error::Secret {
        what: "federated token",
        place: format!("the environment variable {name}"),
        cause: format!("it is not set: {help}"),
    })
}

async fn ask<T: for<'de> Deserialize<'de>>(
    transport: &dyn Transport,
    method: Method,
    url: &str,
    own: &SecretString,
) -> Result<T, Error> {
    let unreachable = |cause: String| Error::Unreachable { cause };
    let token = bearer(own).ok_or_else(|| unreachable("its own token is malformed".into()))?;
    let request = http::Request::builder()
        .method(method)
        .uri(url)
        .header(header::AUTHORIZATION, token)
        .header(header::ACCEPT, HeaderValue::from_static("application/json"))
        .header(header::CONTENT_LENGTH, 0)
        .body(Bytes::new())
        .map_err(|_| unreachable("the address of the token service is malformed".into()))?;
    let answer = transport.send(request).await.map_err(|lost| unreachable(lost.cause))?;
    if !answer.status().is_success() {
        return Err(unreachable(format!("the token service answers {}", answer.status().as_u16())));
    }
    json::read(answer.body()).map_err(unreachable)
}

//! The project file of a new folder: its manifests, and the context they came from.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::Whence;
use crate::cli::CommandError;
use crate::manifest::emit::{self, Document};
use crate::model::name::{Kind, Name};
use crate::model::project::{Context, Endpoints, Identity, LedgerSource, TenantSource};
use crate::model::scalar::Scalar;
use crate::model::secret::SecretReference;

pub(super) fn text(estate: &str, root: &Path, from: &Whence) -> Result<String, CommandError> {
    let whole = std::path::absolute(root)
        .map_err(|error| CommandError::failed(format!("finding {}", root.display()), error))?;
    let own = whole.file_name().and_then(|name| Name::parse(name.to_str()?).ok());
    let name = own.as_ref().map_or("imported", Name::as_str);
    let mut spec = json!({"manifests": [estate]});
    // Where there are no contexts, the tenant is the embedded one, and beside another project it is
    // another tenant.
    if let (Some(context), TenantSource::Domain(_) | TenantSource::Id(_)) =
        (&from.name, &from.context.tenant)
        && let Some(spec) = spec.as_object_mut()
    {
        let written = written(&from.context, &from.home);
        spec.insert("contexts".to_owned(), json!({context.as_str(): written}));
    }
    Ok(emit::file(&[Document::named(Kind::Project, name, spec)]))
}

fn written(context: &Context, home: &Path) -> Value {
    let Context { tenant, read, write, ledger, actor: _, endpoints, settle } = context;
    let mut written = Map::new();
    let tenant = match tenant {
        TenantSource::Embedded => "embedded".to_owned(),
        TenantSource::Domain(domain) => domain.to_string(),
        TenantSource::Id(id) => id.to_string(),
    };
    written.insert("tenant".to_owned(), tenant.into());
    let mut auth = Map::new();
    for (word, one) in [("read", read), ("write", write)] {
        if let Some(one) = one {
            auth.insert(word.to_owned(), identity(one, home));
        }
    }
    if !auth.is_empty() {
        written.insert("auth".to_owned(), auth.into());
    }
    // A file beside the other project stays its own; a database is the team's.
    if let Some(LedgerSource::Postgres(at)) = ledger {
        written.insert("ledger".to_owned(), json!({"postgres": secret(at, home)}));
    }
    let Endpoints { login, graph, partner_center, admin } = endpoints;
    let endpoints: Map<String, Value> =
        [("login", login), ("graph", graph), ("partnerCenter", partner_center), ("admin", admin)]
            .into_iter()
            .filter_map(|(key, url)| Some((key.to_owned(), url.as_ref()?.as_str().into())))
            .collect();
    if !endpoints.is_empty() {
        written.insert("endpoints".to_owned(), endpoints.into());
    }
    if let Some(settle) = settle {
        written.insert("settle".to_owned(), format!("{}s", settle.seconds).into());
    }
    written.into()
}

fn identity(identity: &Identity, home: &Path) -> Value {
    let Identity { client_id, client_secret, certificate, refresh_token, federated } = identity;
    let mut written = Map::new();
    written.insert("clientId".to_owned(), client_id.to_string().into());
    let secrets = [
        ("clientSecret", client_secret),
        ("certificate", certificate),
        ("refreshToken", refresh_token),
    ];
    for (key, at) in secrets {
        if let Some(at) = at {
            written.insert(key.to_owned(), secret(at, home));
        }
    }
    if let Some(federated) = federated {
        written.insert("federated".to_owned(), federated.word().into());
    }
    written.into()
}

/// Where a secret is. A path that was relative to the other project is whole here.
fn secret(at: &SecretReference, home: &Path) -> Value {
    match at {
        SecretReference::Env(name) => json!({"env": name.as_str()}),
        SecretReference::File(path) => {
            json!({"file": home.join(path.as_str()).display().to_string()})
        }
        SecretReference::Keyring(name) => json!({"keyring": name.as_str()}),
    }
}

//! What a request to the token service says: its form, and who it is for.

use std::collections::BTreeMap;

use axum::Form;
use axum::extract::rejection::FormRejection;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::refusal::Refusal;
use crate::emulator::store::Read;
use crate::emulator::tenant::Tenant;

pub(super) type FormResult = Result<Form<Vec<(String, String)>>, FormRejection>;

/// The form, credentials in the header included.
pub(super) struct Fields(BTreeMap<String, String>);

impl Fields {
    pub(super) fn of(form: FormResult, headers: &HeaderMap) -> Result<Self, Refusal> {
        let Form(pairs) =
            form.map_err(|_| Refusal::invalid_request("The request body must be a form."))?;
        let mut fields: BTreeMap<_, _> = pairs.into_iter().collect();
        if let Some((id, secret)) = basic(headers) {
            fields.entry("client_id".to_owned()).or_insert(id);
            fields.entry("client_secret".to_owned()).or_insert(secret);
        }
        Ok(Self(fields))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    pub(super) fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| {
            Refusal::invalid_request(format!(
                "The request body must contain the following parameter: '{name}'."
            ))
        })
    }
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((unescape(id), unescape(secret)))
}

/// Within the header, both are escaped like a form's.
fn unescape(text: &str) -> String {
    url_decode(text).unwrap_or_else(|| text.to_owned())
}

fn url_decode(text: &str) -> Option<String> {
    let uri: http::Uri = format!("http://form/?v={text}").parse().ok()?;
    let query = axum::extract::Query::<BTreeMap<String, String>>::try_from_uri(&uri).ok()?;
    query.get("v").cloned()
}

/// Whom the address names. `organizations` and `common` are for people who are yet to say who they are.
pub(super) fn tenant(tx: &Read<'_>, name: &str, may_be_any: bool) -> Result<Tenant, Refusal> {
    let tenant = Tenant::of(tx)?;
    let is_any =
        may_be_any && ["common", "organizations"].iter().any(|any| any.eq_ignore_ascii_case(name));
    if is_any || tenant.is_called(name) { Ok(tenant) } else { Err(Refusal::tenant_not_found(name)) }
}

//! Makes one address of the several that clients write for the same thing.
//!
//! Slashes are doubled by one client and left at the end by another. Partner Center does not tell
//! upper from lower case in its paths; nothing that stands in them does.

use axum::extract::Request;
use http::uri::{PathAndQuery, Uri};

use super::origin::{FullPath, Origin};

pub(super) fn tidy(request: Request) -> Request {
    let (mut parts, body) = request.into_parts();
    let origin = Origin::of(&parts);
    parts.extensions.insert(origin);
    let path = tidy_path(parts.uri.path());
    if path != parts.uri.path() {
        let target = match parts.uri.query() {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
        let mut of = parts.uri.clone().into_parts();
        // What was a path is one still: it only got shorter.
        if let Ok(target) = PathAndQuery::try_from(target) {
            of.path_and_query = Some(target);
            parts.uri = Uri::from_parts(of).unwrap_or(parts.uri);
        }
    }
    let path = FullPath(parts.uri.path().to_owned());
    parts.extensions.insert(path);
    Request::from_parts(parts, body)
}

fn tidy_path(path: &str) -> String {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let path = format!("/{}", segments.join("/"));
    let is_folded = segments.first().is_some_and(|first| {
        ["v1", "adminportal"].iter().any(|folded| first.eq_ignore_ascii_case(folded))
    });
    if is_folded { path.to_ascii_lowercase() } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_for_one_thing() {
        for (written, meant) in [
            ("/", "/"),
            ("/v1//Customers/", "/v1/customers"),
            ("/v1.0/users/AdeleV@contoso.example", "/v1.0/users/AdeleV@contoso.example"),
            ("//v1.0//me", "/v1.0/me"),
        ] {
            assert_eq!(tidy_path(written), meant);
        }
    }
}

//! Identities against a login authority that says what it was told to say.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;
use sha2::Digest as _;

use super::*;
use crate::model::id::ApplicationId;
use crate::partner::auth::vault::Environment;
use crate::partner::testing::{self, Asked, clock, endpoints, server};

const CLIENT: &str = "23ec45a3-5127-4185-9eff-c8887839e6ab";

fn identity() -> Identity {
    Identity {
        client_id: ApplicationId(Uuid::try_parse(CLIENT).unwrap()),
        client_secret: None,
        certificate: None,
        refresh_token: None,
        federated: None,
    }
}

fn environment(variables: &'static [(&'static str, &'static str)]) -> Environment {
    Arc::new(move |name| {
        variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    })
}

fn tokens(
    transport: Arc<dyn Transport>,
    identity: Identity,
    folder: &Path,
    environment: Environment,
) -> Tokens {
    let vault = Vault::with_environment(folder, environment);
    let credentials = Credentials::Identity(identity);
    Tokens::new(transport, endpoints(), "fabrikam.onmicrosoft.com", credentials, vault, clock())
}

fn granted(n: usize) -> axum::response::Response {
    testing::json(
        200,
        &json!({"token_type": "Bearer", "expires_in": 3599, "access_token": format!("access-{n}")})
            .to_string(),
    )
}

fn secret_of(access: &Access) -> &str {
    access.secret().expose_secret()
}

#[tokio::test(start_paused = true)]
async fn a_secret_is_exchanged_once_per_audience_until_shortly_before_it_expires() {
    let (transport, log) = server(|_: &Asked, n| granted(n));
    let identity =
        Identity { client_secret: Some(SecretReference::Env("SECRET".into())), ..identity() };
    let folder = tempfile::tempdir().unwrap();
    let tokens =
        tokens(transport, identity, folder.path(), environment(&[("SECRET", "canary&=+ secret")]));
    for _ in 0..3 {
        assert_eq!(secret_of(&tokens.access(Service::Graph).await.unwrap()), "access-0");
        assert_eq!(secret_of(&tokens.access(Service::PartnerCenter).await.unwrap()), "access-1");
    }
    tokio::time::advance(Duration::from_secs(3599 - 61)).await;
    assert_eq!(secret_of(&tokens.access(Service::Graph).await.unwrap()), "access-0");
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(secret_of(&tokens.access(Service::Graph).await.unwrap()), "access-2");
    let asked = &log.all()[0];
    assert_eq!(
        (asked.method.as_str(), asked.host.as_str(), asked.path.as_str()),
        ("POST", "login.microsoftonline.com", "/fabrikam.onmicrosoft.com/oauth2/v2.0/token")
    );
    assert_eq!(asked.header("content-type"), "application/x-www-form-urlencoded");
    let fields = ["client_id", "client_secret", "grant_type", "scope"]
        .map(|name| asked.field(name).unwrap());
    assert_eq!(
        fields,
        [CLIENT, "canary&=+ secret", "client_credentials", "https://graph.microsoft.com/.default"]
    );
    assert_eq!(
        log.all()[1].field("scope").unwrap(),
        "https://api.partnercenter.microsoft.com/.default"
    );
}

#[tokio::test]
async fn many_who_want_a_token_at_once_ask_for_one() {
    let (transport, log) = server(|_: &Asked, n| granted(n));
    let identity =
        Identity { client_secret: Some(SecretReference::Env("SECRET".into())), ..identity() };
    let folder = tempfile::tempdir().unwrap();
    let tokens = tokens(transport, identity, folder.path(), environment(&[("SECRET", "s")]));
    let all = futures_util::future::join_all((0..50).map(|_| tokens.access(Service::Graph))).await;
    assert!(all.iter().all(|access| secret_of(access.as_ref().unwrap()) == "access-0"));
    // All fifty were refused: one renews, the others take what it got.
    let refused = all[0].as_ref().unwrap();
    let renewed =
        futures_util::future::join_all((0..50).map(|_| tokens.renewed(Service::Graph, refused)))
            .await;
    assert!(renewed.iter().all(|access| secret_of(access.as_ref().unwrap()) == "access-1"));
    assert_eq!(log.len(), 2);
}

#[tokio::test]
async fn a_rotated_refresh_token_is_on_disk_before_its_access_token_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("refresh");
    std::fs::write(&path, "refresh-0\n").unwrap();
    let count = Arc::new(AtomicU32::new(0));
    let (counted, at) = (Arc::clone(&count), path.clone());
    let (transport, log) = server(move |asked: &Asked, _| {
        let n = counted.fetch_add(1, Ordering::SeqCst);
        // A strict authority: the token that was rotated away is worth nothing.
        let expected = format!("refresh-{n}");
        if asked.field("refresh_token").as_deref() != Some(&expected) {
            return testing::json(400, r#"{"error":"invalid_grant","error_codes":[70008]}"#);
        }
        assert_eq!(std::fs::read_to_string(&at).unwrap().trim(), expected);
        testing::json(200, &json!({
            "expires_in": "3599", "access_token": format!("access-{n}"), "refresh_token": format!("refresh-{}", n + 1),
        }).to_string())
    });
    let identity = Identity {
        client_secret: Some(SecretReference::Env("SECRET".into())),
        refresh_token: Some(SecretReference::File("refresh".into())),
        ..identity()
    };
    let make = || {
        tokens(
            Arc::clone(&transport),
            identity.clone(),
            folder.path(),
            environment(&[("SECRET", "s")]),
        )
    };
    let first = make();
    first.access(Service::PartnerCenter).await.unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "refresh-1\n");
    first.access(Service::Graph).await.unwrap();
    // Another run begins where this one was killed.
    make().access(Service::Graph).await.unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "refresh-3\n");
    assert_eq!(
        log.all().iter().map(|asked| asked.field("scope").unwrap()).collect::<Vec<_>>(),
        [
            "https://api.partnercenter.microsoft.com/user_impersonation offline_access",
            "https://graph.microsoft.com/.default offline_access",
            "https://graph.microsoft.com/.default offline_access",
        ]
    );
}

#[tokio::test]
async fn what_cannot_be_kept_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("gone");
    std::fs::create_dir(&inner).unwrap();
    std::fs::write(inner.join("refresh"), "refresh-0").unwrap();
    let lost = inner.clone();
    let (transport, _) = server(move |_: &Asked, _| {
        // The disk goes away between the question and its answer.
        std::fs::remove_dir_all(&lost).unwrap();
        testing::json(
            200,
            r#"{"expires_in":3599,"access_token":"canary-access","refresh_token":"canary-refresh"}"#,
        )
    });
    let identity = Identity {
        refresh_token: Some(SecretReference::File("gone/refresh".into())),
        ..identity()
    };
    let tokens = tokens(transport, identity, folder.path(), environment(&[]));
    let error = tokens.access(Service::Graph).await.unwrap_err();
    assert!(matches!(error, Error::NotKept { .. }), "{error:?}");
    assert!(!format!("{error} {error:?} {tokens:?}").contains("canary"));
    assert!(tokens.kept.lock().await.access.is_empty());
}

#[tokio::test]
async fn in_an_environment_the_new_refresh_token_lasts_for_the_run() {
    let (transport, log) = server(|_: &Asked, n| {
        testing::json(
            200,
            &json!({"expires_in": 3599, "access_token": "a", "refresh_token": format!("new-{n}")})
                .to_string(),
        )
    });
    let identity =
        Identity { refresh_token: Some(SecretReference::Env("REFRESH".into())), ..identity() };
    let folder = tempfile::tempdir().unwrap();
    let tokens = tokens(transport, identity, folder.path(), environment(&[("REFRESH", "first")]));
    tokens.access(Service::Graph).await.unwrap();
    tokens.access(Service::PartnerCenter).await.unwrap();
    let sent: Vec<_> =
        log.all().iter().map(|asked| asked.field("refresh_token").unwrap()).collect();
    assert_eq!(sent, ["first", "new-0"]);
}

#[tokio::test]
async fn refusals_say_what_helps_and_never_what_was_sent() {
    let folder = tempfile::tempdir().unwrap();
    for (body, why) in [
        (r#"{"error":"invalid_grant","error_codes":[700082]}"#, Some(SignIn::Expired)),
        (r#"{"error":"invalid_grant","error_codes":[50076]}"#, Some(SignIn::SecondFactor)),
        (r#"{"error":"interaction_required"}"#, Some(SignIn::SecondFactor)),
        (r#"{"error":"invalid_grant","error_codes":[65001]}"#, Some(SignIn::Consent)),
        (r#"{"error":"invalid_grant","error_codes":[53003]}"#, Some(SignIn::Policy)),
        (
            r#"{"error":"invalid_client","error_description":"AADSTS7000215: canary-secret is wrong.\r\nTrace ID: 1","error_codes":[7000215],"trace_id":"t-1"}"#,
            None,
        ),
        ("<html>canary-secret</html>", None),
    ] {
        let (transport, _) = server(move |_: &Asked, _| testing::json(400, body));
        let identity =
            Identity { client_secret: Some(SecretReference::Env("SECRET".into())), ..identity() };
        let tokens =
            tokens(transport, identity, folder.path(), environment(&[("SECRET", "canary-secret")]));
        let error = tokens.access(Service::Graph).await.unwrap_err();
        match (&error, why) {
            (Error::SignInNeeded { why: found, .. }, Some(why)) => assert_eq!(*found, why),
            (Error::Refused(_), None) => {}
            other => panic!("{other:?}"),
        }
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}

#[tokio::test]
async fn a_certificate_signs_what_its_public_key_verifies() {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let certificate = rcgen::CertificateParams::new(vec![]).unwrap().self_signed(&key).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("app.pem"), key.serialize_pem() + &certificate.pem())
        .unwrap();
    let (transport, log) = server(|_: &Asked, n| granted(n));
    let identity =
        Identity { certificate: Some(SecretReference::File("app.pem".into())), ..identity() };
    tokens(transport, identity, folder.path(), environment(&[]))
        .access(Service::Graph)
        .await
        .unwrap();
    let asked = &log.all()[0];
    assert_eq!(asked.field("client_assertion_type").unwrap(), ASSERTION_TYPE);
    let assertion = asked.field("client_assertion").unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::PS256);
    validation.set_audience(&[
        "https://login.microsoftonline.com/fabrikam.onmicrosoft.com/oauth2/v2.0/token",
    ]);
    validation.validate_exp = false;
    let public = jsonwebtoken::DecodingKey::from_rsa_der(key.public_key_raw());
    let read = jsonwebtoken::decode::<serde_json::Value>(&assertion, &public, &validation).unwrap();
    assert_eq!(read.claims["iss"], CLIENT);
    assert_eq!(read.claims["sub"], CLIENT);
    assert_eq!(read.claims["iat"], 1_767_924_132);
    assert_eq!(read.claims["exp"], 1_767_924_132 + 600);
    let thumbprint = URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(certificate.der()));
    assert_eq!(read.header.x5t_s256, Some(thumbprint));
}

#[tokio::test]
async fn workloads_are_vouched_for_by_where_they_run() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "from-file\n").unwrap();
    let cases: [(Federation, Environment, &str, Option<&str>); 4] = [
        (
            Federation::Github,
            environment(&[
                ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://github.example/token?x=1"),
                ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "own"),
            ]),
            "from-github",
            Some("GET /token?x=1&audience=api%3A%2F%2FAzureADTokenExchange Bearer own"),
        ),
        (
            Federation::AzureDevops,
            environment(&[
                ("SYSTEM_OIDCREQUESTURI", "https://devops.example/oidc"),
                ("SYSTEM_ACCESSTOKEN", "own"),
                ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "c-1"),
            ]),
            "from-devops",
            Some("POST /oidc?api-version=7.1&serviceConnectionId=c-1 Bearer own"),
        ),
        (
            Federation::Gitlab,
            environment(&[("GITLAB_OIDC_TOKEN", "from-gitlab")]),
            "from-gitlab",
            None,
        ),
        (
            Federation::Github,
            environment(&[("AZURE_FEDERATED_TOKEN_FILE", "token")]),
            "from-file",
            None,
        ),
    ];
    for (federation, environment, assertion, request) in cases {
        let (transport, log) = server(|asked: &Asked, n| match asked.host.as_str() {
            "github.example" => testing::json(200, r#"{"value":"from-github"}"#),
            "devops.example" => testing::json(200, r#"{"oidcToken":"from-devops"}"#),
            _ => granted(n),
        });
        let identity = Identity { federated: Some(federation), ..identity() };
        tokens(transport, identity, folder.path(), environment)
            .access(Service::Graph)
            .await
            .unwrap();
        let asked = log.all();
        assert_eq!(asked.last().unwrap().field("client_assertion").unwrap(), assertion);
        let first = &asked[0];
        let seen = format!("{} {} {}", first.method, first.path, first.header("authorization"));
        assert_eq!((asked.len() > 1).then_some(seen.as_str()), request);
    }
}

#[test]
fn tokens_say_who_we_are() {
    let token = |claims: &str| {
        let payload = URL_SAFE_NO_PAD.encode(claims);
        Access::new(SecretString::from(format!("e30.{payload}.c2ln")), Duration::ZERO)
    };
    let user =
        token(include_str!("../../../../tests/wire-examples/access-token-claims-app-user.json"));
    let actor = user.actor().unwrap();
    assert_eq!(actor.user.as_deref(), Some("adelev@contoso.onmicrosoft.com"));
    assert!(actor.has_second_factor);
    assert!(user.lacks_second_factor().is_none());
    let application =
        token(include_str!("../../../../tests/wire-examples/access-token-claims-app-only.json"));
    let actor = application.actor().unwrap();
    assert_eq!(actor.user, None);
    assert_eq!(actor.application, Uuid::try_parse(CLIENT).ok());
    assert!(application.lacks_second_factor().is_none(), "an application needs none");
    let weak = token(
        r#"{"oid":"87d349ed-44d7-43e1-9a83-5f2406dee5bd","scp":"user_impersonation","amr":["pwd"],"upn":"a@b.example"}"#,
    );
    assert!(weak.lacks_second_factor().is_some());
    assert_eq!(Access::new(SecretString::from("opaque"), Duration::ZERO).actor(), None);
}

#[tokio::test(start_paused = true)]
async fn an_authority_that_is_away_for_a_moment_is_asked_again_and_one_that_refuses_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let identity =
        || Identity { client_secret: Some(SecretReference::Env("SECRET".into())), ..identity() };
    for (status, body) in [
        (503, r#"{"error": "temporarily_unavailable"}"#),
        (429, ""),
        (200, "{\"access_token\": \"half"),
    ] {
        let (transport, log) = server(
            move |_: &Asked, n| {
                if n < 3 { testing::json(status, body) } else { granted(n) }
            },
        );
        let tokens = tokens(transport, identity(), folder.path(), environment(&[("SECRET", "s")]));
        assert_eq!(secret_of(&tokens.access(Service::Graph).await.unwrap()), "access-3");
        assert_eq!(log.len(), 4);
    }
    for (status, body, asked) in
        [(400, r#"{"error": "invalid_client"}"#, 1), (503, "", usize::try_from(ASKED_MAX).unwrap())]
    {
        let (transport, log) = server(move |_: &Asked, _| testing::json(status, body));
        let tokens = tokens(transport, identity(), folder.path(), environment(&[("SECRET", "s")]));
        assert!(tokens.access(Service::Graph).await.is_err());
        assert_eq!(log.len(), asked, "{status}");
    }
}

use jiff::SignedDuration;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::device::{DeviceCode, Progress};
use super::token::{Claims, GRAPH, PARTNER_CENTER};
use crate::emulator::store::StoreError;
use crate::emulator::testing::{Answer, As, Bench};

fn claims(bench: &Bench, token: &str) -> Claims {
    bench.emulator.world.keys().unwrap().verify(token).unwrap()
}

async fn ask(bench: &Bench, fields: &[(&str, &str)]) -> Answer {
    bench.form(&format!("/{}/oauth2/v2.0/token", bench.credentials.tenant), fields).await
}

fn refused(answer: &Answer) -> (u16, &str, u64) {
    let number = answer.body["error_codes"][0].as_u64().unwrap();
    let description = answer.body["error_description"].as_str().unwrap();
    assert!(description.starts_with(&format!("AADSTS{number}: ")), "{description}");
    (answer.status.as_u16(), answer.body["error"].as_str().unwrap(), number)
}

#[tokio::test]
async fn an_application_signs_in_with_its_secret() {
    let bench = Bench::new();
    let token = bench.token(As::App, GRAPH).await.unwrap();
    let of_graph = claims(&bench, &token);
    assert_eq!((of_graph.aud.as_str(), of_graph.scp.as_deref()), (GRAPH, None));
    assert!(of_graph.roles.contains(&"User.ReadWrite.All".to_owned()));
    let token = bench.token(As::App, PARTNER_CENTER).await.unwrap();
    let of_center = claims(&bench, &token);
    assert!(of_center.roles.is_empty());
    assert_eq!(of_center.exp - of_center.iat, 3900);
}

#[tokio::test]
async fn a_user_comes_with_a_refresh_token_and_the_old_one_works_on() {
    let bench = Bench::new();
    let secret = bench.credentials.client_secret.expose_secret();
    let first = bench.credentials.refresh_token.expose_secret();
    let fields = |token| {
        vec![
            ("client_id", bench.credentials.client_id.as_str()),
            ("client_secret", secret),
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            (
                "scope",
                "https://api.partnercenter.microsoft.com/user_impersonation openid offline_access",
            ),
        ]
    };
    let answer = ask(&bench, &fields(first)).await;
    let second = answer.body["refresh_token"].as_str().unwrap();
    assert_ne!(first, second);
    let claims = claims(&bench, answer.body["access_token"].as_str().unwrap());
    assert_eq!(claims.amr, ["pwd", "mfa"]);
    assert_eq!(claims.scp.as_deref(), Some("user_impersonation"));
    assert_eq!(claims.upn.as_deref(), Some("embedded-admin@fabrikam.onmicrosoft.com"));
    assert_eq!(answer.body["id_token"].as_str().unwrap().split('.').count(), 3);
    assert!(answer.body["client_info"].is_string());
    for token in [first, second] {
        assert_eq!(ask(&bench, &fields(token)).await.status, 200);
    }
    let without_proof: Vec<_> =
        fields(second).into_iter().filter(|(name, _)| *name != "client_secret").collect();
    let answer = ask(&bench, &without_proof).await;
    assert_eq!(refused(&answer), (401, "invalid_client", 7_000_218));
    bench
        .emulator
        .world
        .store()
        .write(|tx| tx.set_clock(SignedDuration::from_hours(24 * 91)))
        .unwrap();
    assert_eq!(refused(&ask(&bench, &fields(second)).await), (400, "invalid_grant", 700_082));
}

/// A form, and the refusal of it.
type Case<'a> = (&'a [(&'a str, &'a str)], (u16, &'a str, u64));

#[tokio::test]
async fn refusals_have_their_numbers() {
    let bench = Bench::new();
    let id = bench.credentials.client_id.as_str();
    let secret = bench.credentials.client_secret.expose_secret();
    let default = "https://graph.microsoft.com/.default";
    let app = "client_credentials";
    let cases: &[Case<'_>] = &[
        (&[("client_id", id)], (400, "invalid_request", 900_144)),
        (&[("grant_type", "password"), ("client_id", id)], (400, "unsupported_grant_type", 70003)),
        (
            &[
                ("grant_type", app),
                ("client_id", "8e0f7b5c-0000-4000-8000-000000000000"),
                ("scope", default),
            ],
            (400, "unauthorized_client", 700_016),
        ),
        (
            &[("grant_type", app), ("client_id", id), ("client_secret", "no"), ("scope", default)],
            (401, "invalid_client", 7_000_215),
        ),
        (
            &[("grant_type", app), ("client_id", id), ("scope", default)],
            (401, "invalid_client", 7_000_218),
        ),
        (
            &[
                ("grant_type", app),
                ("client_id", id),
                ("client_secret", secret),
                ("scope", "User.Read.All"),
            ],
            (400, "invalid_scope", 70011),
        ),
        (
            &[
                ("grant_type", "refresh_token"),
                ("client_id", id),
                ("refresh_token", "0.nothing"),
                ("scope", default),
            ],
            (400, "invalid_grant", 70000),
        ),
    ];
    for (fields, expected) in cases {
        assert_eq!(refused(&ask(&bench, fields).await), *expected, "{fields:?}");
    }
    let fields = [("grant_type", app), ("client_id", id)];
    let elsewhere = bench.form("/nowhere.example/oauth2/v2.0/token", &fields);
    assert_eq!(refused(&elsewhere.await), (400, "invalid_request", 90002));
}

#[tokio::test]
async fn the_older_form_writes_numbers_as_strings() {
    let bench = Bench::new();
    let path = format!("/{}/oauth2/token", bench.credentials.tenant);
    let answer = bench
        .form(
            &path,
            &[
                ("grant_type", "client_credentials"),
                ("client_id", &bench.credentials.client_id),
                ("client_secret", bench.credentials.client_secret.expose_secret()),
                ("resource", GRAPH),
            ],
        )
        .await;
    assert_eq!(answer.body["expires_in"], json!("3599"));
    assert_eq!(answer.body["resource"], json!(GRAPH));
    assert!(answer.body["expires_on"].is_string());
}

#[tokio::test]
async fn a_device_waits_for_its_person() {
    let bench = Bench::new();
    let store = bench.emulator.world.store();
    let id = bench.credentials.client_id.as_str();
    let begun = bench
        .form(
            "/organizations/oauth2/v2.0/devicecode",
            &[
                ("client_id", id),
                ("scope", "https://graph.microsoft.com/User.Read.All openid offline_access"),
            ],
        )
        .await;
    assert_eq!(begun.body["verification_uri"], json!("http://emulator.example/devicelogin"));
    assert_eq!(begun.body["interval"], json!(5));
    let code = begun.body["device_code"].as_str().unwrap().to_owned();
    let poll = |code: String| {
        let bench = &bench;
        async move {
            ask(
                bench,
                &[
                    ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
                    ("client_id", id),
                    ("device_code", &code),
                ],
            )
            .await
        }
    };
    let unknown = poll("nothing".to_owned()).await;
    assert_eq!(refused(&unknown), (400, "bad_verification_code", 70019));
    assert_eq!(refused(&poll(code.clone()).await), (400, "authorization_pending", 70016));
    assert_eq!(refused(&poll(code.clone()).await), (400, "slow_down", 70021));
    let typed = begun.body["user_code"].as_str().unwrap().to_lowercase();
    store
        .write(|tx| {
            let mut device = DeviceCode::waiting(tx, &typed)?.unwrap().document;
            let admin = crate::emulator::directory::user_by_sign_in_name(
                tx,
                "Embedded-Admin@fabrikam.onmicrosoft.com",
            )?
            .unwrap();
            device.progress = Progress::Accepted { user: admin.id.clone(), mfa: true };
            tx.put(&device)?;
            Ok::<_, StoreError>(())
        })
        .unwrap();
    let answer = poll(code.clone()).await;
    let claims = claims(&bench, answer.body["access_token"].as_str().unwrap());
    assert_eq!(claims.scp.as_deref(), Some("User.Read.All"));
    assert!(answer.body["refresh_token"].is_string());
    assert_eq!(refused(&poll(code).await).1, "bad_verification_code");
}

#[tokio::test]
async fn a_device_code_runs_out() {
    let bench = Bench::new();
    let id = bench.credentials.client_id.as_str();
    let fields = [("client_id", id), ("scope", "User.Read.All")];
    let begun = bench.form("/common/oauth2/v2.0/devicecode", &fields).await;
    let code = begun.body["device_code"].as_str().unwrap();
    bench.emulator.world.store().write(|tx| tx.set_clock(SignedDuration::from_mins(16))).unwrap();
    let fields = [("grant_type", "device_code"), ("client_id", id), ("device_code", code)];
    assert_eq!(refused(&ask(&bench, &fields).await), (400, "expired_token", 70020));
}

/// Signs what a certificate or another issuer would.
fn sign(pair: &rcgen::KeyPair, claims: &Value) -> String {
    let key = jsonwebtoken::EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes()).unwrap();
    let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::RS256);
    jsonwebtoken::encode(&header, claims, &key).unwrap()
}

#[tokio::test]
async fn a_certificate_or_a_trusted_issuer_stands_for_the_application() {
    let bench = Bench::new();
    let store = bench.emulator.world.store();
    let pair = || {
        rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap()
    };
    let (own, issuer) = (pair(), pair());
    let id = bench.credentials.client_id.clone();
    store
        .write(|tx| {
            let mut registration = tx.get::<super::Registration>(&id)?.unwrap().document;
            registration.certificates.push(own.public_key_pem());
            registration.federated.push(super::registration::Federated {
                issuer: "https://token.actions.example".to_owned(),
                subject: "repo:fabrikam/estate:ref:refs/heads/main".to_owned(),
                audience: "api://AzureADTokenExchange".to_owned(),
                key: issuer.public_key_pem(),
            });
            tx.put(&registration)?;
            Ok::<_, StoreError>(())
        })
        .unwrap();
    let now = crate::emulator::clock::machine_now().as_second();
    let tenant = bench.credentials.tenant.as_str();
    let audience = format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token");
    let by_certificate =
        json!({"iss": id, "sub": id, "aud": audience, "exp": now + 300, "nbf": now, "jti": "1"});
    let by_issuer = json!({
        "iss": "https://token.actions.example",
        "sub": "repo:fabrikam/estate:ref:refs/heads/main",
        "aud": "api://AzureADTokenExchange",
        "exp": now + 300,
    });
    let mut elsewhere = by_issuer.clone();
    elsewhere["sub"] = json!("repo:northwind/estate:ref:refs/heads/main");
    let mut late = by_certificate.clone();
    late["exp"] = json!(now - 3600);
    for (assertion, expected) in [
        (sign(&own, &by_certificate), Ok(())),
        (sign(&issuer, &by_issuer), Ok(())),
        (sign(&issuer, &elsewhere), Err(700_027)),
        (sign(&issuer, &by_certificate), Err(700_027)),
        (sign(&own, &late), Err(700_024)),
    ] {
        let answer = ask(
            &bench,
            &[
                ("grant_type", "client_credentials"),
                ("client_id", &id),
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                ("client_assertion", &assertion),
                ("scope", "https://graph.microsoft.com/.default"),
            ],
        )
        .await;
        match expected {
            Ok(()) => assert_eq!(answer.status, 200, "{}", answer.text),
            Err(number) => assert_eq!(refused(&answer), (401, "invalid_client", number)),
        }
    }
}

#[tokio::test]
async fn clients_find_everything_on_the_origin_they_came_by() {
    let bench = Bench::new();
    let tenant = &bench.credentials.tenant;
    let path = format!("/{tenant}/v2.0/.well-known/openid-configuration");
    let found = bench.send(As::Nobody, "GET", &path, None).await.body;
    assert_eq!(
        found["token_endpoint"],
        json!(format!("http://emulator.example/{tenant}/oauth2/v2.0/token"))
    );
    let keys = found["jwks_uri"].as_str().unwrap().strip_prefix("http://emulator.example").unwrap();
    let keys = bench.send(As::Nobody, "GET", keys, None).await.body;
    let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(keys["keys"][0].clone()).unwrap();
    let token = bench.token(As::App, GRAPH).await.unwrap();
    let header = jsonwebtoken::decode_header(&token).unwrap();
    assert_eq!(header.kid, jwk.common.key_id);
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    validation.set_audience(&[GRAPH]);
    let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
    jsonwebtoken::decode::<Value>(&token, &key, &validation).unwrap();
}

#[tokio::test]
async fn the_services_take_their_own_tokens_alone() {
    let bench = Bench::new();
    let none = bench.send(As::Nobody, "GET", "/v1.0/users", None).await;
    assert_eq!(none.status, 401);
    assert_eq!(none.body["error"]["code"], json!("InvalidAuthenticationToken"));
    assert!(none.body["error"]["innerError"]["request-id"].is_string());
    let none = bench.send(As::Nobody, "GET", "/v1/customers", None).await;
    assert_eq!((none.status.as_u16(), &none.body["code"]), (401, &json!("800001")));
    let token = bench.token(As::User, GRAPH).await.unwrap();
    let bearer = format!("Bearer {token}");
    let other = bench
        .send_with(As::Nobody, "GET", "/v1/customers", &[("authorization", &bearer)], None)
        .await;
    assert_eq!((other.status.as_u16(), &other.body["code"]), (401, &json!("400")));
    bench.emulator.world.store().write(|tx| tx.set_clock(SignedDuration::from_hours(2))).unwrap();
    let late = bench
        .send_with(As::Nobody, "GET", "/v1.0/users", &[("authorization", &bearer)], None)
        .await;
    assert_eq!(late.status, 401);
}

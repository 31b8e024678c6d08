//! What is sent again and what is not, seen from the server.

use std::sync::{Arc, Mutex};

use secrecy::SecretString;
use uuid::Uuid;

use super::super::center::body::{AddressBody, NewBillingProfile, NewCompanyProfile, NewCustomer};
use super::super::graph::body::{NewUser, PasswordProfile, UserFields};
use super::super::snapshot::ObjectId;
use super::super::testing::{Asked, Lossy, connection, json, server};
use super::super::transport::{Arrival, Transport};
use super::super::{Error, Reader, Writer};
use crate::model::id::TenantId;

fn lossy(to: Arc<dyn Transport>, losses: Vec<Option<Arrival>>) -> Arc<dyn Transport> {
    Arc::new(Lossy { to, losses: Mutex::new(losses) })
}

pub(super) fn user() -> NewUser {
    NewUser {
        account_enabled: true,
        mail_nickname: "AdeleV".to_owned(),
        user_principal_name: "AdeleV@contoso.onmicrosoft.com".to_owned(),
        fields: UserFields {
            display_name: Some("Adele Vance".to_owned()),
            usage_location: Some("US".to_owned()),
            ..UserFields::default()
        },
        password_profile: PasswordProfile::temporary(SecretString::from("canary-password")),
    }
}

fn customer() -> NewCustomer {
    NewCustomer {
        enable_gdap_by_default: Some(false),
        associated_partner_id: None,
        company_profile: NewCompanyProfile {
            domain: "xyz.onmicrosoft.com".to_owned(),
            organization_registration_number: None,
        },
        billing_profile: NewBillingProfile {
            culture: "en-US".to_owned(),
            email: "test@example.com".to_owned(),
            language: "en".to_owned(),
            company_name: "test company".to_owned(),
            default_address: AddressBody::default(),
        },
    }
}

const CREATED: &str = include_str!("../../../tests/wire-examples/pc-customer-create-response.json");
const ID: ObjectId = ObjectId(Uuid::from_u128(7));

#[tokio::test(start_paused = true)]
async fn a_user_whose_creation_got_no_answer_is_not_created_again() {
    let (transport, log) =
        server(|_: &Asked, _| json(201, r#"{"id":"87d349ed-44d7-43e1-9a83-5f2406dee5bd"}"#));
    let writer = Writer::new(connection(lossy(transport, vec![Some(Arrival::Possible)])));
    let error = writer.create_user(&user()).await.unwrap_err();
    assert!(error.leaves_outcome_open(), "{error:?}");
    assert_eq!(log.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_never_left_is_sent_again_even_if_twice_would_be_wrong() {
    let (transport, log) =
        server(|_: &Asked, _| json(201, r#"{"id":"87d349ed-44d7-43e1-9a83-5f2406dee5bd"}"#));
    let writer =
        Writer::new(connection(lossy(transport, vec![Some(Arrival::No), Some(Arrival::No)])));
    writer.create_user(&user()).await.unwrap();
    assert_eq!(log.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_the_service_stops_what_must_not_happen_twice() {
    for status in [500, 502, 503, 504] {
        let (transport, log) = server(move |_: &Asked, _| json(status, "{}"));
        let writer = Writer::new(connection(transport));
        let error = writer.create_user(&user()).await.unwrap_err();
        assert!(error.leaves_outcome_open(), "{error:?}");
        assert_eq!(log.len(), 1, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_customer_is_created_with_one_key_however_often_it_is_sent() {
    let (transport, log) = server(|_: &Asked, n| match n {
        0 => json(503, ""),
        1 => json(429, ""),
        2 => json(201, "{\"id\": tru"),
        _ => json(201, CREATED),
    });
    let writer = Writer::new(connection(lossy(transport, vec![None, Some(Arrival::Possible)])));
    let key = Uuid::from_u128(42);
    let made = writer.create_customer(key, &customer()).await.unwrap();
    assert_eq!(made.id.to_string(), "dfd8cc0a-c592-468c-8461-869a38d24738");
    let asked = log.all();
    assert_eq!(asked.len(), 4);
    assert!(asked.iter().all(|asked| asked.header("ms-requestid") == key.to_string()));
    let mut tracing: Vec<&str> =
        asked.iter().map(|asked| asked.header("ms-correlationid")).collect();
    tracing.dedup();
    assert_eq!(tracing.len(), 4, "each attempt is traced on its own");
    assert!(!format!("{made:?}").contains("one-time"), "{made:?}");
}

#[tokio::test(start_paused = true)]
async fn reading_goes_on_until_it_is_understood() {
    let (transport, log) = server(|_: &Asked, n| match n {
        0 => json(500, ""),
        1 => json(200, "{\"url\": "),
        2 => json(502, "<html>"),
        _ => json(200, "\u{feff}{\"url\":\"https://admin.example/x\"}"),
    });
    let losses = vec![Some(Arrival::Possible), Some(Arrival::No)];
    let reader = Reader::new(connection(lossy(transport, losses)));
    assert_eq!(reader.relationship_request().await.unwrap(), "https://admin.example/x");
    assert_eq!(log.len(), 4, "one of five never arrived");
    let mut ids: Vec<String> =
        log.all().iter().map(|asked| asked.header("ms-requestid").to_owned()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 4, "a question has no key: its ids are new each time");
}

#[tokio::test(start_paused = true)]
async fn reading_ends_too() {
    let (transport, log) =
        server(|_: &Asked, _| json(500, r#"{"code":"800003","description":"x"}"#));
    let reader = Reader::new(connection(transport));
    let error = reader.relationship_request().await.unwrap_err();
    assert_eq!(error.refusal().unwrap().code.as_deref(), Some("800003"));
    assert_eq!(log.len(), 9);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_refused_again_and_again_is_refused() {
    let (transport, log) = server(|_: &Asked, _| json(401, ""));
    let reader = Reader::new(connection(transport));
    let error = reader.relationship_request().await.unwrap_err();
    assert_eq!(error.refusal().unwrap().status, 401);
    assert_eq!(log.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_removal_of_what_is_gone_is_done() {
    let (transport, log) = server(|_: &Asked, n| match n {
        0 => json(503, ""),
        _ => json(404, r#"{"error":{"code":"Request_ResourceNotFound","message":""}}"#),
    });
    let writer = Writer::new(connection(transport));
    assert_eq!(writer.remove_member(ID, ID).await.unwrap(), super::super::write::Done::Already);
    let asked = log.all();
    assert_eq!(asked.len(), 2);
    for asked in asked {
        // Without the last part the member itself would be deleted.
        assert!(
            asked.path.ends_with("/members/00000000-0000-0000-0000-000000000007/$ref"),
            "{asked:?}"
        );
        assert_eq!(asked.method, "DELETE");
    }
}

#[tokio::test(start_paused = true)]
async fn whether_somebody_is_a_member_already_is_asked_and_not_read_from_a_message() {
    let exists = include_str!("../../../tests/wire-examples/graph-error-member-exists.json");
    for (members, expected) in [
        (
            r##"{"value":[{"@odata.type":"#microsoft.graph.user","id":"00000000-0000-0000-0000-000000000007"}]}"##,
            true,
        ),
        (r#"{"value":[]}"#, false),
    ] {
        let (transport, log) = server(move |asked: &Asked, _| match asked.path.as_str() {
            "/v1.0/$batch" => json(
                200,
                &format!(r#"{{"responses":[{{"id":"0","status":200,"body":{members}}}]}}"#),
            ),
            _ => json(400, exists),
        });
        let writer = Writer::new(connection(transport));
        let added = writer.add_member(ObjectId(Uuid::from_u128(1)), ID).await;
        assert_eq!(added.is_ok(), expected, "{added:?}");
        assert_eq!(log.len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_items_of_a_batch_that_failed_are_asked_again() {
    let (transport, log) = server(|asked: &Asked, n| {
        let ids: Vec<String> = asked.json()["requests"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect();
        let answer = |id: &String| match (n, id.as_str()) {
            (0, "1") => {
                serde_json::json!({"id": id, "status": 429, "headers": {"Retry-After": "2.128"}, "body": {}})
            }
            (0, "2") => serde_json::json!({"id": id, "status": 503}),
            _ => {
                serde_json::json!({"id": id, "status": 200, "headers": {"Content-Type": "application/json"},
                "body": {"value": []}})
            }
        };
        // In another order than they were asked.
        let responses: Vec<_> = ids.iter().rev().map(answer).collect();
        json(200, &serde_json::json!({"responses": responses}).to_string())
    });
    let reader = Reader::new(connection(transport));
    let started = tokio::time::Instant::now();
    let urls: Vec<String> = (0..4).map(|n| format!("/groups/{n}/members")).collect();
    let answers = super::super::graph::batch::ask::<serde_json::Value>(
        reader.line(),
        super::super::request::Class::Directory,
        &urls,
    )
    .await
    .unwrap();
    assert!(answers.iter().all(Result::is_ok) && answers.len() == 4);
    assert!(started.elapsed().as_millis() >= 2128);
    let asked = log.all();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[1].json()["requests"].as_array().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn secrets_are_in_no_error_even_if_the_service_repeats_them() {
    let (transport, _) = server(|asked: &Asked, _| {
        let echo = format!("{} {}", asked.header("authorization"), asked.body.replace('"', "'"));
        json(400, &serde_json::json!({"error": {"code": "x", "message": echo}}).to_string())
    });
    let writer = Writer::new(connection(transport));
    let create = writer.create_user(&user()).await.unwrap_err();
    let reset = writer.set_password(ID, &user().password_profile).await.unwrap_err();
    for error in [create, reset] {
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("canary"), "{shown}");
        assert!(shown.contains("[hidden]"), "the test has no teeth: {shown}");
    }
    assert!(!format!("{:?} {writer:?}", user()).contains("canary"));
}

#[tokio::test(start_paused = true)]
async fn a_link_to_elsewhere_is_not_followed() {
    let (transport, log) = server(|_: &Asked, _| {
        json(
            200,
            r#"{"value":[],"@odata.nextLink":"https://evil.example/v1.0/users?$skiptoken=x"}"#,
        )
    });
    let reader = Reader::new(connection(transport));
    let error = reader.deleted_users().await.unwrap_err();
    assert!(matches!(error, Error::Astray { .. }), "{error:?}");
    assert_eq!(log.len(), 1);
    let (transport, log) = server(|asked: &Asked, _| match asked.path.as_str() {
        "/v1/customers/00000000-0000-0000-0000-000000000009/subscriptions" => json(
            200,
            r#"{"items":[],"links":{"next":{"uri":"/customers/9/next","headers":[
                {"key":"MS-ContinuationToken","value":"t"},
                {"key":"Authorization","value":"Bearer other"},
                {"key":"Host","value":"evil.example"}]}}}"#,
        ),
        _ => json(200, r#"{"items":[]}"#),
    });
    let reader = Reader::new(connection(transport));
    reader.subscriptions(TenantId(Uuid::from_u128(9))).await.unwrap();
    let second = &log.all()[1];
    assert_eq!(second.path, "/v1/customers/9/next");
    assert_eq!(second.header("ms-continuationtoken"), "t");
    assert_eq!(second.header("authorization"), "Bearer canary-access-token");
}

#[tokio::test(start_paused = true)]
async fn pages_that_go_round_in_a_circle_are_left() {
    let (transport, log) = server(|_: &Asked, _| {
        json(
            200,
            r#"{"items":[],"links":{"next":{"uri":"/roles?x=1","headers":[{"key":"MS-ContinuationToken","value":"t"}]}}}"#,
        )
    });
    let reader = Reader::new(connection(transport));
    let error = reader.subscriptions(TenantId(Uuid::nil())).await.unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
    assert_eq!(log.len(), 2);
}

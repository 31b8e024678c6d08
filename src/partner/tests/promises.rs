//! Promise 1: reading never writes. Each path that reads is walked against a server that records.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use uuid::Uuid;

use super::super::Reader;
use super::super::read::SearchBy;
use super::super::snapshot::{
    CustomerRef, Delegated, Details, GroupRef, Marks, ObjectId, ProfileKind, RelationshipId, Scope,
    Side, Snapshot,
};
use super::super::testing::{Asked, Log, connection, json, server};
use super::super::transport::Transport;
use crate::model::id::{ApplicationId, RoleTemplateId, TenantId};

const ONE: &str = "00000000-0000-0000-0000-000000000001";
const TENANT: TenantId = TenantId(Uuid::from_u128(1));
const OBJECT: ObjectId = ObjectId(Uuid::from_u128(1));

/// Something of everything, so that every path is walked to its end.
fn tenant() -> (Arc<dyn Transport>, Log) {
    server(|asked: &Asked, _| json(200, &answer(&asked.path, &asked.body)))
}

fn answer(path: &str, body: &str) -> String {
    let plain = path.split('?').next().unwrap_or_default();
    if plain.ends_with("/$batch") {
        let batch: serde_json::Value = serde_json::from_str(body).unwrap();
        let responses: Vec<serde_json::Value> = batch["requests"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| {
                let url = format!("/v1.0{}", item["url"].as_str().unwrap());
                let body: serde_json::Value = serde_json::from_str(&answer(&url, "")).unwrap();
                serde_json::json!({"id": item["id"], "status": 200, "body": body})
            })
            .collect();
        return serde_json::json!({ "responses": responses }).to_string();
    }
    let object = match plain.trim_start_matches("/v1.0").trim_start_matches("/v1") {
        "/users/delta" | "/groups/delta" if path.contains("latest") => {
            return format!(
                r#"{{"value":[],"@odata.deltaLink":"https://graph.microsoft.com{plain}?$deltatoken=2"}}"#
            );
        }
        "/users/delta" | "/groups/delta" => {
            return format!(
                r#"{{"value":[{{"id":"{ONE}"}}],"@odata.deltaLink":"https://graph.microsoft.com{plain}?$deltatoken=3"}}"#
            );
        }
        "/groups" => r#"{"id":"ID","displayName":"AdminAgents","securityEnabled":true}"#,
        "/roleManagement/directory/roleAssignments"
        | "/roleManagement/directory/roleEligibilitySchedules" => {
            r#"{"id":"a","roleDefinitionId":"ID","principalId":"ID"}"#
        }
        "/tenantRelationships/delegatedAdminRelationships" => {
            r#"{"id":"r","displayName":"n","status":"active","customer":{"tenantId":"ID"}}"#
        }
        "/customers" => {
            r#"{"id":"ID","companyProfile":{"domain":"c.example"},"relationshipToPartner":"reseller"}"#
        }
        "/auditrecords" => {
            r#"{"id":"x","customerId":"ID","resourceType":"customer","operationType":"update_customer_qualification","operationDate":"2026-01-09T02:00:00Z"}"#
        }
        "/directoryRoles" => r#"{"id":"ID","roleTemplateId":"ID"}"#,
        "/tenantRelationships/delegatedAdminCustomers" => r#"{"id":"ID","tenantId":"ID"}"#,
        "/customers/all/validations" => return r#"[{"validationId":"1"}]"#.to_owned(),
        "/customers/relationshiprequests" => {
            return r#"{"url":"https://admin.example"}"#.to_owned();
        }
        "/compliance/csp/agreementstatus" => return r#"{"isAgreementSigned":true}"#.to_owned(),
        path if path.ends_with("/directSignedMicrosoftCustomerAgreementStatus") => {
            return r#"{"isSigned":true}"#.to_owned();
        }
        path if path.ends_with("/customDomains") => return r#"["c.example"]"#.to_owned(),
        path if path.ends_with("/qualifications") => {
            return r#"[{"qualification":"Education"}]"#.to_owned();
        }
        path if path.ends_with("/accessAssignments") => {
            r#"{"id":"a","status":"active","accessContainer":{"accessContainerId":"ID"}}"#
        }
        _ => r#"{"id":"ID"}"#,
    };
    let object = object.replace("ID", ONE);
    let members = object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap();
    format!(r#"{{{members},"value":[{object}],"items":[{object}]}}"#)
}

/// Every request was a question; of batches, every item.
fn assert_changes_nothing(log: &Log) {
    assert!(log.len() > 0, "nothing was asked: the test has no teeth");
    for asked in log.all() {
        match asked.method.as_str() {
            "GET" | "HEAD" => assert_eq!(asked.body, "", "{asked:?}"),
            "POST" => {
                assert_eq!(asked.path, "/v1.0/$batch");
                let batch = asked.json();
                let items = batch["requests"].as_array().unwrap();
                assert!(!items.is_empty() && items.len() <= 20);
                for item in items {
                    assert_eq!(item["method"], "GET", "{item}");
                    assert!(item.get("body").is_none(), "{item}");
                }
            }
            other => panic!("{other} {}", asked.path),
        }
    }
}

fn scope() -> Scope {
    let details = Details {
        legacy_administration: true,
        billing: true,
        qualifications: true,
        subscriptions: true,
        agreements: true,
        resellers: true,
    };
    Scope {
        groups: BTreeSet::from([GroupRef::Name("Tier 2 Support".to_owned()), GroupRef::Id(OBJECT)]),
        owners: true,
        agreements: true,
        delegated: Delegated::All,
        details: BTreeMap::from([
            (CustomerRef::Tenant(TENANT), details),
            (CustomerRef::Domain("c.example".to_owned()), details),
        ]),
        ..Scope::everything()
    }
}

#[tokio::test(start_paused = true)]
async fn a_whole_snapshot_and_one_after_it_change_nothing() {
    let (transport, log) = tenant();
    let reader = Reader::new(connection(transport));
    let first = reader.snapshot(&scope(), None).await.unwrap();
    assert_changes_nothing(&log);
    let calls = log.len();
    let second = reader.snapshot(&scope(), Some(&first)).await.unwrap();
    assert_changes_nothing(&log);
    assert!(log.len() > calls);
    let details = &second.customers[&TENANT].details;
    assert!(details.billing.is_some() && details.qualifications.is_some(), "{details:?}");
    let forgetful = Snapshot { marks: Marks::default(), ..second };
    reader.snapshot(&scope(), Some(&forgetful)).await.unwrap();
    assert_changes_nothing(&log);
}

#[tokio::test(start_paused = true)]
async fn each_single_question_changes_nothing() {
    let (transport, log) = tenant();
    let reader = Reader::new(connection(transport));
    let relationship = RelationshipId("r".to_owned());
    reader.user(OBJECT).await.unwrap();
    reader.user_named("o'neil@c.example").await.unwrap().unwrap();
    reader.deleted_users().await.unwrap();
    reader.groups_named("AdminAgents").await.unwrap();
    reader.groups_with_alias("tier2").await.unwrap();
    reader.group(OBJECT).await.unwrap().unwrap();
    reader.members(OBJECT).await.unwrap();
    reader.roles_of(OBJECT).await.unwrap();
    reader.service_principal(ApplicationId(Uuid::nil())).await.unwrap();
    reader.delegation(&relationship).await.unwrap();
    reader.delegations_named("n").await.unwrap();
    reader.delegated_assignments(&relationship).await.unwrap();
    reader.progress("/v1.0/tenantRelationships/x/operations/y").await.unwrap();
    reader.customer(TENANT).await.unwrap().unwrap();
    reader.search_customers(SearchBy::Domain, "c.").await.unwrap();
    reader.relationship_request().await.unwrap();
    reader.domain_is_taken("c.onmicrosoft.com").await.unwrap();
    reader.customer_billing(TENANT).await.unwrap();
    reader.customer_company(TENANT).await.unwrap();
    reader.customer_organization(TENANT).await.unwrap();
    reader.customer_domains(TENANT).await.unwrap();
    reader.qualifications(TENANT).await.unwrap();
    reader.validation(TENANT).await.unwrap();
    reader.subscriptions(TENANT).await.unwrap();
    reader.agreements(TENANT).await.unwrap();
    reader.has_signed_directly(TENANT).await.unwrap();
    reader.resellers_of(TENANT).await.unwrap();
    reader.partnerships(Side::IndirectProvider).await.unwrap();
    reader.has_signed_agreement(TENANT).await.unwrap();
    reader.profile(ProfileKind::Legal).await.unwrap();
    reader.account_role_members("r").await.unwrap();
    reader.role_is_activated(RoleTemplateId(Uuid::nil())).await.unwrap();
    reader.delegated_customers().await.unwrap();
    reader.delegated_services(TENANT).await.unwrap();
    reader.validation_codes().await.unwrap();
    reader.service_requests(TENANT).await.unwrap();
    assert_changes_nothing(&log);
    assert_eq!(log.len(), 36);
    let named = log.all()[1].path.clone();
    assert!(named.contains("userPrincipalName%20eq%20%27o%27%27neil%40c.example%27"), "{named}");
}

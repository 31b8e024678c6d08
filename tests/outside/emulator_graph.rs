//! Every body of `tests/wire-examples/` that is Graph's is produced or accepted by the emulator, but
//! for ids, times and tokens.

use serde_json::{Value, json};

use crate::emulator_bench::{Answer, As, Bench, example, masked};

const PARTNER: &str = "3b33e682-00c3-41ee-9dd2-a548adf56438";
const CUSTOMER: &str = "4b827261-d21f-4aa9-b7db-7fa1f56fb163";
const ORIGIN: &str = "http://api.partnercenter.microsoft.com";
const GDAP: &str = "/v1.0/tenantRelationships/delegatedAdminRelationships";
const PLACEHOLDER: &str = "<temporary password>";
const EVENTUAL: &[(&str, &str)] = &[("ConsistencyLevel", "eventual")];

/// The tenant that the examples were taken from, as far as they tell.
async fn world() -> Bench {
    let bench = Bench::with_tenant(json!({
        "id": PARTNER,
        "companyName": "Contoso",
        "domains": ["contoso.onmicrosoft.com"],
        "program": "indirect-provider",
        "country": "US",
        "mpnId": "4847383",
    }))
    .await;
    let customer = json!({
        "id": CUSTOMER, "commerceId": "99e6a635-48e7-424d-9059-c9db944e3c54",
        "companyName": "Contoso subsidiary Inc", "domain": "subsidiary.onmicrosoft.com",
        "customDomains": ["subsidiary.onmicrosoft.com"], "relationship": "reseller",
        "hasDap": false, "address": {}, "billing": {},
    });
    bench.command("PUT", "/_emulator/objects/customer", customer).await;
    bench
}

/// A body without what differs each time.
fn same(value: &Value) -> Value {
    fn opaque(value: Value) -> Value {
        match value {
            Value::String(text) => {
                let text = text.replace(ORIGIN, "https://graph.microsoft.com");
                let text = match text.split_once("token=") {
                    Some((before, _)) => format!("{before}token=<token>"),
                    None => text,
                };
                let is_sealed = text.len() == 45 && text.ends_with("-1");
                json!(if is_sealed { "<id>".to_owned() } else { text })
            }
            Value::Array(items) => items.into_iter().map(opaque).collect(),
            Value::Object(members) => {
                members.into_iter().map(|(name, value)| (name, opaque(value))).collect()
            }
            other => other,
        }
    }
    opaque(masked(value))
}

#[track_caller]
fn assert_like(answer: &Answer, status: u16, name: &str) {
    assert_eq!(answer.status, status, "{name}: {}", answer.text);
    assert_eq!(same(&answer.body), same(&example(name)), "{name}: {}", answer.text);
}

/// What is sent stands in an example; a placeholder is no password.
fn sent(name: &str) -> Value {
    let text = example(name).to_string().replace(PLACEHOLDER, "xWwvJ]6NMw+bWH-d");
    serde_json::from_str(&text).unwrap()
}

async fn post(bench: &Bench, path: &str, body: Value) -> Answer {
    bench.send(As::User, "POST", path, &[], Some(body)).await
}

fn id_of(answer: &Answer) -> String {
    answer.body["id"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
}

fn path_of(link: &Value) -> String {
    link.as_str().unwrap().strip_prefix(ORIGIN).unwrap().to_owned()
}

#[tokio::test]
async fn users_are_as_in_the_examples() {
    let bench = world().await;
    let made = post(&bench, "/v1.0/users", sent("graph-user-create-request")).await;
    assert_like(&made, 201, "graph-user-create-response");
    let path = format!("/v1.0/users/{}", id_of(&made));
    for body in ["graph-user-patch-disable", "graph-user-patch-password"] {
        let changed = bench.send(As::User, "PATCH", &path, &[], Some(sent(body))).await;
        assert_eq!((changed.status, changed.text.as_str()), (204, ""), "{body}");
    }
    let mut room = sent("graph-user-create-request");
    room["displayName"] = "Conf Room".into();
    room["userPrincipalName"] = "confroom@contoso.onmicrosoft.com".into();
    room["accountEnabled"] = false.into();
    let room = id_of(&post(&bench, "/v1.0/users", room).await);

    // Three users: the two of the example, and the one who asks.
    let list = "/v1.0/users?$select=id,displayName,userPrincipalName,accountEnabled,userType&$top=2&$count=true";
    let page = bench.send(As::User, "GET", list, EVENTUAL, None).await;
    let expected = example("graph-users-list-page1");
    let frame = |body: &Value| {
        let mut body = same(body);
        body["value"] = Value::Null;
        body
    };
    assert_eq!(frame(&page.body), frame(&expected));
    let members = |user: &Value| user.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for user in page.body["value"].as_array().unwrap() {
        assert_eq!(members(user), members(&expected["value"][0]));
    }

    let first = bench.get("/v1.0/users/delta?$select=displayName").await;
    let link = path_of(&first.body["@odata.deltaLink"]);
    let rename = json!({"displayName": "Adele Vance"});
    bench.send(As::User, "PATCH", &path, &[], Some(rename)).await;
    bench.send(As::User, "DELETE", &format!("/v1.0/users/{room}"), &[], None).await;
    assert_like(&bench.get(&link).await, 200, "graph-users-delta");

    let select = "id,displayName,userPrincipalName,deletedDateTime";
    let deleted = format!("/v1.0/directory/deletedItems/microsoft.graph.user?$select={select}");
    let answer = bench.get(&deleted).await;
    let mut body = answer.body.clone();
    let chosen = format!("({select})");
    let context = body["@odata.context"].as_str().unwrap().replace(&chosen, "");
    body["@odata.context"] = context.into();
    let plain = |body: &Value| same(body).to_string().replace(&room.replace('-', ""), "<>");
    let expected =
        plain(&example("graph-deleted-users")).replace("4562bcc8c4364f95b7c04f8ce89dca5e", "<>");
    let expected: Value = serde_json::from_str(&expected).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&plain(&body)).unwrap(), expected);
}

#[tokio::test]
async fn groups_and_roles_are_as_in_the_examples() {
    let bench = world().await;
    let find = "/v1.0/groups?$filter=displayName%20eq%20'AdminAgents'&$select=id,displayName";
    let found = bench.get(find).await;
    assert_like(&found, 200, "graph-groups-find");
    let group = post(&bench, "/v1.0/groups", sent("graph-group-create-request")).await;
    assert_eq!(group.status, 201, "{}", group.text);
    for (name, value) in example("graph-group-create-request").as_object().unwrap() {
        assert_eq!(&group.body[name], value, "{name}");
    }
    let group = format!("/v1.0/groups/{}", id_of(&group));

    let user = id_of(&post(&bench, "/v1.0/users", sent("graph-user-create-request")).await);
    let app = "/v1.0/servicePrincipals?$filter=displayName%20eq%20'partner%20automation'";
    let app = bench.get(app).await.body["value"][0]["id"].as_str().unwrap().to_owned();
    let with = |name: &str| {
        let text = example(name).to_string();
        let text = text.replace("87d349ed-44d7-43e1-9a83-5f2406dee5bd", &user);
        let text = text.replace("5bde3e51-d13b-4db1-9948-fe4b109d11a7", &app);
        let text =
            text.replace("869713c9-0b28-4d08-8949-ae07ae1bf528", group.rsplit('/').next().unwrap());
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let members = format!("{group}/members");
    let reference = with("graph-group-add-member-request");
    assert_eq!(post(&bench, &format!("{members}/$ref"), reference.clone()).await.status, 204);
    let again = post(&bench, &format!("{members}/$ref"), reference).await;
    assert_like(&again, 400, "graph-error-member-exists");
    bench.send(As::User, "DELETE", &format!("{members}/{user}/$ref"), &[], None).await;
    let both = with("graph-group-add-members-bulk-request");
    assert_eq!(bench.send(As::User, "PATCH", &group, &[], Some(both)).await.status, 204);
    let listed = bench.get(&format!("{members}?$select=id,displayName,userPrincipalName")).await;
    let sorted = |body: &Value| {
        let mut body = same(body);
        body["value"]
            .as_array_mut()
            .unwrap()
            .sort_by_key(|member| member["@odata.type"].to_string());
        body
    };
    assert_eq!(sorted(&listed.body), sorted(&example("graph-group-members")));
    bench.send(As::User, "DELETE", &format!("{members}/{user}/$ref"), &[], None).await;

    let batch = post(&bench, "/v1.0/$batch", with("graph-batch-request")).await;
    assert_like(&batch, 200, "graph-batch-response");

    let activated =
        post(&bench, "/v1.0/directoryRoles", sent("graph-directoryrole-activate-request")).await;
    assert_like(&activated, 201, "graph-directoryrole-activate-response");
    let roles = "/v1.0/roleManagement/directory/roleAssignments";
    let given = post(&bench, roles, with("graph-roleassignment-create-request")).await;
    assert_like(&given, 201, "graph-roleassignment-create-response");
    let held = bench.get(&format!("{roles}?$filter=principalId%20eq%20'{user}'")).await;
    assert_like(&held, 200, "graph-roleassignments-list");
}

#[tokio::test]
async fn refusals_are_as_in_the_examples() {
    let bench = world().await;
    let missing = bench.get("/v1.0/users/11111111-1111-1111-1111-111111111111").await;
    assert_like(&missing, 404, "graph-error-404");
    let anonymous = bench.send(As::Nobody, "GET", "/v1.0/users", &[], None).await;
    assert_like(&anonymous, 401, "graph-error-401");
    let me = id_of(&bench.get("/v1.0/me?$select=id").await);
    let delete = bench.send(As::App, "DELETE", &format!("/v1.0/users/{me}"), &[], None).await;
    assert_like(&delete, 403, "graph-error-403");
    let advanced = bench.get("/v1.0/users?$filter=endsWith(mail,'example')").await;
    assert_like(&advanced, 400, "graph-error-unsupported-query");
    let bad = bench.get(&format!("{GDAP}/1")).await;
    assert_like(&bad, 400, "gdap-error-bad-relationship-id");
    let faults = json!({"rules": [{"path": "/v1.0/users", "rate": 1.0, "fault": "throttle", "retryAfter": 2.128}]});
    bench.command("PUT", "/_emulator/faults", faults).await;
    let throttled = bench.get("/v1.0/users").await;
    assert_like(&throttled, 429, "graph-error-429");
    assert_eq!(throttled.headers["retry-after"], "2.128");
    let items = json!({"requests": [{"id": "1", "method": "GET", "url": "/users"}, {"id": "2", "method": "GET", "url": "/me"}]});
    let batch = post(&bench, "/v1.0/$batch", items).await;
    assert_eq!(batch.status, 200);
    let item = &batch.body["responses"][1];
    assert_eq!((&item["status"], &item["headers"]["Retry-After"]), (&json!(429), &json!("2.128")));
    assert_eq!(batch.body["responses"][0]["status"], 200);
}

#[tokio::test]
async fn delegated_access_is_as_in_the_examples() {
    let bench = world().await;
    let made = post(&bench, GDAP, sent("gdap-relationship-create-request")).await;
    assert_like(&made, 201, "gdap-relationship-create-response");
    let path = format!("{GDAP}/{}", id_of(&made));
    let with_tag = async |method: &str, path: &str, body: Option<Value>| {
        let tag = bench.get(path).await.body["@odata.etag"].as_str().unwrap().to_owned();
        bench.send(As::User, method, path, &[("If-Match", &tag)], body).await
    };
    let other = sent("gdap-relationship-patch-request-created");
    assert_eq!(with_tag("PATCH", &path, Some(other)).await.status, 200);
    let back = sent("gdap-relationship-create-request");
    assert_eq!(with_tag("PATCH", &path, Some(back)).await.status, 200);
    let stale =
        bench.send(As::User, "PATCH", &path, &[("If-Match", "W/\"x\"")], Some(json!({}))).await;
    assert_like(&stale, 412, "graph-error-412");

    let requests = format!("{path}/requests");
    let locked = post(&bench, &requests, sent("gdap-request-lock-request")).await;
    assert_like(&locked, 201, "gdap-request-lock-response");
    assert_like(&bench.get(&path).await, 200, "gdap-relationship-approvalpending");
    // No provider asked for it: the reseller's word is understood, and has nothing to answer.
    assert_eq!(post(&bench, &requests, sent("gdap-request-approve-request")).await.status, 400);
    let link = format!(
        "https://admin.microsoft.com/AdminPortal/Home#/partners/invitation/granularAdminRelationships/{}",
        id_of(&made)
    );
    let accept = json!({"do": "accept", "link": link, "as": "subsidiary.onmicrosoft.com"});
    bench.command("POST", "/_emulator/act", accept).await;
    assert_like(&bench.get(&path).await, 200, "gdap-relationship-active");
    let extend = sent("gdap-relationship-patch-request-autoextend");
    assert_eq!(with_tag("PATCH", &path, Some(extend)).await.status, 200);

    let customers = "/v1.0/tenantRelationships/delegatedAdminCustomers";
    assert_like(&bench.get(customers).await, 200, "gdap-customers-list");
    let services = bench.get(&format!("{customers}/{CUSTOMER}/serviceManagementDetails")).await;
    let mut expected = example("gdap-customer-services");
    expected["value"][0]["serviceManagementUrl"] =
        format!("https://aad.portal.azure.com/{CUSTOMER}").into();
    assert_eq!(same(&services.body), same(&expected));
}

#[tokio::test]
async fn assignments_are_as_in_the_examples() {
    let bench = world().await;
    let mut wanted = sent("gdap-relationship-create-request");
    wanted["accessDetails"] = sent("gdap-assignment-create-request")["accessDetails"].clone();
    let path = format!("{GDAP}/{}", id_of(&post(&bench, GDAP, wanted).await));
    post(&bench, &format!("{path}/requests"), sent("gdap-request-lock-request")).await;
    let accept = json!({"do": "accept", "link": format!("https://admin.example/#/partners/invitation/granularAdminRelationships/{}", path.rsplit('/').next().unwrap()), "as": "subsidiary.onmicrosoft.com"});
    bench.command("POST", "/_emulator/act", accept).await;
    let group = bench.get("/v1.0/groups?$filter=displayName%20eq%20'AdminAgents'").await;
    let mut assign = sent("gdap-assignment-create-request");
    assign["accessContainer"]["accessContainerId"] = group.body["value"][0]["id"].clone();
    let assigned = post(&bench, &format!("{path}/accessAssignments"), assign).await;
    assert_like(&assigned, 201, "gdap-assignment-create-response");
    let one = format!("{path}/accessAssignments/{}", id_of(&assigned));
    let tag = bench.get(&one).await.body["@odata.etag"].as_str().unwrap().to_owned();
    let narrower = Some(sent("gdap-assignment-patch-request"));
    let accepted = bench.send(As::User, "PATCH", &one, &[("If-Match", &tag)], narrower).await;
    assert_like(&accepted, 202, "gdap-assignment-patch-accepted");
    assert_eq!(accepted.headers["retry-after"], "10");
    let operation = path_of(&json!(accepted.headers["location"].to_str().unwrap()));
    let operation = bench.get(&operation).await;
    assert_like(&operation, 200, "gdap-operation-succeeded");
    let end =
        post(&bench, &format!("{path}/requests"), sent("gdap-request-terminate-request")).await;
    assert_eq!(end.status, 201);
    assert_eq!(bench.get(&path).await.body["status"], "terminated");
}

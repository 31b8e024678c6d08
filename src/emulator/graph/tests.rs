//! Requests through the router: what a client meets.

use http::StatusCode;
use jiff::SignedDuration;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::directory;
use super::gdap::{
    self,
    relationship::{Customer, Provider},
};
use crate::emulator::directory::{
    ADMIN_AGENTS, GLOBAL_ADMINISTRATOR, ServicePrincipal, Sort, User, group_by_name,
};
use crate::emulator::identity::session::Session;
use crate::emulator::store::{StoreError, Write};
use crate::emulator::testing::{Answer, As, Bench};

const HELPDESK: &str = "729827e3-9c14-49f7-bb1b-9608f156bbb8";
const READERS: &str = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b";
const USER_ADMINISTRATOR: &str = "fe930be7-5e62-47db-91af-98c3a49a38b1";
const GDAP: &str = "/v1.0/tenantRelationships/delegatedAdminRelationships";
const EVENTUAL: &[(&str, &str)] = &[("ConsistencyLevel", "eventual")];

/// Changes the tenant behind the wire.
fn behind<T>(bench: &Bench, work: impl FnOnce(&Write<'_>) -> Result<T, StoreError>) -> T {
    bench.emulator.world.store().write(work).unwrap()
}

/// Somebody without any role; returns the id.
fn somebody(bench: &Bench, alias: &str) -> String {
    let name = format!("{alias}@fabrikam.example");
    placed(bench, &name, alias, Map::new())
}

/// A user as somebody else made them.
fn placed(bench: &Bench, name: &str, display_name: &str, other: Map<String, Value>) -> String {
    behind(bench, |tx| {
        let user = User {
            id: tx.new_id()?.to_string(),
            user_principal_name: name.to_owned(),
            display_name: display_name.to_owned(),
            account_enabled: true,
            user_type: "Member".to_owned(),
            other,
        };
        tx.put(&user)?;
        Ok(user.id)
    })
}

/// The same tenant, as another user sees it.
fn signed_in(bench: &Bench, user: &str, mfa: bool) -> Bench {
    let client = bench.credentials.client_id.clone();
    let token = behind(bench, |tx| Session::start(tx, &client, user, mfa, true));
    let mut credentials = bench.credentials.clone();
    credentials.refresh_token = SecretString::from(token);
    Bench { emulator: bench.emulator.clone(), credentials }
}

#[track_caller]
fn expect(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
    assert_eq!(answer.body["error"]["code"], code, "{}", answer.text);
    assert!(answer.body["error"]["innerError"]["request-id"].is_string());
}

#[track_caller]
fn ok(answer: &Answer) -> &Value {
    assert!(answer.status.is_success(), "{} {}", answer.status, answer.text);
    &answer.body
}

fn new_user(alias: &str) -> Value {
    json!({
        "@odata.type": "#microsoft.graph.user",
        "accountEnabled": true,
        "displayName": alias,
        "mailNickname": alias,
        "userPrincipalName": format!("{alias}@fabrikam.example"),
        "passwordProfile": {"password": "xWwvJ]6NMw+bWH-d", "forceChangePasswordNextSignIn": true},
    })
}

async fn create_user(bench: &Bench, alias: &str) -> String {
    let made = bench.send(As::User, "POST", "/v1.0/users", new_user(alias)).await;
    ok(&made)["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_user_lives_and_comes_back() {
    let bench = Bench::new();
    let id = create_user(&bench, "adele").await;
    let path = format!("/v1.0/users/{id}");
    let seen = bench.get(&path).await;
    assert_eq!(ok(&seen)["displayName"], "adele");
    assert_eq!(seen.body.get("accountEnabled"), None);
    assert!(!seen.text.contains("xWwvJ]6NMw"));

    let disable = json!({"accountEnabled": false});
    let changed = bench.send(As::User, "PATCH", &path, disable).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT);
    let seen =
        bench.get("/v1.0/users/ADELE@fabrikam.example?$select=accountEnabled,userType").await;
    assert_eq!(seen.body["accountEnabled"], false);
    assert_eq!(seen.body["userType"], "Member");
    assert_eq!(seen.body.get("id"), None);

    expect(
        &bench.send(As::User, "POST", "/v1.0/users", new_user("ADELE")).await,
        400,
        "Request_BadRequest",
    );
    let gone = bench.send(As::User, "DELETE", &path, None).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    expect(&bench.get(&path).await, 404, "Request_ResourceNotFound");
    // A deleted user keeps its name to itself.
    expect(
        &bench.send(As::User, "POST", "/v1.0/users", new_user("adele")).await,
        400,
        "Request_BadRequest",
    );
    let deleted = bench.get("/v1.0/directory/deletedItems/microsoft.graph.user").await;
    assert_eq!(ok(&deleted)["value"][0]["id"], id.as_str());
    let name = deleted.body["value"][0]["userPrincipalName"].as_str().unwrap();
    assert!(name.starts_with(&id.replace('-', "")));
    let restore = format!("/v1.0/directory/deletedItems/{id}/restore");
    let back = bench.send(As::User, "POST", &restore, None).await;
    assert_eq!(ok(&back)["@odata.type"], "#microsoft.graph.user");
    ok(&bench.get(&path).await);
}

#[tokio::test]
async fn what_is_deleted_goes_for_good_after_thirty_days() {
    let bench = Bench::new();
    let id = create_user(&bench, "adele").await;
    bench.send(As::User, "DELETE", &format!("/v1.0/users/{id}"), None).await;
    behind(&bench, |tx| tx.set_clock(SignedDuration::from_hours(24 * 31)));
    let deleted = bench.get("/v1.0/directory/deletedItems/microsoft.graph.user").await;
    assert_eq!(ok(&deleted)["value"], json!([]));
    create_user(&bench, "adele").await;
}

#[tokio::test]
async fn what_no_user_can_be() {
    let bench = Bench::new();
    for (member, value) in [
        ("userPrincipalName", json!("adele@elsewhere.example")),
        ("userPrincipalName", json!("adéle@fabrikam.example")),
        ("displayName", Value::Null),
        ("displayName", json!("x".repeat(257))),
        ("mailNickname", json!("with space")),
        ("accountEnabled", json!("yes")),
        ("businessPhones", json!(["1", "2"])),
        ("passwordProfile", json!({"password": "weak"})),
        ("usageLocation", json!("Japan")),
        ("nickname", json!("ada")),
        ("id", json!("mine")),
    ] {
        let mut user = new_user("adele");
        user[member] = value;
        let refused = bench.send(As::User, "POST", "/v1.0/users", user).await;
        expect(&refused, 400, "Request_BadRequest");
        assert_eq!(refused.body["error"]["details"][0]["target"], member);
    }
}

#[tokio::test]
async fn who_is_kept_on_premises_is_edited_there() {
    let bench = Bench::new();
    let synced = Map::from_iter([("onPremisesSyncEnabled".to_owned(), true.into())]);
    let id = placed(&bench, "kenji@fabrikam.example", "Kenji", synced);
    let path = format!("/v1.0/users/{id}");
    for body in
        [json!({"displayName": "K"}), json!({"accountEnabled": false, "usageLocation": "JP"})]
    {
        expect(&bench.send(As::User, "PATCH", &path, body).await, 400, "Request_BadRequest");
    }
    let cloud = bench.send(As::User, "PATCH", &path, json!({"usageLocation": "JP"})).await;
    assert_eq!(cloud.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn pages_hold_everybody_once() {
    let bench = Bench::new();
    for number in 0..7 {
        somebody(&bench, &format!("user{number}"));
    }
    let mut path = "/v1.0/users?$select=userPrincipalName&$top=3&$count=true".to_owned();
    let (mut names, mut pages) = (Vec::new(), 0);
    loop {
        let page = bench.send_with(As::User, "GET", &path, EVENTUAL, None).await;
        let body = ok(&page);
        assert_eq!(body.get("@odata.count"), (pages == 0).then_some(&json!(8)));
        let users = body["value"].as_array().unwrap();
        names.extend(users.iter().map(|user| user["userPrincipalName"].to_string()));
        pages += 1;
        let Some(link) = body["@odata.nextLink"].as_str() else { break };
        path = link.strip_prefix("http://emulator.example").unwrap().to_owned();
    }
    assert_eq!(pages, 3);
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 8);
}

#[tokio::test]
async fn questions_that_need_to_be_asked_differently() {
    let bench = Bench::new();
    somebody(&bench, "adele");
    let advanced = "/v1.0/users?$count=true&$filter=endsWith(userPrincipalName,'example')";
    expect(&bench.get(advanced).await, 400, "Request_UnsupportedQuery");
    let page = bench.send_with(As::User, "GET", advanced, EVENTUAL, None).await;
    assert_eq!(ok(&page)["value"].as_array().unwrap().len(), 1);
    for refused in [
        "/v1.0/users?$top=1000",
        "/v1.0/users?$skip=1",
        "/v1.0/users?$filter=nickname%20eq%20'a'",
        "/v1.0/users?$filter=displayName%20eq",
    ] {
        expect(&bench.get(refused).await, 400, "Request_BadRequest");
    }
    expect(&bench.get("/v1.0/users?$select=nickname").await, 400, "BadRequest");
    expect(&bench.get("/v1.0/users?$skiptoken=x").await, 400, "Directory_ExpiredPageToken");
    let sorted = "/v1.0/users?$orderby=displayName%20desc&$select=displayName";
    assert_eq!(ok(&bench.get(sorted).await)["value"][0]["displayName"], "Embedded administrator");
    let search = "/v1.0/users?$search=%22displayName:ade%22";
    expect(&bench.get(search).await, 400, "Request_UnsupportedQuery");
    let found = bench.send_with(As::User, "GET", search, EVENTUAL, None).await;
    assert_eq!(ok(&found)["value"].as_array().unwrap().len(), 1);
    let total = bench.send_with(As::User, "GET", "/v1.0/users/$count", EVENTUAL, None).await;
    assert_eq!((total.status, total.text.as_str()), (StatusCode::OK, "2"));
}

fn local(link: &Value) -> String {
    link.as_str().unwrap().strip_prefix("http://emulator.example").unwrap().to_owned()
}

#[tokio::test]
async fn changes_are_told_once_each() {
    let bench = Bench::new();
    let ids: Vec<String> = ["a", "b", "c"].map(|alias| somebody(&bench, alias)).into();
    let first = bench.get("/v1.0/users/delta()?$select=displayName").await;
    assert_eq!(ok(&first)["value"].as_array().unwrap().len(), 4);
    let link = local(&first.body["@odata.deltaLink"]);
    assert_eq!(ok(&bench.get(&link).await)["value"], json!([]));

    let path = |id: &str| format!("/v1.0/users/{id}");
    bench.send(As::User, "PATCH", &path(&ids[0]), json!({"displayName": "Ada"})).await;
    bench.send(As::User, "DELETE", &path(&ids[1]), None).await;
    bench.send(As::User, "DELETE", &path(&ids[2]), None).await;
    let purged = format!("/v1.0/directory/deletedItems/{}", ids[2]);
    bench.send(As::User, "DELETE", &purged, None).await;
    let second = bench.get(&link).await;
    assert_eq!(
        ok(&second)["value"],
        json!([
            {"id": ids[0], "displayName": "Ada"},
            {"id": ids[1], "@removed": {"reason": "changed"}},
            {"id": ids[2], "@removed": {"reason": "deleted"}},
        ])
    );
    behind(&bench, |tx| tx.set_clock(SignedDuration::from_hours(24 * 8)));
    expect(&bench.get(&link).await, 410, "syncStateNotFound");
    expect(&bench.get("/v1.0/users/delta?$deltatoken=x").await, 410, "syncStateNotFound");
}

#[tokio::test]
async fn who_comes_and_goes_in_a_group_is_told() {
    let bench = Bench::new();
    let (ada, ben) = (somebody(&bench, "ada"), somebody(&bench, "ben"));
    let group = behind(&bench, |tx| Ok(group_by_name(tx, ADMIN_AGENTS)?.unwrap().document.id));
    behind(&bench, |tx| directory::add_member(tx, &group, &ada, Sort::User));
    let first = bench.get("/v1.0/groups/delta?$select=displayName,members").await;
    let link = local(&ok(&first)["@odata.deltaLink"]);
    behind(&bench, |tx| {
        directory::remove_member(tx, &group, &ada)?;
        directory::add_member(tx, &group, &ben, Sort::User)
    });
    let second = bench.get(&link).await;
    let members = ok(&second)["value"][0]["members@delta"].as_array().unwrap().clone();
    let told: Vec<(&str, bool)> = members
        .iter()
        .map(|member| (member["id"].as_str().unwrap(), member.get("@removed").is_some()))
        .collect();
    assert_eq!(told, [(ada.as_str(), true), (ben.as_str(), false)]);
}

#[tokio::test]
async fn groups_take_members_of_every_sort() {
    let bench = Bench::new();
    let made = json!({
        "displayName": "Tier 2", "mailNickname": "tier2", "mailEnabled": false,
        "securityEnabled": true, "groupTypes": [],
    });
    let made = bench.send(As::User, "POST", "/v1.0/groups", made).await;
    let group = format!("/v1.0/groups/{}", ok(&made)["id"].as_str().unwrap());
    let reference = |id: &str| json!({"@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{id}")});
    let ada = somebody(&bench, "ada");
    let add = format!("{group}/members/$ref");
    assert_eq!(
        bench.send(As::User, "POST", &add, reference(&ada)).await.status,
        StatusCode::NO_CONTENT
    );
    expect(&bench.send(As::User, "POST", &add, reference(&ada)).await, 400, "Request_BadRequest");
    expect(
        &bench.send(As::User, "POST", &add, reference("nobody")).await,
        404,
        "Request_ResourceNotFound",
    );
    let app = ok(&bench
        .get("/v1.0/servicePrincipals?$filter=displayName%20eq%20'partner%20automation'")
        .await)["value"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let ben = somebody(&bench, "ben");
    // All or nothing: ada is a member already.
    let bind = |ids: &[&str]| json!({"members@odata.bind": ids.iter().map(|id| format!("https://graph.microsoft.com/v1.0/directoryObjects/{id}")).collect::<Vec<_>>()});
    expect(
        &bench.send(As::User, "PATCH", &group, bind(&[&ben, &ada])).await,
        400,
        "Request_BadRequest",
    );
    let both = bench.send(As::User, "PATCH", &group, bind(&[&ben, &app])).await;
    assert_eq!(both.status, StatusCode::NO_CONTENT);
    let members = bench.get(&format!("{group}/members?$select=id,displayName")).await;
    let mut kinds: Vec<&str> = ok(&members)["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| member["@odata.type"].as_str().unwrap())
        .collect();
    kinds.sort_unstable();
    assert_eq!(
        kinds,
        ["#microsoft.graph.servicePrincipal", "#microsoft.graph.user", "#microsoft.graph.user"]
    );
    let cast = format!("{group}/members/microsoft.graph.user?$count=true");
    expect(&bench.get(&cast).await, 400, "Request_UnsupportedQuery");
    let cast = bench.send_with(As::User, "GET", &cast, EVENTUAL, None).await;
    assert_eq!(ok(&cast)["@odata.count"], 2);
    let of = bench.get(&format!("/v1.0/users/{ada}/memberOf?$select=displayName")).await;
    assert_eq!(ok(&of)["value"][0]["displayName"], "Tier 2");
    let leave = format!("{group}/members/{ada}/$ref");
    assert_eq!(bench.send(As::User, "DELETE", &leave, None).await.status, StatusCode::NO_CONTENT);
    expect(&bench.send(As::User, "DELETE", &leave, None).await, 404, "Request_ResourceNotFound");
    // Security groups are not kept.
    bench.send(As::User, "DELETE", &group, None).await;
    assert_eq!(
        ok(&bench.get("/v1.0/directory/deletedItems/microsoft.graph.group").await)["value"],
        json!([])
    );
}

#[tokio::test]
async fn groups_that_cannot_be() {
    let bench = Bench::new();
    let base = json!({"displayName": "g", "mailNickname": "g", "mailEnabled": false, "securityEnabled": true});
    for changes in [
        json!({"mailEnabled": true}),
        json!({"securityEnabled": false}),
        json!({"groupTypes": ["DynamicMembership"]}),
        json!({"groupTypes": ["Other"]}),
        json!({"mailNickname": "a b"}),
    ] {
        let mut group = base.clone();
        group.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let refused = bench.send(As::User, "POST", "/v1.0/groups", group).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{changes}");
    }
    let rule = json!({"displayName": "d", "mailNickname": "d", "mailEnabled": false, "securityEnabled": true,
        "groupTypes": ["DynamicMembership"], "membershipRule": "user.department -eq \"Sales\"", "membershipRuleProcessingState": "On"});
    let dynamic = bench.send(As::User, "POST", "/v1.0/groups", rule).await;
    let add = format!("/v1.0/groups/{}/members/$ref", ok(&dynamic)["id"].as_str().unwrap());
    let ada = somebody(&bench, "ada");
    let reference = json!({"@odata.id": format!("https://graph.microsoft.com/v1.0/users/{ada}")});
    expect(&bench.send(As::User, "POST", &add, reference).await, 400, "Request_BadRequest");
}

#[tokio::test]
async fn roles_are_given_and_taken_but_for_the_last_administrator() {
    let bench = Bench::new();
    let ada = somebody(&bench, "ada");
    let give =
        |role: &str| json!({"roleDefinitionId": role, "principalId": ada, "directoryScopeId": "/"});
    let path = "/v1.0/roleManagement/directory/roleAssignments";
    let given = bench.send(As::User, "POST", path, give(USER_ADMINISTRATOR)).await;
    assert_eq!(given.status, StatusCode::CREATED, "{}", given.text);
    expect(
        &bench.send(As::User, "POST", path, give(USER_ADMINISTRATOR)).await,
        400,
        "Request_BadRequest",
    );
    let held =
        bench.get(&format!("{path}?$filter=principalId%20eq%20'{ada}'&$expand=principal")).await;
    assert_eq!(ok(&held)["value"][0]["principal"]["displayName"], "ada");
    let members = format!("/v1.0/directoryRoles/roleTemplateId={USER_ADMINISTRATOR}/members");
    assert_eq!(ok(&bench.get(&members).await)["value"][0]["id"], ada.as_str());
    let leave = format!("{members}/{ada}/$ref");
    assert_eq!(bench.send(As::User, "DELETE", &leave, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(
        ok(&bench.get(&format!("{path}?$filter=principalId%20eq%20'{ada}'")).await)["value"],
        json!([])
    );

    let admins = bench
        .get(&format!("{path}?$filter=roleDefinitionId%20eq%20'{GLOBAL_ADMINISTRATOR}'"))
        .await;
    let last = &ok(&admins)["value"][0];
    let last_path = format!("{path}/{}", last["id"].as_str().unwrap());
    expect(&bench.send(As::User, "DELETE", &last_path, None).await, 400, "Request_BadRequest");
    let admin = format!("/v1.0/users/{}", last["principalId"].as_str().unwrap());
    expect(&bench.send(As::User, "DELETE", &admin, None).await, 400, "Request_BadRequest");
}

#[tokio::test]
async fn eligibility_is_no_assignment() {
    let bench = Bench::new();
    let ada = somebody(&bench, "ada");
    let request = json!({"action": "adminAssign", "principalId": ada, "roleDefinitionId": GLOBAL_ADMINISTRATOR, "directoryScopeId": "/",
        "scheduleInfo": {"startDateTime": "2026-01-01T00:00:00Z", "expiration": {"type": "noExpiration"}}});
    let root = "/v1.0/roleManagement/directory";
    let path = format!("{root}/roleEligibilityScheduleRequests");
    assert_eq!(
        bench.send(As::User, "POST", &path, request.clone()).await.status,
        StatusCode::CREATED
    );
    expect(
        &bench.send(As::User, "POST", &path, request.clone()).await,
        400,
        "RoleAssignmentExists",
    );
    let of_ada = |name: &str| format!("{root}/{name}?$filter=principalId%20eq%20'{ada}'");
    assert_eq!(
        ok(&bench.get(&of_ada("roleEligibilitySchedules")).await)["value"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(ok(&bench.get(&of_ada("roleAssignments")).await)["value"], json!([]));
    let mut remove = request;
    remove["action"] = "adminRemove".into();
    ok(&bench.send(As::User, "POST", &path, remove).await);
    assert_eq!(
        ok(&bench.get(&of_ada("roleEligibilityScheduleInstances")).await)["value"],
        json!([])
    );
}

#[tokio::test]
async fn callers_do_what_they_may() {
    let bench = Bench::new();
    let ada = somebody(&bench, "ada");
    let nobody = signed_in(&bench, &ada, true);
    let admin = ok(&bench.get("/v1.0/me?$select=id").await)["id"].as_str().unwrap().to_owned();
    let admin_path = format!("/v1.0/users/{admin}");
    ok(&nobody.get("/v1.0/users").await);
    expect(
        &nobody.send(As::User, "POST", "/v1.0/users", new_user("x")).await,
        403,
        "Authorization_RequestDenied",
    );
    ok(&nobody.get(GDAP).await);
    // A user administrator handles users, not administrators.
    behind(&bench, |tx| directory::assign_role(tx, &ada, USER_ADMINISTRATOR).map(|_| ()));
    create_user(&nobody, "ben").await;
    expect(
        &nobody.send(As::User, "DELETE", &admin_path, None).await,
        403,
        "Authorization_RequestDenied",
    );
    let password = json!({"passwordProfile": {"password": "xWwvJ]6NMw+bWH-d"}});
    expect(
        &nobody.send(As::User, "PATCH", &admin_path, password.clone()).await,
        403,
        "Authorization_RequestDenied",
    );
    // Neither does an application for itself.
    expect(
        &bench.send(As::App, "PATCH", &admin_path, password).await,
        403,
        "Authorization_RequestDenied",
    );
    ok(&bench.send(As::App, "POST", "/v1.0/users", new_user("chie")).await);
    expect(&bench.send(As::App, "GET", "/v1.0/me", None).await, 400, "BadRequest");
    expect(
        &bench.send(As::Nobody, "GET", "/v1.0/users", None).await,
        401,
        "InvalidAuthenticationToken",
    );
    behind(&bench, |tx| {
        let mut user = tx.get::<User>(&ada)?.unwrap().document;
        user.user_type = "Guest".to_owned();
        tx.put(&user).map(|_| ())
    });
    expect(&nobody.get("/v1.0/users").await, 403, "Authorization_RequestDenied");
}

#[tokio::test]
async fn batches_answer_each_item() {
    let bench = Bench::new();
    let ada = somebody(&bench, "ada");
    let body = json!({"requests": [
        {"id": "1", "method": "GET", "url": format!("/users/{ada}?$select=displayName"), "depends_on": null},
        {"id": "2", "method": "GET", "url": "/users/nobody"},
        {"id": "3", "method": "PATCH", "url": format!("/users/{ada}"), "headers": {"content-type": "application/json"}, "body": {"jobTitle": "x"}, "dependsOn": ["1"]},
        {"id": "4", "method": "GET", "url": "/users", "dependsOn": ["2"]},
        {"id": "5", "method": "GET", "url": "/v1.0/users"},
        {"id": "6", "method": "GET", "url": "https://graph.microsoft.com/v1.0/users"},
        {"id": "7", "method": "POST", "url": "/users", "body": {}},
        {"id": "8", "method": "GET", "url": "/users?$top=1&$select=id"},
    ]});
    let answer = bench.send(As::User, "POST", "/v1.0/$batch", body).await;
    let mut items: Vec<&Value> = ok(&answer)["responses"].as_array().unwrap().iter().collect();
    items.sort_by_key(|item| item["id"].as_str().unwrap().to_owned());
    let statuses: Vec<u64> = items.iter().map(|item| item["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 404, 204, 424, 400, 400, 400, 200]);
    assert_eq!(items[0]["headers"]["Content-Type"], "application/json");
    assert_eq!(items[0]["body"]["displayName"], "ada");
    assert_eq!(items[1]["headers"]["Content-Type"], "application/json");
    assert!(items[1]["body"]["error"]["innerError"]["request-id"].is_string());
    assert_eq!(items[2].get("body"), None);
    let link = items[7]["body"]["@odata.nextLink"].as_str().unwrap();
    assert!(link.starts_with("http://emulator.example/v1.0/users?"), "{link}");
    let many: Vec<Value> =
        (0..21).map(|n| json!({"id": n.to_string(), "method": "GET", "url": "/me"})).collect();
    expect(
        &bench.send(As::User, "POST", "/v1.0/$batch", json!({"requests": many})).await,
        400,
        "BadRequest",
    );
}

fn wanted(name: &str) -> Value {
    json!({
        "displayName": name, "duration": "P730D", "autoExtendDuration": "P180D",
        "customer": {"tenantId": "4b827261-d21f-4aa9-b7db-7fa1f56fb163"},
        "accessDetails": {"unifiedRoles": [{"roleDefinitionId": HELPDESK}, {"roleDefinitionId": READERS}]},
    })
}

fn contoso() -> Customer {
    Customer {
        tenant_id: "4b827261-d21f-4aa9-b7db-7fa1f56fb163".to_owned(),
        display_name: Some("Contoso".to_owned()),
    }
}

fn approve(bench: &Bench, id: &str) {
    bench.emulator.world.store().write(|tx| gdap::approve(tx, id, &contoso())).unwrap();
}

async fn active(bench: &Bench, body: Value) -> String {
    let made = bench.send(As::User, "POST", GDAP, body).await;
    let id = ok(&made)["id"].as_str().unwrap().to_owned();
    let lock = json!({"action": "lockForApproval"});
    let asked = bench.send(As::User, "POST", &format!("{GDAP}/{id}/requests"), lock).await;
    assert_eq!((asked.status, &asked.body["status"]), (StatusCode::CREATED, &json!("created")));
    let seen = bench.get(&format!("{GDAP}/{id}")).await;
    assert_eq!(ok(&seen)["status"], "approvalPending");
    approve(bench, &id);
    id
}

async fn patch(bench: &Bench, path: &str, body: Value) -> Answer {
    let tag = bench.get(path).await.body["@odata.etag"].as_str().unwrap().to_owned();
    bench.send_with(As::User, "PATCH", path, &[("If-Match", &tag)], body).await
}

#[tokio::test]
async fn a_relationship_lives_from_creation_to_the_end() {
    let bench = Bench::new();
    let id = active(&bench, wanted("operations")).await;
    let path = format!("{GDAP}/{id}");
    let seen = bench.get(&path).await;
    assert_eq!(
        (&ok(&seen)["status"], &seen.body["customer"]["displayName"]),
        (&json!("active"), &json!("Contoso"))
    );
    assert!(seen.body["endDateTime"].is_string());
    let customers = bench.get("/v1.0/tenantRelationships/delegatedAdminCustomers").await;
    assert_eq!(ok(&customers)["value"][0]["displayName"], "Contoso");

    let group = behind(&bench, |tx| Ok(group_by_name(tx, ADMIN_AGENTS)?.unwrap().document.id));
    let assign = json!({
        "accessContainer": {"accessContainerId": group, "accessContainerType": "securityGroup"},
        "accessDetails": {"unifiedRoles": [{"roleDefinitionId": HELPDESK}, {"roleDefinitionId": READERS}]},
    });
    let assignments = format!("{path}/accessAssignments");
    let assigned = bench.send(As::User, "POST", &assignments, assign.clone()).await;
    assert_eq!(
        (assigned.status, &assigned.body["status"]),
        (StatusCode::CREATED, &json!("pending"))
    );
    expect(&bench.send(As::User, "POST", &assignments, assign).await, 409, "conflict");
    let one = format!("{assignments}/{}", assigned.body["id"].as_str().unwrap());
    assert_eq!(ok(&bench.get(&one).await)["status"], "active");

    let narrower = json!({"accessDetails": {"unifiedRoles": [{"roleDefinitionId": READERS}]}});
    let accepted = patch(&bench, &one, narrower.clone()).await;
    assert_eq!((accepted.status, &accepted.body), (StatusCode::ACCEPTED, &json!({})));
    assert_eq!(accepted.headers["retry-after"], "10");
    let operation = bench.get(&local(&json!(accepted.headers["location"].to_str().unwrap()))).await;
    assert_eq!(ok(&operation)["status"], "succeeded");
    assert_eq!(ok(&bench.get(&one).await)["accessDetails"], narrower["accessDetails"]);
    // The same again changes nothing.
    assert_eq!(patch(&bench, &one, narrower).await.status, StatusCode::OK);
    let wider =
        json!({"accessDetails": {"unifiedRoles": [{"roleDefinitionId": GLOBAL_ADMINISTRATOR}]}});
    expect(&patch(&bench, &one, wider).await, 400, "badRequest");

    let tag = bench.get(&one).await.body["@odata.etag"].as_str().unwrap().to_owned();
    let deleted = bench.send_with(As::User, "DELETE", &one, &[("If-Match", &tag)], None).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    assert_eq!(ok(&bench.get(&one).await)["status"], "deleted");
    expect(
        &bench.send_with(As::User, "DELETE", &path, &[("If-Match", "*")], None).await,
        400,
        "badRequest",
    );
    let end = json!({"action": "terminate"});
    ok(&bench.send(As::User, "POST", &format!("{path}/requests"), end).await);
    assert_eq!(ok(&bench.get(&path).await)["status"], "terminated");
    let customers = bench.get("/v1.0/tenantRelationships/delegatedAdminCustomers").await;
    assert_eq!(ok(&customers)["value"], json!([]));
}

#[tokio::test]
async fn steps_take_their_time_when_they_are_told_to() {
    let bench = Bench::new();
    let mut quirks = bench.emulator.world.quirks();
    quirks.step_seconds = 60;
    bench.emulator.world.set_quirks(quirks).unwrap();
    let made = bench.send(As::User, "POST", GDAP, wanted("slow")).await;
    let id = ok(&made)["id"].as_str().unwrap().to_owned();
    let path = format!("{GDAP}/{id}");
    let lock = json!({"action": "lockForApproval"});
    ok(&bench.send(As::User, "POST", &format!("{path}/requests"), lock.clone()).await);
    expect(
        &bench.send(As::User, "POST", &format!("{path}/requests"), lock).await,
        400,
        "badRequest",
    );
    let mut seen = vec![bench.get(&path).await.body["status"].as_str().unwrap().to_owned()];
    for minute in 1..=4i64 {
        behind(&bench, |tx| tx.set_clock(SignedDuration::from_mins(minute * 2)));
        if minute == 2 {
            approve(&bench, &id);
        }
        seen.push(bench.get(&path).await.body["status"].as_str().unwrap().to_owned());
    }
    assert_eq!(seen, ["created", "approvalPending", "approved", "active", "active"]);
}

#[tokio::test]
async fn only_who_saw_what_is_there_may_change_it() {
    let bench = Bench::new();
    let made = bench.send(As::User, "POST", GDAP, wanted("operations")).await;
    assert_eq!(
        (&ok(&made)["activatedDateTime"], &made.body["endDateTime"]),
        (&json!(""), &json!(""))
    );
    let path = format!("{GDAP}/{}", made.body["id"].as_str().unwrap());
    let tag = made.body["@odata.etag"].as_str().unwrap().to_owned();
    let body = json!({"displayName": "renamed", "duration": "P31D"});
    expect(&bench.send(As::User, "PATCH", &path, body.clone()).await, 400, "badRequest");
    let first =
        bench.send_with(As::User, "PATCH", &path, &[("If-Match", &tag)], body.clone()).await;
    assert_eq!(
        (&ok(&first)["displayName"], &first.body["duration"]),
        (&json!("renamed"), &json!("P31D"))
    );
    expect(
        &bench.send_with(As::User, "PATCH", &path, &[("If-Match", &tag)], body).await,
        412,
        "preconditionFailed",
    );
    for (name, value) in [
        ("duration", json!("730 days, 0:00:00")),
        ("autoExtendDuration", json!("P90D")),
        ("status", json!("active")),
    ] {
        expect(&patch(&bench, &path, json!({name: value})).await, 400, "badRequest");
    }
    expect(&bench.send(As::User, "POST", GDAP, wanted("RENAMED")).await, 400, "badRequest");
    expect(&bench.get(&format!("{GDAP}/x")).await, 400, "badRequest");
    let unknown = format!("{GDAP}/{0}-{0}", "4b827261-d21f-4aa9-b7db-7fa1f56fb163");
    expect(&bench.get(&unknown).await, 404, "notFound");
    let (etag, gone) =
        (bench.get(&path).await.body["@odata.etag"].as_str().unwrap().to_owned(), &path);
    let deleted = bench.send_with(As::User, "DELETE", gone, &[("If-Match", &etag)], None).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn of_an_active_one_little_changes() {
    let bench = Bench::new();
    let mut body = wanted("with global");
    body["autoExtendDuration"] = "PT0S".into();
    body["accessDetails"]["unifiedRoles"]
        .as_array_mut()
        .unwrap()
        .push(json!({"roleDefinitionId": GLOBAL_ADMINISTRATOR}));
    let id = active(&bench, body).await;
    let path = format!("{GDAP}/{id}");
    expect(&patch(&bench, &path, json!({"autoExtendDuration": "P180D"})).await, 400, "badRequest");
    expect(&patch(&bench, &path, json!({"displayName": "x"})).await, 400, "badRequest");
    let only_readers = json!({"accessDetails": {"unifiedRoles": [{"roleDefinitionId": READERS}]}});
    let ignored = patch(&bench, &path, only_readers).await;
    assert_eq!(
        (ignored.status, ignored.body["accessDetails"]["unifiedRoles"].as_array().unwrap().len()),
        (StatusCode::OK, 3)
    );
    let without = json!({"accessDetails": {"unifiedRoles": [{"roleDefinitionId": READERS}, {"roleDefinitionId": HELPDESK}]}});
    assert_eq!(patch(&bench, &path, without).await.status, StatusCode::ACCEPTED);
    assert_eq!(
        bench.get(&path).await.body["accessDetails"]["unifiedRoles"].as_array().unwrap().len(),
        2
    );
    let hidden = bench.get(&format!("{path}/operations")).await;
    assert_eq!(ok(&hidden)["value"][0]["operationType"], "unknownFutureValue");
    let prefer = &[("Prefer", "include-unknown-enum-members")];
    let shown = bench.send_with(As::User, "GET", &format!("{path}/operations"), prefer, None).await;
    assert_eq!(shown.body["value"][0]["operationType"], "delegatedAdminRelationshipUpdate");
    assert_eq!(shown.headers["preference-applied"], "include-unknown-enum-members");
    let extended = patch(&bench, &path, json!({"autoExtendDuration": "P180D"})).await;
    assert_eq!(ok(&extended)["autoExtendDuration"], "P180D");
}

#[tokio::test]
async fn delegated_access_is_for_admin_agents_with_a_second_factor() {
    let bench = Bench::new();
    let ada = somebody(&bench, "ada");
    let ada_there = signed_in(&bench, &ada, true);
    ok(&ada_there.get(GDAP).await);
    expect(&ada_there.send(As::User, "POST", GDAP, wanted("a")).await, 403, "forbidden");
    // A global administrator is no admin agent.
    behind(&bench, |tx| directory::assign_role(tx, &ada, GLOBAL_ADMINISTRATOR).map(|_| ()));
    expect(&ada_there.send(As::User, "POST", GDAP, wanted("a")).await, 403, "forbidden");
    behind(&bench, |tx| {
        let group = group_by_name(tx, ADMIN_AGENTS)?.unwrap();
        directory::add_member(tx, &group.id, &ada, Sort::User)
    });
    ok(&ada_there.send(As::User, "POST", GDAP, wanted("a")).await);
    expect(&signed_in(&bench, &ada, false).get(GDAP).await, 403, "forbidden");
    ok(&bench.send(As::App, "GET", GDAP, None).await);
    behind(&bench, |tx| {
        let id = crate::emulator::tenant::DELEGATED_ADMINISTRATION;
        let found = tx.find::<ServicePrincipal>("app-id", id)?.unwrap();
        tx.purge::<ServicePrincipal>(&found.id).map(|_| ())
    });
    expect(&bench.send(As::App, "GET", GDAP, None).await, 403, "forbidden");
}

#[tokio::test]
async fn what_a_provider_made_waits_for_the_reseller() {
    let bench = Bench::new();
    let draft = gdap::Draft {
        display_name: "by the provider".to_owned(),
        duration_days: 30,
        customer: None,
        roles: vec![READERS.to_owned()],
        auto_extends: false,
    };
    let store = bench.emulator.world.store();
    let made = store
        .write(|tx| {
            let mut made = gdap::create(tx, draft)?;
            made.lock(tx.now())?;
            made.provider =
                Some(Provider { tenant_id: "p-1".to_owned(), is_consent_pending: true });
            tx.put(&made)?;
            Ok::<_, gdap::Refusal>(made)
        })
        .unwrap();
    let path = format!("{GDAP}/{}", made.id);
    let seen = bench.get(&path).await;
    assert_eq!(ok(&seen)["@odata.type"], "#microsoft.graph.resellerDelegatedAdminRelationship");
    assert_eq!(seen.body["isPartnerConsentPending"], true);
    let consent = json!({"action": "approve"});
    ok(&bench.send(As::User, "POST", &format!("{path}/requests"), consent).await);
    assert_eq!(ok(&bench.get(&path).await)["isPartnerConsentPending"], false);
}

#[tokio::test]
async fn relationships_are_found_by_customer_and_status() {
    let bench = Bench::new();
    active(&bench, wanted("one")).await;
    ok(&bench.send(As::User, "POST", GDAP, wanted("two")).await);
    for (filter, names) in [
        ("status%20eq%20'active'", vec!["one"]),
        (
            "(customer/tenantId%20eq%20'4B827261-d21f-4aa9-b7db-7fa1f56fb163')%20and%20(status%20eq%20'created')",
            vec!["two"],
        ),
        ("status%20eq%20'expired'", vec![]),
        ("status%20eq%20'active'%20or%20displayName%20eq%20'TWO'", vec!["one", "two"]),
    ] {
        let page = bench
            .get(&format!(
                "{GDAP}?$filter={filter}&$count=true&$orderby=displayName&$select=id,displayName"
            ))
            .await;
        let found: Vec<&str> = ok(&page)["value"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["displayName"].as_str().unwrap())
            .collect();
        assert_eq!(found, names, "{filter}");
        assert_eq!(page.body["@odata.count"], names.len());
    }
    expect(&bench.get(&format!("{GDAP}?$top=301")).await, 400, "badRequest");
    expect(&bench.get(&format!("{GDAP}?$expand=requests")).await, 400, "badRequest");
}

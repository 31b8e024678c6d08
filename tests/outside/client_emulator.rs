//! The wire client and the emulator, each with its own idea of the wire, in one process.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt;
use jiff::Timestamp;
use partnerctl::emulator::{Dump, Emulator};
use partnerctl::manifest::source::{Format, Source, Sources};
use partnerctl::manifest::{self, Load, ReadProject, Tables, TroubleKind};
use partnerctl::model::cloud::Cloud;
use partnerctl::model::directory_role::GLOBAL_ADMINISTRATOR;
use partnerctl::model::estate::Estate;
use partnerctl::model::id::{ApplicationId, RoleTemplateId};
use partnerctl::model::project::{self, Identity};
use partnerctl::model::scalar::Scalar;
use partnerctl::model::secret::SecretReference;
use partnerctl::model::time::Day;
use partnerctl::model::user::AgentLevel;
use partnerctl::partner::auth::{Credentials, Endpoints, Tokens, Vault};
use partnerctl::partner::clock::Clock;
use partnerctl::partner::graph::body::{Action, NewUser, PasswordProfile, UserFields};
use partnerctl::partner::pace::Pacer;
use partnerctl::partner::retry::Patience;
use partnerctl::partner::snapshot::{
    Aspect, DelegationStatus, GroupRef, Holding, Index, Marks, ObjectId, Scope, Snapshot, file,
};
use partnerctl::partner::transport::{Inside, Transport};
use partnerctl::partner::{Connection, Reader, Writer};
use secrecy::{ExposeSecret, SecretString};
use tower::ServiceExt;

use crate::world::{ACCOUNT, TODAY, USERS};

struct NoTables;

impl Tables for NoTables {
    fn open(&self, _: &str, _: &str) -> Result<(String, Vec<u8>), (TroubleKind, String)> {
        panic!("there are no tables")
    }
}

/// So many customers have given us delegated access.
const DELEGATED: usize = 25;

/// An estate with so many customers, users beside the two that there always are, and groups.
pub(crate) fn estate(customers: usize, users: usize, groups: usize) -> Estate {
    let mut text = format!("{ACCOUNT}---\n{USERS}");
    for n in 0..customers {
        let labels = if n < DELEGATED { ", labels: {tier: gold}" } else { "" };
        writeln!(
            text,
            "---\napiVersion: partnerctl/v1\nkind: Customer\nmetadata: {{name: c-{n}{labels}}}\nspec:\n  companyName: Customer {n}\n  domain: c{n}.onmicrosoft.com\n  tenantId: 00000000-0d3c-4b3e-9c6a-{n:012x}"
        )
        .unwrap();
    }
    for n in 0..groups {
        writeln!(
            text,
            "---\napiVersion: partnerctl/v1\nkind: Role\nmetadata: {{name: r-{n}}}\nspec:\n  group: {{name: Group {n}, mailNickname: group-{n}}}"
        )
        .unwrap();
    }
    if groups > 0 {
        text.push_str("---\napiVersion: partnerctl/v1\nkind: DelegatedAccess\nmetadata: {name: gold}\nspec:\n  customers: {labels: {tier: gold}}\n  duration: P730D\n  grants: [{to: r-0, directoryRoles: [Service Support Administrator, Directory Readers]}]\n");
    }
    for n in 0..users {
        let role = n % groups.max(1);
        writeln!(
            text,
            "---\napiVersion: partnerctl/v1\nkind: User\nmetadata: {{name: u-{n}}}\nspec: {{displayName: User {n}, email: u{n}@fabrikam.example, agent: helpdesk, admin: none, roles: [r-{role}]}}"
        )
        .unwrap();
    }
    let mut sources = Sources::default();
    sources.add(Source { name: "all.yaml".into(), format: Format::Yaml, bytes: text.into() });
    let loaded = manifest::load(Load {
        sources,
        project: ReadProject::default(),
        project_name: "partnerctl.yaml".to_owned(),
        troubles: Vec::new(),
        tables: &NoTables,
        examiner: &partnerctl::policy::check::Policies,
        complete: false,
        today: Day::parse(TODAY).unwrap(),
    });
    assert!(!loaded.has_errors());
    loaded.estate
}

/// A tenant with so many customers, and a client that has signed in to it.
pub(crate) struct Tenant {
    pub(crate) emulator: Emulator,
    pub(crate) connection: Connection,
    folder: tempfile::TempDir,
}

/// A tenant as it was, and what one signed in with then.
pub(crate) struct Moment {
    dump: Dump,
    refresh: String,
}

impl Tenant {
    fn new(customers: usize, users: usize, groups: usize) -> Self {
        let tenant = Self::at(Clock::system(), &estate(customers, users, groups));
        // The same decisions as ever, only sooner.
        let patience = Patience {
            first_wait: Duration::from_millis(1),
            wait_max: Duration::from_millis(20),
            ..Patience::default()
        };
        Self { connection: Connection { patience, ..tenant.connection }, ..tenant }
    }

    /// An estate that is live, and a client that goes by a clock.
    pub(crate) fn at(clock: Clock, estate: &Estate) -> Self {
        let emulator = Emulator::in_memory(1).unwrap();
        emulator.seed(estate).unwrap();
        let transport: Arc<dyn Transport> = Arc::new(Inside::new(emulator.service()));
        let own = emulator.credentials().unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secret"), own.client_secret.expose_secret()).unwrap();
        std::fs::write(folder.path().join("refresh"), own.refresh_token.expose_secret()).unwrap();
        let identity = Identity {
            client_id: ApplicationId::parse(&own.client_id).unwrap(),
            client_secret: Some(SecretReference::File("secret".into())),
            certificate: None,
            refresh_token: Some(SecretReference::File("refresh".into())),
            federated: None,
        };
        let base = Some(partnerctl::model::contact::Url::parse("http://tenant.localhost").unwrap());
        let endpoints = project::Endpoints {
            login: base.clone(),
            graph: base.clone(),
            partner_center: base,
            admin: None,
        };
        let endpoints = Endpoints::new(Cloud::Global, &endpoints).unwrap();
        let tokens = Tokens::new(
            Arc::clone(&transport),
            endpoints.clone(),
            own.tenant,
            Credentials::Identity(identity),
            Vault::with_environment(folder.path(), Arc::new(|_| None)),
            clock,
        );
        let connection = Connection {
            transport,
            endpoints,
            tokens: Arc::new(tokens),
            pacer: Pacer::new(clock),
            clock,
            patience: Patience::default(),
        };
        Self { emulator, connection, folder }
    }

    pub(crate) fn moment(&self) -> Moment {
        let refresh = std::fs::read_to_string(self.folder.path().join("refresh")).unwrap();
        Moment { dump: self.emulator.dump().unwrap(), refresh }
    }

    pub(crate) fn back_to(&self, moment: &Moment) {
        self.emulator.take_over(&moment.dump).unwrap();
        std::fs::write(self.folder.path().join("refresh"), &moment.refresh).unwrap();
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader::new(self.connection.clone())
    }

    pub(crate) async fn command(&self, method: &str, path: &str, body: &str) -> serde_json::Value {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("http://tenant.localhost/_emulator/{path}"))
            .header("content-type", "application/json")
            .body(Body::from(body.to_owned()))
            .unwrap();
        let response = self.emulator.router().oneshot(request).await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
        let body = response.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&body).unwrap_or_default()
    }

    /// Requests to the two services since the log was last emptied; all of them changed nothing.
    async fn questions(&self) -> usize {
        let log = self.command("GET", "log", "").await;
        let asked: Vec<&serde_json::Value> = log["entries"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|entry| entry["path"].as_str().is_some_and(|path| path.starts_with("/v1")))
            .collect();
        for entry in &asked {
            let (method, path) =
                (entry["method"].as_str().unwrap(), entry["path"].as_str().unwrap());
            let items = entry["items"].as_array();
            match method {
                "GET" | "HEAD" => {}
                "POST" if path == "/v1.0/$batch" => {
                    assert!(
                        items.is_some_and(|items| items.iter().all(|item| item["method"] == "GET")),
                        "{entry}"
                    );
                }
                _ => panic!("{method} {path}"),
            }
        }
        self.command("DELETE", "log", "").await;
        asked.len()
    }
}

pub(crate) fn scope() -> Scope {
    Scope {
        groups: (0..40).map(|n| GroupRef::Name(format!("Group {n}"))).collect(),
        ..Scope::everything()
    }
}

pub(crate) fn user(snapshot: &Snapshot, name: &str) -> ObjectId {
    Index::new(snapshot).user(name).unwrap()
}

pub(crate) fn group(snapshot: &Snapshot, name: &str) -> ObjectId {
    *snapshot.groups.iter().find(|(_, group)| group.name == name).unwrap().0
}

/// Two snapshots of one moment, but for what says when and how they were taken.
pub(crate) fn assert_same(left: &Snapshot, right: &Snapshot, case: &str) {
    let bare = |snapshot: &Snapshot| Snapshot {
        observed_at: Timestamp::UNIX_EPOCH,
        blind: Vec::new(),
        marks: Marks::default(),
        ..snapshot.clone()
    };
    let (left, right) = (bare(left), bare(right));
    for (id, group) in &left.groups {
        assert_eq!(Some(group), right.groups.get(id), "{case}");
    }
    for (id, user) in &left.users {
        assert_eq!(Some(user), right.users.get(id), "{case}");
    }
    for (id, delegation) in &left.delegated {
        assert_eq!(Some(delegation), right.delegated.get(id), "{case}");
    }
    assert_eq!(left.assignments, right.assignments, "{case}");
    assert_eq!(left.profiles, right.profiles, "{case}");
    assert!(left == right, "{case}"); // far too much to be shown
}

#[tokio::test(flavor = "current_thread")]
async fn a_large_tenant_is_read_in_few_calls_and_ten_changes_in_fewer() {
    let tenant = Tenant::new(10_000, 500, 40);
    let reader = tenant.reader();
    let first = reader.snapshot(&scope(), None).await.unwrap();
    assert_eq!((first.customers.len(), first.groups.len() >= 40), (10_000, true));
    assert!(first.users.len() >= 502, "{}", first.users.len());
    let index = Index::new(&first);
    let ben = user(&first, "u7@fabrikam.example");
    assert_eq!(index.agent_levels(ben), [AgentLevel::Helpdesk]);
    assert!(index.groups_of(ben).contains(&group(&first, "Group 7")));
    let chie = user(&first, "chie@fabrikam.example");
    assert!(index.holds(chie, GLOBAL_ADMINISTRATOR.0, Holding::Active));
    assert_eq!(first.delegated.len(), DELEGATED);
    for delegation in first.delegated.values() {
        assert_eq!(delegation.status, DelegationStatus::Active);
        assert_eq!((delegation.duration_days, delegation.roles.len()), (Some(730), 2));
        let assignments = delegation.assignments.as_ref().unwrap();
        assert_eq!(assignments[0].group, group(&first, "Group 0"));
    }
    assert!(first.tenant.is_some() && first.domains.contains("fabrikam.example"));
    let full = tenant.questions().await;
    assert!(full <= 120, "{full} calls");
    assert_eq!(u64::try_from(full).unwrap(), reader.calls());

    let writer = Writer::new(tenant.connection.clone());
    for id in first.customers.keys().take(3) {
        writer.end_relationship(*id).await.unwrap();
    }
    let (ended, _) = first.delegated.first_key_value().unwrap();
    writer.request_delegation(ended, Action::Terminate).await.unwrap();
    writer.add_member(group(&first, "Group 1"), chie).await.unwrap();
    writer.remove_member(group(&first, "Group 7"), ben).await.unwrap();
    let disabled = UserFields { account_enabled: Some(false), ..UserFields::default() };
    writer.update_user(ben, &disabled).await.unwrap();
    writer.delete_user(user(&first, "u9@fabrikam.example")).await.unwrap();
    let billing = RoleTemplateId::parse("b0f54661-2d74-4c50-afa3-1ec803f12efe").unwrap();
    writer.assign_role(billing, ben, "/").await.unwrap();
    let new = NewUser {
        account_enabled: true,
        mail_nickname: "new".to_owned(),
        user_principal_name: "new@fabrikam.example".to_owned(),
        fields: UserFields { display_name: Some("New".to_owned()), ..UserFields::default() },
        password_profile: PasswordProfile::temporary(SecretString::from("Canary-Pass-1234!")),
    };
    writer.create_user(&new).await.unwrap();
    tenant.command("DELETE", "log", "").await;

    let second = reader.snapshot(&scope(), Some(&first)).await.unwrap();
    let changed = tenant.questions().await;
    assert!(changed <= 20, "{changed} calls");
    assert_eq!(second.customers.len(), 9_997);
    assert_eq!(second.users[&ben].enabled, Some(false));
    assert!(second.blind.iter().any(|blind| blind.aspect == Aspect::CustomerNames));
    let whole = reader.snapshot(&scope(), None).await.unwrap();
    assert_same(&second, &whole, "by what changed, and anew");
    let written = file::write(&second).unwrap();
    assert_eq!(file::read(&written).unwrap(), second);
    // A quiet tenant is quiet.
    tenant.command("DELETE", "log", "").await;
    let third = reader.snapshot(&scope(), Some(&second)).await.unwrap();
    assert_same(&third, &second, "nothing happened");
    let quiet = tenant.questions().await;
    // Who asked for less before is told everything now.
    let customers = Scope { customers: true, ..Scope::default() };
    let less = reader.snapshot(&customers, None).await.unwrap();
    assert!(less.users.is_empty() && less.customers.len() == second.customers.len());
    let more = reader.snapshot(&scope(), Some(&less)).await.unwrap();
    assert_same(&more, &second, "from less to more");
    assert!(quiet <= 12, "{quiet} calls");
    println!("{full} calls in full, {changed} after ten changes, {quiet} after none");
}

/// What is seen does not depend on how large the pages are that it comes in.
#[tokio::test]
async fn pages_of_any_size_show_the_same() {
    let tenant = Tenant::new(60, 40, 4);
    let scope = scope();
    let whole = tenant.reader().snapshot(&scope, None).await.unwrap();
    tenant.command("PUT", "quirks", r#"{"pageItemsMax": 7}"#).await;
    let reader = tenant.reader();
    let pieces = reader.snapshot(&scope, None).await.unwrap();
    assert!(reader.calls() > 15, "{}", reader.calls());
    let seen = |snapshot: Snapshot| Snapshot {
        observed_at: Timestamp::UNIX_EPOCH,
        marks: Marks::default(),
        ..snapshot
    };
    assert_eq!(seen(pieces), seen(whole));
}

//! The wire client and the emulator, each with its own idea of the wire, in one process.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt;
use partnerctl::emulator::Emulator;
use partnerctl::manifest::source::{Format, Source, Sources};
use partnerctl::manifest::{self, Load, ReadProject, Tables, TroubleKind};
use partnerctl::model::cloud::Cloud;
use partnerctl::model::estate::Estate;
use partnerctl::model::id::ApplicationId;
use partnerctl::model::project::{self, Identity};
use partnerctl::model::scalar::Scalar;
use partnerctl::model::secret::SecretReference;
use partnerctl::model::time::Day;
use partnerctl::partner::auth::{Credentials, Endpoints, Tokens, Vault};
use partnerctl::partner::clock::Clock;
use partnerctl::partner::pace::Pacer;
use partnerctl::partner::retry::Patience;
use partnerctl::partner::snapshot::{Scope, Snapshot};
use partnerctl::partner::transport::{Inside, Transport};
use partnerctl::partner::{Connection, Reader, Writer};
use secrecy::ExposeSecret;
use tower::ServiceExt;

use crate::world::{ACCOUNT, TODAY, USERS};

struct NoTables;

impl Tables for NoTables {
    fn open(&self, _: &str, _: &str) -> Result<(String, Vec<u8>), (TroubleKind, String)> {
        panic!("there are no tables")
    }
}

fn estate(customers: usize) -> Estate {
    let mut text = format!("{ACCOUNT}---\n{USERS}");
    for n in 0..customers {
        writeln!(
            text,
            "---\napiVersion: partnerctl/v1\nkind: Customer\nmetadata: {{name: c-{n}}}\nspec:\n  companyName: Customer {n}\n  domain: c{n}.onmicrosoft.com\n  tenantId: 00000000-0d3c-4b3e-9c6a-{n:012x}"
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
struct Tenant {
    emulator: Emulator,
    connection: Connection,
    _folder: tempfile::TempDir,
}

impl Tenant {
    fn new(customers: usize) -> Self {
        let emulator = Emulator::in_memory(1).unwrap();
        emulator.seed(&estate(customers)).unwrap();
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
        let clock = Clock::system();
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
            // The same decisions as ever, only sooner.
            patience: Patience {
                first_wait: Duration::from_millis(1),
                wait_max: Duration::from_millis(20),
                ..Patience::default()
            },
        };
        Self { emulator, connection, _folder: folder }
    }

    fn reader(&self) -> Reader {
        Reader::new(self.connection.clone())
    }

    async fn command(&self, method: &str, path: &str, body: &str) -> serde_json::Value {
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

fn scope() -> Scope {
    Scope {
        users: false,
        delegated: partnerctl::partner::snapshot::Delegated::Relationships,
        ..Scope::everything()
    }
}

fn tenants(snapshot: &Snapshot) -> BTreeSet<String> {
    snapshot.customers.keys().map(ToString::to_string).collect()
}

#[tokio::test(flavor = "current_thread")]
async fn ten_thousand_customers_are_read_in_few_calls_and_ten_changes_in_fewer() {
    let tenant = Tenant::new(10_000);
    let reader = tenant.reader();
    let first = reader.snapshot(&scope(), None).await.unwrap();
    assert_eq!(first.customers.len(), 10_000);
    let full = tenant.questions().await;
    assert!(full <= 120, "{full} calls");
    assert_eq!(u64::try_from(full).unwrap(), reader.calls());
    let writer = Writer::new(tenant.connection.clone());
    for id in first.customers.keys().take(10) {
        writer.end_relationship(*id).await.unwrap();
    }
    tenant.command("DELETE", "log", "").await;
    let second = reader.snapshot(&scope(), Some(&first)).await.unwrap();
    let changed = tenant.questions().await;
    assert!(changed <= 20, "{changed} calls");
    assert_eq!(second.customers.len(), 9_990);
    let whole = reader.snapshot(&scope(), None).await.unwrap();
    assert_eq!(whole.customers, second.customers);
    assert_eq!(whole.profiles, second.profiles);
    assert_eq!(whole.partnerships, second.partnerships);
}

/// A fifth of all requests goes wrong, in every way there is.
fn weather(seed: u64) -> String {
    let faults = [
        ("throttle", r#","retryAfter":0.01"#),
        ("error", ""),
        ("drop-before", ""),
        ("drop-after", ""),
        ("slow-body", r#","ms":2"#),
        ("expired-token", ""),
        ("malformed", ""),
        ("bom", ""),
        ("page-shift", ""),
        ("latency", r#","ms":2"#),
    ];
    let rules: Vec<String> = faults
        .iter()
        .map(|(fault, more)| format!(r#"{{"path":"/v1*","rate":0.022,"fault":"{fault}"{more}}}"#))
        .collect();
    format!(r#"{{"seed":{seed},"rules":[{}]}}"#, rules.join(","))
}

#[tokio::test(flavor = "current_thread")]
async fn in_bad_weather_a_tenant_is_read_completely_and_correctly() {
    let tenant = Tenant::new(2_000);
    let calm = tenant.reader().snapshot(&scope(), None).await.unwrap();
    assert_eq!(calm.customers.len(), 2_000);
    for seed in 1..=30 {
        tenant.command("PUT", "faults", &weather(seed)).await;
        // A limiter of its own, as each run has.
        let connection =
            Connection { pacer: Pacer::new(tenant.connection.clock), ..tenant.connection.clone() };
        let stormy = Reader::new(connection).snapshot(&scope(), None).await;
        tenant.command("DELETE", "faults", "").await;
        let stormy = stormy.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert_eq!(tenants(&stormy), tenants(&calm), "seed {seed}");
        assert_eq!(stormy.customers, calm.customers, "seed {seed}");
        assert_eq!(stormy.profiles, calm.profiles, "seed {seed}");
        assert_eq!(stormy.account_roles, calm.account_roles, "seed {seed}");
    }
}

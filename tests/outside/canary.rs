//! Secrets in no log, at its highest, and in no error: over a real socket, with every library talking.

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::response::IntoResponse;
use partnerctl::model::cloud::Cloud;
use partnerctl::model::contact::Url;
use partnerctl::model::id::ApplicationId;
use partnerctl::model::project::{self, Identity};
use partnerctl::model::scalar::Scalar;
use partnerctl::model::secret::SecretReference;
use partnerctl::partner::auth::{Credentials, Endpoints, Tokens, Vault};
use partnerctl::partner::clock::Clock;
use partnerctl::partner::graph::body::{NewUser, PasswordProfile, UserFields};
use partnerctl::partner::pace::Pacer;
use partnerctl::partner::retry::Patience;
use partnerctl::partner::transport::{Network, Transport};
use partnerctl::partner::{Connection, Reader, Writer};
use secrecy::SecretString;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A login authority that gives tokens, and services that repeat in their refusals what they were sent.
fn services() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let handler = |headers: http::HeaderMap, uri: http::Uri, body: String| async move {
        if uri.path().ends_with("/token") {
            return r#"{"access_token":"canary-access","expires_in":3599,"refresh_token":"canary-rotated"}"#
                .into_response();
        }
        let said = format!("{:?} {}", headers.get("authorization"), body.replace('"', "'"));
        let echo = serde_json::json!({"error": {"code": "echo", "message": said}});
        (http::StatusCode::BAD_REQUEST, echo.to_string()).into_response()
    };
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, Router::new().fallback(handler)).await.unwrap();
        });
    });
    format!("http://{address}")
}

fn connection(folder: &std::path::Path) -> Connection {
    let base = Some(Url::parse(&services()).unwrap());
    let replaced = project::Endpoints {
        login: base.clone(),
        graph: base.clone(),
        partner_center: base,
        admin: None,
    };
    let endpoints = Endpoints::new(Cloud::Global, &replaced).unwrap();
    let transport: Arc<dyn Transport> = Arc::new(Network::new().unwrap());
    let clock = Clock::system();
    let identity = Identity {
        client_id: ApplicationId::parse("23ec45a3-5127-4185-9eff-c8887839e6ab").unwrap(),
        client_secret: Some(SecretReference::Env("SECRET".into())),
        certificate: None,
        refresh_token: Some(SecretReference::File("refresh".into())),
        federated: None,
    };
    let vault = Vault::with_environment(folder, Arc::new(|_| Some("canary-secret".to_owned())));
    let tokens = Tokens::new(
        Arc::clone(&transport),
        endpoints.clone(),
        "fabrikam.onmicrosoft.com",
        Credentials::Identity(identity),
        vault,
        clock,
    );
    Connection {
        transport,
        endpoints,
        tokens: Arc::new(tokens),
        pacer: Pacer::new(clock),
        clock,
        patience: Patience::default(),
    }
}

#[tokio::test(flavor = "current_thread")]
async fn secrets_are_in_no_log_and_no_error() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("refresh"), "canary-refresh").unwrap();
    let log = Log::default();
    let written = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || written.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let connection = connection(folder.path());
    let user = NewUser {
        account_enabled: true,
        mail_nickname: "a".to_owned(),
        user_principal_name: "a@fabrikam.example".to_owned(),
        fields: UserFields::default(),
        password_profile: PasswordProfile::temporary(SecretString::from("canary-password")),
    };
    let writer = Writer::new(connection.clone());
    let reader = Reader::new(connection.clone());
    let refused = writer.create_user(&user).await.unwrap_err();
    let unread = reader.relationship_request().await.unwrap_err();
    drop(guard);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("TRACE") && log.contains("a new access token"), "nothing was logged");
    assert!(refused.to_string().contains("[hidden]"), "the services repeat nothing: {refused}");
    let shown = format!(
        "{log}{refused} {refused:?} {unread} {unread:?} {connection:?} {reader:?} {writer:?} {user:?}"
    );
    let at = shown.find("canary");
    assert!(at.is_none(), "{:?}", at.map(|at| shown.get(at.saturating_sub(300)..at + 40)));
    // In its own place, and nowhere else.
    assert_eq!(std::fs::read_to_string(folder.path().join("refresh")).unwrap(), "canary-rotated\n");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

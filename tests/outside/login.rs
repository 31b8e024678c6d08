//! `login` and `logout` against a login authority on this machine, over a real socket.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::post;

use crate::world::Folder;

/// An authority whose user enters the code after a while; returns its address.
fn authority() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let polls = Arc::new(AtomicU32::new(0));
    let code = r#"{"device_code":"canary-device-code","user_code":"R4N5-KPQ2","verification_uri":"https://login.example/device","expires_in":900,"interval":1}"#;
    let token = move |form: String| {
        let polls = Arc::clone(&polls);
        async move {
            assert!(form.contains("device_code=canary-device-code"), "{form}");
            if polls.fetch_add(1, Ordering::SeqCst) == 0 {
                let pending = include_str!("../wire-examples/device-code-pending-error.json");
                return (http::StatusCode::BAD_REQUEST, pending).into_response();
            }
            r#"{"access_token":"e30.eyJvaWQiOiI4N2QzNDllZC00NGQ3LTQzZTEtOWE4My01ZjI0MDZkZWU1YmQiLCJzY3AiOiJ1IiwiYW1yIjpbIm1mYSJdLCJ1cG4iOiJhaWtvQGZhYnJpa2FtLmV4YW1wbGUifQ.canary-signature","expires_in":3599,"refresh_token":"canary-refresh-token"}"#.into_response()
        }
    };
    let router = Router::new()
        .route(
            "/fabrikam.onmicrosoft.com/oauth2/v2.0/devicecode",
            post(move || async move { code }),
        )
        .route("/fabrikam.onmicrosoft.com/oauth2/v2.0/token", post(token));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
    });
    format!("http://{address}")
}

fn project(login: &str, auth: &str) -> String {
    format!(
        "apiVersion: partnerctl/v1\nkind: Project\nmetadata: {{name: fabrikam}}\nspec:\n  manifests: [estate]\n  contexts:\n    production:\n      tenant: fabrikam.onmicrosoft.com\n      auth: {auth}\n      endpoints: {{login: \"{login}\"}}\n"
    )
}

const WRITE: &str =
    "{write: {clientId: 23ec45a3-5127-4185-9eff-c8887839e6ab, refreshToken: {file: refresh}}}";

#[test]
fn a_code_is_entered_and_the_sign_in_is_kept_and_forgotten() {
    let folder = Folder::project().with("partnerctl.yaml", project(&authority(), WRITE));
    let ended = folder.run(&["login", "-v"]);
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (0, "signed in as aiko@fabrikam.example\n"),
        "{}",
        ended.err
    );
    assert!(ended.err.contains("open https://login.example/device and enter the code R4N5-KPQ2"));
    assert!(!format!("{}{}", ended.out, ended.err).contains("canary"), "{}", ended.err);
    let path = folder.path().join("refresh");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "canary-refresh-token\n");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let ended = folder.run(&["logout"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(!path.exists());
}

#[test]
fn where_there_is_nothing_to_sign_in_to_that_is_said() {
    let nowhere = "http://127.0.0.1:1";
    for (auth, args, says) in [
        ("{}", &["login"][..], "no identity `auth.write`"),
        (
            "{write: {clientId: 23ec45a3-5127-4185-9eff-c8887839e6ab}}",
            &["login"],
            "does not say where",
        ),
        (
            "{write: {clientId: 23ec45a3-5127-4185-9eff-c8887839e6ab, refreshToken: {env: X}}}",
            &["login"],
            "cannot be written",
        ),
        (WRITE, &["login", "--context", "staging"], "there is no context staging"),
        (WRITE, &["login", "--identity", "read"], "no identity `auth.read`"),
    ] {
        let folder = Folder::project().with("partnerctl.yaml", project(nowhere, auth));
        let ended = folder.run(args);
        assert_eq!(ended.code, 64, "{}", ended.err);
        assert!(ended.err.contains(says), "{}", ended.err);
    }
    let folder = Folder::project().with("partnerctl.yaml", project(nowhere, WRITE));
    let ended = folder.run(&["login"]);
    assert_eq!(ended.code, 1, "{}", ended.err);
    assert!(ended.err.contains("cannot be reached"), "{}", ended.err);
    let folder =
        Folder::project().with("partnerctl.yaml", project("http://login.fabrikam.example", WRITE));
    let ended = folder.run(&["login"]);
    assert_eq!(ended.code, 64, "{}", ended.err);
    assert!(ended.err.contains("is not encrypted"), "{}", ended.err);
}

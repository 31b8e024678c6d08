//! A tenant served by the program itself, in a process of its own, on a free port.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::emulator_bench::{CENTER, GRAPH};
use crate::world::Folder;

/// A served emulator, which ends with the test.
pub(crate) struct Served {
    child: Child,
    /// What it printed: how it is reached.
    line: Value,
    client: reqwest::Client,
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Served {
    pub(crate) fn start(folder: &Folder, args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_partnerctl"))
            .args(["emulator", "serve", "--listen", "127.0.0.1:0", "--format", "json"])
            .args(args)
            .current_dir(folder.path())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        let trusted = line["certificate"]
            .as_str()
            .map(|text| reqwest::Certificate::from_pem(text.as_bytes()).unwrap());
        let client = reqwest::Client::builder().no_proxy().tls_certs_only(trusted).build().unwrap();
        Self { child, line, client }
    }

    pub(crate) fn line(&self) -> &Value {
        &self.line
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.line[name].as_str().unwrap()
    }

    /// A client that trusts it and nobody else.
    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.client
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.text("url"))
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.send(self.client.get(self.url(path)), path).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        self.send(self.client.post(self.url(path)).json(body), path).await
    }

    /// As the tenant's own administrator.
    async fn send(&self, request: reqwest::RequestBuilder, path: &str) -> Value {
        let audience = if path.starts_with("/v1.0") { GRAPH } else { CENTER };
        let token = self.token(audience).await;
        let response = request.bearer_auth(token).send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap()
    }

    async fn token(&self, audience: &str) -> String {
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", self.text("clientId")),
            ("client_secret", self.text("clientSecret")),
            ("refresh_token", self.text("refreshToken")),
            ("scope", &format!("{audience}/.default")),
        ];
        let url = self.url(&format!("/{}/oauth2/v2.0/token", self.text("tenant")));
        let answer = self.client.post(url).form(&fields).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }
}

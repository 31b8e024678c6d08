//! One suite over both stores, and what only one of them can do.

mod files;
mod outage;
mod rights;
mod secure;
mod server;
mod suite;

use std::time::Duration;

use secrecy::ExposeSecret;

use super::*;
use crate::model::Str;
use crate::model::name::Kind;

/// A store that several connections can be opened to.
struct Store {
    place: Place,
    /// Kept until the test is over.
    _folder: Option<tempfile::TempDir>,
}

impl Store {
    fn file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { place: Place::File(folder.path().join("deep/ledger.db")), _folder: Some(folder) }
    }

    fn postgres() -> Self {
        Self { place: Place::Postgres(server::place()), _folder: None }
    }

    async fn open(&self) -> Ledger {
        Ledger::open(self.place.clone(), Opening::Create).await.unwrap()
    }

    /// SQL from outside, as somebody who tampers would.
    async fn tamper(&self, sql: &str) {
        match &self.place {
            Place::File(path) => {
                rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
            }
            Place::Postgres(place) => {
                let mut postgres = postgres::Postgres::open(place).await.unwrap();
                postgres.script(sql).await.unwrap();
            }
        }
    }
}

fn terms(holder: &str, duration_ms: u64, timeout_ms: u64) -> Terms {
    Terms {
        holder: holder.to_owned(),
        reason: "apply".to_owned(),
        duration: Duration::from_millis(duration_ms),
        request_timeout: Duration::from_millis(timeout_ms),
    }
}

async fn leased(ledger: &Ledger) -> Lease {
    ledger.acquire(terms("ana@runner", 60_000, 1_000)).await.unwrap()
}

fn key(name: &str) -> ObjectKey {
    ObjectKey { kind: Kind::User, name: Str::from(name) }
}

fn intent(step: &str) -> Intent {
    Intent {
        run: "run-1".to_owned(),
        step: step.to_owned(),
        attempt: 1,
        object: key(step),
        verb: "create".to_owned(),
        marker: Some(format!("{step}@fabrikam.example")),
        detail: Some(Json::of(&serde_json::json!({"displayName": "田中 愛子"})).unwrap()),
        effect: Effect {
            removals: 1,
            privileged_grants: 2,
            irreversible: 0,
            customer: Some("contoso".to_owned()),
        },
    }
}

fn managed(name: &str, estate: &str, remote: &str) -> Managed {
    Managed {
        key: key(name),
        estate: Str::from(estate),
        remote_id: Some(Str::from(remote)),
        origin: Origin::Made,
        spec: Json::of(&serde_json::json!({"displayName": name})).unwrap(),
        exchanges: [(
            "spec.phone".to_owned(),
            Exchange { sent: "+81 3 1234".into(), returned: "+8131234".into() },
        )]
        .into(),
        is_protected: true,
        formerly: Vec::new(),
        run: Some(Str::from("run-1")),
    }
}

fn put(name: &str, estate: &str, remote: &str) -> Change {
    Change::Put(Box::new(managed(name, estate, remote)))
}

fn started() -> Started {
    Started {
        estate: "fabrikam".to_owned(),
        actor: "user/deploy-bot".to_owned(),
        commit: Some("abc".to_owned()),
        plan_digest: "00".to_owned(),
        undoes: None,
        allowed: None,
        approved_by: Vec::new(),
    }
}

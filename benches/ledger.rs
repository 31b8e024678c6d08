//! What the ledger costs in a file: loading a hundred thousand managed objects, and a journal
//! entry with its outcome, a thousand of them sixteen at a time.
//!
//! `cargo bench --bench ledger`. CPU time of the whole process; figures are of this machine.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and stops when it cannot go on"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use nix::sys::resource::{UsageWho, getrusage};
use partnerctl::ledger::{
    Change, Effect, Intent, Json, Ledger, Managed, ObjectKey, Opening, Origin, Outcome, Place,
    Terms,
};
use partnerctl::model::name::Kind;

const OBJECTS: usize = 100_000;
const STEPS: usize = 1_000;
const PARALLEL: usize = 16;
const RUNS: usize = 5;

fn main() {
    // Only `cargo bench` says so; there is nothing to test here.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build();
    runtime.expect("a runtime").block_on(measure());
}

async fn measure() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::File(folder.path().join("ledger.db"));
    let ledger = Ledger::open(place, Opening::Create).await.expect("a ledger");
    let terms = Terms {
        holder: "bench".to_owned(),
        reason: "bench".to_owned(),
        duration: Duration::from_hours(1),
        request_timeout: Duration::from_mins(1),
    };
    let lease = ledger.acquire(terms).await.expect("the lease");
    let spec = serde_json::json!({"companyName": "Contoso", "domain": "contoso.example",
        "relationship": "reseller", "origin": "existing", "partnerships": ["northwind"],
        "contact": {"name": "Ken Sato", "email": "ken.sato@contoso.example", "language": "ja"}});
    let spec = Json::of(&spec).expect("JSON");
    let changes = (0..OBJECTS).map(|n| {
        Change::Put(Box::new(Managed {
            key: key(n),
            estate: "fabrikam".into(),
            remote_id: Some(format!("0c5c2a60-8e1f-4a5e-9b52-{n:012x}").into()),
            origin: Origin::Adopted,
            spec: spec.clone(),
            exchanges: BTreeMap::new(),
            is_protected: false,
            formerly: Vec::new(),
            run: None,
        }))
    });
    let (start, changes) = (cpu(), changes.collect());
    ledger.record(&lease, changes).await.expect("recorded");
    println!("record {OBJECTS} objects: {:.1} ms", cpu().saturating_sub(start).as_secs_f64() * 1e3);
    for run in 0..RUNS {
        let start = cpu();
        let objects = ledger.objects().await.expect("objects");
        println!(
            "load {} objects: {:.1} ms",
            objects.len(),
            cpu().saturating_sub(start).as_secs_f64() * 1e3
        );
        drop(objects);
        let start = cpu();
        stream::iter(0..STEPS)
            .for_each_concurrent(PARALLEL, |n| {
                let (ledger, lease, intent) = (&ledger, &lease, intent(run, n));
                async move {
                    let entry = ledger.intend(lease, intent).await.expect("an entry");
                    let done = Outcome::Done { remote_id: Some(n.to_string()) };
                    ledger.conclude(lease, entry, done, Vec::new()).await.expect("concluded");
                }
            })
            .await;
        let each = cpu().saturating_sub(start).as_secs_f64() * 1e6 / (2 * STEPS) as f64;
        println!("{STEPS} intents and outcomes: {each:.1} µs each");
    }
}

fn key(n: usize) -> ObjectKey {
    ObjectKey { kind: Kind::Customer, name: format!("customer-{n}").into() }
}

fn intent(run: usize, n: usize) -> Intent {
    Intent {
        run: format!("run-{run}"),
        step: format!("step-{n}"),
        attempt: 1,
        object: key(n),
        verb: "create".to_owned(),
        marker: Some(format!("marker-{n}")),
        detail: None,
        effect: Effect::default(),
    }
}

fn cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("usage");
    let both = usage.user_time() + usage.system_time();
    Duration::from_micros(
        u64::try_from(both.tv_sec() * 1_000_000 + both.tv_usec()).expect("positive"),
    )
}

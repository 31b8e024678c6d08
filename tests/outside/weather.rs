//! The client in bad weather: a fifth of all requests goes wrong, in every way there is, and what
//! was written lately is not always seen.
//!
//! Time is tokio's and stands still while anybody works, so that all waits are as long as in
//! earnest and cost nothing. `PARTNERCTL_SEEDS=200` takes minutes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use jiff::Timestamp;
use partnerctl::model::estate::Estate;
use partnerctl::partner::clock::Clock;
use partnerctl::partner::graph::body::{Action, NewUser, PasswordProfile, UserFields};
use partnerctl::partner::pace::Pacer;
use partnerctl::partner::snapshot::{Delegation, Group, Snapshot};
use partnerctl::partner::{Connection, Reader, Writer};
use secrecy::SecretString;

use crate::client_emulator::{Tenant, assert_same, estate, group, scope, user};

const USERS_MADE: usize = 500;
const AT_ONCE: usize = 8;
/// So long what is written may not be seen, and so long whoever looks for it waits before it
/// believes that it is not there.
const LAG: Duration = Duration::from_secs(100);
const SETTLE: Duration = Duration::from_secs(150);

/// What strikes anything, what strikes pages, and what makes reads lag.
const FAULTS: &[&str] = &[
    "throttle",
    "error",
    "drop-before",
    "drop-after",
    "slow-body",
    "expired-token",
    "malformed",
    "bom",
    "latency",
    "page-shift",
    "stale-read",
];
const SEEN_AT_ONCE: &[&str] = FAULTS.split_last().unwrap().1;
/// So many of them come to a fifth of whatever is asked; reads are struck by the others besides.
const OF_ANYTHING: f64 = 9.0;

/// How much bad weather.
fn seeds() -> u64 {
    std::env::var("PARTNERCTL_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(8)
}

/// A fifth of all requests goes wrong at the least, those for tokens too.
fn weather(seed: u64, faults: &[&str]) -> String {
    // The first rule that strikes is the one: so many chances come to a fifth.
    let rate = 1.0 - 0.8_f64.powf(1.0 / OF_ANYTHING);
    let ms = |fault| if fault == "stale-read" { LAG.as_millis() } else { 400 };
    let rules: Vec<String> = faults
        .iter()
        .map(|fault| {
            let ms = ms(*fault);
            format!(r#"{{"rate":{rate},"fault":"{fault}","ms":{ms},"retryAfter":1.5}}"#)
        })
        .collect();
    format!(r#"{{"seed":{seed},"rules":[{}]}}"#, rules.join(","))
}

/// How many requests went out in storms, and how many of them each fault struck.
#[derive(Debug, Default)]
struct Storms {
    requests: usize,
    struck: BTreeMap<String, usize>,
}

type Tally = Mutex<Storms>;

/// Does it for each seed, on every core, in a tenant as it was in the beginning. In the end the
/// weather was as bad as it should be.
fn for_each_seed(estate: &Estate, work: impl AsyncFn(&Tenant, u64, &Tally) + Sync) {
    let (next, last) = (AtomicU64::new(1), seeds());
    let tally = Tally::default();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().unwrap().get() {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .start_paused(true)
                    .build()
                    .unwrap();
                runtime.block_on(async {
                    let from: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
                    let tenant = Tenant::at(Clock::counting_from(from), estate);
                    let beginning = tenant.moment();
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed > last {
                            return;
                        }
                        tenant.back_to(&beginning);
                        // What it begins with is no news.
                        tenant.pass(SETTLE).await;
                        work(&tenant, seed, &tally).await;
                    }
                });
            });
        }
    });
    let Storms { requests, struck } = tally.into_inner().unwrap();
    eprintln!("{last} seeds, {requests} requests, of which were struck {struck:?}");
    let share = struck.values().sum::<usize>() * 100 / requests;
    assert!((18..27).contains(&share), "{share} %");
    assert!(FAULTS.iter().all(|fault| struck.contains_key(*fault)), "{struck:?}");
}

impl Tenant {
    /// What is done meanwhile is done in bad weather.
    async fn in_storm<T>(
        &self,
        weather: String,
        tally: &Tally,
        work: impl Future<Output = T>,
    ) -> T {
        self.command("DELETE", "log", "").await;
        self.command("PUT", "faults", &weather).await;
        let done = work.await;
        self.command("DELETE", "faults", "").await;
        let log = self.command("GET", "log", "").await;
        let mut tally = tally.lock().unwrap();
        for entry in log["entries"].as_array().unwrap() {
            tally.requests += 1;
            if let Some(fault) = entry["fault"].as_str() {
                *tally.struck.entry(fault.to_owned()).or_default() += 1;
            }
        }
        done
    }

    async fn pass(&self, time: Duration) {
        let by = format!(r#"{{"bySeconds":{}}}"#, time.as_secs());
        self.command("POST", "clock", &by).await;
    }

    /// A client as each run has it: with a limiter that has yet to learn.
    fn fresh(&self) -> Connection {
        Connection { pacer: Pacer::new(self.connection.clock), ..self.connection.clone() }
    }
}

/// Changes of all kinds.
async fn change(tenant: &Tenant, now: &Snapshot, seed: u64) {
    let writer = Writer::new(tenant.fresh());
    let nth = usize::try_from(seed).unwrap();
    writer.end_relationship(*now.customers.keys().nth(nth).unwrap()).await.unwrap();
    let ended = now.delegated.keys().nth(nth % now.delegated.len()).unwrap();
    writer.request_delegation(ended, Action::Terminate).await.unwrap();
    let (ben, chie) = (user(now, "u7@fabrikam.example"), user(now, "chie@fabrikam.example"));
    let club = group(now, "Group 1");
    writer.add_member(club, chie).await.unwrap();
    writer.remove_member(group(now, "Group 7"), ben).await.unwrap();
    let title =
        UserFields { job_title: Some(format!("Title {seed}").into()), ..UserFields::default() };
    writer.update_user(ben, &title).await.unwrap();
    writer.create_user(&new_user(&format!("late{seed}"))).await.unwrap();
}

/// What is seen of a map while it changes: each entry as it was before or as it is now, and
/// nothing that was never there.
fn assert_between<K: Ord + Debug, V: PartialEq + Debug>(
    seen: &BTreeMap<K, V>,
    before: &BTreeMap<K, V>,
    now: &BTreeMap<K, V>,
    case: &str,
) {
    let keys: BTreeSet<&K> = [seen, before, now].into_iter().flat_map(BTreeMap::keys).collect();
    for key in keys {
        let found = seen.get(key);
        assert!(
            found == before.get(key) || found == now.get(key),
            "{case}: {key:?} is {found:?}\nbefore {:?}\nnow {:?}",
            before.get(key),
            now.get(key)
        );
    }
}

/// The same of a set.
fn assert_set_between<T: Ord + Clone + Debug>(seen: &[T], before: &[T], now: &[T], case: &str) {
    let set = |list: &[T]| list.iter().cloned().map(|item| (item, ())).collect();
    assert_between(&set(seen), &set(before), &set(now), case);
}

/// What a reader may see to whom each request may show the tenant before its last changes: each
/// thing whole, as it was then or as it is now; what did not change, exactly.
fn assert_seen_between(seen: &Snapshot, before: &Snapshot, now: &Snapshot, case: &str) {
    assert_between(&seen.users, &before.users, &now.users, case);
    assert_between(&seen.customers, &before.customers, &now.customers, case);
    assert_between(&seen.deleted_users, &before.deleted_users, &now.deleted_users, case);
    assert_between(&seen.profiles, &before.profiles, &now.profiles, case);
    // A group and its members are several requests, and members several documents.
    let bare = |snapshot: &Snapshot| -> BTreeMap<_, _> {
        let bare = |group: &Group| Group { members: None, ..group.clone() };
        snapshot.groups.iter().map(|(id, group)| (*id, bare(group))).collect()
    };
    assert_between(&bare(seen), &bare(before), &bare(now), case);
    let members = |snapshot: &Snapshot| -> Vec<_> {
        let groups = snapshot.groups.iter();
        groups
            .flat_map(|(id, group)| {
                let members = group.members.iter().flatten();
                members.map(|(member, kind)| (*id, *member, kind.clone()))
            })
            .collect()
    };
    assert_set_between(&members(seen), &members(before), &members(now), case);
    let relationships = |snapshot: &Snapshot| -> BTreeMap<_, _> {
        let bare = |one: &Delegation| Delegation { assignments: None, ..one.clone() };
        snapshot.delegated.iter().map(|(id, one)| (id.clone(), bare(one))).collect()
    };
    assert_between(&relationships(seen), &relationships(before), &relationships(now), case);
    assert_set_between(&seen.assignments, &before.assignments, &now.assignments, case);
    assert_set_between(&seen.partnerships, &before.partnerships, &now.partnerships, case);
    assert_eq!((&seen.tenant, &seen.domains), (&now.tenant, &now.domains), "{case}");
    assert_eq!(seen.account_roles, now.account_roles, "{case}");
}

/// Where nothing changed for a while, all is seen as it is. After a change, too, by whoever reads all
/// and by whoever goes on from an earlier look; but where what was just written is not seen at once,
/// each thing is seen as it was or as it is.
///
/// What such a read makes of the tenant is not whole: who goes on from it does not look again at what
/// changed shortly before it. That is as much as a client can know to whom nobody says what lags.
async fn reads_in_storms(tenant: &Tenant, seed: u64, tally: &Tally) {
    let calm = |previous: Option<&Snapshot>| {
        let (reader, previous) = (Reader::new(tenant.fresh()), previous.cloned());
        async move { reader.snapshot(&scope(), previous.as_ref()).await.unwrap() }
    };
    let stormy = |faults: &'static [&'static str], previous: Option<&Snapshot>| {
        let (reader, previous) = (Reader::new(tenant.fresh()), previous.cloned());
        async move {
            let scope = scope();
            let reading = reader.snapshot(&scope, previous.as_ref());
            let seen = tenant.in_storm(weather(seed, faults), tally, reading).await;
            seen.unwrap_or_else(|error| panic!("seed {seed}: {error}"))
        }
    };
    let before = calm(None).await;
    let quiet = stormy(FAULTS, None).await;
    assert_same(&quiet, &before, &format!("seed {seed}, settled"));

    change(tenant, &before, seed).await;
    let now = calm(None).await;
    assert!(now.users != before.users && now.customers.len() + 1 == before.customers.len());
    for (previous, case) in [(None, "all of it"), (Some(&before), "what moved")] {
        let case = format!("seed {seed}, {case}");
        let current = stormy(SEEN_AT_ONCE, previous).await;
        assert_same(&current, &now, &case);
        let lagging = stormy(FAULTS, previous).await;
        assert_seen_between(&lagging, &before, &now, &case);
    }
    tenant.pass(SETTLE).await;
    let settled = calm(None).await;
    let moved = stormy(FAULTS, Some(&before)).await;
    assert_same(&moved, &settled, &format!("seed {seed}, settled again"));
}

#[test]
fn in_bad_weather_a_tenant_is_read_completely_and_correctly() {
    for_each_seed(&estate(2_000, 100, 10), reads_in_storms);
}

fn new_user(alias: &str) -> NewUser {
    NewUser {
        account_enabled: true,
        mail_nickname: alias.to_owned(),
        user_principal_name: format!("{alias}@fabrikam.example"),
        fields: UserFields { display_name: Some(alias.to_owned()), ..UserFields::default() },
        password_profile: PasswordProfile::temporary(SecretString::from("Canary-Pass-1234!")),
    }
}

/// What a run does that lost an answer: it waits until whatever happened can be seen, and looks
/// whether what it asked for is there.
async fn create_once(tenant: &Tenant, writer: &Writer, alias: &str) {
    let new = new_user(alias);
    for _ in 0..50 {
        match writer.create_user(&new).await {
            Ok(_) => return,
            Err(error) => assert!(
                error.leaves_outcome_open()
                    || error.refusal().is_some_and(|refusal| refusal.status == 401),
                "{alias}: {error}"
            ),
        }
        tenant.pass(SETTLE).await;
        tenant.connection.clock.sleep(SETTLE).await;
        let found = writer.reader().user_named(&new.user_principal_name).await.unwrap();
        if found.is_some() {
            return;
        }
    }
    panic!("{alias} was never made");
}

async fn makes_users_in_storms(tenant: &Tenant, seed: u64, tally: &Tally) {
    let before = tenant.reader().snapshot(&scope(), None).await.unwrap();
    let writer = Writer::new(tenant.fresh());
    let making = stream::iter(0..USERS_MADE).for_each_concurrent(AT_ONCE, |n| {
        let writer = &writer;
        async move { create_once(tenant, writer, &format!("made-{seed}-{n}")).await }
    });
    tenant.in_storm(weather(seed, FAULTS), tally, making).await;
    let after = tenant.reader().snapshot(&scope(), None).await.unwrap();
    let names = |snapshot: &Snapshot| -> BTreeSet<String> {
        snapshot.users.values().map(|user| user.sign_in_name.clone()).collect()
    };
    let made: BTreeSet<String> =
        (0..USERS_MADE).map(|n| format!("made-{seed}-{n}@fabrikam.example")).collect();
    let new: BTreeSet<String> = names(&after).difference(&names(&before)).cloned().collect();
    assert_eq!(new, made, "seed {seed}");
    assert_eq!(after.users.len(), before.users.len() + USERS_MADE, "seed {seed}");
}

#[test]
fn in_bad_weather_every_user_is_made_once() {
    for_each_seed(&estate(1, 0, 0), makes_users_in_storms);
}

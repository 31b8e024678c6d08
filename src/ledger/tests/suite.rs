//! What both stores promise.

use super::*;

macro_rules! over_both {
    ($($behaviour:ident),+ $(,)?) => {
        mod over_sqlite {
            $(#[tokio::test]
            async fn $behaviour() {
                super::$behaviour(super::Store::file()).await;
            })+
        }
        mod over_postgres {
            $(#[tokio::test]
            async fn $behaviour() {
                super::$behaviour(super::Store::postgres()).await;
            })+
        }
    };
}

over_both!(
    keeps_its_id,
    opens_once_for_two,
    refuses_a_newer_version,
    keeps_objects,
    refuses_what_another_estate_manages,
    gives_the_lease_to_one,
    waits_out_the_timeout,
    keeps_the_fenced_out,
    breaks_only_the_dead,
    asks_for_a_lease_that_outlives_the_request,
    journals,
    keeps_an_intent_over_a_crash,
    commits_all_or_nothing,
    answers_many_at_once,
    counts_what_was_spent,
    remembers_who_is_waited_for,
    chains_history,
    keeps_the_last_snapshot,
    tells_a_full_disk,
);

async fn keeps_its_id(store: Store) {
    let missing = Ledger::open(store.place.clone(), Opening::Existing).await.unwrap_err();
    assert!(matches!(missing, LedgerError::Missing { .. }), "{missing:?}");
    let ledger = store.open().await;
    let id = ledger.id().to_owned();
    assert_eq!(id.len(), 36);
    ledger.close().await;
    let again = Ledger::open(store.place.clone(), Opening::Existing).await.unwrap();
    assert_eq!(again.id(), id);
}

async fn opens_once_for_two(store: Store) {
    let opened = futures_util::future::join_all((0..6).map(|_| store.open())).await;
    assert!(opened.iter().all(|ledger| ledger.id() == opened[0].id()));
}

async fn refuses_a_newer_version(store: Store) {
    store.open().await.close().await;
    store.tamper("UPDATE ledger_version SET version = 99").await;
    let error = Ledger::open(store.place.clone(), Opening::Create).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the ledger is of version 99, this partnerctl knows 1: use a newer partnerctl"
    );
}

async fn keeps_objects(store: Store) {
    let ledger = store.open().await;
    let lease = leased(&ledger).await;
    assert_eq!(ledger.objects().await.unwrap(), []);
    let changes =
        vec![put("ben", "fabrikam", "2"), put("Ana", "fabrikam", "1"), put("ana", "fabrikam", "3")];
    ledger.record(&lease, changes).await.unwrap();
    let names = async || -> Vec<String> {
        ledger
            .objects()
            .await
            .unwrap()
            .iter()
            .map(|object| object.managed.key.to_string())
            .collect()
    };
    assert_eq!(names().await, ["user/Ana", "user/ana", "user/ben"]);
    assert_eq!(ledger.objects().await.unwrap()[2].managed, managed("ben", "fabrikam", "2"));

    let rename = Change::Rename { from: key("ben"), to: Str::from("benjamin") };
    ledger.record(&lease, vec![rename, Change::Forget(key("Ana"))]).await.unwrap();
    assert_eq!(names().await, ["user/ana", "user/benjamin"]);
    let renamed = ledger.objects().await.unwrap().remove(1).managed;
    assert_eq!(renamed.formerly, ["ben"]);
    assert!(renamed.is_rewriting("spec.phone", &"+81 3 1234".into(), &"+8131234".into()));
    assert!(!renamed.is_rewriting("spec.phone", &"+81 3 1234".into(), &"+81".into()));

    let unknown = Change::Rename { from: key("nobody"), to: Str::from("x") };
    let error = ledger.record(&lease, vec![unknown]).await.unwrap_err();
    assert_eq!(error.to_string(), "the ledger knows no object `user/nobody`");
}

async fn refuses_what_another_estate_manages(store: Store) {
    let ledger = store.open().await;
    let lease = leased(&ledger).await;
    ledger.record(&lease, vec![put("ana", "fabrikam", "1")]).await.unwrap();
    let by_name = ledger.record(&lease, vec![put("ana", "adatum", "7")]).await.unwrap_err();
    assert_eq!(by_name.to_string(), "`user/ana` is managed by the estate `fabrikam` already");
    let by_id = ledger.record(&lease, vec![put("cy", "adatum", "1")]).await.unwrap_err();
    assert_eq!(
        by_id.to_string(),
        "`user/cy` is managed by the estate `fabrikam` already, as `user/ana`"
    );
    assert_eq!(ledger.objects().await.unwrap().len(), 1);
}

async fn gives_the_lease_to_one(store: Store) {
    let ledgers = futures_util::future::join_all((0..4).map(|_| store.open())).await;
    let tries = ledgers.iter().map(|ledger| ledger.acquire(terms("ana", 60_000, 1_000)));
    let outcomes = futures_util::future::join_all(tries).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        let LedgerError::Held(holder) = refused else { panic!("{refused:?}") };
        assert_eq!((holder.holder.as_str(), holder.reason.as_str()), ("ana", "apply"));
        assert!(holder.since < holder.until && holder.until < holder.free_at);
    }
    let lease = outcomes.into_iter().find_map(Result::ok).unwrap();
    let renewed = ledgers[0].renew(&lease).await.unwrap();
    assert!(renewed.until >= lease.until);
    ledgers[1].release(&lease).await.unwrap();
    let next = ledgers[2].acquire(terms("ben", 60_000, 1_000)).await.unwrap();
    assert!(next.token > lease.token);
}

async fn waits_out_the_timeout(store: Store) {
    let (one, two) = (store.open().await, store.open().await);
    one.acquire(terms("ana", 1, 60_000)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let refused = two.acquire(terms("ben", 1, 1)).await.unwrap_err();
    assert!(matches!(refused, LedgerError::Held(_)), "{refused:?}");
}

async fn keeps_the_fenced_out(store: Store) {
    let (one, two) = (store.open().await, store.open().await);
    let old = one.acquire(terms("ana", 1, 1)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(30)).await;
    let new = two.acquire(terms("ben", 60_000, 1)).await.unwrap();
    let refused = [
        one.intend(&old, intent("a")).await.unwrap_err(),
        one.renew(&old).await.unwrap_err(),
        one.release(&old).await.unwrap_err(),
        one.record(&old, vec![put("ana", "fabrikam", "1")]).await.unwrap_err(),
        one.start_run(&old, "run-1".to_owned(), started()).await.unwrap_err(),
    ];
    for error in refused {
        let LedgerError::LeaseLost { now: Some(holder) } = &error else { panic!("{error:?}") };
        assert_eq!(holder.holder, "ben");
    }
    assert_eq!(two.entries("run-1".to_owned()).await.unwrap(), []);
    two.intend(&new, intent("a")).await.unwrap();
}

async fn breaks_only_the_dead(store: Store) {
    let ledger = store.open().await;
    let by = || ("cy".to_owned(), "the runner is gone".to_owned());
    assert_eq!(ledger.break_lease(by().0, by().1).await.unwrap(), None);
    let living = leased(&ledger).await;
    assert!(ledger.holder().await.unwrap().is_living());
    let refused = ledger.break_lease(by().0, by().1).await.unwrap_err();
    assert!(matches!(refused, LedgerError::Held(_)), "{refused:?}");
    ledger.release(&living).await.unwrap();

    let dead = ledger.acquire(terms("ana", 1, 60_000)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let broken = ledger.break_lease(by().0, by().1).await.unwrap().unwrap();
    assert_eq!(broken.holder, "ana");
    // The dead stays dead, and its last request is still waited for.
    assert!(matches!(ledger.renew(&dead).await, Err(LedgerError::LeaseLost { now: None })));
    assert!(matches!(ledger.acquire(terms("ben", 1, 1)).await, Err(LedgerError::Held(_))));
    assert!(!ledger.holder().await.unwrap().is_living());
    let [(_, Broken { by, reason, holder })] = &*ledger.broken_leases(9).await.unwrap() else {
        panic!("one was broken")
    };
    assert_eq!([by, reason, holder], ["cy", "the runner is gone", "ana"]);
    assert_eq!(ledger.verify_history().await.unwrap().entries, 1);
}

async fn asks_for_a_lease_that_outlives_the_request(store: Store) {
    let ledger = store.open().await;
    let lease = ledger.acquire(terms("ana", 50_000, 60_000)).await.unwrap();
    let refused = ledger.intend(&lease, intent("a")).await.unwrap_err();
    assert!(matches!(refused, LedgerError::LeaseTooShort { .. }), "{refused:?}");
    assert_eq!(ledger.open_entries().await.unwrap(), []);
}

async fn journals(store: Store) {
    let ledger = store.open().await;
    let lease = leased(&ledger).await;
    let id = ledger.intend(&lease, intent("a")).await.unwrap();
    assert_eq!(ledger.intend(&lease, intent("a")).await.unwrap(), id, "asked again after a doubt");
    let mut other = intent("a");
    other.marker = None;
    assert!(matches!(ledger.intend(&lease, other).await, Err(LedgerError::Contradiction { .. })));

    let open = ledger.open_entries().await.unwrap();
    assert_eq!((open.len(), &open[0].intent, &open[0].outcome), (1, &intent("a"), &None));
    let unknown = Outcome::Unknown { why: "the answer was lost".to_owned() };
    ledger.conclude(&lease, id, unknown.clone(), Vec::new()).await.unwrap();
    assert_eq!(ledger.open_entries().await.unwrap()[0].outcome, Some(unknown));
    let done = Outcome::Done { remote_id: Some("u-1".to_owned()) };
    ledger.conclude(&lease, id, done.clone(), vec![put("a", "fabrikam", "u-1")]).await.unwrap();
    assert_eq!(ledger.open_entries().await.unwrap(), []);
    let failed = Outcome::Failed { why: "403".to_owned() };
    let refused = ledger.conclude(&lease, id, failed, Vec::new()).await.unwrap_err();
    assert!(matches!(refused, LedgerError::Contradiction { .. }), "what is done stays done");

    let skipped = Outcome::Skipped { why: "a failed".to_owned() };
    ledger.note(&lease, intent("b"), skipped.clone()).await.unwrap();
    let entries = ledger.entries("run-1".to_owned()).await.unwrap();
    let outcomes: Vec<_> = entries.iter().map(|entry| entry.outcome.clone()).collect();
    assert_eq!(outcomes, [Some(done), Some(skipped)]);
    assert!(entries.iter().all(|entry| entry.concluded_at >= Some(entry.intended_at)));
    assert_eq!(ledger.objects().await.unwrap().len(), 1);
}

async fn keeps_an_intent_over_a_crash(store: Store) {
    let ledger = store.open().await;
    let lease = leased(&ledger).await;
    ledger.start_run(&lease, "run-1".to_owned(), started()).await.unwrap();
    ledger.intend(&lease, intent("a")).await.unwrap();
    drop(ledger);
    let next = store.open().await;
    assert_eq!(next.open_entries().await.unwrap()[0].intent, intent("a"));
    assert_eq!(next.unfinished_runs().await.unwrap()[0].id, "run-1");
}

async fn commits_all_or_nothing(store: Store) {
    let ledger = store.open().await;
    let lease = leased(&ledger).await;
    ledger.record(&lease, vec![put("ana", "fabrikam", "1")]).await.unwrap();
    let entry = ledger.intend(&lease, intent("a")).await.unwrap();
    let changes = vec![put("ben", "fabrikam", "2"), put("cy", "fabrikam", "1")];
    let done = Outcome::Done { remote_id: None };
    ledger.conclude(&lease, entry, done, changes).await.unwrap_err();
    assert_eq!(ledger.objects().await.unwrap().len(), 1);
    assert_eq!(ledger.open_entries().await.unwrap().len(), 1);
}

async fn answers_many_at_once(store: Store) {
    let ledger = store.open().await;
    let lease = leased(&ledger).await;
    let one = async |n: usize| {
        // Each tenth is refused, and its neighbours are not.
        let step = format!("s{}", if n % 10 == 9 { 0 } else { n });
        let mut intent = intent(&step);
        if n % 10 == 9 {
            intent.verb = "delete".to_owned();
        }
        ledger.intend(&lease, intent).await
    };
    let outcomes = futures_util::future::join_all((0..200).map(one)).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 180);
    assert_eq!(ledger.open_entries().await.unwrap().len(), 180);
}

async fn counts_what_was_spent(store: Store) {
    let ledger = store.open().await;
    let lease = leased(&ledger).await;
    let mut ids = Vec::new();
    for step in ["open", "failed", "unknown", "old"] {
        ids.push(ledger.intend(&lease, intent(step)).await.unwrap());
    }
    let why = || "x".to_owned();
    ledger.conclude(&lease, ids[1], Outcome::Failed { why: why() }, Vec::new()).await.unwrap();
    ledger.conclude(&lease, ids[2], Outcome::Unknown { why: why() }, Vec::new()).await.unwrap();
    store
        .tamper("UPDATE journal SET intended_at = intended_at - 86400001 WHERE step = 'old'")
        .await;
    let expected =
        Spent { removals: 2, privileged_grants: 4, irreversible: 0, customers_touched: 1 };
    assert_eq!(ledger.spent().await.unwrap(), expected);
}

async fn remembers_who_is_waited_for(store: Store) {
    let ledger = store.open().await;
    let lease = leased(&ledger).await;
    let waiting = |link: &str| Waiting {
        object: key("ana"),
        step: "accept".to_owned(),
        awaiting: "the customer".to_owned(),
        link: Some(link.to_owned()),
        instructions: None,
        until: None,
    };
    ledger.wait_for(&lease, waiting("https://one.example")).await.unwrap();
    store.tamper("UPDATE waiting SET since = 1000").await;
    ledger.wait_for(&lease, waiting("https://one.example")).await.unwrap();
    let since = async || ledger.waiting().await.unwrap()[0].since.as_millisecond();
    assert_eq!(since().await, 1000);
    ledger.wait_for(&lease, waiting("https://two.example")).await.unwrap();
    assert!(since().await > 1000);
    assert_eq!(ledger.waiting().await.unwrap()[0].waiting, waiting("https://two.example"));
    ledger.stop_waiting(&lease, key("ana"), "accept".to_owned()).await.unwrap();
    assert_eq!(ledger.waiting().await.unwrap(), []);

    let confirmation = |what: &str| Confirmation {
        object: key("ana"),
        step: "portal".to_owned(),
        what: what.to_owned(),
        who: "cy".to_owned(),
    };
    ledger.confirm(confirmation("one")).await.unwrap();
    ledger.confirm(confirmation("two")).await.unwrap();
    let confirmed = ledger.confirmations().await.unwrap();
    assert_eq!((confirmed.len(), &confirmed[0].confirmation), (1, &confirmation("two")));
}

async fn chains_history(store: Store) {
    let ledger = store.open().await;
    let lease = leased(&ledger).await;
    let ended =
        Ended { outcome: RunOutcome::Applied, counts: Counts { done: 3, ..Counts::default() } };
    for run in ["run-1", "run-2"] {
        ledger.start_run(&lease, run.to_owned(), started()).await.unwrap();
        ledger.end_run(&lease, run.to_owned(), ended.clone()).await.unwrap();
    }
    assert!(ledger.start_run(&lease, "run-1".to_owned(), started()).await.is_err());
    assert!(ledger.end_run(&lease, "run-9".to_owned(), ended.clone()).await.is_err());
    let runs = ledger.runs(10).await.unwrap();
    assert_eq!(runs.iter().map(|run| run.id.as_str()).collect::<Vec<_>>(), ["run-2", "run-1"]);
    assert_eq!(runs[0].ended.as_ref().unwrap().1, ended);
    assert_eq!(ledger.unfinished_runs().await.unwrap(), []);
    assert_eq!(ledger.verify_history().await.unwrap().entries, 4);

    for (change, back, entry) in [
        (
            "UPDATE history SET body = replace(body, 'deploy-bot', 'nobody') WHERE seq = 1",
            "UPDATE history SET body = replace(body, 'nobody', 'deploy-bot') WHERE seq = 1",
            1,
        ),
        (
            "UPDATE history SET at = at + 1 WHERE seq = 3",
            "UPDATE history SET at = at - 1 WHERE seq = 3",
            3,
        ),
        ("UPDATE history SET seq = 9 WHERE seq = 2", "UPDATE history SET seq = 2 WHERE seq = 9", 2),
        ("DELETE FROM history WHERE seq = 4", "", 4),
    ] {
        store.tamper(change).await;
        let error = ledger.verify_history().await.unwrap_err();
        assert!(
            matches!(error, LedgerError::CorruptChain { entry: found, .. } if found == entry),
            "{error}"
        );
        store.tamper(back).await;
    }
}

async fn keeps_the_last_snapshot(store: Store) {
    let ledger = store.open().await;
    assert_eq!(ledger.snapshot().await.unwrap(), None);
    for size in [10, 1_000_000] {
        let kept = KeptSnapshot {
            observed_at: jiff::Timestamp::from_millisecond(size).unwrap(),
            body: (0..size).map(|n| u8::try_from(n % 251).unwrap()).collect(),
            delta_links: [("users".to_owned(), "https://graph.example/delta".to_owned())].into(),
            audit_watermark: Some("2026".to_owned()),
        };
        ledger.keep_snapshot(kept.clone()).await.unwrap();
        assert_eq!(ledger.snapshot().await.unwrap(), Some(kept.clone()));
        let older = KeptSnapshot { observed_at: jiff::Timestamp::UNIX_EPOCH, ..kept.clone() };
        ledger.keep_snapshot(older).await.unwrap();
        assert_eq!(ledger.snapshot().await.unwrap(), Some(kept), "what was seen later stays");
    }
}

async fn tells_a_full_disk(store: Store) {
    let ledger = store.open().await;
    let lease = leased(&ledger).await;
    // A file meets the limit for real in `files`; a server says so in this way.
    if let Place::Postgres(_) = store.place {
        store
            .tamper(
                "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$; \
                 CREATE TRIGGER no_room BEFORE INSERT ON journal FOR EACH ROW EXECUTE FUNCTION no_room()",
            )
            .await;
        let error = ledger.intend(&lease, intent("a")).await.unwrap_err();
        assert!(matches!(error, LedgerError::DiskFull { .. }), "{error:?}");
    }
    assert!(ledger.renew(&lease).await.is_ok());
}

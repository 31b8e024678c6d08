//! A PostgreSQL server that is restarted, crashes, or is away for a while.

use futures_util::future::join_all;

use super::server::Server;
use super::*;

fn is_away(error: &LedgerError) -> bool {
    matches!(error, LedgerError::Unavailable { .. })
}

/// Asks until the answer is another than that the server is away, as whoever goes on would.
async fn insisted<T>(mut ask: impl AsyncFnMut() -> Result<T, LedgerError>) -> T {
    for _ in 0..20 {
        match ask().await {
            Err(error) if is_away(&error) => tokio::time::sleep(Duration::from_millis(50)).await,
            answer => return answer.unwrap(),
        }
    }
    panic!("it is away for good");
}

#[tokio::test]
async fn goes_on_after_a_restart() {
    let mut server = Server::start(&[], &[]);
    let store = Store { place: Place::Postgres(server.place()), _folder: None };
    let ledger = store.open().await;
    let lease = leased(&ledger).await;
    let before = ledger.intend(&lease, intent("a")).await.unwrap();
    for (signal, step) in [("INT", "b"), ("QUIT", "c")] {
        server.end(signal);
        server.start_again();
        // That the connection is gone is known by now, or with this call; never after two.
        let mut asked = 0;
        let entry = insisted(async || {
            asked += 1;
            ledger.intend(&lease, intent(step)).await
        })
        .await;
        assert!(asked <= 2, "{asked}");
        assert_ne!(entry, before);
        assert_eq!(ledger.intend(&lease, intent("a")).await.unwrap(), before);
    }
    let steps = ledger.open_entries().await.unwrap();
    let steps: Vec<String> = steps.into_iter().map(|entry| entry.intent.step).collect();
    assert_eq!(steps, ["a", "b", "c"]);
}

#[tokio::test]
async fn says_that_it_is_away_and_where() {
    let mut server = Server::start(&[], &[]);
    let store = Store { place: Place::Postgres(server.place()), _folder: None };
    let ledger = store.open().await;
    let lease = leased(&ledger).await;
    server.end("INT");
    let error = ledger.intend(&lease, intent("a")).await.unwrap_err();
    assert!(is_away(&error), "{error:?}");
    let words = error.to_string();
    assert!(
        words.starts_with("the ledger at /") && words.ends_with(") cannot be reached"),
        "{words}"
    );
    let error = Ledger::open(store.place.clone(), Opening::Existing).await.unwrap_err();
    assert!(is_away(&error), "{error:?}");
    server.start_again();
    insisted(async || ledger.intend(&lease, intent("a")).await).await;
}

/// Two hundred entries and a list of objects are on their way when the server crashes. Whatever was
/// answered is there; whatever was not is there whole or not at all; asked for again, each is there
/// once.
#[tokio::test]
async fn keeps_what_was_answered_and_halves_nothing_when_it_crashes() {
    const ENTRIES: usize = 200;
    let mut server = Server::start(&[], &[]);
    let store = Store { place: Place::Postgres(server.place()), _folder: None };
    let ledger = store.open().await;
    let lease = leased(&ledger).await;
    let changes = |estate: &str| -> Vec<Change> {
        (0..50).map(|n| put(&format!("{estate}-{n}"), estate, &format!("{estate}{n}"))).collect()
    };
    let mut lost = 0;
    for round in 0..6 {
        let names: Vec<String> = (0..ENTRIES).map(|n| format!("{round}-{n}")).collect();
        let estate = format!("estate{round}");
        // Sooner each time: before, amid and after what is under way.
        let crash = tokio::task::spawn_blocking(move || {
            std::thread::sleep(Duration::from_millis(25 - 5 * round));
            server.end("QUIT");
            server.start_again();
            server
        });
        let entries = async {
            let mut answers = Vec::new();
            // A few at a time, so that there is always something under way.
            for some in names.chunks(8) {
                answers
                    .extend(join_all(some.iter().map(|n| ledger.intend(&lease, intent(n)))).await);
            }
            answers
        };
        let record = ledger.record(&lease, changes(&estate));
        let (crashed, answers, recorded) = tokio::join!(crash, entries, record);
        server = crashed.unwrap();

        let there = insisted(async || ledger.open_entries().await).await;
        let objects = insisted(async || ledger.objects().await).await;
        let kept = objects.iter().filter(|one| &*one.managed.estate == estate.as_str()).count();
        match &recorded {
            Ok(()) => assert_eq!(kept, 50, "round {round}"),
            Err(error) => {
                assert!(is_away(error) && (kept == 0 || kept == 50), "{kept}: {error:?}");
            }
        }
        for (name, answer) in names.iter().zip(&answers) {
            match answer {
                Ok(id) => {
                    let entry = there.iter().find(|entry| entry.intent.step == *name);
                    assert_eq!(entry.map(|entry| entry.id), Some(*id), "{name}");
                }
                Err(error) => {
                    assert!(is_away(error), "{error:?}");
                    lost += 1;
                }
            }
        }
        for (name, answer) in names.iter().zip(answers) {
            let again = insisted(async || ledger.intend(&lease, intent(name)).await).await;
            assert!(answer.is_err() || answer.is_ok_and(|id| id == again), "{name}");
        }
        let there = ledger.open_entries().await.unwrap();
        assert_eq!(there.len(), ENTRIES * (usize::try_from(round).unwrap() + 1));
    }
    assert!(lost > 0, "nothing was ever under way");
}

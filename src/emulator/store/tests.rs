use jiff::SignedDuration;
use serde::Deserialize;

use super::*;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Thing {
    id: String,
    name: String,
    listed: bool,
}

impl Document for Thing {
    const KIND: &'static str = "thing";

    fn id(&self) -> &str {
        &self.id
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        let mut keys = vec![("id", self.id.clone())];
        if self.listed {
            keys.push(("name", self.name.to_lowercase()));
        }
        keys
    }
}

fn thing(id: &str, name: &str) -> Thing {
    Thing { id: id.to_owned(), name: name.to_owned(), listed: true }
}

fn filled() -> Store {
    let store = Store::in_memory().unwrap();
    store
        .write(|tx| {
            for (id, name) in [("1", "Delta"), ("2", "alpha"), ("3", "Bravo"), ("4", "alphabet")] {
                tx.put(&thing(id, name))?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    store
}

fn ids(page: &Page<Thing>) -> String {
    page.items.iter().map(|found| found.id.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn lists_go_by_key_page_by_page() {
    let store = filled();
    store
        .read(|tx| {
            let first = tx.scan::<Thing>(&Scan::all("name").limit(2))?;
            assert_eq!(ids(&first), "2 4");
            let second = tx.scan::<Thing>(&Scan::all("name").limit(2).after(first.next))?;
            assert_eq!(ids(&second), "3 1");
            assert_eq!(second.next, None);
            let prefix = tx.scan::<Thing>(&Scan::prefix("name", "alpha"))?;
            assert_eq!(ids(&prefix), "2 4");
            assert_eq!(ids(&tx.scan::<Thing>(&Scan::equals("name", "alpha"))?), "2");
            assert_eq!(ids(&tx.scan::<Thing>(&Scan::all("name").backwards().limit(1))?), "1");
            assert_eq!(tx.count::<Thing>("name", &Range::Prefix("alpha"))?, 2);
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

#[test]
fn what_leaves_a_key_out_is_not_in_its_list() {
    let store = filled();
    store
        .write(|tx| {
            tx.put(&Thing { listed: false, ..thing("2", "alpha") })?;
            assert_eq!(ids(&tx.scan::<Thing>(&Scan::all("name"))?), "4 3 1");
            assert!(tx.get::<Thing>("2")?.is_some());
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

#[test]
fn changes_tell_what_is_deleted_and_what_is_purged() {
    let store = filled();
    let seq = store
        .write(|tx| {
            let seq = tx.last_seq()?;
            Ok::<_, StoreError>(seq)
        })
        .unwrap();
    store
        .write(|tx| {
            tx.delete::<Thing>("1")?;
            tx.delete::<Thing>("3")?;
            tx.purge::<Thing>("3")?;
            tx.put(&thing("2", "Zulu"))?;
            Ok::<_, StoreError>(())
        })
        .unwrap();
    let changes = store.read(|tx| tx.changes::<Thing>(seq, 10)).unwrap();
    let told: Vec<String> = changes
        .iter()
        .map(|change| match change {
            Change::Now(found) => format!("now {}", found.name),
            Change::Deleted(found) => format!("deleted {}", found.id),
            Change::Purged { id, .. } => format!("purged {id}"),
        })
        .collect();
    assert_eq!(told, ["deleted 1", "purged 3", "now Zulu"]);
    store
        .write(|tx| {
            assert_eq!(ids(&tx.scan::<Thing>(&Scan::all("name").deleted())?), "1");
            assert!(tx.get::<Thing>("1")?.is_none());
            assert!(tx.restore::<Thing>("1")?.is_some());
            assert!(tx.restore::<Thing>("3")?.is_none());
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

#[test]
fn an_error_takes_everything_back() {
    let store = filled();
    let result: Result<(), StoreError> = store.write(|tx| {
        tx.put(&thing("9", "Nine"))?;
        Err(StoreError::Key("no".to_owned()))
    });
    assert!(result.is_err());
    assert!(store.read(|tx| tx.get::<Thing>("9")).unwrap().is_none());
}

#[test]
fn the_same_seed_makes_the_same_ids() {
    let make = |seed| {
        let store = Store::in_memory().unwrap();
        store
            .write(|tx| {
                tx.set_seed(seed)?;
                Ok::<_, StoreError>((tx.new_id()?, tx.new_id()?, tx.new_secret(20)?))
            })
            .unwrap()
    };
    assert_eq!(make(7), make(7));
    assert_ne!(make(7), make(8));
    let (first, second, secret) = make(7);
    assert_ne!(first, second);
    assert_eq!(secret.len(), 20);
}

#[test]
fn time_moves_with_the_tenant() {
    let store = Store::in_memory().unwrap();
    let before = store.read(|tx| Ok::<_, StoreError>(tx.now())).unwrap();
    store.write(|tx| tx.set_clock(SignedDuration::from_hours(24 * 90))).unwrap();
    let after = store.read(|tx| Ok::<_, StoreError>(tx.now())).unwrap();
    assert!(after.duration_since(before) >= SignedDuration::from_hours(24 * 90));
}

#[test]
fn a_tenant_of_the_layout_before_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenant.db");
    let store = Store::open(&path).unwrap();
    store.write(|tx| tx.put(&thing("1", "Delta"))).unwrap();
    drop(store);
    let older = Connection::open(&path).unwrap();
    older
        .execute_batch("ALTER TABLE objects DROP COLUMN before_seq; PRAGMA user_version = 1")
        .unwrap();
    drop(older);
    let store = Store::open(&path).unwrap();
    store.write(|tx| tx.put(&thing("1", "Echo"))).unwrap();
    assert_eq!(store.read(|tx| tx.get::<Thing>("1")).unwrap().unwrap().name, "Echo");
}

#[tokio::test]
async fn reads_lag_and_pages_shift_when_they_are_told_to() {
    let store = filled();
    store
        .write(|tx| {
            tx.put(&thing("2", "Zulu"))?;
            tx.set_clock(SignedDuration::from_secs(60))
        })
        .unwrap();
    store.write(|tx| tx.put(&thing("5", "Echo")).map(drop)).unwrap();
    // What is seen of before has the number it had then.
    let seq = |lag| {
        let store = &store;
        with_lag(lag, async move { store.read(|tx| tx.get::<Thing>("2")).unwrap().unwrap().seq })
    };
    let behind = |secs| Lag { behind: Some(SignedDuration::from_secs(secs)), shifted: false };
    let seen = |id: &'static str| {
        let store = &store;
        async move { store.read(|tx| tx.get::<Thing>(id)).unwrap().map(|found| found.name.clone()) }
    };
    assert_eq!(seen("5").await.as_deref(), Some("Echo"));
    assert_eq!(with_lag(behind(30), seen("5")).await, None);
    assert_eq!(with_lag(behind(30), seen("2")).await.as_deref(), Some("Zulu"));
    assert_eq!(with_lag(behind(90), seen("2")).await.as_deref(), Some("alpha"));
    assert_eq!((seq(behind(90)).await, seq(behind(30)).await), (2, 5));
    let second = async {
        store
            .read(|tx| {
                let first = tx.scan::<Thing>(&Scan::all("id").limit(2))?;
                tx.scan::<Thing>(&Scan::all("id").limit(2).after(first.next))
            })
            .unwrap()
    };
    let shifted = with_lag(Lag { behind: None, shifted: true }, second).await;
    assert_eq!(ids(&shifted), "2 3");
}

//! PostgreSQL databases that may be read and not written: by a setting, and for want of rights.

use super::*;

/// A ledger that is there, seen by somebody who may not change it.
async fn refused(prepare: impl Fn(&str) -> String, role: &str) {
    let store = Store::postgres();
    let ledger = store.open().await;
    let lease = leased(&ledger).await;
    ledger.intend(&lease, intent("a")).await.unwrap();
    let Place::Postgres(place) = &store.place else { unreachable!() };
    store.tamper(&prepare(&place.schema)).await;
    let url = place.url.expose_secret().replace("user=postgres", &format!("user={role}"));
    let theirs = PostgresPlace { url: url.into(), schema: place.schema.clone() };

    // It is read as ever.
    let seen = Ledger::open(Place::Postgres(theirs), Opening::Create).await.unwrap();
    assert_eq!(seen.id(), ledger.id());
    assert_eq!(seen.open_entries().await.unwrap().len(), 1);
    let tries = [
        seen.acquire(terms("ben", 1, 1)).await.map(drop),
        seen.intend(&lease, intent("b")).await.map(drop),
        seen.record(&lease, vec![put("ana", "fabrikam", "1")]).await.map(drop),
    ];
    for refused in tries {
        let error = refused.unwrap_err();
        assert!(matches!(error, LedgerError::ReadOnly { .. }), "{error:?}");
        let words = error.to_string();
        assert!(words.ends_with(&format!("({}) cannot be written to", place.schema)), "{words}");
    }
    // And nothing came of it.
    assert_eq!(ledger.open_entries().await.unwrap().len(), 1);
    ledger.intend(&lease, intent("c")).await.unwrap();
}

#[tokio::test]
async fn says_that_transactions_only_read() {
    let prepare = |_: &str| {
        "CREATE ROLE only_reading SUPERUSER LOGIN; \
         ALTER ROLE only_reading SET default_transaction_read_only = on"
            .to_owned()
    };
    refused(prepare, "only_reading").await;
}

#[tokio::test]
async fn says_that_the_role_lacks_rights() {
    let prepare = |schema: &str| {
        format!(
            "CREATE ROLE auditor LOGIN; GRANT USAGE ON SCHEMA {schema} TO auditor; \
             GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO auditor"
        )
    };
    refused(prepare, "auditor").await;
}

#[tokio::test]
async fn says_that_a_new_one_cannot_be_made() {
    let store = Store::postgres();
    let Place::Postgres(place) = &store.place else { unreachable!() };
    store.tamper("CREATE ROLE visitor LOGIN").await;
    let url = place.url.expose_secret().replace("user=postgres", "user=visitor");
    let theirs = PostgresPlace { url: url.into(), schema: place.schema.clone() };
    let error = Ledger::open(Place::Postgres(theirs), Opening::Create).await.unwrap_err();
    assert!(matches!(error, LedgerError::ReadOnly { .. }), "{error:?}");
}

//! TLS to a PostgreSQL server: spoken to one that somebody vouches for, and to nobody else.

use std::net::TcpListener;

use super::server::{Server, place_at};
use super::*;

/// A certificate that vouches for itself, and its key.
fn certificate(host: &str) -> (String, String) {
    let made = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

/// A server with this certificate, over TCP.
fn serving(certificate: &str, key: &str) -> (Server, u16) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let options = [
        "listen_addresses=127.0.0.1",
        "ssl=on",
        "ssl_cert_file={}/server.crt",
        "ssl_key_file={}/server.key",
    ];
    (Server::on(port, &options, &[("server.crt", certificate), ("server.key", key)]), port)
}

async fn opened(url: &str) -> Result<(), LedgerError> {
    Ledger::open(Place::Postgres(place_at(url)), Opening::Create).await.map(drop)
}

/// What the errors of a chain say.
fn told(error: &LedgerError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[tokio::test]
async fn speaks_tls_to_whom_somebody_vouches_for() {
    let (trusted, key) = certificate("localhost");
    let (_server, port) = serving(&trusted, &key);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let root = path("root.crt", &trusted);
    let other = path("other.crt", &certificate("localhost").0);
    let url = |options: &str| format!("postgres://postgres@localhost:{port}/postgres?{options}");

    let place = place_at(&url(&format!("sslmode=verify-full&sslrootcert={root}")));
    let ledger = Ledger::open(Place::Postgres(place.clone()), Opening::Create).await.unwrap();
    leased(&ledger).await;
    let mut connection = postgres::Postgres::open(&place).await.unwrap();
    let mut is_secure = None;
    let sql = "SELECT ssl::int::bigint FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    connection
        .each(sql, &[], &mut |row| {
            is_secure = Some(row.flag(0)?);
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(is_secure, Some(true));

    // Whoever does not choose goes without TLS on this machine, and is not fooled if it is asked for.
    opened(&url("")).await.unwrap();
    for options in [
        format!("sslmode=verify-full&sslrootcert={other}"),
        format!("sslmode=verify-ca&sslrootcert={other}"),
        format!("sslmode=require&sslrootcert={other}"),
        "sslmode=verify-full".to_owned(),
        "sslmode=require".to_owned(),
    ] {
        let error = opened(&url(&options)).await.unwrap_err();
        assert!(matches!(error, LedgerError::Unavailable { .. }), "{options}: {error:?}");
        assert!(told(&error).contains("certificate"), "{options}: {}", told(&error));
    }
    // The right certificate under another name is another server's.
    let by_number = url(&format!("sslmode=verify-full&sslrootcert={root}"));
    let error = opened(&by_number.replace("localhost", "127.0.0.1")).await.unwrap_err();
    assert!(told(&error).contains("certificate"), "{}", told(&error));
    let nowhere = url("sslmode=verify-full&sslrootcert=/nowhere/root.crt");
    let error = opened(&nowhere).await.unwrap_err();
    assert!(error.to_string().contains("/nowhere/root.crt"), "{error}");
}

#[tokio::test]
async fn does_not_go_without_tls_where_it_was_asked_for() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let _server = Server::on(port, &["listen_addresses=127.0.0.1"], &[]);
    for mode in ["require", "verify-full"] {
        let url = format!("postgres://postgres@localhost:{port}/postgres?sslmode={mode}");
        let error = opened(&url).await.unwrap_err();
        assert!(matches!(error, LedgerError::Unavailable { .. }), "{error:?}");
        assert!(told(&error).contains("TLS"), "{}", told(&error));
    }
}

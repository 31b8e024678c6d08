//! The ledger in a PostgreSQL database, in a schema of its own.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use futures_util::TryStreamExt;
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Config, Statement};

use super::error::LedgerError;
use super::schema;
use super::session::{Row, Value};
use super::tls::{self, Tls};

/// Who waits for a lock longer than this waits for something that is stuck.
const SETTINGS: &str = "SET client_min_messages = warning; SET lock_timeout = '30s'; \
     SET idle_in_transaction_session_timeout = '60s'; SET synchronous_commit = on";
/// A server that restarts is back within seconds.
const CONNECT_TRIES: u32 = 6;
const CONNECT_DELAY: Duration = Duration::from_millis(100);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the database is, and which schema of it the ledger has.
#[derive(Debug, Clone)]
pub struct PostgresPlace {
    /// `postgres://user@host/database?sslmode=...`, or words as libpq has them.
    ///
    /// Anywhere but on this machine TLS is used and the server's certificate is verified, unless
    /// `sslmode=disable` says otherwise; `sslrootcert` names who vouches for it.
    pub url: SecretString,
    /// One database may hold the ledgers of several tenants.
    pub schema: String,
}

impl PostgresPlace {
    /// In the usual schema.
    pub fn new(url: SecretString) -> Self {
        Self { url, schema: "partnerctl".to_owned() }
    }
}

pub(super) struct Postgres {
    client: Client,
    statements: HashMap<&'static str, Statement>,
    config: Config,
    tls: Tls,
    schema: String,
    place: Arc<str>,
}

impl Postgres {
    pub(super) async fn open(place: &PostgresPlace) -> Result<Self, LedgerError> {
        let (config, tls) = parse(&place.url)?;
        let schema = quoted(&place.schema)?;
        // No address: who reads an error knows the database, and addresses may hold a password.
        let name: Arc<str> = describe(&config, &place.schema).into();
        let client = connect(&config, &tls, &schema, &name).await?;
        Ok(Self { client, statements: HashMap::new(), config, tls, schema, place: name })
    }

    pub(super) fn place(&self) -> &Arc<str> {
        &self.place
    }

    /// The schema, fit to stand in SQL.
    pub(super) fn schema(&self) -> &str {
        &self.schema
    }

    /// Connects anew, where the server or the network ended the connection since.
    pub(super) async fn ensure_connected(&mut self) -> Result<(), LedgerError> {
        if self.client.is_closed() {
            self.statements.clear();
            self.client = connect(&self.config, &self.tls, &self.schema, &self.place).await?;
        }
        Ok(())
    }

    async fn statement(&mut self, sql: &'static str) -> Result<Statement, LedgerError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement =
            self.client.prepare(sql).await.map_err(|error| refused(&self.place, error))?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }

    pub(super) async fn each(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        take: &mut dyn FnMut(&Row<'_>) -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError> {
        let statement = self.statement(sql).await?;
        let refuse = |error| refused(&self.place, error);
        let rows = self.client.query_raw(&statement, values).await.map_err(refuse)?;
        let mut rows = std::pin::pin!(rows);
        while let Some(row) = rows.try_next().await.map_err(refuse)? {
            take(&Row::Postgres(&row))?;
        }
        Ok(())
    }

    pub(super) async fn change(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<u64, LedgerError> {
        let statement = self.statement(sql).await?;
        self.client
            .execute_raw(&statement, values)
            .await
            .map_err(|error| refused(&self.place, error))
    }

    pub(super) async fn script(&mut self, text: &str) -> Result<(), LedgerError> {
        self.client.batch_execute(text).await.map_err(|error| refused(&self.place, error))
    }

    /// The words of the schema that differ from store to store.
    pub(super) fn dialect(script: &str) -> String {
        script
            .replace(schema::ROW_ID, "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY")
            .replace(schema::NOW, "(extract(epoch FROM clock_timestamp()) * 1000)::bigint")
            // Otherwise the database's language would decide what comes first.
            .replace(schema::KEY, "TEXT COLLATE \"C\"")
            .replace(schema::STRICT, "")
    }
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(value) => value.to_sql_checked(kind, out),
            Self::Text(value) => value.to_sql_checked(kind, out),
            Self::Bytes(value) => value.to_sql_checked(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Reads the address; what the driver does not know of libpq's words is taken out before.
fn parse(url: &SecretString) -> Result<(Config, Tls), LedgerError> {
    let (text, wanted) = tls::take_options(url.expose_secret());
    // The driver's words would show the address.
    let mut config: Config = text.expose_secret().parse().map_err(|_| LedgerError::NotALedger {
        place: "the address of the ledger, which is not one of a PostgreSQL database".to_owned(),
        cause: None,
    })?;
    let is_near = config.get_hosts().iter().all(is_near);
    config.ssl_mode(match (wanted.verify, wanted.says_mode, is_near) {
        (true, ..) | (false, false, false) => SslMode::Require,
        (false, false, true) => SslMode::Disable,
        (false, true, _) => config.get_ssl_mode(),
    });
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_application_name().is_none() {
        config.application_name("partnerctl");
    }
    Ok((config, Tls::new(wanted.roots.as_deref())?))
}

/// Whether what is said to it leaves this machine.
fn is_near(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost"
                || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        Host::Unix(_) => true,
    }
}

fn describe(config: &Config, schema: &str) -> String {
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        })
        .collect();
    format!("{}/{} ({schema})", hosts.join(","), config.get_dbname().unwrap_or("postgres"))
}

/// A name of a schema, in quotes; only such as need no thought.
fn quoted(schema: &str) -> Result<String, LedgerError> {
    let is_plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    if schema.is_empty() || schema.len() > 63 || !schema.bytes().all(is_plain) {
        let what = format!("schema `{schema}`: lower-case letters, digits, - and _, at most 63");
        return Err(LedgerError::Unknown { what });
    }
    Ok(format!("\"{schema}\""))
}

async fn connect(
    config: &Config,
    tls: &Tls,
    schema: &str,
    place: &Arc<str>,
) -> Result<Client, LedgerError> {
    let mut tries = 1;
    let (client, connection) = loop {
        match config.connect(tls.clone()).await {
            Ok(connected) => break connected,
            Err(error) if tries < CONNECT_TRIES && is_passing(&error) => {
                tokio::time::sleep(CONNECT_DELAY * 2_u32.pow(tries)).await;
                tries += 1;
            }
            Err(error) => return Err(refused(place, error)),
        }
    };
    let of = Arc::clone(place);
    // It ends with the client, or with the server; then the client says so.
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, place = %of, "the connection ended");
        }
    });
    client
        .batch_execute(&format!("{SETTINGS}; SET search_path = {schema}"))
        .await
        .map_err(|error| refused(place, error))?;
    Ok(client)
}

/// Whether the server may be there in a moment: it starts, stops, or does not listen yet.
fn is_passing(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        Some(code) => is_away(code),
        None => error.source().is_some_and(|cause| {
            cause.downcast_ref::<std::io::Error>().is_some_and(|error| {
                use std::io::ErrorKind::{
                    ConnectionAborted, ConnectionRefused, ConnectionReset, NotFound,
                };
                [ConnectionAborted, ConnectionRefused, ConnectionReset, NotFound]
                    .contains(&error.kind())
            })
        }),
    }
}

fn is_away(code: &SqlState) -> bool {
    code.code().starts_with("08")
        || [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::TOO_MANY_CONNECTIONS,
            SqlState::LOCK_NOT_AVAILABLE,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        ]
        .contains(code)
}

/// What the server's refusal means for the person.
fn refused(place: &Arc<str>, error: tokio_postgres::Error) -> LedgerError {
    let code = error.code().cloned();
    let (place, cause) = (place.to_string(), Arc::new(error));
    match code {
        Some(code) if code == SqlState::DISK_FULL => LedgerError::DiskFull { place, cause },
        Some(code)
            if code == SqlState::READ_ONLY_SQL_TRANSACTION
                || code == SqlState::INSUFFICIENT_PRIVILEGE =>
        {
            LedgerError::ReadOnly { place, cause }
        }
        Some(code) if !is_away(&code) => LedgerError::Store { place, cause },
        _ => LedgerError::Unavailable { place, cause },
    }
}

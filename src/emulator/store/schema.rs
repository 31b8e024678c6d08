//! The layout of the database.

use rusqlite::Connection;

/// Raised with each change of the layout.
const VERSION: i64 = 2;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS objects (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT,
    before TEXT,
    before_seq INTEGER,
    written_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    deleted_at INTEGER,
    seq INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS objects_by_seq ON objects (kind, seq);
CREATE TABLE IF NOT EXISTS keys (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    id TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    PRIMARY KEY (kind, name, deleted, value, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS keys_by_id ON keys (kind, id);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS log (seq INTEGER PRIMARY KEY AUTOINCREMENT, entry TEXT NOT NULL);
";

pub(super) fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    connection.execute_batch(TABLES)?;
    if version == 1 {
        connection.execute_batch("ALTER TABLE objects ADD COLUMN before_seq INTEGER")?;
    }
    connection.pragma_update(None, "user_version", VERSION)
}

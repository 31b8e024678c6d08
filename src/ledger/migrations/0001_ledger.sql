-- All times are milliseconds since 1970, by this clock alone.
CREATE VIEW clock AS SELECT DATABASE_TIME AS now;

CREATE TABLE ledger_version (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    version BIGINT NOT NULL
) STRICT_TYPES;
INSERT INTO ledger_version (id, version) VALUES (1, 0);

CREATE TABLE identity (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    ledger TEXT NOT NULL
) STRICT_TYPES;

-- One row for ever. The token only grows; nobody takes the lease before free_at.
CREATE TABLE lease (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    token BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('free', 'held', 'broken')),
    holder TEXT NOT NULL,
    reason TEXT NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT NOT NULL,
    free_at BIGINT NOT NULL
) STRICT_TYPES;
INSERT INTO lease VALUES (1, 0, 'free', '', '', 0, 0, 0);

CREATE TABLE object (
    kind KEY_TEXT NOT NULL,
    name KEY_TEXT NOT NULL,
    estate TEXT NOT NULL,
    remote_id KEY_TEXT,
    origin TEXT NOT NULL CHECK (origin IN ('made', 'adopted')),
    spec TEXT NOT NULL,
    exchanges TEXT,
    protected BIGINT NOT NULL CHECK (protected IN (0, 1)),
    formerly TEXT,
    run TEXT,
    applied_at BIGINT NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT_TYPES;
CREATE UNIQUE INDEX object_remote ON object (kind, remote_id) WHERE remote_id IS NOT NULL;

CREATE TABLE journal (
    id ROW_ID,
    run KEY_TEXT NOT NULL,
    step KEY_TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    token BIGINT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    verb TEXT NOT NULL,
    marker TEXT,
    detail TEXT,
    removals BIGINT NOT NULL,
    privileged_grants BIGINT NOT NULL,
    irreversible BIGINT NOT NULL,
    customer TEXT,
    intended_at BIGINT NOT NULL,
    outcome TEXT CHECK (outcome IN ('done', 'failed', 'unknown', 'skipped', 'stale')),
    why TEXT,
    remote_id TEXT,
    concluded_at BIGINT,
    UNIQUE (run, step, attempt)
) STRICT_TYPES;
CREATE INDEX journal_time ON journal (intended_at);
CREATE INDEX journal_open ON journal (id) WHERE outcome IS NULL OR outcome = 'unknown';

CREATE TABLE waiting (
    kind KEY_TEXT NOT NULL,
    name KEY_TEXT NOT NULL,
    step KEY_TEXT NOT NULL,
    awaiting TEXT NOT NULL,
    link TEXT,
    instructions TEXT,
    since BIGINT NOT NULL,
    until BIGINT,
    PRIMARY KEY (kind, name, step)
) STRICT_TYPES;

-- Nothing is taken out: the last word on a step counts.
CREATE TABLE confirmation (
    id ROW_ID,
    kind KEY_TEXT NOT NULL,
    name KEY_TEXT NOT NULL,
    step KEY_TEXT NOT NULL,
    what TEXT NOT NULL,
    who TEXT NOT NULL,
    at BIGINT NOT NULL
) STRICT_TYPES;

-- Each hash covers the entry and the hash before it.
CREATE TABLE history (
    seq BIGINT PRIMARY KEY,
    run KEY_TEXT NOT NULL,
    event TEXT NOT NULL CHECK (event IN ('started', 'ended', 'broken')),
    body TEXT NOT NULL,
    at BIGINT NOT NULL,
    hash TEXT NOT NULL
) STRICT_TYPES;
CREATE UNIQUE INDEX history_run ON history (run, event) WHERE event <> 'broken';

-- So that a missing end is noticed too.
CREATE TABLE chain (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    entries BIGINT NOT NULL,
    hash TEXT NOT NULL
) STRICT_TYPES;
INSERT INTO chain VALUES (1, 0, '');

CREATE TABLE snapshot (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    observed_at BIGINT NOT NULL,
    encoding TEXT NOT NULL,
    body BYTEA NOT NULL,
    delta_links TEXT NOT NULL,
    audit_watermark TEXT
) STRICT_TYPES;

//! What we manage: how it came to us, what was last applied, and what the service made of it.

use super::Ledger;
use super::error::LedgerError;
use super::json;
use super::lease::{Lease, fence};
use super::session::{Purpose, Row, Session};
use crate::model::Str;
use crate::model::name::Kind;
use crate::model::record::{Json, Managed, ObjectKey, Origin, Recorded};

pub(super) fn object_key(
    row: &Row<'_>,
    kind: usize,
    name: usize,
) -> Result<ObjectKey, LedgerError> {
    let text = row.text(kind)?;
    let kind = Kind::from_kebab(text)
        .ok_or_else(|| LedgerError::Damaged { what: format!("an object of kind `{text}`") })?;
    Ok(ObjectKey { kind, name: Str::from(row.text(name)?) })
}

fn word(origin: Origin) -> &'static str {
    match origin {
        Origin::Made => "made",
        Origin::Adopted => "adopted",
    }
}

fn parsed(text: &str) -> Result<Origin, LedgerError> {
    match text {
        "made" => Ok(Origin::Made),
        "adopted" => Ok(Origin::Adopted),
        _ => Err(LedgerError::Damaged { what: format!("an object that was `{text}`") }),
    }
}

/// What becomes different in what we manage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Managed from now on, or managed with these values.
    Put(Box<Managed>),
    /// The same object under a new name; the old one is remembered.
    Rename { from: ObjectKey, to: Str },
    /// No longer managed: released, or gone.
    Forget(ObjectKey),
}

const COLUMNS: &str = "SELECT kind, name, estate, remote_id, origin, spec, exchanges, protected, \
     formerly, run, applied_at FROM object ORDER BY kind, name";

const CLAIMED: &str = "SELECT estate, kind, name FROM object WHERE kind = $1 \
     AND ((name = $2 AND estate <> $3) OR (remote_id = $4 AND name <> $2))";

const PUT: &str = "INSERT INTO object (kind, name, estate, remote_id, origin, spec, exchanges, \
     protected, formerly, run, applied_at) \
     SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, clock.now FROM clock WHERE true \
     ON CONFLICT (kind, name) DO UPDATE SET remote_id = excluded.remote_id, \
     origin = excluded.origin, spec = excluded.spec, exchanges = excluded.exchanges, \
     protected = excluded.protected, formerly = excluded.formerly, run = excluded.run, \
     applied_at = excluded.applied_at";

impl Ledger {
    /// All that is managed, sorted by kind and name, of all estates.
    pub async fn objects(&self) -> Result<Vec<Recorded>, LedgerError> {
        self.call(Purpose::Read, async |session| session.all(COLUMNS, &[], recorded).await).await
    }

    /// Changes what is managed, all or nothing, where no step sent anything: adoption of what is
    /// equal already, protection, renames. What a step did goes with its conclusion.
    pub async fn record(&self, lease: &Lease, changes: Vec<Change>) -> Result<(), LedgerError> {
        let token = lease.token;
        self.call(Purpose::Write, async move |session| {
            fence(session, token).await?;
            apply(session, &changes).await
        })
        .await
    }
}

/// Writes changes in the transaction of somebody who holds the lease.
pub(super) async fn apply(session: &mut Session, changes: &[Change]) -> Result<(), LedgerError> {
    for change in changes {
        match change {
            Change::Put(managed) => put(session, managed).await?,
            Change::Rename { from, to } => rename(session, from, to).await?,
            Change::Forget(key) => {
                let values = [key.kind.kebab().into(), key.name.as_str().into()];
                session.change("DELETE FROM object WHERE kind = $1 AND name = $2", &values).await?;
            }
        }
    }
    Ok(())
}

async fn put(session: &mut Session, managed: &Managed) -> Result<(), LedgerError> {
    let Managed { key, estate, remote_id, origin, spec, exchanges, is_protected, formerly, run } =
        managed;
    let exchanges = (!exchanges.is_empty()).then(|| Json::of(exchanges)).transpose()?;
    let formerly = names(formerly)?;
    let (kind, name) = (key.kind.kebab(), key.name.as_str());
    let (estate, remote_id) = (estate.as_str(), remote_id.as_deref());
    let claim = [kind.into(), name.into(), estate.into(), remote_id.into()];
    let claimed =
        session.one(CLAIMED, &claim, |row| Ok((row.owned(0)?, object_key(row, 1, 2)?))).await?;
    if let Some((estate, managed_as)) = claimed {
        return Err(LedgerError::ManagedElsewhere { object: key.clone(), estate, managed_as });
    }
    let values = [
        kind.into(),
        name.into(),
        estate.into(),
        remote_id.into(),
        word(*origin).into(),
        spec.as_str().into(),
        exchanges.as_ref().map(Json::as_str).into(),
        (*is_protected).into(),
        formerly.as_ref().map(Json::as_str).into(),
        run.as_deref().into(),
    ];
    session.change(PUT, &values).await?;
    Ok(())
}

async fn rename(session: &mut Session, from: &ObjectKey, to: &str) -> Result<(), LedgerError> {
    let known = session
        .one(
            "SELECT formerly FROM object WHERE kind = $1 AND name = $2",
            &[from.kind.kebab().into(), from.name.as_str().into()],
            |row| row.maybe_text(0)?.map(words).transpose(),
        )
        .await?;
    let Some(formerly) = known else {
        return Err(LedgerError::Unknown { what: format!("object `{from}`") });
    };
    let taken = session
        .one(
            "SELECT estate FROM object WHERE kind = $1 AND name = $2",
            &[from.kind.kebab().into(), to.into()],
            |row| row.owned(0),
        )
        .await?;
    if let Some(estate) = taken {
        let managed_as = ObjectKey { kind: from.kind, name: Str::from(to) };
        return Err(LedgerError::ManagedElsewhere { object: from.clone(), estate, managed_as });
    }
    let mut formerly = formerly.unwrap_or_default();
    formerly.retain(|name| name != to && *name != from.name);
    formerly.push(from.name.clone());
    let formerly = names(&formerly)?;
    let values = [
        to.into(),
        formerly.as_ref().map(Json::as_str).into(),
        from.kind.kebab().into(),
        from.name.as_str().into(),
    ];
    session
        .change("UPDATE object SET name = $1, formerly = $2 WHERE kind = $3 AND name = $4", &values)
        .await?;
    Ok(())
}

fn names(names: &[Str]) -> Result<Option<Json>, LedgerError> {
    let words: Vec<&str> = names.iter().map(Str::as_str).collect();
    Ok((!words.is_empty()).then(|| Json::of(&words)).transpose()?)
}

fn words(text: &str) -> Result<Vec<Str>, LedgerError> {
    let words: Vec<String> = json::read(text)?;
    Ok(words.into_iter().map(Str::from).collect())
}

fn recorded(row: &Row<'_>) -> Result<Recorded, LedgerError> {
    let managed = Managed {
        key: object_key(row, 0, 1)?,
        estate: Str::from(row.text(2)?),
        remote_id: row.maybe_text(3)?.map(Str::from),
        origin: parsed(row.text(4)?)?,
        spec: Json::stored(row.text(5)?),
        exchanges: row.maybe_text(6)?.map(json::read).transpose()?.unwrap_or_default(),
        is_protected: row.flag(7)?,
        formerly: row.maybe_text(8)?.map(words).transpose()?.unwrap_or_default(),
        run: row.maybe_text(9)?.map(Str::from),
    };
    Ok(Recorded { managed, at: row.time(10)? })
}

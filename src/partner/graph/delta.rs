//! What changed since a mark: ids alone, because what a delta says of an object depends on the
//! object's kind, its size and the service's mood. The objects themselves are read again.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::super::error::Error;
use super::super::line::ReadingLine;
use super::super::request::Class;
use super::super::snapshot::ObjectId;
use super::directory;
use super::page::{self, Whole};

#[derive(Debug, Deserialize)]
pub(in crate::partner) struct Changed {
    pub(in crate::partner) id: Uuid,
    #[serde(default, rename = "@removed")]
    pub(in crate::partner) removed: Option<Value>,
}

/// What a delta has to say.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::partner) struct Moved {
    pub(in crate::partner) changed: BTreeSet<ObjectId>,
    pub(in crate::partner) removed: BTreeSet<ObjectId>,
    pub(in crate::partner) mark: String,
}

/// Which collection is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::partner) enum Watched {
    Users,
    Groups,
}

impl Watched {
    fn first(self) -> String {
        let (collection, select) = match self {
            Self::Users => ("users", directory::USER_DELTA_SELECT),
            Self::Groups => ("groups", directory::GROUP_DELTA_SELECT),
        };
        format!("/v1.0/{collection}/delta?$select={select}&$deltatoken=latest")
    }
}

/// A mark from which the next observation can go on. To be taken *before* the collection is read:
/// then a change in between is seen twice instead of never.
pub(in crate::partner) async fn mark(
    line: &ReadingLine,
    watched: Watched,
) -> Result<(Option<String>, Option<Timestamp>), Error> {
    let whole = page::all::<Changed>(line, Class::Directory, watched.first()).await?;
    Ok((whole.delta, whole.date))
}

/// What a delta says, read to its end; nothing if it gives no mark to go on from.
pub(in crate::partner) fn moved(whole: Whole<Changed>) -> Option<Moved> {
    let mark = whole.delta?;
    let mut moved = Moved { changed: BTreeSet::new(), removed: BTreeSet::new(), mark };
    // The same object may come several times: the last word counts.
    for Changed { id, removed } in whole.items {
        let (into, from) = if removed.is_some() {
            (&mut moved.removed, &mut moved.changed)
        } else {
            (&mut moved.changed, &mut moved.removed)
        };
        from.remove(&ObjectId(id));
        into.insert(ObjectId(id));
    }
    Some(moved)
}

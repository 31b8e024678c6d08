//! The built-in directory roles: every tenant has the same ones.

use std::sync::LazyLock;

use crate::model::directory_role::DirectoryRole;

/// A built-in role. Its definition's id is its template's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BuiltIn {
    pub id: String,
    pub name: &'static str,
}

static ALL: LazyLock<Vec<BuiltIn>> = LazyLock::new(|| {
    let mut all: Vec<BuiltIn> = DirectoryRole::names()
        .filter_map(|name| Some(BuiltIn { id: DirectoryRole::named(name)?.0.to_string(), name }))
        .collect();
    all.sort_by_key(|role| role.name);
    all
});

/// All of them, by name.
pub(crate) fn all() -> &'static [BuiltIn] {
    &ALL
}

/// The one with an id, whatever its case.
pub(crate) fn by_id(id: &str) -> Option<&'static BuiltIn> {
    ALL.iter().find(|role| role.id.eq_ignore_ascii_case(id))
}

impl BuiltIn {
    /// A line about it: of no more use than its name.
    pub(crate) fn description(&self) -> String {
        format!("The built-in role {}.", self.name)
    }
}

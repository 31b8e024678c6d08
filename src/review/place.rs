//! Where something stands, on which side.

use schemars::JsonSchema;
use serde::Serialize;

use crate::manifest::Loaded;
use crate::manifest::draft::{On, Where, way};
use crate::manifest::finding::{Place, Region};
use crate::policy::rules::{Placed, Rule};

/// One side of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    Base,
    Head,
}

/// A place in a file of one side.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct At {
    pub side: Side,
    /// Relative to the project; `policies/...` of the built-in library for what is built in.
    pub file: String,
    /// From 1; absent when only the file is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_column: Option<u32>,
}

impl At {
    pub(super) fn of(side: Side, place: Place) -> Self {
        let Place { file, region } = place;
        let Some(Region { line, column, end_line, end_column, excerpt: _ }) = region else {
            return Self::file(side, file);
        };
        Self {
            side,
            file,
            line: Some(line),
            column: Some(column),
            end_line: Some(end_line),
            end_column: Some(end_column),
        }
    }

    /// A file as a whole.
    pub(super) fn file(side: Side, file: String) -> Self {
        Self { side, file, line: None, column: None, end_line: None, end_column: None }
    }
}

/// Where a policy is written, if it is in a file of the project.
pub(crate) fn of_rule(loaded: &Loaded, rule: &Rule) -> Option<Place> {
    let at = match &rule.place {
        Placed::Library { .. } | Placed::Tenant => return None,
        Placed::Role { role, index } => {
            let path = way!["spec", "permissions", *index];
            let origin = loaded.estate.roles.get(role)?.origin;
            Where::Field { origin, path, on: On::Value }
        }
        Placed::DelegatedAccess { access, index } => {
            let path = way!["spec", "grants", *index];
            let origin = loaded.estate.delegated_access.get(access)?.origin;
            Where::Field { origin, path, on: On::Value }
        }
        Placed::Project { source, span } => Where::Bytes { source: *source, span: *span },
    };
    Some(loaded.place_of(&at))
}

/// A field of a document, by the words of its path.
pub(super) fn field(origin: crate::model::estate::Origin, path: &str) -> Where {
    let path = path.split('.').map(crate::manifest::draft::Step::from).collect();
    Where::Field { origin, path, on: On::Value }
}

//! Query options: which objects of a collection, which of their properties, in which order.

use axum::extract::Query as Pairs;
use http::{StatusCode, Uri};
use serde_json::{Map, Value};

use super::filter::{self, Filter};
use crate::emulator::error::GraphError;

/// What a list understands.
pub(super) const LIST: &[&str] =
    &["select", "filter", "top", "orderby", "count", "skiptoken", "search", "expand"];
/// What a single object understands.
pub(super) const ONE: &[&str] = &["select", "expand"];

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Query {
    pub select: Option<Vec<String>>,
    pub filter: Option<Filter>,
    pub top: Option<usize>,
    pub order: Option<Order>,
    pub count: bool,
    pub expand: Vec<String>,
    pub skip_token: Option<String>,
    pub delta_token: Option<String>,
    /// The caller sent `ConsistencyLevel: eventual`.
    pub is_eventual: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    pub property: String,
    pub backwards: bool,
}

pub(super) fn unsupported(message: impl Into<String>) -> GraphError {
    GraphError::new(StatusCode::BAD_REQUEST, "Request_UnsupportedQuery", message)
}

/// Reads the options of a query; other words than options are nobody's business.
pub(super) fn parse(
    raw: &str,
    understood: &[&str],
    is_eventual: bool,
) -> Result<Query, GraphError> {
    let mut query = Query { is_eventual, ..Query::default() };
    let mut search = None;
    for (name, value) in pairs(raw)? {
        let lower = name.to_ascii_lowercase();
        let option = lower.strip_prefix('$').unwrap_or(&lower);
        if !understood.contains(&option) {
            if lower.starts_with('$') {
                let message = format!("The query parameter '{name}' is not supported.");
                return Err(GraphError::bad_request(message));
            }
            continue;
        }
        match option {
            "select" => query.select = Some(names(&value)),
            "filter" => query.filter = Some(filter::parse(&value)?),
            "top" => query.top = Some(top(&value)?),
            "orderby" => query.order = Some(order(&value)?),
            "count" => query.count = value.eq_ignore_ascii_case("true"),
            "expand" => query.expand = names(&value),
            "search" => search = Some(filter::parse_search(&value)?),
            "skiptoken" => query.skip_token = Some(value),
            "deltatoken" => query.delta_token = Some(value),
            _ => {}
        }
    }
    if let Some(search) = search {
        if !is_eventual {
            return Err(unsupported(
                "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'",
            ));
        }
        query.filter = Some(match query.filter {
            Some(filter) => Filter::And(vec![filter, search]),
            None => search,
        });
    }
    Ok(query)
}

fn pairs(raw: &str) -> Result<Vec<(String, String)>, GraphError> {
    let unreadable = || GraphError::bad_request("The query string is malformed.");
    let uri: Uri = format!("/?{raw}").parse().map_err(|_| unreadable())?;
    Pairs::try_from_uri(&uri).map(|Pairs(pairs)| pairs).map_err(|_| unreadable())
}

fn names(value: &str) -> Vec<String> {
    let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

fn top(value: &str) -> Result<usize, GraphError> {
    let top = value.trim().parse().ok().filter(|top| *top > 0);
    top.ok_or_else(|| GraphError::bad_request(format!("Invalid page size specified: '{value}'.")))
}

fn order(value: &str) -> Result<Order, GraphError> {
    let mut words = value.split_whitespace();
    let property = words.next().unwrap_or_default().to_owned();
    let backwards = match words.next().map(str::to_ascii_lowercase).as_deref() {
        None | Some("asc") => false,
        Some("desc") => true,
        Some(_) => return Err(unsupported("Sort not supported for current query.")),
    };
    if words.next().is_some() || property.contains(',') {
        return Err(unsupported("Sort not supported for current query."));
    }
    Ok(Order { property, backwards })
}

impl Query {
    /// Advanced queries of the directory are answered from an index, and only to who knows.
    pub(super) fn must_be_allowed_by_directory(&self) -> Result<(), GraphError> {
        let is_advanced = match &self.filter {
            Some(filter) => filter.is_advanced() || self.order.is_some(),
            None => false,
        };
        if is_advanced && !(self.is_eventual && self.count) {
            return Err(unsupported("Unsupported or invalid query filter clause specified."));
        }
        Ok(())
    }

    /// How many objects a page holds.
    pub(super) fn page_size(&self, usual: usize, max: usize) -> Result<usize, GraphError> {
        match self.top {
            Some(top) if top > max => Err(GraphError::bad_request(format!(
                "Invalid page size specified: '{top}'. Must be between 1 and {max} inclusive."
            ))),
            top => Ok(top.unwrap_or(usual)),
        }
    }

    /// Refuses names that no object of the collection has.
    pub(super) fn must_know(&self, kind: &str, known: &[&str]) -> Result<(), GraphError> {
        let is_known = |name: &str| name == "*" || known.contains(&name);
        let unknown = |name: &str| {
            let message = format!(
                "Parsing OData Select and Expand failed: Could not find a property named '{name}' on type 'microsoft.graph.{kind}'."
            );
            GraphError::new(StatusCode::BAD_REQUEST, "BadRequest", message)
        };
        if let Some(name) = self.select.iter().flatten().find(|name| !is_known(name)) {
            return Err(unknown(name));
        }
        let mut used = Vec::new();
        if let Some(filter) = &self.filter {
            filter.properties(&mut used);
        }
        match used.into_iter().find(|name| !is_known(name)) {
            Some(name) => Err(GraphError::bad_request(format!(
                "Invalid filter clause: Could not find a property named '{name}' on type 'microsoft.graph.{kind}'."
            ))),
            None => Ok(()),
        }
    }

    /// An object with the properties that were asked for, or those that are given unasked.
    pub(super) fn project(
        &self,
        mut object: Map<String, Value>,
        usual: &[&str],
    ) -> Map<String, Value> {
        let chosen: Vec<&str> = match &self.select {
            Some(names) if names.iter().any(|name| name == "*") => return object,
            Some(names) => names.iter().map(String::as_str).collect(),
            None if usual.is_empty() => return object,
            None => usual.to_vec(),
        };
        let annotations: Vec<String> =
            object.keys().filter(|name| name.starts_with('@')).cloned().collect();
        let mut projected = Map::new();
        for name in annotations.iter().map(String::as_str).chain(chosen) {
            if let Some(value) = object.remove(name) {
                projected.insert(name.to_owned(), value);
            }
        }
        projected
    }

    /// `(id,displayName)` behind a name in a context, where properties were chosen.
    pub(super) fn chosen(&self) -> String {
        match &self.select {
            Some(names) if !names.is_empty() => format!("({})", names.join(",")),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn options_come_encoded_or_not() {
        let query = parse("%24select=id,%20displayName&$top=5&x=1&$count=true", LIST, false);
        let query = query.unwrap();
        assert_eq!(query.select, Some(vec!["id".to_owned(), "displayName".to_owned()]));
        assert_eq!((query.top, query.count), (Some(5), true));
        assert_eq!(query.chosen(), "(id,displayName)");
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for raw in ["$skip=5", "$top=0", "$top=x", "$orderby=a%20b", "$filter=id", "$search=\"a\""]
        {
            assert!(parse(raw, LIST, false).is_err(), "{raw}");
        }
        assert!(parse("$top=5", ONE, false).is_err());
    }

    #[test]
    fn only_what_is_chosen_is_shown() {
        let object = json!({"@odata.type": "#t", "id": "1", "b": 2, "c": 3});
        let Value::Object(object) = object else { panic!() };
        let query = parse("$select=c", LIST, false).unwrap();
        let shown = Value::Object(query.project(object.clone(), &["id"])).to_string();
        assert_eq!(shown, r##"{"@odata.type":"#t","c":3}"##);
        let usual = Value::Object(Query::default().project(object, &["id"])).to_string();
        assert_eq!(usual, r##"{"@odata.type":"#t","id":"1"}"##);
    }
}

//! The canonical order of keys, from the tables of the kinds.

use std::collections::HashMap;

use super::format::KeyOrder;
use super::kinds::{metadata_fields, spec};
use super::read::Field;
use crate::model::name::Kind;

/// The order that `fmt` writes keys in.
#[derive(Debug)]
pub struct CanonicalOrder {
    orders: HashMap<String, Vec<&'static str>>,
}

impl Default for CanonicalOrder {
    fn default() -> Self {
        let mut orders = HashMap::new();
        for kind in Kind::ALL {
            orders
                .insert(path_of(kind.word(), &[]), vec!["apiVersion", "kind", "metadata", "spec"]);
            below(kind.word(), &mut vec!["metadata"], metadata_fields(), &mut orders);
            below(kind.word(), &mut vec!["spec"], spec(*kind).fields, &mut orders);
        }
        orders.insert(path_of("List", &[]), vec!["apiVersion", "kind", "metadata", "items"]);
        Self { orders }
    }
}

fn below(
    kind: &str,
    path: &mut Vec<&'static str>,
    fields: &[Field],
    orders: &mut HashMap<String, Vec<&'static str>>,
) {
    if fields.is_empty() {
        return;
    }
    orders.insert(path_of(kind, path), fields.iter().map(|field| field.key).collect());
    for field in fields {
        path.push(field.key);
        below(kind, path, (field.described)().fields, orders);
        path.pop();
    }
}

fn path_of(kind: &str, path: &[&str]) -> String {
    std::iter::once(kind).chain(path.iter().copied()).collect::<Vec<_>>().join("\0")
}

impl KeyOrder for CanonicalOrder {
    fn order(&self, kind: &str, path: &[&str]) -> Option<&[&str]> {
        self.orders.get(&path_of(kind, path)).map(Vec::as_slice)
    }
}

//! Which customers are meant: selectors, and sets of customers.

use std::collections::HashMap;
use std::rc::Rc;

use crate::manifest::check::World as Checked;
use crate::model::label::Selector;
use crate::model::name::CustomerKey;

/// Customers, sorted by name.
pub(super) type Customers<'a> = Rc<Vec<&'a CustomerKey>>;

/// Whom selectors select, each asked once.
pub(super) struct Selections<'w, 'e> {
    world: &'w Checked<'e>,
    known: HashMap<Option<&'e Selector>, Customers<'e>>,
}

impl<'w, 'e> Selections<'w, 'e> {
    pub(super) fn new(world: &'w Checked<'e>) -> Self {
        Self { world, known: HashMap::new() }
    }

    /// Whom a selector selects.
    pub(super) fn of(&mut self, selector: &'e Selector) -> Customers<'e> {
        let world = self.world;
        let found = self.known.entry(Some(selector)).or_insert_with(|| {
            Rc::new(world.customers.selected(selector).into_iter().map(|(key, _)| key).collect())
        });
        Rc::clone(found)
    }

    /// What a selector selects, and everybody where there is none.
    pub(super) fn of_or_all(&mut self, selector: Option<&'e Selector>) -> Customers<'e> {
        match selector {
            Some(selector) => self.of(selector),
            None => self.all(),
        }
    }

    /// Everybody with a relationship.
    pub(super) fn all(&mut self) -> Customers<'e> {
        let world = self.world;
        let found = self.known.entry(None).or_insert_with(|| {
            let all = Selector { all: true, ..Selector::default() };
            Rc::new(world.customers.selected(&all).into_iter().map(|(key, _)| key).collect())
        });
        Rc::clone(found)
    }
}

/// Who is in any of them.
pub(super) fn union(several: Vec<Customers<'_>>) -> Customers<'_> {
    let mut several = several;
    several.dedup_by(|a, b| Rc::ptr_eq(a, b));
    if several.len() == 1
        && let Some(one) = several.pop()
    {
        return one;
    }
    let mut all: Vec<&CustomerKey> = several.iter().flat_map(|one| one.iter().copied()).collect();
    all.sort_unstable();
    all.dedup();
    Rc::new(all)
}

/// Who is in the first and not in the second, both sorted.
pub(super) fn difference<'a>(
    first: &Customers<'a>,
    second: &Customers<'a>,
) -> Vec<&'a CustomerKey> {
    if Rc::ptr_eq(first, second) {
        return Vec::new();
    }
    first.iter().filter(|key| second.binary_search(key).is_err()).copied().collect()
}

/// Whether anybody is in both, both sorted.
pub(super) fn meet(first: &Customers<'_>, second: &Customers<'_>) -> bool {
    let (few, many) = if first.len() < second.len() { (first, second) } else { (second, first) };
    few.iter().any(|key| many.binary_search(key).is_ok())
}

/// `contoso`, or `contoso` and 11 more.
pub(super) fn named(customers: &[&CustomerKey]) -> String {
    match customers {
        [] => "nobody".to_owned(),
        [one] => format!("`{one}`"),
        [one, other] => format!("`{one}` and `{other}`"),
        [one, rest @ ..] => format!("`{one}` and {} more customers", rest.len()),
    }
}

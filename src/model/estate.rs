//! All that the manifests declare.

use std::collections::BTreeMap;

use foldhash::{HashMap, HashMapExt};

use super::access_test::AccessTest;
use super::account::Account;
use super::customer::{Customer, Relationship};
use super::delegated_access::DelegatedAccess;
use super::label::Selector;
use super::metadata::Metadata;
use super::name::{CustomerKey, DelegatedAccessKey, Name, PartnershipKey, RoleKey, UserKey};
use super::partnership::Partnership;
use super::role::Role;
use super::user::User;
use super::waiver::Waiver;

/// The number of the document that something was declared by; who loaded it knows where that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(pub u32);

/// Something declared.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared<T> {
    /// On their own, as `spec` is: what is sorted and moved by the hundred thousand should be small.
    pub metadata: Box<Metadata>,
    pub spec: Box<T>,
    pub origin: Origin,
}

/// Everything declared, by name.
#[derive(Debug, Default)]
pub struct Estate {
    pub account: Option<Declared<Account>>,
    pub users: BTreeMap<UserKey, Declared<User>>,
    pub roles: BTreeMap<RoleKey, Declared<Role>>,
    pub partnerships: BTreeMap<PartnershipKey, Declared<Partnership>>,
    pub customers: BTreeMap<CustomerKey, Declared<Customer>>,
    pub delegated_access: BTreeMap<DelegatedAccessKey, Declared<DelegatedAccess>>,
    pub waivers: BTreeMap<Name, Declared<Waiver>>,
    pub access_tests: BTreeMap<Name, Declared<AccessTest>>,
}

/// Customers by their labels, so that a selector looks at few of them.
///
/// Customers whose relationship is over are not in it: labels never select them.
#[derive(Debug)]
pub struct CustomerIndex<'a> {
    all: Vec<Entry<'a>>,
    by_label: HashMap<(&'a str, &'a str), Vec<u32>>,
}

type Entry<'a> = (&'a CustomerKey, &'a Declared<Customer>);

impl<'a> CustomerIndex<'a> {
    /// Indexes the customers that a condition holds for.
    pub fn of(estate: &'a Estate, include: impl Fn(&Customer) -> bool) -> Self {
        let mut index = Self { all: Vec::new(), by_label: HashMap::new() };
        for (name, customer) in &estate.customers {
            if customer.spec.relationship != Relationship::Reseller || !include(&customer.spec) {
                continue;
            }
            let at = u32::try_from(index.all.len()).unwrap_or(u32::MAX);
            for (key, value) in customer.metadata.labels.iter() {
                index.by_label.entry((key.as_str(), value.as_str())).or_default().push(at);
            }
            index.all.push((name, customer));
        }
        index
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The customers that a selector selects, by name.
    pub fn selected(&self, selector: &Selector) -> Vec<Entry<'a>> {
        let mut selected: Vec<Entry<'a>> = self.by_conditions(selector).collect();
        for name in &selector.names {
            if let Some(entry) = self.named(name) {
                selected.push(entry);
            }
        }
        selected.retain(|(name, _)| !selector.except.contains(name));
        selected.sort_by_key(|(name, _)| *name);
        selected.dedup_by_key(|(name, _)| *name);
        selected
    }

    /// Whether a selector selects anybody; cheaper than to ask whom.
    pub fn selects_any(&self, selector: &Selector) -> bool {
        let named = selector.names.iter().filter_map(|name| self.named(name));
        self.by_conditions(selector).chain(named).any(|(name, _)| !selector.except.contains(name))
    }

    fn named(&self, name: &CustomerKey) -> Option<Entry<'a>> {
        let at = self.all.binary_search_by_key(&name, |(name, _)| name).ok()?;
        self.all.get(at).copied()
    }

    fn list<'s>(&'s self, key: &'s str, value: &'s str) -> &'s [u32] {
        self.by_label.get(&(key, value)).map_or(&[], Vec::as_slice)
    }

    fn by_conditions<'s>(
        &'s self,
        selector: &'s Selector,
    ) -> impl Iterator<Item = Entry<'a>> + use<'s, 'a> {
        // The shortest list that holds everybody; without one, everybody.
        let equal = selector
            .labels
            .iter()
            .map(|(key, value)| vec![self.list(key.as_str(), value.as_str())]);
        let any_of = selector.any_of.iter().map(|(key, values)| {
            values.iter().map(|value| self.list(key.as_str(), value.as_str())).collect::<Vec<_>>()
        });
        let shortest = equal
            .chain(any_of)
            .min_by_key(|lists| lists.iter().map(|list| list.len()).sum::<usize>())
            .filter(|_| !selector.all);
        let asks = selector.all || selector.has_conditions();
        let everybody = if shortest.is_none() && asks { self.all.len() } else { 0 };
        let listed =
            shortest.into_iter().flatten().flatten().filter_map(|at| self.all.get(*at as usize));
        let unlisted = self.all.iter().take(everybody);
        listed
            .chain(unlisted)
            .filter(|(_, customer)| selector.matches(&customer.metadata.labels))
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::label::{LabelKey, LabelValue};
    use crate::model::scalar::Scalar;

    fn customer(at: usize, labels: &[(u8, u8)], ended: bool) -> Declared<Customer> {
        let name = Name::parse(&format!("c{at}")).unwrap();
        let labels = labels
            .iter()
            .map(|(k, v)| {
                (
                    LabelKey::parse(&format!("k{k}")).unwrap(),
                    LabelValue::parse(&format!("v{v}")).unwrap(),
                )
            })
            .collect();
        let metadata = Metadata {
            name,
            labels,
            annotations: Vec::new(),
            formerly: Vec::new(),
            protect: false,
            ignore: Vec::new(),
            expires: None,
            on_removal: None,
        };
        let spec = Customer {
            company_name: crate::model::text::Title::parse("Contoso").unwrap(),
            domain: crate::model::contact::Domain::parse("contoso.example").unwrap(),
            tenant_id: None,
            relationship: if ended { Relationship::None } else { Relationship::Reseller },
            origin: crate::model::customer::Origin::Existing,
            partnerships: None,
            reseller: None,
            channel: None,
            contact: None,
            billing: None,
            qualification: None,
            qualification_details: None,
            organization_registration_number: None,
        };
        Declared { metadata: Box::new(metadata), spec: Box::new(spec), origin: Origin(0) }
    }

    fn label() -> impl Strategy<Value = (LabelKey, LabelValue)> {
        (0u8..3, 0u8..3).prop_map(|(k, v)| {
            (
                LabelKey::parse(&format!("k{k}")).unwrap(),
                LabelValue::parse(&format!("v{v}")).unwrap(),
            )
        })
    }

    fn names() -> impl Strategy<Value = Vec<CustomerKey>> {
        proptest::collection::vec(
            (0usize..12).prop_map(|at| CustomerKey::parse(&format!("c{at}")).unwrap()),
            0..3,
        )
    }

    fn selector() -> impl Strategy<Value = Selector> {
        let several = || {
            proptest::collection::btree_map(
                label().prop_map(|l| l.0),
                proptest::collection::vec(label().prop_map(|l| l.1), 1..3),
                0..2,
            )
        };
        (
            proptest::collection::vec(label(), 0..3)
                .prop_map(|labels| labels.into_iter().collect()),
            several(),
            several(),
            proptest::collection::vec(label().prop_map(|l| l.0), 0..2),
            names(),
            names(),
            any::<bool>(),
        )
            .prop_map(|(labels, any_of, none_of, exists, names, except, all)| Selector {
                labels,
                any_of,
                none_of,
                exists,
                names,
                except,
                all,
            })
    }

    proptest! {
        #[test]
        fn the_index_selects_whom_the_selector_does(
            customers in proptest::collection::vec((proptest::collection::vec((0u8..3, 0u8..3), 0..4), any::<bool>()), 0..10),
            selector in selector(),
        ) {
            let mut estate = Estate::default();
            for (at, (labels, ended)) in customers.iter().enumerate() {
                estate.customers.insert(CustomerKey::parse(&format!("c{at}")).unwrap(), customer(at, labels, *ended));
            }
            let index = CustomerIndex::of(&estate, |_| true);
            let naive: Vec<&CustomerKey> = estate
                .customers
                .iter()
                .filter(|(name, customer)| {
                    customer.spec.relationship == Relationship::Reseller && selector.selects(name, &customer.metadata.labels)
                })
                .map(|(name, _)| name)
                .collect();
            let selected: Vec<&CustomerKey> = index.selected(&selector).into_iter().map(|(name, _)| name).collect();
            prop_assert_eq!(&selected, &naive);
            prop_assert_eq!(index.selects_any(&selector), !naive.is_empty());
        }
    }
}

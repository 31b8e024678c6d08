//! What delegated access gives in a tenant that was asked: who has which directory roles in which
//! customer's tenant.
//!
//! Ten thousand customers may each have relationships of their own, and still hardly differ in what
//! these give. So what is kept is each *gift* once, a role's group and the directory roles that it
//! has somewhere, and for each customer the names of the gifts that hold there. Policies are made of
//! gifts, and a customer is known to them by its gifts alone.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::world::{Type, Uid, Value, World};
use crate::model::Str;
use crate::model::directory_role::DirectoryRole;
use crate::model::name::{CustomerKey, RoleKey};

/// What one group has somewhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gift {
    /// A role's group: a custom role's, or an agent group's.
    pub to: RoleKey,
    pub directory_roles: BTreeSet<DirectoryRole>,
}

impl Gift {
    /// A name that follows from what it is, so that it is the same before and after a change.
    fn name(&self) -> Str {
        let mut hash = Sha256::new();
        for role in &self.directory_roles {
            hash.update(role.0.0.as_bytes());
        }
        let digest = format!("{:x}", hash.finalize());
        format!("{}.{}", self.to, digest.get(..DIGITS).unwrap_or_default()).into()
    }
}

/// Enough to tell all sets of directory roles apart that one group could have.
const DIGITS: usize = 12;

/// All that delegated access gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delegated {
    gifts: BTreeMap<Gift, Str>,
    customers: BTreeMap<CustomerKey, BTreeSet<Str>>,
}

impl Delegated {
    /// What each group has in each customer's tenant. Several relationships are one union.
    pub fn of(given: BTreeMap<CustomerKey, BTreeMap<RoleKey, BTreeSet<DirectoryRole>>>) -> Self {
        let mut gifts: BTreeMap<Gift, Str> = BTreeMap::new();
        let of_customer: Vec<(CustomerKey, Vec<Gift>)> = given
            .into_iter()
            .map(|(customer, groups)| {
                let groups = groups.into_iter().filter(|(_, roles)| !roles.is_empty());
                (
                    customer,
                    groups.map(|(to, directory_roles)| Gift { to, directory_roles }).collect(),
                )
            })
            .collect();
        for gift in of_customer.iter().flat_map(|(_, gifts)| gifts) {
            gifts.entry(gift.clone()).or_insert_with(|| gift.name());
        }
        let customers = of_customer
            .into_iter()
            .map(|(customer, of)| {
                (customer, of.iter().filter_map(|gift| gifts.get(gift).cloned()).collect())
            })
            .filter(|(_, names): &(_, BTreeSet<Str>)| !names.is_empty())
            .collect();
        Self { gifts, customers }
    }

    /// Each gift, and its name.
    pub fn gifts(&self) -> impl Iterator<Item = (&Gift, &Str)> {
        self.gifts.iter()
    }

    /// Tells a world, whose customers these are, what holds where.
    pub fn tell(&self, world: &mut World) {
        for (customer, names) in &self.customers {
            let uid = Uid::new(Type::Customer, customer.as_str());
            let shape = world.shape_of(&uid).and_then(|shape| world.shape(shape));
            let Some(mut shape) = shape.cloned() else { continue };
            shape.attributes.retain(|(name, _)| *name != ATTRIBUTE);
            shape.attributes.push((ATTRIBUTE, Value::Texts(names.clone())));
            world.suppose(uid, shape);
        }
    }
}

/// As the vocabulary has it.
const ATTRIBUTE: &str = "delegated";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::scalar::Scalar;

    fn roles(names: &[&str]) -> BTreeSet<DirectoryRole> {
        names.iter().map(|name| DirectoryRole::named(name).unwrap()).collect()
    }

    #[test]
    fn what_is_equal_is_given_once() {
        let key = |name: &str| RoleKey::parse(name).unwrap();
        let (readers, support) = (["Directory Readers"], ["Service Support Administrator"]);
        let mut given = BTreeMap::new();
        for at in 0..100 {
            let name = CustomerKey::parse(&format!("customer-{at:03}")).unwrap();
            let odd = if at % 2 == 0 { roles(&readers) } else { roles(&support) };
            let groups = BTreeMap::from([
                (key("desk"), odd),
                (key("tier2"), roles(&support)),
                (key("none"), BTreeSet::new()),
            ]);
            given.insert(name, groups);
        }
        let delegated = Delegated::of(given);
        let gifts: Vec<(&str, usize)> = delegated
            .gifts()
            .map(|(gift, _)| (gift.to.as_str(), gift.directory_roles.len()))
            .collect();
        assert_eq!(gifts, [("desk", 1), ("desk", 1), ("tier2", 1)]);
        let names: BTreeSet<&Str> = delegated.gifts().map(|(_, name)| name).collect();
        assert_eq!(names.len(), 3);
        assert!(names.iter().all(|name| name.len() == name.find('.').unwrap() + 1 + DIGITS));
        assert_eq!(delegated.customers.len(), 100);
        assert!(delegated.customers.values().all(|names| names.len() == 2));
    }
}

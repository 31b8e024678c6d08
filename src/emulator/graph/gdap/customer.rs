//! Customers who gave us delegated access: there while at least one relationship is active.

use serde::{Deserialize, Serialize};

use super::relationship::{Customer, Relationship, Status};
use crate::emulator::store::{Document, Read, StoreError, Write};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DelegatedCustomer {
    pub tenant_id: String,
    pub display_name: String,
}

impl Document for DelegatedCustomer {
    const KIND: &'static str = "gdap-customer";

    fn id(&self) -> &str {
        &self.tenant_id
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        vec![
            ("id", self.tenant_id.to_lowercase()),
            ("display-name", self.display_name.to_lowercase()),
        ]
    }
}

/// Makes the list right for a customer of whom a relationship has changed.
pub(super) fn reconsider(tx: &Write<'_>, customer: &Customer) -> Result<(), StoreError> {
    let tenant_id = customer.tenant_id.to_lowercase();
    let is_listed = tx.get::<DelegatedCustomer>(&tenant_id)?.is_some();
    match (has_active(tx, &tenant_id)?, is_listed) {
        (true, false) => {
            let display_name = customer.display_name.clone().unwrap_or_default();
            tx.put(&DelegatedCustomer { tenant_id, display_name })?;
        }
        (false, true) => {
            tx.purge::<DelegatedCustomer>(&tenant_id)?;
        }
        (true, true) | (false, false) => {}
    }
    Ok(())
}

fn has_active(tx: &Read<'_>, tenant_id: &str) -> Result<bool, StoreError> {
    let all = tx.with::<Relationship>("customer", tenant_id)?;
    Ok(all.iter().any(|relationship| relationship.status == Status::Active))
}

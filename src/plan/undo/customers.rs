//! What no plan takes back of customers: it is named.

use super::Back;
use crate::model::id::TenantId;
use crate::model::tenant::Customer;
use crate::plan::bind::tenant_id;
use crate::plan::step::State;

impl Back<'_, '_> {
    pub(super) fn created_customer(mut self) {
        let id = self.deed.remote_id.as_deref().and_then(tenant_id);
        if id.is_none_or(|id| self.is_customer(id)) {
            let message = "the tenant that was made for it stays: only its relationship with us can be ended, with `relationship: none`";
            self.say(State::Final, message);
        }
    }

    pub(super) fn asked(mut self, customer: TenantId, qualification: &str) {
        if self.is_customer(customer) {
            let message =
                format!("{qualification} was asked for, and only Microsoft takes that back");
            self.say(State::Final, message);
        }
    }

    pub(super) fn ended(mut self, customer: TenantId) {
        if !self.is_customer(customer) {
            let why = self.deed.step.irreversible.clone();
            let message = format!(
                "the relationship was ended: {}",
                why.unwrap_or_else(|| "only the customer can bring it back".to_owned())
            );
            self.say(State::Final, message);
        }
    }

    fn is_customer(&self, id: TenantId) -> bool {
        let found = self.gather.input.snapshot.customers.get(&id);
        found.is_some_and(Customer::is_ours)
    }
}

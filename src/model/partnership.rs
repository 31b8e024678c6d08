//! A tie with another partner.

use super::choice::choices;
use super::contact::Url;
use super::id::{PartnerId, TenantId};
use super::text::Title;

choices! {
    /// What the other partner is to us.
    "a partner's program"
    pub enum With {
        /// They provide, we resell.
        IndirectProvider = "indirect-provider",
        /// We provide, they resell.
        IndirectReseller = "indirect-reseller",
    }
}

choices! {
    /// Whether the partnership should hold.
    "a state of a partnership"
    pub enum PartnershipState {
        /// It should hold.
        Active = "active",
        /// It should be over.
        Ended = "ended",
    }
}

choices! {
    /// What accepting a provider means; each must be acknowledged by name.
    "a consequence"
    pub enum Consequence {
        /// The provider may place orders for our customers.
        OrdersOnBehalfOfCustomers = "orders-on-behalf-of-customers",
        /// The provider gets administrator access to our tenant.
        AdministratorAccessToOurTenant = "administrator-access-to-our-tenant",
    }
}

/// The `spec` of a Partnership.
#[derive(Debug, Clone, PartialEq)]
pub struct Partnership {
    pub with: With,
    pub display_name: Title,
    pub tenant_id: TenantId,
    pub partner_id: Option<PartnerId>,
    pub state: PartnershipState,
    /// As the provider sent it; never composed by us.
    pub invitation_url: Option<Url>,
    pub acknowledge: Vec<Consequence>,
}

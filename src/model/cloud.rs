//! The clouds an account can live in, and what does not exist in some of them.

use super::choice::choices;

choices! {
    /// The national cloud of the account.
    "a cloud"
    pub enum Cloud {
        /// The public cloud, GCC included.
        Global = "global",
        /// US Government L4 (GCC High).
        UsGovernment = "us-government",
        /// US Government L5 (DoD).
        UsGovernmentDod = "us-government-dod",
        /// China, operated by 21Vianet.
        China = "china",
    }
}

/// Something that a manifest can declare and a cloud may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    /// Account roles are edited in Partner Center itself.
    AccountRoles,
    /// Indirect providers and resellers.
    IndirectModel,
    /// A reseller relationship with a customer that exists already.
    InviteExistingCustomer,
    CustomerQualification,
    DelegatedAccess,
}

/// Whether a cloud has something, as far as is documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    Yes,
    No,
    /// The documents contradict each other or say nothing.
    Unverified,
}

impl Cloud {
    /// The table of capability gaps.
    pub const fn has(self, capability: Capability) -> Availability {
        use Availability::{No, Unverified, Yes};
        use Capability::{
            AccountRoles, CustomerQualification, DelegatedAccess, IndirectModel,
            InviteExistingCustomer,
        };
        match (self, capability) {
            (Self::Global, _) | (Self::UsGovernment | Self::UsGovernmentDod, DelegatedAccess) => {
                Yes
            }
            (_, AccountRoles)
            | (
                Self::UsGovernment | Self::UsGovernmentDod,
                IndirectModel | InviteExistingCustomer | CustomerQualification,
            ) => No,
            (
                Self::China,
                IndirectModel | InviteExistingCustomer | CustomerQualification | DelegatedAccess,
            ) => Unverified,
        }
    }
}

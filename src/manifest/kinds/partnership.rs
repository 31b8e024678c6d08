//! `Partnership`: a tie with another partner.

use crate::manifest::read::collections::Set;
use crate::manifest::read::shape;
use crate::model::contact::Url;
use crate::model::id::{PartnerId, TenantId};
use crate::model::partnership::{Consequence, Partnership, PartnershipState, With};
use crate::model::text::Title;

shape!(Partnership, "Partnership", {
    /// What the other partner is to us.
    "with" => with: required With, CreateOnly;
    /// What people call it.
    "displayName" => display_name: required Title, Local;
    /// The other partner's tenant.
    "tenantId" => tenant_id: required TenantId, CreateOnly;
    /// The other partner's MPN or Microsoft AI Cloud Partner Program id.
    "partnerId" => partner_id: optional PartnerId, Live;
    /// Whether it should hold. Both making and ending one are a person's steps in the portal.
    "state" => state: default PartnershipState, Person, PartnershipState::Active, "active";
    /// The invitation exactly as the provider sent it: it cannot be composed.
    "invitationUrl" => invitation_url: optional Url, Local;
    /// What accepting a provider means for us, each consequence by name.
    "acknowledge" => acknowledge: default Set<Consequence>, Local, Vec::new(), "";
});

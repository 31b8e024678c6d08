//! `DelegatedAccess`: a template, one GDAP relationship per selected customer.

use crate::manifest::read::collections::{SetOfSome, Several};
use crate::manifest::read::shape;
use crate::model::delegated_access::{AutoExtend, DelegatedAccess, Grant, RENEW_BEFORE, Replace};
use crate::model::directory_role::DirectoryRole;
use crate::model::label::Selector;
use crate::model::name::RoleKey;
use crate::model::time::Days;

shape!(DelegatedAccess, "DelegatedAccess", {
    /// Which customers get a relationship.
    "customers" => customers: required Selector, Local;
    /// How long a relationship lasts: P1D to P730D.
    "duration" => duration: required Days, CreateOnly;
    /// Whether the end is put off by 180 days each time it is reached. Not with Global Administrator.
    "autoExtend" => auto_extend: default AutoExtend, Live, AutoExtend::None, "none";
    /// How long before its end a relationship is renewed: approval takes people time.
    "renewBefore" => renew_before: default Days, Local, RENEW_BEFORE, "P60D";
    /// When a relationship that cannot be changed in place (wider roles, another duration) is replaced.
    "replace" => replace: default Replace, Local, Replace::AtRenewal, "at-renewal";
    /// Which groups of ours get which directory roles in the customer's tenant.
    "grants" => grants: required Several<Grant>, Live;
});

shape!(Grant, "a grant", {
    /// A Role: its group receives the roles.
    "to" => to: required RoleKey, Live;
    /// Built-in roles of Microsoft Entra, by name or template id.
    "directoryRoles" => directory_roles: required SetOfSome<DirectoryRole>, Live;
});

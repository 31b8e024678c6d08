//! Who may do what: role permissions as Cedar policies.
//!
//! * `vocabulary` names users, roles, customers, partners, the account, and every action;
//! * [`world`] is who and what there is, as declared;
//! * [`access`] is who may do what, exactly, and what differs between two sides.

pub mod access;
pub mod vocabulary;
pub mod world;

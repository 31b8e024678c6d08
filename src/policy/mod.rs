//! Who may do what: role permissions as Cedar policies.
//!
//! * [`vocabulary`] names users, roles, customers, partners, the account, and every action;
//! * [`world`] is who and what there is, as declared;
//! * [`library`] is what the roles of Partner Center may do, as policies, and the guardrails;
//! * [`delegated`] is what a tenant's own delegated access gives, customer by customer;
//! * [`directory`] is what directory roles allow in a customer's tenant;
//! * `compile` makes policies of `Role` documents and of delegated access, `sheet` reads the
//!   project's own;
//! * [`rules`] are all of them together, each with its place;
//! * [`judge`] decides, [`near`] says what came closest when the answer is no;
//! * [`access`] is who may do what, exactly, and what differs between two sides;
//! * [`expect`] holds the answers against the `AccessTest` documents;
//! * [`invariant`] is what must never, or always, be so, and whether it is;
//! * [`prove`] says what holds in every estate there could be, with a solver;
//! * [`check`] is what all this finds wrong with an estate.
//!
//! Nothing here opens a file or reads a clock. Cedar's own authorizer decides everything.

pub mod access;
pub mod check;
pub(crate) mod compile;
pub mod delegated;
pub mod directory;
pub mod expect;
pub mod invariant;
pub mod judge;
pub mod level;
pub mod library;
pub mod near;
pub mod prove;
pub mod rules;
mod sheet;
#[cfg(test)]
pub(crate) mod tests;
pub mod vocabulary;
pub mod world;

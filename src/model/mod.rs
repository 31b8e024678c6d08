//! What we talk about: the estate and everything in it, as plain data.
//!
//! Values are parsed once, at the edge, and believed from then on. Each knows how two of it are
//! equal: that rule stands in one place, with the value. Nothing here reads text layouts, does I/O
//! or knows a clock.

/// Short texts, of which there are many: kept where they stand if they fit, without a place of their own.
pub type Str = compact_str::CompactString;

pub mod access_test;
pub mod account;
pub mod action;
pub mod choice;
pub mod cloud;
pub mod contact;
pub mod country;
pub mod customer;
pub mod delegated_access;
pub mod directory_role;
pub mod estate;
pub mod id;
pub mod label;
pub mod metadata;
pub mod name;
pub mod partnership;
pub mod project;
pub mod record;
pub mod role;
pub mod scalar;
pub mod secret;
pub mod tenant;
pub mod text;
pub mod time;
pub mod user;
pub mod waiver;

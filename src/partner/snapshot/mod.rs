//! What is observed, and its file.

pub mod file;

pub use crate::model::tenant::*;

//! Manifests in, estate and findings out.

pub mod code;
pub mod finding;
pub mod source;
pub mod text;

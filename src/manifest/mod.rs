//! Manifests in, estate and findings out.

pub mod code;
pub mod finding;
pub mod format;
pub mod source;
pub mod text;

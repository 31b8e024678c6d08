//! Manifests in, estate and findings out.

pub mod code;
pub(crate) mod draft;
pub mod finding;
pub(crate) mod kinds;
pub(crate) mod read;
pub mod source;
pub(crate) mod suggest;
pub mod text;

//! Directory roles: definitions, who holds them, who may activate them.

pub(crate) mod catalogue;

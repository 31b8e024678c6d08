//! Tests from the outside: what the library and the binary promise to others.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

mod fresh;
mod one_mistake;
mod stories;

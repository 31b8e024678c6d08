//! The program from outside: what it prints and how it ends, seen as its users see it.
//!
//! `SNAPSHOTS=overwrite cargo test --test outside` writes the expected outputs anew.

#![allow(
    clippy::expect_used,
    clippy::format_collect,
    clippy::format_push_string,
    clippy::indexing_slicing,
    clippy::needless_raw_string_hashes,
    clippy::panic,
    clippy::print_stderr,
    reason = "all of this is a test, its helpers too; large inputs are easier to read as they are made, and snapshots are written by a tool"
)]

mod cli;
mod examples;
mod forty;
mod hostile;
mod world;

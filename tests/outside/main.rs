//! Tests from the outside: what the library and the binary promise to others.
//!
//! `SNAPSHOTS=overwrite cargo test --test outside` writes the expected outputs anew.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]
#![allow(
    clippy::format_collect,
    clippy::format_push_string,
    clippy::needless_raw_string_hashes,
    clippy::print_stderr,
    reason = "large inputs are easier to read as they are made, and snapshots are written by a tool"
)]

mod applying;
mod approvals;
mod browser;
mod canary;
mod cli;
mod client_conformance;
mod client_emulator;
mod converges;
mod delegated;
mod embedded;
mod emulator_bench;
mod emulator_conformance;
mod emulator_graph;
mod emulator_people;
mod estates;
mod examples;
mod forty;
mod fresh;
mod hostile;
mod import;
mod invitations;
mod killed;
mod live;
mod login;
mod one_mistake;
mod others;
mod page;
mod pages;
mod passwords;
mod past;
mod plan_page;
mod planning;
mod policies;
mod postgres;
mod proofs;
mod reading;
mod readme;
mod recipes;
mod reconcile;
mod review;
mod roughed;
mod served;
mod show;
mod stories;
mod threats;
mod weather;
mod world;

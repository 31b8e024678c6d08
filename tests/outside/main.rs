//! The program from outside: what it prints and how it ends, seen as its users see it.
//!
//! `SNAPSHOTS=overwrite cargo test --test outside` writes the expected outputs anew.

mod cli;
mod examples;
mod forty;
mod hostile;
mod world;

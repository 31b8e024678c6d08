//! `partnerctl` keeps a Microsoft Partner Center account as code.
//!
//! The way of one word through the house, once, without turning back:
//! text → [`manifest`] → estate ([`model`]) → findings → [`report`] → the person at the prompt.
//!
//! * [`model`] is what we talk about: plain data, the values of the domain, how two of them are equal.
//! * [`manifest`] turns YAML, JSON and CSV into the model and says everything that is wrong with it.
//! * [`partner`] is the tenant over HTTP: it reads snapshots, and one type in it writes.
//! * [`review`] compares two sides of a project: what a pull request really changes.
//! * [`report`] shows values: text, JSON, SARIF, JUnit, annotations.
//! * [`ledger`] is our memory between runs, in a file or a database.
//! * [`cli`] is the shell around it: files, the clock, arguments, exit codes.
//!
//! Nothing imports upward, and nothing under `model` or `manifest` performs I/O or reads a clock.

pub mod apply;
pub mod cli;
pub mod emulator;
pub mod ledger;
pub mod manifest;
pub mod model;
mod parallel;
pub mod partner;
pub mod plan;
pub mod policy;
pub mod report;
pub mod review;

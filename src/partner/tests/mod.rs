//! The client as a whole against servers that say what a test lets them say.

mod promises;
mod repeats;
mod throttling;

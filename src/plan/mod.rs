//! What would change, why, and what it means: a function of the estate, of what was observed, and of
//! what is remembered.

pub mod change;
pub mod file;
pub mod limits;
pub mod step;

pub use change::{Change, Target};
pub use file::Plan;
pub use step::{Cause, Report, State, Step, Verb};

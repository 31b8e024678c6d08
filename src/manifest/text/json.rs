//! tmp
use super::{Parsed,arena::Arena};
pub fn parse_json(_: &str, _: &mut Arena) -> Parsed { Parsed::default() }

//! tmp
use super::Fault;use std::borrow::Cow; use crate::manifest::source::Span;
#[derive(Debug)] pub struct Cell<'a>{pub text:Cow<'a,str>,pub span:Span} #[derive(Debug)] pub struct Row<'a>{pub cells:Vec<Cell<'a>>} #[derive(Debug)] pub struct Table<'a>{pub header:Vec<Cell<'a>>,pub rows:Vec<Row<'a>>,pub faults:Vec<Fault>}
pub fn parse_csv(_: &str) -> Table<'_> { Table{header:vec![],rows:vec![],faults:vec![]} }

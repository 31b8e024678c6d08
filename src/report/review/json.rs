//! The contract format `partnerctl/review/v1`, for programs.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::report::json::{schema_of, write_value};
use crate::report::plan::json::without_secrets;
use crate::review::Review;

/// Which format this is.
const FORMAT: &str = "partnerctl/review/v1";

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "partnerctl review, version 1")]
struct Record<'a> {
    /// The name and version of this format. A reader should refuse another.
    #[schemars(extend("const" = FORMAT))]
    format: &'static str,
    #[serde(flatten)]
    review: &'a Review,
}

/// The JSON Schema of the format, as in `schemas/review.schema.json`.
pub fn schema() -> Value {
    schema_of::<Record<'_>>()
}

/// For programs: all of it.
pub fn json(review: &Review, to: &mut dyn Write) -> io::Result<()> {
    write_value(&without_secrets(serde_json::to_value(Record { format: FORMAT, review })?), to)
}

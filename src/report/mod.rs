//! Views over values.

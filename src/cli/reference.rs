//! Reference pages, generated.

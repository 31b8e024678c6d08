//! What we talk about: plain data.

//! A Partner Center and a Graph of our own, for demos, tests and training.

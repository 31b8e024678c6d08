//! Delegated access from plan to memory: what is planned is done to a service on plain values, and what
//! is remembered is kept as a run keeps it (`world`). `scenes` and `edges` tell situations one by one, `game` plays
//! at random.

mod edges;
mod game;
mod phases;
mod scenes;
mod world;

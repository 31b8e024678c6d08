mod laws;
mod stage;
mod table;

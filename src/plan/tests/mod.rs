mod stage;
mod table;

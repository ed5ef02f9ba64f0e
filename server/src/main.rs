//! The `luxwire` program.
fn main() {}

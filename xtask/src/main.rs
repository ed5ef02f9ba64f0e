//! Set-up, build, run, test.
fn main() {}

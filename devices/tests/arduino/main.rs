//! The Arduino sketches (`devices/arduino`), compiled for this machine and run in virtual surroundings.
//!
//! They must say what our own devices say on the same readings, byte for byte, and light what our own lamp lights. The shim
//! that they are compiled against declares what the real boards and the real library declare; it is no proof that a board
//! does the same. It runs only when it is named (`cargo test -p luxwire-devices --test arduino`), since it needs a C++
//! compiler: `cargo xtask test` finds one and says so in `LUXWIRE_CXX`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod board;
mod connection;
mod dimmer;
mod lamp;
mod mistakes;
mod random;
mod sketch;

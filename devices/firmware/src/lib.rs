//! A dimmer and a lamp for RP2040 boards: a potentiometer publishes an intensity over MQTT, an LED follows one.
//!
//! Everything that boards have in common is here: what the knob, the LED and the conversation with the broker are made
//! of. How a board reaches its network is the business of the programs in `bin/`, one for each kind of board. How knobs
//! are read, how lamps shine and how MQTT is spoken is the business of `luxwire-shared`, the same code as on a computer.
#![no_std]

extern crate alloc;

pub mod board;
mod clock;
mod connection;
mod conversation;
mod discovery;
mod knob;
mod lamp;
mod limits;
pub mod log;
pub mod memory;
pub mod network;
mod panic;
pub mod sign;

pub use board::Board;
pub use connection::serve;

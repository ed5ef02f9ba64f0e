//! What the broker, the page and the devices of Luxwire share.
//!
//! `mqtt` is the codec and the QoS bookkeeping, `client` an MQTT client without I/O, `model` the lights. Nothing here
//! opens a socket, reads a clock or draws a random number: bytes and time come in as arguments, so that the same code
//! runs on a server, in a browser and on a microcontroller.
#![no_std]

extern crate alloc;

pub mod client;
pub mod model;
pub mod mqtt;
pub mod time;

//! The clients of the picture: programs that a person runs beside a broker, ours or any other.
//!
//! Each device is a module with the arguments of its subcommand (`Args`) and a `run` that ends when the device does. They
//! reach the broker over the network like anybody else: nothing here knows our broker, and nothing there knows them.
#![forbid(unsafe_code)]

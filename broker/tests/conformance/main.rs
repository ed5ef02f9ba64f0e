//! What the specification demands of a server, statement by statement: packets in, packets out, virtual time.
//!
//! Each file is one section; each test bears the numbers of the statements that it shows. Statements about bytes that
//! are no packets are the codec's and tested there.

#[path = "../driver/mod.rs"]
mod driver;

mod publish;

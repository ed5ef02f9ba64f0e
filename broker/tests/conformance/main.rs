//! What the specification demands of a server, statement by statement: packets in, packets out, virtual time.
//!
//! Each file is one section or concern; each test bears the numbers of the statements that it shows, those of 3.1.1
//! where they differ behind a `3.1.1:`. Statements about the form of packets are the codec's and tested there, though
//! every packet here goes through it; what must hold for each packet of the broker is checked by the driver's wire.

#[path = "../driver/mod.rs"]
mod driver;

mod acknowledge;
mod alias;
mod auth;
mod connack;
mod connect;
mod disconnect;
mod explain;
mod flow_control;
mod limits;
mod malformed;
mod order;
mod permission;
mod publish;
mod redelivery;
mod replay;
mod retained;
mod session;
mod set_at;
mod share;
mod sign_in;
mod subscribe;
mod sys;
mod topics;
mod unsubscribe;
mod v3;
mod will;

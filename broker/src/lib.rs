//! The MQTT broker, pure: packets and time go in, effects come out.
//!
//! It opens no socket, reads no clock, draws no randomness, never blocks and never fails: a client that misbehaves is an
//! effect ([`Effect::Close`]), not an error. Whoever drives it (the server's edge, a test, a simulation) owns all that.
//!
//! # Where the specification leaves a choice
//!
//! - Overlapping subscriptions of a session are served with one copy, at the highest quality and with all identifiers.
//! - QoS 0 is not kept for a client that is away. It keeps its place behind QoS 1 and 2 that wait for the client, in half
//!   of the queue's room.
//! - A shared subscription gives each message to the next member that can take it at once; a message that waits for one
//!   that is away goes to whoever comes back first. Clients before 5.0 may share as well.
//! - A message that finds its session's queue full is dropped and reported; those before it stay in order.
//! - A session lives for [`Limits::session_expiry_s`] at most. Before 5.0, where a client cannot say how long, that is
//!   how long one with `CleanSession` 0 lives.
//! - A new client beyond [`Limits::sessions`] is refused; no other session is given up for it.
//! - Topics below `$SYS` are the broker's own: a PUBLISH there is refused where the protocol has a way to say so, and
//!   otherwise dropped. Other topics that begin with `$` are open to clients.
//! - A value for which there is no room among the retained ones is refused whole, at every quality: nobody is shown what
//!   late comers would not see.
//! - A payload that is said to be text and is not is refused, at every quality; at QoS 0 nobody is told.
//! - Wills wait for the next start when the program stops.
//! - A filter is refused if nothing that it matches may be read; otherwise it is granted, and what may not be read is left
//!   out. A will that its client may not publish is refused with the CONNECT. See [`Permissions`].
//! - A session belongs to the user who began it; one that nobody signed in for, to whoever names it.
//!
//! Extended authentication takes the mechanisms that the broker is made with; without any, it is refused with its reason
//! code. Passwords are the edge's: it is asked ([`Effect::CheckPassword`]) and takes its time. Who names neither is taken
//! as it comes, unless the edge says that it must sign in ([`Visitor::Stranger`]).
#![no_std]

extern crate alloc;

mod acknowledge;
mod alias;
mod auth;
mod broker;
mod client;
mod connect;
mod deadlines;
mod deliver;
mod disconnect;
mod effect;
mod explain;
mod input;
mod limits;
mod link;
mod message;
mod permission;
mod publish;
mod queue;
mod replay;
mod retained;
mod routes;
mod scram;
mod session;
mod share;
mod spare;
mod statistics;
mod subscribe;
mod subscribers;
mod subscriptions;
mod sys;
mod turn;
mod will;

pub use alias::{AliasesAllowed, OutgoingAliases};
pub use auth::{Exchange, Mechanism, Step};
pub use broker::{Broker, Config};
pub use client::Client;
pub use effect::{CloseReason, Delivered, DeliveredRef, Dropped, Effect, Effects, Report};
pub use input::{Cause, ClientId, Input, LinkId, Now, Verdict, Visitor};
pub use limits::Limits;
pub use message::{Message, MessageRef, Passing};
pub use permission::{Access, Permissions, Refusal, Rights, Rule};
pub use retained::Setting;
pub use scram::{ScramCredential, ScramSha256};
pub use statistics::Statistics;
pub use sys::Traffic;

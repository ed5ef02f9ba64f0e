//! The rules of the codec: what it must refuse and why, what it must take, and what holds for every packet and for
//! every byte string. The bytes of well-formed packets, one by one, are the business of other tests.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod accepted;
mod any;
mod cut;
mod notation;
mod properties;
mod round_trip;
mod stream;
mod strict;
mod text;

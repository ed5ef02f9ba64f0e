//! The codec as its users see it: bytes in, packets out, and back.
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing says so by failing")]

mod golden;
mod notation;
mod short_way;

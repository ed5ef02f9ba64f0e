//! A network of the measurement's own: a network namespace whose loopback interface carries nothing else, so that what
//! the kernel counts there is what the measurement caused.
//!
//! It says nothing of what travels; [`Traffic`] knows bytes and packets only.

mod calibration;
mod namespace;
mod traffic;

pub(crate) use calibration::{Calibration, calibrate};
pub(crate) use namespace::enter;
pub(crate) use traffic::{Traffic, quiet};

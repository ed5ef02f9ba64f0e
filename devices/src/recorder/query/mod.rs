//! Questions about the past, and their answers: the same for HTTP, for MQTT and for a file that is read directly.

mod answer;
mod problem;
mod question;
mod steps;
pub(super) mod when;

pub(super) use answer::{Answer, StepRow, answer, topics};
pub(super) use problem::Problem;
pub(super) use question::{Asked, Question};
#[cfg(test)]
pub(super) use steps::Step;

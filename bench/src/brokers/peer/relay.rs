//! The limit: this very program, as the relay.

use super::{Program, Started, address_of};
use crate::brokers::cores::Cores;
use anyhow::{Context as _, Result};
use std::process::Command;

pub(super) fn start(cores: &Cores) -> Result<Started> {
    let ourselves = std::env::current_exe().context("where is this program itself?")?;
    let (program, listeners) = Program::start_telling(Command::new(ourselves).arg("relay"), cores)?;
    let tcp = address_of(&listeners, "mqtt")?;
    Ok(Started { tcp, websocket: None, program: Some(program), folder: None, process: None })
}

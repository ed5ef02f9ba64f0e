//! Ours, as people run it but without storage, and with room for as many connections as are asked for.

use super::{Program, Started, address_of};
use crate::brokers::cores::Cores;
use anyhow::Result;
use std::{path::Path, process::Command};

pub(super) fn start(program: &Path, cores: &Cores) -> Result<Started> {
    let mut command = Command::new(program);
    command.args(["serve", "--ephemeral", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0"]);
    command.args(["--set", "hue.enabled=false", "--set", "limits.connections=100000"]);
    // Settings from outside would measure another server.
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("LUXWIRE_") {
            command.env_remove(variable);
        }
    }
    let (program, listeners) = Program::start_telling(command.env("LUXWIRE_LOG", "warn"), cores)?;
    Ok(Started {
        tcp: address_of(&listeners, "mqtt")?,
        websocket: Some((address_of(&listeners, "http")?, "/mqtt")),
        program: Some(program),
        folder: None,
        process: None,
    })
}

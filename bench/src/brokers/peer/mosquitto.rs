//! Mosquitto, without storage and log, and with room for what waits for a subscriber: by itself it would drop messages of
//! 500 publishers to one at QoS 1.

use super::{Folder, Program, Started, free_ports};
use crate::brokers::cores::Cores;
use anyhow::Result;
use std::{path::Path, process::Command};

pub(super) fn start(program: &Path, cores: &Cores) -> Result<Started> {
    let [tcp, websocket] = free_ports()?;
    let folder = Folder::new()?;
    let configuration = folder.write(
        "mosquitto.conf",
        &format!(
            "allow_anonymous true\npersistence false\nlog_dest none\nuser root\nmax_queued_messages 100000\n\
             listener {} 127.0.0.1\nlistener {} 127.0.0.1\nprotocol websockets\n",
            tcp.port(),
            websocket.port()
        ),
    )?;
    let program = Program::start(Command::new(program).arg("-c").arg(configuration), cores)?;
    Ok(Started {
        tcp,
        websocket: Some((websocket, "/mqtt")),
        program: Some(program),
        folder: Some(folder),
        process: None,
    })
}

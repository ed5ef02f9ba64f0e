//! nats-server, which speaks MQTT too. Its sessions and retained messages lie in JetStream, on disk: there is no other
//! way.

use super::{Folder, Program, Started, free_ports};
use crate::brokers::cores::Cores;
use anyhow::Result;
use std::{path::Path, process::Command};

pub(super) fn start(program: &Path, cores: &Cores) -> Result<Started> {
    let [own, tcp, websocket] = free_ports()?;
    let folder = Folder::new()?;
    let configuration = format!(
        "server_name: bench\nlisten: \"{own}\"\njetstream {{ store_dir: \"{}\" }}\n\
         mqtt {{ listen: \"{tcp}\", max_ack_pending: 10000 }}\n\
         websocket {{ listen: \"{websocket}\", no_tls: true }}\nlogfile: \"/dev/null\"\n",
        folder.path().display()
    );
    let configuration = folder.write("nats.conf", &configuration)?;
    let program = Program::start(Command::new(program).arg("--config").arg(configuration), cores)?;
    Ok(Started {
        tcp,
        websocket: Some((websocket, "/mqtt")),
        program: Some(program),
        folder: Some(folder),
        process: None,
    })
}

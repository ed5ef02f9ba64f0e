//! rumqttd, with as many connections and messages in flight as it is asked for: with its own limits it would disconnect
//! publishers and refuse connections.

use super::{Folder, Program, Started, free_ports};
use crate::brokers::cores::Cores;
use anyhow::Result;
use std::{net::SocketAddr, path::Path, process::Command};

pub(super) fn start(program: &Path, cores: &Cores) -> Result<Started> {
    let [tcp, websocket] = free_ports()?;
    let folder = Folder::new()?;
    let configuration = format!(
        "id = 0\n[router]\nid = 0\nmax_connections = 20010\nmax_outgoing_packet_count = 200\n\
         max_segment_size = 104857600\nmax_segment_count = 10\n{}{}",
        listener("v4", tcp),
        listener("ws", websocket)
    );
    let configuration = folder.write("rumqttd.toml", &configuration)?;
    let mut command = Command::new(program);
    let program = Program::start(command.arg("--quiet").arg("--config").arg(configuration), cores)?;
    Ok(Started {
        tcp,
        websocket: Some((websocket, "/mqtt")),
        program: Some(program),
        folder: Some(folder),
        process: None,
    })
}

fn listener(kind: &str, address: SocketAddr) -> String {
    format!(
        "[{kind}.1]\nname = \"{kind}\"\nlisten = \"{address}\"\nnext_connection_delay_ms = 0\n\
         [{kind}.1.connections]\nconnection_timeout_ms = 60000\nmax_payload_size = 1048576\n\
         max_inflight_count = 128\ndynamic_filters = true\n"
    )
}

//! The hub on the local network's notice board: mDNS, `_hue._tcp`, as real hubs do it.

use super::{home::BridgeId, v1};
use anyhow::Context as _;
use mdns_sd::{ServiceDaemon, ServiceInfo};
use std::net::SocketAddr;

/// As long as it lives, the hub can be found.
pub(crate) struct Announcement(ServiceDaemon);

impl Announcement {
    /// Real hubs name their https port.
    pub(crate) fn of(id: &BridgeId, https: SocketAddr) -> anyhow::Result<Self> {
        let tail = id.as_str()[10..].to_ascii_uppercase();
        let properties = [("bridgeid", id.as_str()), ("modelid", v1::MODEL)];
        let host = format!("{}.local.", id.as_str());
        let name = format!("Hue Bridge - {tail}");
        let address = if https.ip().is_unspecified() { String::new() } else { https.ip().to_string() };
        let info = ServiceInfo::new(
            "_hue._tcp.local.",
            &name,
            &host,
            address.as_str(),
            https.port(),
            &properties[..],
        )?;
        let info = if https.ip().is_unspecified() { info.enable_addr_auto() } else { info };
        let daemon = ServiceDaemon::new().context("mDNS does not work on this machine; leave out --mdns")?;
        daemon.register(info)?;
        Ok(Self(daemon))
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        // Says goodbye on the network, from its own thread; if that thread has ended, nothing is left to do.
        let _ = self.0.shutdown();
    }
}

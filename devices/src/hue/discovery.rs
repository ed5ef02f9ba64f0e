//! Finding hubs on the local network: they announce themselves by multicast DNS as `_hue._tcp.local`.

use super::{
    limits::{FOUND_MAX, NAME_MAX, SEARCH_TIME},
    protocol::hub_id,
};
use anyhow::Context as _;
use mdns_sd::{ResolvedService, ServiceDaemon, ServiceEvent};
use serde::Serialize;
use std::net::IpAddr;
use tokio::time::timeout;

/// A hub that announced itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Found {
    pub(super) id: String,
    pub(super) name: String,
    /// `HOST[:PORT]`
    pub(super) host: String,
}

const SERVICE: &str = "_hue._tcp.local.";

/// Listens for a few seconds.
pub(super) async fn search() -> anyhow::Result<Vec<Found>> {
    let daemon = Daemon(ServiceDaemon::new().context("cannot search the network")?);
    let events = daemon.0.browse(SERVICE).context("cannot search the network")?;
    let mut found: Vec<Found> = Vec::new();
    let collecting = async {
        while let Ok(event) = events.recv_async().await {
            if let ServiceEvent::ServiceResolved(service) = event
                && let Some(hub) = described(&service)
                && found.len() < FOUND_MAX
            {
                found.retain(|other| other.id != hub.id);
                found.push(hub);
            }
        }
    };
    // It ends only by running out of time.
    let _ = timeout(SEARCH_TIME, collecting).await;
    found.sort();
    Ok(found)
}

/// Ends its thread when the search is over or dropped.
struct Daemon(ServiceDaemon);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.shutdown();
    }
}

fn described(service: &ResolvedService) -> Option<Found> {
    let addresses = service.get_addresses().iter().map(mdns_sd::ScopedIp::to_ip_addr);
    // IPv4 first: link-local IPv6 addresses need a zone, which no other program would know.
    let address = addresses.filter(|address| !is_link_local(address)).min()?;
    let instance = service.get_fullname().strip_suffix(SERVICE).unwrap_or_default().trim_end_matches('.');
    let id = service.get_property_val_str("bridgeid").and_then(hub_id)?;
    let port = service.get_port();
    let bracketed = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
    Some(Found {
        id,
        name: instance.chars().filter(|char| !char.is_control()).take(NAME_MAX).collect(),
        host: if matches!(port, 0 | 80 | 443) { address.to_string() } else { format!("{bracketed}:{port}") },
    })
}

fn is_link_local(address: &IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

//! The IP stack's settings.

use embassy_net::{Config, DhcpConfig, Ipv4Cidr, StaticConfigV4};
use luxwire_board_settings::{Settings, StaticAddress};

/// One for the broker, one for DHCP, one for DNS.
pub const SOCKETS: usize = 3;

/// How the board gets its address.
pub fn config(settings: &Settings) -> Config {
    let Some(StaticAddress { address, prefix_len, gateway, dns }) = settings.address else {
        return Config::dhcpv4(DhcpConfig::default());
    };
    Config::ipv4_static(StaticConfigV4 {
        address: Ipv4Cidr::new(address, prefix_len.bits()),
        gateway,
        dns_servers: dns.into_iter().collect(),
    })
}

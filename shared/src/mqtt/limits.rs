//! The bounds that the codec itself sets, each with its reason. Whoever reads from the network adds the packet size.

/// The most user properties that one packet may bring. A pair takes five bytes on the wire and sixty-four in memory, so
/// that without a bound a packet of nothing else costs its receiver many times its size (CVE-2021-41039 was such a
/// packet). Nobody is known to use more than a handful.
pub const USER_PROPERTIES_MAX: usize = 64;

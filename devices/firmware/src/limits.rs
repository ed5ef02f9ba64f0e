//! How much memory everything may take, in one place. The RP2040 has 264 KiB.

use core::num::NonZeroU16;

/// Where MQTT packets, texts and events live. The client's own bounds below add up to less than half of it, and the
/// worst packet, one full of user properties, to a quarter.
pub(crate) const HEAP: usize = 48 * 1024;

/// The largest packet that is taken: an intensity has some 80 bytes with the longest topic, and brokers add properties.
/// A 5.0 broker is told and sends nothing larger; another broker that does is left.
pub(crate) const PACKET: u32 = 1024;

/// QoS 2 messages that a broker may have begun; we ask for QoS 1 at most.
pub(crate) const RECEIVE_MAXIMUM: NonZeroU16 = NonZeroU16::new(4).unwrap();

/// Messages that wait for their acknowledgement: availability, discovery, and one intensity; more only where connections
/// are lost faster than a broker acknowledges.
pub(crate) const IN_FLIGHT: NonZeroU16 = NonZeroU16::new(8).unwrap();

/// Messages that wait for room in flight.
pub(crate) const QUEUE_MESSAGES: usize = 8;

/// Bytes of them. Discovery has some 1,300 and, with an identifier of 64 characters that all need escaping, 4,000.
pub(crate) const QUEUE_BYTES: usize = 6 * 1024;

/// Bytes that the network did not take yet.
pub(crate) const UNFETCHED: usize = 2048;

/// What the network holds for us in each direction.
pub(crate) const SOCKET_BUFFER: usize = 2048;

/// Read at once.
pub(crate) const READ: usize = 512;

//! Packets as bytes, right or wrong: no codec stands between a test and what it sends.

use luxwire_shared::mqtt::Version;

/// A packet: its first byte, the Remaining Length, and what follows.
pub(crate) fn packet(first: u8, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    [&[first], &*variable(body.len()), body].concat()
}

/// A Variable Byte Integer.
pub(crate) fn variable(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let byte = u8::try_from(value & 0x7F).unwrap();
        value >>= 7;
        if value == 0 {
            bytes.push(byte);
            return bytes;
        }
        bytes.push(byte | 0x80);
    }
}

/// A string or binary data, behind its length.
pub(crate) fn text(text: impl AsRef<[u8]>) -> Vec<u8> {
    let text = text.as_ref();
    [&u16::try_from(text.len()).unwrap().to_be_bytes(), text].concat()
}

/// The properties of a packet in this version: none before 5.0.
pub(crate) fn properties(version: Version, properties: impl AsRef<[u8]>) -> Vec<u8> {
    match version {
        Version::V5 => [&variable(properties.as_ref().len()), properties.as_ref()].concat(),
        Version::V3_1 | Version::V3_1_1 => Vec::new(),
    }
}

/// Protocol name and level, these flags, and a keep alive of 0.
pub(crate) fn connect_head(version: Version, flags: u8) -> Vec<u8> {
    let (name, level) = match version {
        Version::V3_1 => ("MQIsdp", 3),
        Version::V3_1_1 => ("MQTT", 4),
        Version::V5 => ("MQTT", 5),
    };
    [text(name), vec![level, flags, 0, 0]].concat()
}

/// A CONNECT with a clean start and nothing wrong about it.
pub(crate) fn connect(version: Version, client_id: &str) -> Vec<u8> {
    connect_with(version, CLEAN, [], text(client_id))
}

/// A CONNECT with these flags, properties (of 5.0) and payload.
pub(crate) fn connect_with(
    version: Version,
    flags: u8,
    with: impl AsRef<[u8]>,
    payload: impl AsRef<[u8]>,
) -> Vec<u8> {
    packet(0x10, [&connect_head(version, flags), &properties(version, with), payload.as_ref()].concat())
}

/// PUBLISH with these flags; `id` where the quality wants one.
pub(crate) fn publish(
    version: Version,
    flags: u8,
    topic: impl AsRef<[u8]>,
    id: Option<u16>,
    payload: &[u8],
) -> Vec<u8> {
    let id = id.map_or_else(Vec::new, |id| id.to_be_bytes().to_vec());
    packet(0x30 | flags, [&text(topic), &id, &properties(version, []), payload].concat())
}

/// SUBSCRIBE to one filter, as packet 1.
pub(crate) fn subscribe(version: Version, filter: impl AsRef<[u8]>, options: u8) -> Vec<u8> {
    packet(0x82, [vec![0, 1], properties(version, []), text(filter), vec![options]].concat())
}

/// UNSUBSCRIBE from one filter, as packet 2.
pub(crate) fn unsubscribe(version: Version, filter: impl AsRef<[u8]>) -> Vec<u8> {
    packet(0xA2, [vec![0, 2], properties(version, []), text(filter)].concat())
}

/// The flag of CONNECT for a clean start.
pub(crate) const CLEAN: u8 = 0x02;

/// A will and a clean start.
pub(crate) const WILL: u8 = 0x06;

/// A Variable Byte Integer that has five bytes.
pub(crate) const FIVE_BYTES: [u8; 5] = [0xFF, 0xFF, 0xFF, 0xFF, 0x01];

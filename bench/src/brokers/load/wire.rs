//! As much of MQTT's wire as the generator must read: where packets end, what they acknowledge, and the payload
//! with its stamp. It looks at nothing else, so that it costs much less than what it measures.

use anyhow::{Context as _, Result, bail};

/// What is spoken on a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// MQTT 3.1.1.
    #[default]
    Three,
    /// MQTT 5.
    Five,
    /// The same, and publishers say what each message is.
    FiveDescribed,
}

/// A packet from the broker.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Packet<'a> {
    /// The return code; 0 is welcome.
    Connack(u8),
    /// Whether all filters were granted.
    Suback(bool),
    Unsuback,
    Publish {
        qos: u8,
        id: u16,
        payload: &'a [u8],
    },
    Puback,
    Pubrec(u16),
    Pubrel(u16),
    Pubcomp,
    Pingresp,
}

/// The first packet and its length, or `None` if it is not all there.
pub(crate) fn first(bytes: &[u8], dialect: Dialect) -> Result<Option<(Packet<'_>, usize)>> {
    let Some((header, len)) = length(bytes)? else { return Ok(None) };
    let Some(body) = bytes.get(header..len) else { return Ok(None) };
    let Some(&kind) = bytes.first() else { return Ok(None) };
    let packet = match kind >> 4 {
        3 => publish(kind, body, dialect)?,
        4 => Packet::Puback,
        5 => Packet::Pubrec(u16_of(body)?),
        6 => Packet::Pubrel(u16_of(body)?),
        7 => Packet::Pubcomp,
        2 => Packet::Connack(body.get(1).copied().unwrap_or(u8::MAX)),
        9 => Packet::Suback(body.iter().skip(2).all(|granted| *granted <= 2)),
        11 => Packet::Unsuback,
        13 => Packet::Pingresp,
        other => bail!("the broker sent a packet of type {other}"),
    };
    Ok(Some((packet, len)))
}

fn publish(kind: u8, body: &[u8], dialect: Dialect) -> Result<Packet<'_>> {
    let qos = (kind >> 1) & 3;
    let topic = usize::from(u16_of(body)?);
    let mut rest = body.get(2 + topic..).unwrap_or_default();
    let mut id = 0;
    if qos > 0 {
        id = u16_of(rest)?;
        rest = rest.get(2..).unwrap_or_default();
    }
    if dialect != Dialect::Three {
        rest = behind_properties(rest)?;
    }
    Ok(Packet::Publish { qos, id, payload: rest })
}

fn behind_properties(bytes: &[u8]) -> Result<&[u8]> {
    let behind = number(bytes)?.and_then(|(len, properties)| bytes.get(len + properties..));
    behind.context("the broker sent properties that do not end")
}

fn u16_of(bytes: &[u8]) -> Result<u16> {
    match bytes.first_chunk() {
        Some(bytes) => Ok(u16::from_be_bytes(*bytes)),
        None => bail!("the broker sent a packet that is too short"),
    }
}

/// How long the fixed header is, and the packet with it.
pub(crate) fn length(bytes: &[u8]) -> Result<Option<(usize, usize)>> {
    let found = number(bytes.get(1..).unwrap_or_default())?;
    Ok(found.map(|(len, remaining)| (1 + len, 1 + len + remaining)))
}

/// A number that says itself how many bytes it has, and how many those are; `None` if they are not all there.
fn number(bytes: &[u8]) -> Result<Option<(usize, usize)>> {
    let mut number = 0;
    for place in 0..4 {
        let Some(&byte) = bytes.get(place) else { return Ok(None) };
        number |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Ok(Some((place + 1, number)));
        }
    }
    bail!("the broker sent a length that does not end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_found_one_after_the_other_and_only_when_they_are_all_there() {
        let bytes = [0x40, 2, 0, 9, 0x32, 7, 0, 1, b't', 0, 5, b'h', b'i', 0x62, 2, 1, 2];
        let (packet, len) = first(&bytes, Dialect::Three).unwrap().unwrap();
        assert_eq!((packet, len), (Packet::Puback, 4));
        let rest = &bytes[len..];
        for cut in 0..9 {
            assert_eq!(first(&rest[..cut], Dialect::Three).unwrap(), None, "{cut} bytes");
        }
        let (packet, len) = first(rest, Dialect::Three).unwrap().unwrap();
        assert_eq!((packet, len), (Packet::Publish { qos: 1, id: 5, payload: b"hi" }, 9));
        assert_eq!(first(&rest[len..], Dialect::Three).unwrap(), Some((Packet::Pubrel(0x102), 4)));
    }

    #[test]
    fn a_payload_begins_behind_the_properties_of_mqtt_5() {
        let bytes = [0x32, 11, 0, 1, b't', 0, 5, 3, 0x23, 0, 1, b'h', b'i'];
        let (packet, _) = first(&bytes, Dialect::Five).unwrap().unwrap();
        assert_eq!(packet, Packet::Publish { qos: 1, id: 5, payload: b"hi" });
        let endless = [0x30, 5, 0, 1, b't', 9, b'h'];
        assert!(first(&endless, Dialect::Five).is_err());
    }

    #[test]
    fn lengths_have_up_to_four_bytes() {
        assert_eq!(length(&[0x30, 0x7f]).unwrap(), Some((2, 129)));
        assert_eq!(length(&[0x30, 0x80, 0x01]).unwrap(), Some((3, 131)));
        assert_eq!(length(&[0x30, 0xff, 0xff, 0xff, 0x7f]).unwrap(), Some((5, 5 + 268_435_455)));
        assert_eq!(length(&[0x30, 0xff, 0xff, 0xff]).unwrap(), None);
        assert!(length(&[0x30, 0xff, 0xff, 0xff, 0xff]).is_err());
    }

    #[test]
    fn refusals_and_nonsense_are_seen() {
        assert_eq!(first(&[0x20, 2, 0, 5], Dialect::Three).unwrap(), Some((Packet::Connack(5), 4)));
        assert_eq!(
            first(&[0x90, 4, 0, 1, 0, 0x80], Dialect::Three).unwrap(),
            Some((Packet::Suback(false), 6))
        );
        assert_eq!(first(&[0x90, 4, 0, 1, 0, 2], Dialect::Three).unwrap(), Some((Packet::Suback(true), 6)));
        assert!(first(&[0x10, 0], Dialect::Three).is_err());
        assert!(first(&[0x30, 1, 0], Dialect::Three).is_err());
    }
}

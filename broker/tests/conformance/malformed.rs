//! Bytes that are no packet of MQTT, through the codec to the end of their link.

use crate::driver::{World, packets::*};
use luxwire_shared::mqtt::{ReasonCode, Version};

use ReasonCode::{MalformedPacket as Malformed, ProtocolError as Protocol, TopicAliasInvalid as Alias};

fn bytes(hex: &str) -> Vec<u8> {
    hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).expect("hexadecimal")).collect()
}

/// CONNECT with these flags, and what comes behind the keep alive.
fn connect(level: u8, flags: u8, rest: &str) -> Vec<u8> {
    let mut body = bytes("00 04 4D 51 54 54");
    body.extend([level, flags, 0, 0]);
    body.extend(bytes(rest));
    [vec![0x10, u8::try_from(body.len()).expect("short")], body].concat()
}

#[test]
fn malformed_packets_end_the_connection_with_their_reason() {
    let rows = [
        // [MQTT-1.5.4-1] A surrogate, an overlong form, a byte that begins nothing.
        ("30 07 00 03 ED A0 80 00 31", Malformed),
        ("30 06 00 02 C0 80 00 31", Malformed),
        ("30 05 00 01 FF 00 31", Malformed),
        // [MQTT-1.5.4-2] [MQTT-4.7.3-2]
        ("30 07 00 03 61 00 62 00 31", Malformed),
        // [MQTT-1.5.5-1] A length of five bytes.
        ("30 80 80 80 80 01", Malformed),
        // [MQTT-1.5.7-1]
        ("30 0C 00 01 78 07 26 00 01 FF 00 01 61 31", Malformed),
        ("30 0C 00 01 78 07 26 00 01 61 00 01 FF 31", Malformed),
        // [MQTT-2.1.3-1] [MQTT-3.6.1-1] [MQTT-3.8.1-1] [MQTT-3.10.1-1] [MQTT-3.14.1-1] [MQTT-3.15.1-1]
        ("41 02 00 01", Malformed),
        ("51 02 00 01", Malformed),
        ("60 02 00 01", Malformed),
        ("71 02 00 01", Malformed),
        ("80 07 00 01 00 00 01 78 00", Malformed),
        ("A0 06 00 01 00 00 01 78", Malformed),
        ("C1 00", Malformed),
        ("E1 00", Malformed),
        ("F1 00", Malformed),
        ("00 00", Malformed),
        // [MQTT-2.2.1-3]
        ("32 07 00 01 78 00 00 00 31", Malformed),
        ("82 07 00 00 00 00 01 78 00", Malformed),
        ("A2 06 00 00 00 00 01 78", Malformed),
        // [MQTT-3.3.1-2] [MQTT-3.3.1-4]
        ("38 05 00 01 78 00 31", Malformed),
        ("36 07 00 01 78 00 01 00 31", Malformed),
        // [MQTT-3.3.2-1] A topic longer than its packet.
        ("30 05 00 09 78 00 31", Malformed),
        // [MQTT-3.3.2-2] [MQTT-4.7.0-1]
        ("30 07 00 03 61 2F 2B 00 31", Malformed),
        ("30 05 00 01 23 00 31", Malformed),
        // [MQTT-4.7.3-1] [MQTT-3.3.2.3.4]
        ("30 04 00 00 00 31", Protocol),
        ("82 06 00 01 00 00 00 00", Malformed),
        // [MQTT-3.3.2-8]
        ("30 08 00 01 78 03 23 00 00 31", Alias),
        // [MQTT-3.3.2-13] [MQTT-3.3.2-14] [MQTT-3.3.2-19]
        ("30 09 00 01 78 04 08 00 01 FF 31", Malformed),
        ("30 09 00 01 78 04 08 00 01 23 31", Protocol),
        ("30 09 00 01 78 04 03 00 01 FF 31", Malformed),
        // A payload format that does not exist; section 3.3.2.3.2.
        ("30 07 00 01 78 02 01 02 31", Protocol),
        // [MQTT-3.8.3-1] [MQTT-3.8.3-2] [MQTT-3.8.3-5]
        ("82 07 00 01 00 00 01 FF 00", Malformed),
        ("82 03 00 01 00", Protocol),
        ("82 07 00 01 00 00 01 78 03", Protocol),
        ("82 07 00 01 00 00 01 78 30", Protocol),
        ("82 07 00 01 00 00 01 78 40", Malformed),
        ("82 07 00 01 00 00 01 78 80", Malformed),
        // [MQTT-3.8.3-4]
        ("82 10 00 01 00 00 0A 24 73 68 61 72 65 2F 67 2F 78 04", Protocol),
        // [MQTT-4.7.1-1] [MQTT-4.7.1-2]: `a#`, `#/a`, `a+`.
        ("82 08 00 01 00 00 02 61 23 00", Malformed),
        ("82 09 00 01 00 00 03 23 2F 61 00", Malformed),
        ("82 08 00 01 00 00 02 61 2B 00", Malformed),
        // [MQTT-4.8.2-1] [MQTT-4.8.2-2]: `$share/`, `$share//a`, `$share/g`, `$share/g/`, `$share/+/a`.
        ("82 0D 00 01 00 00 07 24 73 68 61 72 65 2F 00", Malformed),
        ("82 0F 00 01 00 00 09 24 73 68 61 72 65 2F 2F 61 00", Malformed),
        ("82 0E 00 01 00 00 08 24 73 68 61 72 65 2F 67 00", Malformed),
        ("82 0F 00 01 00 00 09 24 73 68 61 72 65 2F 67 2F 00", Malformed),
        ("82 10 00 01 00 00 0A 24 73 68 61 72 65 2F 2B 2F 61 00", Malformed),
        // A subscription identifier of 0, and two of them. [MQTT-3.3.2.3.8] [MQTT-3.8.2.1.2]
        ("82 09 00 01 02 0B 00 00 01 78 00", Protocol),
        ("82 0B 00 01 04 0B 01 0B 02 00 01 78 00", Protocol),
        // A SUBSCRIBE that ends within its filter, and before its options.
        ("82 05 00 01 00 00 01", Malformed),
        ("82 06 00 01 00 00 01 78", Malformed),
        // [MQTT-3.10.3-1] [MQTT-3.10.3-2]
        ("A2 06 00 01 00 00 01 FF", Malformed),
        ("A2 03 00 01 00", Protocol),
        // [MQTT-3.15.2-1]
        ("F0 01 01", Protocol),
        // A property that belongs elsewhere, one that is unknown, and a block that is longer than its packet.
        // [MQTT-2.2.2.2]
        ("30 0A 00 01 78 05 11 00 00 00 01 31", Malformed),
        ("30 07 00 01 78 02 7F 00 31", Malformed),
        ("30 05 00 01 78 09 31", Malformed),
    ];
    for (hex, reason) in rows {
        let mut world = World::new();
        let page = world.connect(v5("page"));
        world.subscribe(page, "w", Q0);
        let client = world.connect(v5("a").will(will("w", "bye")));
        world.send_bytes(client, bytes(hex));
        assert!(world.expect_disconnect(client, reason).is_some(), "{hex}");
        world.expect_closed(client);
        assert_eq!(world.take_all(page).len(), 1, "{hex}");
    }
}

#[test]
fn a_malformed_connect_is_refused_with_its_reason() {
    let rows = [
        // [MQTT-3.1.2-3]
        (0x03, "00 00 01 61", Malformed),
        // [MQTT-3.1.2-9]
        (0x06, "00 00 01 61", Malformed),
        (0x06, "00 00 01 61 00 00 01 77", Malformed),
        // [MQTT-3.1.2-11] [MQTT-3.1.2-12] [MQTT-3.1.2-13]
        (0x0A, "00 00 01 61", Malformed),
        (0x1E, "00 00 01 61 00 00 01 77 00 00", Malformed),
        (0x22, "00 00 01 61", Malformed),
        // [MQTT-3.1.2-16] [MQTT-3.1.2-17] [MQTT-3.1.2-18] [MQTT-3.1.2-19]
        (0x02, "00 00 01 61 00 01 75", Malformed),
        (0x82, "00 00 01 61", Malformed),
        (0x82, "00 00 01 61 00 01 75 00 01 70", Malformed),
        (0x42, "00 00 01 61", Malformed),
        // [MQTT-3.1.3-3] [MQTT-3.1.3-4] [MQTT-3.1.3-11] [MQTT-3.1.3-12]
        (0x02, "00", Malformed),
        (0x02, "00 00 01 FF", Malformed),
        (0x06, "00 00 01 61 00 00 01 FF 00 00", Malformed),
        (0x06, "00 00 01 61 00 00 01 23 00 00", Malformed),
        (0x82, "00 00 01 61 00 01 FF", Malformed),
        // [MQTT-3.1.2.11.3] [MQTT-3.1.2.11.4] [MQTT-3.1.2.11.6] [MQTT-3.1.2.11.7]
        (0x02, "03 21 00 00 00 01 61", Protocol),
        (0x02, "05 27 00 00 00 00 00 01 61", Protocol),
        (0x02, "02 19 02 00 01 61", Protocol),
        (0x02, "02 17 02 00 01 61", Protocol),
        // A property twice, and one that belongs elsewhere. [MQTT-2.2.2.2]
        (0x02, "06 21 00 01 21 00 02 00 01 61", Protocol),
        (0x02, "03 23 00 01 00 01 61", Malformed),
    ];
    for (flags, rest, reason) in rows {
        let mut world = World::new();
        let client = world.open();
        world.send_bytes(client, connect(5, flags, rest));
        assert_eq!(world.expect_connack(client).reason, reason, "{flags:02X} {rest}");
        world.expect_closed(client);
        assert_eq!(world.broker.statistics().sessions, 0);
    }
}

// 3.1.1: [MQTT-3.1.4-1] [MQTT-3.2.2-6] [MQTT-1.5.3-1] [MQTT-1.5.3-2] [MQTT-3.1.2-3] [MQTT-3.1.2-11] [MQTT-3.1.2-14] [MQTT-3.1.2-22]
#[test]
fn a_malformed_connect_of_3_1_1_is_closed_without_a_word() {
    let rows = [
        (0x03, "00 01 61"),
        (0x0A, "00 01 61"),
        (0x1E, "00 01 61 00 01 77 00 00"),
        (0x42, "00 01 61 00 01 70"),
        (0x02, "00 01 FF"),
        (0x02, "00 01 00"),
        (0x02, "00 05 61"),
    ];
    for (flags, rest) in rows {
        let mut world = World::new();
        let client = world.open();
        world.send_bytes(client, connect(4, flags, rest));
        world.expect_closed(client);
    }
}

// 3.1.1: [MQTT-3.1.2-2]
#[test]
fn an_unknown_level_is_refused_and_closed() {
    for level in [0, 2, 6, 0x84, 255] {
        let mut world = World::new();
        let client = world.open();
        world.send_bytes(client, connect(level, 2, "00 01 61"));
        assert_eq!(world.expect_connack(client).reason, ReasonCode::UnsupportedProtocolVersion);
        world.expect_closed(client);
    }
}

// 3.1.1: [MQTT-2.2.2-2] [MQTT-2.3.1-1] [MQTT-3.8.3-3] [MQTT-3.8.3-4] [MQTT-3.14.1-1] [MQTT-4.8.0-1] [MQTT-3.1.2-8]
#[test]
fn malformed_packets_of_3_1_1_end_the_connection_and_publish_the_will() {
    let rows = [
        "C1 00",
        "E1 00",
        "80 06 00 01 00 01 78 00",
        "82 06 00 00 00 01 78 00",
        "32 06 00 01 78 00 00 31",
        "82 02 00 01",
        "82 06 00 01 00 01 78 03",
        "82 06 00 01 00 01 78 04",
        "82 06 00 01 00 01 78 08",
        "E0 01 00",
        "F0 00",
        "30 03 00 00 31",
    ];
    for hex in rows {
        let mut world = World::new();
        let page = world.connect(v3("page"));
        world.subscribe(page, "w", Q0);
        let client = world.connect(version(Version::V3_1_1, "a").will(will("w", "bye")));
        world.send_bytes(client, bytes(hex));
        world.expect_closed(client);
        assert_eq!(world.take_all(page).len(), 1, "{hex}");
    }
}

//! CRC-32 as in Ethernet and zip (IEEE 802.3: reflected, polynomial 0xEDB88320): finds settings that were written half.

/// The checksum of `bytes`. Bit by bit: it runs once, over a few hundred bytes.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let crc = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 },
        )
    });
    !crc
}

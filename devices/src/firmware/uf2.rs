//! UF2: the files that an RP2040 takes from its USB drive. A sequence of blocks of 512 bytes, each with 256 bytes of flash
//! and their address. Format: <https://github.com/microsoft/uf2>.
//!
//! Whole flash sectors are written, even where an image fills them in part: the RP2040's boot ROM may erase a sector
//! again that its blocks fill only in part (erratum RP2040-E14).

use std::{collections::BTreeMap, fmt};

/// What the flash erases at once.
pub(super) const SECTOR_LEN: usize = 4096;
/// Where the processor sees the flash.
pub(super) const FLASH: std::ops::Range<u32> = 0x1000_0000..0x1020_0000;

/// The sectors that a file fills, by their address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Flash(BTreeMap<u32, Box<[u8; SECTOR_LEN]>>);

/// Why bytes are no UF2 file for an RP2040.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Uf2Error {
    /// Not a number of whole blocks, or none.
    Length,
    /// The block's first, second or last mark is wrong.
    NotUf2 { block: usize },
    /// For another processor.
    Family { block: usize, family: u32 },
    /// The block's number, their count, or its size is not what the boot ROM takes.
    Order { block: usize },
    /// Outside the flash, or not where a block begins.
    Address { block: usize, address: u32 },
}

const BLOCK_LEN: usize = 512;
const PAGE_LEN: usize = 256;
const MAGIC_1: u32 = 0x0A32_4655;
const MAGIC_2: u32 = 0x9E5D_5157;
const MAGIC_END: u32 = 0x0AB1_6F30;
/// The family ID is present.
const FLAGS: u32 = 0x2000;
const RP2040: u32 = 0xE48B_FF56;
/// Where a block's bytes of flash begin.
const PAYLOAD: usize = 32;

impl Flash {
    /// Puts bytes at an address; what nobody puts is erased flash. `None` outside the flash.
    pub(super) fn put(&mut self, address: u32, bytes: &[u8]) -> Option<()> {
        let end = address.checked_add(u32::try_from(bytes.len()).ok()?)?;
        if address < FLASH.start || end > FLASH.end {
            return None;
        }
        let (mut address, mut rest) = (address, bytes);
        while !rest.is_empty() {
            let offset = address as usize % SECTOR_LEN;
            let (part, more) = rest.split_at(rest.len().min(SECTOR_LEN - offset));
            let sector =
                self.0.entry(address - offset as u32).or_insert_with(|| Box::new([0xFF; SECTOR_LEN]));
            sector[offset..offset + part.len()].copy_from_slice(part);
            address += part.len() as u32;
            rest = more;
        }
        Some(())
    }

    /// The sector at this address.
    pub(super) fn sector(&self, address: u32) -> Option<&[u8; SECTOR_LEN]> {
        self.0.get(&address).map(|sector| &**sector)
    }

    /// How many sectors.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// The file that fills these sectors.
pub(super) fn write(flash: &Flash) -> Vec<u8> {
    let pages = flash.0.iter().flat_map(|(address, sector)| {
        sector.chunks(PAGE_LEN).zip(0_u32..).map(move |(page, at)| (address + at * PAGE_LEN as u32, page))
    });
    let count = (flash.len() * SECTOR_LEN / PAGE_LEN) as u32;
    let mut file = Vec::with_capacity(count as usize * BLOCK_LEN);
    for ((address, page), number) in pages.zip(0_u32..) {
        let start = file.len();
        for word in [MAGIC_1, MAGIC_2, FLAGS, address, PAGE_LEN as u32, number, count, RP2040] {
            file.extend_from_slice(&word.to_le_bytes());
        }
        file.extend_from_slice(page);
        file.resize(start + BLOCK_LEN - 4, 0);
        file.extend_from_slice(&MAGIC_END.to_le_bytes());
    }
    file
}

/// The sectors that a file fills.
pub(super) fn read(file: &[u8]) -> Result<Flash, Uf2Error> {
    let (blocks, rest) = file.as_chunks::<BLOCK_LEN>();
    if blocks.is_empty() || !rest.is_empty() {
        return Err(Uf2Error::Length);
    }
    let mut flash = Flash::default();
    for (number, block) in blocks.iter().enumerate() {
        let word = |at: usize| {
            let bytes = block[at..].first_chunk().expect("all words are within the block");
            u32::from_le_bytes(*bytes)
        };
        if [word(0), word(4), word(BLOCK_LEN - 4)] != [MAGIC_1, MAGIC_2, MAGIC_END] {
            return Err(Uf2Error::NotUf2 { block: number });
        }
        let (flags, address, len, family) = (word(8), word(12), word(16), word(28));
        if flags != FLAGS || family != RP2040 {
            return Err(Uf2Error::Family { block: number, family });
        }
        let expected = [PAGE_LEN as u64, number as u64, blocks.len() as u64];
        if [len, word(20), word(24)].map(u64::from) != expected {
            return Err(Uf2Error::Order { block: number });
        }
        let page = &block[PAYLOAD..PAYLOAD + PAGE_LEN];
        let fits = address.is_multiple_of(PAGE_LEN as u32).then(|| flash.put(address, page)).flatten();
        fits.ok_or(Uf2Error::Address { block: number, address })?;
    }
    Ok(flash)
}

impl fmt::Display for Uf2Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length => f.write_str("not a UF2 file: it has no whole number of blocks"),
            Self::NotUf2 { block } => write!(f, "not a UF2 file: block {block} is not marked as one"),
            Self::Family { block, family } => {
                write!(f, "block {block} is not for an RP2040 (its family is {family:#010x})")
            }
            Self::Order { block } => write!(f, "block {block} has a wrong size, number or count"),
            Self::Address { block, address } => {
                write!(f, "block {block} goes to {address:#010x}, which is not a page of the flash")
            }
        }
    }
}

impl std::error::Error for Uf2Error {}

#[cfg(test)]
mod tests {
    use super::*;

    fn flash() -> Flash {
        let mut flash = Flash::default();
        flash.put(0x1000_0ffe, b"over a sector's end").unwrap();
        flash.put(0x101f_f000, b"LUXW").unwrap();
        flash
    }

    #[test]
    fn what_is_written_is_read_back_sector_by_sector() {
        let file = write(&flash());
        assert_eq!(file.len(), 3 * 16 * BLOCK_LEN);
        let read = read(&file).unwrap();
        assert_eq!(read, flash());
        assert_eq!(read.sector(0x1000_1000).unwrap()[..3], *b"er ");
        assert_eq!(read.sector(0x101f_f000).unwrap()[3..6], [b'W', 0xFF, 0xFF]);
        assert_eq!(read.sector(0x1000_2000), None);
    }

    #[test]
    fn the_first_block_is_as_the_format_says() {
        let file = write(&flash());
        assert_eq!(file[..8], *b"UF2\n\x57\x51\x5d\x9e");
        assert_eq!(
            file[8..32],
            [0, 0x20, 0, 0, 0, 0, 0, 0x10, 0, 1, 0, 0, 0, 0, 0, 0, 48, 0, 0, 0, 0x56, 0xff, 0x8b, 0xe4]
        );
        assert_eq!(file[508..512], [0x30, 0x6f, 0xb1, 0x0a]);
    }

    #[test]
    fn nothing_is_put_outside_the_flash() {
        let mut flash = Flash::default();
        for address in [0, 0x0fff_ffff, 0x101f_ffff, 0x1020_0000, u32::MAX] {
            assert_eq!(flash.put(address, b"two"), None, "{address:#x}");
        }
        assert_eq!(flash, Flash::default());
    }

    #[test]
    fn a_changed_byte_in_a_header_is_noticed_and_none_panics() {
        let good = write(&flash());
        for at in (0..32).chain(508..512) {
            for bit in 0..8 {
                let mut file = good.clone();
                file[512 + at] ^= 1 << bit;
                // The address alone may be changed into another that exists.
                let result = read(&file);
                assert!(result.is_err() || (12..16).contains(&at), "byte {at}, bit {bit}");
            }
        }
        for len in [0, 1, 511, 513, good.len() - 1] {
            assert_eq!(read(&good[..len]), Err(Uf2Error::Length));
        }
    }
}

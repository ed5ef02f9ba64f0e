//! What a linked firmware puts into the flash, read from its ELF file, and whether an RP2040 would start it.

use super::uf2::{FLASH, Flash, SECTOR_LEN};
use luxwire_board_settings::SECTOR_ADDRESS;
use std::fmt;

/// Why a file is no firmware for an RP2040.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ElfError {
    /// Not a program for a 32-bit little-endian ARM processor.
    NotForArm,
    /// It ends before what its headers say.
    Truncated,
    /// A part of it goes neither to flash nor to memory.
    Elsewhere { address: u32 },
    /// Nothing of it goes to the start of the flash.
    NoStart,
    /// The boot ROM would not run the first 256 bytes: their checksum is wrong.
    Boot2 { stored: u32, computed: u32 },
    /// The stack or the first instruction is where none can be.
    Vectors { stack: u32, entry: u32 },
    /// It reaches into the sector of the settings.
    TooLarge,
}

/// The flash as the image fills it.
pub(super) fn flash(elf: &[u8]) -> Result<Flash, ElfError> {
    const IDENTITY: &[u8] = b"\x7fELF\x01\x01\x01";
    const ARM: u16 = 40;
    const LOAD: u32 = 1;
    const HEADER_LEN: usize = 32;
    if !elf.starts_with(IDENTITY) || half(elf, 18)? != ARM {
        return Err(ElfError::NotForArm);
    }
    let (first, size, count) = (word(elf, 28)? as usize, half(elf, 42)?, half(elf, 44)?);
    let mut flash = Flash::default();
    for number in 0..usize::from(count) {
        let at = first.saturating_add(number * usize::from(size));
        let header = elf.get(at..).and_then(|rest| rest.get(..HEADER_LEN)).ok_or(ElfError::Truncated)?;
        let (kind, offset, address, len) =
            (word(header, 0)?, word(header, 4)? as usize, word(header, 12)?, word(header, 16)? as usize);
        if kind != LOAD || len == 0 {
            continue;
        }
        let bytes = elf.get(offset..).and_then(|rest| rest.get(..len)).ok_or(ElfError::Truncated)?;
        flash.put(address, bytes).ok_or(ElfError::Elsewhere { address })?;
    }
    check(&flash)?;
    Ok(flash)
}

/// What the boot ROM looks at, and what the next stage jumps to.
fn check(flash: &Flash) -> Result<(), ElfError> {
    const BOOT2_LEN: usize = 252;
    const MEMORY: std::ops::RangeInclusive<u32> = 0x2000_0000..=0x2004_2000;
    let first: &[u8; SECTOR_LEN] = flash.sector(FLASH.start).ok_or(ElfError::NoStart)?;
    let (stored, computed) = (word(first, BOOT2_LEN)?, boot_checksum(&first[..BOOT2_LEN]));
    if stored != computed {
        return Err(ElfError::Boot2 { stored, computed });
    }
    let (stack, entry) = (word(first, 256)?, word(first, 260)?);
    // The lowest bit of an address says that the code is Thumb code.
    if !MEMORY.contains(&stack) || !FLASH.contains(&entry) || entry & 1 == 0 {
        return Err(ElfError::Vectors { stack, entry });
    }
    if flash.sector(SECTOR_ADDRESS).is_some() {
        return Err(ElfError::TooLarge);
    }
    Ok(())
}

/// CRC-32/MPEG-2, as the boot ROM computes it over the second stage of the boot loader.
fn boot_checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ (u32::from(*byte) << 24), |crc, _| {
            if crc >> 31 == 1 { (crc << 1) ^ 0x04C1_1DB7 } else { crc << 1 }
        })
    })
}

fn half(bytes: &[u8], at: usize) -> Result<u16, ElfError> {
    let bytes = bytes.get(at..).and_then(<[u8]>::first_chunk).ok_or(ElfError::Truncated)?;
    Ok(u16::from_le_bytes(*bytes))
}

fn word(bytes: &[u8], at: usize) -> Result<u32, ElfError> {
    let bytes = bytes.get(at..).and_then(<[u8]>::first_chunk).ok_or(ElfError::Truncated)?;
    Ok(u32::from_le_bytes(*bytes))
}

impl fmt::Display for ElfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotForArm => f.write_str("not a program for a 32-bit ARM processor"),
            Self::Truncated => f.write_str("the file ends too early"),
            Self::Elsewhere { address } => {
                write!(f, "a part of it goes to {address:#010x}, outside the flash")
            }
            Self::NoStart => f.write_str("nothing of it goes to the start of the flash"),
            Self::Boot2 { stored, computed } => {
                write!(f, "the boot loader's checksum is {stored:#010x} and should be {computed:#010x}")
            }
            Self::Vectors { stack, entry } => {
                write!(f, "it cannot start with its stack at {stack:#010x} and its code at {entry:#010x}")
            }
            Self::TooLarge => f.write_str("it is too large: its end would overwrite the settings"),
        }
    }
}

impl std::error::Error for ElfError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with one loadable part.
    fn elf(address: u32, image: &[u8]) -> Vec<u8> {
        let mut file = vec![0; 52 + 32];
        file[..7].copy_from_slice(b"\x7fELF\x01\x01\x01");
        file[18] = 40;
        file[28] = 52;
        file[42] = 32;
        file[44] = 1;
        for (at, word) in [(0, 1), (4, 84), (12, address), (16, image.len() as u32)] {
            file[52 + at..][..4].copy_from_slice(&word.to_le_bytes());
        }
        file.extend_from_slice(image);
        file
    }

    fn image() -> Vec<u8> {
        let mut image = vec![0x5A; 300];
        let checksum = boot_checksum(&image[..252]);
        for (at, word) in [(252, checksum), (256, 0x2004_2000), (260, 0x1000_01c1)] {
            image[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        image
    }

    #[test]
    fn the_checksum_is_the_one_that_everybody_computes() {
        assert_eq!(boot_checksum(b"123456789"), 0x0376_E6E7); // the check value of CRC-32/MPEG-2
    }

    #[test]
    fn an_image_goes_where_its_headers_say() {
        let flash = flash(&elf(FLASH.start, &image())).unwrap();
        assert_eq!(flash.len(), 1);
        assert_eq!(flash.sector(FLASH.start).unwrap()[..300], image());
    }

    #[test]
    fn an_image_that_could_not_start_is_refused() {
        let refuse = |address: u32, at: usize, byte: u8| {
            let mut image = image();
            image[at] ^= byte;
            flash(&elf(address, &image)).unwrap_err()
        };
        assert!(matches!(refuse(FLASH.start, 0, 1), ElfError::Boot2 { .. }));
        assert!(matches!(refuse(FLASH.start, 259, 0xFF), ElfError::Vectors { .. }));
        assert!(matches!(refuse(FLASH.start, 260, 1), ElfError::Vectors { .. }));
        assert_eq!(refuse(0x2000_0000, 0, 0), ElfError::Elsewhere { address: 0x2000_0000 });
        assert_eq!(refuse(0x1000_2000, 0, 0), ElfError::NoStart);
        let mut large = image();
        large.resize((SECTOR_ADDRESS - FLASH.start) as usize + 1, 0);
        assert_eq!(flash(&elf(FLASH.start, &large)), Err(ElfError::TooLarge));
    }

    #[test]
    fn no_cut_and_no_changed_header_panics() {
        let good = elf(FLASH.start, &image());
        for len in 0..good.len() {
            assert!(flash(&good[..len]).is_err(), "{len}");
        }
        for at in 0..84 {
            for value in [0, 1, 0x7F, 0xFF] {
                let mut file = good.clone();
                file[at] = value;
                let _ = flash(&file);
            }
        }
    }
}

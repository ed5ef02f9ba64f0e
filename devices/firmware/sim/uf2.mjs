//! Reads a UF2 file into flash memory, as the boot ROM of an RP2040 does. Writing them is `luxwire firmware`'s business.

const FLASH_START = 0x10000000;

/** Puts the file's pages into `flash`, an array of the whole flash. Throws at what the boot ROM would pass over. */
export function load(file, flash) {
  if (file.length === 0 || file.length % 512 !== 0) throw new Error('a UF2 file has whole blocks of 512 bytes');
  for (let at = 0; at < file.length; at += 512) {
    const word = (offset) => file.readUInt32LE(at + offset);
    const marked = word(0) === 0x0a324655 && word(4) === 0x9e5d5157 && word(508) === 0x0ab16f30;
    const forRp2040 = (word(8) & 0x2000) !== 0 && word(28) === 0xe48bff56;
    const inOrder = word(16) === 256 && word(20) === at / 512 && word(24) === file.length / 512;
    if (!marked || !forRp2040 || !inOrder) throw new Error(`block ${at / 512} is not one for an RP2040`);
    const address = word(12) - FLASH_START;
    if (address < 0 || address + 256 > flash.length || address % 256 !== 0) throw new Error('outside the flash');
    flash.set(file.subarray(at + 32, at + 32 + 256), address);
  }
}

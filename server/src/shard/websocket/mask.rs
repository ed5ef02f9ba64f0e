//! The mask that a client hides each payload behind, RFC 6455 section 5.3.

/// A payload that is coming.
#[derive(Debug, Default)]
pub(super) struct Masked {
    bytes_left: usize,
    /// The first of them is behind the first byte of it.
    mask: [u8; 4],
}

impl Masked {
    pub(super) fn new(len: usize, mask: [u8; 4]) -> Self {
        Self { bytes_left: len, mask }
    }

    /// Whether all of it has come.
    pub(super) fn is_complete(&self) -> bool {
        self.bytes_left == 0
    }

    /// Takes the mask from as much of the payload as is at the front of `bytes`, and says how much that is.
    #[inline]
    pub(super) fn unmask(&mut self, bytes: &mut [u8]) -> usize {
        let (payload, _) = bytes.split_at_mut(self.bytes_left.min(bytes.len()));
        unmask(payload, self.mask);
        self.bytes_left -= payload.len();
        self.mask.rotate_left(payload.len() % 4);
        payload.len()
    }
}

/// Eight bytes at a time, or as many as the compiler finds a wider instruction for.
#[inline]
fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let mask = u32::from_ne_bytes(mask);
    let twice = u64::from(mask) << 32 | u64::from(mask);
    let (eights, rest) = payload.as_chunks_mut();
    for bytes in eights {
        *bytes = (u64::from_ne_bytes(*bytes) ^ twice).to_ne_bytes();
    }
    let (fours, rest) = rest.as_chunks_mut();
    for bytes in fours {
        *bytes = (u32::from_ne_bytes(*bytes) ^ mask).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.to_ne_bytes()) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_goes_on_where_it_was_cut() {
        let mask = [0x37, 0xFA, 0x21, 0x3D];
        let payload: Vec<u8> = (0..100).collect();
        let hidden: Vec<u8> =
            payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        for len in 0..=payload.len() {
            for size in 1..=len.max(1) {
                let mut masked = Masked::new(len, mask);
                // What follows the payload is not touched.
                let mut bytes = [&hidden[..len], b"next"].concat();
                let mut at = 0;
                while !masked.is_complete() {
                    let end = bytes.len().min(at + size);
                    at += masked.unmask(&mut bytes[at..end]);
                }
                assert_eq!(bytes, [&payload[..len], b"next"].concat(), "{len} in pieces of {size}");
            }
        }
    }
}

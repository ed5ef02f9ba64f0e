//! What the generator writes at the beginning of each payload, so that each delivery says what it is: the stream that it
//! belongs to, its place in that stream, and when it left.

/// The mark of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Messages of one publisher on one topic: what must arrive in order.
    pub(crate) stream: u32,
    /// Counts from 0.
    pub(crate) sequence: u32,
    /// By the clock of the process that wrote it.
    pub(crate) sent_ns: u64,
}

impl Stamp {
    /// The least payload.
    pub(crate) const LEN: usize = 16;

    /// As it travels.
    pub(crate) fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        let (stream, rest) = bytes.split_at_mut(4);
        let (sequence, sent_ns) = rest.split_at_mut(4);
        stream.copy_from_slice(&self.stream.to_le_bytes());
        sequence.copy_from_slice(&self.sequence.to_le_bytes());
        sent_ns.copy_from_slice(&self.sent_ns.to_le_bytes());
        bytes
    }

    /// `None` of a payload that is too short to be one of ours.
    pub(crate) fn of(payload: &[u8]) -> Option<Self> {
        let (stream, rest) = payload.split_first_chunk()?;
        let (sequence, rest) = rest.split_first_chunk()?;
        let sent_ns = rest.first_chunk()?;
        Some(Self {
            stream: u32::from_le_bytes(*stream),
            sequence: u32::from_le_bytes(*sequence),
            sent_ns: u64::from_le_bytes(*sent_ns),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_as_it_was_written_whatever_follows_it() {
        let stamp = Stamp { stream: 7, sequence: u32::MAX, sent_ns: 1 << 40 };
        let mut payload = stamp.to_bytes().to_vec();
        payload.extend_from_slice(b"filling");
        assert_eq!(Stamp::of(&payload), Some(stamp));
        assert_eq!(Stamp::of(&payload[..Stamp::LEN - 1]), None);
    }
}

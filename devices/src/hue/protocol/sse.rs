//! The event stream of API v2, cut into the data of its events.
//!
//! Bytes come as the network cut them. Comments, identifiers and everything that is no data are skipped; a line or an event
//! beyond the bound ends the stream, because nothing that follows could be trusted to be whole.

use bytes::{Buf as _, Bytes, BytesMut};

/// Puts lines together.
#[derive(Debug)]
pub(crate) struct Lines {
    line_max: usize,
    line: BytesMut,
    data: BytesMut,
    after_return: bool,
}

/// A line, or the data of one event, is longer than allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

impl Lines {
    pub(crate) fn new(line_max: usize) -> Self {
        Self { line_max, line: BytesMut::new(), data: BytesMut::new(), after_return: false }
    }

    /// The data of every event that `bytes` complete.
    pub(crate) fn push(&mut self, mut bytes: Bytes) -> Result<Vec<Bytes>, TooLong> {
        let mut events = Vec::new();
        while !bytes.is_empty() {
            if std::mem::take(&mut self.after_return) && bytes.first() == Some(&b'\n') {
                bytes.advance(1);
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let part = bytes.split_to(end.unwrap_or(bytes.len()));
            if self.line.len() + part.len() > self.line_max {
                return Err(TooLong);
            }
            self.line.extend_from_slice(&part);
            if end.is_some() {
                self.after_return = bytes.get_u8() == b'\r';
                self.line_ends(&mut events)?;
            }
        }
        Ok(events)
    }

    fn line_ends(&mut self, events: &mut Vec<Bytes>) -> Result<(), TooLong> {
        let line = self.line.split();
        if line.is_empty() {
            if !self.data.is_empty() {
                events.push(self.data.split().freeze());
            }
            return Ok(());
        }
        let Some(data) = line.strip_prefix(b"data:") else { return Ok(()) };
        let data = data.strip_prefix(b" ").unwrap_or(data);
        if self.data.len() + data.len() >= self.line_max {
            return Err(TooLong);
        }
        if !self.data.is_empty() {
            self.data.extend_from_slice(b"\n");
        }
        self.data.extend_from_slice(data);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(stream: &[u8], step: usize) -> Result<Vec<Bytes>, TooLong> {
        let mut lines = Lines::new(32);
        let mut events = Vec::new();
        for part in stream.chunks(step) {
            events.extend(lines.push(Bytes::copy_from_slice(part))?);
        }
        Ok(events)
    }

    #[test]
    fn events_are_the_same_however_they_are_cut() {
        let stream = b": hi\n\nid: 1:0\ndata: [1]\n\ndata:[2\r\ndata: ]\r\n\r\n\n\nevent: x\n\ndata: lost";
        for step in 1..stream.len() {
            assert_eq!(events(stream, step).unwrap(), ["[1]", "[2\n]"], "in steps of {step}");
        }
    }

    #[test]
    fn what_is_too_long_ends_the_stream() {
        assert_eq!(events(&[b'x'; 33], 1), Err(TooLong));
        assert_eq!(events(&b"data: 0123456789\n".repeat(4), 5), Err(TooLong));
    }
}

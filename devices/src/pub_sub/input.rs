//! What is published: a file, all of standard input, or its lines.
//!
//! Lines are read by a thread of their own, which waits while nobody takes them; their bytes are not copied.

use super::{FAILURE, flags::Source, words::Failure};
use bytes::{Buf as _, Bytes, BytesMut};
use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Read},
    thread,
};
use tokio::sync::mpsc;

/// The most that a payload may have, so that a packet can hold it.
const PAYLOAD_BYTES_MAX: usize = 268_435_455;

/// One read of standard input.
const READ_BYTES: usize = 64 * 1024;

/// The payload, if there is but one.
pub(super) fn payload(source: &Source) -> Result<Option<Bytes>, Failure> {
    let failed = |said: [String; 2]| Failure { code: FAILURE, said: said.into() };
    match source {
        Source::Argument(payload) => Ok(Some(payload.clone().into())),
        Source::Nothing => Ok(Some(Bytes::new())),
        Source::File(path) => {
            let name = path.display();
            let read = File::open(path).and_then(whole);
            let why = match read {
                Ok(Some(payload)) => return Ok(Some(payload)),
                Ok(None) => format!("Error: File must be less than {PAYLOAD_BYTES_MAX} bytes."),
                Err(_) => format!("Error: Unable to open file \"{name}\"."),
            };
            Err(failed([why, format!("Error loading input file \"{name}\".")]))
        }
        Source::Input => {
            let why = match whole(io::stdin().lock()) {
                Ok(Some(payload)) if !payload.is_empty() => return Ok(Some(payload)),
                Ok(Some(_nothing)) => "Error: Zero length input.".to_owned(),
                Ok(None) => format!("Error: Message length must be less than {PAYLOAD_BYTES_MAX} bytes."),
                Err(error) => format!("Error: {error}"),
            };
            Err(failed([why, "Error loading input from stdin.".to_owned()]))
        }
        Source::InputLines => Ok(None),
    }
}

/// `None` if it is too much.
fn whole(source: impl Read) -> io::Result<Option<Bytes>> {
    let mut payload = Vec::new();
    source.take(PAYLOAD_BYTES_MAX as u64 + 1).read_to_end(&mut payload)?;
    Ok((payload.len() <= PAYLOAD_BYTES_MAX).then(|| payload.into()))
}

/// Standard input, line by line; the last one need not end.
pub(super) struct Lines {
    chunks: mpsc::Receiver<io::Result<Bytes>>,
    cutter: Cutter,
    ended: bool,
}

/// Cuts what was read into lines.
#[derive(Debug, Default)]
struct Cutter {
    /// The beginning of a line.
    begun: BytesMut,
    /// Follows it.
    rest: Bytes,
    /// Lines that were given back.
    returned: VecDeque<Bytes>,
}

impl Lines {
    pub(super) fn new() -> Self {
        let (sender, chunks) = mpsc::channel(2);
        // It ends with the program at the latest: nobody can interrupt a read of standard input.
        thread::spawn(move || read_chunks(io::stdin(), &sender));
        Self { chunks, cutter: Cutter::default(), ended: false }
    }

    /// A line that is here already.
    pub(super) fn next(&mut self) -> Option<Bytes> {
        self.cutter.next(self.ended)
    }

    /// It could not be published yet.
    pub(super) fn give_back(&mut self, line: Bytes) {
        self.cutter.returned.push_front(line);
    }

    /// Whether there is nothing left and nothing to come.
    pub(super) fn is_over(&self) -> bool {
        self.ended && self.cutter.is_empty()
    }

    /// Whether more can be read.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Waits for more, once every line that is here was taken; cancel-safe.
    pub(super) async fn fill(&mut self) -> Result<(), Failure> {
        match self.chunks.recv().await {
            Some(Ok(chunk)) => self.cutter.push(chunk),
            Some(Err(error)) => return Err(Failure::new(FAILURE, format!("Error: {error}"))),
            None => self.ended = true,
        }
        if self.cutter.begun.len() > PAYLOAD_BYTES_MAX {
            let said = format!("Error: Message length must be less than {PAYLOAD_BYTES_MAX} bytes.");
            return Err(Failure::new(FAILURE, said));
        }
        Ok(())
    }
}

fn read_chunks(mut source: impl Read, chunks: &mpsc::Sender<io::Result<Bytes>>) {
    loop {
        let mut chunk = BytesMut::zeroed(READ_BYTES);
        let read = match source.read(&mut chunk) {
            Ok(0) => return,
            Ok(len) => {
                chunk.truncate(len);
                Ok(chunk.freeze())
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        if chunks.blocking_send(read).is_err() {
            return;
        }
    }
}

impl Cutter {
    fn push(&mut self, chunk: Bytes) {
        self.begun.extend_from_slice(&self.rest);
        self.rest = chunk;
        // The line that was begun ends here, or goes on.
        if let Some(end) = self.rest.iter().position(|&byte| byte == b'\n') {
            if !self.begun.is_empty() {
                self.begun.extend_from_slice(&self.rest[..end]);
                self.rest.advance(end + 1);
                self.returned.push_back(self.begun.split().freeze());
            }
        } else {
            self.begun.extend_from_slice(&self.rest);
            self.rest = Bytes::new();
        }
    }

    fn next(&mut self, ended: bool) -> Option<Bytes> {
        if let Some(line) = self.returned.pop_front() {
            return Some(line);
        }
        if let Some(end) = memchr(&self.rest) {
            let line = self.rest.split_to(end);
            self.rest.advance(1);
            return Some(line);
        }
        if !ended {
            return None;
        }
        self.begun.extend_from_slice(&std::mem::take(&mut self.rest));
        (!self.begun.is_empty()).then(|| self.begun.split().freeze())
    }

    fn is_empty(&self) -> bool {
        self.begun.is_empty() && self.rest.is_empty() && self.returned.is_empty()
    }
}

/// Where the first line ends.
fn memchr(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|&byte| byte == b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of these chunks, each taken as soon as it is there.
    fn lines(chunks: &[&str]) -> Vec<String> {
        let mut cutter = Cutter::default();
        let mut lines = Vec::new();
        for chunk in chunks {
            cutter.push(Bytes::copy_from_slice(chunk.as_bytes()));
            lines.extend(std::iter::from_fn(|| cutter.next(false)));
        }
        lines.extend(std::iter::from_fn(|| cutter.next(true)));
        assert!(cutter.is_empty());
        lines.into_iter().map(|line| String::from_utf8(line.to_vec()).unwrap()).collect()
    }

    #[test]
    fn lines_are_cut_wherever_the_reads_were() {
        let text = "one\n\ntwo\r\nthree";
        let expected = ["one", "", "two\r", "three"];
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let chunks = [&text[..first], &text[first..second], &text[second..]];
                assert_eq!(lines(&chunks), expected, "{chunks:?}");
            }
        }
        assert_eq!(lines(&["one\n"]), ["one"]);
        assert_eq!(lines(&["\n", "\n"]), ["", ""]);
        assert_eq!(lines(&[]), [""; 0]);
    }

    #[test]
    fn what_is_given_back_comes_first() {
        let mut cutter = Cutter::default();
        cutter.push(Bytes::from_static(b"one\ntwo\n"));
        let one = cutter.next(false).unwrap();
        cutter.returned.push_front(one);
        assert_eq!(cutter.next(false).unwrap(), "one");
        assert_eq!(cutter.next(false).unwrap(), "two");
        assert_eq!(cutter.next(false), None);
    }
}

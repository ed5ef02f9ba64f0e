//! Standard output: gathered while there is more to come, and written before anything is waited for.

use std::{
    fs::File,
    io::{self, Write as _},
    os::fd::AsFd as _,
};

/// More than this is written even if there is more to come.
const GATHERED_BYTES: usize = 64 * 1024;

pub(super) struct Output {
    /// Without the standard library's buffer, which writes at every line end.
    out: io::Result<File>,
    gathered: Vec<u8>,
    /// The first error; after it nothing is written.
    failure: Option<io::Error>,
}

impl Output {
    pub(super) fn new() -> Self {
        let out = io::stdout().as_fd().try_clone_to_owned().map(File::from);
        Self { out, gathered: Vec::with_capacity(2 * GATHERED_BYTES), failure: None }
    }

    /// Where the next bytes go; call [`Output::check`] when they are there.
    pub(super) fn gathered(&mut self) -> &mut Vec<u8> {
        &mut self.gathered
    }

    /// Writes if much was gathered.
    pub(super) fn check(&mut self) {
        if self.gathered.len() >= GATHERED_BYTES {
            self.flush();
        }
    }

    pub(super) fn flush(&mut self) {
        if !self.gathered.is_empty() && self.failure.is_none() {
            let written = match &mut self.out {
                Ok(out) => out.write_all(&self.gathered),
                Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
            };
            self.failure = written.err();
        }
        self.gathered.clear();
        // A large message is no reason to keep its room.
        self.gathered.shrink_to(2 * GATHERED_BYTES);
    }

    pub(super) fn failure(&self) -> Option<&io::Error> {
        self.failure.as_ref()
    }
}

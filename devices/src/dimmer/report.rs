//! What a person is told about what cannot be read: wrong lines, and a serial port that is away.

use std::{io, path::Path};
use tracing::{info, warn};

/// So many wrong lines of a serial port in a row are reported; a wrong `--baud` makes a hundred a second.
const WRONG_LINES_MAX: u32 = 5;

/// What was told already.
pub(super) struct InputReport {
    /// `None`: lines come from standard input.
    port: Option<String>,
    /// Why the port is away, as it was told last.
    told: Option<String>,
    wrong_lines: u32,
}

impl InputReport {
    pub(super) fn new(port: Option<&Path>) -> Self {
        Self { port: port.map(|port| port.display().to_string()), told: None, wrong_lines: 0 }
    }

    pub(super) fn right_line(&mut self) {
        self.wrong_lines = 0;
    }

    /// Every one of standard input; of a port only the first few in a row.
    pub(super) fn wrong_line(&mut self, number: u64, wrong: &str) {
        self.wrong_lines = self.wrong_lines.saturating_add(1);
        if self.port.is_none() || self.wrong_lines <= WRONG_LINES_MAX {
            warn!("line {number}: {wrong}; ignored");
        } else if self.wrong_lines == WRONG_LINES_MAX + 1 {
            warn!("no more is said of wrong lines until a right one comes: is --baud right?");
        }
    }

    pub(super) fn port_opened(&mut self) {
        self.told = None;
        self.wrong_lines = 0;
        info!("reading {}", self.port.as_deref().unwrap_or_default());
    }

    /// Once for each reason.
    pub(super) fn port_lost(&mut self, error: &io::Error) {
        let why = match error.kind() {
            io::ErrorKind::NotFound => "it is not there".to_owned(),
            io::ErrorKind::PermissionDenied => {
                "permission denied; its group, often dialout, may read it".to_owned()
            }
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => "it was unplugged".to_owned(),
            _ => error.to_string(),
        };
        if self.told.as_ref() != Some(&why) {
            warn!("waiting for {}: {why}", self.port.as_deref().unwrap_or_default());
            self.told = Some(why);
        }
    }
}

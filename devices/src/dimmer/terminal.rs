//! The terminal's keyboard, key by key: no echo, no waiting for the end of a line. Ctrl-C and Ctrl-Z keep their meaning.

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use std::{io, os::fd::OwnedFd};

/// Keys come one by one for as long as it lives; then the terminal is as it was, whatever ended it.
#[derive(Debug)]
pub(super) struct KeyByKey {
    terminal: OwnedFd,
    before: Termios,
}

impl KeyByKey {
    /// For this terminal.
    pub(super) fn begin(terminal: OwnedFd) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let keys = Self { terminal, before };
        keys.resume()?;
        Ok(keys)
    }

    /// The program goes on after Ctrl-Z: the shell had its own settings meanwhile.
    pub(super) fn resume(&self) -> io::Result<()> {
        let mut modes = self.before.clone();
        modes.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        Ok(tcsetattr(&self.terminal, OptionalActions::Now, &modes)?)
    }
}

impl Drop for KeyByKey {
    fn drop(&mut self) {
        // A terminal that is gone needs no care.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::{
        fs::{Mode, OFlags, open},
        pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    };
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn a_panic_leaves_the_terminal_as_it_was() {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let terminal = open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let modes = || tcgetattr(&terminal).unwrap().local_modes;
        let before = modes();
        assert!(before.contains(LocalModes::ICANON | LocalModes::ECHO));
        let keys = KeyByKey::begin(terminal.try_clone().unwrap()).unwrap();
        assert!(!modes().intersects(LocalModes::ICANON | LocalModes::ECHO));
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let _keys = keys;
            panic!("on purpose");
        }));
        assert!(outcome.is_err());
        assert_eq!(modes(), before);
    }
}

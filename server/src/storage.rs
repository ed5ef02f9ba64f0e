//! The data directory: makes sure that it is usable and that no other server uses it.
//!
//! Nothing is written into it yet but the lock: sessions and retained values live in memory.

use anyhow::{Context, bail};
use std::{
    fs::{self, DirBuilder, File, TryLockError},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

/// Ours as long as this exists. The system releases the lock however the process ends.
#[derive(Debug)]
pub(crate) struct DataDir {
    _lock: File,
}

impl DataDir {
    /// Creates `dir` if it is missing, for the owner's eyes only, and locks it.
    pub(crate) fn claim(dir: &Path) -> anyhow::Result<Self> {
        let shown = dir.display();
        let mend = "choose another with --data-dir DIR, or run with --ephemeral";
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .with_context(|| format!("the data directory {shown} cannot be created ({mend})"))?;
        fs::read_dir(dir).with_context(|| {
            format!("the data directory {shown} cannot be read (give this user access to it, or {mend})")
        })?;
        let path = dir.join("luxwire.lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| {
                format!(
                    "the data directory {shown} cannot be written to (give this user access to it, or {mend})"
                )
            })?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                bail!("the data directory {shown} is in use by another luxwire (stop that one, or {mend})")
            }
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("the data directory {shown} cannot be locked ({mend})"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::DataDir;

    #[test]
    fn a_directory_belongs_to_one_server_at_a_time() {
        let dir = std::env::temp_dir().join(format!("luxwire-storage-{}", std::process::id()));
        let first = DataDir::claim(&dir.join("deep/down")).unwrap();
        let error = DataDir::claim(&dir.join("deep/down")).unwrap_err();
        assert!(error.to_string().contains("in use by another luxwire"), "{error}");
        drop(first);
        DataDir::claim(&dir.join("deep/down")).unwrap();
        std::fs::remove_dir_all(dir).unwrap();
    }
}

//! The file: where it is, whose it is, and what a person is told when it is not what it should be.

use super::schema::{APPLICATION_ID, TABLES, VERSION};
use crate::recorder::limits;
use anyhow::{Context as _, bail};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::{
    ffi::OsString,
    fmt,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// Where the history is kept.
#[derive(Clone, Debug)]
pub(in crate::recorder) enum Place {
    File(PathBuf),
    /// In this process, under a name of its own, until the last connection to it is closed.
    Memory(String),
}

/// Why something was not stored or not read.
#[derive(Debug)]
pub(in crate::recorder) enum StoreError {
    /// It will not mend itself: the text says what to do.
    Hopeless(String),
    /// It may mend itself: the text says what is wrong.
    Trouble(String),
    /// The file is not where it was.
    Gone,
}

/// Tells one file from another under the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

impl Place {
    pub(in crate::recorder) fn memory() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        Self::Memory(format!("file:/luxwire-history-{}?vfs=memdb", COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    /// Makes the folder and keeps other recorders away from the file, as long as the result exists.
    pub(in crate::recorder) fn claim(&self) -> anyhow::Result<Option<File>> {
        let Self::File(path) = self else { return Ok(None) };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.with_context(|| format!("--file: the folder {} cannot be made", folder.display()))?;
        }
        let beside = beside(path, ".lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&beside);
        let lock = lock.with_context(|| format!("--file: {} cannot be written", beside.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(lock)),
            Err(TryLockError::WouldBlock) => bail!(
                "--file: another luxwire records into {}; stop that one, or choose another file",
                path.display()
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("--file: {} cannot be locked", beside.display()))
            }
        }
    }

    /// Opens it for the recorder, and makes it if there is none.
    pub(in crate::recorder) fn open(&self) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | flags();
        let db = match self {
            Self::File(path) => {
                // Only for its owner's eyes; SQLite gives the files beside it the same permissions.
                let made = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
                drop(made.map_err(|error| {
                    StoreError::Trouble(format!("{} cannot be written: {error}", path.display()))
                })?);
                Connection::open_with_flags(path, flags)
            }
            Self::Memory(name) => Connection::open_with_flags(name, flags),
        };
        let mut db = db.map_err(|error| self.error(&error))?;
        self.check(&mut db)?;
        Ok(db)
    }

    /// Opens it to be read, while somebody else may be writing it.
    pub(in crate::recorder) fn open_to_read(&self) -> Result<Connection, StoreError> {
        let read = OpenFlags::SQLITE_OPEN_READ_ONLY | flags();
        let path = match self {
            Self::File(path) => path,
            Self::Memory(name) => {
                let db = Connection::open_with_flags(name, read).map_err(|error| self.error(&error))?;
                db.busy_timeout(limits::BUSY).map_err(|error| self.error(&error))?;
                return Ok(db);
            }
        };
        if let Err(error) = File::open(path) {
            return Err(StoreError::Hopeless(format!("{}: {error}", path.display())));
        }
        let attempt = |db: rusqlite::Result<Connection>| {
            let db = db?;
            db.busy_timeout(limits::BUSY)?;
            versions(&db).map(|versions| (db, versions))
        };
        let opened = attempt(Connection::open_with_flags(path, read)).or_else(|error| {
            // Without the right to make files beside it a log cannot be read; but then there may be none.
            let is_alone = !beside(path, "-wal").exists();
            if !is_alone || error.sqlite_error_code() != Some(ErrorCode::CannotOpen) {
                return Err(error);
            }
            let name = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
            attempt(Connection::open_with_flags(format!("file:{name}?immutable=1"), read))
        });
        let (db, versions) = opened.map_err(|error| self.error(&error))?;
        self.judge(versions)?;
        Ok(db)
    }

    /// Which file is there; `None` where there is none, or no file at all.
    pub(super) fn identity(&self) -> Option<Identity> {
        match self {
            Self::File(path) => fs::metadata(path)
                .ok()
                .map(|metadata| Identity { device: metadata.dev(), inode: metadata.ino() }),
            Self::Memory(_) => None,
        }
    }

    /// In words, and with what can be done.
    pub(in crate::recorder) fn error(&self, error: &rusqlite::Error) -> StoreError {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Hopeless(format!(
                "{self} is damaged; move it away to begin another history, and save what is left of it with \
                 `sqlite3 {self} .recover`"
            )),
            Some(ErrorCode::DiskFull) => StoreError::Trouble(format!("the disk with {self} is full")),
            Some(ErrorCode::ReadOnly) => StoreError::Trouble(format!("{self} may not be written to")),
            Some(ErrorCode::SystemIoFailure) => {
                StoreError::Trouble(format!("{self}: the disk fails ({error})"))
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                StoreError::Trouble(format!("another program holds {self} locked"))
            }
            _ => StoreError::Trouble(format!("{self}: {error}")),
        }
    }

    fn check(&self, db: &mut Connection) -> Result<(), StoreError> {
        let is_read_only = db.is_readonly("main").map_err(|error| self.error(&error))?;
        if is_read_only {
            return Err(StoreError::Hopeless(format!(
                "{self} may not be written to; give this user the right to, or choose another with --file"
            )));
        }
        let found = versions(db).map_err(|error| self.error(&error))?;
        if found != (0, 0, 0) {
            self.judge(found)?;
        }
        let set_up = |db: &mut Connection| {
            db.busy_timeout(limits::BUSY)?;
            if found == (0, 0, 0) {
                // Before there is any table, or it would need a vacuum.
                db.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
            }
            if matches!(self, Self::File(_)) {
                db.pragma_update(None, "journal_mode", "WAL")?;
                db.pragma_update(None, "wal_autocheckpoint", limits::WAL_PAGES)?;
            }
            // A commit is on the disk when it says so: an acknowledged value survives a power cut.
            db.pragma_update(None, "synchronous", "FULL")?;
            db.set_prepared_statement_cache_capacity(64);
            if found == (0, 0, 0) {
                let transaction = db.transaction()?;
                transaction.execute_batch(TABLES)?;
                transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
                transaction.pragma_update(None, "user_version", VERSION)?;
                transaction.commit()?;
            }
            Ok(())
        };
        set_up(db).map_err(|error| self.error(&error))
    }

    fn judge(&self, (application, version, _): (i32, i32, i64)) -> Result<(), StoreError> {
        if application != APPLICATION_ID || version < 1 {
            let text = format!("{self} is no history of Luxwire's; choose another with --file");
            return Err(StoreError::Hopeless(text));
        }
        if version > VERSION {
            let text = format!(
                "{self} was written by a later Luxwire (its version is {version}, ours {VERSION}); use that one, or \
                 choose another with --file"
            );
            return Err(StoreError::Hopeless(text));
        }
        Ok(())
    }
}

/// What the header says, and how many things the file has in it.
fn versions(db: &Connection) -> rusqlite::Result<(i32, i32, i64)> {
    let number = |name| db.pragma_query_value(None, name, |row| row.get(0));
    let things = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok((number("application_id")?, number("user_version")?, things))
}

fn flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Memory(_) => f.write_str("the history in memory"),
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hopeless(text) | Self::Trouble(text) => f.write_str(text),
            Self::Gone => f.write_str("the file was removed"),
        }
    }
}

impl std::error::Error for StoreError {}

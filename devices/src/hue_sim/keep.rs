//! What survives a restart, if a directory is given: the hub's identity, its certificate, and the keys it gave out.

use super::{certificate::Identity, home::BridgeId, keys::Key};
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// The file's contents.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Kept {
    bridge_id: String,
    pub(crate) identity: Identity,
    pub(crate) keys: Vec<Key>,
}

impl Kept {
    pub(crate) fn new(id: &BridgeId) -> anyhow::Result<Self> {
        Ok(Self { bridge_id: id.as_str().into(), identity: Identity::issue(id)?, keys: Vec::new() })
    }

    pub(crate) fn bridge_id(&self) -> anyhow::Result<BridgeId> {
        self.bridge_id.parse().map_err(anyhow::Error::msg)
    }
}

/// Where it is kept.
#[derive(Debug)]
pub(crate) struct Keep {
    file: PathBuf,
}

impl Keep {
    pub(crate) fn open(directory: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(directory)
            .with_context(|| format!("{} cannot be made; choose another --state-dir", directory.display()))?;
        Ok(Self { file: directory.join("hue-sim.json") })
    }

    /// What an earlier hub left; nothing at the first start.
    pub(crate) fn load(&self) -> anyhow::Result<Option<Kept>> {
        let text = match fs::read_to_string(&self.file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("{} cannot be read", self.file.display()));
            }
        };
        let mend =
            || format!("{} is no state of a pretend hub; remove it to begin anew", self.file.display());
        serde_json::from_str(&text).map(Some).with_context(mend)
    }

    /// Replaces the file as a whole; nobody but its owner can read it.
    pub(crate) fn save(&self, kept: &Kept) -> anyhow::Result<()> {
        let unfinished = self.file.with_extension("json.new");
        let write = || {
            let mut options = OpenOptions::new();
            let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
            file.write_all(&serde_json::to_vec_pretty(kept)?)?;
            file.sync_all()?;
            fs::rename(&unfinished, &self.file)
        };
        write().with_context(|| format!("{} cannot be written", self.file.display()))
    }
}

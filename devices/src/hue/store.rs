//! What is remembered between runs: hubs, their keys, the certificates that were learnt, and which light has which
//! identifier. One file, for the owner's eyes only, replaced as a whole or not at all.

use super::tls::Trust;
use anyhow::{Context as _, Result, ensure};
use luxwire_shared::model::{Intensity, LightId};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// Everything that is remembered, and where.
#[derive(Debug)]
pub(super) struct Store {
    /// `None` remembers nothing beyond this run.
    folder: Option<PathBuf>,
    pub(super) hubs: Vec<Hub>,
}

/// A hub that was paired.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Hub {
    pub(super) id: String,
    pub(super) name: String,
    /// `HOST[:PORT]`
    pub(super) host: String,
    pub(super) api: Api,
    /// The hub's certificate; without one it was paired over plain HTTP.
    pub(super) trust: Option<Trust>,
    /// What authorises us; as good as a password.
    pub(super) key: String,
    #[serde(default)]
    pub(super) lights: Vec<Light>,
}

/// Which version of the API a hub has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Api {
    V1,
    V2,
}

/// A light or a room, and the identifier that it got when it was first seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Light {
    pub(super) id: String,
    pub(super) key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) key_v1: Option<String>,
    /// What its topic said at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) intensity: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Content {
    version: u32,
    hubs: Vec<Hub>,
}

const FILE: &str = "hubs.json";
const VERSION: u32 = 1;
/// No file of ours is longer: sixteen hubs with all the lights that they may have.
const LEN_MAX: u64 = 8 << 20;

impl Store {
    /// Reads what an earlier run left in this folder, which is made if it is missing.
    pub(super) fn open(folder: Option<PathBuf>) -> Result<Self> {
        let Some(folder) = folder else { return Ok(Self { folder, hubs: Vec::new() }) };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .with_context(|| format!("--state-dir: cannot make {}", folder.display()))?;
        let path = folder.join(FILE);
        let hubs = match File::open(&path) {
            Ok(file) => read(file, &path)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        Ok(Self { folder: Some(folder), hubs })
    }

    /// Writes everything. A crash leaves what was there before.
    pub(super) fn save(&self) -> Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let content = Content { version: VERSION, hubs: self.hubs.clone() };
        let mut text = serde_json::to_vec_pretty(&content)?;
        text.push(b'\n');
        let draft = folder.join(format!("{FILE}.new"));
        let path = folder.join(FILE);
        let write = || {
            // A draft that a crash left may have other permissions.
            let _ = fs::remove_file(&draft);
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&draft, &path)?;
            File::open(folder)?.sync_all()
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }

    pub(super) fn hub_mut(&mut self, id: &str) -> Option<&mut Hub> {
        self.hubs.iter_mut().find(|hub| hub.id == id)
    }

    /// Remembers a hub in place of what was known of it; its lights keep their identifiers.
    pub(super) fn put(&mut self, mut hub: Hub) {
        match self.hub_mut(&hub.id) {
            Some(known) => {
                hub.lights = std::mem::take(&mut known.lights);
                *known = hub;
            }
            None => self.hubs.push(hub),
        }
    }
}

impl Hub {
    /// The identifier that a light got before, by either of the names that hubs have for it.
    pub(super) fn light(&self, key: &str, key_v1: Option<&str>) -> Option<&Light> {
        let by_key = self.lights.iter().find(|light| light.key == key);
        by_key.or_else(|| {
            self.lights.iter().find(|light| light.key_v1.is_some() && light.key_v1.as_deref() == key_v1)
        })
    }

    pub(super) fn intensity(&self, id: &LightId) -> Option<Intensity> {
        let light = self.lights.iter().find(|light| light.id == id.as_str())?;
        light.intensity.as_deref()?.parse().ok()
    }
}

/// Without the key.
impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("id", &self.id).field("host", &self.host).finish_non_exhaustive()
    }
}

fn read(file: File, path: &Path) -> Result<Vec<Hub>> {
    let at = || path.display();
    let mode = file.metadata().with_context(|| format!("cannot read {}", at()))?.permissions().mode();
    if mode & 0o077 != 0 {
        // The keys in it are as good as passwords.
        tracing::warn!("others could read {}: its permissions are mended", at());
        file.set_permissions(Permissions::from_mode(0o600))
            .with_context(|| format!("cannot make {} private", at()))?;
    }
    let mut text = Vec::new();
    file.take(LEN_MAX).read_to_end(&mut text).with_context(|| format!("cannot read {}", at()))?;
    let content: Content = serde_json::from_slice(&text)
        .with_context(|| format!("{} is damaged; move it away, and pair the hubs again", at()))?;
    ensure!(content.version == VERSION, "{} was written by another version of Luxwire", at());
    Ok(content.hubs)
}

/// Whether hubs were paired by a run that kept its keys in this folder.
pub fn has_hubs(folder: &Path) -> bool {
    File::open(folder.join(FILE)).is_ok_and(|file| read(file, folder).is_ok_and(|hubs| !hubs.is_empty()))
}

/// Where programs of this user keep such things; `name` tells those from each other that keep their own.
pub fn default_folder(name: &str) -> Result<PathBuf> {
    let folder = crate::state_folder(name);
    folder.context("--state-dir: please give a folder, since there is no HOME to keep keys in")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::env;

    fn hub(id: &str) -> Hub {
        Hub {
            id: id.to_owned(),
            name: "Philips hue".to_owned(),
            host: "127.0.0.1".to_owned(),
            api: Api::V2,
            trust: Some(Trust::Pinned("00".to_owned())),
            key: "secret".to_owned(),
            lights: vec![Light {
                id: "hue-desk".to_owned(),
                key: "l-1".to_owned(),
                key_v1: Some("/lights/1".to_owned()),
                intensity: Some("40.5".to_owned()),
            }],
        }
    }

    fn folder(test: &str) -> PathBuf {
        let folder = env::temp_dir().join(format!("luxwire-hue-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn what_is_saved_is_there_again_and_private() {
        let folder = folder("saved");
        let mut store = Store::open(Some(folder.clone())).unwrap();
        store.put(hub("a"));
        store.save().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join(FILE))), (0o700, 0o600));
        store.put(Hub { lights: Vec::new(), key: "other".to_owned(), ..hub("a") });
        store.save().unwrap();
        let again = Store::open(Some(folder.clone())).unwrap();
        assert_eq!(again.hubs, [Hub { key: "other".to_owned(), ..hub("a") }]);
        fs::set_permissions(folder.join(FILE), Permissions::from_mode(0o644)).unwrap();
        Store::open(Some(folder.clone())).unwrap();
        assert_eq!(mode(&folder.join(FILE)), 0o600);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_damaged_file_is_not_overwritten() {
        let folder = folder("damaged");
        Store::open(Some(folder.clone())).unwrap();
        fs::write(folder.join(FILE), "{\"version\":1,").unwrap();
        let error = Store::open(Some(folder.clone())).unwrap_err();
        assert!(error.to_string().contains("damaged"), "{error:#}");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_light_is_known_by_its_old_name_too() {
        let hub = hub("a");
        assert!(hub.light("l-1", None).is_some());
        assert!(hub.light("/lights/1", Some("/lights/1")).is_some());
        assert!(hub.light("l-2", None).is_none());
        assert!(!format!("{hub:?}").contains("secret"));
    }
}

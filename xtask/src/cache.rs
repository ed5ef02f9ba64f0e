//! The user's cache of tools, shared by all checkouts: folders named after what is in them and its version, each
//! complete or absent. What goes into a folder is the caller's business.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The cache, wherever this user keeps such things.
pub(crate) struct Cache {
    root: PathBuf,
}

impl Cache {
    /// `$LUXWIRE_CACHE`, else `luxwire/` in `$XDG_CACHE_HOME` or `~/.cache`.
    pub(crate) fn of_user() -> Result<Self> {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let root = set("LUXWIRE_CACHE")
            .or_else(|| set("XDG_CACHE_HOME").map(|folder| folder.join("luxwire")))
            .or_else(|| set("HOME").map(|home| home.join(".cache/luxwire")))
            .context("neither LUXWIRE_CACHE nor HOME says where tools may be kept")?;
        Self::at(root)
    }

    fn at(root: PathBuf) -> Result<Self> {
        fs::create_dir_all(&root).with_context(|| format!("cannot create {}", root.display()))?;
        let root = fs::canonicalize(&root)?;
        Ok(Self { root })
    }

    /// A folder that is already there, complete.
    pub(crate) fn find(&self, name: &str) -> Option<PathBuf> {
        Some(self.root.join(name)).filter(|folder| folder.is_dir())
    }

    /// All folders whose names begin so, complete.
    pub(crate) fn find_all(&self, beginning: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.root).into_iter().flatten().flatten();
        let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(beginning));
        let mut folders: Vec<PathBuf> =
            named.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
        folders.sort();
        folders
    }

    /// Fills a folder and gives it its name only when `fill` has succeeded, so that a run that was interrupted leaves
    /// nothing that looks finished. Only one run at a time fills a folder; the others wait, and find it there.
    pub(crate) fn install(&self, name: &str, fill: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let _lock = self.lock(name)?;
        let folder = self.root.join(name);
        if folder.is_dir() {
            return Ok(folder);
        }
        let unfinished = self.root.join(format!("{UNFINISHED}{name}"));
        remove(&unfinished)?;
        fs::create_dir(&unfinished).with_context(|| format!("cannot create {}", unfinished.display()))?;
        fill(&unfinished)?;
        fs::rename(&unfinished, &folder)
            .with_context(|| format!("cannot rename {} to {}", unfinished.display(), folder.display()))?;
        Ok(folder)
    }

    /// A place for what is built on the way to a folder. An interrupted run continues there.
    pub(crate) fn workshop(&self, name: &str) -> PathBuf {
        self.root.join(format!("{UNFINISHED}{name}.build"))
    }

    /// Waits until no other run holds the same lock. The system frees it when its holder ends, however it ends.
    pub(crate) fn lock(&self, name: &str) -> Result<File> {
        lock(&self.root.join(format!("{UNFINISHED}{name}.lock")))
    }
}

/// Holds a file's lock for as long as the result lives.
pub(crate) fn lock(path: &Path) -> Result<File> {
    let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}

/// Removes a folder, or finds that it is not there.
pub(crate) fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

/// What a folder or file is called that is of no use by itself.
const UNFINISHED: &str = ".";

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(name: &str) -> Cache {
        let root = env::temp_dir().join(format!("luxwire-cache-{name}-{}", std::process::id()));
        remove(&root).unwrap();
        Cache::at(root).unwrap()
    }

    #[test]
    fn what_failed_half_way_is_not_found_and_begins_afresh() {
        let cache = cache("half");
        let failed = cache.install("tool-1", |folder| {
            fs::write(folder.join("rubbish"), "")?;
            anyhow::bail!("interrupted")
        });
        assert!(failed.is_err());
        assert_eq!(cache.find("tool-1"), None);
        assert!(cache.find_all("tool-").is_empty());

        let folder = cache.install("tool-1", |folder| Ok(fs::write(folder.join("tool"), "")?)).unwrap();
        assert!(folder.join("tool").exists() && !folder.join("rubbish").exists());
        assert_eq!(cache.find("tool-1"), Some(folder.clone()));
        assert_eq!(cache.find_all("tool-"), [folder]);
        remove(&cache.root).unwrap();
    }

    #[test]
    fn while_a_folder_is_filled_others_wait_and_then_find_it() {
        let cache = cache("twice");
        let lock = cache.root.join(".tool-2.lock");
        let is_held = || File::open(&lock).unwrap().try_lock().is_err();
        let fill = |_: &Path| {
            assert!(is_held());
            Ok(())
        };
        let folder = cache.install("tool-2", fill).unwrap();
        assert!(!is_held());
        let again = cache.install("tool-2", |_| panic!("it is there already")).unwrap();
        assert_eq!(again, folder);
        remove(&cache.root).unwrap();
    }
}

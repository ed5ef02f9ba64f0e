//! Where things are: the checkout, its target directory, and what its manifests say. It reads files and creates none.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::programs::Version;

/// The checkout that xtask was started in.
pub(crate) struct Project {
    /// The workspace's root.
    pub(crate) root: PathBuf,
    /// Cargo's target directory, wherever the user has put it.
    pub(crate) target: PathBuf,
}

impl Project {
    /// Finds the checkout by xtask's own manifest, and the target directory by where cargo put xtask itself.
    pub(crate) fn locate() -> Result<Self> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest.parent().context("xtask has no parent folder")?.to_path_buf();
        let program = std::env::current_exe().context("where is xtask itself?")?;
        let target = program.ancestors().nth(2).context("xtask lies outside a target directory")?;
        Ok(Self { root, target: target.to_path_buf() })
    }

    /// The finished page.
    pub(crate) fn dist(&self) -> PathBuf {
        self.root.join("dist")
    }

    /// The page is compiled apart: it may have another compiler, and the two would evict each other's work.
    pub(crate) fn wasm_target(&self) -> PathBuf {
        self.target.join("wasm")
    }

    /// The finished program.
    pub(crate) fn luxwire(&self) -> PathBuf {
        self.target.join("release/luxwire")
    }

    /// What measures it.
    pub(crate) fn bench(&self) -> PathBuf {
        self.target.join("release/luxwire-bench")
    }

    /// What callgrind says of each key path.
    pub(crate) fn counts(&self) -> PathBuf {
        self.target.join("xtask-counts")
    }

    pub(crate) fn playwright(&self) -> PathBuf {
        self.root.join("playwright")
    }

    /// The firmware's workspace.
    pub(crate) fn firmware(&self) -> PathBuf {
        self.root.join("devices/firmware")
    }

    /// The firmware's tests, on an emulated board.
    pub(crate) fn emulator(&self) -> PathBuf {
        self.firmware().join("sim")
    }

    /// What is built of the firmware: for another machine, and perhaps by another compiler.
    pub(crate) fn firmware_target(&self) -> PathBuf {
        self.target.join("firmware")
    }

    /// The oldest compiler that may build us, from the manifest's `rust-version`.
    pub(crate) fn oldest_rust(&self) -> Result<Version> {
        let manifest = self.read("Cargo.toml")?;
        manifest
            .lines()
            .find_map(|line| line.strip_prefix("rust-version"))
            .and_then(Version::find)
            .context("Cargo.toml names no rust-version")
    }

    /// The version of a crate that `Cargo.lock` has settled on.
    pub(crate) fn locked_version(&self, package: &str) -> Result<Version> {
        locked_version(&self.read("Cargo.lock")?, package)
            .with_context(|| format!("Cargo.lock has no package {package}"))
    }

    fn read(&self, name: &str) -> Result<String> {
        read(&self.root.join(name))
    }
}

pub(crate) fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn locked_version(lock: &str, package: &str) -> Option<Version> {
    let wanted = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != wanted);
    lines.nth(1)?.strip_prefix("version = ").and_then(Version::find)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "\
[[package]]
name = \"wasm-bindgen-futures\"
version = \"0.4.76\"

[[package]]
name = \"wasm-bindgen\"
version = \"0.2.126\"
source = \"registry\"
";

    #[test]
    fn a_locked_version_is_that_of_the_very_package() {
        assert_eq!(locked_version(LOCK, "wasm-bindgen"), Version::find("0.2.126"));
        assert_eq!(locked_version(LOCK, "wasm-bindgen-futures"), Version::find("0.4.76"));
    }

    #[test]
    fn a_package_that_is_not_locked_has_no_version() {
        assert_eq!(locked_version(LOCK, "wasm"), None);
    }

    #[test]
    fn the_manifest_says_which_compiler_is_old_enough() {
        let project = Project::locate().unwrap();
        assert!(project.oldest_rust().unwrap() >= Version::find("1.85").unwrap());
    }
}

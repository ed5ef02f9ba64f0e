//! The programs that turn the page's Rust into what browsers load: Trunk, wasm-bindgen and wasm-opt. Each is taken from
//! the user's PATH if its version is right, otherwise installed into the cache; which compiler is used is not decided
//! here.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::cache::{Cache, remove};
use crate::npm;
use crate::programs::{Version, cargo, on_path, version_of};
use crate::project::Project;
use crate::steps::{Step, Steps};

/// The last Trunk that the oldest compiler we allow can build.
const TRUNK: &str = "0.21.14";

/// The version matters: Debian's binaryen 108 accepts our file and breaks it.
const BINARYEN: &str = "132";

/// Installs what is missing; the folders are to be put on the PATH of programs that we start.
pub(crate) fn install(project: &Project, steps: &Steps) -> Result<Vec<PathBuf>> {
    let cache = Cache::of_user()?;
    // Crate and program must be of the very same version, or the page does not load.
    let wasm_bindgen = project.locked_version("wasm-bindgen")?.to_string();
    let folders = [
        steps.run(&format!("trunk {TRUNK}"), |step| {
            on_path_or("trunk", TRUNK, || install_crate(step, &cache, "trunk", "trunk", TRUNK))
        })?,
        steps.run(&format!("wasm-bindgen {wasm_bindgen}"), |step| {
            on_path_or("wasm-bindgen", &wasm_bindgen, || {
                install_crate(step, &cache, "wasm-bindgen-cli", "wasm-bindgen", &wasm_bindgen)
            })
        })?,
        steps.run(&format!("wasm-opt {BINARYEN}"), |step| {
            on_path_or("wasm-opt", BINARYEN, || install_binaryen(step, &cache))
        })?,
    ];
    Ok(folders.into_iter().flatten().collect())
}

/// Nothing need be added to the PATH when the right version is there.
fn on_path_or(
    program: &str,
    version: &str,
    install: impl FnOnce() -> Result<PathBuf>,
) -> Result<Option<PathBuf>> {
    let found = on_path(program).and_then(|path| version_of(&path));
    if found.is_some() && found == Version::find(version) {
        return Ok(None);
    }
    install().map(Some)
}

fn install_crate(
    step: &mut Step,
    cache: &Cache,
    package: &str,
    program: &str,
    version: &str,
) -> Result<PathBuf> {
    let name = format!("{program}-{version}");
    let workshop = cache.workshop(&name);
    let folder = cache.install(&name, |folder| {
        step.say("building it, once for this user and version; it takes some minutes");
        let mut command = cargo();
        command.args(["install", "--locked", "--force", package, "--version", version]);
        command.arg("--root").arg(folder).arg("--target-dir").arg(&workshop);
        // Trunk's own features only serve to download what we bring along.
        if package == "trunk" {
            command.arg("--no-default-features");
        }
        // Compiling them is most of a first run, and they are quick enough without the last optimisations.
        command.env("CARGO_PROFILE_RELEASE_LTO", "off");
        command.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
        command.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
        step.command(&mut command)?;
        verify(&folder.join("bin").join(program), version)
    })?;
    remove(&workshop)?;
    Ok(folder.join("bin"))
}

fn install_binaryen(step: &mut Step, cache: &Cache) -> Result<PathBuf> {
    let folder = cache.install(&format!("binaryen-{BINARYEN}"), |folder| {
        npm::install(step, folder, "binaryen", &format!("{BINARYEN}.0.0"))?;
        verify(&folder.join(BINARIES).join("wasm-opt"), BINARYEN)
    })?;
    Ok(folder.join(BINARIES))
}

const BINARIES: &str = "node_modules/.bin";

fn verify(program: &Path, version: &str) -> Result<()> {
    let found = version_of(program)
        .with_context(|| format!("{} was installed but does not run", program.display()))?;
    ensure!(Some(&found) == Version::find(version).as_ref(), "{} is version {found}", program.display());
    Ok(())
}

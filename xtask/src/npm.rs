//! npm packages, exactly as a folder's lock file has them. Which packages those are is written in that folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::programs::on_path;
use crate::project::read;
use crate::steps::Step;

/// Installs what `package-lock.json` says, unless it is there, and hands back `node_modules`.
pub(crate) fn install_locked(step: &mut Step, folder: &Path) -> Result<PathBuf> {
    let lock = read(&folder.join("package-lock.json"))?;
    let modules = folder.join("node_modules");
    // npm removes the whole folder before it begins, so a stamp in it speaks of a complete installation.
    let stamp = modules.join(".luxwire-lock.json");
    if fs::read_to_string(&stamp).is_ok_and(|stamp| stamp == lock) {
        return Ok(modules);
    }
    let mut npm = npm()?;
    npm.arg("ci").args(QUIETLY);
    step.command(npm.current_dir(folder))?;
    fs::write(&stamp, lock).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(modules)
}

/// Installs one package at one version below a folder.
pub(crate) fn install(step: &mut Step, folder: &Path, package: &str, version: &str) -> Result<()> {
    let mut npm = npm()?;
    npm.arg("install").args(QUIETLY).arg("--prefix").arg(folder);
    step.command(npm.arg(format!("{package}@{version}")))
}

const QUIETLY: [&str; 4] = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];

fn npm() -> Result<Command> {
    on_path("npm").context("npm is missing; please install Node.js 20 or later with npm")?;
    Ok(Command::new("npm"))
}

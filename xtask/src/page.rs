//! Builds the page with Trunk, and the program that carries it. Where the tools come from is settled in `tools` and
//! `target`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::budget::{self, Weights};
use crate::cache::lock;
use crate::fingerprint::Fingerprint;
use crate::programs::{cargo, path_with};
use crate::project::Project;
use crate::steps::{Step, Steps};
use crate::target::{self, Compiler};
use crate::tools;

/// Everything that Trunk needs to build the page.
pub(crate) struct Tools {
    compiler: Compiler,
    folders: Vec<PathBuf>,
}

impl Tools {
    /// What compiles the page.
    pub(crate) fn compiler(&self) -> &Compiler {
        &self.compiler
    }

    /// A Trunk that finds the right compiler and tools.
    pub(crate) fn trunk(&self, project: &Project) -> Result<Command> {
        let mut trunk = Command::new("trunk");
        trunk.current_dir(&project.root).env("PATH", path_with(&self.folders)?);
        trunk.env("CARGO_TARGET_DIR", project.wasm_target());
        self.compiler.apply(target::WASM, &mut trunk)?;
        // Trunk refuses what others take: NO_COLOR=1.
        if std::env::var_os("NO_COLOR").is_some() {
            trunk.env("NO_COLOR", "true");
        }
        Ok(trunk)
    }

    /// Whatever of the tools decides what the page turns out to be.
    fn describe(&self, fingerprint: &mut Fingerprint) -> Result<()> {
        fingerprint.add(&self.compiler.version()?);
        self.folders.iter().for_each(|folder| fingerprint.add(&folder.to_string_lossy()));
        Ok(())
    }
}

/// Installs the tools and fetches the crates.
pub(crate) fn tools(project: &Project, steps: &Steps) -> Result<Tools> {
    steps.run("crates", |step| fetch(project, step))?;
    let compiler = target::wasm(project, steps)?;
    let folders = tools::install(project, steps)?;
    Ok(Tools { compiler, folders })
}

/// Leaves the page in `dist/`, as the server wants it.
pub(crate) fn build(project: &Project, steps: &Steps, tools: &Tools) -> Result<Weights> {
    steps.run("page", |step| {
        let _lock = lock(&project.target.join("xtask-page.lock"))?;
        build_unless_done(project, step, tools)?;
        Weights::of(&project.dist())
    })
}

/// Leaves the finished program, page included, where the project says.
pub(crate) fn build_program(project: &Project, steps: &Steps) -> Result<()> {
    let tools = tools(project, steps)?;
    let weights = build(project, steps, &tools)?;
    println!("{}", weights.table());
    program(project, steps)
}

/// Builds the server, which embeds the page that it finds in `dist/`.
pub(crate) fn program(project: &Project, steps: &Steps) -> Result<()> {
    steps.run("luxwire", |step| {
        step.command(cargo().current_dir(&project.root).args(["build", "--release", "--package", "luxwire"]))
    })
}

/// Trunk works offline, lest it downloads tools of its own choice; so the crates must be there before.
fn fetch(project: &Project, step: &mut Step) -> Result<()> {
    let mut fetch = cargo();
    fetch.current_dir(&project.root).arg("fetch");
    if std::env::var_os("CI").is_some() {
        fetch.arg("--locked");
    }
    step.command(&mut fetch)
}

fn build_unless_done(project: &Project, step: &mut Step, tools: &Tools) -> Result<()> {
    let dist = project.dist();
    let stamp = project.target.join("xtask-page.stamp");
    let made_of = ingredients(project, tools)?;
    let current = || Ok::<_, anyhow::Error>(format!("{made_of}\n{}", result(project)?));
    if fs::read_to_string(&stamp).is_ok_and(|stamp| current().is_ok_and(|current| stamp == current)) {
        return Ok(());
    }
    let mut trunk = tools.trunk(project)?;
    step.command(trunk.args(["build", "--release", "--offline", "--dist"]).arg(&dist))?;
    step.say("compressing");
    budget::compress(&dist)?;
    fs::write(&stamp, current()?).with_context(|| format!("cannot write {}", stamp.display()))
}

/// All that the page is made of.
fn ingredients(project: &Project, tools: &Tools) -> Result<String> {
    let mut fingerprint = Fingerprint::default();
    for name in ["frontend", "picture", "shared", "index.html", "Trunk.toml", "Cargo.toml", "Cargo.lock"] {
        fingerprint.add_path(&project.root, name)?;
    }
    fingerprint.add_path(&project.root, "xtask/src/budget.rs")?;
    tools.describe(&mut fingerprint)?;
    Ok(fingerprint.finish())
}

/// The finished page. `trunk serve` leaves a page of another kind in the same place, which must not pass for ours.
fn result(project: &Project) -> Result<String> {
    let mut fingerprint = Fingerprint::default();
    fingerprint.add_path(&project.root, "dist")?;
    Ok(fingerprint.finish())
}

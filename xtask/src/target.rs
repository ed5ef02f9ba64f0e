//! Compilers for machines other than this one: the browser (wasm32), and the bare microcontroller of our boards. rustup is asked first; where it cannot help, Debian's compiler is
//! prepared by `debian_rust`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::apt::Apt;
use crate::cache::Cache;
use crate::debian_rust::DebianRust;
use crate::programs::{Version, on_path, output, run_within};
use crate::project::Project;
use crate::steps::{Step, Steps};

/// A target and as much of the standard library as its programs want.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub(crate) triple: &'static str,
    pub(crate) libraries: &'static str,
}

/// What browsers run.
pub(crate) const WASM: Target =
    Target { triple: "wasm32-unknown-unknown", libraries: "std,panic_abort,proc_macro" };

/// The RP2040's processor. It has no operating system and hence no `std`, and no compare-and-swap: what compiles for it
/// compiles for any microcontroller.
pub(crate) const BARE_METAL: Target = Target { triple: "thumbv6m-none-eabi", libraries: "core,alloc" };

/// A compiler that can compile for a target.
pub(crate) enum Compiler {
    /// The one that cargo uses anyway.
    Ordinary,
    /// Debian's, with rustup's linker.
    Debian(DebianRust),
}

impl Compiler {
    /// Makes a cargo, or a program that starts one, compile for the target with this compiler.
    pub(crate) fn apply(&self, target: Target, command: &mut Command) -> Result<()> {
        match self {
            Self::Ordinary => {}
            Self::Debian(rust) => {
                let name = target.triple.to_uppercase().replace('-', "_");
                command.env("RUSTC", rust.rustc());
                command.env(format!("CARGO_TARGET_{name}_LINKER"), linker()?);
            }
        }
        Ok(())
    }

    /// Clippy comes with rustup's compiler, and knows only the targets of that one.
    pub(crate) fn has_clippy(&self) -> bool {
        matches!(self, Self::Ordinary)
    }

    /// What tells this compiler from another: what it says of itself.
    pub(crate) fn version(&self) -> Result<String> {
        match self {
            Self::Ordinary => output(Command::new("rustc").arg("-vV")),
            Self::Debian(rust) => output(Command::new(rust.rustc()).arg("-vV")),
        }
    }
}

/// The compiler of the page.
pub(crate) fn wasm(project: &Project, steps: &Steps) -> Result<Compiler> {
    steps.run("Rust for wasm32", |step| compiler(project, step, WASM))
}

/// The compiler of the firmware.
pub(crate) fn bare_metal(project: &Project, steps: &Steps) -> Result<Compiler> {
    steps.run("Rust for bare metal", |step| compiler(project, step, BARE_METAL))
}

fn compiler(project: &Project, step: &mut Step, target: Target) -> Result<Compiler> {
    let cache = Cache::of_user()?;
    let oldest = project.oldest_rust()?;
    let choice = Choice::of_user()?;
    if choice != Choice::Debian && ordinary_has(target)? {
        return Ok(Compiler::Ordinary);
    }
    if choice != Choice::Rustup
        && let Some(rust) = DebianRust::find(&cache, &oldest)
    {
        // It is there because rustup could not help before: do not wait for rustup's failure in every run.
        return rust.with(step, &cache, target).map(Compiler::Debian);
    }
    if choice == Choice::Debian {
        return unpack_debian(step, &cache, &oldest, target);
    }
    let Err(error) = add_with_rustup(step, target) else {
        return Ok(Compiler::Ordinary);
    };
    if choice == Choice::Rustup {
        return Err(error.context("LUXWIRE_WASM_TOOLCHAIN=rustup rules out any other compiler"));
    }
    step.say(format!("{error:#}; preparing Debian's compiler instead"));
    unpack_debian(step, &cache, &oldest, target)
}

/// Who may compile for other machines than this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Auto,
    Rustup,
    Debian,
}

impl Choice {
    fn of_user() -> Result<Self> {
        Self::parse(&std::env::var("LUXWIRE_WASM_TOOLCHAIN").unwrap_or_default())
    }

    fn parse(text: &str) -> Result<Self> {
        match text {
            "" | "auto" => Ok(Self::Auto),
            "rustup" => Ok(Self::Rustup),
            "debian" => Ok(Self::Debian),
            other => bail!("LUXWIRE_WASM_TOOLCHAIN is `{other}`; it may be rustup, debian or auto"),
        }
    }
}

/// Whether the compiler that cargo uses anyway has the target, whoever installed it.
fn ordinary_has(target: Target) -> Result<bool> {
    let mut rustc = Command::new("rustc");
    let folder = output(rustc.args(["--print", "target-libdir", "--target", target.triple]))?;
    Ok(has_core(Path::new(folder.trim())))
}

pub(crate) fn has_core(folder: &Path) -> bool {
    let mut files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.any(|file| file.file_name().to_string_lossy().starts_with("libcore-"))
}

fn add_with_rustup(step: &mut Step, target: Target) -> Result<()> {
    ensure!(on_path("rustup").is_some(), "there is no rustup to fetch {} with", target.triple);
    step.say(format!("rustup target add {}", target.triple));
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", target.triple]);
    step.redirect(&mut rustup)?;
    run_within(RUSTUP_MAY_TAKE, &mut rustup)
}

/// Long enough for 25 MB over a slow line, short enough to wait for in vain, once.
const RUSTUP_MAY_TAKE: Duration = Duration::from_secs(180);

fn unpack_debian(step: &mut Step, cache: &Cache, oldest: &Version, target: Target) -> Result<Compiler> {
    let apt = Apt::of_this_machine().with_context(|| {
        format!(
            "Debian's compiler needs Debian. Please install a Rust compiler that has the target {}",
            target.triple
        )
    })?;
    // Told now rather than after minutes of building.
    linker()?;
    let rust = DebianRust::unpack(step, cache, &apt, oldest)?;
    rust.with(step, cache, target).map(Compiler::Debian)
}

/// Debian's compiler packages bring no linker for these targets. rustup's does, for any compiler.
fn linker() -> Result<PathBuf> {
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let about = output(Command::new("rustc").arg("-vV"))?;
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    let of_rustup = Path::new(sysroot.trim()).join("lib/rustlib").join(host).join("bin/rust-lld");
    let found = Some(of_rustup).filter(|path| path.is_file()).or_else(|| on_path("rust-lld"));
    found.context("rust-lld is missing: it is part of every Rust compiler that rustup installs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_of_compiler_is_one_of_three() {
        assert_eq!(Choice::parse("").unwrap(), Choice::Auto);
        assert_eq!(Choice::parse("auto").unwrap(), Choice::Auto);
        assert_eq!(Choice::parse("debian").unwrap(), Choice::Debian);
        assert_eq!(Choice::parse("rustup").unwrap(), Choice::Rustup);
        assert!(Choice::parse("Debian").unwrap_err().to_string().contains("`Debian`"));
    }

    #[test]
    fn only_a_folder_with_the_core_library_counts_as_a_target() {
        let mut rustc = Command::new("rustc");
        let host = output(rustc.args(["--print", "target-libdir"])).unwrap();
        assert!(has_core(Path::new(host.trim())));
        assert!(!has_core(Path::new("/nowhere")));
        assert!(!has_core(Path::new(env!("CARGO_MANIFEST_DIR"))));
    }
}

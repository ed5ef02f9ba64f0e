//! Debian's Rust compiler, unpacked into the cache and given the standard library of another target, for machines where
//! rustup cannot fetch a target. Debian builds `rustc-web` for its browsers, so it is recent, and its sources are
//! packaged with it. Nothing is installed on the machine itself: the packages would conflict with Debian's own rustup.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::apt::{Apt, Package, UNPACKED};
use crate::cache::{Cache, remove};
use crate::programs::{Version, cargo, output};
use crate::steps::Step;
use crate::target::{Target, has_core};

/// A compiler in the cache.
pub(crate) struct DebianRust {
    root: PathBuf,
}

impl DebianRust {
    /// The newest that is in the cache, if it is new enough.
    pub(crate) fn find(cache: &Cache, oldest: &Version) -> Option<Self> {
        let folders = cache.find_all(NAME).into_iter();
        let versioned = folders.filter_map(|root| {
            let name = root.file_name()?.to_str()?.strip_prefix(NAME)?.to_owned();
            Some((Version::find(&name)?, root))
        });
        let (version, root) = versioned.max()?;
        (version >= *oldest).then_some(Self { root })
    }

    /// Unpacks the packages that apt offers.
    pub(crate) fn unpack(step: &mut Step, cache: &Cache, apt: &Apt, oldest: &Version) -> Result<Self> {
        let root = apt.with_fresh_lists(step, |step| {
            let packages = packages(apt, oldest)?;
            let build = &packages.first().context("a compiler consists of packages")?.version;
            cache.install(&format!("{NAME}{build}"), |root| {
                apt.unpack(step, &packages, root, &["rustc"])?;
                let said = output(Command::new(root.join("rustc")).arg("--version"))?;
                let version = Version::find(&said).context("the unpacked compiler tells no version")?;
                ensure!(
                    version >= *oldest,
                    "the unpacked compiler is version {version}, older than {oldest}"
                );
                Ok(())
            })
        })?;
        Ok(Self { root })
    }

    /// Gives it the libraries of a target, if they are missing.
    pub(crate) fn with(self, step: &mut Step, cache: &Cache, target: Target) -> Result<Self> {
        if !self.has(target) {
            let _lock = cache.lock(NAME)?;
            // Whoever held the lock before may have built them.
            if !self.has(target) {
                self.build_libraries(step, target)?;
            }
        }
        Ok(self)
    }

    /// A script that runs the compiler with its own shared libraries.
    pub(crate) fn rustc(&self) -> PathBuf {
        self.root.join("rustc")
    }

    fn has(&self, target: Target) -> bool {
        has_core(&self.libraries(target))
    }

    /// Lets cargo build the standard library for an empty crate, and puts the result where the compiler looks for it.
    fn build_libraries(&self, step: &mut Step, target: Target) -> Result<()> {
        step.say(format!("building {} for {}, once", target.libraries, target.triple));
        let workshop = self.root.join("workshop");
        remove(&workshop)?;
        fs::create_dir_all(workshop.join("src"))?;
        fs::write(workshop.join("src/lib.rs"), "#![no_std]\n")?;
        fs::write(workshop.join("Cargo.toml"), EMPTY_CRATE)?;
        let mut build = cargo();
        build.current_dir(&workshop).args(["build", "--release", "--target", target.triple]);
        build.arg(format!("-Zbuild-std={}", target.libraries)).arg("--target-dir").arg("target");
        build.env("RUSTC", self.rustc());
        // The standard library's own sources use features that only its compiler's makers may use.
        build.env("RUSTC_BOOTSTRAP", "1");
        // The page's link-time optimisation needs the libraries' bitcode, which cargo by itself would leave out.
        build.env("RUSTFLAGS", "-Cembed-bitcode=yes");
        step.command(&mut build)?;

        let unfinished = workshop.join("lib");
        fs::create_dir(&unfinished)?;
        for entry in fs::read_dir(workshop.join("target").join(target.triple).join("release/deps"))? {
            let file = entry?.path();
            let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let is_library = name.ends_with(".rlib") || name.ends_with(".rmeta");
            if is_library && !name.starts_with("libempty-") {
                fs::rename(&file, unfinished.join(name))?;
            }
        }
        ensure!(has_core(&unfinished), "cargo built no core library for {}", target.triple);
        let libraries = self.libraries(target);
        remove(&libraries)?;
        fs::create_dir_all(libraries.parent().unwrap_or(&self.root))?;
        fs::rename(&unfinished, &libraries)?;
        remove(&workshop)
    }

    fn libraries(&self, target: Target) -> PathBuf {
        self.root.join(UNPACKED).join("usr/lib/rustlib").join(target.triple).join("lib")
    }
}

const NAME: &str = "rustc-web-";

const EMPTY_CRATE: &str = "\
[package]
name = \"empty\"
version = \"0.0.0\"
edition = \"2021\"
[workspace]
";

/// The packages that make up a compiler with its sources, which must all be of one build, with LLVM, and with those
/// libraries on which it depends that this machine lacks.
fn packages(apt: &Apt, oldest: &Version) -> Result<Vec<Package>> {
    let compiler = apt.show("rustc-web")?;
    let build = compiler.field("Version")?;
    let version = Version::find(build).context("rustc-web has no version number")?;
    ensure!(version >= *oldest, "apt offers rustc-web {version}, older than {oldest}");
    let runtime = format!("libstd-rust-web-{}", version.beginning(2));
    // LLVM even if it is installed: whoever installed it may remove it.
    let llvm = llvm_of(apt.show(&runtime)?.field("Depends")?)
        .with_context(|| format!("{runtime} depends on no LLVM"))?;

    let of_build = |name: &str| Package { name: name.to_owned(), version: build.to_owned() };
    let mut packages = vec![
        of_build("rustc-web"),
        of_build(&runtime),
        of_build("libstd-rust-web-dev"),
        of_build("rust-web-src"),
        apt.newest(&llvm)?,
    ];
    apt.add_missing(&mut packages, &[&runtime])?;
    Ok(packages)
}

fn llvm_of(dependencies: &str) -> Option<String> {
    let names = dependencies.split(',').filter_map(|dependency| dependency.split_whitespace().next());
    names.filter(|name| name.starts_with("libllvm")).map(str::to_owned).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compilers_llvm_is_among_its_dependencies() {
        let dependencies = "libc6 (>= 2.34), libgcc-s1 (>= 4.2), libllvm22, libstdc++6 (>= 11)";
        assert_eq!(llvm_of(dependencies).as_deref(), Some("libllvm22"));
        assert_eq!(llvm_of("libllvm22 (>= 1:22.1)").as_deref(), Some("libllvm22"));
        assert_eq!(llvm_of("libc6"), None);
    }
}

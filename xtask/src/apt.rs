//! Debian's packages: installed where we may, otherwise only unpacked into a folder. It knows apt's ways and no
//! particular package.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use anyhow::{Context, Result, bail, ensure};

use crate::programs::{on_path, output};
use crate::steps::Step;

/// apt-get on this machine. There is none on other systems than Debian's kin.
pub(crate) struct Apt {
    /// How to become root, if we are not and may.
    privilege: Privilege,
}

/// A package at one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// What `apt-cache show` prints of a package.
pub(crate) struct Record(String);

impl Record {
    pub(crate) fn field(&self, name: &str) -> Result<&str> {
        let value = self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        value.with_context(|| format!("apt tells no {name} of the package: {}", self.0))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Privilege {
    Root,
    Sudo,
    None,
}

impl Apt {
    pub(crate) fn of_this_machine() -> Option<Self> {
        on_path("apt-get")?;
        on_path("dpkg-deb")?;
        let is_root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
        let may_sudo = || output(Command::new("sudo").args(["-n", "true"])).is_ok();
        let privilege = match is_root {
            true => Privilege::Root,
            false if may_sudo() => Privilege::Sudo,
            false => Privilege::None,
        };
        Some(Self { privilege })
    }

    /// Installs packages for the whole machine.
    pub(crate) fn install(&self, step: &mut Step, packages: &[&str]) -> Result<()> {
        if self.privilege == Privilege::None {
            bail!("only root may install packages here; please run: apt-get install {}", packages.join(" "));
        }
        self.with_fresh_lists(step, |step| {
            let mut command = self.as_root();
            command.args(["install", "-y", "--no-install-recommends"]).args(packages);
            step.command(&mut command)
        })
    }

    /// Unpacks packages into a folder, and puts scripts there that run some of their programs. Nothing is installed,
    /// none of the packages' own scripts run, no service starts.
    pub(crate) fn unpack(
        &self,
        step: &mut Step,
        packages: &[Package],
        folder: &Path,
        programs: &[&str],
    ) -> Result<()> {
        let archives = folder.join("archives");
        fs::create_dir(&archives)?;
        let wanted = packages.iter().map(|Package { name, version }| format!("{name}={version}"));
        let mut download = apt_get();
        step.command(download.arg("download").args(wanted).current_dir(&archives))?;
        for entry in fs::read_dir(&archives)? {
            let archive = entry?.path();
            let mut extract = Command::new("dpkg-deb");
            step.command(extract.arg("--extract").arg(&archive).arg(folder.join(UNPACKED)))?;
        }
        fs::remove_dir_all(&archives).context("cannot remove the archives that were unpacked")?;
        for program in programs {
            let script = folder.join(program);
            fs::write(&script, SCRIPT.replace("PROGRAM", program))?;
            fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
        }
        Ok(())
    }

    /// Adds what `wanted` depend on and this machine lacks.
    pub(crate) fn add_missing(&self, packages: &mut Vec<Package>, wanted: &[&str]) -> Result<()> {
        let mut command = apt_get();
        command.args(["install", "--simulate", "--no-install-recommends"]).args(wanted);
        for missing in to_be_installed(&output(&mut command)?) {
            if packages.iter().all(|package| package.name != missing.name) {
                packages.push(missing);
            }
        }
        Ok(())
    }

    /// A package at the newest version that is offered.
    pub(crate) fn newest(&self, name: &str) -> Result<Package> {
        Ok(Package { name: name.to_owned(), version: self.show(name)?.field("Version")?.to_owned() })
    }

    /// What apt knows of the newest version of a package.
    pub(crate) fn show(&self, package: &str) -> Result<Record> {
        output(Command::new("apt-cache").args(["show", "--no-all-versions", package])).map(Record)
    }

    /// Lists may be missing, as in a fresh container, or name versions that are no longer offered. So what fails is
    /// tried again with fresh ones, which are fetched once in a run.
    pub(crate) fn with_fresh_lists<T>(
        &self,
        step: &mut Step,
        mut attempt: impl FnMut(&mut Step) -> Result<T>,
    ) -> Result<T> {
        let reason = match attempt(step) {
            Ok(result) => return Ok(result),
            Err(error) => error,
        };
        ensure!(
            self.privilege != Privilege::None,
            "{reason:#}\nPerhaps apt's lists are out of date; please run, as root: apt-get update"
        );
        {
            let mut fresh = LISTS_ARE_FRESH.lock().expect("no step panics while it updates the lists");
            if !*fresh {
                step.say("apt's lists do not do, fetching fresh ones");
                step.command(self.as_root().arg("update"))?;
                *fresh = true;
            }
        }
        attempt(step)
    }

    fn as_root(&self) -> Command {
        if self.privilege == Privilege::Root {
            return apt_get();
        }
        let mut command = Command::new("sudo");
        command.args(["-n", "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(OPTIONS);
        command
    }
}

/// Where in its folder `unpack` puts what the packages have below `/`.
pub(crate) const UNPACKED: &str = "root";

/// The unpacked libraries come before the machine's own, which may be of another version or missing. `exec`, so that a
/// signal reaches the program.
const SCRIPT: &str = r#"#!/bin/sh
# Runs an unpacked program with the libraries that were unpacked with it.
root=$(dirname "$(readlink -f "$0")")/root
for folder in "$root"/lib/*-linux-gnu* "$root"/usr/lib/*-linux-gnu*; do
    LD_LIBRARY_PATH="$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
done
export LD_LIBRARY_PATH
for folder in bin sbin; do
    test -x "$root/usr/$folder/PROGRAM" && exec "$root/usr/$folder/PROGRAM" "$@"
done
echo "PROGRAM is not among the unpacked packages" >&2
exit 127
"#;

/// Whether this run has fetched apt's lists. Steps that run beside each other wait here while one of them does.
static LISTS_ARE_FRESH: Mutex<bool> = Mutex::new(false);

const OPTIONS: &[&str] =
    &["--quiet", "-o=Acquire::Retries=3", "-o=APT::Sandbox::User=root", "-o=DPkg::Lock::Timeout=300"];

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").args(OPTIONS);
    command
}

/// Reads lines such as `Inst mosquitto (2.0.11-1.2 Debian:12.10/stable [amd64])`. A package that would be upgraded has
/// its present version in brackets before the new one.
fn to_be_installed(simulation: &str) -> Vec<Package> {
    let lines = simulation.lines().filter_map(|line| line.strip_prefix("Inst "));
    let packages = lines.filter_map(|line| {
        let name = line.split_whitespace().next()?;
        let version = line.split_once('(')?.1.split_whitespace().next()?;
        Some(Package { name: name.to_owned(), version: version.to_owned() })
    });
    packages.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulated_installation_tells_packages_and_versions() {
        let simulation = "\
Reading package lists...
Inst libmosquitto1 (2.0.11-1.2+deb12u2 Debian:12.12/oldstable [amd64])
Inst libssl3 [3.0.15-1] (3.0.17-1 Debian-Security:12/oldstable-security [amd64]) []
Conf libmosquitto1 (2.0.11-1.2+deb12u2 Debian:12.12/oldstable [amd64])
";
        let package =
            |name: &str, version: &str| Package { name: name.to_owned(), version: version.to_owned() };
        let expected = [package("libmosquitto1", "2.0.11-1.2+deb12u2"), package("libssl3", "3.0.17-1")];
        assert_eq!(to_be_installed(simulation), expected);
    }

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let record = "Package: rustc-web\nVersion: 1.96.0\nInstalled-Size: 3\nDepends: libc6\n";
        let record = Record(record.to_owned());
        assert_eq!(record.field("Version").unwrap(), "1.96.0");
        assert!(record.field("Size").is_err());
    }
}

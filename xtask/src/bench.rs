//! `cargo xtask bench`: a measurement, of a server built as it is released. What there is to measure and how is between
//! `luxwire-bench` and the user.

use std::fs;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

use crate::foreign;
use crate::page;
use crate::programs::cargo;
use crate::project::Project;
use crate::rivals;
use crate::steps::Steps;

pub(crate) fn run(project: &Project, steps: &Steps, arguments: &[String]) -> Result<ExitCode> {
    let mut arguments = arguments.to_vec();
    arguments.splice(0..0, measurement(&arguments).map(str::to_owned));
    let mut bench = Command::new(project.bench());
    match arguments.first().map(String::as_str) {
        Some(BROKERS) => rivals::install(project, steps, &mut arguments, &mut bench)?,
        Some(PAGE) => in_a_browser(project, steps, &mut bench)?,
        Some(_) | None => {}
    }
    build(project, steps, &arguments)?;
    println!();
    let status = bench.args(arguments).env("LUXWIRE_BIN", project.luxwire()).status();
    let status = status.context("cannot run luxwire-bench")?;
    // Ended by a signal, most likely Ctrl-C.
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}

/// The measurement that needs other people's programs.
const BROKERS: &str = "brokers";

/// The measurement that needs the page itself, and a browser.
const PAGE: &str = "page";

/// Leaves the page where the server's build takes it from, and says which browser is to show it.
fn in_a_browser(project: &Project, steps: &Steps, bench: &mut Command) -> Result<()> {
    let browser = foreign::install_browser(project, steps);
    ensure!(browser.has_browser_alone(), "the browser or what drives it could not be installed");
    let tools = page::tools(project, steps)?;
    page::build(project, steps, &tools)?;
    browser.apply_browser(bench);
    Ok(())
}

/// Who names no measurement wants brokers compared.
fn measurement(arguments: &[String]) -> Option<&'static str> {
    let named = arguments.first().is_some_and(|first| !first.starts_with('-') || first == "--help");
    (!named).then_some(BROKERS)
}

/// The server with whatever page there is, and what measures it. Who brings builds of the
/// server along needs no other.
fn build(project: &Project, steps: &Steps, arguments: &[String]) -> Result<()> {
    let brought = arguments.iter().any(|word| word == "--ours" || word.starts_with("--ours="));
    let packages: &[&str] = if brought { &["luxwire-bench"] } else { &["luxwire", "luxwire-bench"] };
    steps.run(&packages.join(" and "), |step| {
        // The server's build watches this folder, and would begin again each time if there were none.
        fs::create_dir_all(project.dist()).context("cannot create the page's folder")?;
        let mut build = cargo();
        build.current_dir(&project.root).args(["build", "--release"]);
        step.command(build.args(packages.iter().flat_map(|package| ["--package", package])))
    })
}

#[cfg(test)]
mod tests {
    use super::{BROKERS, measurement};

    #[test]
    fn without_a_name_brokers_are_compared() {
        let measured =
            |words: &[&str]| measurement(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(measured(&[]), Some(BROKERS));
        assert_eq!(measured(&["--quick"]), Some(BROKERS));
        assert_eq!(measured(&["why-mqtt", "--quick"]), None);
        assert_eq!(measured(&["page"]), None);
        assert_eq!(measured(&["--help"]), None);
    }
}

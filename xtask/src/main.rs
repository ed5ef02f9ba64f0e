//! `cargo xtask …`: installs what is missing, builds, runs and tests Luxwire. All set-up logic of the project is here.
//! This file only reads the command line; each command has a file of its own, and none of them is needed by the
//! finished `luxwire` program.

mod apt;
mod baseline;
mod bench;
mod budget;
mod cache;
mod callgrind;
mod children;
mod conformance;
mod counts;
mod debian_rust;
mod dev;
mod fingerprint;
mod firmware;
mod foreign;
mod foreign_tests;
mod npm;
mod page;
mod paho_c;
mod programs;
mod project;
mod rivals;
mod serve;
mod steps;
mod tail;
mod target;
mod test;
mod tools;

use std::process::ExitCode;

use anyhow::Result;

use project::Project;
use steps::Steps;
use test::Extent;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<ExitCode> {
    let Some((command, rest)) = arguments.split_first() else {
        eprint!("{USAGE}");
        return Ok(ExitCode::from(2));
    };
    let extent = match rest {
        [] => Some(Extent::Everything),
        [flag] if flag == "--quick" => Some(Extent::Quick),
        _ => None,
    };
    if matches!(command.as_str(), "help" | "--help" | "-h") {
        print!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    }

    let project = Project::locate()?;
    let steps = Steps::new(&project)?;
    match (command.as_str(), extent) {
        ("serve", _) => serve::run(&project, steps, rest),
        ("dev", _) => dev::run(&project, steps, rest),
        ("counts", _) => counts::run(&project, &steps, rest),
        ("bench", _) => bench::run(&project, &steps, rest),
        ("test", Some(extent)) => test::run(&project, &steps, extent),
        ("build", Some(Extent::Everything)) => steps.conclude(page::build_program(&project, &steps)),
        ("conformance", Some(Extent::Everything)) => {
            let written = steps.run("conformance", |step| conformance::write(&project, step));
            steps.conclude(written)
        }
        ("setup", Some(Extent::Everything)) => steps.conclude(set_up(&project, &steps)),
        _ => {
            eprint!("xtask does not know `{}`.\n\n{USAGE}", arguments.join(" "));
            Ok(ExitCode::from(2))
        }
    }
}

/// Installs what the other commands would install when they need it.
fn set_up(project: &Project, steps: &Steps) -> Result<()> {
    page::tools(project, steps)?;
    target::bare_metal(project, steps)?;
    foreign::install(project, steps)?;
    steps.run("valgrind", counts::valgrind)?;
    Ok(())
}

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  serve [ARGS…]    install what is missing, build, and run `luxwire serve ARGS…`; with --demo in a house of devices
  test [--quick]   everything that must pass; --quick leaves out the browser and the slow parts
  dev [ARGS…]      the page with live reload on http://127.0.0.1:8090/, beside `luxwire serve ARGS…`
  bench [NAME]     compare brokers, or another measurement of luxwire-bench: why-mqtt, page; `cargo xtask bench brokers --help`
  counts [PATH]    instructions and allocations of the broker's key paths, beside the accepted ones; of one path, where
                   it spends them; --accept accepts what is counted
  build            the finished program, page included: target/release/luxwire
  conformance      writes docs/conformance.md from the list of statements and the tags in code and tests
  setup            install everything that the commands above need, and nothing more

Environment:
  LUXWIRE_CACHE                 where tools are kept (otherwise the user's cache directory, luxwire/)
  LUXWIRE_WASM_TOOLCHAIN        rustup, debian or auto (the default): who compiles page and firmware
  LUXWIRE_CHROMIUM              a Chromium for the browser tests
";

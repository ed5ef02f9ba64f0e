//! The `luxwire` program: the broker's edge, the page, and the command line around them.
//!
//! This file turns the outcome into an exit code and one line on standard error; it decides nothing else.

mod app;
mod auth;
mod cli;
mod clock;
mod config;
mod demo;
mod descriptors;
mod device;
mod heap;
mod http;
mod hue;
mod limits;
mod listen;
mod log;
mod record;
mod shard;
mod storage;

use clap::{CommandFactory as _, Parser as _};
use cli::{Cli, Command};
use config::{ConfigError, Layers};
use luxwire_devices::{Usage, pub_sub};
use std::{env, future::Future, process::ExitCode};

/// The command line is wrong.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return explain(&error),
    };
    let outcome = match cli.command {
        Command::Serve(serve) => app::serve(&serve),
        Command::CheckConfig(check) => check_config(&check),
        Command::Passwd(passwd) => auth::passwd(&passwd),
        Command::Pub(arguments) => return with_code("pub", pub_sub::publish(arguments)),
        Command::Sub(arguments) => return with_code("sub", pub_sub::subscribe(arguments)),
        Command::Dimmer(args) => device::run("dimmer", luxwire_devices::dimmer::run(*args)),
        Command::Lamp(args) => device::run("lamp", luxwire_devices::lamp::run(*args)),
        Command::Firmware(args) => luxwire_devices::firmware::run(args),
        Command::HueSim(args) => device::run("hue-sim", luxwire_devices::hue_sim::run(args)),
        Command::Hue(args) => device::run("hue", luxwire_devices::hue::run(*args)),
        Command::Record(args) => device::run("record", luxwire_devices::recorder::run(*args)),
        Command::History(args) => device::run("history", luxwire_devices::recorder::history::run(*args)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("luxwire: {error:#}");
            match error.downcast_ref::<ConfigError>() {
                Some(ConfigError::Usage(_)) => ExitCode::from(EXIT_USAGE),
                None if error.is::<Usage>() => ExitCode::from(EXIT_USAGE),
                Some(ConfigError::Settings(_)) | None => ExitCode::FAILURE,
            }
        }
    }
}

/// Runs a client that knows its exit code, having said why.
fn with_code(name: &'static str, client: impl Future<Output = u8>) -> ExitCode {
    let mut code = 1;
    let outcome = device::run(name, async {
        code = client.await;
        Ok(())
    });
    if let Err(error) = outcome {
        eprintln!("luxwire: {error:#}");
    }
    ExitCode::from(code)
}

fn check_config(check: &cli::CheckConfig) -> anyhow::Result<()> {
    let config = Layers::gather(&check.settings)?.finish()?;
    auth::Files::read(&config.auth)?;
    let mut printed = toml::to_string(&config)?;
    let unset = [
        (config.auth.passwords.is_none(), "# passwords is not set: nobody can sign in\n"),
        (config.auth.acl.is_none(), "# acl is not set: whoever is let in may do everything\n"),
    ];
    for (is_unset, comment) in unset {
        if let (true, Some(at)) = (is_unset, printed.find("\n[storage]")) {
            printed.insert_str(at, comment);
        }
    }
    print!("{printed}");
    if config.storage.dir.is_none() {
        // The last section, where a setting without a value would stand.
        println!("# dir is not set: nothing is written to disk");
    }
    Ok(())
}

/// Help and the version go to standard output as they are; a mistake becomes one line.
fn explain(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // Nothing is left to say when the reader of the help has gone.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
        return ExitCode::from(EXIT_USAGE);
    }
    let text = error.to_string();
    let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("For more information"));
    let sentence = lines.map(|line| line.trim_start_matches("error: ")).collect::<Vec<_>>().join("; ");
    // A list follows its colon.
    let sentence = sentence.replace(":;", ":");
    // The subcommand that was meant, or the one that most people start with.
    let named = env::args().nth(1).filter(|name| Cli::command().find_subcommand(name).is_some());
    let command = named.as_deref().unwrap_or("serve");
    eprintln!("luxwire: {sentence}; `luxwire --help` and `luxwire {command} --help` say what there is");
    ExitCode::from(EXIT_USAGE)
}

//! `luxwire pub` and `luxwire sub`: publish and follow from a shell, with the flags, the output and the exit codes of
//! mosquitto_pub and mosquitto_sub, over TCP and WebSocket.
//!
//! `docs/pub-sub.md` says where they differ on purpose. They do not read Mosquitto's configuration files.

mod debug;
mod flags;
mod input;
mod output;
mod publish;
mod session;
mod subscribe;
mod template;
mod words;

use flags::{Flags, Mistake, Program, Wish};
use std::{
    ffi::OsString,
    io::{self, Write as _},
};

/// Everything went well.
const SUCCESS: u8 = 0;

/// Something failed that has no number of its own; a wrong command line, too, since scripts know it so.
const FAILURE: u8 = 1;

/// What stands behind `luxwire pub` or `luxwire sub`, left as it is: these flags have a grammar of their own.
#[derive(Clone, Debug, clap::Args)]
#[command(disable_help_flag = true, disable_version_flag = true)]
pub struct Arguments {
    /// Flags as those of mosquitto_pub and mosquitto_sub; --help lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "FLAGS")]
    pub arguments: Vec<OsString>,
}

/// Runs `luxwire pub` with the flags behind it, and gives its exit code.
pub async fn publish(arguments: Arguments) -> u8 {
    match parsed(Program::Publish, arguments) {
        Ok(flags) => publish::run(*flags).await,
        Err(code) => code,
    }
}

/// Runs `luxwire sub` with the flags behind it, and gives its exit code.
pub async fn subscribe(arguments: Arguments) -> u8 {
    match parsed(Program::Subscribe, arguments) {
        Ok(flags) => subscribe::run(*flags).await,
        Err(code) => code,
    }
}

fn parsed(program: Program, arguments: Arguments) -> Result<Box<Flags>, u8> {
    match Flags::parse(program, arguments.arguments) {
        Ok(Wish::Run(flags)) => Ok(flags),
        Ok(Wish::Help) => {
            show(help(program));
            Err(SUCCESS)
        }
        Ok(Wish::Version) => {
            show(&format!("luxwire {} version {}\n", program.name(), env!("CARGO_PKG_VERSION")));
            Err(SUCCESS)
        }
        Err(mistake) => {
            eprintln!("{mistake}");
            match mistake {
                Mistake::Said(_) | Mistake::InProperties(_) => {
                    eprintln!("\nUse 'luxwire {} --help' to see usage.", program.name())
                }
                Mistake::NothingToDo(_) => show(help(program)),
            }
            Err(FAILURE)
        }
    }
}

const fn help(program: Program) -> &'static str {
    match program {
        Program::Publish => include_str!("help_pub.txt"),
        Program::Subscribe => include_str!("help_sub.txt"),
    }
}

/// Nothing is left to say when the reader has gone.
fn show(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

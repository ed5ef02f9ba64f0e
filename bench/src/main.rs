//! Measurements of Luxwire, beside what else could be used. Each is a sub-command with a module of its own; what they
//! share (a network of their own, programs, statistics) lies beside this file.
//!
//! It knows the server only as everybody does, over the network, and shares no code with it but the packets' bytes.

mod brokers;
mod document;
mod environment;
mod network;
mod page;
mod program;
mod statistics;
mod why;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Measure Luxwire, beside what else could be used
#[derive(Debug, Parser)]
#[command(name = "luxwire-bench", disable_help_subcommand = true, arg_required_else_help = true)]
#[command(max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    measurement: Measurement,
}

#[derive(Debug, Subcommand)]
enum Measurement {
    Brokers(brokers::Args),
    /// The limit that `brokers` compares with; it starts it itself
    #[command(hide = true)]
    Relay,
    /// Who measures latency for `brokers`; it starts it itself
    #[command(hide = true)]
    Prober(brokers::Prober),
    WhyMqtt(why::Args),
    Page(page::Args),
    /// What `why-mqtt` compares MQTT with; it starts them itself
    #[command(subcommand, hide = true)]
    Rival(why::Rival),
}

fn main() -> ExitCode {
    let result = match Cli::parse().measurement {
        Measurement::Brokers(args) => brokers::run(&args),
        Measurement::Relay => brokers::relay(),
        Measurement::Prober(prober) => prober.run(),
        Measurement::WhyMqtt(args) => why::run(&args),
        Measurement::Page(args) => page::run(&args),
        Measurement::Rival(rival) => why::serve(rival),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("luxwire-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

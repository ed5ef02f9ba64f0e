//! The command line: what `luxwire` can be told to do, and the help that explains it.
//!
//! Flags only carry text here; what the text means is decided where the configuration is put together.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// MQTT broker and light controller in one program.
#[derive(Debug, Parser)]
#[command(name = "luxwire", version, disable_help_subcommand = true, arg_required_else_help = true)]
#[command(max_term_width = 100)]
#[command(after_help = "Try `luxwire serve`, then open http://127.0.0.1:8080 in a browser.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the broker and serve the page until SIGTERM or Ctrl-C
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(Serve),
    /// Check the configuration, print it with everything filled in, and start nothing
    #[command(name = "check-config", after_help = CONFIGURATION)]
    CheckConfig(CheckConfig),
    /// Give a user a password in a file for auth.passwords, or another one
    #[command(after_help = PASSWD_EXAMPLES)]
    Passwd(Passwd),
    Dimmer(Box<luxwire_devices::dimmer::Args>),
    /// Be a lamp: follow a light's intensity and show it, on a screen, by a command or on a PWM pin
    Lamp(Box<luxwire_devices::lamp::Args>),
    /// Publish a message, or each line of standard input: mosquitto_pub's flags
    Pub(luxwire_devices::pub_sub::Arguments),
    /// Follow topics and write what comes to standard output: mosquitto_sub's flags
    Sub(luxwire_devices::pub_sub::Arguments),
    Firmware(luxwire_devices::firmware::Args),
    /// Run a pretend Philips Hue hub, with a page of its bulbs
    #[command(name = "hue-sim")]
    HueSim(luxwire_devices::hue_sim::Args),
    Hue(Box<luxwire_devices::hue::Args>),
    Record(Box<luxwire_devices::recorder::Args>),
    History(Box<luxwire_devices::recorder::history::Args>),
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where the page, the HTTP interface and MQTT over WebSocket are served [default: 127.0.0.1:8080]
    ///
    /// HOST:PORT; port 0 picks a free one. May be repeated, or given as a list with commas.
    #[arg(long, value_name = "ADDR", value_delimiter = ',')]
    pub(crate) http: Vec<String>,

    /// Where MQTT clients connect over TCP [default: 127.0.0.1:1883]
    ///
    /// HOST:PORT; port 0 picks a free one. May be repeated, or given as a list with commas.
    #[arg(long, value_name = "ADDR", value_delimiter = ',')]
    pub(crate) mqtt: Vec<String>,

    /// A directory that belongs to this server alone; created if it is missing
    ///
    /// This version keeps sessions and retained values in memory only: a second server is kept out of the directory,
    /// but nothing in it survives a restart yet.
    #[arg(long, value_name = "DIR", conflicts_with = "ephemeral")]
    pub(crate) data_dir: Option<PathBuf>,

    /// Keep nothing on disk, whatever the configuration says of storage.dir
    #[arg(long)]
    pub(crate) ephemeral: bool,

    /// Show the whole picture: dimmers, lamps, a pretend Philips Hue hub and the bridge to it run along
    ///
    /// They are clients of this server like any other, keep nothing, and end with it. Standard output says
    /// `listening hue-sim ADDR`: there is the hub's page.
    #[arg(long)]
    pub(crate) demo: bool,

    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct CheckConfig {
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct Passwd {
    /// The file; made if it is missing. mosquitto_passwd reads and writes the same
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// The user's name
    #[arg(value_name = "USER")]
    pub(crate) user: String,

    /// The password. Without this it is asked for, or read from the first line of standard input
    ///
    /// Other users of this machine can read it on a command line.
    #[arg(long, value_name = "PASSWORD")]
    pub(crate) password: Option<String>,

    /// Keep what SCRAM-SHA-256 needs, so that MQTT 5 clients can sign in without saying the password
    ///
    /// Those who say it, over MQTT or HTTP, can sign in as well. mosquitto_passwd does not know this form.
    #[arg(long)]
    pub(crate) scram: bool,

    /// Remove the user
    #[arg(long, conflicts_with_all = ["password", "scram"])]
    pub(crate) delete: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Settings {
    /// Read settings from this TOML file
    #[arg(long, value_name = "FILE", env = "LUXWIRE_CONFIG")]
    pub(crate) config: Option<PathBuf>,

    /// Give any setting a value, for example --set limits.connections=500
    ///
    /// May be repeated. `luxwire check-config` prints every setting there is.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

const SERVE_EXAMPLES: &str = "\
Examples:
  luxwire serve
  luxwire serve --mqtt 127.0.0.1:0 --http 127.0.0.1:0    takes free ports
  luxwire serve --mqtt 0.0.0.0:1883 --http 0.0.0.0:8080 --set auth.passwords=passwords
                                                        lets those on the network in who sign in

Standard output says `listening http ADDR` and `listening mqtt ADDR` for each address, then `ready`. The log goes to \
standard error; the environment variable LUXWIRE_LOG=debug makes it talkative.

Settings come from, the later winning: defaults, the file of --config, the environment \
(LUXWIRE_LIMITS__CONNECTIONS=500 is limits.connections), --set, and the flags above. `luxwire check-config` prints \
them all.

Exit code: 0 stopped as asked, 1 something failed, 2 the command line is wrong.";

const PASSWD_EXAMPLES: &str = "\
Examples:
  luxwire passwd passwords anna
  luxwire passwd --delete passwords anna
  luxwire serve --set auth.passwords=passwords --set auth.anonymous=false

Exit code: 0 it is done, 1 something failed, 2 the command line is wrong.";

const CONFIGURATION: &str = "\
Settings come from, the later winning: defaults, the file of --config, the environment \
(LUXWIRE_LIMITS__CONNECTIONS=500 is limits.connections), and --set. What is printed is a complete configuration file.

Exit code: 0 the configuration is good, 1 a file or the environment is wrong, 2 the command line is wrong.";

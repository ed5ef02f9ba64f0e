//! `luxwire firmware`: files for boards with an RP2040.
//!
//! The firmware itself is built in `devices/firmware/` and is the same for every board; what makes a board's own is a
//! second file with its settings. Both are UF2 files, which a person copies onto the drive that the board shows. Nothing
//! here talks to a board or to a broker.

mod elf;
mod settings;
mod uf2;

use anyhow::Context as _;
use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
};

/// Make files for microcontroller boards (RP2040)
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Write a board's settings (broker, lights, addresses) as a UF2 file, or show those of a file
    ///
    /// Boards reach their broker as mqtt://HOST[:PORT] only: without TLS, and not over WebSocket.
    Settings(Box<settings::SettingsArgs>),
    /// Turn the built firmware (ELF) into the UF2 file that is copied onto a board
    Uf2 {
        /// What `cargo build --release` left in devices/firmware
        #[arg(value_name = "ELF")]
        image: PathBuf,
        /// The file to write
        #[arg(value_name = "OUT")]
        output: PathBuf,
    },
}

/// Does what was asked for and ends.
pub fn run(args: Args) -> anyhow::Result<()> {
    match args.command {
        Command::Settings(args) => settings::run(*args),
        Command::Uf2 { image, output } => {
            let bytes = fs::read(&image).with_context(|| format!("cannot read {}", image.display()))?;
            let flash = elf::flash(&bytes).with_context(|| image.display().to_string())?;
            write(&output, &uf2::write(&flash), Readers::Everybody)?;
            println!("{}: {} KiB of flash", output.display(), flash.len() * uf2::SECTOR_LEN / 1024);
            Ok(())
        }
    }
}

/// Who may read a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Readers {
    Everybody,
    /// It holds passwords.
    Owner,
}

fn write(path: &Path, bytes: &[u8], readers: Readers) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    if readers == Readers::Owner {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path).with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(bytes).with_context(|| format!("cannot write {}", path.display()))
}

const EXAMPLES: &str = "\
Examples:
  luxwire firmware settings --broker mqtt://192.168.1.10 --dimmer desk --lamp desk -o desk.uf2
  luxwire firmware settings --show desk.uf2
  luxwire firmware uf2 devices/firmware/target/thumbv6m-none-eabi/release/luxwire-w5500 luxwire-w5500.uf2

Hold BOOTSEL while the board is plugged in and copy the firmware to the drive RPI-RP2; hold it again and copy the \
settings. docs/firmware.md has the whole way, from the parts to the lamp.";

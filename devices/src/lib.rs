//! The clients of the picture: programs that a person runs beside a broker, ours or any other.
//!
//! Each device is a module with the arguments of its subcommand (`Args`) and a `run` that ends when the device does. They
//! reach the broker over the network like anybody else: nothing here knows our broker, and nothing there knows them.
#![forbid(unsafe_code)]

pub mod connection;
pub mod dimmer;
pub mod discovery;
pub mod firmware;
pub mod hue;
pub mod hue_sim;
pub mod lamp;
pub mod pub_sub;
pub mod recorder;
pub mod stop;

/// Where programs of this user keep what is worth keeping; `name` tells those from each other that keep their own. `None`
/// without a home.
pub(crate) fn state_folder(name: &str) -> Option<std::path::PathBuf> {
    let named =
        |name: &str| std::env::var_os(name).map(std::path::PathBuf::from).filter(|path| path.is_absolute());
    let base = named("XDG_STATE_HOME").or_else(|| Some(named("HOME")?.join(".local/state")))?;
    Some(base.join("luxwire").join(name))
}

/// The command line asks for something that cannot be: the program ends with exit code 2.
///
/// A device returns it inside `anyhow::Error`; the text names the flag and the mend.
#[derive(Debug)]
pub struct Usage(pub String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

//! Where and with what the measurement was taken, as the system says it; without this, figures of another day cannot be
//! compared.

use anyhow::{Context as _, Result};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use std::{fs, path::Path, process::Command, thread};

/// The machine, the kernel and the versions.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Environment {
    /// The day, in UTC.
    pub(crate) date: String,
    pub(crate) processor: String,
    pub(crate) processors: usize,
    /// Programs that ran or waited to run in the minute before: others' work makes times longer.
    pub(crate) load: String,
    pub(crate) kernel: String,
    /// Linux's way to send and acknowledge may be tuned; these say whether it was.
    pub(crate) tcp: String,
    pub(crate) luxwire: String,
}

impl Environment {
    /// `luxwire` is asked for its version, if there is one.
    pub(crate) fn of(luxwire: Option<&Path>) -> Result<Self> {
        let kernel_setting = |name: &str| {
            fs::read_to_string(format!("/proc/sys/{name}")).unwrap_or_default().trim().to_owned()
        };
        let version = luxwire.map(|luxwire| {
            let output = Command::new(luxwire).arg("--version").output();
            output.with_context(|| format!("cannot run {}", luxwire.display()))
        });
        let version = version.transpose()?.map(|output| output.stdout).unwrap_or_default();
        Ok(Self {
            date: Timestamp::now().to_zoned(TimeZone::UTC).strftime("%Y-%m-%d").to_string(),
            processor: processor(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default()),
            load: first_word(&fs::read_to_string("/proc/loadavg").unwrap_or_default()),
            processors: thread::available_parallelism().map_or(1, usize::from),
            kernel: format!("{} {}", kernel_setting("kernel/ostype"), kernel_setting("kernel/osrelease")),
            tcp: format!(
                "timestamps {}, congestion control {}",
                kernel_setting("net/ipv4/tcp_timestamps"),
                kernel_setting("net/ipv4/tcp_congestion_control")
            ),
            luxwire: String::from_utf8_lossy(&version).trim().to_owned(),
        })
    }
}

fn first_word(text: &str) -> String {
    text.split_whitespace().next().unwrap_or("unknown").to_owned()
}

/// Not every architecture has the line.
fn processor(cpuinfo: &str) -> String {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| line.split_once(':')).map(|(_, name)| name.trim());
    name.unwrap_or(std::env::consts::ARCH).to_owned()
}

#[cfg(test)]
mod tests {
    use super::processor;

    #[test]
    fn the_processor_is_named_or_at_least_its_architecture() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Quick 9000 @ 3 GHz\nflags\t\t: fpu\n";
        assert_eq!(processor(cpuinfo), "Quick 9000 @ 3 GHz");
        assert_eq!(processor("BogoMIPS : 50\n"), std::env::consts::ARCH);
    }
}

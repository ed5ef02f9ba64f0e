//! What the kernel has counted on the loopback interface, and waiting until it counts no more.

use anyhow::{Context as _, Result};
use std::{fs, ops::Sub, time::Duration};
use tokio::time::sleep;

/// Bytes and packets. A byte is counted once, although on loopback the same interface sends and receives it; the bytes
/// are those of IP packets, without a link's own header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    pub(crate) bytes: u64,
    pub(crate) packets: u64,
}

impl Traffic {
    /// Everything since the interface exists.
    pub(crate) fn so_far() -> Result<Self> {
        // Not /sys/class/net, which shows the network in which it was mounted.
        let table = fs::read_to_string("/proc/thread-self/net/dev").context("cannot read the counters")?;
        Self::of_loopback(&table).context("the kernel's table of interfaces has no lo")
    }

    fn of_loopback(table: &str) -> Option<Self> {
        let line = table.lines().find_map(|line| line.trim_start().strip_prefix("lo:"))?;
        let mut received = line.split_whitespace().map(str::parse);
        Some(Self { bytes: received.next()?.ok()?, packets: received.next()?.ok()? })
    }
}

/// Waits until nothing has been sent for longer than the kernel holds back an acknowledgement, and says what was
/// counted by then.
pub(crate) async fn quiet() -> Result<Traffic> {
    let mut before = Traffic::so_far()?;
    loop {
        sleep(QUIET).await;
        let after = Traffic::so_far()?;
        if after == before {
            return Ok(after);
        }
        before = after;
    }
}

/// Linux holds back an acknowledgement for 40 ms on a connection as quick as these.
const QUIET: Duration = Duration::from_millis(60);

impl Sub for Traffic {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self { bytes: self.bytes - earlier.bytes, packets: self.packets - earlier.packets }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
  eth0: 9000000    8000    0    0    0     0          0         0  7000000    6000    0    0    0     0       0          0
    lo:     524       8    0    0    0     0          0         0      524       8    0    0    0     0       0          0
";

    #[test]
    fn only_what_loopback_received_is_counted() {
        assert_eq!(Traffic::of_loopback(TABLE), Some(Traffic { bytes: 524, packets: 8 }));
    }

    #[test]
    fn large_counts_may_touch_the_name() {
        let table = TABLE.replace("lo:     524", "lo:98765432100");
        assert_eq!(Traffic::of_loopback(&table), Some(Traffic { bytes: 98_765_432_100, packets: 8 }));
    }

    #[test]
    fn a_table_without_loopback_is_no_zero() {
        assert_eq!(Traffic::of_loopback("  eth0: 1 2 3"), None);
        assert_eq!(Traffic::of_loopback("    lo: many few"), None);
    }

    #[test]
    fn phases_are_differences() {
        let (before, after) = (Traffic { bytes: 100, packets: 2 }, Traffic { bytes: 362, packets: 6 });
        assert_eq!(after - before, Traffic { bytes: 262, packets: 4 });
    }
}

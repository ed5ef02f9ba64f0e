//! File descriptors: each connection needs one, and systems hand out few unless asked. And how the runtime watches over one
//! that is not its own.

use crate::limits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{io, os::fd::AsRawFd};
use tokio::io::{Interest, unix::AsyncFd};
use tracing::warn;

/// Asks for enough descriptors for `connections`, as far as this process may. Says so where it may not: the connections
/// beyond would wait in front of the door until others leave.
pub(crate) fn raise_limit(connections: u32) {
    let wanted = u64::from(connections) + limits::DESCRIPTORS_BESIDES_CONNECTIONS;
    // Without a value there is no limit.
    let Rlimit { current: Some(current), maximum } = getrlimit(Resource::Nofile) else { return };
    if current >= wanted {
        return;
    }
    let allowed = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(allowed), maximum }).is_ok();
    let got = if raised { allowed } else { current };
    if got < wanted {
        let possible = got.saturating_sub(limits::DESCRIPTORS_BESIDES_CONNECTIONS);
        warn!(
            "limits.connections is {connections}, but the system gives descriptors for some {possible}; \
             raise the limit (ulimit -n {wanted}, LimitNOFILE={wanted}) or lower the setting"
        );
    }
}

/// Has the runtime watch over whether there is something to read. `owner` owns its descriptor and keeps it as long as it lives,
/// as the types of `mio` do.
#[expect(
    deprecated,
    reason = "what is asked for in its place is not safe, and needed for owners that change their descriptor"
)]
pub(crate) fn watch_over<T: AsRawFd>(owner: T) -> io::Result<AsyncFd<T>> {
    AsyncFd::with_interest(owner, Interest::READABLE)
}

//! File descriptors: each connection needs one, and systems hand out few unless asked.

use crate::limits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
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

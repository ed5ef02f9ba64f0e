//! Getting into a network namespace of one's own, without being root: the program becomes `unshare`, which becomes the
//! program again, and gives the loopback interface there an Ethernet's packet size.
//!
//! Where the kernel refuses that, nothing is measured: figures from a network that others use would be no figures.

use anyhow::{Context as _, Result, bail, ensure};
use std::{
    env, fs,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Command, Stdio},
};

/// Starts this program from its beginning in a network of its own; there, makes the loopback interface ready and
/// returns.
pub(crate) fn enter() -> Result<()> {
    let here = network()?;
    match env::var_os(OUTSIDE) {
        Some(outside) => {
            ensure!(outside != here.as_os_str(), "{OUTSIDE} is set although this is no network of our own");
            prepare_loopback()
        }
        None => {
            let ways = WAYS.iter().find(|way| is_allowed(way)).with_context(|| REFUSED.to_owned())?;
            let program = env::current_exe().context("where is this program itself?")?;
            let mut again = Command::new("unshare");
            again.args(*ways).arg("--").arg(program).args(env::args_os().skip(1)).env(OUTSIDE, here);
            Err(again.exec()).context("cannot run unshare")
        }
    }
}

/// Ordinary users are let in through a user namespace; where those are forbidden, root still may.
const WAYS: [&[&str]; 2] = [&["--user", "--map-root-user", "--net"], &["--net"]];

/// Set for the second start: the network that the first one was in.
const OUTSIDE: &str = "LUXWIRE_BENCH_OUTSIDE";

const REFUSED: &str = "a network namespace of our own is needed, so that nothing else is counted, and this system \
    refuses one. It takes Linux, util-linux (the program `unshare`), iproute2 (the program `ip`), and either root or \
    user namespaces: `sysctl user.max_user_namespaces` must not be 0, `kernel.unprivileged_userns_clone` and \
    `kernel.apparmor_restrict_unprivileged_userns`, where they exist, must be 1 and 0, and a container must permit \
    `unshare`. Nothing was measured";

/// The kernel's name of the network that this process is in.
fn network() -> Result<PathBuf> {
    fs::read_link("/proc/self/ns/net").context(REFUSED)
}

fn is_allowed(way: &[&str]) -> bool {
    let mut trial = Command::new("unshare");
    trial.args(way).args(["--", "ip", "link", "set", "lo", "up"]);
    let tried = trial.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    tried.is_ok_and(|status| status.success())
}

/// Packets as an Ethernet would carry them: 1500 bytes at most, and no large one that a network card would cut later.
fn prepare_loopback() -> Result<()> {
    let mut ip = Command::new("ip");
    ip.args(["link", "set", "lo", "up", "mtu", "1500", "gso_max_segs", "1"]);
    let output = ip.stdin(Stdio::null()).output().context("cannot run ip, of iproute2")?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("the loopback interface cannot be set up: {}", complaint.trim());
    }
    Ok(())
}

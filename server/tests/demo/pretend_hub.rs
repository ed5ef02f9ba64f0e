//! `luxwire hue-sim` on the command line. What it answers is tested in the devices' own crate.

use crate::support::{Ends, eventually, get, program, run};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::Stdio,
};

#[test]
fn it_says_where_it_is_and_stops_when_asked() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut command = program();
        command.args([
            "hue-sim",
            "--http",
            "127.0.0.1:0",
            "--https",
            "127.0.0.1:0",
            "--lights",
            "Den/Spot:colour",
        ]);
        let mut child = Ends(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
        let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut address = |speaks: &str| -> SocketAddr {
            let line = lines.next().unwrap();
            line.strip_prefix(&format!("listening {speaks} ")).unwrap().parse().unwrap()
        };
        let (http, _https) = (address("http"), address("https"));
        assert_eq!(lines.next().as_deref(), Some("ready"));
        let state = String::from_utf8(get(http, "/sim/state").body).unwrap();
        assert!(state.contains("Spot") && state.contains("Den"), "{state}");
        kill_process(Pid::from_child(&child.0), signal).unwrap();
        let status = eventually("its end", || child.0.try_wait().unwrap());
        assert_eq!(status.code(), Some(0));
    }
}

#[test]
fn mistakes_on_the_command_line_are_named() {
    let check = |arguments: &[&str], part: &str| {
        let finished = run(&[&["hue-sim"], arguments].concat());
        assert_eq!((finished.code, finished.out.as_str()), (Some(2), ""), "{finished:?}");
        assert!(finished.err.contains(part), "{finished:?}");
    };
    check(&["--lights", "Desk:purple"], "purple");
    check(&["--lights", "0"], "1 to 64");
    check(&["--latency", "60001"], "--latency");
    check(&["--nothing"], "--nothing");
    let finished = run(&["hue-sim", "--http", "nowhere"]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(finished.err.contains("nowhere"), "{finished:?}");
}

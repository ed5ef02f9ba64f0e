//! Mistakes on the command line: one sentence that names the flag, and exit code 2.

use crate::{
    recorder::{DESK, Folder},
    support::run,
};
use std::{fs, net::TcpListener};

fn refused(arguments: &[&str], code: i32, words: &[&str]) {
    let finished = run(arguments);
    assert_eq!(finished.code, Some(code), "{arguments:?}: {}", finished.err);
    assert_eq!(
        finished.err.lines().filter(|line| line.starts_with("luxwire: ")).count(),
        1,
        "{}",
        finished.err
    );
    assert!(words.iter().all(|word| finished.err.contains(word)), "{arguments:?}: {}", finished.err);
}

#[test]
fn what_cannot_be_is_refused_with_its_flag() {
    refused(&["record", "lights/#/x"], 2, &["lights/#/x"]);
    refused(&["record", "--keep", "soon"], 2, &["--keep", "forever"]);
    refused(&["record", "--max-size", "3"], 2, &["--max-size", "1M"]);
    refused(&["record", "--keep", "30d", "--keep-minutes", "1d"], 2, &["--keep-minutes", "--keep"]);
    refused(&["record", "--keep-hours", "1d"], 2, &["--keep-hours", "--keep-minutes"]);
    refused(&["history"], 2, &["TOPIC"]);
    refused(&["history", "lights/+/intensity"], 2, &["--file"]);
    refused(&["history", DESK, "--from", "yesterday"], 2, &["--from", "-24h"]);
    refused(&["history", DESK, "--from", "-1h", "--to", "-2h"], 2, &["--to"]);
    refused(&["history", DESK, "--step", "fast"], 2, &["--step"]);
    refused(&["history", DESK, "--csv", "--json"], 2, &["--csv", "--json"]);
    refused(&["history", DESK, "--service", "a/b"], 2, &["--service"]);
}

#[test]
fn what_is_in_the_way_is_named_with_the_mend() {
    let folder = Folder::new();
    let file = folder.file().to_string_lossy().into_owned();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    refused(
        &["record", "--file", &file, "--http", &address],
        1,
        &["--http", &address, "taken", "another port"],
    );
    refused(&["record", "--file", &file, "--http", "nonsense"], 1, &["--http"]);
    refused(&["history", DESK, "--file", &file], 1, &["--file", &file]);
    fs::write(folder.path("plain"), "").unwrap();
    let below = folder.path("plain/history.sqlite").to_string_lossy().into_owned();
    refused(&["record", "--file", &below], 1, &["--file", &folder.path("plain").to_string_lossy()]);
}

#[test]
fn help_fits_a_terminal() {
    for command in ["record", "history"] {
        for flag in ["--help", "-h"] {
            let mut program = crate::support::program();
            program.args([command, flag]).env("COLUMNS", "80");
            let help = crate::support::run_command(program);
            assert_eq!(help.code, Some(0));
            assert!(help.out.contains("Examples:"), "{}", help.out);
            let widest = help.out.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(80), "{widest:?}: {}", help.out);
        }
    }
}

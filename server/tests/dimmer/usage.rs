//! Command lines that cannot be: one sentence that names the flag, and exit code 2.

use crate::support::run;

#[track_caller]
fn check(arguments: &[&str], words: &[&str]) {
    let finished = run(&[&["dimmer"], arguments].concat());
    assert_eq!((finished.code, finished.out.as_str()), (Some(2), ""), "{}", finished.err);
    assert_eq!(finished.err.lines().count(), 1, "{}", finished.err);
    for word in words {
        assert!(finished.err.contains(word), "{word:?} is not in {}", finished.err);
    }
}

#[test]
fn wrong_command_lines_are_explained() {
    check(&[], &["ID"]);
    check(&[""], &["ID", "at least one character"]);
    check(&["a/b"], &["ID", "must not contain /"]);
    check(&["a+"], &["must not contain +"]);
    check(&[&"x".repeat(65)], &["at most 64 characters"]);
    check(&["desk", "--adc-max", "99"], &["--adc-max", "100..=65535"]);
    check(&["desk", "--adc-max", "65536"], &["--adc-max", "100..=65535"]);
    check(&["desk", "--dead-band", "3"], &["--adc-max"]);
    check(&["desk", "--adc-max", "1023", "--dead-band", "32"], &["--dead-band 32", "1 to 31 counts"]);
    check(&["desk", "--baud", "0"], &["--baud"]);
    check(&["desk", "--wave", "square"], &["--wave", "sine", "triangle"]);
    check(&["desk", "--wave", "sine", "--period", "10"], &["--period", "such as 500ms, 10s"]);
    check(&["desk", "--wave", "sine", "--period", "1ms"], &["--period", "1s to 24h"]);
    check(&["desk", "--wave", "sine", "--min", "50", "--max", "50"], &["--min 50", "--max 50"]);
    check(&["desk", "--max", "101"], &["--max", "outside 0 to 100"]);
    check(&["desk", "--wave", "sine", "--serial", "/dev/null"], &["--wave", "--serial"]);
    check(&["desk", "--wave", "sine", "--adc-max", "1023"], &["--wave", "--adc-max"]);
    check(&["desk", "--duty", "60s/5s"], &["--duty", "shorter than the period"]);
    check(&["desk", "--duty", "5s"], &["--duty", "such as 5s/60s"]);
    check(&["desk", "--broker", "http://127.0.0.1"], &["--broker"]);
    check(&["desk", "--protocol", "4.0"], &["--protocol", "5, 3.1.1 and 3.1"]);
}

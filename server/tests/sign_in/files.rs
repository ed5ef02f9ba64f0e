//! A server does not start with files that cannot be read or make no sense.

use crate::{
    Folder, setting,
    support::{Finished, run},
};

fn start(settings: &[&str]) -> Vec<Finished> {
    let sets: Vec<_> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
    let serve = ["serve", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--ephemeral"];
    vec![run(&[&serve[..], &sets].concat()), run(&[&["check-config"][..], &sets].concat())]
}

#[track_caller]
fn check(settings: &[&str], words: &[&str]) {
    for finished in start(settings) {
        assert_eq!(finished.code, Some(1), "{finished:?}");
        assert!(!finished.out.contains("ready"), "{finished:?}");
        let last = finished.err.lines().last().unwrap();
        for word in words {
            assert!(last.contains(word), "no {word:?} in {last:?}");
        }
    }
}

#[test]
fn a_file_that_is_wrong_is_named_with_its_line() {
    let folder = Folder::new();
    let nowhere = folder.path("nowhere");
    check(&[&setting("auth.passwords", &nowhere)], &["auth.passwords", "nowhere", "no such file"]);
    check(&[&setting("auth.acl", &nowhere)], &["auth.acl", "nowhere", "no such file"]);
    check(&[&setting("auth.acl", &folder.0)], &["auth.acl", "cannot be read"]);
    let good = folder.passwords(&[("anna", "secret", &[]), ("bert", "secret", &["--scram"])]);
    let text = std::fs::read_to_string(&good).unwrap();
    for (wrong, words) in [
        (format!("{text}\n"), ["line 3", "is empty"]),
        (format!("{text}carl:hunter2\n"), ["line 3", "luxwire passwd FILE carl"]),
        (text.trim_end()[..text.len() - 9].to_owned(), ["line 2", "not all of it"]),
    ] {
        let file = folder.write("wrong", &wrong);
        check(&[&setting("auth.passwords", &file)], &["auth.passwords", words[0], words[1]]);
        for finished in start(&[&setting("auth.passwords", &file)]) {
            assert!(!finished.err.contains("hunter2"), "{finished:?}");
        }
    }
    let binary = folder.write("binary", b"topic read x\ntopic read \xff\n");
    check(&[&setting("auth.acl", &binary)], &["auth.acl", "line 2", "UTF-8"]);
    let typo = folder.write("typo", "topic read x\n\ntopic dney x\n");
    check(&[&setting("auth.acl", &typo)], &["auth.acl", "line 3", "\"dney\" is none of"]);
}

#[test]
fn settings_that_make_no_sense_are_explained() {
    for (wrong, word) in [
        ("auth.anonymous=loopbak", "\"loopback\", true or false"),
        ("auth.anonymous=1", "\"loopback\", true or false"),
        ("auth.refusal=no", "not-authorized"),
        ("auth.password=x", "unknown field"),
    ] {
        let finished = run(&["check-config", "--set", wrong]);
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(finished.err.contains(word), "{finished:?}");
    }
    let finished = run(&["check-config", "--set", "auth.anonymous=true"]);
    assert!(finished.out.contains("[auth]\nanonymous = true\n"), "{}", finished.out);
    let finished = run(&["check-config"]);
    assert!(
        finished.out.contains("anonymous = \"loopback\"\nrefusal = \"not-authorized\"\n# "),
        "{}",
        finished.out
    );
}

//! `luxwire passwd`.

use crate::{
    Folder,
    support::{Finished, program, run},
};
use std::{
    fs,
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, symlink},
    process::Stdio,
};

fn passwd(folder: &Folder, arguments: &[&str]) -> Finished {
    let file = folder.path("passwords");
    run(&[&["passwd", file.to_str().unwrap()], arguments].concat())
}

fn lines(folder: &Folder) -> Vec<String> {
    fs::read_to_string(folder.path("passwords")).unwrap().lines().map(ToOwned::to_owned).collect()
}

#[test]
fn users_are_added_changed_and_removed() {
    let folder = Folder::new();
    let check = |arguments: &[&str], word: &str| {
        let finished = passwd(&folder, arguments);
        assert_eq!((finished.code, finished.err.as_str()), (Some(0), ""), "{finished:?}");
        assert!(finished.out.contains(word) && !finished.out.contains("secret"), "{finished:?}");
        let mode = fs::metadata(folder.path("passwords")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // Nothing is left lying beside it.
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
    };
    check(&["anna", "--password", "secret"], "anna: added to");
    check(&["bert", "--password", "secret", "--scram"], "bert: added to");
    let before = lines(&folder);
    assert!(
        before[0].starts_with("anna:$7$") && before[1].starts_with("bert:SCRAM-SHA-256$4096:"),
        "{before:?}"
    );
    fs::set_permissions(folder.path("passwords"), fs::Permissions::from_mode(0o644)).unwrap();
    check(&["anna", "--password", "secret"], "anna: changed in");
    let after = lines(&folder);
    // Another salt.
    assert!(after[0] != before[0] && after[1] == before[1]);
    check(&["anna", "--delete"], "anna: removed from");
    assert_eq!(lines(&folder), before[1..]);
    let finished = passwd(&folder, &["anna", "--delete"]);
    assert_eq!(finished.code, Some(1));
    assert!(finished.err.contains("has no user anna"), "{finished:?}");
}

#[test]
fn a_password_may_come_from_standard_input() {
    let folder = Folder::new();
    for (given, code) in [("secret\nmore\n", 0), ("secret\r\n", 0), ("secret", 0), ("", 1), ("\n", 1)] {
        let file = folder.path("passwords");
        let mut command = program();
        command.args(["passwd", file.to_str().unwrap(), "anna"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(given.as_bytes()).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{given:?}");
    }
    let server = crate::support::Server::with(&[
        "auth.anonymous=false",
        &crate::setting("auth.passwords", &folder.path("passwords")),
    ]);
    crate::signed_in(&server, "client", "anna", "secret");
}

#[test]
fn a_file_that_makes_no_sense_is_left_alone() {
    let folder = Folder::new();
    for text in ["anna:secret\n", "\n", "no colon"] {
        folder.write("passwords", text);
        let finished = passwd(&folder, &["bert", "--password", "secret"]);
        assert_eq!(finished.code, Some(1), "{finished:?}");
        assert!(finished.err.contains("line 1"), "{finished:?}");
        assert_eq!(fs::read_to_string(folder.path("passwords")).unwrap(), text);
    }
}

#[test]
fn a_link_stays_and_what_it_leads_to_is_replaced() {
    let folder = Folder::new();
    let real = folder.write("real", "");
    symlink(&real, folder.path("passwords")).unwrap();
    assert_eq!(passwd(&folder, &["anna", "--password", "secret"]).code, Some(0));
    assert!(folder.path("passwords").symlink_metadata().unwrap().is_symlink());
    assert!(fs::read_to_string(real).unwrap().starts_with("anna:$7$"));
}

#[test]
fn names_that_cannot_be_are_refused() {
    let folder = Folder::new();
    for name in ["", "a:b", "a\nb", "luxwire"] {
        let finished = passwd(&folder, &[name, "--password", "secret"]);
        assert_eq!(finished.code, Some(2), "{name:?} {finished:?}");
    }
    assert!(!folder.path("passwords").exists());
    let nowhere = folder.path("no/such/folder");
    let finished = run(&["passwd", nowhere.to_str().unwrap(), "anna", "--password", "x"]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
}

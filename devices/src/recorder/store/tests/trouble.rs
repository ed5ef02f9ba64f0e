//! Files that are not what they should be.

use super::{super::StoreError, *};
use std::fs;

fn hopeless(path: &Path, words: &[&str]) {
    match Store::open(Place::File(path.to_owned())) {
        Err(StoreError::Hopeless(text)) => {
            assert!(words.iter().all(|word| text.contains(word)), "{text}");
            assert!(text.contains(&path.display().to_string()), "{text}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_of_a_later_version_is_refused() {
    let folder = Folder::new("later");
    let store = Store::open(folder.place()).unwrap();
    store.db.pragma_update(None, "user_version", 2).unwrap();
    drop(store);
    hopeless(&folder.file(), &["later Luxwire", "--file"]);
}

#[test]
fn a_file_of_another_program_is_refused_and_left_alone() {
    let folder = Folder::new("other");
    let db = rusqlite::Connection::open(folder.file()).unwrap();
    db.execute_batch("CREATE TABLE theirs (x)").unwrap();
    drop(db);
    let before = fs::read(folder.file()).unwrap();
    hopeless(&folder.file(), &["no history of Luxwire's", "--file"]);
    assert_eq!(fs::read(folder.file()).unwrap(), before);
}

#[test]
fn a_damaged_file_is_named_with_the_mend() {
    let folder = Folder::new("damaged");
    fs::write(folder.file(), "these are no pages of a database, but many words".repeat(100)).unwrap();
    hopeless(&folder.file(), &["damaged", "move it away", ".recover"]);
}

#[test]
fn a_file_has_one_recorder() {
    let folder = Folder::new("claim");
    let claim = folder.place().claim().unwrap();
    let error = folder.place().claim().unwrap_err().to_string();
    assert!(error.contains("another luxwire records into") && error.contains("--file"), "{error}");
    drop(claim);
    folder.place().claim().unwrap();
}

#[test]
fn a_file_that_was_removed_is_missed_and_begun_again() {
    let folder = Folder::new("removed");
    let mut store = Store::open(folder.place()).unwrap();
    write(&mut store, [value(START, "1")]);
    fs::remove_file(folder.file()).unwrap();
    let batch = entries([value(START, "2")]);
    assert!(matches!(store.write(&batch), Err(StoreError::Gone)));
    store.begin_again().unwrap();
    store.write(&batch).unwrap();
    assert_eq!(payloads(&folder.place()), ["2"]);
}

#[test]
fn a_batch_that_fails_leaves_nothing_and_can_be_tried_again() {
    let folder = Folder::new("fails");
    let mut store = Store::open(folder.place()).unwrap();
    write(&mut store, [value(START, "1")]);
    // As on a full disk: no page can be added.
    store.db.pragma_update(None, "max_page_count", 1).unwrap();
    let batch = entries((0..2_000).map(|index| value(START + index, &index.to_string())));
    match store.write(&batch) {
        Err(StoreError::Trouble(text)) => assert!(text.contains("full"), "{text}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(payloads(&folder.place()), ["1"]);
    store.db.pragma_update(None, "max_page_count", 1_000_000).unwrap();
    assert_eq!(store.write(&batch).unwrap().stored, 2_000);
    assert_eq!(store.state().value_count, 2_001);
}

#[test]
fn others_cannot_read_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new("private");
    let mut store = Store::open(folder.place()).unwrap();
    write(&mut store, [value(START, "1")]);
    for name in ["history.sqlite", "history.sqlite-wal"] {
        let mode = fs::metadata(folder.0.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

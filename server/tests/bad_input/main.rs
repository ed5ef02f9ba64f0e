//! What broke other brokers, sent to the real program again and again: while two others talk to each other, over every
//! transport and in every version that is concerned. The answer is the one that the standard or our documentation wants,
//! the two others notice nothing, and memory and descriptors are afterwards what they were.
//!
//! docs/bad-input.md lists the inputs with where they come from and what is answered. Each stands here under the same name.
//!
//! What is not here, because there is nothing that it could be sent to: rights that are taken away while the server runs
//! (`rights` says what can be tried of row 16), a file of sessions and kept values (rows 20 and 27 are those of the
//! recorder), and a configuration that is read again (row 19).

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod before_connect;
mod bytes;
mod cases;
mod churn;
mod descriptors;
mod exchange;
mod files;
mod folder;
mod house;
mod http_upgrade;
mod lengths;
mod passwords;
mod permissions;
mod properties;
mod qos2;
mod rights;
mod sessions;
mod slow_readers;
mod subscribe_forms;
mod times;
mod topics;
mod users;
mod websocket_frames;
mod wills;

#[path = "../support/mod.rs"]
mod support;

/// The documentation's table and the tests themselves name the same tests.
#[test]
fn the_table_names_every_test() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tests = std::collections::BTreeSet::new();
    for file in std::fs::read_dir(folder.join("tests/bad_input")).unwrap().map(|entry| entry.unwrap().path())
    {
        let text = std::fs::read_to_string(&file).unwrap();
        let theme = file.file_stem().unwrap().to_str().unwrap();
        let names = text.split("#[test]\nfn row_").skip(1).map(|rest| rest.split_once('(').unwrap().0);
        tests.extend(names.map(|name| format!("{theme}::row_{name}")));
    }
    let table = std::fs::read_to_string(folder.join("../docs/bad-input.md")).unwrap();
    let named = table.split('`').filter(|code| code.contains("::row_")).map(ToOwned::to_owned).collect();
    assert_eq!(tests, named);
}

//! The table in `docs/interop.md`, for people. The test sees to it that the page has what `known` says; to write it
//! anew, run `cargo test -p luxwire --test differential -- --ignored`.

use crate::known::{KNOWN, Known, Right};
use std::{fs, path::PathBuf};

const BEGIN: &str = "<!-- The table of server/tests/differential begins. -->\n";
const END: &str = "<!-- The table of server/tests/differential ends. -->\n";

#[test]
fn the_page_says_what_the_table_says() {
    let page = fs::read_to_string(path()).unwrap();
    assert!(
        page == with_table(&page),
        "docs/interop.md does not have the table of known differences: write it anew"
    );
}

#[test]
#[ignore = "writes the page"]
fn write_the_table() {
    let page = fs::read_to_string(path()).unwrap();
    fs::write(path(), with_table(&page)).unwrap();
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/interop.md")
}

/// The page with the table between its two marks.
fn with_table(page: &str) -> String {
    let (before, rest) = page.split_once(BEGIN).expect("the page has a place for the table");
    let (_, after) = rest.split_once(END).expect("the page has an end of the table");
    let rows: String = KNOWN.iter().map(line).collect();
    format!("{before}{BEGIN}\n| Mosquitto 2.0.11 … | Who is right, and why |\n|-|-|\n{rows}\n{END}{after}")
}

fn line(Known { what, right, .. }: &Known) -> String {
    let (who, why) = match right {
        Right::Luxwire(why) => ("Luxwire", why),
        Right::Both(why) => ("both", why),
    };
    format!("| {what} | {who}: {why} |\n")
}

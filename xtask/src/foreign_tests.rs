//! Test targets that need other people's programs: those that a manifest marks with `test = false`, so that a plain
//! `cargo test`, which has no such programs, leaves them out. They are found rather than listed here, so that none is
//! forgotten. What they need is in `foreign`.

use std::fs;

use anyhow::{Context, Result};

use crate::project::{Project, read};

/// One such target.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ForeignTest {
    pub(crate) package: String,
    pub(crate) name: String,
}

/// Those of all packages in the workspace's folders.
pub(crate) fn find(project: &Project) -> Result<Vec<ForeignTest>> {
    let mut tests = Vec::new();
    for entry in fs::read_dir(&project.root).context("cannot list the checkout")? {
        let manifest = entry?.path().join("Cargo.toml");
        if manifest.is_file() {
            tests.extend(in_manifest(&read(&manifest)?));
        }
    }
    tests.sort();
    Ok(tests)
}

/// Reads the tables of a manifest that say what its test targets are. Manifests here are written one key a line.
fn in_manifest(manifest: &str) -> Vec<ForeignTest> {
    let mut package = None;
    let mut tests = Vec::new();
    for table in manifest.split("\n[") {
        let value = |key: &str| {
            let mut pairs = table.lines().filter_map(|line| line.split_once('='));
            pairs
                .find(|(name, _)| name.trim() == key)
                .map(|(_, value)| value.trim().trim_matches('"').to_owned())
        };
        let heading = table.lines().find(|line| line.ends_with(']')).unwrap_or_default();
        match heading.trim_matches(['[', ']']) {
            "package" => package = value("name"),
            "test" if value("test").as_deref() == Some("false") => tests.extend(value("name")),
            _ => {}
        }
    }
    let named = |name| Some(ForeignTest { package: package.clone()?, name });
    tests.into_iter().filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"# A comment.
[package]
name = "lantern"
version = "1.0.0"

[dependencies]
test = "false"

[[test]]
name = "alone"
path = "tests/alone.rs"

# Needs a hub.
[[test]]
name = "hub"
path = "tests/hub/main.rs"
test = false

[[bench]]
name = "speed"
test = false

[[test]]
name = "broker"
test = false
"#;

    #[test]
    fn only_targets_that_a_plain_run_leaves_out_are_found() {
        let test = |name: &str| ForeignTest { package: "lantern".to_owned(), name: name.to_owned() };
        assert_eq!(in_manifest(MANIFEST), [test("hub"), test("broker")]);
    }

    #[test]
    fn the_brokers_interop_tests_are_among_them() {
        let found = find(&Project::locate().unwrap()).unwrap();
        let interop = ForeignTest { package: "luxwire".to_owned(), name: "interop".to_owned() };
        assert!(found.contains(&interop), "{found:?}");
    }
}

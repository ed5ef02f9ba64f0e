//! `docs/conformance.md`: each statement of the standard that binds a server, where it is enforced, and which tests show
//! it. Put together from the list of statements and from the tags, `[MQTT-3.3.1-5]`, in code and tests. A tag behind
//! `3.1.1:` in the same line means the statement of that number in 3.1.1. A statement that has a tag in one of the two
//! places only must say in the list why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::project::{Project, read};
use crate::steps::Step;

const LIST: &str = "broker/tests/conformance/statements.tsv";
const DOCUMENT: &str = "docs/conformance.md";
const CODE: [&str; 3] = ["broker/src", "server/src", "shared/src/mqtt"];
const TESTS: [&str; 3] = ["broker/tests", "server/tests", "shared/tests"];
/// The client's statements are not in the list.
const NOT_THE_SERVER: &str = "shared/tests/client";

/// Writes the document.
pub(crate) fn write(project: &Project, step: &mut Step) -> Result<()> {
    let path = project.root.join(DOCUMENT);
    let document = document(project)?;
    step.say(format!("{DOCUMENT}: {} lines", document.lines().count()));
    fs::write(&path, document).with_context(|| format!("cannot write {}", path.display()))
}

/// Whether the document says what code and tests say.
pub(crate) fn check(project: &Project, step: &mut Step) -> Result<()> {
    let document = document(project)?;
    let committed = read(&project.root.join(DOCUMENT))?;
    ensure!(committed == document, "{DOCUMENT} is out of date; `cargo xtask conformance` writes it");
    step.say(format!("{} statements", document.matches("\n| `").count()));
    Ok(())
}

/// A statement: the version that it belongs to, and its number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Statement {
    version: &'static str,
    number: String,
}

const VERSIONS: [&str; 2] = ["5", "3.1.1"];

/// A place that bears a statement's tag: a file, and in tests the function.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    file: PathBuf,
    function: Option<String>,
}

type Tags = BTreeMap<Statement, BTreeSet<Place>>;

fn document(project: &Project) -> Result<String> {
    let list = read(&project.root.join(LIST))?;
    let statements = parse_list(&list)?;
    let mut code = Tags::new();
    let mut tests = Tags::new();
    for (folders, tags) in [(CODE, &mut code), (TESTS, &mut tests)] {
        for file in folders
            .iter()
            .map(|folder| sources(&project.root.join(folder)))
            .collect::<Result<Vec<_>>>()?
            .concat()
        {
            let name = file.strip_prefix(&project.root).context("a file outside the checkout")?;
            if !name.starts_with(NOT_THE_SERVER) {
                collect(&read(&file)?, name, tags);
            }
        }
    }
    complain(&statements, &code, &tests)?;
    Ok(render(&statements, &code, &tests))
}

/// The statements in order.
type List<'a> = Vec<Entry<'a>>;

/// A statement with its words.
struct Entry<'a> {
    statement: Statement,
    words: &'a str,
    /// Why no test shows it, if none does.
    untested: Option<&'a str>,
    /// Why no code bears its number, if none does.
    nowhere: Option<&'a str>,
}

fn parse_list(list: &str) -> Result<List<'_>> {
    list.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| {
            let mut fields = line.split('\t');
            let version = VERSIONS.into_iter().find(|version| fields.clone().next() == Some(version));
            fields.next();
            let (Some(version), Some(number), Some(words)) = (version, fields.next(), fields.next()) else {
                bail!("{LIST}: {line:?} is not a version, a number and words");
            };
            let mut reason = || fields.next().filter(|reason| !reason.is_empty());
            let (untested, nowhere) = (reason(), reason());
            Ok(Entry {
                statement: Statement { version, number: number.to_owned() },
                words,
                untested,
                nowhere,
            })
        })
        .collect()
}

/// All `.rs` files below a folder.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Finds the tags of a file. Those above a function are the function's, those inside one as well.
fn collect(source: &str, file: &Path, tags: &mut Tags) {
    let is_test = TESTS.iter().any(|folder| file.starts_with(folder));
    let mut function: Option<&str> = None;
    let mut above: Vec<Statement> = Vec::new();
    let mut add = |statement: Statement, function: Option<&str>| {
        let function = function.filter(|_| is_test).map(str::to_owned);
        tags.entry(statement).or_default().insert(Place { file: file.to_owned(), function });
    };
    for line in source.lines() {
        let text = line.trim_start();
        let found = in_line(text);
        let name =
            text.strip_prefix("pub ").unwrap_or(text).strip_prefix("fn ").and_then(|rest| {
                rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()
            });
        if let Some(name) = name {
            function = Some(name);
            above.drain(..).for_each(|statement| add(statement, function));
        }
        // A comment that stands at the margin, or above a method, belongs to what follows.
        let is_above =
            text.starts_with("//") && line.len() - text.len() <= if text.starts_with("///") { 4 } else { 0 };
        if is_above && !text.starts_with("//!") {
            above.extend(found);
        } else {
            found.into_iter().for_each(|statement| add(statement, function));
            if text.is_empty() || text == "}" {
                above.drain(..).for_each(|statement| add(statement, None));
            }
            if line == "}" {
                function = None;
            }
        }
    }
    above.drain(..).for_each(|statement| add(statement, None));
}

fn in_line(text: &str) -> Vec<Statement> {
    let mut found = Vec::new();
    let old_from = text.find("3.1.1:").unwrap_or(text.len());
    for (at, _) in text.match_indices("[MQTT-") {
        let rest = &text[at + "[MQTT-".len()..];
        let Some(number) = rest.split(']').next() else { continue };
        if number.starts_with(|first: char| first.is_ascii_digit()) {
            let version = if at > old_from { VERSIONS[1] } else { VERSIONS[0] };
            found.push(Statement { version, number: number.to_owned() });
        }
    }
    found
}

/// Fails with all statements that have no home, and all tags that name no statement.
fn complain(statements: &List<'_>, code: &Tags, tests: &Tags) -> Result<()> {
    let mut complaints = Vec::new();
    for Entry { statement, untested, nowhere, .. } in statements {
        let Statement { version, number } = statement;
        for (tags, reason, place) in [(tests, untested, "test"), (code, nowhere, "code")] {
            match (tags.contains_key(statement), reason) {
                (false, None) => {
                    complaints.push(format!("no {place} has {number} of {version}, and {LIST} has no reason"))
                }
                (true, Some(_)) => {
                    complaints.push(format!("{number} of {version} has its {place} and needs no reason"))
                }
                (false, Some(_)) | (true, None) => {}
            }
        }
    }
    let known: BTreeSet<_> = statements.iter().map(|entry| &entry.statement).collect();
    for (statement, places) in code.iter().chain(tests).filter(|(statement, _)| !known.contains(statement)) {
        let files: BTreeSet<_> = places.iter().map(|place| place.file.display().to_string()).collect();
        let files: Vec<_> = files.into_iter().collect();
        complaints.push(format!(
            "{} of {} is not in {LIST}; {}",
            statement.number,
            statement.version,
            files.join(", ")
        ));
    }
    ensure!(complaints.is_empty(), "{}", complaints.join("\n            "));
    Ok(())
}

fn render(statements: &List<'_>, code: &Tags, tests: &Tags) -> String {
    let mut document = String::from(HEAD);
    let mut section = String::new();
    for Entry { statement, words, untested, nowhere } in statements {
        let chapter = format!("MQTT {}, section {}", statement.version, section_of(&statement.number));
        if chapter != section {
            let _ =
                write!(document, "\n## {chapter}\n\n| | statement | code | shown by |\n|---|---|---|---|\n");
            section = chapter;
        }
        let found = |tags: &Tags, reason: &Option<&str>| match reason {
            Some(reason) => format!("– {reason}"),
            None => places(tags.get(statement)),
        };
        let words = words.replace('|', "\\|");
        let (code, shown) = (found(code, nowhere), found(tests, untested));
        let _ = writeln!(document, "| `{}` | {words} | {code} | {shown} |", statement.number);
    }
    document
}

const HEAD: &str = "\
# Conformance

Each statement of MQTT 5.0 and 3.1.1 that binds a server, in our own words; where the code bears its number; and the tests that show it.
A number without a dash is that of a section whose text binds a server without a number of its own. What 3.1.1 says as 5.0 does stands
under 5.0. The file is written by `cargo xtask conformance` from [the list](../broker/tests/conformance/statements.tsv) and the tags in
code and tests; `cargo xtask test` fails when a statement has no test, or no place in the code, and no reason for it, when a tag names no
statement, and when this file is out of date.
";

/// `3.1` of `3.1.2-4`.
fn section_of(number: &str) -> String {
    let levels: Vec<_> =
        number.split(['.', '-']).take(if number.starts_with("3.") { 2 } else { 1 }).collect();
    levels.join(".")
}

fn places(places: Option<&BTreeSet<Place>>) -> String {
    let links: Vec<_> = places.into_iter().flatten().map(Place::link).collect();
    links.join(", ")
}

impl Place {
    fn link(&self) -> String {
        let path = self.file.display();
        let stem = self.file.file_stem().unwrap_or_default().to_string_lossy();
        let stem = match (&*stem, self.file.parent().and_then(Path::file_name)) {
            ("mod" | "main", Some(folder)) => folder.to_string_lossy().into_owned(),
            (stem, _) => stem.to_owned(),
        };
        match &self.function {
            None => format!("[{stem}](../{path})"),
            Some(function) => format!("[{stem}: {}](../{path})", function.replace('_', " ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str, file: &str) -> Vec<(String, Option<String>)> {
        let mut tags = Tags::new();
        collect(source, Path::new(file), &mut tags);
        tags.into_iter()
            .flat_map(|(statement, places)| {
                let name = format!("{} {}", statement.version, statement.number);
                places.into_iter().map(move |place| (name.clone(), place.function))
            })
            .collect()
    }

    #[test]
    fn tags_belong_to_the_function_below_or_around() {
        let source = "\
// [MQTT-1.2.3-4] and in the older one 3.1.1: [MQTT-2.2.2-2]
#[test]
fn first() {
    // [MQTT-3.3.1-5]
}

// [MQTT-4.7.1-1]
#[test]
fn second() {
    todo();
}

const TABLE: &[u8] = &[
    // [MQTT-4.7.1-2]
    1,
];
";
        let owned = |name: &str| Some(name.to_owned());
        let expected = [
            ("3.1.1 2.2.2-2".to_owned(), owned("first")),
            ("5 1.2.3-4".to_owned(), owned("first")),
            ("5 3.3.1-5".to_owned(), owned("first")),
            ("5 4.7.1-1".to_owned(), owned("second")),
            ("5 4.7.1-2".to_owned(), None),
        ];
        assert_eq!(found(source, "broker/tests/x.rs"), expected);
        assert!(found(source, "broker/src/x.rs").iter().all(|(_, function)| function.is_none()));
    }

    #[test]
    fn a_statement_without_a_home_and_a_tag_without_a_statement_are_complained_of() {
        let list = "# words\n5\t1.1.1-1\tone\n5\t1.1.1-2\ttwo\tcannot be seen\tis everywhere\n";
        let statements = parse_list(list).expect("a list");
        let tag = |number: &str| {
            let place = Place { file: "x.rs".into(), function: None };
            Tags::from([(Statement { version: "5", number: number.to_owned() }, BTreeSet::from([place]))])
        };
        let none = Tags::new();
        let tags = |numbers: &[&str]| numbers.iter().flat_map(|number| tag(number)).collect::<Tags>();
        let one = tag("1.1.1-1");
        assert!(complain(&statements, &one, &one).is_ok());
        assert!(complain(&statements, &one, &none).is_err(), "no test");
        assert!(complain(&statements, &none, &one).is_err(), "no code");
        assert!(complain(&statements, &tags(&["1.1.1-1", "9.9.9-9"]), &one).is_err(), "unknown");
        assert!(complain(&statements, &one, &tags(&["1.1.1-1", "1.1.1-2"])).is_err(), "a test and a reason");
        assert!(complain(&statements, &tags(&["1.1.1-1", "1.1.1-2"]), &one).is_err(), "code and a reason");
        assert!(parse_list("4\t1.1.1-1\tone").is_err());
        assert!(parse_list("5\t1.1.1-1").is_err());
    }
}

//! The examples in `docs/http.md`, executed in their order by a shell, against a server that was just started. What the page
//! shows below a command is what the command printed; times and tags may differ, but not their form.

use crate::support::Server;
use std::{fs, path::Path, process::Command};

/// A block of commands and what it prints, with the line where it stands.
struct Example {
    line: usize,
    commands: String,
    printed: String,
}

#[test]
fn the_examples_print_what_the_page_shows() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/http.md")).unwrap();
    let examples = examples(&page);
    assert!(examples.len() >= 10, "{} examples", examples.len());
    let server = Server::start();
    for Example { line, commands, printed } in examples {
        // curl shows how far it is unless it writes to a terminal.
        let commands =
            commands.replace("127.0.0.1:8080", &server.http.to_string()).replace("curl ", "curl -s ");
        let output = Command::new("sh").args(["-c", &commands]).output().unwrap();
        let got = String::from_utf8(output.stdout).unwrap();
        assert_eq!(
            form(&got),
            form(&printed),
            "docs/http.md, line {line}:\n{commands}\nprinted\n{got}{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

fn examples(page: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let block = |lines: &mut std::iter::Enumerate<std::str::Lines<'_>>| -> String {
            let block = lines.map(|(_, line)| line).take_while(|line| *line != "```");
            block.map(|line| line.to_owned() + "\n").collect()
        };
        match line {
            "```sh" => {
                let commands = block(&mut lines);
                examples.push(Example { line: number + 2, commands, printed: String::new() });
            }
            "```text" => examples.last_mut().expect("commands before").printed = block(&mut lines),
            _ => {}
        }
    }
    examples
}

/// The text with every number and name that is made anew each time replaced by what it is; white space at the end of lines
/// left out.
fn form(text: &str) -> String {
    let mut text = text.replace('\r', "").trim_end().to_owned();
    for (what, is_part) in [
        ("DATE", is_date as fn(&str) -> Option<usize>),
        ("TIME", is_time),
        ("TAG", is_tag),
        ("MILLIS", is_millis),
    ] {
        let mut formed = String::new();
        let mut rest = text.as_str();
        while let Some(first) = rest.chars().next() {
            match is_part(rest) {
                Some(len) => {
                    formed += what;
                    rest = &rest[len..];
                }
                None => {
                    formed.push(first);
                    rest = &rest[first.len_utf8()..];
                }
            }
        }
        text = formed;
    }
    text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// Whether the text begins as the pattern says: `9` any digit, `x` any letter, anything else itself.
fn begins(text: &str, pattern: &str) -> Option<usize> {
    let fits = pattern.len() <= text.len()
        && pattern.bytes().zip(text.bytes()).all(|(pattern, byte)| match pattern {
            b'9' => byte.is_ascii_digit(),
            b'x' => byte.is_ascii_alphabetic(),
            pattern => pattern == byte,
        });
    fits.then_some(pattern.len())
}

fn is_date(text: &str) -> Option<usize> {
    begins(text, "xxx, 99 xxx 9999 99:99:99 GMT")
}

fn is_time(text: &str) -> Option<usize> {
    begins(text, "9999-99-99T99:99:99.999Z")
}

/// `"1a21e3157b4-1"`
fn is_tag(text: &str) -> Option<usize> {
    let (tag, _) = text.strip_prefix('"')?.split_once('"')?;
    let (millis, number) = tag.split_once('-')?;
    let are_hex = [millis, number]
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_hexdigit()));
    are_hex.then_some(tag.len() + 2)
}

fn is_millis(text: &str) -> Option<usize> {
    begins(text, "9999999999999")
}

//! Files of permissions in Mosquitto's format:
//!
//! ```text
//!   # a comment
//!   topic [read|write|readwrite|deny] TOPIC    before any user: for anonymous clients; behind one: for that user
//!   user NAME
//!   pattern [read|write|readwrite|deny] TOPIC  for everybody, wherever it stands; %u is the user, %c the client
//! ```
//!
//! An empty file permits nothing. A line that makes no sense is an error, never skipped: it may have been a denial.

use super::{LineError, OWN_USER, lines, passwords::check_user};
use luxwire_broker::{Access, Permissions, Rule};
use luxwire_shared::mqtt::{Level, Text, TopicFilter};

pub(super) fn parse(text: &str) -> Result<Permissions, LineError> {
    let mut permissions = Permissions::default();
    let mut user: Option<Text> = None;
    for (number, line) in lines(text) {
        let wrong = |why: String| LineError { line: number, why: format!("{why} (in {line:?})") };
        let words = line.trim_matches(BLANKS);
        if words.is_empty() || words.starts_with('#') {
            continue;
        }
        let (keyword, rest) = words.split_once(BLANKS).unwrap_or((words, ""));
        let rest = rest.trim_matches(BLANKS);
        match keyword {
            "topic" => {
                let rule = rule(rest).map_err(wrong)?;
                match &user {
                    None => permissions.anonymous.push(rule),
                    Some(user) => permissions.users.entry(user.clone()).or_default().push(rule),
                }
            }
            "pattern" => {
                let rule = rule(rest).map_err(wrong)?;
                check_pattern(&rule.filter).map_err(wrong)?;
                permissions.patterns.push(rule);
            }
            "user" => {
                check_user(rest).map_err(|why| match rest {
                    "" => wrong("user: which one?".to_owned()),
                    OWN_USER => wrong("no rule applies to luxwire, the server's own user".to_owned()),
                    _ => wrong(why.to_owned()),
                })?;
                let name = Text::try_from(rest).map_err(|error| wrong(error.to_string()))?;
                permissions.users.entry(name.clone()).or_default();
                user = Some(name);
            }
            _ => return Err(wrong("a line begins with topic, user, pattern or #".to_owned())),
        }
    }
    Ok(permissions)
}

/// `[read|write|readwrite|deny] TOPIC`. A topic with a blank in it needs the word before it.
fn rule(text: &str) -> Result<Rule, String> {
    let (access, topic) = match text.split_once(BLANKS) {
        None => (Access::ReadWrite, text),
        Some((word, topic)) => {
            let access = match word {
                "read" => Access::Read,
                "write" => Access::Write,
                "readwrite" => Access::ReadWrite,
                "deny" => Access::Deny,
                _ => return Err(format!("{word:?} is none of read, write, readwrite and deny")),
            };
            (access, topic.trim_matches(BLANKS))
        }
    };
    let filter = TopicFilter::try_from(topic).map_err(|error| match topic {
        "" => "of which topic?".to_owned(),
        _ => format!("{topic:?} is no topic: {error}"),
    })?;
    if topic.chars().any(char::is_control) {
        return Err(format!("{topic:?} has a control character in it"));
    }
    Ok(Rule { filter, access })
}

/// A name fills a level: otherwise `a%c` would say more than anybody sees at a glance.
fn check_pattern(filter: &TopicFilter) -> Result<(), String> {
    for level in filter.levels() {
        if let Level::Text(text) = level
            && (text.contains("%u") || text.contains("%c"))
            && !matches!(text, "%u" | "%c")
        {
            return Err(format!("%u and %c must fill a level of the topic, which is not so in {text:?}"));
        }
    }
    Ok(())
}

const BLANKS: [char; 2] = [' ', '\t'];

#[cfg(test)]
mod tests {
    use super::*;
    use luxwire_shared::mqtt::TopicName;

    fn text(text: &str) -> Text {
        Text::try_from(text).expect("text")
    }

    fn shown(rules: &[Rule]) -> Vec<String> {
        rules.iter().map(|rule| format!("{:?} {}", rule.access, rule.filter)).collect()
    }

    #[test]
    fn the_forms_of_mosquitto_are_read() {
        let file = "# anonymous\n\ntopic read $SYS/#\r\n  topic\tlights/+/intensity  \n\
            pattern write clients/%c/up\nuser anna b\ntopic deny safe/#\ntopic readwrite a b/c\n\
            #topic write never\nuser carl\npattern readwrite users/%u/#\ntopic write x\nuser anna b\ntopic read %u/x";
        let permissions = parse(file).expect("a good file");
        assert_eq!(shown(&permissions.anonymous), ["Read $SYS/#", "ReadWrite lights/+/intensity"]);
        assert_eq!(shown(&permissions.patterns), ["Write clients/%c/up", "ReadWrite users/%u/#"]);
        assert_eq!(
            shown(&permissions.users[&text("anna b")]),
            ["Deny safe/#", "ReadWrite a b/c", "Read %u/x"]
        );
        assert_eq!(shown(&permissions.users[&text("carl")]), ["Write x"]);
        // In a `topic` line %u is two characters.
        let anna = permissions.of(Some(&text("anna b")), Some("c")).expect("restricted");
        let topic = |name: &str| TopicName::try_from(name).expect("a topic");
        assert!(anna.may_read(&topic("%u/x")) && !anna.may_read(&topic("anna b/x")));
        assert!(anna.may_read(&topic("users/anna b/x")) && anna.may_write(&topic("clients/c/up")));
    }

    #[test]
    fn an_empty_file_permits_nothing() {
        for file in ["", "\n", "# nothing\n\n"] {
            let permissions = parse(file).expect("a good file");
            assert_eq!(permissions, Permissions::default());
            let rights = permissions.of(None, None).expect("restricted");
            assert!(!rights.may_read_some_of(&TopicFilter::try_from("#").expect("a filter")));
        }
    }

    #[test]
    fn a_line_that_makes_no_sense_is_named() {
        for (bad, words) in [
            ("topics read x", "begins with topic"),
            ("Topic read x", "begins with topic"),
            ("topic", "of which topic?"),
            ("topic read", "ReadWrite"),
            ("topic reed x", "\"reed\" is none of"),
            ("topic a b", "\"a\" is none of"),
            ("topic read a+", "+ must fill a level"),
            ("topic deny a/#/b", "# must fill the last"),
            ("topic read $share/g/x", "$share/GROUP/FILTER"),
            ("topic read a\u{7}b", "control character"),
            ("topic read a\0b", "no topic"),
            ("user", "which one?"),
            ("user \t", "which one?"),
            ("user luxwire", "the server's own user"),
            ("user a:b", "no colon"),
            ("pattern read a%c/x", "must fill a level"),
            ("pattern %u%c", "must fill a level"),
            ("pattern", "of which topic?"),
            ("\u{feff}topic read x", "begins with topic"),
        ] {
            let file = format!("topic read x\n{bad}\ntopic read y\n");
            let Err(error) = parse(&file) else {
                // One word behind `topic` is a topic, whatever word it is.
                assert_eq!((bad, words), ("topic read", "ReadWrite"));
                continue;
            };
            assert_eq!(error.line, 2, "{bad}");
            assert!(error.why.contains(words), "{bad}: {error}");
            assert!(!error.why.contains(['\n', '\u{7}', '\0']), "{error:?}");
        }
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let mut state = 7_u64;
        for _ in 0..20_000 {
            let file: String = (0..20)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let words = [
                        "topic", "user", "pattern", "read", "deny", " ", "\t", "\n", "#", "+", "/", "%u",
                        "$", "é", "\0",
                    ];
                    words[(state >> 33) as usize % words.len()]
                })
                .collect();
            let _ = parse(&file);
        }
    }
}

//! What command lines mean, and what is said about those that mean nothing. Mosquitto's programs are asked the same
//! questions in the server's tests.

use super::*;

fn parsed(program: Program, line: &str) -> Result<Wish, Mistake> {
    // An apostrophe alone stands for an empty argument.
    let arguments = line.split(' ').filter(|word| !word.is_empty());
    Flags::parse(program, arguments.map(|word| if word == "'" { "".into() } else { word.into() }).collect())
}

#[track_caller]
fn flags(program: Program, line: &str) -> Flags {
    match parsed(program, line) {
        Ok(Wish::Run(flags)) => *flags,
        other => panic!("{line}: {other:?}"),
    }
}

#[track_caller]
fn refused(program: Program, line: &str, sentence: &str) {
    let said = parsed(program, line).unwrap_err().to_string();
    assert_eq!(said.strip_prefix("Error: ").unwrap_or(&said), sentence, "{line}");
}

#[test]
fn defaults_are_those_that_people_know() {
    let flags = flags(Program::Publish, "-t a -n");
    assert_eq!((flags.host.as_str(), flags.port, flags.version), ("localhost", None, Version::V3_1_1));
    assert_eq!((flags.keep_alive_s, flags.in_flight_max.get(), flags.qos), (60, 20, QoS::AtMostOnce));
    assert_eq!((flags.session_expiry_s, flags.keeps_session, flags.publish.repeat), (None, false, 1));
}

#[test]
fn short_and_long_names_are_the_same() {
    let short = "-h h -p 1 -u u -P p -i i -k 9 -q 1 -V 5 -d -c -x 7 -t t";
    let long = "--host h --port 1 --username u --pw p --id i --keepalive 9 --qos 1 --protocol-version mqttv5 --debug \
                --disable-clean-session -x 7 --topic t";
    for (program, short_rest, long_rest) in [
        (Program::Publish, " -r -m m", " --retain --message m"),
        (Program::Publish, " -f f", " --file f"),
        (Program::Publish, " -l", " --stdin-line"),
        (Program::Publish, " -s", " --stdin-file"),
        (Program::Publish, " -n", " --null-message"),
        (Program::Subscribe, " -v -T a -U b", " --verbose --filter-out a --unsubscribe b"),
    ] {
        let [short, long] =
            [[short, short_rest], [long, long_rest]].map(|line| flags(program, &line.concat()));
        assert_eq!(format!("{short:?}"), format!("{long:?}"));
    }
}

#[test]
fn values_may_look_like_flags() {
    let flags = flags(Program::Publish, "-t -m -m -x");
    assert_eq!(
        (flags.topics, flags.publish.source),
        (vec!["-m".to_owned()], Some(Source::Argument(b"-x".into())))
    );
}

#[test]
fn flags_are_not_combined() {
    refused(Program::Publish, "-tm b", "Unknown option '-tm'.");
    refused(Program::Publish, "--topic=a", "Unknown option '--topic=a'.");
    refused(Program::Publish, "-t a -n a", "Unknown option 'a'.");
    refused(Program::Publish, "-t a -n -v", "Unknown option '-v'.");
    refused(Program::Subscribe, "-t a -m x", "Unknown option '-m'.");
    refused(Program::Subscribe, "-t a -r", "Unknown option '-r'.");
}

#[test]
fn a_url_says_everything_at_once() {
    let all = flags(Program::Publish, "-n -L mqtts://ann:p%40ss@house/a/b");
    assert_eq!((all.scheme, all.host.as_str(), all.port), (Scheme::Mqtts, "house", Some(8883)));
    assert_eq!((all.user_name.as_deref(), all.password.as_deref()), (Some("ann"), Some(&b"p@ss"[..])));
    assert_eq!(all.topics, ["a/b"]);
    let two = flags(Program::Subscribe, "-L mqtt://[::1]:7/a -t b");
    assert_eq!((two.host.as_str(), two.port, two.topics.len()), ("::1", Some(7), 2));
    let web = flags(Program::Subscribe, "-L ws://house:8080 -t b");
    assert_eq!((web.scheme, web.path.as_str(), web.port), (Scheme::Ws, "/mqtt", Some(8080)));
    assert_eq!(flags(Program::Subscribe, "-L wss://house/x/y -t b").path, "/x/y");
    refused(Program::Publish, "-n -L foo://house/a", "unsupported URL scheme.");
    refused(Program::Publish, "-n -L mqtt://house", "Invalid URL for -L argument specified - topic missing.");
}

#[test]
fn properties_make_it_version_5() {
    let flags = flags(
        Program::Publish,
        "-t a -n -D publish content-type text -D PUBLISH user-property k v -D publish user-property k w \
         -D connect receive-maximum 5 -D connect session-expiry-interval 9 -D will will-delay-interval 3 \
         -D subscribe subscription-identifier 4 -D disconnect reason-string bye",
    );
    assert_eq!(flags.version, Version::V5);
    assert_eq!(flags.publish.properties.content_type.as_deref(), Some("text"));
    assert_eq!(flags.publish.properties.user_properties.len(), 2);
    assert_eq!(flags.extras.connect.receive_maximum, NonZeroU16::new(5));
    assert_eq!((flags.session_expiry_s, flags.will.properties.will_delay_interval_s), (Some(9), Some(3)));
    assert_eq!(flags.extras.subscription_id.map(|id| id.number()), Some(4));
    assert_eq!(flags.extras.disconnect.reason_string.as_deref(), Some("bye"));
}

#[test]
fn properties_that_do_not_exist_are_refused() {
    for (property, sentence) in [
        ("publish content-type", "--property argument given but not enough arguments specified."),
        ("publish user-property a", "--property argument given but not enough arguments specified."),
        ("bogus user-property a b", "Invalid command given in --property argument."),
        ("publish bogus a", "Invalid property name given in --property argument."),
        (
            "publish receive-maximum 5",
            "receive-maximum property not allowed for publish in --property argument.",
        ),
        (
            "publish subscription-identifier 5",
            "subscription-identifier property not supported for publish in --property argument.",
        ),
        (
            "puback user-property a b",
            "user-property property not supported for puback in --property argument.",
        ),
        (
            "publish payload-format-indicator 300",
            "Property value (300) out of range for property payload-format-indicator.",
        ),
        (
            "publish message-expiry-interval -1",
            "Property value (-1) out of range for property message-expiry-interval.",
        ),
        ("publish topic-alias 70000", "Property value (70000) out of range for property topic-alias."),
        (
            "publish topic-alias 0",
            "Error in PUBLISH properties: A network protocol error occurred when communicating with the broker.",
        ),
        (
            "publish content-type a -D publish content-type b",
            "Error in PUBLISH properties: Duplicate property in property list",
        ),
        ("publish response-topic a/#", "Invalid response topic 'a/#', does it contain '+' or '#'?"),
        (
            "subscribe subscription-identifier 0",
            "Property value (0) out of range for property subscription-identifier.",
        ),
    ] {
        refused(Program::Publish, &format!("-t a -n -D {property}"), sentence);
    }
    refused(
        Program::Publish,
        "-t a -n -D publish content-type a -V 311",
        "Properties (-D) need MQTT v5: leave out the -V behind them.",
    );
}

#[test]
fn what_does_not_go_together_is_refused() {
    let id = "You must provide a client id if you are using";
    for (line, sentence) in [
        ("-t a -n -c", format!("{id} the -c option.")),
        ("-t a -n -c -V 5", format!("{id} an infinite session expiry interval.")),
        ("-t a -n -V 5 -x -1", format!("{id} an infinite session expiry interval.")),
        ("-t a -n -i x -I y", "-i and -I argument cannot be used together.".to_owned()),
        ("-t a -n -I y -i x", "-i and -I argument cannot be used together.".to_owned()),
        ("-t a -n -m x", "Only one type of message can be sent at once.".to_owned()),
        ("-t a -n --will-retain", "Will retain given, but no will topic given.".to_owned()),
        ("-t a -n -i '", "Invalid id.".to_owned()),
        ("-t a", "Both topic and message must be supplied.".to_owned()),
        ("", "Both topic and message must be supplied.".to_owned()),
    ] {
        refused(Program::Publish, line, &sentence);
    }
    let data_alone = "authentication-data belongs to an authentication-method, which is missing.";
    refused(Program::Subscribe, "-t a -D connect authentication-data x", data_alone);
    refused(Program::Subscribe, "-v", "You must specify a topic to subscribe to.");
    refused(
        Program::Subscribe,
        "-t a -R --retained-only",
        "Combining '-R' and '--retained-only' makes no sense.",
    );
}

#[test]
fn what_is_no_utf_8_is_a_payload_and_nothing_else() {
    use std::os::unix::ffi::OsStringExt as _;
    let line = |flag: &str| vec!["-t".into(), "a".into(), flag.into(), OsString::from_vec(vec![0xFF])];
    let Ok(Wish::Run(flags)) = Flags::parse(Program::Publish, line("-m")) else { panic!() };
    assert_eq!(flags.publish.source, Some(Source::Argument(vec![0xFF])));
    for flag in ["-t", "-h", "-u", "-i"] {
        let mistake = Flags::parse(Program::Publish, line(flag)).unwrap_err();
        assert_eq!(mistake.to_string(), format!("Error: Malformed UTF-8 in {flag} argument."));
    }
}

#[test]
fn help_and_version_come_first() {
    assert!(matches!(parsed(Program::Publish, "--help"), Ok(Wish::Help)));
    assert!(matches!(parsed(Program::Subscribe, "-t a --version -p 0"), Ok(Wish::Version)));
    for program in [Program::Publish, Program::Subscribe] {
        let help = crate::pub_sub::help(program);
        assert!(help.lines().all(|line| line.chars().count() <= 120), "lines fit a terminal");
    }
}

//! Command lines that both do the same with.

use super::{
    broker::Broker,
    programs::{Outcome, Whose},
};

/// Runs a line with both programs, and holds one to the other.
#[track_caller]
fn compare(broker: &Broker, line: &str, stdin: &str) -> (Outcome, Outcome) {
    let [mut theirs, mut ours] =
        [Whose::Mosquittos, Whose::Ours].map(|whose| whose.run(line, stdin, broker.address()));
    if line.matches("-t ").count() + line.matches("-L ").count() > 1 {
        // Which of several filters is answered first is the broker's to choose, each time.
        in_order(&mut theirs.out);
        in_order(&mut ours.out);
    }
    assert_eq!(ours.code, theirs.code, "exit code of: {line}\nours: {ours:#?}\ntheirs: {theirs:#?}");
    assert_eq!(ours.out, theirs.out, "standard output of: {line}");
    assert_eq!(ours.err, theirs.err, "standard error of: {line}");
    (theirs, ours)
}

fn in_order(text: &mut String) {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    *text = lines.join("\n");
}

/// What is published; each line with the standard input of its program. What arrives is compared, too.
const PUBLISHED: &[(&str, &str)] = &[
    ("pub -p PORT -t p/a -m hello", ""),
    ("pub -p PORT -t p/a -m 'two words'", ""),
    ("pub -p PORT -t p/a -m ''", ""),
    ("pub -p PORT -t p/a -n", ""),
    ("pub -p PORT -t p/a -n -r", ""),
    ("pub -p PORT -t p/a -m hello -q 1", ""),
    ("pub -p PORT -t p/a -m hello -q 2", ""),
    ("pub -p PORT -t p/a -m hello -q 2 -V 31", ""),
    ("pub -p PORT -t p/a -m hello -q 1 -V mqttv31 -i short", ""),
    ("pub -p PORT -t p/a -m hello -q 1 -V 311", ""),
    ("pub -p PORT -t p/a -m hello -q 1 -V mqttv311", ""),
    ("pub -p PORT -t p/a -m hello -q 1 -V 5 -i me", ""),
    ("pub -p PORT -t p/a -m hello -q 2 -V mqttv5 -i me", ""),
    ("pub -h 127.0.0.1 -p PORT -t p/a -m hello -i me", ""),
    ("pub --host localhost --port PORT --topic p/a --message hello --id me --qos 1 --debug", ""),
    ("pub -p PORT -t p/a -t p/b -m 'the last topic counts'", ""),
    ("pub -p PORT -t p/-m -m -m", ""),
    ("pub -p PORT -t p/é/ü -m ö", ""),
    ("pub -p PORT -t p/a -m hello -k 30 -c -i me", ""),
    ("pub -p PORT -t p/a -m hello -I pre", ""),
    ("pub -p PORT -t p/a -m hello -u somebody -P secret", ""),
    ("pub -p PORT -t p/a -m hello -P secret -V 5 -i me", ""),
    ("pub -p PORT -t p/a -m hello -x 5 -V 5 -i me", ""),
    ("pub -p PORT -t p/a -m hello -x 5", ""),
    ("pub -p PORT -t p/a -m hello -x -1 -V 5 -i me -x 0", ""),
    ("pub -p PORT -t p/a -m hello --repeat 3", ""),
    ("pub -p PORT -t p/a -m hello --repeat 3 -q 1", ""),
    ("pub -p PORT -t p/a -m hello --repeat 3 -q 2", ""),
    ("pub -p PORT -t p/a -m hello --repeat 2 --repeat-delay 0.05", ""),
    ("pub -p PORT -t p/a -m hello --repeat 2 --repeat-delay 0.05 -q 1", ""),
    ("pub -p PORT -t p/a -m hello -M 5 -q 1 --nodelay --quiet", ""),
    ("pub -p PORT -t p/a -m hello --will-topic w --will-payload gone --will-qos 2 --will-retain", ""),
    ("pub -p PORT -t p/a -m hello --will-topic w", ""),
    ("pub -p PORT -t p/a -m hello --will-qos 1", ""),
    ("pub -L mqtt://localhost:PORT/p/a/b -m hello", ""),
    ("pub -L mqtt://somebody:secret@localhost:PORT/p/a -m hello", ""),
    ("pub -m hello -L mqtt://127.0.0.1:PORT/p/a -q 1", ""),
    ("pub -p PORT -t p/a -s", "one\ntwo\n"),
    ("pub -p PORT -t p/a -s -q 2 --repeat 2", "one\ntwo\n"),
    ("pub -p PORT -t p/a --stdin-file -q 1", "é\u{0}x"),
    ("pub -p PORT -t p/a -l", "one\ntwo\n\nthree"),
    ("pub -p PORT -t p/a -l", "one\r\n\n\n"),
    ("pub -p PORT -t p/a --stdin-line", ""),
    ("pub -p PORT -t p/a -l -q 1", "one"),
    ("pub -p PORT -t p/a -f /dev/null", ""),
    ("pub -p PORT -t p/a -f /etc/hostname -q 1", ""),
    ("pub -p PORT -t p/a -m x -i me -D publish content-type text/plain", ""),
    ("pub -p PORT -t p/a -m x -i me -D publish correlation-data cd -D publish response-topic r", ""),
    ("pub -p PORT -t p/a -m x -i me -D publish payload-format-indicator 1", ""),
    ("pub -p PORT -t p/a -m x -i me -D publish message-expiry-interval 4294967295", ""),
    ("pub -p PORT -t p/a -m x -i me -D publish user-property k v -D publish user-property k w", ""),
    ("pub -p PORT -t p/a -m x -i me -D PUBLISH user-property '' ''", ""),
    ("pub -p PORT -t p/a -m x -i me -D connect user-property k v -D disconnect user-property k v", ""),
    ("pub -p PORT -t p/a -m x -i me -D connect receive-maximum 5 -D connect maximum-packet-size 100", ""),
    ("pub -p PORT -t p/a -m x -i me -D connect session-expiry-interval 5", ""),
    ("pub -p PORT -t p/a -m x -i me -D connect request-problem-information 0", ""),
    ("pub -p PORT -t p/a -m x -i me -D will will-delay-interval 5 --will-topic w", ""),
    ("pub -p PORT -t p/a -m x -i me -D subscribe user-property k v", ""),
];

fn check_published(broker: &Broker) {
    let mut witness = broker.witness();
    for (line, stdin) in PUBLISHED {
        let line = format!("{line} -d");
        let (theirs, _) = compare(broker, &line, stdin);
        let sent = theirs.out.matches("sending PUBLISH").count();
        let [first, second] = [(); 2].map(|()| {
            let mut messages = witness.messages(sent);
            // Two runs may begin in different seconds.
            for properties in messages.iter_mut().filter_map(|message| message.properties.as_mut()) {
                properties.message_expiry_interval_s = properties.message_expiry_interval_s.map(|_| 0);
            }
            messages
        });
        assert_eq!(first, second, "what arrived from: {line}");
    }
}

#[test]
fn what_is_published_at_our_broker() {
    check_published(&Broker::luxwire());
}

#[test]
fn what_is_published_at_mosquitto() {
    check_published(&Broker::mosquitto());
}

/// What is shown of kept messages, mistakes left out.
const FOLLOWED: &[&str] = &[
    "sub -p PORT -t r/1 -C 1",
    "sub -p PORT -t r/# -C 4",
    "sub -p PORT -t r/# -C 4 -v",
    "sub -p PORT -t r/# -C 4 -v -V 31",
    "sub -p PORT -t r/# -C 4 -v -V 5 -q 1",
    "sub -p PORT -t r/+ -C 4 -q 2",
    "sub -p PORT -t r/1 -t r/2 -C 2 -v",
    "sub -p PORT -t r/1 -C 1 -d",
    "sub -p PORT -t r/5 -C 1 -d -q 1 -i me",
    "sub -p PORT -t r/5 -C 1 -d -q 1 -V 5 -i me",
    "sub -p PORT -t r/5 -C 1 -d -q 1 -V 31",
    "sub --port PORT --topic r/1 -C 1 --verbose --qos 2 --keepalive 10 --id me --host localhost",
    "sub -p PORT -t r/1 -t none -E -d",
    "sub -p PORT -t r/# -E -v",
    "sub -p PORT -t r/1 -E -U r/1 -d -i me",
    "sub -p PORT -t r/1 -E --retain-as-published -V 5 -d -i me",
    "sub -p PORT -t r/1 -E --retain-as-published -d -i me",
    "sub -p PORT -t r/1 -C 1 -N",
    "sub -p PORT -t r/# -C 4 -N -v",
    "sub -p PORT -t r/# -C 4 -F '%t:%p:%l:%q:%r:%m:%x'",
    "sub -p PORT -t r/# -C 4 -F '%t:%l:%q:%r:%m:%X' -q 1",
    "sub -p PORT -t r/# -C 4 -F %t -N",
    "sub -p PORT -t r/1 -C 1 -F ''",
    "sub -p PORT -t r/1 -C 1 -v -F %p",
    "sub -p PORT -t r/1 -C 1 -F %t -F %p",
    "sub -p PORT -t r/5 -C 1 -V 5 -q 1 -F 'A=%A C=%C D=%D F=%F P=%P R=%R S=%S E=%E'",
    "sub -p PORT -t r/1 -C 1 -F 'A=%A C=%C D=%D F=%F P=%P R=%R S=%S E=%E'",
    "sub -p PORT -t r/5 -C 1 -V 5 -F '%5A|%20C|%8E|%3F|%10R|%4S|%10t|%5l|%5m|%10p|%30I|'",
    "sub -p PORT -t r/5 -C 1 -V 5 -F '%05A|%020C|%08E|%03F|%010R|%04S|%010t|%05l|%05m|%010p|'",
    "sub -p PORT -t r/5 -C 1 -V 5 -F '%-5A|%-20C|%-8E|%-3F|%-10R|%-4S|%-10t|%-5l|%-05m|%-10p|%-30I|'",
    "sub -p PORT -t r/5 -C 1 -V 5 -F '%.4C|%10.4C|%-10.4C|%.10I|%.2R|%.1t|%5.2t|%.3x|%.1l|%.1p|%5.3p|'",
    "sub -p PORT -t r/1 -C 1 -F '%I @Y-@m-@dT@H:@M:@S@z @@ %% \\\\ \\n\\t\\e[1m\\a\\v\\r\\0end'",
    "sub -p PORT -t r/1 -C 1 -F '@a @A @b @B @C @d @D @e @F @g @G @h @j @p @P @u @U @V @w @W @x @y @Y @z @Z'",
    "sub -p PORT -t r/1 -C 1 -F 'é%t@é@q@!'",
    "sub -p PORT -t r/# -C 4 -F %j",
    "sub -p PORT -t r/# -C 4 -F %J -q 1",
    "sub -p PORT -t r/# -C 3 -F %j --pretty",
    "sub -p PORT -t r/2 -C 1 -F %J -V 5 --pretty",
    "sub -p PORT -t r/1 -C 1 -F %j -D subscribe subscription-identifier 77",
    "sub -p PORT -t r/1 -C 1 -F '%S %05S' -D subscribe subscription-identifier 77",
    "sub -p PORT -t r/1 -C 1 -D subscribe user-property k v -D connect user-property k v",
    "sub -p PORT -t r/# -T r/1 -T r/5 -C 2 -v",
    "sub -p PORT -t r/# --filter-out r/+ -E",
    "sub -p PORT -t r/1 -C 1 -W 5",
    "sub -p PORT -t r/1 -C 1 --nodelay --quiet -M 4 --pretty -k 9",
    "sub -p PORT -t none -W 1",
    "sub -p PORT -t r/# -C 20 -W 1 -v",
    "sub -p PORT -t r/# -R -W 1",
    "sub -p PORT -t none -W 1 -d",
    "sub -p PORT -t r/1 -t x -U x -U y -E -d -i me",
    "sub -p PORT -t r/1 -C 1 -c -i kept",
    "sub -p PORT -t r/1 -C 1 -c -i kept -V 5 -x 10",
    "sub -p PORT -t r/1 -E -d -V 5 -x ∞ -i me",
    "sub -p PORT -t r/1 -C 1 -u somebody -P secret",
    "sub -p PORT -t r/1 -C 1 --will-topic w --will-payload gone",
    "sub -L mqtt://localhost:PORT/r/1 -C 1 -v",
    "sub -L mqtt://localhost:PORT/r/1 -t r/2 -C 2 -v",
    "sub -t r/2 -L mqtt://u:p@localhost:PORT/r/1 -C 2 -v",
];

fn check_followed(broker: &Broker) {
    broker.seed();
    for line in FOLLOWED {
        // Our broker may send properties in another order than they came in; Mosquitto's program shows that.
        compare(broker, line, "");
    }
}

#[test]
fn what_is_followed_at_our_broker() {
    check_followed(&Broker::luxwire());
}

#[test]
fn what_is_followed_at_mosquitto() {
    check_followed(&Broker::mosquitto());
}

#[test]
fn kept_messages_are_cleared() {
    for broker in [Broker::luxwire(), Broker::mosquitto()] {
        let show = "sub -p PORT -t r/# --retained-only -v -W 1";
        let outcomes = [Whose::Mosquittos, Whose::Ours].map(|whose| {
            broker.seed();
            let clear = "sub -p PORT -t r/# --remove-retained -T r/3 -W 1";
            let cleared = whose.run(clear, "", broker.address());
            (cleared, whose.run(show, "", broker.address()))
        });
        assert_eq!(outcomes[0], outcomes[1]);
        assert!(outcomes[1].1.out.starts_with("r/3 ") && !outcomes[1].1.out.contains("r/1"), "{outcomes:?}");
    }
}

/// What is wrong with a command line; no broker is needed.
const MISTAKEN: &[&str] = &[
    "pub -t",
    "pub -h",
    "pub -p",
    "pub -q",
    "pub -x",
    "pub -k",
    "pub -i",
    "pub -I",
    "pub -L",
    "pub -M",
    "pub -m",
    "pub -f",
    "pub -u",
    "pub -P",
    "pub -V",
    "pub --repeat",
    "pub --repeat-delay",
    "pub --will-topic",
    "pub --will-payload",
    "pub --will-qos",
    "pub --cafile",
    "pub -D",
    "pub -p 70000 -t a -m b",
    "pub -p -1 -t a -m b",
    "pub -q 3 -t a -m b",
    "pub -t a/# -m b",
    "pub -t a -m b -n",
    "pub -t a -m b -m c",
    "pub -t a -l -f x",
    "pub -t a -s -n",
    "pub -t a -m b -k 3",
    "pub -t a -m b -k 70000",
    "pub -t a -m b -k x",
    "pub -t a -m b -k 0",
    "pub -t a -m b -V 4",
    "pub -t a -m b --bogus",
    "pub -t a -m b bogus",
    "pub -tm b",
    "pub -t a -m b -v",
    "pub -t a -m b -C 1",
    "pub -t a -m b -i x -I y",
    "pub -t a -m b -I y -i x",
    "pub -m b -L foo://host/topic",
    "pub -m b -L mqtt://localhost",
    "pub -t a -m b -c",
    "pub -t a -m b -c -V 5",
    "pub -t a -m b -x -1 -V 5",
    "pub -t a -m b -x foo -V 5",
    "pub -t a -m b -x 10x -V 5",
    "pub -t a -m b -x -5 -V 5",
    "pub -t a -m b -x 4294967296 -V 5",
    "pub -t a -m b --repeat 0",
    "pub -t a -m b --repeat x",
    "pub -t a -m b --repeat-delay -1",
    "pub -t a -m b -M 0",
    "pub -t a -m b --will-payload x",
    "pub -t a -m b --will-retain",
    "pub -t a -m b --will-topic x/#",
    "pub -t a -m b --will-topic x --will-qos 4",
    "pub -t a -m b -D publish",
    "pub -t a -m b -D publish content-type",
    "pub -t a -m b -D publish user-property a",
    "pub -t a -m b -D bogus user-property a b",
    "pub -t a -m b -D publish bogus a b",
    "pub -t a -m b -D publish receive-maximum 5",
    "pub -t a -m b -D publish subscription-identifier 5",
    "pub -t a -m b -D auth user-property a b",
    "pub -t a -m b -D puback user-property a b",
    "pub -t a -m b -D will topic-alias 5 --will-topic x",
    "pub -t a -m b -D publish payload-format-indicator 300",
    "pub -t a -m b -D publish message-expiry-interval 99999999999",
    "pub -t a -m b -D publish message-expiry-interval -1",
    "pub -t a -m b -D publish topic-alias 70000",
    "pub -t a -m b -D publish topic-alias 0",
    "pub -t a -m b -D connect receive-maximum 0",
    "pub -t a -m b -D connect maximum-packet-size 0",
    "pub -t a -m b -D publish content-type a -D publish content-type b",
    "pub -t a -f /nonexistent",
    "pub -t a -s",
    "sub",
    "sub -t",
    "sub -U x",
    "sub -t a#",
    "sub -t a/+b",
    "sub -t a -T a#",
    "sub -t a -T",
    "sub -t a -U a#",
    "sub -t a -U",
    "sub -t a -C",
    "sub -t a -C 0",
    "sub -t a -W",
    "sub -t a -W 0",
    "sub -t a -F",
    "sub -t a -F %",
    "sub -t a -F abc%5",
    "sub -t a -F %5.5",
    "sub -t a -F x@",
    "sub -t a -F abc\\",
    "sub -t a -F \\q",
    "sub -t a -F %Z",
    "sub -t a -F %d",
    "sub -t a -F %0-5l",
    "sub -t a -F %--5l",
    "sub -t a -F %5@",
    "sub -t a --random-filter",
    "sub -t a --random-filter 0",
    "sub -t a -m x",
    "sub -t a -n",
    "sub -t a -l",
    "sub -t a -r",
    "sub -t a -f x",
    "sub -t a --repeat 3",
    "sub -t a -c",
    "sub -L mqtt://localhost -t a",
    "sub -L foo://localhost -t a",
    // There is no broker at this port.
    "pub -p 1 -t a -m b",
    "pub -p 1 -t a -m b -V 5 -q 2 -d",
    "pub -p 1 -t a -m b --quiet",
    "pub -p 1 -t a -l",
    "sub -p 1 -t a",
    "sub -p 1 -t a -v -V 5 -W 3",
    "sub -p 1 -t a --quiet",
    "sub -h ::1 -p 1 -t a",
    "pub -h no-such-host.invalid -t a -m b",
    "sub -h no-such-host.invalid -t a",
];

#[test]
fn mistakes_are_answered_alike() {
    let broker = Broker::mosquitto();
    for line in MISTAKEN {
        compare(&broker, line, "");
    }
}

#[test]
fn without_topic_or_message_both_show_their_help() {
    let broker = Broker::mosquitto();
    for line in ["pub", "pub -t a", "pub -m a"] {
        let [theirs, ours] =
            [Whose::Mosquittos, Whose::Ours].map(|whose| whose.run(line, "", broker.address()));
        assert_eq!((ours.code, &ours.err), (theirs.code, &theirs.err), "{line}");
        assert!(ours.out.contains("Usage: luxwire pub"), "{line}: {ours:?}");
    }
}

#[test]
fn who_may_not_come_in_is_told_alike() {
    let broker = Broker::mosquitto_with_password();
    for line in [
        "pub -p PORT -t a -m b",
        "pub -p PORT -t a -m b -V 31",
        "pub -p PORT -t a -m b -u ann -P wrong",
        "pub -p PORT -t a -m b -u ann -P secret -q 1",
        "pub -p PORT -t a -m b -V 5",
        "pub -p PORT -t a -m b -V 5 -u ann -P wrong --quiet",
        "pub -L mqtt://ann:secret@localhost:PORT/a -m b -q 1",
        "pub -L mqtt://ann@localhost:PORT/a -m b",
        "sub -p PORT -t a",
        "sub -p PORT -t a -V 5",
        "sub -p PORT -t a -u ann -P secret -E",
        "sub -p PORT -t a -D connect authentication-method x -i me",
    ] {
        compare(&broker, line, "");
    }
}

//! Brokers that refuse: what both say then, and their exit codes.

use super::programs::{Outcome, Whose};
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
};

/// Answers CONNECT and SUBSCRIBE with these bytes, and says nothing else. Ends with the test program.
fn broker(connack: &'static [u8], suback: Option<&'static [u8]>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || answer(client, connack, suback));
        }
    });
    address
}

fn answer(mut client: TcpStream, connack: &[u8], suback: Option<&[u8]>) {
    let mut packet = [0; 1024];
    let Ok(1..) = client.read(&mut packet) else { return };
    let _ = client.write_all(connack);
    while let Ok(1..) = client.read(&mut packet) {
        if let (0x82, Some(suback)) = (packet[0], suback) {
            let _ = client.write_all(suback);
        }
    }
}

#[track_caller]
fn both(line: &str, broker: SocketAddr) -> [Outcome; 2] {
    [Whose::Mosquittos, Whose::Ours].map(|whose| whose.run(line, "", broker))
}

#[test]
fn refusals_have_the_brokers_number() {
    for (version, connack, code) in [
        ("311", &[0x20, 2, 0, 1][..], 1),
        ("311", &[0x20, 2, 0, 2], 2),
        ("311", &[0x20, 2, 0, 3], 3),
        ("311", &[0x20, 2, 0, 5], 5),
        ("31", &[0x20, 2, 0, 4], 4),
        ("5", &[0x20, 3, 0, 0x80, 0], 128),
        ("5", &[0x20, 3, 0, 0x84, 0], 132),
        ("5", &[0x20, 3, 0, 0x85, 0], 133),
        ("5", &[0x20, 3, 0, 0x86, 0], 134),
        ("5", &[0x20, 3, 0, 0x87, 0], 135),
        ("5", &[0x20, 3, 0, 0x88, 0], 136),
        ("5", &[0x20, 3, 0, 0x97, 0], 151),
        ("5", &[0x20, 3, 0, 0x9F, 0], 159),
    ] {
        let broker = broker(connack, None);
        // A subscriber of theirs says goodbye to who did not let it in.
        for program in ["pub -p PORT -t a -m b -q 1 -d", "sub -p PORT -t a"] {
            let [theirs, ours] = both(&format!("{program} -V {version} -i me"), broker);
            assert_eq!(ours, theirs, "{program} {connack:02x?}");
            assert_eq!(ours.code, Some(code));
        }
    }
}

#[test]
fn a_subscription_that_is_denied_is_said_to_be() {
    for (version, connack, suback) in [
        ("311", &[0x20, 2, 0, 0][..], &[0x90, 3, 0, 1, 0x80][..]),
        ("5", &[0x20, 3, 0, 0, 0], &[0x90, 4, 0, 1, 0, 0x87]),
    ] {
        let broker = broker(connack, Some(suback));
        for line in
            [format!("sub -p PORT -t a -V {version} -d -i me"), format!("sub -p PORT -t a -V {version} -E")]
        {
            let [theirs, ours] = both(&line, broker);
            assert_eq!((&ours.out, &ours.err), (&theirs.out, &theirs.err), "{line}");
            // To a script silence and success would look like there being nothing to hear.
            assert_eq!((theirs.code, ours.code), (Some(0), Some(1)), "{line}");
        }
    }
}

#[test]
fn a_subscription_that_is_denied_in_part_goes_on() {
    let broker = broker(&[0x20, 3, 0, 0, 0], Some(&[0x90, 5, 0, 1, 0, 0x87, 0]));
    let line = "sub -p PORT -t a -t b -V 5 -d -i me -W 1";
    let [theirs, ours] = both(line, broker);
    assert_eq!((ours.code, &ours.out), (theirs.code, &theirs.out));
    assert_eq!(ours.err, "Warning: Subscription to a was denied: Not authorized.\nTimed out\n");
}

#[test]
fn a_message_that_the_broker_does_not_take_is_an_error() {
    for (connack, says) in [
        // Maximum QoS 1, no retained messages, at most 40 bytes.
        (&[0x20, 5, 0, 0, 2, 0x24, 1][..], "Error: Message QoS not supported on broker, try a lower QoS.\n"),
        (&[0x20, 5, 0, 0, 2, 0x25, 0], "Error: Retain not supported.\n"),
        (&[0x20, 8, 0, 0, 5, 0x27, 0, 0, 0, 40], "Error: Message payload is too large.\n"),
    ] {
        let broker = broker(connack, None);
        let line = "pub -p PORT -t a -r -q 2 -V 5 -i me -m 'a payload of some length, which no short packet can hold'";
        let ours = Whose::Ours.run(line, "", broker);
        assert_eq!((ours.code, ours.err.as_str()), (Some(1), says), "{connack:02x?}");
    }
}

#[test]
fn a_message_that_is_refused_is_a_warning() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let mut packet = [0; 1024];
            let _ = client.read(&mut packet);
            let _ = client.write_all(&[0x20, 3, 0, 0, 0]);
            while let Ok(1..) = client.read(&mut packet) {
                if packet[0] >> 4 == 3 {
                    let _ = client.write_all(&[0x40, 3, 0, 1, 0x87]);
                }
            }
        }
    });
    let [theirs, ours] = both("pub -p PORT -t a -m b -q 1 -V 5 -d -i me", address);
    assert_eq!(ours, theirs);
    assert!(ours.err.contains("Warning: Publish 1 failed: Not authorized."), "{ours:?}");
}

#[test]
fn a_connection_that_is_lost_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let mut packet = [0; 1024];
            let _ = client.read(&mut packet);
            let _ = client.write_all(&[0x20, 2, 0, 0]);
            // Takes the message and goes.
            let _ = client.read(&mut packet);
        }
    });
    let [theirs, ours] = both("pub -p PORT -t a -m b -q 1 -i me -d", address);
    assert_eq!(ours, theirs);
    assert_eq!((ours.code, ours.err.as_str()), (Some(7), "Error: The connection was lost.\n"));
}

/// Reads a PUBLISH at QoS 1 or 2 with a topic of one letter; gives its identifier and its payload.
fn published(client: &mut TcpStream) -> ([u8; 2], Vec<u8>) {
    let mut head = [0; 2];
    client.read_exact(&mut head).unwrap();
    assert_eq!(head[0] >> 4, 3, "a PUBLISH");
    let mut body = vec![0; head[1].into()];
    client.read_exact(&mut body).unwrap();
    ([body[3], body[4]], body[5..].to_vec())
}

#[test]
fn lines_that_were_not_acknowledged_are_sent_again_where_that_is_allowed() {
    let welcome = |listener: &TcpListener| {
        let (mut client, _) = listener.accept().unwrap();
        let mut connect = [0; 1024];
        let _ = client.read(&mut connect).unwrap();
        client.write_all(&[0x20, 2, 0, 0]).unwrap();
        client
    };
    for qos in [1, 2] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let line = format!("pub -p PORT -t a -l -q {qos} -i me");
        let publisher = thread::spawn(move || Whose::Ours.run(&line, "one\ntwo", address));
        let mut client = welcome(&listener);
        assert_eq!([published(&mut client).1, published(&mut client).1], [b"one", b"two"]);
        drop(client);
        let mut client = welcome(&listener);
        if qos == 1 {
            for line in [b"one", b"two"] {
                let (id, payload) = published(&mut client);
                assert_eq!(payload, line);
                client.write_all(&[0x40, 2, id[0], id[1]]).unwrap();
            }
        }
        let mut goodbye = Vec::new();
        client.read_to_end(&mut goodbye).unwrap();
        assert_eq!(goodbye, [0xE0, 0]);
        let outcome = publisher.join().unwrap();
        assert_eq!(outcome.code, Some(if qos == 1 { 0 } else { 1 }), "{outcome:?}");
        assert_eq!(
            outcome.err.matches("Warning: Publish").count(),
            if qos == 1 { 0 } else { 2 },
            "{outcome:?}"
        );
    }
}

//! Both over TLS, to a Mosquitto whose certificate is its own authority.

use super::{broker::Broker, programs::Whose};
use std::net::SocketAddr;

/// The exit codes and the last lines of standard error.
fn both(line: &str, broker: SocketAddr) -> [(Option<i32>, String); 2] {
    [Whose::Mosquittos, Whose::Ours].map(|whose| {
        let outcome = whose.run(line, "", broker);
        (outcome.code, outcome.err.lines().last().unwrap_or_default().to_owned())
    })
}

#[test]
fn certificates_are_checked_alike() {
    let (broker, certificate) = Broker::mosquitto_with_tls();
    let (address, certificate) = (broker.address(), certificate.display().to_string());
    let refused = "Error: A TLS error occurred.";
    for (line, code, says) in [
        (format!("pub -h localhost -p PORT --cafile {certificate} -t a -m b -q 1"), 0, ""),
        (format!("pub --cafile {certificate} -L mqtts://localhost:PORT/a -m b -V 5 -q 2"), 0, ""),
        (format!("sub -h localhost -p PORT --cafile {certificate} -t a -E"), 0, ""),
        // The certificate is another host's.
        (format!("pub -h 127.0.0.1 -p PORT --cafile {certificate} -t a -m b"), 8, refused),
        // The system's authorities do not vouch for it.
        ("sub -h localhost -p PORT --tls-use-os-certs -t a".to_owned(), 8, refused),
        ("pub -L mqtts://localhost:PORT/a -m b".to_owned(), 8, refused),
    ] {
        let [theirs, ours] = both(&line, address);
        assert_eq!(ours, (Some(code), says.to_owned()), "{line}");
        // Where it fails, the code of theirs depends on when it does.
        assert_eq!(ours.0 == Some(0), theirs.0 == Some(0), "{line}: {theirs:?}");
    }
    let missing = "pub -p PORT --cafile /nonexistent -t a -m b";
    let [theirs, ours] = both(missing, address);
    assert_eq!(ours, theirs, "{missing}");
}

#[test]
fn a_broker_without_tls_is_told_from_one_with() {
    let broker = Broker::mosquitto();
    let outcome = Whose::Ours.run("pub -L mqtts://localhost:PORT/a -m b", "", broker.address());
    assert_eq!(outcome.code, Some(8), "{outcome:?}");
    assert!(outcome.err.ends_with("Error: A TLS error occurred.\n"), "{outcome:?}");
}

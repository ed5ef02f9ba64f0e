//! What was let go goes back to the system, whatever lies behind it.

use crate::support::{Client, Server, eventually};
use luxwire_shared::mqtt::{QoS, Version};

/// A good house's worth of values.
const VALUES: usize = 20_000;

#[test]
fn what_retained_values_took_is_given_back_when_they_are_cleared() {
    let server = Server::start();
    let mut client = Client::connected(server.mqtt, Version::V3_1_1, "setter");
    let set = |client: &mut Client, numbers: &mut dyn Iterator<Item = usize>, payload: &[u8]| {
        for number in numbers {
            client.publish(&format!("house/{number}"), payload.to_vec(), QoS::AtMostOnce, true);
        }
        client.ping();
    };
    // So that tables have the size that they keep.
    set(&mut client, &mut (0..VALUES), b"");
    let before = server.resident();
    set(&mut client, &mut (0..VALUES), &[b'x'; 300]);
    let took = server.resident() - before;
    assert!(took > (VALUES * 300) as u64, "{took} bytes");
    // A few stay, and each lies behind hundreds that go.
    set(&mut client, &mut (0..VALUES).filter(|number| number % 500 != 499), b"");
    eventually("most of the memory back with the system", || {
        (server.resident() < before + took / 4).then_some(())
    });
}

//! Sections 3.12 and 3.14, PINGREQ and DISCONNECT, and how the broker itself ends.

use crate::driver::{World, packets::*};
use luxwire_broker::{CloseReason, Input};
use luxwire_shared::mqtt::{Packet, ReasonCode};

// [MQTT-3.14.4-3] [MQTT-3.1.2-8] [MQTT-3.1.2-10]
#[test]
fn a_normal_ending_discards_the_will_and_every_other_publishes_it() {
    let endings = [
        (ReasonCode::Success, 0),
        (ReasonCode::DisconnectWithWill, 1),
        (ReasonCode::Unspecified, 1),
        (ReasonCode::ImplementationSpecific, 1),
    ];
    for (reason, wills) in endings {
        let mut world = World::new();
        let page = world.connect(v5("page"));
        world.subscribe(page, "w", Q0);
        let lamp = world.connect(v5("lamp").will(will("w", "bye")));
        world.send(lamp, disconnect(reason));
        assert_eq!(world.expect_closed(lamp), CloseReason::Disconnected(reason));
        assert_eq!(world.take_all(page).len(), wills);
        // The edge's report that the link is closed changes nothing more.
        world.cut(lamp);
        world.expect_nothing(page);
    }
}

// [MQTT-3.14.2-2] Section 3.14.2.2.2.
#[test]
fn disconnect_may_change_the_session_expiry() {
    let mut world = World::new();
    let client = world.connect(v5("a").expiry_s(10));
    world.send(client, disconnect_with_expiry_s(100));
    world.expect_closed(client);
    world.wait_s(99);
    assert_eq!(world.broker.statistics().sessions, 1);
    world.wait_s(1);
    assert_eq!(world.broker.statistics().sessions, 0);

    let client = world.connect(v5("a").expiry_s(10));
    world.send(client, disconnect_with_expiry_s(0));
    world.expect_closed(client);
    assert_eq!(world.broker.statistics().sessions, 0);
}

// [MQTT-3.14.2.2.2]
#[test]
fn an_expiry_of_0_cannot_be_raised() {
    let mut world = World::new();
    let page = world.connect(v5("page"));
    world.subscribe(page, "w", Q0);
    let client = world.connect(v5("a").will(will("w", "bye")));
    world.send(client, disconnect_with_expiry_s(10));
    world.expect_disconnected(client, ReasonCode::ProtocolError);
    assert_eq!(world.take_all(page).len(), 1);
    assert_eq!(world.broker.statistics().sessions, 1);
    // Saying 0 once more is no error.
    let client = world.connect(v5("a"));
    world.send(client, disconnect_with_expiry_s(0));
    assert_eq!(world.expect_closed(client), CloseReason::Disconnected(ReasonCode::Success));
}

// The limit holds here as well.
#[test]
fn disconnect_does_not_raise_the_expiry_above_the_limit() {
    let mut world = World::with(|limits| limits.session_expiry_s = 50);
    let client = world.connect(v5("a").expiry_s(10));
    world.send(client, disconnect_with_expiry_s(u32::MAX));
    world.expect_closed(client);
    world.wait_s(50);
    assert_eq!(world.broker.statistics().sessions, 0);
}

// [MQTT-3.12.4-1]
#[test]
fn a_ping_is_answered() {
    for connecting in [v5("a"), v3("a")] {
        let mut world = World::new();
        let client = world.connect(connecting);
        world.send(client, Packet::Pingreq);
        world.expect_packet(client, Packet::Pingresp);
        world.expect_nothing(client);
    }
}

// [MQTT-3.14.4-1] [MQTT-3.14.4-2] [MQTT-3.14.2-1] [MQTT-3.14.2-3] [MQTT-3.14.2-4]
#[test]
fn stopping_tells_5_0_clients_and_closes_every_link() {
    let mut world = World::new();
    let (new, old, silent) = (world.connect(v5("new")), world.connect(v3("old")), world.open());
    world.input(Input::Stop);
    world.expect_disconnected(new, ReasonCode::ServerShuttingDown);
    assert_eq!(world.expect_closed(old), CloseReason::Stopping);
    assert_eq!(world.expect_closed(silent), CloseReason::Stopping);
    assert_eq!(world.broker.statistics().links, 0);
}

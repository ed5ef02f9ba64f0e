//! An hour of a house and a fleet, in virtual time: sessions, subscriptions, retained values, wills, takeovers and messages
//! under way come and go, each under a name that never comes again. Once everybody has left, the broker has as much as
//! before the first came, and nothing to wait for. What that is in bytes is shown with the whole server, in
//! `server/tests/bad_input/churn.rs`.

#[path = "driver/mod.rs"]
mod driver;

use driver::{World, packets::*};
use luxwire_broker::Statistics;
use luxwire_shared::mqtt::{QoS, Will};

const LIVES: u64 = 1_000;

/// How many are away at a time, with their sessions.
const AWAY: u64 = 100;

#[test]
fn when_everybody_has_left_the_broker_has_what_it_had_and_waits_for_nothing() {
    let mut world = World::with(|limits| limits.session_queue_messages = 20);
    let hub = world.connect(v5("hub").keep_alive_s(0));
    let empty = world.broker.statistics();
    assert_eq!(world.broker.next_deadline(), None);

    let mut top = Statistics::default();
    for number in 0..LIVES {
        live(&mut world, hub, number);
        let now = world.broker.statistics();
        top.sessions = top.sessions.max(now.sessions);
        top.subscriptions = top.subscriptions.max(now.subscriptions);
        top.retained_messages = top.retained_messages.max(now.retained_messages);
        top.queued_messages = top.queued_messages.max(now.queued_messages);
        top.in_flight_messages = top.in_flight_messages.max(now.in_flight_messages);
        if number >= AWAY {
            discard(&mut world, hub, number - AWAY);
        }
        world.wait_s(1);
        world.take_all(hub);
    }
    // It was an hour with something in it, and never more at a time than was meant.
    let sessions = AWAY as usize;
    assert!(top.sessions > sessions && top.sessions < 2 * sessions, "{top:?}");
    assert!(top.subscriptions > 3 * sessions && top.retained_messages > sessions, "{top:?}");
    assert!(top.queued_messages > sessions && top.in_flight_messages > sessions, "{top:?}");

    for number in LIVES - AWAY..LIVES {
        discard(&mut world, hub, number);
    }
    // The sessions that expire do so in their own time.
    world.wait_s(EXPIRY_S + DELAY_S);
    assert_eq!(world.broker.statistics(), empty);
    assert_eq!(world.broker.next_deadline(), None, "somebody who has left is still waited for");
}

const EXPIRY_S: u64 = 20;
const DELAY_S: u64 = 5;

/// One comes, leaves something of everything behind, and is cut off; another expires; a third never said CONNECT.
fn live(world: &mut World, hub: driver::Client, number: u64) {
    let own = format!("churn/{number}");
    let name = format!("client-{number}");

    let will =
        Will { retain: true, ..delayed_will(&format!("{own}/will"), "gone", (number % 2 * DELAY_S) as u32) };
    let client = world.connect(v5(&name).expiry_s(u32::MAX).will(will));
    for filter in [format!("{own}/#"), format!("churn/+/{number}/x"), format!("$share/{number}/{own}/+")] {
        world.subscribe(client, &filter, [QoS::AtLeastOnce, QoS::ExactlyOnce][(number % 2) as usize]);
    }
    for value in ["on", "off", ""] {
        world.publish_retained(client, &format!("{own}/state"), value, QoS::AtLeastOnce);
    }
    world.publish_retained(client, &format!("{own}/kept"), "until it is discarded", QoS::AtLeastOnce);
    // Received, and not acknowledged when the line is cut.
    world.publish(hub, &format!("{own}/x"), "one", QoS::AtLeastOnce);
    world.publish(hub, &format!("{own}/x"), "two", QoS::ExactlyOnce);
    if number.is_multiple_of(3) {
        world.take_all(client);
        world.leave(client);
    } else {
        world.cut(client);
    }
    // More than the queue holds.
    for _ in 0..25 {
        world.publish(hub, &format!("{own}/x"), "waits", QoS::AtLeastOnce);
    }
    if number.is_multiple_of(4) {
        let first = world.connect(v5(&name).resuming().expiry_s(u32::MAX));
        let second = world.connect(v5(&name).resuming().expiry_s(u32::MAX));
        assert!(world.is_closed(first));
        world.cut(second);
    }

    let brief = world.connect(v5(&format!("brief-{number}")).expiry_s(EXPIRY_S as u32));
    world.subscribe(brief, &format!("brief/{number}/+"), QoS::AtLeastOnce);
    world.cut(brief);
    world.publish(hub, &format!("brief/{number}/x"), "expires with the session", QoS::AtLeastOnce);

    let silent = world.open();
    world.cut(silent);
}

/// The session ends, and what its client left on the shelf goes too.
fn discard(world: &mut World, hub: driver::Client, number: u64) {
    let last = world.connect(v5(&format!("client-{number}")));
    world.leave(last);
    for place in ["kept", "will"] {
        world.publish_retained(hub, &format!("churn/{number}/{place}"), "", QoS::AtLeastOnce);
    }
}

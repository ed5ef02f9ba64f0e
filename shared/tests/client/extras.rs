//! What an application says in the client's packets besides what the client says itself.

use crate::rig::{Rig, options};
use luxwire_shared::{
    client::{Extras, Options},
    mqtt::{
        ConnackProperties, ConnectProperties, DisconnectProperties, Packet, SubscriptionId, UserProperties,
        Version,
    },
};

fn pair(name: &str) -> UserProperties {
    vec![(name.try_into().unwrap(), "value".try_into().unwrap())]
}

fn with_extras(version: Version) -> Options {
    let extras = Extras {
        connect: ConnectProperties { user_properties: pair("connect"), ..Default::default() },
        subscription_id: SubscriptionId::new(7),
        subscribe: pair("subscribe"),
        unsubscribe: pair("unsubscribe"),
        disconnect: DisconnectProperties { session_expiry_interval_s: Some(9), ..Default::default() },
    };
    Options { extras, session_expiry_s: 60, ..options(version) }
}

/// Everything after CONNECT.
fn conversation(rig: &mut Rig) -> Vec<Packet> {
    rig.subscribe(&["a"]);
    rig.unsubscribe(&["a"]);
    rig.client.disconnect(rig.now);
    rig.drive();
    rig.sent()
}

#[test]
fn each_packet_says_its_own() {
    let mut rig = Rig::new(with_extras(Version::V5));
    let connect = rig.greet(false, ConnackProperties::default());
    assert_eq!(connect.properties.user_properties, pair("connect"));
    assert_eq!(connect.properties.session_expiry_interval_s, Some(60), "the client's own affair");
    let sent = conversation(&mut rig);
    let [Packet::Subscribe(subscribe), Packet::Unsubscribe(unsubscribe), Packet::Disconnect(disconnect)] =
        sent.as_slice()
    else {
        panic!("{sent:?}")
    };
    assert_eq!(
        (subscribe.subscription_id, &subscribe.user_properties),
        (SubscriptionId::new(7), &pair("subscribe"))
    );
    assert_eq!(unsubscribe.user_properties, pair("unsubscribe"));
    assert_eq!(disconnect.properties.as_ref().unwrap().session_expiry_interval_s, Some(9));
}

#[test]
fn a_server_without_subscription_identifiers_is_sent_none() {
    let mut rig = Rig::new(with_extras(Version::V5));
    rig.greet(false, ConnackProperties { subscription_ids_available: Some(false), ..Default::default() });
    let Packet::Subscribe(subscribe) = conversation(&mut rig).remove(0) else { panic!() };
    assert_eq!(subscribe.subscription_id, None);
}

#[test]
fn older_versions_say_nothing_of_it() {
    for version in [Version::V3_1, Version::V3_1_1] {
        let mut with = Rig::online(with_extras(version));
        let mut without = Rig::online(Options { session_expiry_s: 60, ..options(version) });
        assert_eq!(conversation(&mut with), conversation(&mut without));
    }
}

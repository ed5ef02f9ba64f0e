//! What every client goes through, whatever it is called and whichever version it speaks: for each QoS a payload of 70 kB,
//! messages in order, a retained one to a late subscriber and its clearing, a will; and a session that is resumed.

use crate::broker::Place;

/// One connection of a client under test, in the words that all of them share.
pub(crate) trait Client: Sized {
    /// The highest QoS at which it can receive.
    const RECEIVES_AT: u8 = 2;

    /// Runs the list in whichever way the client wants to be run.
    fn run(list: impl Future<Output = ()> + 'static);

    /// Connects, and says whether the broker had a session for it.
    async fn connect(place: Place, name: &str, session: Session, will: Option<Will>) -> (Self, bool);

    /// Subscribes, and sees that the broker grants what it asked for.
    async fn subscribe(&mut self, filter: &str, qos: u8);

    /// Hands a message over to be sent; does not wait for acknowledgements.
    async fn publish(&mut self, message: Message);

    /// Waits until all that was handed over has been sent, and acknowledged to the end.
    async fn settle(&mut self);

    /// Waits for the next message.
    async fn message(&mut self) -> Message;

    /// Leaves with DISCONNECT.
    async fn leave(self);

    /// Closes the socket without DISCONNECT.
    async fn vanish(self);
}

/// What becomes of the session when the connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Session {
    Ends,
    Stays,
}

#[derive(Debug)]
pub(crate) struct Will {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) qos: u8,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
}

impl Message {
    /// As it comes to a client that may have subscribed at a lower QoS.
    fn received<C: Client>(self) -> Self {
        Self { qos: self.qos.min(C::RECEIVES_AT), ..self }
    }
}

/// Nobody wants to read 70 kB.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { topic, payload, qos, retain } = self;
        let beginning = payload.get(..payload.len().min(40)).unwrap_or_default().escape_ascii();
        write!(f, "{topic}, QoS {qos}, retain {retain}, {} bytes: {beginning}", payload.len())
    }
}

/// The whole list.
pub(crate) async fn all<C: Client>(place: Place) {
    for qos in 0..=2 {
        let (mut client, present) = C::connect(place, &format!("one-{qos}"), Session::Ends, None).await;
        assert!(!present, "a session of nobody");
        client.subscribe(&format!("list/{qos}"), qos.min(C::RECEIVES_AT)).await;
        a_large_payload_comes_back(&mut client, qos).await;
        messages_stay_in_order(&mut client, qos).await;
        what_is_retained_waits_for_subscribers(&mut client, qos).await;
        a_will_is_published::<C>(&mut client, place, qos).await;
        client.leave().await;
    }
    a_session_is_resumed::<C>(place).await;
}

async fn a_large_payload_comes_back<C: Client>(client: &mut C, qos: u8) {
    // 251 is prime to every size that a buffer may have, so that bytes in the wrong place differ.
    let payload: Vec<u8> = (0..=250).cycle().take(70_000).collect();
    let large = Message { topic: format!("list/{qos}"), payload, qos, retain: false };
    client.publish(large.clone()).await;
    assert_eq!(client.message().await, large.received::<C>());
    client.settle().await;
}

async fn messages_stay_in_order<C: Client>(client: &mut C, qos: u8) {
    let numbered = |number: u32| Message {
        topic: format!("list/{qos}"),
        payload: number.to_string().into_bytes(),
        qos,
        retain: false,
    };
    for number in 0..200 {
        client.publish(numbered(number)).await;
    }
    for number in 0..200 {
        assert_eq!(client.message().await, numbered(number).received::<C>());
    }
    client.settle().await;
}

async fn what_is_retained_waits_for_subscribers<C: Client>(client: &mut C, qos: u8) {
    let topic = format!("list/{qos}/kept");
    let kept = Message { topic: topic.clone(), payload: b"kept".to_vec(), qos, retain: true };
    client.publish(kept.clone()).await;
    client.settle().await;
    client.subscribe(&topic, qos.min(C::RECEIVES_AT)).await;
    assert_eq!(client.message().await, kept.clone().received::<C>());
    let cleared = Message { payload: Vec::new(), ..kept };
    client.publish(cleared.clone()).await;
    // To those who are there already it is a message like any other.
    assert_eq!(client.message().await, Message { retain: false, ..cleared }.received::<C>());
    client.settle().await;
    // What comes next on the way shows that nothing is retained any more.
    client.subscribe(&format!("list/{qos}/+"), 0).await;
}

async fn a_will_is_published<C: Client>(client: &mut C, place: Place, qos: u8) {
    let topic = format!("list/{qos}");
    let will = Will { topic: topic.clone(), payload: b"gone".to_vec(), qos };
    let (doomed, _) = C::connect(place, &format!("doomed-{qos}"), Session::Ends, Some(will)).await;
    doomed.vanish().await;
    let gone = Message { topic, payload: b"gone".to_vec(), qos, retain: false };
    assert_eq!(client.message().await, gone.received::<C>());
}

async fn a_session_is_resumed<C: Client>(place: Place) {
    let (mut lasting, present) = C::connect(place, "lasting", Session::Stays, None).await;
    assert!(!present, "a session of nobody");
    lasting.subscribe("list/session", C::RECEIVES_AT).await;
    lasting.leave().await;

    let missed = |number: u8| Message {
        topic: "list/session".to_owned(),
        payload: format!("while away {number}").into_bytes(),
        qos: 1 + number % 2,
        retain: false,
    };
    let (mut other, _) = C::connect(place, "other", Session::Ends, None).await;
    for number in 0..10 {
        other.publish(missed(number)).await;
    }
    other.settle().await;
    other.leave().await;

    let (mut lasting, present) = C::connect(place, "lasting", Session::Stays, None).await;
    assert!(present, "the session that stayed");
    for number in 0..10 {
        assert_eq!(lasting.message().await, missed(number).received::<C>());
    }
    lasting.leave().await;
}

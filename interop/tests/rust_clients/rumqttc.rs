//! rumqttc, which has a client for 3.1.1 and, with the same names in another module, one for 5.0.
//!
//! Nothing happens in it but while its event loop is polled; so everything that waits here polls, and keeps the messages that
//! come meanwhile for whoever asks for the next one.

use crate::{
    broker::{Place, Transport},
    list::{Client, Message, Session, Will},
};
use std::collections::VecDeque;

/// More than any part of the list hands over at once: its queue must not wait for an event loop that nobody polls.
const QUEUE_LEN: usize = 1000;

/// By default it takes packets of 10 kB.
const PACKET_SIZE_MAX: u32 = 1 << 20;

/// The client in the words of the module that it stands in: there the same names mean different types.
macro_rules! client {
    () => {
        pub(crate) struct Rumqttc {
            client: AsyncClient,
            events: EventLoop,
            received: VecDeque<Message>,
            /// Handed over, and not yet sent (QoS 0) or acknowledged to the end.
            unsettled: usize,
        }

        impl Rumqttc {
            /// Takes part in what happens next.
            async fn poll(&mut self) -> Event {
                let event = self.events.poll().await.unwrap();
                match &event {
                    Event::Incoming(Packet::Publish(publish)) => {
                        self.received.push_back(message(publish.clone()))
                    }
                    // 0 stands for QoS 0.
                    Event::Outgoing(Outgoing::Publish(0))
                    | Event::Incoming(Packet::PubAck(_) | Packet::PubComp(_)) => self.unsettled -= 1,
                    _ => {}
                }
                event
            }
        }

        impl Client for Rumqttc {
            fn run(list: impl Future<Output = ()> + 'static) {
                run(list);
            }

            async fn connect(place: Place, name: &str, session: Session, will: Option<Will>) -> (Self, bool) {
                let (client, events) = AsyncClient::new(options(place, name, session, will), QUEUE_LEN);
                let mut connected = Self { client, events, received: VecDeque::new(), unsettled: 0 };
                loop {
                    if let Event::Incoming(Packet::ConnAck(answer)) = connected.poll().await {
                        return (connected, answer.session_present);
                    }
                }
            }

            async fn subscribe(&mut self, filter: &str, qos: u8) {
                self.client.try_subscribe(filter, quality(qos)).unwrap();
                loop {
                    if let Event::Incoming(Packet::SubAck(answer)) = self.poll().await {
                        return assert_eq!(answer.return_codes, [SubscribeReasonCode::Success(quality(qos))]);
                    }
                }
            }

            async fn publish(&mut self, message: Message) {
                let Message { topic, payload, qos, retain } = message;
                self.client.try_publish(topic, quality(qos), retain, payload).unwrap();
                self.unsettled += 1;
            }

            async fn settle(&mut self) {
                while self.unsettled > 0 {
                    self.poll().await;
                }
            }

            async fn message(&mut self) -> Message {
                loop {
                    if let Some(message) = self.received.pop_front() {
                        return message;
                    }
                    self.poll().await;
                }
            }

            async fn leave(mut self) {
                self.client.try_disconnect().unwrap();
                while !matches!(self.poll().await, Event::Outgoing(Outgoing::Disconnect)) {}
            }

            async fn vanish(self) {}
        }
    };
}

/// For 3.1.1.
pub(crate) mod v3_1_1 {
    use super::*;
    use rumqttc::{
        AsyncClient, Event, EventLoop, LastWill, MqttOptions, Outgoing, Packet, Publish, QoS,
        SubscribeReasonCode,
    };

    fn options(place: Place, name: &str, session: Session, will: Option<Will>) -> MqttOptions {
        let mut options = MqttOptions::new(name, host(place), place.port);
        options.set_transport(transport(place));
        options.set_max_packet_size(PACKET_SIZE_MAX as usize, PACKET_SIZE_MAX as usize);
        options.set_clean_session(session == Session::Ends);
        if let Some(Will { topic, payload, qos }) = will {
            options.set_last_will(LastWill::new(topic, payload, quality(qos), false));
        }
        options
    }

    fn quality(qos: u8) -> QoS {
        rumqttc::qos(qos).unwrap()
    }

    fn message(publish: Publish) -> Message {
        let Publish { topic, payload, qos, retain, .. } = publish;
        Message { topic, payload: payload.to_vec(), qos: qos as u8, retain }
    }

    client!();
}

/// For 5.0.
pub(crate) mod v5_0 {
    use super::*;
    use rumqttc::{
        Outgoing,
        v5::{
            AsyncClient, Event, EventLoop, MqttOptions,
            mqttbytes::{
                QoS, qos,
                v5::{LastWill, Packet, Publish, SubscribeReasonCode},
            },
        },
    };

    fn options(place: Place, name: &str, session: Session, will: Option<Will>) -> MqttOptions {
        let mut options = MqttOptions::new(name, host(place), place.port);
        options.set_transport(transport(place));
        options.set_max_packet_size(Some(PACKET_SIZE_MAX));
        match session {
            Session::Ends => options.set_clean_start(true),
            Session::Stays => options.set_clean_start(false).set_session_expiry_interval(Some(60)),
        };
        if let Some(Will { topic, payload, qos }) = will {
            options.set_last_will(LastWill::new(topic, payload, quality(qos), false, None));
        }
        options
    }

    fn quality(qos: u8) -> QoS {
        self::qos(qos).unwrap()
    }

    fn message(publish: Publish) -> Message {
        let Publish { topic, payload, qos, retain, .. } = publish;
        Message {
            topic: String::from_utf8(topic.to_vec()).unwrap(),
            payload: payload.to_vec(),
            qos: qos as u8,
            retain,
        }
    }

    client!();
}

/// What is called a host there is a URL over WebSocket.
fn host(place: Place) -> String {
    match place.transport {
        Transport::Tcp => "127.0.0.1".to_owned(),
        Transport::WebSocket => format!("ws://127.0.0.1:{}/mqtt", place.port),
    }
}

fn transport(place: Place) -> rumqttc::Transport {
    match place.transport {
        Transport::Tcp => rumqttc::Transport::Tcp,
        Transport::WebSocket => rumqttc::Transport::Ws,
    }
}

fn run(list: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(list);
}

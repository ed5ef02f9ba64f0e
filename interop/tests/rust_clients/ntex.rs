//! ntex-mqtt, which has a client for 3.1.1 and, with much the same names in another module, one for 5.0. Over TCP only:
//! WebSocket would need the whole of ntex.
//!
//! It answers a PUBLISH of QoS 2 with PUBACK, and so can only publish at that quality.

use crate::{
    broker::{Place, Transport},
    list::{Client, Message, Session, Will},
};
use ntex_mqtt::QoS;
use ntex_net::DefaultRuntime;
use ntex_rt::{JoinHandle, System, spawn};
use ntex_service::{Pipeline, cfg::SharedCfg};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// The client in the words of the module that it stands in: there the same names mean different types.
macro_rules! client {
    () => {
        pub(crate) struct Ntex {
            sink: MqttSink,
            received: UnboundedReceiver<Message>,
            /// What is on its way.
            sent: Vec<JoinHandle<()>>,
        }

        impl Client for Ntex {
            const RECEIVES_AT: u8 = 1;

            fn run(list: impl Future<Output = ()> + 'static) {
                System::new("list", DefaultRuntime).block_on(list);
            }

            async fn connect(place: Place, name: &str, session: Session, will: Option<Will>) -> (Self, bool) {
                let connector = Pipeline::new(SharedCfg::default(), MqttConnector::new());
                let client = connector.call(connect(place, name, session, will)).await.unwrap();
                let (messages, received) = unbounded_channel();
                let (sink, present) = (client.sink(), client.session_present());
                // It ends with the connection, in whichever way that ends.
                spawn(async move {
                    let _ = client
                        .start(async move |event: ProtocolMessage| {
                            let ProtocolMessage::Publish(publish) = event else {
                                return Ok::<_, ()>(event.ack());
                            };
                            let packet = publish.packet();
                            let message = Message {
                                topic: packet.topic.to_string(),
                                payload: publish.read_all().await.unwrap().to_vec(),
                                qos: packet.qos as u8,
                                retain: packet.retain,
                            };
                            let _ = messages.send(message);
                            Ok(acknowledge(publish))
                        })
                        .await;
                })
                .detach();
                (Self { sink, received, sent: Vec::new() }, present)
            }

            async fn subscribe(&mut self, filter: &str, qos: u8) {
                subscribe(&self.sink, filter, quality(qos)).await;
            }

            async fn publish(&mut self, message: Message) {
                let Message { topic, payload, qos, retain } = message;
                let publish = publish(&self.sink, topic, retain);
                // They begin in the order in which they are spawned.
                match qos {
                    0 => publish.send_at_most_once(payload.into()).unwrap(),
                    1 => self.sent.push(spawn(async move {
                        publish.send_at_least_once(payload.into()).await.unwrap();
                    })),
                    // It wants acknowledgements in the order of what it sent, and so takes PUBREC of the second for an
                    // error before it has PUBCOMP of the first.
                    _ => {
                        self.settle().await;
                        publish.send_exactly_once(payload.into()).await.unwrap().release().await.unwrap();
                    }
                }
            }

            async fn settle(&mut self) {
                for sent in self.sent.drain(..) {
                    sent.await.unwrap();
                }
            }

            async fn message(&mut self) -> Message {
                self.received.recv().await.unwrap()
            }

            async fn leave(mut self) {
                self.sink.close();
                // The other end goes when all is over.
                while self.received.recv().await.is_some() {}
            }

            async fn vanish(mut self) {
                vanish(&self.sink);
                while self.received.recv().await.is_some() {}
            }
        }
    };
}

/// For 3.1.1.
pub(crate) mod v3_1_1 {
    use super::*;
    use ntex_mqtt::v3::{
        MqttSink, PublishBuilder,
        client::{
            Connect, MqttConnector, ProtocolMessage,
            control::{ProtocolMessageAck, Publish},
        },
        codec::{LastWill, SubscribeReturnCode},
    };

    fn connect(place: Place, name: &str, session: Session, will: Option<Will>) -> Connect<String> {
        Connect::new(address(place)).client_id(name.to_owned()).packet(|packet| {
            packet.clean_session = session == Session::Ends;
            packet.last_will = will.map(|Will { topic, payload, qos }| LastWill {
                qos: quality(qos),
                retain: false,
                topic: topic.into(),
                message: payload.into(),
            });
        })
    }

    async fn subscribe(sink: &MqttSink, filter: &str, qos: QoS) {
        let granted = sink.subscribe().topic_filter(filter.to_owned().into(), qos).send().await.unwrap();
        assert_eq!(granted, [SubscribeReturnCode::Success(qos)]);
    }

    fn publish(sink: &MqttSink, topic: String, retain: bool) -> PublishBuilder {
        let publish = sink.publish(topic);
        if retain { publish.retain() } else { publish }
    }

    fn acknowledge(publish: Publish) -> ProtocolMessageAck {
        publish.ack()
    }

    fn vanish(sink: &MqttSink) {
        sink.force_close();
    }

    client!();
}

/// For 5.0.
pub(crate) mod v5_0 {
    use super::*;
    use ntex_mqtt::v5::{
        MqttSink, PublishBuilder,
        client::{
            Connect, MqttConnector, ProtocolMessage,
            control::{ProtocolMessageAck, Publish},
        },
        codec::{LastWill, PublishAckReason, RetainHandling, SubscribeAckReason, SubscriptionOptions},
    };

    fn connect(place: Place, name: &str, session: Session, will: Option<Will>) -> Connect<String> {
        Connect::new(address(place)).client_id(name.to_owned()).packet(|packet| {
            packet.clean_start = session == Session::Ends;
            packet.session_expiry_interval_secs = if session == Session::Stays { 60 } else { 0 };
            packet.last_will = will.map(|Will { topic, payload, qos }| LastWill {
                qos: quality(qos),
                retain: false,
                topic: topic.into(),
                message: payload.into(),
                will_delay_interval_sec: None,
                correlation_data: None,
                message_expiry_interval: None,
                content_type: None,
                user_properties: Vec::new(),
                is_utf8_payload: None,
                response_topic: None,
            });
        })
    }

    async fn subscribe(sink: &MqttSink, filter: &str, qos: QoS) {
        let options = SubscriptionOptions {
            qos,
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::AtSubscribe,
        };
        let granted =
            sink.subscribe(None).topic_filter(filter.to_owned().into(), options).send().await.unwrap();
        let wanted = if qos == QoS::AtMostOnce {
            SubscribeAckReason::GrantedQos0
        } else {
            SubscribeAckReason::GrantedQos1
        };
        assert_eq!(granted.status, [wanted]);
    }

    fn publish(sink: &MqttSink, topic: String, retain: bool) -> PublishBuilder {
        sink.publish(topic).retain(retain)
    }

    fn acknowledge(publish: Publish) -> ProtocolMessageAck {
        publish.ack(PublishAckReason::Success)
    }

    fn vanish(sink: &MqttSink) {
        sink.force_close();
    }

    client!();
}

fn address(place: Place) -> String {
    assert_eq!(place.transport, Transport::Tcp, "it has no other");
    format!("127.0.0.1:{}", place.port)
}

fn quality(qos: u8) -> QoS {
    QoS::try_from(qos).unwrap()
}

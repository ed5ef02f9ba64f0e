"""paho-mqtt against a broker on the loopback interface. Arguments: VERSION (3.1.1 or 5.0) TRANSPORT (tcp or websocket)
PORT. Prints "all well" in the end; anything else is a failure, with a traceback."""

import os
import queue
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

VERSION, TRANSPORT, PORT = sys.argv[1], sys.argv[2], int(sys.argv[3])
DEADLINE_S = 15


class Client:
    """A connection whose messages and acknowledgements are taken one by one."""

    def __init__(self, name, clean=True, will=None):
        self.messages, self.connected, self.subscribed = queue.Queue(), queue.Queue(), queue.Queue()
        five = VERSION == "5.0"
        self.paho = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2,
            client_id=name,
            protocol=mqtt.MQTTv5 if five else mqtt.MQTTv311,
            transport="websockets" if TRANSPORT == "websocket" else "tcp",
            **({} if five else {"clean_session": clean}),
        )
        if TRANSPORT == "websocket":
            self.paho.ws_set_options(path="/mqtt")
        if will:
            self.paho.will_set(*will, qos=1)
        self.paho.on_connect = lambda client, data, flags, reason, properties: self.connected.put((flags, reason))
        self.paho.on_subscribe = lambda client, data, mid, reasons, properties: self.subscribed.put(reasons)
        self.paho.on_message = lambda client, data, message: self.messages.put(message)
        options = {}
        if five:
            options["clean_start"] = clean
            options["properties"] = Properties(PacketTypes.CONNECT)
            options["properties"].SessionExpiryInterval = 0 if clean else 60
        self.paho.connect("127.0.0.1", PORT, 30, **options)
        self.paho.loop_start()
        self.flags, reason = self.connected.get(timeout=DEADLINE_S)
        assert not reason.is_failure, reason

    def subscribe(self, topic, qos):
        self.paho.subscribe(topic, qos)
        reasons = self.subscribed.get(timeout=DEADLINE_S)
        assert [reason.value for reason in reasons] == [qos], reasons

    def publish(self, topic, payload, qos, retain=False, properties=None):
        self.paho.publish(topic, payload, qos, retain, properties).wait_for_publish(DEADLINE_S)

    def message(self):
        return self.messages.get(timeout=DEADLINE_S)

    def leave(self):
        self.paho.disconnect()
        self.paho.loop_stop()

    def vanish(self):
        """Closes the socket without a DISCONNECT."""
        self.paho.loop_stop()
        self.paho._sock_close()


def messages(qos):
    client = Client(f"paho-{qos}")
    topic = f"paho/{qos}"
    client.subscribe(topic, qos)

    large = os.urandom(70_000)
    client.publish(topic, large, qos)
    message = client.message()
    assert (message.payload, message.qos, message.retain) == (large, qos, False)

    for number in range(200):
        client.paho.publish(topic, str(number), qos)
    assert [int(client.message().payload) for _ in range(200)] == list(range(200))

    client.publish(f"{topic}/kept", "kept", qos, retain=True)
    client.subscribe(f"{topic}/#", qos)
    message = client.message()
    assert (message.topic, message.payload, message.retain) == (f"{topic}/kept", b"kept", True)
    client.publish(f"{topic}/kept", b"", qos, retain=True)
    assert client.message().payload == b""

    doomed = Client(f"paho-doomed-{qos}", will=(topic, "gone"))
    doomed.vanish()
    assert client.message().payload == b"gone"
    client.leave()


def session():
    client = Client("paho-session", clean=False)
    assert not client.flags.session_present
    client.subscribe("paho/session", 2)
    client.leave()
    other = Client("paho-other")
    for qos in (1, 2):
        other.publish("paho/session", f"while away {qos}", qos)
    other.leave()
    client = Client("paho-session", clean=False)
    assert client.flags.session_present
    assert [client.message().payload for _ in range(2)] == [b"while away 1", b"while away 2"]
    client.leave()


def properties():
    client = Client("paho-properties")
    client.subscribe("paho/properties", 1)
    sent = Properties(PacketTypes.PUBLISH)
    sent.PayloadFormatIndicator = 1
    sent.ContentType = "text/plain"
    sent.ResponseTopic = "paho/answers"
    sent.CorrelationData = b"\x00\xff"
    sent.UserProperty = [("room", "kitchen"), ("room", "hall")]
    client.publish("paho/properties", "text", 1, properties=sent)
    received = client.message().properties
    for name in ("PayloadFormatIndicator", "ContentType", "ResponseTopic", "CorrelationData", "UserProperty"):
        assert getattr(received, name) == getattr(sent, name), name
    client.leave()


for qos in (0, 1, 2):
    messages(qos)
session()
if VERSION == "5.0":
    properties()
print("all well")

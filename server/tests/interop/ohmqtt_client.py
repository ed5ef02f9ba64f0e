"""ohmqtt against a broker on the loopback interface. Arguments: VERSION (5.0) TRANSPORT (tcp or websocket) PORT. Prints
"all well" in the end; anything else is a failure, with a traceback."""

import contextlib
import queue
import socket
import sys

from ohmqtt import Client, MQTTConnectProps

VERSION, TRANSPORT, PORT = sys.argv[1], sys.argv[2], int(sys.argv[3])
DEADLINE_S = 15

assert VERSION == "5.0", "it speaks no other"


class Connection:
    """A connection whose messages are taken one by one."""

    def __init__(self, name, clean=True, **will):
        self.client = Client()
        self.client.start_loop()
        self.received = queue.Queue()
        self.name, self.clean, self.will = name, clean, will
        self.come()

    def come(self):
        scheme, path = ("ws", "/mqtt") if TRANSPORT == "websocket" else ("mqtt", "")
        self.client.connect(
            f"{scheme}://127.0.0.1:{PORT}{path}",
            client_id=self.name,
            clean_start=self.clean,
            connect_properties=MQTTConnectProps(SessionExpiryInterval=0 if self.clean else 60),
            **self.will,
        )
        self.client.wait_for_connect(DEADLINE_S)

    def subscribe(self, topic_filter, qos):
        handle = self.client.subscribe(topic_filter, lambda _, packet: self.received.put(packet), max_qos=qos)
        granted = handle.wait_for_ack(DEADLINE_S).reason_codes
        assert granted == [qos], granted

    def publish(self, topic, payload, qos, retain=False):
        return self.client.publish(topic, payload, qos=qos, retain=retain)

    def message(self):
        return self.received.get(timeout=DEADLINE_S)

    def pause(self):
        self.client.disconnect()
        self.client.wait_for_disconnect(DEADLINE_S)

    def leave(self):
        self.pause()
        self.client.shutdown()

    def vanish(self):
        """Without a DISCONNECT."""
        self.client.connection.fsm._state_data.sock.shutdown(socket.SHUT_RDWR)
        self.client.wait_for_disconnect(DEADLINE_S)
        self.client.shutdown()


def messages(qos):
    topic = f"ohmqtt/{qos}"
    one = Connection(f"ohmqtt-{qos}")
    one.subscribe(topic, qos)
    large = bytes(number % 251 for number in range(70_000))
    one.publish(topic, large, qos)
    assert one.message().payload == large

    sent = [one.publish(topic, str(number), qos) for number in range(100)]
    for number in range(100):
        received = one.message()
        assert (received.payload, received.qos) == (str(number).encode(), qos), received
    for handle in sent if qos > 0 else []:
        handle.wait_for_ack(DEADLINE_S)

    one.publish(f"{topic}/kept", "kept", qos, retain=True)
    one.subscribe(f"{topic}/+", qos)
    received = one.message()
    assert (received.topic, received.payload, received.retain) == (f"{topic}/kept", b"kept", True), received
    one.publish(f"{topic}/kept", b"", qos, retain=True)
    assert one.message().payload == b""

    doomed = Connection(f"ohmqtt-doomed-{qos}", will_topic=topic, will_payload=b"gone", will_qos=qos)
    doomed.vanish()
    assert one.message().payload == b"gone"
    one.leave()


def session():
    one = Connection("ohmqtt-session", clean=False)
    one.subscribe("ohmqtt/session", 2)
    # It does not keep its callbacks elsewhere; so the same one comes back.
    one.pause()
    other = Connection("ohmqtt-other")
    for qos in (1, 2):
        other.publish("ohmqtt/session", f"while away {qos}", qos).wait_for_ack(DEADLINE_S)
    other.leave()
    one.come()
    received = [one.message().payload for _ in range(2)]
    assert received == [b"while away 1", b"while away 2"], received
    one.leave()


for qos in (0, 1, 2):
    messages(qos)
session()
print("all well")

"""gmqtt against a broker on the loopback interface. Arguments: VERSION (3.1.1 or 5.0) TRANSPORT (tcp, it has no other)
PORT. Prints "all well" in the end; anything else is a failure, with a traceback."""

import asyncio
import sys

import gmqtt
from gmqtt.mqtt.constants import MQTTv311, MQTTv50

VERSION, TRANSPORT, PORT = sys.argv[1], sys.argv[2], int(sys.argv[3])
assert TRANSPORT == "tcp"
DEADLINE_S = 15


class Client:
    """A connection whose messages are taken one by one."""

    def __init__(self, name, clean=True, will=None):
        self.messages, self.subscribed = asyncio.Queue(), asyncio.Queue()
        options = {} if VERSION == "3.1.1" else {"session_expiry_interval": 0 if clean else 60}
        self.gmqtt = gmqtt.Client(name, clean_session=clean, will_message=will, **options)
        self.gmqtt.set_config({"reconnect_retries": 0})
        self.gmqtt.on_message = self.on_message
        self.gmqtt.on_subscribe = lambda client, mid, qos, properties: self.subscribed.put_nowait(qos)

    def on_message(self, client, topic, payload, qos, properties):
        self.messages.put_nowait((topic, bytes(payload), qos, properties))
        return 0

    async def connect(self):
        version = MQTTv50 if VERSION == "5.0" else MQTTv311
        await asyncio.wait_for(self.gmqtt.connect("127.0.0.1", PORT, keepalive=30, version=version), DEADLINE_S)
        return self

    async def subscribe(self, topic, qos):
        self.gmqtt.subscribe(topic, qos)
        granted = await asyncio.wait_for(self.subscribed.get(), DEADLINE_S)
        assert tuple(granted) == (qos,), granted

    async def message(self):
        return await asyncio.wait_for(self.messages.get(), DEADLINE_S)


async def messages(qos):
    client = await Client(f"gmqtt-{qos}").connect()
    topic = f"gmqtt/{qos}"
    await client.subscribe(topic, qos)
    for number in range(100):
        client.gmqtt.publish(topic, str(number), qos=qos)
    for number in range(100):
        assert (await client.message())[:3] == (topic, str(number).encode(), qos)

    client.gmqtt.publish(f"{topic}/kept", "kept", qos=1, retain=True)
    # What comes back for the second one says that the broker has the first.
    client.gmqtt.publish(topic, "after", qos=1)
    assert (await client.message())[1] == b"after"
    await client.subscribe(f"{topic}/#", qos)
    received = await client.message()
    assert received[:2] == (f"{topic}/kept", b"kept") and received[3]["retain"], received
    client.gmqtt.publish(f"{topic}/kept", b"", qos=1, retain=True)
    assert (await client.message())[1] == b""

    doomed = await Client(f"gmqtt-doomed-{qos}", will=gmqtt.Message(topic, "gone", qos=qos)).connect()
    # Without a DISCONNECT.
    doomed.gmqtt._connection._transport.abort()
    assert (await client.message())[1] == b"gone"
    await client.gmqtt.disconnect()


async def session():
    client = await Client("gmqtt-session", clean=False).connect()
    await client.subscribe("gmqtt/session", 2)
    await client.gmqtt.disconnect()
    other = await Client("gmqtt-other").connect()
    await other.subscribe("gmqtt/other", 0)
    for qos in (1, 2):
        other.gmqtt.publish("gmqtt/session", f"while away {qos}", qos=qos)
    other.gmqtt.publish("gmqtt/other", "all sent", qos=2)
    assert (await other.message())[1] == b"all sent"
    await other.gmqtt.disconnect()
    client = await Client("gmqtt-session", clean=False).connect()
    assert [(await client.message())[1] for _ in range(2)] == [b"while away 1", b"while away 2"]
    await client.gmqtt.disconnect()


async def main():
    for qos in (0, 1, 2):
        await messages(qos)
    await session()
    print("all well")


asyncio.run(main())

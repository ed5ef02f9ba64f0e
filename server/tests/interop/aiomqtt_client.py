"""aiomqtt against a broker on the loopback interface. Arguments: VERSION (3.1.1 or 5.0) TRANSPORT (tcp or websocket)
PORT. Prints "all well" in the end; anything else is a failure, with a traceback."""

import asyncio
import sys

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

VERSION, TRANSPORT, PORT = sys.argv[1], sys.argv[2], int(sys.argv[3])
DEADLINE_S = 15


def client(name, clean=True, will=None):
    options = {}
    if VERSION == "5.0":
        options["protocol"] = aiomqtt.ProtocolVersion.V5
        options["clean_start"] = clean
        options["properties"] = Properties(PacketTypes.CONNECT)
        options["properties"].SessionExpiryInterval = 0 if clean else 60
    else:
        options["protocol"] = aiomqtt.ProtocolVersion.V311
        options["clean_session"] = clean
    if TRANSPORT == "websocket":
        options["transport"] = "websockets"
        options["websocket_path"] = "/mqtt"
    return aiomqtt.Client("127.0.0.1", PORT, identifier=name, will=will, timeout=DEADLINE_S, **options)


async def message(client):
    return await asyncio.wait_for(anext(client.messages), DEADLINE_S)


async def messages(qos):
    topic = f"aiomqtt/{qos}"
    async with client(f"aiomqtt-{qos}") as one:
        await one.subscribe(topic, qos)
        for number in range(100):
            await one.publish(topic, str(number), qos)
        for number in range(100):
            received = await message(one)
            assert (received.payload, received.qos) == (str(number).encode(), qos), received

        await one.publish(f"{topic}/kept", "kept", qos, retain=True)
        await one.subscribe(f"{topic}/#", qos)
        received = await message(one)
        assert (str(received.topic), received.payload, received.retain) == (f"{topic}/kept", b"kept", True)
        await one.publish(f"{topic}/kept", b"", qos, retain=True)
        assert (await message(one)).payload == b""

        doomed = client(f"aiomqtt-doomed-{qos}", will=aiomqtt.Will(topic, "gone", qos))
        await doomed.__aenter__()
        # Without a DISCONNECT.
        doomed._client._sock_close()
        assert (await message(one)).payload == b"gone"


async def session():
    async with client("aiomqtt-session", clean=False) as one:
        await one.subscribe("aiomqtt/session", 2)
    async with client("aiomqtt-other") as other:
        for qos in (1, 2):
            await other.publish("aiomqtt/session", f"while away {qos}", qos)
    async with client("aiomqtt-session", clean=False) as one:
        assert [(await message(one)).payload for _ in range(2)] == [b"while away 1", b"while away 2"]


async def main():
    for qos in (0, 1, 2):
        await messages(qos)
    await session()
    print("all well")


asyncio.run(main())

"""Makes a client of the OpenAPI document and uses it. Argument: the URL of a server. Prints "all well" in the end; anything
else is a failure, with a traceback."""

import json
import subprocess
import sys
import urllib.request

from openapi_spec_validator import validate

URL = sys.argv[1]

with urllib.request.urlopen(f"{URL}/api/v1/openapi.json") as answer:
    document = json.load(answer)
validate(document)
with open("openapi.json", "w") as file:
    json.dump(document, file)
with open("config.yml", "w") as file:
    file.write("post_hooks: []\n")
generate = ["generate", "--path", "openapi.json", "--output-path", "made", "--config", "config.yml"]
made = subprocess.run([sys.executable, "-m", "openapi_python_client", *generate], capture_output=True, text=True)
assert made.returncode == 0, made.stdout + made.stderr
# What it does not understand it leaves out: of the two kinds of body it takes the one.
assert made.stdout.count("WARNING") == made.stdout.count("Unsupported content type text/plain"), made.stdout

sys.path.insert(0, "made")
from luxwire_client import Client
from luxwire_client.api.history import get_history
from luxwire_client.api.hue import start_hue
from luxwire_client.api.topics import clear_topic, get_topic, list_topics, set_topic
from luxwire_client.models import HueBridge, Problem
from luxwire_client.types import File

client = Client(base_url=URL, raise_on_unexpected_status=True)
topic = "lights/Desk lamp \u00fc/intensity"


def set_value(payload, **others):
    return set_topic.sync_detailed(topic, client=client, body=File(payload=payload), **others)


assert set_value(b"40", qos=2).status_code == 201
read = get_topic.sync_detailed(topic, client=client)
assert read.parsed.payload.read() == b"40"
assert get_topic.sync_detailed(topic, client=client, if_none_match=read.headers["etag"]).status_code == 304

(value,) = list_topics.sync(client=client, filter_="lights/+/intensity")
assert (value.topic, value.payload, value.qos) == (topic, "40", 2), value
assert value.set_at.tzinfo is not None and not value.payload_base64
assert list_topics.sync(client=client, filter_=topic) == [value]

assert set_value(b"\xff", if_match=read.headers["etag"]).status_code == 204
assert set_value(b"42", if_match=read.headers["etag"]).parsed.status == 412
assert list_topics.sync(client=client)[-1].payload_base64 == "/w=="
assert set_value(b"", retain=False).status_code == 204

problem = get_history.sync(client=client, topic=topic, from_="-1h")
assert isinstance(problem, Problem) and problem.status == 503 and "luxwire record" in problem.detail
assert clear_topic.sync_detailed(topic, client=client).status_code == 204
assert get_topic.sync(topic, client=client).status == 404
assert isinstance(start_hue.sync(client=client), HueBridge)
print("all well")

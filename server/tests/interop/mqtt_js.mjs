// MQTT.js against a broker on the loopback interface. Arguments: VERSION (3.1.1 or 5.0) TRANSPORT (tcp or websocket)
// PORT. Prints "all well" in the end; anything else is a failure, with what was expected.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const mqtt = createRequire(import.meta.url)(join(process.env.LUXWIRE_NODE_MODULES, 'mqtt'));
const [version, transport, port] = process.argv.slice(2);
const five = version === '5.0';
const url = transport === 'websocket' ? `ws://127.0.0.1:${port}/mqtt` : `mqtt://127.0.0.1:${port}`;
const deadline = 15_000;

function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} never came`)), deadline);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// A connection whose messages are taken one by one.
class Client {
  #received = [];
  #waiting = [];

  static async connect(clientId, options = {}) {
    const client = new Client();
    client.mqtt = mqtt.connect(url, { clientId, protocolVersion: five ? 5 : 4, reconnectPeriod: 0, ...options });
    client.mqtt.on('message', (topic, payload, packet) => client.#receive({ topic, payload, packet }));
    client.connack = await within(
      new Promise((resolve, reject) => client.mqtt.once('connect', resolve).once('error', reject)),
      'CONNACK',
    );
    return client;
  }

  async subscribe(topic, qos) {
    const granted = await within(this.mqtt.subscribeAsync(topic, { qos }), 'SUBACK');
    assert.equal(granted[0].qos, qos);
  }

  publish(topic, payload, options) {
    return within(this.mqtt.publishAsync(topic, payload, options), 'the acknowledgement');
  }

  message() {
    if (this.#received.length > 0) return this.#received.shift();
    return within(new Promise((resolve) => this.#waiting.push(resolve)), 'a message');
  }

  leave() {
    return within(this.mqtt.endAsync(), 'the end');
  }

  // Closes the socket without a DISCONNECT.
  vanish() {
    this.mqtt.stream.destroy();
  }

  #receive(message) {
    const resolve = this.#waiting.shift();
    if (resolve) resolve(message);
    else this.#received.push(message);
  }
}

async function messages(qos) {
  const client = await Client.connect(`js-${qos}`);
  const topic = `js/${qos}`;
  await client.subscribe(topic, qos);

  const large = randomBytes(70_000);
  await client.publish(topic, large, { qos });
  let message = await client.message();
  assert.ok(message.payload.equals(large), 'a large payload');
  assert.deepEqual([message.packet.qos, message.packet.retain], [qos, false]);

  for (let number = 0; number < 200; number++) client.mqtt.publish(topic, `${number}`, { qos });
  for (let number = 0; number < 200; number++) assert.equal((await client.message()).payload.toString(), `${number}`);

  await client.publish(`${topic}/kept`, 'kept', { qos, retain: true });
  await client.subscribe(`${topic}/#`, qos);
  message = await client.message();
  assert.deepEqual([message.topic, message.payload.toString(), message.packet.retain], [`${topic}/kept`, 'kept', true]);
  await client.publish(`${topic}/kept`, '', { qos, retain: true });
  assert.equal((await client.message()).payload.length, 0);

  const doomed = await Client.connect(`js-doomed-${qos}`, { will: { topic, payload: 'gone', qos: 1 } });
  doomed.vanish();
  assert.equal((await client.message()).payload.toString(), 'gone');
  await client.leave();
}

async function session() {
  const lasting = { clean: false, ...(five && { properties: { sessionExpiryInterval: 60 } }) };
  let client = await Client.connect('js-session', lasting);
  assert.equal(client.connack.sessionPresent, false);
  await client.subscribe('js/session', 2);
  await client.leave();
  const other = await Client.connect('js-other');
  for (const qos of [1, 2]) await other.publish('js/session', `while away ${qos}`, { qos });
  await other.leave();
  client = await Client.connect('js-session', lasting);
  assert.equal(client.connack.sessionPresent, true);
  for (const qos of [1, 2]) assert.equal((await client.message()).payload.toString(), `while away ${qos}`);
  await client.leave();
}

async function properties() {
  const client = await Client.connect('js-properties');
  await client.subscribe('js/properties', 1);
  const sent = {
    payloadFormatIndicator: true,
    contentType: 'text/plain',
    responseTopic: 'js/answers',
    correlationData: Buffer.from([0, 255]),
    userProperties: { room: ['kitchen', 'hall'] },
  };
  await client.publish('js/properties', 'text', { qos: 1, properties: sent });
  const received = (await client.message()).packet.properties;
  for (const name of Object.keys(sent)) assert.deepEqual(structuredClone(received[name]), structuredClone(sent[name]), name);
  await client.leave();
}

for (const qos of [0, 1, 2]) await messages(qos);
await session();
if (five) await properties();
console.log('all well');
process.exit(0);

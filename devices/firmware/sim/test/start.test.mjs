//! A board that cannot work yet says why, blinks, and does not crash; one that can finds its broker by address or name.

import test from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { Board, PIN } from '../board.mjs';
import { Luxwire, Mosquitto, luxwire } from '../broker.mjs';
import { eventually } from '../eventually.mjs';
import { BROKER, House, firmware, settings } from '../house.mjs';
import { duty } from '../light.mjs';

/** Runs without a network, as fast as it can, until `t` ends. */
function alone(t, files, options) {
  const board = new Board('board', files, undefined, options).start();
  t.after(() => board.stop());
  return board;
}

/** Three pauses between flashes of the board's own LED, in eighths of a second, shortest first; the first is cut short. */
async function rhythm(board) {
  const rises = [];
  const forget = board.mcu.gpio[PIN.SIGN].addListener((level) => level === 1 && rises.push(board.seconds));
  await eventually(() => rises.length > 4, () => 'the LED flashes five times');
  forget();
  return [2, 3, 4].map((at) => Math.round((rises[at] - rises[at - 1]) * 8)).toSorted((a, b) => a - b).join();
}

/** Two flashes a second, together. */
const STUCK = /^2,(2|6),6$/;
/** One long one. */
const SEARCHING = /^8,8,8$/;

test('without settings the board says so and flashes', async (t) => {
  const board = alone(t, [firmware()]);
  await board.says(/^no settings were written yet: write them with `luxwire firmware settings`/);
  assert.match(await rhythm(board), STUCK);
  // The watchdog waits for eight seconds: the board is alive, and stays so.
  await board.passes(9);
  assert.deepEqual(board.problems, []);
  assert.equal(board.lines.length, 2, board.lines.join('\n'));
});

test('damaged settings are not obeyed', async (t) => {
  const file = settings(['--broker', BROKER, '--lamp', 'desk', '--mac', '02:4c:55:58:00:01']);
  file[32 + 40] ^= 1; // a bit of a field
  const board = alone(t, [firmware(), file]);
  await board.says(/^the settings are damaged: the checksum is wrong: /);
  assert.match(await rhythm(board), STUCK);
  assert.deepEqual(board.problems, []);
});

test('a W5500 that does not answer is told from a network that is not there', async (t) => {
  const file = settings(['--broker', BROKER, '--lamp', 'desk']);
  const deaf = alone(t, [firmware(), file], { w5500: false });
  await deaf.says(/^the W5500 does not answer .*: check its wires and its power/);
  assert.match(await rhythm(deaf), STUCK);
  deaf.stop();
  const unplugged = alone(t, [firmware(), file]);
  unplugged.network.plugged = false;
  await unplugged.says(/^waiting for the network/);
  assert.match(await rhythm(unplugged), SEARCHING);
  assert.deepEqual([...deaf.problems, ...unplugged.problems], []);
});

test('a broker is found by its name, and with an address that nobody assigned', async (t) => {
  const house = await House.build(t, new Luxwire(), { names: { 'house.test': BROKER } });
  const page = await house.page();
  house.board('named', ['--broker', 'mqtt://house.test', '--lamp', 'desk']);
  const own = ['--address', '10.0.2.77/24', '--gateway', '10.0.2.1'];
  const fixed = house.board('fixed', ['--lamp', 'hall', ...own]);
  const lost = house.board('lost', ['--broker', 'mqtt://nowhere.test', '--lamp', 'attic']);
  await page.hears('lights/desk/availability', 'online');
  await page.hears('lights/hall/availability', 'online');
  await page.set('hall', '42');
  await fixed.scope().shows(duty(42));
  await fixed.says(/^connecting to 192\.168\.1\.10, port 1883, from 10\.0\.2\.77\/24/);
  await lost.says(/^the network does not know nowhere\.test/);
  assert.deepEqual(house.problems(), []);
});

test('a broker that is not there yet is waited for, in all three versions of MQTT', async (t) => {
  const broker = new Luxwire();
  const house = await House.build(t, broker);
  await broker.kill();
  const lights = ['5', '3.1.1', '3.1'].map((version) => [version, `v${version.replaceAll('.', '')}`]);
  const boards = lights.map(([version, id]) => house.board(id, ['--lamp', id, '--protocol', version]));
  for (const board of boards) await board.says(/^no connection: the connection was closed; next attempt in \d+ ms/);
  await broker.start();
  const page = await house.page();
  for (const [index, [, id]] of lights.entries()) {
    await page.hears(`lights/${id}/availability`, 'online');
    await page.set(id, '10');
    await boards[index].scope().shows(duty(10));
  }
  assert.deepEqual(house.problems(), []);
});

test('a broker with a password lets in who knows it, and the other board says that it was refused', async (t) => {
  const house = await House.build(t, new Mosquitto({ name: 'ann', password: 'pa ss/word' }));
  const page = await house.page();
  const wrong = house.board('wrong', ['--lamp', 'attic', '--user', 'ann', '--password', 'guess']);
  house.board('right', ['--lamp', 'desk', '--broker', `mqtt://ann:pa%20ss%2Fword@${BROKER}`]);
  await page.hears('lights/desk/availability', 'online');
  await wrong.says(/^the broker refuses: (NotAuthorized|BadUserNameOrPassword); trying again in a minute/);
  assert.deepEqual(page.texts('lights/attic/availability'), []);
  assert.deepEqual(house.problems(), []);
});

test('Home Assistant is told of the lamp in the words of `luxwire lamp`', async (t) => {
  const house = await House.build(t, new Luxwire());
  const page = await house.page();
  const id = 'Küche_"1"\\ \u0001';
  const topic = 'homeassistant/light/luxwire_K_c3_bcche___221_22_5c_20_01/config';
  const said = (after) => eventually(
    () => page.heard.slice(after).find((message) => message.topic === topic),
    () => `something is said of ${topic}`,
  );
  house.board('lamp', ['--lamp', id]);
  const message = await said(0);
  assert.equal(message.qos, 1);
  const config = JSON.parse(message.text);
  assert.equal(config.state_topic, `lights/${id}/intensity`);

  const after = page.heard.length;
  const broker = `mqtt://127.0.0.1:${house.broker.port}`;
  const lamp = spawn(luxwire(), ['lamp', id, '--broker', broker], { stdio: 'ignore' });
  t.after(() => lamp.kill());
  const other = JSON.parse((await said(after)).text);
  assert.equal(config.device.model, 'RP2040 lamp');
  assert.deepEqual({ ...config, device: { ...config.device, model: other.device.model } }, other);
  assert.deepEqual(house.problems(), []);
});

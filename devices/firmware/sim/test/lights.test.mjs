//! A dimmer board, a lamp board and a page around one broker, ours and Mosquitto.

import test from 'node:test';
import assert from 'node:assert/strict';
import { Luxwire, Mosquitto } from '../broker.mjs';
import { House } from '../house.mjs';
import { duty, percent } from '../light.mjs';

for (const Broker of [Luxwire, Mosquitto]) {
  test(`${Broker.name}: a knob turns a lamp and a page, and the page turns the lamp`, async (t) => {
    const house = await House.build(t, new Broker());
    const page = await house.page();
    const lamp = house.board('lamp', ['--lamp', 'desk']);
    await page.hears('lights/desk/availability', 'online');
    const dimmer = house.board('dimmer', ['--dimmer', 'desk']);

    // The first value says where the knob stands. At QoS 1 it is the last: the knob has come to rest.
    dimmer.turn(2048);
    for (const raw of [2048, 4095, 0, 819, 3071]) {
      const after = page.heard.length;
      dimmer.turn(raw);
      const message = await page.hears('lights/desk/intensity', `${percent(raw)}`, { after, qos: 1 });
      const { duty: share, hz } = await lamp.scope().shows(duty(percent(raw)));
      t.diagnostic(`${raw} counts: page ${message.text} %, LED ${(share * 100).toFixed(2)} % at ${hz.toFixed(0)} Hz`);
      if (hz > 0) assert.ok(Math.abs(hz - 125e6 / 16 / 4095) < 1, `${hz} Hz`);
    }

    for (const text of ['35', '0.5', '1', '100', '0']) {
      await page.set('desk', text);
      await lamp.scope().shows(duty(Number(text)));
    }
    // What is no intensity changes nothing.
    const after = lamp.lines.length;
    await page.set('desk', '60');
    await page.set('desk', 'bright');
    await lamp.says(/^ignored an intensity: not a number/, { after });
    await lamp.scope().shows(duty(60));
    assert.deepEqual(house.problems(), []);
  });
}

test('both roles in one board: the knob shines through the broker', async (t) => {
  const house = await House.build(t, new Luxwire());
  const board = house.board('both', ['--dimmer', 'desk', '--lamp', 'desk']);
  board.turn(1365);
  await board.scope().shows(duty(percent(1365)));
  const page = await house.page();
  // A page that comes later finds everything as it is.
  assert.equal((await page.hears('lights/desk/availability', 'online')).retain, true);
  assert.equal((await page.hears('lights/desk/intensity', `${percent(1365)}`)).retain, true);
  const memory = /, (\d+) of (\d+) bytes of memory in use/.exec(await board.says(/^connected/));
  t.diagnostic(memory[0]);
  assert.ok(Number(memory[1]) < Number(memory[2]) / 4);
  assert.deepEqual(house.problems(), []);
});

test('a flood and a giant do a lamp no harm: the last value counts', async (t) => {
  const house = await House.build(t, new Luxwire());
  const page = await house.page();
  const lamp = house.board('lamp', ['--lamp', 'desk']);
  await page.hears('lights/desk/availability', 'online');
  // Larger than the board takes: a 5.0 broker keeps it back, and the lamp does not hang on it.
  await page.set('desk', '9'.repeat(5000));
  await page.set('desk', '20');
  await lamp.scope().shows(duty(20));
  for (let value = 0; value < 2000; value++) page.client.publish('lights/desk/intensity', `${value % 101}`);
  for (let value = 0; value < 2000; value++) page.client.publish('lights/desk/intensity', `${value} lumen`);
  await page.set('desk', '77');
  await lamp.scope().shows(duty(77));
  assert.equal(lamp.lines.filter((line) => /^connected/.test(line)).length, 1, lamp.lines.join('\n'));
  // The giant never came, and of the others the first is enough.
  assert.equal(lamp.lines.filter((line) => /^ignored/.test(line)).length, 1, lamp.lines.join('\n'));
  assert.deepEqual(house.problems(), []);
});

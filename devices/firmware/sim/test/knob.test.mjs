//! What a knob says: nothing while it only trembles, not too much while it is turned, and always where it came to rest.

import test from 'node:test';
import assert from 'node:assert/strict';
import { Luxwire } from '../broker.mjs';
import { House } from '../house.mjs';
import { percent } from '../light.mjs';

const TOPIC = 'lights/desk/intensity';

test('noise within the dead band is never published', async (t) => {
  const house = await House.build(t, new Luxwire());
  const page = await house.page();
  const board = house.board('dimmer', ['--dimmer', 'desk']);
  // Where 48 % becomes 49 %: without a dead band every tremble would be said.
  const edge = 1987;
  assert.notEqual(percent(edge - 1), percent(edge));
  board.turn(edge);
  await page.hears(TOPIC, `${percent(edge)}`, { qos: 1 });
  const after = page.heard.length;
  // A converter's noise, and a spike now and then: every sample another one.
  let samples = 0;
  const { adc } = board.mcu;
  const quiet = adc.onADCRead;
  adc.onADCRead = (channel) => {
    samples++;
    board.turn(samples % 37 === 0 ? 4000 : edge + ((samples * 7919) % 25) - 12);
    quiet(channel);
  };
  await board.passes(2);
  assert.ok(samples > 150, `${samples} samples`);
  assert.deepEqual(page.texts(TOPIC, after), []);
  assert.deepEqual(house.problems(), []);
});

test('a turned knob says at most ten values a second, and its last one at QoS 1', async (t) => {
  const house = await House.build(t, new Luxwire());
  const page = await house.page();
  const board = house.board('dimmer', ['--dimmer', 'desk']);
  board.turn(0);
  await page.hears(TOPIC, '0', { qos: 1 });
  const after = page.heard.length;
  const begun = board.seconds;
  const { adc } = board.mcu;
  const still = adc.onADCRead;
  // From 0 to 3000 within a second, by the board's own clock.
  adc.onADCRead = (channel) => {
    board.turn(Math.min(3000, Math.round((board.seconds - begun) * 3000)));
    still(channel);
  };
  await page.hears(TOPIC, `${percent(3000)}`, { after, qos: 1 });
  const took = board.seconds - begun;
  const texts = page.texts(TOPIC, after);
  t.diagnostic(`${texts.length} values in ${took.toFixed(2)} s: ${texts.join(' ')}`);
  assert.ok(texts.length >= 5 && texts.length <= took * 10 + 2, `${texts.length} values in ${took} s`);
  assert.deepEqual(texts.map(Number), texts.map(Number).toSorted((a, b) => a - b));
  assert.equal(texts.at(-1), `${percent(3000)}`);
  assert.deepEqual(house.problems(), []);
});

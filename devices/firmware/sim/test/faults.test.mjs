//! Plugs pulled one at a time, against our broker and Mosquitto: what a board says, what it loses, and that it comes back.

import test from 'node:test';
import assert from 'node:assert/strict';
import { Luxwire, Mosquitto } from '../broker.mjs';
import { House } from '../house.mjs';
import { duty, percent } from '../light.mjs';

/** Seconds; a silent board is given up after one and a half times this. */
const KEEP_ALIVE = ['--keep-alive', '2'];

for (const Broker of [Luxwire, Mosquitto]) {
  test(`${Broker.name}: killed and started again, with every value lost`, async (t) => {
    const house = await House.build(t, new Broker());
    const lamp = house.board('lamp', ['--lamp', 'desk']);
    const dimmer = house.board('dimmer', ['--dimmer', 'desk']);
    dimmer.turn(2048);
    await lamp.scope().shows(duty(50));
    const [lampSaid, dimmerSaid] = [lamp.lines.length, dimmer.lines.length];

    await house.broker.kill();
    await lamp.says(/^no connection: /, { after: lampSaid });
    await dimmer.says(/^no connection: /, { after: dimmerSaid });
    // The lamp keeps shining; what is turned meanwhile is said later.
    await lamp.scope().shows(duty(50));
    dimmer.turn(3071);
    await dimmer.passes(0.5);
    await house.broker.start();

    await lamp.scope().shows(duty(percent(3071)));
    const page = await house.page();
    await page.hears('lights/desk/intensity', `${percent(3071)}`);
    await page.hears('lights/desk/availability', 'online');
    await page.hears('dimmers/desk/availability', 'online');

    // Once more, and nobody touches the knob: a broker that forgot where it stands is told.
    const after = page.heard.length;
    await house.broker.kill();
    await house.broker.start();
    await page.hears('lights/desk/intensity', `${percent(3071)}`, { after });
    assert.deepEqual(house.problems(), []);
  });

  test(`${Broker.name}: a lamp's cable is cut where the lamp cannot see it`, async (t) => {
    const house = await House.build(t, new Broker());
    const page = await house.page();
    const lamp = house.board('lamp', ['--lamp', 'desk', ...KEEP_ALIVE]);
    await page.hears('lights/desk/availability', 'online');
    await page.set('desk', '20');
    await lamp.scope().shows(duty(20));

    const said = lamp.lines.length;
    lamp.cable.cut = true;
    await page.hears('lights/desk/availability', 'offline');
    await lamp.says(/^no connection: the server fell silent/, { after: said });
    await page.set('desk', '80');
    const after = page.heard.length;
    lamp.cable.cut = false;
    await page.hears('lights/desk/availability', 'online', { after });
    await lamp.scope().shows(duty(80));
    assert.deepEqual(house.problems(), []);
  });

  test(`${Broker.name}: a tenth of all frames is lost`, async (t) => {
    const house = await House.build(t, new Broker(), { seed: 7 });
    const page = await house.page();
    const lamp = house.board('lamp', ['--lamp', 'desk']);
    const dimmer = house.board('dimmer', ['--dimmer', 'desk']);
    dimmer.turn(0);
    await page.hears('lights/desk/intensity', '0', { qos: 1 });
    house.router.loss = 0.1;
    const { counted } = house.router;
    for (let turns = 0; turns < 3 || (counted.lost < 5 && turns < 30); turns++) {
      const raw = [1000, 4095, 300][turns % 3];
      dimmer.turn(raw);
      await lamp.scope().shows(duty(percent(raw)));
      assert.equal(page.texts('lights/desk/intensity').at(-1), `${percent(raw)}`);
    }
    t.diagnostic(`${counted.lost} of ${counted.lost + counted.passed} frames lost`);
    assert.ok(counted.lost >= 5);
    assert.deepEqual(house.problems(), []);
  });
}

test('a dimmer is unplugged while it is turned, and plugged in again', async (t) => {
  const house = await House.build(t, new Luxwire());
  const page = await house.page();
  const dimmer = house.board('dimmer', ['--dimmer', 'desk', ...KEEP_ALIVE]);
  dimmer.turn(1000);
  await page.hears('lights/desk/intensity', `${percent(1000)}`, { qos: 1 });
  // That it is there, and this: what is not acknowledged is rightly repeated.
  await dimmer.acknowledged(2);
  dimmer.network.plugged = false;
  for (const raw of [1500, 2500, 3500, 2900]) {
    dimmer.turn(raw);
    await dimmer.passes(0.1);
  }
  await page.hears('dimmers/desk/availability', 'offline');
  const after = page.heard.length;
  dimmer.network.plugged = true;
  await page.hears('lights/desk/intensity', `${percent(2900)}`, { after, qos: 1 });
  // Nothing that was turned past meanwhile.
  assert.deepEqual(new Set(page.texts('lights/desk/intensity', after)), new Set([`${percent(2900)}`]));
  assert.deepEqual(house.problems(), []);
});

test('a dimmer whose connection was cut does not repeat what the broker still knows', async (t) => {
  const house = await House.build(t, new Luxwire());
  const page = await house.page();
  const dimmer = house.board('dimmer', ['--dimmer', 'desk', ...KEEP_ALIVE]);
  dimmer.turn(1000);
  await page.hears('lights/desk/intensity', `${percent(1000)}`, { qos: 1 });
  await dimmer.acknowledged(2);
  dimmer.cable.cut = true;
  await page.hears('dimmers/desk/availability', 'offline');
  // Somebody else turns the light; the knob was not touched.
  await page.set('desk', '90');
  const after = page.heard.length;
  dimmer.cable.cut = false;
  await page.hears('dimmers/desk/availability', 'online', { after });
  await dimmer.passes(1);
  assert.deepEqual(page.texts('lights/desk/intensity', after).filter((text) => text !== '90'), []);
  assert.deepEqual(house.problems(), []);
});

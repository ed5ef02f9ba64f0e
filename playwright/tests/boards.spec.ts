// The whole picture with real firmware: a knob on one board, an LED on another, and the page between them. The boards are
// emulated (devices/firmware/sim); what they run is the very file that one drags onto a real one.

import { resolve } from 'node:path';
import { expect, expectLevel, test } from '../fixtures';
import type { Luxwire } from '../fixtures/luxwire';

const SIM = resolve(import.meta.dirname, '../../devices/firmware/sim');

/** A house of boards around the test's server; `after` is told how to tear it down. */
async function houseOf(luxwire: Luxwire, after: (end: () => Promise<void>) => void) {
  const { House } = await import(resolve(SIM, 'house.mjs'));
  const broker = { port: luxwire.mqttPort, start: async () => {}, kill: async () => {} };
  return House.build({ after }, broker);
}

test.use({ lampIds: [] });

test('a knob moves the page and an LED, the slider moves the LED, and a lamp without power is offline', async ({
  luxwire,
  visit,
}) => {
  const { duty, percent } = await import(resolve(SIM, 'light.mjs'));
  let end = async () => {};
  const house = await houseOf(luxwire, (fall) => (end = fall));
  try {
    const page = await visit();
    const lamp = house.board('lamp', ['--lamp', 'Desk', '--keep-alive', '2']);
    const dimmer = house.board('dimmer', ['--dimmer', 'Desk']);
    dimmer.turn(2048);
    const desk = page.light('Desk');
    await expectLevel(desk, percent(2048));
    await lamp.scope().shows(duty(percent(2048)));

    await desk.slider.press('End');
    await lamp.scope().shows(duty(100));
    dimmer.turn(819);
    await expectLevel(desk, percent(819));
    await lamp.scope().shows(duty(percent(819)));

    lamp.cable.cut = true;
    await expect(desk.when).toContainText('offline');
    lamp.cable.cut = false;
    // The board tries again after seconds of its own, which are longer where its processor is emulated slowly.
    await expect(desk.when).not.toContainText('offline', { timeout: 90_000 });
    expect(house.problems()).toEqual([]);
  } finally {
    const said = house.boards.flatMap((board: { name: string; lines: string[] }) => [board.name, ...board.lines]);
    await test.info().attach('boards.log', { body: said.join('\n'), contentType: 'text/plain' });
    await end();
  }
});

// One light, several who look at it: whatever one does, all others see.

import { expect, expectFinal, expectLevel, test } from '../fixtures';

test('a drag in one browser moves the other browser and the lamp, already while it lasts', async ({ visit, lamp }) => {
  const anna = (await visit()).light('Desk');
  const ben = (await visit()).light('Desk');
  await expectLevel(anna, 40);
  await expectLevel(ben, 40);

  await anna.grab(40);
  await anna.dragTo(90, 60);
  // The button is still down.
  const held = await anna.level();
  expect(held).toBeGreaterThan(80);
  await expectLevel(ben, held);
  await expect.poll(() => lamp.value()).toBe(String(held));

  await anna.dragTo(20, 40);
  const released = await anna.level();
  expect(released).toBeLessThan(30);
  await anna.release();
  await expectFinal(lamp, released);
  await expectLevel(anna, released);
  await expectLevel(ben, released);
});

test('a change at the lamp moves all browsers, and none of them answers it', async ({ visit, lamp }) => {
  const anna = (await visit()).light('Desk');
  const ben = (await visit()).light('Desk');
  await expectLevel(anna, 40);
  await expectLevel(ben, 40);

  const knob = [41, 55, 70, 100, 3, 77];
  for (const percent of knob) await lamp.set(percent);
  await expectLevel(anna, 77);
  await expectLevel(ben, 77);

  // What a person does next comes last, so an answer to the lamp's messages would stand before it.
  await anna.slider.press('End');
  await expectFinal(lamp, 100);
  const heard = lamp.heard().map((message) => message.payload);
  expect(heard.slice(0, knob.length)).toEqual(knob.map(String));
  expect(new Set(heard.slice(knob.length))).toEqual(new Set(['100']));
});

test('who comes late sees the value and when it was set', async ({ luxwire, visit, lamp }) => {
  const anna = (await visit()).light('Desk');
  await anna.slider.press('PageUp');
  await expectFinal(lamp, 50);
  const setAt = await luxwire.setAt(lamp.topic);
  expect(setAt).toBeDefined();

  const ben = (await visit()).light('Desk');
  await expectLevel(ben, 50);
  await expect(ben.when).toHaveText(/^set (just now|\d+ seconds ago)$/);
  const shown = await ben.when.locator('time').getAttribute('datetime');
  expect(Date.parse(shown!)).toBe(Date.parse(setAt!));

  // A visitor whose clock is three hours fast is not misled by it.
  const fast = await visit({
    prepare: (page) => page.clock.setFixedTime(Date.now() + 3 * 3_600_000),
  });
  await expectLevel(fast.light('Desk'), 50);
  await expect(fast.light('Desk').when).toHaveText(/^set (just now|\d+ seconds ago)$/);
});

test.describe('a house with several lights', () => {
  test.use({ lampIds: ['Desk', 'Shelf', 'Window'] });

  test('each light goes its own way', async ({ visit, lamps }) => {
    const page = await visit();
    await expect(page.connection).toHaveText('Online, 3 lights');
    await page.light('Shelf').slider.press('Home');
    await expectFinal(lamps.Shelf!, 1);
    await lamps.Window!.set(80);
    await expectLevel(page.light('Window'), 80);
    await expectLevel(page.light('Shelf'), 1);
    await expectLevel(page.light('Desk'), 40);
    expect(lamps.Desk!.heard()).toEqual([]);
  });
});

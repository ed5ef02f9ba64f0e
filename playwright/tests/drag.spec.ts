// The finger and the slider: it follows at once, sends little, and never jumps.

import type { JSHandle, Page } from '@playwright/test';
import { expect, expectFinal, expectLevel, test } from '../fixtures';
import type { Shown } from '../fixtures/lights-page';

test('a drag sends at most ten values a second, and the released one last', async ({ visit, lamp }) => {
  const visitor = await visit();
  const light = visitor.light('Desk');
  await expectLevel(light, 40);
  const tenths = await tenthsWithInput(visitor.page);

  const began = performance.now();
  await light.grab(10);
  await light.sweepTo(95, 60);
  const released = await light.level();
  await light.release();
  const lasted = performance.now() - began;
  await expectFinal(lamp, released);

  // The first at once, then one each 100 ms, the released one when it is released.
  const heard = lamp.heard();
  expect(heard.length).toBeLessThanOrEqual(1 + Math.floor(lasted / 100) + 1);
  // As often as the finger moved in the page's own time: a machine that is held up moves no finger either.
  const moved = await tenths.evaluate((tenths) => tenths.size);
  expect(moved).toBeGreaterThan(1);
  expect(heard.length, 'values sent while the finger moved').toBeGreaterThanOrEqual(moved / 3);
  expect(heard.slice(0, -1).map((message) => message.qos)).toEqual(heard.slice(0, -1).map(() => 0));
  const levels = heard.map((message) => Number(message.payload));
  expect(levels).toEqual(levels.toSorted((a, b) => a - b));
});

test('while no time passes nothing more is sent, and after 100 ms the newest value', async ({ visit, lamp }) => {
  const page = await visit({ prepare: (each) => each.clock.install() });
  const { clock } = page.page;
  const light = page.light('Desk');
  await expectLevel(light, 40);
  await clock.pauseAt(Date.now() + 60_000);

  await light.grab(10);
  const first = await light.level();
  await light.sweepTo(60, 40);
  await clock.runFor(90);
  await light.sweepTo(70, 10);
  await clock.runFor(20);
  const second = await light.level();
  await expect.poll(() => lamp.value()).toBe(String(second));
  await light.sweepTo(90, 20);
  const released = await light.level();
  await light.release();
  // At once, and for good.
  await expectFinal(lamp, released);
  expect(lamp.heard().map((message) => Number(message.payload))).toEqual([first, second, released]);
});

test('the thumb never jumps back, though the echo of each value comes late', async ({ visit, wire, lamp }) => {
  const light = (await visit({ origin: wire.origin })).light('Desk');
  await expectLevel(light, 40);
  wire.answersLateByMs = 500;

  await light.grab(10);
  await expect.poll(() => lamp.value()).toBeDefined();
  const watch = await light.watch();
  await light.dragTo(80, 60);
  const released = await light.level();
  await light.release();
  // The broker's own order of things: this arrives after all echoes of the drag.
  await expectFinal(lamp, released);
  await lamp.set(99);
  await expectLevel(light, 99);

  expectOnlyRises(await watch.stop());
});

test('two people drag the same light: each keeps their own thumb, and both end with what was released last', async ({
  visit,
  lamp,
}) => {
  const anna = (await visit()).light('Desk');
  const ben = (await visit()).light('Desk');
  await expectLevel(anna, 40);
  await expectLevel(ben, 40);

  await anna.grab(10);
  await ben.grab(90);
  const annasThumb = await anna.watch();
  const bensThumb = await ben.watch();
  await Promise.all([anna.dragTo(60, 60), ben.dragTo(30, 60)]);
  const annasLevel = await anna.level();
  const bensLevel = await ben.level();
  expect(annasLevel).toBeGreaterThan(50);
  expect(bensLevel).toBeLessThan(40);
  // What either hand sent last is rate-limited and may still be on its way; the release is what this is about.
  const arrived = (level: number) => lamp.heard().some(({ payload }) => payload === String(level));
  await expect.poll(() => arrived(annasLevel) && arrived(bensLevel)).toBe(true);

  await anna.release();
  await expectFinal(lamp, annasLevel);
  // Ben still holds his: Anna's last word reaches him, and his thumb stays.
  expect(await ben.level()).toBe(bensLevel);
  expectOnlyFalls(await bensThumb.stop());

  await ben.release();
  await expectFinal(lamp, bensLevel);
  await expectLevel(anna, bensLevel);
  await expectLevel(ben, bensLevel);
  const fell = (await annasThumb.stop()).at(-1);
  expect(fell).toEqual({ level: bensLevel, text: `${bensLevel}%` });
});

test('a light that is off goes on when its slider is dragged', async ({ visit, lamp }) => {
  const light = (await visit()).light('Desk');
  await lamp.set(0);
  await expect(light.switch).not.toBeChecked();

  await light.grab(20);
  await light.dragTo(70, 20);
  const released = await light.level();
  await light.release();
  await expectFinal(lamp, released);
  await expectLevel(light, released);
});

test.describe('on a phone', () => {
  test('a finger drags the slider, and a tap sets it', async ({ visit, lamp }) => {
    const phone = await visit({ hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } });
    const light = phone.light('Desk');
    await expectLevel(light, 40);

    const finger = await phone.page.context().newCDPSession(phone.page);
    const bar = await light.bar();
    const touch = async (type: 'touchStart' | 'touchMove' | 'touchEnd', percent?: number) => {
      const touchPoints = percent === undefined ? [] : [bar.at(percent)];
      await finger.send('Input.dispatchTouchEvent', { type, touchPoints });
    };
    await touch('touchStart', 20);
    for (let percent = 22; percent <= 80; percent += 2) await touch('touchMove', percent);
    const released = await light.level();
    expect(released).toBeGreaterThan(70);
    await touch('touchEnd');
    await expectFinal(lamp, released);
    await expectLevel(light, released);

    const { x, y } = bar.at(30);
    await phone.page.touchscreen.tap(x, y);
    await expect.poll(() => light.level()).toBeLessThan(40);
    const tapped = await light.level();
    expect(tapped).toBeGreaterThan(20);
    await expectFinal(lamp, tapped);
  });

  test.describe('with more lights than fit', () => {
    test.use({ lampIds: ['Attic', 'Balcony', 'Cellar', 'Desk', 'Entrance', 'Floor', 'Garage', 'Hall'] });

    test('a finger that scrolls the page over a slider changes no light', async ({ visit, lamps }) => {
      const phone = await visit({ hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } });
      const light = phone.light('Desk');
      await expectLevel(light, 40);
      const finger = await phone.page.context().newCDPSession(phone.page);
      const { x, y } = (await light.bar()).at(80);
      // Upwards, and a little aside as a thumb does.
      const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', ...touchPoints: { x: number; y: number }[]) =>
        finger.send('Input.dispatchTouchEvent', { type, touchPoints });
      await touch('touchStart', { x, y });
      for (let up = 10; up <= 400; up += 10) await touch('touchMove', { x: x + up / 100, y: y - up });
      await touch('touchEnd');
      await expect.poll(() => phone.page.evaluate(() => scrollY)).toBeGreaterThan(200);
      await expectLevel(light, 40);

      // What is meant comes last, so an accident would stand before it.
      await light.slider.press('End');
      await expectFinal(lamps.Desk!, 100);
      expect(new Set(lamps.Desk!.heard().map((message) => message.payload))).toEqual(new Set(['100']));
    });
  });
});

/** The tenths of a second, by the page's clock, in which the slider was moved from here on. */
async function tenthsWithInput(page: Page): Promise<JSHandle<Set<number>>> {
  return page.evaluateHandle(() => {
    const tenths = new Set<number>();
    window.addEventListener('input', () => tenths.add(Math.floor(performance.now() / 100)), { capture: true });
    return tenths;
  });
}

function expectOnlyRises(shown: Shown[]): void {
  const levels = shown.map((each) => each.level);
  expect(levels.length).toBeGreaterThan(10);
  expect(levels).toEqual(levels.toSorted((a, b) => a - b));
  // The number says what the thumb says.
  expect(shown.map((each) => each.text)).toEqual(levels.map((level) => `${level}%`));
}

function expectOnlyFalls(shown: Shown[]): void {
  expectOnlyRises(shown.toReversed());
}

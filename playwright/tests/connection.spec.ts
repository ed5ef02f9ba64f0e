// Bad days of the connection: the page says what is, goes on by itself, and shows the truth again afterwards.

import { expect, expectAccessible, expectFinal, expectLevel, test } from '../fixtures';
import { LightsPage } from '../fixtures/lights-page';
import { Mosquitto } from '../fixtures/mosquitto';

const RECONNECTING = /^Reconnecting( in \d+ s|…)$/;
const ONLINE = /^Online, /;

test('the server is killed in the middle of a drag: what was released meanwhile arrives once', async ({
  luxwire,
  visit,
  lamp,
}) => {
  const anna = await visit();
  const ben = await visit();
  const light = anna.light('Desk');
  await light.grab(40);
  await light.dragTo(60, 20);
  const before = await light.level();
  await expectLevel(ben.light('Desk'), before);

  await luxwire.kill();
  lamp.forget();
  await light.dragTo(85, 20);
  await expect(anna.connection).toHaveText(RECONNECTING);
  await expect(ben.connection).toHaveText(RECONNECTING);
  const released = await light.level();
  expect(released).toBeGreaterThan(before);
  await light.release();
  await expect(light.value).toHaveText(new RegExp(`${released}`));

  await luxwire.startAgain();
  await expect(anna.connection).toHaveText(ONLINE);
  await expect(ben.connection).toHaveText(ONLINE);
  await expect.poll(() => lamp.value()).toBe(String(released));
  await expectLevel(light, released);
  await expectLevel(ben.light('Desk'), released);

  // What comes next comes last, so a repetition would stand before it.
  await light.slider.press('Home');
  await expectFinal(lamp, 1);
  const heard = lamp.heard().map((message) => message.payload);
  expect(heard.slice(0, heard.indexOf('1'))).toEqual([String(released)]);
});

test('what was released to a server that was dying arrives at the next one, once', async ({ luxwire, visit, lamp }) => {
  const anna = await visit();
  const light = anna.light('Desk');
  await light.grab(40);
  await light.dragTo(60, 10);
  // From here on it takes what it is sent, and does nothing with it.
  luxwire.freeze();
  await light.dragTo(75, 10);
  const released = await light.level();
  await light.release();
  lamp.forget();
  await luxwire.kill();
  await expect(anna.connection).toHaveText(RECONNECTING);
  await luxwire.startAgain();
  await expect.poll(() => lamp.value()).toBe(String(released));
  await expectLevel(light, released);

  await light.slider.press('Home');
  await expectFinal(lamp, 1);
  const heard = lamp.heard().map((message) => message.payload);
  expect(heard.slice(0, heard.indexOf('1'))).toEqual([String(released)]);
});

test('a drag outlives a restart of the server', async ({ luxwire, visit, lamp }) => {
  const anna = await visit();
  const light = anna.light('Desk');
  await light.grab(10);
  await light.dragTo(30, 20);
  const thumb = await light.watch();
  await luxwire.kill();
  lamp.forget();
  await light.dragTo(50, 20);
  await expect(anna.connection).toHaveText(RECONNECTING);
  await luxwire.startAgain();
  await expect(anna.connection).toHaveText(ONLINE);
  await expect.poll(() => lamp.connected).toBe(true);

  await light.dragTo(80, 30);
  const held = await light.level();
  await expect.poll(() => lamp.value()).toBe(String(held));
  await light.dragTo(90, 10);
  const released = await light.level();
  await light.release();
  await expectFinal(lamp, released);
  const levels = (await thumb.stop()).map((shown) => shown.level);
  expect(levels).toEqual(levels.toSorted((a, b) => a - b));
});

test.describe('two lights', () => {
  test.use({ lampIds: ['Desk', 'Shelf'] });

  test('a server that has forgotten everything is believed', async ({ luxwire, visit, lamps }) => {
    const page = await visit();
    await expect(page.connection).toHaveText('Online, 2 lights');
    await luxwire.kill();
    await expect(page.connection).toHaveText(RECONNECTING);
    await expect(page.page).toHaveTitle(/^Reconnecting/);
    await luxwire.startAgain();
    await expect.poll(() => lamps.Desk!.connected).toBe(true);
    await lamps.Desk!.set(20);
    await expectLevel(page.light('Desk'), 20);
    await expect(page.light('Shelf').card).toBeHidden();
    await expect(page.connection).toHaveText('Online, 1 light');
    await expect(page.page).toHaveTitle('Luxwire');
    expect(lamps.Shelf!.heard()).toEqual([]);
  });
});

test('a cut line is mended, and what happened meanwhile is shown', async ({ visit, wire, lamp }) => {
  const page = await visit({ origin: wire.origin });
  await expectLevel(page.light('Desk'), 40);
  wire.cut();
  await expect(page.connection).toHaveText(RECONNECTING);
  await lamp.set(88);
  // The last thing known stays on the screen until there is something better.
  await expect(page.light('Desk').value).toHaveText(/40/);
  wire.mend();
  await expect(page.connection).toHaveText(ONLINE);
  await expectLevel(page.light('Desk'), 88);
  expect(lamp.heard().map((message) => message.payload)).toEqual(['88']);
});

test('a server that says nothing more is noticed', async ({ luxwire, visit }) => {
  const page = await visit({ prepare: (each) => each.clock.install() });
  await expect(page.connection).toHaveText(ONLINE);
  luxwire.freeze();
  // Two minutes on the page's clock: more than any keep alive.
  await page.page.clock.runFor(120_000);
  await expect(page.connection).toHaveText(/^Reconnecting|^Connecting/);
  luxwire.thaw();
  // A second at a time: the network takes real time, and must not be given up while the page's clock runs ahead.
  await expect(async () => {
    await page.page.clock.runFor(1_000);
    await expect(page.connection).toHaveText(ONLINE, { timeout: 300 });
  }).toPass({ timeout: 90_000 });
});

test('a broker that refuses is said to refuse', async ({ visit }) => {
  const strict = await Mosquitto.start({ anonymous: false });
  const page = await visit({ broker: strict.url });
  await expect(page.connection).toHaveText(/^Refused: .*\b(authori|permitted|allowed|sign)/i);
  await expectAccessible(page);
  await strict.stop();
});

test('a broker that is not there is tried again and again, and found when it comes', async ({ luxwire, visit }) => {
  // The page comes from one server and looks for its broker at another, which starts later.
  const later = await Mosquitto.start({ anonymous: true });
  const { url } = later;
  await later.stop();
  const page = await visit({ broker: url });
  await expect(page.connection).toHaveText(RECONNECTING);
  await expect(page.page).toHaveURL(new RegExp(`^${luxwire.origin}`));
  const there = await Mosquitto.start({ anonymous: true, ports: later });
  await expect(page.connection).toHaveText('Online, no lights yet');
  await there.stop();
});

test('two tabs of one browser are two visitors', async ({ luxwire, visit, lamp }) => {
  const first = await visit();
  const second = new LightsPage(await first.page.context().newPage());
  await second.page.goto(luxwire.origin);
  await expectLevel(first.light('Desk'), 40);
  await expectLevel(second.light('Desk'), 40);
  await second.light('Desk').slider.press('Home');
  await expectFinal(lamp, 1);
  await expectLevel(first.light('Desk'), 1);
  await first.light('Desk').slider.press('End');
  await expectFinal(lamp, 100);
  await expectLevel(second.light('Desk'), 100);
  await expect(first.connection).toHaveText(ONLINE);
  await expect(second.connection).toHaveText(ONLINE);
});

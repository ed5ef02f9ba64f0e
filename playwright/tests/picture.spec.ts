// The picture: the broker and everybody who is connected to it, as they really are, and each message as it travels.

import type { Page } from '@playwright/test';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { expect, expectAccessible, expectNoSidewaysScroll, test as base } from '../fixtures';
import type { LightsPage } from '../fixtures/lights-page';
import type { Luxwire } from '../fixtures/luxwire';
import { Picture } from '../fixtures/picture';

type Join = (clientId: string, follows?: string[], options?: IClientOptions) => Promise<MqttClient>;

const test = base.extend<{ join: Join }>({
  /** Connects somebody under a name; gone after the test. */
  join: async ({ luxwire }, use) => {
    const clients: MqttClient[] = [];
    await use(async (clientId, follows = [], options = {}) => {
      const client = await connect(luxwire, clientId, options);
      clients.push(client);
      if (follows.length > 0) await client.subscribeAsync(follows);
      return client;
    });
    for (const client of clients) await client.endAsync(true);
  },
});

test.use({ lampIds: ['Desk'] });

/** Opens the picture by its button, and returns once it shows the broker as it is. */
async function open(page: LightsPage): Promise<Picture> {
  const picture = new Picture(page.page);
  await picture.button.click();
  await expect(picture.client('This page')).toBeVisible();
  return picture;
}

test('shows who is connected, by names for people', async ({ visit, join }) => {
  await join('luxwire-dimmer-0a1b2c', ['lights/Desk/intensity']);
  await join('luxwire-record', ['lights/#']);
  await join('thermometer');
  const page = await visit();
  const other = await visit();
  const picture = await open(page);
  for (const name of ['This page', 'Another page', 'Desk dimmer', 'Recorder', 'thermometer']) {
    await expect(picture.client(name), name).toBeVisible();
  }
  // The fixture's own lamp has a name of its own choice; it is known by what it follows, and shines as its light was set.
  await expect(picture.client('Desk lamp')).toHaveText(/40 %/);
  await expect(picture.clients).toHaveCount(6);
  await expect(picture.count).toHaveText(/^6 clients/);
  await other.page.close();
  await expect(picture.client('Another page')).toBeHidden();
});

test('a slider that is dragged sends a message through the picture', async ({ visit }) => {
  const page = await visit();
  const picture = await open(page);
  await expect(picture.client('Desk lamp')).toHaveText(/40 %/);
  const light = page.light('Desk');
  await light.grab(40);
  await light.dragTo(80, 30);
  const level = await light.level();
  await light.release();
  await expect(picture.sentence).toContainText(`This page set Desk to ${level} %.`);
  await expect(picture.sentence).toContainText('The Desk lamp follows it and has it.');
  await expect(picture.client('Desk lamp')).toHaveText(new RegExp(`${level} %`));
});

test('somebody who joins and leaves is seen to', async ({ visit, join }) => {
  const picture = await open(await visit());
  const visitor = await join('thermometer');
  await expect(picture.client('thermometer')).toBeVisible();
  await expect(picture.sentence).toContainText('thermometer joined.');
  await visitor.endAsync(true);
  await expect(picture.client('thermometer')).toBeHidden();
  await expect(picture.sentence).toContainText('thermometer left.');
});

test('nobody moves when somebody joins', async ({ visit, join }) => {
  const picture = await open(await visit());
  await expect(picture.client('Desk lamp')).toBeVisible();
  // Where it stands in its stage; fractions of a pixel are the browser's affair.
  const place = async () => {
    const [box, stage] = [(await picture.client('Desk lamp').boundingBox())!, (await picture.stage.boundingBox())!];
    return [Math.round(box.x - stage.x), Math.round(box.y - stage.y)];
  };
  const before = await place();
  await join('luxwire-lamp-000001', ['lights/Shelf/intensity']);
  await join('luxwire-lamp-000002', ['lights/Window/intensity']);
  await expect(picture.client('Window lamp')).toBeVisible();
  expect(await place()).toEqual(before);
});

test('a click shows what somebody publishes and follows', async ({ visit, join }) => {
  const dimmer = await join('luxwire-dimmer-0a1b2c', ['lights/+/intensity'], { protocolVersion: 4 });
  await dimmer.publishAsync('lights/Desk/intensity', '55', { retain: true });
  const page = await visit();
  const picture = await open(page);
  await picture.client('Desk dimmer').click();
  await expect(picture.details).toBeVisible();
  await expect(picture.details).toHaveAccessibleName('Desk dimmer');
  await expect(picture.details).toContainText('luxwire-dimmer-0a1b2c');
  await expect(picture.details).toContainText('speaks MQTT 3.1.1 over TCP, from 127.0.0.1:');
  await expect(picture.list('Publishes')).toHaveText([/lights\/Desk\/intensity\s*55 %/]);
  await expect(picture.list('Follows')).toHaveText([/lights\/\+\/intensity\s*how bright every light is/]);

  await test.step('and what it publishes while one looks', async () => {
    await dimmer.publishAsync('lights/Desk/intensity', '56', { retain: true });
    await expect(picture.list('Publishes')).toHaveText([/56 %/]);
    await dimmer.publishAsync('home/dimmer/battery', '80');
    await expect(picture.list('Publishes')).toHaveCount(2);
  });

  await test.step('until it is closed, or gone', async () => {
    await picture.details.getByRole('button', { name: 'Close' }).click();
    await expect(picture.details).toBeHidden();
    await picture.broker.click();
    await expect(picture.details).toHaveAccessibleName('The broker');
    await picture.client('Desk dimmer').click();
    await expect(picture.details).toHaveAccessibleName('Desk dimmer');
    await dimmer.endAsync(true);
    await expect(picture.details).toBeHidden();
  });
});

test('a kept value is said to come from the shelf', async ({ visit, join }) => {
  const picture = await open(await visit());
  await join('newcomer', ['lights/Desk/intensity']);
  await expect(picture.sentence).toContainText(/kept Desk: 40\s% on its shelf, and has handed it to/);
});

test('what a stranger calls itself is text', async ({ visit, join }) => {
  const picture = await open(await visit());
  const name = '<img src=x onerror=alert(1)>';
  await join(name);
  await expect(picture.clients.filter({ hasText: name })).toBeVisible();
  await expect(picture.panel.locator('img')).toHaveCount(0);
});

test('all of it can be reached by keys', async ({ visit, join }) => {
  await join('thermometer');
  const page = await visit();
  const picture = await open(page);
  await expect(picture.client('thermometer')).toBeVisible();
  await picture.broker.focus();
  await page.page.keyboard.press('Tab');
  const first = await picture.clients.first().textContent();
  await expect(picture.clients.first()).toBeFocused();
  const reached = [first];
  for (let step = 1; step < (await picture.clients.count()); step += 1) {
    await page.page.keyboard.press('ArrowRight');
    await expect(picture.clients.nth(step)).toBeFocused();
    reached.push(await picture.clients.nth(step).textContent());
  }
  expect(new Set(reached).size).toBe(3);
  await page.page.keyboard.press('Home');
  await expect(picture.clients.first()).toBeFocused();

  await page.page.keyboard.press('Enter');
  await expect(picture.details).toBeFocused();
  await page.page.keyboard.press('Tab');
  await expect(picture.details.getByRole('button', { name: 'Close' })).toBeFocused();
  await page.page.keyboard.press('Escape');
  await expect(picture.details).toBeHidden();
  await expect(picture.clients.first()).toBeFocused();
});

test('slow motion tells one message step by step, and a pause holds it', async ({ visit, lamp }) => {
  const picture = await open(await visit());
  await picture.slowMotion.click();
  await expect(picture.slowMotion).toHaveAttribute('aria-pressed', 'true');
  const said = await picture.listen(picture.sentence);
  await lamp.set(30);
  // The second stands for half a second only.
  await expect
    .poll(async () => (await said.texts()).filter((text) => /^\d\. /.test(text)))
    .toEqual([
      '1. The Desk lamp publishes 30 % on the topic lights/Desk/intensity.',
      expect.stringContaining('2. The broker keeps the value'),
      expect.stringContaining('3. The broker hands it to'),
    ]);

  await picture.pause.click();
  await expect(picture.slowMotion).toHaveAttribute('aria-pressed', 'false');
  await expect(picture.sentence).toHaveText('Paused.');
  await lamp.set(31);
  await lamp.set(32);
  await expect(picture.sentence).toHaveText(/^Paused\. One message has passed since\.|^Paused\. \d+ messages have passed since\.$/);
  await picture.pause.click();
  await expect(picture.client('Desk lamp')).toHaveText(/32 %/);
});

test('the words that one needs are explained', async ({ visit }) => {
  const picture = await open(await visit());
  await expect(picture.panel.getByText('A topic', { exact: true })).toBeHidden();
  await picture.explain.click();
  for (const word of ['The broker', 'A topic', 'To publish', 'To follow', 'A kept value']) {
    await expect(picture.panel.getByText(word, { exact: true })).toBeVisible();
  }
});

test('what is read out loud is a sentence, and seldom', async ({ visit, lamp }) => {
  const picture = await open(await visit());
  const said = await picture.listen(picture.aloud);
  await lamp.set(30);
  await expect(picture.aloud).toContainText('set Desk to 30 %');
  for (let percent = 31; percent <= 60; percent += 1) await lamp.set(percent);
  await expect(picture.client('Desk lamp')).toHaveText(/60 %/);
  await expect(picture.aloud).toContainText('set Desk to 60 %');
  // Six seconds apart; a page that is held up notes one late, and the next in time.
  const times = (await said.sentences()).map((sentence) => sentence.at);
  const apart = times.slice(1).map((at, index) => at - times[index]!);
  expect(apart.filter((ms) => ms < 4_000)).toEqual([]);
});

for (const reducedMotion of ['reduce', 'no-preference'] as const) {
  const wanted = reducedMotion === 'reduce' ? 'nothing flies for who asked for it, and the values are there' : 'messages fly otherwise';
  test(wanted, async ({ visit, lamp }) => {
    // A message that flies is drawn as a spot of light on the uppermost canvas; a label or a line is not.
    const prepare = async (page: Page) => {
      await page.addInitScript(() => {
        const draw = CanvasRenderingContext2D.prototype.drawImage;
        CanvasRenderingContext2D.prototype.drawImage = function (this: CanvasRenderingContext2D, ...what: unknown[]) {
          if (this.canvas.classList.contains('flights')) document.documentElement.dataset.flown = 'true';
          return (draw as (...what: unknown[]) => void).apply(this, what);
        };
      });
    };
    const page = await visit({ reducedMotion, prepare });
    const picture = await open(page);
    await lamp.set(70);
    await expect(picture.sentence).toContainText('set Desk to 70 %');
    await expect(picture.client('Desk lamp')).toHaveText(/70 %/);
    const flown = () => page.page.locator('html').getAttribute('data-flown');
    if (reducedMotion === 'reduce') expect(await flown()).toBeNull();
    else await expect.poll(flown).toBe('true');
  });
}

test('the picture comes back by itself after the server was away', async ({ visit, luxwire, lamp }) => {
  const page = await visit();
  const picture = await open(page);
  await luxwire.kill();
  await expect(picture.sentence).toHaveText(/^No connection since \d+:\d\d: this is how it was\./);
  await expect(picture.panel).toHaveAttribute('data-line', 'lost');
  await expect(picture.client('Desk lamp'), 'the last picture stays').toBeVisible();
  await luxwire.startAgain();
  await expect(picture.panel).toHaveAttribute('data-line', 'live');
  await expect(picture.client('This page')).toHaveCount(1);
  await expect.poll(() => lamp.connected).toBe(true);
  await lamp.set(12);
  await expect(picture.client('Desk lamp')).toHaveText(/12 %/);
});

test('closed while the server is away, it is quiet, and opens again', async ({ visit, luxwire }) => {
  const page = await visit();
  const picture = await open(page);
  await luxwire.kill();
  await expect(picture.panel).toHaveAttribute('data-line', 'lost');
  await picture.button.click();
  await expect(picture.panel).toBeHidden();
  await luxwire.startAgain();
  await expect(page.connection).toHaveText(/^Online/);
  await picture.button.click();
  await expect(picture.client('This page')).toBeVisible();
});

test('its address leads straight to it, and closing it takes everything away', async ({ visit }) => {
  const page = await visit();
  const picture = new Picture(page.page);
  await expect(picture.panel).toBeHidden();
  await picture.button.click();
  await expect(picture.button).toHaveAttribute('aria-pressed', 'true');
  expect(page.page.url()).toMatch(/\/#picture$/);

  await page.page.reload();
  await expect(picture.client('This page')).toBeVisible();
  await expect(picture.button).toHaveAttribute('aria-pressed', 'true');

  await picture.button.click();
  await expect(picture.panel).toBeHidden();
  await expect(picture.button).toHaveAttribute('aria-pressed', 'false');
  expect(page.page.url()).not.toContain('#');
  await expect(page.page.locator('canvas')).toHaveCount(0);
  await picture.button.click();
  await expect(picture.client('This page')).toBeVisible();
});

test('a visit without the picture loads nothing of it', async ({ visit }) => {
  const loaded: string[] = [];
  const page = await visit({
    prepare: async (page) => {
      page.on('request', (request) => request.url().includes('picture') && loaded.push(request.url()));
    },
  });
  await expect(page.connection).toHaveText('Online, 1 light');
  expect(loaded).toEqual([]);
  const picture = await open(page);
  await expect(picture.client('Desk lamp')).toBeVisible();
  expect(loaded.map((url) => new URL(url).pathname)).toEqual([
    '/luxwire-picture.js',
    '/luxwire-picture_bg.wasm',
    '/api/v1/picture',
  ]);
});

test('a module that does not load is said in words, and may be tried again', async ({ visit }) => {
  const page = await visit();
  const picture = new Picture(page.page);
  await page.page.route('**/luxwire-picture_bg.wasm', (route) => route.abort());
  await picture.button.click();
  await expect(picture.panel).toContainText('could not be loaded');
  await expect(page.light('Desk').slider).toBeEnabled();
  await page.page.unroute('**/luxwire-picture_bg.wasm');
  await picture.button.click();
  await picture.button.click();
  await expect(picture.client('This page')).toBeVisible();
});

test('there is no picture of somebody else’s broker', async ({ visit, mosquitto }) => {
  const page = await visit({ broker: mosquitto.url });
  await expect(page.connection).toHaveText(/^Online/);
  await expect(new Picture(page.page).button).toBeHidden();
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`nothing for axe to find in the picture: ${colorScheme}`, async ({ visit, join, luxwire }) => {
    await join('luxwire-dimmer-0a1b2c');
    const page = await visit({ colorScheme });
    const picture = await open(page);
    await picture.explain.click();
    await picture.client('Desk lamp').click();
    await expect(picture.details).toBeVisible();
    await expectAccessible(page);
    await luxwire.kill();
    await expect(picture.panel).toHaveAttribute('data-line', 'lost');
    await expectAccessible(page);
  });
}

for (const viewport of [{ width: 320, height: 640 }, { width: 390, height: 844 }, { width: 1280, height: 800 }, { width: 3840, height: 2160 }]) {
  test(`the picture fits ${viewport.width} pixels`, async ({ visit, join }) => {
    await join('luxwire-dimmer-0a1b2c');
    await join('A client with a name that is much longer than there is room for under its pictogram', ['#']);
    const page = await visit({ viewport });
    const picture = await open(page);
    await expect(picture.clients).toHaveCount(4);
    await expectNoSidewaysScroll(page);
    const stage = (await picture.stage.boundingBox())!;
    for (const client of [...(await picture.clients.all()), picture.broker]) {
      const box = (await client.boundingBox())!;
      expect(box.x).toBeGreaterThanOrEqual(stage.x);
      expect(box.x + box.width).toBeLessThanOrEqual(stage.x + stage.width);
      expect(box.height).toBeGreaterThanOrEqual(24);
    }
    await picture.client('Desk lamp').click();
    await expectNoSidewaysScroll(page);
  });
}

test('forced colours leave everything visible', async ({ visit }) => {
  const page = await visit({ forcedColors: 'active' });
  await open(page);
  await expectAccessible(page);
});

test('two hundred clients: all counted, all reachable, and the page still follows the hand', async ({ visit, join }) => {
  // Two hundred clients, their broker and a browser share two processors.
  test.slow();
  const talkers = await Promise.all(Array.from({ length: 10 }, (_, index) => join(`sensor-${index}`)));
  await Promise.all(Array.from({ length: 188 }, (_, index) => join(`luxwire-lamp-${0x1000 + index}`, [`home/${index % 20}`])));
  const page = await visit({ viewport: { width: 1280, height: 900 } });
  const picture = await open(page);
  await expect(picture.count).toHaveText(/^200 clients/);
  await expect(picture.clients).toHaveCount(200);

  // About two hundred messages a second go on while the hand drags, and frames are counted; the figure is for reading.
  let topic = 0;
  const chatter = setInterval(() => {
    for (const talker of talkers.slice(0, 2)) talker.publish(`home/${(topic += 1) % 20}`, String(topic % 100));
  }, 10);
  const frames = page.page.evaluate(framesIn, 3_000);
  const said = await picture.listen(picture.sentence);
  const light = page.light('Desk');
  await light.grab(40);
  await light.dragTo(80, 60);
  const level = await light.level();
  await light.release();
  // The sensors have their turn soon after.
  const own = new RegExp(`^This page set Desk to ${level} %\\.`);
  await expect.poll(async () => (await said.texts()).filter((text) => own.test(text))).not.toEqual([]);
  await expect(picture.client('Desk lamp')).toHaveText(new RegExp(`${level} %`));
  const { perSecond, longest } = await frames;
  clearInterval(chatter);
  console.log(`200 clients, 200 messages a second: ${perSecond.toFixed(1)} frames a second, the longest ${longest.toFixed(0)} ms`);
  test.info().annotations.push({ type: 'frames a second', description: perSecond.toFixed(1) });
});

test('two hundred clients on a phone are grouped by likeness', async ({ visit, join }) => {
  test.slow();
  await Promise.all(Array.from({ length: 198 }, (_, index) => join(`luxwire-lamp-${0x1000 + index}`, [`home/${index % 20}`])));
  const page = await visit({ viewport: { width: 390, height: 844 } });
  const picture = await open(page);
  await expect(picture.count).toHaveText(/^200 clients/);
  await picture.client('198 lamps').or(picture.client('199 lamps')).click();
  const members = picture.details.getByRole('listitem').getByRole('button');
  expect(await members.count()).toBeGreaterThanOrEqual(198);
  await members.nth(100).click();
  await expect(picture.details).toContainText('luxwire-lamp-');
  await expect(picture.list('Follows')).toHaveCount(1);
});

async function connect(luxwire: Luxwire, clientId: string, options: IClientOptions): Promise<MqttClient> {
  const client = await connectAsync(`mqtt://127.0.0.1:${luxwire.mqttPort}`, { protocolVersion: 5, clientId, reconnectPeriod: 0, ...options });
  client.on('error', () => {});
  return client;
}

/** Counts frames for so many milliseconds. */
function framesIn(duration: number): Promise<{ perSecond: number; longest: number }> {
  return new Promise((done) => {
    const begin = performance.now();
    let [last, longest, count] = [begin, 0, 0];
    const frame = () => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
      count += 1;
      if (now - begin < duration) requestAnimationFrame(frame);
      else done({ perSecond: (count * 1_000) / (now - begin), longest });
    };
    requestAnimationFrame(frame);
  });
}

// Luxwire's page beside a plain one that does the same with MQTT.js: how they load, what they take, what a drag costs on the
// wire, and how long a value takes from one page to another. What each figure means stands in docs/page-benchmark.md.
//
// It writes down what it found and computes nothing: `luxwire-bench page`, which runs it, makes tables of it.

import { writeFile } from 'node:fs/promises';
import { expect, test, type Browser, type CDPSession, type Page } from '@playwright/test';
import { Lamp } from '../fixtures/lamp';
import { clockAhead, difference, timeMoves, type Latencies } from '../fixtures/latency';
import { LightsPage, type Light } from '../fixtures/lights-page';
import { Luxwire } from '../fixtures/luxwire';
import { memory, rendererOf, type Memory } from './memory';
import { mqttJsVersion, PlainPage } from './plain-page';
import { install, loaded, type Load } from './probe';
import { Traffic, type Flow, type Loading } from './traffic';

interface Settings {
  rounds: number;
  /** In each round. */
  drags: number;
  moves: number;
  /** The file for what was found. */
  out: string;
}

type Loaded = Load & Loading;

interface Drag {
  dragging: { sent: Flow; received: Flow };
  following: { sent: Flow; received: Flow };
}

interface Round {
  first: Loaded;
  /** When the browser has the files. */
  again: Loaded;
  memory: { loaded: Memory; worked: Memory };
  drags: Drag[];
  /** How much of a processor the main thread of the page that follows needs for each value that reaches it. */
  workMs: number;
  latencies: Latencies;
  clocksDifferByMs: number;
}

interface Contender {
  key: 'luxwire' | 'mqtt-js';
  url: string;
  rounds: Round[];
}

// A house of some lights. The first is dragged.
const LIGHTS = ['Desk', 'Hall', 'Shelf', 'Sofa', 'Stairs', 'Window'];
const DRAG_MS = 2_000;

const settings = JSON.parse(process.env.LUXWIRE_PAGE_BENCH ?? 'null') as Settings | null;

test('the page beside one with MQTT.js', async ({ browser }) => {
  test.skip(!settings, 'run it with "cargo xtask bench page"');
  test.setTimeout(0);
  const { rounds, drags, moves, out } = settings!;
  const plain = await PlainPage.start();
  const luxwire = await Luxwire.start('--set', `http.allowed_origins=["${plain.origin}"]`, '--set', 'hue.enabled=false');
  const lamps = await Promise.all(LIGHTS.map((id) => Lamp.connect(id, luxwire.mqttPort)));
  const broker = encodeURIComponent(`ws://127.0.0.1:${luxwire.httpPort}/mqtt`);
  const contenders: Contender[] = [
    { key: 'luxwire', url: `${luxwire.origin}/`, rounds: [] },
    { key: 'mqtt-js', url: `${plain.origin}/?broker=${broker}`, rounds: [] },
  ];
  const settle = () => Promise.all(lamps.map((lamp) => lamp.set(50)));

  await settle();
  // What the browser does once for all pages is no page's.
  for (const { url } of contenders) await (await Visit.to(url, browser)).leave();
  for (let round = 0; round < rounds; round += 1) {
    // Each begins as often as the other.
    for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
      await settle();
      console.log(`round ${round + 1} of ${rounds}: ${contender.key}`);
      contender.rounds.push(await measure(contender.url, browser, drags, moves, settle));
    }
  }
  const found = {
    browser: `Chromium ${browser.version()}`,
    mqtt_js: mqttJsVersion(),
    contenders: Object.fromEntries(contenders.map(({ key, rounds }) => [key, rounds])),
  };
  await writeFile(out, JSON.stringify(found));

  await Promise.all(lamps.map((lamp) => lamp.disconnect()));
  await luxwire.stop();
  await plain.stop();
});

async function measure(
  url: string,
  browser: Browser,
  drags: number,
  moves: number,
  settle: () => Promise<unknown>,
): Promise<Round> {
  const one = await Visit.to(url, browser);
  const first = one.loaded;
  const again = await one.reload();
  const fresh = await one.memory();
  const other = await Visit.to(url, browser);

  const dragged: Drag[] = [];
  const begun = await other.workedMs();
  for (let drag = 0; drag < drags; drag += 1) dragged.push(await dragOnce(one, other, drag));
  const values = dragged.reduce((sum, { following }) => sum + following.received.messages, 0);
  const workMs = ((await other.workedMs()) - begun) / values;

  await settle();
  for (const { light } of [one, other]) await expectShown(light, 50);
  const latencies = await timeMoves(one.light, other.light, moves);
  const worked = await one.memory();
  const clocksDifferByMs = difference(await clockAhead(one.page), await clockAhead(other.page)).most;
  await one.leave();
  await other.leave();
  return { first, again, memory: { loaded: fresh, worked }, drags: dragged, workMs, latencies, clocksDifferByMs };
}

/** Two seconds across the bar, up or down, over values of two digits, and all that follows from it. */
async function dragOnce(one: Visit, other: Visit, number: number): Promise<Drag> {
  const [from, to] = number % 2 === 0 ? [20, 90] : [90, 20];
  for (const { traffic } of [one, other]) traffic.forget();
  await one.light.grab(from);
  await one.light.dragFor(to, DRAG_MS);
  await one.light.release();
  await expectShown(other.light, await one.light.level());
  // Each message comes back to who sent it and reaches who follows; the last one is acknowledged on each way.
  await expect.poll(() => answersMissing(one.traffic.sent, one.traffic.received)).toBe(0);
  const sent = one.traffic.sent.messages;
  await expect.poll(() => other.traffic.received.messages).toBe(sent);
  await expect.poll(() => one.traffic.sent.packets - sent).toBe(1);
  await expect.poll(() => other.traffic.sent.packets).toBe(1);
  const flows = ({ traffic: { sent, received } }: Visit) => structuredClone({ sent, received });
  return { dragging: flows(one), following: flows(other) };
}

function answersMissing(sent: Flow, received: Flow): number {
  const acknowledgement = 1;
  return sent.messages + acknowledgement - received.packets;
}

async function expectShown(light: Light, percent: number): Promise<void> {
  await expect(light.value).toHaveText(new RegExp(`^\\s*${percent}\\s*%\\s*$`));
  await expect(light.slider).toHaveValue(String(percent));
}

/** One page in a browser context of its own, which shares nothing with any other. */
class Visit {
  private constructor(
    readonly page: Page,
    private readonly devTools: CDPSession,
    private readonly ofBrowser: CDPSession,
    readonly traffic: Traffic,
    readonly light: Light,
    readonly loaded: Loaded,
  ) {}

  static async to(url: string, browser: Browser): Promise<Visit> {
    const page = await (await browser.newContext()).newPage();
    const devTools = await page.context().newCDPSession(page);
    const traffic = await Traffic.of(devTools);
    // Processor time, whatever else the machine does.
    await devTools.send('Performance.enable', { timeDomain: 'threadTicks' });
    await install(page, LIGHTS.length);
    await page.goto(url);
    const load = { ...(await loaded(page)), ...traffic.loading };
    const ofBrowser = await browser.newBrowserCDPSession();
    return new Visit(page, devTools, ofBrowser, traffic, new LightsPage(page).light(LIGHTS[0]!), load);
  }

  /** Comes back when the browser has the page's files already. */
  async reload(): Promise<Loaded> {
    this.traffic.forget();
    await this.page.goto('about:blank');
    this.traffic.forget();
    await this.page.goBack();
    return { ...(await loaded(this.page)), ...this.traffic.loading };
  }

  async memory(): Promise<Memory> {
    return memory(this.page, this.devTools, await rendererOf(this.page, this.ofBrowser));
  }

  /** How much of a processor the main thread has had so far. */
  async workedMs(): Promise<number> {
    const { metrics } = await this.devTools.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')!.value * 1_000;
  }

  async leave(): Promise<void> {
    await this.ofBrowser.detach();
    await this.page.context().close();
  }
}

// How long it takes from the finger in one browser to the picture in another: 200 moves, printed as median and 99th of a
// hundred. A figure to be read, not a limit: all that is demanded is that it is no nonsense.
//
// How it is measured. Two pages of two browser contexts show the same light. In the first, the mouse drags the slider, one
// percent at a time, and a listener in the capture phase notes the time of each `input` event, before our own code runs. In
// the second, a MutationObserver notes the time at which the number beside the slider changes ("in the document"), and the
// next animation frame after it, once its callbacks have run, the time at which it is handed over for painting ("shown").
// The moves are more than 100 ms apart, the page's rate limit, so that each is sent at once; how far apart exactly varies
// with the mouse, so that no move keeps step with the frames. Both times are `performance.timeOrigin + performance.now()`,
// which all pages take from the clock of the one machine; how well they agree is measured and printed as well.

import { mkdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, expectLevel, test } from '../fixtures';

const MOVES = 200;
const APART_MS = 110;

interface Moment {
  level: number;
  at: number;
}

interface Notes {
  input: Moment[];
  changed: Moment[];
  shown: Moment[];
}

test('from the input event to the other screen', async ({ visit, lamp }) => {
  test.setTimeout(300_000);
  const one = (await visit()).light('Desk');
  const other = (await visit()).light('Desk');
  await lamp.set(50);
  await expectLevel(one, 50);
  await expectLevel(other, 50);
  const [onePage, otherPage] = [one.slider.page(), other.slider.page()];
  await takeNotes(onePage);
  await takeNotes(otherPage);

  await one.grab(50);
  const { x, y } = (await one.bar()).at(50);
  let pixel = 0;
  let direction = 1;
  let moves = 0;
  while (moves < MOVES) {
    // The smallest step of the mouse that is a step of the slider, to and fro over the bar.
    const level = await one.level();
    if (level >= 90) direction = -1;
    if (level <= 10) direction = 1;
    while ((await one.level()) === level) {
      pixel += direction;
      await onePage.mouse.move(x + pixel, y);
    }
    moves += 1;
    await expect(other.slider).toHaveValue(String(await one.level()));
    await onePage.waitForFunction(
      ({ apart }) => {
        const { input } = (globalThis as unknown as { notes: Notes }).notes;
        return performance.timeOrigin + performance.now() - input.at(-1)!.at > apart;
      },
      { apart: APART_MS },
      { polling: 1 },
    );
  }
  await one.release();

  const { input } = await readNotes(onePage);
  const { changed, shown } = await readNotes(otherPage);
  // The first entry is the press that began the drag.
  const moved = input.slice(-MOVES);
  expect(moved).toHaveLength(MOVES);
  const report = {
    moves: MOVES,
    inDocument: summary(moved, changed),
    shown: summary(moved, shown),
    clocksDifferByMs: difference(await clockAhead(onePage), await clockAhead(otherPage)),
  };
  const line = (name: string, { median, p99, worst }: Summary) =>
    `${name}: median ${median.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, worst ${worst.toFixed(1)} ms`;
  console.log(
    [
      `end-to-end latency over ${MOVES} moves, from the input event in one page`,
      line('  to the value in the document of the other', report.inDocument),
      line('  to the value shown in the other (its next frame)', report.shown),
      `  (the clocks of the two pages agree within ${report.clocksDifferByMs.most.toFixed(1)} ms)`,
    ].join('\n'),
  );
  const file = resolve(import.meta.dirname, '../../artefacts/latency.json');
  await mkdir(resolve(file, '..'), { recursive: true });
  await writeFile(file, JSON.stringify(report, null, 2));

  expect(report.clocksDifferByMs.least).toBeLessThan(20);
  expect(report.shown.median).toBeGreaterThan(0);
  expect(report.shown.median).toBeLessThan(1_000);
});

/** Writes down what happens to the light `Desk`, with the time. */
async function takeNotes(page: Page): Promise<void> {
  await page.evaluate(() => {
    const notes: Notes = { input: [], changed: [], shown: [] };
    Object.assign(globalThis, { notes });
    const now = () => performance.timeOrigin + performance.now();
    const article = document.querySelector('article')!;
    const slider = article.querySelector<HTMLInputElement>('input[type=range]')!;
    const value = article.querySelector('.value')!;
    const afterPaint = new MessageChannel();
    const waiting: number[] = [];
    afterPaint.port1.onmessage = () => {
      for (const level of waiting.splice(0)) notes.shown.push({ level, at: now() });
    };
    window.addEventListener(
      'input',
      (event) => {
        if (event.target === slider) notes.input.push({ level: Number(slider.value), at: now() });
      },
      { capture: true },
    );
    new MutationObserver(() => {
      const level = parseInt(value.textContent!, 10);
      if (notes.changed.at(-1)?.level === level) return;
      notes.changed.push({ level, at: now() });
      requestAnimationFrame(() => {
        waiting.push(level);
        afterPaint.port2.postMessage(null);
      });
    }).observe(value, { childList: true, characterData: true, subtree: true });
  });
}

async function readNotes(page: Page): Promise<Notes> {
  return page.evaluate(() => (globalThis as unknown as { notes: Notes }).notes);
}

interface Summary {
  median: number;
  p99: number;
  worst: number;
}

/** Each move finds the same value in the other page, in the same order: none was left out, none came twice. */
function summary(moved: Moment[], arrived: Moment[]): Summary {
  const those = arrived.slice(-moved.length);
  expect(those.map((moment) => moment.level)).toEqual(moved.map((moment) => moment.level));
  const took = moved.map((moment, index) => those[index]!.at - moment.at).toSorted((a, b) => a - b);
  const at = (part: number) => took[Math.min(took.length - 1, Math.ceil(took.length * part) - 1)]!;
  return { median: at(0.5), p99: at(0.99), worst: took.at(-1)! };
}

interface Span {
  least: number;
  most: number;
}

/** How far the page's clock is ahead of this process's, in ms: as narrow as many questions make it. */
async function clockAhead(page: Page): Promise<Span> {
  const ahead = { least: -Infinity, most: Infinity };
  for (let question = 0; question < 50; question += 1) {
    const asked = performance.timeOrigin + performance.now();
    const there = await page.evaluate(() => performance.timeOrigin + performance.now());
    const answered = performance.timeOrigin + performance.now();
    // It was read between the two, nobody knows when: on a busy machine they lie far apart.
    ahead.least = Math.max(ahead.least, there - answered);
    ahead.most = Math.min(ahead.most, there - asked);
  }
  return ahead;
}

/** How far two clocks differ at least and at most, whichever is ahead. */
function difference(one: Span, other: Span): Span {
  const [least, most] = [one.least - other.most, one.most - other.least];
  return { least: Math.max(0, least, -most), most: Math.max(most, -least) };
}

// How long it takes from the finger in one browser to the picture in another: 200 moves, printed as median and 99th of a
// hundred. A figure to be read, not a limit: all that is demanded is that it is no nonsense. How it is measured stands in
// `fixtures/latency.ts`; `cargo xtask bench page` measures the same beside a page with MQTT.js.

import { mkdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { expect, expectLevel, test } from '../fixtures';
import { clockAhead, difference, timeMoves } from '../fixtures/latency';

const MOVES = 200;

test('from the input event to the other screen', async ({ visit, lamp }) => {
  test.setTimeout(300_000);
  const one = (await visit()).light('Desk');
  const other = (await visit()).light('Desk');
  await lamp.set(50);
  await expectLevel(one, 50);
  await expectLevel(other, 50);

  const { inDocument, shown } = await timeMoves(one, other, MOVES);
  const report = {
    moves: MOVES,
    inDocument: summary(inDocument),
    shown: summary(shown),
    clocksDifferByMs: difference(await clockAhead(one.slider.page()), await clockAhead(other.slider.page())),
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

interface Summary {
  median: number;
  p99: number;
  worst: number;
}

function summary(latencies: number[]): Summary {
  const took = latencies.toSorted((a, b) => a - b);
  const at = (part: number) => took[Math.min(took.length - 1, Math.ceil(took.length * part) - 1)]!;
  return { median: at(0.5), p99: at(0.99), worst: took.at(-1)! };
}

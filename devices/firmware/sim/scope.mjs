//! An oscilloscope's probe: measures duty and frequency of a pin from its edges, over whole periods.

import { PATIENCE_MS, eventually } from './eventually.mjs';

/** Long enough for a stable figure, short enough for a test. */
const PERIODS = 20;

export class Scope {
  constructor(board, pin) {
    Object.assign(this, { board, pin, gpio: board.mcu.gpio[pin], clock: board.mcu.clock });
  }

  /** { duty: 0 to 1, hz }; hz is 0 for a pin that stands still. */
  async measure() {
    const edges = [];
    const forget = this.gpio.addListener((level) => edges.push([this.clock.nanos, level]));
    const ups = () => edges.filter(([, level]) => level === 1);
    const start = this.clock.nanos;
    // A pin without edges for three of the slowest periods that we would call PWM (100 Hz) stands still.
    const still = () => this.clock.nanos - (edges.at(-1)?.[0] ?? start) > 30e6;
    try {
      await eventually(() => still() || ups().length > PERIODS, () => `${PERIODS} periods on pin ${this.pin}`);
    } finally {
      forget();
    }
    if (ups().length <= PERIODS) return { duty: this.gpio.value === 1 ? 1 : 0, hz: 0 };
    const [first, last] = [ups()[0][0], ups()[PERIODS][0]];
    let high = 0;
    let since = null;
    for (const [at, level] of edges) {
      if (at > last) break;
      if (level === 1 && at < last && at >= first) since = at;
      else if (level !== 1 && since !== null) {
        high += at - since;
        since = null;
      }
    }
    return { duty: high / (last - first), hz: (PERIODS * 1e9) / (last - first) };
  }

  /** Waits until the pin shows this duty, to a tenth of a percent. */
  async shows(duty, within = PATIENCE_MS) {
    let seen;
    const end = performance.now() + within;
    do seen = await this.measure();
    while (Math.abs(seen.duty - duty) > 0.0005 && performance.now() < end);
    if (Math.abs(seen.duty - duty) > 0.0005) {
      throw new Error(`${this.board.name} shines at ${(seen.duty * 100).toFixed(2)} %, not ${(duty * 100).toFixed(2)} %; `
        + `it said\n${this.board.lines.join('\n')}`);
    }
    return seen;
  }
}

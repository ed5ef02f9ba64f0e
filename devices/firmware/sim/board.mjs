//! A W5500-EVB-Pico with a potentiometer and an LED: rp2040js with a W5500 on its SPI pins. It runs the UF2 files that
//! a maker copies; on a network no faster than the wall clock, because the broker on the other side lives in wall time.
//!
//! Not modelled: the boot ROM and the second stage of the boot loader (their work is done by hand), the second core, USB,
//! writing to flash, analogue properties of pins.

import { RP2040 } from 'rp2040js';
import { W5500 } from './w5500.mjs';
import { Scope } from './scope.mjs';
import { load } from './uf2.mjs';
import { acknowledgements } from './packet.mjs';
import { PATIENCE_MS, eventually } from './eventually.mjs';

export const PIN = { UART: 0, LED: 15, MISO: 16, SELECT: 17, CLOCK: 18, MOSI: 19, RESET: 20, INTERRUPT: 21, SIGN: 25, KNOB: 26 };
const ADC_FULL = 4095;
const VECTORS = 0x10000100; // after the second stage of the boot loader
const FUNCTION_SPI = 1;
/** Simulated time may fall behind by so much before it gives up catching up. */
const BEHIND_NS = 20e6;
/** One turn of the event loop. */
const TURN_MS = 8;

/**
 * What rp2040js 1.4.1 does not model and embassy touches: ring oscillator, core voltage, the UART's interrupt level, DMA's
 * abort, and what wakes a dormant chip, when a pin is given back.
 */
const HARMLESS = [/^ROSC/, /^VREG_AND_CHIP_RESET/, /^UART0.* 0x34/, /^DMA.* 0x444/, /^IO_BANK0_BASE.* 0x168/];

export class Board {
  /** `files`: UF2 files, in the order in which they are copied. `wire`: what a router's `plug` gave, or nothing. */
  constructor(name, files, router, { w5500 = true } = {}) {
    this.name = name;
    // A board that talks to nobody may hurry.
    this.paced = router !== undefined;
    this.lines = [];
    this.problems = [];
    const mcu = (this.mcu = new RP2040());
    mcu.logger = this.logger();
    for (const file of files) load(file, mcu.flash);
    this.boot();
    this.listen();
    const port = router?.plug((frame) => this.network.arrive(frame));
    this.network = new W5500({
      send: (frame) => port?.send(frame),
      interrupt: (active) => mcu.gpio[PIN.INTERRUPT].setInputValue(!active),
      complain: (text) => this.problems.push(text),
    });
    if (w5500) this.solder();
    mcu.peripherals[0x40058].onWatchdogTrigger = () => this.problems.push('the watchdog bites: the firmware hangs');
    this.running = false;
  }

  logger() {
    const quiet = () => {};
    const note = (from, text) => {
      const line = `${from}: ${text}`;
      if (!HARMLESS.some((pattern) => pattern.test(line))) this.problems.push(line);
    };
    // rp2040js 1.4.1 only logs SEV; it is what wakes a core that waits for an event.
    const info = (_, text) => {
      if (text === 'SEV') this.mcu.core.eventRegistered = true;
    };
    return { debug: quiet, info, warn: note, error: note };
  }

  /** What the boot ROM and the second stage do: jump through the vector table. */
  boot() {
    const { mcu } = this;
    mcu.core.VTOR = VECTORS;
    mcu.core.SP = mcu.readUint32(VECTORS);
    mcu.core.PC = mcu.readUint32(VECTORS + 4) & ~1;
  }

  /** The serial line, as lines. */
  listen() {
    let line = '';
    this.mcu.uart[0].onByte = (byte) => {
      if (byte === 10) {
        this.lines.push(line.trimEnd());
        line = '';
      } else line += String.fromCharCode(byte);
    };
  }

  /** The W5500's wires. A byte takes its eight bits of time: answered at once, DMA would overrun its FIFO. */
  solder() {
    const { mcu, network } = this;
    const spi = mcu.spi[0];
    mcu.gpio[PIN.SELECT].addListener((level) => network.select(level === 0));
    mcu.gpio[PIN.RESET].addListener((level) => network.hold(level === 0));
    let answer = 0;
    const done = mcu.clock.createAlarm(() => spi.completeTransmit(answer));
    spi.onTransmit = (byte) => {
      const pins = [PIN.MISO, PIN.CLOCK, PIN.MOSI].map((pin) => mcu.gpio[pin].functionSelect);
      answer = pins.every((selected) => selected === FUNCTION_SPI) ? network.transfer(byte & 0xff) : 0xff;
      done.schedule((8 * 1e9) / spi.clockFrequency);
    };
  }

  /** Turns the potentiometer: counts of the converter. */
  turn(raw) {
    if (!(raw >= 0 && raw <= ADC_FULL)) throw new Error(`${raw} counts`);
    this.mcu.adc.channelValues[PIN.KNOB - 26] = raw;
  }

  /** A scope's probe at the LED's pin. */
  scope() {
    return new Scope(this, PIN.LED);
  }

  /** Seconds since the board started, by its own crystal. */
  get seconds() {
    return this.mcu.clock.nanos / 1e9;
  }

  /** Waits for a line on the serial line, among those after the first `after`. */
  async says(pattern, { after = 0, within = PATIENCE_MS } = {}) {
    const find = () => this.lines.slice(after).find((line) => pattern.test(line));
    return eventually(find, () => `${this.name} says ${pattern}; it said\n${this.lines.join('\n')}`, within);
  }

  /** Waits until the broker has acknowledged so many messages on the connection that stands, and the board knows it. */
  async acknowledged(count) {
    const confirmed = () => this.cable.tcp.confirmed;
    await eventually(
      () => confirmed().some((stream) => acknowledgements(stream) >= count),
      () => `${this.name} has ${count} acknowledgements; it has ${confirmed().map(acknowledgements).join(' and ') || 'none'}`,
    );
  }

  /** Lets the board's clock go on by so many seconds. */
  async passes(seconds) {
    const end = this.seconds + seconds;
    await eventually(() => this.seconds >= end, () => `${seconds} s pass on ${this.name}`, seconds * 5000 + 5000);
  }

  start() {
    this.running = true;
    this.seen = performance.now();
    this.owed = 0;
    this.run();
    return this;
  }

  stop() {
    this.running = false;
    clearTimeout(this.timer);
  }

  run() {
    if (!this.running) return;
    const { clock, core } = this.mcu;
    const now = performance.now();
    // Never ahead of the wall clock: the broker would seem slow, and connections would time out.
    this.owed = this.paced ? Math.min(this.owed + (now - this.seen) * 1e6, BEHIND_NS) : BEHIND_NS;
    this.seen = now;
    const start = clock.nanos;
    const end = start + this.owed;
    for (let steps = 0; clock.nanos < end; steps++) {
      if (core.waiting) clock.tick(Math.max(1, Math.min(clock.nanosToNextAlarm || Infinity, end - clock.nanos)));
      else clock.tick(core.executeInstruction() * 8); // 125 MHz
      if (steps % 1024 === 1023 && performance.now() > now + TURN_MS) break;
    }
    this.owed -= clock.nanos - start;
    const turn = () => this.run();
    if (core.waiting && this.paced) this.timer = setTimeout(turn, 1);
    else setImmediate(turn);
  }
}

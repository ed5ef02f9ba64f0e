//! A house for one test: a broker, a router, boards with settings, a page. Everything in it ends with the test.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Board } from './board.mjs';
import { luxwire } from './broker.mjs';
import { Page } from './page.mjs';
import { Router } from './router.mjs';

/** The broker's address in the house. The router leads from there to wherever the broker is. */
export const BROKER = '192.168.1.10';
const WORK = fs.mkdtempSync(path.join(os.tmpdir(), 'luxwire-firmware-'));
process.on('exit', () => fs.rmSync(WORK, { recursive: true, force: true }));

let image;

/** The firmware as a UF2 file, made from what cargo built. */
export function firmware() {
  if (!image) {
    const folder = process.env.LUXWIRE_FIRMWARE;
    if (!folder) throw new Error('LUXWIRE_FIRMWARE must name the folder of the built firmware; `cargo xtask test` sets it');
    const file = path.join(WORK, 'luxwire-w5500.uf2');
    execFileSync(luxwire(), ['firmware', 'uf2', path.join(folder, 'luxwire-w5500'), file]);
    image = fs.readFileSync(file);
  }
  return image;
}

let written = 0;

/** A settings file, written by the program that a maker uses. */
export function settings(flags) {
  const file = path.join(WORK, `settings-${written++}.uf2`);
  execFileSync(luxwire(), ['firmware', 'settings', ...flags, '--output', file]);
  return fs.readFileSync(file);
}

export class House {
  /** Starts the broker, unless there is none. `t` is the test: the house falls down with it. */
  static async build(t, broker, { seed = 1, names = {} } = {}) {
    const house = new House();
    house.boards = [];
    house.pages = [];
    house.broker = broker;
    const route = (address, port) => (address === BROKER && port === 1883 ? broker?.port : undefined);
    house.router = new Router({ route, names, seed });
    t.after(() => house.fall());
    await broker?.start();
    return house;
  }

  /** A board that runs, with the flags of `luxwire firmware settings`; its cable is `board.cable`. */
  board(name, flags, options) {
    const number = this.boards.length + 1;
    const common = ['--mac', `02:4c:55:58:00:0${number}`];
    if (!flags.includes('--broker')) common.push('--broker', `mqtt://${BROKER}`);
    const board = new Board(name, [firmware(), settings([...common, ...flags])], this.router, options);
    board.cable = this.router.lastPort;
    this.boards.push(board);
    return board.start();
  }

  async page() {
    const page = await Page.open(this.broker.url, this.broker.user);
    this.pages.push(page);
    return page;
  }

  /** Nothing was amiss that a real board would have shown in another way. */
  problems() {
    const said = this.boards.flatMap((board) => board.lines.filter((line) => /panic/.test(line)));
    return [...said, ...this.boards.flatMap((board) => board.problems)];
  }

  async fall() {
    for (const board of this.boards) board.stop();
    this.router.close();
    await Promise.all(this.pages.map((page) => page.close()));
    if (this.broker) await this.broker.kill();
  }
}

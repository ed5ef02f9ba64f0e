//! Real brokers as programs of their own: ours and Mosquitto. They can be killed and started again on the same ports.

import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { eventually } from './eventually.mjs';

/** What both have: `port` (MQTT over TCP), `url` (MQTT over WebSocket, as a page connects), start, kill. */
class Broker {
  async start() {
    this.child = this.spawn();
    this.output = '';
    let error;
    this.child.on('error', (failure) => (error = failure));
    for (const stream of [this.child.stdout, this.child.stderr]) stream.on('data', (text) => (this.output += text));
    await eventually(() => {
      if (error) throw error;
      if (this.child.exitCode !== null) throw new Error(`${this.name} ended:\n${this.output}`);
      return this.ready();
    }, () => `${this.name} is ready; it said\n${this.output}`);
    return this;
  }

  /** As a power cut would: without a word to anybody. */
  async kill() {
    const ended = this.child.exitCode === null && new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await ended;
  }
}

/** The program that the environment names; says what to do where it is missing. */
export function luxwire() {
  const program = process.env.LUXWIRE_BIN;
  if (!program) throw new Error('LUXWIRE_BIN must name the luxwire program; `cargo xtask test` sets it');
  return program;
}

export class Luxwire extends Broker {
  name = 'Luxwire';
  addresses = { mqtt: '127.0.0.1:0', http: '127.0.0.1:0' };

  spawn() {
    const { mqtt, http } = this.addresses;
    return spawn(luxwire(), ['serve', '--ephemeral', '--mqtt', mqtt, '--http', http], { stdio: ['ignore', 'pipe', 'pipe'] });
  }

  ready() {
    if (!/^ready$/m.test(this.output)) return false;
    for (const kind of ['mqtt', 'http']) this.addresses[kind] = new RegExp(`^listening ${kind} (\\S+)$`, 'm').exec(this.output)[1];
    this.port = Number(this.addresses.mqtt.split(':').at(-1));
    this.url = `ws://${this.addresses.http}/mqtt`;
    return true;
  }
}

export class Mosquitto extends Broker {
  name = 'Mosquitto';

  /** With a user it lets nobody else in. */
  constructor(user) {
    super();
    this.user = user;
  }

  async start() {
    if (!this.port) {
      const [port, web] = await Promise.all([freePort(), freePort()]);
      Object.assign(this, { port, web, url: `ws://127.0.0.1:${web}/mqtt` });
      this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'luxwire-mosquitto-'));
      process.on('exit', () => fs.rmSync(this.folder, { recursive: true, force: true }));
      this.config = path.join(this.folder, 'mosquitto.conf');
      fs.chmodSync(this.folder, 0o755);
      fs.writeFileSync(this.config, [
        'persistence false', 'log_dest stderr', ...this.doors(),
        `listener ${port} 127.0.0.1`, `listener ${web} 127.0.0.1`, 'protocol websockets', '',
      ].join('\n'));
    }
    return super.start();
  }

  doors() {
    if (!this.user) return ['allow_anonymous true'];
    const file = path.join(this.folder, 'passwords');
    execFileSync(program('mosquitto_passwd'), ['-b', '-c', file, this.user.name, this.user.password]);
    fs.chmodSync(file, 0o644); // started by root, it becomes somebody else
    return ['allow_anonymous false', `password_file ${file}`];
  }

  spawn() {
    return spawn(program('mosquitto'), ['-c', this.config], { stdio: ['ignore', 'pipe', 'pipe'] });
  }

  ready() {
    return /mosquitto version .* running/.test(this.output);
  }
}

/** One of Mosquitto's programs; Debian keeps the broker where only root's PATH leads. */
function program(name) {
  const folders = [process.env.LUXWIRE_MOSQUITTO_DIR ?? [], '/usr/bin', '/usr/sbin'].flat();
  const found = folders.map((folder) => path.join(folder, name)).find((file) => fs.existsSync(file));
  if (!found) throw new Error(`${name} is missing: LUXWIRE_MOSQUITTO_DIR must name its folder; \`cargo xtask test\` sets it`);
  return found;
}

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

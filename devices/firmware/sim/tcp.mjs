//! The far end of the boards' TCP connections: each is joined to a socket on this machine. Go-back-N with a fixed timer,
//! no congestion control: the wire is one meter long, but it may lose frames.

import net from 'node:net';
import { pseudoChecksum } from './packet.mjs';

const FLAG = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16 };
const SEGMENT = 1460;
const REPEAT_MS = 300;
const FIRST = 1000; // our sequence numbers begin here: they never wrap in a test

export class Proxy {
  constructor({ reply, route }) {
    Object.assign(this, { reply, route, connections: new Map() });
  }

  close() {
    for (const connection of [...this.connections.values()]) connection.forget();
  }

  /** What boards have confirmed on the connections that stand. */
  get confirmed() {
    return [...this.connections.values()].map((connection) => connection.taken);
  }

  arrive(mac, source, target, segment) {
    const [sourcePort, targetPort] = [segment.readUInt16BE(0), segment.readUInt16BE(2)];
    const key = `${source.join('.')}:${sourcePort}>${target.join('.')}:${targetPort}`;
    const read = {
      sequence: segment.readUInt32BE(4),
      acknowledged: segment.readUInt32BE(8),
      flags: segment[13],
      window: segment.readUInt16BE(14),
      bytes: Buffer.from(segment.subarray((segment[12] >> 4) * 4)),
    };
    const send = (sequence, acknowledged, flags, bytes, options) =>
      this.reply(mac, build(target, source, targetPort, sourcePort, { sequence, acknowledged, flags, bytes, options }), target, source);
    let connection = this.connections.get(key);
    if (read.flags & FLAG.SYN) {
      // The same one again, or a board that started again and draws the same port.
      if (connection && connection.expected !== (read.sequence + 1) >>> 0) connection.forget();
      else if (connection) return connection.greet();
      const port = this.route(target.join('.'), targetPort);
      if (port === undefined) return send(0, read.sequence + 1, FLAG.RST | FLAG.ACK);
      connection = new Connection(port, read.sequence, send, () => this.connections.delete(key));
      this.connections.set(key, connection);
    } else if (connection) connection.arrive(read);
    else if (!(read.flags & FLAG.RST)) send(read.acknowledged, read.sequence + read.bytes.length, FLAG.RST | FLAG.ACK);
  }
}

class Connection {
  constructor(port, sequence, send, forgotten) {
    Object.assign(this, { send, forgotten });
    this.expected = (sequence + 1) >>> 0; // from the board
    this.confirmed = FIRST + 1; // by the board
    this.next = FIRST + 1;
    this.window = 0;
    this.queue = Buffer.alloc(0); // begins at `confirmed`
    this.taken = Buffer.alloc(0); // ends there
    this.joined = this.ended = this.finished = false;
    this.socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
    this.socket.on('connect', () => {
      this.joined = true;
      this.greet();
    });
    this.socket.on('data', (bytes) => {
      this.queue = Buffer.concat([this.queue, bytes]);
      this.push();
    });
    this.socket.on('end', () => {
      this.ended = true;
      this.push();
    });
    this.socket.on('error', () => {
      this.send(this.joined ? this.next : 0, this.expected, FLAG.RST | FLAG.ACK);
      this.forget();
    });
    this.timer = setInterval(() => this.repeat(), REPEAT_MS);
  }

  forget() {
    clearInterval(this.timer);
    this.socket.destroy();
    this.forgotten();
  }

  greet() {
    if (this.joined) this.send(FIRST, this.expected, FLAG.SYN | FLAG.ACK, undefined, [2, 4, SEGMENT >> 8, SEGMENT & 0xff]);
  }

  arrive({ sequence, acknowledged, flags, window, bytes }) {
    if (flags & FLAG.RST) return this.forget();
    this.window = window;
    if (flags & FLAG.ACK && acknowledged > this.confirmed && acknowledged <= this.next) {
      const length = Math.min(acknowledged - this.confirmed, this.queue.length);
      this.taken = Buffer.concat([this.taken, this.queue.subarray(0, length)]);
      this.queue = this.queue.subarray(length);
      this.confirmed = acknowledged;
    }
    const brings = bytes.length > 0 || (flags & FLAG.FIN) !== 0;
    if (brings && sequence === this.expected) {
      if (bytes.length > 0) this.socket.write(bytes);
      if (flags & FLAG.FIN) this.socket.end();
      this.expected = (this.expected + bytes.length + (flags & FLAG.FIN ? 1 : 0)) >>> 0;
    }
    // Also what keep-alives and windows ask for: a segment before the expected one.
    if (brings || sequence !== this.expected) this.send(this.next, this.expected, FLAG.ACK);
    this.push();
    if (this.finished && this.confirmed === this.next && this.socket.writableEnded) this.forget();
  }

  /** Whatever fits the board's window, then the end. */
  push() {
    if (!this.joined || this.window === 0) return;
    for (;;) {
      const flying = this.next - this.confirmed;
      const length = Math.min(SEGMENT, this.queue.length - flying, this.window - flying);
      if (length <= 0) break;
      this.send(this.next, this.expected, FLAG.PSH | FLAG.ACK, this.queue.subarray(flying, flying + length));
      this.next += length;
    }
    if (this.ended && !this.finished && this.next - this.confirmed === this.queue.length) {
      this.send(this.next, this.expected, FLAG.FIN | FLAG.ACK);
      this.next++;
      this.finished = true;
    }
  }

  repeat() {
    if (this.next !== this.confirmed) {
      this.next = this.confirmed;
      this.finished = false;
      this.push();
    } else if (this.queue.length > 0) this.send(this.confirmed - 1, this.expected, FLAG.ACK); // asks for the window
  }
}

function build(from, to, fromPort, toPort, { sequence, acknowledged, flags, bytes = Buffer.alloc(0), options = [] }) {
  const segment = Buffer.concat([Buffer.alloc(20), Buffer.from(options), bytes]);
  segment.writeUInt16BE(fromPort, 0);
  segment.writeUInt16BE(toPort, 2);
  segment.writeUInt32BE(sequence >>> 0, 4);
  segment.writeUInt32BE(acknowledged >>> 0, 8);
  segment[12] = (5 + options.length / 4) << 4;
  segment[13] = flags;
  segment.writeUInt16BE(65535, 14);
  segment.writeUInt16BE(pseudoChecksum(from, to, 6, segment), 16);
  return segment;
}

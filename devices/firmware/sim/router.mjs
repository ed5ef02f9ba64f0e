//! A small home's router on 10.0.2.0/24: a switch, ARP, DHCP, DNS, and TCP to this machine (tcp.mjs). It needs no
//! privileges: frames come from emulated boards and leave as ordinary sockets.

import { Proxy } from './tcp.mjs';
import { ipv4, pseudoChecksum } from './packet.mjs';

const MAC = Buffer.from('02005e000001', 'hex');
const ADDRESS = Buffer.from([10, 0, 2, 1]);
const TYPE = { IPV4: 0x0800, ARP: 0x0806 };
const PROTOCOL = { TCP: 6, UDP: 17 };

export class Router {
  /**
   * `route(address, port)` gives the local port that a board reaches there, or nothing; `names` what DNS knows. `seed`
   * begins the sequence of lost frames.
   */
  constructor({ route, names = {}, seed = 1 }) {
    Object.assign(this, { route, names });
    this.random = generator(seed);
    this.loss = 0; // the share of frames that is lost, either way
    this.leases = new Map();
    this.ports = new Set();
    this.counted = { passed: 0, lost: 0, cut: 0 };
  }

  /** A cable for a board: what it gets is given to `receive`. */
  plug(receive) {
    const port = {
      cut: false, // somewhere on the way, where the board cannot see it
      send: (frame) => this.passes(port) && this.arrive(port, frame),
      deliver: (frame) => this.passes(port) && setImmediate(receive, frame),
    };
    port.tcp = new Proxy({
      reply: (mac, segment, from, to) => this.ip(port, mac, PROTOCOL.TCP, from, to, segment),
      route: (address, number) => this.route(address, number),
    });
    this.ports.add(port);
    return port;
  }

  /** The cable of a board that was plugged in last, and so on. */
  get lastPort() {
    return [...this.ports].at(-1);
  }

  close() {
    for (const port of this.ports) port.tcp.close();
  }

  passes(port) {
    const fate = port.cut ? 'cut' : this.random() < this.loss ? 'lost' : 'passed';
    this.counted[fate]++;
    return fate === 'passed';
  }

  arrive(port, frame) {
    const from = Buffer.from(frame.subarray(6, 12));
    const type = frame.readUInt16BE(12);
    const body = frame.subarray(14);
    if (type === TYPE.ARP) this.arp(port, from, body);
    if (type !== TYPE.IPV4) return;
    const packet = body.subarray(0, body.readUInt16BE(2));
    const payload = packet.subarray((packet[0] & 15) * 4);
    const [source, target] = [packet.subarray(12, 16), packet.subarray(16, 20)].map((part) => Buffer.from(part));
    if (packet[9] === PROTOCOL.TCP) port.tcp.arrive(from, source, target, payload);
    if (packet[9] !== PROTOCOL.UDP) return;
    const [sender, service] = [payload.readUInt16BE(0), payload.readUInt16BE(2)];
    const answer = { 67: () => this.dhcp(from, payload.subarray(8)), 53: () => this.dns(payload.subarray(8)) }[service]?.();
    if (answer) this.udp(port, from, service, sender, answer.to ?? source, answer.body);
  }

  /** Answers for every address but the boards' own: all ways lead through the router. */
  arp(port, from, body) {
    const asked = body.subarray(24, 28);
    const isBoard = [...this.leases.values()].some((lease) => lease.equals(asked));
    const isProbe = body.subarray(14, 18).equals(asked);
    if (body.readUInt16BE(6) !== 1 || isBoard || isProbe) return;
    const answer = Buffer.concat([body.subarray(0, 6), Buffer.from([0, 2]), MAC, asked, body.subarray(8, 18)]);
    this.frame(port, from, TYPE.ARP, answer);
  }

  dhcp(from, request) {
    const DISCOVER = 1, OFFER = 2, ACK = 5;
    let kind = 0;
    for (let at = 240; at < request.length && request[at] !== 255; at += request[at] === 0 ? 1 : 2 + request[at + 1]) {
      if (request[at] === 53) kind = request[at + 2];
    }
    const key = from.toString('hex');
    if (!this.leases.has(key)) this.leases.set(key, Buffer.from([10, 0, 2, 15 + this.leases.size]));
    const lease = this.leases.get(key);
    const reply = Buffer.alloc(300);
    request.copy(reply, 0, 0, 44);
    reply[0] = 2;
    lease.copy(reply, 16);
    ADDRESS.copy(reply, 20);
    reply.writeUInt32BE(0x63825363, 236);
    const day = [0, 1, 0x51, 0x80];
    const options = [
      53, 1, kind === DISCOVER ? OFFER : ACK, 54, 4, ...ADDRESS, 51, 4, ...day, 1, 4, 255, 255, 255, 0,
      3, 4, ...ADDRESS, 6, 4, ...ADDRESS, 255,
    ];
    Buffer.from(options).copy(reply, 240);
    return { body: reply, to: lease };
  }

  dns(query) {
    const labels = [];
    let at = 12;
    for (; query[at] > 0; at += 1 + query[at]) labels.push(query.toString('latin1', at + 1, at + 1 + query[at]));
    const question = query.subarray(12, at + 5);
    const address = this.names[labels.join('.')];
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(address ? 0x8180 : 0x8183, 2); // NXDOMAIN
    header.writeUInt16BE(address ? 1 : 0, 6);
    const record = address ? [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split('.').map(Number)] : [];
    return { body: Buffer.concat([header, question, Buffer.from(record)]) };
  }

  udp(port, mac, from, to, target, body) {
    const datagram = Buffer.concat([Buffer.alloc(8), body]);
    datagram.writeUInt16BE(from, 0);
    datagram.writeUInt16BE(to, 2);
    datagram.writeUInt16BE(datagram.length, 4);
    datagram.writeUInt16BE(pseudoChecksum(ADDRESS, target, PROTOCOL.UDP, datagram), 6);
    this.ip(port, mac, PROTOCOL.UDP, ADDRESS, target, datagram);
  }

  ip(port, mac, protocol, from, to, payload) {
    this.frame(port, mac, TYPE.IPV4, ipv4(protocol, from, to, payload));
  }

  frame(port, mac, type, body) {
    const frame = Buffer.alloc(Math.max(60, 14 + body.length));
    mac.copy(frame, 0);
    MAC.copy(frame, 6);
    frame.writeUInt16BE(type, 12);
    body.copy(frame, 14);
    port.deliver(frame);
  }
}

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

// What a page loads, and what goes through its WebSocket, as Chromium's DevTools protocol reports it.

import type { CDPSession } from '@playwright/test';

/** One direction of a WebSocket. */
export interface Flow {
  frames: number;
  /** With each frame's own header, without those of TCP and IP. */
  bytes: number;
  /** Messages, acknowledgements and whatever else is no sign of life. */
  packets: number;
  messages: number;
}

export interface Loading {
  requests: number;
  /** Bodies as they were sent, compressed, with the headers of the answers. */
  bytes: number;
}

export class Traffic {
  sent: Flow = nothing();
  received: Flow = nothing();
  loading: Loading = { requests: 0, bytes: 0 };

  private constructor() {}

  static async of(devTools: CDPSession): Promise<Traffic> {
    const traffic = new Traffic();
    devTools.on('Network.webSocketFrameSent', ({ response }) => count(traffic.sent, response, MASK));
    devTools.on('Network.webSocketFrameReceived', ({ response }) => count(traffic.received, response, 0));
    devTools.on('Network.loadingFinished', ({ encodedDataLength }) => {
      // What a cache gives has no length.
      if (encodedDataLength > 0) traffic.loading.requests += 1;
      traffic.loading.bytes += encodedDataLength;
    });
    await devTools.send('Network.enable');
    return traffic;
  }

  forget(): void {
    this.sent = nothing();
    this.received = nothing();
    this.loading = { requests: 0, bytes: 0 };
  }
}

/** What a browser adds to each frame, so that no proxy takes it for something else (RFC 6455, 5.3). */
const MASK = 4;

const BINARY = 2;
const PUBLISH = 3;
const PINGREQ = 12;
const PINGRESP = 13;

function nothing(): Flow {
  return { frames: 0, bytes: 0, packets: 0, messages: 0 };
}

/** A frame that holds a sign of life is not counted: whether one falls into a drag is chance. */
function count(flow: Flow, { opcode, payloadData }: { opcode: number; payloadData: string }, mask: number): void {
  if (opcode !== BINARY) return;
  const payload = Buffer.from(payloadData, 'base64');
  const kinds = packetKinds(payload);
  if (kinds.every((kind) => kind === PINGREQ || kind === PINGRESP)) return;
  flow.frames += 1;
  flow.bytes += payload.length + headerBytes(payload.length) + mask;
  flow.packets += kinds.length;
  flow.messages += kinds.filter((kind) => kind === PUBLISH).length;
}

function headerBytes(length: number): number {
  if (length < 126) return 2;
  return length < 65_536 ? 4 : 10;
}

/** The kinds of the MQTT packets in a frame; both sides that are measured put whole packets into frames. */
function packetKinds(payload: Buffer): number[] {
  const kinds: number[] = [];
  let at = 0;
  while (at < payload.length) {
    kinds.push(payload[at]! >> 4);
    let length = 0;
    let digit = 0;
    do {
      at += 1;
      length += (payload[at]! & 0x7f) * 128 ** digit;
      digit += 1;
    } while (payload[at]! & 0x80);
    at += 1 + length;
  }
  return kinds;
}

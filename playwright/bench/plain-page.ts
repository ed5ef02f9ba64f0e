// Serves the plain page (`plain-page/`) and MQTT.js as Luxwire serves its own: packed with brotli as well as it gets, kept by
// the browser for as long as it may, over connections that stay open.

import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

const HERE = resolve(import.meta.dirname, 'plain-page');
const MQTT_JS = resolve(import.meta.dirname, '../node_modules/mqtt');
const FOR_EVER = 'public, max-age=31536000, immutable';

export class PlainPage {
  private constructor(private readonly server: Server) {}

  static async start(): Promise<PlainPage> {
    const files = new Map([
      ['/', file(`${HERE}/index.html`, 'text/html; charset=utf-8', 'no-cache')],
      ['/page.mjs', file(`${HERE}/page.mjs`, 'text/javascript; charset=utf-8', FOR_EVER)],
      ['/mqtt.esm.js', file(`${MQTT_JS}/dist/mqtt.esm.js`, 'text/javascript; charset=utf-8', FOR_EVER)],
    ]);
    const server = createServer((request, response) => {
      const found = files.get(request.url!.replace(/\?.*/, ''));
      if (found) response.writeHead(200, found.headers).end(found.body);
      else response.writeHead(404).end();
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return new PlainPage(server);
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const stopped = new Promise((done) => this.server.close(done));
    this.server.closeAllConnections();
    await stopped;
  }
}

export function mqttJsVersion(): string {
  const { version } = JSON.parse(readFileSync(`${MQTT_JS}/package.json`, 'utf8')) as { version: string };
  return version;
}

function file(path: string, type: string, caching: string): { headers: Record<string, string | number>; body: Buffer } {
  const body = brotliCompressSync(readFileSync(path), { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  const headers = {
    'content-type': type,
    'content-encoding': 'br',
    'content-length': body.length,
    'cache-control': caching,
  };
  return { headers, body };
}

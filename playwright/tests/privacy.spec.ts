// The page needs nobody but the server that it came from.

import { expect, expectFinal, test } from '../fixtures';

test('no request leaves the server that the page came from', async ({ luxwire, visit, lamp }) => {
  const asked = new Set<string>();
  const sockets: string[] = [];
  const page = await visit({
    prepare: async (each) => {
      each.context().on('request', (request) => asked.add(request.url()));
      each.on('websocket', (socket) => sockets.push(socket.url()));
    },
  });
  await page.light('Desk').slider.press('End');
  await expectFinal(lamp, 100);
  await page.add.click();
  await page.page.keyboard.press('Escape');

  const hosts = [...asked].filter((url) => !/^(data|blob):/.test(url)).map((url) => new URL(url).host);
  const here = new URL(luxwire.origin).host;
  expect([...asked].some((url) => url.endsWith('.wasm')), 'the requests were seen at all').toBe(true);
  expect(new Set(hosts)).toEqual(new Set([here]));
  expect(sockets).toEqual([`ws://${here}/mqtt`]);

  // What the browser fetched by itself, fonts and icons among it, is on its own list.
  const loaded = await page.page.evaluate(() => performance.getEntriesByType('resource').map((entry) => entry.name));
  expect(loaded.filter((url) => new URL(url).host !== here && !/^(data|blob):/.test(url))).toEqual([]);
});

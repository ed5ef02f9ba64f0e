// What is written down in a page while it loads, by a script that runs before the page's own: the same for every page.

import type { Page } from '@playwright/test';

/** Moments of a load in ms since the navigation began, except where something else is said. */
export interface Load {
  /** The page's code opened its WebSocket: it runs. */
  running: number;
  /** Every light stands in the page with its value, in a frame that was handed over for painting. */
  shown: number;
  /** The last byte of the file that is waited for longest, the wasm or the script. */
  lastByte: number;
  /** How long `WebAssembly.instantiateStreaming` took, download included; null without WebAssembly. */
  instantiate: number | null;
}

interface Probe {
  running: number | null;
  shown: number | null;
  instantiate: number | null;
  memory: WebAssembly.Memory | null;
}

type Probed = { probe: Probe };

/** Has each page that this one becomes say how it loads, once it shows so many lights. */
export async function install(page: Page, lights: number): Promise<void> {
  await page.addInitScript((count) => {
    const probe: Probe = { running: null, shown: null, instantiate: null, memory: null };
    Object.assign(globalThis, { probe });

    globalThis.WebSocket = new Proxy(WebSocket, {
      construct(target, args) {
        probe.running ??= performance.now();
        return Reflect.construct(target, args) as object;
      },
    });

    const instantiateStreaming = WebAssembly.instantiateStreaming.bind(WebAssembly);
    WebAssembly.instantiateStreaming = async (...args) => {
      const begun = performance.now();
      const made = await instantiateStreaming(...args);
      probe.instantiate = performance.now() - begun;
      probe.memory = made.instance.exports.memory as WebAssembly.Memory;
      return made;
    };

    const afterPaint = new MessageChannel();
    afterPaint.port1.onmessage = () => (probe.shown ??= performance.now());
    const observer = new MutationObserver(() => {
      const values = [...document.querySelectorAll('article .value')];
      if (values.filter((value) => /\d/.test(value.textContent)).length < count) return;
      observer.disconnect();
      requestAnimationFrame(() => afterPaint.port2.postMessage(null));
    });
    observer.observe(document, { childList: true, characterData: true, subtree: true });
  }, lights);
}

/** Waits until the lights are shown, and says how that went. */
export async function loaded(page: Page): Promise<Load> {
  await page.waitForFunction(() => (globalThis as unknown as Probed).probe.shown !== null);
  return page.evaluate(() => {
    const { running, shown, instantiate } = (globalThis as unknown as Probed).probe;
    const files = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
    const code = files.filter((file) => /\.(wasm|m?js)$/.test(file.name) && file.responseEnd <= running!);
    return { running: running!, shown: shown!, lastByte: Math.max(...code.map((file) => file.responseEnd)), instantiate };
  });
}

/** The memory of the page's WebAssembly in bytes, or 0 if it has none. */
export async function wasmBytes(page: Page): Promise<number> {
  return page.evaluate(() => (globalThis as unknown as Probed).probe.memory?.buffer.byteLength ?? 0);
}

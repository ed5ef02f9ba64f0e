// What memory a page takes: as the browser counts it, and as the kernel counts it for the process that draws it.

import { readFile } from 'node:fs/promises';
import type { CDPSession, Page } from '@playwright/test';
import { wasmBytes } from './probe';

export interface Memory {
  /** Objects of JavaScript that are alive, after the collector has run. */
  jsHeap: number;
  /** The linear memory of WebAssembly, used or not. */
  wasm: number;
  /** What the page's process has for itself alone, the browser's own machinery included; null where that cannot be told. */
  process: number | null;
}

/** The process that draws this page: of all that the browser has for pages, the one that works when the page works. */
export async function rendererOf(page: Page, browser: CDPSession): Promise<number> {
  const workedS = async () => {
    const { processInfo } = await browser.send('SystemInfo.getProcessInfo');
    return processInfo.filter(({ type }) => type === 'renderer').map(({ id, cpuTime }) => ({ id, cpuTime }));
  };
  const before = new Map((await workedS()).map(({ id, cpuTime }) => [id, cpuTime]));
  await page.evaluate(() => {
    const until = performance.now() + 100;
    while (performance.now() < until);
  });
  const worked = (await workedS()).map(({ id, cpuTime }) => ({ id, by: cpuTime - (before.get(id) ?? 0) }));
  return worked.toSorted((a, b) => b.by - a.by)[0]!.id;
}

export async function memory(page: Page, devTools: CDPSession, pid: number): Promise<Memory> {
  await devTools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await devTools.send('Runtime.getHeapUsage');
  return { jsHeap: usedSize, wasm: await wasmBytes(page), process: await privateBytes(pid) };
}

/** Linux only: pages of the process that no other shares. */
async function privateBytes(pid: number): Promise<number | null> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  const kilobytes = [...rollup.matchAll(/^Private_(?:Clean|Dirty): +(\d+) kB$/gm)].map((match) => Number(match[1]));
  return kilobytes.length > 0 ? kilobytes.reduce((sum, each) => sum + each, 0) * 1024 : null;
}

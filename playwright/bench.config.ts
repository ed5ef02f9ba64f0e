// How `cargo xtask bench page` drives the browser: as the end-to-end tests do, one thing at a time and unrecorded.

import { defineConfig } from '@playwright/test';
import tests from './playwright.config';

export default defineConfig({
  ...tests,
  testDir: 'bench',
  workers: 1,
  globalTimeout: 0,
  reporter: [['line']],
  projects: [{ name: 'bench', use: { trace: 'off', screenshot: 'off' } }],
});

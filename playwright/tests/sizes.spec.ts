// From a narrow phone to a wall of pixels. The pictures are kept in artefacts/screenshots.

import { resolve } from 'node:path';
import { expect, expectNoSidewaysScroll, expectOff, test } from '../fixtures';

const SCREENSHOTS = resolve(import.meta.dirname, '../../artefacts/screenshots');
// 64 characters: as long as a name can be.
const LONG = 'The small lamp behind the big chair in the corner of the library';

test.use({ lampIds: ['Desk', 'Shelf', 'Window', 'Sunset strip', 'Reading', 'Balcony', LONG] });

const sizes = [
  { picture: 'narrow', viewport: { width: 320, height: 640 }, colorScheme: 'light' },
  { picture: 'phone-dark', viewport: { width: 390, height: 844 }, deviceScaleFactor: 3, colorScheme: 'dark' },
  { picture: 'tablet', viewport: { width: 1024, height: 768 }, deviceScaleFactor: 2, colorScheme: 'light' },
  { picture: 'tablet-dark', viewport: { width: 1024, height: 768 }, deviceScaleFactor: 2, colorScheme: 'dark' },
  { picture: '4k', viewport: { width: 3840, height: 2160 }, colorScheme: 'light' },
  { picture: '4k-dark', viewport: { width: 3840, height: 2160 }, colorScheme: 'dark' },
] as const;

for (const { picture, ...size } of sizes) {
  test(`fits: ${picture}, ${size.viewport.width} pixels wide`, async ({ visit, lamps }) => {
    const levels = [72, 34, 0, 100, 18, 55, 9];
    const all = Object.values(lamps);
    for (const [index, lamp] of all.entries()) await lamp.set(levels[index]!);
    await lamps.Balcony!.announce('offline');

    const page = await visit(size);
    await expect(page.lights).toHaveCount(all.length);
    await expectOff(page.light('Window'));
    await expect(page.light('Balcony').when).toContainText('offline');
    await expectNoSidewaysScroll(page);

    // Each control lies within the screen and is big enough for a finger (WCAG 2.5.5: 44 pixels; the switch 24, 2.5.8).
    for (const light of all.map((lamp) => page.light(lamp.id))) {
      const slider = (await light.slider.boundingBox())!;
      expect(slider.x).toBeGreaterThanOrEqual(0);
      expect(slider.x + slider.width).toBeLessThanOrEqual(size.viewport.width);
      expect(slider.height).toBeGreaterThanOrEqual(44);
      expect(slider.width).toBeGreaterThanOrEqual(200);
      expect((await light.switch.boundingBox())!.height).toBeGreaterThanOrEqual(24);
    }

    await page.page.screenshot({ path: `${SCREENSHOTS}/${picture}.png`, fullPage: true, animations: 'disabled' });
    await page.page.setViewportSize({ width: 320, height: 640 });
    await page.add.click();
    await expectNoSidewaysScroll(page);
  });
}

test.describe('the states that one hopes not to see', () => {
  test.use({ lampIds: ['Desk', 'Shelf'] });

  test('reconnecting and empty have their pictures too', async ({ visit, luxwire }) => {
    const page = await visit({ viewport: { width: 1024, height: 768 } });
    await expect(page.lights).toHaveCount(2);
    await luxwire.kill();
    await expect(page.connection).toHaveText(/^Reconnecting/);
    await page.page.screenshot({ path: `${SCREENSHOTS}/reconnecting.png`, animations: 'disabled' });

    await luxwire.startAgain();
    const fresh = await visit({ viewport: { width: 1024, height: 768 }, colorScheme: 'dark' });
    await expect(fresh.connection).toHaveText(/^Online/);
    await fresh.page.screenshot({ path: `${SCREENSHOTS}/after-restart-dark.png`, animations: 'disabled' });
  });
});

// Everything without a mouse. Nothing is focused or clicked but by keys.

import type { Locator, Page } from '@playwright/test';
import { expect, expectFinal, expectLevel, expectOff, test } from '../fixtures';
import { Lamp } from '../fixtures/lamp';

test.use({ lampIds: [] });

test('add a light, set it, switch it, remove it', async ({ visit, luxwire }) => {
  const lamp = await Lamp.connect('Desk', luxwire.mqttPort);
  const page = await visit();
  const { keyboard } = page.page;
  const light = page.light('Desk');
  await expect(page.connection).toHaveText(/^Online/);

  await tabTo(page.page, page.add);
  await keyboard.press('Enter');
  await expect(page.dialog.getByLabel('Name')).toBeFocused();
  await keyboard.type('Desk');
  await keyboard.press('Enter');
  await expect(page.dialog).toBeHidden();
  await expect(light.card).toBeVisible();

  await tabTo(page.page, light.slider);
  await keyboard.press('End');
  await expectLevel(light, 100);
  await keyboard.press('PageDown');
  await expectLevel(light, 90);
  await keyboard.press('ArrowLeft');
  await keyboard.press('ArrowDown');
  await expectLevel(light, 88);
  await keyboard.press('ArrowRight');
  await expectLevel(light, 89);
  await expectFinal(lamp, 89);
  await keyboard.press('Home');
  await expectLevel(light, 1);
  await keyboard.press('PageUp');
  await expectFinal(lamp, 11);

  await tabTo(page.page, light.switch);
  await keyboard.press('Space');
  await expectFinal(lamp, 0);
  await expectOff(light);
  await keyboard.press('Space');
  await expectFinal(lamp, 11);
  await expectLevel(light, 11);

  await tabTo(page.page, page.edit);
  await keyboard.press('Enter');
  await expect(page.edit).toHaveAttribute('aria-pressed', 'true');
  await tabTo(page.page, light.remove);
  await keyboard.press('Enter');
  await expect(light.card).toBeHidden();
  await expect.poll(() => lamp.value()).toBe('');
  // The focus is not lost with the card: one step leads to the way back.
  await tabTo(page.page, light.undo);
  await keyboard.press('Enter');
  await expectFinal(lamp, 11);
  await lamp.disconnect();
});

test('Escape leaves the dialogue, and the focus goes back to where it was', async ({ visit }) => {
  const page = await visit();
  await tabTo(page.page, page.add);
  await page.page.keyboard.press('Enter');
  await page.page.keyboard.type('Never mind');
  await page.page.keyboard.press('Escape');
  await expect(page.dialog).toBeHidden();
  await expect(page.add).toBeFocused();
  await expect(page.lights).toHaveCount(0);
});

test.describe('with a light', () => {
  test.use({ lampIds: ['Desk'] });

  test('a key held down sends at most ten values a second, and the last one for good', async ({ visit, lamp }) => {
    const page = await visit();
    const light = page.light('Desk');
    await expectLevel(light, 40);
    await tabTo(page.page, light.slider);

    // Playwright repeats `down` without `up` as a keyboard does; one repetition for each frame, 60 steps in all.
    const began = performance.now();
    for (let repetition = 0; repetition < 60; repetition += 1) {
      await page.page.keyboard.down('ArrowRight');
      await page.page.evaluate(() => new Promise((painted) => requestAnimationFrame(painted)));
    }
    await page.page.keyboard.up('ArrowRight');
    await expectFinal(lamp, 100);
    const lasted = performance.now() - began;
    expect(lamp.heard().length).toBeLessThanOrEqual(1 + Math.ceil(lasted / 100) + 1);
  });

  test('what has the focus shows it', async ({ visit }) => {
    const page = await visit();
    const light = page.light('Desk');
    for (const control of [page.add, page.edit, light.slider, light.switch]) {
      await expect(control).toBeVisible();
      await page.page.evaluate(() => (document.activeElement as HTMLElement).blur());
      const plain = await looks(control);
      await tabTo(page.page, control);
      expect(await looks(control), `${control} with the focus`).not.toEqual(plain);
    }
  });
});

/** Presses Tab until `target` has the focus, as often as it takes to go round the page once. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await expect(target).toBeVisible();
  const stops = await page.locator('a, button, input, select, textarea, [tabindex]').count();
  const focused = () => target.evaluate((element) => element === document.activeElement);
  for (let step = 0; step <= stops + 2; step += 1) {
    if (await focused()) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`no number of Tabs leads to ${target}`);
}

/** The outline and shadow of the control itself or of what stands around it: how a focus is shown. */
async function looks(control: Locator): Promise<string[]> {
  return control.evaluate((element) => {
    const around = [element, element.parentElement!, element.parentElement!.parentElement!];
    return around.map((each) => {
      const { outlineStyle, outlineWidth, outlineColor, boxShadow } = getComputedStyle(each);
      return [outlineStyle, outlineWidth, outlineColor, boxShadow].join(' ');
    });
  });
}

// For those who see little, nothing, or cannot bear things that move.

import { expect, expectAccessible, expectLevel, expectOff, test } from '../fixtures';

test.use({ lampIds: ['Desk', 'Shelf', 'Window'] });

for (const colorScheme of ['light', 'dark'] as const) {
  test(`nothing for axe to find: ${colorScheme}`, async ({ visit, lamps, luxwire }) => {
    await lamps.Shelf!.set(0);
    await lamps.Window!.announce('offline');
    const page = await visit({ colorScheme });
    await expectOff(page.light('Shelf'));
    await expect(page.light('Window').when).toContainText('offline');
    await expectAccessible(page);

    await test.step('while lights are edited and one is added', async () => {
      await page.edit.click();
      await expectAccessible(page);
      await page.light('Desk').remove.click();
      await expect(page.light('Desk').undo).toBeVisible();
      await expectAccessible(page);
      await page.edit.click();
      await page.add.click();
      await expect(page.dialog).toBeVisible();
      await expectAccessible(page);
      await page.dialog.getByRole('button', { name: 'Cancel' }).click();
    });

    await test.step('while the server is away', async () => {
      await luxwire.kill();
      await expect(page.connection).toHaveText(/^Reconnecting/);
      await expectAccessible(page);
    });
  });
}

test.describe('an empty house', () => {
  test.use({ lampIds: [] });

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`nothing for axe to find on the first visit: ${colorScheme}`, async ({ visit }) => {
      const page = await visit({ colorScheme });
      await expect(page.page.getByRole('heading', { name: 'No lights yet' })).toBeVisible();
      await expectAccessible(page);
    });
  }
});

test('a screen reader has names and values to say', async ({ visit, lamps }) => {
  const page = await visit();
  const light = page.light('Desk');
  await expect(light.slider).toHaveAccessibleName('Desk');
  await expect(light.slider).toHaveAttribute('aria-valuetext', '40 percent');
  await expect(light.switch).toHaveAccessibleName('Desk on');
  await expect(light.card).toHaveAccessibleName('Desk');
  await expect(light.card.getByRole('heading', { name: 'Desk', level: 2 })).toBeVisible();
  await expect(page.connection).toHaveText('Online, 3 lights');
  await expect(page.page).toHaveTitle(/Luxwire/);
  await expect(page.page.locator('html')).toHaveAttribute('lang', 'en');

  await lamps.Desk!.set(7);
  await expect(light.slider).toHaveAttribute('aria-valuetext', '7 percent');
  await lamps.Desk!.set(0);
  await expect(light.slider).toHaveAttribute('aria-valuetext', 'Off');
  // A value that changes is not news to be read out.
  await expect(page.connection).toHaveCount(1);
  const live = '[aria-live]:not([aria-live=off]), [role=status], [role=alert], [role=log], output';
  await expect(page.lights.locator(live)).toHaveCount(0);
  await expect(page.page.locator(live).filter({ has: page.lights })).toHaveCount(0);

  await page.edit.click();
  await expect(light.remove).toHaveAccessibleName('Remove Desk');
});

for (const reducedMotion of ['no-preference', 'reduce'] as const) {
  const wanted = reducedMotion === 'reduce' ? 'nothing moves for who asked for it' : 'things move softly otherwise';
  test(wanted, async ({ visit, lamps }) => {
    const page = await visit({ reducedMotion });
    await expectLevel(page.light('Desk'), 40);
    // Each transition or animation that a browser starts is an event on its element.
    await page.page.evaluate(() => {
      const moved: string[] = ((globalThis as { moved?: string[] }).moved = []);
      for (const kind of ['transitionrun', 'animationstart'] as const) {
        document.addEventListener(kind, (event) => {
          const { duration } = (event.target as Element).getAnimations({ subtree: true })[0]?.effect?.getComputedTiming() ?? {};
          if (Number(duration) > 1) moved.push(`${kind} ${(event.target as Element).className}`);
        });
      }
    });
    await lamps.Desk!.set(90);
    await expectLevel(page.light('Desk'), 90);
    await page.light('Desk').switch.click();
    await expectOff(page.light('Desk'));
    const moved = () => page.page.evaluate(() => (globalThis as { moved?: string[] }).moved);
    if (reducedMotion === 'reduce') expect(await moved()).toEqual([]);
    else await expect.poll(moved).not.toEqual([]);
  });
}

test('forced colours leave everything visible', async ({ visit }) => {
  const page = await visit({ forcedColors: 'active' });
  await expectLevel(page.light('Desk'), 40);
  await expectAccessible(page);
});

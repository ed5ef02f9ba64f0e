// Which lights there are: they are added, they leave, they appear by themselves, and nonsense is not one of them.

import { expect, expectFinal, expectLevel, test } from '../fixtures';
import { Lamp } from '../fixtures/lamp';

test.describe('an empty house', () => {
  test.use({ lampIds: [] });

  test('says so, and how a light gets in', async ({ visit, luxwire }) => {
    const page = await visit();
    await expect(page.page.getByRole('heading', { name: 'No lights yet' })).toBeVisible();
    await expect(page.connection).toHaveText('Online, no lights yet');

    const lamp = await Lamp.connect('Porch', luxwire.mqttPort);
    await lamp.set(12.5);
    await expect(page.light('Porch').card).toBeVisible();
    await expect(page.connection).toHaveText('Online, 1 light');
    await expect(page.page.getByRole('heading', { name: 'No lights yet' })).toBeHidden();
    await lamp.disconnect();
  });

  test('a light is added in one browser, appears in the other, and works', async ({ visit, luxwire }) => {
    const anna = await visit();
    const ben = await visit();
    const lamp = await Lamp.connect('Reading corner', luxwire.mqttPort);
    await anna.addLight('Reading corner');
    await expect(anna.dialog).toBeHidden();
    await expect(anna.light('Reading corner').card).toBeVisible();
    await expect(ben.light('Reading corner').card).toBeVisible();

    await ben.light('Reading corner').slider.press('End');
    await expectFinal(lamp, 100);
    await expectLevel(anna.light('Reading corner'), 100);
    expect(await luxwire.setAt(lamp.topic)).toBeDefined();
    await lamp.disconnect();
  });

  for (const [name, reason] of [
    ['   ', /at least one/i],
    ['attic/left', /must not contain \//i],
    ['x'.repeat(65), /at most 64/i],
  ] as const) {
    test(`no light can be called "${name.slice(0, 8)}" (${name.length} characters), and the dialogue says why`, async ({
      visit,
    }) => {
      const page = await visit();
      await page.addLight(name);
      await expect(page.dialog).toBeVisible();
      const field = page.dialog.getByLabel('Name');
      await expect(field).toHaveAttribute('aria-invalid', 'true');
      await expect(field).toHaveAccessibleDescription(reason);
      await expect(field).toBeFocused();

      await field.fill('Porch');
      await expect(field).toHaveAttribute('aria-invalid', 'false');
      await page.dialog.getByRole('button', { name: 'Cancel' }).click();
      await expect(page.dialog).toBeHidden();
      await expect(page.lights).toHaveCount(0);
    });
  }

  test('a light that is there already is not added again', async ({ visit }) => {
    const page = await visit();
    await page.addLight('Porch');
    await expect(page.light('Porch').card).toBeVisible();
    await page.light('Porch').slider.press('End');
    await page.addLight('Porch');
    await expect(page.dialog.getByLabel('Name')).toHaveAttribute('aria-invalid', 'true');
    await page.dialog.getByRole('button', { name: 'Cancel' }).click();
    await expect(page.lights).toHaveCount(1);
    await expectLevel(page.light('Porch'), 100);
  });
});

test('a removed light leaves every browser and the broker, and can be brought back', async ({ visit, luxwire, lamp }) => {
  const anna = await visit();
  const ben = await visit();
  await expectLevel(ben.light('Desk'), 40);

  await anna.edit.click();
  await anna.light('Desk').remove.click();
  await expect(anna.light('Desk').card).toBeHidden();
  await expect(ben.light('Desk').card).toBeHidden();
  await expect.poll(() => lamp.value()).toBe('');
  await expect.poll(() => luxwire.setAt(lamp.topic)).toBeUndefined();

  await anna.light('Desk').undo.click();
  await expectFinal(lamp, 40);
  await anna.edit.click();
  await expectLevel(anna.light('Desk'), 40);
  await expectLevel(ben.light('Desk'), 40);
});

test('a payload that is no percentage is ignored and reported, never shown', async ({ visit, lamp }) => {
  const page = await visit();
  const light = page.light('Desk');
  await expectLevel(light, 40);
  const watch = await light.watch();
  for (const nonsense of ['banana', '150', '-1', 'NaN', '40 %', '1e1', '<b>50</b>']) await lamp.set(nonsense);
  await expect(light.card).toContainText('ignored “banana”: no percentage');
  await lamp.set(55);
  await expectLevel(light, 55);
  expect(await watch.stop()).toEqual([
    { level: 40, text: '40%' },
    { level: 55, text: '55%' },
  ]);
});

test('a lamp that is gone is said to be offline', async ({ visit, lamp }) => {
  const light = (await visit()).light('Desk');
  await lamp.announce('online');
  await expectLevel(light, 40);
  await expect(light.card).not.toContainText('offline');
  await lamp.announce('offline');
  await expect(light.when).toHaveText(/^offline since \d+:\d\d$/);
  await lamp.announce('online');
  await expect(light.when).toHaveText(/^set /);
});

test.describe('an id that is made for machines', () => {
  test.use({ lampIds: ['living-room_lamp'] });

  test('is shown as people would say it', async ({ visit }) => {
    await expectLevel((await visit()).light('Living room lamp'), 40);
  });
});

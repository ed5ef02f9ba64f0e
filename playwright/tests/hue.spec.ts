// Lights of a Philips Hue hub: the hub is added from the page, its lights are lights like all others, and it may go away.

import { expect, expectAccessible, test } from '../fixtures';

test.use({ lampIds: [] });

test('a hub is added from the page, and its lights obey the slider and tell what others do', async ({
  visit,
  hueHub,
}) => {
  const lights = await visit();
  const { page } = lights;
  await page.getByRole('button', { name: 'Settings' }).click();
  const settings = page.getByRole('dialog', { name: 'Settings' });
  await expect(settings.getByText('stand among all others once it is added')).toBeVisible();
  await expectAccessible(lights);

  await settings.getByRole('button', { name: 'Add a Hue hub' }).click();
  await settings.getByLabel('Or its address').fill(hueHub.address);
  await settings.getByRole('button', { name: 'Pair' }).click();
  await expect(settings.getByText('Press the round button on the hub')).toBeVisible();
  await expectAccessible(lights);
  await hueHub.pressButton();
  await expect(settings.getByText('Paired', { exact: true })).toBeVisible();
  await settings.getByRole('button', { name: 'Done' }).click();
  await expect(settings.getByRole('listitem')).toContainText('lights');
  await settings.getByRole('button', { name: 'Close' }).click();

  const bulb = page.getByRole('slider', { name: /desk lamp/i });
  await bulb.press('End');
  await expect.poll(() => hueHub.percent('Desk lamp')).toBe(100);
  await bulb.press('Home');
  await expect.poll(() => hueHub.percent('Desk lamp')).toBeLessThan(2);
});

test('a hub that goes away is said so, its lights are offline, and forgetting it removes them', async ({
  visit,
  hueHub,
}) => {
  const lights = await visit();
  const { page } = lights;
  await page.getByRole('button', { name: 'Settings' }).click();
  const settings = page.getByRole('dialog', { name: 'Settings' });
  await settings.getByRole('button', { name: 'Add a Hue hub' }).click();
  await settings.getByLabel('Or its address').fill(hueHub.address);
  await hueHub.pressButton();
  await settings.getByRole('button', { name: 'Pair' }).click();
  await expect(settings.getByText('Paired', { exact: true })).toBeVisible();
  await settings.getByRole('button', { name: 'Done' }).click();

  await hueHub.kill();
  await expect(settings.getByRole('listitem')).not.toContainText('lights', { timeout: 60_000 });
  await expect(page.getByRole('article', { name: /desk lamp/i, includeHidden: true })).toContainText('offline');
  await settings.getByRole('button', { name: /^Forget / }).click();
  await expect(settings.getByRole('listitem')).toHaveCount(0);
  await settings.getByRole('button', { name: 'Close' }).click();
  await expect(page.getByRole('article')).toHaveCount(0);
});

test('a broker without a Hue service says how to get one', async ({ visit, mosquitto }) => {
  const lights = await visit({ broker: mosquitto.url });
  const { page } = lights;
  await page.getByRole('button', { name: 'Settings' }).click();
  const settings = page.getByRole('dialog', { name: 'Settings' });
  await expect(settings.getByText('No Hue service is running')).toBeVisible();
  await expect(settings.getByText('luxwire hue', { exact: true })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(settings).toBeHidden();
});

test('without the broker nothing is offered that nobody would hear, and it comes back by itself', async ({
  visit,
  luxwire,
}) => {
  const { page } = await visit();
  await page.getByRole('button', { name: 'Settings' }).click();
  const settings = page.getByRole('dialog', { name: 'Settings' });
  const add = settings.getByRole('button', { name: 'Add a Hue hub' });
  await expect(add).toBeVisible();

  await luxwire.kill();
  await expect(settings.getByText('Asking the broker')).toBeVisible();
  await expect(add).toBeHidden();
  await luxwire.startAgain();
  await expect(settings.getByText('Asking the broker')).toBeHidden({ timeout: 60_000 });
});

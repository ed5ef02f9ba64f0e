// On, off, and the level in between.

import { expectFinal, expectLevel, expectOff, test } from '../fixtures';

test('the switch remembers the last level, in every browser', async ({ visit, lamp }) => {
  const anna = (await visit()).light('Desk');
  const ben = (await visit()).light('Desk');
  await lamp.set(63);
  await expectLevel(anna, 63);
  await expectLevel(ben, 63);

  await anna.switch.click();
  await expectFinal(lamp, 0);
  await expectOff(anna);
  await expectOff(ben);

  await ben.switch.click();
  await expectFinal(lamp, 63);
  await expectLevel(anna, 63);
  await expectLevel(ben, 63);
});

test('a light that somebody else switched off is off, and comes back as it was', async ({ visit, lamp }) => {
  const light = (await visit()).light('Desk');
  await lamp.set(27);
  await expectLevel(light, 27);
  await lamp.set(0);
  await expectOff(light);
  await light.switch.click();
  await expectFinal(lamp, 27);
  await expectLevel(light, 27);
});

test('the last level is remembered over a reload', async ({ visit, lamp }) => {
  const page = await visit();
  const light = page.light('Desk');
  await lamp.set(63);
  await expectLevel(light, 63);
  await light.switch.click();
  await expectFinal(lamp, 0);
  await page.page.reload();
  await expectOff(light);
  await light.switch.click();
  await expectFinal(lamp, 63);
});

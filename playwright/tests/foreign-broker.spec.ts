// Our page, served by our binary, with a broker that is not ours: Mosquitto, over its WebSocket listener.

import type { Page } from '@playwright/test';
import { expect, expectFinal, expectLevel, test } from '../fixtures';
import { Lamp } from '../fixtures/lamp';

test.use({ lampIds: [] });

test('the slider works on Mosquitto', async ({ visit, mosquitto }) => {
  const lamp = await Lamp.connect('Desk', mosquitto.mqttPort);
  await lamp.set(40);
  const asked: string[] = [];
  const listen = async (page: Page) => {
    page.on('websocket', (socket) => asked.push(socket.url()));
    page.on('request', (request) => request.url().includes('/api/') && asked.push(request.url()));
  };
  const anna = await visit({ broker: mosquitto.url, prepare: listen });
  const ben = await visit({ broker: mosquitto.url });
  await expect(anna.connection).toHaveText('Online, 1 light');
  await expectLevel(anna.light('Desk'), 40);

  const light = anna.light('Desk');
  await light.grab(30);
  await light.dragTo(85, 60);
  const released = await light.level();
  await light.release();
  await expectFinal(lamp, released);
  await expectLevel(light, released);
  await expectLevel(ben.light('Desk'), released);
  // Mosquitto keeps no time: who saw the change knows when it was, who comes later does not, and says so.
  await expect(light.when).toHaveText(/^set (just now|\d+ seconds ago)$/);
  const late = (await visit({ broker: mosquitto.url })).light('Desk');
  await expectLevel(late, released);
  await expect(late.when).toHaveText('set at an unknown time');

  await lamp.set(15);
  await expectLevel(light, 15);
  await light.switch.click();
  await expectFinal(lamp, 0);
  // The server that the page came from is asked nothing: it does not know these lights.
  expect(asked).toEqual([mosquitto.url]);
  await lamp.disconnect();
});

test('lights come and go on Mosquitto', async ({ visit, mosquitto }) => {
  const anna = await visit({ broker: mosquitto.url });
  const ben = await visit({ broker: mosquitto.url });
  await expect(anna.connection).toHaveText('Online, no lights yet');
  await anna.addLight('Porch');
  await expect(ben.light('Porch').card).toBeVisible();
  await ben.edit.click();
  await ben.light('Porch').remove.click();
  await expect(anna.light('Porch').card).toBeHidden();
});

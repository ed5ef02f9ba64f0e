//! What a page does on the network: MQTT over WebSocket, following everything, setting a light. Somebody else's client
//! (MQTT.js), so that the boards do not only understand our own.

import mqtt from 'mqtt';
import { PATIENCE_MS, eventually } from './eventually.mjs';

export class Page {
  static async open(url, user) {
    const page = new Page();
    page.heard = [];
    page.client = await mqtt.connectAsync(url, {
      protocolVersion: 5, reconnectPeriod: 200, username: user?.name, password: user?.password,
    });
    page.client.on('error', () => {}); // it tries again by itself
    page.client.on('message', (topic, payload, { retain, qos }) => page.heard.push({ topic, text: `${payload}`, retain, qos }));
    await page.client.subscribeAsync('#', { qos: 1 });
    return page;
  }

  /** Retained, as a slider's last value. */
  async set(light, text) {
    await this.client.publishAsync(`lights/${light}/intensity`, text, { retain: true, qos: 1 });
  }

  /** Waits for a message with this text (and quality), among those after the first `after`. */
  async hears(topic, text, { after = 0, qos, within = PATIENCE_MS } = {}) {
    const fits = (message) => message.topic === topic && message.text === text && (qos ?? message.qos) === message.qos;
    const find = () => this.heard.slice(after).find(fits);
    const log = () => this.heard.slice(after).map((message) => `${message.topic} ${message.text}`).join('\n');
    return eventually(find, () => `the page hears ${topic} ${text}; it heard\n${log()}`, within);
  }

  /** What was said of a topic, oldest first. */
  texts(topic, after = 0) {
    return this.heard.slice(after).filter((message) => message.topic === topic).map((message) => message.text);
  }

  async close() {
    await this.client.endAsync(true);
  }
}

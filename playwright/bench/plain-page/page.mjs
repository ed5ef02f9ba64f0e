// The lights of a house as one writes them down in an afternoon, with MQTT.js and nothing else: a slider for each, at most ten
// values a second from it and the last one for certain, and what everybody else sets. Luxwire's page is measured beside it.

import mqtt from './mqtt.esm.js';

const INTERVAL_MS = 100;
const status = document.querySelector('[role=status]');
const broker = new URLSearchParams(location.search).get('broker');
// All else is as MQTT.js has it. The keep-alive is that of Luxwire's page.
const client = mqtt.connect(broker, { keepalive: 20 });
client.subscribe(['lights/+/intensity', 'lights/+/availability'], { qos: 1 });
client.on('connect', () => (status.textContent = 'Online'));
client.on('close', () => (status.textContent = 'Reconnecting'));

const cards = new Map();

client.on('message', (topic, payload) => {
  const [, id, subject] = topic.split('/');
  const text = payload.toString();
  if (subject === 'availability') {
    cards.get(id)?.available(text !== 'offline');
  } else if (text === '') {
    cards.get(id)?.remove();
    cards.delete(id);
  } else {
    if (!cards.has(id)) cards.set(id, card(id));
    cards.get(id).hear(Number(text));
  }
});

function card(id) {
  const article = document.createElement('article');
  article.innerHTML = '<h2></h2><p class="value"></p><input type="range" min="1" max="100">';
  const [name, value, slider] = article.children;
  name.textContent = id;
  name.id = `light-${id}`;
  article.setAttribute('aria-labelledby', name.id);
  slider.setAttribute('aria-label', id);
  document.querySelector('main').append(article);

  const topic = `lights/${id}/intensity`;
  let sentAt = -Infinity;
  let timer;
  let dragging = false;
  const show = (level) => (value.textContent = level === 0 ? 'Off' : `${Math.round(level)}%`);
  const send = (qos) => {
    clearTimeout(timer);
    timer = undefined;
    sentAt = performance.now();
    client.publish(topic, slider.value, { qos, retain: true });
  };
  slider.addEventListener('input', () => {
    dragging = true;
    show(slider.valueAsNumber);
    const wait = sentAt + INTERVAL_MS - performance.now();
    if (wait <= 0) send(0);
    else timer ??= setTimeout(send, wait, 0);
  });
  slider.addEventListener('change', () => {
    dragging = false;
    send(1);
  });

  return {
    hear(level) {
      // Under the finger, what was just sent must not come back.
      if (dragging) return;
      show(level);
      if (level > 0) slider.value = level;
    },
    available: (is) => (article.style.opacity = is ? 1 : 0.5),
    remove: () => article.remove(),
  };
}

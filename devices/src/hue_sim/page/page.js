// The pretend hub's page: draws what /sim/events says, and tells the hub when somebody clicks.
// It decides nothing: whether a light is on is what the hub says next.
'use strict';

const SVG = 'http://www.w3.org/2000/svg';
const BULB = [
  ['circle', { class: 'halo', cx: 36, cy: 32, r: 30 }],
  ['path', { class: 'socket', d: 'M28 55h16v5a3 3 0 0 1-3 3h-1a4 4 0 0 1-8 0h-1a3 3 0 0 1-3-3z' }],
  ['path', { class: 'glass', d: 'M36 8a22 22 0 0 1 13 39.7c-2 1.6-3 3.3-3 5.3H26c0-2-1-3.7-3-5.3A22 22 0 0 1 36 8z' }],
  ['path', { class: 'filling', d: 'M36 8a22 22 0 0 1 13 39.7c-2 1.6-3 3.3-3 5.3H26c0-2-1-3.7-3-5.3A22 22 0 0 1 36 8z' }],
];
const PLUG = [
  ['circle', { class: 'halo', cx: 36, cy: 36, r: 28 }],
  ['rect', { class: 'glass', x: 12, y: 12, width: 48, height: 48, rx: 14 }],
  ['rect', { class: 'filling', x: 12, y: 12, width: 48, height: 48, rx: 14 }],
  ['circle', { class: 'prongs', cx: 36, cy: 36, r: 15 }],
  ['path', { class: 'prongs', d: 'M30 33v6M42 33v6' }],
];

const at = (id) => document.getElementById(id);
const drawn = new Map();
let rooms = '';
let pressedUntil = 0;

function element(name, attributes = {}, children = []) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function drawing(shapes) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 72 72');
  svg.setAttribute('aria-hidden', 'true');
  for (const [name, attributes] of shapes) {
    const shape = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
    svg.append(shape);
  }
  return svg;
}

// Rooms and lights do not come and go while a hub runs, but another hub may answer after a restart.
function furnish(picture) {
  const plan = JSON.stringify([picture.bridge_id, picture.rooms]);
  if (plan === rooms) return;
  rooms = plan;
  drawn.clear();
  const kinds = new Map(picture.lights.map((light) => [light.number, light.kind]));
  const sections = picture.rooms.map((room, index) => {
    const list = element('ul', { class: 'lights' });
    for (const number of room.lights) {
      const name = element('span', { class: 'name' });
      const value = element('span', { class: 'value' });
      const svg = drawing(kinds.get(number) === 'plug' ? PLUG : BULB);
      const button = element('button', { type: 'button', class: 'light' }, [svg, name, value]);
      button.addEventListener('click', () => toggle(number));
      drawn.set(number, { button, name, value, blinks: null });
      list.append(element('li', {}, [button]));
    }
    const heading = element('h2', { id: `room-${index}` }, [room.name]);
    return element('section', { class: 'room', 'aria-labelledby': `room-${index}` }, [heading, list]);
  });
  at('rooms').replaceChildren(...sections);
}

// A dim bulb still looks lit: eyes do not see light in proportion.
const glow = (level) => (level > 0 ? 0.18 + 0.82 * level ** 0.7 : 0);

function shine(button, level, rgb, fade) {
  button.style.setProperty('--fade', `${fade}ms`);
  button.style.setProperty('--level', level.toFixed(4));
  button.style.setProperty('--glow', glow(level).toFixed(4));
  button.style.setProperty('--shine', `rgb(${rgb.join(' ')})`);
}

function words(light) {
  if (!light.reachable) return 'No power';
  if (!light.on) return 'Off';
  if (light.percent === null) return 'On';
  return `${Math.max(1, Math.round(light.percent))} %`;
}

function draw(light) {
  const known = drawn.get(light.number);
  if (!known) return;
  const { button } = known;
  if (known.blinks === null) {
    // Whoever opens the page in the middle of a fade sees its rest.
    shine(button, light.level_now, light.rgb_now, 0);
    void button.getBoundingClientRect();
  }
  const looks = JSON.stringify([light.level, light.rgb]);
  if (looks !== known.looks) {
    known.looks = looks;
    shine(button, light.level, light.rgb, light.fade_ms);
  }
  if (known.blinks !== null && known.blinks !== light.blinks) {
    button.classList.remove('blink', 'blink-long');
    void button.getBoundingClientRect();
    button.classList.add(light.blinks_long ? 'blink-long' : 'blink');
  }
  known.blinks = light.blinks;
  known.light = light;
  known.name.textContent = light.name;
  known.value.textContent = words(light);
  button.classList.toggle('away', !light.reachable);
  button.setAttribute('aria-pressed', String(light.on));
}

function show(picture) {
  furnish(picture);
  picture.lights.forEach(draw);
  at('identity').textContent = picture.bridge_id;
  at('requests').textContent = picture.requests;
  at('accepted').textContent = picture.commands.accepted;
  at('waiting').textContent = picture.commands.waiting;
  at('refused').textContent = picture.commands.refused;
  at('refused').classList.toggle('alarm', picture.commands.refused > 0);
  const applications = picture.applications.join(', ');
  at('applications').textContent = applications ? `Paired: ${applications}` : 'No application is paired yet.';
  const faults = Object.entries(picture.faults).filter(([, value]) => value && value !== 'flowing' && String(value) !== '');
  at('faults').hidden = !picture.faulty;
  at('faults').textContent = `Faulty on purpose: ${faults.map(([name, value]) => `${name} ${JSON.stringify(value)}`).join(', ')}`;
  pressedUntil = performance.now() + picture.button_ms;
  tick();
}

// The ring around the button runs out while it counts as pressed.
let ticking = 0;
function tick() {
  cancelAnimationFrame(ticking);
  const left = pressedUntil - performance.now();
  const button = at('button');
  const pressed = left > 0;
  if (button.classList.toggle('pressed', pressed)) {
    button.style.setProperty('--left', (left / 30_000).toFixed(3));
    at('button-text').textContent = `Linking ${Math.ceil(left / 1000)} s`;
    ticking = requestAnimationFrame(tick);
  } else {
    at('button-text').textContent = 'Press to link';
  }
}

async function post(path, body) {
  try {
    const answer = await fetch(path, { method: 'POST', body: JSON.stringify(body) });
    return answer.ok;
  } catch {
    return false;
  }
}

async function toggle(number) {
  const { light } = drawn.get(number);
  const on = !light.on;
  const done = await post(`/sim/lights/${number}`, { on: { on } });
  at('said').textContent = done && light.reachable ? `${light.name} is ${on ? 'on' : 'off'}` : `${light.name} does not follow`;
}

at('button').addEventListener('click', async () => {
  const done = await post('/sim/button', {});
  at('said').textContent = done ? 'The link button is pressed for 30 seconds' : 'The hub does not answer';
});

const events = new EventSource('/sim/events');
events.addEventListener('message', (event) => show(JSON.parse(event.data)));
events.addEventListener('open', () => { at('lost').hidden = true; });
events.addEventListener('error', () => { at('lost').hidden = false; });

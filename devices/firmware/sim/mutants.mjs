//! Are the tests worth anything? Makes one deliberate mistake at a time in a copy of the firmware, builds it, and expects
//! the tests to fail. `npm run mutants` tries all, `npm run mutants -- --few` only the first ones, and
//! `npm run mutants -- 'dead band'` those that are called so.
//!
//! Needs what the tests need, and cargo with the target thumbv6m-none-eabi; the sources of the project stay as they are.

import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../../..');
const FIRMWARE = 'devices/firmware';
/** Enough for what takes a second or two; a mistake should not cost half a minute each. */
const PATIENCE_MS = 12_000;
/** How many mistakes are the most telling ones. */
const FEW = 5;

const BOTH = ['lights', 'both roles in one board'];

/** What is wrong, where, what stands there, what stands there instead, and which test is to notice. */
const MISTAKES = [
  ['the knob on another pin', 'src', /PIN_26/g, 'PIN_27', BOTH],
  ['the LED on another pin', 'src', /PIN_15|PWM_SLICE7/g, (name) => ({ PIN_15: 'PIN_13', PWM_SLICE7: 'PWM_SLICE6' })[name], BOTH],
  ['the other half of the PWM slice', 'src/lamp.rs', 'compare_b', 'compare_a', BOTH],
  ['another clock divider', 'src/lamp.rs', 'DIVIDER: u8 = 16', 'DIVIDER: u8 = 15', ['lights', 'Luxwire: a knob turns']],
  ['another topic', 'src/conversation.rs', 'let topic = LightTopic::Intensity(id.clone()).name();', 'let topic = LightTopic::Availability(id.clone()).name();', BOTH],
  ['a linear lamp', 'src/lamp.rs', 'RESOLUTION.duty(intensity)', '(u32::from(intensity.hundredths()) * 4095 / 10_000) as u16', BOTH],
  ['a flat curve at the dark end', '../../shared/src/model/lightness.rs', 'const LINEAR_MAX: u16 = 800', 'const LINEAR_MAX: u16 = 0', ['lights', 'Luxwire: a knob turns']],
  ['no dead band', '../../shared/src/model/reading.rs', 'let band = adc_max / 256;', 'let band = adc_max / 4095;', ['knob', 'noise']],
  ['no median', '../../shared/src/model/reading.rs', 'let [_, median, _] = sorted;', 'let [_, _, median] = sorted;', ['knob', 'noise']],
  ['the last value as carelessly as the others', 'src/conversation.rs', 'if last { QoS::AtLeastOnce }', 'if last { QoS::AtMostOnce }', ['knob', 'a turned knob']],
  ['values that nobody finds later', 'src/conversation.rs', 'Message::retained(topic, intensity', 'Message::new(topic, intensity', BOTH],
  ['no will', 'src/conversation.rs', 'options.will = Some(', 'let _ = Some(', ['faults', 'Luxwire: a lamp.s cable']],
  ['no keep alive', 'src/conversation.rs', 'settings.keep_alive_s;', '0;', ['faults', 'Luxwire: a lamp.s cable']],
  ['a forgetful broker is not told again', 'src/conversation.rs', 'if !session_present &&', 'if false &&', ['faults', 'Luxwire: killed']],
  ['what the broker knows is told again', 'src/conversation.rs', 'if !session_present &&', 'if ', ['faults', 'a dimmer whose connection']],
  ['what was turned meanwhile is forgotten', 'src/conversation.rs', 'if !self.client.is_online() || self.unsure.is_some() {', 'if !self.client.is_online() { self.due = None; }\n        if self.unsure.is_some() {', ['faults', 'a dimmer is unplugged']],
  ['settings in another sector', 'settings/src/sector.rs', '0x101F_F000', '0x101F_E000', BOTH],
  ['settings without their checksum', 'settings/src/sector.rs', 'if crc32(fields) !=', 'if false && crc32(fields) !=', ['start', 'damaged']],
  ['the watchdog is not fed', 'src/sign.rs', 'self.watchdog.feed(PATIENCE);', '', ['start', 'without settings']],
  ['the chip select on another pin', 'src/bin/luxwire-w5500.rs', 'PIN_17', 'PIN_22', BOTH],
];

const work = fs.mkdtempSync(path.join(os.tmpdir(), 'luxwire-mutants-'));
process.on('exit', () => fs.rmSync(work, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
const copy = path.join(work, 'project');
const firmware = path.join(copy, FIRMWARE);

/** The firmware, what it is made of, and the manifest that they inherit from. */
function copyProject() {
  for (const part of ['Cargo.toml', 'shared', FIRMWARE]) {
    const unwanted = /\/(target|node_modules|sim)$/;
    fs.cpSync(path.join(ROOT, part), path.join(copy, part), { recursive: true, filter: (file) => !unwanted.test(file) });
  }
  // Another name, so that the project's own image is not overwritten in the folder that both build in.
  const manifest = path.join(firmware, 'Cargo.toml');
  const text = fs.readFileSync(manifest, 'utf8');
  const named = text.replace('name = "luxwire-w5500"', 'name = "luxwire-mutant"\npath = "src/bin/luxwire-w5500.rs"');
  if (named === text) throw new Error('the manifest no longer names luxwire-w5500');
  fs.writeFileSync(manifest, named);
}

/** Builds the copy and gives the folder with its image. */
function build() {
  execFileSync('cargo', ['build', '--release', '--locked', '--quiet', '--bin', 'luxwire-mutant'], { cwd: firmware, stdio: 'inherit' });
  const metadata = execFileSync('cargo', ['metadata', '--format-version', '1', '--no-deps', '--locked'], { cwd: firmware });
  const target = JSON.parse(metadata).target_directory;
  const folder = path.join(work, 'image');
  fs.mkdirSync(folder, { recursive: true });
  fs.copyFileSync(path.join(target, 'thumbv6m-none-eabi/release/luxwire-mutant'), path.join(folder, 'luxwire-w5500'));
  return folder;
}

/** Whether one test passes with this image, and why not. */
function passes([file, name], folder) {
  const words = ['--test', '--test-reporter=tap', `--test-name-pattern=${name}`, `test/${file}.test.mjs`];
  const env = { ...process.env, LUXWIRE_FIRMWARE: folder, LUXWIRE_PATIENCE_MS: `${PATIENCE_MS}` };
  delete env.NODE_TEST_CONTEXT;
  const { status, stdout } = spawnSync(process.execPath, words, { cwd: path.join(ROOT, FIRMWARE, 'sim'), env, encoding: 'utf8' });
  const ran = Number(/^# pass (\d+)/m.exec(stdout)?.[1] ?? 0) + Number(/^# fail (\d+)/m.exec(stdout)?.[1] ?? 0);
  if (ran === 0) throw new Error(`no test is called "${name}":\n${stdout}`);
  return { passed: status === 0, why: /^\s*error: (?:\|-\n\s*|')?(.*)/m.exec(stdout)?.[1] ?? '' };
}

/** Makes the mistake, and gives what undoes it. */
function mistake(where, from, to) {
  const place = path.join(firmware, where);
  const isFolder = fs.statSync(place).isDirectory();
  const files = isFolder ? fs.readdirSync(place, { recursive: true }).map((name) => path.join(place, name)) : [place];
  const originals = files.filter((file) => file.endsWith('.rs')).map((file) => [file, fs.readFileSync(file, 'utf8')]);
  let changed = 0;
  for (const [file, text] of originals) {
    const wrong = text.replaceAll(from, to);
    if (wrong === text) continue;
    fs.writeFileSync(file, wrong);
    changed++;
  }
  if (changed === 0) throw new Error(`${where} has no ${from} any more: mend this list`);
  return () => originals.forEach(([file, text]) => fs.writeFileSync(file, text));
}

const [wish] = process.argv.slice(2);
const mistakes = wish === '--few' ? MISTAKES.slice(0, FEW) : MISTAKES.filter(([what]) => what.includes(wish ?? ''));
copyProject();
const sound = build();
for (const test of new Set(mistakes.map(([, , , , test]) => test.join('\n')))) {
  const { passed, why } = passes(test.split('\n'), sound);
  if (!passed) throw new Error(`without any mistake, "${test}" fails: ${why}`);
}
let survivors = 0;
for (const [what, where, from, to, test] of mistakes) {
  const undo = mistake(where, from, to);
  const begun = performance.now();
  const { passed, why } = passes(test, build());
  undo();
  const seconds = ((performance.now() - begun) / 1000).toFixed(0);
  console.log(passed ? `SURVIVED  ${what}` : `caught    ${what} (${seconds} s): ${why}`);
  survivors += passed ? 1 : 0;
}
console.log(`${mistakes.length - survivors} of ${mistakes.length} mistakes caught`);
process.exitCode = survivors === 0 ? 0 : 1;

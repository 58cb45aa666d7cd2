#!/usr/bin/env node
// suite: needs=build presets=release,asan-ubsan timeout=300
// `eplan explain` of every case of the shipped mappings: each leaf of each resource has its entry, each place is a line that
// holds what is told of it, each hold and row is there, and what decided is told. Of the slow builds every eighth case.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { finish, test } from '../lib/tap.mjs';
import { caseNames, eplan, mappings, rootDir } from './mapping.mjs';

const lines = new Map();
const lineOf = (at) => {
  const [, file, number] = /^(.*):(\d+)$/.exec(at);
  if (!lines.has(file)) lines.set(file, fs.readFileSync(path.join(rootDir, file), 'utf8').split('\n'));
  return lines.get(file)[number - 1];
};

// -> ["goal[0].reference", ...]: every value that is no object or list
function leaves(value, at = '') {
  if (Array.isArray(value)) return value.flatMap((one, i) => leaves(one, `${at}[${i}]`));
  if (value && typeof value === 'object') return Object.entries(value).flatMap(([name, one]) => leaves(one, at ? `${at}.${name}` : name));
  return [at];
}
const covers = (path_, leaf) => leaf === path_ || (leaf.startsWith(path_) && '.['.includes(leaf[path_.length]));

function checkDecision(decision, name) {
  assert.match(decision.at, /:\d+$/, name);
  assert.ok(decision.expression && decision['decided-by'].part, name);
  const first = decision.expression.split(/[\s(]/)[0];
  const near = [0, 1, 2].map((more) => { const [, file, n] = /^(.*):(\d+)$/.exec(decision.at); return lineOf(`${file}:${Number(n) + more}`) ?? ''; }).join('\n');
  assert.ok(near.includes(first), `${name}: ${first} does not stand at ${decision.at}`);
}

function checkCase(folder, name) {
  const { status, stdout, stderr } = eplan(['explain', folder, name, '--json']);
  assert.equal(status, 0, stderr);
  const why = JSON.parse(stdout);
  for (const hold of why['hold-list'] ?? []) checkDecision(hold, hold.id);
  for (const input of why.inputs ?? []) checkDecision(input, input.name);
  assert.deepEqual((why['hold-list'] ?? []).filter((hold) => hold.state !== 'false').map(({ id }) => id), why.holds);
  if (why.rows) {
    assert.ok(why.rows.filter(({ met }) => met).length <= 1);
    for (const row of why.rows) assert.equal(Boolean(row.because), !row.met, row.at);
  }
  return why;
}

for (const folder of mappings()) {
  const all = caseNames(folder);
  const every = process.env.EPLAN_PRESET === 'asan-ubsan' && all.length > 100 ? 8 : 1;
  const names = all.filter((_, i) => i % every === 0);
  test(`${folder}: every case is explained`, () => {
    let elements = 0;
    for (const name of names) {
      const why = checkCase(folder, name);
      const plan = eplan(['preview', folder, name, '--json']);
      if (plan.status !== 0) continue;
      const items = [...new Set(why.elements.map(({ item }) => item))];
      const { entry } = JSON.parse(plan.stdout);
      assert.equal(items.length, entry.length, name);
      for (const [i, { resource }] of entry.entries()) {
        const own = why.elements.filter(({ item }) => item === items[i]);
        for (const leaf of leaves(resource)) {
          const element = own.find((one) => covers(one.path, leaf));
          assert.ok(element, `${name} ${items[i]}: ${leaf} is not explained`);
          assert.ok(element.at || element.kind === 'made', leaf);
        }
        elements += own.length;
        for (const { at } of own) if (at) assert.ok(lineOf(at) !== undefined, at);
      }
    }
    assert.ok(elements > 50, `${elements}`);
  });
  test(`${folder}: the readable form tells the same`, () => {
    for (const name of names) {
      const { status, stdout } = eplan(['explain', folder, name]);
      assert.equal(status, 0);
      assert.match(stdout, /^(proposal|hand-over|hold|drop|not-eligible)/);
      assert.doesNotMatch(stdout, /\(null\)|undefined/);
    }
  });
}

test('what decided: the part, what it saw, and where that came from', () => {
  const why = JSON.parse(eplan(['explain', 'mappings/healthy-weight', 'overweight-7y-ready', '--json']).stdout);
  const before = why['hold-list'].find(({ id }) => id === 'severeBeforeFive');
  assert.deepEqual(before['decided-by'], { part: '%growth.ageMonths < 60', value: 'false', because: [{ part: '%growth.ageMonths', value: '86' }] });
  assert.ok(before.names.includes('weights') && before.names.includes('patient'));
  const lipid = why['left-out'].find(({ item }) => item === 'orders.lipid');
  assert.equal(lipid.expression, '%lipidDue');
  assert.ok(lipid.names.includes('lipids'));
  assert.equal(why['left-out'].find(({ item }) => item === 'goals.produce').why, 'it costs money, and food may be short at home');
  const addresses = why.elements.find(({ path: at }) => at === 'addresses[0].reference');
  assert.ok(addresses.names.includes('conditions') && addresses.each.startsWith('%conditions'));
});
test('a fact that failed explains the hold', () => {
  const why = JSON.parse(eplan(['explain', 'mappings/healthy-weight', caseNames('mappings/healthy-weight').find((name) => JSON.parse(eplan(['explain', 'mappings/healthy-weight', name, '--json']).stdout).reason === 'fetch-failed'), '--json']).stdout);
  assert.ok(why.facts.some(({ state }) => state === 'failed'));
});
test('a case that is not there', () => {
  const { status, stderr } = eplan(['explain', 'mappings/healthy-weight', 'nobody']);
  assert.equal(status, 2);
  assert.match(stderr, /no case and no file "nobody"/);
});
await finish();

#!/usr/bin/env node
// suite: timeout=120 needs=build presets=release,asan-ubsan
// The cases by section of the specification (*.yaml beside this file): an expression on the Patient of patient.json, and
// what it gives, as `eplan fhirpath` prints it, or the error with its kind, column and sentence. Each is asked twice: of one
// --batch process, and (a case of each section) of the plain verb. And kinds.csv says what codes.def says.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { finish, test } from '../lib/tap.mjs';

const yaml = createRequire(import.meta.url)('js-yaml');
const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.join(here, '../..');
const binary = process.env.EPLAN_BINARY ?? path.join(root, 'build/dev/eplan');
const patient = path.join(here, 'patient.json');

const sections = fs.readdirSync(here).filter((name) => name.endsWith('.yaml')).sort().map((name) => ({
  name: name.replace(/\.yaml$/, ''),
  cases: yaml.load(fs.readFileSync(path.join(here, name), 'utf8')),
}));
const cases = sections.flatMap((section) => section.cases.map((one) => ({ section: section.name, ...one })));

const batch = spawnSync(binary, ['fhirpath', '--batch'], {
  encoding: 'utf8',
  maxBuffer: 1 << 26,
  input: cases.map((one, id) => JSON.stringify({ id, expr: one.expr, file: patient })).join('\n') + '\n',
});
const answers = batch.stdout.split('\n').filter(Boolean);

// The items of an answer as the verb prints them: the type, a blank, the value as written.
function itemsOf(line) {
  const items = [];
  const text = line.slice(line.indexOf('"result":[') + 10, -2);
  let depth = 0;
  let quoted = false;
  let from = 0;
  for (let i = 0; i <= text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === '\\') i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if ('{['.includes(c ?? ' ')) depth++;
    else if ('}]'.includes(c ?? ' ')) depth--;
    else if (depth === 0 && (c === ',' || i === text.length) && i > from) {
      const [, type, value] = /^\{"type":"([^"]*)","value":(.*)\}$/s.exec(text.slice(from, i));
      items.push(`${type} ${value}`);
      from = i + 1;
    }
  }
  return items;
}

test('the batch ends well and answers each request in order', () => {
  assert.equal(batch.status, 0, batch.stderr);
  assert.deepEqual(answers.map((line) => JSON.parse(line).id), cases.map((_, i) => i));
});

cases.forEach((one, i) => {
  test(`${one.section}: ${one.what}`, () => {
    const answer = JSON.parse(answers[i]);
    if (one.error) {
      assert.ok(answer.error, `an error is expected, not ${answers[i]}`);
      const { kind, column, message } = answer.error;
      assert.deepEqual({ kind, column, message }, { kind: one.error, column: one.at, message: one.says });
    } else {
      assert.equal(answer.error, undefined, answer.error?.message);
      assert.deepEqual(itemsOf(answers[i]), one.gives);
    }
  });
});

for (const section of sections) {
  for (const one of [section.cases.find((c) => c.gives?.length), section.cases.find((c) => c.error)].filter(Boolean)) {
    test(`${section.name}, by the plain verb: ${one.what}`, () => {
      const run = spawnSync(binary, ['fhirpath', '-r', patient, one.expr], { encoding: 'utf8' });
      assert.equal(run.status, one.error ? (one.error === 'execution' ? 3 : 2) : 0);
      assert.deepEqual(run.stdout.split('\n').filter(Boolean), (one.gives ?? []).map((item) => item.replace(' ', '\t')));
      if (one.error) assert.ok(run.stderr.startsWith(`expression:1:${one.at}: error: ${one.says} [`), run.stderr);
    });
  }
}

test('every function has a case', () => {
  const rows = fs.readFileSync(path.join(root, 'fhir/path/functions.def'), 'utf8').matchAll(/^FUNCTION\("(\w+)"/gm);
  const asked = cases.map((one) => one.expr).join('\n');
  const missing = [...rows].map((row) => row[1]).filter((name) => !new RegExp(`\\b${name}\\(`).test(asked));
  assert.deepEqual(missing, []);
});

test('kinds.csv says what codes.def says', () => {
  const rows = fs.readFileSync(path.join(root, 'fhir/base/codes.def'), 'utf8').matchAll(/^DIAG\(PATH_\w+, "([\w-]+)", \w+, KIND_(\w+)/gm);
  const wanted = ['code,kind', ...[...rows].map(([, code, kind]) => `${code},${kind.toLowerCase()}`)].join('\n') + '\n';
  assert.equal(fs.readFileSync(path.join(here, 'kinds.csv'), 'utf8'), wanted);
});

await finish();

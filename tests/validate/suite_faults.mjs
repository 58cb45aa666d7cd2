#!/usr/bin/env node
// suite: needs=build presets=release,asan-ubsan timeout=300
// Each planted fault of faults/ (.json, .xml) is refused, and told in exactly the words of its .txt; what warnings/
// should do better is told likewise, and accepted.
//   node tests/validate/suite_faults.mjs --update    writes the .txt files anew
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { finish, test } from '../lib/tap.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const binary = path.resolve(process.env.EPLAN_BINARY ?? path.join(here, '../../build/release/eplan'));
const update = process.argv.includes('--update');

function validate(folder, args) {
  const { status, stderr, error } = spawnSync(binary, ['validate', ...args], { cwd: folder, encoding: 'utf8', timeout: 30_000 });
  if (error) throw error;
  return { status, stderr };
}

const listed = (folder) => fs.readdirSync(folder).sort();
const stem = (file) => file.replace(/\.\w+$/, '');

function golden(name, options, exit, least) {
  const folder = path.join(here, name);
  const cases = listed(folder).filter((file) => !file.endsWith('.txt'));
  test(`${name}: there are at least ${least}`, () => assert.ok(cases.length >= least, `only ${cases.length}`));
  for (const file of cases) {
    test(`${name}/${file}`, () => {
      const text = path.join(folder, `${stem(file)}.txt`);
      const { status, stderr } = validate(folder, [...options, file]);
      assert.equal(status, exit, stderr);
      if (update) fs.writeFileSync(text, stderr);
      assert.equal(stderr, fs.readFileSync(text, 'utf8'));
    });
  }
  test(`${name}: each text has its resource`, () => {
    const texts = listed(folder).filter((file) => file.endsWith('.txt'));
    assert.deepEqual(texts.map(stem).sort(), cases.map(stem).sort());
  });
}

golden('faults', ['-q'], 1, 60);
golden('warnings', [], 0, 2);
await finish();

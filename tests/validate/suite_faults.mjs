#!/usr/bin/env node
// suite: needs=build presets=release,asan-ubsan timeout=300
// Each planted fault of faults/*.json is refused, and told in exactly the words of faults/*.txt; what warnings/*.json
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

const named = (folder, end) => fs.readdirSync(folder).filter((file) => file.endsWith(end)).map((file) => path.basename(file, end)).sort();

function golden(name, options, exit, least) {
  const folder = path.join(here, name);
  const cases = named(folder, '.json');
  test(`${name}: there are at least ${least}`, () => assert.ok(cases.length >= least, `only ${cases.length}`));
  for (const one of cases) {
    test(`${name}/${one}`, () => {
      const { status, stderr } = validate(folder, [...options, `${one}.json`]);
      assert.equal(status, exit, stderr);
      if (update) fs.writeFileSync(path.join(folder, `${one}.txt`), stderr);
      assert.equal(stderr, fs.readFileSync(path.join(folder, `${one}.txt`), 'utf8'));
    });
  }
  test(`${name}: no text without its resource`, () => assert.deepEqual(named(folder, '.txt'), cases));
}

golden('faults', ['-q'], 1, 60);
golden('warnings', [], 0, 2);
await finish();

#!/usr/bin/env node
// suite: needs=build presets=release timeout=180
// A seeded sample of tests/mapping/mutate.mjs: of forty ways to break the shipped mapping, check or test tell of 95 %. All
// three hundred run on demand: node tests/mapping/mutate.mjs.
import assert from 'node:assert/strict';
import path from 'node:path';
import { scratch } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';
import { rootDir } from './mapping.mjs';
import { mutateAll, mutation, readFolder } from './mutate.mjs';

const folder = path.join(rootDir, 'mappings/healthy-weight');
const seeds = Array.from({ length: 40 }, (_, i) => i + 1);

test('a seed is one mutation, and always the same', () => {
  const files = readFolder(folder);
  for (const seed of seeds) {
    const [one, again] = [mutation(files, seed), mutation(files, seed)];
    assert.deepEqual(one, again);
    assert.notDeepEqual(one.files, files, `seed ${seed} changes nothing`);
    assert.deepEqual(Object.keys(one.files).filter((name) => one.files[name] !== files[name]).length, 1);
  }
});

test('of forty mutations at most two are not told of', () => {
  const results = mutateAll(folder, seeds, path.join(scratch('mutations'), 'mapping'));
  const survivors = results.filter(({ by }) => !by).map(({ seed, kind, says }) => `seed ${seed}, ${kind}: ${says}`);
  assert.ok(survivors.length <= 2, survivors.join('\n'));
});

await finish();

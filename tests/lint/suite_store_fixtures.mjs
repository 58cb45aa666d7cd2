#!/usr/bin/env node
// The stores of earlier schemas are what the upgrades make of the first one: no upgrade was edited after it was used.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { finish, test } from '../lib/tap.mjs';

const tool = path.join(path.dirname(fileURLToPath(import.meta.url)), '../tools/make-store-fixtures.mjs');
test('tests/data/store is what the upgrades make', () => {
  const { status, stderr } = spawnSync(process.execPath, [tool, '--check'], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});
await finish();

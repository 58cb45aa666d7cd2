// clang-tidy over every source file (.clang-tidy says what it looks for), on demand: it takes minutes.
//   EPLAN_ROOT=$PWD EPLAN_BUILD=$PWD/build/dev node tests/lint/tidy.mjs
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { finish, test } from '../lib/tap.mjs';

const root = process.env.EPLAN_ROOT;
const build = process.env.EPLAN_BUILD;
const commands = JSON.parse(fs.readFileSync(path.join(build, 'compile_commands.json'), 'utf8'));
const files = commands.map((entry) => path.relative(root, entry.file)).filter((file) => /^(fhir|gateway)\//.test(file)).sort();
const run = promisify(execFile);

async function tidy(file) {
  try {
    await run('clang-tidy', ['--quiet', '-p', build, path.join(root, file)], { maxBuffer: 1 << 26 });
    return [];
  } catch (error) {
    return String(error.stdout ?? error).split('\n').filter((line) => /error:|warning:|Error/.test(line)).slice(0, 5);
  }
}

// As many at a time as there are cores.
const found = {};
const queue = [...files];
await Promise.all(Array.from({ length: os.availableParallelism() }, async () => {
  for (let file = queue.shift(); file; file = queue.shift()) found[file] = await tidy(file);
}));

test(`${files.length} files are looked at`, () => assert.ok(files.length > 100));
for (const folder of [...new Set(files.map((file) => path.dirname(file)))]) {
  test(`clang-tidy finds nothing in ${folder}`, () => {
    const lines = files.filter((file) => path.dirname(file) === folder).flatMap((file) => found[file]);
    assert.deepEqual(lines, []);
  });
}

await finish();

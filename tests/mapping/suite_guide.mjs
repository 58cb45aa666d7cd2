#!/usr/bin/env node
// suite: needs=build presets=release,asan-ubsan timeout=120
// mappings/README.md, run as it stands: a block `yaml file=PATH` is written, the lines `$ eplan ...` of a `console` block
// are run in that folder, and what they print is compared. No other kind of block is allowed.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { run, scratch } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';
import { binary, rootDir } from './mapping.mjs';

const guide = fs.readFileSync(path.join(rootDir, 'mappings/README.md'), 'utf8');
const place = scratch('guide');
const folder = path.join(place, 'first-steps'); // a folder beside it is written as file=../NAME/...

// -> [{ kind: 'file' | 'console', name, text }]
function blocks() {
  const found = [...guide.matchAll(/^```(\S*) ?(.*)\n([\s\S]*?)^```$/gm)].map(([, language, rest, text]) => ({ language, rest, text }));
  assert.equal(found.length * 2, guide.match(/^```/gm).length, 'a fence without its end');
  return found.map(({ language, rest, text }) => {
    if (language === 'console') return { kind: 'console', text };
    const [, name] = /^file=(\S+)$/.exec(rest) ?? [];
    assert.ok(language === 'yaml' && name && !name.replace(/^\.\.\/(?=\w)/, '').includes('..'), `a block that no test runs: ${language} ${rest}`);
    return { kind: 'file', name, text };
  });
}

// What is printed to both, in the order of a terminal: errors first, as eplan does.
async function shown(command) {
  const { stdout, stderr, signal } = await run('bash', ['-c', command], { cwd: folder, env: { PATH: `${path.dirname(binary)}:${process.env.PATH}`, LC_ALL: 'C.UTF-8' } });
  assert.equal(signal, null, command);
  return stderr + stdout;
}

fs.mkdirSync(folder);
const list = blocks();
test('the guide has its files and commands', () => assert.ok(list.filter(({ kind }) => kind === 'file').length >= 8 && list.filter(({ kind }) => kind === 'console').length >= 2));
for (const { kind, name, text } of list) {
  if (kind === 'file') {
    test(`writes ${name}`, () => {
      fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      fs.writeFileSync(path.join(folder, name), text);
    });
    continue;
  }
  for (const part of text.split(/^\$ /m).slice(1)) {
    const end = part.indexOf('\n');
    const command = part.slice(0, end);
    test(`$ ${command}`, async () => {
      assert.match(command, /^eplan (check|test|preview|schema|new|explain|approve|diff|case|review-book|export|repl|import) /);
      assert.equal(await shown(command), part.slice(end + 1));
    });
  }
}
test('it names every %growth field, and no other', () => {
  const names = [...fs.readFileSync(path.join(rootDir, 'fhir/growth/fields.def'), 'utf8').matchAll(/^FIELD\(\w+, "(\w+)"/gm)].map(([, name]) => name);
  const told = /Its names: ([\s\S]*?)\. What each means/.exec(guide)[1].split(/\s+/).map((word) => word.replaceAll('`', ''));
  assert.deepEqual(told, names);
});
await finish();
if (!process.env.EPLAN_KEEP) fs.rmSync(place, { recursive: true });

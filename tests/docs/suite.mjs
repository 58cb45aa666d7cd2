// suite: timeout=60 needs=build
// Documentation runs: every ```console block of the READMEs is executed, and what it prints is what the page says.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { finish, test } from '../lib/tap.mjs';

const root = process.env.EPLAN_ROOT;
const pages = ['README.md', 'fhir/README.md', 'gateway/README.md', 'mappings/README.md', 'fhir/growth/README.md'];

// [{ command, want }] of one block: a line that begins with "$ " is a command, what follows is its output.
function steps(block) {
  const found = [];
  for (const line of block.split('\n')) {
    if (line.startsWith('$ ')) found.push({ command: line.slice(2), want: [] });
    else found.at(-1)?.want.push(line);
  }
  return found.map(({ command, want }) => ({ command, want: want.join('\n').trimEnd() }));
}

// The author's guide is followed step by step in folders of its own: tests/mapping/suite_guide.mjs.
for (const page of pages.filter((name) => name !== 'mappings/README.md')) {
  const file = path.join(root, page);
  if (!fs.existsSync(file)) continue;
  for (const [, block] of fs.readFileSync(file, 'utf8').matchAll(/^```console\n([\s\S]*?)^```$/gm)) {
    for (const { command, want } of steps(block)) {
      test(`${page}: ${command.slice(0, 60)}`, () => {
        const env = { ...process.env, PATH: `${path.dirname(process.env.EPLAN_BINARY)}:${process.env.PATH}` };
        const ran = spawnSync('bash', ['-c', `${command} 2>&1`], { cwd: root, env, encoding: 'utf8', timeout: 30000 });
        assert.equal(ran.stdout.trimEnd(), want);
      });
    }
  }
}

test('links between pages lead to files', () => {
  for (const page of pages.filter((name) => fs.existsSync(path.join(root, name)))) {
    const text = fs.readFileSync(path.join(root, page), 'utf8');
    for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
      assert.ok(fs.existsSync(path.join(root, path.dirname(page), target)), `${page} links to ${target}`);
    }
  }
});

await finish();

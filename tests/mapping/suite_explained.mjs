#!/usr/bin/env node
// suite: needs=build presets=release,asan-ubsan timeout=120
// EXPLAINED.md of a mapping: what it prints is what the gateway prints, ten cases at least, and the prompts it names exist.
// Family texts in English stay at grade 6 or below; no resource of a teen's plan names medicine, surgery or a category.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { finish, test } from '../lib/tap.mjs';
import { caseNames, eplan, mappings, rootDir } from './mapping.mjs';

for (const folder of mappings()) {
  const file = path.join(rootDir, folder, 'EXPLAINED.md');
  if (!fs.existsSync(file)) continue;
  const page = fs.readFileSync(file, 'utf8');
  const blocks = [...page.matchAll(/^```console\n\$ eplan (preview \S+ \S+)\n([\s\S]*?)^```$/gm)];
  test(`${folder}: ten cases, and no other kind of block`, () => {
    assert.ok(blocks.length >= 10, `${blocks.length}`);
    assert.equal(blocks.length * 2, page.match(/^```/gm).length);
  });
  for (const [, command, printed] of blocks) {
    test(`$ eplan ${command}`, () => {
      const { stdout, stderr } = eplan(command.split(' '));
      assert.equal(stdout + stderr, printed);
    });
  }
  test(`${folder}: the keys that it names exist`, () => {
    const texts = fs.readdirSync(path.join(rootDir, folder, 'texts')).map((name) => fs.readFileSync(path.join(rootDir, folder, 'texts', name), 'utf8')).join('\n');
    for (const [, key] of page.matchAll(/`((?:assess|behaviours|continuity|resources)\.\w+)`/g)) assert.ok(texts.includes(`  ${key}: "`), key);
  });
}

const wordsOf = (text) => text.replace(/\{[^}]*\}|[{}]/g, ' ').split(/[^\p{L}']+/u).filter((word) => word.length > 0);
// Flesch-Kincaid by groups of vowels: rough, but it sees a long sentence of long words.
const grade = (text) => {
  const words = wordsOf(text);
  const sounds = words.reduce((sum, word) => sum + Math.max(1, (word.toLowerCase().replace(/e$/, '').match(/[aeiouy]+/g) ?? []).length), 0);
  const sentences = Math.max(1, (text.match(/[.!?](\s|$)/g) ?? []).length);
  return 0.39 * words.length / sentences + 11.8 * sounds / Math.max(1, words.length) - 15.59;
};
const familyOf = (text) => [...(text.split(/^family:.*$/m)[1] ?? '').matchAll(/^ {2}([\w.]+): "(.*)"$/gm)].map(([, key, value]) => [key, value]);

for (const folder of mappings()) {
  const dir = path.join(rootDir, folder, 'texts');
  const files = fs.readdirSync(dir);
  test(`${folder}: family texts in English at grade 6 or below, taken together`, () => {
    for (const name of files.filter((one) => one.endsWith('.en.yaml'))) {
      const entries = familyOf(fs.readFileSync(path.join(dir, name), 'utf8')).filter(([key]) => key.startsWith('goal.'));
      if (entries.length === 0) continue;
      const got = grade(entries.map(([, value]) => `${value}.`).join(' '));
      assert.ok(got <= 6, `${name}: ${got.toFixed(1)}`);
      for (const [key, value] of entries) assert.ok(wordsOf(value).length <= 16, `${name} ${key}: ${value}`);
    }
  });
}

test('healthy-weight has a hundred cases, and no resource of any names medicine, surgery or a category', () => {
  const names = caseNames('mappings/healthy-weight');
  assert.ok(names.length >= 100, `${names.length}`);
  for (const name of names.filter((one) => /^(teen|small-step-teen|team)/.test(one))) {
    const { status, stdout } = eplan(['preview', 'mappings/healthy-weight', name, '--json']);
    if (status === 0) assert.doesNotMatch(stdout, /surger|medicine beside|obes|overweight|percentil/i, name);
  }
});
await finish();

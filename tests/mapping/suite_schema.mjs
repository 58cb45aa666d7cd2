#!/usr/bin/env node
// suite: needs=build presets=release,asan-ubsan timeout=120
// `eplan schema`, by another maker's validator: every file of the shipped mappings and of the author's guide is valid by the
// schema of its kind, and files with mistakes that `eplan check` tells of as keys or words are not.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import Ajv from 'ajv/dist/2020.js';
import yaml from 'js-yaml';
import { finish, test } from '../lib/tap.mjs';
import { eplan, mappings, rootDir } from './mapping.mjs';

const kinds = [[/^mapping\.yaml$/, 'mapping'], [/^plans\//, 'plan'], [/^parts\//, 'part'], [/^texts\//, 'texts'], [/^concepts\//, 'concepts'], [/^cases\/.*\/case\.yaml$/, 'case']];
const kindOf = (name) => kinds.find(([pattern]) => pattern.test(name))?.[1];
// As YAML 1.2 reads it: dates are texts.
const parse = (text) => yaml.load(text, { schema: yaml.CORE_SCHEMA });

const validators = new Map();
for (const [, kind] of kinds) {
  test(`the schema of ${kind} is a schema`, () => {
    const { status, stdout } = eplan(['schema', kind]);
    assert.equal(status, 0);
    const schema = JSON.parse(stdout);
    assert.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema');
    validators.set(kind, new Ajv({ allErrors: false, strict: true, strictRequired: false, allowUnionTypes: true, strictTypes: false }).compile(schema));
  });
}

const valid = (kind, text) => validators.get(kind)(parse(text));
const why = (kind) => JSON.stringify(validators.get(kind).errors?.slice(0, 5));

for (const folder of mappings()) {
  test(`${folder} is valid by it`, () => {
    let count = 0;
    for (const name of fs.readdirSync(path.join(rootDir, folder), { recursive: true })) {
      const kind = kindOf(name);
      if (!kind || !name.endsWith('.yaml')) continue;
      count++;
      assert.ok(valid(kind, fs.readFileSync(path.join(rootDir, folder, name), 'utf8')), `${name}: ${why(kind)}`);
    }
    assert.ok(count > 5);
  });
}

test('so are the files of the author\'s guide', () => {
  const guide = fs.readFileSync(path.join(rootDir, 'mappings/README.md'), 'utf8');
  const blocks = [...guide.matchAll(/^```yaml file=(\S+)\n([\s\S]*?)^```$/gm)];
  assert.ok(blocks.length > 8);
  for (const [, name, text] of blocks) {
    const kind = kindOf(name.replace(/^\.\.\/[^/]+\//, ''));
    if (!kind) continue; // approvals.yaml is written by a verb
    assert.ok(valid(kind, text), `${name}: ${why(kind)}`);
  }
});

// What a kind of file must not be: a change to a shipped file that makes it invalid.
const folder = path.join(rootDir, 'mappings/healthy-weight');
const first = (sub, pattern = /^/) => path.join(sub, fs.readdirSync(path.join(folder, sub)).sort().find((name) => sub === 'cases' || pattern.test(fs.readFileSync(path.join(folder, sub, name), 'utf8'))));
const wrong = [
  ['mapping.yaml', /^holds:/m, 'hodls:'], ['mapping.yaml', /tell: clinician/, 'tell: clinicians'], ['mapping.yaml', /take: all/, 'take: [all]'], ['mapping.yaml', /^version: .*$/m, ''],
  ['mapping.yaml', /expr: "/, 'epxr: "'], ['mapping.yaml', /^languages:.*$/m, 'languages: { staff: en, family: [en] }'],
  [first('plans'), /^public-id:/m, 'publicid:'], [first('parts', /period: /), /period: /, 'perriod: '], [first('plans', /\$use:/), /\$use:/, '$sue:'], [first('plans'), /^never:.*$/m, 'never: weight-target'],
  [first('parts'), /lifecycleStatus: proposed/, 'lifecycleStatus: suggested'], [first('parts'), /description:/, 'descripton:'], [first('parts'), /text-key/, 'textkey'],
  [first('texts'), /^grade:.*$/m, ''], [first('texts', /^family:/m), /^family:/m, 'familiy:'], [first('texts'), /^reviewed:.*$/m, 'reviewed: nobody'],
  [first('concepts', /status: verified/), /status: verified/, 'status: sure'], [first('concepts', /system:/), /system:/, 'sytem:'],
  [path.join(first('cases'), 'case.yaml'), /^expect:/m, 'expects:'], [path.join(first('cases'), 'case.yaml'), /outcome: [\w-]+/, 'outcome: proposed'], [path.join(first('cases'), 'case.yaml'), /sex:/, 'sexx:'],
];
for (const [name, pattern, into] of wrong) {
  test(`${name} with "${into}" is not valid`, () => {
    const text = fs.readFileSync(path.join(folder, name), 'utf8');
    assert.match(text, pattern);
    assert.ok(!valid(kindOf(name), text.replace(pattern, into)));
  });
}

test('a kind that is none is told of', () => {
  const { status, stderr } = eplan(['schema', 'plans']);
  assert.equal(status, 64);
  assert.match(stderr, /mapping, plan, part, texts, concepts or case/);
});

await finish();

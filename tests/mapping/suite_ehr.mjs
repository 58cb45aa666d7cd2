#!/usr/bin/env node
// suite: needs=build presets=release,asan-ubsan timeout=180
// `eplan preview` of a patient of a configured EHR: nothing but reads is sent, the plan is that of the same record in a file,
// and --diff tells what a write would create, update, withdraw or leave alone.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { admit } from '../lib/children.mjs';
import { writeConfig } from '../lib/daemon.mjs';
import { startTestEhr } from '../lib/ehrs.mjs';
import { rootDir, run, scratch } from '../lib/process.mjs';
import { atEnd, finish, test } from '../lib/tap.mjs';
import { binary } from './mapping.mjs';

const folder = scratch('preview-ehr');
const space = '2d3c1c1e-52f0-4a86-9a3e-0d6f3a1f2b77';
const ehr = await startTestEhr(folder);
atEnd(() => { ehr.client.close(); return ehr.server.stop(); });
const config = await writeConfig(folder, { ehrs: [{ name: 'north', base: ehr.base, 'protects-teens': true }], gateway: { 'identifier-namespace': space } });
const mapping = 'mappings/healthy-weight';
const preview = (...args) => run(binary, ['preview', mapping, ...args, '-c', config, '--ehr', 'north'], { cwd: rootDir });

const admitted = await admit(ehr.client, 'overweight');
const patient = admitted.patient?.id ?? admitted.patient ?? admitted.id;
const all = async (query) => ehr.client.all(query);

// UUIDv5 over namespace, EHR, patient, mapping, plan, item and episode (gateway/plan/dress.c).
function urn(plan, key, episode = 1) {
  const name = ['north', patient, 'healthy-weight', plan, key, String(episode)].join('\n');
  const hash = createHash('sha1').update(Buffer.from(space.replaceAll('-', ''), 'hex')).update(name).digest().subarray(0, 16);
  hash[6] = (hash[6] & 0x0f) | 0x50;
  hash[8] = (hash[8] & 0x3f) | 0x80;
  const hex = hash.toString('hex');
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

let bundle;
test('the plan of a patient is that of the same record in a file', async () => {
  const { code, stdout, stderr } = await preview(patient, '--json');
  assert.equal(code, 0, stderr);
  bundle = JSON.parse(stdout);
  const entry = [];
  for (const query of [`Patient?_id=${patient}`, `Encounter?patient=${patient}`, `Observation?patient=${patient}`, `Condition?patient=${patient}`]) for (const resource of await all(query)) entry.push({ resource });
  const file = path.join(folder, 'record.json');
  fs.writeFileSync(file, JSON.stringify({ resourceType: 'Bundle', type: 'collection', entry }));
  const own = await run(binary, ['preview', mapping, file, '--json'], { cwd: rootDir });
  assert.equal(own.code, 0, own.stderr);
  assert.deepEqual(JSON.parse(own.stdout), bundle);
});
test('--diff: everything is new', async () => {
  const { code, stdout, stderr } = await preview(patient, '--diff');
  assert.equal(code, 1, stderr);
  assert.deepEqual(stdout.trim().split('\n').map((line) => line.split(' ')[0]), bundle.entry.map(() => 'create'));
});
test('--diff: what stands there, untouched, edited, made theirs', async () => {
  const items = (await preview(patient)).stdout.matchAll(/^ {2}(\w+) ([\w.-]+): /gm);
  const keys = [...items].filter(([, type]) => /^[A-Z]/.test(type)).map(([, type, key]) => [type, key]);
  const [, plan] = /^proposal (\S+)/.exec((await preview(patient)).stdout);
  const ids = new Map();
  for (const [i, { fullUrl, resource }] of bundle.entry.entries()) {
    let text = JSON.stringify({ ...resource, identifier: [{ system: 'urn:ietf:rfc:3986', value: urn(plan, keys[i][1]) }] });
    for (const [url, to] of ids) text = text.replaceAll(url, to);
    const { body } = await ehr.client.post(resource.resourceType, JSON.parse(text));
    ids.set(fullUrl, `${resource.resourceType}/${body.id}`);
  }
  const same = await preview(patient, '--diff');
  assert.equal(same.code, 0, same.stdout + same.stderr);
  assert.equal(same.stdout.match(/^unchanged /gm).length, keys.length);

  const goals = keys.filter(([type]) => type === 'Goal').map(([, key]) => key);
  const edit = async (key, change) => {
    const url = ids.get(bundle.entry[keys.findIndex(([, one]) => one === key)].fullUrl);
    const { body } = await ehr.client.get(url);
    await ehr.client.put(url, change(body));
  };
  await edit(goals[0], (goal) => ({ ...goal, description: { text: 'Something else' } }));
  await edit(goals[1], (goal) => ({ ...goal, lifecycleStatus: 'active' }));
  const { code, stdout } = await preview(patient, '--diff');
  assert.equal(code, 1);
  assert.match(stdout, new RegExp(`^update Goal ${goals[0]} .*\\n +Goal\\.description\\.text: "Something else" -> "`, 'm'));
  assert.match(stdout, new RegExp(`^leave alone Goal ${goals[1]} .*a person`, 'm'));
});
test('nothing but reads was sent by it', async () => {
  const before = (await all(`Goal?patient=${patient}`)).length + (await all(`CarePlan?patient=${patient}`)).length;
  await preview(patient, '--diff');
  assert.equal((await all(`Goal?patient=${patient}`)).length + (await all(`CarePlan?patient=${patient}`)).length, before);
});
test('--decision: prompts in words and what falls due, for every outcome; what the EHR keeps is known', async () => {
  const { code, stdout, stderr } = await preview(patient, '--decision');
  assert.equal(code, 0, stderr);
  const decision = JSON.parse(stdout);
  assert.deepEqual([decision.outcome, decision['public-id'], decision.timers, decision.bundle], ['proposal', 'hw-07', [], bundle]);
  assert.deepEqual(decision.prompts[0], { key: 'assess.bp', text: 'Blood pressure today, right cuff size?' });
  const teen = await admit(ehr.client, 'handedOver');
  const kept = JSON.parse((await preview(teen.patient.id, '--decision')).stdout);
  assert.deepEqual([kept.outcome, kept.plan, kept.row.includes('private=yes')], ['proposal', 'team-teen', true]);
  const other = await run(binary, ['preview', mapping, 'young-above', '--decision'], { cwd: rootDir });
  assert.equal(other.code, 1, other.stderr);
  const told = JSON.parse(other.stdout);
  assert.deepEqual([told.outcome, told.reason, 'bundle' in told], ['hand-over', 'no-template', false]);
  assert.ok(told.prompts.length > 0 && told.prompts.every(({ text }) => text.length > 0));
});
test('a patient that is not there; an EHR that is not configured; no EHR for --diff', async () => {
  assert.equal((await preview('nobody')).code, 2);
  assert.equal((await run(binary, ['preview', mapping, patient, '-c', config, '--ehr', 'south'], { cwd: rootDir })).code, 2);
  assert.equal((await run(binary, ['preview', mapping, 'overweight-7y-ready', '--diff'], { cwd: rootDir })).code, 64);
});
await finish();

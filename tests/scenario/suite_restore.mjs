// suite: timeout=180 needs=build presets=release,asan-ubsan
// A store put back from a backup, and an EHR that moved: what was open is looked up before it is sent, and nothing is doubled.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { admit, goalsOf, plansOf } from '../lib/children.mjs';
import { eplan, refusedStart, settled, startDaemon, subscribed, verified, writeConfig } from '../lib/daemon.mjs';
import { startTestEhr } from '../lib/ehrs.mjs';
import { scratch, until } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';

const folder = scratch('restore');
const ehr = await startTestEhr(folder);
const config = await writeConfig(folder, { ehrs: [{ base: ehr.base }] });
const backup = path.join(folder, 'backup.db');
let daemon = await startDaemon(folder, config);
let child;

const inState = (patient, state) => until(`the visit to be ${state}`, async () => (await daemon.show(patient)).evaluations?.[0]?.state === state);

test('a backup from before the writes is put back: each is found in the EHR, none is made twice', async () => {
  await subscribed(ehr);
  assert.equal((await eplan(config, 'stop-writes')).code, 0);
  child = (await admit(ehr.client, 'overweight')).patient.id;
  await inState(child, 'planned');
  assert.equal((await eplan(config, 'backup', backup)).code, 0);
  assert.equal((await eplan(config, 'resume-writes')).code, 0);
  await inState(child, 'done');
  const goals = (await goalsOf(ehr.client, child)).length;
  const running = await eplan(config, 'restore', backup);
  assert.deepEqual([running.code, /the gateway runs: stop it first/.test(running.stderr)], [75, true]);
  await daemon.stop();
  const { code, stdout } = await eplan(config, 'restore', backup);
  assert.equal(code, 0);
  assert.match(stdout, /each write that was open is looked up in its EHR before it is sent\n$/);
  assert.ok(fs.existsSync(path.join(folder, 'state/store-replaced.db')));
  daemon = await startDaemon(folder, config);
  assert.equal((await daemon.show(child)).evaluations[0].state, 'planned');
  assert.equal((await eplan(config, 'resume-writes')).code, 0);
  await inState(child, 'done');
  assert.equal((await plansOf(ehr.client, child)).length, 1);
  assert.equal((await goalsOf(ehr.client, child)).length, goals);
  await verified(config);
});

test('what is no backup, a damaged one, and one of another environment are refused, and the store is left alone', async () => {
  await daemon.stop();
  const other = path.join(folder, 'other.db');
  fs.writeFileSync(other, 'not a database at all, though it is a file of some length'.repeat(40));
  const damaged = path.join(folder, 'damaged.db');
  fs.copyFileSync(backup, damaged);
  const fd = fs.openSync(damaged, 'r+');
  fs.writeSync(fd, Buffer.alloc(8192, 0x55), 0, 8192, 4096);
  fs.closeSync(fd);
  for (const [file, said] of [[other, /is no backup|not a database/], [damaged, /damaged|malformed|no backup/], [path.join(folder, 'none.db'), /unable to open/]]) {
    const ran = await eplan(config, 'restore', file);
    assert.equal(ran.code, 2, ran.stdout);
    assert.match(ran.stderr, said);
  }
  const text = fs.readFileSync(config, 'utf8');
  fs.writeFileSync(config, text.replace('environment: "test"', 'environment: "other"'));
  const ran = await eplan(config, 'restore', backup);
  fs.writeFileSync(config, text);
  assert.match(ran.stderr, /is a backup of another environment/);
  await verified(config);
});

test('an EHR under another URL is refused until rebase says that it is the same', async () => {
  const file = path.join(folder, 'ehrs.d/north.yaml');
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replaceAll('https://127.0.0.1:', 'https://localhost:'));
  const url = ehr.base.replace('127.0.0.1', 'localhost');
  const refused = await refusedStart(config);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /this store knows the EHR "north" under another URL than https:\/\/localhost/);
  assert.match(refused.stderr, /say so with `eplan rebase`/);
  const unknown = await eplan(config, 'rebase', '--ehr', 'nowhere', url);
  assert.deepEqual([unknown.code, unknown.stderr], [1, 'eplan: the store knows no EHR "nowhere"\n']);
  assert.equal((await eplan(config, 'rebase', '--ehr', 'north', 'localhost')).code, 64);
  const { code, stdout } = await eplan(config, 'rebase', '--ehr', 'north', url);
  assert.equal(code, 0);
  assert.match(stdout, /^north is known under https:\/\/localhost:\d+\/fhir from the next start; 0 open writes/);
  daemon = await startDaemon(folder, config);
  await settled(daemon);
  assert.equal((await eplan(config, 'replay', '--patient', child, '--ehr', 'north', '--state', 'done')).code, 0);
  await until('the visit to be evaluated again', async () => (await daemon.show(child)).evaluations.length === 2);
  await inState(child, 'done');
  assert.equal((await plansOf(ehr.client, child)).length, 1);
  await verified(config);
});

await finish();

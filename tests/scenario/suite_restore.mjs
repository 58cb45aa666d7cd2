// suite: timeout=180 needs=build presets=release,asan-ubsan
// A store put back from a backup, and an EHR that moved: what was open is looked up before it is sent, and nothing is doubled.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { admit, goalsOf, plansOf } from '../lib/children.mjs';
import { eplan, notify, refusedStart, settled, startDaemon, subscribed, verified, writeConfig } from '../lib/daemon.mjs';
import { startTestEhr } from '../lib/ehrs.mjs';
import { scratch, until } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';

const folder = scratch('restore');
let ehr = await startTestEhr(folder);
const config = await writeConfig(folder, { ehrs: [{ base: ehr.base }] });
const backup = path.join(folder, 'backup.db');
let daemon = await startDaemon(folder, config);
let child;

const inState = (patient, state) => until(`the visit to be ${state}`, async () => (await daemon.show(patient)).evaluations?.[0]?.state === state);

// What `eplan status --json` says of the looking up.
const reconciliation = async () => (await daemon.status()).ehrs[0].reconciliation;
const reconciled = () => until('all that was open to be looked up', async () => {
  const told = await reconciliation();
  return told && !told.on && told;
});
const logged = () => fs.readFileSync(daemon.log, 'utf8').split('\n').filter((line) => line.includes('"event":"reconciled"')).length;

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
  assert.match(stdout, /nothing is written to an EHR before all that was open was looked up there; `eplan status` says how far it is\n$/);
  assert.ok(fs.existsSync(path.join(folder, 'state/store-replaced.db')));
  const stopped = await eplan(config, 'status');
  assert.match(stopped.stdout, new RegExp(`^  reconciling: 0 of ${goals + 1} looked up, after restore .*; nothing is written before the last$`, 'm'));
  daemon = await startDaemon(folder, config);
  const told = await reconciled();
  assert.deepEqual([told.after, told['looked-up'], told.of, told.written, told['not-found'], told.held], ['restore', goals + 1, goals + 1, goals + 1, 0, 0]);
  assert.equal(logged(), 1);
  assert.equal((await daemon.show(child)).evaluations[0].state, 'planned'); // writes were stopped when it was made
  assert.equal((await eplan(config, 'resume-writes')).code, 0);
  await inState(child, 'done');
  assert.equal((await plansOf(ehr.client, child)).length, 1);
  assert.equal((await goalsOf(ehr.client, child)).length, goals);
  await verified(config);
});

test('a backup older than an edit, a deletion and a whole plan is put back: the report says what stands otherwise', async () => {
  const [plan] = await plansOf(ehr.client, child);
  const [goal] = await goalsOf(ehr.client, child);
  const older = path.join(folder, 'older.db');
  assert.equal((await eplan(config, 'backup', older)).code, 0);
  const { patient: { id: later }, weight } = await admit(ehr.client, 'overweight');
  assert.equal((await notify(daemon, { body: weight })).status, 200);
  await until('the later child to have its plan', async () => (await plansOf(ehr.client, later)).length === 1);
  await settled(daemon, 'north', { evaluations: 2 });
  const goals = (await goalsOf(ehr.client, later)).length;
  await daemon.stop();
  await ehr.client.put(`CarePlan/${plan.id}`, { ...plan, description: 'As the family wishes.' });
  await ehr.client.delete(`Goal/${goal.id}`);
  assert.equal((await eplan(config, 'restore', older)).code, 0);
  daemon = await startDaemon(folder, config);
  const told = await reconciled();
  const left = (await goalsOf(ehr.client, child)).filter((one) => one.id !== goal.id).length;
  assert.deepEqual([told.changed, told['not-found'], told['as-left'], told.held], [1, 1, left, 0]);
  assert.match((await eplan(config, 'status')).stdout, new RegExp(`^  reconciled: ${left + 2} looked up, after restore .*\\n  found +${left} as we left them, 1 changed, 0 written since, 1 not found, 0 held$`, 'm'));
  assert.equal(logged(), 2);
  // The later child's measurement comes in again, and its plan is found.
  assert.equal((await notify(daemon, { body: weight })).status, 200);
  await until('the later child to be known again', async () => (await daemon.show(later)).evaluations?.[0]?.state === 'done');
  assert.equal((await plansOf(ehr.client, later)).length, 1);
  assert.equal((await goalsOf(ehr.client, later)).length, goals);
  assert.equal((await plansOf(ehr.client, child))[0].description, 'As the family wishes.');
  await verified(config);
});

test('while its EHR is down nothing is looked up, nothing is written, and what comes in is received and waits', async () => {
  await daemon.stop();
  await ehr.server.stop();
  assert.equal((await eplan(config, 'restore', backup)).code, 0);
  daemon = await startDaemon(folder, config);
  assert.equal((await eplan(config, 'resume-writes')).code, 0);
  const told = await reconciliation();
  assert.deepEqual([told.on, told['looked-up']], [true, 0]);
  ehr = await startTestEhr(folder, ['--no-auth', '--port', String(ehr.port)]);
  await reconciled();
  await inState(child, 'done');
  assert.equal((await plansOf(ehr.client, child)).length, 1);
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
  assert.match(stdout, /^north is known under https:\/\/localhost:\d+\/fhir from the next start; nothing is written there before all that was open \(0 writes, and drafts\) was looked up/);
  daemon = await startDaemon(folder, config);
  await settled(daemon);
  const told = await reconciled();
  assert.deepEqual([told.after, told.held], ['rebase', 0]);
  assert.equal((await eplan(config, 'replay', '--patient', child, '--ehr', 'north', '--state', 'done')).code, 0);
  await until('the visit to be evaluated again', async () => (await daemon.show(child)).evaluations.length === 2);
  await inState(child, 'done');
  assert.equal((await plansOf(ehr.client, child)).length, 1);
  await verified(config);
});

await finish();

// suite: timeout=240 needs=build presets=release,asan-ubsan
// A disk that takes nothing more, and one that is slow: input is refused, what was accepted is kept, and it goes on by itself.
// The disk is the file-size limit of the process (setrlimit(2)), which others may move while it runs: a write beyond it fails.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { admit, encounterOf, make, measurementOf, patientOf, plansOf } from '../lib/children.mjs';
import { binary, eplan, secrets, settled, startDaemon, verified, writeConfig } from '../lib/daemon.mjs';
import { startTestEhr } from '../lib/ehrs.mjs';
import { run, scratch, until } from '../lib/process.mjs';
import { finish, skip, test } from '../lib/tap.mjs';

const poll = { interval: '300ms', overlap: '20s', queries: ['Observation?category=vital-signs'] };
const planned = (ehr, patient) => until('the plan', async () => (await plansOf(ehr.client, patient)).length === 1, 30_000);
const post = (daemon, body) => daemon.client(`${secrets.engine}-north`).post('fhir/north/Observation', body);

async function limit(daemon, bytes) {
  const { code, stderr } = await run('prlimit', ['--pid', String(daemon.facts.pid), `--fsize=${bytes}:`]);
  assert.equal(code, 0, stderr);
}

// A child that the EHR knows and has told nobody of.
async function unheard(client) {
  const patient = await make(client, patientOf('overweight'));
  const encounter = await make(client, encounterOf(patient.id));
  return { patient, encounter };
}

test('full: 503 with Retry-After, one alarm, polls keep their mark; with room again all goes on, and nothing is lost or doubled', async () => {
  const folder = scratch('full');
  const ehr = await startTestEhr(folder);
  const config = await writeConfig(folder, { ehrs: [{ base: ehr.base, subscriptions: [], poll }] });
  const daemon = await startDaemon(folder, config);
  const before = (await admit(ehr.client, 'overweight')).patient.id;
  await planned(ehr, before);
  await settled(daemon);
  const direct = await unheard(ehr.client);
  const weight = measurementOf('weight', direct.patient.id, direct.encounter.id, 28.5);
  await limit(daemon, 4096); // the log of the daemon is beyond that as well
  const refused = await until('input to be refused', async () => { const answer = await post(daemon, { ...weight, id: 'w-full' }); return answer.status === 503 && answer; });
  assert.match(refused.headers['retry-after'], /^[1-9]\d*$/);
  assert.match((await eplan(config, 'status')).stdout, /THE STORE CANNOT COMMIT/);
  const polled = (await admit(ehr.client, 'obesity1')).patient.id; // found by the poll only
  const mark = (await daemon.status()).ehrs[0].watermark;
  await until('some polls to have failed', async () => { for (let i = 0; i < 4; i += 1) await post(daemon, { ...weight, id: `w-${i}` }); return true; });
  assert.equal((await daemon.status()).ehrs[0].watermark, mark);
  assert.ok(daemon.isRunning());
  assert.deepEqual(await plansOf(ehr.client, polled), []);
  await limit(daemon, 'unlimited');
  await until('the alarm to be over', async () => !(await daemon.status())['store-failing']);
  await planned(ehr, polled);
  for (const what of [['weight', 28.5], ['height', 124]]) await make(ehr.client, measurementOf(what[0], direct.patient.id, direct.encounter.id, what[1]));
  await planned(ehr, direct.patient.id);
  await settled(daemon, 'north', { evaluations: 3 });
  for (const patient of [before, polled, direct.patient.id]) assert.equal((await plansOf(ehr.client, patient)).length, 1);
  await daemon.stop();
  await verified(config);
});

test('the alarm is raised once and cleared once', async () => {
  const folder = scratch('alarm');
  const ehr = await startTestEhr(folder);
  const config = await writeConfig(folder, { ehrs: [{ base: ehr.base, subscriptions: [], poll }] });
  const daemon = await startDaemon(folder, config);
  const { patient, encounter } = await unheard(ehr.client);
  const body = (id) => measurementOf('weight', patient.id, encounter.id, 28.5, { id });
  for (let i = 0; daemon.lines('message-stored').length < 40; i += 1) assert.ok((await post(daemon, body(`w${i}`))).status < 300);
  // Beyond the log of the daemon, below the end of what is written next to the store.
  const log = () => fs.statSync(daemon.log).size;
  const wal = () => fs.statSync(path.join(folder, 'state/store.db-wal')).size;
  for (let i = 1000; wal() < log() + 100_000; i += 1) await post(daemon, body(`w${i}`));
  await limit(daemon, wal());
  await until('the alarm', async () => { await post(daemon, body('again')).catch(() => {}); return daemon.lines('store-failing').length === 1; });
  for (let i = 0; i < 10; i += 1) assert.equal((await post(daemon, body(`refused-${i}`))).status, 503);
  await limit(daemon, 'unlimited');
  await until('the all-clear', () => daemon.lines('store-well').length === 1);
  assert.ok((await post(daemon, body('taken'))).status < 300);
  assert.deepEqual([daemon.lines('store-failing').length, daemon.lines('store-well').length, daemon.lines('claim-failed').length], [1, 1, 0]);
  assert.match(daemon.lines('store-failing')[0].do, /make room/);
  await daemon.stop();
  await verified(config);
});

test('a store that cannot be written at all: it does not start, and says why', async () => {
  const folder = scratch('read-only');
  const ehr = await startTestEhr(folder);
  const config = await writeConfig(folder, { ehrs: [{ base: ehr.base, subscriptions: [], poll }] });
  const daemon = await startDaemon(folder, config);
  await daemon.stop();
  const state = path.join(folder, 'state');
  fs.chmodSync(path.join(state, 'store.db'), 0o400);
  const { code, stderr } = await run(binary, ['run', '-c', config]);
  fs.chmodSync(path.join(state, 'store.db'), 0o600);
  assert.equal(code, 2);
  assert.match(stderr, /Permission denied \[store-open\]/);
  await verified(config);
});

// Only a test build can be told to be slow.
const seams = (await run(binary, ['run', '-c', '/nonexistent'], { env: { EPLAN_FAILPOINTS: 'no plan' } })).stderr.includes('is not a plan');
const slow = 'a slow disk: every commit takes a third of a second, and every child is planned once';
if (!seams) skip(slow, 'a release has no seams');
else {
  test(slow, async () => {
    const folder = scratch('slow');
    const ehr = await startTestEhr(folder);
    const config = await writeConfig(folder, { ehrs: [{ base: ehr.base, subscriptions: [], poll }] });
    const daemon = await startDaemon(folder, config, { env: { EPLAN_FAILPOINTS: 'store.before-commit=delay:300' } });
    const children = await Promise.all(Array.from({ length: 4 }, () => admit(ehr.client, 'overweight')));
    for (const { patient } of children) await until('the plan', async () => (await plansOf(ehr.client, patient.id)).length === 1, 60_000);
    assert.equal(daemon.lines('store-failing').length, 0);
    await daemon.stop();
    await verified(config);
  });
}

test('retention runs in the daemon, as often as it is told, and removes ended visits only', async () => {
  const folder = scratch('retention');
  const ehr = await startTestEhr(folder);
  const config = await writeConfig(folder, { ehrs: [{ base: ehr.base, subscriptions: [], poll: { ...poll, interval: '0s' } }], gateway: { retention: { done: '1s', 'handed-over': '1s', every: '1s' } } });
  const daemon = await startDaemon(folder, config);
  const admitted = {};
  for (const kind of ['overweight', 'held']) {
    const { patient, weight, height } = await admit(ehr.client, kind);
    admitted[kind] = patient.id;
    for (const body of [weight, height]) assert.ok((await post(daemon, body)).status < 300);
  }
  await until('the ended visit to be removed', async () => {
    const { ehrs: [north] } = await daemon.status();
    const { done = 0, held = 0 } = north.evaluations ?? {};
    return done === 0 && held === 1 && daemon.lines('retention-removed').length > 0;
  });
  const { items } = await daemon.show(admitted.overweight); // what stands in the EHR stays known
  assert.ok(items.some(({ resource, life }) => resource === 'CarePlan' && life === 'draft'));
  assert.equal((await daemon.show(admitted.held)).evaluations[0].state, 'held');
  await verified(config);
});

await finish();

// suite: timeout=180 needs=build presets=asan-ubsan
// A mapping's timer over days, a kill and a restart: the visit is evaluated again on the day with the facts of that day, and
// a person is told, once, unless the mapping says that there is nothing to wait for any more. Needs the seams.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { eplan, verified } from '../lib/daemon.mjs';
import { startWorld } from '../faults/world.mjs';
import { rootDir, scratch, until } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';

const day = 86_400;
const folder = scratch('timer');
const shift = path.join(folder, 'shift');
const mapping = path.join(folder, 'mapping');
fs.cpSync(path.join(rootDir, 'mappings/healthy-weight'), mapping, { recursive: true, filter: (from) => path.basename(from) !== 'cases' });
fs.appendFileSync(path.join(mapping, 'mapping.yaml'), `
timers: # nobody wrote down that they came back
  - { id: recall, from: "%visit.date", wait: 10 days, unless: "%conditions.where(clinicalStatus.coding.code = 'resolved').exists()", make: recall-call }
`);
fs.writeFileSync(shift, '0');
const world = await startWorld('timer-world', { profile: 'hapi', gateway: { mappings: mapping }, env: { EPLAN_CLOCK_FILE: shift } });

const latest = async (id) => (await world.daemon.show(id)).evaluations[0];
async function at(days) {
  fs.writeFileSync(shift, String(days * day));
  await world.daemon.stop('SIGKILL');
  await world.start();
}
const evaluated = (id, times) => until(`evaluation ${times} of ${id} to end`, async () => {
  const { evaluations } = await world.daemon.show(id);
  return evaluations.length === times && ['done', 'handed-over'].includes(evaluations[0].state) && evaluations[0];
});

test('a plan is written, and nothing waits for a person', async () => {
  for (const id of ['waits', 'came-back', 'charted']) {
    await world.admit(id);
    assert.deepEqual((await world.ended(id)).map(({ state }) => state).filter((state) => state !== 'done'), []);
  }
  assert.match((await eplan(world.config, 'status', '--open')).stdout, /0 visits? waits?/);
});

test('before the day nothing happens', async () => {
  await world.ehr.put({ resourceType: 'Condition', id: 'came-back-condition', subject: { reference: 'Patient/came-back' }, clinicalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'resolved' }] }, code: { text: 'made up' } });
  // Its plan would have one goal more now; but nobody was seen.
  await world.ehr.put({ resourceType: 'Condition', id: 'charted-condition', subject: { reference: 'Patient/charted' }, clinicalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }] }, code: { coding: [{ system: 'http://snomed.info/sct', code: '733423003' }] } });
  await at(8);
  const counts = await Promise.all(['waits', 'came-back'].map(async (id) => (await world.daemon.show(id)).evaluations.length));
  assert.equal((await latest('waits')).state, 'done');
  assert.deepEqual(counts, [1, 1]);
});

test('on the day the visit is evaluated again, and handed over with what is to be done', async () => {
  await at(11);
  const waits = await evaluated('waits', 2);
  assert.deepEqual([waits.state, waits.reason, waits.detail], ['handed-over', 'timer', 'recall-call']);
  assert.match((await eplan(world.config, 'status', '--open')).stdout, /recall-call/);
});

test('where the mapping says that it is needless, nobody is told', async () => {
  const cameBack = await evaluated('came-back', 2);
  assert.deepEqual([cameBack.state, cameBack.reason], ['done', 'unchanged']);
});

test('it rings once, over another kill, and writes nothing', async () => {
  const charted = await evaluated('charted', 2);
  assert.deepEqual([charted.state, charted.reason, charted.changes ?? []], ['handed-over', 'timer', []]);
  assert.deepEqual(['charted', 'waits'].map((id) => ['Goal', 'ServiceRequest'].map((type) => world.ehr.commits(type, id).length)), [[5, 0], [5, 0]]);
  await at(30);
  await until('the gateway to have looked', async () => (await world.daemon.status()).ehrs[0].condition === 'well');
  for (const id of ['waits', 'came-back', 'charted']) {
    assert.equal((await world.daemon.show(id)).evaluations.length, 2, id);
    assert.equal(world.ehr.commits('CarePlan', id).length, 1, id);
  }
  await verified(world.config);
});

test('who did what was asked drops it, and the list is empty', async () => {
  for (const id of ['waits', 'charted']) assert.equal((await eplan(world.config, 'drop', '--patient', id, '--state', 'handed-over', '--reason', 'called, they come on Monday')).code, 0);
  assert.match((await eplan(world.config, 'status', '--open')).stdout, /0 visits? waits?/);
  await verified(world.config);
});

await finish();

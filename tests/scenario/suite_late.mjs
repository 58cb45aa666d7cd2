// suite: timeout=240 needs=build presets=release,asan-ubsan
// A write whose turn comes when its lease would no longer outlast it: it is not sent, and tried again.
import assert from 'node:assert/strict';
import { admit, goalsOf, plansOf } from '../lib/children.mjs';
import { settled, startDaemon, subscribed, writeConfig } from '../lib/daemon.mjs';
import { startTestEhr } from '../lib/ehrs.mjs';
import { scratch } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';

// A lease of 1.4 s beyond the write's deadline, and, after the first few, a turn every two seconds.
test('writes that wait for the budget longer than their lease allows leave later, and once', async () => {
  const folder = scratch('late');
  const ehr = await startTestEhr(folder);
  const config = await writeConfig(folder, {
    gateway: { lease: '1s' },
    ehrs: [{
      base: ehr.base,
      deadline: { connect: '200ms', read: '200ms', write: '200ms' },
      budget: { 'requests-per-minute': 100000, 'writes-per-minute': 30, parallel: 8 },
      retry: { first: '50ms', most: '200ms', tries: 200 },
    }],
  });
  const daemon = await startDaemon(folder, config);
  await subscribed(ehr);
  const children = [await admit(ehr.client, 'overweight'), await admit(ehr.client, 'obesity1')];
  await settled(daemon, 'north', { evaluations: 2, ms: 120_000 });
  const attempts = daemon.lines('attempted');
  const outcomes = new Set(attempts.map(({ outcome }) => outcome));
  assert.deepEqual([...outcomes].sort(), ['delivered', 'scheduled'], JSON.stringify([...outcomes]));
  for (const { outcome, status } of attempts) assert.ok(outcome !== 'scheduled' || !status, 'nothing was sent when it was put off');
  for (const { patient } of children) {
    const plans = await plansOf(ehr.client, patient.id);
    const goals = await goalsOf(ehr.client, patient.id);
    assert.equal(plans.length, 1);
    const wanted = plans[0].goal.map(({ reference }) => reference).sort();
    assert.deepEqual(goals.map(({ id }) => `Goal/${id}`).sort(), wanted);
    for (const { resourceType, id } of [...plans, ...goals]) assert.equal((await ehr.client.all(`${resourceType}/${id}/_history`)).length, 1, 'written once');
  }
}, { timeout: 180_000 });

await finish();

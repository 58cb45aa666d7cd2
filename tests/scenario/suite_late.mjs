// suite: timeout=240 needs=build presets=release,asan-ubsan
// A write whose turn comes when its lease would no longer outlast it: it is not sent, and tried again.
import assert from 'node:assert/strict';
import { admit, goalsOf, plansOf } from '../lib/children.mjs';
import { settled, startDaemon, subscribed, writeConfig } from '../lib/daemon.mjs';
import { startTestEhr } from '../lib/ehrs.mjs';
import { scratch } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';

// Each claim lasts 5 s (lease, two reads and a write), so that a write may begin in the first 3; after the first few there
// is a turn every 4.
test('writes that wait for the budget longer than their lease allows leave later, and once', async () => {
  const folder = scratch('late');
  const ehr = await startTestEhr(folder);
  const config = await writeConfig(folder, {
    gateway: { lease: '1s' },
    ehrs: [{
      base: ehr.base,
      deadline: { connect: '1s', read: '1s', write: '2s' },
      budget: { 'requests-per-minute': 100000, 'writes-per-minute': 15, parallel: 8 },
      retry: { first: '50ms', most: '200ms', tries: 200 },
    }],
  });
  const daemon = await startDaemon(folder, config);
  await subscribed(ehr);
  const { patient } = await admit(ehr.client, 'overweight');
  await settled(daemon, 'north', { ms: 150_000 });
  const attempts = daemon.lines('attempted');
  const outcomes = new Set(attempts.map(({ outcome }) => outcome));
  assert.deepEqual([...outcomes].sort(), ['delivered', 'scheduled'], JSON.stringify([...outcomes]));
  for (const { outcome, status } of attempts) assert.ok(outcome !== 'scheduled' || !status, 'nothing was sent when it was put off');
  const plans = await plansOf(ehr.client, patient.id);
  const goals = await goalsOf(ehr.client, patient.id);
  assert.equal(plans.length, 1);
  assert.deepEqual(goals.map(({ id }) => `Goal/${id}`).sort(), plans[0].goal.map(({ reference }) => reference).sort());
  for (const { resourceType, id } of [...plans, ...goals]) assert.equal((await ehr.client.all(`${resourceType}/${id}/_history`)).length, 1, 'written once');
  // A claim that was lost while its write waited would show as a try of unknown outcome.
  const { evaluations: [way] } = await daemon.show(daemon.lines('message-stored')[0].message);
  assert.deepEqual([...new Set(way.attempts.map(({ outcome }) => outcome))].sort(), ['delivered', 'scheduled']);
}, { timeout: 180_000 });

await finish();

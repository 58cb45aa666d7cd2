// suite: timeout=180 needs=build presets=asan-ubsan
// A visit that takes the process with it each time it is evaluated: after as many tries as allowed it is held with its
// input, and the gateway lives. FAULTS 23. Needs the seams.
import assert from 'node:assert/strict';
import { until } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';
import { startWorld } from './world.mjs';

const retry = { first: '50ms', most: '100ms', tries: 3 };

test('a visit that kills the process is held after its tries; its message stays', async () => {
  const world = await startWorld('poison', { ehr: { retry }, gateway: { lease: '1s' }, env: { EPLAN_FAILPOINTS: 'evaluation.before=kill' } });
  await world.admit('poison');
  let deaths = 0;
  const held = () => world.daemon.output().includes('"reason":"tries-exhausted"');
  for (; deaths < 10; deaths += 1) {
    let over;
    world.daemon.ended.then((end) => { over = end; });
    await until('its death, or the end of the visit', () => over || held());
    if (!over) break;
    assert.equal(over.signal, 'SIGKILL');
    await world.start();
  }
  assert.equal(deaths, retry.tries);
  const [one] = await world.ended('poison');
  assert.deepEqual([one.state, one.reason], ['held', 'tries-exhausted']);
  const { ehrs: [{ messages }] } = await world.daemon.status();
  assert.deepEqual(messages, { held: 2 });
  // Without the fault another child's visit is planned as ever, by the same gateway.
  await world.daemon.stop();
  await world.start({ EPLAN_FAILPOINTS: '' });
  await world.admit('well');
  assert.equal((await world.ended('well')).find(({ reason }) => reason !== 'coalesced').state, 'done');
});

test('a visit for which there is never memory is held after its tries, and does not spin', async () => {
  const world = await startWorld('memory', { ehr: { retry }, env: { EPLAN_FAILPOINTS: 'evaluation.before=fail' } });
  await world.admit('large');
  const [one] = await world.ended('large');
  assert.deepEqual([one.state, one.reason], ['held', 'tries-exhausted']);
});

await finish();

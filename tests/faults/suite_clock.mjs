// suite: timeout=180 needs=build presets=asan-ubsan
// The machine's clock steps while children come in and writes wait: each child has its plan once. What was due by the earlier
// time waits until that time comes round again, as rows hold UTC. FAULTS 13. Needs the seams.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { scratch, until } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';
import { scriptOf, startWorld } from './world.mjs';

const lost = scriptOf(`({ type, method, n }) => (type === 'CarePlan' && method === 'POST' && n === 1 ? { do: 'hang-up', commit: true } : undefined)`);

for (const [name, seconds] of [['ten minutes forward', 600], ['ten minutes back', -600]]) {
  test(`the clock steps ${name} between children, with answers lost on the way: each has one plan`, async () => {
    const file = path.join(scratch('clock'), 'shift');
    fs.writeFileSync(file, '0');
    const world = await startWorld('clock', { profile: 'hapi', script: lost, env: { EPLAN_CLOCK_FILE: file } });
    await world.admit('before');
    fs.writeFileSync(file, String(seconds));
    await world.admit('after');
    if (seconds < 0) {
      await until('the child that came in after it', async () => (await world.daemon.show('after')).evaluations?.length > 0);
      fs.writeFileSync(file, '0'); // it is set right
    }
    for (const child of ['before', 'after']) {
      const one = (await world.ended(child, 50_000)).find(({ reason }) => reason !== 'coalesced');
      assert.deepEqual([one.state, one.reason], ['done', 'delivered'], child);
      assert.deepEqual([world.ehr.sent('CarePlan', child).length, world.ehr.commits('CarePlan', child).length], [1, 1], child);
    }
  });
}

await finish();

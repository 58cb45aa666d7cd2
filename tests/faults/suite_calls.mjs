// suite: timeout=840 needs=build presets=release serial
// A seeded sample of the calls that `tests/fault --only calls --all` makes fail: allocations, writes, sends, SQL statements of
// a whole visit, in the gateway as it is released. As many as fit into the time; EPLAN_SEED repeats a sample.
import assert from 'node:assert/strict';
import { finish, skip, test } from '../lib/tap.mjs';
import { backends } from './backends.mjs';
import { drawn, randomOf } from './episode.mjs';
import { sections } from './points.mjs';

const seed = Number(process.env.EPLAN_SEED ?? 83019825); // the same points each time; ./tests/fault strikes others
const secondsMost = 45;
const kinds = ['alloc', 'write', 'full', 'send', 'sql'];

for (const backend of await backends()) {
  if (backend.name !== 'sqlite') { // with SQL failing there, a visit takes longer than an ordinary run has
    skip(`${backend.name}: a sample of calls fails`, 'on demand only: ./tests/fault --only calls');
    continue;
  }
  test(`${backend.name}: a sample of calls fails, seed ${seed}: each child ends as if nothing had been, or is held for its fetch`, async () => {
    const end = Date.now() + secondsMost * 1000;
    const all = drawn(await sections.calls.find(backend), randomOf(seed));
    const chosen = [...kinds.map((kind) => all.find((name) => name.startsWith(kind))), ...all]; // each kind at least once
    let tried = 0;
    for (const point of chosen) {
      if (tried >= kinds.length && Date.now() > end) break;
      const { wrong } = await sections.calls.strike(point, backend);
      assert.deepEqual(wrong, [], point);
      tried += 1;
    }
    assert.deepEqual((await sections.calls.close()).flatMap(({ wrong }) => wrong), []);
    process.stdout.write(`# ${tried} of ${all.length} points tried\n`);
  }, { timeout: 400_000 });
}

await finish();

// suite: timeout=330 needs=build presets=release,asan-ubsan serial
// A seeded sample of what `tests/fault --all` tries: under a build with seams the failpoints, else the syscalls. As many
// points as fit into the time; EPLAN_SEED repeats a sample. Every regression that has a name is tried each time.
import assert from 'node:assert/strict';
import { finish, skip, test } from '../lib/tap.mjs';
import { backends } from './backends.mjs';
import { drawn, randomOf } from './episode.mjs';
import { ptraceIsAllowed, sections } from './points.mjs';

const seed = Number(process.env.EPLAN_SEED ?? Math.floor(Math.random() * 2 ** 31));
const seams = process.env.EPLAN_PRESET === 'asan-ubsan';
const secondsMost = 100;
// Points that once went wrong.
const regressions = seams ? ['client.after-send=kill@1', 'store.after-commit=kill@1', 'server.before-reply=kill@1'] : [];

if (!seams && !(await ptraceIsAllowed())) skip('a sample of syscalls', 'ptrace is not allowed here');
else {
  for (const backend of await backends()) {
    test(`${backend.name}: killed at a sample of ${seams ? 'failpoints' : 'syscalls'}, seed ${seed}: nothing is lost, doubled or overwritten`, async () => {
      const section = sections[seams ? 'failpoints' : 'syscalls'];
      const all = await section.find(backend);
      const chosen = [...regressions, ...drawn(all, randomOf(seed)).filter((name) => !regressions.includes(name))];
      const end = Date.now() + secondsMost * 1000;
      let tried = 0;
      for (const point of chosen) {
        if (tried >= regressions.length + 4 && Date.now() > end) break;
        const { wrong } = await section.strike(point, backend);
        assert.deepEqual(wrong, [], point);
        tried += 1;
      }
      process.stdout.write(`# ${tried} of ${all.length} points tried\n`);
      assert.ok(tried >= 4);
    }, { timeout: 300_000 });
  }
}

await finish();

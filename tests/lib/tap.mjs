// Tests that print TAP:
//   import { test, finish } from '../lib/tap.mjs';
//   test('what must hold', async () => { assert.equal(…); });
//   await finish();
import { inspect } from 'node:util';

const ceilingMs = 60_000;
const queue = [];

export function test(name, run, { timeout = ceilingMs } = {}) {
  queue.push({ name, run, timeout });
}

export function skip(name, reason) {
  queue.push({ name, reason });
}

function withCeiling(promise, ms) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`not done after ${ms} ms`)), ms); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const last = [];
// What must hold when all tests are done, whatever they were about: a test behind the last one, before anything is closed.
export const atLast = (name, run) => last.push({ name, run, timeout: ceilingMs });

const closers = [];
// What must be undone when all tests are done, in reverse order.
export const atEnd = (close) => closers.push(close);

// For programs that are no suite; finish() does it for suites.
export async function closeAll() {
  for (const close of closers.reverse()) await close();
}

// Tests may add to either list.
function* all() {
  yield* queue;
  yield* last;
}

// The last line of every suite: runs what was given to test() and prints the plan. A suite that fails before it gets
// here prints no plan, which the runner counts as a failure.
export async function finish() {
  let failed = 0;
  let count = 0;
  const say = (line) => process.stdout.write(line + '\n');
  for (const { name, run, reason, timeout } of all()) {
    count += 1;
    const label = `${count} - ${name.replaceAll('#', '\\#')}`;
    if (reason) {
      say(`ok ${label} # SKIP ${reason}`);
      continue;
    }
    try {
      await withCeiling(Promise.resolve().then(run), timeout);
      say(`ok ${label}`);
    } catch (error) {
      failed += 1;
      say(`not ok ${label}`);
      say(inspect(error, { depth: 6 }).replace(/^/gm, '#   '));
    }
  }
  say(`1..${count}`);
  await closeAll();
  process.exit(failed ? 1 : 0);
}

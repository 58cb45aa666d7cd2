// suite: timeout=400 needs=build presets=release serial
// The daemon is killed with SIGKILL at 50 random moments while 200 children come in: each child ends once, as it should.
// EPLAN_SEED=N repeats a run. The moments are drawn over what is to be done, so that no part of it is spared: each kill
// waits for a number of messages stored or writes made since the last start, and then for a fraction of a second.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { encounterOf, kinds, make, measurementOf, patientOf, everyChildEnded } from '../lib/children.mjs';
import { startDaemon, subscribed, writeConfig } from '../lib/daemon.mjs';
import { startTestEhr } from '../lib/ehrs.mjs';
import { scratch, until } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';

const seed = Number(process.env.EPLAN_SEED ?? Math.floor(Math.random() * 2 ** 31));
const kills = 50;
const cohort = { overweight: 80, obesity1: 80, held: 20, handedOver: 10, healthy: 10 };

// mulberry32: small, seeded, good enough to draw moments.
let state = seed;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

const folder = scratch('kill');
const ehr = await startTestEhr(folder);
const config = await writeConfig(folder, {
  ehrs: [{
    base: ehr.base, poll: { interval: '1s', overlap: '30s', queries: ['Observation?category=vital-signs'] },
    settle: { wait: '200ms', most: '1s' }, 'subscription-check': '1s', 'unknown-settle': '50ms', budget: { 'requests-per-minute': 1000000, 'writes-per-minute': 1000000, parallel: 8 },
    retry: { first: '50ms', most: '500ms', tries: 1000 },
  }],
  gateway: { lease: '1s' },
});

const children = [];
async function admitCohort() {
  const order = Object.entries(cohort).flatMap(([kind, count]) => Array(count).fill(kind));
  for (let i = order.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  for (const kind of order) {
    await until('the next moment to admit a child', () => children.length < 200 * (killed + 4) / kills);
    const patient = await make(ehr.client, patientOf(kind, { given: `Child${children.length}` }));
    const encounter = await make(ehr.client, encounterOf(patient.id));
    await make(ehr.client, measurementOf('weight', patient.id, encounter.id, kinds[kind].weight));
    await make(ehr.client, measurementOf('height', patient.id, encounter.id, kinds[kind].height));
    children.push({ kind, id: patient.id });
  }
}

let killed = 0;
let daemon;

async function killing() {
  const events = ['message-stored', 'evaluated', 'attempted'];
  while (killed < kills) {
    const event = events[Math.floor(random() * events.length)];
    const wanted = 1 + Math.floor(random() * 6);
    const end = Date.now() + 1500; // not every moment comes: then this one is as good
    await until('a moment to kill at', () => daemon.lines(event).length >= wanted || Date.now() > end);
    await new Promise((resolve) => { setTimeout(resolve, random() * 60); });
    await daemon.stop('SIGKILL');
    killed += 1;
    daemon = await startDaemon(folder, config);
  }
}

test(`200 children, 50 kills, seed ${seed}: every child ends once, as it should`, async () => {
  daemon = await startDaemon(folder, config);
  await subscribed(ehr);
  await Promise.all([admitCohort(), killing()]);
  assert.equal(killed, kills);
  await everyChildEnded(ehr.client, children, (id) => daemon.show(id));
  const { ehrs: [one] } = await daemon.status();
  assert.equal(one.messages.done + one.messages.held + one.messages['handed-over'] + one.messages.dropped, 400, JSON.stringify(one.messages));
}, { timeout: 330_000 });

test('the last stop is a clean one', async () => {
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
  assert.ok(!fs.existsSync(`${folder}/gateway.ready`));
});

await finish();

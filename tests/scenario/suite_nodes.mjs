// suite: timeout=400 needs=build presets=release serial
// Three gateways share one store in PostgreSQL. They are killed with SIGKILL and paused with SIGSTOP for longer than a
// lease, at random moments, while 60 children come in: each child ends once, as it should. EPLAN_SEED=N repeats a run.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { encounterOf, kinds, make, measurementOf, patientOf, everyChildEnded } from '../lib/children.mjs';
import { startDaemon, writeConfig } from '../lib/daemon.mjs';
import { startTestEhr } from '../lib/ehrs.mjs';
import { startPostgres } from '../lib/postgres.mjs';
import { scratch, until } from '../lib/process.mjs';
import { finish, skip, test } from '../lib/tap.mjs';

const seed = Number(process.env.EPLAN_SEED ?? Math.floor(Math.random() * 2 ** 31));
const nodeCount = 3;
const kills = 18;
const pauses = 6;
const pauseMs = 6000; // a change's lease is 4 s here: two reads, a write and the gateway's own second
const cohort = { overweight: 24, obesity1: 24, held: 5, handedOver: 4, healthy: 3 };
const total = Object.values(cohort).reduce((sum, count) => sum + count, 0);

// mulberry32: small, seeded, good enough to draw moments.
let state = seed;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

const folder = scratch('nodes');
const postgres = await startPostgres(folder);

async function scenario() {
  const ehr = await startTestEhr(folder);
  const nodes = [];
  for (let i = 0; i < nodeCount; i += 1) {
    const home = path.join(folder, `node${i}`);
    fs.mkdirSync(home);
    const config = await writeConfig(home, {
      ehrs: [{
        base: ehr.base, subscriptions: [], poll: { interval: '1s', overlap: '30s', queries: ['Observation?category=vital-signs'] },
        settle: { wait: '200ms', most: '1s' }, 'unknown-settle': '200ms',
        deadline: { connect: '1s', read: '1s', write: '1s' },
        budget: { 'requests-per-minute': 1000000, 'writes-per-minute': 1000000, parallel: 8 },
        retry: { first: '50ms', most: '500ms', tries: 1000 },
      }],
      gateway: { lease: '1s', store: postgres.url },
    });
    nodes.push({ home, config, daemon: await startDaemon(home, config) });
  }

  const harmed = { killed: 0, paused: 0 };
  const children = [];
  const admitCohort = async () => {
    const order = Object.entries(cohort).flatMap(([kind, count]) => Array(count).fill(kind));
    for (let i = order.length - 1; i > 0; i -= 1) {
      const j = Math.floor(random() * (i + 1));
      [order[i], order[j]] = [order[j], order[i]];
    }
    for (const kind of order) {
      await until('the next moment to admit a child', () => children.length <= total * (harmed.killed + harmed.paused + 2) / (kills + pauses), 60_000);
      const patient = await make(ehr.client, patientOf(kind, { given: `Child${children.length}` }));
      const encounter = await make(ehr.client, encounterOf(patient.id));
      await make(ehr.client, measurementOf('weight', patient.id, encounter.id, kinds[kind].weight));
      await make(ehr.client, measurementOf('height', patient.id, encounter.id, kinds[kind].height));
      children.push({ kind, id: patient.id });
    }
  };
  // Each harm waits for something that the node did, so that no part of the work is spared.
  const harm = async () => {
    const events = ['message-stored', 'evaluated', 'attempted'];
    const under = new Set();
    let waiting = [];
    while (harmed.killed < kills || harmed.paused < pauses) {
      const free = nodes.filter((node) => !under.has(node));
      if (free.length < 2) { // one always works
        await Promise.race(waiting);
        continue;
      }
      const node = free[Math.floor(random() * free.length)];
      const event = events[Math.floor(random() * events.length)];
      const wanted = node.daemon.lines(event).length + 1 + Math.floor(random() * 3);
      const end = Date.now() + 1500; // not every moment comes: then this one is as good
      await until('a moment', () => node.daemon.lines(event).length >= wanted || Date.now() > end);
      await pause(random() * 60);
      under.add(node);
      const pauseIt = harmed.paused < pauses && (harmed.killed >= kills || random() < pauses / (kills + pauses));
      harmed[pauseIt ? 'paused' : 'killed'] += 1;
      const healed = (async () => {
        if (pauseIt) {
          node.daemon.signal('SIGSTOP');
          await pause(pauseMs);
          node.daemon.signal('SIGCONT');
        } else {
          await node.daemon.stop('SIGKILL');
          node.daemon = await startDaemon(node.home, node.config);
        }
        under.delete(node);
      })();
      waiting = [...waiting.filter((one) => !one.over), healed];
      healed.finally(() => { healed.over = true; });
    }
    await Promise.all(waiting);
  };
  await Promise.all([admitCohort(), harm()]);

  await everyChildEnded(ehr.client, children, (id) => nodes[0].daemon.show(id));

  // Every node took part, and no claim is left.
  const workers = Number(await postgres.query("SELECT count(DISTINCT owner) FROM eplan.writer")); // the test EHR needs no single writer
  assert.equal(workers, 0);
  await until('no claim to be left', async () => await postgres.query('SELECT (SELECT count(*) FROM eplan.evaluation WHERE fence <> 0) + (SELECT count(*) FROM eplan.outbox WHERE state <= 4)') === '0', 30_000);
  const done = nodes.map((node) => fs.readFileSync(node.daemon.log, 'utf8').split('\n').filter((line) => line.includes('"event":"attempted"')).length);
  console.log(`# seed ${seed}: ${harmed.killed} kills, ${harmed.paused} pauses, writes by node: ${done.join(', ')}`);
  assert.ok(done.every((writes) => writes > 0), `${done}`);
  for (const node of nodes) assert.deepEqual(await node.daemon.stop(), { code: 0, signal: null });
}

const name = `${total} children, ${nodeCount} gateways on one PostgreSQL, ${kills} kills and ${pauses} pauses, seed ${seed}: every child ends once`;
if (postgres.missing) skip(name, postgres.missing);
else test(name, scenario, { timeout: 330_000 });

await finish();

// From a visit's vitals to its plan in the EHR, against a bare libcurl client that makes the same calls:
//   ./tests/bench delivery  [--children N] [--drain N] [--backend sqlite]
// The EHR is the test EHR on this machine; `settle` is 0. What the gateway asks and writes for one child is recorded once
// against the scripted EHR; bench_bare_delivery.c repeats just that for children of its own.
//   overhead   one child at a time: from the 202 to the CarePlan read back, less the median of the bare calls
//   rate       all at once, eight connections each
//   drain      messages that came in while the EHR was down: memory, and requests a minute within the budget
// Overhead and rate are of nine pairs, ours and bare in turn, with the spread of the pairs; above 30 % is inconclusive.
// Exit status: 1 when a wanted figure is missed.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { direct, startWorld } from '../faults/world.mjs';
import { admit } from '../lib/children.mjs';
import { eplan, secrets, startDaemon, writeConfig } from '../lib/daemon.mjs';
import { startTestEhr } from '../lib/ehrs.mjs';
import { certificates, run, scratch, until } from '../lib/process.mjs';

const { values: options } = parseArgs({ options: { children: { type: 'string', default: '63' }, many: { type: 'string', default: '540' }, drain: { type: 'string', default: '300' } } });
const PAIRS = 9;
const CHILDREN = Math.ceil(Number(options.children) / PAIRS); // of a pair
const MANY = Math.ceil(Number(options.many) / PAIRS);
const DRAIN = Number(options.drain);
const PARALLEL = 8;
const wanted = { rate: 0.85, memoryMiB: 64 };
const settings = { ...direct, settle: { wait: '0s', most: '0s' }, budget: { 'requests-per-minute': 1000000, 'writes-per-minute': 1000000, parallel: PARALLEL }, retry: { first: '100ms', most: '1s', tries: 1000 } };

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const p95 = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length * 0.95)];
const ms = (value) => `${value.toFixed(2)} ms`;
let missed = 0;
function judge(text, good) {
  if (!good) missed += 1;
  process.stdout.write(`${text}${good ? '' : '   MISSED'}\n`);
}

// What the disk takes for a durable write of a page, in the same run.
function fdatasyncMs(folder) {
  const fd = fs.openSync(path.join(folder, 'sync'), 'w');
  const page = Buffer.alloc(4096, 1);
  const times = [];
  for (let i = 0; i < 51; i += 1) {
    const start = performance.now();
    fs.writeSync(fd, page);
    fs.fdatasyncSync(fd);
    times.push(performance.now() - start);
  }
  fs.closeSync(fd);
  return median(times);
}

// What is asked and written for one child called `template`; each create is followed by its read.
async function record() {
  const world = await startWorld('record', { profile: 'hapi', ehr: { settle: settings.settle } });
  const { weight, height } = await world.admit('template', 'overweight', { post: false });
  await world.daemon.client(`${secrets.engine}-north`).post('fhir/north', bundle([weight, height]));
  await world.ended('template');
  const truth = world.ehr.truth();
  await world.daemon.stop();
  await world.ehr.server.stop();
  const created = new Set(truth.filter(({ event, op }) => event === 'commit' && op === 'create').map(({ type, id }) => `/fhir/${type}/${id}`));
  const calls = truth.filter(({ event, url }) => event === 'request' && url.startsWith('/fhir/') && !url.endsWith('/metadata') && !created.has(url));
  return calls.flatMap(({ method, url, body, headers }) => {
    const call = { method, url: url.slice('/fhir'.length), body, condition: headers['if-none-exist'] ?? '-' };
    return method === 'POST' ? [call, { method: 'GET', url: 'LOCATION', body: '', condition: '-' }] : [call];
  });
}

const bundle = (resources) => ({ resourceType: 'Bundle', type: 'collection', entry: resources.map((resource) => ({ resource })) });

// -> { patient, encounter, weight, height }
const chart = (client, given) => admit(client, 'overweight', { given });
const measuredOf = ({ weight, height }) => [weight, height];

function requestsOf(calls, base, charts) {
  return charts.map((child) => {
    const fresh = new Map();
    const change = (text) => text.replaceAll('template-visit', child.encounter.id).replaceAll('template-weight', child.weight.id).replaceAll('template-height', child.height.id).replaceAll('template', child.patient.id).replace(/urn(:|%3A)uuid(:|%3A)([0-9a-f-]{36})/g, (_, a, b, id) => {
      if (!fresh.has(id)) fresh.set(id, crypto.randomUUID());
      return `urn${a}uuid${b}${fresh.get(id)}`;
    });
    return `child\n${calls.map(({ method, url, body, condition }) => {
      const text = change(body ?? '');
      return `${method} ${url === 'LOCATION' ? url : base + change(url)} ${Buffer.byteLength(text)} ${change(condition)}\n${text}\n`;
    }).join('')}`;
  }).join('');
}

async function bare(folder, ehr, calls, names, parallel) {
  const { file } = await certificates();
  const charts = [];
  for (const name of names) charts.push(await chart(ehr.client, name));
  const requests = path.join(folder, 'requests');
  fs.writeFileSync(requests, requestsOf(calls, ehr.base, charts));
  const { code, stdout, stderr } = await run(path.join(process.env.EPLAN_BUILD, 'benches/bench_bare_delivery'), [file('ca.crt'), requests, String(parallel)]);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const rssMiB = (pid) => Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
// When CarePlans were read back, by the gateway's own log; ms since 1970. Only what is new of the log is read: looking must
// not cost what is measured.
function writtenIn(daemon) {
  const fd = fs.openSync(daemon.log, 'r');
  const chunk = Buffer.alloc(1 << 20);
  const times = [];
  let [at, rest] = [0, ''];
  return () => {
    for (let count; (count = fs.readSync(fd, chunk, 0, chunk.length, at)) > 0;) {
      at += count;
      const lines = (rest + chunk.toString('latin1', 0, count)).split('\n');
      rest = lines.pop();
      for (const line of lines) {
        if (!line.includes('"event":"attempted"') || !line.includes('"CarePlan"')) continue;
        const { time, outcome } = JSON.parse(line);
        if (outcome === 'delivered') times.push(Date.parse(time));
      }
    }
    return times;
  };
}

// The middle of some pairs, and how far they lie apart.
function middle(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return { value: median(values), spread: (sorted.at(-2) - sorted[1]) / Math.abs(median(values)) };
}
const spreadText = (spread) => `spread ${(100 * spread).toFixed(0)} %${spread > 0.3 ? ', inconclusive' : ''}`;

// As a client sees it, and as the gateway tells it of itself (the metric's quantile is of the last 1024 plans).
async function visible(config, took) {
  const { stdout } = await eplan(config, 'metrics');
  const [, told] = /^eplan_ehr_received_to_visible_seconds\{ehr="north",quantile="0.95"\} (\S+)$/m.exec(stdout) ?? [];
  judge(`vitals received to plan visible: p95 ${ms(p95(took))} one at a time; eplan_ehr_received_to_visible_seconds, all so far: ${ms(1000 * Number(told))}`, told !== undefined);
}

async function main() {
  const folder = scratch('bench-delivery');
  const calls = await record();
  const ehr = await startTestEhr(folder);
  const config = await writeConfig(folder, { ehrs: [{ base: ehr.base, ...settings }] });
  const daemon = await startDaemon(folder, config);
  const client = daemon.client(`${secrets.engine}-north`);
  await until('the capability statement', async () => (await daemon.status()).ehrs[0].condition === 'well');
  const posted = async (child) => { const { status } = await client.post('fhir/north', bundle(measuredOf(child))); if (status !== 202) throw new Error(`HTTP ${status}`); return Date.now(); };

  // As an interface engine sends: on connections that stay, as many as the bare client has.
  const postAll = async (charts) => {
    const left = [...charts];
    const sender = async () => { while (left.length > 0) await posted(left.shift()); };
    await Promise.all(Array.from({ length: PARALLEL }, sender));
  };
  const written = writtenIn(daemon);
  const requests = async () => (await daemon.status()).ehrs[0].requests;

  // one at a time
  const [took, each, over] = [[], [], []];
  const asked = await requests();
  for (let pair = 0; pair < PAIRS; pair += 1) {
    const ours = [];
    for (let i = 0; i < CHILDREN; i += 1) {
      const done = written().length;
      const accepted = await posted(await chart(ehr.client, `one-${pair}-${i}`));
      await until('its plan', () => written().length > done);
      ours.push(written()[done] - accepted);
    }
    const alone = await bare(folder, ehr, calls, Array.from({ length: CHILDREN }, (_, i) => `bare-one-${pair}-${i}`), 1);
    const theirs = alone.each_us.map((us) => us / 1000);
    took.push(...ours);
    each.push(...theirs);
    over.push(median(ours) - median(theirs));
  }
  const sync = fdatasyncMs(folder);
  const most = 3 + 5 * sync;
  const perChild = ((await requests()) - asked) / (PAIRS * CHILDREN);
  process.stdout.write(`bare median ${ms(median(each))}; fdatasync median ${ms(sync)}\n`);
  judge(`calls for a child: ours ${perChild.toFixed(1)}, bare ${calls.length}`, Math.abs(perChild - calls.length) < 0.5);
  judge(`overhead: median ${ms(median(over))} (accepted to written ${ms(median(took))}; pairs ${over.map((value) => value.toFixed(1)).join(' ')}); wanted at most ${ms(most)}`, median(over) <= most);

  // all at once
  const ratios = [];
  const rates = { ours: [], theirs: [] };
  for (let pair = 0; pair < PAIRS; pair += 1) {
    const many = Array.from({ length: MANY }, (_, i) => `many-${pair}-${i}`);
    const charts = [];
    for (const name of many) charts.push(await chart(ehr.client, name));
    const before = written().length;
    const start = Date.now();
    await postAll(charts);
    await until('all plans', () => written().length >= before + MANY, 600_000);
    const ours = MANY / ((written().at(-1) - start) / 1000);
    const { children, seconds } = await bare(folder, ehr, calls, many.map((name) => `bare-${name}`), PARALLEL);
    rates.ours.push(ours);
    rates.theirs.push(children / seconds);
    ratios.push(ours / (children / seconds));
  }
  const { value: ratio, spread } = middle(ratios);
  judge(`rate: ${median(rates.ours).toFixed(1)} children a second, bare ${median(rates.theirs).toFixed(1)}: ${(100 * ratio).toFixed(0)} % (${spreadText(spread)}); wanted ${100 * wanted.rate} %`, ratio >= wanted.rate);
  await visible(config, took);

  // after an outage
  const late = [];
  for (let i = 0; i < DRAIN; i += 1) late.push(await chart(ehr.client, `late-${i}`));
  const requestsBefore = await requests();
  await ehr.server.stop();
  for (const child of late) await posted(child);
  const waiting = rssMiB(daemon.facts.pid);
  const already = written().length;
  const again = await startTestEhr(folder, ['--no-auth', '--port', String(ehr.port)]);
  const [from, samples] = [Date.now(), [waiting]];
  await until('the drain', () => { samples.push(rssMiB(daemon.facts.pid)); return written().length >= already + DRAIN; }, 3_600_000);
  const minutes = Math.max(1, (Date.now() - from) / 60_000);
  const perMinute = ((await requests()) - requestsBefore) / minutes;
  judge(`drain: ${DRAIN} messages in ${((Date.now() - from) / 1000).toFixed(1)} s; memory ${waiting.toFixed(1)} MiB with all waiting, at most ${Math.max(...samples).toFixed(1)} MiB; wanted at most ${wanted.memoryMiB} MiB`, Math.max(...samples) <= wanted.memoryMiB);
  judge(`requests in a minute: ${Math.round(perMinute)}, of ${settings.budget['requests-per-minute']} allowed`, perMinute <= settings.budget['requests-per-minute']);
  await daemon.stop();
  await again.server.stop();
}

await main();
process.exitCode = missed > 0 ? 1 : 0;

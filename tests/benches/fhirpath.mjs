// FHIRPath against the engines that people use today, in one run on one machine: ./tests/bench fhirpath
//   --pairs N           interleaved pairs per ratio (9)
//   --milliseconds N    length of one measurement (30)
//   --only TEXT         expressions whose name contains TEXT
//   --own               the project's own data even where ../shared is there
// A ratio is the peer's time divided by ours, both measured in turn; printed is the median of the pairs and their spread
// (the middle half of the ratios, as part of the median). Above 30 % the word is "inconclusive". Before an expression is
// measured, our values are compared with the peers'. Exit status: 1 when a wanted ratio is missed.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { rootDir, scratch } from '../lib/process.mjs';
import { benchData } from './fhirpath_data.mjs';

const { values: options } = parseArgs({
  options: {
    pairs: { type: 'string', default: '9' },
    milliseconds: { type: 'string', default: '30' },
    only: { type: 'string', default: '' },
    own: { type: 'boolean', default: false },
  },
});
const PAIRS = Number(options.pairs);
const MILLISECONDS = Number(options.milliseconds);
const WANTED = { fhirpath: 25, fastest: 10, jobFhirpath: 20, jobFastest: 8, compile: 1 };
const SPREAD_MOST = 0.3;

const folder = options.own ? '' : path.join(rootDir, '../shared/fhirpath/bench');
process.env.EPLAN_BENCH_DATA = folder;
const data = benchData(folder);

class Engine {
  constructor(name, command, args) {
    this.name = name;
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.child.on('error', (error) => { this.fault = error; });
    this.child.stdin.on('error', () => {}); // the child is gone: reading its answer tells
    this.lines = readline.createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  async ask(request) {
    this.child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`${this.name} ended`, { cause: this.fault });
    const answer = JSON.parse(value);
    if (answer.error) throw new Error(`${this.name}: ${answer.error}`);
    return answer;
  }

  end() {
    this.child.stdin.end();
  }
}

const here = path.dirname(new URL(import.meta.url).pathname);
const peer = (name) => new Engine(name, process.execPath, [path.join(here, 'fhirpath_peer.mjs'), name]);

const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

function summary(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (part) => sorted[Math.round(part * (sorted.length - 1))];
  const middle = median(numbers);
  return { median: middle, spread: (at(0.75) - at(0.25)) / middle };
}

// All engines in turn, in an order that moves on by one each time. -> { name: [nanoseconds of each pair] }
async function measure(engines, request) {
  const run = { do: 'run', milliseconds: MILLISECONDS, ...request };
  const times = Object.fromEntries(engines.map((engine) => [engine.name, []]));
  for (const engine of engines) await engine.ask({ ...run, milliseconds: 3 * MILLISECONDS });
  for (let pair = 0; pair < PAIRS; pair++) {
    for (let i = 0; i < engines.length; i++) {
      const engine = engines[(i + pair) % engines.length];
      times[engine.name].push((await engine.ask(run)).nanoseconds);
    }
  }
  return times;
}

const microseconds = (numbers) => {
  const value = median(numbers) / 1000;
  return value < 100 ? value.toPrecision(3) : String(Math.round(value));
};

const notes = new Set();
let missed = 0;
let doubtful = 0;

function verdict({ median: ratio, spread }, wanted) {
  if (spread > SPREAD_MOST) {
    doubtful++;
    return 'inconclusive';
  }
  if (ratio >= wanted) return 'yes';
  missed++;
  return 'NO';
}

const cells = (widths, texts) => texts.map((text, i) => (i === 0 ? String(text).padEnd(widths[i]) : String(text).padStart(widths[i]))).join('  ');
const percent = (spread) => `${Math.round(spread * 100)} %`;
const times = (value) => `${value < 10 ? value.toFixed(1) : Math.round(value)}x`;

// One line: the times, the ratio to fhirpath.js, the ratio to the faster peer.
function report(label, measured, ours, wantedFirst, wantedFastest) {
  const peers = Object.keys(measured).filter((name) => name !== ours);
  const ratios = Object.fromEntries(peers.map((name) => [name, summary(measured[name].map((time, i) => time / measured[ours][i]))]));
  const fastest = peers.reduce((a, b) => (ratios[a].median <= ratios[b].median ? a : b));
  const parts = [label, ...Object.values(measured).map(microseconds)];
  if (wantedFirst !== null) {
    const first = ratios['fhirpath.js'];
    parts.push(times(first.median), percent(first.spread), `>=${wantedFirst} ${verdict(first, wantedFirst)}`);
  }
  parts.push(times(ratios[fastest].median), percent(ratios[fastest].spread), `>=${wantedFastest} ${verdict(ratios[fastest], wantedFastest)}`);
  console.log(cells([26, ...Object.keys(measured).map(() => 9), ...Array(6).fill(9)], parts));
}

function head(title, names, hasFirst) {
  console.log(`\n${title}`);
  const columns = hasFirst ? ['to fhirpath', 'spread', 'wanted', 'to fastest', 'spread', 'wanted'] : ['to fastest', 'spread', 'wanted'];
  console.log(cells([26, ...names.map(() => 9), ...columns.map(() => 9)], ['microseconds', ...names, ...columns]));
}

// JSON numbers lose their zeros in JavaScript: 22.50 of ours is 22.5 of theirs.
const plain = (value) => JSON.parse(JSON.stringify(value ?? []));

// What we give, some peer must give too; a peer that gives something else is told of, and still measured.
async function compareValues(engines, request, what) {
  const values = new Map();
  for (const engine of engines) values.set(engine.name, plain((await engine.ask({ do: 'value', ...request })).value));
  const agrees = (name) => isDeepStrictEqual(values.get(name), values.get('eplan'));
  const peers = engines.map((engine) => engine.name).filter((name) => name !== 'eplan');
  assert.ok(peers.some(agrees), `${what}: no peer gives ${JSON.stringify(values.get('eplan'))} as eplan does`);
  for (const name of peers.filter((peerName) => !agrees(peerName))) {
    notes.add(`${what}: ${name} gives ${JSON.stringify(values.get(name)).slice(0, 200)}, eplan ${JSON.stringify(values.get('eplan')).slice(0, 200)}`);
  }
}

// How many times longer we take for the larger Bundle, both measured in turn.
async function growthOf(name, largeFirst) {
  const time = async (bundle) => {
    const request = { do: 'run', task: 'evaluate', document: bundle.name, expression: name, milliseconds: MILLISECONDS };
    return (await ours.ask(request)).nanoseconds;
  };
  const [small, large] = data.bundles;
  if (largeFirst) return (await time(large)) / (await time(small));
  const first = await time(small);
  return (await time(large)) / first;
}

const ours = new Engine('eplan', path.join(process.env.EPLAN_BUILD, 'benches/bench_fhirpath'), []);
const evaluators = [peer('fhirpath.js'), peer('@medplum/core'), ours];
const mappers = [...evaluators.slice(0, 2), peer('jsonata'), peer('fumifier'), ours];
try {
  const files = scratch('bench-fhirpath');
  for (const [i, bundle] of data.bundles.entries()) {
    bundle.file = path.join(files, `bundle-${i}.json`);
    fs.writeFileSync(bundle.file, bundle.text);
    for (const engine of mappers) await engine.ask({ do: 'document', name: bundle.name, file: bundle.file });
  }
  console.log(`${os.cpus().length} x ${os.cpus()[0].model}, node ${process.version}, ${data.origin}, ${PAIRS} pairs of ${MILLISECONDS} ms`);

  const chosen = data.expressions.filter((expression) => expression.name.includes(options.only));
  for (const expression of chosen) {
    for (const engine of evaluators) await engine.ask({ do: 'expression', ...expression });
  }
  for (const bundle of data.bundles) {
    head(`Evaluate, compiled beforehand, ${bundle.name} (${bundle.text.length} bytes)`, evaluators.map((engine) => engine.name), true);
    for (const { name } of chosen) {
      const request = { task: 'evaluate', document: bundle.name, expression: name };
      await compareValues(evaluators, request, name);
      const measured = await measure(evaluators, request);
      report(name, measured, 'eplan', WANTED.fhirpath, WANTED.fastest);
    }
  }
  // What is looked through grows as the Observations do; the bytes of child, clinician and visit do not.
  const observations = data.bundles.map((bundle) => JSON.parse(bundle.text).entry.filter((entry) => entry.resource.resourceType === 'Observation').length);
  const input = observations[1] / observations[0];
  console.log(`\nGrowth of our time from the smaller to the larger Bundle (${observations.join(' and ')} Observations; wanted: at most ${times(input)})`);
  for (const { name } of chosen) {
    const factors = [];
    for (let pair = 0; pair < PAIRS; pair++) factors.push(await growthOf(name, pair % 2 === 1));
    const growth = summary(factors);
    console.log(cells([26, 9, 9, 9], [name, times(growth.median), percent(growth.spread), verdict({ median: -growth.median, spread: growth.spread }, -input)]));
  }

  head('Compile, warm', evaluators.map((engine) => engine.name), false);
  for (const { name } of chosen) {
    const measured = await measure(evaluators, { task: 'compile', document: data.bundles[0].name, expression: name });
    report(name, measured, 'eplan', null, WANTED.compile);
  }

  if (options.only === '') {
    for (const engine of mappers) await engine.ask({ do: 'job', fields: data.fields, template: data.template });
    head('Whole job: bytes of a Bundle in, bytes of a CarePlan out', mappers.map((engine) => engine.name), true);
    for (const bundle of data.bundles) {
      const request = { task: 'job', document: bundle.name };
      await compareValues(mappers, request, 'whole job');
      report(bundle.name, await measure(mappers, request), 'eplan', WANTED.jobFhirpath, WANTED.jobFastest);
    }
  }
  for (const note of notes) console.log(`\n${note}`);
  console.log(`\n${missed} wanted ratios missed, ${doubtful} inconclusive`);
} finally {
  for (const engine of mappers) engine.end();
}
process.exitCode = missed > 0 ? 1 : 0;

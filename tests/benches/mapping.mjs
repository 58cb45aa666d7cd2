// One child through the shipped mapping, from facts in memory to the plan's JSON: ./tests/bench mapping
//   --pairs N           interleaved pairs per ratio (9)
//   --milliseconds N    length of one measurement (200)
//   --rounds N          evaluations for the memory line (1000000)
// Three peers make the same plan in the same run: mapping_peer.mjs says how, and the Bundle that each makes is compared
// with ours, word for word. What they are given ready-made, and we compute in our time: growth (they get the numbers that
// we print), the choice of the facts, days computed from the visit's, and the search for words that no plan may say in
// what a child brings; a code is looked for in a Set for them. All compile the mapping before anything is measured, ours
// to values where no child changes them; nobody keeps anything from one evaluation to the next, and nobody validates the
// result. Times are processor time: others may use the machine. Printed too: memory around a million evaluations, check
// of the whole folder, test of all its cases. Exit status: 1 when a wanted figure is missed.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { parseArgs } from 'node:util';
import { rootDir } from '../lib/process.mjs';

const { values: options } = parseArgs({ options: { pairs: { type: 'string', default: '9' }, milliseconds: { type: 'string', default: '200' }, rounds: { type: 'string', default: '1000000' } } });
const PAIRS = Number(options.pairs);
const SPREAD_MOST = 0.2; // interquartile range by median; a noisier ratio is no finding
const WANTED = { ratio: 15, growthKilobytes: 0, check: 150, test: 1000 };
const CASE = 'overweight-7y-ready';
const PLAN = 'overweight-child-ready';
const folder = path.join(rootDir, 'mappings/healthy-weight');
const here = path.dirname(new URL(import.meta.url).pathname);

class Engine {
  constructor(name, program, args) {
    this.name = name;
    this.child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.child.on('error', (error) => { this.fault = error; });
    this.lines = readline.createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  async ask(line) {
    this.child.stdin.write(`${line}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`${this.name} ended`, { cause: this.fault });
    const answer = JSON.parse(value);
    if (answer.error) throw new Error(`${this.name}: ${answer.error}`);
    return answer;
  }

  async time() {
    return (await this.ask(`run ${options.milliseconds}`)).nanoseconds;
  }

  end() {
    this.child.stdin.end();
  }
}

const sorted = (list) => [...list].sort((a, b) => a - b);
const at = (list, part) => sorted(list)[Math.round(part * (list.length - 1))];
const median = (list) => at(list, 0.5);
const spread = (list) => (at(list, 0.75) - at(list, 0.25)) / median(list);
const percent = (value) => `${Math.round(value * 100)} %`;

let missed = 0;
function verdict(good) {
  if (!good) missed++;
  return good ? 'yes' : 'NO';
}

async function measure(engines) {
  const times = Object.fromEntries(engines.map(({ name }) => [name, []]));
  for (const engine of engines) for (let i = 0; i < 5; i++) await engine.time(); // warm
  for (let pair = 0; pair < PAIRS; pair++) {
    for (let i = 0; i < engines.length; i++) {
      const engine = engines[(i + pair) % engines.length];
      times[engine.name].push(await engine.time());
    }
  }
  return times;
}

function report(times) {
  let fastest;
  for (const [name, list] of Object.entries(times)) {
    const ratios = list.map((time, i) => time / times.eplan[i]);
    const line = `${name.padEnd(14)} ${(median(list) / 1000).toFixed(1).padStart(9)} us`;
    if (name === 'eplan') {
      console.log(`${line}, spread ${percent(spread(list))}`);
      continue;
    }
    console.log(`${line}, ${median(ratios).toFixed(1)} times ours, spread ${percent(spread(ratios))}`);
    if (!fastest || median(ratios) < fastest.ratio) fastest = { name, ratio: median(ratios), spread: spread(ratios) };
  }
  const found = fastest.spread > SPREAD_MOST && at(times[fastest.name].map((time, i) => time / times.eplan[i]), 0) < WANTED.ratio ? 'inconclusive' : verdict(fastest.ratio >= WANTED.ratio);
  console.log(`the fastest peer is ${fastest.name}: ${fastest.ratio.toFixed(1)} times our time; wanted >= ${WANTED.ratio}: ${found}`);
}

const ours = new Engine('eplan', path.join(process.env.EPLAN_BUILD, 'benches/bench_mapping'), [folder, CASE]);
const peers = ['fhirpath.js', '@medplum/core', 'fumifier'].map((name) => new Engine(name, process.execPath, [path.join(here, 'mapping_peer.mjs'), name, folder, PLAN]));
try {
  const input = await ours.ask('input');
  const plan = await ours.ask('value');
  for (const peer of peers) {
    await peer.ask(`input ${JSON.stringify(input)}`);
    assert.deepEqual(await peer.ask('value'), plan, `${peer.name} makes another plan`);
  }
  console.log(`${os.cpus().length} x ${os.cpus()[0].model}, node ${process.version}, ${PAIRS} pairs of ${options.milliseconds} ms`);
  console.log(`${CASE} of mappings/healthy-weight: all four make the same ${plan.entry.length} resources, ${JSON.stringify(plan).length} bytes`);
  report(await measure([ours, ...peers]));
  const { before, after } = await ours.ask(`memory ${options.rounds}`);
  console.log(`memory: ${before} kB after 10000 evaluations, ${after} kB after ${options.rounds}; wanted the same: ${verdict(after - before <= WANTED.growthKilobytes)}`);
} finally {
  for (const engine of [ours, ...peers]) engine.end();
}

for (const verb of ['check', 'test']) {
  let last;
  const runs = Array.from({ length: PAIRS }, () => {
    const start = process.hrtime.bigint();
    const { status, stdout } = spawnSync(process.env.EPLAN_BINARY, [verb, folder], { encoding: 'utf8' });
    assert.equal(status, 0, `eplan ${verb} fails`);
    last = stdout.trimEnd().split('\n').at(-1);
    return Number(process.hrtime.bigint() - start) / 1e6;
  });
  console.log(`eplan ${verb}: ${median(runs).toFixed(0)} ms, spread ${percent(spread(runs))} (${last}); wanted < ${WANTED[verb]} ms: ${verdict(median(runs) < WANTED[verb])}`);
}
process.exitCode = missed > 0 ? 1 : 0;

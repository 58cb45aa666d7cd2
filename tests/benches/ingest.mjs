// How many 4 KiB Observations a second are durable before their 202, against the least program that does the same:
//   ./tests/bench ingest  [--pairs N] [--seconds N] [--connections N] [--only SUBJECT] [--waiting N]
// The yardstick (bench_bare_ingest.c) has the same HTTP library, TLS, disk and grouped SQLite insert, and no FHIR. Both are
// driven by wrk with ingest_post.lua over TLS keep-alive; server and wrk have a core each where there are two. A pair is one
// run of each, on an empty database, in an order that changes; a ratio is ours divided by the yardstick's, printed as the
// median of the pairs and their spread (the middle half of the ratios, as part of the median). Above 30 % the word is
// "inconclusive". Exit status: 1 when a wanted ratio is missed.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { certificates, run, scratch } from '../lib/process.mjs';
import { measureMemory } from './ingest_memory.mjs';
import { subjects, yardstick } from './ingest_subjects.mjs';

const { values: options } = parseArgs({
  options: {
    pairs: { type: 'string', default: '9' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '32' },
    only: { type: 'string' }, // a subject, or memory
    waiting: { type: 'string', default: '100000' },
  },
});
const PAIRS = Number(options.pairs);
const SPREAD_MOST = 0.3;
const here = path.dirname(new URL(import.meta.url).pathname);
const cores = os.availableParallelism();
const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const folder = scratch('bench'); // short names: the path of a socket has a ceiling
const certs = await certificates();

// Processor time of a process so far, in seconds: fields 14 and 15 of /proc/PID/stat.
function cpuSeconds(pid) {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

const onCore = (core, command) => (cores >= 2 ? ['taskset', '-c', String(core), ...command] : command);

async function drive(server, seconds) {
  const [command, ...args] = onCore(1, ['wrk', '--latency', '-t1', `-c${options.connections}`, `-d${seconds}s`,
    '-s', path.join(here, 'ingest_post.lua'), `https://127.0.0.1:${server.port}`, '--', server.path, ...(server.header ?? [])]);
  const ran = await run(command, args);
  const line = ran.stdout.trim().split('\n').at(-1);
  if (ran.code !== 0 || !line.startsWith('{')) throw new Error(`wrk: ${ran.stdout}${ran.stderr}`);
  return JSON.parse(line);
}

// One run of one subject on an empty database.
async function measure(subject) {
  const state = fs.mkdtempSync(path.join(folder, 's-'));
  const server = await subject.start({ state, certs, onCore: (command) => onCore(0, command) });
  try {
    await drive(server, 1);
    const before = cpuSeconds(server.pid);
    const result = await drive(server, options.seconds);
    const cpu = cpuSeconds(server.pid) - before;
    if (result.failed || !result.requests) throw new Error(`${subject.name}: ${JSON.stringify(result)}\n${server.output()}`);
    return {
      rate: result.requests / (result.microseconds / 1e6),
      cpu: (cpu / result.requests) * 1e6,
      p50: result.p50 / 1000,
      p99: result.p99 / 1000,
    };
  } finally {
    await server.stop();
    fs.rmSync(state, { recursive: true, force: true });
  }
}

const sorted = (numbers) => [...numbers].sort((a, b) => a - b);
const at = (numbers, part) => sorted(numbers)[Math.round(part * (numbers.length - 1))];
const median = (numbers) => at(numbers, 0.5);

function ratio(name, pairs, read, wanted, isGood) {
  const ratios = pairs.map(({ ours, bare }) => read(ours) / read(bare));
  const middle = median(ratios);
  const spread = (at(ratios, 0.75) - at(ratios, 0.25)) / middle;
  const verdict = spread > SPREAD_MOST ? 'inconclusive' : !wanted ? '' : isGood(middle) ? 'ok' : 'MISSED';
  console.log(`    ${name.padEnd(24)} ${middle.toFixed(2)}   spread ${(100 * spread).toFixed(0)} %   ${wanted.padEnd(16)} ${verdict}`);
  return verdict !== 'MISSED';
}

const show = (name, runs) => console.log(`    ${name.padEnd(10)} ${median(runs.map((r) => r.rate)).toFixed(0).padStart(7)} requests/s   `
  + `${median(runs.map((r) => r.cpu)).toFixed(1).padStart(6)} us CPU/request   p50 ${median(runs.map((r) => r.p50)).toFixed(2)} ms   `
  + `p99 ${median(runs.map((r) => r.p99)).toFixed(2)} ms`);

let good = true;
console.log(`${PAIRS} pairs of ${options.seconds} s, ${options.connections} connections, ${cores} cores`);
for (const subject of subjects.filter(({ name }) => !options.only || name === options.only)) {
  const pairs = [];
  for (let i = 0; i < PAIRS; i++) {
    const order = i % 2 ? [subject, yardstick] : [yardstick, subject];
    const results = new Map();
    for (const one of order) results.set(one, await measure(one));
    pairs.push({ ours: results.get(subject), bare: results.get(yardstick) });
  }
  console.log(`${subject.name}: ${subject.what}`);
  show('yardstick', pairs.map((pair) => pair.bare));
  show(subject.name, pairs.map((pair) => pair.ours));
  good &= ratio('requests a second', pairs, (r) => r.rate, '>= 0.75', (x) => x >= 0.75);
  good &= ratio('CPU per request', pairs, (r) => r.cpu, '<= 1.33', (x) => x <= 1.33);
  ratio('p99 (wanted 1.5)', pairs, (r) => r.p99, '', () => true);
}
if (!options.only || options.only === 'memory') {
  const state = fs.mkdtempSync(path.join(folder, 's-'));
  good &= await measureMemory({ state, certs, drive, wanted: Number(options.waiting) });
}
process.exitCode = good ? 0 : 1;
fs.rmSync(folder, { recursive: true, force: true });

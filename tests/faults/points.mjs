// Where a run of receive to deliver can be struck, and what comes of it. A point is struck once, at the first start of the
// gateway; then it is started again without faults, and in the end the history checker counts.
import fs from 'node:fs';
import path from 'node:path';
import { rootDir, run, scratch } from '../lib/process.mjs';
import { calls } from './calls.mjs';
import { Episode, faultsOf, wholeRun } from './episode.mjs';
import { startEhr } from './world.mjs';

// EHRs that no run is using: each serves one run after the other.
const idle = [];

// A run under faults -> what went wrong, in sentences.
async function strike(name, options) {
  const ehr = idle.pop() ?? await startEhr(scratch('ehr'));
  try {
    return await strikeAt(ehr, name, options);
  } finally {
    idle.push(ehr);
  }
}

async function strikeAt(at, name, options) {
  const episode = await Episode.begin(name, { ...options, at });
  let wrong;
  let counts;
  try {
    await episode.start();
    await wholeRun(episode);
    if (episode.failure) throw episode.failure;
    const found = await episode.verdict();
    ({ sentences: wrong, counts } = faultsOf(found));
    if (found.written === 0) wrong.push('nothing was written');
  } catch (error) {
    wrong = [`${error.message}${error.cause ? `: ${error.cause.message ?? error.cause}` : ''}`, ...(episode.failure && episode.failure !== error ? [episode.failure.message] : [])];
  }
  const end = await episode.close().catch((error) => { wrong.push(error.message); });
  // A point may first be reached while it stops; what it left was verified by close().
  const atTheStop = options.kills && episode.deaths === 0 && end?.signal === 'SIGKILL';
  if (wrong.length === 0 && end && end.code !== 0 && !atTheStop) wrong.push(`the last stop ended with ${end.code ?? end.signal}`);
  return { wrong, counts, deaths: episode.deaths + (atTheStop ? 1 : 0) };
}

// ---- failpoints: build with seams ----

const failpoints = () => [...fs.readFileSync(path.join(rootDir, 'gateway/base/failpoints.def'), 'utf8').matchAll(/^FAILPOINT_ROW\(\w+, "([^"]+)"/gm)].map(([, name]) => name);

async function failpointPoints(backend) {
  const counts = path.join(scratch('counts'), 'counts');
  const dry = await strike('dry', { backend, env: { EPLAN_FAILPOINT_COUNTS: counts } });
  if (dry.wrong.length > 0) throw new Error(`the run without faults: ${dry.wrong.join('; ')}`);
  const passed = Object.fromEntries(fs.readFileSync(counts, 'utf8').trim().split('\n').map((line) => line.split(' ')));
  return failpoints().flatMap((name) => {
    const last = Number(passed[name]);
    const hits = [...new Set([1, 2, last])].filter((n) => n >= 1 && n <= last);
    return ['kill', 'fail'].flatMap((action) => hits.map((n) => `${name}=${action}@${n}`));
  });
}

const failpoint = (name) => ({ env: { EPLAN_FAILPOINTS: name }, kills: name.includes('=kill@') });

// ---- syscalls: release build under strace ----

const classes = { write: 'write,pwrite64,writev,pwritev,pwritev2', sync: 'fsync,fdatasync', send: 'sendto,sendmsg,sendmmsg' };

export async function ptraceIsAllowed() {
  const { code } = await run('strace', ['-o', '/dev/null', 'true']).catch(() => ({ code: 127 }));
  return code === 0;
}

async function syscallPoints(backend) {
  const log = path.join(scratch('strace'), 'log');
  const dry = await strike('dry', { backend, spawnWith: ['strace', '-D', '-f', '-qq', '-o', log, '-e', `trace=${Object.values(classes).join(',')}`] });
  if (dry.wrong.length > 0) throw new Error(`the run without faults: ${dry.wrong.join('; ')}`);
  const lines = fs.readFileSync(log, 'utf8').split('\n');
  return Object.entries(classes).flatMap(([name, calls]) => {
    const threads = new Map(); // strace counts by thread
    const known = new RegExp(`^(\\d+) +(?:${calls.split(',').join('|')})\\(`);
    for (const line of lines) {
      const [, thread] = known.exec(line) ?? [];
      if (thread) threads.set(thread, (threads.get(thread) ?? 0) + 1);
    }
    const most = Math.max(0, ...threads.values());
    return Array.from({ length: most }, (_, i) => `${name}@${i + 1}`);
  });
}

function syscall(name) {
  const [kind, n] = name.split('@');
  return { kills: true, spawnWith: ['strace', '-D', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${classes[kind]}`, '-e', `inject=${classes[kind]}:signal=KILL:when=${n}`] };
}

// A section: find(backend) -> the names of its points, by a run without faults; strike(name, backend) -> what came of one,
// { wrong: sentences, struck, counts: { lost, double, overwritten } }.
const section = (find, optionsOf) => ({
  find,
  strike: async (name, backend) => {
    const { kills, ...options } = optionsOf(name);
    const { wrong, deaths, counts } = await strike('point', { ...options, kills, backend });
    return { wrong, counts, struck: !kills || deaths > 0 };
  },
});
export const sections = { failpoints: section(failpointPoints, failpoint), syscalls: section(syscallPoints, syscall), calls };

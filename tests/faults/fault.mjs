// The fault driver behind tests/fault:
//   [--all | --sample N] [--seed S] [--only SECTION] [--backend NAME] [--point NAME] [--jobs N] [--resume] [--record]
// Without --all a seeded sample of N points each is tried. Tells every half minute how far it is, and at the end the points
// tried and the time; --all and --record append that to RUNS.md. --resume goes on with a run of the same gateway that was
// ended, and tries again what went wrong there. A section that gets SIGTERM ends with the points under way, and tells.
// Exit status: 1 when a point went wrong.
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { binary } from '../lib/daemon.mjs';
import { rootDir, run } from '../lib/process.mjs';
import { closeAll } from '../lib/tap.mjs';
import { backends } from './backends.mjs';
import { drawn, randomOf } from './episode.mjs';
import { ptraceIsAllowed, sections } from './points.mjs';
import { Progress } from './progress.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: {
    all: { type: 'boolean', default: false }, record: { type: 'boolean', default: false }, resume: { type: 'boolean', default: false },
    sample: { type: 'string', default: '8' }, seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) }, jobs: { type: 'string', default: '2' },
    only: { type: 'string' }, backend: { type: 'string' }, point: { type: 'string' }, section: { type: 'string' },
  },
});
const say = (line) => process.stdout.write(`${line}\n`);
const tellMs = 30_000;
let ending = false;
process.on('SIGTERM', () => { ending = true; });
const hashOf = (file) => crypto.createHash('sha256').update(fs.readFileSync(file)).digest('hex').slice(0, 16);
const commit = process.env.EPLAN_COMMIT ?? 'unknown';

// -> how many points there are on a backend, and the names of those to try, in the order in which they are tried.
async function choose(section, backend) {
  if (options.point) return { points: 1, names: [options.point] };
  const all = await section.find(backend);
  return { points: all.length, names: options.all ? all : drawn(all, randomOf(Number(options.seed))).slice(0, Number(options.sample)) };
}

// -> how many went wrong
async function tryPoints(name, backend) {
  const section = sections[name];
  const file = path.join(rootDir, 'build/tests/faults', `${name}-${backend.name}${options.all ? '' : '-sample'}.jsonl`);
  const progress = await Progress.open(file, { gateway: hashOf(binary), resume: options.resume, choose: () => choose(section, backend) });
  const left = progress.left();
  const telling = setInterval(() => say(`${name} ${backend.name}: ${progress.line()}`), tellMs);
  const oneByOne = async () => {
    for (let point = left.shift(); point && !ending; point = left.shift()) {
      const { wrong, struck, counts } = await section.strike(point, backend);
      progress.add({ name: point, struck, wrong, ...counts });
      if (wrong.length > 0) say(`WRONG ${backend.name} ${point}: ${wrong.join('; ')}`);
    }
  };
  await Promise.all(Array.from({ length: Number(options.jobs) }, oneByOne)); // side by side
  const last = await section.close?.() ?? [];
  last.forEach((found, i) => { if (found.wrong.length > 0) { progress.add({ name: `end ${i + 1}`, struck: true, wrong: found.wrong, ...found.counts }); say(`WRONG ${backend.name} ${found.wrong.join('; ')}`); } });
  clearInterval(telling);
  say(`FAULTS ${name} BACKEND ${backend.name} ${progress.tally()}`);
  return progress.sum(({ wrong }) => wrong.length > 0);
}

async function trySection(name) {
  if (name === 'syscalls' && !(await ptraceIsAllowed())) {
    say('SKIP syscalls: ptrace is not allowed here');
    return 0;
  }
  let failed = 0;
  for (const backend of await backends(options.backend)) failed += await tryPoints(name, backend);
  return failed;
}

// The store's own tests of faults with more rounds: the n-th write or sync fails, is torn, is the end of power; a full disk.
async function tryStore() {
  const start = Date.now();
  const rounds = options.all ? 200 : 6;
  const program = path.join(rootDir, 'build/dev/tests/unit_gateway_store_test_faults');
  const { code, stdout, stderr } = await run(program, [], { env: { EPLAN_SEED: options.seed, EPLAN_ROUNDS: String(rounds) } });
  if (code !== 0) say(stdout + stderr);
  say(`FAULTS store BACKEND sqlite ROUNDS ${rounds} WRONG ${code === 0 ? 0 : 1} SECONDS ${Math.round((Date.now() - start) / 1000)}`);
  return code === 0 ? 0 : 1;
}

// Each section is a process of its own, with the build that it strikes. -> its exit status and the lines to be recorded
async function runSection(section, preset) {
  const build = path.join(rootDir, 'build', preset);
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...process.argv.slice(2), '--seed', options.seed, '--section', section], {
    stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, EPLAN_BUILD: build, EPLAN_BINARY: path.join(build, 'eplan') },
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (data) => { text += data; process.stdout.write(data); });
  const code = await new Promise((resolve) => { child.on('close', resolve); });
  return { code, lines: text.split('\n').filter((line) => /^(FAULTS|SKIP) /.test(line)) };
}

if (options.section) {
  const failed = options.section === 'store' ? await tryStore() : await trySection(options.section);
  await closeAll();
  process.exit(failed > 0 ? 1 : 0);
}

say(`seed ${options.seed}`);
let status = 0;
for (const [section, preset] of [['failpoints', 'dev'], ['syscalls', 'release'], ['calls', 'release'], ['store', 'dev']]) {
  if (options.only && options.only !== section) continue;
  const { code, lines } = await runSection(section, preset);
  if (code !== 0) status = 1;
  if (options.all || options.record) {
    const when = `${new Date().toISOString().slice(0, 10)} ${commit}`;
    fs.appendFileSync(path.join(here, 'RUNS.md'), lines.map((line) => `    ${when} ${line}\n`).join(''));
  }
}
process.exit(status);

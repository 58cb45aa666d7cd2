// The fault driver behind tests/fault:  [--all | --sample N] [--seed S] [--only failpoints|syscalls|store] [--backend NAME]
// Without --all a seeded sample of N points each is tried. Prints the points tried and the time; --all and --record append them to
// RUNS.md. Exit status: 1 when a point went wrong.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { rootDir, run } from '../lib/process.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: {
    all: { type: 'boolean', default: false }, record: { type: 'boolean', default: false }, sample: { type: 'string', default: '8' }, seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    only: { type: 'string' }, backend: { type: 'string' }, section: { type: 'string' }, build: { type: 'string' },
  },
});
const say = (line) => process.stdout.write(`${line}\n`);

async function trySection(section) {
  const { backends } = await import('./backends.mjs');
  const { failpointPoints, ptraceIsAllowed, strikePoint, syscallPoints } = await import('./points.mjs');
  const { randomOf } = await import('./episode.mjs');
  if (section === 'syscalls' && !(await ptraceIsAllowed())) {
    say('SKIP syscalls: ptrace is not allowed here');
    return 0;
  }
  let failed = 0;
  for (const backend of await backends(options.backend)) {
    const start = Date.now();
    const all = await (section === 'failpoints' ? failpointPoints : syscallPoints)(backend);
    const random = randomOf(Number(options.seed));
    const chosen = options.all ? all : all.map((point) => ({ point, at: random() })).sort((a, b) => a.at - b.at).slice(0, Number(options.sample)).map(({ point }) => point);
    let wrong = 0;
    let missed = 0;
    for (const point of chosen) {
      if (process.env.EPLAN_VERBOSE) say(`${((Date.now() - start) / 1000).toFixed(1)} ${point.name}`);
      const { wrong: found, struck } = await strikePoint(point, backend);
      if (!struck) missed += 1;
      if (found.length > 0) {
        wrong += 1;
        say(`WRONG ${backend.name} ${point.name}: ${found.join('; ')}`);
      }
    }
    const seconds = Math.round((Date.now() - start) / 1000);
    say(`FAULTS ${section} BACKEND ${backend.name} POINTS ${all.length} TRIED ${chosen.length} NOT-REACHED ${missed} WRONG ${wrong} SECONDS ${seconds}`);
    failed += wrong;
  }
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

if (options.section) {

  const failed = options.section === 'store' ? await tryStore() : await trySection(options.section);
  process.exit(failed > 0 ? 1 : 0);
}

say(`seed ${options.seed}`);
const results = [];
let status = 0;
for (const [section, preset] of [['failpoints', 'dev'], ['syscalls', 'release'], ['store', 'dev']]) {
  if (options.only && options.only !== section) continue;
  const build = path.join(rootDir, 'build', preset);
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...process.argv.slice(2), '--seed', options.seed, '--section', section], {
    stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, EPLAN_BUILD: build, EPLAN_BINARY: path.join(build, 'eplan') },
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (data) => { text += data; process.stdout.write(data); });
  const code = await new Promise((resolve) => { child.on('close', resolve); });
  if (code !== 0) status = 1;
  results.push(...text.split('\n').filter((line) => /^(FAULTS|SKIP) /.test(line)));
}
if (options.all || options.record) {
  const when = `${new Date().toISOString().slice(0, 10)} ${process.env.EPLAN_COMMIT ?? 'unknown'}`;
  fs.appendFileSync(path.join(here, 'RUNS.md'), results.map((line) => `    ${when} ${line}\n`).join(''));
}
process.exit(status);

// Runs one libFuzzer target for some minutes and records the run; started by tests/fuzz.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { killAll, spawnGroup } from '../runner/execute.mjs';
import { appendRun, readerHash, readTargets } from './records.mjs';

const testsDir = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const rootDir = path.dirname(testsDir);
const inputSeconds = 10; // one input may take no longer

function settings() {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { minutes: { type: 'string' } } });
  const targets = readTargets(testsDir);
  const [target] = positionals;
  if (positionals.length !== 1 || !targets[target]) throw new Error(`usage: tests/fuzz TARGET --minutes N, where TARGET is one of: ${Object.keys(targets).join(', ')}`);
  if (!(Number(values.minutes) > 0)) throw new Error('--minutes needs a number above 0');
  return { target, sources: targets[target], minutes: Number(values.minutes) };
}

function run({ target, sources, minutes }) {
  const work = path.join(rootDir, 'build/fuzz/work', target);
  const [found, grown] = [path.join(work, 'findings'), path.join(work, 'corpus')];
  for (const folder of [found, grown]) fs.mkdirSync(folder, { recursive: true });
  const before = new Set(fs.readdirSync(found));
  const optional = (file, argument) => (fs.existsSync(file) ? [argument] : []);
  const dictionary = path.join(testsDir, `fuzzers/${target}.dict`);
  const seeds = path.join(testsDir, `fuzzers/corpus/${target}`);
  const args = [
    `-max_total_time=${Math.ceil(minutes * 60)}`, `-timeout=${inputSeconds}`, '-print_final_stats=1', `-artifact_prefix=${found}/`,
    ...optional(dictionary, `-dict=${dictionary}`), grown, ...optional(seeds, seeds),
  ];
  const program = path.join(rootDir, `build/fuzz/fuzzers/fuzz_${target}`);
  const reader = readerHash(rootDir, sources);
  const began = Date.now();
  const child = spawnGroup(program, args, { stdio: ['ignore', 'inherit', 'pipe'] });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (data) => {
    process.stderr.write(data);
    output = (output + data).slice(-1_000_000);
  });
  child.on('error', (error) => { throw error; });
  child.on('close', (code) => {
    const last = (pattern) => [...output.matchAll(pattern)].at(-1)?.[1] ?? '0';
    const findings = fs.readdirSync(found).filter((name) => !before.has(name));
    appendRun(testsDir, {
      date: new Date().toISOString().slice(0, 10),
      commit: process.env.EPLAN_COMMIT,
      target,
      reader,
      minutes: ((Date.now() - began) / 60_000).toFixed(1),
      executions: last(/^(?:stat::number_of_executed_units: |#)(\d+)/gm),
      coverage: last(/ cov: (\d+)/g),
      findings: findings.length,
    });
    for (const name of findings) process.stdout.write(`found ${name}; again with: ${program} ${path.join(found, name)}\n`);
    process.stdout.write(`recorded in tests/fuzzers/RUNS.md: ${findings.length} findings\n`);
    process.exitCode = code === 0 && findings.length === 0 ? 0 : 1;
  });
}

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => { killAll(); process.exit(130); });
try {
  run(settings());
} catch (error) {
  process.stderr.write(`tests/fuzz: ${error.message}\n`);
  process.exitCode = 64;
}

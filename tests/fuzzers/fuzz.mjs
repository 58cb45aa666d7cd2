// Runs one libFuzzer target for some minutes and records the run; started by tests/fuzz.
import { spawnSync } from 'node:child_process';
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

// libFuzzer counts the seconds of the wall clock: a process that was stopped, or starved, for longer than an input may take
// blames the input. An input that is quick when it runs alone was not it. -> what stays found
function withoutFalseAlarms(program, names, found) {
  return names.filter((name) => {
    if (!/^(timeout|slow-unit)-/.test(name)) return true;
    const file = path.join(found, name);
    const { status } = spawnSync(program, [`-timeout=${inputSeconds}`, file], { stdio: 'ignore', timeout: 20 * inputSeconds * 1000 });
    if (status !== 0) return true;
    fs.rmSync(file);
    process.stdout.write(`${name}: quick when it runs alone, no finding\n`);
    return false;
  });
}

// -> Promise of { code, executions, coverage }
function fuzz(program, args) {
  return new Promise((resolve, reject) => {
    const child = spawnGroup(program, args, { stdio: ['ignore', 'inherit', 'pipe'] });
    let output = '';
    child.stderr.setEncoding('utf8').on('data', (data) => {
      process.stderr.write(data);
      output = (output + data).slice(-1_000_000);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      const last = (pattern) => Number([...output.matchAll(pattern)].at(-1)?.[1] ?? 0);
      resolve({ code, executions: last(/^(?:stat::number_of_executed_units: |#)(\d+)/gm), coverage: last(/ cov: (\d+)/g) });
    });
  });
}

async function run({ target, sources, minutes }) {
  const work = path.join(rootDir, 'build/fuzz/work', target);
  const [found, grown] = [path.join(work, 'findings'), path.join(work, 'corpus')];
  for (const folder of [found, grown]) fs.mkdirSync(folder, { recursive: true });
  const before = new Set(fs.readdirSync(found));
  const optional = (file, argument) => (fs.existsSync(file) ? [argument] : []);
  const dictionary = path.join(testsDir, `fuzzers/${target}.dict`);
  const seeds = path.join(testsDir, `fuzzers/corpus/${target}`);
  const program = path.join(rootDir, `build/fuzz/fuzzers/fuzz_${target}`);
  const reader = readerHash(rootDir, sources);
  const began = Date.now();
  const end = began + minutes * 60_000;
  const sum = { code: 0, executions: 0, coverage: 0 };
  let findings = [];
  do {
    const one = await fuzz(program, [
      `-max_total_time=${Math.max(1, Math.ceil((end - Date.now()) / 1000))}`, `-timeout=${inputSeconds}`, '-print_final_stats=1', `-artifact_prefix=${found}/`,
      ...optional(dictionary, `-dict=${dictionary}`), grown, ...optional(seeds, seeds),
    ]);
    const names = fs.readdirSync(found).filter((name) => !before.has(name));
    findings = withoutFalseAlarms(program, names, found);
    sum.executions += one.executions;
    sum.coverage = Math.max(sum.coverage, one.coverage);
    // What stopped for another reason than a false alarm would only stop again.
    if (one.code !== 0 && names.length === findings.length) sum.code = one.code;
  } while (sum.code === 0 && findings.length === 0 && Date.now() < end);
  appendRun(testsDir, {
    date: new Date().toISOString().slice(0, 10),
    commit: process.env.EPLAN_COMMIT,
    target,
    reader,
    minutes: ((Date.now() - began) / 60_000).toFixed(1),
    executions: sum.executions,
    coverage: sum.coverage,
    findings: findings.length,
  });
  for (const name of findings) process.stdout.write(`found ${name}; again with: ${program} ${path.join(found, name)}\n`);
  process.stdout.write(`recorded in tests/fuzzers/RUNS.md: ${findings.length} findings\n`);
  process.exitCode = sum.code === 0 && findings.length === 0 ? 0 : 1;
}

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => { killAll(); process.exit(130); });
try {
  await run(settings());
} catch (error) {
  process.stderr.write(`tests/fuzz: ${error.message}\n`);
  process.exitCode = 64;
}

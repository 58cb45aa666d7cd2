// The runner behind tests/run: builds the presets that are needed, runs the suites, sums their TAP. See tests/README.md.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fuzzWarnings } from '../fuzzers/records.mjs';
import { execute, killAll, spawnGroup } from './execute.mjs';
import { ctestSuites, scriptSuites } from './suites.mjs';

const testsDir = process.env.EPLAN_TESTS_DIR ?? path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const rootDir = path.dirname(testsDir);
const workDir = path.join(rootDir, 'build/tests');
const sharedDir = path.resolve(rootDir, '../shared');
const hasShared = fs.existsSync(sharedDir);
const allPresets = ['release', 'asan-ubsan', 'tsan'];
const shownLines = 400; // of a failed suite; all of it is in its log

const sanitizers = {
  ASAN_OPTIONS: 'detect_stack_use_after_return=1:strict_string_checks=1',
  LSAN_OPTIONS: `suppressions=${fileURLToPath(new URL('lsan.supp', import.meta.url))}:print_suppressions=0`,
  UBSAN_OPTIONS: 'print_stacktrace=1',
  TSAN_OPTIONS: 'second_deadlock_stack=1',
};

function settings() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { preset: { type: 'string', multiple: true }, jobs: { type: 'string', default: String(os.availableParallelism()) }, list: { type: 'boolean', default: false } },
  });
  const presets = values.preset ?? allPresets;
  for (const preset of presets) if (!allPresets.includes(preset)) throw new Error(`--preset ${preset}: the presets for tests are ${allPresets.join(', ')}`);
  if (!/^[1-9]\d*$/.test(values.jobs)) throw new Error(`--jobs must be a number above 0, not ${values.jobs}`);
  return { presets, jobs: Number(values.jobs), names: positionals, list: values.list };
}

const total = { passed: 0, failed: 0, skipped: 0 };
const failedSuites = [];
const say = (line) => process.stdout.write(line + '\n');

function build(preset) {
  say(`building ${preset}`);
  const log = path.join(workDir, `build-${preset}.log`);
  const out = fs.openSync(log, 'w');
  const script = '. "$0/lib/bootstrap.sh" && build_preset "$1"';
  return new Promise((resolve) => {
    const child = spawnGroup('bash', ['-c', script, testsDir, preset], { stdio: ['ignore', out, out] });
    child.on('error', () => resolve(false));
    child.on('exit', (code) => {
      if (code !== 0) {
        say(fs.readFileSync(log, 'utf8'));
        countFault(`build ${preset}`, 'the build failed');
      }
      resolve(code === 0);
    });
  });
}

function countFault(name, why) {
  total.failed += 1;
  failedSuites.push(name);
  say(`FAIL  ${name}: ${why}`);
}

// One line for a suite; a failed one in full.
function report(name, { passed, failed, skipped, faults, skips, failures, seconds, output }, log) {
  total.passed += passed;
  total.skipped += skipped;
  total.failed += failed + (faults.length ? 1 : 0);
  const bad = failed + faults.length > 0;
  const counts = [[passed, 'passed'], [failed, 'failed'], [skipped, 'skipped']].filter(([n]) => n).map(([n, word]) => `${n} ${word}`).join(', ');
  say(`${bad ? 'FAIL' : 'ok  '}  ${name.padEnd(48)} ${seconds.toFixed(1).padStart(6)} s  ${counts}`);
  for (const skip of skips) say(`      SKIP ${name}${skip.name ? `: ${skip.name}` : ''}: ${skip.reason}`);
  if (!bad) return;
  failedSuites.push(name);
  for (const line of [...faults.map((fault) => `fault: ${fault}`), ...failures.map((failure) => `failed: ${failure}`)]) say(`      ${line}`);
  const lines = output.trimEnd().split('\n');
  if (lines.length > shownLines) say(`      | (the last ${shownLines} of ${lines.length} lines; all are in ${path.relative(rootDir, log)})`);
  for (const line of lines.slice(-shownLines)) say(`      | ${line}`);
}

async function runSuite(suite, preset, shown) {
  if (suite.fault) return countFault(shown, suite.fault);
  if (!hasShared && (suite.needs?.includes('shared') || suite.labels?.includes('shared'))) {
    total.skipped += 1;
    return say(`SKIP ${shown}: no ../shared`);
  }
  const buildDir = path.join(rootDir, 'build', preset);
  const log = path.join(workDir, 'logs', `${shown.replaceAll(/[^\w.-]+/g, '_')}.log`);
  const env = {
    ...sanitizers, EPLAN_ROOT: rootDir, EPLAN_PRESET: preset, EPLAN_BUILD: buildDir, EPLAN_BINARY: path.join(buildDir, 'eplan'),
    EPLAN_SCRATCH: path.join(workDir, 'scratch'), ...(hasShared ? { EPLAN_SHARED: sharedDir } : {}), ...suite.env,
  };
  return report(shown, await execute({ ...suite, cwd: suite.cwd ?? rootDir, env, log }), log);
}

// At most so many at once; serial ones last and alone.
async function runAll(suites, jobs) {
  const queue = suites.filter(({ suite }) => !suite.serial);
  const worker = async () => { for (let one; (one = queue.shift());) await runSuite(one.suite, one.preset, one.shown); };
  await Promise.all(Array.from({ length: jobs }, worker));
  for (const one of suites.filter(({ suite }) => suite.serial)) await runSuite(one.suite, one.preset, one.shown);
}

async function main({ presets, jobs, names, list }) {
  const wanted = ({ name }) => names.length === 0 || names.some((one) => name === one || name.startsWith(`${one}/`));
  const scripts = scriptSuites(testsDir).filter(wanted);
  const chosen = [];
  const unmatched = names.filter((one) => !scripts.some(({ name }) => name === one || name.startsWith(`${one}/`)));
  const onlyScripts = names.length > 0 && unmatched.length === 0;
  fs.mkdirSync(workDir, { recursive: true });

  let threaded;
  for (const preset of presets) {
    const here = scripts.filter((suite) => suite.presets.includes(preset));
    const built = !onlyScripts || here.some((suite) => suite.needs.includes('build'));
    // ThreadSanitizer is for tests that have threads; the presets before it say whether there are any.
    if (preset === 'tsan' && threaded === false && here.length === 0) continue;
    const ready = !built || list || (await build(preset));
    let tests = [];
    if (!onlyScripts && ready && fs.existsSync(path.join(rootDir, 'build', preset, 'CTestTestfile.cmake'))) {
      tests = (await ctestSuites(path.join(rootDir, 'build', preset))).filter(wanted);
      const withThreads = tests.filter(({ labels }) => labels.includes('threaded'));
      threaded = withThreads.length > 0;
      if (preset === 'tsan') tests = withThreads;
    }
    for (const suite of [...tests, ...here]) {
      const shown = preset === 'release' ? suite.name : `${suite.name} [${preset}]`;
      const fault = suite.fault ?? (!ready && suite.needs?.includes('build') ? 'there is no build to test' : undefined);
      chosen.push({ suite: { ...suite, fault }, preset, shown });
    }
  }
  if (list) return chosen.forEach(({ shown }) => say(shown));
  for (const name of unmatched) {
    if (!chosen.some(({ suite }) => suite.name === name || suite.name.startsWith(`${name}/`))) countFault(name, 'no such suite');
  }
  await runAll(chosen, jobs);
  for (const warning of names.length ? [] : fuzzWarnings(testsDir)) say(`WARNING  ${warning}`);
  if (failedSuites.length) say(`\nfailed: ${failedSuites.join(', ')}`);
  return finish();
}

function finish(code) {
  say(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  process.exitCode = code ?? (total.failed === 0 && total.passed > 0 ? 0 : 1);
}

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(name, () => {
    killAll();
    countFault('run', `stopped by ${name}`);
    finish(130);
    process.exit();
  });
}

let options;
try {
  options = settings();
} catch (error) {
  process.stderr.write(`tests/run: ${error.message}\n`);
  process.exit(64);
}
await main(options);

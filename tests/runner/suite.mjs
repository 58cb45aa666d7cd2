// suite: timeout=120
// The runner counts right, and counts as failed whatever crashed, hung, printed no plan or a wrong one.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { alive, run, scratch, testsDir, until } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';
import { execute } from './execute.mjs';
import { readDirectives, scriptSuites } from './suites.mjs';
import { readTap } from './tap.mjs';

const samples = path.join(testsDir, 'runner/samples');
const logs = scratch('runner');
const sample = (name, timeout = 20) => execute({ command: 'bash', args: [path.join(samples, `${name}.sh`)], timeout, log: path.join(logs, `${name}.log`) });
const counts = ({ passed, failed, skipped }) => [passed, failed, skipped];

const taps = [
  ['a plan before', '1..2\nok 1 - a\nok 2 - b\n', [2, 0, 0], []],
  ['a plan after', 'ok 1\nnot ok 2 - b\n1..2\n', [1, 1, 0], []],
  ['no numbers', 'ok - a\nok - b\n1..2\n', [2, 0, 0], []],
  ['skips, with ok and, as cmocka prints them, with not ok', '1..2\nok 1 - a # SKIP later\nnot ok 2 # SKIP b\n', [0, 0, 2], []],
  ['a hash in a name', 'ok 1 - item \\# 5\n1..1\n', [1, 0, 0], []],
  ['two groups, each with its plan first', '1..1\nok 1 - a\n1..2\nok 1 - b\nok 2 - c\n', [3, 0, 0], []],
  ['two groups, each with its plan last', 'ok 1 - a\n1..1\nok 1 - b\n1..1\n', [2, 0, 0], []],
  ['sub-tests and comments do not count', '1..1\n    not ok 1 - inner\n# not ok 2\nok 1 - a\n', [1, 0, 0], []],
  ['nothing', '', [0, 0, 0], ['it printed no plan']],
  ['no plan', 'ok 1 - a\n', [1, 0, 0], ['the last tests have no plan']],
  ['too few', '1..3\nok 1\n', [1, 0, 0], ['3 tests planned, 1 run']],
  ['too many', '1..1\nok 1\nok 2\n', [2, 0, 0], ['1 tests planned, 2 run']],
  ['a number twice', '1..2\nok 1\nok 1\n', [2, 0, 0], ['test number 1 where 2 was due']],
  ['a second plan too early', '1..2\nok 1\n1..1\nok 1\n', [2, 0, 0], ['a second plan, 1..1, before the first was fulfilled', '2 tests planned, 1 run']],
  ['an empty plan', '1..0\n', [0, 0, 0], ['it planned no test']],
  ['an empty plan with a reason', '1..0 # SKIP no printer\n', [0, 0, 1], []],
  ['bail out', '1..2\nok 1\nBail out! no disk\n', [1, 0, 0], ['it gave up: no disk', '2 tests planned, 1 run']],
];
for (const [name, text, wanted, faults] of taps) {
  test(`TAP: ${name}`, () => {
    const result = readTap(text);
    assert.deepEqual(counts(result), wanted);
    assert.deepEqual(result.faults, faults);
  });
}

test('TAP: what failed and why something was skipped can be told', () => {
  const { failures, skips } = readTap('1..2\nnot ok 1 - adds up\nok 2 - prints # SKIP no printer\n');
  assert.deepEqual([failures, skips], [['adds up'], [{ name: 'prints', reason: 'no printer' }]]);
});

const programs = [
  ['good', [1, 0, 1], undefined],
  ['failing', [1, 1, 0], undefined],
  ['skip_all', [0, 0, 1], undefined],
  ['no_plan', [1, 0, 0], /no plan/],
  ['silent', [0, 0, 0], /no plan/],
  ['bad_plan', [2, 0, 0], /3 tests planned, 2 run/],
  ['crash', [1, 0, 0], /killed by SIGSEGV/],
  ['exit_status', [1, 0, 0], /exit status is 3/],
];
for (const [name, wanted, fault] of programs) {
  test(`program: ${name}`, async () => {
    const result = await sample(name);
    assert.deepEqual(counts(result), wanted);
    if (fault) assert.match(result.faults[0], fault);
    else assert.deepEqual(result.faults, []);
  });
}

for (const name of ['slow', 'stubborn']) {
  test(`program: ${name} is ended at its time limit, with its children`, async () => {
    const result = await sample(name, 0.3);
    assert.match(result.faults[0], /not done after 0.3 s/);
    assert.ok(result.seconds < 20);
  });
}

test('program: left-over processes are a fault and are ended', async () => {
  const result = await sample('left_over');
  assert.deepEqual(result.faults, ['it left processes running']);
  const pid = Number(result.output.split('\n')[0]);
  await until('it to end', () => !alive(pid));
});

test('program: one that is not there is a fault', async () => {
  const result = await execute({ command: '/nonexistent/program', timeout: 5, log: path.join(logs, 'none.log') });
  assert.equal(counts(result).join(), '0,0,0');
  assert.ok(result.faults.length > 0);
});

test('directives of a suite; a wrong one is named', () => {
  assert.deepEqual(readDirectives('#!/bin/bash\n# suite: timeout=9 needs=build,shared presets=release,asan-ubsan serial\n'),
    { timeout: 9, needs: ['build', 'shared'], presets: ['release', 'asan-ubsan'], serial: true });
  assert.equal(readDirectives('// nothing').timeout, 120);
  for (const wrong of ['colour=blue', 'needs=luck', 'timeout=x']) assert.throws(() => readDirectives(`# suite: ${wrong}`));
});

test('suites are found by their names', () => {
  const folder = scratch('found');
  for (const file of ['a/suite.mjs', 'a/suite_more.sh', 'b/c/suite.sh', 'a/notasuite.mjs', 'node_modules/x/suite.mjs']) {
    fs.mkdirSync(path.join(folder, path.dirname(file)), { recursive: true });
    fs.writeFileSync(path.join(folder, file), '');
  }
  assert.deepEqual(scriptSuites(folder).map(({ name }) => name), ['a', 'a/more', 'b/c']);
});

// A small project of its own, so that the whole runner can be seen at work.
function project(suites) {
  const root = path.join(scratch('project'), 'main');
  fs.mkdirSync(path.join(root, 'tests/fuzzers'), { recursive: true });
  fs.writeFileSync(path.join(root, 'tests/fuzzers/targets.csv'), 'target,sources\n');
  for (const [name, from] of Object.entries(suites)) {
    fs.mkdirSync(path.join(root, 'tests', name));
    const text = from.includes('\n') ? from : fs.readFileSync(path.join(samples, from), 'utf8');
    fs.writeFileSync(path.join(root, 'tests', name, 'suite.sh'), text);
  }
  const runner = (...names) => run(process.execPath, [path.join(testsDir, 'runner/run.mjs'), ...names], { env: { EPLAN_TESTS_DIR: path.join(root, 'tests') } });
  return { root, runner };
}
const lastLine = ({ stdout }) => stdout.trimEnd().split('\n').at(-1);

test('the whole runner: sums, names what failed in full, ends with the counts', async () => {
  const { runner } = project({ one: 'good.sh', two: 'failing.sh', three: 'crash.sh', four: 'no_plan.sh' });
  const result = await runner('one', 'two', 'three', 'four');
  assert.equal(result.code, 1);
  assert.equal(lastLine(result), '4 passed, 3 failed, 1 skipped');
  assert.match(result.stdout, /failed: the sum is right\n/);
  assert.match(result.stdout, /\| #   1 is not 2\n/);
  assert.match(result.stdout, /fault: it was killed by SIGSEGV/);
  assert.match(result.stdout, /SKIP one: b: not here/);
});

test('the whole runner: exit 0 only if something passed and nothing failed', async () => {
  const { runner } = project({ one: 'good.sh', none: 'skip_all.sh' });
  assert.deepEqual([(await runner('one')).code, (await runner('none')).code], [0, 1]);
});

test('the whole runner: a suite that needs ../shared is skipped without it', async () => {
  const { root, runner } = project({ one: 'good.sh', knows: '# suite: needs=shared\necho ok; echo 1..1\n' });
  const without = await runner('one', 'knows');
  assert.match(without.stdout, /^SKIP knows: no \.\.\/shared$/m);
  assert.equal(lastLine(without), '1 passed, 0 failed, 2 skipped');
  fs.mkdirSync(path.join(root, '../shared'));
  assert.equal(lastLine(await runner('one', 'knows')), '2 passed, 0 failed, 1 skipped');
});

test('the whole runner: a name that is no suite, a wrong directive and a wrong option are told', async () => {
  const { runner } = project({ one: 'good.sh', odd: '# suite: colour=blue\necho ok; echo 1..1\n' });
  const odd = await runner('odd');
  assert.match(odd.stdout, /FAIL {2}odd: unknown directive colour=blue/);
  assert.equal(lastLine(odd), '0 passed, 1 failed, 0 skipped');
  const wrong = await runner('--preset', 'colour');
  assert.deepEqual([wrong.code, wrong.stderr], [64, 'tests/run: --preset colour: the presets for tests are release, asan-ubsan, tsan\n']);
});

test('the whole runner: a build that fails is a failure', async () => {
  const { root, runner } = project({ one: '# suite: needs=build\necho ok; echo 1..1\n' });
  fs.mkdirSync(path.join(root, 'tests/lib'));
  fs.writeFileSync(path.join(root, 'tests/lib/bootstrap.sh'), 'build_preset() { echo "no compiler for $1"; return 1; }\n');
  const result = await runner('--preset', 'release', 'one');
  assert.match(result.stdout, /no compiler for release\n\nFAIL {2}build release: the build failed\nFAIL {2}one: there is no build to test/);
  assert.equal(lastLine(result), '0 passed, 2 failed, 0 skipped');
});

await finish();

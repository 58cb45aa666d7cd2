#!/usr/bin/env node
// suite: needs=build presets=release,asan-ubsan timeout=120
// `eplan repl` on a pipe and at a terminal: values with their types, mistakes with their place, names, completion, history.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { until } from '../lib/process.mjs';
import { atEnd, finish, test } from '../lib/tap.mjs';
import { binary, rootDir } from './mapping.mjs';

const args = ['repl', 'mappings/healthy-weight', 'overweight-7y-ready'];
const pipe = (input, more = args) => spawnSync(binary, more, { cwd: rootDir, input, encoding: 'utf8', timeout: 30_000 });

test('on a pipe: one answer for each line, without a prompt', () => {
  const { status, stdout, stderr } = pipe('%growth.category\n%hvs\nGoal.count()\n%conditions.code.coding.code\n');
  assert.equal(status, 0, stderr);
  assert.equal(stdout, 'System.String\t"overweight"\nnothing\nSystem.Integer\t5\nFHIR.code\t"238131007"\n');
});
test('a mistake has its place, and the next line goes on', () => {
  const { status, stdout, stderr } = pipe('%nope\n1 +\n%growth.ageMonths\n');
  assert.equal(status, 0);
  assert.match(stderr, /expression:1:\d+: error: [\s\S]*%nope\n +\^/);
  assert.match(stdout, /^System\.Integer\t86$/m);
});
test('the exit tells of the last line', () => assert.equal(pipe('1 +\n').status, 3));
test('the clock is the visit\'s', () => assert.match(pipe('today()\n').stderr, /error/));
test(':names, :quit, and what is neither', () => {
  const { stdout, stderr } = pipe(':names\n:help\n:quit\n1\n');
  for (const name of ['%patient', '%visit.date', '%readyState', '%growth.bmi', '%sets.ready']) assert.ok(stdout.split('\n').includes(name), name);
  assert.match(stderr, /:quit ends/);
  assert.doesNotMatch(stdout, /System/);
});
test('no such child', () => assert.equal(pipe('', ['repl', 'mappings/healthy-weight', 'nobody']).status, 2));

// script(1) gives it a terminal.
test('at a terminal: tab completes, the arrow brings back the last line', async () => {
  const child = spawn('script', ['-qfc', `${binary} ${args.join(' ')}`, '/dev/null'], { cwd: rootDir, env: { ...process.env, TERM: 'xterm' } });
  let seen = '';
  let over;
  child.stdout.setEncoding('utf8').on('data', (data) => { seen += data; });
  child.on('exit', (code) => { over = { code }; });
  atEnd(() => { if (!over) child.kill('SIGKILL'); });
  await until('the prompt', () => seen.includes('> '));
  child.stdin.write('%readyS\t\r');
  await until('the answer', () => /System\.String\s+"ready"/.test(seen));
  seen = '';
  child.stdin.write('\x1b[A\r');
  await until('the answer again', () => /System\.String\s+"ready"/.test(seen));
  child.stdin.write(':quit\r');
  await until('the end', () => over);
});
await finish();

// Starting, watching and ending other programs in tests; waiting for conditions; scratch folders.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { atEnd } from './tap.mjs';

const pauseMs = 5000; // nothing that is probed takes as long
export const testsDir = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
export const rootDir = path.dirname(testsDir);

// Tries until probe() gives something true; a condition, never a fixed sleep. A pause of this process (SIGSTOP, a machine that
// sleeps) does not count as waiting.
export async function until(what, probe, ms = 15_000) {
  let waited = 0;
  let last;
  for (;;) {
    const from = Date.now();
    try {
      const value = await probe();
      if (value) return value;
      last = undefined;
    } catch (error) {
      if (error.final) throw error; // waiting longer cannot help
      last = error;
    }
    if (waited > ms) throw new Error(`waited ${ms} ms in vain for ${what}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 15));
    waited += Math.min(Date.now() - from, pauseMs);
  }
}

// Whether a process runs; one that has ended but was not yet collected by its parent does not.
export function alive(pid) {
  try {
    return !/\) [ZX] /.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

// A new empty folder of this test; removed at the end unless EPLAN_KEEP is set.
export function scratch(name) {
  const parent = process.env.EPLAN_SCRATCH ?? path.join(rootDir, 'build/tests/scratch');
  fs.mkdirSync(parent, { recursive: true });
  const folder = fs.mkdtempSync(path.join(parent, `${name}-`));
  if (!process.env.EPLAN_KEEP) atEnd(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

// A program that writes a ready-file: -> { facts, child, output(), stop(signal), ended }.
// Its standard input is a pipe, so that it can tell when this test has died.
export async function startServer(command, args, { ready, env = {}, ms = 30_000 } = {}) {
  fs.rmSync(ready, { force: true });
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => { output += data; });
  child.stdin.on('error', () => {}); // the server may be gone before we are
  let over;
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => { over = { code, signal }; resolve(over); });
  });
  ended.catch(() => {});
  const stop = async (signal = 'SIGTERM') => {
    if (!over) child.kill(signal);
    return ended;
  };
  atEnd(() => stop('SIGKILL'));
  const facts = await until(`${path.basename(args[0] ?? command)} to be ready`, () => {
    if (over) throw Object.assign(new Error(`it ended with ${over.code ?? over.signal}:\n${output}`), { final: true });
    return fs.existsSync(ready) && JSON.parse(fs.readFileSync(ready));
  }, ms);
  return { facts, child, ended, stop, output: () => output };
}

// Runs a program to its end: -> { code, signal, stdout, stderr }.
export function run(command, args = [], { env = {}, cwd, input } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data) => { stdout += data; });
    child.stderr.on('data', (data) => { stderr += data; });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

// The development certificates, made once and shared by all suites; looked at once by a process.
let certificatesMade;
export function certificates() {
  certificatesMade ??= makeCertificates();
  return certificatesMade;
}

async function makeCertificates() {
  const folder = path.join(rootDir, 'build/certs');
  const made = await run(path.join(rootDir, 'certs/make-dev-certs.sh'), [folder]);
  if (made.code !== 0) throw new Error(`make-dev-certs.sh: ${made.stderr}`);
  const file = (name) => path.join(folder, name);
  return { folder, file, ca: fs.readFileSync(file('ca.crt')) };
}

// Runs one test program in a process group of its own, with a time limit, and judges how it went.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { readTap } from './tap.mjs';

const graceMs = 2000; // from SIGTERM to SIGKILL, and for left-over processes to notice that they are alone
const groups = new Set();

// A program in a process group of its own, ended with this one: by killAll(), or if this one dies without a word by the kernel.
export function spawnGroup(command, args, options) {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], { ...options, detached: true });
  if (child.pid) groups.add(child.pid);
  return child;
}

// For when the runner itself is told to end.
export function killAll() {
  for (const group of groups) signal(group, 'SIGKILL');
}

function signal(group, name) {
  try {
    process.kill(-group, name);
    return true;
  } catch {
    return false; // it is gone
  }
}

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

async function gone(group, ms) {
  for (const end = Date.now() + ms; Date.now() < end; await pause(20)) if (!signal(group, 0)) return true;
  return !signal(group, 0);
}

// suite: { command, args, cwd, env, timeout (s), log (file) }
// -> what readTap() says, with faults for crash, exit status, time limit and left-over processes; seconds; output
export async function execute({ command, args = [], cwd, env, timeout, log }) {
  const began = Date.now();
  fs.mkdirSync(path.dirname(log), { recursive: true });
  const child = spawnGroup(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, output] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (data) => { stdout += data; output += data; });
  child.stderr.setEncoding('utf8').on('data', (data) => { output += data; });
  const faults = [];
  const timer = setTimeout(async () => {
    faults.push(`it was not done after ${timeout} s`);
    signal(child.pid, 'SIGTERM');
    if (!(await gone(child.pid, graceMs))) signal(child.pid, 'SIGKILL');
  }, timeout * 1000);
  const exit = await new Promise((resolve) => {
    child.on('error', (error) => resolve({ error }));
    child.on('exit', (code, by) => resolve({ code, by }));
  });
  clearTimeout(timer);
  if (child.pid) {
    if (!(await gone(child.pid, graceMs))) {
      if (faults.length === 0) faults.push('it left processes running');
      signal(child.pid, 'SIGKILL');
    }
    groups.delete(child.pid);
    if (!child.stdout.closed) await Promise.race([new Promise((resolve) => { child.on('close', resolve); }), pause(graceMs)]);
  }
  fs.writeFileSync(log, output);

  const tap = readTap(stdout);
  if (exit.error) faults.push(`it could not be started: ${exit.error.message}`);
  else if (faults.length === 0 && exit.by) faults.push(`it was killed by ${exit.by}`);
  else if (faults.length === 0 && exit.code !== 0 && tap.failed === 0 && tap.faults.length === 0) faults.push(`all tests passed but its exit status is ${exit.code}`);
  return { ...tap, faults: [...faults, ...tap.faults], seconds: (Date.now() - began) / 1000, output };
}

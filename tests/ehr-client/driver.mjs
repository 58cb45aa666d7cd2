// Drives build/<preset>/drivers/<name>: writes its configuration, sends commands, gives answers as promises.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { certificates, rootDir } from '../lib/process.mjs';
import { atEnd } from '../lib/tap.mjs';

const build = process.env.EPLAN_BUILD ?? path.join(rootDir, 'build/dev');
const answerMs = 30_000;

// Settings as a tree; a list of texts stays a list.
function yaml(value, indent = '') {
  return Object.entries(value).map(([key, it]) => {
    if (Array.isArray(it) && it.some((entry) => typeof entry === 'object')) {
      return `${indent}${key}:\n${it.map((entry) => `${indent}  - ${yaml(entry, `${indent}    `).trimStart()}`).join('')}`;
    }
    if (Array.isArray(it)) return `${indent}${key}: ${JSON.stringify(it)}\n`;
    if (typeof it === 'object') return `${indent}${key}:\n${yaml(it, `${indent}  `)}`;
    return `${indent}${key}: ${typeof it === 'string' ? JSON.stringify(it) : it}\n`;
  }).join('');
}

// gateway: settings of gateway.yaml; ehrs: those of each EHR's file. Returns the path of gateway.yaml.
export async function writeConfig(folder, { gateway = {}, ehrs }) {
  const { file } = await certificates();
  fs.mkdirSync(path.join(folder, 'ehrs.d'), { recursive: true });
  const tls = { 'certificate-file': file('server.crt'), 'key-file': file('server.key') };
  const whole = { environment: 'test', 'state-dir': path.join(folder, 'state'), tls, ...gateway };
  fs.writeFileSync(path.join(folder, 'gateway.yaml'), yaml(whole));
  for (const ehr of ehrs) {
    const settings = { timezone: 'America/Chicago', synthetic: true, tls: { 'ca-file': file('ca.crt') }, ...ehr };
    fs.writeFileSync(path.join(folder, 'ehrs.d', `${ehr.name}.yaml`), yaml(settings));
  }
  return path.join(folder, 'gateway.yaml');
}

export class Driver {
  #child;
  #answers = new Map();
  #n = 0;
  #rest = '';
  log = '';
  events = [];

  constructor(name, config, args = []) {
    this.#child = spawn(path.join(build, 'drivers', name), [config, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stdin.on('error', () => {});
    this.#child.stderr.on('data', (data) => { this.log += data; });
    this.#child.stdout.on('data', (data) => this.#read(data));
    this.ended = new Promise((resolve) => { this.#child.on('close', (code, signal) => { this.over = { code, signal }; resolve(this.over); }); });
    this.ended.then(() => this.#answers.forEach(({ reject }) => reject(new Error(`the driver ended:\n${this.log}`))));
    atEnd(async () => { this.#child.kill('SIGKILL'); await this.ended; });
  }

  #read(data) {
    const lines = (this.#rest + data).split('\n');
    this.#rest = lines.pop();
    for (const text of lines) {
      const line = JSON.parse(text);
      const waiting = this.#answers.get(line.n);
      if (!waiting) this.events.push(line);
      else if (line.page !== undefined) waiting.pages.push(line);
      else {
        this.#answers.delete(line.n);
        clearTimeout(waiting.timer);
        waiting.resolve({ ...line, pages: waiting.pages });
      }
    }
  }

  // { do, ... } -> its answer; with `walk` its pages too.
  call(command) {
    const n = (this.#n += 1);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to ${JSON.stringify(command)}\n${this.log}`)), answerMs);
      this.#answers.set(n, { resolve, reject, timer, pages: [] });
      this.#child.stdin.write(`${JSON.stringify({ n, ...command })}\n`);
    });
  }

  // Ends it as the daemon ends: all is torn down, and a sanitizer may complain.
  async end() {
    this.#child.stdin.end();
    return this.ended;
  }
}

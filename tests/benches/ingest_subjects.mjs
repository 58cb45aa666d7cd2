// What ./tests/bench ingest measures. A subject is { name, what, start }; start({ state, certs, onCore }) starts it with the
// empty folder `state` and gives { port, pid, path, header, output(), stop() }: where to POST, and the process to watch.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { secrets, writeConfig } from '../lib/daemon.mjs';
import { startServer, until } from '../lib/process.mjs';

const benches = path.join(process.env.EPLAN_BUILD, 'benches');

// A program of this folder: PROGRAM CERTIFICATE KEY DATABASE READY-FILE.
async function startProgram(name, { state, certs, onCore }) {
  const ready = path.join(state, 'ready.json');
  const [command, ...args] = onCore([path.join(benches, name), certs.file('server.crt'), certs.file('server.key'),
    path.join(state, 'rows.db'), ready]);
  const server = await startServer(command, args, { ready });
  return { port: server.facts.port, pid: server.child.pid, path: '/fhir/Observation', output: server.output, stop: server.stop };
}

// The gateway itself, with its presets but for an EHR whose evaluation is paused and which nobody can reach: what comes in
// waits. `ehr` overrides settings of that EHR.
export async function startGateway({ state, onCore }, ehr = {}) {
  const writeFiles = (more) => writeConfig(state, { ehrs: [{
    base: 'https://127.0.0.1:9/fhir', mode: 'shadow', evaluation: 'paused', subscriptions: [], ...ehr, ...more,
  }] });
  const config = await writeFiles();
  const log = path.join(state, 'gateway.log');
  const ready = path.join(state, 'gateway.ready');
  const fd = fs.openSync(log, 'a');
  const [command, ...args] = onCore([process.env.EPLAN_BINARY, 'run', '-c', config]);
  const child = spawn(command, args, { stdio: ['ignore', fd, fd] });
  fs.closeSync(fd);
  const output = () => fs.readFileSync(log, 'utf8').slice(-4000);
  let over;
  const ended = new Promise((resolve) => { child.on('exit', (code, signal) => { over = { code, signal }; resolve(over); }); });
  const stop = async () => {
    if (!over) child.kill('SIGTERM');
    return ended;
  };
  const facts = await until('the gateway to be ready', () => {
    if (over) throw Object.assign(new Error(`it ended with ${over.code ?? over.signal}:\n${output()}`), { final: true });
    return fs.existsSync(ready) && JSON.parse(fs.readFileSync(ready));
  });
  return {
    port: facts.port, pid: child.pid, path: '/fhir/Observation', header: ['Authorization', `Bearer ${secrets.engine}-north`],
    output, stop, config, reload: async (more) => { await writeFiles(more); child.kill('SIGHUP'); },
  };
}

export const yardstick = {
  name: 'bare',
  what: 'evhttp, TLS, grouped insert',
  start: (place) => startProgram('bench_bare_ingest', place),
};

export const subjects = [
  {
    name: 'http',
    what: 'the same through gateway/http: guards, copies, hand-over',
    start: (place) => startProgram('bench_http_ingest', place),
  },
  {
    name: 'eplan',
    what: 'eplan run: the whole way to the inbox, with its presets; evaluation paused',
    start: (place) => startGateway(place),
  },
];

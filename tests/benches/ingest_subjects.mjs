// What ./tests/bench ingest measures. A subject is { name, what, start }; start({ state, certs, onCore }) starts it with the
// empty folder `state` and gives { port, pid, path, header, output(), stop() }: where to POST, and the process to watch.
import path from 'node:path';
import { startServer } from '../lib/process.mjs';

const benches = path.join(process.env.EPLAN_BUILD, 'benches');

// A program of this folder: PROGRAM CERTIFICATE KEY DATABASE READY-FILE.
async function startProgram(name, { state, certs, onCore }) {
  const ready = path.join(state, 'ready.json');
  const [command, ...args] = onCore([path.join(benches, name), certs.file('server.crt'), certs.file('server.key'),
    path.join(state, 'rows.db'), ready]);
  const server = await startServer(command, args, { ready });
  return { port: server.facts.port, pid: server.child.pid, path: '/fhir/Observation', output: server.output, stop: server.stop };
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
];

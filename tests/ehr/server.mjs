// The test EHR: an HTTPS server on 127.0.0.1 around @medplum/fhir-router that keeps its state in a journal.
// See README.md beside this file for the options and the ready-file.
import fs from 'node:fs';
import https from 'node:https';
import { parseArgs } from 'node:util';
import { writeReadyFile, endWithStdin } from '../lib/server.mjs';
import { answer, failure } from './fhir.mjs';
import { capabilityStatement } from './model.mjs';
import { Repository } from './repository.mjs';
import { Smart } from './smart.mjs';
import { Hooks } from './subscriptions.mjs';

const maxBody = 16 * 1024 * 1024;
const keepAliveMs = 65_000;
const log = (line) => process.stderr.write(`${new Date().toISOString()} ${line}\n`);

function options() {
  const { values } = parseArgs({
    options: {
      key: { type: 'string' }, cert: { type: 'string' }, ca: { type: 'string' },
      port: { type: 'string', default: '0' }, ready: { type: 'string' }, journal: { type: 'string' },
      client: { type: 'string', multiple: true, default: [] }, 'bearer-file': { type: 'string' },
      'token-ttl': { type: 'string', default: '300' }, 'no-auth': { type: 'boolean', default: false },
      'end-with-stdin': { type: 'boolean', default: false },
    },
  });
  if (!values.key || !values.cert) throw new Error('--key FILE and --cert FILE are needed');
  for (const name of ['port', 'token-ttl']) {
    if (!/^\d+$/.test(values[name])) throw new Error(`--${name} must be a whole number, not ${values[name]}`);
  }
  const clients = Object.fromEntries(values.client.map((pair) => {
    const at = pair.indexOf('=');
    if (at < 1) throw new Error(`--client must be ID=JWKS-FILE, not ${pair}`);
    return [pair.slice(0, at), pair.slice(at + 1)];
  }));
  if (!values['no-auth'] && !values['bearer-file'] && values.client.length === 0) {
    throw new Error('say who may come in: --client ID=JWKS-FILE, --bearer-file FILE or --no-auth');
  }
  return { ...values, clients };
}

function readAll(request) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    let size = 0;
    request.on('data', (chunk) => ((size += chunk.length) > maxBody ? reject(new Error('the body is too large')) : chunks.push(chunk)));
    request.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.on('error', reject);
  });
}

function send(response, { status, headers = {}, body }) {
  const text = body === undefined ? '' : JSON.stringify(body);
  const type = body?.resourceType ? 'application/fhir+json; charset=utf-8' : 'application/json';
  response.writeHead(status, { ...(text ? { 'Content-Type': type } : {}), 'Cache-Control': 'no-store', ...headers, 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

function start(settings) {
  const tls = { key: fs.readFileSync(settings.key), cert: fs.readFileSync(settings.cert) };
  const server = https.createServer(tls);
  server.keepAliveTimeout = keepAliveMs;
  server.listen(+settings.port, '127.0.0.1', () => {
    const { port } = server.address();
    const origin = `https://127.0.0.1:${port}`;
    const base = `${origin}/fhir`;
    const repository = new Repository(base, settings.journal);
    const smart = new Smart({ clients: settings.clients, bearerFile: settings['bearer-file'], ttl: +settings['token-ttl'], tokenUrl: `${origin}/token` });
    const hooks = new Hooks(repository, { ca: settings.ca && fs.readFileSync(settings.ca), log });
    repository.onCommit = (versions) => Promise.resolve(repository.durable()).then(() => hooks.notify(versions));

    const open = {
      'GET /fhir/metadata': () => ({ status: 200, body: capabilityStatement(base, smart.tokenUrl) }),
      'GET /fhir/.well-known/smart-configuration': () => ({ status: 200, body: smart.configuration() }),
      'POST /token': (text) => { const [status, body] = smart.token(new URLSearchParams(text)); return { status, body }; },
    };
    server.on('request', async (request, response) => {
      try {
        const { method, url, headers } = request;
        const text = await readAll(request);
        const free = open[`${method} ${url.split('?')[0]}`];
        if (free) return send(response, free(text));
        if (!/^\/fhir(?=[/?]|$)/.test(url)) return send(response, { status: 404, body: { error: 'not found' } });
        if (!settings['no-auth']) smart.authorize(headers);
        const result = await answer({ method, path: url.slice('/fhir'.length).replace(/^\//, ''), headers, body: text }, repository, base);
        await repository.durable();
        return send(response, result);
      } catch (error) {
        return send(response, failure(error));
      }
    });
    writeReadyFile(settings.ready, { pid: process.pid, port, origin, base });
    log(`test EHR at ${base}`);
  });
  server.on('error', (error) => { log(error.message); process.exit(1); });
}

try {
  const settings = options();
  if (settings['end-with-stdin']) endWithStdin();
  start(settings);
} catch (error) {
  process.stderr.write(`test EHR: ${error.message}\n`);
  process.exit(64);
}

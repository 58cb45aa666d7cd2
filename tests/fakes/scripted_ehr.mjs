// An EHR on raw TLS sockets that misbehaves as a script says and keeps a truth log of all it saw, stored and answered.
// See README.md beside this file for options, rules and the log.
import crypto from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { parseArgs } from 'node:util';
import { endWithStdin, writeReadyFile } from '../lib/server.mjs';
import { formatReply, readRequests } from './http_wire.mjs';
import { profileOf } from './profiles.mjs';
import { loadScript, retryAfter } from './script.mjs';
import { outcome, Refused, SmallStore } from './small_store.mjs';

const releasePollMs = 10;

class ScriptedEhr {
  #requests = 0;
  #answering = 0; // the request whose commits are being logged; 0 is a seed or a test
  #connections = 0;
  #tokens = new Set();
  #sockets = new Set();

  constructor({ script, truth, auth, origin, profile }) {
    this.script = script;
    this.auth = auth;
    this.profile = profile;
    this.origin = origin;
    this.base = `${origin}/fhir`;
    this.truth = truth;
    this.#begin();
  }

  #begin() {
    this.store = new SmallStore(this.base, (commit) => this.#log({ event: 'commit', n: this.#answering, ...commit }), this.profile);
  }

  #log(line) {
    fs.writeSync(this.truth, JSON.stringify({ at: new Date().toISOString(), ...line }) + '\n');
  }

  // raw is the TCP socket under the TLS socket: only it can be reset.
  connect(raw, socket) {
    const connection = (this.#connections += 1);
    let onConnection = 0;
    this.#log({ event: 'connection', connection });
    socket.on('error', () => {}); // clients hang up too
    this.#sockets.add(raw);
    raw.on('close', () => this.#sockets.delete(raw));
    readRequests(socket, async (request) => {
      if (request.url.startsWith('/_test/')) return socket.write(formatReply(this.#backDoor(request, raw)));
      const n = (this.#requests += 1);
      onConnection += 1;
      this.#log({ event: 'request', n, connection, onConnection, ...request });
      const action = (await this.script(request)) ?? { do: 'pass' };
      await this.#perform(action, request, n, raw, socket);
    });
  }

  async #perform(action, request, n, raw, socket) {
    if (action.release) {
      while (!fs.existsSync(action.release) && !socket.destroyed) await new Promise((resolve) => { setTimeout(resolve, releasePollMs); });
    }
    const normal = action.do === 'pass' || action.commit ? this.#normal(request, n) : undefined;
    const answer = action.do === 'reply' ? scripted(action) : normal;
    const done = (what) => this.#log({ event: 'answer', n, do: action.do, ...(action.rule === undefined ? {} : { rule: action.rule }), ...what });
    switch (action.do) {
      case 'hang':
        return done({});
      case 'reset':
        done({});
        return raw.resetAndDestroy();
      case 'hang-up': {
        const part = answer && action.replyBytes ? formatReply(answer).slice(0, action.replyBytes) : '';
        done({ replyBytes: part.length });
        return socket.end(part);
      }
      default:
        done({ status: answer.status });
        return action.close ? socket.end(formatReply(answer)) : socket.write(formatReply(answer));
    }
  }

  #normal(request, n) {
    this.#answering = n;
    const { pathname, searchParams } = new URL(request.url, this.origin);
    try {
      if (pathname === '/token' && request.method === 'POST') return this.#token();
      if (!pathname.startsWith('/fhir/')) throw new Refused(404, `nothing is at ${pathname}`);
      const path = pathname.slice('/fhir/'.length);
      if (path === '.well-known/smart-configuration') return { status: 200, body: this.#smart() };
      if (path === 'metadata') return { status: 200, body: this.#metadata() };
      const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
      if (this.auth && !this.#tokens.has(token)) return { status: 401, headers: { 'WWW-Authenticate': 'Bearer' }, body: outcome('no valid token', 'login') };
      return this.store.answer({ ...request, path, query: searchParams });
    } catch (error) {
      if (error instanceof Refused) return { status: error.status, body: outcome(error.message) };
      if (error instanceof SyntaxError) return { status: 400, body: outcome(error.message) };
      throw error;
    } finally {
      this.#answering = 0;
    }
  }

  #token() {
    const token = crypto.randomBytes(16).toString('hex');
    this.#tokens.add(token);
    return { status: 200, body: { access_token: token, token_type: 'bearer', expires_in: 300, scope: 'system/*.cruds' } };
  }

  #smart() {
    return {
      token_endpoint: `${this.origin}/token`, grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: ['private_key_jwt'], token_endpoint_auth_signing_alg_values_supported: ['ES384', 'RS384'],
      capabilities: ['client-confidential-asymmetric', 'permission-v2'],
    };
  }

  #metadata() {
    const types = ['Patient', 'Encounter', 'Observation', 'CarePlan', 'Goal', 'ServiceRequest', 'DocumentReference', 'Subscription', 'Device', 'Practitioner'];
    const codes = (...list) => list.map((code) => ({ code }));
    const searchParam = [
      ...['identifier', 'code', 'category', 'status', '_id'].map((name) => ({ name, type: 'token' })),
      ...['patient', 'subject', 'encounter'].map((name) => ({ name, type: 'reference' })),
      ...['date', '_lastUpdated'].map((name) => ({ name, type: 'date' })),
    ];
    const interaction = codes('read', 'vread', 'create', 'update', 'delete', 'search-type', 'history-instance');
    const normal = (type) => ({ type, interaction, versioning: 'versioned-update', conditionalCreate: true, searchParam });
    return {
      resourceType: 'CapabilityStatement', status: 'active', date: '2026-01-01', kind: 'instance', fhirVersion: '4.0.1', format: ['json'],
      implementation: { description: 'scripted EHR', url: this.base },
      rest: [{ mode: 'server', resource: types.map((type) => ({ ...normal(type), ...this.#profiled(type) })) }],
    };
  }

  // What the profile's statement says of a type. None of the four large ones fills `versioning` (WRITEBACK 3.1).
  #profiled(type) {
    const offered = this.profile?.types[type];
    if (!offered) return {};
    const words = { c: 'create', u: 'update', r: 'read' };
    return {
      interaction: [...offered].map((letter) => ({ code: words[letter] })).concat({ code: 'search-type' }),
      searchParam: this.profile.search.map((name) => ({ name, type: 'token' })),
      conditionalCreate: this.profile.condition === 'kept',
      versioning: this.profile.match === 'kept' ? 'versioned-update' : undefined,
    };
  }

  // For tests only, past the script and the count of requests: POST /_test/commit stores a resource as it stands,
  // POST /_test/edit sets some elements of one that is there, as a person at the EHR does.
  // POST /_test/begin makes another EHR of it: nothing in it, an empty log, nobody connected but who asks.
  #backDoor({ method, url, body }, asker) {
    if (method === 'POST' && url === '/_test/begin') {
      for (const raw of this.#sockets) if (raw !== asker) raw.destroy();
      [this.#requests, this.#connections] = [0, 0];
      fs.ftruncateSync(this.truth);
      this.#begin();
      return { status: 200, body: {} };
    }
    if (method === 'POST' && url === '/_test/edit') {
      const { resourceType, id, set } = JSON.parse(body);
      const edited = this.store.edit(resourceType, id, set);
      return edited ? { status: 200, body: edited } : { status: 404, body: outcome('it is not there') };
    }
    if (method !== 'POST' || url !== '/_test/commit') return { status: 404, body: outcome('only POST /_test/commit, /_test/edit and /_test/begin') };
    return { status: 200, body: this.store.put(JSON.parse(body), 'test', true) };
  }
}

function scripted({ status, headers = {}, body, retryAfter: wait }) {
  return { status, headers: { ...retryAfter(wait), ...headers }, body: body ?? outcome(`scripted ${status}`) };
}

async function main() {
  const { values } = parseArgs({
    options: {
      key: { type: 'string' }, cert: { type: 'string' }, port: { type: 'string', default: '0' }, ready: { type: 'string' },
      script: { type: 'string' }, truth: { type: 'string' }, seed: { type: 'string' }, auth: { type: 'boolean', default: false },
      profile: { type: 'string' }, writable: { type: 'boolean', default: false },
      'end-with-stdin': { type: 'boolean', default: false },
    },
  });
  for (const name of ['key', 'cert', 'truth']) if (!values[name]) throw new Error(`--${name} FILE is needed`);
  if (!/^\d+$/.test(values.port)) throw new Error(`--port must be a whole number, not ${values.port}`);
  const script = await loadScript(values.script);
  const secureContext = tls.createSecureContext({ key: fs.readFileSync(values.key), cert: fs.readFileSync(values.cert) });
  const truth = fs.openSync(values.truth, 'a', 0o600);
  const seed = values.seed ? fs.readFileSync(values.seed, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line)) : [];
  if (values['end-with-stdin']) endWithStdin();

  const server = net.createServer();
  server.on('error', (error) => { process.stderr.write(`scripted EHR: ${error.message}\n`); process.exit(1); });
  server.listen(+values.port, '127.0.0.1', () => {
    const { port } = server.address();
    const ehr = new ScriptedEhr({ script, truth, auth: values.auth, profile: values.profile && profileOf(values.profile, values.writable), origin: `https://127.0.0.1:${port}` });
    for (const resource of seed) ehr.store.put(resource, 'seed', true);
    server.on('connection', (raw) => {
      raw.on('error', () => {});
      ehr.connect(raw, new tls.TLSSocket(raw, { isServer: true, secureContext, ALPNProtocols: ['http/1.1'] }));
    });
    writeReadyFile(values.ready, { pid: process.pid, port, origin: ehr.origin, base: ehr.base });
  });
}

main().catch((error) => {
  process.stderr.write(`scripted EHR: ${error.message}\n`);
  process.exit(64);
});

// A gateway of the test's own: its folder of configuration, the daemon, and the verbs that ask it.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Client } from './fhir_client.mjs';
import { alive, certificates, rootDir, run, until } from './process.mjs';
import { atEnd, atLast } from './tap.mjs';

export const binary = process.env.EPLAN_BINARY ?? path.join(rootDir, 'build/dev/eplan');
export const secrets = { vitals: 'subscription-secret-of-this-test-1', engine: 'sender-secret-of-this-test-2' };

// JSON is YAML but for long keys: one document, written whole.
const yaml = (value) => Object.entries(value).map(([key, entry]) => `${key}: ${JSON.stringify(entry)}\n`).join('');

function secretFile(folder, name, text) {
  const file = path.join(folder, name);
  fs.writeFileSync(file, `${text}\n`, { mode: 0o600 });
  fs.chmodSync(file, 0o600);
  return name;
}

// What every EHR of these tests has; `given` overrides. With a short settle and an overlap for one clock.
export function ehrConfig(folder, ca, { name = 'north', base, payload = 'full', ...given }) {
  return {
    name,
    'base-url': base,
    mode: 'live',
    synthetic: true,
    timezone: 'America/Chicago',
    settle: { wait: '300ms', most: '2s' },
    tls: { 'ca-file': ca },
    subscriptions: [{ name: 'vitals', criteria: 'Observation?category=vital-signs', payload, 'secret-file': secretFile(folder, `${name}.vitals`, `${secrets.vitals}-${name}`) }],
    'subscription-check': '2s',
    poll: { interval: '0s', overlap: '10s', queries: ['Observation?category=vital-signs'] },
    senders: [{ name: 'engine', 'secret-file': secretFile(folder, `${name}.engine`, `${secrets.engine}-${name}`) }],
    budget: { 'requests-per-minute': 100000, 'writes-per-minute': 100000, parallel: 8 },
    deadline: { connect: '3s', read: '5s', write: '5s' },
    'unknown-settle': '200ms',
    retry: { first: '100ms', most: '1s', tries: 200 },
    ...given,
  };
}

// Writes gateway.yaml and ehrs.d below `folder` -> the path of gateway.yaml.
export async function writeConfig(folder, { ehrs, gateway = {} }) {
  const { file } = await certificates();
  const ehrsDir = path.join(folder, 'ehrs.d');
  fs.mkdirSync(ehrsDir, { recursive: true });
  for (const old of fs.readdirSync(ehrsDir)) if (old.endsWith('.yaml')) fs.rmSync(path.join(ehrsDir, old));
  for (const ehr of ehrs) {
    const all = ehrConfig(ehrsDir, file('ca.crt'), ehr);
    fs.writeFileSync(path.join(ehrsDir, `${all.name}.yaml`), yaml(all));
  }
  const key = path.join(folder, 'server.key');
  fs.copyFileSync(file('server.key'), key);
  fs.chmodSync(key, 0o600);
  const config = path.join(folder, 'gateway.yaml');
  fs.writeFileSync(config, yaml({
    environment: 'test',
    'state-dir': path.join(folder, 'state'),
    mappings: path.join(rootDir, 'mappings/healthy-weight'),
    listen: { port: 0, 'public-url': 'https://127.0.0.1:0', 'ready-file': path.join(folder, 'gateway.ready') },
    tls: { 'certificate-file': file('server.crt'), 'key-file': key, 'client-ca-file': file('ca.crt') },
    drain: '5s',
    lease: '2s',
    ...gateway,
  }));
  return config;
}

// The verbs: await eplan(config, 'status', '--open') -> { code, stdout, stderr, json }.
export async function eplan(config, verb, ...args) {
  const ended = await run(binary, [verb, '-c', config, ...args]);
  return { ...ended, json: () => JSON.parse(ended.stdout) };
}

// Whatever a suite did to a gateway: at its end every rule of INVARIANTS.md holds in each store it had. An episode of
// ../faults looks by itself, and takes its folder away. `false` in startDaemon: the suite damages the store on purpose.
const stores = new Map();
function verifyAtLast(config, env) {
  if (!stores.has(config)) atLast(`eplan verify: every rule holds (${path.basename(path.dirname(config))})`, () => fs.existsSync(config) && verifiedAs(stores.get(config), config));
  stores.set(config, env);
}

// Starts `eplan run`. log: a file that takes all it says, kept over restarts; spawnWith: a command put before it. -> what a
// test needs of it.
export async function startDaemon(folder, config, { env = {}, ms = 20_000, spawnWith = [], verify = true } = {}) {
  if (verify) verifyAtLast(config, env);
  const ready = path.join(folder, 'gateway.ready');
  const log = path.join(folder, 'gateway.log');
  fs.rmSync(ready, { force: true });
  const from = fs.existsSync(log) ? fs.statSync(log).size : 0;
  const fd = fs.openSync(log, 'a');
  const [program, ...args] = [...spawnWith, binary, 'run', '-c', config];
  const child = spawn(program, args, { stdio: ['ignore', fd, fd], env: { ...process.env, ...env } });
  fs.closeSync(fd);
  let over;
  const ended = new Promise((resolve) => { child.on('exit', (code, signal) => { over = { code, signal }; resolve(over); }); });
  atEnd(() => { if (!over) child.kill('SIGKILL'); return ended; });
  const output = () => fs.readFileSync(log, 'utf8').slice(from);
  const lines = (event) => output().split('\n').filter((line) => line.includes(`"event":"${event}"`)).map((line) => JSON.parse(line));
  const facts = await until('the gateway to be ready', () => {
    if (over) throw Object.assign(new Error(`it ended with ${over.code ?? over.signal}:\n${output()}`), { final: true });
    return fs.existsSync(ready) && JSON.parse(fs.readFileSync(ready));
  }, ms);
  const { ca } = await certificates();
  const stop = async (signal = 'SIGTERM') => {
    if (!over) child.kill(signal);
    return ended;
  };
  const origin = `https://127.0.0.1:${facts.port}`;
  return {
    facts, origin, config, log, output, lines, ended, stop,
    hangup: () => child.kill('SIGHUP'),
    signal: (name) => child.kill(name),
    isRunning: () => alive(child.pid),
    client: (token) => new Client(origin, { ca, token }),
    status: async (...args) => (await eplan(config, 'status', '--json', ...args)).json(),
    show: async (what, ...args) => (await eplan(config, 'show', '--json', what, ...args)).json(),
  };
}

// Starts it where it must not start -> { code, stderr }.
export async function refusedStart(config, env = {}) {
  return run(binary, ['run', '-c', config], { env });
}

// Nothing is under way: every evaluation and every write has ended.
export async function settled(daemon, ehr = 'north', { evaluations = 1, ms = 30_000 } = {}) {
  const ends = ['done', 'handed-over', 'held', 'dropped'];
  const open = (counts = {}, more = []) => Object.entries(counts).filter(([state]) => ![...ends, ...more].includes(state)).reduce((sum, [, count]) => sum + count, 0);
  return until('all visits to come to their end', async () => {
    const { ehrs } = await daemon.status();
    const one = ehrs.find((entry) => entry.ehr === ehr);
    const ended = Object.entries(one.evaluations ?? {}).filter(([state]) => ends.includes(state)).reduce((sum, [, count]) => sum + count, 0);
    return ended >= evaluations && open(one.evaluations) === 0 && open(one.changes, ['delivered']) === 0 && one;
  }, ms);
}

// The Subscription of the gateway stands at the EHR and fires.
export const subscribed = (ehr, name = 'vitals') => until('the Subscription to be active', async () => {
  const found = await ehr.client.all('Subscription');
  return found.find(({ status, channel }) => status === 'active' && channel.endpoint.endsWith(`/${name}`));
});

// What a notification of the EHR looks like, made by hand.
export const notify = (daemon, { ehr = 'north', body, secret = `${secrets.vitals}-${ehr}`, below = '', method = 'POST' } = {}) => daemon
  .client(secret).request(method, `notify/${ehr}/vitals${below}`, body ?? '', { 'Content-Type': 'application/fhir+json' });

// `eplan verify` finds nothing: every rule of INVARIANTS.md holds, running or stopped. With `state`: in that folder.
export const verified = (config, ...state) => verifiedAs({}, config, ...state);

async function verifiedAs(env, config, ...state) {
  const { code, stdout, stderr } = await run(binary, ['verify', '-c', config, ...state], { env });
  if (code !== 0) throw new Error(`eplan verify ended with ${code}:\n${stdout}${stderr}`);
}

// The quickstart behind gateway/quickstart: a test EHR, the gateway, five children who do not exist, and their story.
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { validateResource } from '@medplum/core';
import '../ehr/model.mjs'; // the profiles that validateResource needs
import { admit } from '../lib/children.mjs';
import { Client } from '../lib/fhir_client.mjs';
import { certificates, rootDir, startServer, testsDir, until } from '../lib/process.mjs';
import { Story } from './story.mjs';

const { values: options } = parseArgs({ options: { once: { type: 'boolean' }, fresh: { type: 'boolean' } } });
const deadlineMs = 5 * 60_000;
const folder = path.join(rootDir, 'build/quickstart');
const binary = path.join(rootDir, 'build/release/eplan');
const at = (name) => path.join(folder, name);
const shown = (file) => path.relative(rootDir, file);
const say = (line = '') => process.stdout.write(`${line}\n`);

// The children, and what is to be seen in each.
const cast = [
  { kind: 'overweight', given: 'Amara', family: 'Lindqvist', shows: 'a proposed plan' },
  { kind: 'obesity1', given: 'Teo', family: 'Marchetti', shows: 'a proposed plan with a laboratory order to sign' },
  { kind: 'healthy', given: 'Ines', family: 'Okafor', shows: 'nothing to propose' },
  { kind: 'held', given: 'Juna', family: 'Petrov', shows: 'a weight that cannot be right: held' },
  { kind: 'handedOver', given: 'Mila', family: 'Sorensen', shows: 'no template: handed to a clinician' },
];

const children = [];
let gateway;
let ehr;

function end(status) {
  if (gateway && gateway.exitCode === null) gateway.kill('SIGTERM');
  const over = gateway ? new Promise((resolve) => { if (gateway.exitCode !== null) resolve(); else gateway.once('exit', resolve); }) : Promise.resolve();
  const late = setTimeout(() => process.exit(status || 1), 10_000);
  over.then(() => ehr?.stop()).finally(() => { clearTimeout(late); process.exit(status); });
}

function fail(error) {
  process.stderr.write(`quickstart: ${error.message}\n`);
  if (error.cause) process.stderr.write(`  ${error.cause.message ?? error.cause}\n`);
  process.stderr.write(`  the gateway's log: ${shown(at('gateway.log'))}\n`);
  end(1);
}

// ---- what must be there before anything starts ----

function secret(name) {
  if (!fs.existsSync(at(name))) fs.writeFileSync(at(name), `${crypto.randomBytes(24).toString('hex')}\n`, { mode: 0o600 });
  return fs.readFileSync(at(name), 'utf8').trim();
}

const isFree = (port) => new Promise((resolve) => {
  const probe = net.createServer().once('error', () => resolve(false));
  probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
});

async function freePort(wanted) {
  if (await isFree(wanted)) return wanted;
  return new Promise((resolve) => { const probe = net.createServer().listen(0, '127.0.0.1', () => { const { port } = probe.address(); probe.close(() => resolve(port)); }); });
}

// The EHR's port is part of who it is: once chosen it stays.
async function choosePorts() {
  const file = at('ports.json');
  const kept = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file)) : {};
  const ports = { gateway: await freePort(kept.gateway ?? 18443), ehr: kept.ehr ?? await freePort(18080) };
  if (!await isFree(ports.ehr)) throw new Error(`port ${ports.ehr}, where this quickstart's EHR lives, is taken; free it, or start anew with --fresh`);
  fs.writeFileSync(file, JSON.stringify(ports));
  return ports;
}

// conf/quickstart.yaml itself, or a copy with other ports.
function configure(ports) {
  const conf = path.join(rootDir, 'conf');
  if (ports.gateway === 18443 && ports.ehr === 18080) return path.join(conf, 'quickstart.yaml');
  const change = (text) => text.replaceAll('18443', ports.gateway).replaceAll('18080', ports.ehr).replaceAll('../../', `${rootDir}/`).replaceAll('../', `${rootDir}/`);
  fs.mkdirSync(at('conf/quickstart.d'), { recursive: true });
  for (const name of ['quickstart.yaml', 'quickstart.d/clinic.yaml']) fs.writeFileSync(at(`conf/${name}`), change(fs.readFileSync(path.join(conf, name), 'utf8')));
  return at('conf/quickstart.yaml');
}

// ---- the two servers ----

async function startEhr(certs, port) {
  secret('clinic.token');
  const args = [path.join(testsDir, 'ehr/server.mjs'), '--key', certs.file('server.key'), '--cert', certs.file('server.crt'), '--ca', certs.file('ca.crt'), '--port', String(port),
    '--journal', at('ehr.journal'), '--bearer-file', at('clinic.token'), '--ready', at('ehr.ready'), '--end-with-stdin'];
  ehr = await startServer(process.execPath, args, { ready: at('ehr.ready') });
  return new Client(ehr.facts.base, { ca: certs.ca, token: secret('clinic.token') });
}

async function startGateway(config) {
  secret('clinic.secret');
  fs.rmSync(at('gateway.ready'), { force: true });
  const log = fs.openSync(at('gateway.log'), 'a');
  const from = fs.fstatSync(log).size;
  gateway = spawn('setpriv', ['--pdeathsig', 'TERM', '--', binary, 'run', '-c', config], { stdio: ['ignore', log, log] });
  fs.closeSync(log);
  let over = false;
  gateway.on('exit', () => { over = true; });
  const output = () => fs.readFileSync(at('gateway.log'), 'utf8').slice(from);
  await until('the gateway to be ready', () => {
    if (over) throw Object.assign(new Error('the gateway did not start', { cause: output() }), { final: true });
    return fs.existsSync(at('gateway.ready'));
  }, 30_000);
  return { output };
}

// ---- the children ----

async function admitAll(client, story) {
  const file = at('children.json');
  if (fs.existsSync(file)) children.push(...JSON.parse(fs.readFileSync(file)));
  const missing = cast.filter(({ given }) => !children.some((child) => child.given === given));
  if (missing.length < cast.length) {
    say('\nThe children of an earlier run are known already; nothing is written again. What was decided then:');
    await story.recall();
  }
  if (missing.length === 0) return;
  await until('the Subscription to be active at the EHR', async () => (await client.all('Subscription')).some(({ status }) => status === 'active'), 60_000);
  say('\nMade-up children come to their well-child visit:');
  for (const one of missing) {
    const { patient, encounter, weight, height } = await admit(client, one.kind, { given: one.given, family: one.family });
    children.push({ ...one, id: patient.id });
    fs.writeFileSync(file, JSON.stringify(children));
    story.tell(`${one.given}: Patient, Encounter (${encounter.class.code}), weight ${weight.valueQuantity.value} kg, height ${height.valueQuantity.value} cm`);
  }
}

async function readBack(client) {
  for (const child of children.filter(({ kind }) => ['overweight', 'obesity1'].includes(kind))) {
    const plans = (await client.all(`CarePlan?subject=Patient/${child.id}`)).filter(({ status }) => status === 'draft');
    if (plans.length !== 1) throw new Error(`${child.given} has ${plans.length} draft plans in the EHR`);
    const goals = await client.all(`Goal?subject=Patient/${child.id}`);
    for (const resource of [...plans, ...goals]) validateResource(resource);
    say(`\nThe plan of ${child.given} as the EHR holds it (CarePlan and ${goals.length} Goals; FHIR R4 validation by @medplum/core passed):`);
    say(JSON.stringify(plans[0], null, 2));
  }
}

function whereNext(config) {
  const eplan = `${shown(binary)}`;
  const c = `-c ${shown(config)}`;
  say('\nWhere to look next:');
  say(`  ${eplan} status --open ${c}        EHRs, queues, and each visit that waits for a person`);
  say(`  ${eplan} show ${children[0].id} ${c}        the whole way of ${children[0].given}'s visit, and why`);
  say(`  mappings/healthy-weight/        the rules that decided; ${eplan} test mappings/healthy-weight runs their cases`);
  say(`  ${shown(at('gateway.log'))}        the gateway's log: ids only, never a child`);
  say(`  ${ehr.facts.base}        the EHR; its token is in ${shown(at('clinic.token'))}`);
  if (rootDir.startsWith('/var/tmp/')) say(`  all of these are below ${rootDir}`);
}

async function main() {
  if (options.fresh) fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const certs = await certificates();
  const ports = await choosePorts();
  const config = configure(ports);
  const client = await startEhr(certs, ports.ehr);
  const { output } = await startGateway(config);
  say(`The test EHR runs at ${ehr.facts.base}, the gateway at https://127.0.0.1:${ports.gateway}.`);
  const story = new Story({ binary, config, output, children, say });
  await admitAll(client, story);
  say('\nWhat the gateway does:');
  await story.untilAllEnded(deadlineMs);
  await readBack(client);
  whereNext(config);
  if (options.once) return end(0);
  say('\nIt runs until Ctrl-C; new measurements in the EHR are told here.');
  return story.goOn();
}

process.on('SIGINT', () => end(0));
process.on('SIGTERM', () => end(0));
setTimeout(() => { if (options.once) fail(new Error('not done within five minutes')); }, deadlineMs).unref();
main().catch(fail);

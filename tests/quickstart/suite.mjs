// suite: timeout=900 needs=build presets=release serial
// The promises of the quickstart: the first run ends with the plans read back, a second writes no clinical resource;
// --fresh, taken ports, Ctrl-C.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { alive, rootDir, run, until } from '../lib/process.mjs';
import { atEnd, finish, test } from '../lib/tap.mjs';

const quickstart = path.join(rootDir, 'gateway/quickstart');
const journal = path.join(rootDir, 'build/quickstart/ehr.journal');

// type/id -> versionId of all that the EHR holds, Subscriptions left out.
function versions() {
  const found = {};
  const take = (resource) => {
    if (resource?.resourceType && resource.resourceType !== 'Subscription') found[`${resource.resourceType}/${resource.id}`] = resource.meta.versionId;
  };
  for (const line of fs.readFileSync(journal, 'utf8').split('\n').filter(Boolean)) {
    const entry = JSON.parse(line);
    for (const one of Array.isArray(entry) ? entry : entry.changes ?? [entry]) take(one.resource ?? one);
  }
  return found;
}

let before;

test('from another directory, it ends with 0 and prints plans that the EHR holds', async () => {
  const { code, stdout, stderr } = await run(quickstart, ['--once'], { cwd: os.tmpdir() });
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  assert.equal(stdout.match(/"resourceType": "CarePlan"/g)?.length, 2, stdout);
  assert.match(stdout, /FHIR R4 validation by @medplum\/core passed/);
  for (const told of [/Juna: HELD: .*implausible/, /Mila: HANDED OVER/, /CarePlan written and read back|of an earlier run/]) assert.match(stdout, told);
  before = versions();
  assert.ok(Object.keys(before).some((key) => key.startsWith('CarePlan/')));
}, { timeout: 540_000 });

test('a second run finds the same EHR and store, and every version is as it was', async () => {
  const { code, stdout, stderr } = await run(quickstart, ['--once'], { cwd: '/' });
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  assert.deepEqual(versions(), before);
}, { timeout: 300_000 });

const ports = () => JSON.parse(fs.readFileSync(path.join(rootDir, 'build/quickstart/ports.json'), 'utf8'));
const children = () => JSON.parse(fs.readFileSync(path.join(rootDir, 'build/quickstart/children.json'), 'utf8')).map(({ id }) => id);

// Holds a port as another program would; false: somebody holds it already, which is as good.
const hold = (port) => new Promise((resolve) => {
  const server = net.createServer().once('error', () => resolve({ close: () => {} }));
  server.listen(port, '127.0.0.1', () => resolve(server));
});

test('--fresh forgets EHR and store, and where its ports are taken it takes others', async () => {
  const [was, known] = [ports(), children()];
  const held = await Promise.all([18443, 18080, was.gateway, was.ehr].map(hold));
  const { code, stdout, stderr } = await run(quickstart, ['--once', '--fresh']);
  held.forEach((one) => one.close());
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  assert.doesNotMatch(stdout, /of an earlier run/);
  assert.match(stdout, /Amara: CarePlan written and read back/);
  assert.deepEqual(children().filter((id) => known.includes(id)), []);
  assert.deepEqual(Object.values(ports()).filter((port) => [18443, 18080, was.gateway, was.ehr].includes(port)), []);
}, { timeout: 300_000 });

test("its EHR's port is taken by another: one line says so and what to do", async () => {
  const other = await hold(ports().ehr);
  const { code, stdout, stderr } = await run(quickstart, ['--once']);
  other.close();
  assert.equal(code, 1, stdout);
  assert.match(stderr, new RegExp(`^quickstart: port ${ports().ehr}, where this quickstart's EHR lives, is taken; free it, or start anew with --fresh$`, 'm'));
}, { timeout: 120_000 });

test('Ctrl-C ends the gateway and the EHR, with status 0; nothing is left running', async () => {
  const child = spawn(quickstart, [], { stdio: ['ignore', 'pipe', 'pipe'], detached: true }); // a group of its own, as a terminal has it
  let told = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => { told += data; });
  const ended = new Promise((resolve) => { child.on('exit', (code, signal) => resolve({ code, signal })); });
  atEnd(() => { try { process.kill(-child.pid, 'SIGKILL'); } catch { /* all have ended */ } });
  await until('it to run until Ctrl-C', () => told.includes('It runs until Ctrl-C'), 240_000);
  const gateway = JSON.parse(fs.readFileSync(path.join(rootDir, 'build/quickstart/gateway.ready'), 'utf8')).pid;
  assert.ok(alive(gateway));
  process.kill(-child.pid, 'SIGINT');
  assert.deepEqual(await ended, { code: 0, signal: null }, told);
  assert.ok(!alive(gateway), 'the gateway still runs');
  assert.throws(() => process.kill(-child.pid, 0), { code: 'ESRCH' }); // nobody of the group is left
  await Promise.all(Object.values(ports()).map((port) => new Promise((resolve, reject) => {
    net.connect(port, '127.0.0.1').once('connect', () => reject(new Error(`somebody listens on ${port}`))).once('error', resolve);
  })));
}, { timeout: 280_000 });

test('what it does not know is a wrong usage', async () => {
  const { code, stderr } = await run(quickstart, ['--twice']);
  assert.equal(code, 64);
  assert.equal(stderr, 'quickstart: does not know "--twice"; see --help\n');
});

await finish();

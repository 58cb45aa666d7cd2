// suite: timeout=180 needs=build presets=release,asan-ubsan
// Sealed records end to end: the store says nothing of a child, keys follow one another, a missing one is told at the start.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { admit, plansOf } from '../lib/children.mjs';
import { binary, eplan, refusedStart, startDaemon, verified, writeConfig } from '../lib/daemon.mjs';
import { startTestEhr } from '../lib/ehrs.mjs';
import { run, scratch, until } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';

const folder = scratch('seal');
const ehr = await startTestEhr(folder);
const keys = path.join(folder, 'seal.keys');
const line = (number) => `${number} ${randomBytes(32).toString('hex')}`;
const [first, second] = [line(1), line(2)];
const setKeys = (...lines) => fs.writeFileSync(keys, `# the current one first\n${lines.join('\n')}\n`, { mode: 0o600 });
const configure = (seal) => writeConfig(folder, { ehrs: [{ base: ehr.base, subscriptions: [], poll: { interval: '300ms', overlap: '20s', queries: ['Observation?category=vital-signs'] } }], gateway: { ...(seal && { seal }) } });
const inFiles = (text) => fs.readdirSync(path.join(folder, 'state')).filter((name) => name.startsWith('store.db') && fs.readFileSync(path.join(folder, 'state', name)).includes(text));
let config = await configure();
let daemon;

const plan = (patient) => until('the plan', async () => (await plansOf(ehr.client, patient)).length === 1);

test('without keys nothing is sealed, and check-config says so', async () => {
  daemon = await startDaemon(folder, config);
  const { patient } = await admit(ehr.client, 'overweight');
  await plan(patient.id);
  assert.match((await eplan(config, 'check-config')).stdout, /stored records: not sealed \(seal\.key-file is not set\)/);
  assert.notDeepEqual(inFiles('"valueQuantity"'), []);
  await daemon.stop();
  const rotate = await eplan(config, 'rotate');
  assert.deepEqual([rotate.code, rotate.stderr], [64, 'eplan: records are not sealed here: seal.key-file names no keys\n']);
});

test('with a key: rotate seals what was there, new records are sealed, and the files say nothing of a child', async () => {
  setKeys(first);
  config = await configure({ 'key-file': keys });
  daemon = await startDaemon(folder, config);
  assert.match((await eplan(config, 'check-config')).stdout, /stored records: sealed/);
  assert.match((await eplan(config, 'rotate')).stdout, /^[1-9]\d* records were sealed under the current key\n$/);
  const { patient } = await admit(ehr.client, 'obesity1');
  await plan(patient.id);
  const { evaluations } = await daemon.show(patient.id);
  assert.equal(evaluations[0].trace.outcome, 'proposal'); // it is read back
  await verified(config);
  await daemon.stop();
  const copy = path.join(folder, 'copy.db');
  assert.equal((await eplan(config, 'backup', copy)).code, 0);
  for (const text of ['"valueQuantity"', 'CarePlan/', '"resourceType"', 'percentile']) assert.ok(!fs.readFileSync(copy).includes(text), text);
});

test('the key changes while it runs, and the old one may go when all is sealed anew', async () => {
  setKeys(second, first);
  daemon = await startDaemon(folder, config);
  const { patient } = await admit(ehr.client, 'overweight');
  await plan(patient.id);
  assert.equal((await eplan(config, 'rotate')).code, 0);
  await verified(config);
  await daemon.stop();
  setKeys(second);
  daemon = await startDaemon(folder, config);
  assert.equal((await daemon.show(patient.id)).evaluations[0].trace.outcome, 'proposal');
  await daemon.stop();
});

test('a missing key is told at the start, with its number and how many records need it', async () => {
  setKeys(first);
  const { code, stderr } = await refusedStart(config);
  assert.equal(code, 1);
  assert.match(stderr, /^error: [1-9]\d* records are sealed under key 2, which is not given \[seal-key\]/m);
  const state = path.join(folder, 'state');
  const blind = await run(binary, ['verify', state]);
  assert.equal(blind.code, 0);
  assert.match(blind.stdout, /sealed under keys that are not here: checksums only/);
  setKeys(second);
  await verified(config);
});

test('a credential of the service manager serves as well as a file', async () => {
  const credentials = path.join(folder, 'credentials');
  fs.mkdirSync(credentials);
  fs.copyFileSync(keys, path.join(credentials, 'seal'));
  fs.chmodSync(path.join(credentials, 'seal'), 0o400);
  config = await configure({ credential: 'seal' });
  assert.match((await refusedStart(config)).stderr, /there is no credential "seal": CREDENTIALS_DIRECTORY is not set/);
  daemon = await startDaemon(folder, config, { env: { CREDENTIALS_DIRECTORY: credentials } });
  assert.equal((await daemon.status()).running, true);
  await daemon.stop();
});

await finish();

// suite: timeout=240 needs=build presets=release,asan-ubsan
// An EHR that is away, tokens that run out, strangers at the door.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { admit, plansOf } from '../lib/children.mjs';
import { notify, secrets, settled, startDaemon, subscribed, writeConfig } from '../lib/daemon.mjs';
import { startScriptedEhr, startTestEhr } from '../lib/ehrs.mjs';
import { Client } from '../lib/fhir_client.mjs';
import { certificates, scratch, until } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';

const certs = await certificates();
const one = async (client, patient) => until('the CarePlan', async () => { const found = await plansOf(client, patient); return found.length === 1 && found[0]; });

test('the EHR goes down and comes back: status says so and what to do, then the plan is written once', async () => {
  const folder = scratch('down');
  const ehr = await startTestEhr(folder);
  const { port } = ehr;
  const config = await writeConfig(folder, { ehrs: [{ base: ehr.base }] });
  const daemon = await startDaemon(folder, config);
  await subscribed(ehr);
  const { patient, weight } = await admit(ehr.client, 'overweight');
  await ehr.server.stop('SIGKILL');
  await until('the fetch to fail', async () => { const [north] = (await daemon.status()).ehrs; return north.condition === 'failing' && north.error; });
  const [north] = (await daemon.status()).ehrs;
  assert.ok(north.error.length > 0 && north.do.length > 0, JSON.stringify(north));
  assert.equal((await notify(daemon, { body: weight })).status, 200); // receiving goes on
  const back = await startTestEhr(folder, ['--no-auth', '--port', String(port)]);
  await one(back.client, patient.id);
  await settled(daemon);
  assert.equal((await daemon.status()).ehrs[0].condition, 'well');
});

async function withTokens(alg, seconds) {
  const folder = scratch(`token-${alg}`);
  const keys = JSON.parse(fs.readFileSync(certs.file('smart-jwks.json'))).keys;
  const { kid } = keys.find((key) => key.alg === alg);
  const bearer = `${folder}/test.token`;
  fs.writeFileSync(bearer, 'token-of-the-test\n', { mode: 0o600 });
  const ehr = await startTestEhr(folder, ['--client', `eplan=${certs.file('smart-jwks.json')}`, '--token-ttl', String(seconds), '--bearer-file', bearer]);
  const client = new Client(ehr.base, { ca: certs.ca, token: 'token-of-the-test' });
  const key = `${folder}/smart.key`;
  fs.copyFileSync(certs.file(`smart-${alg.toLowerCase()}.key`), key);
  fs.chmodSync(key, 0o600);
  const config = await writeConfig(folder, { ehrs: [{ base: ehr.base, auth: { kind: 'smart', 'client-id': 'eplan', 'key-file': key, 'key-id': kid, algorithm: alg } }] });
  const daemon = await startDaemon(folder, config);
  await subscribed({ client });
  return { client, daemon };
}

for (const alg of ['ES384', 'RS384']) {
  test(`${alg}: tokens that run out every second are renewed, and nothing is written twice`, async () => {
    const { client, daemon } = await withTokens(alg, 1);
    const ids = [];
    for (let i = 0; i < 3; i += 1) {
      const { patient } = await admit(client, 'overweight');
      await one(client, patient.id);
      ids.push(patient.id);
    }
    await settled(daemon, 'north', { evaluations: 3 });
    for (const id of ids) assert.equal((await plansOf(client, id)).length, 1);
  });
}

test('wrong secret 401, another EHR\'s path 403, not JSON 400 with its place, wrong type 415, too large 413; nothing is stored', async () => {
  const folder = scratch('door');
  const ehr = await startTestEhr(folder);
  const config = await writeConfig(folder, { ehrs: [{ base: ehr.base, subscriptions: [] }, { name: 'south', base: 'https://127.0.0.1:9/fhir' }], gateway: { limits: { body: '64KiB' } } });
  const daemon = await startDaemon(folder, config);
  const client = (secret) => daemon.client(secret);
  const good = `${secrets.engine}-north`;
  const said = ({ status, body }) => [status, body.issue?.[0]?.diagnostics];
  assert.deepEqual(said(await client('wrong').post('fhir/north/Observation', {})), [401, 'send Authorization: Bearer with the secret that was agreed']);
  assert.deepEqual(said(await client(undefined).post('fhir/north/Observation', {})), [401, 'send Authorization: Bearer with the secret that was agreed']);
  assert.deepEqual(said(await client(good).post('fhir/south/Observation', {})), [403, 'this sender may not use this path']);
  const broken = await client(good).post('fhir/north/Observation', '{"resourceType":"Observation",}');
  assert.equal(broken.status, 400);
  assert.match(broken.body.issue[0].diagnostics, /1:\d+|line 1|column/);
  assert.deepEqual(said(await client(good).post('fhir/north/Observation', 'hello', { 'Content-Type': 'text/plain' })), [415, 'send Content-Type: application/fhir+json']);
  const large = await client(good).post('fhir/north/Observation', `{"resourceType":"Observation","id":"${'x'.repeat(70_000)}"}`).catch((error) => ({ status: error.code }));
  assert.ok([413, 'EPIPE', 'ECONNRESET'].includes(large.status), String(large.status));
  const { ehrs } = await daemon.status();
  for (const { messages = {} } of ehrs) assert.deepEqual(messages, {});
});

test('an EHR with a certificate that nobody we know has signed is not talked to, and status says so', async () => {
  const folder = scratch('stranger');
  const ehr = await startTestEhr(folder);
  const other = `${folder}/other`;
  const { run } = await import('../lib/process.mjs');
  const made = await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${other}.key`, '-out', `${other}.crt`, '-subj', '/CN=another authority', '-days', '2']);
  assert.equal(made.code, 0, made.stderr);
  const daemon = await startDaemon(folder, await writeConfig(folder, { ehrs: [{ base: ehr.base, tls: { 'ca-file': `${other}.crt` } }] }));
  const north = await until('the refusal', async () => { const [entry] = (await daemon.status()).ehrs; return entry.error && entry; });
  assert.match(`${north.error} ${north.do}`, /certificate/i);
  assert.deepEqual(await ehr.client.all('Subscription'), []);
});

test('an answer that is lost after the EHR committed: looked up, not written again', async () => {
  const folder = scratch('lost');
  const script = `${folder}/script.json`;
  fs.writeFileSync(script, JSON.stringify([
    { method: 'POST', path: '^/fhir/CarePlan', nth: 1, do: 'hang-up', commit: true, why: 'the answer is lost' },
    { method: 'POST', path: '^/fhir/Goal', nth: 2, do: 'reset', commit: true, why: 'the connection is reset behind the commit' },
  ]));
  const ehr = await startScriptedEhr(folder, { script });
  const daemon = await startDaemon(folder, await writeConfig(folder, { ehrs: [{ base: ehr.base, subscriptions: [], poll: { interval: '200ms', overlap: '10s', queries: ['Observation?category=vital-signs'] } }] }));
  await admit(ehr.client, 'overweight');
  await settled(daemon);
  const commits = fs.readFileSync(ehr.truth, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line)).filter(({ event, op }) => event === 'commit' && op !== 'read');
  const of = (type) => commits.filter((commit) => commit.type === type).length;
  assert.deepEqual([of('CarePlan'), of('Goal')], [1, 5]);
});

await finish();

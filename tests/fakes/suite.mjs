// suite: timeout=60
// The scripted EHR does what its script says, says in its truth log what it did, and is a plain FHIR server otherwise.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { startScriptedEhr } from '../lib/ehrs.mjs';
import { Client } from '../lib/fhir_client.mjs';
import { certificates, scratch, until } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';

const plan = (value) => ({ resourceType: 'CarePlan', status: 'draft', intent: 'proposal', subject: { reference: 'Patient/p1' }, identifier: [{ system: 'urn:x', value }] });

async function withScript(rules, work, { args, name = 'script.json' } = {}) {
  const folder = scratch('scripted');
  const script = path.join(folder, name);
  fs.writeFileSync(script, typeof rules === 'string' ? rules : JSON.stringify(rules));
  const ehr = await startScriptedEhr(folder, { script, args });
  const log = (event) => fs.readFileSync(ehr.truth, 'utf8').trim().split('\n').map((line) => JSON.parse(line)).filter((line) => !event || line.event === event);
  try {
    await work({ ...ehr, log, folder });
  } finally {
    ehr.client.close();
    await ehr.server.stop();
  }
}
const fails = (promise, code) => assert.rejects(promise, (error) => (assert.equal(error.code, code), true));

test('without a script: create once, update with If-Match, history, delete, search with pages', () => withScript([], async ({ client, base, log }) => {
  const made = await client.post('CarePlan', plan('1'), { 'If-None-Exist': 'identifier=urn%3Ax%7C1' });
  assert.equal(made.status, 201);
  assert.equal(made.headers.location, `${base}/CarePlan/${made.body.id}/_history/1`);
  const again = await client.post('CarePlan', plan('1'), { 'If-None-Exist': 'identifier=urn%3Ax%7C1' });
  assert.deepEqual([again.status, again.body.id], [200, made.body.id]);
  const url = `CarePlan/${made.body.id}`;
  assert.equal((await client.put(url, { ...made.body, status: 'active' }, { 'If-Match': 'W/"1"' })).headers.etag, 'W/"2"');
  assert.equal((await client.put(url, made.body, { 'If-Match': 'W/"1"' })).status, 412);
  assert.equal((await client.get(`${url}/_history/1`)).body.status, 'draft');
  assert.equal((await client.get(`${url}/_history`)).body.entry.length, 2);
  for (const n of ['2', '3', '4']) await client.post('CarePlan', plan(n));
  const first = await client.get('CarePlan?patient=p1&_count=3');
  assert.equal(first.body.link[1].relation, 'next');
  assert.equal((await client.all('CarePlan?patient=Patient/p1&status=draft,active&_count=3')).length, 4);
  assert.equal((await client.get('CarePlan?colour=blue')).status, 400);
  assert.equal((await client.delete(url)).status, 204);
  assert.equal((await client.get(url)).status, 410);
  assert.deepEqual(log('commit').map(({ op }) => op), ['create', 'update', 'create', 'create', 'create', 'delete']);
  assert.equal(log('connection').length, 1, 'keep-alive');
}));

test('Observations are found by code, encounter, date and time of change', () => withScript([], async ({ client }) => {
  const weight = (date) => ({
    resourceType: 'Observation', status: 'final', subject: { reference: 'Patient/p1' }, encounter: { reference: 'Encounter/e1' },
    effectiveDateTime: date, code: { coding: [{ system: 'http://loinc.org', code: '29463-7' }] },
  });
  const { body: early } = await client.post('Observation', weight('2026-05-01T09:00:00-06:00'));
  const { body: late } = await client.post('Observation', weight('2026-05-08'));
  const ids = async (query) => (await client.all(`Observation?${query}`)).map(({ id }) => id);
  assert.deepEqual(await ids('code=8302-2,http://loinc.org%7C29463-7&encounter=e1'), [early.id, late.id]);
  assert.deepEqual(await ids('date=2026-05-01'), [early.id]);
  assert.deepEqual(await ids('date=ge2026-05-02'), [late.id]);
  assert.deepEqual(await ids(`_lastUpdated=ge${early.meta.lastUpdated}&_sort=-date`), [late.id, early.id]);
  assert.deepEqual(await ids('_lastUpdated=gt2999-01-01'), []);
}));

test('commit and hang up, with nothing and with half an answer', () => withScript([
  { method: 'POST', path: '^/fhir/CarePlan', nth: 1, do: 'hang-up', commit: true },
  { method: 'POST', path: '^/fhir/CarePlan', nth: 2, do: 'hang-up', commit: true, replyBytes: 200 },
], async ({ client, log }) => {
  await fails(client.post('CarePlan', plan('1')), 'ECONNRESET');
  await fails(client.post('CarePlan', plan('2')), 'ECONNRESET');
  assert.equal((await client.post('CarePlan', plan('3'))).status, 201);
  assert.equal(log('commit').length, 3);
  assert.deepEqual(log('answer').map((line) => [line.do, line.rule, line.replyBytes]), [['hang-up', 0, 0], ['hang-up', 1, 200], ['pass', undefined, undefined]]);
}));

test('hang up and reset without commit store nothing', () => withScript([
  { method: 'POST', nth: 1, do: 'hang-up' }, { method: 'POST', nth: 2, do: 'reset' },
], async ({ client, log }) => {
  // Node calls an orderly end "hang up", and names the call that an RST broke.
  await assert.rejects(client.post('CarePlan', plan('1')), /socket hang up/);
  await assert.rejects(client.post('CarePlan', plan('2')), /read ECONNRESET/);
  assert.equal(log('commit').length, 0);
}));

test('on a reused connection the commit happens and the connection ends', () => withScript([
  { method: 'POST', do: 'hang-up', commit: true, nth: 1 },
], async ({ client, log }) => {
  await client.get('CarePlan');
  await fails(client.post('CarePlan', plan('1')), 'ECONNRESET');
  const [, post] = log('request');
  assert.deepEqual([post.connection, post.onConnection], [1, 2]);
}));

test('hang: no answer while the client waits, others are served', () => withScript([{ method: 'POST', do: 'hang', commit: true }], async ({ client, log }) => {
  let answered = false;
  client.post('CarePlan', plan('1')).then(() => { answered = true; }, () => {});
  await until('the commit', () => log('commit').length === 1);
  assert.equal((await client.get('CarePlan')).body.entry.length, 1);
  assert.equal(answered, false);
}));

test('412, 429 with every kind of Retry-After, 5xx', () => withScript([
  { nth: 1, do: 'reply', status: 412 },
  { nth: 2, do: 'reply', status: 429, retryAfter: 5 },
  { nth: 3, do: 'reply', status: 429, retryAfter: { date: 60 } },
  { nth: 4, do: 'reply', status: 429, retryAfter: { date: -86400 } },
  { nth: 5, do: 'reply', status: 429, retryAfter: '99999999999999999999' },
  { nth: 6, do: 'reply', status: 429 },
  { nth: 7, times: 2, do: 'reply', status: 503, headers: { 'X-Busy': 'yes' } },
], async ({ client }) => {
  const answers = [];
  for (let i = 0; i < 9; i += 1) answers.push(await client.get('CarePlan'));
  assert.deepEqual(answers.map(({ status }) => status), [412, 429, 429, 429, 429, 429, 503, 503, 200]);
  const waits = answers.map(({ headers }) => headers['retry-after']);
  assert.deepEqual([waits[1], waits[4], waits[5]], ['5', '99999999999999999999', undefined]);
  assert.ok(Date.parse(waits[2]) > Date.now() + 50_000 && Date.parse(waits[3]) < Date.now());
  assert.deepEqual([answers[6].headers['x-busy'], answers[6].body.resourceType], ['yes', 'OperationOutcome']);
}));

test('wrong JSON, a login page with 200, a redirect on a write', () => withScript([
  { nth: 1, do: 'reply', status: 200, body: '{"resourceType":' },
  { nth: 2, do: 'reply', status: 200, headers: { 'Content-Type': 'text/html' }, body: '<html>please log in</html>' },
  { method: 'POST', do: 'reply', status: 307, headers: { Location: 'https://elsewhere.example.org/' } },
], async ({ client, log }) => {
  await assert.rejects(client.get('CarePlan'), SyntaxError);
  const page = await client.get('CarePlan');
  assert.deepEqual([page.status, page.headers['content-type'], page.body], [200, 'text/html', '<html>please log in</html>']);
  const redirect = await client.post('CarePlan', plan('1'));
  assert.deepEqual([redirect.status, redirect.headers.location, log('commit').length], [307, 'https://elsewhere.example.org/', 0]);
}));

test('an answer waits until it is released', async () => {
  const flag = path.join(scratch('release'), 'go');
  await withScript([{ method: 'POST', do: 'pass', release: flag }], async ({ client, log }) => {
    const answer = client.post('CarePlan', plan('1'));
    await until('the request', () => log('request').length === 1);
    assert.equal(log('commit').length, 0);
    fs.writeFileSync(flag, '');
    assert.equal((await answer).status, 201);
  });
});

test('a normal answer, then the connection is closed unannounced', () => withScript([{ nth: 1, do: 'pass', close: true }], async ({ client, log }) => {
  const first = await client.get('CarePlan');
  assert.deepEqual([first.status, first.headers.connection], [200, undefined]);
  await until('a request on a new connection', async () => {
    await client.get('CarePlan').catch((error) => assert.equal(error.code, 'ECONNRESET'));
    return log('request').at(-1).connection === 2;
  });
}));

test('a script can be a function in an .mjs file', () => withScript(
  "export default ({ headers, method }) => method === 'POST' && !headers['if-none-exist'] ? { do: 'reply', status: 422 } : undefined;",
  async ({ client }) => {
    assert.equal((await client.post('CarePlan', plan('1'))).status, 422);
    assert.equal((await client.post('CarePlan', plan('1'), { 'If-None-Exist': 'identifier=urn:x|1' })).status, 201);
  }, { name: 'script.mjs' }));

test('tokens are asked for and checked with --auth', () => withScript([], async ({ client, origin }) => {
  assert.equal((await client.get('CarePlan')).status, 401);
  const { body: smart } = await client.get('.well-known/smart-configuration');
  assert.equal(smart.token_endpoint, `${origin}/token`);
  client.token = (await client.post(smart.token_endpoint, 'grant_type=client_credentials')).body.access_token;
  assert.equal((await client.get('CarePlan')).status, 200);
}, { args: ['--auth'] }));

test('the back door stores a late change outside the script and the count; seeds keep their ids', async () => {
  const seed = path.join(scratch('seed'), 'seed.ndjson');
  fs.writeFileSync(seed, '{"resourceType":"Patient","id":"p1"}\n');
  await withScript([{ nth: 1, do: 'reply', status: 500 }], async ({ client, origin, log }) => {
    const late = { ...plan('late'), id: 'late', meta: { lastUpdated: '2026-01-01T00:00:00.000Z' } };
    assert.equal((await client.post(`${origin}/_test/commit`, late)).status, 200);
    assert.equal((await client.get('CarePlan/late')).status, 500);
    assert.equal((await client.get('CarePlan/late')).body.meta.lastUpdated, late.meta.lastUpdated);
    assert.equal((await client.get('Patient/p1')).status, 200);
    assert.deepEqual(log('commit').map(({ n, op, id }) => [n, op, id]), [[0, 'seed', 'p1'], [0, 'test', 'late']]);
  }, { args: ['--seed', seed] });
});

test('the back door makes another EHR of it: nothing stored, an empty log, and nobody connected', () => withScript([], async ({ client, origin, base, log }) => {
  const other = new Client(base, { ca: (await certificates()).ca });
  await other.post('CarePlan', { ...plan('1'), id: 'one' });
  await client.post(`${origin}/_test/begin`, {});
  assert.deepEqual((await client.get('CarePlan?patient=p1')).body.entry, undefined);
  assert.deepEqual(log().map(({ event, n }) => [event, n]), [['request', 1], ['answer', 1]]);
  other.close();
}));

test('mistakes in a script are named', async () => {
  for (const [rules, message] of [[[{ do: 'explode' }], /rule 1: do must be one of/], [[{ do: 'pass' }, { do: 'pass', colour: 1 }], /rule 2: unknown key colour/], [{}, /a script is a list of rules/]]) {
    await assert.rejects(withScript(rules, () => {}), (error) => (assert.match(error.message, message), true));
  }
});

await finish();

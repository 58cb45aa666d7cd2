// suite: timeout=600 needs=build presets=asan-ubsan
// Calls to an EHR end as they should: against the test EHR, and against the scripted one where an EHR misbehaves.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { startScriptedEhr, startTestEhr } from '../lib/ehrs.mjs';
import { certificates, scratch, until } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';
import { Driver, writeConfig } from './driver.mjs';

const quick = { retry: { first: '100ms', most: '15min' } };
const plan = (value, status = 'draft') => ({ resourceType: 'CarePlan', status, intent: 'proposal', subject: { reference: 'Patient/p1' }, identifier: [{ system: 'urn:x', value }] });
const oncePlan = (value) => ({ do: 'create', type: 'CarePlan', system: 'urn:x', value, body: plan(value) });
const weight = (i) => ({ resourceType: 'Observation', id: `w${i}`, status: 'final', code: { coding: [{ system: 'http://loinc.org', code: '29463-7' }] }, subject: { reference: 'Patient/p1' } });

async function withDriver(settings, work, name = 'ehr') {
  const folder = scratch(name);
  const driver = new Driver('ehr_driver', await writeConfig(folder, { ehrs: [{ name: 'north', ...quick, ...settings }] }));
  await work(driver);
  const { code, signal } = await driver.end();
  assert.deepEqual([code, signal], [0, null], `the driver ends well:\n${driver.log}`);
}

// rules: the script; work({ driver, log(event), ...ehr })
async function withScript(rules, work, { settings = {}, args, seed, name = 'script.json' } = {}) {
  const folder = scratch('scripted');
  const script = path.join(folder, name);
  fs.writeFileSync(script, typeof rules === 'string' ? rules : JSON.stringify(rules));
  const all = [...(args ?? [])];
  if (seed) {
    fs.writeFileSync(path.join(folder, 'seed.ndjson'), seed.map((it) => `${JSON.stringify(it)}\n`).join(''));
    all.push('--seed', path.join(folder, 'seed.ndjson'));
  }
  const ehr = await startScriptedEhr(folder, { script, args: all });
  const log = (event) => fs.readFileSync(ehr.truth, 'utf8').trim().split('\n').filter(Boolean).map((line) => JSON.parse(line)).filter((line) => !event || line.event === event);
  try {
    await withDriver({ 'base-url': ehr.base, ...settings }, (driver) => work({ ...ehr, driver, log }));
  } finally {
    ehr.client.close();
    await ehr.server.stop();
  }
}

let testEhr;
const sharedEhr = async () => (testEhr ??= await startTestEhr(scratch('ehr-client')));
const onTestEhr = (work, settings = {}) => async () => {
  const ehr = await sharedEhr();
  await withDriver({ 'base-url': ehr.base, ...settings }, (driver) => work(driver, ehr));
};

// ---- against the test EHR ----

test('read: what is there, what is not, what is gone', onTestEhr(async (driver, { client }) => {
  const { body } = await client.post('Patient', { resourceType: 'Patient', active: true });
  const read = await driver.call({ do: 'read', type: 'Patient', id: body.id });
  assert.deepEqual([read.outcome, read.id, read.version, read.resource.id], ['done', body.id, body.meta.versionId, body.id]);
  assert.ok(Math.abs(read.date - Date.now() / 1000) < 60);
  assert.deepEqual(await driver.call({ do: 'read', type: 'Patient', id: 'nobody' }).then((it) => [it.outcome, it.status]), ['absent', 404]);
  await client.delete(`Patient/${body.id}`);
  assert.deepEqual(await driver.call({ do: 'read', type: 'Patient', id: body.id }).then((it) => [it.outcome, it.status]), ['absent', 410]);
}));

test('what cannot be part of a URL is not sent', onTestEhr(async (driver) => {
  for (const command of [{ type: 'patient', id: '1' }, { type: 'Patient', id: '../x' }, { type: 'Patient', id: '' }]) {
    assert.equal((await driver.call({ do: 'read', ...command })).status, 'invalid');
  }
  assert.equal((await driver.call({ do: 'search', type: 'Patient', query: 'a=b\r\nX: y' })).status, 'invalid');
}));

test('a conditional create with none, one and two matches', onTestEhr(async (driver, { client }) => {
  const first = await driver.call(oncePlan('once'));
  assert.deepEqual([first.outcome, first.status, first.created, first.resource.resourceType], ['done', 201, true, 'CarePlan']);
  const second = await driver.call(oncePlan('once'));
  assert.deepEqual([second.outcome, second.status, second.created, second.id, second.version], ['done', 200, false, first.id, first.version]);
  for (let i = 0; i < 2; i += 1) await client.post('CarePlan', plan('twice'));
  const third = await driver.call(oncePlan('twice'));
  assert.deepEqual([third.outcome, third.status], ['conflict', 412]);
  const found = await driver.call({ do: 'find', type: 'CarePlan', system: 'urn:x', value: 'twice' });
  assert.deepEqual([found.outcome, found.ids.length], ['done', 2]);
  assert.equal((await driver.call({ do: 'find', type: 'CarePlan', system: 'urn:x', value: 'never' })).ids.length, 0);
}));

test('an update with the version that stands, and with another', onTestEhr(async (driver) => {
  const made = await driver.call(oncePlan('updated'));
  const body = { ...made.resource, description: 'new' };
  const good = await driver.call({ do: 'update', type: 'CarePlan', id: made.id, version: made.version, body });
  assert.deepEqual([good.outcome, good.resource.description], ['done', 'new']);
  assert.notEqual(good.version, made.version);
  const late = await driver.call({ do: 'update', type: 'CarePlan', id: made.id, version: made.version, body });
  assert.deepEqual([late.outcome, late.status], ['conflict', 412]);
}));

test('a resource the EHR finds wrong is refused, and nothing of a message is repeated', onTestEhr(async (driver) => {
  const wrong = await driver.call({ do: 'create', type: 'CarePlan', body: { ...plan('wrong'), subject: undefined, colour: 'Ana Example' } });
  assert.equal(wrong.outcome, 'refused');
  assert.match(wrong.detail, /^HTTP 4\d\d: .*; the EHR does not accept the request$/);
  assert.doesNotMatch(wrong.detail + driver.log, /Ana/);
}));

test('a search collects all pages, each resource once', onTestEhr(async (driver, { client }) => {
  const { body: patient } = await client.post('Patient', { resourceType: 'Patient', active: true });
  const ids = [];
  for (let i = 0; i < 25; i += 1) {
    const { id, ...rest } = weight(i);
    ids.push((await client.post('Observation', { ...rest, subject: { reference: `Patient/${patient.id}` } })).body.id);
  }
  const query = `patient=Patient/${patient.id}&code=http://loinc.org|29463-7&_count=10`;
  const all = await driver.call({ do: 'search', type: 'Observation', query });
  assert.equal(all.outcome, 'done');
  assert.deepEqual(all.ids.toSorted(), ids.toSorted());
  const walk = await driver.call({ do: 'walk', type: 'Observation', query });
  assert.deepEqual(walk.pages.map((page) => [page.page, page.ids.length, page.last]), [[1, 10, false], [2, 10, false], [3, 5, true]]);
  assert.equal((await driver.call({ do: 'search', type: 'Observation', query, pages: 2 })).fault, 'too-many-pages');
  assert.equal((await driver.call({ do: 'search', type: 'Observation', query: 'colour=blue' })).outcome, 'refused');
}));

test('the CapabilityStatement is fetched at the start', onTestEhr(async (driver) => {
  assert.equal((await driver.call({ do: 'ability', type: 'CarePlan' })).known, false);
  await driver.call({ do: 'start' });
  await until('the statement', async () => (await driver.call({ do: 'health' })).capability);
  const { create, conditional, versioned, identifier } = await driver.call({ do: 'ability', type: 'CarePlan' });
  assert.deepEqual([create, conditional, versioned, identifier], [true, true, true, true]);
  assert.equal((await driver.call({ do: 'ability', type: 'Spaceship' })).create, false);
}));

// ---- a write whose answer is lost ----

const posts = (log) => log('request').filter(({ method }) => method === 'POST');

test('commit and hang up on a fresh connection: unknown, one POST, found by identifier', () => withScript([
  { method: 'POST', nth: 1, do: 'hang-up', commit: true },
], async ({ driver, log }) => {
  const lost = await driver.call(oncePlan('a'));
  assert.deepEqual([lost.outcome, lost.fault, lost.status], ['unknown', 'hang-up', 0]);
  assert.equal((await driver.call({ do: 'find', type: 'CarePlan', system: 'urn:x', value: 'a' })).ids.length, 1);
  assert.equal(posts(log).length, 1);
}));

test('commit and hang up on a reused connection: unknown, one POST', () => withScript([
  { method: 'POST', nth: 1, do: 'hang-up', commit: true },
], async ({ driver, log }) => {
  await driver.call({ do: 'search', type: 'CarePlan', query: 'patient=p1' });
  assert.equal((await driver.call(oncePlan('a'))).outcome, 'unknown');
  assert.equal(posts(log).length, 1);
  assert.equal(log('commit').length, 1);
  assert.equal(posts(log)[0].onConnection, 2, 'it went over the connection of the search');
}));

test('half an answer to a write, a reset, a hang beyond the deadline: unknown', () => withScript([
  { method: 'POST', nth: 1, do: 'hang-up', commit: true, replyBytes: 120 },
  { method: 'POST', nth: 2, do: 'reset', commit: true },
  { method: 'POST', nth: 3, do: 'hang', commit: true },
], async ({ driver, log }) => {
  assert.equal((await driver.call(oncePlan('a'))).outcome, 'unknown');
  assert.equal((await driver.call(oncePlan('b'))).outcome, 'unknown');
  const late = await driver.call(oncePlan('c'));
  assert.deepEqual([late.outcome, late.fault], ['unknown', 'timeout']);
  assert.equal(posts(log).length, 3);
}, { settings: { deadline: { write: '500ms' } } }));

test('an unanswered read is again; an unreachable EHR is again, for writes too', () => withScript([
  { method: 'GET', nth: 1, do: 'hang-up' }, { method: 'GET', nth: 2, do: 'reset' }, { method: 'GET', nth: 3, do: 'pass' },
], async ({ driver, server }) => {
  assert.deepEqual(await driver.call({ do: 'read', type: 'Patient', id: '1' }).then((it) => [it.outcome, it.fault]), ['again', 'hang-up']);
  assert.equal((await driver.call({ do: 'read', type: 'Patient', id: '1' })).outcome, 'again');
  assert.equal((await driver.call({ do: 'read', type: 'Patient', id: '1' })).outcome, 'absent');
  await server.stop();
  const down = await driver.call(oncePlan('a'));
  assert.deepEqual([down.outcome, down.fault], ['again', 'connect']);
  assert.ok(down.wait > 0);
}));

// ms: from now, by the minute below
const minute = (ms) => new Date(Date.now() + ms).toISOString().slice(0, 16).replace('T', ' ');
const hour = 3_600_000;
const downNow = { timezone: 'Z', downtime: [`${minute(-hour)} - ${minute(hour)}`, `${minute(hour)} - ${minute(2 * hour)}`], 'catch-up': { 'requests-per-minute': 6 } };
test('down by plan: nothing is sent, nothing is raised, and it goes on afterwards at the catch-up rate', () => withScript([], async ({ driver, log }) => {
  for (const command of [{ do: 'read', type: 'Patient', id: '1' }, oncePlan('a')]) {
    const { outcome, fault, wait } = await driver.call(command);
    assert.deepEqual([outcome, fault], ['again', 'downtime']);
    assert.ok(wait > 1.9 * hour && wait <= 2 * hour, `to the end of both windows: ${wait} ms`);
  }
  assert.equal(log('request').length, 0);
  assert.notEqual((await driver.call({ do: 'health' })).condition, 'failing');
  assert.doesNotMatch(driver.log, /ehr-paused/);
  await driver.call({ do: 'advance', ms: 2 * hour });
  const late = driver.call(oncePlan('a'));
  assert.equal(await Promise.race([late.then(() => 'sent'), driver.call({ do: 'health' }).then(() => 'waits')]), 'waits', 'not at once');
  await driver.call({ do: 'advance', ms: 60_000 });
  assert.equal((await late).outcome, 'done');
}, { settings: downNow }));

test('500, 502, 504: a read is again, a write unknown', () => withScript([500, 502, 504].flatMap((status, i) => [
  { method: 'GET', path: 'CarePlan', nth: i + 1, do: 'reply', status }, { method: 'POST', nth: i + 1, do: 'reply', status },
]), async ({ driver, log }) => {
  for (let i = 0; i < 3; i += 1) {
    assert.equal((await driver.call({ do: 'read', type: 'CarePlan', id: '1' })).outcome, 'again');
    assert.equal((await driver.call(oncePlan('a'))).outcome, 'unknown');
    assert.equal(posts(log).length, i + 1);
    await driver.call({ do: 'advance', ms: 1_000_000 });
    assert.equal((await driver.call({ do: 'read', type: 'Patient', id: '1' })).outcome, 'absent');
  }
}));

test('400 and 422 are refused, 412 and 409 a conflict, 202 unknown', () => withScript(
  [400, 422, 412, 409, 202].map((status, i) => ({ method: 'POST', nth: i + 1, do: 'reply', status })),
  async ({ driver }) => {
    for (const outcome of ['refused', 'refused', 'conflict', 'conflict', 'unknown']) {
      assert.equal((await driver.call(oncePlan('a'))).outcome, outcome);
    }
  }));

// ---- being asked to wait ----

const waits = [
  ['seconds', 24, 20_000, 24_000], ['a date', { date: 60 }, 55_000, 61_000], ['a date in the past', { date: -86_400 }, 1, 1000],
  ['something absurd', '99999999999999999999', 890_000, 900_000], ['nothing', undefined, 40, 200], ['nonsense', 'soon', 40, 200],
];
test('429 with every kind of Retry-After', () => withScript(
  waits.map(([, retryAfter], i) => ({ method: 'POST', nth: 2 * i + 1, do: 'reply', status: 429, ...(retryAfter === undefined ? {} : { retryAfter }) })),
  async ({ driver, log }) => {
    for (const [i, [what, , least, most]] of waits.entries()) {
      const asked = await driver.call(oncePlan(`a${i}`));
      assert.deepEqual([asked.outcome, asked.fault], ['again', 'throttled'], what);
      assert.ok(asked.wait >= least && asked.wait <= most, `${what}: it waits ${asked.wait} ms`);
      const { condition, advice } = await driver.call({ do: 'health' });
      assert.deepEqual([condition, advice !== ''], ['asked-to-wait', true]);
      if (least > 1000) {
        assert.equal((await driver.call(oncePlan(`a${i}`))).outcome, 'again', 'the others wait as well');
        assert.equal(posts(log).length, 2 * i + 1, 'without asking');
      }
      await driver.call({ do: 'advance', ms: most + 1000 });
      assert.equal((await driver.call(oncePlan(`a${i}`))).outcome, 'done');
      assert.equal((await driver.call({ do: 'health' })).condition, 'well');
    }
  }));

test('429 with a ratelimit header only, as Medplum sends it', () => withScript([
  { nth: 1, do: 'reply', status: 429, headers: { ratelimit: '"fhirInteractions";r=0;t=24' } },
], async ({ driver }) => {
  const asked = await driver.call({ do: 'read', type: 'Patient', id: '1' });
  assert.ok(asked.wait > 20_000 && asked.wait <= 24_000);
}));

test('an outage: the alarm is raised once and cleared once, and few requests are made', () => withScript([
  { path: '^/fhir/Patient', times: 12, do: 'reply', status: 503 },
], async ({ driver, log }) => {
  await until('the EHR to be well again', async () => {
    await driver.call({ do: 'read', type: 'Patient', id: '1' });
    await driver.call({ do: 'advance', ms: 500 });
    return log('request').length > 12 && (await driver.call({ do: 'health' })).condition === 'well';
  });
  assert.equal(driver.log.match(/"event":"ehr-paused"/g).length, 1);
  assert.equal(driver.log.match(/"event":"ehr-well"/g).length, 1);
}));

// ---- answers that are none ----

test('a login page, wrong JSON, an OperationOutcome: a read is unreadable, a write unknown', () => withScript([
  { nth: 1, times: 2, do: 'reply', status: 200, headers: { 'Content-Type': 'text/html' }, body: '<html>please log in</html>' },
  { nth: 3, do: 'reply', status: 200, headers: { 'Content-Type': 'application/fhir+json' }, body: '{"resourceType":' },
  { nth: 4, do: 'reply', status: 200, headers: { 'Content-Type': 'application/fhir+json' }, body: '{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"exception"}]}' },
  { nth: 5, do: 'reply', status: 200, headers: { 'Content-Type': 'application/fhir+json' }, body: '{"resourceType":"Patient","id":"2"}' },
], async ({ driver, log }) => {
  const read = () => driver.call({ do: 'read', type: 'Patient', id: '1' }).then((it) => [it.outcome, it.fault]);
  assert.deepEqual(await read(), ['unreadable', 'no-json']);
  assert.deepEqual(await driver.call(oncePlan('a')).then((it) => [it.outcome, it.fault]), ['unknown', 'no-json']);
  assert.deepEqual(await read(), ['unreadable', 'no-json']);
  await driver.call({ do: 'advance', ms: 10_000 });
  assert.deepEqual(await read(), ['unreadable', 'wrong-content']);
  assert.deepEqual(await read(), ['unreadable', 'wrong-content'], 'another patient than was asked for');
  assert.equal(log('commit').length, 0);
}));

test('a redirect of a write is not followed', () => withScript([301, 302, 307, 308].map((status, i) => (
  { method: 'POST', nth: i + 1, do: 'reply', status, headers: { Location: 'https://127.0.0.1:1/elsewhere' } }
)), async ({ driver, log }) => {
  for (let i = 1; i <= 4; i += 1) {
    assert.deepEqual(await driver.call(oncePlan('a')).then((it) => [it.outcome, it.fault]), ['refused', 'redirect']);
    assert.equal(log('request').length, i);
  }
}));

test('a body larger than allowed', () => withScript([
  { nth: 1, do: 'reply', status: 200, headers: { 'Content-Type': 'application/fhir+json' }, body: `{"resourceType":"Patient","id":"1","x":"${'x'.repeat(17 << 20)}"}` },
  { nth: 2, do: 'reply', status: 201, headers: { Location: 'CarePlan/1', 'Content-Type': 'application/fhir+json' }, body: `{"resourceType":"CarePlan","id":"1","x":"${'x'.repeat(17 << 20)}"}` },
], async ({ driver }) => {
  assert.deepEqual(await driver.call({ do: 'read', type: 'Patient', id: '1' }).then((it) => [it.outcome, it.fault]), ['unreadable', 'too-large']);
  assert.deepEqual(await driver.call(oncePlan('a')).then((it) => [it.outcome, it.fault]), ['unknown', 'too-large']);
}));

// ---- pages ----

// Scripted pages: a function from the page's name ('' is the first) to { next, ids, entries, status, self }.
const withPages = (pages, work, options) => withScript(`
  const set = ({ next, ids = [], entries = [], self }, base) => ({
    resourceType: 'Bundle', type: 'searchset',
    link: [...(self === undefined ? [] : [{ relation: 'self', url: base + self }]), ...(next ? [{ relation: 'next', url: next.startsWith('https:') ? next : base + next }] : [])],
    entry: [...ids.map((id) => ({ resource: { resourceType: 'Observation', id, meta: { versionId: '1' } }, search: { mode: 'match' } })), ...entries],
  });
  const pages = ${pages};
  const seen = {};
  export default ({ url, headers, method }) => {
    if (method !== 'GET' || !url.startsWith('/fhir/Observation')) return undefined;
    const name = /_page=([^&]*)/.exec(url)?.[1] ?? '';
    seen[name] = (seen[name] ?? 0) + 1;
    const page = pages(name, seen[name]);
    const reply = { do: 'reply', status: page.status ?? 200, headers: { 'Content-Type': 'application/fhir+json' } };
    return page.status ? { ...reply, body: page.body ?? { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'processing' }] } }
      : { ...reply, body: set(page, 'https://' + headers.host + '/fhir/Observation') };
  };`, work, { ...options, name: 'script.mjs' });
const search = { do: 'search', type: 'Observation', query: 'patient=p1&_count=2' };
const faultOf = ({ outcome, fault }) => [outcome, fault];

test('next links are followed byte for byte, and each resource counts once', () => withPages(
  `(name) => ({ '': { next: '?_page=a%2Fb%7C&x=%c3%bc', ids: ['1', '2'] }, 'a%2Fb%7C': { ids: ['2', '3'] } })[name]`,
  async ({ driver, log }) => {
    const found = await driver.call(search);
    assert.deepEqual([found.outcome, found.ids], ['done', ['1', '2', '3']]);
    assert.ok(log('request').some(({ url }) => url === '/fhir/Observation?_page=a%2Fb%7C&x=%c3%bc'));
  }));

test('pages that lead in a circle', () => withPages(
  `(name) => ({ '': { next: '?_page=a' }, a: { next: '?_page=b' }, b: { next: '?_page=a' } })[name]`,
  async ({ driver, log }) => {
    assert.deepEqual(faultOf(await driver.call(search)), ['unreadable', 'page-loop']);
    assert.equal(log('request').length, 3);
  }));

test('a page whose next is itself', () => withPages(`() => ({ next: '?patient=p1&_count=2', ids: ['1'] })`, async ({ driver, log }) => {
  assert.deepEqual(faultOf(await driver.call(search)), ['unreadable', 'page-loop']);
  assert.equal(log('request').length, 1);
}));

test('pages without an end', () => withPages(`(name) => ({ next: '?_page=' + (Number(name) + 1) })`, async ({ driver, log }) => {
  assert.deepEqual(faultOf(await driver.call({ ...search, pages: 7 })), ['unreadable', 'too-many-pages']);
  assert.equal(log('request').length, 7);
}));

test('a next link to another server is not followed', () => withPages(
  `() => ({ next: 'https://127.0.0.1:1/fhir/Observation?_page=a' })`,
  async ({ driver }) => assert.deepEqual(faultOf(await driver.call(search)), ['unreadable', 'foreign-link'])));

for (const status of [404, 410]) {
  test(`pages that expired (${status}): the search begins anew`, () => withPages(
    `(name, time) => name === '' ? { next: '?_page=' + time, ids: ['1'] } : name === '1' ? { status: ${status} } : { ids: ['2'] }`,
    async ({ driver }) => {
      const found = await driver.call(search);
      assert.deepEqual([found.outcome, found.ids], ['done', ['1', '2']]);
      const walk = await driver.call({ ...search, do: 'walk', query: 'patient=p2' });
      assert.deepEqual(walk.pages.map(({ page }) => page).at(-2), 1);
    }));
}

test('pages that expire again and again', () => withPages(`(name, time) => name === '' ? { next: '?_page=' + time } : { status: 410 }`, async ({ driver, log }) => {
  assert.deepEqual(faultOf(await driver.call(search)), ['unreadable', 'pages-expired']);
  assert.equal(log('request').length, 8);
}));

test('a filter that was ignored: said in the page, or missing in the self link', () => withPages(
  `(name, time) => time === 1 ? { ids: ['1'], entries: [{ search: { mode: 'outcome' }, resource: { resourceType: 'OperationOutcome', issue: [{ severity: 'warning', code: 'not-supported' }] } }] }
    : time === 2 ? { ids: ['1'], self: '?_count=2' } : { ids: ['1'], self: '?patient=p1' }`,
  async ({ driver }) => {
    assert.deepEqual(faultOf(await driver.call(search)), ['unreadable', 'filter-ignored']);
    assert.deepEqual(faultOf(await driver.call(search)), ['unreadable', 'filter-ignored']);
    assert.equal((await driver.call(search)).outcome, 'done', '_count need not be repeated');
  }));

test('a page that fails: the whole search is again', () => withPages(
  `(name) => name === '' ? { next: '?_page=a', ids: ['1'] } : { status: 503 }`,
  async ({ driver }) => assert.deepEqual(await driver.call(search).then(({ outcome, ids }) => [outcome, ids]), ['again', []])));

// ---- how much is asked ----

test('a minute has no more requests than the budget, and a busy patient does not keep the others waiting', () => withScript([], async ({ driver, log }) => {
  const calls = [];
  for (let i = 0; i < 30; i += 1) calls.push(driver.call({ do: 'read', type: 'Patient', id: `a${i}`, lane: 'a' }));
  calls.push(driver.call({ do: 'read', type: 'Patient', id: 'b', lane: 'b' }));
  await until('the first few', () => log('request').length >= 5);
  const wait = () => driver.call({ do: 'health' }).then(({ waiting }) => waiting);
  assert.ok(await wait() > 20);
  await until('all', async () => {
    await driver.call({ do: 'advance', ms: 4000 });
    await driver.call({ do: 'stop' }).catch(() => {});
    return true;
  });
  const answers = await Promise.all(calls);
  const place = log('request').findIndex(({ url }) => url === '/fhir/Patient/b');
  assert.ok(place >= 0 && place <= 7, `the other patient came as number ${place + 1}`);
  assert.ok(log('request').length <= 20);
  assert.ok(answers.filter(({ fault }) => fault === 'stopped').length > 5, 'what waits when it stops is told so');
}, { settings: { budget: { 'requests-per-minute': 20, 'writes-per-minute': 20, parallel: 2 } } }));

test('writes have a budget of their own', () => withScript([], async ({ driver, log }) => {
  const writes = [];
  for (let i = 0; i < 4; i += 1) writes.push(driver.call(oncePlan(`b${i}`)));
  await until('the first write', () => log('commit').length === 1);
  assert.equal((await driver.call({ do: 'read', type: 'Patient', id: 'x' })).outcome, 'absent', 'reads go on');
  assert.equal(posts(log).length, 1);
  await driver.call({ do: 'stop' });
  await Promise.all(writes);
}, { settings: { budget: { 'writes-per-minute': 4 } } }));

test('what did not get its turn in time is not sent any more', () => withScript([{ path: '^/fhir/CarePlan', do: 'hang' }], async ({ driver, log }) => {
  const first = driver.call(oncePlan('a'));
  await until('the first', () => posts(log).length === 1);
  const second = driver.call({ ...oncePlan('b'), within: 100 });
  const late = await second;
  assert.deepEqual([late.outcome, late.fault, posts(log).length], ['again', 'budget', 1]);
  assert.equal((await first).outcome, 'unknown');
}, { settings: { budget: { parallel: 1 }, deadline: { write: '2s' } } }));

// ---- who we are ----

const certs = await certificates();
const keys = Object.fromEntries(JSON.parse(fs.readFileSync(certs.file('smart-jwks.json'))).keys.map(({ alg, kid }) => [alg, kid]));
const smart = (algorithm) => ({ kind: 'smart', 'client-id': 'eplan', algorithm, 'key-file': certs.file(`smart-${algorithm.toLowerCase()}.key`), 'key-id': keys[algorithm] });
const tokenPosts = (log) => log('request').filter(({ url }) => url === '/token');
const fhirRequests = (log) => log('request').filter(({ url }) => url.startsWith('/fhir/Patient'));
const readOne = { do: 'read', type: 'Patient', id: '1' };
const withTokens = (rules, work) => withScript(rules, work, { args: ['--auth'], settings: { auth: smart('ES384') } });

for (const algorithm of ['ES384', 'RS384']) {
  test(`a token by ${algorithm}; an expired one is replaced`, async () => {
    const ehr = await startTestEhr(scratch('smart'), ['--client', `eplan=${certs.file('smart-jwks.json')}`, '--token-ttl', '2']);
    await withDriver({ 'base-url': ehr.base, auth: smart(algorithm) }, async (driver) => {
      assert.equal((await driver.call(readOne)).outcome, 'absent');
      await driver.call({ do: 'advance', ms: 3000 });
      await until('the old token to be refused', async () => (await driver.call(readOne)).outcome === 'absent');
      assert.doesNotMatch(driver.log, /token-failed|ehr-paused/);
    });
    await ehr.server.stop();
  });
}

test('one token for many calls at once; a new one at four fifths of its life, while the old one is used', () => withTokens([], async ({ driver, log }) => {
  await Promise.all(Array.from({ length: 20 }, () => driver.call(readOne)));
  assert.equal(tokenPosts(log).length, 1);
  await driver.call({ do: 'advance', ms: 230_000 });
  await driver.call(readOne);
  assert.equal(tokenPosts(log).length, 1);
  await driver.call({ do: 'advance', ms: 11_000 });
  await driver.call(readOne);
  await until('the second token', () => tokenPosts(log).length === 2);
  await until('its use', async () => {
    await driver.call(readOne);
    return new Set(fhirRequests(log).map(({ headers }) => headers.authorization)).size === 2;
  });
  assert.equal(tokenPosts(log).length, 2);
  const form = new URLSearchParams(tokenPosts(log)[0].body);
  assert.deepEqual([form.get('grant_type'), form.get('client_assertion_type')], ['client_credentials', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer']);
  const [header, claims] = form.get('client_assertion').split('.').map((part) => { try { return JSON.parse(Buffer.from(part, 'base64url')); } catch { return undefined; } });
  assert.deepEqual([header.alg, header.kid, claims.iss, claims.sub], ['ES384', keys.ES384, 'eplan', 'eplan']);
  assert.ok(claims.aud.endsWith('/token') && claims.exp - Date.now() / 1000 <= 300);
  const jtis = tokenPosts(log).map(({ body }) => JSON.parse(Buffer.from(new URLSearchParams(body).get('client_assertion').split('.')[1], 'base64url')).jti);
  assert.notEqual(jtis[0], jtis[1]);
}));

test('a token refused once is replaced once, and the request goes again', () => withTokens([
  { path: '^/fhir/CarePlan', nth: 2, do: 'reply', status: 401 },
], async ({ driver, log }) => {
  await driver.call({ do: 'search', type: 'CarePlan', query: 'patient=p1' });
  const made = await driver.call(oncePlan('a'));
  assert.deepEqual([made.outcome, made.status], ['done', 201]);
  assert.deepEqual([tokenPosts(log).length, posts(log).filter(({ url }) => url === '/fhir/CarePlan').length, log('commit').length], [2, 2, 1]);
}));

test('401 for ever: one more token, then the EHR is left alone for a minute', () => withTokens([
  { path: '^/fhir/Patient', times: 6, do: 'reply', status: 401 },
], async ({ driver, log }) => {
  const locked = await driver.call(readOne);
  assert.deepEqual([locked.outcome, locked.fault], ['unauthorized', 'unauthorized']);
  assert.ok(locked.wait > 50_000);
  for (let i = 0; i < 20; i += 1) assert.equal((await driver.call(readOne)).outcome, 'unauthorized');
  assert.deepEqual([tokenPosts(log).length, fhirRequests(log).length], [2, 2]);
  const { condition, advice } = await driver.call({ do: 'health' });
  assert.equal(condition, 'locked');
  assert.match(advice, /client id, key/);
  await until('a token that is taken', async () => {
    await driver.call({ do: 'advance', ms: 61_000 });
    return (await driver.call(readOne)).outcome === 'absent';
  });
  assert.ok(tokenPosts(log).length <= 4, 'at most one a minute');
  assert.equal(driver.log.match(/"event":"ehr-paused"/g).length, 1);
  assert.equal(driver.log.match(/"event":"ehr-well"/g).length, 1);
}));

test('a token endpoint that is down is asked once a minute', () => withTokens([
  { path: '^/token', times: 3, do: 'reply', status: 500 },
], async ({ driver, log }) => {
  for (let minute = 1; minute <= 3; minute += 1) {
    for (let i = 0; i < 5; i += 1) {
      const locked = await driver.call(readOne);
      assert.deepEqual([locked.outcome, locked.fault], ['unauthorized', 'token']);
    }
    assert.equal(tokenPosts(log).length, minute);
    await driver.call({ do: 'advance', ms: 300_000 });
  }
  assert.equal((await driver.call(readOne)).outcome, 'absent');
  assert.equal(fhirRequests(log).length, 1);
}));

test('no discovery, a refused client, a token that is none: said, and nothing is sent without a token', () => withTokens([
  { path: 'smart-configuration', nth: 1, do: 'reply', status: 404 },
  { path: '^/token', nth: 1, do: 'reply', status: 400, headers: { 'Content-Type': 'application/json' }, body: { error: 'invalid_client', error_description: 'Ana Example' } },
  { path: '^/token', nth: 2, do: 'reply', status: 200, headers: { 'Content-Type': 'application/json' }, body: { token_type: 'bearer' } },
], async ({ driver, log }) => {
  const faults = [];
  for (let i = 0; i < 3; i += 1) {
    faults.push((await driver.call(readOne)).fault);
    await driver.call({ do: 'advance', ms: 300_000 });
  }
  assert.deepEqual(faults, ['discovery', 'token', 'token']);
  assert.match(driver.log, /invalid_client/);
  assert.doesNotMatch(driver.log, /Ana/);
  assert.equal((await driver.call(readOne)).outcome, 'absent');
  assert.equal(fhirRequests(log).length, 1);
}));

test('a bearer token from a file, which may be renewed', async () => {
  const folder = scratch('bearer');
  const file = path.join(folder, 'token');
  const ours = path.join(folder, 'ours');
  fs.writeFileSync(file, 'second-token\n', { mode: 0o600 });
  fs.writeFileSync(ours, 'first-token\n', { mode: 0o600 });
  const ehr = await startTestEhr(folder, ['--bearer-file', file]);
  await withDriver({ 'base-url': ehr.base, auth: { kind: 'bearer', 'token-file': ours } }, async (driver) => {
    assert.equal((await driver.call(readOne)).outcome, 'unauthorized');
    fs.writeFileSync(ours, 'second-token\n');
    await driver.call({ do: 'advance', ms: 120_000 });
    assert.equal((await driver.call(readOne)).outcome, 'absent');
  });
  await ehr.server.stop();
});

test('no token leaves for another server, and none stands in the log', () => withTokens([], async ({ driver, log }) => {
  await driver.call(readOne);
  const token = fhirRequests(log)[0].headers.authorization.split(' ')[1];
  assert.ok(token.length >= 16 && !driver.log.includes(token));
}));

test('stopped while calls wait for a token, an answer and their turn: each ends once', () => withTokens([
  { path: '^/fhir/Patient', do: 'hang' },
], async ({ driver, log }) => {
  const calls = Array.from({ length: 40 }, () => driver.call(readOne));
  await until('the first requests', () => fhirRequests(log).length > 0);
  const ended = driver.end();
  for (const { outcome } of await Promise.all(calls)) assert.equal(outcome, 'again');
  assert.equal((await ended).code, 0, driver.log);
}));

await finish();

// suite: timeout=600 needs=build presets=asan-ubsan
// Receiving, polling and keeping Subscriptions, with a real store and a real EHR of another maker.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { Driver, writeConfig } from '../ehr-client/driver.mjs';
import { startScriptedEhr, startTestEhr } from '../lib/ehrs.mjs';
import { Client } from '../lib/fhir_client.mjs';
import { certificates, scratch, until } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';

const { ca } = await certificates();
const vitals = 'Observation?code=29463-7';
const weight = (id, extra = {}) => ({
  resourceType: 'Observation', ...(id ? { id } : {}), status: 'final', code: { coding: [{ system: 'http://loinc.org', code: '29463-7' }] },
  subject: { reference: 'Patient/p1' }, effectiveDateTime: '2026-05-14T10:00:00-05:00', ...extra,
});
const json = { 'Content-Type': 'application/fhir+json' };
const bearer = (secret) => ({ Authorization: `Bearer ${secret}` });
const nowhere = 'https://127.0.0.1:1/fhir';

function secretFile(folder, name) {
  fs.writeFileSync(path.join(folder, name), `${name}-0123456789\n`, { mode: 0o600 });
  return path.join(folder, name);
}

// A gateway that receives: -> { driver, client, origin, accepted(), message(), end() }
async function startGateway(folder, ehrs, gateway = {}) {
  const config = await writeConfig(folder, {
    gateway: { listen: { port: 0 }, ...gateway },
    ehrs: ehrs.map((ehr) => ({ retry: { first: '100ms' }, poll: { interval: '0s' }, ...ehr })),
  });
  const driver = new Driver('inbound_driver', config);
  const { origin } = await until('the gateway to listen', () => {
    if (driver.over) throw Object.assign(new Error(driver.log), { final: true });
    return driver.events.find(({ event }) => event === 'ready');
  });
  const accepted = () => driver.events.filter(({ event }) => event === 'accepted');
  return {
    driver, origin, accepted,
    client: new Client(origin, { ca }),
    message: (id) => driver.call({ do: 'message', id }),
    // The answer to a request may be here before the driver's line that tells of the message: what
    // the driver says next comes behind it.
    messages: async () => {
      await driver.call({ do: 'status' });
      return Promise.all(accepted().map(({ message }) => driver.call({ do: 'message', id: message })));
    },
    counts: async (ehr = 'north') => (await driver.call({ do: 'status' }))[ehr],
    end: async () => {
      const { code, signal } = await driver.end();
      assert.deepEqual([code, signal], [0, null], driver.log);
    },
  };
}

// Two EHRs that are only names: what is received is looked at.
async function withReceiver(work, { gateway = {}, north = {} } = {}) {
  const folder = scratch('receive');
  const it = await startGateway(folder, [
    {
      name: 'north', 'base-url': nowhere,
      subscriptions: [
        { name: 'weights', criteria: vitals, payload: 'full', 'secret-file': secretFile(folder, 'weights') },
        { name: 'pings', criteria: vitals, payload: 'empty', 'secret-file': secretFile(folder, 'pings') },
      ],
      senders: [{ name: 'lab', 'secret-file': secretFile(folder, 'lab'), paths: ['/fhir/north'] }],
      ...north,
    },
    { name: 'south', 'base-url': nowhere, senders: [{ name: 'web', 'secret-file': secretFile(folder, 'web') }] },
  ], gateway);
  await work(it);
  it.client.close();
  await it.end();
}
const lab = bearer('lab-0123456789');
const weights = bearer('weights-0123456789');
const pings = bearer('pings-0123456789');

// ---- receiving ----

test('a direct message: 202 with its Location, after it is stored; a repeat gets the same', () => withReceiver(async ({ client, message, accepted, counts }) => {
  const first = await client.post('fhir/north/Observation', weight(), { ...json, ...lab });
  assert.deepEqual([first.status, first.body], [202, '']);
  assert.match(first.headers.location, /^\/messages\/[0-9a-f-]{36}$/);
  const stored = await message(first.headers.location.split('/')[2]);
  assert.deepEqual([stored.ehr, stored.kind, stored.sender, stored.type, stored.state], ['north', 'direct', 'lab', 'Observation', 'received']);
  assert.deepEqual(JSON.parse(stored.payload), weight());
  const again = await client.post('fhir/north/Observation', weight(), { ...json, ...lab });
  assert.deepEqual([again.status, again.headers.location], [202, first.headers.location]);
  assert.equal((await counts()).messages, 1);
  assert.equal(accepted().length, 1);
}));

test('a Bundle is one message; PUT names type and id', () => withReceiver(async ({ client, message, counts }) => {
  const entry = (id) => ({ resource: weight(id), request: { method: 'PUT', url: `Observation/${id}` } });
  for (const type of ['collection', 'batch', 'transaction']) {
    const { status, headers } = await client.post('fhir/north', { resourceType: 'Bundle', type, entry: [entry('a'), entry('b')] }, { ...json, ...lab });
    assert.equal(status, 202);
    assert.equal((await message(headers.location.split('/')[2])).type, 'Bundle');
  }
  assert.equal((await client.put('fhir/north/Observation/c', weight('c'), { ...json, ...lab })).status, 202);
  assert.equal((await counts()).messages, 4);
}));

test('refused, each with its status and what to do; nothing is stored', () => withReceiver(async ({ client, counts }) => {
  const post = (to, body, headers) => client.post(to, body, headers);
  const good = { ...json, ...lab };
  const cases = [
    [401, /Authorization: Bearer/, post('fhir/north/Observation', weight(), json)],
    [401, /Authorization/, post('fhir/north/Observation', weight(), { ...json, ...bearer('wrong') })],
    [401, /Authorization/, post('notify/north/weights', weight('1'), { ...json, ...bearer('weights-012345678') })],
    [403, /may not use this path/, post('fhir/south/Observation', weight(), good)],
    [403, /may not/, post('fhir/north/Observation', weight(), { ...json, ...weights })],
    [403, /may not/, post('notify/north/weights', weight('1'), { ...json, ...pings })],
    [403, /may not/, post('notify/south/weights', weight('1'), { ...json, ...weights })],
    [403, /may not/, post('notify/north/weights', weight('1'), good)],
    [404, /nothing at this path/, post('fhir/west/Observation', weight(), good)],
    [404, /nothing/, post('elsewhere', weight(), good)],
    [405, /method/, client.get('fhir/north/Observation', lab)],
    [415, /application\/fhir\+json/, post('fhir/north/Observation', '<x/>', { ...lab, 'Content-Type': 'application/fhir+xml' })],
    [415, /application\/fhir\+json/, post('notify/north/weights', '<x/>', { ...weights, 'Content-Type': 'text/plain' })],
    [400, /line 3, column 11: /, post('fhir/north/Observation', '{"resourceType":\n"Observation",\n"status": wrong}', good)],
    [400, /line 1, column \d+: .*(twice|name)/, post('fhir/north/Observation', '{"resourceType":"Observation","id":"1","id":"2"}', good)],
    [400, /no JSON object/, post('fhir/north/Observation', '[]', good)],
    [400, /resourceType is missing/, post('fhir/north/Observation', '{}', good)],
    [400, /did you mean \\?"Observation/, post('fhir/north/Observation', { resourceType: 'Obsrvation' }, good)],
    [400, /another type than the path/, post('fhir/north/Observation', { resourceType: 'Patient' }, good)],
    [400, /another id than the path/, client.put('fhir/north/Observation/2', weight('1'), good)],
    [400, /only a Bundle/, post('fhir/north', weight(), good)],
    [400, /collection, batch or transaction/, post('fhir/north', { resourceType: 'Bundle', type: 'history' }, good)],
    [400, /must have an id/, post('notify/north/weights', weight(), { ...json, ...weights })],
    [400, /which resource was deleted/, client.request('DELETE', 'notify/north/weights', undefined, weights)],
  ];
  for (const [i, [status, words, answer]] of cases.entries()) {
    const { status: got, body, headers } = await answer;
    assert.deepEqual([i, got, body.resourceType, body.issue?.[0].severity], [i, status, 'OperationOutcome', 'error'], JSON.stringify(body));
    assert.match(JSON.stringify(body.issue), words);
    if (got === 401) assert.equal(headers['www-authenticate'], 'Bearer');
    if (got === 405) assert.equal(headers.allow, 'POST, PUT');
  }
  assert.deepEqual(await counts(), { messages: 0, evaluations: 0 });
}));

test('a body larger than allowed is refused', () => withReceiver(async ({ client, counts }) => {
  const answer = await client.post('fhir/north/Observation', weight('1', { note: [{ text: 'x'.repeat(5000) }] }), { ...json, ...lab }).catch((error) => error);
  assert.equal(answer.status, 413);
  assert.equal((await counts()).messages, 0);
}, { gateway: { limits: { body: '4KiB' } } }));

test('503 with Retry-After while it does not accept, and for nobody else\'s sake', () => withReceiver(async ({ client, driver, counts }) => {
  await driver.call({ do: 'pause', on: true });
  const busy = await client.post('fhir/north/Observation', weight(), { ...json, ...lab });
  assert.deepEqual([busy.status, busy.headers['retry-after'], busy.body.issue[0].code], [503, '5', 'transient']);
  assert.equal((await client.post('notify/north/pings', undefined, pings)).status, 503);
  assert.equal((await client.post('fhir/north/Observation', weight(), json)).status, 401);
  await driver.call({ do: 'pause', on: false });
  assert.equal((await counts()).messages, 0);
  assert.equal((await client.post('fhir/north/Observation', weight(), { ...json, ...lab })).status, 202);
}));

test('with one EHR its name may be left out', async () => {
  const folder = scratch('one');
  const it = await startGateway(folder, [{ name: 'north', 'base-url': nowhere, senders: [{ name: 'lab', 'secret-file': secretFile(folder, 'lab') }] }]);
  assert.equal((await it.client.post('fhir/Observation', weight(), { ...json, ...lab })).status, 202);
  assert.equal((await it.client.post('fhir', { resourceType: 'Bundle', type: 'batch' }, { ...json, ...lab })).status, 202);
  assert.equal((await it.client.put('fhir/Observation/1', weight('1'), { ...json, ...lab })).status, 202);
  assert.equal((await it.client.post('fhir/north/Observation', weight('2'), { ...json, ...lab })).status, 202);
  it.client.close();
  await it.end();
});

test('notifications: as POST and PUT, with a resource; 200 without a body; the same version counts once', () => withReceiver(async ({ client, messages, counts }) => {
  const versioned = (id, versionId) => weight(id, { meta: { versionId } });
  const sent = [
    await client.post('notify/north/weights', versioned('1', 'a'), { ...json, ...weights }),
    await client.put('notify/north/weights/Observation/1', versioned('1', 'a'), { ...json, ...weights }),
    await client.put('notify/north/weights/Observation/1', versioned('1', 'b'), { 'Content-Type': 'application/json; charset=utf-8', ...weights }),
    await client.post('notify/north/pings', versioned('2', 'a'), { ...json, ...pings }),
  ];
  for (const { status, body } of sent) assert.deepEqual([status, body], [200, '']);
  const stored = await messages();
  assert.deepEqual(stored.map(({ key }) => key).toSorted(), ['north/Observation/1/a', 'north/Observation/1/b', 'north/Observation/2/a']);
  assert.deepEqual(new Set(stored.map(({ kind }) => kind)), new Set(['notification']));
  assert.equal((await counts()).evaluations, 1, 'one visit');
}));

test('deletions: as DELETE below the path, and as Medplum sends them', () => withReceiver(async ({ client, messages }) => {
  assert.equal((await client.request('DELETE', 'notify/north/weights/Observation/1', undefined, weights)).status, 200);
  const headers = { ...json, ...weights, 'X-Medplum-Interaction': 'delete', 'X-Medplum-Deleted-Resource': 'Observation/2' };
  assert.equal((await client.post('notify/north/weights', '{}', headers)).status, 200);
  assert.deepEqual((await messages()).map(({ key }) => key.replace(/\d{6,}$/, 'TIME')).toSorted(), ['north/Observation/1/deleted/TIME', 'north/Observation/2/deleted/TIME']);
}));

test('a notification without content makes the poll due before it is answered', () => withReceiver(async ({ client, driver, counts }) => {
  for (const body of [undefined, '{}']) {
    const { status, body: text } = await client.post('notify/north/pings', body, { ...pings, ...(body ? json : {}) });
    assert.deepEqual([status, text], [200, '']);
  }
  const { asked, answered } = await driver.call({ do: 'poll', name: 'Observation?category=vital-signs' });
  assert.ok(asked >= 1 && answered === 0);
  assert.equal((await counts()).messages, 0);
}));

// ---- polling ----

const query = 'Observation?code=29463-7';

async function withTestEhr(work, settings = {}, gateway = {}) {
  const folder = scratch('poll');
  const ehr = await startTestEhr(folder);
  const it = await startGateway(folder, [{ name: 'north', 'base-url': ehr.base, poll: { interval: '100ms', overlap: '2min', queries: [query] }, budget: { 'requests-per-minute': 10_000 }, ...settings }], gateway);
  await work({ ...it, ehr, folder });
  it.client.close();
  ehr.client.close();
  await it.end();
  await ehr.server.stop();
}
const pollState = (driver) => driver.call({ do: 'poll', name: query });

test('what changes at the EHR is found, once; the watermark moves by the EHR\'s clock', () => withTestEhr(async ({ driver, ehr, accepted, messages }) => {
  const before = Date.now();
  await driver.call({ do: 'start' });
  await until('the first poll', async () => (await pollState(driver)).watermark > 0);
  const { body: made } = await ehr.client.post('Observation', weight());
  await until('the message', () => accepted().length === 1);
  const [message] = await messages();
  assert.deepEqual([message.kind, message.key], ['poll', `north/Observation/${made.id}/${made.meta.versionId}`]);
  await ehr.client.put(`Observation/${made.id}`, { ...made, status: 'amended' });
  await until('the second message', () => accepted().length === 2);
  const { lastDone } = await pollState(driver);
  await until('more polls', async () => (await pollState(driver)).lastDone > lastDone + 600);
  assert.equal(accepted().length, 2, 'each version once');
  const { watermark, error } = await pollState(driver);
  assert.ok(watermark >= before - 5000 && watermark <= Date.now() + 5000);
  assert.equal(error, '');
}));

test('hundreds of changes over many pages, through a store with little room', () => withTestEhr(async ({ driver, ehr, accepted, counts }) => {
  await driver.call({ do: 'start' });
  await until('the first poll', async () => (await pollState(driver)).watermark > 0);
  for (let k = 0; k < 3; k += 1) {
    const entry = Array.from({ length: 100 }, (_, i) => ({ resource: weight('', { subject: { reference: `Patient/p${i}` } }), request: { method: 'POST', url: 'Observation' } }));
    assert.equal((await ehr.client.post('', { resourceType: 'Bundle', type: 'batch', entry })).status, 200);
  }
  await until('all of them', () => accepted().length === 300, 40_000);
  assert.deepEqual(await counts(), { messages: 300, evaluations: 100 });
}, { poll: { interval: '100ms', overlap: '2min', 'page-size': 70, queries: [query] } }, { queue: { items: 16 } }));

test('a restart goes on from the watermark', async () => {
  const folder = scratch('restart');
  const ehr = await startTestEhr(folder);
  const settings = [{ name: 'north', 'base-url': ehr.base, poll: { interval: '100ms', queries: [query] }, budget: { 'requests-per-minute': 10_000 } }];
  const first = await startGateway(folder, settings);
  await first.driver.call({ do: 'start' });
  await until('the first poll', async () => (await pollState(first.driver)).watermark > 0);
  await first.end();
  const { body: made } = await ehr.client.post('Observation', weight());
  const second = await startGateway(folder, settings);
  await second.driver.call({ do: 'start' });
  await until('the message', () => second.accepted().length === 1);
  assert.equal((await second.messages())[0].id, made.id);
  await second.end();
  await ehr.server.stop();
});

// An EHR whose first page and second page are scripted: a function of (name of the page, how often, since).
async function withScriptedPages(pages, work, settings = {}) {
  const folder = scratch('scripted-poll');
  const script = path.join(folder, 'script.mjs');
  fs.writeFileSync(script, `
    const seen = {};
    const pages = ${pages};
    export default ({ url, headers, method }) => {
      if (method !== 'GET' || !url.startsWith('/fhir/Observation')) return undefined;
      const name = /_page=([^&]*)/.exec(url)?.[1] ?? '';
      seen[name] = (seen[name] ?? 0) + 1;
      const page = pages(name, seen[name]);
      if (page === undefined) return undefined;
      if (page.status) return { do: 'reply', status: page.status };
      const base = 'https://' + headers.host + '/fhir/Observation';
      const link = [...(page.self ? [{ relation: 'self', url: base + page.self }] : []), ...(page.next ? [{ relation: 'next', url: base + page.next }] : [])];
      const entry = (page.ids ?? []).map((id) => ({ resource: ${JSON.stringify(weight('ID'))}, id })).map(({ resource, id }) => ({ resource: { ...resource, id, meta: { versionId: '1', lastUpdated: page.at ?? new Date().toISOString() } }, search: { mode: 'match' } }));
      const date = page.date === undefined ? new Date().toUTCString() : page.date;
      return { do: 'reply', status: 200, headers: { 'Content-Type': 'application/fhir+json', ...(date ? { Date: date } : {}) }, body: { resourceType: 'Bundle', type: 'searchset', link, entry } };
    };`);
  const ehr = await startScriptedEhr(folder, { script });
  const log = (event) => fs.readFileSync(ehr.truth, 'utf8').trim().split('\n').filter(Boolean).map((line) => JSON.parse(line)).filter((line) => line.event === event);
  const searches = () => log('request').filter(({ url }) => url.startsWith('/fhir/Observation'));
  const it = await startGateway(folder, [{ name: 'north', 'base-url': ehr.base, poll: { interval: '50ms', overlap: '2min', queries: [query] }, budget: { 'requests-per-minute': 10_000 }, ...settings }]);
  await it.driver.call({ do: 'start' });
  await work({ ...it, ehr, searches });
  it.client.close();
  ehr.client.close();
  await it.end();
  await ehr.server.stop();
}
const since = ({ url }) => Date.parse(/_lastUpdated=ge([^&]*)/.exec(decodeURIComponent(url))[1]);

test('a change that was committed late is found by the overlap', () => withScriptedPages('() => undefined', async ({ driver, ehr, accepted, searches }) => {
  await until('a poll', async () => (await pollState(driver)).lastDone > 0 && searches().length > 1);
  const lastUpdated = new Date(Date.now() - 100_000).toISOString();
  await ehr.client.post(`${ehr.origin}/_test/commit`, weight('late', { meta: { lastUpdated } }));
  await until('the late one', () => accepted().length === 1);
}));

test('the watermark is not moved before the last page, and the EHR\'s own clock sets it', () => withScriptedPages(
  `(name, time) => name === '' ? { next: '?_page=a', ids: ['1'], date: 'Thu, 01 Jan 2099 00:00:00 GMT', at: '2098-12-31T23:00:00.000Z' } : time <= 3 ? { status: 500 } : { ids: ['2'], at: '2099-06-01T00:00:00.000Z' }`,
  async ({ driver, accepted, searches }) => {
    await until('a failed poll', async () => (await pollState(driver)).error);
    const { watermark } = await pollState(driver);
    assert.ok(watermark < Date.parse('2090-01-01'), 'it did not move');
    await until('a whole poll', async () => {
      await driver.call({ do: 'advance', ms: 5000 });
      return (await pollState(driver)).watermark === Date.parse('2099-01-01');
    });
    assert.equal(accepted().length, 2);
    await until('the next poll', () => since(searches().at(-1)) === Date.parse('2098-12-31T23:58:00Z'));
  }));

test('pages that expire begin anew, and what was seen twice counts once', () => withScriptedPages(
  `(name, time) => name === '' ? { next: '?_page=' + time, ids: ['1'] } : name === '1' ? { status: 410 } : { ids: ['2'] }`,
  async ({ accepted, searches, driver }) => {
    await until('both', () => accepted().length === 2);
    assert.ok(searches().length >= 4);
    await until('the end', async () => (await pollState(driver)).error === '');
    assert.equal(accepted().length, 2);
  }));

test('an EHR that ignores the filter is not believed', () => withScriptedPages(
  `() => ({ self: '?code=29463-7', ids: ['1', '2'] })`,
  async ({ accepted, driver, searches }) => {
    await until('the poll to fail', async () => /did not do what the search asked for/.test((await pollState(driver)).error));
    assert.equal(accepted().length, 0);
    assert.equal(searches().length, 1, 'and it is left alone for a while');
    assert.match(driver.log, /"event":"poll-failed".*"outcome":"filter-ignored"/);
  }));

test('pages that lead in a circle end', () => withScriptedPages(
  `() => ({ next: '?_page=a', ids: ['1'] })`,
  async ({ driver, searches }) => {
    await until('the poll to fail', async () => /circle/.test((await pollState(driver)).error));
    assert.equal(searches().length, 2);
  }));

// ---- Subscriptions ----

async function withSubscription(work, { payload = 'full', poll = { interval: '0s', queries: [query] } } = {}) {
  const folder = scratch('subscription');
  const ehr = await startTestEhr(folder);
  const settings = [{
    name: 'north', 'base-url': ehr.base, 'subscription-check': '30s', poll, budget: { 'requests-per-minute': 10_000 },
    subscriptions: [{ name: 'weights', criteria: vitals, payload, 'secret-file': secretFile(folder, 'weights') }],
  }];
  const it = await startGateway(folder, settings);
  await it.driver.call({ do: 'start' });
  const theirs = () => ehr.client.all('Subscription');
  const active = (where = it) => until('an active Subscription', async () => {
    const { status } = await where.driver.call({ do: 'subscription', name: 'weights' });
    return status === 'active' && (await theirs()).find((one) => one.status === 'active');
  });
  await work({ ...it, ehr, folder, settings, theirs, active });
  it.client.close();
  ehr.client.close();
  await it.end();
  await ehr.server.stop();
}

test('a Subscription is made and brings notifications', () => withSubscription(async ({ active, ehr, accepted, messages, origin, theirs }) => {
  const made = await active();
  assert.deepEqual([made.criteria, made.channel.type, made.channel.endpoint, made.channel.payload], [vitals, 'rest-hook', `${origin}/notify/north/weights`, 'application/fhir+json']);
  const { body } = await ehr.client.post('Observation', weight());
  await until('the notification', () => accepted().length === 1);
  const [message] = await messages();
  assert.deepEqual([message.kind, message.id], ['notification', body.id]);
  await ehr.client.delete(`Observation/${body.id}`);
  await until('the deletion', () => accepted().length === 2);
  assert.match((await messages())[1].key, /\/deleted\//);
  assert.equal((await theirs()).length, 1);
}));

test('an empty payload makes the poll due, which finds it', () => withSubscription(async ({ active, ehr, accepted, messages }) => {
  const made = await active();
  assert.equal(made.channel.payload, undefined);
  const { body } = await ehr.client.post('Observation', weight());
  await until('the message', () => accepted().length === 1);
  const [message] = await messages();
  assert.deepEqual([message.kind, message.id], ['poll', body.id]);
}, { payload: 'empty' }));

test('what is wrong is put right: stopped, in error, changed, deleted; what is right is left alone', () => withSubscription(async ({ active, ehr, driver, theirs }) => {
  const { id, meta } = await active();
  await driver.call({ do: 'look' });
  await driver.call({ do: 'look' });
  assert.equal((await active()).meta.versionId, meta.versionId, 'nothing was written');
  const changes = [
    (it) => ({ ...it, status: 'off' }), (it) => ({ ...it, status: 'error', error: 'no answer' }),
    (it) => ({ ...it, criteria: 'Observation?code=8302-2' }),
    (it) => ({ ...it, channel: { ...it.channel, header: ['Authorization: Bearer other'] } }),
    (it) => ({ ...it, end: new Date(Date.now() + 1000).toISOString() }),
  ];
  for (const change of changes) {
    const { body: now } = await ehr.client.get(`Subscription/${id}`);
    assert.equal((await ehr.client.put(`Subscription/${id}`, change(now))).status, 200);
    await driver.call({ do: 'look' });
    await until('it to be right', async () => {
      const [it, ...others] = await theirs();
      return others.length === 0 && it.id === id && it.status === 'active' && it.criteria === vitals && !it.end && !it.error && it.channel.header[0] === 'Authorization: Bearer weights-0123456789';
    });
  }
  await ehr.client.delete(`Subscription/${id}`);
  await driver.call({ do: 'look' });
  const again = await until('a new one', async () => (await theirs()).find((it) => it.id !== id && it.status === 'active'));
  await until('its id to be kept', async () => (await driver.call({ do: 'subscription', name: 'weights' })).id === again.id);
}));

test('it is found again after a restart, by its id, or by its endpoint when the store is new', () => withSubscription(async ({ active, settings, theirs, origin, end, folder }) => {
  const { id, meta } = await active();
  await end();
  const port = Number(new URL(origin).port);
  for (const fresh of [false, true]) {
    if (fresh) fs.rmSync(path.join(folder, 'state'), { recursive: true });
    const next = await startGateway(folder, settings, { listen: { port } });
    await next.driver.call({ do: 'start' });
    assert.equal((await active(next)).id, id);
    assert.equal((await next.driver.call({ do: 'subscription', name: 'weights' })).id, id);
    await next.end();
  }
  const all = await theirs();
  assert.deepEqual(all.map((it) => [it.id, it.meta.versionId]), [[id, meta.versionId]]);
}));

test('an EHR that takes no Subscription is told once and left alone', async () => {
  const folder = scratch('none');
  const script = path.join(folder, 'script.json');
  fs.writeFileSync(script, JSON.stringify([{ path: '^/fhir/Subscription', do: 'reply', status: 404, times: 'all' }]));
  const ehr = await startScriptedEhr(folder, { script });
  const it = await startGateway(folder, [{
    name: 'north', 'base-url': ehr.base, 'subscription-check': '30s',
    subscriptions: [{ name: 'weights', criteria: vitals, payload: 'full', 'secret-file': secretFile(folder, 'weights') }],
  }]);
  await it.driver.call({ do: 'start' });
  await until('it to be said', async () => (await it.driver.call({ do: 'subscription', name: 'weights' })).error);
  await it.driver.call({ do: 'look' });
  await it.driver.call({ do: 'look' });
  await it.end();
  assert.equal(it.driver.log.match(/"event":"subscription-failed"/g)?.length, 1, it.driver.log);
  await ehr.server.stop();
});

test('a secret that would not survive the header is refused at the start', async () => {
  const folder = scratch('secret');
  const file = secretFile(folder, 'weights');
  fs.writeFileSync(file, 'a:b');
  await assert.rejects(startGateway(folder, [{
    name: 'north', 'base-url': nowhere, subscriptions: [{ name: 'weights', criteria: vitals, payload: 'full', 'secret-file': file }],
  }]), (error) => (assert.match(error.message, /a colon, a space or a control character[\s\S]*openssl rand -hex 32/), true));
});

await finish();

// suite: timeout=120
// The test EHR does what its clients rely on: FHIR REST, search and paging, Subscriptions, tokens, and a journal that
// survives SIGKILL. All data are made up here.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { startTestEhr } from '../lib/ehrs.mjs';
import { assertion, Client, tokenForm } from '../lib/fhir_client.mjs';
import { certificates, run, scratch, testsDir, until } from '../lib/process.mjs';
import { atEnd, finish, test } from '../lib/tap.mjs';

const certs = await certificates();
const folder = scratch('ehr');
let ehr = await startTestEhr(folder);
const system = 'https://example.org/id';
const child = (value, more = {}) => ({ resourceType: 'Patient', identifier: [{ system, value }], birthDate: '2016-02-29', ...more });
const weight = (patient, date, kg) => ({
  resourceType: 'Observation', status: 'final', subject: { reference: `Patient/${patient}` }, effectiveDateTime: date,
  code: { coding: [{ system: 'http://loinc.org', code: '29463-7' }] },
  valueQuantity: { value: kg, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' },
});
const create = async (resource) => {
  const { status, body } = await ehr.client.post(resource.resourceType, resource);
  assert.equal(status, 201, JSON.stringify(body));
  return body;
};
const text = ({ body }) => body.issue[0].details.text;

test('metadata and SMART configuration need no token', async () => {
  const { status, body } = await ehr.client.get('metadata');
  assert.equal(status, 200);
  assert.equal(body.fhirVersion, '4.0.1');
  assert.ok(body.rest[0].resource.find(({ type }) => type === 'CarePlan').searchParam.some(({ name }) => name === 'identifier'));
  const smart = await ehr.client.get('.well-known/smart-configuration');
  assert.equal(smart.body.token_endpoint, `${ehr.origin}/token`);
  assert.deepEqual(smart.body.token_endpoint_auth_signing_alg_values_supported, ['ES384', 'RS384']);
});

test('create answers 201 with ETag, Last-Modified and Location; client id and meta version are ignored', async () => {
  const { status, headers, body } = await ehr.client.post('Patient', child('c1', { id: 'mine', meta: { versionId: '7', lastUpdated: '2001-01-01T00:00:00Z' } }));
  assert.equal(status, 201);
  assert.notEqual(body.id, 'mine');
  assert.notEqual(body.meta.versionId, '7');
  assert.ok(body.meta.lastUpdated > '2020');
  assert.equal(headers.etag, `W/"${body.meta.versionId}"`);
  assert.equal(headers.location, `${ehr.base}/Patient/${body.id}/_history/${body.meta.versionId}`);
  assert.equal(headers['last-modified'], new Date(body.meta.lastUpdated).toUTCString());
});

test('If-None-Exist: none 201, one 200 with the resource and no Location, more 412', async () => {
  const header = { 'If-None-Exist': `identifier=${encodeURIComponent(`${system}|once`)}` };
  const first = await ehr.client.post('Patient', child('once'), header);
  const second = await ehr.client.post('Patient', child('once', { active: true }), header);
  assert.deepEqual([first.status, second.status, second.body.id, second.body.active], [201, 200, first.body.id, undefined]);
  assert.equal(second.headers.location, undefined);
  await create(child('once'));
  assert.equal((await ehr.client.post('Patient', child('once'), header)).status, 412);
});

test('ten If-None-Exist creates at once make one resource', async () => {
  const header = { 'If-None-Exist': `identifier=${system}|parallel` };
  const answers = await Promise.all(Array.from({ length: 10 }, () => ehr.client.post('Patient', child('parallel'), header)));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [...Array(9).fill(200), 201]);
});

test('update needs the current version in If-Match, and does not create', async () => {
  const made = await create(child('u1'));
  const old = `W/"${made.meta.versionId}"`;
  const changed = await ehr.client.put(`Patient/${made.id}`, { ...made, active: true }, { 'If-Match': old });
  assert.equal(changed.status, 200);
  assert.notEqual(changed.body.meta.versionId, made.meta.versionId);
  assert.equal((await ehr.client.put(`Patient/${made.id}`, made, { 'If-Match': old })).status, 412);
  assert.equal((await ehr.client.put(`Patient/${made.id}`, made, { 'If-Match': made.meta.versionId })).status, 400);
  assert.equal((await ehr.client.put('Patient/nobody', { ...made, id: 'nobody' })).status, 404);
  assert.equal((await ehr.client.put(`Patient/${made.id}`, { ...made, id: 'other' })).status, 400);
});

test('PATCH respects If-Match', async () => {
  const made = await create(child('p1'));
  const patch = [{ op: 'add', path: '/active', value: true }];
  assert.equal((await ehr.client.patch(`Patient/${made.id}`, patch, { 'If-Match': 'W/"wrong"' })).status, 412);
  const done = await ehr.client.patch(`Patient/${made.id}`, patch, { 'If-Match': `W/"${made.meta.versionId}"` });
  assert.deepEqual([done.status, done.body.active], [200, true]);
});

test('a deleted resource is 410, its versions and its history stay', async () => {
  const made = await create(child('d1'));
  assert.equal((await ehr.client.delete(`Patient/${made.id}`)).status, 200);
  assert.equal((await ehr.client.get(`Patient/${made.id}`)).status, 410);
  assert.equal((await ehr.client.put(`Patient/${made.id}`, made)).status, 410);
  assert.equal((await ehr.client.get(`Patient/${made.id}/_history/${made.meta.versionId}`)).status, 200);
  const { body } = await ehr.client.get(`Patient/${made.id}/_history`);
  assert.deepEqual(body.entry.map((e) => [e.request.method, Boolean(e.resource)]), [['DELETE', false], ['POST', true]]);
});

test('history is newest first, however often it is read', async () => {
  const made = await create(child('h1'));
  const { body: second } = await ehr.client.put(`Patient/${made.id}`, { ...made, active: false });
  for (let i = 0; i < 3; i += 1) {
    const { body } = await ehr.client.get(`Patient/${made.id}/_history`);
    assert.deepEqual(body.entry.map((e) => e.resource.meta.versionId), [second.meta.versionId, made.meta.versionId]);
  }
});

test('what is not R4 is refused with the place, unknown types are 404', async () => {
  const wrong = await ehr.client.post('Patient', child('w', { birthdate: '2016-02-29' }));
  assert.equal(wrong.status, 400);
  assert.match(JSON.stringify(wrong.body), /Patient\.birthdate/);
  assert.equal((await ehr.client.get('Pateint/1')).status, 404);
  assert.equal((await ehr.client.post('Patient', '{"resourceType":')).status, 400);
  assert.equal((await ehr.client.post('Patient', child('w'), { 'Content-Type': 'text/plain' })).status, 400);
});

test('search by identifier, bare patient id, codes, date, encounter and time of change', async () => {
  const [a, b] = [await create(child('s1')), await create(child('s2'))];
  const encounter = await create({ resourceType: 'Encounter', status: 'finished', class: { code: 'AMB' }, subject: { reference: `Patient/${a.id}` } });
  const one = await create({ ...weight(a.id, '2026-05-01T09:00:00-06:00', 30), encounter: { reference: `Encounter/${encounter.id}` } });
  const two = await create(weight(a.id, '2026-05-08', 31));
  await create(weight(b.id, '2026-05-01', 40));
  const ids = async (query, type = 'Observation') => (await ehr.client.all(`${type}?${query}`)).map(({ id }) => id);
  assert.deepEqual(await ids(`identifier=${system}%7Cs1`, 'Patient'), [a.id]);
  assert.deepEqual(await ids(`identifier=${system}%7Cs1,${system}%7Cs2`, 'Patient'), [a.id, b.id]);
  assert.deepEqual(await ids('identifier=other%7Cs1', 'Patient'), []);
  assert.deepEqual(await ids(`patient=${a.id}`), [one.id, two.id]);
  assert.deepEqual(await ids(`patient=Patient/${a.id}&code=8302-2,http://loinc.org%7C29463-7`), [one.id, two.id]);
  assert.deepEqual(await ids(`subject=${ehr.base}/Patient/${a.id}&date=2026-05-01`), [one.id]);
  assert.deepEqual(await ids(`patient=${a.id}&date=ge2026-05-02&date=le2026-05-08`), [two.id]);
  assert.deepEqual(await ids(`encounter=${encounter.id}`), [one.id]);
  assert.deepEqual(await ids(`patient=${a.id}&_sort=-date`), [two.id, one.id]);
  assert.deepEqual(await ids(`patient=${a.id}&_lastUpdated=ge${two.meta.lastUpdated}&_sort=_lastUpdated`).then((x) => x.at(-1)), two.id);
  assert.deepEqual(await ids(`patient=${a.id}&_lastUpdated=gt${two.meta.lastUpdated}`), []);
  const { body } = await ehr.client.post('Observation/_search', `patient=${a.id}&_count=1`, { 'Content-Type': 'application/x-www-form-urlencoded' });
  assert.deepEqual([body.total, body.entry.length, body.entry[0].fullUrl], [2, 1, `${ehr.base}/Observation/${one.id}`]);
  assert.equal((await ehr.client.get(`Observation?patient=${a.id}&_summary=count`)).body.entry, undefined);
});

test('what a search cannot do is 400, never an empty result', async () => {
  for (const query of ['colour=blue', 'value-quantity=5', '_include=Observation:subject', 'subject:Patient.name=x', '_sort=colour', '_count=x', 'date=spring', 'patient=', 'code:in=x', '_cursor=x']) {
    const answer = await ehr.client.get(`Observation?${query}`);
    assert.equal(answer.status, 400, `${query}: ${JSON.stringify(answer.body)}`);
  }
  assert.match(text(await ehr.client.get('Observation?colour=blue')), /Unknown search parameter colour for Observation/);
  assert.equal((await ehr.client.post('Patient', child('x'), { 'If-None-Exist': 'colour=blue' })).status, 400);
});

test('pages hold everything once, also when a resource changes between them', async () => {
  const tag = await create(child('paging'));
  const made = [];
  for (let i = 0; i < 7; i += 1) made.push(await create(weight(tag.id, `2026-06-0${i + 1}`, 30 + i)));
  const first = await ehr.client.get(`Observation?patient=${tag.id}&_count=3&_sort=_lastUpdated`);
  const link = (name) => first.body.link.find(({ relation }) => relation === name).url;
  assert.match(link('self'), /_sort=_lastUpdated/);
  await ehr.client.put(`Observation/${made[0].id}`, { ...made[0], status: 'amended' });
  const rest = await ehr.client.all(link('next'));
  assert.deepEqual(rest.map(({ id }) => id), [...made.slice(3), made[0]].map(({ id }) => id));
  assert.equal((await ehr.client.all(`Observation?patient=${tag.id}&_count=2&_sort=-date`)).length, 7);
});

test('a transaction happens whole or not at all; references are resolved, entries carry etag and location', async () => {
  const careTeam = { fullUrl: 'urn:uuid:11111111-1111-4111-8111-111111111111', resource: child('t1'), request: { method: 'POST', url: 'Patient', ifNoneExist: `identifier=${system}|t1` } };
  const goal = (more) => ({
    fullUrl: 'urn:uuid:22222222-2222-4222-8222-222222222222', request: { method: 'POST', url: 'Goal' },
    resource: { resourceType: 'Goal', lifecycleStatus: 'proposed', description: { text: 'move together' }, subject: { reference: careTeam.fullUrl }, ...more },
  });
  const bundle = (...entry) => structuredClone({ resourceType: 'Bundle', type: 'transaction', entry });
  const refused = await ehr.client.post('', bundle(careTeam, goal({ lifecycleStatus: undefined })));
  assert.equal(refused.status, 400, JSON.stringify(refused.body));
  assert.equal((await ehr.client.all(`Patient?identifier=${system}%7Ct1`)).length, 0);
  const done = await ehr.client.post('', bundle(careTeam, goal()));
  assert.equal(done.status, 200);
  const [patient, written] = done.body.entry;
  assert.equal(patient.response.etag, `W/"${patient.resource.meta.versionId}"`);
  assert.equal(written.resource.subject.reference, `Patient/${patient.resource.id}`);
  assert.match(written.response.location, /\/fhir\/Goal\/.+\/_history\//);
  const again = await ehr.client.post('', bundle(careTeam));
  assert.deepEqual([again.body.entry[0].response.status, again.body.entry[0].resource.id], ['200', patient.resource.id]);
});

test('a batch does what it can', async () => {
  const entry = [{ resource: child('b1'), request: { method: 'POST', url: 'Patient' } }, { resource: { resourceType: 'Patient', nope: 1 }, request: { method: 'POST', url: 'Patient' } }, { request: { method: 'GET', url: `Patient?identifier=${system}|s1` } }];
  const { status, body } = await ehr.client.post('', { resourceType: 'Bundle', type: 'batch', entry });
  assert.equal(status, 200);
  assert.deepEqual(body.entry.map((e) => e.response.status), ['201', '400', '200']);
  assert.equal(body.entry[2].resource.total, 1);
});

test('Prefer: return=minimal leaves the body out', async () => {
  const { status, headers, body } = await ehr.client.post('Patient', child('min'), { Prefer: 'return=minimal' });
  assert.deepEqual([status, body], [201, '']);
  assert.match(headers.location, /_history/);
});

// A receiver of notifications that can be told to fail.
const heard = [];
let failures = 0;
const receiver = https.createServer({ key: fs.readFileSync(certs.file('server.key')), cert: fs.readFileSync(certs.file('server.crt')) }, (request, response) => {
  let body = '';
  request.on('data', (data) => { body += data; }).on('end', () => {
    heard.push({ url: request.url, headers: request.headers, body });
    response.writeHead(failures-- > 0 ? 503 : 200).end();
  });
});
await new Promise((resolve) => { receiver.listen(0, '127.0.0.1', resolve); });
atEnd(() => { receiver.closeAllConnections(); receiver.close(); });
const subscription = (name, more = {}, channel = {}) => ({
  resourceType: 'Subscription', status: 'active', reason: 'test', criteria: 'Observation?code=29463-7',
  channel: { type: 'rest-hook', endpoint: `https://127.0.0.1:${receiver.address().port}/${name}`, header: ['X-Secret: s3cret:cut'], ...channel }, ...more,
});
const heardAt = (name) => heard.filter(({ url }) => url === `/${name}`);

test('Subscriptions: full and empty payload, only what matches, only when posted active, header cut at the second colon', async () => {
  await create(subscription('full', {}, { payload: 'application/fhir+json' }));
  await create(subscription('empty'));
  const asked = await create(subscription('asked', { status: 'requested' }));
  assert.equal(asked.status, 'requested');
  const patient = await create(child('sub'));
  const made = await create(weight(patient.id, '2026-07-01', 33));
  await until('both notifications', () => heardAt('full').length && heardAt('empty').length);
  const [full, empty] = [heardAt('full')[0], heardAt('empty')[0]];
  assert.deepEqual(JSON.parse(full.body), made);
  assert.equal(full.headers['content-type'], 'application/fhir+json');
  assert.deepEqual([empty.body, full.headers['x-secret']], ['', 's3cret']);
  assert.deepEqual([heardAt('full').length, heardAt('empty').length, heardAt('asked').length], [1, 1, 0]);
});

test('a failed hook is tried again and the Subscription stays active', async () => {
  const { id } = await create(subscription('again', { criteria: 'Goal' }));
  failures = 1;
  const patient = await create(child('again'));
  await create({ resourceType: 'Goal', lifecycleStatus: 'proposed', description: { text: 'x' }, subject: { reference: `Patient/${patient.id}` } });
  await until('the second try', () => heardAt('again').length === 2);
  assert.equal((await ehr.client.get(`Subscription/${id}`)).body.status, 'active');
});

test('a delete is told as {} with headers', async () => {
  await create(subscription('gone', { criteria: 'Goal' }, { payload: 'application/fhir+json' }));
  const { id } = await create({ resourceType: 'Goal', lifecycleStatus: 'proposed', description: { text: 'x' }, subject: { reference: 'Patient/1' } });
  await ehr.client.delete(`Goal/${id}`);
  const told = await until('the delete', () => heardAt('gone').find(({ headers }) => headers['x-medplum-interaction']));
  assert.deepEqual([told.body, told.headers['x-medplum-deleted-resource']], ['{}', `Goal/${id}`]);
});

test('a Subscription that could never fire is refused', async () => {
  assert.equal((await ehr.client.post('Subscription', subscription('x', { criteria: 'Observation?colour=blue' }))).status, 400);
  assert.equal((await ehr.client.post('Subscription', subscription('x', {}, { type: 'email' }))).status, 400);
  assert.equal((await ehr.client.post('Subscription', subscription('x', {}, { endpoint: 'http://127.0.0.1:1/' }))).status, 400);
});

test('killed with SIGKILL while it is written to, and started again: ids, versions, history and deletes are as answered', async () => {
  const base = ehr.base;
  const answered = new Map();
  let going = true;
  const writer = async (n) => {
    for (let i = 0; going; i += 1) {
      try {
        const { body } = await ehr.client.post('Patient', child(`kill-${n}-${i}`));
        answered.set(body.id, body.meta.versionId);
        const changed = await ehr.client.put(`Patient/${body.id}`, { ...body, active: true });
        answered.set(body.id, changed.body.meta.versionId);
      } catch {
        return; // the kill
      }
    }
  };
  const writers = [writer(1), writer(2), writer(3)];
  await until('some writes', () => answered.size > 20);
  await ehr.server.stop('SIGKILL');
  going = false;
  await Promise.all(writers);
  fs.appendFileSync(path.join(folder, 'ehr.journal'), '[{"resourceType":"Patient","id":"torn'); // as a power loss may leave it
  ehr = await startTestEhr(folder, ['--no-auth', '--port', String(ehr.port)]);
  assert.equal(ehr.base, base);
  for (const [id, versionId] of answered) {
    const { status, headers } = await ehr.client.get(`Patient/${id}`);
    // A write that was committed but not answered may have come after the last answer.
    if (headers.etag !== `W/"${versionId}"`) assert.equal((await ehr.client.get(`Patient/${id}/_history/${versionId}`)).status, 200);
    assert.equal(status, 200);
  }
  const d1 = (await ehr.client.all(`Patient?identifier=${system}%7Cd1`)).length;
  const [{ id: h1 }] = await ehr.client.all(`Patient?identifier=${system}%7Ch1`);
  assert.deepEqual([d1, (await ehr.client.get(`Patient/${h1}/_history`)).body.total], [0, 2]);
  const patient = await create(child('after'));
  await create(weight(patient.id, '2026-08-01', 34));
  await until('a notification after the restart', () => heardAt('full').length === 2);
});

test('two EHRs are two worlds', async () => {
  const other = await startTestEhr(scratch('ehr2'));
  assert.notEqual(other.base, ehr.base);
  assert.equal((await other.client.get('Patient')).body.total, 0);
  await other.server.stop();
});

const clientArgs = ['--client', `eplan=${certs.file('smart-jwks.json')}`, '--token-ttl', '1'];
const keys = Object.fromEntries(JSON.parse(fs.readFileSync(certs.file('smart-jwks.json'))).keys.map(({ alg, kid }) => [alg, kid]));
const bearerFile = path.join(folder, 'bearer');
fs.writeFileSync(bearerFile, 'static-secret\n', { mode: 0o600 });
const guarded = await startTestEhr(scratch('smart'), [...clientArgs, '--bearer-file', bearerFile]);
const ask = (jwt, changes) => guarded.client.post(`${guarded.origin}/token`, tokenForm(jwt, changes), { 'Content-Type': 'application/x-www-form-urlencoded' });
const credentials = (alg) => ({ alg, kid: keys[alg], keyFile: certs.file(`smart-${alg.toLowerCase()}.key`), clientId: 'eplan', audience: `${guarded.origin}/token` });

for (const alg of ['ES384', 'RS384']) {
  test(`a token by private_key_jwt ${alg} opens the EHR until it expires`, async () => {
    const { status, body } = await ask(assertion(credentials(alg)));
    assert.deepEqual([status, body.token_type, body.expires_in, body.scope], [200, 'bearer', 1, 'system/*.cruds']);
    const headers = { Authorization: `Bearer ${body.access_token}` };
    assert.equal((await guarded.client.get('Patient', headers)).status, 200);
    const expired = await until('the token to expire', async () => {
      const answer = await guarded.client.get('Patient', headers);
      return answer.status === 401 && answer;
    });
    assert.equal(expired.headers['www-authenticate'], 'Bearer');
    assert.match(JSON.stringify(expired.body), /Token expired/);
  });
}

test('a static bearer token opens it, no and wrong tokens do not', async () => {
  const status = async (authorization) => (await guarded.client.get('Patient', authorization && { Authorization: authorization })).status;
  assert.deepEqual([await status('Bearer static-secret'), await status('Bearer wrong'), await status('Basic static-secret'), await status()], [200, 401, 401, 401]);
});

test('bad assertions are refused, each with its reason', async () => {
  const es = credentials('ES384');
  const used = assertion(es);
  await ask(used);
  const far = Math.floor(Date.now() / 1000);
  const cases = [
    [used, /jti was used before/],
    [assertion(es, { claims: { aud: guarded.base } }), /aud must be/],
    [assertion(es, { claims: { exp: far - 10 } }), /expired/],
    [assertion(es, { claims: { exp: far + 900 } }), /more than 300 s/],
    [assertion(es, { claims: { sub: 'someone' } }), /sub must equal iss/],
    [assertion(es, { claims: { jti: undefined } }), /jti is missing/],
    [assertion(es, { claims: { iss: 'someone', sub: 'someone' } }), /unknown client or key/],
    [assertion(es, { header: { kid: 'other' } }), /unknown client or key/],
    [assertion(es, { header: { alg: 'none' } }), /does not fit the key/],
    [assertion(es, { header: { alg: 'RS384' } }), /does not fit the key/],
    [assertion({ ...credentials('RS384'), alg: 'ES384', kid: keys.ES384 }), /wrong signature/],
    ['abc', /not a JWT/],
  ];
  for (const [jwt, reason] of cases) {
    const { status, body } = await ask(jwt);
    assert.deepEqual([status, body.error], [400, 'invalid_client']);
    assert.match(body.error_description, reason);
  }
  assert.equal((await ask(assertion(es), { grant_type: 'password' })).body.error, 'unsupported_grant_type');
});

test('the client refuses a server that another CA signed', async () => {
  await assert.rejects(new Client(ehr.base, {}).get('metadata'), /certificate/);
});

test('wrong options are named', async () => {
  const program = path.join(testsDir, 'ehr/server.mjs');
  for (const [args, message] of [[[], /--key FILE and --cert FILE/], [['--colour'], /--colour/], [['--key', 'k', '--cert', 'c', '--port', 'x'], /--port must be a whole number/], [['--key', 'k', '--cert', 'c'], /say who may come in/]]) {
    const { code, stderr } = await run(process.execPath, [program, ...args]);
    assert.equal(code, 64);
    assert.match(stderr, message);
  }
});

await finish();

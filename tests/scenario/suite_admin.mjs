// suite: timeout=180 needs=build presets=release,asan-ubsan
// What an operator sees and does: status, show, stop-writes and resume-writes, on a running daemon and on a stopped store.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { admit, plansOf } from '../lib/children.mjs';
import { binary, eplan, settled, startDaemon, subscribed, writeConfig } from '../lib/daemon.mjs';
import { startTestEhr } from '../lib/ehrs.mjs';
import { certificates, run, scratch, until } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';

const folder = scratch('admin');
const ehr = await startTestEhr(folder);
const token = 'a-token-for-who-measures';
fs.writeFileSync(`${folder}/metrics.token`, `${token}\n`, { mode: 0o600 });
const config = await writeConfig(folder, { ehrs: [{ base: ehr.base }], gateway: { metrics: { 'token-file': `${folder}/metrics.token` } } });
let daemon = await startDaemon(folder, config);
const children = {};

test('status tells each EHR, its mode, its work; --open each child that waits, and what to do', async () => {
  await subscribed(ehr);
  for (const kind of ['overweight', 'held', 'handedOver']) children[kind] = (await admit(ehr.client, kind)).patient.id;
  await settled(daemon, 'north', { evaluations: 3 });
  const { code, stdout } = await eplan(config, 'status');
  assert.equal(code, 0);
  assert.match(stdout, /^eplan gateway, running; store queue 0\nmapping healthy-weight \d\S+, [0-9a-f]{12}, since 20[^\n]+\nnorth: live, synthetic, https:/);
  assert.match(stdout, /writes +6 delivered/);
  const open = await eplan(config, 'status', '--open');
  assert.equal(open.code, 1);
  assert.match(open.stdout, /2 visits wait for a person/);
  for (const kind of ['held', 'handedOver']) assert.match(open.stdout, new RegExp(`Patient/${children[kind]}  Encounter/`));
  assert.match(open.stdout, /what to do: a clinician looks at the chart/);
  assert.doesNotMatch(open.stdout, /obes|overweight|percentile/i);
});

test('show tells the whole way of a message and of a patient', async () => {
  const message = daemon.lines('message-stored')[0].message;
  const { code, stdout } = await eplan(config, 'show', message);
  assert.equal(code, 0);
  for (const told of [/^message /, /received .* by notification from north/, /visit Encounter\//, /mapping +healthy-weight/, /decision +proposal/, /write 6: create CarePlan/, /try 1, .*: delivered/,
    /trail \d+, 20[^\n]+: fetched, read \d+ resources of Patient\//, /trail \d+, .*: written, create CarePlan\/[^\n]+\/_history\/\S+ of Patient\//,
    /trail \d+, .*: made, CarePlan\/\S+ made by mapping healthy-weight \d\S+, sha256 [0-9a-f]{64}\n/]) assert.match(stdout, told);
  const patient = await eplan(config, 'show', `Patient/${children.held}`, '--ehr', 'north');
  assert.match(patient.stdout, /state +held: a hold of the mapping stopped the proposal \(implausible\)/);
});

test('what nobody knows is told so', async () => {
  const { code, stderr } = await eplan(config, 'show', 'nobody');
  assert.deepEqual([code, stderr], [1, 'eplan: there is no such message, and nothing is known of such a patient\n']);
  const stop = await eplan(config, 'stop-writes', '--ehr', 'nowhere');
  assert.deepEqual([stop.code, stop.stderr], [1, 'eplan: there is no EHR "nowhere"\n']);
});

// name{labels} -> value, and every line of the text is one of the exposition format.
function measured(text) {
  const types = new Map();
  const values = new Map();
  for (const line of text.trimEnd().split('\n')) {
    const [, kind, subject, rest] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (kind === 'TYPE') types.set(subject, rest);
    if (kind !== undefined) continue;
    const [, sample, value] = /^([a-z_]+(?:\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\})?) (-?[0-9.e+]+)$/.exec(line) ?? assert.fail(line);
    const name = sample.replace(/\{.*/, '');
    assert.ok(types.has(name) || types.get(name.replace(/_(sum|count)$/, '')) === 'summary', `${line}: comes behind its TYPE`);
    assert.ok(!values.has(sample), `${line}: twice`);
    values.set(sample, Number(value));
  }
  return values;
}

const scrape = (ca, authorization, method = 'GET') => new Promise((resolve, reject) => {
  const headers = authorization === undefined ? {} : { authorization };
  https.request(`${daemon.origin}/metrics`, { ca, agent: false, servername: '', headers, method }, (response) => {
    let body = '';
    response.on('data', (data) => { body += data; }).on('end', () => resolve({ status: response.statusCode, type: response.headers['content-type'], body }));
  }).on('error', reject).end();
});

test('metrics: as Prometheus reads them, by verb and at /metrics for who has the token', async () => {
  const { ca } = await certificates();
  const answer = await scrape(ca, `Bearer ${token}`);
  assert.deepEqual([answer.status, answer.type], [200, 'text/plain; version=0.0.4; charset=utf-8']);
  const values = measured(answer.body);
  assert.equal(values.get('eplan_running'), 1);
  assert.equal(values.get('eplan_writes{ehr="north",state="delivered"}'), 6);
  assert.equal(values.get('eplan_evaluations{ehr="north",state="held"}'), 1);
  assert.equal(values.get('eplan_evaluations{ehr="north",state="handed-over"}'), 1);
  assert.ok(values.get('eplan_ehr_requests_total{ehr="north"}') > 6);
  assert.ok(Math.abs(values.get('eplan_ehr_watermark_seconds{ehr="north"}') - Date.now() / 1000) < 3600);
  const visible = (suffix) => values.get(`eplan_ehr_received_to_visible_seconds${suffix}`);
  assert.equal(visible('_count{ehr="north"}'), 1); // the one plan that was written
  const took = visible('{ehr="north",quantile="0.95"}');
  assert.ok(took >= 0.3 && took < 60, `${took} s: it settled for 300 ms`);
  assert.ok(Math.abs(visible('_sum{ehr="north"}') - took) < 1e-6);
  for (const id of Object.values(children)) assert.ok(!answer.body.includes(id), 'no metric names a patient');
  const { code, stdout } = await eplan(config, 'metrics');
  assert.equal(code, 0);
  assert.deepEqual([...measured(stdout).keys()], [...values.keys()]);
  assert.equal((await scrape(ca)).status, 401);
  assert.equal((await scrape(ca, `Bearer ${token}r`)).status, 401);
  assert.equal((await scrape(ca, `Basic ${token}`)).status, 401);
  assert.equal((await scrape(ca, `Bearer ${token}`, 'POST')).status, 405);
});

test('stop-writes is durable; receiving goes on; resume-writes lets them go', async () => {
  assert.match((await eplan(config, 'stop-writes')).stdout, /^nothing further is written .* to every EHR, noted for \S+\n$/);
  const { patient } = await admit(ehr.client, 'obesity1');
  await until('the visit to be planned', async () => (await daemon.show(patient.id)).evaluations?.[0]?.state === 'planned');
  await daemon.stop();
  daemon = await startDaemon(folder, config);
  assert.match((await eplan(config, 'status')).stdout, /ALL WRITES STOPPED/);
  assert.deepEqual(await plansOf(ehr.client, patient.id), []);
  assert.equal((await eplan(config, 'resume-writes')).code, 0);
  await until('the plan', async () => (await plansOf(ehr.client, patient.id)).length === 1);
});

test('a stopped store answers for itself, and the switch works there too', async () => {
  await daemon.stop();
  const { code, stdout } = await eplan(config, 'status', '--open');
  assert.equal(code, 1);
  assert.match(stdout, /^eplan gateway, not running/);
  assert.equal(measured((await eplan(config, 'metrics')).stdout).get('eplan_running'), 0);
  assert.equal((await eplan(config, 'stop-writes', '--ehr', 'north')).code, 0);
  assert.match((await eplan(config, 'status')).stdout, /north: live, synthetic, WRITES STOPPED/);
  assert.equal((await eplan(config, 'resume-writes', '--ehr', 'north')).code, 0);
  assert.match((await eplan(config, 'show', children.overweight)).stdout, /care-plan: CarePlan\//);
  daemon = await startDaemon(folder, config);
});

test('the control socket: mode 0660, bounded, and what is no request is told so', async () => {
  const socket = path.join(folder, 'state/control.sock');
  assert.equal(fs.statSync(socket).mode & 0o777, 0o660);
  const ask = (text) => new Promise((resolve, reject) => {
    let answer = '';
    net.connect(socket).on('data', (data) => { answer += data; }).on('close', () => resolve(answer)).on('error', (error) => (error.code === 'EPIPE' || error.code === 'ECONNRESET' ? resolve(answer) : reject(error))).write(text);
  });
  assert.deepEqual(JSON.parse(await ask('no JSON\n')), { ok: false, error: 'the request is not JSON', exit: 64 });
  assert.deepEqual(JSON.parse(await ask('{"verb":"dance"}\n')), { ok: false, error: 'there is no such request', exit: 64 });
  assert.equal(await ask('x'.repeat(10_000)), '');
  assert.equal((await eplan(config, 'status')).code, 0);
});

test('help: every verb with its usage', async () => {
  const { stdout } = await run(binary, ['help']);
  for (const verb of ['run', 'status', 'show', 'metrics', 'stop-writes', 'resume-writes']) {
    assert.match(stdout, new RegExp(`^  ${verb} +\\S`, 'm'));
    assert.match((await run(binary, [verb, '--help'])).stdout, new RegExp(`^usage: eplan ${verb} \\[-c FILE\\]`));
  }
  assert.equal((await run(binary, ['status', '--opne'])).code, 64);
});

await finish();

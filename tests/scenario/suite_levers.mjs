// suite: timeout=240 needs=build presets=release,asan-ubsan
// People's levers on a running daemon and on a stopped store: queue, hold, release, replay, resend, drop, backup, verify.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { admit, plansOf } from '../lib/children.mjs';
import { eplan, secrets, settled, startDaemon, subscribed, verified, writeConfig } from '../lib/daemon.mjs';
import { startTestEhr } from '../lib/ehrs.mjs';
import { scratch, until } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';

const folder = scratch('levers');
const ehr = await startTestEhr(folder);
const config = await writeConfig(folder, { ehrs: [{ base: ehr.base }] });
let daemon = await startDaemon(folder, config);
await subscribed(ehr);

const queue = async (...args) => (await eplan(config, 'queue', '--json', ...args)).json().queue;
const pull = async (verb, ...args) => {
  const { code, stdout, stderr } = await eplan(config, verb, '--json', ...args);
  assert.equal(stderr, '');
  return { code, ...JSON.parse(stdout.trim().split('\n').at(-1)) };
};
const visit = async (patient) => (await daemon.show(patient)).evaluations?.[0];
const goals = async (patient) => (await ehr.client.all(`Goal?subject=Patient/${patient}`)).length;
const planned = (patient) => until('the plan', async () => (await plansOf(ehr.client, patient)).length === 1);
const inState = (patient, state) => until(`the visit to be ${state}`, async () => { const found = await visit(patient); return found?.state === state && found; });
// The port is another one: what the EHR notifies must be there again before children come.
async function start() {
  daemon = await startDaemon(folder, config);
  await until('the Subscription to name the new port', async () => (await ehr.client.all('Subscription')).some(({ status, channel }) => status === 'active' && channel.endpoint.startsWith(`${daemon.origin}/`)));
}
async function restart() {
  await daemon.stop();
  await start();
}

test('a patient on hold waits, over a restart, until released; who and why are in the queue', async () => {
  const { patient } = await admit(ehr.client, 'overweight');
  await planned(patient.id);
  await inState(patient.id, 'done');
  const held = await eplan(config, 'hold', '--patient', `Patient/${patient.id}`, '--reason', 'the family asked');
  assert.deepEqual([held.code, held.stdout], [0, `Patient/${patient.id} at north: nothing is evaluated or written until \`eplan release\`\n`]);
  assert.match((await eplan(config, 'hold', '--patient', patient.id)).stdout, /it was so already/);
  assert.match((await eplan(config, 'queue')).stdout, new RegExp(`^ON HOLD  north  Patient/${patient.id}  since .* by \\S+: the family asked\n`));
  assert.equal((await pull('replay', '--patient', patient.id)).done, 1);
  await restart();
  const other = (await admit(ehr.client, 'overweight')).patient.id;
  await planned(other); // others go on
  assert.equal((await visit(patient.id)).state, 'received');
  assert.match((await eplan(config, 'release', '--patient', patient.id)).stdout, /work goes on\n$/);
  await inState(patient.id, 'done');
  assert.equal((await plansOf(ehr.client, patient.id)).length, 1);
  assert.match((await eplan(config, 'queue')).stdout, /^0 visits are shown\n$/);
});

test('an EHR on hold: nothing is evaluated there', async () => {
  assert.equal((await eplan(config, 'hold', '--ehr', 'north')).code, 0);
  const { patient } = await admit(ehr.client, 'overweight');
  await until('the visit to wait', async () => (await queue('--patient', patient.id)).length === 1);
  assert.equal((await eplan(config, 'release', '--ehr', 'north')).code, 0);
  await planned(patient.id);
});

test('a plan is held, resent and dropped: what stands in the EHR is found and not written twice', async () => {
  assert.equal((await eplan(config, 'stop-writes')).code, 0);
  const { patient } = await admit(ehr.client, 'obesity1');
  await inState(patient.id, 'planned');
  const [entry] = await queue('--patient', patient.id, '--state', 'planned', '--mapping', 'healthy-weight');
  assert.equal(entry.state, 'planned');
  assert.deepEqual((({ code, done }) => [code, done])(await pull('hold', entry.evaluation, '--reason', 'to be looked at')), [0, 1]);
  assert.deepEqual((({ code, already }) => [code, already])(await pull('hold', entry.evaluation)), [0, 1]);
  assert.equal((await visit(patient.id)).state, 'held');
  assert.equal((await eplan(config, 'resume-writes')).code, 0);
  await restart();
  assert.equal((await queue('--state', 'held', '--because', 'operator')).length, 1);
  assert.deepEqual(await plansOf(ehr.client, patient.id), []);
  assert.equal((await pull('resend', entry.evaluation, '--reason', 'is right')).done, 1);
  await planned(patient.id);
  await inState(patient.id, 'done');
  const count = await goals(patient.id);
  const again = await pull('resend', entry.evaluation);
  assert.deepEqual([again.code, again.already], [0, 1]);
  const shown = await daemon.show(patient.id);
  assert.equal(shown.evaluations.length, 2);
  const told = shown.evaluations.flatMap(({ trail }) => trail).filter(({ by }) => by).map(({ what, why }) => [what, why]);
  assert.deepEqual(told.sort(), [['hold', 'to be looked at'], ['resend', 'is right']]);
  assert.equal(await goals(patient.id), count);
  assert.equal((await plansOf(ehr.client, patient.id)).length, 1);
});

test('a visit that was evaluated is evaluated again, and the EHR keeps its one plan', async () => {
  const { patient } = await admit(ehr.client, 'overweight');
  await planned(patient.id);
  await inState(patient.id, 'done');
  const dry = await pull('replay', '--patient', patient.id, '--state', 'done', '--dry-run');
  assert.equal(dry.done, 1);
  assert.equal((await daemon.show(patient.id)).evaluations.length, 1);
  assert.equal((await pull('replay', '--patient', patient.id, '--state', 'done')).done, 1);
  await until('the second evaluation to end', async () => { const { evaluations } = await daemon.show(patient.id); return evaluations.length === 2 && evaluations[0].state === 'done'; });
  assert.equal((await plansOf(ehr.client, patient.id)).length, 1);
});

test('a held visit is dropped with its reason, and leaves the open list', async () => {
  const { patient } = await admit(ehr.client, 'held');
  await inState(patient.id, 'held');
  const missing = await eplan(config, 'drop', '--patient', patient.id, '--state', 'held');
  assert.deepEqual([missing.code, missing.stderr], [64, 'eplan: say why with --reason TEXT\n']);
  assert.equal((await pull('drop', '--patient', patient.id, '--state', 'held', '--reason', 'was a typing error')).done, 1);
  const found = await visit(patient.id);
  assert.deepEqual([found.state, found.reason], ['dropped', 'operator']);
  assert.deepEqual((await eplan(config, 'status', '--open')).stdout.match(/(\d+) visits? waits?/)?.[1], '0');
});

test('a held visit goes on when it is released', async () => {
  const { patient } = await admit(ehr.client, 'held');
  await inState(patient.id, 'held');
  assert.equal((await pull('release', '--patient', patient.id, '--state', 'held')).done, 1);
  await until('it to be held again', async () => { const { evaluations } = await daemon.show(patient.id); return evaluations.length === 2 && evaluations[0].state === 'held'; });
});

test('a message that told of no visit is read again when its cause is gone', async () => {
  const { patient, weight } = await admit(ehr.client, 'overweight');
  await planned(patient.id);
  const logical = { ...weight, id: 'read-again', subject: { identifier: { value: 'who-is-it' } } };
  assert.ok((await daemon.client(`${secrets.engine}-north`).post('fhir/north/Observation', logical)).status < 300);
  const [held] = await until('the message to be held', async () => { const found = await queue('--state', 'held', '--because', 'ambiguous-patient'); return found.length === 1 && found; });
  const still = await pull('replay', held.message);
  assert.deepEqual([still.code, still.refused, still.visits[0].why], [1, 1, 'it still tells of no visit']);
  assert.equal((await pull('drop', held.message, '--reason', 'the sender was told')).done, 1);
  assert.equal((await queue('--because', 'ambiguous-patient')).length, 0);
  assert.equal((await pull('replay', held.message)).already, 1);
});

test('levers name what they mean, and say what is wrong', async () => {
  for (const [args, code, said] of [
    [['hold'], 64, /say what is meant: an id, or a filter/],
    [['release', '--ehr', 'nowhere'], 1, /there is no EHR "nowhere"/],
    [['replay', '--state', 'gone'], 64, /there is no state "gone"/],
    [['resend', '--because', 'gone'], 64, /there is no reason "gone"/],
    [['hold', 'not-an-id'], 64, /is no id of a message, a visit's evaluation or a write: "not-an-id"/],
    [['hold', '01890000-0000-7000-8000-000000000000'], 1, /there is no message, evaluation or write of that id/],
    [['queue', '--older', '5 parsecs'], 64, /an age like 90s, 20min, 2h or 7d/],
    [['queue', '--dry-run'], 64, /does not know "--dry-run" here/],
  ]) {
    const ran = await eplan(config, ...args);
    assert.equal(ran.code, code, `${args}: ${ran.stderr}`);
    assert.match(ran.stderr, said);
  }
});

test('pages: the queue by one, and each visit once', async () => {
  await until('nothing to be under way', async () => (await queue('--state', 'received,resolved,planned')).length === 0);
  const all = (await queue('--state', 'all', '--all')).map(({ evaluation }) => evaluation);
  const seen = [];
  for (let from; ;) {
    const page = (await eplan(config, 'queue', '--json', '--state', 'all', '--all', '--limit', '3', ...(from ? ['--from', from] : []))).json();
    seen.push(...page.queue.map(({ evaluation }) => evaluation));
    from = page.next;
    if (!from) break;
  }
  assert.deepEqual(seen, all);
  assert.ok(all.length > 6);
});

test('backup while it runs: a whole store, for the gateway alone, that every rule holds in', async () => {
  const state = path.join(folder, 'copied');
  fs.mkdirSync(state, { mode: 0o700 });
  const file = path.join(state, 'store.db');
  const { code, stdout } = await eplan(config, 'backup', file);
  assert.equal(code, 0);
  assert.match(stdout, /bytes; whole as of now\n$/);
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(fs.readdirSync(state), ['store.db']);
  await verified(config, state);
  const again = await eplan(config, 'backup', file);
  assert.deepEqual([again.code, again.stderr], [2, `error: ${file}: is there already, and is left alone [store-backup]\n`]);
});

test('the levers work on a stopped store too, and what they did is done at the next start', async () => {
  const { patient } = await admit(ehr.client, 'held');
  const held = await inState(patient.id, 'held');
  await daemon.stop();
  assert.equal((await queue('--patient', patient.id)).length, 1);
  const ran = await eplan(config, 'release', held.evaluation);
  assert.deepEqual([ran.code, ran.stdout], [0, '1 visit released\n']);
  assert.equal((await eplan(config, 'backup', path.join(folder, 'stopped.db'))).code, 0);
  await verified(config);
  await start();
  await until('it to be held again', async () => { const { evaluations } = await daemon.show(patient.id); return evaluations.length === 2 && evaluations[0].state === 'held'; });
});

test('every rule holds at the end, while it runs', async () => {
  await settled(daemon);
  await verified(config);
});

await finish();

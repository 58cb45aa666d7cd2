// suite: timeout=300 needs=build presets=release,asan-ubsan
// The way of a message, whole: the daemon against a FHIR server of another maker, over TLS.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { admit, goalsOf, kinds, make, measurementOf, patientOf, plansOf } from '../lib/children.mjs';
import { notify, secrets, settled, startDaemon, subscribed, writeConfig } from '../lib/daemon.mjs';
import { startTestEhr } from '../lib/ehrs.mjs';
import { scratch, until } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';

// An EHR and a gateway in a folder of their own; `given` overrides the EHR's file.
async function setUp(name, given = {}, gateway = {}) {
  const folder = scratch(name);
  const ehr = await startTestEhr(folder);
  const config = await writeConfig(folder, { ehrs: [{ base: ehr.base, ...given }], gateway });
  const daemon = await startDaemon(folder, config);
  return { folder, ehr, config, daemon };
}

const onlyPoll = { subscriptions: [], poll: { interval: '200ms', overlap: '10s', queries: ['Observation?category=vital-signs'] } };

async function aPlan(ehr, patient, more = () => true) {
  return until('the CarePlan to stand in the EHR', async () => {
    const found = await plansOf(ehr.client, patient);
    return found.length > 0 && more(found) && found;
  });
}

function assertProposal(plan, goals) {
  assert.deepEqual([plan.status, plan.intent, plan.author], ['draft', 'proposal', undefined]);
  assert.deepEqual(plan.contributor, [{ type: 'Device', display: 'ePlan gateway' }]);
  assert.ok(plan.meta.security.some(({ code }) => code === 'HTEST'));
  assert.equal(plan.goal.length, goals.length);
  assert.deepEqual(plan.goal.map(({ reference }) => reference).sort(), goals.map(({ id }) => `Goal/${id}`).sort());
  for (const goal of goals) assert.equal(goal.lifecycleStatus, 'proposed');
}

test('a notification with its payload becomes a proposed CarePlan with its Goals', async () => {
  const { ehr, daemon } = await setUp('full');
  await subscribed(ehr);
  const { patient } = await admit(ehr.client, 'overweight');
  const [plan, ...more] = await aPlan(ehr, patient.id);
  await settled(daemon);
  assert.equal(more.length, 0);
  assertProposal(plan, await goalsOf(ehr.client, patient.id));
  for (const type of ['Condition', 'Procedure', 'ServiceRequest']) assert.deepEqual(await ehr.client.all(type), []);
  assert.equal((await ehr.client.all('Observation')).length, 2);
  const { ehrs: [one] } = await daemon.status();
  assert.deepEqual([one.messages.done, one.evaluations.done], [2, 1]);
});

test('obesity class 1: the plan with its proposed order', async () => {
  const { ehr } = await setUp('obesity');
  await subscribed(ehr);
  const { patient } = await admit(ehr.client, 'obesity1');
  const [plan] = await aPlan(ehr, patient.id);
  assertProposal(plan, await goalsOf(ehr.client, patient.id));
  const [order, ...more] = await ehr.client.all('ServiceRequest');
  assert.deepEqual([order.status, order.intent, more.length], ['draft', 'proposal', 0]);
});

test('an empty notification makes the poll due', async () => {
  const { ehr, daemon } = await setUp('empty', { payload: 'empty' });
  await subscribed(ehr);
  const { patient } = await admit(ehr.client, 'overweight');
  await aPlan(ehr, patient.id);
  const { status, body } = await notify(daemon);
  assert.deepEqual([status, body], [200, '']);
  const { message } = await daemon.show(daemon.lines('message-stored')[0].message);
  assert.equal(message.kind, 'poll');
});

test('polling alone finds the measurements', async () => {
  const { ehr } = await setUp('poll', onlyPoll);
  const { patient } = await admit(ehr.client, 'overweight');
  await aPlan(ehr, patient.id);
  assert.deepEqual(await ehr.client.all('Subscription'), []);
});

test('a new weight of the visit changes the plan: the earlier draft is withdrawn, one stands', async () => {
  const { ehr, daemon } = await setUp('update');
  await subscribed(ehr);
  const { patient, weight } = await admit(ehr.client, 'overweight');
  const [first] = await aPlan(ehr, patient.id);
  await settled(daemon);
  await make(ehr.client, { ...weight, status: 'corrected', valueQuantity: { ...weight.valueQuantity, value: 33 } });
  const plans = await aPlan(ehr, patient.id, (found) => found.filter(({ status }) => status === 'draft').length === 1 && found.length === 2);
  await settled(daemon, 'north', { evaluations: 2 });
  assert.equal(plans.find(({ id }) => id === first.id).status, 'entered-in-error');
});

test('a measurement taken back withdraws the untouched draft', async () => {
  const { ehr, daemon } = await setUp('taken-back');
  await subscribed(ehr);
  const { patient, weight } = await admit(ehr.client, 'overweight');
  await aPlan(ehr, patient.id);
  await settled(daemon);
  await make(ehr.client, { ...weight, status: 'entered-in-error' });
  await aPlan(ehr, patient.id, (found) => found.every(({ status }) => status === 'entered-in-error'));
});

test('a measurement that is deleted withdraws the untouched draft; one that was never seen is dropped', async () => {
  const { ehr, daemon } = await setUp('deleted');
  await subscribed(ehr);
  const { patient, weight } = await admit(ehr.client, 'overweight');
  await aPlan(ehr, patient.id);
  await settled(daemon);
  const before = daemon.lines('message-stored').length;
  assert.ok([200, 204].includes((await ehr.client.delete(`Observation/${weight.id}`)).status));
  await aPlan(ehr, patient.id, (found) => found.every(({ status }) => status === 'entered-in-error'));
  await until('the Goals to be taken back', async () => (await goalsOf(ehr.client, patient.id)).every(({ lifecycleStatus }) => lifecycleStatus !== 'proposed'));
  const [{ message }] = daemon.lines('message-stored').slice(before);
  const ended = await until('the deletion to end', async () => { const shown = await daemon.show(message); return shown.message.ended && shown.message; });
  assert.equal(ended.state, 'held', JSON.stringify(ended)); // there is no weight to go by
  const stranger = await notify(daemon, { method: 'DELETE', below: '/Observation/never-seen' });
  assert.equal(stranger.status, 200);
  const last = await until('it to be stored', () => daemon.lines('message-stored').slice(before).find((line) => line.message !== message));
  const { state, reason } = (await daemon.show(last.message)).message;
  assert.deepEqual([state, reason], ['dropped', 'withdrawn']);
});

test('the same notification twice, and again after all is done: one message, nothing written twice', async () => {
  const { ehr, daemon } = await setUp('twice');
  await subscribed(ehr);
  const { patient, weight, height } = await admit(ehr.client, 'overweight');
  for (const body of [weight, weight, height, height]) assert.equal((await notify(daemon, { body })).status, 200);
  const [plan] = await aPlan(ehr, patient.id);
  await settled(daemon);
  assert.equal((await notify(daemon, { body: weight })).status, 200);
  const { ehrs: [one] } = await settled(daemon).then(() => daemon.status());
  assert.equal(one.messages.done, 2);
  assert.equal((await plansOf(ehr.client, patient.id))[0].meta.versionId, plan.meta.versionId);
});

test('a measurement that changes nothing writes nothing', async () => {
  const { ehr, daemon } = await setUp('unchanged');
  await subscribed(ehr);
  const { patient, encounter } = await admit(ehr.client, 'overweight');
  const [plan] = await aPlan(ehr, patient.id);
  await settled(daemon);
  await make(ehr.client, measurementOf('height', patient.id, encounter.id, kinds.overweight.height));
  await settled(daemon, 'north', { evaluations: 2 });
  const found = await plansOf(ehr.client, patient.id);
  assert.deepEqual(found.map(({ meta }) => meta.versionId), [plan.meta.versionId]);
});

test('a CarePlan that a clinician edited stays as it is, and the child is held', async () => {
  const { ehr, daemon } = await setUp('edited');
  await subscribed(ehr);
  const { patient, weight } = await admit(ehr.client, 'overweight');
  const [plan] = await aPlan(ehr, patient.id);
  await settled(daemon);
  const edited = await make(ehr.client, { ...plan, title: 'What we agreed on Tuesday' });
  await make(ehr.client, { ...weight, status: 'corrected', valueQuantity: { ...weight.valueQuantity, value: 33 } });
  await until('the child to wait for a person', async () => (await daemon.status('--open')).open.length > 0);
  const now = (await ehr.client.get(`CarePlan/${plan.id}`)).body;
  assert.deepEqual([now.title, now.meta.versionId], ['What we agreed on Tuesday', edited.meta.versionId]);
  const { open: [entry] } = await daemon.status('--open');
  assert.deepEqual([entry.ehr, entry.patient, entry.reason], ['north', patient.id, 'review']);
  assert.ok(['held', 'handed-over'].includes(entry.state) && entry.do.length > 0);
});

test('a plan that a clinician accepted is reviewed, never replaced', async () => {
  const { ehr, daemon } = await setUp('accepted');
  await subscribed(ehr);
  const { patient, weight } = await admit(ehr.client, 'overweight');
  const [plan] = await aPlan(ehr, patient.id);
  await settled(daemon);
  await make(ehr.client, { ...plan, status: 'active', intent: 'plan' });
  await make(ehr.client, { ...weight, status: 'corrected', valueQuantity: { ...weight.valueQuantity, value: 33 } });
  await until('the child to wait for a person', async () => (await daemon.status('--open')).open.length > 0);
  assert.equal((await ehr.client.get(`CarePlan/${plan.id}`)).body.status, 'active');
  assert.equal((await plansOf(ehr.client, patient.id)).filter(({ status }) => status === 'draft').length, 0);
});

test('two EHRs: the same Patient id is another child', async () => {
  const folder = scratch('two');
  const [a, b] = [`${folder}/a`, `${folder}/b`];
  for (const sub of [a, b]) fs.mkdirSync(sub);
  const north = await startTestEhr(a);
  const norda = await make(north.client, patientOf('overweight', { given: 'Norda' }));
  fs.copyFileSync(`${a}/ehr.journal`, `${b}/ehr.journal`); // the EHR gives ids itself: so its past is copied
  const south = await startTestEhr(b);
  const suda = await make(south.client, patientOf('healthy', { given: 'Suda', id: norda.id }));
  const config = await writeConfig(folder, { ehrs: [{ base: north.base }, { name: 'south', base: south.base }] });
  const daemon = await startDaemon(folder, config);
  await subscribed(north);
  await subscribed(south);
  const { id } = norda;
  assert.equal(suda.id, id);
  await admit(north.client, 'overweight', { patient: norda });
  await admit(south.client, 'healthy', { patient: suda });
  const [plan] = await aPlan(north, id);
  await settled(daemon);
  const one = await settled(daemon, 'south');
  assert.deepEqual(await south.client.all('CarePlan'), []);
  assert.deepEqual(one.evaluations, { dropped: 1 });
  assert.equal(plan.subject.reference, `Patient/${id}`);
  const { evaluations: [shown] } = await daemon.show(id, '--ehr', 'south');
  assert.deepEqual([shown.state, shown.reason], ['dropped', 'rule']);
  const { evaluations: [other] } = await daemon.show(id, '--ehr', 'north');
  assert.equal(other.state, 'done');
});

test('shadow writes no clinical resource, and does all else', async () => {
  const { ehr, daemon } = await setUp('shadow', { mode: 'shadow' });
  await subscribed(ehr);
  const { patient } = await admit(ehr.client, 'overweight');
  const one = await settled(daemon);
  assert.deepEqual(await ehr.client.all('CarePlan'), []);
  assert.deepEqual(await ehr.client.all('Goal'), []);
  assert.deepEqual(one.changes, { dropped: 6 });
  const { evaluations: [way] } = await daemon.show(patient.id);
  assert.deepEqual([way.state, way.reason, way.trace.plan], ['done', 'shadow', 'overweight-child-ready']);
});

test('healthy is dropped by its rule, implausible is held, no template is handed over, an ineligible visit is dropped', async () => {
  const { ehr, daemon } = await setUp('ends');
  await subscribed(ehr);
  const made = {};
  for (const kind of ['healthy', 'held', 'handedOver']) made[kind] = (await admit(ehr.client, kind)).patient.id;
  made.emergency = (await admit(ehr.client, 'overweight', { cls: 'EMER' })).patient.id;
  await settled(daemon, 'north', { evaluations: 4 });
  const ends = {};
  for (const [kind, id] of Object.entries(made)) {
    const { evaluations: [way] } = await daemon.show(id);
    ends[kind] = [way.state, way.reason];
  }
  assert.deepEqual(ends, {
    healthy: ['dropped', 'rule'], held: ['held', 'safety'], handedOver: ['handed-over', 'no-template'], emergency: ['dropped', 'not-eligible'],
  });
  const { open } = await daemon.status('--open');
  assert.deepEqual(open.map(({ patient }) => patient).sort(), [made.held, made.handedOver].sort());
  assert.deepEqual(await ehr.client.all('CarePlan'), []);
});

test('the gateway knows its own writes when they come back', async () => {
  const { ehr, daemon } = await setUp('own');
  await subscribed(ehr);
  const { patient } = await admit(ehr.client, 'overweight');
  const [plan] = await aPlan(ehr, patient.id);
  await settled(daemon);
  const before = daemon.lines('message-stored').length;
  assert.equal((await notify(daemon, { body: plan, method: 'PUT', below: `/CarePlan/${plan.id}` })).status, 200);
  const lines = await until('the message to be stored', () => daemon.lines('message-stored').slice(before)[0]);
  const { message } = await daemon.show(lines.message);
  assert.equal(message.reason, 'own-write');
});

test('a direct POST is stored before its 202, and the same again gets the same id', async () => {
  const { ehr, daemon } = await setUp('direct', { ...onlyPoll, poll: { interval: '0s', queries: ['Observation?category=vital-signs'] } });
  const { patient, weight } = await admit(ehr.client, 'overweight');
  const client = daemon.client(`${secrets.engine}-north`);
  const [first, again] = [await client.post('fhir/north/Observation', weight), await client.post('fhir/north/Observation', weight)];
  assert.deepEqual([first.status, again.status], [202, 202]);
  assert.match(first.headers.location, /^\/messages\/[0-9a-f-]{36}$/);
  assert.equal(again.headers.location, first.headers.location);
  await aPlan(ehr, patient.id);
});

test('no log line names a child, an id of one, or a value', async () => {
  const { ehr, daemon, folder } = await setUp('log', {}, { log: { level: 'debug' } });
  await subscribed(ehr);
  const names = { overweight: 'Quendoline', held: 'Zabarothy', handedOver: 'Wilfremina', healthy: 'Okunfide' };
  const secret = ['Testkindsson', ...Object.values(secrets)];
  for (const [kind, given] of Object.entries(names)) {
    const made = await admit(ehr.client, kind, { given, family: 'Testkindsson', weight: kinds[kind].weight + 0.137 });
    secret.push(given, made.patient.id, made.patient.birthDate, made.encounter.id, made.weight.id, made.height.id, String(kinds[kind].weight + 0.137));
  }
  await notify(daemon, { body: '{"resourceType":"Observation","id":"broken-Quendoline",' });
  await notify(daemon, { secret: 'wrong-Quendoline' });
  await settled(daemon, 'north', { evaluations: 4 });
  for (const plan of await ehr.client.all('CarePlan')) secret.push(plan.id, plan.title);
  await daemon.stop();
  const log = fs.readFileSync(`${folder}/gateway.log`, 'utf8');
  assert.ok(log.split('\n').length > 10);
  assert.deepEqual(secret.filter((word) => log.includes(word)), []);
  assert.ok(!patientOf('healthy').name[0].given.some((word) => log.includes(word)));
});

await finish();

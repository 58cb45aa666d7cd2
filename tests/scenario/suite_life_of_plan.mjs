// suite: timeout=400 needs=build presets=release,asan-ubsan
// The life of a plan in the EHR: edited, accepted, completed, ended by a person, replaced, too late, recalled; and
// whose elements stand when both the mapping and a clinician changed it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { admit, encounterOf, goalsOf, kinds, make, measurementOf, plansOf } from '../lib/children.mjs';
import { binary, eplan, settled, startDaemon, subscribed, writeConfig } from '../lib/daemon.mjs';
import { startTestEhr } from '../lib/ehrs.mjs';
import { rootDir, run, scratch, until } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';

// The daemon goes on with a mapping of the test's own: the shipped one, changed by `change(edit)`.
async function takeMapping({ folder, ehrs, daemon }, change) {
  const mappings = path.join(folder, 'changed', 'healthy-weight');
  fs.cpSync(path.join(rootDir, 'mappings/healthy-weight'), mappings, { recursive: true });
  change((file, from, into) => {
    const at = path.join(mappings, file);
    const text = fs.readFileSync(at, 'utf8');
    assert.ok(text.includes(from), `${file} has ${from}`);
    fs.writeFileSync(at, text.replaceAll(from, into));
  });
  const written = await run(binary, ['test', '--update', mappings]); // what its cases expect as a whole
  assert.equal(written.code, 0, written.stdout + written.stderr);
  await writeConfig(folder, { ehrs, gateway: { mappings } });
  daemon.hangup();
  await until('the reload', () => [...daemon.lines('reloaded'), ...daemon.lines('reload-refused')].length > 0);
  assert.deepEqual(daemon.lines('reload-refused'), []);
}

async function setUp(name, given = {}, gateway = {}) {
  const folder = scratch(name);
  const ehr = await startTestEhr(folder);
  const ehrs = [{ base: ehr.base, ...given }];
  const config = await writeConfig(folder, { ehrs, gateway });
  const daemon = await startDaemon(folder, config);
  await subscribed(ehr);
  return { folder, ehr, ehrs, config, daemon };
}

// The child's first plan, and all that was written for it.
async function proposed(kind = 'overweight', ...more) {
  const world = await setUp(...more);
  const made = await admit(world.ehr.client, kind);
  const [plan] = await until('the CarePlan', async () => {
    const found = await plansOf(world.ehr.client, made.patient.id);
    return found.length > 0 && found;
  });
  await settled(world.daemon);
  return { ...world, ...made, plan, kind };
}

const current = async ({ ehr }, resource) => (await ehr.client.get(`${resource.resourceType}/${resource.id}`)).body;
const correct = ({ ehr, weight }, value) => make(ehr.client, { ...weight, status: 'corrected', valueQuantity: { ...weight.valueQuantity, value } });

// Another visit of the same child, the same measurements.
async function nextVisit({ ehr, patient, kind, daemon }, { evaluations = 2, weight } = {}) {
  const encounter = await make(ehr.client, encounterOf(patient.id));
  for (const what of ['weight', 'height']) {
    await make(ehr.client, measurementOf(what, patient.id, encounter.id, (what === 'weight' && weight) || kinds[kind][what]));
  }
  await settled(daemon, 'north', { evaluations });
  return encounter;
}

async function lastWay({ daemon, patient }) {
  const { evaluations, items } = await daemon.show(patient.id);
  return { way: evaluations[0], items };
}

const assertReview = async (world, detail) => {
  const { open: [entry, ...more] } = await world.daemon.status('--open');
  assert.deepEqual([entry.state, entry.reason, entry.detail, more.length], ['handed-over', 'review', detail, 0]);
  assert.ok(entry.do.length > 0);
};

test('an update of an edited draft touches no element that the clinician changed, and says whose they are', async () => {
  const world = await proposed('overweight', 'merged');
  const edited = await make(world.ehr.client, { ...world.plan, title: 'What we agreed on Tuesday', note: [{ text: 'Grandmother cooks' }] });
  const encounter = await nextVisit(world);
  const now = await current(world, world.plan);
  assert.deepEqual([now.status, now.title, now.note, now.encounter.reference], ['draft', 'What we agreed on Tuesday', [{ text: 'Grandmother cooks' }], `Encounter/${encounter.id}`]);
  assert.match(now.text.div, /What we agreed on Tuesday/);
  assert.notEqual(now.meta.versionId, edited.meta.versionId);
  assert.equal((await plansOf(world.ehr.client, world.patient.id)).length, 1);
  const { way, items } = await lastWay(world);
  assert.equal(way.state, 'done');
  assert.ok(way.attempts.some(({ detail }) => /^the clinician's: .*title/.test(detail) && /note/.test(detail)), JSON.stringify(way.attempts));
  assert.equal(items.find(({ item }) => item === 'care-plan').life, 'edited');
});

test('what a clinician changed is not proposed again until the mapping\'s own value changes', async () => {
  const world = await proposed('overweight', 'again');
  await make(world.ehr.client, { ...world.plan, title: 'What we agreed on Tuesday' });
  await nextVisit(world);
  await nextVisit(world, { evaluations: 3 });
  assert.equal((await current(world, world.plan)).title, 'What we agreed on Tuesday');
  await takeMapping(world, (edit) => {
    edit('texts/overweight-child-ready.en.yaml', 'Family plan, small steps (6-11 y)', 'Family plan, two small steps');
    edit('mapping.yaml', 'version: ', 'version: 9');
  });
  await nextVisit(world, { evaluations: 4 });
  assert.equal((await current(world, world.plan)).title, 'Family plan, two small steps');
});

test('more than three conflicts hold the plan as it stands', async () => {
  const world = await proposed('overweight', 'conflicts');
  const edited = await make(world.ehr.client, {
    ...world.plan, description: 'x', encounter: { display: 'x' }, category: [{ text: 'x' }], contributor: [{ display: 'x' }], title: 'x',
  });
  await takeMapping(world, (edit) => {
    const plan = 'plans/overweight-child-ready.yaml';
    edit(plan, 'gateway: [care-plan.title, care-plan.period,', 'gateway: [care-plan.period,');
    const part = 'parts/family-plan.yaml';
    edit(part, '  title: { $text: title, for: staff }', '  title: "Steps"');
    edit(part, '  description: { $text: description, for: staff }', '  description: "Proposed"');
    edit(part, '  category: { $site: care-plan-category }', '  category: [{ text: plan, coding: [{ system: "http://hl7.org/fhir/us/core/CodeSystem/careplan-category", code: assess-plan }] }]');
  });
  await nextVisit(world);
  assert.equal((await current(world, world.plan)).meta.versionId, edited.meta.versionId);
  const { open: [entry] } = await world.daemon.status('--open');
  assert.deepEqual([entry.state, entry.reason], ['held', 'conflict']);
});

test('a draft that is replaced is withdrawn with its goals, and the new one says which it replaces', async () => {
  const world = await proposed('overweight', 'replaced');
  const goals = await goalsOf(world.ehr.client, world.patient.id);
  await correct(world, 33);
  await settled(world.daemon, 'north', { evaluations: 2 });
  const plans = await plansOf(world.ehr.client, world.patient.id);
  const old = plans.find(({ id }) => id === world.plan.id);
  const now = plans.find(({ status }) => status === 'draft');
  assert.deepEqual([old.status, plans.length], ['entered-in-error', 2]);
  assert.deepEqual(now.replaces.map(({ reference }) => reference), [`CarePlan/${world.plan.id}`]);
  for (const goal of goals) assert.equal((await current(world, goal)).lifecycleStatus, 'entered-in-error');
  await nextVisit({ ...world, kind: 'overweight' }, { evaluations: 3, weight: 33 });
  assert.deepEqual((await current(world, now)).replaces, now.replaces);
});

for (const [what, edit] of [
  ['the plan', ({ plan }) => ({ ...plan, description: 'Only water for now' })],
  ['one of its goals', ({ goal }) => ({ ...goal, description: { text: 'Only water for now' } })],
]) {
  test(`a draft of which a clinician edited ${what} is never withdrawn or replaced`, async () => {
    const world = await proposed('overweight', 'edited');
    const [goal] = await goalsOf(world.ehr.client, world.patient.id);
    const edited = await make(world.ehr.client, edit({ plan: world.plan, goal }));
    await correct(world, 33);
    await settled(world.daemon, 'north', { evaluations: 2 });
    assert.equal((await current(world, edited)).meta.versionId, edited.meta.versionId);
    const plans = await plansOf(world.ehr.client, world.patient.id);
    assert.deepEqual(plans.map(({ status }) => status), ['draft']);
    for (const one of await goalsOf(world.ehr.client, world.patient.id)) assert.equal(one.lifecycleStatus, 'proposed');
    await assertReview(world, 'edited, other-plan');
  });
}

for (const [what, change, detail] of [
  ['another category', (world) => correct(world, 33), 'accepted, other-plan'],
  ['an amended measurement', (world) => correct(world, 28.6), 'accepted, same-plan'],
  ['a measurement taken back', (world) => make(world.ehr.client, { ...world.weight, status: 'entered-in-error' }), 'accepted, no-plan'],
]) {
  test(`an accepted plan: ${what} makes a review item, and nothing is written`, async () => {
    const world = await proposed('overweight', 'accepted');
    const accepted = await make(world.ehr.client, { ...world.plan, status: 'active', intent: 'plan' });
    const before = (await world.ehr.client.all('Goal')).map(({ meta }) => meta.versionId);
    await change(world);
    await settled(world.daemon, 'north', { evaluations: 2 });
    assert.equal((await current(world, accepted)).meta.versionId, accepted.meta.versionId);
    assert.deepEqual((await world.ehr.client.all('Goal')).map(({ meta }) => meta.versionId), before);
    assert.equal((await plansOf(world.ehr.client, world.patient.id)).length, 1);
    await assertReview(world, detail);
  });
}

test('a plan that was completed makes room for the next', async () => {
  const world = await proposed('overweight', 'completed');
  await make(world.ehr.client, { ...world.plan, status: 'completed' });
  await nextVisit(world);
  const plans = await plansOf(world.ehr.client, world.patient.id);
  assert.deepEqual(plans.map(({ status }) => status).sort(), ['completed', 'draft']);
});

for (const status of ['revoked', 'entered-in-error']) {
  test(`a plan that a person set ${status} stays so`, async () => {
    const world = await proposed('overweight', 'revoked');
    const ended = await make(world.ehr.client, { ...world.plan, status });
    await nextVisit(world);
    const [now, ...more] = await plansOf(world.ehr.client, world.patient.id);
    assert.deepEqual([now.meta.versionId, more.length], [ended.meta.versionId, 0]);
    await assertReview(world, 'ended-by-person');
  });
}

test('after-revoke: new-visit: another visit may propose again, the same visit may not', async () => {
  const world = await proposed('overweight', 'event', { 'after-revoke': 'new-visit' });
  await make(world.ehr.client, { ...world.plan, status: 'revoked' });
  await correct(world, 28.6);
  await settled(world.daemon, 'north', { evaluations: 2 });
  assert.equal((await plansOf(world.ehr.client, world.patient.id)).length, 1);
  await nextVisit(world, { evaluations: 3 });
  const plans = await plansOf(world.ehr.client, world.patient.id);
  assert.deepEqual(plans.map(({ status }) => status).sort(), ['draft', 'revoked']);
});

test('a plan that was deleted in the EHR is not made again', async () => {
  const world = await proposed('overweight', 'deleted');
  await world.ehr.client.request('DELETE', `CarePlan/${world.plan.id}`);
  await nextVisit(world);
  assert.deepEqual(await plansOf(world.ehr.client, world.patient.id), []);
  await assertReview(world, 'ended-by-person');
});

test('a proposal that comes too late for its visit expires', async () => {
  const world = await setUp('late', { expire: '1d' });
  const { patient } = await admit(world.ehr.client, 'overweight', { now: Date.now() - 5 * 86_400_000 });
  await settled(world.daemon);
  assert.deepEqual(await world.ehr.client.all('CarePlan'), []);
  const { way } = await lastWay({ ...world, patient });
  assert.deepEqual([way.state, way.reason], ['dropped', 'expired']);
});

test('a merged patient: the plan goes over to the one who stays, and is not made again', async () => {
  const world = await proposed('overweight', 'merge');
  const { client } = world.ehr;
  const goals = await goalsOf(client, world.patient.id);
  const { id, meta, ...same } = world.patient;
  const stays = await make(client, same);
  await make(client, { ...world.patient, active: false, link: [{ other: { reference: `Patient/${stays.id}` }, type: 'replaced-by' }] });
  await correct(world, 28.6);
  await settled(world.daemon, 'north', { evaluations: 2 });
  const { open: [entry] } = await world.daemon.status('--open');
  assert.deepEqual([entry.state, entry.reason], ['handed-over', 'merged-patient']);
  await nextVisit({ ...world, patient: stays }, { evaluations: 3 });
  const plans = await client.all('CarePlan');
  assert.deepEqual(plans.map((plan) => [plan.id, plan.status, plan.subject.reference]), [[world.plan.id, 'draft', `Patient/${stays.id}`]]);
  for (const goal of goals) assert.equal((await current(world, goal)).subject.reference, `Patient/${stays.id}`);
  assert.equal((await client.all('Goal')).length, goals.length);
});

const account = os.userInfo().username;

// A plan that may be decided on at the gateway, and the Practitioner who may.
async function decidable(name, active = true) {
  const world = await proposed('overweight', name, { accept: [{ account, practitioner: 'Practitioner/to-be-made' }] });
  const { id } = await make(world.ehr.client, { resourceType: 'Practitioner', active, name: [{ family: 'Testarzt' }] });
  const practitioner = `Practitioner/${id}`;
  for (const ehr of world.ehrs) ehr.accept = [{ account, practitioner }, { account: 'nobody-here', practitioner: 'Practitioner/other' }];
  await writeConfig(world.folder, { ehrs: world.ehrs });
  world.daemon.hangup();
  await until('the reload', () => world.daemon.lines('reloaded').length > 0);
  const { items } = await world.daemon.show(world.patient.id);
  return { ...world, practitioner, item: items.find(({ item }) => item === 'care-plan').identifier };
}

test('accept: active, the author, the chosen goals; the others leave the plan; both names are recorded', async () => {
  const world = await decidable('accept');
  await make(world.ehr.client, { ...world.plan, note: [{ text: 'Grandmother cooks' }] });
  const said = await eplan(world.config, 'accept', world.item, '--as', world.practitioner, '--goals', 'water,sleep');
  assert.deepEqual([said.code, said.stderr], [0, '']);
  await settled(world.daemon, 'north', { evaluations: 2 });
  const plan = await current(world, world.plan);
  assert.deepEqual([plan.status, plan.intent, plan.author.reference, plan.note], ['active', 'plan', world.practitioner, [{ text: 'Grandmother cooks' }]]);
  const goals = await goalsOf(world.ehr.client, world.patient.id);
  const active = goals.filter(({ lifecycleStatus }) => lifecycleStatus === 'active');
  assert.deepEqual(active.map(({ description }) => description.text).sort(), ['Drink water or plain milk instead of sweet drinks', 'Go to bed on time: enough sleep every night']);
  for (const goal of active) assert.equal(goal.expressedBy.reference, `Patient/${world.patient.id}`);
  assert.ok(goals.filter((goal) => !active.includes(goal)).every(({ lifecycleStatus }) => lifecycleStatus === 'cancelled'));
  assert.deepEqual(plan.goal.map(({ reference }) => reference).sort(), active.map(({ id }) => `Goal/${id}`).sort());
  assert.match(plan.text.div, /<ul><li>Drink water[^<]*<\/li><li>Go to bed[^<]*<\/li><\/ul>/);
  const { way, items } = await lastWay(world);
  assert.deepEqual([way.state, way.reason], ['done', 'delivered']);
  assert.ok(way.trail.some(({ what }) => what === 'accepted') && way.trail.some(({ what }) => what === 'provenance'), JSON.stringify(way.trail));
  assert.equal(items.find(({ item }) => item === 'care-plan').life, 'accepted');
  const again = await eplan(world.config, 'accept', world.item, '--as', world.practitioner, '--goals', 'none');
  assert.equal(again.code, 1);
  assert.match(again.stderr, /no draft any more/);
  await correct(world, 33);
  await settled(world.daemon, 'north', { evaluations: 3 });
  await assertReview(world, 'accepted, other-plan');
});

test('decline: the draft is ended, and nothing is proposed before the time is over', async () => {
  const world = await decidable('decline');
  const said = await eplan(world.config, 'decline', `CarePlan/${world.plan.id}`, '--ehr', 'north', '--as', world.practitioner, '--for', '6-months');
  assert.deepEqual([said.code, said.stderr], [0, '']);
  await settled(world.daemon, 'north', { evaluations: 2 });
  assert.equal((await current(world, world.plan)).status, 'revoked');
  for (const goal of await goalsOf(world.ehr.client, world.patient.id)) assert.equal(goal.lifecycleStatus, 'rejected');
  await nextVisit(world, { evaluations: 3 });
  assert.equal((await plansOf(world.ehr.client, world.patient.id)).length, 1);
  const { way } = await lastWay(world);
  assert.deepEqual([way.state, way.reason], ['dropped', 'declined']);
});

test('nobody accepts who is not listed, for another Practitioner, or for one who is not active', async () => {
  const world = await decidable('refused', false);
  const refusals = [
    [['--as', world.practitioner, '--goals', 'water'], 1, /no such Practitioner who is active/],
    [['--as', 'Practitioner/other', '--goals', 'water'], 1, /may not act for that Practitioner/],
    [['--as', 'somebody', '--goals', 'water'], 64, /--as Practitioner\/ID/],
    [['--goals', 'water'], 64, /names a plan and for whom/],
  ];
  for (const [args, code, why] of refusals) {
    const said = await eplan(world.config, 'accept', world.item, ...args);
    assert.equal(said.code, code, said.stderr);
    assert.match(said.stderr, why);
  }
  await writeConfig(world.folder, { ehrs: world.ehrs.map(({ accept, ...ehr }) => ehr) });
  world.daemon.hangup();
  await until('the reload', () => world.daemon.lines('reloaded').length > 1);
  const off = await eplan(world.config, 'accept', world.item, '--as', world.practitioner, '--goals', 'water');
  assert.match(off.stderr, /may not act for that Practitioner/);
  assert.equal((await current(world, world.plan)).meta.versionId, world.plan.meta.versionId);
  await world.daemon.stop();
  assert.equal((await eplan(world.config, 'accept', world.item, '--as', world.practitioner, '--goals', 'water')).code, 75);
});

const version = /^version: (.*)$/m.exec(fs.readFileSync(path.join(rootDir, 'mappings/healthy-weight/mapping.yaml'), 'utf8'))[1];
const recall = async ({ config }, ...args) => {
  const { code, stdout, stderr, json } = await eplan(config, 'recall', '--json', '--mapping', `healthy-weight@${version}`, ...args);
  assert.ok(code === 0 || code === 1, stderr + stdout);
  const { withdrawn, rest } = json();
  const ids = (plans) => plans.map((entry) => entry['ehr-id']).sort();
  return { code, withdrawn: ids(withdrawn), rest: ids(rest) };
};

test('recall withdraws what nobody touched of a mapping version, lists the rest, and changes nothing as a dry run', async () => {
  const world = await proposed('overweight', 'recall');
  const { client } = world.ehr;
  const plans = { untouched: world.plan };
  for (const what of ['accepted', 'edited', 'goal']) {
    const { patient } = await admit(client, 'overweight');
    [plans[what]] = await until('the plan', async () => {
      const found = await plansOf(client, patient.id);
      return found.length > 0 && found;
    });
  }
  await settled(world.daemon, 'north', { evaluations: 4 });
  const accepted = await make(client, { ...plans.accepted, status: 'active', intent: 'plan' });
  await make(client, measurementOf('height', accepted.subject.reference.slice(8), accepted.encounter.reference.slice(10), 125));
  await settled(world.daemon, 'north', { evaluations: 5 }); // so that the gateway knows of this one
  await make(client, { ...plans.edited, title: 'What we agreed on Tuesday' });
  const [goal] = await goalsOf(client, plans.goal.subject.reference.slice(8));
  await make(client, { ...goal, description: { text: 'Only water for now' } });
  const all = async () => (await client.all('CarePlan')).map(({ id, status, meta }) => `${id} ${status} ${meta.versionId}`).sort();

  const before = await all();
  const dry = await recall(world, '--dry-run');
  assert.deepEqual(dry.withdrawn, [plans.untouched.id, plans.edited.id, plans.goal.id].sort());
  assert.deepEqual([dry.rest, dry.code, await all()], [[accepted.id], 1, before]);

  assert.deepEqual(await recall(world), dry);
  await settled(world.daemon, 'north', { evaluations: 8 });
  const statuses = {};
  for (const [what, plan] of Object.entries(plans)) statuses[what] = (await current(world, plan)).status;
  assert.deepEqual(statuses, { untouched: 'entered-in-error', accepted: 'active', edited: 'draft', goal: 'draft' });
  for (const one of await goalsOf(client, world.patient.id)) assert.equal(one.lifecycleStatus, 'entered-in-error');
  for (const one of await goalsOf(client, plans.goal.subject.reference.slice(8))) assert.equal(one.lifecycleStatus, 'proposed');
  const { open } = await world.daemon.status('--open');
  assert.deepEqual(open.map(({ state, reason, detail }) => `${state} ${reason} ${detail}`).sort(), [
    'handed-over review accepted, same-plan', 'handed-over review edited', 'handed-over review edited']);

  const again = await recall(world); // safe to repeat: nothing is left that nobody touched
  assert.deepEqual(again.withdrawn, []);
  assert.deepEqual(again.rest, [accepted.id, plans.edited.id, plans.goal.id].sort());
  const other = await eplan(world.config, 'recall', '--json', '--mapping', 'healthy-weight@0.0.1');
  assert.deepEqual([other.code, other.json()['withdrawn-count'], other.json()['rest-count']], [0, 0, 0]);
  await world.daemon.stop();
  assert.equal((await eplan(world.config, 'recall', '--mapping', `healthy-weight@${version}`)).code, 1);
});

await finish();

// suite: timeout=240 needs=build presets=release
// A clinician edits a plan between our read and our write: If-Match tells, and the plan is looked at again. FAULTS 9.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { encounterOf, kinds, measurementOf } from '../lib/children.mjs';
import { scratch, until } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';
import { postTo, scriptOf, startWorld } from './world.mjs';

// The first `n` PUTs of a CarePlan wait until `go` exists; then what they asked for is answered as usual.
const waiting = (go, more = 'undefined') => scriptOf(`({ type, method, n }) => {
  if (type !== 'CarePlan' || method !== 'PUT') return undefined;
  return n === 1 ? { do: 'pass', release: '${go}' } : ${more};
}`);

async function planned(name, script, profile = 'hapi') {
  const go = path.join(scratch(`${name}-go`), 'go');
  const world = await startWorld(name, { script: script(go), profile });
  const visit = await world.admit('child');
  await world.ended('child');
  const [{ resource: plan }] = world.ehr.commits('CarePlan', 'child');
  return { ...world, visit, plan, go: () => fs.writeFileSync(go, '') };
}

const puts = (world, plan) => world.ehr.requests('PUT', new RegExp(`/CarePlan/${plan.id}$`));
const now = async (world, { resourceType, id }) => (await world.ehr.client.get(`${resourceType}/${id}`)).body;
const edit = (world, { resourceType, id }, set) => world.ehr.client.post(`${world.ehr.origin}/_test/edit`, { resourceType, id, set });

// Another visit: the plan it makes differs by its encounter alone.
async function nextVisit(world) {
  const encounter = await world.ehr.put({ ...encounterOf('child'), id: 'child-next' });
  for (const what of ['weight', 'height']) {
    await postTo(world, await world.ehr.put(measurementOf(what, 'child', encounter.id, kinds.overweight[what], { id: `next-${what}` })));
  }
}

test('an edit between our read and our update: both stand, by a second write that names the edited version', async () => {
  const world = await planned('update', waiting);
  await nextVisit(world);
  await until('the first update to be sent', () => puts(world, world.plan).length === 1);
  await edit(world, world.plan, { title: 'What we agreed on Tuesday' });
  const edited = await now(world, world.plan);
  world.go();
  await world.ended('child');
  const plan = await now(world, world.plan);
  assert.deepEqual([plan.title, plan.encounter.reference, plan.status], ['What we agreed on Tuesday', 'Encounter/child-next', 'draft']);
  const versions = puts(world, world.plan).map(({ headers }) => headers['if-match']);
  assert.deepEqual(versions, [`W/"${world.plan.meta.versionId}"`, `W/"${edited.meta.versionId}"`]);
});

test('an edit between our read and our withdrawal: the plan stays as it was edited, and no other is made', async () => {
  const world = await planned('withdrawal', waiting);
  const { weight } = world.visit;
  await postTo(world, await world.ehr.put({ ...weight, status: 'corrected', valueQuantity: { ...weight.valueQuantity, value: 33 } }));
  await until('the withdrawal to be sent', () => puts(world, world.plan).length === 1);
  await edit(world, world.plan, { title: 'What we agreed on Tuesday' });
  world.go();
  const ways = await world.ended('child');
  const plan = await now(world, world.plan);
  assert.deepEqual([plan.title, plan.status], ['What we agreed on Tuesday', 'draft']);
  assert.deepEqual([ways[0].state, ways[0].reason, ways[0].detail], ['handed-over', 'review', 'edited']);
  assert.equal(world.ehr.commits('CarePlan', 'child').length, 1);
});

// An EHR that does not keep If-Match: the edit is gone when our write has landed, and that is told.
test('If-Match is ignored, and an edit comes between our read and our update: it is noticed, held and told, and its version stands in the history', async () => {
  const world = await planned('ignored', waiting, 'athena');
  await nextVisit(world);
  await until('the first update to be sent', () => puts(world, world.plan).length === 1);
  await edit(world, world.plan, { title: 'What we agreed on Tuesday' });
  const edited = await now(world, world.plan);
  world.go();
  const [{ state, reason, detail }] = await until('the second visit to end', async () => {
    const ways = await world.ended('child');
    return ways.length > 1 && ways;
  });
  assert.deepEqual([state, reason], ['held', 'conflict']);
  assert.match(detail, /replaced a version that came between look and write/);
  const { body: lost } = await world.ehr.client.get(`CarePlan/${world.plan.id}/_history/${edited.meta.versionId}`);
  assert.equal(lost.title, 'What we agreed on Tuesday');
  assert.equal(puts(world, world.plan).length, 1);
  // From now on the plan is a person's: another weight leaves it alone.
  const { weight } = world.visit;
  await postTo(world, await world.ehr.put({ ...weight, status: 'corrected', valueQuantity: { ...weight.valueQuantity, value: 33 } }));
  await until('the correction to end', async () => (await world.ended('child')).length > 2);
  assert.equal(puts(world, world.plan).length, 1);
});

test('If-Match is ignored, and nobody edits: the update goes through', async () => {
  const world = await planned('counted', () => scriptOf('() => undefined'), 'athena');
  await nextVisit(world);
  await until('the second visit to end', async () => {
    const ways = await world.ended('child');
    return ways.length > 1 && ways.every(({ state }) => state === 'done');
  });
  assert.equal((await now(world, world.plan)).encounter.reference, 'Encounter/child-next');
});

test('a version that moves each time: three tries at once, then later, and no write without a condition', async () => {
  const world = await planned('moving', () => scriptOf(`({ type, method, n }) => (type === 'CarePlan' && method === 'PUT' && n <= 4 ? { do: 'reply', status: 412 } : undefined)`));
  await nextVisit(world);
  const [{ state, attempts }] = await until('the second visit to end', async () => {
    const ways = await world.ended('child');
    return ways.length > 1 && ways;
  });
  assert.equal(state, 'done');
  assert.equal((await now(world, world.plan)).encounter.reference, 'Encounter/child-next');
  const made = puts(world, world.plan);
  assert.equal(made.length, 5);
  assert.ok(made.every(({ headers }) => headers['if-match']));
  assert.deepEqual(attempts.filter(({ outcome }) => outcome === 'scheduled').length, 1, JSON.stringify(attempts));
});

await finish();

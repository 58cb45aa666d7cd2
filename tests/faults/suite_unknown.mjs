// suite: timeout=300 needs=build presets=release
// A create whose answer was lost: looked up as this EHR can be asked, by the manners of EHRs of the field, written once,
// or held for a person where nobody can know. Never sent again blind. FAULTS 6 and 8.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { scratch, until } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';
import { scriptOf, startWorld } from './world.mjs';

const lost = scriptOf(`({ patient, type, method, n }) => {
  if (type !== 'CarePlan' || method !== 'POST' || n > 1) return undefined;
  if (patient === 'committed') return { do: 'hang-up', commit: true };
  if (patient === 'halved') return { do: 'hang-up', commit: true, replyBytes: 150 };
  if (patient === 'reset') return { do: 'reset', commit: true };
  if (patient === 'dropped') return { do: 'hang-up' };
  return undefined;
}`);
const children = ['well', 'committed', 'halved', 'reset', 'dropped'];

async function lose(profile, script = lost, names = children) {
  const world = await startWorld(`unknown-${profile}`, { script, profile });
  for (const name of names) await world.admit(name);
  const came = {};
  for (const name of names) {
    const [{ state, reason }] = (await world.ended(name)).filter((one) => one.reason !== 'coalesced');
    came[name] = [`${state} ${reason}`, world.ehr.sent('CarePlan', name).length, world.ehr.commits('CarePlan', name).length];
  }
  return { world, came };
}

const written = { well: ['done delivered', 1, 1], committed: ['done delivered', 1, 1], halved: ['done delivered', 1, 1], reset: ['done delivered', 1, 1], dropped: ['done delivered', 2, 1] };
const ways = { epic: /identifier=/, hapi: /identifier=/, medplum: /identifier=/, oracle: /patient=/, athena: /patient=/, ecw: /patient=/ };

for (const [profile, asked] of Object.entries(ways)) {
  test(`${profile}: one CarePlan, whatever was lost; asked by ${asked.source}`, async () => {
    const { world, came } = await lose(profile);
    assert.deepEqual(came, written);
    const searches = world.ehr.requests('GET', /\/CarePlan\?/);
    assert.ok(searches.length >= 4 && searches.every(({ url }) => asked.test(url)), searches.map(({ url }) => url).join('\n'));
    for (const name of children) assert.equal(world.ehr.commits('Goal', name).length, 5, name);
  });
}

test('an EHR that does not keep our identifier: what stands there may be ours, so a person looks', async () => {
  const { came } = await lose('meditech');
  const held = ['held outcome-unknown', 1, 1];
  assert.deepEqual(came, { well: ['done delivered', 1, 1], committed: held, halved: held, reset: held, dropped: ['done delivered', 2, 1] });
});

test('an EHR that cannot be asked: nothing is sent a second time', async () => {
  const { came } = await lose('closed');
  const held = (commits) => ['held outcome-unknown', 1, commits];
  assert.deepEqual(came, { well: ['done delivered', 1, 1], committed: held(1), halved: held(1), reset: held(1), dropped: held(0) });
});

for (const profile of ['epic', 'oracle', 'athena', 'ecw', 'meditech']) {
  test(`${profile} as it is takes no CarePlan: nothing is posted, and it is held as not supported`, async () => {
    const world = await startWorld(`real-${profile}`, { profile, writable: false });
    await world.admit('child');
    const [{ state, reason }] = (await world.ended('child')).filter((one) => one.reason !== 'coalesced');
    assert.deepEqual([state, reason], ['held', 'not-supported']);
    assert.deepEqual(world.ehr.requests('POST', /\/fhir\//), []);
  });
}

// FAULTS 8. A 412 to a create says "several match" or "I know no conditions".
test('412 to a create: none there, written without the condition; one, taken as ours; several, held', async () => {
  const go = path.join(scratch('many'), 'go');
  const world = await startWorld('ambiguous', { profile: 'hapi', script: scriptOf(`({ patient, type, method, n }) => {
    if (type !== 'CarePlan' || method !== 'POST' || n > 1) return undefined;
    return { none: { do: 'reply', status: 412 }, one: { do: 'reply', status: 412, commit: true }, many: { do: 'reply', status: 412, commit: true, release: '${go}' } }[patient];
  }`) });
  const { ehr } = world;
  for (const name of ['none', 'one', 'many']) await world.admit(name);
  const [{ body }] = await until('the create', () => ehr.sent('CarePlan', 'many').length === 1 && ehr.sent('CarePlan', 'many'));
  for (const id of ['copy-1', 'copy-2']) await ehr.put({ ...JSON.parse(body), id });
  fs.writeFileSync(go, '');
  const came = async (name) => { const [{ state, reason }] = (await world.ended(name)).filter((one) => one.reason !== 'coalesced'); return `${state} ${reason}`; };
  assert.deepEqual([await came('none'), await came('one'), await came('many')], ['done delivered', 'done delivered', 'held conflict']);
  const [first, second] = ehr.sent('CarePlan', 'none');
  assert.ok(first.headers['if-none-exist'] && !second.headers['if-none-exist']);
  for (const [name, sent, made] of [['none', 2, 1], ['one', 1, 1], ['many', 1, 0]]) assert.deepEqual([ehr.sent('CarePlan', name).length, ehr.commits('CarePlan', name).length], [sent, made], name);
});

await finish();

// suite: timeout=180 needs=build presets=release
// What an EHR refuses by policy is never tried again as if it would pass, and no child waits for another's trouble.
// FAULTS 11 (break-the-glass, daily limit, merged patient, duplicate), 23 (poison), 6 (redirect, login page).
import assert from 'node:assert/strict';
import { settled } from '../lib/daemon.mjs';
import { until } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';
import { direct, postTo, scriptOf, startWorld } from './world.mjs';

const outcomeOf = async (world, name) => {
  const [{ state, reason }] = (await world.ended(name)).filter((one) => one.reason !== 'coalesced');
  return `${state} ${reason}`;
};

const script = scriptOf(`({ patient, type, method, n, refusals }) => {
  if (type !== 'CarePlan' || method !== 'POST') return undefined;
  const login = { do: 'reply', status: 200, headers: { 'Content-Type': 'text/html' }, body: '<html>please log in</html>' };
  return {
    glass: refusals.breakTheGlass, merged: refusals.mergedPatient, daily: refusals.dailyLimit,
    ours: n === 1 ? { ...refusals.duplicate, commit: true } : undefined, theirs: refusals.duplicate,
    moved: { do: 'reply', status: 307, headers: { Location: 'https://elsewhere.example.org/fhir/CarePlan' } },
    login: n === 1 ? login : undefined, wrong: { do: 'reply', status: 422 },
    cut: n === 1 ? { do: 'reply', status: 201, headers: { 'Content-Type': 'application/fhir+json' }, body: '{"resourceType":"CarePl', commit: true } : undefined,
  }[patient];
}`);

test('policies, limits, duplicates, redirects, login pages: each ends as it must, with one POST where that is all there may be', async () => {
  const world = await startWorld('refusals', { script, profile: 'epic' });
  const want = {
    glass: ['held policy', 1, 0], merged: ['held merged-patient', 1, 0], ours: ['done delivered', 1, 1], theirs: ['held conflict', 1, 0],
    moved: ['held refused', 1, 0], wrong: ['held refused', 1, 0], login: ['done delivered', 2, 1], cut: ['done delivered', 1, 1], well: ['done delivered', 1, 1],
  };
  for (const name of ['daily', ...Object.keys(want)]) await world.admit(name);
  const { sent, commits } = world.ehr;
  const came = {};
  for (const name of Object.keys(want)) came[name] = [await outcomeOf(world, name), sent('CarePlan', name).length, commits('CarePlan', name).length];
  assert.deepEqual(came, want);
  // The daily limit: one POST, and not again before tomorrow, by the EHR's zone.
  const { evaluations: [daily] } = await world.daemon.show('daily');
  const waiting = daily.changes.find(({ state }) => state === 'scheduled');
  assert.equal(sent('CarePlan', 'daily').length, 1);
  const at = Date.parse(waiting['not-before']);
  assert.ok(at > Date.now() && at < Date.now() + 25 * 3_600_000, waiting['not-before']);
  assert.equal(new Intl.DateTimeFormat('en-CA', { timeZone: 'America/Chicago', timeStyle: 'short', hourCycle: 'h23' }).format(at), '00:05');
  // Of all that, the EHR as a whole was never taken for one that is down.
  assert.deepEqual(world.daemon.lines('ehr-paused').filter(({ outcome }) => outcome !== 'no-json'), []);
});

test('a POST that was lost on a connection that had been used before is not repeated by the HTTP library', async () => {
  const world = await startWorld('reused', { profile: 'hapi', script: scriptOf(`({ type, method, n }) => (type === 'CarePlan' && method === 'POST' && n === 1 ? { do: 'hang-up', commit: true } : undefined)`) });
  await world.admit('child');
  assert.equal(await outcomeOf(world, 'child'), 'done delivered');
  const [post] = world.ehr.sent('CarePlan', 'child');
  assert.ok(post.onConnection > 1, 'the connection was reused');
  assert.deepEqual([world.ehr.sent('CarePlan', 'child').length, world.ehr.commits('CarePlan', 'child').length], [1, 1]);
});

test('a child whose write fails each time is held after as many tries as allowed, with its input; the others go on meanwhile', async () => {
  const world = await startWorld('poison-write', {
    profile: 'hapi', ehr: { retry: { first: '50ms', most: '100ms', tries: 4 }, 'unknown-settle': '0s', budget: { 'requests-per-minute': 100000, 'writes-per-minute': 100000, parallel: 1 } },
    script: scriptOf(`({ patient, method }) => (patient === 'poison' && method === 'POST' ? { do: 'reply', status: 423 } : undefined)`),
  });
  await world.admit('poison');
  for (let i = 0; i < 5; i += 1) await world.admit(`other-${i}`);
  for (let i = 0; i < 5; i += 1) assert.equal(await outcomeOf(world, `other-${i}`), 'done delivered');
  assert.equal(await outcomeOf(world, 'poison'), 'held tries-exhausted');
  assert.equal(world.ehr.sent('Goal', 'poison').length, 4 * 5);
  const { evaluations: [held] } = await world.daemon.show('poison');
  const { message } = await world.daemon.show(held.messages?.[0]?.message ?? world.daemon.lines('message-stored')[0].message);
  assert.equal(message.state, 'held');
});

test('a child whose facts cannot be had is held after as many tries as allowed; the others go on meanwhile', async () => {
  const world = await startWorld('poison-read', {
    ehr: { retry: { first: '50ms', most: '100ms', tries: 3 } },
    script: `export default ({ method, url }) => (method === 'GET' && url.includes('Patient/poison') ? { do: 'reply', status: 500 } : undefined);`,
  });
  await world.admit('poison');
  for (let i = 0; i < 3; i += 1) await world.admit(`other-${i}`);
  for (let i = 0; i < 3; i += 1) assert.equal(await outcomeOf(world, `other-${i}`), 'done delivered');
  assert.equal(await outcomeOf(world, 'poison'), 'held fetch-failed');
});

await finish();

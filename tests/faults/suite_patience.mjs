// suite: timeout=240 needs=build presets=release
// What an EHR in trouble is asked to bear: Retry-After in every shape, an outage, a storm of notifications, strangers at the
// door, a clock that steps. The requests made are held against a bound computed from the settings. FAULTS 10, 13, 17, 18.
import assert from 'node:assert/strict';
import { measurementOf } from '../lib/children.mjs';
import { notify, secrets } from '../lib/daemon.mjs';
import { until } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';
import { postTo, scriptOf, startWorld } from './world.mjs';

const outcomeOf = async (world, name) => (await world.ended(name)).find(({ reason }) => reason !== 'coalesced').state;
const retry = { first: '100ms', most: '1s', tries: 200 };

// Each write is asked to wait once, in a shape of its own; what a server writes never makes us wait longer than retry.most.
const shapes = ['1', '{ date: 1 }', '{ date: -3600 }', '0', "'-5'", '1000000000', "'99999999999999999999'", "'soon'", 'undefined'];
for (const shape of shapes) {
  test(`429 with Retry-After ${shape}: waited for within bounds, then written once`, async () => {
    const world = await startWorld('retry-after', { profile: 'hapi', ehr: { retry }, script: scriptOf(`({ type, method, n }) => (type === 'CarePlan' && method === 'POST' && n === 1 ? { do: 'reply', status: 429, retryAfter: ${shape} } : undefined)`) });
    await world.admit('child');
    assert.equal(await outcomeOf(world, 'child'), 'done');
    const [first, second, ...more] = world.ehr.sent('CarePlan', 'child');
    const waited = Date.parse(second.at) - Date.parse(first.at);
    assert.equal(more.length, 0);
    const [least, most] = shape === '1' || shape === '{ date: 1 }' ? [950, 3000] : [45, 3500];
    assert.ok(waited >= least && waited <= most, `${waited} ms`);
    assert.equal(world.ehr.commits('CarePlan', 'child').length, 1);
    await world.daemon.stop();
    await world.ehr.server.stop();
  });
}

test('an outage of 503: the alarm is raised once and cleared once, the requests stay within the bound', async () => {
  const seconds = 4;
  // It begins with the first write, and takes in whatever is asked then.
  const world = await startWorld('storm', { profile: 'hapi', ehr: { retry }, script: `let end = Infinity;
    export default ({ method }) => {
      if (method === 'POST' && end === Infinity) end = Date.now() + ${seconds * 1000};
      return end !== Infinity && Date.now() < end ? { do: 'reply', status: 503 } : undefined;
    };` });
  const start = Date.now();
  for (let i = 0; i < 6; i += 1) await world.admit(`early-${i}`);
  await until('the outage', () => world.daemon.lines('ehr-paused').length > 0, 10_000);
  for (let i = 0; i < 6; i += 1) await world.admit(`late-${i}`);
  for (let i = 0; i < 6; i += 1) assert.equal(await outcomeOf(world, `late-${i}`), 'done');
  const refused = world.ehr.truth().filter(({ event, do: done }) => event === 'answer' && done === 'reply').length;
  // Up to the breaker's three failures and what was under way with them (parallel 8); then one trial a pause, and of the
  // pauses, which double from 100 ms to 1 s, each is at least a half.
  const bound = 3 + 8 + 4 + Math.ceil(seconds / 0.5);
  assert.ok(refused <= bound, `${refused} requests, at most ${bound}, in ${Date.now() - start} ms`);
  assert.deepEqual([world.daemon.lines('ehr-paused').length, world.daemon.lines('ehr-well').length], [1, 1]);
});

test('nineteen copies of a notification, out of order, and one for a Subscription that is not ours: one plan', async () => {
  const world = await startWorld('copies', { profile: 'hapi', ehr: { subscriptions: undefined } });
  const { weight, height } = await world.admit('child', 'overweight', { post: false });
  const all = [...Array(19).fill(height), ...Array(19).fill(weight)];
  const answers = await Promise.all(all.map((body) => notify(world.daemon, { body })));
  assert.ok(answers.every(({ status }) => status === 200), answers.map(({ status }) => status).join());
  const stranger = await world.daemon.client(`${secrets.vitals}-north`).request('POST', 'notify/north/nobody', weight, { 'Content-Type': 'application/fhir+json' });
  assert.ok([401, 403, 404].includes(stranger.status), String(stranger.status));
  assert.equal(await outcomeOf(world, 'child'), 'done');
  const { ehrs: [{ messages }] } = await world.daemon.status();
  assert.deepEqual(messages, { done: 2 });
  assert.equal(world.ehr.commits('CarePlan', 'child').length, 1);
});

test('a flood of unsigned notifications is turned away, triggers nothing, and a real one is answered meanwhile', async () => {
  const world = await startWorld('flood', { profile: 'hapi', ehr: { subscriptions: undefined, poll: { interval: '0s', overlap: '10s', queries: ['Observation?category=vital-signs'] } } });
  const polls = () => world.ehr.requests('GET', /\/Observation\?category/).length;
  const quiet = polls();
  const stranger = world.daemon.client('not-the-secret');
  let [refused, slowest] = [0, 0];
  const flood = async () => { for (let i = 0; i < 250; i += 1) { const { status } = await stranger.post('notify/north/vitals', ''); refused += status === 401; } };
  const real = async () => {
    for (let i = 0; i < 5; i += 1) {
      const start = Date.now();
      await postTo(world, measurementOf('weight', 'p', 'p-visit', 20 + i, { id: `w${i}` }));
      slowest = Math.max(slowest, Date.now() - start);
    }
  };
  await Promise.all([flood(), flood(), flood(), flood(), real()]);
  assert.equal(refused, 1000);
  assert.equal(polls(), quiet);
  assert.ok(slowest < 3000, `${slowest} ms`);
  // Signed and empty, a hundred at once: the poll they make due is made a few times, not a hundred.
  await Promise.all(Array.from({ length: 100 }, () => notify(world.daemon)));
  await until('a poll', () => polls() > quiet);
  assert.ok(polls() - quiet <= 20, String(polls() - quiet));
});

await finish();

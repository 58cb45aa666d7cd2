// suite: timeout=60
// The history checker counts a planted loss, double and overwrite, each for itself, and nothing where all is well.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, scratch } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';
import { check } from './checker.mjs';

const marker = 'urn:uuid:0196f0a0-0000-7000-8000-000000000001';
const plan = (id, more = {}) => ({ resourceType: 'CarePlan', id, status: 'draft', title: 'Plan', subject: { reference: 'Patient/p1' }, identifier: [{ system: 'urn:ietf:rfc:3986', value: marker }], ...more });
const commit = (n, op, resource) => ({ event: 'commit', n, op, type: resource.resourceType, id: resource.id, resource });
const well = () => ({
  acked: [{ message: 'm1', patient: 'p1', want: 'plan' }, { message: 'm2', patient: 'p1', want: 'plan' }],
  truth: [commit(0, 'seed', { resourceType: 'Patient', id: 'p1' }), { event: 'request', n: 1 }, commit(1, 'create', plan('a'))],
  gateway: [{ message: 'm1', state: 'done' }, { message: 'm2', state: 'done' }, { patient: 'p1', evaluations: [{ state: 'done', reason: 'delivered' }], items: [{ identifier: marker.slice(9), 'ehr-id': 'a' }] }],
});
const counts = ({ lost, double, overwritten, open }) => [lost.length, double.length, overwritten.length, open.length];
const planted = (name, change, wanted) => test(name, () => {
  const run = well();
  change(run);
  const found = check(run);
  assert.deepEqual(counts(found), wanted, JSON.stringify(found));
});

planted('all is well: nothing is counted', () => {}, [0, 0, 0, 0]);
planted('LOST: a message that was acknowledged is not known', (it) => { it.gateway.shift(); }, [1, 0, 0, 0]);
planted('LOST: what is told to stand in the EHR does not', (it) => { it.truth.pop(); it.gateway.at(-1).evaluations[0].state = 'held'; }, [1, 0, 0, 0]);
planted('LOST: a child that needs a plan has none, and nobody is told', (it) => { it.truth.pop(); it.gateway.at(-1).items = []; }, [1, 0, 0, 0]);
planted('not lost: nobody has a plan, but a person is told', (it) => { it.truth.pop(); it.gateway.at(-1).items = []; it.gateway.at(-1).evaluations[0].state = 'held'; }, [0, 0, 0, 0]);
planted('DOUBLE: two resources carry one identifier', (it) => { it.truth.push(commit(2, 'create', plan('b', { status: 'entered-in-error' }))); }, [0, 1, 0, 0]);
planted('DOUBLE: two drafts for one visit', (it) => { it.truth.push(commit(2, 'create', plan('b', { identifier: [{ value: 'urn:uuid:2' }] }))); }, [0, 1, 0, 0]);
planted('OVERWRITTEN: what a person set was changed', (it) => { it.truth.push(commit(0, 'test', plan('a', { title: 'Theirs' })), commit(2, 'update', plan('a', { description: 'new' }))); }, [0, 0, 1, 0]);
planted('OVERWRITTEN: what a person added was taken away', (it) => { it.truth.push(commit(0, 'test', plan('a', { note: [{ text: 'x' }] })), commit(2, 'update', plan('a'))); }, [0, 0, 1, 0]);
planted('OVERWRITTEN: a plan that a person changed was ended', (it) => { it.truth.push(commit(0, 'test', plan('a', { title: 'Theirs' })), commit(2, 'update', plan('a', { title: 'Theirs', status: 'entered-in-error' }))); }, [0, 0, 1, 0]);
planted('not overwritten: other elements are the gateway\'s own', (it) => { it.truth.push(commit(0, 'test', plan('a', { title: 'Theirs' })), commit(2, 'update', plan('a', { title: 'Theirs', description: 'new' }))); }, [0, 0, 0, 0]);
planted('not overwritten: a draft that nobody touched is taken back', (it) => { it.truth.push(commit(2, 'update', plan('a', { status: 'entered-in-error' }))); }, [0, 0, 0, 0]);
planted('open work is told, and is not lost', (it) => { it.gateway[0].state = 'planned'; }, [0, 0, 0, 1]);

test('as a program: each kind in its line, the tally, and the exit status', async () => {
  const folder = scratch('checker');
  const program = fileURLToPath(new URL('checker.mjs', import.meta.url));
  const once = async (it) => {
    const files = Object.entries(it).flatMap(([name, lines]) => {
      const file = path.join(folder, name);
      fs.writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
      return [`--${name}`, file];
    });
    return run(process.execPath, [program, ...files]);
  };
  assert.deepEqual(await once(well()), { code: 0, signal: null, stdout: 'ACCEPTED 2 WRITTEN 1 OPEN 0 LOST 0 DOUBLE 0 OVERWRITTEN 0\n', stderr: '' });
  const bad = well();
  bad.gateway.shift();
  bad.truth.push(commit(0, 'test', plan('a', { title: 'Theirs' })), commit(2, 'update', plan('a')), commit(3, 'create', plan('b', { status: 'revoked' })));
  const { code, stdout } = await once(bad);
  assert.equal(code, 1);
  assert.match(stdout, /^lost: message m1 .*\ndouble: .*\noverwritten: CarePlan\/a: title.*\nACCEPTED 2 WRITTEN 2 OPEN 0 LOST 1 DOUBLE 1 OVERWRITTEN 1\n$/);
});

await finish();

// suite: timeout=600 needs=build presets=release serial
// The two promises of the quickstart: the first run ends with the plans read back, a second writes no clinical resource.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { rootDir, run } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';

const quickstart = path.join(rootDir, 'gateway/quickstart');
const journal = path.join(rootDir, 'build/quickstart/ehr.journal');

// type/id -> versionId of all that the EHR holds, Subscriptions left out.
function versions() {
  const found = {};
  const take = (resource) => {
    if (resource?.resourceType && resource.resourceType !== 'Subscription') found[`${resource.resourceType}/${resource.id}`] = resource.meta.versionId;
  };
  for (const line of fs.readFileSync(journal, 'utf8').split('\n').filter(Boolean)) {
    const entry = JSON.parse(line);
    for (const one of Array.isArray(entry) ? entry : entry.changes ?? [entry]) take(one.resource ?? one);
  }
  return found;
}

let before;

test('from another directory, it ends with 0 and prints plans that the EHR holds', async () => {
  const { code, stdout, stderr } = await run(quickstart, ['--once'], { cwd: os.tmpdir() });
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  assert.equal(stdout.match(/"resourceType": "CarePlan"/g)?.length, 2, stdout);
  assert.match(stdout, /FHIR R4 validation by @medplum\/core passed/);
  for (const told of [/Juna: HELD: .*implausible/, /Mila: HANDED OVER/, /CarePlan written and read back|of an earlier run/]) assert.match(stdout, told);
  before = versions();
  assert.ok(Object.keys(before).some((key) => key.startsWith('CarePlan/')));
}, { timeout: 540_000 });

test('a second run finds the same EHR and store, and every version is as it was', async () => {
  const { code, stdout, stderr } = await run(quickstart, ['--once'], { cwd: '/' });
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  assert.deepEqual(versions(), before);
}, { timeout: 300_000 });

test('what it does not know is a wrong usage', async () => {
  const { code, stderr } = await run(quickstart, ['--twice']);
  assert.equal(code, 64);
  assert.equal(stderr, 'quickstart: does not know "--twice"; see --help\n');
});

await finish();

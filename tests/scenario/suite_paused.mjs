// suite: timeout=240 needs=build presets=release
// Evaluation paused: what comes in is taken and waits; a reload takes it up. Memory does not grow with what waits
// (`./tests/bench ingest` shows it with 100,000 messages; this is the same with 5,000).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { encounterOf, measurementOf, patientOf, plansOf } from '../lib/children.mjs';
import { eplan, secrets, settled, startDaemon, writeConfig } from '../lib/daemon.mjs';
import { startTestEhr } from '../lib/ehrs.mjs';
import { scratch, until } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';

const messages = 5000;
const mebibytes = (pid, field) => Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

test('what comes in while evaluation is paused is evaluated after a reload; memory stays below 64 MiB', async () => {
  const folder = scratch('paused');
  const ehr = await startTestEhr(folder);
  const write = (evaluation) => writeConfig(folder, { ehrs: [{ base: ehr.base, subscriptions: [], evaluation }] });
  const config = await write('paused');
  const daemon = await startDaemon(folder, config);
  const { pid } = daemon.facts;
  const { body: patient } = await ehr.client.post('Patient', patientOf('overweight'));
  const { body: encounter } = await ehr.client.post('Encounter', encounterOf(patient.id));
  const weight = measurementOf('weight', patient.id, encounter.id, 28.5);
  for (const one of [weight, measurementOf('height', patient.id, encounter.id, 124)]) assert.equal((await ehr.client.post('Observation', one)).status, 201);
  const engine = daemon.client(`${secrets.engine}-north`);
  const post = async (i) => {
    const strange = { ...weight, id: `w${i}`, subject: { reference: `Patient/unknown-${i % 1000}` }, note: [{ text: 'x'.repeat(3500) }] };
    const { status } = await engine.post('fhir/north/Observation', i === 0 ? weight : strange);
    assert.equal(status, 202);
  };
  for (let i = 0; i < messages; i += 50) await Promise.all(Array.from({ length: 50 }, (_, k) => post(i + k)));
  const [waiting] = (await daemon.status()).ehrs;
  assert.equal(waiting['evaluation-paused'], true);
  assert.deepEqual(waiting.messages, { received: messages });
  assert.deepEqual(waiting.evaluations, {});
  assert.match((await eplan(config, 'status')).stdout, /^north: live, synthetic, EVALUATION PAUSED, /m);
  const full = mebibytes(pid, 'VmRSS');
  await write('running');
  daemon.hangup();
  await until('the plan', async () => (await plansOf(ehr.client, patient.id)).length === 1, 60_000);
  const north = await settled(daemon, 'north', { evaluations: 1001, ms: 120_000 });
  assert.deepEqual(north.messages, { done: 1, held: messages - 1 });
  const peak = mebibytes(pid, 'VmHWM');
  process.stdout.write(`# resident with ${messages} messages waiting: ${full.toFixed(1)} MiB; at the most: ${peak.toFixed(1)} MiB\n`);
  assert.ok(full < 64 && peak < 64, `${full} ${peak}`);
}, { timeout: 220_000 });

await finish();

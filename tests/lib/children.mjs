// Children who do not exist, and their well-child visits. What each one comes to is named by what the mapping decides.
import assert from 'node:assert/strict';
import { until } from './process.mjs';

export const kinds = {
  overweight: { sex: 'female', years: 7, months: 2, weight: 28.5, height: 124 },
  obesity1: { sex: 'male', years: 8, months: 0, weight: 36, height: 128 },
  healthy: { sex: 'male', years: 9, months: 0, weight: 29, height: 134 },
  held: { sex: 'female', years: 7, months: 2, weight: 285, height: 124 },
  handedOver: { sex: 'female', years: 14, months: 0, weight: 92, height: 160 },
};

const day = 86_400_000;
export const isoDay = (time) => new Date(time).toISOString().slice(0, 10);

function birthDate(now, { years, months }) {
  const date = new Date(now);
  date.setUTCMonth(date.getUTCMonth() - (years * 12 + months));
  return isoDay(date.getTime() - 15 * day);
}

export const patientOf = (kind, { id, given = 'Probe', family = 'Testkind', now = Date.now(), ...more } = {}) => ({
  resourceType: 'Patient',
  ...(id ? { id } : {}),
  active: true,
  name: [{ use: 'official', family, given: [given] }],
  gender: kinds[kind].sex,
  birthDate: birthDate(now, kinds[kind]),
  ...more,
});

export const encounterOf = (patient, { now = Date.now(), code = '410620009', cls = 'AMB' } = {}) => ({
  resourceType: 'Encounter',
  status: 'finished',
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: cls },
  type: [{ coding: [{ system: 'http://snomed.info/sct', code }] }],
  subject: { reference: `Patient/${patient}` },
  period: { start: new Date(now).toISOString() },
});

const loinc = { weight: '29463-7', height: '8302-2' };
const units = { weight: 'kg', height: 'cm' };

export const measurementOf = (what, patient, encounter, value, { now = Date.now(), id, status = 'final' } = {}) => ({
  resourceType: 'Observation',
  ...(id ? { id } : {}),
  status,
  category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] }],
  code: { coding: [{ system: 'http://loinc.org', code: loinc[what] }] },
  subject: { reference: `Patient/${patient}` },
  encounter: { reference: `Encounter/${encounter}` },
  effectiveDateTime: new Date(now).toISOString(),
  valueQuantity: { value, unit: units[what], system: 'http://unitsofmeasure.org', code: units[what] },
});

export async function make(client, resource) {
  const { status, body } = resource.id ? await client.put(`${resource.resourceType}/${resource.id}`, resource) : await client.post(resource.resourceType, resource);
  if (status !== 200 && status !== 201) throw new Error(`${resource.resourceType}: ${status} ${JSON.stringify(body)}`);
  return body;
}

// Patient (or the one given), Encounter, weight and height -> their resources.
export async function admit(client, kind, options = {}) {
  const { given, family, now, more } = options;
  const patient = options.patient ?? await make(client, patientOf(kind, { given, family, now, ...more }));
  const encounter = await make(client, encounterOf(patient.id, options));
  const weight = await make(client, measurementOf('weight', patient.id, encounter.id, options.weight ?? kinds[kind].weight, { now: options.now }));
  const height = await make(client, measurementOf('height', patient.id, encounter.id, options.height ?? kinds[kind].height, { now: options.now }));
  return { patient, encounter, weight, height };
}

export const plansOf = async (client, patient) => client.all(`CarePlan?subject=Patient/${patient}`);
export const goalsOf = async (client, patient) => client.all(`Goal?subject=Patient/${patient}`);

// Each child [{ kind, id }] ended once, as its kind should, and its plan stands in the EHR once. show(id): what the gateway
// says of it.
export async function everyChildEnded(client, children, show) {
  const ends = ['done', 'handed-over', 'held', 'dropped'];
  const want = { overweight: 'done', obesity1: 'done', held: 'held', handedOver: 'handed-over', healthy: 'dropped' };
  const ways = {};
  await until('every child to have ended', async () => {
    for (const { id } of children) {
      if (ways[id]) continue;
      const { evaluations = [] } = await show(id);
      if (evaluations.length === 0 || !evaluations.every((one) => ends.includes(one.state))) return false;
      ways[id] = evaluations;
    }
    return true;
  }, 90_000);
  for (const { kind, id } of children) {
    const real = ways[id].filter(({ reason }) => !['coalesced', 'superseded', 'unchanged'].includes(reason));
    assert.ok(ways[id].some((one) => one.state === want[kind]), `${kind} ${id}: ${JSON.stringify(ways[id].map((one) => [one.state, one.reason]))}`);
    assert.ok(real.every((one) => one.state === want[kind]), `${kind} ${id}: ${JSON.stringify(real.map((one) => [one.state, one.reason]))}`);
  }
  const by = (list) => list.reduce((all, one) => { (all[one.subject.reference] ??= []).push(one); return all; }, {});
  const [plans, goals, orders] = [by(await client.all('CarePlan?_count=1000')), by(await client.all('Goal?_count=1000')), by(await client.all('ServiceRequest?_count=1000'))];
  const count = { overweight: [1, 5, 0], obesity1: [1, 4, 1], held: [0, 0, 0], handedOver: [0, 0, 0], healthy: [0, 0, 0] };
  for (const { kind, id } of children) {
    const of = (all) => all[`Patient/${id}`]?.length ?? 0;
    assert.deepEqual([of(plans), of(goals), of(orders)], count[kind], `${kind} ${id}`);
  }
  const identifiers = [plans, goals, orders].flatMap((all) => Object.values(all).flat()).map(({ identifier }) => identifier[0].value);
  assert.equal(new Set(identifiers).size, identifiers.length);
}

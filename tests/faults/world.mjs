// One scripted EHR and one gateway, for the suites of this folder. Children come in by direct POST of their
// measurements, so that a test decides when; what the EHR saw and stored is its truth log.
import fs from 'node:fs';
import path from 'node:path';
import { encounterOf, kinds, measurementOf, patientOf } from '../lib/children.mjs';
import { secrets, startDaemon, writeConfig } from '../lib/daemon.mjs';
import { startScriptedEhr } from '../lib/ehrs.mjs';
import { scratch, until } from '../lib/process.mjs';

export const profilesUrl = new URL('../fakes/profiles.mjs', import.meta.url).href;
export const ends = ['done', 'handed-over', 'held', 'dropped'];

export function readTruth(file) {
  return fs.readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

// script: the text of an .mjs module, or a list of rules; profile and writable: ../fakes/profiles.mjs.
export async function startEhr(folder, { script = [], profile, writable = true, args = [] } = {}) {
  const file = path.join(folder, typeof script === 'string' ? 'script.mjs' : 'script.json');
  fs.writeFileSync(file, typeof script === 'string' ? script : JSON.stringify(script));
  const ehr = await startScriptedEhr(folder, { script: file, args: [...(profile ? ['--profile', profile] : []), ...(profile && writable ? ['--writable'] : []), ...args] });
  const truth = () => readTruth(ehr.truth);
  return {
    ...ehr,
    truth,
    begin: () => ehr.client.post(`${ehr.origin}/_test/begin`, {}), // another EHR, for the next run
    put: async (resource) => (await ehr.client.post(`${ehr.origin}/_test/commit`, resource)).body,
    commits: (type, patient) => truth().filter(({ event, op, resource }) => event === 'commit' && op === 'create' && resource.resourceType === type && (!patient || resource.subject?.reference === `Patient/${patient}`)),
    requests: (method, pattern) => truth().filter(({ event, method: made, url }) => event === 'request' && made === method && pattern.test(url)),
    // POSTs of a type for a patient, whatever came of them
    sent: (type, patient) => truth().filter(({ event, method, url, body }) => event === 'request' && method === 'POST' && url === `/fhir/${type}` && body.includes(`"Patient/${patient}"`)),
  };
}

// Only what is posted to it; retries within the time of a test.
export const direct = { subscriptions: [], poll: { interval: '0s', queries: [] } };

export async function startWorld(name, { script, profile, writable, args, ehr: given = {}, gateway = {}, env } = {}) {
  const folder = scratch(name);
  const ehr = await startEhr(folder, { script, profile, writable, args });
  // A setting given as undefined is the one that lib/daemon.mjs has.
  const settings = Object.fromEntries(Object.entries({ ...direct, ...given }).filter(([, value]) => value !== undefined));
  const config = await writeConfig(folder, { ehrs: [{ base: ehr.base, ...settings }], gateway });
  const world = { folder, ehr, config };
  world.start = async (more = {}) => { world.daemon = await startDaemon(folder, config, { env: { ...env, ...more } }); return world.daemon; };
  await world.start();
  // The capability statement decides how is written: it is there before anything is to be written.
  await until('the capability statement', () => ehr.requests('GET', /\/metadata$/).length > 0 && world.daemon.status().then(({ ehrs: [one] }) => one.requests > 0 && one.condition === 'well'));
  world.admit = (id, kind = 'overweight', options = {}) => admit(world, id, kind, options);
  world.ended = (id, ms = 30_000) => ended(world, id, ms);
  return world;
}

// The child's chart stands in the EHR; its measurements are posted to the gateway.
export async function admit(world, id, kind = 'overweight', { now = Date.now(), ehr = 'north', post = true } = {}) {
  const { put } = world.ehr;
  await put(patientOf(kind, { id, now }));
  const encounter = await put({ ...encounterOf(id, { now }), id: `${id}-visit` });
  const measured = [];
  for (const what of ['weight', 'height']) measured.push(await put(measurementOf(what, id, encounter.id, kinds[kind][what], { now, id: `${id}-${what}` })));
  if (post) for (const resource of measured) await postTo(world, resource, ehr);
  return { encounter, weight: measured[0], height: measured[1] };
}

export async function postTo(world, resource, ehr = 'north') {
  const { status, body } = await world.daemon.client(`${secrets.engine}-${ehr}`).post(`fhir/${ehr}/${resource.resourceType}`, resource);
  if (status !== 202 && status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
}

// The child's evaluations when all have ended.
export async function ended(world, id, ms) {
  return until(`${id} to have come to an end`, async () => {
    const { evaluations = [] } = await world.daemon.show(id);
    return evaluations.length > 0 && evaluations.every(({ state }) => ends.includes(state)) && evaluations;
  }, ms);
}

// A script as the text of a module: `decide(patient, request, n)` is asked for each write of what the gateway writes, n
// being the count of POSTs of this type for this patient, from 1.
export const scriptOf = (decide) => `
import { refusals } from '${profilesUrl}';
const counts = new Map();
const decide = ${decide};
export default (request) => {
  const [, type] = /^\\/fhir\\/(CarePlan|Goal|ServiceRequest)(?:\\/|$)/.exec(request.url) ?? [];
  if (!type || !request.body) return undefined;
  const patient = JSON.parse(request.body).subject?.reference?.replace('Patient/', '');
  const key = [request.method, type, patient].join(' ');
  counts.set(key, (counts.get(key) ?? 0) + 1);
  return decide({ patient, type, method: request.method, n: counts.get(key), refusals });
};
`;

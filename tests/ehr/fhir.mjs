// FHIR REST over HTTP: turns a request into a call of @medplum/fhir-router and its result into status, headers and body.
import * as fhir from '@medplum/core';
import { FhirRouter } from '@medplum/fhir-router';
import { fail, isResourceType } from './model.mjs';

const router = new FhirRouter();

// The router ignores If-Match on PATCH and DELETE, alone and in a Bundle, so the two routes are wrapped.
for (const route of router.router.routes) {
  const path = route.path.map(({ value }) => value).join('/');
  if (!['PATCH', 'DELETE'].includes(route.method) || path !== 'resourceType/id') continue;
  const { handler } = route;
  route.handler = async (request, repository, ...rest) => {
    const wanted = versionOf(request.headers?.['if-match']);
    const { resourceType, id } = request.params;
    if (wanted && (await repository.readResource(resourceType, id)).meta.versionId !== wanted) return [fhir.preconditionFailed];
    return handler(request, repository, ...rest);
  };
}

// -> { status, headers, body }; path is what follows the base, without a leading slash.
export async function answer({ method, path, headers, body }, repository, base) {
  const [type] = path.split(/[/?]/);
  if (type && !isResourceType(type)) fail(fhir.notFound);
  versionOf(headers['if-match']);
  const request = { method, url: path, pathname: '', params: {}, query: {}, headers, config: { transactions: true } };
  if (body.length) request.body = readBody(method, path, headers['content-type'] ?? '', body);
  const [outcome, resource] = await router.handleRequest(request, repository);
  return reply(outcome, resource, base, headers.prefer ?? '');
}

export function failure(error) {
  const outcome = fhir.normalizeOperationOutcome(error);
  const status = fhir.getStatus(outcome);
  return { status, headers: status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}, body: outcome };
}

// The version in W/"…"; a value without quotes would be ignored by the router, so it is refused.
function versionOf(ifMatch) {
  if (ifMatch === undefined) return undefined;
  return /^(?:W\/)?"([^"]+)"$/.exec(ifMatch)?.[1] ?? fail('If-Match must look like W/"version"');
}

function readBody(method, path, contentType, body) {
  const type = contentType.split(';')[0].trim().toLowerCase();
  if (path.endsWith('/_search')) return form(type, body);
  const known = method === 'PATCH' ? ['application/json-patch+json'] : ['application/fhir+json', 'application/json'];
  if (!known.includes(type)) fail(`Content-Type must be ${known.join(' or ')}`);
  try {
    return JSON.parse(body);
  } catch (error) {
    return fail(`The body is not JSON: ${error.message}`);
  }
}

function form(type, body) {
  if (type !== 'application/x-www-form-urlencoded') fail('Content-Type must be application/x-www-form-urlencoded');
  const parameters = new URLSearchParams(body);
  return Object.fromEntries([...parameters.keys()].map((name) => [name, parameters.getAll(name)]));
}

function reply(outcome, resource, base, prefer) {
  const status = fhir.getStatus(outcome);
  const headers = {};
  if (resource?.meta?.versionId) {
    const { versionId, lastUpdated } = resource.meta;
    headers.ETag = `W/"${versionId}"`;
    headers['Last-Modified'] = new Date(lastUpdated).toUTCString();
    if (status === 201) headers.Location = `${base}/${location(resource)}`;
  }
  if (resource?.type === 'batch-response' || resource?.type === 'transaction-response') completeEntries(resource, base);
  const minimal = status < 300 && headers.ETag && /\breturn=minimal\b/.test(prefer);
  return { status, headers, body: minimal ? undefined : resource ?? outcome };
}

const location = ({ resourceType, id, meta }) => `${resourceType}/${id}/_history/${meta.versionId}`;

function completeEntries(bundle, base) {
  for (const { response, resource } of bundle.entry) {
    if (!resource?.meta?.versionId) continue;
    response.location = `${base}/${location(resource)}`;
    response.etag = `W/"${resource.meta.versionId}"`;
    response.lastModified = resource.meta.lastUpdated;
  }
}

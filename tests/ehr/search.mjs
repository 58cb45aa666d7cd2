// What @medplum/fhir-router's search lacks: refusing what it would silently ignore, bare ids, a stable order,
// pages with links, and an index that narrows the candidates before its matcher is asked.
import * as fhir from '@medplum/core';
import { fail, isResourceType, searchParameter } from './model.mjs';

const matchable = new Set(['reference', 'string', 'uri', 'token', 'date']);
const operators = new Set(['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'sa', 'eb', 'ap', 'not', 'missing', 'contains']);
const maxCount = 1000;

// Throws for everything that would otherwise match nothing or be left out without a word.
export function checkSearch({ resourceType, filters = [], sortRules = [], include, revInclude, fields, types, count, offset }) {
  if (!isResourceType(resourceType)) fail(fhir.notFound);
  for (const { code, operator, value } of filters) {
    const parameter = searchParameter(resourceType, code);
    if (!parameter) fail(`Unknown search parameter ${code} for ${resourceType}`);
    if (!matchable.has(parameter.type)) fail(`Search parameter ${code} of type ${parameter.type} is not supported`);
    if (!operators.has(operator)) fail(`Modifier or prefix ${operator} of search parameter ${code} is not supported`);
    if (!value) fail(`Search parameter ${code} has no value`);
  }
  for (const { code } of sortRules) {
    if (!searchParameter(resourceType, code)) fail(`Unknown search parameter ${code} in _sort`);
  }
  if (include || revInclude || fields || types) fail('_include, _revinclude, _elements and _type are not supported');
  for (const [name, number] of [['_count', count], ['_offset', offset]]) {
    if (number !== undefined && !(number >= 0)) fail(`${name} must be a number`);
  }
}

// The router's matcher wants Type/id: completes bare ids and takes our own base off absolute references.
export function withFullReferences(request, base) {
  const complete = (filter) => {
    const { type, target = [] } = searchParameter(request.resourceType, filter.code) ?? {};
    if (type !== 'reference' || filter.operator === 'missing') return filter;
    const values = fhir.splitSearchOnComma(filter.value).flatMap((value) => {
      if (value.startsWith(base + '/')) return value.slice(base.length + 1);
      return value.includes('/') || value.includes(':') ? value : target.map((type) => `${type}/${value}`);
    });
    return { ...filter, value: values.join(',') };
  };
  return { ...request, filters: request.filters?.map(complete) };
}

// Cuts one page out of all matches and links it to the next. In the default order, by time of change, the cursor is the
// last position seen, so that a resource changed while someone pages moves to the end and nothing is skipped.
export function page(matches, request, base) {
  const { cursor, count: wanted = 20, offset = 0, ...query } = request;
  const count = Math.min(wanted, maxCount);
  const [sort = { code: '_lastUpdated' }, ...more] = request.sortRules ?? [];
  const byTime = sort.code === '_lastUpdated' && more.length === 0;
  const sign = sort.descending ? -1 : 1;
  const position = ({ meta, id }) => `${meta.lastUpdated} ${id}`;
  const later = (a, b) => (position(a) < position(b) ? -sign : sign);

  let rest = byTime ? [...matches].sort(later) : sorted(matches, request);
  const place = cursor === undefined ? { offset } : readCursor(cursor);
  if (byTime && place.after) rest = rest.filter((r) => (sign > 0 ? position(r) > place.after : position(r) < place.after));
  else rest = rest.slice(place.offset ?? 0);

  const shown = rest.slice(0, count);
  const url = (extra) => `${base}/${request.resourceType}${fhir.formatSearchQuery({ ...query, count, ...extra })}`;
  const link = [{ relation: 'self', url: url({ offset, cursor }) }];
  if (count > 0 && rest.length > count) {
    const next = byTime ? { after: position(shown.at(-1)) } : { offset: (place.offset ?? 0) + count };
    link.push({ relation: 'next', url: url({ cursor: Buffer.from(JSON.stringify(next)).toString('base64url') }) });
  }
  const entry = shown.map((resource) => ({
    fullUrl: `${base}/${resource.resourceType}/${resource.id}`,
    resource: fhir.deepClone(resource),
    search: { mode: 'match' },
  }));
  return { resourceType: 'Bundle', type: 'searchset', total: matches.length, link, ...(entry.length ? { entry } : {}) };
}

function sorted(matches, { resourceType, sortRules }) {
  const value = (resource, code) => {
    const { type, expression } = searchParameter(resourceType, code);
    const values = fhir.evalFhirPath(expression, resource);
    return type === 'date' ? fhir.toPeriod(values[0])?.start ?? '' : JSON.stringify(values);
  };
  const keyed = matches.map((resource) => ({ resource, keys: sortRules.map(({ code }) => value(resource, code)) }));
  keyed.sort((a, b) => {
    const i = sortRules.findIndex((_, n) => a.keys[n] !== b.keys[n]);
    return i < 0 ? 0 : (a.keys[i] < b.keys[i] ? -1 : 1) * (sortRules[i].descending ? -1 : 1);
  });
  return keyed.map(({ resource }) => resource);
}

function readCursor(cursor) {
  try {
    const place = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (typeof place.after === 'string' || Number.isInteger(place.offset)) return place;
  } catch { /* anything unreadable is refused below */ }
  return fail('Unknown _cursor: start the search again');
}

// The earliest time of change that can match: a poll looks at little of much, and the matcher is slow.
export function changedSince({ filters = [] }) {
  const starts = filters.filter(({ code, operator }) => code === '_lastUpdated' && (operator === 'ge' || operator === 'gt'))
    .map(({ value }) => fhir.toPeriod(value)?.start ?? '');
  return starts.sort().at(-1) ?? '';
}

// Resources by what they refer to and are identified by. It yields a superset: the router's matcher has the last word.
export class Index {
  #byTerm = new Map();

  put(resource) { for (const term of terms(resource)) this.#ids(term).add(resource.id); }
  remove(resource) { for (const term of terms(resource)) this.#ids(term).delete(resource.id); }

  // The ids that may match, or undefined when no filter narrows the search.
  candidates({ resourceType, filters = [] }) {
    let best;
    for (const { code, operator, value } of filters) {
      const kind = code === 'identifier' ? 'identifier' : searchParameter(resourceType, code)?.type;
      if (operator !== 'eq' || (kind !== 'identifier' && kind !== 'reference')) continue;
      const values = fhir.splitSearchOnComma(value).map((v) => (kind === 'identifier' ? v.split('|').at(-1).toLowerCase() : v));
      // An empty value means any, and one with a colon may be a canonical, which is not indexed.
      if (values.includes('') || (kind === 'reference' && value.includes(':'))) continue;
      const ids = values.flatMap((v) => [...(this.#byTerm.get(`${resourceType} ${v}`) ?? [])]);
      if (!best || ids.length < best.length) best = ids;
    }
    return best && new Set(best);
  }

  #ids(term) {
    if (!this.#byTerm.has(term)) this.#byTerm.set(term, new Set());
    return this.#byTerm.get(term);
  }
}

function* terms(resource) {
  const [type, pending] = [resource.resourceType, [resource]];
  for (const identifier of [resource.identifier ?? []].flat()) {
    if (identifier.value) yield `${type} ${identifier.value.toLowerCase()}`;
  }
  while (pending.length) {
    for (const [key, value] of Object.entries(pending.pop())) {
      if (key === 'reference' && typeof value === 'string') yield `${type} ${value}`;
      else if (value && typeof value === 'object') pending.push(value);
    }
  }
}

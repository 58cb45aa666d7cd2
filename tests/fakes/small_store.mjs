// A small FHIR store for the scripted EHR: create, read, update, delete, history, search by the parameters a gateway uses.
// It keeps no rules of R4: what it answers is the happy path, what goes wrong is the script's business.
import crypto from 'node:crypto';

const references = (...paths) => (r) => paths.flatMap((path) => [at(r, path)].flat()).map((ref) => ref?.reference).filter(Boolean);
const tokens = (path) => (r) => [at(r, path)].flat().filter(Boolean).flatMap((x) => x.coding ?? [x])
  .flatMap((x) => (typeof x === 'string' || typeof x === 'boolean' ? [`${x}`] : [`${x.system ?? ''}|${x.value ?? x.code}`, `${x.value ?? x.code}`]));
const at = (r, path) => path.split('.').reduce((value, name) => value?.[name], r);
const dates = (r) => [r.effectiveDateTime ?? r.period?.start ?? r.date ?? r.recordedDate ?? r.authoredOn ?? r.created].filter(Boolean);

// name -> values of a resource; a reference also matches by bare id
const parameters = {
  _id: (r) => [r.id],
  identifier: tokens('identifier'),
  patient: references('subject', 'patient'),
  subject: references('subject', 'patient'),
  encounter: references('encounter'),
  code: tokens('code'),
  category: tokens('category'),
  class: tokens('class'),
  status: tokens('status'),
  birthdate: (r) => [r.birthDate].filter(Boolean),
  date: dates,
  'start-date': (r) => [r.startDate].filter(Boolean),
  _lastUpdated: (r) => [r.meta.lastUpdated],
};
const dated = new Set(['date', 'start-date', 'birthdate', '_lastUpdated']);
const written = ['CarePlan', 'Goal', 'ServiceRequest']; // what a profile speaks of
const control = new Set(['_count', '_sort', '_total', '_format', '_summary', '_elements', '_page']);

export class Refused extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

export const outcome = (text, code = 'processing') => ({ resourceType: 'OperationOutcome', issue: [{ severity: 'error', code, details: { text } }] });

export class SmallStore {
  #versions = new Map(); // Type/id -> versions, oldest first; a delete is { deleted: true }
  #pages = new Map(); // opaque page token -> the rest of a search
  #onCommit;

  // onCommit({ op, type, id, versionId, resource }) is called for everything that is stored.
  // manners: a profile of profiles.mjs.
  constructor(base, onCommit, manners = {}) {
    this.base = base;
    this.manners = manners;
    this.#onCommit = onCommit;
  }

  // Stores a resource; meta.lastUpdated is kept when given, so that a test can let a change appear late.
  put(resource, op = 'update', keepTime = false) {
    const type = resource.resourceType;
    const id = resource.id ?? crypto.randomUUID();
    const versions = this.#versions.get(`${type}/${id}`) ?? [];
    const versionId = this.#versionName(versions.length);
    const lastUpdated = (keepTime && resource.meta?.lastUpdated) || new Date().toISOString();
    const stored = { ...resource, id, meta: { ...resource.meta, versionId, lastUpdated } };
    this.#versions.set(`${type}/${id}`, [...versions, stored]);
    this.#onCommit({ op, type, id, versionId, resource: stored });
    return stored;
  }

  // A person changes some elements of the newest version; undefined: there is none.
  edit(type, id, set) {
    const newest = this.#versions.get(`${type}/${id}`)?.at(-1);
    return newest && !newest.deleted ? this.put({ ...newest, ...set }, 'test') : undefined;
  }

  #versionName(count) {
    if (this.manners.versions === 'opaque') return crypto.randomUUID();
    return String(this.manners.versions === 'from-zero' ? count : count + 1);
  }

  // -> { status, headers, body }; throws Refused.
  answer({ method, path, query, headers, body }) {
    const [type, id, word, version] = path.split('/');
    if (word && (word !== '_history' || method !== 'GET')) throw new Refused(404, `nothing is at ${path}`);
    switch (method) {
      case 'GET':
        if (word) return version ? this.#reply(200, this.#version(type, id, version)) : this.#history(type, id);
        return id ? this.#reply(200, this.#current(type, id)) : this.#search(type, query);
      case 'POST':
        if (id === '_search') return this.#search(type, new URLSearchParams(body));
        return this.#create(type, JSON.parse(body), headers['if-none-exist']);
      case 'PUT':
        return this.#update(type, id, JSON.parse(body), headers['if-match']);
      case 'DELETE':
        return this.#delete(type, id);
      default:
        throw new Refused(405, `${method} is not played here`);
    }
  }

  #reply(status, resource) {
    const { versionId, lastUpdated } = resource.meta;
    const headers = { ETag: `W/"${versionId}"`, 'Last-Modified': new Date(lastUpdated).toUTCString() };
    if (status === 201) headers.Location = `${this.base}/${resource.resourceType}/${resource.id}/_history/${versionId}`;
    return { status, headers, body: resource };
  }

  #current(type, id) {
    const newest = this.#versions.get(`${type}/${id}`)?.at(-1);
    if (!newest) throw new Refused(404, `${type}/${id} is not known`);
    if (newest.deleted) throw new Refused(410, `${type}/${id} was deleted`);
    return newest;
  }

  #version(type, id, versionId) {
    const found = this.#versions.get(`${type}/${id}`)?.find(({ meta }) => meta.versionId === versionId);
    if (!found) throw new Refused(404, `${type}/${id} has no version ${versionId}`);
    if (found.deleted) throw new Refused(410, `version ${versionId} is a deletion`);
    return found;
  }

  #history(type, id) {
    const versions = this.#versions.get(`${type}/${id}`);
    if (!versions) throw new Refused(404, `${type}/${id} is not known`);
    const entry = versions.map((v, i) => ({
      fullUrl: `${this.base}/${type}/${id}`,
      ...(v.deleted ? {} : { resource: v }),
      request: { method: v.deleted ? 'DELETE' : i ? 'PUT' : 'POST', url: `${type}/${id}` },
      response: { status: v.deleted ? '204' : i ? '200' : '201', etag: `W/"${v.meta.versionId}"`, lastModified: v.meta.lastUpdated },
    })).reverse();
    return { status: 200, body: { resourceType: 'Bundle', type: 'history', total: entry.length, entry } };
  }

  #create(type, resource, condition) {
    if (resource.resourceType !== type) throw new Refused(400, `the body is a ${resource.resourceType}, not a ${type}`);
    if (condition && this.manners.condition !== 'ignored') {
      const matches = this.#matches(type, new URLSearchParams(condition));
      if (matches.length === 1) return { status: 200, headers: { ETag: `W/"${matches[0].meta.versionId}"` }, body: matches[0] };
      if (matches.length > 1) throw new Refused(412, 'several resources match If-None-Exist');
    }
    const { id, ...rest } = resource;
    if (this.manners.identifier === false && written.includes(type)) delete rest.identifier;
    const answer = this.#reply(201, this.put(rest, 'create'));
    return this.manners.created === 'empty' ? { ...answer, body: undefined } : answer;
  }

  #update(type, id, resource, ifMatch) {
    const existing = this.#current(type, id);
    if (resource.id !== id) throw new Refused(400, 'the id of the body is not that of the URL');
    if (!ifMatch && this.manners.match === 'needed') throw new Refused(428, 'send If-Match');
    if (ifMatch && this.manners.match !== 'ignored' && ifMatch !== `W/"${existing.meta.versionId}"`) throw new Refused(412, `the version is ${existing.meta.versionId}`);
    return this.#reply(200, this.put(resource));
  }

  #delete(type, id) {
    const { meta } = this.#current(type, id);
    const versions = this.#versions.get(`${type}/${id}`);
    const versionId = String(Number(meta.versionId) + 1);
    versions.push({ resourceType: type, id, deleted: true, meta: { versionId, lastUpdated: new Date().toISOString() } });
    this.#onCommit({ op: 'delete', type, id, versionId });
    return { status: 204 };
  }

  #search(type, query) {
    const token = query.get('_page');
    const found = token ? this.#pages.get(token) : { rest: this.#matches(type, query), query: `${query}`, count: Number(query.get('_count') ?? 20) };
    if (!found) throw new Refused(410, 'this page has expired');
    const shown = found.rest.slice(0, found.count);
    const self = new URLSearchParams(found.query);
    if (this.manners.unknown === 'ignored' && written.includes(type)) for (const name of [...self.keys()]) if (!control.has(name) && !this.manners.search.includes(name)) self.delete(name);
    const link = [{ relation: 'self', url: `${this.base}/${type}?${self}` }];
    if (found.rest.length > found.count) {
      const next = crypto.randomUUID();
      this.#pages.set(next, { ...found, rest: found.rest.slice(found.count) });
      link.push({ relation: 'next', url: `${this.base}/${type}?_page=${next}` });
    }
    const entry = shown.map((resource) => ({ fullUrl: `${this.base}/${type}/${resource.id}`, resource, search: { mode: 'match' } }));
    return { status: 200, body: { resourceType: 'Bundle', type: 'searchset', link, ...(entry.length ? { entry } : {}) } };
  }

  #matches(type, query) {
    const asked = [...query].filter(([name]) => !control.has(name));
    const known = (name) => parameters[name] && (!written.includes(type) || (this.manners.search?.includes(name) ?? true));
    const { unknown = 'refused' } = this.manners;
    for (const [name] of asked) if (!known(name) && unknown === 'refused') throw new Refused(400, `search parameter ${name} is not played here`);
    if (unknown === 'nothing' && !asked.every(([name]) => known(name))) return [];
    const wanted = asked.filter(([name]) => known(name));
    const newest = [...this.#versions.values()].map((versions) => versions.at(-1)).filter((r) => r.resourceType === type && !r.deleted);
    const found = newest.filter((r) => wanted.every(([name, value]) => matches(name, parameters[name](r), value)));
    const by = query.get('_sort') ?? '_lastUpdated';
    const [key, sign] = by.startsWith('-') ? [by.slice(1), -1] : [by, 1];
    const value = (r) => parameters[key]?.(r)[0] ?? '';
    return found.sort((a, b) => (value(a) < value(b) ? -sign : value(a) > value(b) ? sign : 0));
  }
}

function matches(name, values, wanted) {
  return wanted.split(',').some((one) => {
    if (dated.has(name)) return values.some((value) => inTime(value, one));
    return values.some((value) => value === one || value.endsWith(`/${one}`));
  });
}

// Whole days for dates without a time, in UTC.
function inTime(value, wanted) {
  const [, prefix = 'eq', text] = /^(eq|ne|lt|le|gt|ge)?(.+)$/.exec(wanted);
  const span = (x) => [Date.parse(x), Date.parse(x) + (x.includes('T') ? 0 : 86_399_999)];
  const [[start, end], [from, to]] = [span(value), span(text)];
  const verdicts = { eq: start <= to && end >= from, ne: start > to || end < from, lt: start < from, le: start <= to, gt: end > to, ge: end >= from };
  return verdicts[prefix];
}

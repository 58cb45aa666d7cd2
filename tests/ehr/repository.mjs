// The resources: @medplum/fhir-router's MemoryRepository, made strict (validation, no update-as-create, 410 after
// delete, server-made ids and versions), atomic (a transaction happens whole or not at all) and durable (the journal).
import * as fhir from '@medplum/core';
import { MemoryRepository } from '@medplum/fhir-router';
import { Journal } from './journal.mjs';
import { fail, isResourceType } from './model.mjs';
import { changedSince, checkSearch, Index, page, withFullReferences } from './search.mjs';

const key = ({ resourceType, id }) => `${resourceType}/${id}`;
const tombstone = (resource) => resource.deleted === true;

// A Subscription that could never fire is refused when it is written, not when the first notification is due.
function checkSubscription({ criteria, channel }) {
  checkSearch(fhir.parseSearchRequest(criteria));
  if (channel.type !== 'rest-hook') fail('Subscription.channel.type must be rest-hook');
  if (!URL.canParse(channel.endpoint) || new URL(channel.endpoint).protocol !== 'https:') fail('Subscription.channel.endpoint must be an https URL');
}

export class Repository extends MemoryRepository {
  #base;
  #journal;
  #index = new Index();
  #latest = new Map(); // Type/id -> newest version; a deleted resource leaves its tombstone here
  #pending = null; // changes of the transaction that is running
  onCommit = () => {};

  // base: the EHR's own URL, in links. journalFile: undefined keeps everything in memory only.
  constructor(base, journalFile) {
    super();
    this.#base = base;
    this.#journal = journalFile && new Journal(journalFile, (changes) => changes.forEach((version) => this.#apply(version)));
  }

  durable() {
    return this.#journal?.synced();
  }

  activeSubscriptions() {
    return [...(this.resources.get('Subscription')?.values() ?? [])].filter(({ status }) => status === 'active');
  }

  async createResource(resource, options) {
    const { id, ...body } = resource;
    return this.#commit({ ...body, id: options?.assignedId && id ? id : this.generateId() });
  }

  async updateResource(resource, options) {
    const existing = this.#current(resource.resourceType, resource.id);
    if (options?.ifMatch && options.ifMatch !== existing.meta.versionId) fail(fhir.preconditionFailed);
    return this.#commit(resource);
  }

  async deleteResource(type, id) {
    const { resourceType } = this.#current(type, id);
    this.#record({ resourceType, id, deleted: true, meta: this.#stamp() });
  }

  async readResource(type, id) {
    return fhir.deepClone(this.#current(type, id));
  }

  async readVersion(type, id, versionId) {
    const version = this.#versions(type, id).find(({ meta }) => meta.versionId === versionId);
    return version ? (tombstone(version) ? fail(fhir.gone) : fhir.deepClone(version)) : fail(fhir.notFound);
  }

  async readHistory(type, id, { offset = 0, limit } = {}) {
    const versions = this.#versions(type, id);
    const entry = versions.map((version, i) => {
      const { versionId: vid, lastUpdated: lastModified } = version.meta;
      const [method, status] = tombstone(version) ? ['DELETE', '204'] : i === 0 ? ['POST', '201'] : ['PUT', '200'];
      return {
        fullUrl: `${this.#base}/${type}/${id}`,
        ...(tombstone(version) ? {} : { resource: fhir.deepClone(version) }),
        request: { method, url: method === 'POST' ? type : `${type}/${id}` },
        response: { status, etag: `W/"${vid}"`, lastModified },
      };
    }).reverse();
    return { resourceType: 'Bundle', type: 'history', total: entry.length, entry: entry.slice(offset, limit && offset + limit) };
  }

  async search(request) {
    checkSearch(request);
    const query = withFullReferences(request, this.#base);
    const ids = this.#index.candidates(query);
    const all = this.resources.get(query.resourceType) ?? new Map();
    const pool = ids ? [...ids].map((id) => all.get(id)).filter(Boolean) : [...all.values()];
    const since = changedSince(query);
    const matches = pool.filter((resource) => resource.meta.lastUpdated >= since && fhir.matchesSearchRequest(resource, query));
    return page(matches, request, this.#base);
  }

  // Nothing in here waits for input or output, so transactions follow one another by themselves.
  async withTransaction(work) {
    if (this.#pending) return work();
    const changes = (this.#pending = []);
    try {
      const result = await work();
      this.#pending = null;
      this.#publish(changes.map(({ version }) => version));
      return result;
    } catch (error) {
      this.#pending = null;
      for (const { version, before } of changes.reverse()) this.#undo(version, before);
      throw error;
    }
  }

  #current(type, id) {
    const newest = this.#latest.get(`${type}/${id}`);
    if (!newest) fail(fhir.notFound);
    if (tombstone(newest)) fail(fhir.gone);
    return newest;
  }

  #versions(type, id) {
    return this.history.get(type)?.get(id) ?? fail(fhir.notFound);
  }

  #stamp() {
    return { versionId: this.generateId(), lastUpdated: new Date().toISOString() };
  }

  #commit(resource) {
    if (!isResourceType(resource.resourceType)) fail(fhir.notFound);
    // Cuts out undefined and makes the stored copy independent of the caller's.
    const version = JSON.parse(fhir.stringify({ ...resource, meta: { ...resource.meta, ...this.#stamp() } }));
    fhir.validateResource(version);
    if (version.resourceType === 'Subscription') checkSubscription(version);
    this.#record(version);
    return fhir.deepClone(version);
  }

  #record(version) {
    const before = this.#latest.get(key(version));
    this.#apply(version);
    if (this.#pending) this.#pending.push({ version, before });
    else this.#publish([version]);
  }

  #publish(versions) {
    if (versions.length === 0) return;
    this.#journal?.append(versions);
    this.onCommit(versions);
  }

  #apply(version) {
    const { resourceType: type, id } = version;
    for (const map of [this.resources, this.history]) if (!map.has(type)) map.set(type, new Map());
    if (!this.history.get(type).has(id)) this.history.get(type).set(id, []);
    this.history.get(type).get(id).push(version);
    this.#setNewest(type, id, version);
  }

  #undo({ resourceType: type, id }, before) {
    const versions = this.history.get(type).get(id);
    versions.pop();
    if (versions.length === 0) this.history.get(type).delete(id);
    this.#setNewest(type, id, before);
  }

  #setNewest(type, id, version) {
    const [name, resources] = [`${type}/${id}`, this.resources.get(type)];
    if (resources.has(id)) this.#index.remove(resources.get(id));
    resources.delete(id);
    if (version) this.#latest.set(name, version);
    else this.#latest.delete(name);
    if (!version || tombstone(version)) return;
    resources.set(id, version);
    this.#index.put(version);
  }
}

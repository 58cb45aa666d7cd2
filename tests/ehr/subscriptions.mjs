// Rest-hook notifications, as a Medplum server sends them: only Subscriptions that were posted as `active` fire, a header
// value ends at its second colon, a failed hook is tried again after 1 and 2 seconds and then forgotten.
import https from 'node:https';
import * as fhir from '@medplum/core';

const retryMs = [1000, 2000];
const answerMs = 5000;

export class Hooks {
  #repository;
  #agent;
  #log;

  // ca: PEM of whoever signed the receivers' certificates.
  constructor(repository, { ca, log }) {
    this.#repository = repository;
    this.#agent = new https.Agent({ ca, keepAlive: true, maxSockets: 8 });
    this.#log = log;
  }

  notify(versions) {
    for (const version of versions) {
      for (const subscription of this.#repository.activeSubscriptions()) {
        if (version.resourceType === 'Subscription' || !matches(version, subscription)) continue;
        this.#send(subscription, version, 0);
      }
    }
  }

  #send(subscription, version, tries) {
    const { endpoint, payload } = subscription.channel;
    const headers = Object.fromEntries((subscription.channel.header ?? []).map((line) => {
      const [name, value = ''] = line.split(':');
      return [name.trim(), value.trim()];
    }));
    let body = '';
    if (payload) {
      headers['Content-Type'] = payload;
      body = version.deleted ? '{}' : JSON.stringify(version);
    }
    if (version.deleted) {
      headers['X-Medplum-Interaction'] = 'delete';
      headers['X-Medplum-Deleted-Resource'] = `${version.resourceType}/${version.id}`;
    }
    headers['Content-Length'] = Buffer.byteLength(body);
    const failed = (why) => {
      this.#log(`hook ${subscription.id} to ${endpoint}: ${why}`);
      if (tries < retryMs.length) setTimeout(() => this.#send(subscription, version, tries + 1), retryMs[tries]).unref();
    };
    const options = { method: 'POST', headers, agent: this.#agent, timeout: answerMs };
    const request = https.request(endpoint, options, (response) => {
      response.resume();
      if (response.statusCode < 200 || response.statusCode > 299) failed(`HTTP ${response.statusCode}`);
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', (error) => failed(error.message));
    request.end(body);
  }
}

// A deleted resource is told to whoever asked for its type: there is no content left to match.
function matches(version, { criteria }) {
  const request = fhir.parseSearchRequest(criteria);
  return version.deleted ? request.resourceType === version.resourceType : fhir.matchesSearchRequest(version, request);
}

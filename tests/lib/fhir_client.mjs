// A small FHIR client for tests: JSON in and out over TLS, bearer token, SMART client assertions.
import crypto from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';

export class Client {
  #agent;

  constructor(base, { ca, token, cert, key } = {}) {
    this.base = base;
    this.token = token;
    this.#agent = new https.Agent({ ca, cert, key, keepAlive: true });
  }

  // path: relative to the base, or a whole URL. -> { status, headers, body (JSON or text) }
  request(method, path, body, headers = {}) {
    const url = /^https:/.test(path) ? path : `${this.base}/${path}`.replace(/\/$/, '');
    const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
    const all = {
      ...(this.token ? { Authorization: `Bearer ${this.token}` } : {}),
      ...(body === undefined ? {} : { 'Content-Type': 'application/fhir+json', 'Content-Length': Buffer.byteLength(text) }),
      ...headers,
    };
    return new Promise((resolve, reject) => {
      const request = https.request(url, { method, headers: all, agent: this.#agent, timeout: 20_000 }, (response) => {
        let data = '';
        response.setEncoding('utf8').on('data', (chunk) => { data += chunk; });
        response.on('error', reject).on('end', () => {
          const json = /json/.test(response.headers['content-type'] ?? '') && data;
          try {
            resolve({ status: response.statusCode, headers: response.headers, body: json ? JSON.parse(data) : data });
          } catch (error) {
            reject(error);
          }
        });
      });
      request.on('timeout', () => request.destroy(new Error(`${method} ${url}: no answer`)));
      request.on('error', reject);
      request.end(text);
    });
  }

  get(path, headers) { return this.request('GET', path, undefined, headers); }
  post(path, body, headers) { return this.request('POST', path, body, headers); }
  put(path, body, headers) { return this.request('PUT', path, body, headers); }
  delete(path, headers) { return this.request('DELETE', path, undefined, headers); }
  patch(path, body, headers) {
    return this.request('PATCH', path, body, { 'Content-Type': 'application/json-patch+json', ...headers });
  }

  // All pages of a search, following the next links as they are.
  async all(path) {
    const found = [];
    for (let next = path; next;) {
      const { status, body } = await this.get(next);
      if (status !== 200) throw new Error(`GET ${next}: ${status} ${JSON.stringify(body)}`);
      found.push(...(body.entry ?? []).map(({ resource }) => resource));
      next = body.link?.find(({ relation }) => relation === 'next')?.url;
    }
    return found;
  }

  close() { this.#agent.destroy(); }
}

// A signed client assertion (RFC 7523). change: overrides header and claims, to make it wrong on purpose.
export function assertion({ keyFile, kid, alg, clientId, audience }, { header = {}, claims = {} } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = part({ alg, kid, typ: 'JWT', ...header });
  const body = part({ iss: clientId, sub: clientId, aud: audience, iat: now, exp: now + 240, jti: crypto.randomUUID(), ...claims });
  const key = crypto.createPrivateKey(fs.readFileSync(keyFile));
  const signature = crypto.sign('sha384', Buffer.from(`${head}.${body}`), { key, dsaEncoding: 'ieee-p1363' });
  return `${head}.${body}.${signature.toString('base64url')}`;
}

export function tokenForm(jwt, changes = {}) {
  return new URLSearchParams({
    grant_type: 'client_credentials',
    scope: 'system/*.cruds',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: jwt,
    ...changes,
  }).toString();
}

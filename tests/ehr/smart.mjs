// SMART Backend Services: discovery, the token endpoint for private_key_jwt, and the check of bearer tokens.
import crypto from 'node:crypto';
import fs from 'node:fs';
import * as fhir from '@medplum/core';
import { fail } from './model.mjs';

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const hashes = { ES384: 'sha384', RS384: 'sha384' };
const keyTypes = { ES384: 'EC', RS384: 'RSA' };
const maxLifeSeconds = 300;

class Refused extends Error {
  constructor(code, description) {
    super(description);
    this.answer = { error: code, error_description: description };
  }
}

export class Smart {
  #clients; // client id -> public keys
  #bearer;
  #ttl;
  #tokens = new Map(); // token -> end of life in ms
  #seen = new Set(); // jti of every assertion accepted
  tokenUrl;

  // clients: { id: JWK set file }; bearerFile: a file with a static token; ttl: life of a token in seconds.
  constructor({ clients, bearerFile, ttl, tokenUrl }) {
    this.#clients = new Map(Object.entries(clients).map(([id, file]) => [id, JSON.parse(fs.readFileSync(file)).keys]));
    this.#bearer = bearerFile && fs.readFileSync(bearerFile, 'utf8').trim();
    this.#ttl = ttl;
    this.tokenUrl = tokenUrl;
  }

  configuration() {
    return {
      token_endpoint: this.tokenUrl,
      grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
      token_endpoint_auth_signing_alg_values_supported: Object.keys(hashes),
      scopes_supported: ['system/*.cruds'],
      capabilities: ['client-confidential-asymmetric', 'permission-v2'],
    };
  }

  // -> [status, JSON]
  token(form) {
    try {
      if (form.get('grant_type') !== 'client_credentials') throw new Refused('unsupported_grant_type', 'client_credentials only');
      if (form.get('client_assertion_type') !== assertionType) throw new Refused('invalid_request', `client_assertion_type must be ${assertionType}`);
      this.#checkAssertion(form.get('client_assertion') ?? '');
    } catch (error) {
      if (error instanceof Refused) return [400, error.answer];
      throw error;
    }
    const token = crypto.randomBytes(24).toString('base64url');
    this.#tokens.set(token, Date.now() + this.#ttl * 1000);
    return [200, { access_token: token, token_type: 'bearer', expires_in: this.#ttl, scope: form.get('scope') ?? 'system/*.cruds' }];
  }

  authorize({ authorization = '' }) {
    const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    if (token && this.#bearer && token === this.#bearer) return;
    const end = this.#tokens.get(token);
    if (end > Date.now()) return;
    fail(end ? fhir.unauthorizedTokenExpired : fhir.unauthorized);
  }

  #checkAssertion(jwt) {
    const bad = (why) => { throw new Refused('invalid_client', why); };
    const [head, body, signature, ...rest] = jwt.split('.');
    let header, claims;
    try {
      [header, claims] = [head, body].map((part) => JSON.parse(Buffer.from(part, 'base64url')));
    } catch {
      bad('the assertion is not a JWT');
    }
    if (!signature || rest.length) bad('the assertion is not a signed JWT');
    const jwk = this.#clients.get(claims.iss)?.find(({ kid }) => kid === header.kid);
    if (!jwk) bad('unknown client or key');
    // The algorithm belongs to the key; what the header says must agree with it.
    if (keyTypes[header.alg] !== jwk.kty || (jwk.alg && jwk.alg !== header.alg)) bad(`alg ${header.alg} does not fit the key`);
    const key = crypto.createPublicKey({ key: jwk, format: 'jwk' });
    const signed = Buffer.from(`${head}.${body}`);
    const dsaEncoding = 'ieee-p1363';
    if (!crypto.verify(hashes[header.alg], signed, { key, dsaEncoding }, Buffer.from(signature, 'base64url'))) bad('wrong signature');
    const now = Date.now() / 1000;
    if (claims.sub !== claims.iss) bad('sub must equal iss');
    if (claims.aud !== this.tokenUrl) bad(`aud must be ${this.tokenUrl}`);
    if (!(claims.exp > now)) bad('the assertion has expired');
    if (claims.exp > now + maxLifeSeconds) bad(`exp is more than ${maxLifeSeconds} s away`);
    if (typeof claims.jti !== 'string' || claims.jti === '') bad('jti is missing');
    if (this.#seen.has(claims.jti)) bad('jti was used before');
    this.#seen.add(claims.jti);
  }
}

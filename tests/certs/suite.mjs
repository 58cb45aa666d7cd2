// suite: timeout=120
// certs/make-dev-certs.sh: what it makes is right, stays while it is good, and is renewed in time.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { Client } from '../lib/fhir_client.mjs';
import { rootDir, run, scratch } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';

const program = path.join(rootDir, 'certs/make-dev-certs.sh');
const folder = path.join(scratch('certs'), 'certs');
const file = (name) => path.join(folder, name);
const make = async (...args) => {
  const { code, stderr } = await run(program, [...args, folder]);
  assert.equal(code, 0, stderr);
};
const certificate = (name) => new crypto.X509Certificate(fs.readFileSync(file(`${name}.crt`)));
const all = ['ca.crt', 'ca.key', 'client.crt', 'client.key', 'server.crt', 'server.key', 'smart-es384.key', 'smart-jwks.json', 'smart-rs384.key'];
const contents = () => Object.fromEntries(all.map((name) => [name, fs.readFileSync(file(name), 'utf8')]));
await make();

test('all files are there, for the owner only', () => {
  assert.deepEqual(fs.readdirSync(folder).filter((name) => name !== '.lock').sort(), all);
  assert.equal(fs.statSync(folder).mode & 0o777, 0o700);
  for (const name of fs.readdirSync(folder)) assert.equal(fs.statSync(file(name)).mode & 0o777, 0o600, name);
});

test('the server certificate is for 127.0.0.1 and localhost, signed by the CA', () => {
  const server = certificate('server');
  assert.equal(server.subjectAltName, 'IP Address:127.0.0.1, DNS:localhost');
  assert.ok(server.verify(certificate('ca').publicKey));
  assert.ok(server.checkPrivateKey(crypto.createPrivateKey(fs.readFileSync(file('server.key')))));
  assert.ok(certificate('ca').ca && !server.ca);
  assert.ok(Date.parse(server.validTo) < Date.parse(certificate('ca').validTo));
});

test('a TLS connection with both certificates works', async () => {
  const read = (name) => fs.readFileSync(file(name));
  const server = https.createServer({ key: read('server.key'), cert: read('server.crt'), ca: read('ca.crt'), requestCert: true, rejectUnauthorized: true }, (request, response) => response.end('hello'));
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const base = `https://127.0.0.1:${server.address().port}`;
  const client = new Client(base, { ca: read('ca.crt'), cert: read('client.crt'), key: read('client.key') });
  assert.equal((await client.get('')).body, 'hello');
  await assert.rejects(new Client(base, { ca: read('ca.crt') }).get(''), (error) => /ERR_SSL|ECONNRESET/.test(error.code));
  client.close();
  server.close();
});

test('the JWK set holds the public halves of the signing keys and nothing more', () => {
  const { keys } = JSON.parse(fs.readFileSync(file('smart-jwks.json')));
  assert.deepEqual(keys.map(({ kty, alg, use }) => [kty, alg, use]), [['EC', 'ES384', 'sig'], ['RSA', 'RS384', 'sig']]);
  for (const { alg, d, ...jwk } of keys) {
    assert.equal(d, undefined);
    const own = crypto.createPublicKey(fs.readFileSync(file(`smart-${alg.toLowerCase()}.key`)));
    assert.ok(crypto.createPublicKey({ key: jwk, format: 'jwk' }).equals(own), alg);
  }
  assert.equal(new Set(keys.map(({ kid }) => kid)).size, 2);
});

test('a second run, and two at once, change nothing', async () => {
  const before = contents();
  await make();
  await Promise.all([make(), make()]);
  assert.deepEqual(contents(), before);
});

test('below one day a certificate is made anew, the CA and the signing keys stay', async () => {
  for (const name of ['server.crt', 'server.key']) fs.rmSync(file(name));
  await make('--days', '0');
  const before = contents();
  await make();
  const after = contents();
  const changed = all.filter((name) => before[name] !== after[name]);
  assert.deepEqual(changed, ['server.crt', 'server.key']);
  assert.ok(Date.parse(certificate('server').validTo) > Date.now() + 29 * 86_400_000);
});

test('a new CA means new certificates', async () => {
  const before = contents();
  fs.rmSync(file('ca.key'));
  await make();
  const after = contents();
  assert.deepEqual(all.filter((name) => before[name] !== after[name]), ['ca.crt', 'ca.key', 'client.crt', 'client.key', 'server.crt', 'server.key']);
  assert.ok(certificate('client').verify(certificate('ca').publicKey));
});

test('a half-written file is made anew', async () => {
  fs.writeFileSync(file('server.crt'), '');
  fs.rmSync(file('smart-jwks.json'));
  await make();
  assert.ok(certificate('server').verify(certificate('ca').publicKey));
  assert.equal(JSON.parse(fs.readFileSync(file('smart-jwks.json'))).keys.length, 2);
});

test('wrong use is told', async () => {
  for (const [args, message] of [[['--days', 'x'], /--days needs a whole number/], [['--days', '900'], /below 364/], [['a', 'b'], /usage/], [['--colour'], /unknown option --colour/]]) {
    const { code, stderr } = await run(program, args);
    assert.equal(code, 64);
    assert.match(stderr, message);
  }
});

await finish();

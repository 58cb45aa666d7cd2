// suite: timeout=240 needs=build presets=release,asan-ubsan
// Starting, refusing to start, reloading and stopping; what is refused is refused by its exact text.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { admit, plansOf } from '../lib/children.mjs';
import { eplan, refusedStart, settled, startDaemon, subscribed, writeConfig } from '../lib/daemon.mjs';
import { startScriptedEhr, startTestEhr } from '../lib/ehrs.mjs';
import { certificates, rootDir, scratch, until } from '../lib/process.mjs';
import { atEnd, finish, test } from '../lib/tap.mjs';

const nowhere = 'https://127.0.0.1:9/fhir'; // nobody listens on the discard port

async function refused(name, given, gateway, change = () => {}) {
  const folder = scratch(name);
  const config = await writeConfig(folder, { ehrs: [{ base: nowhere, ...given }], gateway });
  change(folder);
  const { code, stderr } = await refusedStart(config);
  return { code, folder, stderr: stderr.replaceAll(folder, 'FOLDER').replaceAll(rootDir, 'ROOT') };
}

test('a second run on the same store exits and names the holder', async () => {
  const folder = scratch('second');
  const config = await writeConfig(folder, { ehrs: [{ base: nowhere }] });
  const daemon = await startDaemon(folder, config);
  const { code, stderr } = await refusedStart(config);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`${daemon.facts.pid}`));
  assert.match(stderr, /eplan run: did not start\n$/);
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});

test('every mistake of the configuration is told with its place', async () => {
  const { code, stderr } = await refused('config', {}, { lissten: { port: 1 }, drain: 'soon' });
  assert.equal(code, 1);
  assert.match(stderr, /FOLDER\/gateway\.yaml:\d+:\d+: error: .*lissten.*\[config-unknown\]/);
  assert.match(stderr, /did you mean "listen"\?/);
  assert.match(stderr, /FOLDER\/gateway\.yaml:\d+:\d+: error: .*drain.*\[config-value\]/);
});

test('a mapping with a mistake is refused with file, line and column', async () => {
  const { code, stderr } = await refused('mapping', {}, { mappings: 'mapping' }, (folder) => {
    fs.cpSync(path.join(rootDir, 'mappings/healthy-weight'), `${folder}/mapping`, { recursive: true });
    const file = `${folder}/mapping/mapping.yaml`;
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('%growth.implausible', '%growth.implausibel'));
  });
  assert.equal(code, 1);
  assert.match(stderr, /FOLDER\/mapping\/mapping\.yaml:\d+:\d+: error: /);
  assert.match(stderr, /did you mean "implausible"\?|implausibel/);
});

// The mapping as shipped, in the folder, with a case that expects something else.
function withFailingCase(folder) {
  fs.cpSync(path.join(rootDir, 'mappings/healthy-weight'), `${folder}/mapping`, { recursive: true });
  const file = `${folder}/mapping/cases/child-no-template/case.yaml`;
  const text = fs.readFileSync(file, 'utf8');
  fs.writeFileSync(file, text.replace('outcome: hand-over', 'outcome: proposal'));
  assert.notEqual(fs.readFileSync(file, 'utf8'), text);
  return () => fs.writeFileSync(file, text);
}

test('a mapping that does not pass its own cases is refused', async () => {
  const { code, stderr } = await refused('case', {}, { mappings: 'mapping' }, withFailingCase);
  assert.equal(code, 1);
  assert.match(stderr, /FOLDER\/mapping\/cases\/child-no-template\/case\.yaml:\d+:\d+: error: the case "child-no-template" fails: outcome: want proposal, got hand-over: no-template \[mapping-case-failed\]/);
  assert.match(stderr, /hint: eplan test says all that differs; correct the mapping, or what is expected/);
});

test('live is refused for real patients while the mapping is not released, with the list of what is missing', async () => {
  const { code, stderr } = await refused('release', { synthetic: false });
  assert.equal(code, 1);
  assert.match(stderr, /mapping\.yaml:\d+:\d+: error: the mapping has no clinical or no informatics owner \[mapping-release\]/);
  assert.match(stderr, /mode: live is refused: the mapping healthy-weight [\d.]+ is not released for patients, see above \[config-conflict\]/);
  assert.match(stderr, /hint: set mode: shadow until every line above is done/);
});

test('a certificate that cannot be used is refused by its file', async () => {
  const { code, stderr } = await refused('certificate', {}, {}, (folder) => fs.writeFileSync(`${folder}/server.key`, 'no key\n', { mode: 0o600 }));
  assert.notEqual(code, 0);
  assert.match(stderr, /server\.key/);
  assert.match(stderr, /\[tls-file\]/);
});

test('one bad EHR file does not stop the others', async () => {
  const folder = scratch('one-bad');
  const ehr = await startTestEhr(folder);
  const config = await writeConfig(folder, { ehrs: [{ base: ehr.base }, { name: 'south', base: nowhere, mode: 'lively' }] });
  const daemon = await startDaemon(folder, config);
  assert.match(daemon.output(), /south\.yaml:\d+:\d+: error: /);
  await subscribed(ehr);
  const { ehrs } = await daemon.status();
  assert.deepEqual(ehrs.map(({ ehr: name }) => name), ['north']);
});

test('a store under another base URL is another EHR, and is refused', async () => {
  const folder = scratch('bound');
  const daemon = await startDaemon(folder, await writeConfig(folder, { ehrs: [{ base: nowhere }] }));
  await daemon.stop();
  const config = await writeConfig(folder, { ehrs: [{ base: 'https://127.0.0.1:10/fhir' }] });
  const { code, stderr } = await refusedStart(config);
  assert.equal(code, 1);
  assert.match(stderr, /base-url: this store knows the EHR "north" under another URL than https:\/\/127\.0\.0\.1:10\/fhir/);
  assert.match(stderr, /the EHR "north" is left out \[ehr-left-out\]/);
});

test('SIGHUP takes a change over; with a mistake, or one that needs a restart, all stays as it was', async () => {
  const folder = scratch('reload');
  const ehr = await startTestEhr(folder);
  const config = await writeConfig(folder, { ehrs: [{ base: ehr.base, mode: 'shadow' }] });
  const daemon = await startDaemon(folder, config);
  const reload = async (given, gateway, event) => {
    const before = daemon.lines(event).length;
    await writeConfig(folder, { ehrs: [{ base: ehr.base, ...given }], gateway });
    daemon.hangup();
    await until(`a line ${event}`, () => daemon.lines(event).length > before);
  };
  await reload({ mode: 'lively' }, {}, 'reload-refused');
  const mistakes = daemon.lines('reload-diagnostic');
  assert.ok(mistakes.some(({ file, line, code }) => file.endsWith('north.yaml') && line > 0 && code === 'config-value'), JSON.stringify(mistakes));
  await reload({ mode: 'shadow' }, { limits: { connections: 17 } }, 'reload-refused');
  assert.ok(daemon.lines('reload-diagnostic').some(({ detail }) => detail === 'limits.connections: a change of this needs a restart'));
  const refused = await daemon.status();
  assert.equal(refused.ehrs[0].mode, 'shadow');
  assert.ok(Date.now() - Date.parse(refused['reload-refused']) < 60_000);
  assert.equal(refused['reload-refused-because'], 'limits.connections: a change of this needs a restart');
  assert.match((await eplan(config, 'status')).stdout, /^A RELOAD WAS REFUSED 20[^\n]+: limits\.connections: a change of this needs a restart\n  all goes on as it was; `eplan check-config`/m);
  await reload({ mode: 'live' }, {}, 'reloaded');
  const taken = await daemon.status();
  assert.equal(taken.ehrs[0].mode, 'live');
  assert.equal(taken['reload-refused'], undefined);
  assert.ok(Date.parse(taken.mapping.since) > Date.parse(refused.mapping.since));
  await subscribed(ehr);
  const { patient } = await admit(ehr.client, 'overweight');
  await until('the plan', async () => (await plansOf(ehr.client, patient.id)).length === 1);
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});

test('SIGHUP with a mapping that fails a case keeps the last good one, which goes on planning', async () => {
  const folder = scratch('reload-case');
  const ehr = await startTestEhr(folder);
  const given = { ehrs: [{ base: ehr.base }], gateway: { mappings: 'mapping' } };
  const mend = withFailingCase(folder);
  mend();
  const daemon = await startDaemon(folder, await writeConfig(folder, given));
  await subscribed(ehr);
  withFailingCase(folder);
  daemon.hangup();
  await until('a refusal', () => daemon.lines('reload-refused').length === 1);
  const [told] = daemon.lines('reload-diagnostic');
  assert.equal(told.code, 'mapping-case-failed');
  assert.ok(told.file.endsWith('mapping/cases/child-no-template/case.yaml') && told.line > 0, JSON.stringify(told));
  const { patient } = await admit(ehr.client, 'overweight');
  await until('the plan', async () => (await plansOf(ehr.client, patient.id)).length === 1);
  mend();
  daemon.hangup();
  await until('the mended one', () => daemon.lines('reloaded').length === 1);
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});

// systemd's side of sd_notify(3): a datagram socket. Node has none for UNIX sockets; perl is on every Debian.
async function serviceManager(folder) {
  const socket = path.join(folder, 'notify');
  const program = 'use IO::Socket::UNIX; $| = 1; my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die $!; print "listening\\n";'
    + ' while (defined $s->recv(my $text, 4096)) { $text =~ s/\\n/ /g; print "$text\\n" }';
  const listener = spawn('perl', ['-e', program, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  let heard = '';
  listener.stdout.on('data', (data) => { heard += data; });
  const gone = new Promise((resolve) => { listener.on('exit', resolve); });
  atEnd(() => { listener.kill('SIGKILL'); return gone; });
  await until('the listener', () => heard.startsWith('listening'));
  return { socket, heard: () => heard.trim().split('\n').slice(1) };
}

test('the service manager is told: ready when it serves, reloading and ready again, stopping', async () => {
  const folder = scratch('notify');
  const manager = await serviceManager(folder);
  const config = await writeConfig(folder, { ehrs: [{ base: 'https://127.0.0.1:9/fhir', mode: 'shadow' }] });
  const daemon = await startDaemon(folder, config, { env: { NOTIFY_SOCKET: manager.socket } });
  await until('READY', () => manager.heard().length === 1);
  daemon.hangup();
  await until('RELOADING and READY', () => manager.heard().length === 3);
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
  await until('STOPPING', () => manager.heard().length === 4);
  const [ready, reloading, again, stopping] = manager.heard();
  assert.deepEqual([ready, again, stopping], ['READY=1', 'READY=1', 'STOPPING=1']);
  assert.match(reloading, /^RELOADING=1 MONOTONIC_USEC=\d+$/);
});

test('SIGHUP swaps the certificate of the listener', async () => {
  const folder = scratch('swap');
  const daemon = await startDaemon(folder, await writeConfig(folder, { ehrs: [{ base: nowhere }] }));
  const { ca, file } = await certificates();
  const fingerprint = () => new Promise((resolve, reject) => {
    const request = https.get(`${daemon.origin}/`, { ca, agent: false, servername: '' }, (response) => { resolve(response.socket.getPeerCertificate().fingerprint256); response.resume(); });
    request.on('error', reject);
  });
  const first = await fingerprint();
  fs.copyFileSync(file('client.key'), `${folder}/server.key`);
  fs.chmodSync(`${folder}/server.key`, 0o600);
  const text = fs.readFileSync(daemon.config, 'utf8');
  fs.writeFileSync(daemon.config, text.replace(file('server.crt'), file('client.crt')));
  daemon.hangup();
  await until('the reload', () => daemon.lines('reloaded').length > 0);
  const options = { ca, agent: false, servername: '', rejectUnauthorized: false };
  const second = await new Promise((resolve, reject) => {
    https.get(`${daemon.origin}/`, options, (response) => { resolve(response.socket.getPeerCertificate().fingerprint256); response.resume(); }).on('error', reject);
  });
  assert.notEqual(second, first);
});

test('SIGTERM drains: what was taken is finished or goes on after the next start', async () => {
  const folder = scratch('drain');
  const ehr = await startTestEhr(folder);
  const config = await writeConfig(folder, { ehrs: [{ base: ehr.base }] });
  const daemon = await startDaemon(folder, config);
  await subscribed(ehr);
  const ids = [];
  for (let i = 0; i < 10; i += 1) ids.push((await admit(ehr.client, 'overweight')).patient.id);
  await until('the messages to be stored', () => daemon.lines('message-stored').length >= 20);
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
  assert.equal((await eplan(config, 'status', '--json')).json().running, false);
  const again = await startDaemon(folder, config);
  await settled(again, 'north', { evaluations: 10 });
  for (const id of ids) assert.equal((await plansOf(ehr.client, id)).length, 1);
});

test('an EHR that hangs is cut off when the drain is over: status 75, and the next start goes on', async () => {
  const folder = scratch('hang');
  const script = `${folder}/hang.json`;
  fs.writeFileSync(script, JSON.stringify([{ do: 'hang', why: 'nothing is ever answered' }]));
  const ehr = await startScriptedEhr(folder, { script });
  const daemon = await startDaemon(folder, await writeConfig(folder, { ehrs: [{ base: ehr.base, deadline: { connect: '60s', read: '60s', write: '60s' } }], gateway: { drain: '500ms' } }));
  await until('a request that hangs', () => fs.readFileSync(ehr.truth, 'utf8').includes('"request"'));
  const start = Date.now();
  assert.deepEqual(await daemon.stop(), { code: 75, signal: null });
  assert.ok(Date.now() - start < 8000);
});

await finish();

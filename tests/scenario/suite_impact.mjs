// suite: timeout=300 needs=build presets=release,asan-ubsan
// What a mapping that is not active would make of the children that the store knows: on a running daemon and on a stopped
// store, sealed, on SQLite and on PostgreSQL. Nothing is written and nothing is sent.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { admit } from '../lib/children.mjs';
import { eplan, secrets, settled, startDaemon, verified, writeConfig } from '../lib/daemon.mjs';
import { startTestEhr } from '../lib/ehrs.mjs';
import { startPostgres } from '../lib/postgres.mjs';
import { rootDir, scratch } from '../lib/process.mjs';
import { finish, skip, test } from '../lib/tap.mjs';

const active = path.join(rootDir, 'mappings/healthy-weight');
const folder = scratch('impact');
const cohort = ['overweight', 'overweight', 'obesity1', 'healthy', 'held', 'handedOver'];
const spanish = { communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'es' }] }, preferred: true }] };

// A copy of the active mapping in which some lines are others.
function variant(name, edits) {
  const to = path.join(folder, name);
  fs.cpSync(active, to, { recursive: true });
  for (const [file, from, into] of edits) {
    const text = fs.readFileSync(path.join(to, file), 'utf8');
    assert.ok(text.includes(from), `${file}: ${from}`);
    fs.writeFileSync(path.join(to, file), text.replace(from, into));
  }
  return to;
}
const same = variant('same', []);
const other = variant('other', [
  ['mapping.yaml', 'version: 0.2.0', 'version: 0.3.0'],
  ['mapping.yaml', 'when: "%growth.implausible"', 'when: "%growth.implausible and %growth.ageMonths < 24"'],
  ['texts/overweight-child-ready.en.yaml', 'title: "Family plan, small steps (6-11 y)"', 'title: "Family plan, first steps (6-11 y)"'],
  ['mapping.yaml', 'age: child, category: obesity_class_1, readiness: unknown, talk: [wanted, none], private: any, propose: obesity1-child-ready, ask: readiness',
    'age: child, category: obesity_class_1, readiness: unknown, talk: [wanted, none], private: any, propose: small-step-child, ask: readiness'],
]);
const asking = variant('asking', [['mapping.yaml', '  conditions: { search: "Condition?patient={{ %patient.id }}"', '  conditions: { search: "Condition?patient={{ %patient.id }}&category=problem-list-item"']]);
const broken = variant('broken', [['mapping.yaml', 'when: "%growth.implausible"', 'when: "%growth.implausable"']]);

const counts = (entry) => Object.fromEntries(Object.entries(entry).filter(([name, count]) => typeof count === 'number' && count !== 0));
const by = (impact, dimension) => Object.fromEntries(impact.by[dimension].map(({ name, ...rest }) => [name, counts(rest)]));
const why = (list) => Object.fromEntries(list.map(({ what, children }) => [what, children]));

async function tried(config, mapping, want, ...args) {
  const { code, stdout, stderr } = await eplan(config, 'replay', '--mapping', mapping, '--dry-run', '--json', ...args);
  assert.deepEqual([code, stderr], [want, '']);
  return JSON.parse(stdout);
}

function scenario(name, store) {
  const home = path.join(folder, name);
  let ehr;
  let config;
  let daemon;
  let before;
  let message; // by which the first child came
  const children = [];
  const versions = async () => (await Promise.all(['CarePlan', 'Goal', 'ServiceRequest'].map((type) => ehr.client.all(`${type}?_count=1000`)))).flat().map(({ id, meta }) => `${id} ${meta.versionId}`).sort();

  test(`${name}: six children are evaluated, their records sealed`, async () => {
    fs.mkdirSync(home);
    ehr = await startTestEhr(home);
    const keys = path.join(home, 'seal.keys');
    fs.writeFileSync(keys, `1 ${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
    config = await writeConfig(home, {
      ehrs: [{ base: ehr.base, settle: { wait: '2s', most: '10s' }, subscriptions: [], poll: { interval: '300ms', overlap: '20s', queries: ['Observation?category=vital-signs'] } }],
      gateway: { ...(store && { store }), seal: { 'key-file': keys } },
    });
    daemon = await startDaemon(home, config);
    for (const kind of cohort) {
      const { patient, weight } = await admit(ehr.client, kind, { more: children.length === 0 ? spanish : {} });
      if (children.length === 0) message = (await daemon.client(`${secrets.engine}-north`).post('fhir/north/Observation', weight)).headers.location.split('/')[2];
      children.push(patient.id);
    }
    await settled(daemon, 'north', { evaluations: cohort.length });
    before = [await versions(), (await daemon.status()).ehrs[0].evaluations];
  });

  test(`${name}: the mapping itself changes nothing, and each child is counted once`, async () => {
    const impact = await tried(config, same, 0);
    assert.deepEqual(counts(impact.all), { children: 6, proposal: 3, held: 1, 'handed-over': 1, dropped: 1 });
    assert.deepEqual([impact.mapping, impact.version, impact['dry-run'], impact.last], ['healthy-weight', '0.2.0', true, 1000]);
    assert.deepEqual(by(impact, 'ehr'), { north: counts(impact.all) });
    assert.deepEqual(by(impact, 'visit-type'), { 410620009: counts(impact.all) });
    assert.deepEqual(by(impact, 'language'), { es: { children: 1, proposal: 1 }, none: { children: 5, proposal: 2, held: 1, 'handed-over': 1, dropped: 1 } });
    assert.deepEqual(by(impact, 'category').overweight, { children: 2, proposal: 2 });
    assert.deepEqual(by(impact, 'category').healthy, { children: 1, dropped: 1 });
    assert.deepEqual([impact.changes, impact.fails, impact.unknown], [[], [], []]);
  });

  test(`${name}: what another version would change is told by plan, hold and content`, async () => {
    const impact = await tried(config, other, 1);
    assert.equal(impact.version, '0.3.0');
    assert.deepEqual(counts(impact.all), { children: 6, proposal: 3, 'handed-over': 2, dropped: 1, changed: 4 });
    assert.deepEqual(why(impact.changes), {
      'proposal overweight-child-ready: another content': 2,
      'held by implausible -> handed over: no-template': 1,
      'proposal obesity1-child-ready -> proposal small-step-child': 1,
    });
    const table = await eplan(config, 'replay', '--mapping', other, '--dry-run');
    assert.match(table.stdout, /^healthy-weight 0\.3\.0 on the stored facts of the last 6 children; nothing was written or sent\n {32} {2}children {2}proposal {2}held .*\nall {29} {2} {7}6 {2} {7}3 /);
    assert.match(table.stdout, /\nwhat changes\n {8}2 {2}proposal overweight-child-ready: another content\n/);
  });

  test(`${name}: a fact that was not asked for is not guessed`, async () => {
    const impact = await tried(config, asking, 1);
    assert.deepEqual(counts(impact.all), { children: 6, unknown: 6 });
    assert.deepEqual(why(impact.unknown), { 'its search for "conditions" was not made then': 6 });
    assert.equal(by(impact, 'category').overweight.unknown, 2); // as it was assessed then
  });

  test(`${name}: filters and --last choose the children`, async () => {
    assert.equal((await tried(config, same, 0, '--last', '2')).all.children, 2);
    assert.deepEqual(counts((await tried(config, same, 0, '--state', 'held')).all), { children: 1, held: 1 });
    assert.deepEqual(counts((await tried(config, same, 0, '--patient', children[0], '--ehr', 'north')).all), { children: 1, proposal: 1 });
    assert.deepEqual(counts((await tried(config, same, 1, '--older', '1h')).all), {});
  });

  test(`${name}: a case is made of a stored message, and holds no name`, async () => {
    const shown = (await eplan(config, 'show', '--json', children[0])).json();
    const visit = shown.evaluations[0].evaluation;
    const made = await eplan(config, 'case', 'from', message, '--deidentify', '--for', same);
    assert.deepEqual([made.code, made.stderr], [0, ''], made.stderr);
    assert.match(made.stdout, /\n {2}outcome: proposal\n {2}row: .*\n {2}plan: overweight-child-ready\n/);
    assert.deepEqual((await eplan(config, 'case', 'from', visit, '--deidentify', '--for', same)).stdout, made.stdout);
    const patient = (await ehr.client.get(`Patient/${children[0]}`)).body;
    for (const word of [children[0], message, patient.name[0].family, ...patient.name[0].given, patient.birthDate]) assert.ok(!made.stdout.includes(word), word);
    const explained = await eplan(config, 'explain', same, message);
    assert.deepEqual([explained.code, /overweight-child-ready/.test(explained.stdout)], [0, true], explained.stderr);
    const nobody = await eplan(config, 'case', 'from', '00000000-0000-7000-8000-000000000000', '--deidentify', '--for', same);
    assert.deepEqual([nobody.code !== 0, nobody.stdout], [true, '']);
    assert.match(nobody.stderr, /no message or visit/);
    const other = await eplan(config, 'case', 'from', message, '--deidentify', '--for', asking);
    assert.deepEqual([other.code !== 0, other.stdout], [true, '']);
    assert.match(other.stderr, /its search for "conditions" was not made then/);
  });

  test(`${name}: nothing was written, nothing sent, and every rule holds`, async () => {
    assert.deepEqual([await versions(), (await daemon.status()).ehrs[0].evaluations], before);
    await verified(config);
  });

  test(`${name}: on a stopped store it is the same`, async () => {
    const running = await tried(config, other, 1);
    await daemon.stop();
    assert.deepEqual(await tried(config, other, 1), running);
    await verified(config);
  });
}

scenario('sqlite');
const postgres = await startPostgres(folder);
if (postgres.missing) skip('postgresql', postgres.missing);
else scenario('postgresql', postgres.url);

test('what is wrong with the call is said', async () => {
  const config = path.join(folder, 'sqlite/gateway.yaml');
  for (const [args, code, said] of [
    [['--mapping', same], 64, /only tries a mapping's folder: add --dry-run/],
    [['--mapping', same, '--dry-run', '--all'], 64, /tries a mapping on the last children: with --last N/],
    [['--mapping', 'healthy-weight@0.2.0', '--dry-run', '--last', '5'], 64, /--last goes with `replay --mapping FOLDER --dry-run`/],
    [['--mapping', path.join(folder, 'nowhere'), '--dry-run'], 2, /nowhere/],
    [['--mapping', broken, '--dry-run'], 2, /implausable/],
  ]) {
    const ran = await eplan(config, 'replay', ...args);
    assert.deepEqual([ran.code, ran.stdout], [code, ''], ran.stderr);
    assert.match(ran.stderr, said);
  }
  const filter = await eplan(config, 'replay', '--mapping', 'healthy-weight@0.2.0', '--dry-run');
  assert.deepEqual([filter.code, /6 visits would be to be evaluated again/.test(filter.stdout)], [0, true], filter.stdout);
});

await finish();

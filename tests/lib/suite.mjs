// suite: timeout=120
// The shared beginning of all commands: choosing Node, npm packages, Debian packages, copies, ending what was started.
// Tools are stubs in a PATH of the test's own, so nothing is installed and no network is used.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { alive, run, scratch, testsDir, until } from './process.mjs';
import { finish, test } from './tap.mjs';

const arch = { x64: 'x64', arm64: 'arm64' }[process.arch];
const real = ['awk', 'bash', 'cat', 'chmod', 'comm', 'cp', 'dirname', 'env', 'flock', 'id', 'kill', 'mkdir', 'nproc', 'rm', 'sha256sum', 'sleep', 'sort', 'stat', 'uname'];

function which(name) {
  const found = process.env.PATH.split(':').map((folder) => path.join(folder, name)).find((file) => fs.existsSync(file));
  assert.ok(found, `${name} is not on PATH`);
  return found;
}

// The stub takes the place of the link to the real tool: it must never be written through that link.
function program(folder, name, lines) {
  fs.mkdirSync(folder, { recursive: true });
  fs.rmSync(path.join(folder, name), { force: true });
  fs.writeFileSync(path.join(folder, name), `#!${which('bash')}\n${lines}\n`, { mode: 0o755, flag: 'wx' });
}

// A project with the real bootstrap.sh and a PATH that holds what the test puts there.
function project() {
  const top = scratch('bootstrap');
  const root = path.join(top, 'main');
  const tools = path.join(top, 'tools');
  fs.mkdirSync(path.join(root, 'tests/lib'), { recursive: true });
  for (const file of ['bootstrap.sh', 'packages.list']) fs.copyFileSync(path.join(testsDir, 'lib', file), path.join(root, 'tests/lib', file));
  for (const file of ['package.json', 'package-lock.json']) fs.writeFileSync(path.join(root, 'tests', file), '{}\n');
  fs.mkdirSync(tools);
  for (const name of real) fs.symlinkSync(which(name), path.join(tools, name));
  const log = path.join(top, 'calls');
  fs.writeFileSync(log, '');
  const calls = () => fs.readFileSync(log, 'utf8').trim().split('\n').filter(Boolean);
  // Notes how it was called; "installs" a Node or packages as npm would.
  program(tools, 'npm', `echo "npm $*" >>${log}
case "$1" in
    install) at=$3/node_modules/node-linux-${arch}/bin; mkdir -p "$at"; printf '#!${which('bash')}\\necho v20.20.2\\n' >"$at/node"; chmod +x "$at/node" ;;
    ci) mkdir -p node_modules ;;
esac`);
  const bash = (script, folders = []) => run(which('bash'), ['-c', `. ${root}/tests/lib/bootstrap.sh; set -euo pipefail; ${script}`], { env: { PATH: [...folders, tools].join(':') } });
  const node = (version) => {
    const folder = path.join(top, `node-${version}`);
    program(folder, 'node', `echo v${version}`);
    return folder;
  };
  return { top, root, tools, log, calls, bash, node };
}

test('Node: 20.19 and up within 20, 22.12 and up; the first good one on PATH', async () => {
  const { bash, node } = project();
  const good = ['20.19.0', '20.20.2', '22.12.0', '22.99.1', '23.0.0', '24.1.0'];
  const bad = ['12.22.9', '18.20.4', '20.18.3', '21.7.3', '22.11.0'];
  for (const version of good) assert.equal((await bash('node_on_path', [node(version)])).stdout, `${node(version)}/node\n`);
  for (const version of bad) assert.equal((await bash('node_on_path', [node(version)])).code, 1, version);
  assert.equal((await bash('node_on_path', [...bad, '22.12.0', '20.19.0'].map(node))).stdout, `${node('22.12.0')}/node\n`);
});

for (const [what, folders] of [['version 18', (node) => [node('18.20.4')]], ['none', () => []]]) {
  test(`Node: a PATH that offers ${what} gets ${arch} 20.20.2 from npm, once, called by path`, async () => {
    const { root, bash, node, calls } = project();
    const script = 'use_node; echo "$EPLAN_NODE"; node --version';
    const first = await bash(script, folders(node));
    const wanted = path.join(root, `build/node/node_modules/node-linux-${arch}/bin/node`);
    assert.equal(first.stdout, `${wanted}\nv20.20.2\n`, first.stderr);
    assert.deepEqual(calls(), [`npm install --prefix ${root}/build/node --no-save --no-package-lock --ignore-scripts --no-audit --no-fund node-linux-${arch}@20.20.2`]);
    assert.equal((await bash(script, folders(node))).stdout, first.stdout);
    assert.equal(calls().length, 1);
  });
}

test('Node: when npm cannot fetch it, one line says so', async () => {
  const { bash, tools } = project();
  program(tools, 'npm', 'exit 1');
  const { code, stderr } = await bash('use_node');
  assert.equal(code, 1);
  assert.match(stderr, /npm could not fetch node-linux-\w+ 20\.20\.2\n$/);
});

test('npm ci runs only when node_modules is not what the lock file says', async () => {
  const { root, bash, calls } = project();
  for (let i = 0; i < 2; i += 1) assert.equal((await bash('use_npm_packages')).code, 0);
  assert.deepEqual(calls(), ['npm ci --ignore-scripts --no-audit --no-fund']);
  fs.writeFileSync(path.join(root, 'tests/package-lock.json'), '{"changed":true}\n');
  await bash('use_npm_packages');
  assert.equal(calls().length, 2);
});

test('two commands at once call npm ci once', async () => {
  const { bash, calls } = project();
  const both = await Promise.all([bash('use_npm_packages'), bash('use_npm_packages')]);
  assert.deepEqual([...both.map(({ code }) => code), calls().length], [0, 0, 1]);
});

test('the lock file names no registry host', () => {
  const { packages } = JSON.parse(fs.readFileSync(path.join(testsDir, 'package-lock.json')));
  assert.deepEqual(Object.entries(packages).filter(([, { resolved }]) => resolved), []);
  for (const name of ['core', 'definitions', 'fhir-router']) assert.equal(packages[`node_modules/@medplum/${name}`].version, '4.5.2');
});

// dpkg-query that knows all packages but the ones given.
function withoutPackages({ tools }, ...missing) {
  program(tools, 'dpkg-query', `for package in "\${@:4}"; do case " ${missing.join(' ')} " in *" $package "*) ;; *) echo "$package installed" ;; esac; done`);
}

test('Debian packages: nothing missing, nothing called', async () => {
  const here = project();
  withoutPackages(here);
  program(here.tools, 'sudo', `echo "sudo $*" >>${here.log}`);
  assert.equal((await here.bash('ensure_packages build ehr')).code, 0);
  assert.deepEqual(here.calls(), []);
});

test('Debian packages: missing and no right to install: one line says what to install', async () => {
  const here = project();
  withoutPackages(here, 'cmake', 'openssl', 'chromium');
  program(here.tools, 'id', 'echo 1000');
  program(here.tools, 'sudo', 'exit 1');
  const { code, stderr } = await here.bash('ensure_packages build ehr');
  assert.equal(code, 1);
  assert.match(stderr, /^[^\n]*may not install them\. Install them with: apt-get install cmake openssl\n$/);
});

test('Debian packages: installed with sudo -n, no question, lock time limit, one update', async () => {
  const here = project();
  withoutPackages(here, 'cmake');
  program(here.tools, 'id', 'echo 1000');
  program(here.tools, 'sudo', `echo "sudo $*" >>${here.log}`);
  assert.equal((await here.bash('ensure_packages build')).code, 0);
  const [probe, update, install, ...rest] = here.calls();
  assert.deepEqual([probe, rest], ['sudo -n true', []]);
  const apt = 'sudo -n env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l apt-get -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 -qq';
  assert.deepEqual([update, install], [`${apt} update`, `${apt} install -y --no-install-recommends cmake`]);
});

test('nodejs and npm come from apt only when npm does not run', async () => {
  const here = project();
  program(here.tools, 'id', 'echo 1000');
  program(here.tools, 'sudo', `echo "sudo $*" >>${here.log}\ncase "$*" in *install*) printf '#!${which('bash')}\\necho 9\\n' >${here.tools}/npm ;; esac`);
  await here.bash('ensure_npm');
  assert.deepEqual(here.calls(), ['npm --version']);
  program(here.tools, 'npm', 'exit 127');
  assert.equal((await here.bash('ensure_npm')).code, 0);
  assert.match(here.calls().at(-1), /install -y --no-install-recommends nodejs npm$/);
});

test('every package that the build looks for is in packages.list', () => {
  const cmake = fs.readFileSync(path.join(testsDir, '../.cmake/Packages.cmake'), 'utf8');
  const listed = fs.readFileSync(path.join(testsDir, 'lib/packages.list'), 'utf8').split('\n').filter((line) => line.startsWith('build ')).map((line) => line.slice(6));
  const wanted = [...cmake.matchAll(/^eplan_package\(\S+ \S+ (\S+)\)/gm)].map(([, name]) => name);
  assert.ok(wanted.length > 0);
  assert.deepEqual(wanted.filter((name) => !listed.includes(name)), []);
});

test('a copy follows the clone: changed files, gone files; what was built in it stays, also from read-only folders', async () => {
  const here = project();
  const [from, to] = [path.join(here.top, 'from'), path.join(here.top, 'to')];
  for (const folder of ['sub', 'build']) fs.mkdirSync(path.join(from, folder), { recursive: true });
  for (const file of ['kept', 'gone', 'sub/changed', 'build/theirs']) fs.writeFileSync(path.join(from, file), '1');
  fs.mkdirSync(to);
  fs.chmodSync(path.join(from, 'sub'), 0o555);
  fs.symlinkSync(which('rsync'), path.join(here.tools, 'rsync'));
  const user = os.userInfo().username;
  const mirror = async () => {
    const { code, stderr } = await here.bash(`EPLAN_USER=${user}; mirror ${from} ${to} --exclude=/build`);
    assert.equal(code, 0, stderr);
  };
  await mirror();
  fs.mkdirSync(path.join(to, 'build'));
  fs.writeFileSync(path.join(to, 'build/ours'), '1');
  const kept = fs.statSync(path.join(to, 'kept')).mtimeMs;
  fs.rmSync(path.join(from, 'gone'));
  fs.chmodSync(path.join(from, 'sub'), 0o755);
  fs.writeFileSync(path.join(from, 'sub/changed'), '2');
  await mirror();
  assert.deepEqual(fs.readdirSync(to).sort(), ['build', 'kept', 'sub']);
  assert.equal(fs.readFileSync(path.join(to, 'sub/changed'), 'utf8'), '2');
  assert.deepEqual(fs.readdirSync(path.join(to, 'build')), ['ours']);
  assert.equal(fs.statSync(path.join(to, 'kept')).mtimeMs, kept);
});

test("a folder of somebody else's, or a link, is not used for the copy", async () => {
  const here = project();
  const user = os.userInfo().username;
  fs.symlinkSync('/tmp', path.join(here.top, 'link'));
  const { code, stderr } = await here.bash(`private_folder ${here.top}/link ${user}`);
  assert.equal(code, 1);
  assert.match(stderr, /is not a folder of .*: remove it/);
  if (user !== 'root') assert.equal((await here.bash(`private_folder /usr ${user}`)).code, 1);
  fs.mkdirSync(path.join(here.top, 'mine'), { mode: 0o755 });
  assert.equal((await here.bash(`private_folder ${here.top}/mine ${user}`)).code, 0);
  assert.equal(fs.statSync(path.join(here.top, 'mine')).mode & 0o777, 0o700);
});

test('run_to_the_end: hands the exit status on and leaves no process behind', async () => {
  const here = project();
  const { code, stdout } = await here.bash('run_to_the_end bash -c "sleep 300 >/dev/null 2>&1 & echo \\$!; exit 7"');
  assert.equal(code, 7);
  assert.match(stdout, /^\d+\n$/);
  await until('the child of the child to end', () => !alive(Number(stdout)));
});

for (const signal of ['TERM', 'INT', 'HUP']) {
  test(`run_to_the_end: SIG${signal} reaches what was started`, async () => {
    const here = project();
    const pidFile = path.join(here.top, 'pid');
    const inner = `trap "exit 9" ${signal}; echo $$ >${pidFile}.new; cp ${pidFile}.new ${pidFile}; while :; do sleep 0.1; done`;
    fs.writeFileSync(path.join(here.top, 'inner.sh'), inner);
    const outer = here.bash(`echo $$ >${here.top}/outer; run_to_the_end bash ${here.top}/inner.sh`);
    await until('the inner script', () => fs.existsSync(pidFile));
    process.kill(Number(fs.readFileSync(path.join(here.top, 'outer'), 'utf8')), `SIG${signal}`);
    assert.equal((await outer).code, 9);
    await until('it to end', () => !alive(Number(fs.readFileSync(pidFile, 'utf8'))));
  });
}

await finish();

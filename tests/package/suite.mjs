// suite: timeout=240 needs=build presets=release
// The Debian package: what is in it, who owns it, that nothing of this machine is in it, and that it can be made again.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { rootDir, run, scratch } from '../lib/process.mjs';
import { finish, skip, test } from '../lib/tap.mjs';

const build = process.env.EPLAN_BUILD ?? path.join(rootDir, 'build/release');
const top = scratch('package');

async function good(command, args, options) {
  const ended = await run(command, args, options);
  assert.equal(ended.code, 0, `${command} ${args.join(' ')}: ${ended.stdout}${ended.stderr}`);
  return ended.stdout;
}

async function make(name) {
  const folder = path.join(top, name);
  await good('cmake', ['--build', build, '--target', 'eplan', 'eplan_documents']);
  await good('cpack', ['-G', 'DEB', '-B', folder, '--config', path.join(build, 'CPackConfig.cmake')], { cwd: build, env: { SOURCE_DATE_EPOCH: '1700000000' } });
  const [file] = fs.readdirSync(folder).filter((one) => one.endsWith('.deb'));
  return path.join(folder, file);
}

let deb;
let tree;

test('cpack -G DEB makes it, and the same source makes the same bytes', async () => {
  deb = await make('first');
  const again = await make('second');
  const hash = (file) => crypto.createHash('sha256').update(fs.readFileSync(file)).digest('hex');
  assert.match(path.basename(deb), /^eplan_[\d.]+_\w+\.deb$/);
  assert.equal(hash(deb), hash(again));
  tree = path.join(top, 'tree');
  await good('dpkg-deb', ['-x', deb, tree]);
  await good('dpkg-deb', ['-e', deb, path.join(top, 'control')]);
}, { timeout: 200_000 });

test('what is in it: program, unit, user, configuration, mappings, man page', () => {
  for (const file of ['usr/bin/eplan', 'lib/systemd/system/eplan-gateway.service', 'usr/lib/sysusers.d/eplan.conf', 'etc/eplan/gateway.yaml', 'etc/eplan/ehrs.d/smart.example.yaml',
    'usr/share/eplan/mappings/healthy-weight/mapping.yaml', 'usr/share/man/man8/eplan.8.gz', 'usr/share/doc/eplan/copyright', 'usr/share/doc/eplan/changelog.gz']) {
    assert.ok(fs.existsSync(path.join(tree, file)), file);
  }
  const every = fs.readdirSync(tree, { recursive: true }).map(String);
  assert.deepEqual(every.filter((file) => /quickstart|\.(key|pem|crt|secret|token)$/.test(file)), []);
  const conffiles = fs.readFileSync(path.join(top, 'control/conffiles'), 'utf8').trim().split('\n').sort();
  const settings = every.filter((file) => file.startsWith('etc/') && fs.statSync(path.join(tree, file)).isFile()).map((file) => `/${file}`).sort();
  assert.deepEqual(conffiles, settings);
});

test('all is root\'s, nobody else may write, and dependencies are named', async () => {
  for (const line of (await good('dpkg-deb', ['-c', deb])).trim().split('\n')) assert.match(line, /^(-rw-r--r--|-rwxr-xr-x|drwxr-xr-x) root\/root /, line);
  const control = fs.readFileSync(path.join(top, 'control/control'), 'utf8');
  for (const name of ['libc6', 'libcurl4', 'libevent-2.1-7', 'libsqlite3-0', 'libssl3', 'ca-certificates']) assert.match(control, new RegExp(`^Depends: .*\\b${name.replaceAll('.', '\\.')}\\b`, 'm'));
  for (const script of ['postinst', 'prerm', 'postrm']) {
    await good('sh', ['-n', path.join(top, 'control', script)]);
    assert.equal(fs.statSync(path.join(top, 'control', script)).mode & 0o111, 0o111);
  }
});

test('the program in it runs, is stripped, and has no path of this machine and no test seam in it', async () => {
  const program = path.join(tree, 'usr/bin/eplan');
  assert.match(await good(program, ['version']), /\d+\.\d+/);
  const bytes = fs.readFileSync(program, 'latin1');
  assert.ok(!bytes.includes(rootDir), 'the build folder is in it');
  for (const seam of ['EPLAN_FAILPOINTS', 'EPLAN_CLOCK_FILE']) assert.ok(!bytes.includes(seam), seam);
  assert.match(await good('file', [program]), /stripped/);
  assert.doesNotMatch(await good('file', [program]), /not stripped/);
});

test('the configuration in it is a good one but for the certificate that the site must bring', async () => {
  const { stdout, stderr, code } = await run(path.join(tree, 'usr/bin/eplan'), ['check-config', '--no-files', '-c', path.join(tree, 'etc/eplan/gateway.yaml')]);
  assert.equal(code, 0, stdout + stderr);
  const { code: mapping } = await run(path.join(tree, 'usr/bin/eplan'), ['check', path.join(tree, 'usr/share/eplan/mappings/healthy-weight')]);
  assert.equal(mapping, 0);
});

test('the unit: sd_notify, a user of its own, a closed sandbox', () => {
  const unit = fs.readFileSync(path.join(tree, 'lib/systemd/system/eplan-gateway.service'), 'utf8');
  for (const line of ['Type=notify', 'ExecStart=/usr/bin/eplan run -c /etc/eplan/gateway.yaml', 'User=eplan', 'StateDirectory=eplan', 'StateDirectoryMode=0700', 'NoNewPrivileges=yes',
    'ProtectSystem=strict', 'CapabilityBoundingSet=', 'MemoryDenyWriteExecute=yes', 'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX']) {
    assert.ok(unit.split('\n').includes(line), line);
  }
});

// The unit as it is, but for the place of the program: that of a machine on which the package is installed.
const unitHere = () => {
  const unit = fs.readFileSync(path.join(tree, 'lib/systemd/system/eplan-gateway.service'), 'utf8');
  const file = path.join(top, 'eplan-gateway.service');
  fs.writeFileSync(file, unit.replace('ExecStart=/usr/bin/eplan', `ExecStart=${path.join(tree, 'usr/bin/eplan')}`));
  return file;
};
const { code: analyzes } = await run('sh', ['-c', 'command -v systemd-analyze']);
if (analyzes !== 0) {
  skip('systemd has no word to say against the unit', 'no systemd-analyze');
} else {
  test('systemd has no word to say against the unit, and little exposure to tell of', async () => {
    const { code, stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', unitHere()]);
    const told = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('eplan-gateway')).join('\n');
    assert.deepEqual([code, told], [0, '']);
    const security = await good('systemd-analyze', ['security', '--offline=yes', '--no-pager', unitHere()]);
    const [, exposure] = /Overall exposure level for \S+: (\d+\.\d+)/.exec(security);
    process.stdout.write(`# systemd-analyze security: exposure ${exposure} of 10\n`);
    assert.ok(Number(exposure) < 2.5, security);
  });
}

test('the man page names every verb of an operator', () => {
  const page = fs.readFileSync(path.join(rootDir, 'gateway/eplan.8'), 'utf8').replaceAll('\\-', '-');
  for (const verb of ['run', 'status', 'show', 'stop-writes', 'resume-writes', 'check-config', 'check', 'test']) assert.match(page, new RegExp(`^\\.B eplan ${verb}$`, 'm'), verb);
});

await finish();

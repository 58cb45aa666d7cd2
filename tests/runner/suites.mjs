// Finds the suites: every tests/**/suite*.{sh,mjs} that is there, and the CTest tests of a build.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const defaultTimeout = 120;
const directives = new Set(['timeout', 'needs', 'presets', 'serial']);
const needs = new Set(['build', 'shared']);

// A script suite may say in one of its first five lines:
//   suite: timeout=SECONDS needs=build,shared presets=release,asan-ubsan serial
export function readDirectives(text) {
  const line = text.split('\n').slice(0, 5).map((one) => /^(?:#|\/\/) suite:(.*)$/.exec(one)?.[1]).find((one) => one !== undefined);
  const found = { timeout: defaultTimeout, needs: [], presets: ['release'], serial: false };
  for (const word of (line ?? '').split(/\s+/).filter(Boolean)) {
    const [name, value] = word.split('=');
    if (!directives.has(name)) throw new Error(`unknown directive ${word}`);
    if (name === 'serial') found.serial = true;
    else if (name === 'timeout') found.timeout = Number(value);
    else found[name] = value.split(',');
  }
  if (!(found.timeout > 0)) throw new Error('timeout must be a number of seconds');
  for (const need of found.needs) if (!needs.has(need)) throw new Error(`unknown need ${need}`);
  return found;
}

// tests/ehr/suite.mjs is "ehr", tests/scenario/suite_poll.mjs is "scenario/poll".
export function scriptSuites(testsDir) {
  const files = fs.readdirSync(testsDir, { recursive: true })
    .filter((file) => /(^|\/)suite(_\w+)?\.(sh|mjs)$/.test(file) && !/(^|\/)(node_modules|samples)\//.test(file)).sort();
  return files.map((file) => {
    const folder = path.dirname(file);
    const part = /suite_(\w+)\./.exec(path.basename(file))?.[1];
    const whole = path.join(testsDir, file);
    const suite = { name: part ? `${folder}/${part}` : folder, command: file.endsWith('.sh') ? 'bash' : process.execPath, args: [whole], script: true };
    try {
      return { ...suite, ...readDirectives(fs.readFileSync(whole, 'utf8')) };
    } catch (error) {
      return { ...suite, needs: [], presets: ['release'], fault: error.message };
    }
  });
}

export async function ctestSuites(buildDir) {
  const { stdout } = await promisify(execFile)('ctest', ['--test-dir', buildDir, '--show-only=json-v1'], { maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout.slice(stdout.indexOf('{'))).tests.map(({ name, command, properties = [] }) => {
    const property = Object.fromEntries(properties.map((one) => [one.name, one.value]));
    const [program, ...args] = command ?? [];
    return {
      name,
      command: program,
      args,
      cwd: property.WORKING_DIRECTORY,
      env: Object.fromEntries((property.ENVIRONMENT ?? []).map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)])),
      labels: property.LABELS ?? [],
      timeout: property.TIMEOUT ?? defaultTimeout,
      serial: property.RUN_SERIAL === true,
      ...(program ? {} : { fault: 'its program was not built' }),
    };
  });
}

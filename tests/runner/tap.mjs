// Reads the TAP of one test program and says what it amounts to. Programs that print several plans one after the other
// (cmocka prints one for each group) are read as several sections.

// -> { passed, failed, skipped, faults: [what is wrong with the TAP], skips: [{ name, reason }], failures: [name] }
export function readTap(text) {
  const result = { passed: 0, failed: 0, skipped: 0, faults: [], skips: [], failures: [] };
  const sections = [{ seen: 0 }];
  const section = () => sections.at(-1);
  const complete = ({ plan, seen }) => plan !== undefined && plan === seen;

  for (const line of text.split('\n')) {
    let match;
    if ((match = /^1\.\.(\d+)(?:\s*#\s*SKIP\b\s*(.*))?/i.exec(line))) {
      if (section().plan !== undefined) {
        if (!complete(section())) result.faults.push(`a second plan, ${match[0]}, before the first was fulfilled`);
        sections.push({ seen: 0 });
      }
      section().plan = Number(match[1]);
      if (section().plan === 0 && match[2] !== undefined) {
        result.skipped += 1;
        result.skips.push({ name: '', reason: match[2] || 'no reason given' });
        section().skipped = true;
      }
    } else if ((match = /^(not )?ok\b(?:\s+(\d+))?(?:\s+-)?\s*((?:[^#\\]|\\.)*)(?:#\s*SKIP\b\S*\s*(.*))?/i.exec(line))) {
      if (complete(section()) && match[2] === '1') sections.push({ seen: 0 });
      const { seen } = section();
      section().seen = seen + 1;
      if (match[2] && Number(match[2]) !== seen + 1) result.faults.push(`test number ${match[2]} where ${seen + 1} was due`);
      const name = match[3].trim().replaceAll('\\#', '#');
      if (match[4] !== undefined) {
        result.skipped += 1;
        result.skips.push({ name, reason: match[4] || name });
      } else if (match[1]) {
        result.failed += 1;
        result.failures.push(name);
      } else {
        result.passed += 1;
      }
    } else if ((match = /^Bail out!\s*(.*)/i.exec(line))) {
      result.faults.push(`it gave up: ${match[1] || 'no reason given'}`);
    }
  }

  for (const { plan, seen, skipped } of sections) {
    if (plan === undefined) result.faults.push(seen ? 'the last tests have no plan' : 'it printed no plan');
    else if (plan !== seen) result.faults.push(`${plan} tests planned, ${seen} run`);
    else if (plan === 0 && !skipped) result.faults.push('it planned no test');
  }
  return result;
}

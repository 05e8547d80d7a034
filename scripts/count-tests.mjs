// Adds up the JSON results of vitest runs, names what was skipped, and closes with one line of counts.
//   node scripts/count-tests.mjs results.json [more.json]
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

const counts = { passed: 0, failed: 0, skipped: 0 };
for (const path of process.argv.slice(2)) {
  if (!existsSync(path)) {
    console.log(`no results in ${path}: that run did not finish`);
    counts.failed++;
    continue;
  }
  for (const file of JSON.parse(readFileSync(path, 'utf8')).testResults) {
    const name = relative(process.cwd(), file.name);
    const skipped = file.assertionResults.filter(({ status }) => status !== 'passed' && status !== 'failed');
    const failed = file.assertionResults.filter(({ status }) => status === 'failed').length;
    counts.passed += file.assertionResults.length - skipped.length - failed;
    // A file that fails before its first test has no results to show for it.
    counts.failed += failed === 0 && file.status === 'failed' ? 1 : failed;
    counts.skipped += skipped.length;
    for (const { fullName } of skipped) console.log(`skipped: ${name}: ${fullName}`);
  }
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;

// One run of compress in a process of its own, so that its time and memory are nobody else's.
//   node benchmarks/compress-once.mjs job.json    job: { model, options, result }
import { readFileSync, writeFileSync } from 'node:fs';
import { compress } from 'edgepack';

const job = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const started = performance.now();
const { report, outputs } = await compress(job.model, job.options);
const seconds = (performance.now() - started) / 1000;
const toolPeakBytes = process.resourceUsage().maxRSS * 1024;
writeFileSync(job.result, JSON.stringify({ seconds, toolPeakBytes, report, outputs }));

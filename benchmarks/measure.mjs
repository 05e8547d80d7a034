import { mkdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { ratio } from './bars.mjs';
import { compressRun } from './compress-run.mjs';
import { latencies, pairedRatio } from './latency.mjs';
import { xzBytes } from './machine.mjs';

const mebibyte = 2 ** 20;
const peerTool = 'ort-minmax';

/**
 * Everything about one model and recipe. Time and memory are those of a run without evaluation, the smallest of the rounds and
 * the largest peak; with peers, the rounds alternate with theirs.
 */
export async function measure({ entry, recipe, samples, folder, settings, say }) {
  const { threads, target } = settings;
  const options = (output, more) => ({
    target,
    recipe,
    // The int8 model itself is measured, whatever its speed here; and the same bytes in every run.
    allowSlower: true,
    // All cores, as the peer takes them.
    threads: availableParallelism(),
    output,
    calibration: samples.calibration.path,
    ...(samples.preprocess === undefined ? {} : { preprocess: samples.preprocess }),
    cacheFolder: join(output, 'cache'),
    ...more,
  });

  const usesPeer = settings.peers !== undefined && entry.inZoo === true && recipe === 'accurate';
  const peerFolder = join(folder, 'peer');
  const peerRuns = [];
  const timed = [];
  for (let round = 0; round < settings.rounds; round++) {
    const output = fresh(join(folder, `${recipe}-timed`));
    timed.push(await compressRun(entry.model, options(output), output));
    if (!usesPeer) continue;
    // Later rounds are for the time alone, so they score one sample only.
    const limits = round === 0 ? settings : { ...settings, evaluationSamples: 1 };
    mkdirSync(peerFolder, { recursive: true });
    peerRuns.push(await settings.peers.quantize(entry.name, peerTool, { ...limits, folder: peerFolder }));
  }

  const output = fresh(join(folder, recipe));
  const scored = await compressRun(entry.model, options(output, { evaluation: samples.evaluation.path }), output);
  if (scored.onnx.sha256 !== timed[0].onnx.sha256) {
    say('  the model differs between the runs with and without evaluation samples, which must decide nothing');
  }
  const peer = usesPeer ? peerRow(entry, peerRuns) : undefined;
  const files = [
    { label: 'float', path: entry.model },
    { label: 'int8', path: scored.onnx.path },
    ...(peer === undefined ? [] : [{ label: 'peer', path: peer.path }]),
  ];
  const speed = await latencies(files, {
    data: samples.evaluation.path,
    preprocess: samples.preprocess,
    threads,
    rounds: settings.latencyRounds,
  });

  const { report } = scored;
  const row = {
    model: entry.name,
    recipe,
    target,
    threads,
    calibrationSamples: samples.calibration.count,
    evaluationSamples: report.accuracy?.samples ?? 0,
    onnxruntime: report.versions.onnxruntime,
    originalBytes: report.sizes.originalBytes,
    onnxBytes: scored.onnx.sizeBytes,
    epkBytes: scored.epk?.sizeBytes ?? null,
    originalXzBytes: xzBytes(entry.model),
    onnxXzBytes: xzBytes(scored.onnx.path),
    sha256: scored.onnx.sha256,
    originalTop1: report.accuracy?.original.top1?.value ?? null,
    exact: figures(report.accuracy?.exact),
    host: figures(report.accuracy?.host),
    paired: report.accuracy?.paired == null ? null : { b: report.accuracy.paired.b, c: report.accuracy.paired.c },
    integerShare: report.integerShare,
    seconds: Math.min(...timed.map(({ seconds }) => seconds)),
    toolPeakMib: Math.max(...timed.map(({ toolPeakBytes }) => toolPeakBytes)) / mebibyte,
    enginePeakMib: largest(timed.map(({ enginePeakBytes }) => enginePeakBytes)),
    latency: {
      floatMs: speed.float.medianMs,
      int8Ms: speed.int8.medianMs,
      peerMs: speed.peer?.medianMs ?? null,
      ratioToFloat: pairedRatio(speed.int8, speed.float),
      ratioToPeer: speed.peer === undefined ? null : pairedRatio(speed.int8, speed.peer),
      rounds: settings.latencyRounds,
    },
  };
  const sumOfPeaks = row.enginePeakMib === null ? null : row.toolPeakMib + row.enginePeakMib;
  row.peakMemoryMib = largest(timed.map(({ heldBytes }) => heldBytes)) ?? sumOfPeaks;
  if (peer !== undefined) {
    row.sameScript = await settings.peers.score(entry.name, scored.onnx.path, { ...settings, folder: peerFolder });
    row.secondsToPeer = ratio(row.seconds, peer.seconds);
    row.peakMemoryToPeer = ratio(row.peakMemoryMib, peer.peakMemoryMib);
  }
  return { row, peer };
}

function fresh(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

function figures(comparison) {
  if (comparison == null) return null;
  const { top1, agreement, sqnrDb } = comparison;
  return { top1: top1?.value ?? null, agreement: agreement?.value ?? null, sqnrDb };
}

function largest(bytes) {
  return bytes.some((value) => value === null) ? null : Math.max(...bytes) / mebibyte;
}

function peerRow(entry, runs) {
  const [first] = runs;
  return {
    model: entry.name,
    tool: first.tool,
    path: first.path,
    exact: first.exact,
    host: { top1: first.top1, agree: first.agree, sqnr_db: first.sqnr_db },
    onnxBytes: first.bytes,
    xzBytes: first.xz,
    seconds: Math.min(...runs.map(({ seconds }) => seconds)),
    peakMemoryMib: Math.max(...runs.map(({ peak_rss_mib: mib }) => mib)),
  };
}

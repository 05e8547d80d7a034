import { existsSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { connectDevice, type Device } from '../device/connect-device.ts';
import { ofFile } from '../diagnostics/at-file.ts';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { type Logger, silentLogger } from '../diagnostics/logger.ts';
import { checkValue } from '../diagnostics/parse-checked-json.ts';
import { printable } from '../diagnostics/printable.ts';
import { modelInterface } from '../evaluation/model-interface.ts';
import { ReferenceSession } from '../evaluation/reference-session.ts';
import { encodeChecked } from '../formats/epk/write-epk.ts';
import { hasExternalData } from '../formats/onnx/external-files.ts';
import { inlineFunctions } from '../formats/onnx/inline-functions.ts';
import { locateInitializers } from '../formats/onnx/locate-initializers.ts';
import { readModel } from '../formats/onnx/read-model.ts';
import { encodeModel } from '../formats/onnx/write-model.ts';
import { inferShapes } from '../ir/infer-shapes.ts';
import { loadRecipe } from '../recipes/load-recipe.ts';
import type { Recipe } from '../recipes/recipe-schema.ts';
import { renderHtml } from '../report/render-html.ts';
import { renderJson } from '../report/render-json.ts';
import { renderMarkdown } from '../report/render-markdown.ts';
import type { Report } from '../report/report-schema.ts';
import { startEngine } from '../runtime/engine.ts';
import { OutputSet } from '../storage/output-set.ts';
import { type ChosenProvider, chooseProvider } from '../targets/choose-provider.ts';
import { loadTarget } from '../targets/load-target.ts';
import type { Target } from '../targets/target-schema.ts';
import { anyFeeds } from './any-feeds.ts';
import type { CompressPlan, CompressResult, FileFacts, RunContext } from './api-types.ts';
import { buildReport } from './build-report.ts';
import { chooseExecution } from './choose-execution.ts';
import { compressNotices, unknownOperators } from './compress-notices.ts';
import { type CompressOptions, compressOptionsSchema, type ResolvedCompressOptions } from './compress-options.ts';
import { engineLimits } from './engine-limits.ts';
import { type EnginePath, enginePath } from './engine-path.ts';
import { engineThreads } from './engine-threads.ts';
import { followProvider, formatNotice, providerNotices } from './follow-provider.ts';
import { measureResult } from './measure-result.ts';
import { modelFacts } from './model-facts.ts';
import { modelMemory } from './model-memory.ts';
import { KEPT_BYTES, openSamples } from './open-samples.ts';
import { otherDeviceWarnings } from './other-device.ts';
import { describeForTarget } from './predict.ts';
import { pruneOptions } from './prune-options.ts';
import { refuseLargeGraph } from './refuse-large-graph.ts';
import { runSteps } from './run-steps.ts';
import { saveOrt } from './save-ort.ts';
import { sizedInitializers } from './sized-initializers.ts';

/**
 * Compresses an ONNX model for a target: optimises it, prunes where asked, quantizes, packs, measures, and writes
 * `<name>.onnx` (or `<name>.ort`), `<name>.epk`, `report.json`, `report.md` and `report.html` into the output folder.
 *
 * @example
 * const { report } = await compress('model.onnx', { target: 'rpi4', data: 'photos/' });
 * @throws EdgepackError for wrong options, unreadable data and models, existing outputs without `force`, and when the
 * engine fails. A loss beyond `maxAccuracyDrop` is no error: see `report.accuracy.limit`.
 */
export async function compress(
  modelPath: string,
  options: CompressOptions = {},
  { logger = silentLogger, signal, onSearch, commandLine }: RunContext = {},
): Promise<CompressResult> {
  const resolved = checkValue(options, compressOptionsSchema, 'usage', 'compress');
  const target = loadTarget(resolved.target);
  const provider = chooseProvider(target, resolved.provider);
  const asked = recipeFor(resolved);
  const recipe = followProvider(asked, provider);
  const paths = outputPaths(modelPath, resolved, target, provider);
  // Opened first: it locks the folder, and completes what a killed run left there.
  const outputs = resolved.dryRun ? undefined : new OutputSet(resolved.output);
  // The engine's process starts while the model and the samples are being opened.
  const starting = resolved.dryRun ? undefined : startEngine({ logger });
  starting?.catch(() => {});
  let runnable: EnginePath | undefined;
  try {
    if (outputs !== undefined) refuseExisting(writtenPaths(paths), resolved);
    const model = readModel(modelPath, resolved);
    refuseLargeGraph(modelPath, model, resolved.engineTimeout !== undefined);
    inferShapes(model);
    const connect = resolved.dryRun ? undefined : deviceOf(resolved, { logger, signal });
    // Before the work: where it cannot be reached, that is all there is to say.
    const device = await connect?.();
    await device?.close();
    // Samples are being read and hashed while the model is looked at.
    const opening = openSamples(model, resolved);
    opening.catch(() => {});
    const facts = modelFacts(model, modelPath, { files: resolved });
    const limits = engineLimits([{ path: modelPath, model, sizeBytes: facts.sizeBytes }], resolved);
    const threads = engineThreads(resolved.threads, target);
    const samples = await opening;
    if (starting === undefined || outputs === undefined) {
      const plan = planOf(facts, target.name, provider.provider.name, recipeAsRun(recipe, resolved), samples, paths);
      return { report: null, plan, outputs: [] };
    }
    samples.selection?.readAhead();
    const known = modelInterface(model.graph);
    const original = sizedInitializers(model);
    const unknown = [
      ...unknownOperators(model),
      ...providerNotices(model, provider, asked),
      ...formatNotice(provider, paths.ort !== undefined),
      ...(device === undefined ? [] : otherDeviceWarnings(device, target)),
    ];
    const onTarget = describeForTarget(model);
    const memory = modelMemory(model);
    const context = { logger, ...(signal === undefined ? {} : { signal }) };
    const engine = await starting;
    await engine.limit(limits);
    runnable = enginePath(modelPath, resolved.allowLinks);
    const { path } = runnable;
    const label = basename(modelPath);
    const reference = await ReferenceSession.open(() => engine.load(path, { threads, label, temporary: true }), {
      known,
      samples: samples.selection,
      limitBytes: KEPT_BYTES,
    });
    // Loops whose end only a run can tell are tried before anything else is done.
    if (limits.runSeconds !== undefined) await reference.run(await anyFeeds(reference, samples, resolved.seed));
    const inlined = inlineFunctions(model);
    const made = await runSteps({
      original: reference,
      modelSha256: facts.sha256,
      fileBytes: inlined === model && !hasExternalData(model) ? facts.sizeBytes : undefined,
      model: inlined,
      recipe,
      target,
      provider,
      options: resolved,
      samples,
      threads,
      engine,
      context,
      onSearch,
    }).catch(async (error) => {
      // What the engine does not take as it came is no fault of the steps.
      const mayBeItsFault = !(error instanceof EdgepackError) || error.code === 'model-rejected';
      if (mayBeItsFault && signal?.aborted !== true) await reference.loaded();
      throw error;
    });
    const { done, bytes, ...chosen } = await chooseExecution({
      modelPath: path,
      original: reference,
      readOriginal: () => readModel(modelPath, resolved),
      bytes: Buffer.concat(encodeModel(made.model).pieces),
      done: made,
      samples,
      target,
      provider,
      onTarget,
      askedThreads: resolved.threads,
      engine,
      limits,
      connect,
      allowSlower: resolved.allowSlower,
      context,
      seed: resolved.seed,
    });
    const measuring = measureResult({
      original: reference,
      bytes,
      done,
      samples,
      target,
      threads,
      engine,
      context,
      seed: resolved.seed,
    });
    measuring.catch(() => {});
    await setImmediate();
    // The engine is loading what it will measure.
    const compressed = {
      initializers: sizedInitializers(done.model),
      onTarget: describeForTarget(done.model),
      memory: modelMemory(done.model),
    };
    const measured = await measuring;
    const enginePeakBytes = await engine.peakMemoryBytes();
    const ortBytes =
      paths.ort === undefined
        ? undefined
        : await saveOrt(engine, bytes, await anyFeeds(reference, samples, resolved.seed), threads);
    // It has done its part: its memory is not held while this process codes and writes.
    const closing = engine.close();
    closing.catch(() => {});
    signal?.throwIfAborted();
    // Nothing is written before everything has been computed.
    const files: FileFacts[] = [];
    const write = (path: string | undefined, content: Uint8Array | undefined) => {
      if (path !== undefined && content !== undefined) files.push(outputs.add(basename(path), [content]));
    };
    const name = paths.modelName;
    write(paths.onnx, bytes);
    write(paths.ort, ortBytes);
    const { bytes: epkBytes, ...sizes } = await encodeChecked([{ name, bytes, sections: locateInitializers(bytes) }]);
    write(paths.epk, epkBytes);
    const report = buildReport({
      facts,
      recipe: recipeAsRun(recipe, resolved),
      target,
      provider,
      options: resolved,
      samples,
      original: { initializers: original, onTarget, memory },
      compressed,
      done,
      onnxBytes: bytes.length,
      ortBytes: ortBytes?.length,
      epk: { ...sizes, byteLength: epkBytes.length },
      measured,
      chosen,
      files: files.map((file) => ({ ...file, path: join(resolved.output, basename(file.path)) })),
      warnings: [
        ...unknown,
        ...compressNotices(resolved, { shipped: chosen.execution.shipped, ortBytes }, provider, samples),
        ...done.warnings,
        ...measured.warnings,
      ],
      engineVersion: engine.version,
      enginePeakBytes,
      commandLine,
    });
    const markdownFile = outputs.add(basename(paths.markdown), [Buffer.from(renderMarkdown(report))]);
    const htmlFile = outputs.add(basename(paths.html), [Buffer.from(await renderHtml(report))]);
    // The last one is the seal: where report.json is, all that it speaks of is.
    const jsonFile = outputs.add(basename(paths.json), [Buffer.from(renderJson(report))]);
    signal?.throwIfAborted();
    outputs.commit({ force: resolved.force });
    return { report, plan: null, outputs: [...files, jsonFile, markdownFile, htmlFile] };
  } catch (error) {
    // The engine knows files of ours only; the user's is the one that was given.
    throw error instanceof EdgepackError && ENGINE_ERRORS.has(error.code) ? ofFile(modelPath, error) : error;
  } finally {
    await starting?.then(
      (engine) => engine.close(),
      () => {},
    );
    runnable?.remove();
    outputs?.close();
  }
}

const ENGINE_ERRORS: ReadonlySet<string> = new Set(['engine-failed', 'model-rejected']);

/** Connects to the device that the options name; undefined where they name none. */
function deviceOf(
  { device, sshConfig }: ResolvedCompressOptions,
  context: { readonly logger: Logger; readonly signal: AbortSignal | undefined },
): (() => Promise<Device>) | undefined {
  if (device !== undefined) return () => connectDevice({ device, sshConfig, ...context });
  if (sshConfig === undefined) return undefined;
  throw new EdgepackError('usage', '--ssh-config is about a device, and none is given', {
    hint: 'Add --device ssh://user@host',
  });
}

/** The recipe asked for; without data only weights can be quantized. */
function recipeFor(options: ResolvedCompressOptions): Recipe {
  if (options.recipe !== undefined) return loadRecipe(options.recipe);
  const recipe = loadRecipe(hasCalibration(options) ? 'balanced' : 'weight-only');
  if (hasCalibration(options) || !isPruningAsked(options)) return recipe;
  // Pruning that was asked for needs no data.
  const prune = loadRecipe('balanced').steps.filter((step) => step.pass === 'prune-magnitude');
  const [first, ...rest] = recipe.steps;
  return { ...recipe, steps: [first!, ...prune, ...rest] };
}

/** Zeros of a share or a pattern that the user gave, rather than as many as pay. */
function isPruningAsked({ sparsity, maskStructure }: ResolvedCompressOptions): boolean {
  return sparsity !== undefined || (maskStructure !== undefined && maskStructure !== 'unstructured');
}

function hasCalibration({ data, calibration }: ResolvedCompressOptions): boolean {
  return data !== undefined || calibration !== undefined;
}

/** The recipe with what the command line said, as the report shows it; without pruning where none was asked for. */
function recipeAsRun(recipe: Recipe, options: ResolvedCompressOptions): Recipe {
  const { calibrationMethod, nodesToExclude } = options;
  const excluded = nodesToExclude.length === 0 ? {} : { nodesToExclude };
  return {
    ...recipe,
    steps: recipe.steps.flatMap((step): Recipe['steps'] => {
      if (step.pass === 'prune-magnitude') {
        const resolved = pruneOptions(step.options, options);
        return resolved.sparsity === 0 ? [] : [{ ...step, options: { ...resolved, ...excluded } }];
      }
      if (step.pass === 'quantize-static') {
        const method = calibrationMethod === undefined ? {} : { calibrationMethod };
        return [{ ...step, options: { ...step.options, ...excluded, ...method } }];
      }
      return [step];
    }),
  };
}

interface OutputPaths {
  /** Of the `.onnx`, also where it is only inside the `.epk`. */
  readonly modelName: string;
  readonly onnx: string | undefined;
  readonly ort: string | undefined;
  readonly epk: string;
  readonly json: string;
  readonly markdown: string;
  readonly html: string;
}

function outputPaths(
  modelPath: string,
  { output, format: asked }: ResolvedCompressOptions,
  { engine }: Target,
  { provider }: ChosenProvider,
): OutputPaths {
  const stem = basename(modelPath, extname(modelPath));
  const preferred = engine.modelFormat ?? 'onnx';
  const format = asked ?? (provider.formats.includes(preferred) ? preferred : provider.formats[0]!);
  return {
    modelName: `${stem}.onnx`,
    onnx: format === 'ort' ? undefined : join(output, `${stem}.onnx`),
    ort: format === 'onnx' ? undefined : join(output, `${stem}.ort`),
    epk: join(output, `${stem}.epk`),
    json: join(output, 'report.json'),
    markdown: join(output, 'report.md'),
    html: join(output, 'report.html'),
  };
}

function writtenPaths({ modelName: _, ...paths }: OutputPaths): string[] {
  return Object.values(paths).filter((path) => path !== undefined);
}

function refuseExisting(paths: readonly string[], { force }: ResolvedCompressOptions): void {
  const existing = force ? undefined : paths.find((path) => existsSync(path));
  if (existing === undefined) return;
  throw new EdgepackError('output-exists', `${printable(existing, 300)} is already there`, {
    hint: 'Choose another folder with -o, or overwrite with --force.',
    location: { file: existing },
  });
}

function planOf(
  facts: Report['model'],
  target: string,
  provider: string,
  recipe: Recipe,
  samples: Awaited<ReturnType<typeof openSamples>>,
  paths: OutputPaths,
): CompressPlan {
  return {
    model: { path: facts.path, sizeBytes: facts.sizeBytes, sha256: facts.sha256 },
    target,
    provider,
    recipe: recipe.name,
    steps: recipe.steps.map(({ pass, options }) => ({ pass, options })),
    calibrationSamples: (samples.statistics?.count ?? 0) + (samples.selection?.count ?? 0),
    evaluationSamples: samples.evaluation?.count ?? 0,
    outputs: writtenPaths(paths),
  };
}

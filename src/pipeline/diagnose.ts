import { accessSync, constants, existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { imageLibraryVersion } from '../data/pixels.ts';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { startEngine } from '../runtime/engine.ts';
import { describeHost, type HostDescription } from '../runtime/host.ts';
import { packageVersion } from './package-version.ts';

/** One thing that edgepack needs, and whether it is as it should be. */
export interface DiagnosisCheck {
  readonly name: 'node' | 'engine' | 'images' | 'arithmetic' | 'cache';
  readonly ok: boolean;
  /** What was found, in one line. */
  readonly detail: string;
  /** What to do where it is not. */
  readonly hint: string | null;
}

/** What `diagnose` finds: this installation and this host. */
export interface Diagnosis {
  /** Whether every check is. */
  readonly ok: boolean;
  readonly version: string;
  readonly platform: string;
  readonly checks: readonly DiagnosisCheck[];
}

/**
 * Checks whether this installation can do its work on this host: Node.js, the inference engine, the image library, the
 * integer arithmetic, the folder for the cache. Writes nothing and does not throw.
 */
export async function diagnose(options: { readonly cacheFolder?: string } = {}): Promise<Diagnosis> {
  const host = describeHost();
  const major = Number.parseInt(process.versions.node, 10);
  const checks: DiagnosisCheck[] = [
    {
      name: 'node',
      ok: major >= 20,
      detail: process.versions.node,
      hint: major >= 20 ? null : 'Install Node 20 or newer',
    },
    await check('engine', engineVersion),
    await check('images', async () => `sharp ${await imageLibraryVersion()}`),
    { name: 'arithmetic', ok: true, detail: describeArithmetic(host), hint: null },
    await check('cache', async () => describeFolder(resolve(options.cacheFolder ?? '.edgepack-cache'))),
  ];
  return {
    ok: checks.every(({ ok }) => ok),
    version: packageVersion,
    platform: `${host.platform} ${host.architecture}`,
    checks,
  };
}

async function check(name: DiagnosisCheck['name'], find: () => Promise<string>): Promise<DiagnosisCheck> {
  try {
    return { name, ok: true, detail: await find(), hint: null };
  } catch (error) {
    const hint = error instanceof EdgepackError ? (error.hint ?? null) : null;
    return { name, ok: false, detail: (error as Error).message, hint };
  }
}

async function engineVersion(): Promise<string> {
  const engine = await startEngine();
  await engine.close();
  return `ONNX Runtime ${engine.version}`;
}

function describeArithmetic({ cpuName, logicalCores, saturatesPairs }: HostDescription): string {
  const cpu = `${cpuName}, ${logicalCores} ${logicalCores === 1 ? 'core' : 'cores'}`;
  if (saturatesPairs === undefined) return `${cpu}: not known whether int8 products saturate in 16 bits here`;
  return saturatesPairs
    ? `${cpu}: int8 products saturate in 16 bits here (x86 without VNNI); accuracy for other targets is computed exactly beside it`
    : `${cpu}: int8 products are added exactly`;
}

/** The folder, or the nearest above it that is there, must let this user write. */
function describeFolder(folder: string): string {
  let existing = folder;
  while (!existsSync(existing)) existing = dirname(existing);
  try {
    accessSync(existing, constants.W_OK);
  } catch (cause) {
    throw new EdgepackError('output-unwritable', `${existing} cannot be written`, {
      hint: 'Work in another folder, or name one with --cache-folder',
      cause,
    });
  }
  return existing === folder ? folder : `${folder}, to be made`;
}

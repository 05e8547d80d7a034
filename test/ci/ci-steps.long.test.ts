import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { exampleProject } from './example-project.ts';

const root = join(import.meta.dirname, '..', '..');
const hasBash = spawnSync('bash', ['-c', 'exit 0']).status === 0;
/** Text that does harm where a shell, an expression or npm takes it for more than text. */
const hostile = `x"; touch pwned; $(touch pwned) \`touch pwned\` '; touch pwned #`;

interface Step {
  readonly name: string;
  readonly if?: string;
  readonly run: string;
  readonly env: Readonly<Record<string, string>>;
  readonly 'working-directory'?: string;
}
interface Action {
  readonly inputs: Readonly<Record<string, { readonly default: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
}
const action = parse(readFileSync(join(root, 'action.yml'), 'utf8')) as Action;

/** Puts commands first on the PATH: edgepack from the sources, and npm and gh that only note how they were called. */
function commands(folder: string, ghPrints = ''): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const note = (name: string) => `printf '%s\\n' "$@" >> "${join(folder, `${name}.log`)}"`;
  const scripts = {
    edgepack: `exec "${process.execPath}" "${join(root, 'test', 'ci', 'run-cli.mjs')}" "$@"`,
    npm: note('npm'),
    gh: `${note('gh')}\ncase "$*" in *--paginate*) printf '%s' '${ghPrints}' ;; esac`,
  };
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return bin;
}

/** Runs the steps as GitHub's runner does: expressions filled in, every script in a bash of its own. */
function runAction(folder: string, given: Readonly<Record<string, string>>, ghPrints = '') {
  const inputs = { ...Object.fromEntries(Object.entries(action.inputs).map(([k, v]) => [k, v.default])), ...given };
  const known: Record<string, string> = {
    'github.action_path': root,
    'github.token': 'token',
    'github.event.pull_request.number': '7',
    ...Object.fromEntries(Object.entries(inputs).map(([key, value]) => [`inputs.${key}`, value])),
  };
  const fill = (text: string) =>
    text.replace(/\$\{\{ *([\w.-]+) *\}\}/g, (_, name: string) => {
      if (known[name] === undefined) throw new Error(`no value for ${name}`);
      return known[name];
    });
  const [output, summary] = [join(folder, 'output.txt'), join(folder, 'summary.md')];
  for (const path of [output, summary]) writeFileSync(path, '');
  const path = `${commands(folder, ghPrints)}:${process.env.PATH}`;
  const results: { name: string; status: number | null; text: string }[] = [];
  for (const step of action.runs.steps) {
    const isComment = step.name === 'Comment';
    if (isComment && inputs.comment !== 'true') continue;
    if (!isComment && results.some(({ status }) => status !== 0)) continue;
    const script = join(folder, 'step.sh');
    writeFileSync(script, step.run);
    const env = Object.fromEntries(Object.entries(step.env).map(([key, value]) => [key, fill(value)]));
    const { status, stdout, stderr } = spawnSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', script], {
      cwd: join(folder, fill(step['working-directory'] ?? '.')),
      encoding: 'utf8',
      env: {
        PATH: path,
        HOME: folder,
        GITHUB_ACTIONS: 'true',
        GITHUB_WORKSPACE: folder,
        GITHUB_REPOSITORY: 'owner/name',
        GITHUB_SHA: 'c0ffee',
        GITHUB_OUTPUT: output,
        GITHUB_STEP_SUMMARY: summary,
        ...env,
      },
    });
    results.push({ name: step.name, status, text: stdout + stderr });
  }
  const read = (name: string) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : '');
  const check = results.find(({ name }) => name === 'Check');
  return {
    results,
    check,
    output: read('output.txt'),
    summary: read('summary.md'),
    gh: read('gh.log'),
    npm: read('npm.log'),
  };
}

describe.skipIf(!hasBash)('action.yml', () => {
  it('hands inputs to its scripts as environment variables only', () => {
    expect(action.runs.using).toBe('composite');
    for (const { run } of action.runs.steps) expect(run).not.toContain('${{');
    const named = action.runs.steps.flatMap(({ env, ...step }) => [
      ...Object.values(env),
      step['working-directory'] ?? '',
      step.if ?? '',
    ]);
    for (const input of Object.keys(action.inputs)) expect(named.join(' '), input).toContain(`inputs.${input}`);
  });

  it('passes, with the version of the action, a summary, a history and every file asked for', () => {
    const folder = exampleProject();
    const files = { junit: 'a b/check.xml', history: 'h.jsonl', trend: 'trend.svg', badge: 'size.svg' };
    const { results, output, summary, npm } = runAction(folder, { baseline: 'main', ...files });
    expect(results.map(({ name, status }) => [name, status])).toEqual([
      ['Install edgepack', 0],
      ['Check', 0],
    ]);
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(npm).toBe(`install\n--global\n--ignore-scripts\n--\nedgepack@${version}\n`);
    expect(output).toBe('status=passed\n');
    expect(summary).toContain('## edgepack: digits for rpi4 is within budget');
    expect(readFileSync(join(folder, 'edgepack-check.md'), 'utf8').trim()).toBe(summary.trim());
    for (const file of Object.values(files)) expect(existsSync(join(folder, file)), file).toBe(true);
    expect(JSON.parse(readFileSync(join(folder, 'h.jsonl'), 'utf8'))).toMatchObject({
      commit: 'c0ffee',
      status: 'passed',
    });
  });

  it('fails with annotations at the lines of the limits, and changes its own comment', () => {
    const folder = exampleProject(1050);
    const { check, output, gh } = runAction(folder, { baseline: 'main', comment: 'true', version: 'none' }, '41\n42\n');
    expect([check?.status, output]).toEqual([1, 'status=failed\n']);
    const annotations = check!.text.split('\n').filter((line) => line.startsWith('::'));
    expect(annotations).toHaveLength(2);
    expect(annotations[0]).toMatch(
      /^::error file=edgepack\.config\.json,line=7,title=digits for rpi4%3A size\.file::.*w1: \+/,
    );
    expect(annotations[1]).toMatch(/^::warning file=edgepack\.config\.json,line=10,title=/);
    expect(gh).toContain('repos/owner/name/issues/7/comments');
    expect(gh).toContain('PATCH\nrepos/owner/name/issues/comments/41\n-F\nbody=@edgepack-check.md');
  });

  it('writes a comment where there is none; tells a broken configuration from a failed gate', () => {
    const folder = exampleProject(0, { size: { fiel: 1 } });
    const { check, output, gh } = runAction(folder, {
      comment: 'true',
      version: 'none',
      markdown: 'edgepack.config.json',
    });
    expect([check?.status, output]).toEqual([2, 'status=refused\n']);
    expect(check!.text).toContain("unknown key 'fiel'");
    expect(gh).toContain('POST\nrepos/owner/name/issues/7/comments\n-F\nbody=@');
  });

  it('goes on without a baseline only where it may', () => {
    const missing = { baseline: 'nowhere.json', version: 'none' };
    const required = runAction(exampleProject(), missing);
    expect([required.check?.status, required.output]).toEqual([2, 'status=refused\n']);
    const optional = runAction(exampleProject(), { ...missing, 'baseline-optional': 'true' });
    expect([optional.check?.status, optional.output]).toEqual([0, 'status=passed\n']);
    expect(optional.check!.text).toContain('::notice::there is no baseline yet');
  });

  it.each(['subject', 'config', 'baseline', 'baseline-model', 'history', 'version'])(
    'a hostile %s is only text',
    (input) => {
      const folder = exampleProject();
      const { check, npm } = runAction(folder, { baseline: 'main', version: 'none', [input]: hostile });
      expect(existsSync(join(folder, 'pwned'))).toBe(false);
      if (input === 'version') expect(npm).toContain(`edgepack@${hostile}\n`);
      else if (input === 'history') expect(existsSync(join(folder, hostile))).toBe(true);
      else if (input !== 'baseline-model') expect(check?.status).toBe(2);
    },
  );
});

describe.skipIf(!hasBash)('ci/gitlab-template.yml', () => {
  interface Job {
    readonly variables: Readonly<Record<string, string>>;
    readonly before_script: readonly string[];
    readonly script: readonly string[];
    readonly artifacts: { readonly reports: { readonly junit: string }; readonly paths: readonly string[] };
  }
  const template = parse(readFileSync(join(root, 'ci', 'gitlab-template.yml'), 'utf8')) as Record<string, Job>;
  const job = template['.edgepack-check']!;

  /** As GitLab's runner does: variables in the environment, all lines in one POSIX shell that ends with the first failure. */
  function runJob(folder: string, variables: Readonly<Record<string, string>>) {
    const script = ['set -e', ...job.before_script, ...job.script].join('\n');
    const { status, stdout, stderr } = spawnSync('sh', ['-c', script], {
      cwd: folder,
      encoding: 'utf8',
      env: {
        PATH: `${commands(folder)}:${process.env.PATH}`,
        HOME: folder,
        CI_COMMIT_SHA: 'c0ffee',
        ...job.variables,
        ...variables,
      },
    });
    return { status, text: stdout + stderr };
  }

  it('passes and leaves the files that it promises', () => {
    const folder = exampleProject();
    const { status, text } = runJob(folder, { EDGEPACK_BASELINE: 'main', EDGEPACK_HISTORY: 'h.jsonl' });
    expect(status, text).toBe(0);
    expect(readFileSync(join(folder, 'npm.log'), 'utf8')).toContain('edgepack@latest');
    for (const path of [...job.artifacts.paths, job.artifacts.reports.junit]) {
      expect(existsSync(join(folder, path)), path).toBe(true);
    }
  });

  it('fails with exit code 1 over budget, and 2 without the baseline', () => {
    const variables = { EDGEPACK_VERSION: 'none', EDGEPACK_BASELINE: 'main/report.json', EDGEPACK_SUBJECT: 'out' };
    const { status, text } = runJob(exampleProject(1050), variables);
    expect(status, text).toBe(1);
    expect(text).toMatch(/edgepack\.config\.json:7\s+\(budgets\.size\.file\.maxIncrease\)/);
    expect(text).not.toContain('::error');
    expect(runJob(exampleProject(), { ...variables, EDGEPACK_BASELINE: 'nowhere' }).status).toBe(2);
  });

  it('takes a hostile variable for text', () => {
    const folder = exampleProject();
    expect(runJob(folder, { EDGEPACK_VERSION: 'none', EDGEPACK_SUBJECT: hostile }).status).toBe(2);
    expect(existsSync(join(folder, 'pwned'))).toBe(false);
  });
});

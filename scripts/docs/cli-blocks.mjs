import { createProgram } from '../../src/cli/run.ts';
import { listTargets, loadTarget } from '../../src/targets/load-target.ts';
import { codeBlock } from './markdown.mjs';

/** The help of every command, as the terminal shows it in 100 columns. */
export async function commandHelp() {
  let written = '';
  const stream = {
    columns: 100,
    write: (text) => {
      written += text;
    },
  };
  const program = await createProgram({
    process: { argv: ['node', 'edgepack'], env: {}, stdout: stream, stderr: stream, cwd: () => '/' },
    api: { version: '', listTargets, loadTarget },
    signal: new AbortController().signal,
    setExitCode: () => {},
    atEnd: () => {},
  });
  const helpOf = (command) => {
    written = '';
    command.outputHelp();
    return written.replace(/[ \t]+$/gm, '');
  };
  const sections = (command, name) => [
    `## ${name}\n\n${codeBlock(helpOf(command), 'text')}`,
    ...command.commands.flatMap((child) => sections(child, `${name} ${child.name()}`)),
  ];
  return sections(program, 'edgepack').join('\n\n');
}

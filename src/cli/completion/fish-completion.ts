import { allNodes, type CompletionNode, type CompletionOption, type CompletionValue } from './completion-tree.ts';

/** A completion script for fish 3 or newer. */
export function fishCompletion(root: CompletionNode): string {
  const lines = allNodes(root).flatMap((node) => {
    const complete = `complete -c ${root.name} -n ${quote(condition(node))}`;
    return [
      ...node.commands.map((child) => `${complete} -f -a ${child.name} -d ${quote(child.summary)}`),
      ...node.options.map((option) => `${complete} ${optionWords(option)}`),
      ...(node.path === '' ? [] : node.arguments.map((value) => `${complete} ${valueWords(value)}`)),
    ];
  });
  return `# Completion of ${root.name} for fish. To have it in every shell:
#   ${root.name} completion fish > ~/.config/fish/completions/${root.name}.fish
complete -c ${root.name} -f
${lines.join('\n')}
`;
}

/** Holds where the words so far lead to a command and not further. */
function condition({ path, commands }: CompletionNode): string {
  if (path === '') return '__fish_use_subcommand';
  const seen = path.split(' ').map((name) => `__fish_seen_subcommand_from ${name}`);
  if (commands.length > 0) seen.push(`not __fish_seen_subcommand_from ${commands.map(({ name }) => name).join(' ')}`);
  return seen.join('; and ');
}

function optionWords({ flags, description, value }: CompletionOption): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  return [...names, `-d ${quote(description)}`, ...(value === undefined ? [] : ['-r', valueWords(value)])].join(' ');
}

function valueWords({ words, paths }: CompletionValue): string {
  const known = [...words, ...(paths === 'folders' ? ['(__fish_complete_directories)'] : [])].join(' ');
  return `${paths === 'files' ? '-F' : '-f'}${known === '' ? '' : ` -a ${quote(known)}`}`;
}

function quote(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}

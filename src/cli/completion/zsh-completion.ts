import type { CompletionNode, CompletionOption, CompletionValue } from './completion-tree.ts';

/** A completion script for zsh: to be sourced after `compinit`, or saved as `_edgepack` in a folder of `fpath`. */
export function zshCompletion(root: CompletionNode): string {
  return `#compdef ${root.name}
# Completion of ${root.name} for zsh. To have it in every shell, add to ~/.zshrc, below "autoload -Uz compinit && compinit":
#   source <(${root.name} completion zsh)
${functionOf(root, `_${root.name}`)}
if [[ $funcstack[1] == _${root.name} ]]; then
  _${root.name} "$@"
else
  compdef _${root.name} ${root.name}
fi
`;
}

/** The function of a command, after those of the commands below it. */
function functionOf(node: CompletionNode, name: string): string {
  const specs = node.options.map(optionSpec);
  if (node.commands.length === 0) {
    const values = node.arguments.map(
      (value, index) => `${value.repeatable ? '*' : index + 1}:${value.name}:${action(value)}`,
    );
    return body(name, `  _arguments -s ${[...specs, ...values.map(quote)].join(' \\\n    ')}`);
  }
  const below = node.commands.map((child) => ({ child, name: `${name}_${child.name.replaceAll('-', '_')}` }));
  const described = node.commands.map((child) => quote(`${child.name.replaceAll(':', '\\:')}:${child.summary}`));
  const [first] = node.arguments.map((value) =>
    value.words.filter((word) => !node.commands.some(({ name: n }) => n === word)),
  );
  const also =
    node.path === '' || first === undefined || first.length === 0 ? '' : `; compadd -- ${first.join(' ')}; _files`;
  const own = `  local curcontext=$curcontext state line
  local -a commands=(
    ${described.join('\n    ')}
  )
  _arguments -C -s ${[...specs, quote('1:command:->command'), quote('*::argument:->argument')].join(' \\\n    ')}
  case $state in
    command) _describe -t commands command commands${also} ;;
    argument)
      case $words[1] in
${below.map(({ child, name }) => `        ${child.name}) ${name} ;;`).join('\n')}
      esac
      ;;
  esac`;
  return [...below.map(({ child, name }) => functionOf(child, name)), body(name, own)].join('\n');
}

function body(name: string, text: string): string {
  return `${name}() {\n${text}\n}`;
}

function optionSpec({ flags, description, value }: CompletionOption): string {
  const repeatable = value?.repeatable === true;
  const exclusive = repeatable ? "'*'" : `'(${flags.join(' ')})'`;
  const names = flags.map((flag) => (value === undefined ? flag : flag.startsWith('--') ? `${flag}=` : `${flag}+`));
  const text = `[${description.replace(/[[\]\\]/g, '\\$&')}]${value === undefined ? '' : `:${value.name}:${action(value)}`}`;
  return names.length === 1
    ? `${exclusive}${names[0]}${quote(text)}`
    : `${exclusive}{${names.join(',')}}${quote(text)}`;
}

function action({ words, paths }: CompletionValue): string {
  const files = paths === 'files' ? '_files' : paths === 'folders' ? '_files -/' : '';
  if (words.length === 0) return files === '' ? ' ' : files;
  return files === '' ? `(${words.join(' ')})` : `{compadd -- ${words.join(' ')}; ${files}}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

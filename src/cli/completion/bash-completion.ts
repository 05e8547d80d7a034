import { allNodes, type CompletionNode, type CompletionValue } from './completion-tree.ts';

/** A completion script for bash 3.2 or newer; needs no other package. */
export function bashCompletion(root: CompletionNode): string {
  const nodes = allNodes(root);
  const takesValue = nodes.flatMap(({ path, options }) =>
    options.filter(({ value }) => value !== undefined).map(({ flags, value }) => ({ path, flags, value: value! })),
  );
  return `# Completion of ${root.name} for bash. To have it in every shell, add to ~/.bashrc:
#   source <(${root.name} completion bash)
_${root.name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} command='' option='' position=0 words='' paths='' word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ -n $option ]]; then
      [[ $word == '=' ]] || option=''
      continue
    fi
    case "$command|$word" in
${takesValue.map(({ path, flags }) => `      ${patterns(path, flags)}) option=$word ;;`).join('\n')}
${nodes
  .flatMap(({ path, commands }) =>
    commands.map((child) => `      ${quote(`${path}|${child.name}`)}) command=${quote(child.path)} position=0 ;;`),
  )
  .join('\n')}
      *'|-'*) ;;
      *) position=$((position + 1)) ;;
    esac
  done
  [[ $cur == '=' ]] && cur=''
  if [[ -n $option ]]; then
    case "$command|$option" in
${takesValue.map(({ path, flags, value }) => `      ${patterns(path, flags)}) ${assign(value)} ;;`).join('\n')}
    esac
  elif [[ $cur == -* ]]; then
    case $command in
${nodes.map(({ path, options }) => `      ${quote(path)}) words=${quote(options.flatMap(({ flags }) => flags).join(' '))} ;;`).join('\n')}
    esac
  else
    case "$command|$position" in
${nodes
  .flatMap(({ path, arguments: values }) =>
    values.map(
      (value, index) =>
        `      ${value.repeatable ? `${quote(`${path}|`)}*` : quote(`${path}|${index}`)}) ${assign(value)} ;;`,
    ),
  )
  .join('\n')}
    esac
  fi
  while IFS= read -r word; do
    [[ -n $word ]] && COMPREPLY+=("$word")
  done < <(
    compgen -W "$words" -- "$cur"
    case $paths in
      files) compgen -f -- "$cur" ;;
      folders) compgen -d -- "$cur" ;;
    esac
  )
  [[ -z $paths ]] || compopt -o filenames 2>/dev/null
  return 0
}
complete -F _${root.name} ${root.name}
`;
}

function patterns(path: string, flags: readonly string[]): string {
  return flags.map((flag) => quote(`${path}|${flag}`)).join(' | ');
}

function assign({ words, paths }: CompletionValue): string {
  return `words=${quote(words.join(' '))} paths=${paths === 'none' ? "''" : paths}`;
}

function quote(text: string): string {
  return `'${text}'`;
}

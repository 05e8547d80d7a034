import { allNodes, type CompletionNode } from './completion-tree.ts';

/** A completion script for PowerShell 5.1 or newer. Where it offers nothing, PowerShell completes files by itself. */
export function powershellCompletion(root: CompletionNode): string {
  const nodes = allNodes(root);
  const options = nodes.flatMap((node) =>
    node.options.flatMap(({ flags, description, value }) => flags.map((flag) => ({ node, flag, description, value }))),
  );
  const taking = options.filter(({ value }) => value !== undefined);
  return `# Completion of ${root.name} for PowerShell. To have it in every shell, add to the file that $PROFILE names:
#   ${root.name} completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName ${root.name} -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $commands = @{
${entries(nodes.filter(({ commands }) => commands.length > 0).map((node) => [node.path, pairs(node.commands.map(({ name, summary }) => [name, summary]))]))}
  }
  $options = @{
${entries(nodes.map((node) => [node.path, pairs(node.options.flatMap(({ flags, description }) => flags.map((flag) => [flag, description] as const)))]))}
  }
  $values = @{
${entries(taking.map(({ node, flag, value }) => [`${node.path}|${flag}`, list(value!.words)]))}
  }
  $arguments = @{
${entries(nodes.flatMap((node) => node.arguments.map((value, index) => [`${node.path}|${index}`, list(value.words)] as const)))}
  }
  $command = ''; $option = ''; $position = 0
  foreach ($element in @($commandAst.CommandElements | Select-Object -Skip 1)) {
    if ($element.Extent.EndOffset -ge $cursorPosition) { break }
    $word = $element.Extent.Text
    if ($option) { $option = ''; continue }
    if ($values.ContainsKey("$command|$word")) { $option = $word; continue }
    if ($word.StartsWith('-')) { continue }
    if ($commands.ContainsKey($command) -and @($commands[$command] | Where-Object { $_[0] -ceq $word }).Count -gt 0) {
      $command = "$command $word".Trim(); $position = 0; continue
    }
    $position++
  }
  if ($option) { $found = @($values["$command|$option"] | ForEach-Object { , @($_, $_) }) }
  elseif ($wordToComplete.StartsWith('-')) { $found = $options[$command] }
  elseif ($command -eq '' -and $position -eq 0) { $found = $commands[$command] }
  else { $found = @($arguments["$command|$position"] | ForEach-Object { , @($_, $_) }) }
  foreach ($pair in $found) {
    if ($pair[0] -and $pair[0].StartsWith($wordToComplete, [StringComparison]::Ordinal)) {
      [System.Management.Automation.CompletionResult]::new($pair[0], $pair[0], 'ParameterValue', $pair[1])
    }
  }
}
`;
}

function entries(rows: readonly (readonly [string, string])[]): string {
  // Keys of a hashtable do not tell capitals from small letters, and options do ("-V"); the later of two would be an error.
  const seen = new Set<string>();
  const unique = rows.filter(([key]) => !seen.has(key.toLowerCase()) && seen.add(key.toLowerCase()));
  return unique.map(([key, value]) => `    ${quote(key)} = ${value}`).join('\n');
}

function pairs(rows: readonly (readonly [string, string])[]): string {
  return `@(${rows.map(([word, text]) => `, @(${quote(word)}, ${quote(text)})`).join('; ')})`;
}

function list(words: readonly string[]): string {
  return `@(${words.map(quote).join(', ')})`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

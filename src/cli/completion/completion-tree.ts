import type { Argument, Command, Option } from 'commander';

/** What may stand in one place of a command line: known words, paths, both or neither. */
export interface CompletionValue {
  /** The word for the value in the help, such as "device". */
  readonly name: string;
  readonly words: readonly string[];
  readonly paths: 'files' | 'folders' | 'none';
  /** Whether it may be given several times. */
  readonly repeatable: boolean;
}

export interface CompletionOption {
  /** `-t` and `--target`: the short form first, where there is one. */
  readonly flags: readonly string[];
  readonly description: string;
  /** undefined for a flag without a value. */
  readonly value: CompletionValue | undefined;
}

/** A command as completion sees it; the program itself is the root, with an empty path. */
export interface CompletionNode {
  /** Names from the program to here, without the program: `''`, `'compress'`. */
  readonly path: string;
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletionOption[];
  readonly arguments: readonly CompletionValue[];
  readonly commands: readonly CompletionNode[];
}

/** Names that are known when the script is made, by the word that the help uses for such a value. */
export type Vocabulary = Readonly<Record<string, readonly string[]>>;

const pathsByWord: Readonly<Record<string, CompletionValue['paths']>> = {
  model: 'files',
  file: 'files',
  path: 'files',
  folder: 'folders',
  device: 'files',
  recipe: 'files',
  target: 'files',
  preset: 'files',
};

/**
 * What can be completed below a command, read from the command itself, so that a new command or option needs nothing more.
 * The word for a value says what it is: `<device>` completes names of devices and files, `<folder>` folders, and so on;
 * an argument with any other word completes files.
 */
export function completionTree(command: Command, vocabulary: Vocabulary, path = ''): CompletionNode {
  const help = command.createHelp();
  const commands = help.visibleCommands(command);
  const names = commands.map((child) => child.name());
  const values = names.length === 0 ? vocabulary : { ...vocabulary, command: names };
  return {
    path,
    name: command.name(),
    summary: brief(help.subcommandDescription(command)),
    options: help.visibleOptions(command).map((option) => optionOf(option, values)),
    arguments: withCommands(
      names,
      command.registeredArguments.map((argument) => argumentOf(argument, values)),
    ),
    // "help <command>" is answered by the names of its parent, which are in `values`.
    commands: commands.map((child) => completionTree(child, values, `${path} ${child.name()}`.trim())),
  };
}

/** The first place takes a command, or, of a command that does something by itself, its first argument. */
function withCommands(names: readonly string[], own: readonly CompletionValue[]): readonly CompletionValue[] {
  if (names.length === 0) return own;
  const [first, ...others] = own;
  if (first === undefined) return [{ name: 'command', words: names, paths: 'none', repeatable: false }];
  return [{ ...first, words: [...names, ...first.words] }, ...others];
}

/** A node and all below it. */
export function allNodes(root: CompletionNode): readonly CompletionNode[] {
  return [root, ...root.commands.flatMap(allNodes)];
}

function optionOf(option: Option, vocabulary: Vocabulary): CompletionOption {
  const word = /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1];
  const repeatable = option.variadic || / \(repeatable\)/.test(option.description);
  return {
    flags: [option.short, option.long].filter((flag) => flag !== undefined),
    description: brief(option.description),
    value: word === undefined ? undefined : completionValue(word, option.argChoices, vocabulary, 'none', repeatable),
  };
}

function argumentOf(argument: Argument, vocabulary: Vocabulary): CompletionValue {
  return completionValue(argument.name(), argument.argChoices, vocabulary, 'files', argument.variadic);
}

function completionValue(
  written: string,
  choices: readonly string[] | undefined,
  vocabulary: Vocabulary,
  otherwise: CompletionValue['paths'],
  repeatable: boolean,
): CompletionValue {
  const plain = written.replace(/\.\.\.$/, '');
  const singular = plain.replace(/s$/, '');
  const name = Object.hasOwn(pathsByWord, plain) || Object.hasOwn(vocabulary, plain) ? plain : singular;
  if (choices !== undefined) return { name: plain, words: choices, paths: 'none', repeatable };
  const known = Object.hasOwn(vocabulary, name) ? vocabulary[name]! : [];
  const paths = pathsByWord[name] ?? (known.length > 0 ? 'none' : otherwise);
  return { name: plain, words: known.filter((word) => /^[\w.+:-]+$/.test(word)), paths, repeatable };
}

/** The first clause of a description, for a menu. */
function brief(description: string): string {
  return description.split(/(?:: |; | \(|\. |\.$)/, 1)[0]!;
}

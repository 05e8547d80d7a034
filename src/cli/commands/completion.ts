import { Argument, Command } from 'commander';
import { preprocessPresets } from '../../data/preprocess.ts';
import { listRecipes } from '../../recipes/load-recipe.ts';
import { listProviders } from '../../targets/load-provider.ts';
import type { CommandContext } from '../command-session.ts';
import { bashCompletion } from '../completion/bash-completion.ts';
import { completionTree } from '../completion/completion-tree.ts';
import { fishCompletion } from '../completion/fish-completion.ts';
import { powershellCompletion } from '../completion/powershell-completion.ts';
import { zshCompletion } from '../completion/zsh-completion.ts';

const shells = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
  powershell: powershellCompletion,
} as const;

const examples = `
Examples:
  edgepack completion bash
      prints the script; to have it in every shell, add to ~/.bashrc:  source <(edgepack completion bash)
  edgepack completion zsh
      add to ~/.zshrc, after compinit:  source <(edgepack completion zsh)
  edgepack completion fish > ~/.config/fish/completions/edgepack.fish
  edgepack completion powershell
      add to the file that $PROFILE names:  edgepack completion powershell | Out-String | Invoke-Expression

Nothing is installed. The shell must find "edgepack": npm install --global, or node_modules/.bin in the PATH.`;

export function completionCommand(context: CommandContext): Command {
  return new Command('completion')
    .description('Prints a script that lets a shell complete commands, options, devices, recipes, presets and paths.')
    .addArgument(new Argument('<shell>', 'the shell it is for').choices(Object.keys(shells)))
    .addHelpText('after', examples)
    .action(async (shell: keyof typeof shells, _flags: unknown, command: Command) => {
      const targets = await context.api.listTargets();
      const vocabulary = {
        device: targets,
        provider: listProviders(),
        target: targets,
        recipe: listRecipes(),
        preset: Object.keys(preprocessPresets()),
      };
      context.process.stdout.write(shells[shell](completionTree(command.parent!, vocabulary)));
    });
}

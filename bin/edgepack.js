#!/usr/bin/env node
// Before anything else is loaded: what is missing is said in one line. This file must parse in old versions of Node.
const say = (error, hint) => {
  process.exitCode = 2;
  process.stderr.write(`error: ${error} [engine-missing]\nhint: ${hint}\n`);
};

if (Number.parseInt(process.versions.node, 10) < 20) {
  say(`edgepack needs Node 20 or newer, this is ${process.versions.node}`, 'Install a newer Node: https://nodejs.org');
} else {
  import('../dist/bundle/cli.js').then(
    ({ main }) => main(process),
    (error) => {
      if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
      const [what] = /'[^']+'/.exec(error.message) || ['a file'];
      say(
        `edgepack is not installed completely: ${what} is missing`,
        'Run npm ci in a clone, npm install --ignore-scripts elsewhere',
      );
    },
  );
}

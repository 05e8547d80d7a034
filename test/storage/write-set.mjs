// Writes the set of outputs that kills.long.test.ts kills: write-set.mjs <output-set module> <folder> <letter>
const [module, folder, letter] = process.argv.slice(2);
const { OutputSet } = await import(module);
const set = new OutputSet(folder);
try {
  for (const name of ['model.onnx', 'model.epk', 'report.md', 'report.json']) {
    set.add(
      name,
      Array.from({ length: 4 }, () => Buffer.alloc(50_000, letter)),
    );
  }
  set.commit({ force: true });
} finally {
  set.close();
}

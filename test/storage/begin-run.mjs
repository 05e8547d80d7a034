// What every run does before anything else, and its end: begin-run.mjs <dist> <folder>
const [dist, folder] = process.argv.slice(2);
const { OutputSet } = await import(`${dist}/storage/output-set.js`);
const { TemporaryFolder } = await import(`${dist}/storage/temporary-folder.js`);
const set = new OutputSet(folder);
new TemporaryFolder().remove();
set.close();

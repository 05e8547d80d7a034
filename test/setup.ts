import fc from 'fast-check';

/** The same cases in every run, so that a failure can be repeated; another seed tries others. */
fc.configureGlobal({ seed: Number(process.env.EDGEPACK_PROPERTY_SEED ?? 20) });

import fc from 'fast-check';

// The same cases on every run, so that a red run is a change of the code; FC_SEED=7 npx vitest run … tries others.
fc.configureGlobal({ seed: Number(process.env['FC_SEED'] ?? 20_261_124) });

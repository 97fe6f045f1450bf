/** The built program: what starts processes of its own is tested there, as Node 20 runs no TypeScript. */
const BUILT = new URL('../../dist/', import.meta.url);

/** A module of it, by its path below dist/. */
export const built = async <Module>(file: string): Promise<Module> =>
  (await import(new URL(file, BUILT).href)) as Module;

/** The part of hnswlib-node that is called. The package is optional: the build must not need its own types. */
declare module 'hnswlib-node' {
  export class HierarchicalNSW {
    constructor(space: 'l2' | 'ip' | 'cosine', dimensions: number);
    initIndex(maxElements: number, m?: number, efConstruction?: number, randomSeed?: number): void;
    addPoint(point: number[], label: number): void;
    searchKnn(query: number[], neighbors: number): { distances: number[]; neighbors: number[] };
    setEf(ef: number): void;
    getCurrentCount(): number;
    writeIndex(path: string): Promise<boolean>;
    readIndex(path: string): Promise<boolean>;
  }
  const library: { readonly HierarchicalNSW: typeof HierarchicalNSW };
  export default library;
}

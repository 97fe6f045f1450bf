/** A store that was written as a table. */
export interface TableExportResult {
  readonly store: string;
  readonly images: number;
  /** What the features are, as in `avg` or `block5_pool:avg,block4_pool:avg`, and their numbers an image. */
  readonly features: string;
  readonly width: number;
  /** Images that counted under another label or split than the store's; absent where no list of labels was given. */
  readonly relabelled?: number;
  /** The table of a head's answers that was joined; null where none was. */
  readonly answers: string | null;
  readonly files: readonly {
    readonly kind: 'parquet' | 'csv' | 'npz';
    readonly path: string;
    readonly bytes: number;
  }[];
}

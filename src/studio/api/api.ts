import type {
  BrowsePage,
  HeadFacts,
  ImageView,
  MapAnswer,
  ReviewState,
  Saved,
  SearchAnswer,
  StoreFacts,
  TaughtImage,
  TeachState,
  HeadAnswer,
} from './studio-data.ts';
import type { SweepChoices, SweepState } from './studio-sweep.ts';
import type { SweepScore } from '../../results/sweep-result.ts';

/**
 * Each route with its answer in JSON; `addresses` names the rest. Everyone takes the query `features`: the name of the
 * cut that the data set is seen through, where it has several. An error answers ApiError, status 400 or more.
 */
export interface Api {
  'GET /api/store': { readonly facts: StoreFacts; readonly heads: readonly HeadFacts[] };
  /** Query: BROWSE_OPTIONS. */
  'GET /api/images': BrowsePage;
  /** Query: `head`, any number of times. */
  'GET /api/images/:snapshot/:row': ImageView;
  /** Body: { label }. Decides in the review, for the list of labels. */
  'PUT /api/images/:snapshot/:row/label': { readonly decided: string };
  'GET /api/map': MapAnswer;
  /** Body: the bytes of an image. Query: `head`, any number of times. */
  'POST /api/search': SearchAnswer;
  /** Body: { head, pooling, on }: `chosen` features, or those of `all` networks side by side. Answers the head. */
  'POST /api/heads': HeadFacts;
  'GET /api/teach': TeachState;
  /** Body: { name }. */
  'POST /api/teach/classes': TeachState;
  'PATCH /api/teach/classes/:id': TeachState;
  'DELETE /api/teach/classes/:id': TeachState;
  /** Body: the bytes of an image. Query: `name`, and `take`: images of one take of the camera have one. */
  'POST /api/teach/classes/:id/images': TaughtImage;
  'DELETE /api/teach/images/:id': TeachState;
  'POST /api/teach/undo': TeachState;
  'POST /api/teach/clear': TeachState;
  /** Body: the bytes of an image. */
  'POST /api/teach/ask': HeadAnswer;
  /** Body: { as: 'head' | 'dataset', name }. */
  'POST /api/teach/save': Saved;
  'GET /api/review': ReviewState;
  /** Body: { path, label }. */
  'POST /api/review/decisions': ReviewState;
  'POST /api/review/undo': ReviewState;
  'POST /api/review/save': Saved;
  'GET /api/sweep': SweepState;
  'GET /api/sweep/choices': SweepChoices;
  /** Body: SweepForm. */
  'POST /api/sweep': SweepState;
  'DELETE /api/sweep': SweepState;
}

export interface ApiError {
  readonly code: string;
  readonly message: string;
}

export interface SweepForm {
  /** Values by axis, separated by commas, as the flags of `permafrost sweep`; empty: the default grid's. */
  readonly axes: Readonly<Record<string, string>>;
  readonly folds: number;
  readonly score: SweepScore;
  /** Whether the best becomes a head file. */
  readonly save: boolean;
}

/** Addresses of what is no JSON, relative to the page's. */
export const addresses = {
  thumbnail: (snapshot: string, row: number): string => `api/images/${snapshot}/${row}/thumbnail.webp`,
  large: (snapshot: string, row: number): string => `api/images/${snapshot}/${row}/large.webp`,
  taught: (sha256: string): string => `api/teach/pictures/${sha256}.webp`,
  /** Server-sent events, each a SweepState. */
  sweepEvents: 'api/sweep/events',
} as const;

/** Largest body of an uploaded image, in bytes. */
export const MOST_UPLOAD_BYTES = 30 * 2 ** 20;

import { selectRows, type Matrix } from '../../core/matrix.ts';
import { matrixRows } from '../../core/rows.ts';
import { present, type Judgement, type OrReason, type ReportClass } from '../../results/report-data.ts';
import * as metrics from '../../classify/evaluate/metrics.ts';
import { exactIndex } from '../../classify/neighbors/exact.ts';
import type { Answers } from './answers.ts';
import type { PageImages } from './images.ts';

/** Nearest training images that are shown beside a validated one. */
const NEIGHBORS = 3;

/** The page's validated images as judged, with their nearest training images of the page. X: row i for samples[i]. */
async function judgedImages(
  { tallied, probability }: Answers,
  { samples, places }: PageImages,
  X: Matrix,
): Promise<Judgement['judged']> {
  const rowsOf = (isWanted: (i: number) => boolean): number[] => [...samples.keys()].filter(isWanted);
  const held = rowsOf((i) => places[i]! >= 0);
  const trained = rowsOf((i) => samples[i]!.split === 'train');
  const near =
    trained.length === 0 || held.length === 0
      ? { k: 0, indices: new Int32Array(0), distances: new Float32Array(0) }
      : await exactIndex(matrixRows(selectRows(X, trained)), 'cosine').search(selectRows(X, held), NEIGHBORS);
  return held.map((image, i) => {
    const place = places[image]!;
    return {
      image,
      predicted: tallied.classes[tallied.guess[place]!]!,
      probability: probability[place]!,
      neighbors: Array.from({ length: near.k }, (_unused, j) => ({
        image: trained[near.indices[i * near.k + j]!]!,
        distance: near.distances[i * near.k + j]!,
      })),
    };
  });
}

/** The best head's answers on a page: figures of all validated images, and those of the page one by one. */
export async function judgementOf(
  answers: OrReason<Answers>,
  page: PageImages,
  X: Matrix,
): Promise<OrReason<Judgement>> {
  if (!present(answers)) return answers;
  const { best, file, split, tallied, novelty, mistaken } = answers;
  const { classes, truth, guess } = tallied;
  const k = classes.length;
  const counts = metrics.confusionMatrix(truth, guess, k);
  const hits = metrics.hits(truth, guess);
  const validated = truth.length;
  const judged = await judgedImages(answers, page, X);
  const numberOf = new Map(judged.map(({ image }, at) => [page.samples[image]!.path, at]));
  const placeOf = (at: number): number => page.places[judged[at]!.image]!;
  return {
    head: { name: best.name, pooling: best.pooling, normalize: best.normalize, params: best.params },
    file,
    split,
    validated,
    accuracy: hits / validated,
    interval: metrics.wilsonInterval(hits, validated),
    classes: metrics.classScores(counts, k).map((scores, c): ReportClass => ({ label: classes[c]!, ...scores })),
    confusion: classes.map((_, c) => [...counts.subarray(c * k, (c + 1) * k)]),
    calibration: tallied.calibration(),
    judged,
    mistakes: mistaken.map((path) => numberOf.get(path)!),
    unknown:
      novelty &&
      [...judged.keys()]
        .filter((at) => novelty.isUnknown[placeOf(at)] === 1)
        .sort((a, b) => novelty.value[placeOf(b)]! - novelty.value[placeOf(a)]! || a - b),
    caution: cautionOf(answers, hits),
  };
}

/** Where the figures are not those of the run, or may be too high: why; else null. */
function cautionOf({ best, split, tallied, leftOut }: Answers, hits: number): string | null {
  const validated = tallied.truth.length;
  const said: string[] = [];
  if (leftOut !== undefined && leftOut > 0)
    said.push(
      `The head was trained on ${leftOut} of the ${validated + leftOut} ${split} images that the store holds now (files of the same content): they are left out of all that follows, for on those it is no measure.`,
    );
  if (hits !== Math.round(best.accuracy * best.validated) || best.validated !== validated)
    said.push(
      `The run's table tells of ${best.validated} validated images and an accuracy of ${best.accuracy.toFixed(4)}; ${leftOut ? 'left are' : 'the store now holds'} ${validated}, on which the saved head reaches ${(hits / validated).toFixed(4)}. What follows is about those.`,
    );
  if (leftOut === undefined)
    said.push(
      'An older version wrote the head and did not keep which images it was trained on, so it is not known whether some of these are among them. Run "permafrost run" on the data set again to be sure.',
    );
  return said.length === 0 ? null : said.join(' ');
}

import { present } from '../../../results/or-reason.ts';
import { fromLossless } from '../../../extract/lossless-square.ts';
import { headNetworks } from '../../../store/read/heads/head-file.ts';
import type { FeatureMaker, Judge, Pairs } from '../../network/agreement/judge.ts';
import { storedPairs } from '../../network/agreement/stored-pairs.ts';
import { probabilities } from '../trained-head.ts';
import { trainingStore } from './training-store.ts';
import type { OpenedHead } from './head-files.ts';

/**
 * By what an engine of another class than that of a head's features is judged: by the images of its store, where those
 * and their features are there; else by the probe images that its file carries.
 */
export function judgeOfHead(opened: OpenedHead): Judge {
  return {
    subject: () => Promise.resolve(`head ${opened.digest}`),
    answersOf: (X) => probabilities(opened, X),
    async pairs(maker) {
      const trained = await trainingStore(opened);
      const stored = present(trained)
        ? await storedPairs(trained.store, trained.parts, maker)
        : { missing: `${trained.missing}.` };
      if (present(stored)) return stored;
      const { probes } = opened;
      if (probes !== undefined) return pairsOfProbes(opened, probes, maker);
      return {
        missing: `${stored.missing} And the head's file carries no probe images: it was trained with --probe-images 0, where its images could not be read, or by an older version.`,
      };
    },
  };
}

async function pairsOfProbes(
  { document }: OpenedHead,
  { squares, answers, features }: NonNullable<OpenedHead['probes']>,
  maker: FeatureMaker,
): Promise<Pairs> {
  const sizes = headNetworks(document).map(({ settings }) => settings.contract.size);
  const decoded = await Promise.all(
    squares.map((files, network) => Promise.all(files.map((file) => fromLossless(file, sizes[network]!)))),
  );
  return { by: 'probe images', own: features, answers, other: await maker.ofSquares(decoded) };
}

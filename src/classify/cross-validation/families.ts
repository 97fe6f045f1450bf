import { canonicalJson } from '../../core/digest.ts';
import type { Head } from '../head.ts';
import { type HeadOptions, headEntry } from '../heads/index.ts';
import type { LinearLoss } from '../solvers/linear-problems.ts';

/** A head to cross-validate, its options resolved. */
export type HeadPlan = Pick<Head, 'name' | 'params'>;

/** How the heads of one family share their work: see held-out.ts. */
export type FamilyKind = 'linear' | 'kernel-logistic' | 'kernel-ridge' | 'neighbors' | 'single';

/** Plans that are cross-validated together, in the order in which they come out. */
export interface Family {
  readonly kind: FamilyKind;
  readonly plans: readonly HeadPlan[];
}

/** The losses of the heads that are solved along a path of C. */
export const LOSSES: Readonly<Record<string, LinearLoss>> = {
  logistic: 'logistic',
  'linear-svm': 'squaredHinge',
  ridge: 'squaredError',
  'kernel-logistic': 'logistic',
};

/** The plan of a head with `options` over its defaults. Throws OPTION_INVALID. */
export function planOf(name: string, options: HeadOptions): HeadPlan {
  const { params } = headEntry(name).create(options);
  return { name, params };
}

/** The inverse strength of a linear plan's penalty. */
export const strengthOf = ({ params }: HeadPlan): number => Number(params.C ?? 1 / Number(params.alpha));

/** Whether a head chooses penalties itself: then it is fitted by itself. */
const chooses = ({ params }: HeadPlan): boolean =>
  [params.alphas, params.gammas].some((list) => typeof list === 'string' && list.trim() !== '');

function familyKey(plan: HeadPlan): { kind: FamilyKind; key: string } {
  const { name, params } = plan;
  const without = (...keys: string[]): string =>
    canonicalJson([
      name,
      Object.entries(params)
        .filter(([key]) => !keys.includes(key))
        .sort(),
    ]);
  if (chooses(plan)) return { kind: 'single', key: without() };
  // A width of the kernel has a matrix of its own, on which penalties share their steps.
  if (name === 'kernel-logistic') return { kind: name, key: without('C') };
  if (name === 'kernel-ridge') return { kind: name, key: without('alpha') };
  if (Object.hasOwn(LOSSES, name)) return { kind: 'linear', key: without('C', 'alpha') };
  if (name === 'knn') return { kind: 'neighbors', key: without('nNeighbors', 'weights') };
  return { kind: 'single', key: without() };
}

/** Plans by families, in the order of their first members; a path goes from the strongest penalty to the weakest. */
export function familiesOf(plans: readonly HeadPlan[]): Family[] {
  const families = new Map<string, { kind: FamilyKind; plans: HeadPlan[] }>();
  for (const plan of plans) {
    const { kind, key } = familyKey(plan);
    const family = families.get(key) ?? { kind, plans: [] };
    family.plans.push(plan);
    families.set(key, family);
  }
  for (const { kind, plans: members } of families.values())
    if (kind !== 'neighbors' && kind !== 'single') members.sort((a, b) => strengthOf(a) - strengthOf(b));
  return [...families.values()];
}

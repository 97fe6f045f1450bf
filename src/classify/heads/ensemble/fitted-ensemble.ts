import { PermafrostError } from '../../../core/errors.ts';
import { matrix } from '../../../core/matrix.ts';
import type { Rows } from '../../../core/rows.ts';
import { checkPredict } from '../../checks.ts';
import type { FittedHead, HeadState } from '../../head.ts';
import { factsOf, stateOf, type FittedFacts } from '../fitted-state.ts';
import { scaledHead } from '../scaled-head.ts';

/** A fitted member, its probabilities scaled, and its part of the vote. */
export interface Member {
  readonly head: FittedHead;
  readonly weight: number;
}

/** Members vote with their probabilities: the weighted mean. */
export function fittedEnsemble(
  self: Pick<FittedFacts, 'name' | 'params' | 'features'>,
  members: readonly Member[],
  notes: readonly string[],
): FittedHead {
  const { classes } = members[0]!.head;
  const facts: FittedFacts = {
    ...self,
    classes,
    converged: members.every(({ head }) => head.converged),
    iterations: 0,
    notes,
  };
  return {
    ...facts,
    async predictProba(X) {
      checkPredict(`The head "${facts.name}"`, X, facts.features);
      const P = matrix(X.rows, classes.length);
      for (const { head, weight } of members) {
        const { data } = await head.predictProba(X);
        for (let at = 0; at < data.length; at++) P.data[at]! += weight * data[at]!;
      }
      return P;
    },
    state: stateOf(
      facts,
      new Map(
        members.flatMap(({ head }, i) =>
          [...head.state.tensors].map(([name, tensor]) => [`${i}/${name}`, tensor] as const),
        ),
      ),
      {
        members: members.map(({ head, weight }) => ({
          name: head.name,
          weight,
          ...(head.temperature !== undefined && { temperature: head.temperature }),
          head: head.state.json,
        })),
      },
    ),
  };
}

interface StoredMember {
  readonly name: string;
  readonly weight: number;
  readonly temperature?: number;
  readonly head: HeadState['json'];
}

function isStoredMember(value: unknown): value is StoredMember {
  const { name, weight, temperature, head } = (value ?? {}) as Record<string, unknown>;
  const isPositive = (number: unknown): boolean => typeof number === 'number' && number > 0 && Number.isFinite(number);
  return (
    typeof name === 'string' &&
    name !== 'ensemble' &&
    isPositive(weight) &&
    (temperature === undefined || isPositive(temperature)) &&
    typeof head === 'object' &&
    head !== null
  );
}

/** The head in `state`. Throws HEAD_CORRUPT, and what loading a member throws. */
export async function loadEnsemble(
  load: (name: string, state: HeadState) => Promise<FittedHead>,
  state: HeadState,
  rows?: Rows,
): Promise<FittedHead> {
  const facts = factsOf(state);
  const { members: stored } = state.json;
  if (rows !== undefined || !Array.isArray(stored) || stored.length === 0 || !stored.every(isStoredMember))
    throw new PermafrostError('HEAD_CORRUPT', 'The stored ensemble lacks its members. Train it again.');
  const members: Member[] = [];
  for (const [i, { name, weight, temperature, head }] of stored.entries()) {
    const own = [...state.tensors].flatMap(([key, tensor]) =>
      key.startsWith(`${i}/`) ? [[key.slice(`${i}/`.length), tensor] as const] : [],
    );
    const fitted = await load(name, { json: head, tensors: new Map(own) });
    if (fitted.features !== facts.features || fitted.classes.join('\n') !== facts.classes.join('\n'))
      throw new PermafrostError(
        'HEAD_CORRUPT',
        `The stored ensemble has a member "${name}" of other features or classes. Train it again.`,
      );
    members.push({ head: scaledHead(fitted, temperature), weight });
  }
  return fittedEnsemble(facts, members, facts.notes);
}

/** Levenshtein distance between two short words. */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(previous[j]! + 1, current[j - 1]! + 1, substitution));
    }
    previous = current;
  }
  return previous[b.length]!;
}

/** The nearest of `known`, or the one that holds the word ("svm": "linear-svm"); undefined where nothing is near. */
export function nearestName(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, far: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.far - b.far);
  const best = ranked[0];
  if (best !== undefined && best.far <= Math.max(1, Math.ceil(word.length / 3))) return best.candidate;
  const holding = word.length < 3 ? [] : known.filter((name) => name.toLowerCase().includes(word.toLowerCase()));
  return holding.length === 1 ? holding[0] : undefined;
}

/** ` (did you mean "x"?)` for the nearest of `known`, or an empty string where nothing is near. */
export function suggest(word: string, known: readonly string[]): string {
  const near = nearestName(word, known);
  return near === undefined ? '' : ` (did you mean "${near}"?)`;
}

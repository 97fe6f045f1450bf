import { few } from '../../core/errors.ts';

/** Marks without width that trim() leaves. A joiner may be part of an emoji at the end of a name, so it stays. */
const ENDS = /^[\s\u200b\u2060\ufeff]+|[\s\u200b\u2060\ufeff]+$/gu;

/** A text without blanks at its ends, no-break and zero-width spaces too. */
export const trimmed = (text: string): string => text.replace(ENDS, '');

/** The label that a name stands for: trimmed, in Unicode's composed form (NFC). */
export const labelOf = (name: string): string => trimmed(name).normalize('NFC');

/** What labels have in common that a reader takes for the same: no case, no marks without width, one form. */
function lookOf(label: string): string {
  return label
    .normalize('NFKC')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toLowerCase()
    .replace(/[\s_-]+/gu, ' ')
    .trim();
}

const CONFUSING = /[^\p{L}\p{N}\p{P}\p{S} ]|\p{Lm}|\p{M}/gu;

/** A label in quotes in which everything that cannot be seen or told apart stands as its code point: <U+00A0>. */
function shown(label: string): string {
  const codePoint = (c: string): string => `<U+${c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}>`;
  // A letter that is another one's compatibility form looks like that one: full width, ligatures. A text that is not
  // composed looks like the one that is.
  const isComposed = label === label.normalize('NFC');
  const isPlain = (c: string): boolean => (isComposed ? c.normalize('NFKC') === c.normalize('NFC') : c <= '~');
  const whole = Array.from(label, (c) => (isPlain(c) ? c : codePoint(c))).join('');
  return `"${whole.replace(CONFUSING, codePoint)}"`;
}

/** Labels that differ by case, blanks, hyphens or Unicode form only, in groups, legible. */
export function lookalikes(labels: Iterable<string>): string[] {
  const groups = new Map<string, string[]>();
  for (const label of new Set(labels)) {
    const look = lookOf(label);
    groups.set(look, [...(groups.get(look) ?? []), label]);
  }
  return [...groups.values()].filter((group) => group.length > 1).map((group) => group.sort().map(shown).join(' and '));
}

/** What to say about labels that look the same but are not; nothing where there are none. */
export function lookalikeWarnings(labels: Iterable<string>): string[] {
  const groups = lookalikes(labels);
  return groups.length === 0
    ? []
    : [
        `Classes whose names differ by case, blanks, hyphens or Unicode form only, and are classes of their own: ${few(groups, 10)}. Give them one name if they are one class.`,
      ];
}

/** Counts the spellings that labels stood under before they were trimmed and brought to one form. */
export function spellings(): { label: (raw: string) => string; warnings: () => string[] } {
  const found = new Map<string, Set<string>>();
  return {
    label(raw) {
      const label = labelOf(raw);
      const known = found.get(label);
      if (known === undefined) found.set(label, new Set([raw]));
      else known.add(raw);
      return label;
    },
    warnings() {
      const several = [...found.values()].filter((raws) => raws.size > 1);
      return several.length === 0
        ? []
        : [
            `Spellings that differ by blanks at the ends or Unicode form only are one class: ${few(
              several.map((raws) => [...raws].sort().map(ends).join(' = ')),
              10,
            )}.`,
          ];
    },
  };
}

/** As `shown`, blanks at the ends and combining marks legible. */
const ends = (raw: string): string => shown(raw).replace(/^" +| +"$/g, (blanks) => blanks.replaceAll(' ', '<U+0020>'));
